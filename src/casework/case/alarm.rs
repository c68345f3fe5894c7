//! What somebody is called to because a child may be at risk.

/// What whoever is on duty is called to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// A message, by its row.
    Message(i64),
    /// What a service typed on its answer page, by the row of the case: no message brought it.
    Case(i64),
}

impl Alarm {
    /// The message, where it is one.
    pub fn message(self) -> Option<i64> {
        match self {
            Self::Message(id) => Some(id),
            Self::Case(_) => None,
        }
    }

    /// The case, where no message tells of it.
    pub fn case(self) -> Option<i64> {
        match self {
            Self::Message(_) => None,
            Self::Case(id) => Some(id),
        }
    }
}

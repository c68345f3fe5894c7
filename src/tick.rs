//! What one turn of a loop found: every loop of the gateway can be run one tick at a time.

/// What a tick found to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    /// It did something: come again.
    Busy,
    /// Nothing waits.
    Idle,
}

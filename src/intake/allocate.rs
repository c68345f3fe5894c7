//! A new case's number, and the officer who looks after it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::open::Opening;
use super::settle::Following;
use crate::casework::allocation::{Choice, Facts, Load, Loads, Officers};
use crate::casework::case::{Event, OfficerId};
use crate::casework::procedure::StageClock;
use crate::casework::reference::CaseReference;
use crate::casework::vocabulary::ServiceId;
use crate::clock::london_day;
use crate::policy::Policy;
use crate::store::allocations::{self, Tally};
use crate::store::cases;
use crate::store::tasks::NewTask;
use crate::store::{StoreError, Tx};

/// What is asked of a person where nobody is free for a case.
const NOBODY_FREE: &str = "nobody who may take this case is there and below their limit: give it to somebody \
     with `postern case assign`";

/// Numbers cases, each in the year of its receipt.
pub(super) async fn references(
    tx: &mut Tx,
    prefix: &str,
    clocks: &[StageClock],
) -> Result<Vec<CaseReference>, StoreError> {
    let mut counts: BTreeMap<i16, usize> = BTreeMap::new();
    for clock in clocks {
        *counts.entry(clock.received_on.year()).or_default() += 1;
    }
    let mut next = BTreeMap::new();
    for (year, count) in counts {
        next.insert(year, cases::next_numbers(tx, year, count).await?);
    }
    let number = |clock: &StageClock| {
        let year = clock.received_on.year();
        let next = next.entry(year).or_default();
        let number = u32::try_from(*next).unwrap_or(u32::MAX);
        *next += 1;
        CaseReference::new(prefix, year, number)
            .map_err(|fault| StoreError::unsuitable("number a case", fault.to_string()))
    };
    clocks.iter().map(number).collect()
}

/// Whose the new cases of a wave are, in their order.
pub(super) enum Owners {
    /// The council names no officers: nobody's, and nothing is said of it.
    Unnamed(usize),
    /// Each chosen, with those before it counted; none where nobody is free.
    Chosen(Vec<Option<Choice>>),
}

impl Owners {
    /// Chooses. What officers have, and who knows the customers, is asked once for the wave; no two messages of
    /// a wave are of one sender.
    pub(super) async fn choose(
        tx: &mut Tx,
        policy: &Policy,
        openings: &[Opening<'_>],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let officers = &policy.officers;
        if officers.all().is_empty() {
            return Ok(Self::Unnamed(openings.len()));
        }
        let today = london_day(now);
        let mut loads = loads(officers, &allocations::tallies(tx, today).await?);
        let customers: Vec<&str> = openings.iter().filter_map(customer).collect();
        let customers = allocations::of_customers(tx, &customers).await?;
        let matters: Vec<i64> = openings.iter().flat_map(linked).collect();
        let matters = allocations::of_cases(tx, &matters).await?;
        let mut chosen = Vec::with_capacity(openings.len());
        for opening in openings {
            let known = linked(opening).find_map(|case| matters.get(&case));
            let known = known.or_else(|| customers.get(customer(opening)?));
            let earlier = known.map(|known| (known.owner.clone(), known.reference.clone()));
            let facts = Facts { earlier, ..facts(opening) };
            let choice = officers.choose(&facts, &loads, today);
            if let Some(choice) = &choice {
                let points = officers.weight(&facts);
                loads.add(&choice.officer, Load { cases: 1, points });
            }
            chosen.push(choice);
        }
        Ok(Self::Chosen(chosen))
    }

    /// The owner of each.
    pub(super) fn each(&self) -> Vec<Option<&str>> {
        match self {
            Self::Unnamed(count) => vec![None; *count],
            Self::Chosen(chosen) => {
                chosen.iter().map(|one| Some(one.as_ref()?.officer.0.as_str())).collect()
            }
        }
    }

    /// What is recorded of it, and what is left to a person, once the cases have their rows.
    pub(super) fn tell(&self, cases: impl Iterator<Item = i64>, after: &mut Following) {
        let Self::Chosen(chosen) = self else { return };
        for (case, choice) in cases.zip(chosen) {
            match choice {
                Some(choice) => after.events.push((case, allocated(choice.clone()))),
                None => after.tasks.push(NewTask {
                    kind: "allocate",
                    case_id: Some(case),
                    words: NOBODY_FREE.into(),
                    ..NewTask::default()
                }),
            }
        }
    }
}

fn allocated(choice: Choice) -> Event {
    Event::Allocated {
        officer: Some(choice.officer),
        before: None,
        ground: choice.ground,
        because: choice.because.into(),
    }
}

fn facts(opening: &Opening<'_>) -> Facts {
    let classification = opening.scene.classification;
    Facts {
        record_type: Some(opening.record_type),
        lead: classification.services.first().cloned().unwrap_or_else(ServiceId::none),
        flags: classification.flags.clone(),
        customer_type: classification.customer_type,
        stage: 1,
        late: false,
        earlier: None,
    }
}

/// The customer's address, as their cases keep it.
fn customer<'a>(opening: &Opening<'a>) -> Option<&'a str> {
    opening.scene.one.email.from.as_ref().map(|from| from.address.as_str())
}

/// Earlier cases that the message belongs to: whose keyed token it carries, or which its writer may quote.
fn linked(opening: &Opening<'_>) -> impl Iterator<Item = i64> + use<> {
    let history = opening.scene.history;
    let known = [&history.token_case, &history.referenced_case];
    known.map(|case| case.as_ref().map(|case| case.id)).into_iter().flatten()
}

/// What officers have, as it is counted in the store.
pub(crate) fn loads(officers: &Officers, tallies: &[Tally]) -> Loads {
    let mut loads = Loads::default();
    for tally in tallies {
        let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        let points = officers.points(
            count(tally.cases),
            count(tally.later_stage),
            count(tally.overdue),
            count(tally.safeguarding),
        );
        let owner = OfficerId(tally.owner.clone());
        loads.add(&owner, Load { cases: count(tally.cases), points });
    }
    loads
}

//! Work that is shared anew: evened out, or handed over by whoever is away.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Choice, Facts, Ground, Load, Loads, Officer, Officers, least, per_share};
use crate::casework::case::OfficerId;

/// An open case as it is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its row.
    pub case: i64,
    /// Its reference.
    pub reference: String,
    /// Whose it is.
    pub owner: Option<OfficerId>,
    /// What it is.
    pub facts: Facts,
}

/// A case that goes from one to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// Its row.
    pub case: i64,
    /// Its reference.
    pub reference: String,
    /// Who had it; nobody, where nobody did.
    pub from: Option<OfficerId>,
    /// Who gets it.
    pub to: OfficerId,
    /// On what ground.
    pub ground: Ground,
    /// The same in words that name no customer.
    pub because: String,
    /// Whether a child may be at risk: whoever gets it is told to look today.
    pub safeguarding: bool,
}

impl Handover {
    fn of(held: &Held, choice: Choice) -> Self {
        Self {
            case: held.case,
            reference: held.reference.clone(),
            from: held.owner.clone(),
            to: choice.officer,
            ground: choice.ground,
            because: choice.because,
            safeguarding: held.facts.safeguarding(),
        }
    }
}

impl Officers {
    /// What everybody has.
    pub fn loads(&self, held: &[Held]) -> Loads {
        let mut loads = Loads::default();
        for one in held {
            if let Some(owner) = &one.owner {
                loads.add(owner, Load { cases: 1, points: self.weight(&one.facts) });
            }
        }
        loads
    }

    /// Moves as few cases as it takes until nobody has more for their share than somebody who is free would have
    /// with one case more. Only among those who are there today; a case of a child at risk stays with whom knows it.
    pub fn even_out(&self, held: &[Held], today: Date) -> Vec<Handover> {
        let mut loads = self.loads(held);
        // What came last is the least known to whoever has it.
        let mut cases: Vec<Held> =
            held.iter().filter(|one| !one.facts.safeguarding()).cloned().collect();
        cases.sort_by_key(|one| (Reverse(self.weight(&one.facts)), Reverse(one.case)));
        let mut moves: BTreeMap<i64, Handover> = BTreeMap::new();
        // Each move leaves less with whoever has most for their share than they had: it comes to an end.
        while let Some((at, to)) = self.next_move(&cases, &loads, today) {
            let Some((one, from)) = cases.get_mut(at).and_then(|one| {
                let from = one.owner.clone()?;
                Some((one, from))
            }) else {
                break;
            };
            let weight = self.weight(&one.facts);
            let because = format!(
                "evens out the work: {} points with {from}, {} with {to}",
                loads.of(&from).points,
                loads.of(&to).points
            );
            loads.take(&from, weight);
            loads.add(&to, Load { cases: 1, points: weight });
            let choice = Choice { officer: to.clone(), ground: Ground::EvenedOut, because };
            match moves.get_mut(&one.case) {
                Some(before) => before.to = to.clone(),
                None => drop(moves.insert(one.case, Handover::of(one, choice))),
            }
            one.owner = Some(to);
        }
        // What came back to where it was has not moved.
        moves.into_values().filter(|one| one.from.as_ref() != Some(&one.to)).collect()
    }

    /// The case that goes next, and to whom: of whoever has the most for their share and can be helped, the
    /// heaviest that still leaves the other with less than they had.
    fn next_move(&self, cases: &[Held], loads: &Loads, today: Date) -> Option<(usize, OfficerId)> {
        let mut donors: Vec<&Officer> =
            self.all.iter().filter(|one| one.absence_on(today).is_none()).collect();
        donors.sort_by(|a, b| {
            per_share(loads.of(&b.id).points, 0, a.share).cmp(&per_share(
                loads.of(&a.id).points,
                0,
                b.share,
            ))
        });
        donors.into_iter().find_map(|donor| {
            let mine =
                cases.iter().enumerate().filter(|(_, one)| one.owner.as_ref() == Some(&donor.id));
            mine.into_iter().find_map(|(at, one)| {
                let to = self.helper(donor, one, loads, today)?;
                Some((at, to))
            })
        })
    }

    fn helper(&self, donor: &Officer, one: &Held, loads: &Loads, today: Date) -> Option<OfficerId> {
        let free: Vec<&Officer> = self
            .all
            .iter()
            .filter(|other| {
                other.takes_new && other.id != donor.id && other.is_free(&one.facts, loads, today)
            })
            .collect();
        let weight = self.weight(&one.facts);
        let to = least(&free, weight, loads)?;
        let after = per_share(loads.of(&to.id).points, weight, donor.share);
        let before = per_share(loads.of(&donor.id).points, 0, to.share);
        (after < before).then(|| to.id.clone())
    }

    /// Hands cases of one officer to others, or cases that nobody has: to whoever stands in, else as new ones
    /// are given. `held` are all open cases. Gives the moves, and the rows of those for which nobody is free.
    pub fn hand_over(
        &self,
        from: Option<&OfficerId>,
        which: &[&Held],
        held: &[Held],
        today: Date,
    ) -> (Vec<Handover>, Vec<i64>) {
        let mut loads = self.loads(held);
        let mut urgent_first = which.to_vec();
        urgent_first.sort_by_key(|one| (!one.facts.safeguarding(), !one.facts.late, one.case));
        let (mut moves, mut left) = (Vec::new(), Vec::new());
        for one in urgent_first {
            let deputy = from.and_then(|from| self.deputy_for(from, &one.facts, &loads, today));
            let choice = deputy.or_else(|| self.choose_but(from, &one.facts, &loads, today));
            let Some(choice) = choice else {
                left.push(one.case);
                continue;
            };
            let weight = self.weight(&one.facts);
            if let Some(owner) = &one.owner {
                loads.take(owner, weight);
            }
            loads.add(&choice.officer, Load { cases: 1, points: weight });
            moves.push(Handover::of(one, choice));
        }
        (moves, left)
    }

    /// Whoever stands in for an officer, if they are free for a case. That they take no new ones is no matter.
    fn deputy_for(
        &self,
        from: &OfficerId,
        facts: &Facts,
        loads: &Loads,
        today: Date,
    ) -> Option<Choice> {
        let deputy = self.get(self.get(from)?.deputy.as_ref()?)?;
        let choice = || Choice {
            officer: deputy.id.clone(),
            ground: Ground::Deputy,
            because: format!("stands in for {from}"),
        };
        deputy.is_free(facts, loads, today).then(choice)
    }
}

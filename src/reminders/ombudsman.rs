//! The Ombudsman's dates on the same ladder and in the same mail: what was asked by a day, what was agreed by a
//! day, and letters that nobody has read yet.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::plan::{Mail, Plan};
use crate::casework::ombudsman::ContactKind;
use crate::casework::reminder::{RequestDates, Role, Rung, Steps};
use crate::casework::vocabulary::ServiceId;
use crate::letters::OmbudsmanLine;
use crate::letters::words::list_words;
use crate::policy::Policy;
use crate::store::ombudsman::{DateRow, RungRow, record_rungs};
use crate::store::{StoreError, Tx};

/// A letter that nobody has read: due on the day it came, whatever it asks (D3).
const UNREAD: &str = "unread";
/// A remedy that was agreed without a date: it counts from the day of the decision.
const UNDATED: &str = "undated";

/// A rung of one of the Ombudsman's dates that is due today.
#[derive(Debug, Clone, Serialize)]
pub struct DateDue {
    /// The date.
    pub date: DateListed,
    /// The rung.
    pub rung: Rung,
    /// Lower rungs that were missed and are never sent.
    #[serde(skip)]
    pub passed_over: Vec<Rung>,
}

/// One of the Ombudsman's dates as a list shows it: references and days alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DateListed {
    /// `unread`, `contact`, `remedy`, or `undated` for a remedy without a date.
    pub item: String,
    /// Contact or remedy, by its number.
    pub item_id: i64,
    /// The Ombudsman's case, by its number here.
    pub number: i64,
    /// The Ombudsman's reference.
    pub theirs: Option<String>,
    /// The council's case.
    pub reference: Option<String>,
    /// What kind of contact.
    pub kind: String,
    /// The day; for a remedy without a date that of the decision.
    pub due_on: Date,
    /// Working days left; negative once late, or since the decision.
    pub days_left: i32,
}

/// Works out which rungs of the Ombudsman's dates are due on the plan's day, and puts them into the mails of
/// those who hear: one mail a person.
pub(super) fn join(policy: &Policy, plan: &mut Plan, dates: &[DateRow], recorded: &[RungRow]) {
    let ladders = (policy.ladder.of_ombudsman(), policy.ladder.of_undated_remedies());
    let mut sent: BTreeMap<(&str, i64, &str), BTreeSet<String>> = BTreeMap::new();
    for row in recorded {
        let key = (row.item.as_str(), row.item_id, row.due_on.as_str());
        sent.entry(key).or_default().insert(row.rung.clone());
    }
    let none = BTreeSet::new();
    let mut listed = Vec::with_capacity(dates.len());
    for row in dates {
        let already = sent.get(&(row.item.as_str(), row.item_id, row.due_on.as_str()));
        let ladder = if row.item == UNDATED { ladders.1 } else { ladders.0 };
        match reckon(policy, ladder, row, already.unwrap_or(&none), plan.day) {
            Ok((one, due)) => {
                if let Some((rung, passed_over)) = due {
                    hear(policy, plan, row, &one, &rung);
                    plan.dates.push(DateDue { date: one.clone(), rung, passed_over });
                }
                listed.push(one);
            }
            Err(fault) => {
                plan.faults.push(format!("Ombudsman case {}: {fault}", row.ombudsman_id));
            }
        }
    }
    // Whoever looks after all of them sees all of them, the first due first.
    for mail in plan.mails.iter_mut().filter(|mail| !mail.ombudsman.is_empty()) {
        if mail.roles.iter().any(|role| matches!(role, Role::LinkOfficer | Role::ComplaintsManager))
        {
            mail.ombudsman.clone_from(&listed);
        }
        // What has no date stands last.
        mail.ombudsman
            .sort_by_key(|one| (one.item == UNDATED, one.due_on, one.number, one.item_id));
    }
    plan.mails.sort_by(|a, b| a.recipient.cmp(&b.recipient));
}

type Due = Option<(Rung, Vec<Rung>)>;

fn reckon(
    policy: &Policy,
    ladder: &Steps,
    row: &DateRow,
    already: &BTreeSet<String>,
    today: Date,
) -> Result<(DateListed, Due), String> {
    let day = |text: &str| text.parse::<Date>().map_err(|_| "its dates cannot be read".to_owned());
    let due_on = day(&row.due_on)?;
    let dates = RequestDates {
        opened_on: day(&row.from_on)?,
        accepted: true,
        draft_due_on: None,
        due_on,
        short: false,
    };
    let calendar = &policy.calendar;
    let due = ladder.due_today(today, &dates, already, calendar).map_err(|gap| gap.to_string())?;
    let due = match due {
        Some(rung) => {
            let passed_over = ladder.passed_over(&rung, &dates, already, calendar);
            Some((rung, passed_over.map_err(|gap| gap.to_string())?))
        }
        None => None,
    };
    let days_left = calendar.working_days_between(today, due_on).map_err(|gap| gap.to_string())?;
    let listed = DateListed {
        item: row.item.clone(),
        item_id: row.item_id,
        number: row.ombudsman_id,
        theirs: row.theirs.clone(),
        reference: row.reference.clone(),
        kind: row.kind.clone(),
        due_on,
        days_left,
    };
    Ok((listed, due))
}

/// Puts a date into the mail of everybody who hears of it.
fn hear(policy: &Policy, plan: &mut Plan, row: &DateRow, one: &DateListed, rung: &Rung) {
    let lead = ServiceId(row.lead_service.clone().unwrap_or_else(|| "none".to_owned()));
    for role in &rung.to {
        // A letter that is still to be read is no director's to read.
        let team =
            matches!(role, Role::LinkOfficer | Role::ComplaintsManager | Role::ComplaintsOfficer);
        if one.item == UNREAD && !team {
            continue;
        }
        let area = row.area.as_deref();
        for contact in policy.rules.services().address_for(&lead, area, role.id(), plan.day) {
            let Some(mail) = mail_of(plan, &contact.name, &contact.address) else { continue };
            mail.roles.insert(*role);
            if !mail.ombudsman.contains(one) {
                mail.ombudsman.push(one.clone());
            }
        }
    }
}

/// The one mail of a person, begun where there is none yet.
fn mail_of<'a>(plan: &'a mut Plan, name: &str, address: &str) -> Option<&'a mut Mail> {
    let recipient = address.to_lowercase();
    let at = plan.mails.iter().position(|mail| mail.recipient == recipient);
    if at.is_none() {
        plan.mails.push(Mail {
            recipient,
            name: name.to_owned(),
            roles: BTreeSet::new(),
            because: Vec::new(),
            rows: Vec::new(),
            action_roles: BTreeSet::new(),
            actions: Vec::new(),
            ombudsman: Vec::new(),
        });
    }
    match at {
        Some(at) => plan.mails.get_mut(at),
        None => plan.mails.last_mut(),
    }
}

/// Records every rung before a word is sent for it.
pub(super) async fn record(tx: &mut Tx, plan: &Plan, now: Timestamp) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for due in &plan.dates {
        let missed = due.passed_over.iter().map(|missed| (missed, "skipped"));
        rows.extend(missed.chain([(&due.rung, "sent")]).map(|(rung, outcome)| RungRow {
            item: due.date.item.clone(),
            item_id: due.date.item_id,
            due_on: due.date.due_on.to_string(),
            rung: rung.id.clone(),
            outcome: outcome.to_owned(),
        }));
    }
    record_rungs(tx, &rows, now).await
}

/// What a mail says of the dates: no word of a letter, and nobody's name.
pub(super) fn lines(mail: &Mail, today: Date) -> Vec<OmbudsmanLine> {
    let line = |one: &DateListed| OmbudsmanLine {
        case: one.reference.clone().unwrap_or_else(|| format!("Ombudsman case {}", one.number)),
        theirs: one.theirs.clone(),
        what: match (one.item.as_str(), one.kind.parse::<ContactKind>()) {
            (UNREAD, _) => format!("Contact {}: nobody has read it yet", one.item_id),
            ("remedy", _) => format!("Remedy {}: agreed, and not done yet", one.item_id),
            (UNDATED, _) => {
                format!("Remedy {}: agreed without a date, and not done yet", one.item_id)
            }
            (_, Ok(kind)) => format!("Contact {}: {}", one.item_id, kind.label().to_lowercase()),
            (_, Err(_)) => format!("Contact {}", one.item_id),
        },
        days_words: match (one.item.as_str(), -one.days_left) {
            (UNDATED, 1) => "decided 1 day ago".to_owned(),
            (UNDATED, days) => format!("decided {days} days ago"),
            _ => list_words(today, one.due_on, one.days_left),
        },
        due: one.due_on.into(),
        is_late: one.item != UNDATED && one.due_on < today,
        has_date: one.item != UNDATED,
    };
    mail.ombudsman.iter().map(line).collect()
}

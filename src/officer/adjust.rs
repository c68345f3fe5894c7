//! How the customer is to be written to: in which letters, in which form (Equality Act 2010 section 20). It stands
//! with the person: every later letter on any of their cases is written so.

use super::{ActFault, Found, record, save};
use crate::casework::adjustment::{Adjustment, Format};
use crate::casework::case::{Actor, Event, Refusal};
use crate::gateway::Gateway;
use crate::letters::Letters;
use crate::store::{Tx, adjustments, cases};

/// The word for the letters that everybody gets.
const USUAL: &str = "usual";

/// Records what was agreed. What is not said stays as it was.
pub(super) async fn adjust(
    tx: &mut Tx,
    gateway: &Gateway,
    mut found: Found,
    by: &Actor,
    (letters, format): (Option<String>, Option<Format>),
    because: Option<String>,
) -> Result<String, ActFault> {
    let now = gateway.clock.now();
    let Some(address) = found.row.customer_address.clone() else {
        let because =
            "the customer gave no address, so nothing is written to them by itself".to_owned();
        let instead = "write or ring as they need it".to_owned();
        return Err(Refusal { because, instead }.into());
    };
    let policy = gateway.policy();
    let was = found.row.adjustment();
    let edition = edition(&policy.letters, was.edition.clone(), letters)?;
    let now_is = Adjustment { edition, format: format.unwrap_or(was.format) };
    if now_is == was {
        let because =
            format!("they are written to so already: {}", in_words(&policy.letters, &was));
        let instead = "say which letters (`letters`) or which form (`format`) is new".to_owned();
        return Err(Refusal { because, instead }.into());
    }
    adjustments::record(tx, &address, &now_is, cases::actor_text(by), now).await?;
    let words = in_words(&policy.letters, &now_is);
    let why = because.filter(|why| !why.trim().is_empty());
    let why = why.map_or_else(String::new, |why| format!(": {}", why.trim()));
    let text = format!("the customer is written to from now on {words}{why}").into();
    record(tx, gateway, &mut found, by, Event::Note { text }).await?;
    save(tx, gateway, &found, None).await?;
    Ok(format!("the customer of {} is written to from now on {words}", found.row.reference))
}

/// The edition that was asked for, as far as there is such a one; `was` where nothing is said.
pub(super) fn edition(
    letters: &Letters,
    was: Option<String>,
    said: Option<String>,
) -> Result<Option<String>, Refusal> {
    let id = match said {
        None => return Ok(was),
        Some(id) if id == USUAL => return Ok(None),
        Some(id) => id,
    };
    if letters.editions().any(|edition| edition.id == id) {
        return Ok(Some(id));
    }
    let all: Vec<&str> = letters.editions().map(|edition| edition.id.as_str()).collect();
    let because = format!("there are no letters `{id}`");
    let instead = match all.as_slice() {
        [] => format!("only `{USUAL}` is there; templates/README.md says how to add others"),
        all => format!("use one of: {USUAL}, {}", all.join(", ")),
    };
    Err(Refusal { because, instead })
}

/// `in Cymraeg (Welsh), in large print`.
fn in_words(letters: &Letters, adjustment: &Adjustment) -> String {
    let edition = adjustment.edition.as_ref();
    let name = edition.and_then(|id| letters.editions().find(|edition| edition.id == *id));
    let edition = match (edition, name) {
        (None, _) => None,
        (Some(_), Some(edition)) => Some(format!("in {}", edition.name)),
        (Some(id), None) => Some(format!("in {id}")),
    };
    let format = (adjustment.format != Format::Usual).then(|| adjustment.format.label().to_owned());
    let words: Vec<String> = edition.into_iter().chain(format).collect();
    if words.is_empty() { "as usual".to_owned() } else { words.join(", ") }
}

//! What became of a service's wish for more time, as its page says it.

use super::page::escaped;
use super::visit::Item;
use crate::casework::answer::{MoreTime, TimeDecided, more_time};
use crate::casework::vocabulary::ServiceId;
use crate::casework::working::in_words;
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::store::{StoreError, cases};

/// The last wish of a request's service for more time, while its answer is waited for.
pub(super) async fn wished(gateway: &Gateway, item: &Item) -> Result<Option<MoreTime>, StoreError> {
    if !item.standing.is_waited_for() {
        return Ok(None);
    }
    let mut tx = gateway.db.snapshot().await?;
    let events = cases::events(&mut tx, item.case.id).await?;
    let wish = more_time(&events, &ServiceId(item.request.service.clone()));
    // What was asked in an earlier round was decided with it.
    Ok(wish.filter(|wish| wish.asked_at.as_millisecond() >= item.request.asked_at))
}

/// The same in words. What anybody wrote is behind the code.
pub(super) fn told(wish: &MoreTime, item: &Item, is_revealed: bool) -> String {
    let on = in_words(london_day(wish.asked_at));
    let until = wish.until.map_or_else(String::new, |day| format!(", until {}", in_words(day)));
    let decided = match &wish.decided {
        None => "We have not decided yet. Until then the day stays.".to_owned(),
        Some(TimeDecided::Granted { at }) => {
            let decided_on = in_words(london_day(*at));
            match item.due_on {
                Some(due) => {
                    format!("We moved your day on {decided_on}. It is now {}.", in_words(due))
                }
                None => format!("We moved your day on {decided_on}."),
            }
        }
        Some(TimeDecided::Refused { at, .. }) => {
            format!("We decided on {} that the day stays.", in_words(london_day(*at)))
        }
    };
    let why = match &wish.decided {
        Some(TimeDecided::Refused { because, .. }) if is_revealed => {
            format!("<blockquote>{}</blockquote>", escaped(because.as_str()))
        }
        _ => String::new(),
    };
    format!(
        "<h2>More time</h2><p>You asked on {on} for more time{until}. {}</p>{why}",
        escaped(&decided)
    )
}

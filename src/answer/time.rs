//! What became of a service's wish for more time, as its page says it.

use jiff::Timestamp;

use super::page::escaped;
use super::visit::Item;
use crate::casework::answer::{MoreTime, TimeDecided, more_time};
use crate::casework::vocabulary::ServiceId;
use crate::casework::working::in_words;
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::store::{StoreError, cases, moment, tasks};

/// A wish for more time.
pub(super) struct Wish {
    wish: MoreTime,
    /// When an officer ended the task to decide on it, where nothing was decided: nobody is going to.
    put_aside: Option<Timestamp>,
}

/// The last wish of a request's service for more time, while its answer is waited for.
pub(super) async fn wished(gateway: &Gateway, item: &Item) -> Result<Option<Wish>, StoreError> {
    if !item.standing.is_waited_for() {
        return Ok(None);
    }
    let mut tx = gateway.db.snapshot().await?;
    let events = cases::events(&mut tx, item.case.id).await?;
    let wish = more_time(&events, &ServiceId(item.request.service.clone()));
    // What was asked in an earlier round was decided with it.
    let Some(wish) = wish.filter(|one| one.asked_at.as_millisecond() >= item.request.asked_at)
    else {
        return Ok(None);
    };
    let ended = tasks::ended_of_case(&mut tx, item.case.id, "more_time").await?;
    let ended = ended.filter(|at| wish.decided.is_none() && *at >= wish.asked_at.as_millisecond());
    Ok(Some(Wish { wish, put_aside: ended.map(moment) }))
}

/// The same in words. What anybody wrote is behind the code.
pub(super) fn told(Wish { wish, put_aside }: &Wish, item: &Item, is_revealed: bool) -> String {
    let on = in_words(london_day(wish.asked_at));
    let until = wish.until.map_or_else(String::new, |day| format!(", until {}", in_words(day)));
    let decided = match &wish.decided {
        None if put_aside.is_some() => {
            let looked_on = put_aside.map_or_else(String::new, |at| in_words(london_day(at)));
            let due = item.due_on.map_or_else(String::new, |due| format!(": {}", in_words(due)));
            format!(
                "We looked at it on {looked_on} and moved nothing. Your day stays{due}. Ask us if you expected more."
            )
        }
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

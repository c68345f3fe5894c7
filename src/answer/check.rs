//! An answer is looked at before it is sent: what was typed and chosen is kept, shown as it will be sent, and sent from
//! there. Nothing is lost by going back, and nothing is sent that was not shown.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::act::{Doing, Done, Shape, done, draw, is_possible, is_whole, kept, said, shown};
use super::fields::FILE;
use super::form::{Act, Faults, Sent, Typed};
use super::page::{self, escaped, framed};
use super::show::{gone, points, told, type_words};
use super::upload::{MOST_FILES, Posted};
use super::visit::{Item, Link, Opened, Visit};
use super::{Unavailable, code, draft};
use crate::casework::case::Point;
use crate::gateway::Gateway;
use crate::store::drafts::DraftFile;
use crate::store::uploads::Upload;
use crate::store::{StoreError, drafts, links};

/// Takes the form of an answer: keeps what was typed and chosen, and goes on to the page on which it is checked; or
/// says what is wrong, or that it is kept for later.
pub(super) async fn typed(
    gateway: &Arc<Gateway>,
    (visit, link, item): (&Visit, &Link, &Item),
    mut posted: Posted,
    points: Vec<Point>,
) -> Result<Response, Unavailable> {
    let is_later = posted.typed.get("do") == "save";
    let dropped: Vec<i64> =
        item.files.iter().map(|one| one.id).filter(|id| posted.drops(*id)).collect();
    let stay = item.files.iter().filter(|one| !dropped.contains(&one.id));
    let most = gateway.config.answers.file_megabytes;
    let wrong =
        of_files(&mut posted, &stay.collect::<Vec<_>>(), gateway.config.answers.file_bytes(), most);
    let add = if wrong.is_empty() { std::mem::take(&mut posted.files) } else { Vec::new() };
    let keeping = draft::Keeping { typed: &posted.typed, points: &points, add, dropped };
    let Some(files) = draft::save(gateway, link, item, keeping).await? else {
        return Ok(kept(visit, super::act::MEANWHILE, &posted.typed.all(points.len())));
    };
    if is_later {
        let how = if wrong.is_empty() { "1" } else { "without-files" };
        return Ok(
            Redirect::to(&format!("{}/{}?saved={how}", visit.at(), item.place)).into_response()
        );
    }
    let read = posted.typed.read(
        Act::Answer,
        &points,
        visit.today,
        !files.is_empty() || !wrong.is_empty(),
    );
    let faults: Faults = read.err().into_iter().flatten().chain(wrong).collect();
    if faults.is_empty() {
        return Ok(Redirect::to(&check_at(visit, item)).into_response());
    }
    let shape = Shape { act: Act::Answer, points, megabytes: most, files };
    let html = shown(visit, item, &shape, (&posted.typed, &faults, &posted.typed.get("key")));
    let status = if posted.too_large {
        StatusCode::PAYLOAD_TOO_LARGE
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok(page::answer(status, html))
}

fn check_at(visit: &Visit, item: &Item) -> String {
    format!("{}/{}/answer/check", visit.at(), item.place)
}

/// What is wrong with the files that were chosen now, beside those that stay.
fn of_files(posted: &mut Posted, stay: &[&DraftFile], most: usize, megabytes: u32) -> Faults {
    let chosen: usize = posted.files.iter().map(|one| one.bytes.len()).sum();
    let before: u64 = stay.iter().map(|one| one.file.bytes).sum();
    let before = usize::try_from(before).unwrap_or(usize::MAX);
    posted.too_large |= !posted.files.is_empty() && before.saturating_add(chosen) > most;
    let words = if posted.too_large {
        format!("Attach files of {megabytes} MB at most together, or reply to our email")
    } else if posted.files.len() + stay.len() > MOST_FILES {
        format!("Attach at most {MOST_FILES} files")
    } else if posted.files.iter().any(|one| one.bytes.is_empty()) {
        "Attach a file that is not empty".to_owned()
    } else {
        return Faults::new();
    };
    vec![(FILE.to_owned(), words)]
}

/// The answer as it will be sent. Nothing is sent by asking for it.
pub(super) async fn form(
    State(gateway): State<Arc<Gateway>>,
    Path((_, place)): Path<(String, String)>,
    Query(asked): Query<HashMap<String, String>>,
    Opened { visit, link }: Opened,
) -> Result<Response, Unavailable> {
    let Some(item) = link.item(&place) else { return Ok(gone(&visit)) };
    let back = format!("{}/{}", visit.at(), item.place);
    if !is_possible(Act::Answer, item.standing) {
        return Ok(Redirect::to(&back).into_response());
    }
    if !link.is_revealed {
        return Ok(Redirect::to(&format!("{}/code", visit.at())).into_response());
    }
    let Some(ready) = ready(&gateway, &visit, item).await? else {
        return Ok(Redirect::to(&unready(&back, item)).into_response());
    };
    let key = draw(&gateway).await?;
    let html = checking(&visit, item, &ready, &key, asked.contains_key("changed"));
    Ok(page::answer(StatusCode::OK, html))
}

/// Where somebody goes on whose answer is not whole, or has left.
fn unready(back: &str, item: &Item) -> String {
    if item.draft.is_some() { format!("{back}/answer") } else { back.to_owned() }
}

/// An answer that can be sent.
struct Ready {
    sent: Sent,
    /// What it was made of: another text or another file is another mark.
    mark: String,
}

/// What was kept, where all of it is as it must be.
async fn ready(gateway: &Gateway, visit: &Visit, item: &Item) -> Result<Option<Ready>, StoreError> {
    let (Some(saved), Some(mark)) = (&item.draft, draft::mark(item)) else { return Ok(None) };
    let points = points(gateway, item).await?;
    let typed = draft::read(&saved.typed, &points);
    let sent = typed.read(Act::Answer, &points, visit.today, !item.files.is_empty());
    Ok(sent.ok().map(|sent| Ready { sent, mark }))
}

fn checking(visit: &Visit, item: &Item, ready: &Ready, key: &str, is_changed: bool) -> String {
    let (at, place) = (escaped(&visit.at()), item.place);
    let names: Vec<&str> =
        item.files.iter().map(|one| named(one.file.name.as_deref().map(String::as_str))).collect();
    let answer = ready.sent.given.as_ref().map_or_else(String::new, |given| told(given, &names));
    let changed = if is_changed {
        "<p class=\"inset\">What was typed has changed since you looked. Nothing was sent. Look at it again.</p>"
    } else {
        ""
    };
    let body = format!(
        "<p><a href=\"{at}/{place}/answer\">Back</a></p>{changed}\
         <p class=\"caption\">{}, {}</p><h1>Check your answer</h1>\
         <p>This is what we get. It is not sent yet, and what you typed is kept until you send it.</p>\
         {answer}<p>Sent by: {}</p>\
         <form method=\"post\" action=\"{at}/{place}/answer/check\">\
         <input type=\"hidden\" name=\"key\" value=\"{}\"><input type=\"hidden\" name=\"seen\" value=\"{}\">\
         <div class=\"buttons\"><button>Send the answer</button><a href=\"{at}/{place}/answer\">Change it</a></div></form>",
        escaped(&item.case.reference),
        escaped(&type_words(item)),
        escaped(&ready.sent.name),
        escaped(key),
        escaped(&ready.mark),
    );
    framed(&visit.council, &format!("Check your answer: {}", item.case.reference), false, &body)
}

/// A file's name, as it is shown.
pub(super) fn named(name: Option<&str>) -> &str {
    name.unwrap_or("a file without a name")
}

/// Sends the answer that was checked, once, and no other.
pub(super) async fn send(
    State(gateway): State<Arc<Gateway>>,
    Path((_, place)): Path<(String, String)>,
    Opened { visit, link }: Opened,
    body: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<Response, Unavailable> {
    let Some(item) = link.item(&place) else { return Ok(gone(&visit)) };
    let typed = body.map(|Form(fields)| Typed::of(fields)).unwrap_or_default();
    if !link.is_revealed {
        return Ok(locked(&gateway, &visit, &link, item).await?);
    }
    let (key, seen) = (typed.get("key"), typed.get("seen"));
    if !is_whole(&key) {
        return Ok(kept(&visit, "The form was not whole.", ""));
    }
    let back = format!("{}/{}", visit.at(), item.place);
    let Some(Ready { sent, mark }) = ready(&gateway, &visit, item).await? else {
        let to = if was_sent(&gateway, &key).await? {
            format!("{back}?sent={}", Act::Answer.id())
        } else {
            unready(&back, item)
        };
        return Ok(Redirect::to(&to).into_response());
    };
    let again = format!("{}?changed=1", check_at(&visit, item));
    if seen != mark {
        return Ok(Redirect::to(&again).into_response());
    }
    let files = chosen(&gateway, item).await?;
    let doing = Doing { act: Act::Answer, sent, files, key, mark: Some(mark) };
    match done(&gateway, &link, item, doing).await? {
        Done::Changed => Ok(Redirect::to(&again).into_response()),
        Done::TooLate => Ok(kept(&visit, super::act::MEANWHILE, "")),
        done @ (Done::Taken | Done::Before) => {
            Ok(said(&gateway, (&visit, &link, item), Act::Answer, &done))
        }
    }
}

/// The time of a code was over before the answer was sent: what was typed is kept, and another code opens it.
async fn locked(
    gateway: &Arc<Gateway>,
    visit: &Visit,
    link: &Link,
    item: &Item,
) -> Result<Response, StoreError> {
    let is_kept = link.is_known && item.draft.is_some();
    if is_kept {
        code::queue(gateway, visit, link).await?;
    }
    let how = if is_kept { "?kept=1" } else { "" };
    Ok(Redirect::to(&format!("{}/code{how}", visit.at())).into_response())
}

async fn was_sent(gateway: &Gateway, key: &str) -> Result<bool, StoreError> {
    let mut tx = gateway.db.snapshot().await?;
    links::is_taken(&mut tx, key).await
}

/// The files that were chosen, with their bytes.
async fn chosen(gateway: &Gateway, item: &Item) -> Result<Vec<Upload>, StoreError> {
    let mut tx = gateway.db.snapshot().await?;
    let mut files = Vec::with_capacity(item.files.len());
    for one in &item.files {
        files.push(drafts::with_bytes(&mut tx, one.clone()).await?);
    }
    Ok(files)
}

//! What is done on the page: read, then done on the path that a reply by mail takes, once.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::fields::{FILE, fields};
use super::form::{Act, Faults, Sent, Typed};
use super::page::{self, escaped, framed};
use super::show::{content, gone, points, type_words};
use super::upload::{self, MOST_FILES, Posted};
use super::visit::{Item, Link, Opened, Visit, items};
use super::{Unavailable, code, draft};
use crate::casework::answer::{Given, Standing};
use crate::casework::case::Point;
use crate::casework::vocabulary::ServiceId;
use crate::casework::working::in_words;
use crate::clock::{london, london_day};
use crate::gateway::Gateway;
use crate::intake::{Following, FromPage, Said, add, is_at_risk, take};
use crate::store::links::LinkRow;
use crate::store::uploads::Upload;
use crate::store::{self, StoreError, Tx, links, moment};

/// The form of an act. Nothing is done by asking for it.
pub(super) async fn form(
    State(gateway): State<Arc<Gateway>>,
    Path((_, place, act)): Path<(String, String, String)>,
    Opened { visit, link }: Opened,
) -> Result<Response, Unavailable> {
    let Some((act, item)) = asked(&link, &place, &act) else { return Ok(gone(&visit)) };
    let back = format!("{}/{}", visit.at(), item.place);
    if !is_possible(act, item.standing) {
        return Ok(Redirect::to(&back).into_response());
    }
    if act == Act::Answer && content(&gateway, &link, item).await?.is_none() {
        return Ok(Redirect::to(&format!("{}/code", visit.at())).into_response());
    }
    let points = points(&gateway, item).await?;
    // What was typed is gone on with; what was sent back is made better, not written anew.
    let before = item.answers.last().filter(|one| act == Act::Answer && one.state == "sent_back");
    let saved = item.draft.as_ref().filter(|_| act == Act::Answer);
    let typed = match (saved, before) {
        (Some(saved), _) => draft::read(&saved.typed, &points),
        (None, Some(before)) => Typed::of_answer(&before.given(), &points),
        (None, None) => Typed::default(),
    };
    let key = draw(&gateway).await?;
    let form = Form { act, points, megabytes: gateway.config.answers.file_megabytes };
    let html = shown(&visit, item, &form, (&typed, &Faults::new(), &key));
    Ok(page::answer(StatusCode::OK, html))
}

/// Does an act, or keeps what was typed.
pub(super) async fn act(
    State(gateway): State<Arc<Gateway>>,
    Path((_, place, act)): Path<(String, String, String)>,
    Opened { visit, link }: Opened,
    request: Request,
) -> Result<Response, Unavailable> {
    let Some((act, item)) = asked(&link, &place, &act) else { return Ok(gone(&visit)) };
    let takes_files = act == Act::Answer && link.is_revealed;
    let most = if takes_files { gateway.config.answers.file_bytes() } else { 0 };
    let Some(posted) = upload::read(request, most).await else {
        let words = "The form could not be read. Go back, or reply to our email.\n";
        return Ok((StatusCode::BAD_REQUEST, words).into_response());
    };
    let points = points(&gateway, item).await?;
    if act == Act::Answer && !link.is_revealed {
        return out_of_time(&gateway, (&visit, &link, item), &posted.typed, &points).await;
    }
    let key = posted.typed.get("key");
    if key.len() != KEY_CHARS {
        let typed = posted.typed.all(points.len());
        return Ok(kept(&visit, "The form was not whole.", &typed));
    }
    if act == Act::Answer && posted.typed.get("do") == "save" {
        return save(&gateway, (&visit, &link, item), &posted, &points).await;
    }
    let form = Form { act, points, megabytes: gateway.config.answers.file_megabytes };
    let read = read(&form, &posted, visit.today);
    let sent = match read {
        Ok(sent) => sent,
        Err(faults) => {
            let html = shown(&visit, item, &form, (&posted.typed, &faults, &key));
            let status = if posted.too_large {
                StatusCode::PAYLOAD_TOO_LARGE
            } else {
                StatusCode::UNPROCESSABLE_ENTITY
            };
            return Ok(page::answer(status, html));
        }
    };
    let typed = posted.typed.all(form.points.len());
    let act = Doing { act, sent, files: posted.files, key };
    let to = format!("{}/{}?sent={}", visit.at(), item.place, act.act.id());
    match done(&gateway, &link, item, act).await? {
        Done::Taken => {
            gateway.nudges.letter.notify_one();
            // A scanner may have to look at what came with it.
            gateway.nudges.settled.send_replace(());
            tracing::info!(link.id = link.row.id, act = form.act.id(), "said on an answer page");
            Ok(Redirect::to(&to).into_response())
        }
        Done::Before => Ok(Redirect::to(&to).into_response()),
        Done::TooLate => Ok(kept(&visit, MEANWHILE, &typed)),
    }
}

const MEANWHILE: &str =
    "Something has changed meanwhile: this is no longer waited for. Go back to see how it stands.";

/// A form that may be filled in.
struct Form {
    act: Act,
    points: Vec<Point>,
    /// The most that files may be together.
    megabytes: u32,
}

/// What was typed, with its files, where all of it is as it must be.
fn read(form: &Form, posted: &Posted, today: jiff::civil::Date) -> Result<Sent, Faults> {
    let has_files = !posted.files.is_empty() || posted.too_large;
    let read = posted.typed.read(form.act, &form.points, today, has_files);
    let most = form.megabytes;
    let mut words = Vec::new();
    if posted.too_large {
        let fault = format!("Attach files of {most} MB at most together, or reply to our email");
        words.push(fault);
    } else if posted.files.len() > MOST_FILES {
        words.push(format!("Attach at most {MOST_FILES} files"));
    } else if posted.files.iter().any(|one| one.bytes.is_empty()) {
        words.push("Attach a file that is not empty".to_owned());
    } else if read.is_err() && has_files {
        // A browser does not fill that field in again.
        words.push("Choose your files again".to_owned());
    }
    if words.is_empty() {
        return read;
    }
    let mut faults = read.err().unwrap_or_default();
    faults.extend(words.into_iter().map(|words| (FILE.to_owned(), words)));
    Err(faults)
}

/// The time of a code was over before an answer was sent. Where the code was typed in this browser, what was typed is
/// kept, and shown again behind the next code, which is sent; anybody else gets it back, and nothing is kept of it.
async fn out_of_time(
    gateway: &Arc<Gateway>,
    (visit, link, item): (&Visit, &Link, &Item),
    typed: &Typed,
    points: &[Point],
) -> Result<Response, Unavailable> {
    if link.is_known && draft::save(gateway, link, item, (typed, points)).await? {
        code::queue(gateway, visit, link).await?;
        return Ok(Redirect::to(&format!("{}/code?kept=1", visit.at())).into_response());
    }
    let why = "The time of your code is over. Ask for another, open the form again, and put your words back.";
    Ok(kept(visit, why, &typed.all(points.len())))
}

/// Keeps what was typed, to be gone on with later.
async fn save(
    gateway: &Arc<Gateway>,
    (visit, link, item): (&Visit, &Link, &Item),
    posted: &Posted,
    points: &[Point],
) -> Result<Response, Unavailable> {
    if !draft::save(gateway, link, item, (&posted.typed, points)).await? {
        return Ok(kept(visit, MEANWHILE, &posted.typed.all(points.len())));
    }
    let had_files = !posted.files.is_empty() || posted.too_large;
    let how = if had_files { "without-files" } else { "1" };
    let to = format!("{}/{}?saved={how}", visit.at(), item.place);
    Ok(Redirect::to(&to).into_response())
}

/// Characters of a form's key.
const KEY_CHARS: usize = 64;

fn asked<'a>(link: &'a Link, place: &str, act: &str) -> Option<(Act, &'a Item)> {
    Some((Act::named(act)?, link.item(place)?))
}

pub(super) fn is_possible(act: Act, standing: Standing) -> bool {
    standing.is_waited_for() || (act == Act::Answer && standing == Standing::Answered)
}

/// A form's key: what is sent with it twice is one act.
async fn draw(gateway: &Gateway) -> Result<String, StoreError> {
    let mut tx = gateway.db.snapshot().await?;
    Ok(store::draw(&mut tx).await?.0)
}

/// What became of a form.
enum Done {
    Taken,
    /// It was sent before.
    Before,
    /// Nothing is waited for any more.
    TooLate,
}

/// What is to be done, once by its key.
struct Doing {
    act: Act,
    sent: Sent,
    files: Vec<Upload>,
    key: String,
}

async fn done(
    gateway: &Arc<Gateway>,
    link: &Link,
    item: &Item,
    doing: Doing,
) -> Result<Done, StoreError> {
    let at_risk = is_at_risk(gateway, &item.case, from_page(link, item, &doing)).await;
    let inner = Arc::clone(gateway);
    let (link, place, request) = (link.row.clone(), item.place, item.request.id);
    gateway
        .db
        .write(move |tx: &mut Tx| {
            Box::pin(async move {
                let now = inner.clock.now();
                let (key, act) = (&doing.key, doing.act);
                if !links::take_form(tx, key, (link.id, request), act.id(), now).await? {
                    return Ok(Done::Before);
                }
                match now_at(tx, &inner, &link, place).await? {
                    Some(item) if is_possible(act, item.standing) => {
                        said(tx, &inner, (&link.recipient, &item), doing, at_risk).await
                    }
                    Some(_) | None => Ok(Done::TooLate),
                }
            })
        })
        .await
}

/// The request at a place of a link's list as it stands now, and not as it stood when the page was asked for.
pub(super) async fn now_at(
    tx: &mut Tx,
    gateway: &Gateway,
    link: &LinkRow,
    place: i64,
) -> Result<Option<Item>, StoreError> {
    let today = london_day(gateway.clock.now());
    let items = items(tx, &gateway.policy(), link, today).await?;
    Ok(items.into_iter().find(|item| item.place == place))
}

/// All that was written, to be judged as a reply by mail would be.
fn from_page(link: &Link, item: &Item, doing: &Doing) -> FromPage {
    let given = doing.sent.given.as_ref().map(Given::words);
    let words: Vec<String> = doing.sent.words.iter().cloned().chain(given).collect();
    FromPage {
        words: words.join("\n\n"),
        files: doing.files.iter().map(|one| one.file.clone()).collect(),
        by_address: link.row.recipient.clone(),
        service: ServiceId(item.request.service.clone()),
    }
}

async fn said(
    tx: &mut Tx,
    gateway: &Gateway,
    (recipient, item): (&str, &Item),
    doing: Doing,
    at_risk: bool,
) -> Result<Done, StoreError> {
    let now = gateway.clock.now();
    let Doing { act, sent, files, .. } = doing;
    let said = Said {
        case: item.case.id,
        request: item.request.id,
        service: ServiceId(item.request.service.clone()),
        says: act.says(),
        message: None,
        by_name: Some(&sent.name),
        by_address: Some(recipient),
        words: sent.words,
        until: sent.until,
        given: sent.given,
        files: &files,
        at_risk,
    };
    let mut after = Following::default();
    if item.standing == Standing::Answered {
        add(tx, gateway, &said, now, &mut after).await?;
    } else if !take(tx, gateway, &said, now, &mut after).await? && act != Act::Accept {
        return Ok(Done::TooLate);
    }
    after.write(tx, gateway, now).await?;
    Ok(Done::Taken)
}

/// The form of an act, as a page.
fn shown(
    visit: &Visit,
    item: &Item,
    form: &Form,
    (typed, faults, key): (&Typed, &Faults, &str),
) -> String {
    let (at, place, act) = (escaped(&visit.at()), item.place, form.act);
    let heading = match (act, item.standing) {
        (Act::Answer, Standing::Answered) => "Add to your answer",
        _ => act.words().0,
    };
    let encoding = if act == Act::Answer { " enctype=\"multipart/form-data\"" } else { "" };
    let body = format!(
        "<p><a href=\"{at}/{place}\">Back</a></p>{}\
         <p class=\"caption\">{}, {}</p><h1>{heading}</h1>{}\
         <form method=\"post\" action=\"{at}/{place}/{}\"{encoding} novalidate>\
         <input type=\"hidden\" name=\"key\" value=\"{}\">{}</form>",
        page::summary(faults),
        escaped(&item.case.reference),
        escaped(&type_words(item)),
        if act == Act::Answer && faults.is_empty() { saved(item) } else { String::new() },
        act.id(),
        escaped(key),
        fields(act, &form.points, form.megabytes, typed, faults)
    );
    let title = format!("{heading}: {}", item.case.reference);
    framed(&visit.council, &title, !faults.is_empty(), &body)
}

/// That a form is filled in with what was saved.
fn saved(item: &Item) -> String {
    let Some(draft) = &item.draft else { return String::new() };
    let at = moment(draft.saved_at);
    let time = at.to_zoned(london()).strftime("%-I:%M%P").to_string();
    format!(
        "<p class=\"inset\">This is as you left it on {} at {time}. You have not sent it.</p>",
        in_words(london_day(at))
    )
}

/// Nothing was done, and nothing that was typed is lost.
fn kept(visit: &Visit, why: &str, text: &str) -> Response {
    let at = escaped(&visit.at());
    let typed = if text.is_empty() {
        String::new()
    } else {
        format!(
            "<div class=\"field\"><label for=\"kept\">What you wrote, to be copied</label>\
             <textarea id=\"kept\" rows=\"12\" readonly>\n{}</textarea></div>",
            escaped(text)
        )
    };
    let body = format!(
        "<h1>We did not take this</h1><p class=\"lead\">{}</p>{typed}<p><a href=\"{at}\">Go back</a></p>{}",
        escaped(why),
        page::questions(&visit.contact)
    );
    page::answer(StatusCode::CONFLICT, framed(&visit.council, "We did not take this", true, &body))
}

//! What is done on the page: read, then done on the path that a reply by mail takes, once.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::fields::fields;
use super::form::{Act, Faults, Sent, Typed};
use super::page::{self, escaped, framed};
use super::show::{content, gone, points, type_words};
use super::upload;
use super::visit::{Item, Link, Opened, Visit, items};
use super::{Unavailable, check, code, copy, draft};
use crate::casework::answer::{Given, Standing};
use crate::casework::case::Point;
use crate::casework::vocabulary::ServiceId;
use crate::casework::working::in_words;
use crate::clock::{london, london_day};
use crate::gateway::Gateway;
use crate::intake::{Following, FromPage, Said, add, is_at_risk, take};
use crate::store::drafts::DraftFile;
use crate::store::links::LinkRow;
use crate::store::uploads::Upload;
use crate::store::{self, StoreError, Tx, drafts, links, moment};

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
    let files = item.files.clone();
    let shape = Shape { act, points, megabytes: gateway.config.answers.file_megabytes, files };
    let html = shown(&visit, item, &shape, (&typed, &Faults::new(), &key));
    Ok(page::answer(StatusCode::OK, html))
}

/// Does an act; an answer is kept, to be checked before it is sent.
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
    if !is_whole(&key) {
        let typed = posted.typed.all(points.len());
        return Ok(kept(&visit, "The form was not whole.", &typed));
    }
    if act == Act::Answer {
        return check::typed(&gateway, (&visit, &link, item), posted, points).await;
    }
    let sent = match posted.typed.read(act, &points, visit.today, false) {
        Ok(sent) => sent,
        Err(faults) => {
            let shape = Shape { act, points, megabytes: 0, files: Vec::new() };
            let html = shown(&visit, item, &shape, (&posted.typed, &faults, &key));
            return Ok(page::answer(StatusCode::UNPROCESSABLE_ENTITY, html));
        }
    };
    let doing = Doing { act, sent, files: Vec::new(), key, mark: None };
    match done(&gateway, &link, item, doing).await? {
        Done::TooLate | Done::Changed => {
            Ok(kept(&visit, MEANWHILE, &posted.typed.all(points.len())))
        }
        done @ (Done::Taken | Done::Before) => {
            Ok(said(&gateway, (&visit, &link, item), act, &done))
        }
    }
}

/// That an act is done, now or by the same form before.
pub(super) fn said(
    gateway: &Gateway,
    (visit, link, item): (&Visit, &Link, &Item),
    act: Act,
    done: &Done,
) -> Response {
    if matches!(done, Done::Taken) {
        gateway.nudges.letter.notify_one();
        // A scanner may have to look at what came with it.
        gateway.nudges.settled.send_replace(());
        tracing::info!(link.id = link.row.id, act = act.id(), "said on an answer page");
    }
    Redirect::to(&format!("{}/{}?sent={}", visit.at(), item.place, act.id())).into_response()
}

pub(super) const MEANWHILE: &str =
    "Something has changed meanwhile: this is no longer waited for. Go back to see how it stands.";

/// A form that may be filled in.
pub(super) struct Shape {
    pub(super) act: Act,
    pub(super) points: Vec<Point>,
    /// The most that files may be together.
    pub(super) megabytes: u32,
    /// The files that were chosen already.
    pub(super) files: Vec<DraftFile>,
}

/// The time of a code was over before an answer was sent. Where the code was typed in this browser, what was typed is
/// kept, and shown again behind the next code, which is sent; anybody else gets it back, and nothing is kept of it.
async fn out_of_time(
    gateway: &Arc<Gateway>,
    (visit, link, item): (&Visit, &Link, &Item),
    typed: &Typed,
    points: &[Point],
) -> Result<Response, Unavailable> {
    let keeping = draft::Keeping { typed, points, add: Vec::new(), dropped: Vec::new() };
    if link.is_known && draft::save(gateway, link, item, keeping).await?.is_some() {
        code::queue(gateway, visit, link).await?;
        return Ok(Redirect::to(&format!("{}/code?kept=1", visit.at())).into_response());
    }
    let why = "The time of your code is over. Ask for another, open the form again, and put your words back.";
    Ok(kept(visit, why, &typed.all(points.len())))
}

/// Characters of a form's key.
const KEY_CHARS: usize = 64;

/// Whether a form came with its key.
pub(super) fn is_whole(key: &str) -> bool {
    key.len() == KEY_CHARS
}

fn asked<'a>(link: &'a Link, place: &str, act: &str) -> Option<(Act, &'a Item)> {
    Some((Act::named(act)?, link.item(place)?))
}

pub(super) fn is_possible(act: Act, standing: Standing) -> bool {
    standing.is_waited_for() || (act == Act::Answer && standing == Standing::Answered)
}

/// A form's key: what is sent with it twice is one act.
pub(super) async fn draw(gateway: &Gateway) -> Result<String, StoreError> {
    let mut tx = gateway.db.snapshot().await?;
    Ok(store::draw(&mut tx).await?.0)
}

/// What became of a form.
pub(super) enum Done {
    Taken,
    /// It was sent before.
    Before,
    /// Nothing is waited for any more.
    TooLate,
    /// What was typed is no longer what was looked at.
    Changed,
}

/// What is to be done, once by its key.
pub(super) struct Doing {
    pub(super) act: Act,
    pub(super) sent: Sent,
    pub(super) files: Vec<Upload>,
    pub(super) key: String,
    /// Of an answer: the draft that it was made of.
    pub(super) mark: Option<String>,
}

pub(super) async fn done(
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
            Box::pin(async move { once(tx, &inner, (&link, place, request), doing, at_risk).await })
        })
        .await
}

/// Does it where it can be done now. A form that comes too late leaves no trace: the same form again comes too late again.
async fn once(
    tx: &mut Tx,
    gateway: &Gateway,
    (link, place, request): (&LinkRow, i64, i64),
    doing: Doing,
    at_risk: bool,
) -> Result<Done, StoreError> {
    if links::is_taken(tx, &doing.key).await? {
        return Ok(Done::Before);
    }
    let item = now_at(tx, gateway, link, place).await?;
    let Some(item) = item.filter(|item| is_possible(doing.act, item.standing)) else {
        return Ok(Done::TooLate);
    };
    if doing.mark.is_some()
        && (draft::mark(&item) != doing.mark || !drafts::take(tx, request, &link.recipient).await?)
    {
        return Ok(Done::Changed);
    }
    let (now, act) = (gateway.clock.now(), doing.act.id());
    if !links::take_form(tx, &doing.key, (link.id, request), act, now).await? {
        return Ok(Done::Before);
    }
    said_once(tx, gateway, (&link.recipient, &item), doing, at_risk).await
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

async fn said_once(
    tx: &mut Tx,
    gateway: &Gateway,
    (recipient, item): (&str, &Item),
    doing: Doing,
    at_risk: bool,
) -> Result<Done, StoreError> {
    let now = gateway.clock.now();
    let Doing { act, sent, files, key, .. } = doing;
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
    if let Some(given) = &said.given {
        let told = copy::Told { given, by_name: &sent.name, files: &files, at_risk, key: &key };
        copy::queue(tx, gateway, (recipient, item), &told).await?;
    }
    Ok(Done::Taken)
}

/// The form of an act, as a page.
pub(super) fn shown(
    visit: &Visit,
    item: &Item,
    shape: &Shape,
    (typed, faults, key): (&Typed, &Faults, &str),
) -> String {
    let (at, place, act) = (escaped(&visit.at()), item.place, shape.act);
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
        fields(shape, typed, faults)
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
pub(super) fn kept(visit: &Visit, why: &str, text: &str) -> Response {
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

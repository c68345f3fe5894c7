//! What is done on the page: read, then done on the path that a reply by mail takes, once.

use std::sync::Arc;

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use super::Unavailable;
use super::fields::fields;
use super::form::{Act, Faults, Sent, Typed};
use super::page::{self, escaped, framed};
use super::show::{Content, content, gone, type_words};
use super::visit::{Item, Link, Visit, items, visit};
use crate::casework::answer::Standing;
use crate::casework::case::Point;
use crate::casework::vocabulary::ServiceId;
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::intake::{Following, Said, add, take};
use crate::store::{self, StoreError, Tx, links};

/// The form of an act. Nothing is done by asking for it.
pub(super) async fn form(
    State(gateway): State<Arc<Gateway>>,
    Path((token, place, act)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Unavailable> {
    let visit = visit(&gateway, &token, &headers).await?;
    let Some((act, link, item)) = asked(&visit, &place, &act) else { return Ok(gone(&visit)) };
    let back = format!("{}/{}", visit.at(), item.place);
    if !is_possible(act, item.standing) {
        return Ok(Redirect::to(&back).into_response());
    }
    let content = content(&gateway, link, item).await?;
    if act == Act::Answer && content.is_none() {
        return Ok(Redirect::to(&format!("{}/code", visit.at())).into_response());
    }
    let points = points_of(item, content.as_ref());
    // What was sent back is made better, not written anew.
    let before = item.answers.last().filter(|one| act == Act::Answer && one.state == "sent_back");
    let typed = before.map(|one| Typed::of_answer(&one.given(), &points)).unwrap_or_default();
    let key = draw(&gateway).await?;
    let html = shown(&visit, item, act, &points, (&typed, &Faults::new(), &key));
    Ok(page::answer(StatusCode::OK, html))
}

/// Does an act.
pub(super) async fn act(
    State(gateway): State<Arc<Gateway>>,
    Path((token, place, act)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<Response, Unavailable> {
    let visit = visit(&gateway, &token, &headers).await?;
    let Some((act, link, item)) = asked(&visit, &place, &act) else { return Ok(gone(&visit)) };
    let Ok(Form(body)) = body else {
        let words = "The form could not be read. Go back, or reply to our email.\n";
        return Ok((StatusCode::BAD_REQUEST, words).into_response());
    };
    let typed = Typed::of(body);
    let content = content(&gateway, link, item).await?;
    let points = points_of(item, content.as_ref());
    let is_open = act != Act::Answer || link.is_revealed;
    let is_first = typed.get("key").len() == KEY_CHARS;
    if !is_open || !is_first {
        let why = if is_open {
            "The form was not whole."
        } else {
            "The time of your code is over. Ask for another, open the form again, and put your words back."
        };
        return Ok(kept(&visit, why, &typed.all(points.len())));
    }
    let key = typed.get("key");
    let sent = match typed.read(act, &points, visit.today) {
        Ok(sent) => sent,
        Err(faults) => {
            let form = (&typed, &faults, key.as_str());
            let html = shown(&visit, item, act, &points, form);
            return Ok(page::answer(StatusCode::UNPROCESSABLE_ENTITY, html));
        }
    };
    let done = done(&gateway, link, item, act, (sent, key)).await?;
    match done {
        Done::Taken => {
            gateway.nudges.letter.notify_one();
            tracing::info!(link.id = link.row.id, act = act.id(), "said on an answer page");
            let to = format!("{}/{}?sent={}", visit.at(), item.place, act.id());
            Ok(Redirect::to(&to).into_response())
        }
        Done::Before => {
            let to = format!("{}/{}?sent={}", visit.at(), item.place, act.id());
            Ok(Redirect::to(&to).into_response())
        }
        Done::TooLate => {
            let why = "Something has changed meanwhile: this is no longer waited for. Go back to see how it stands.";
            Ok(kept(&visit, why, &typed.all(points.len())))
        }
    }
}

/// Characters of a form's key.
const KEY_CHARS: usize = 64;

fn asked<'a>(visit: &'a Visit, place: &str, act: &str) -> Option<(Act, &'a Link, &'a Item)> {
    let act = Act::named(act)?;
    let (link, item) = visit.item(place)?;
    Some((act, link, item))
}

fn is_possible(act: Act, standing: Standing) -> bool {
    standing.is_waited_for() || (act == Act::Answer && standing == Standing::Answered)
}

/// The points that an answer has; none where something is added to one.
fn points_of(item: &Item, content: Option<&Content>) -> Vec<Point> {
    if item.standing == Standing::Answered {
        return Vec::new();
    }
    let part = content.and_then(|content| content.part.as_ref());
    part.map(|part| part.points.clone()).unwrap_or_default()
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

async fn done(
    gateway: &Arc<Gateway>,
    link: &Link,
    item: &Item,
    act: Act,
    (sent, key): (Sent, String),
) -> Result<Done, StoreError> {
    let inner = Arc::clone(gateway);
    let (link, place, request) = (link.row.clone(), item.place, item.request.id);
    gateway
        .db
        .write(move |tx: &mut Tx| {
            Box::pin(async move {
                let now = inner.clock.now();
                if !links::take_form(tx, &key, (link.id, request), act.id(), now).await? {
                    return Ok(Done::Before);
                }
                // As it stands now, and not as it stood when the page was asked for.
                let items = items(tx, &inner.policy(), &link, london_day(now)).await?;
                let item = items.into_iter().find(|item| item.place == place);
                match item.filter(|item| is_possible(act, item.standing)) {
                    Some(item) => said(tx, &inner, &link.recipient, &item, (act, sent)).await,
                    None => Ok(Done::TooLate),
                }
            })
        })
        .await
}

async fn said(
    tx: &mut Tx,
    gateway: &Gateway,
    recipient: &str,
    item: &Item,
    (act, sent): (Act, Sent),
) -> Result<Done, StoreError> {
    let now = gateway.clock.now();
    let confirm = gateway.config.answers.confirm;
    let said = Said {
        case: item.case.id,
        request: item.request.id,
        service: ServiceId(item.request.service.clone()),
        says: act.says(),
        message: None,
        by_name: Some(&sent.name),
        by_address: Some(recipient),
        words: sent.words,
        given: sent.given,
    };
    let mut after = Following::default();
    if item.standing == Standing::Answered {
        add(tx, confirm, &said, now, &mut after).await?;
    } else if !take(tx, confirm, &said, now, &mut after).await? && act != Act::Accept {
        return Ok(Done::TooLate);
    }
    after.write(tx, gateway, now).await?;
    Ok(Done::Taken)
}

/// The form of an act, as a page.
fn shown(
    visit: &Visit,
    item: &Item,
    act: Act,
    points: &[Point],
    (typed, faults, key): (&Typed, &Faults, &str),
) -> String {
    let (at, place) = (escaped(&visit.at()), item.place);
    let heading = match (act, item.standing) {
        (Act::Answer, Standing::Answered) => "Add to your answer",
        _ => act.words().0,
    };
    let body = format!(
        "<p><a href=\"{at}/{place}\">Back</a></p>{}\
         <p class=\"caption\">{}, {}</p><h1>{heading}</h1>\
         <form method=\"post\" action=\"{at}/{place}/{}\" novalidate>\
         <input type=\"hidden\" name=\"key\" value=\"{}\">{}</form>",
        page::summary(faults),
        escaped(&item.case.reference),
        escaped(&type_words(item)),
        act.id(),
        escaped(key),
        fields(act, points, typed, faults)
    );
    let title = format!("{heading}: {}", item.case.reference);
    framed(&visit.council, &title, !faults.is_empty(), &body)
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

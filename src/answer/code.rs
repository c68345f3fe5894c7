//! The code behind which a customer's words are, the session that it opens, and new links: all of them go to the
//! mailbox that the link was sent to.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq;

use super::form::Typed;
use super::page::{self, escaped, framed};
use super::visit::{COOKIE, Came, Link, Opened, Visit, items};
use super::{Unavailable, draft};
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::letters::{AnswerCode, AnswerLink, Context, LetterId};
use crate::outbox::{Automatic, Posting, Wanted};
use crate::store::links::{self, LinkRow};
use crate::store::{self, StoreError, Tx};
use crate::token::hashed;

/// How long a code can be used, in minutes.
const CODE_MINUTES: i64 = 15;
/// How often one may be tried.
const TRIES: i64 = 5;
/// How many go to a mailbox in an hour, and in a day.
const CODES_AN_HOUR: i64 = 5;
const CODES_A_DAY: i64 = 15;
/// How long a session lasts, in hours.
const SESSION_HOURS: i64 = 8;
/// How long a browser shows which session it had, in days.
const COOKIE_DAYS: i64 = 30;

fn ago(now: Timestamp, time: SignedDuration) -> Timestamp {
    now.checked_sub(time).unwrap_or(Timestamp::MIN)
}

/// Where a code is asked for and typed.
pub(super) async fn form(
    Query(asked): Query<HashMap<String, String>>,
    Opened { visit, link }: Opened,
) -> Response {
    if link.is_revealed {
        return Redirect::to(&visit.at()).into_response();
    }
    let words = if asked.contains_key("kept") { KEPT } else { "" };
    page::answer(StatusCode::OK, asking(&visit, words, None))
}

/// That nothing is lost by the end of a session.
const KEPT: &str = "<p class=\"inset\">The time of your code was over. What you typed is kept, but not sent. Enter a new \
                    code, and the form is filled in as you left it. Choose your files again there.</p>";

/// Sends a code to the mailbox of the link.
pub(super) async fn send(
    State(gateway): State<Arc<Gateway>>,
    Opened { visit, link }: Opened,
) -> Result<Response, Unavailable> {
    if link.is_revealed {
        return Ok(Redirect::to(&visit.at()).into_response());
    }
    if queue(&gateway, &visit, &link).await? {
        return Ok(Redirect::to(&format!("{}/code", visit.at())).into_response());
    }
    let words = "We have sent this mailbox as many codes as we may for now. Use the last one, try again in an hour, \
                 or ring us";
    let html = asking(&visit, "", Some(words));
    Ok(page::answer(StatusCode::TOO_MANY_REQUESTS, html))
}

/// Sends a code to the mailbox of a link. False where it had as many as it may.
pub(super) async fn queue(
    gateway: &Arc<Gateway>,
    visit: &Visit,
    link: &Link,
) -> Result<bool, StoreError> {
    let inner = Arc::clone(gateway);
    let (row, token) = (link.row.clone(), visit.token.clone());
    let queued = gateway.db.write(move |tx: &mut Tx| {
        Box::pin(async move { queue_code(tx, &inner, &row, &token).await })
    });
    let queued = queued.await?;
    if queued {
        gateway.nudges.letter.notify_one();
        tracing::info!(link.id = link.row.id, "a code is sent");
    }
    Ok(queued)
}

async fn queue_code(
    tx: &mut Tx,
    gateway: &Gateway,
    link: &LinkRow,
    token: &str,
) -> Result<bool, StoreError> {
    let now = gateway.clock.now();
    let sent = async |tx: &mut Tx, hours: i64| {
        links::codes_since(tx, &link.recipient, ago(now, SignedDuration::from_hours(hours))).await
    };
    if sent(tx, 1).await? >= CODES_AN_HOUR || sent(tx, 24).await? >= CODES_A_DAY {
        return Ok(false);
    }
    let drawn = store::draw(tx).await?;
    let number = drawn.get(..15).and_then(|digits| u64::from_str_radix(digits, 16).ok());
    let Some(number) = number else {
        return Err(StoreError::unsuitable("draw a code", "what was drawn is no number"));
    };
    let code = format!("{:06}", number % 1_000_000);
    let row = links::add_code(tx, link, &hash_of(token, &code), now).await?;
    let context = AnswerCode {
        code,
        minutes: CODE_MINUTES,
        contact: gateway.contact(),
        council: gateway.council(),
    };
    let once_key = format!("answer-code:{row}");
    write(tx, gateway, (LetterId::AnswerCode, once_key), &link.recipient, &context).await?;
    Ok(true)
}

/// The hash of a code. The token, which the store does not know, goes in: six digits alone are soon tried through.
fn hash_of(token: &str, code: &str) -> String {
    hashed(&format!("{token}:{code}"))
}

async fn write<C: Context>(
    tx: &mut Tx,
    gateway: &Gateway,
    (letter, once_key): (LetterId, String),
    recipient: &str,
    context: &C,
) -> Result<(), StoreError> {
    let now = gateway.clock.now();
    let written = gateway.policy().letters.write(letter, context);
    let written =
        written.map_err(|fault| StoreError::unsuitable("write a letter", fault.to_string()))?;
    let posting = Posting {
        purpose: letter.id(),
        once_key,
        case: None,
        request: None,
        message: None,
        recipient: recipient.to_owned(),
        written: Arc::new(written),
        automatic: Automatic::Generated,
        in_reply_to: None,
        references: Vec::new(),
        due_at: now,
    };
    gateway.sender.post(tx, &[posting], now).await
}

/// Looks whether what was typed is the code.
pub(super) async fn check(
    State(gateway): State<Arc<Gateway>>,
    Opened { visit, link }: Opened,
    body: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<Response, Unavailable> {
    let typed = body.map(|Form(fields)| Typed::of(fields)).unwrap_or_default();
    let code: String = typed.get("code").chars().filter(|letter| !letter.is_whitespace()).collect();
    if code.is_empty() {
        let html = asking(&visit, "", Some("Enter the code"));
        return Ok(page::answer(StatusCode::UNPROCESSABLE_ENTITY, html));
    }
    let opened = open(&gateway, &link, hash_of(&visit.token, &code)).await?;
    let Some(session) = opened else {
        tracing::warn!(link.id = link.row.id, "a code was tried that opens nothing");
        let words = "That code does not open this page. It may be mistyped, used, more than 15 minutes old, or tried \
                     too often: ask for another one";
        return Ok(page::answer(StatusCode::UNPROCESSABLE_ENTITY, asking(&visit, "", Some(words))));
    };
    // Whoever had begun an answer goes on with it.
    let to = match draft::last_of(&link) {
        Some(place) => format!("{}/{place}/answer", visit.at()),
        None => visit.at(),
    };
    let mut response = Redirect::to(&to).into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie_of(&gateway, &visit, &session)) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Opens a session by the hash of what was typed; none where it is not the code. The try counts either way.
async fn open(
    gateway: &Arc<Gateway>,
    link: &Link,
    shown: String,
) -> Result<Option<String>, StoreError> {
    let (id, now) = (link.row.id, gateway.clock.now());
    let work = gateway.db.write(move |tx: &mut Tx| {
        Box::pin(async move {
            let since = ago(now, SignedDuration::from_mins(CODE_MINUTES));
            let Some((code, hash)) = links::try_code(tx, id, since, TRIES).await? else {
                return Ok(None);
            };
            if !bool::from(hash.as_bytes().ct_eq(shown.as_bytes())) {
                return Ok(None);
            }
            let session = store::draw(tx).await?.0;
            let until = now
                .checked_add(SignedDuration::from_hours(SESSION_HOURS))
                .unwrap_or(Timestamp::MAX);
            links::begin_session(tx, (id, code), &hashed(&session), until, now).await?;
            Ok::<_, StoreError>(Some(session))
        })
    });
    work.await
}

/// The session's cookie: for this link alone, and for no script. The browser shows it for longer than it opens
/// anything, so that what is typed when the session is over is kept for whoever typed it.
fn cookie_of(gateway: &Gateway, visit: &Visit, session: &str) -> String {
    let at = visit.at();
    let seconds = COOKIE_DAYS * 24 * 3600;
    let origin = gateway.config.console.public().map_or("", |(origin, _)| origin);
    let secure = if origin.starts_with("https://") { "; Secure" } else { "" };
    format!("{COOKIE}={session}; Path={at}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

/// Sends a new link in place of one that opens nothing any more. Whatever becomes of it, the same page answers.
pub(super) async fn new_link(
    State(gateway): State<Arc<Gateway>>,
    Came { visit, link }: Came,
) -> Result<Response, Unavailable> {
    if link.is_none() {
        let inner = Arc::clone(&gateway);
        let token = visit.token.clone();
        let again = gateway.db.write(move |tx: &mut Tx| {
            Box::pin(async move { link_again(tx, &inner, &token).await })
        });
        again.await?;
        gateway.nudges.letter.notify_one();
    }
    Ok(page::answer(StatusCode::OK, page::asked(&visit)))
}

async fn link_again(tx: &mut Tx, gateway: &Gateway, token: &str) -> Result<(), StoreError> {
    let now = gateway.clock.now();
    let Some(link) = links::of_token(tx, &hashed(token)).await? else { return Ok(()) };
    let items = items(tx, &gateway.policy(), &link, london_day(now)).await?;
    let open = items.into_iter().filter(|item| item.standing.is_waited_for());
    let requests: Vec<i64> = open.map(|item| item.request.id).collect();
    let day_ago = ago(now, SignedDuration::from_hours(24));
    if requests.is_empty() || !links::replace(tx, link.id, day_ago, now).await? {
        return Ok(());
    }
    let wanted = Wanted { recipient: link.recipient.clone(), requests };
    let made = gateway.sender.links(tx, vec![wanted], now).await?.pop().flatten();
    let Some(answer_url) = made else { return Ok(()) };
    let context = AnswerLink { answer_url, contact: gateway.contact(), council: gateway.council() };
    let once_key = format!("answer-link:{}:{}", link.id, now.as_millisecond());
    write(tx, gateway, (LetterId::AnswerLink, once_key), &link.recipient, &context).await
}

/// Where the code is typed.
fn asking(visit: &Visit, kept: &str, fault: Option<&str>) -> String {
    let at = escaped(&visit.at());
    let faults: Vec<_> =
        fault.iter().map(|words| ("code".to_owned(), (*words).to_owned())).collect();
    let (class, error, tied) = match fault {
        Some(words) => (
            "field wrong short",
            format!("<p class=\"error\" id=\"code-error\">Error: {}.</p>", escaped(words)),
            " aria-describedby=\"code-hint code-error\" aria-invalid=\"true\"",
        ),
        None => ("field short", String::new(), " aria-describedby=\"code-hint\""),
    };
    let body = format!(
        "<p><a href=\"{at}\">Back</a></p>{}<h1>Enter the code from our email</h1>{kept}\
         <p>The code goes to the mailbox that this link was sent to. It works for {CODE_MINUTES} minutes.</p>\
         <form method=\"post\" action=\"{at}/code/check\" novalidate>\
         <div class=\"{class}\"><label for=\"code\">Code</label><p class=\"hint\" id=\"code-hint\">6 digits</p>{error}\
         <input type=\"text\" id=\"code\" name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\"{tied}></div>\
         <button>Go on</button></form>\
         <h2>No code?</h2><p>It can take a minute. Look in the shared mailbox too, and among unwanted mail.</p>\
         <form method=\"post\" action=\"{at}/code\"><button>Send another code</button></form>{}",
        page::summary(&faults),
        page::questions(&visit.contact)
    );
    framed(&visit.council, "Enter the code", fault.is_some(), &body)
}

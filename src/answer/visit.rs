//! Who comes with which link, and what it opens today.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;

use super::show::gone;
use super::{Unavailable, place};
use crate::casework::answer::{Standing, last_day};
use crate::casework::vocabulary::ServiceId;
use crate::clock::london_day;
use crate::config::AnswerCode;
use crate::gateway::Gateway;
use crate::letters::{Contact, Council};
use crate::policy::Policy;
use crate::store::answers::{self, AnswerRow};
use crate::store::cases::{self, CaseRow};
use crate::store::drafts::{self, DraftFile, DraftRow};
use crate::store::links::{self, LinkRow};
use crate::store::requests::{self, RequestRow};
use crate::store::{StoreError, Tx};
use crate::token::hashed;

/// The cookie of a session.
pub(super) const COOKIE: &str = "postern_answer";

/// Characters of a link's token.
const TOKEN_CHARS: usize = 52;

/// What every page is made with.
pub(super) struct Visit {
    /// The token, as it stands in the path.
    pub(super) token: String,
    /// What stands before `/a/` in the public address's path.
    pub(super) base: String,
    pub(super) today: Date,
    pub(super) contact: Contact,
    pub(super) council: Council,
}

/// A link that opens something.
pub(super) struct Link {
    pub(super) row: LinkRow,
    /// The last day on which it does; none while a clock of it stands still.
    pub(super) until: Option<Date>,
    pub(super) items: Vec<Item>,
    /// The session in which its code was typed.
    pub(super) session: Option<i64>,
    /// Whether its code was typed in this browser, however long ago: who did may leave what they typed, and reads
    /// nothing once the session is over.
    pub(super) is_known: bool,
    /// Whether what the customer wrote may be shown.
    pub(super) is_revealed: bool,
}

/// One request that a link opens.
pub(super) struct Item {
    pub(super) place: i64,
    pub(super) request: RequestRow,
    pub(super) case: CaseRow,
    pub(super) standing: Standing,
    /// Plain name of the service.
    pub(super) service: String,
    /// By when its answer is due to us.
    pub(super) due_on: Option<Date>,
    /// Working days left until then; negative once late.
    pub(super) days_left: i32,
    /// What it answered so far.
    pub(super) answers: Vec<AnswerRow>,
    /// What this mailbox has typed and not sent.
    pub(super) draft: Option<DraftRow>,
    /// The files that it has chosen and not sent.
    pub(super) files: Vec<DraftFile>,
}

impl Visit {
    /// Where the link is, as a path.
    pub(super) fn at(&self) -> String {
        format!("{}/a/{}", self.base, self.token)
    }
}

impl Link {
    /// The request at a place of its list.
    pub(super) fn item(&self, place: &str) -> Option<&Item> {
        let place: i64 = place.parse().ok()?;
        self.items.iter().find(|item| item.place == place)
    }
}

/// One who came with a link that opens something. Whoever came with another is given one page, whatever was asked
/// for: the handler never runs.
pub(super) struct Opened {
    pub(super) visit: Visit,
    pub(super) link: Link,
}

impl FromRequestParts<Arc<Gateway>> for Opened {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, Self::Rejection> {
        let Came { visit, link } = Came::from_request_parts(parts, gateway).await?;
        match link {
            Some(link) => Ok(Self { visit, link }),
            None => Err(gone(&visit)),
        }
    }
}

/// One who came with a link, whether it opens something or not.
pub(super) struct Came {
    pub(super) visit: Visit,
    pub(super) link: Option<Link>,
}

impl FromRequestParts<Arc<Gateway>> for Came {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, Self::Rejection> {
        let params = RawPathParams::from_request_parts(parts, gateway).await;
        let params = params.map_err(IntoResponse::into_response)?;
        let token = params.iter().find(|(name, _)| *name == "token").map_or("", |(_, text)| text);
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let came = look(gateway, token, (peer, &parts.headers)).await;
        came.map_err(|fault| Unavailable::from(fault).into_response())
    }
}

/// Looks at a link, and changes nothing.
async fn look(
    gateway: &Arc<Gateway>,
    token: &str,
    from: (Option<IpAddr>, &HeaderMap),
) -> Result<Came, StoreError> {
    let today = london_day(gateway.clock.now());
    let is_whole = token.len() == TOKEN_CHARS
        && token.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
    // Whatever stood in the path, only what could be a token is repeated.
    let token = if is_whole { token.to_owned() } else { "none".to_owned() };
    let mut tx = gateway.db.snapshot().await?;
    let link = if is_whole { opened(&mut tx, gateway, &token, from, today).await? } else { None };
    let base = gateway.config.console.public().map_or("", |(_, path)| path).to_owned();
    let (contact, council) = (gateway.contact(), gateway.council());
    Ok(Came { visit: Visit { token, base, today, contact, council }, link })
}

async fn opened(
    tx: &mut Tx,
    gateway: &Gateway,
    token: &str,
    (peer, headers): (Option<IpAddr>, &HeaderMap),
    today: Date,
) -> Result<Option<Link>, StoreError> {
    let Some(row) = links::of_token(tx, &hashed(token)).await? else { return Ok(None) };
    if row.replaced_at.is_some() {
        return Ok(None);
    }
    let policy = gateway.policy();
    let items = items(tx, &policy, &row, today).await?;
    let Some(until) = until(&policy, &row, &items, today) else { return Ok(None) };
    let now = gateway.clock.now();
    let session = match cookie(headers) {
        Some(shown) => links::session(tx, row.id, &hashed(shown)).await?,
        None => None,
    };
    let is_known = session.is_some();
    let session = session.filter(|(_, until)| *until > now.as_millisecond()).map(|(id, _)| id);
    let console = &gateway.config.console;
    let is_revealed = session.is_some()
        || match console.answer_code {
            AnswerCode::Always => false,
            AnswerCode::Outside => {
                place::is_inside(&console.networks(), &console.proxies(), peer, headers)
            }
            AnswerCode::Never => true,
        };
    Ok(Some(Link { row, until: until.0, items, session, is_known, is_revealed }))
}

/// What a link opens, in the order of its list.
pub(super) async fn items(
    tx: &mut Tx,
    policy: &Policy,
    link: &LinkRow,
    today: Date,
) -> Result<Vec<Item>, StoreError> {
    let mut items = Vec::new();
    for (place, request) in links::requests_of(tx, link.id).await? {
        let Some(request) = requests::by_id(tx, request).await? else { continue };
        let Some(case) = cases::by_id(tx, request.case_id).await? else { continue };
        let answers = answers::of_request(tx, request.id).await?;
        let draft = drafts::of(tx, request.id, &link.recipient).await?;
        let files = match draft {
            Some(_) => drafts::files_of(tx, request.id, &link.recipient).await?,
            None => Vec::new(),
        };
        let theirs = (answers, draft, files);
        items.push(item(policy, &link.recipient, (place, request, case), theirs, today));
    }
    Ok(items)
}

fn item(
    policy: &Policy,
    recipient: &str,
    (place, request, case): (i64, RequestRow, CaseRow),
    (answers, draft, files): (Vec<AnswerRow>, Option<DraftRow>, Vec<DraftFile>),
    today: Date,
) -> Item {
    let services = policy.rules.services();
    let id = ServiceId(request.service.clone());
    let day = |text: &str| text.parse::<Date>().ok();
    let due_on = request.draft_due_on.as_deref().and_then(day).or_else(|| day(&request.due_on));
    let named = request.responder_address.as_deref();
    let whose = (&id, request.area.as_deref());
    let is_theirs = services.is_on_file(recipient, whose, named);
    let standing = match case.status.parse() {
        // Who is on file for the service no longer, opens nothing of it any more.
        Ok(status) if is_theirs => {
            let has_date = case.agreed_due_on.is_some();
            Standing::of(&request.state, status, has_date, due_on, today)
        }
        Ok(_) | Err(_) => Standing::Moved,
    };
    let days_left =
        due_on.and_then(|due| policy.calendar.working_days_between(today, due).ok()).unwrap_or(0);
    let service = services.in_area(whose.0, whose.1);
    let service = service.map_or_else(|| id.0.clone(), |one| one.name.clone());
    Item { place, request, case, standing, service, due_on, days_left, answers, draft, files }
}

/// Until when a link lasts: until the last day of whatever it opens; without end while a clock of it stands still.
/// None where it is over, or the calendar does not reach its day.
fn until(policy: &Policy, link: &LinkRow, items: &[Item], today: Date) -> Option<(Option<Date>,)> {
    if items.iter().any(|item| item.standing == Standing::Paused) {
        return Some((None,));
    }
    let made_on: Date = link.made_on.parse().ok()?;
    let last = |item: &Item| {
        let due_on: Date = item.request.due_on.parse().ok()?;
        last_day(made_on, due_on, &policy.calendar).ok()
    };
    let until = items.iter().filter_map(last).max()?;
    (today <= until).then_some((Some(until),))
}

/// The session that a browser shows.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|text| text.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| name.trim() == COOKIE).map(|(_, value)| value.trim())
}

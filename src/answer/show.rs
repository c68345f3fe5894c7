//! What a link shows: its list, one request, and behind the code what the customer wrote.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;

use super::check::named;
use super::form::Act;
use super::page::{self, escaped};
use super::visit::{Item, Link, Opened, Visit};
use super::{Unavailable, time};
use crate::casework::answer::{Given, Standing};
use crate::casework::case::{Case, Part, Point};
use crate::casework::reference::CaseReference;
use crate::casework::vocabulary::{CustomerType, Flag, RecordType, ServiceId};
use crate::casework::working::{in_words, short_words};
use crate::clock::london_day;
use crate::gateway::Gateway;
use crate::letters::stage_words;
use crate::letters::words::{due_words, list_words};
use crate::store::answers::AnswerRow;
use crate::store::{StoreError, Tx, cases, links, messages, moment, uploads};

/// What is shown of a case behind the code.
#[derive(Default)]
pub(super) struct Content {
    /// Who wrote, with what they are; no name where it is withheld.
    customer: String,
    /// The other services asked, each with its points.
    others: Vec<String>,
    /// What this service answers.
    part: Option<Part>,
    /// What the customer wrote, each with its day.
    messages: Vec<(Date, String)>,
    /// The names of the files of its answers, by answer.
    files: Vec<(i64, Option<String>)>,
}

pub(super) async fn start(
    State(gateway): State<Arc<Gateway>>,
    Opened { visit, link }: Opened,
) -> Result<Response, Unavailable> {
    match link.items.as_slice() {
        [only] => shown(&gateway, &visit, &link, only, String::new()).await,
        _ => Ok(page::answer(StatusCode::OK, list(&visit, &link))),
    }
}

pub(super) async fn one(
    State(gateway): State<Arc<Gateway>>,
    Path((_, place)): Path<(String, String)>,
    Query(asked): Query<HashMap<String, String>>,
    Opened { visit, link }: Opened,
) -> Result<Response, Unavailable> {
    match link.item(&place) {
        Some(item) => {
            let copies = gateway.config.answers.copy_by_email;
            shown(&gateway, &visit, &link, item, done(&asked, item, copies)).await
        }
        None => Ok(gone(&visit)),
    }
}

/// What was just done, as the page begins with it.
fn done(asked: &HashMap<String, String>, item: &Item, copies: bool) -> String {
    let sent = asked.get("sent").and_then(|act| Act::named(act));
    let (heading, words) = match (sent, asked.get("saved").map(String::as_str)) {
        (Some(act), _) => ("Sent", act.thanks()),
        (None, Some("without-files")) => (
            "Saved, without the files",
            "What you typed is kept, and we do not see it until you send it. Attach your files when you do. Come back \
             by the same link, with a new code.",
        ),
        (None, Some(_)) => (
            "Saved, but not sent",
            "What you typed is kept, and we do not see it until you send it. Come back by the same link, with a new \
             code. Your day stays.",
        ),
        (None, None) => return String::new(),
    };
    let more = if sent == Some(Act::Answer) {
        let copy = if copies { " A copy is on its way to the mailbox of this link." } else { "" };
        format!("<p>Reference {}.{copy}</p>", escaped(&item.case.reference))
    } else {
        String::new()
    };
    format!("<div class=\"sent\" role=\"status\"><h2>{heading}</h2><p>{words}</p>{more}</div>")
}

/// The page of every link that opens nothing, and of every path that there is not.
pub(super) fn gone(visit: &Visit) -> Response {
    page::answer(StatusCode::NOT_FOUND, page::gone(visit))
}

async fn shown(
    gateway: &Arc<Gateway>,
    visit: &Visit,
    link: &Link,
    item: &Item,
    done: String,
) -> Result<Response, Unavailable> {
    let content = content(gateway, link, item).await?;
    let wish = time::wished(gateway, item).await?;
    let wish = wish.map_or_else(String::new, |wish| time::told(&wish, item, content.is_some()));
    let html = request(visit, link, item, (content.as_ref(), &done, &wish));
    Ok(page::answer(StatusCode::OK, html))
}

/// What may be shown of a case; none before the code. That it was shown is recorded.
pub(super) async fn content(
    gateway: &Arc<Gateway>,
    link: &Link,
    item: &Item,
) -> Result<Option<Content>, StoreError> {
    let shows = item.standing.is_waited_for() || item.standing == Standing::Answered;
    if !link.is_revealed || !shows {
        return Ok(None);
    }
    let content = read(gateway, item).await?;
    let (link, session) = (link.row.id, link.session);
    let (request, now) = (item.request.id, gateway.clock.now());
    let viewed = gateway.db.write(move |tx: &mut Tx| {
        Box::pin(async move {
            match session {
                Some(session) => links::viewed(tx, session, request, now).await,
                None => links::viewed_openly(tx, (link, request), london_day(now), now).await,
            }
        })
    });
    viewed.await?;
    Ok(Some(content))
}

/// The points that a request's answer has; none where something is added to one.
pub(super) async fn points(gateway: &Gateway, item: &Item) -> Result<Vec<Point>, StoreError> {
    if item.standing == Standing::Answered {
        return Ok(Vec::new());
    }
    let case = replayed(gateway, item).await?;
    let own = ServiceId(item.request.service.clone());
    Ok(case.map(|case| case.part(&own).points).unwrap_or_default())
}

async fn replayed(gateway: &Gateway, item: &Item) -> Result<Option<Case>, StoreError> {
    let events = {
        let mut tx = gateway.db.snapshot().await?;
        cases::events(&mut tx, item.case.id).await?
    };
    let reference = item.case.reference.parse::<CaseReference>();
    Ok(reference.ok().and_then(|one| Case::replay(one, &events).ok()))
}

async fn read(gateway: &Gateway, item: &Item) -> Result<Content, StoreError> {
    let case = &item.case;
    let replayed = replayed(gateway, item).await?;
    let policy = gateway.policy();
    let own = ServiceId(item.request.service.clone());
    let others = replayed.iter().flat_map(|case| case.services.iter().map(|id| case.part(id)));
    let others = others.filter(|part| part.service != own).map(|part| {
        let service = policy.rules.services().get(&part.service);
        let name = service.map_or_else(|| part.service.0.clone(), |one| one.name.clone());
        let points: Vec<&str> = part.points.iter().map(|point| point.label()).collect();
        if points.is_empty() {
            name
        } else {
            format!("{name}, for {}", points.join("; ").to_lowercase())
        }
    });
    let others = others.collect();
    let mut messages = Vec::new();
    for row in messages::of_case(&gateway.db, case.id).await? {
        // Nothing that another service or the Ombudsman wrote.
        let is_theirs = row.id == case.opened_by
            || (row.sender.is_some() && row.sender == case.customer_address);
        if !is_theirs {
            continue;
        }
        if let Some(email) = messages::email(&gateway.db, row.id).await? {
            messages.push((london_day(moment(row.received_at)), email.reply_text.0));
        }
    }
    let part = replayed.as_ref().map(|case| case.part(&own));
    let files = {
        let mut tx = gateway.db.snapshot().await?;
        uploads::names_of_request(&mut tx, item.request.id).await?
    };
    Ok(Content { customer: customer(item), others, part, messages, files })
}

fn customer(item: &Item) -> String {
    let flags: Vec<Flag> = serde_json::from_str(&item.case.flags).unwrap_or_default();
    let kind = item.case.customer_type.parse::<CustomerType>();
    let kind = kind.map_or_else(|_| String::new(), |kind| kind.label().to_lowercase());
    let name = item.case.customer_name.as_deref().filter(|_| !flags.contains(&Flag::Anonymous));
    let name = name.unwrap_or("Name withheld or not given");
    if kind.is_empty() { name.to_owned() } else { format!("{name}, {kind}") }
}

/// What a case is, as the page names it: `Corporate complaint, step 1`.
pub(super) fn type_words(item: &Item) -> String {
    let Ok(record_type) = item.case.record_type.parse::<RecordType>() else {
        return item.case.record_type.clone();
    };
    let stage = u8::try_from(item.case.stage).unwrap_or(1);
    match stage_words(record_type, stage) {
        Some(stage) => format!("{}, {stage}", record_type.label()),
        None => record_type.label().to_owned(),
    }
}

fn list(visit: &Visit, link: &Link) -> String {
    let waited = link.items.iter().filter(|item| item.standing.is_waited_for()).count();
    let mut body = format!("<h1>Your answers: {waited} waited for</h1>");
    if waited > 0 {
        body.push_str("<p class=\"lead\">Most urgent first. Days are working days.</p>");
    }
    body.push_str("<ul class=\"choices\">");
    for item in &link.items {
        let how = match (item.standing, item.due_on) {
            (Standing::Open | Standing::Late, Some(due)) => {
                let words = list_words(visit.today, due, item.days_left);
                format!("{}: {words}", short_words(due))
            }
            (standing, _) => state_words(standing).to_owned(),
        };
        let late = if item.standing == Standing::Late { " class=\"late\"" } else { "" };
        let _ = write!(
            body,
            "<li><a href=\"{}/{}\">{}</a><p{late}>{}</p><p class=\"quiet\">{}. For {}.</p></li>",
            escaped(&visit.at()),
            item.place,
            escaped(&item.case.reference),
            escaped(&how),
            escaped(&type_words(item)),
            escaped(&item.service)
        );
    }
    body.push_str("</ul>");
    body.push_str(&page::questions(&visit.contact));
    body.push_str(&foot(link));
    page::framed(&visit.council, "Your answers", false, &body)
}

fn state_words(standing: Standing) -> &'static str {
    match standing {
        Standing::Open | Standing::Late => "waited for",
        Standing::Paused => "the clock stands still: no day now",
        Standing::Answered => "answered",
        Standing::Moved => "no longer with you",
        Standing::Done => "the customer has been answered",
        Standing::Closed => "closed",
    }
}

/// One request: what it is, how it stands, and what can be done.
fn request(
    visit: &Visit,
    link: &Link,
    item: &Item,
    (content, done, wish): (Option<&Content>, &str, &str),
) -> String {
    let heading = heading(item);
    let mut body = done.to_owned();
    let _ = write!(
        body,
        "<p class=\"caption\">{}, for {}</p><h1>{}</h1>",
        escaped(&item.case.reference),
        escaped(&item.service),
        escaped(&heading)
    );
    body.push_str(&how_it_stands(visit, item));
    body.push_str(wish);
    if let Some(content) = content {
        body.push_str(&revealed(item, content));
    } else if item.standing.is_waited_for() || item.standing == Standing::Answered {
        body.push_str(&locked(visit, item));
    }
    body.push_str(&choices(visit, item, content.is_some()));
    body.push_str(&page::questions(&visit.contact));
    body.push_str(&foot(link));
    let title = format!("{heading}: {}", item.case.reference);
    page::framed(&visit.council, &title, false, &body)
}

fn heading(item: &Item) -> String {
    match (item.standing, item.due_on) {
        (Standing::Open, Some(due)) => format!("Answer by {}", in_words(due)),
        (Standing::Open | Standing::Late, _) => "Your answer is late".to_owned(),
        (Standing::Paused, _) => "There is no day for your answer now".to_owned(),
        (Standing::Answered, _) => "You have answered".to_owned(),
        (Standing::Moved, _) => "This is no longer with you".to_owned(),
        (Standing::Done, _) => "The customer has been answered".to_owned(),
        (Standing::Closed, _) => "This case is closed".to_owned(),
    }
}

fn how_it_stands(visit: &Visit, item: &Item) -> String {
    let customers = item.case.agreed_due_on.as_deref().and_then(|day| day.parse::<Date>().ok());
    let ours = customers.map_or_else(String::new, |day| {
        format!(" We check your answer and send ours to the customer by {}.", in_words(day))
    });
    let what = escaped(&type_words(item));
    match (item.standing, item.due_on) {
        (Standing::Open, Some(due)) => {
            let left = due_words(visit.today, due, item.days_left);
            format!("<p class=\"lead\">{what}. It is {left}.{ours}</p>{}", accepted(item))
        }
        (Standing::Late, Some(due)) => {
            let late = due_words(visit.today, due, item.days_left);
            format!(
                "<p class=\"lead\">{what}. It was due on {}: {late}. Please send what you have.</p>{}",
                in_words(due),
                accepted(item)
            )
        }
        (Standing::Open | Standing::Late, None) => format!("<p class=\"lead\">{what}.</p>"),
        (Standing::Paused, _) => format!(
            "<p class=\"lead\">{what}. The clock of this case stands still. We tell you the new day when it goes on. \
             You can answer before that.</p>{}",
            accepted(item)
        ),
        (Standing::Answered, _) => answered(item, &what),
        (Standing::Moved, _) => format!(
            "<p class=\"lead\">{what}. Nothing more is asked of you, and nobody reminds you of it.</p>"
        ),
        (Standing::Done | Standing::Closed, _) => {
            format!("<p class=\"lead\">{what}. Nothing more is needed.</p>")
        }
    }
}

fn accepted(item: &Item) -> String {
    let back = item.answers.last().filter(|answer| answer.state == "sent_back");
    if let Some(on) = back.and_then(|answer| answer.decided_at) {
        return format!(
            "<p class=\"inset\">You answered, and we asked you for more on {}.</p>",
            in_words(london_day(moment(on)))
        );
    }
    if item.request.state == "accepted" {
        return "<p class=\"inset\">You have accepted it. We wait for your answer.</p>".to_owned();
    }
    String::new()
}

/// What was answered already: by whom and when; what it says comes behind the code.
fn answered(item: &Item, what: &str) -> String {
    let last = item.answers.last();
    let on = last.map(|answer| answer.given_at).or(item.request.answered_at);
    let on = on.map_or_else(String::new, |at| format!(" on {}", in_words(london_day(moment(at)))));
    let by = last.and_then(|answer| answer.by_name.as_deref());
    let by = by.map_or_else(|| "Your service".to_owned(), escaped);
    let state = match last.map(|answer| answer.state.as_str()) {
        Some("waiting") => "We are checking it.",
        Some("confirmed") => "We have what we need.",
        _ => "Nobody reminds you of it any more.",
    };
    format!("<p class=\"lead\">{what}. {by} answered{on}. {state}</p>")
}

/// That more is behind the code.
fn locked(visit: &Visit, item: &Item) -> String {
    let words = if item.standing == Standing::Answered {
        "What you answered, and what the customer wrote,"
    } else {
        "What the customer wrote, your points, and the form for your answer"
    };
    format!(
        "<h2>Read it and answer it</h2>\
         <p>{words} are behind a code. We send it to the mailbox that this link was sent to.</p>\
         <form method=\"post\" action=\"{}/code\"><button>Send the code</button></form>",
        escaped(&visit.at())
    )
}

fn revealed(item: &Item, content: &Content) -> String {
    let mut html = String::from("<dl>");
    let mut row = |name: &str, value: &str| {
        let _ = write!(html, "<div><dt>{name}</dt><dd>{}</dd></div>", escaped(value));
    };
    row("Customer", &content.customer);
    let flags: Vec<Flag> = serde_json::from_str(&item.case.flags).unwrap_or_default();
    if flags.contains(&Flag::AdjustmentNeeded) {
        row("Adjustment", "They asked for one: see what they wrote");
    }
    if !content.others.is_empty() {
        row("Also asked", &content.others.join(". "));
    }
    html.push_str("</dl>");
    let last = item.answers.last();
    if let Some(note) =
        last.and_then(|one| one.note.as_deref()).filter(|_| item.standing.is_waited_for())
    {
        let _ = write!(
            html,
            "<h2>What your answer still needs</h2><blockquote>{}</blockquote>",
            escaped(note)
        );
    }
    let points = content.part.as_ref().map(|part| part.points.as_slice()).unwrap_or_default();
    if !points.is_empty() {
        html.push_str("<h2>Points for you to answer</h2><ol>");
        for point in points {
            let _ = write!(html, "<li>{}</li>", escaped(point.label()));
        }
        html.push_str("</ol>");
    }
    html.push_str("<h2>What the customer wrote</h2>");
    if content.messages.is_empty() {
        html.push_str("<p>Nothing in writing. Ask us.</p>");
    }
    for (day, text) in &content.messages {
        let _ = write!(
            html,
            "<details><summary>Read the message of {}</summary><blockquote>{}</blockquote></details>",
            in_words(*day),
            escaped(text.trim())
        );
    }
    html.push_str(&given(&item.answers, &content.files));
    html
}

/// What a service answered so far.
fn given(answers: &[AnswerRow], files: &[(i64, Option<String>)]) -> String {
    if answers.is_empty() {
        return String::new();
    }
    let mut html = String::from("<h2>What you answered</h2>");
    for row in answers {
        let _ = write!(html, "<h3>{}</h3>", in_words(london_day(moment(row.given_at))));
        let files = files.iter().filter(|(answer, _)| *answer == row.id);
        let names: Vec<&str> = files.map(|(_, name)| named(name.as_deref())).collect();
        html.push_str(&told(&row.given(), &names));
    }
    html
}

/// An answer, as it is sent and read: its points, what happened, what will be put right, and its files by their names.
pub(super) fn told(given: &Given, files: &[&str]) -> String {
    let mut html = String::new();
    for one in &given.points {
        let label = escaped(one.point.label());
        let finding = super::fields::finding_words(one.finding).to_lowercase();
        let why = escaped(&one.why);
        let _ = write!(html, "<p>{label}: {finding}</p><blockquote>{why}</blockquote>");
    }
    if !given.what.trim().is_empty() {
        let _ = write!(html, "<blockquote>{}</blockquote>", escaped(&given.what));
    }
    if let Some(remedy) = &given.remedy {
        let by = remedy.by.map_or_else(String::new, |day| format!(" by {}", in_words(day)));
        let whom =
            remedy.by_whom.as_ref().map_or_else(String::new, |name| format!(", {}", escaped(name)));
        let what = escaped(&remedy.what);
        let _ = write!(html, "<p>To put right{by}{whom}:</p><blockquote>{what}</blockquote>");
    }
    for name in files {
        let _ = write!(html, "<p>Attached: {}</p>", escaped(name));
    }
    html
}

fn choices(visit: &Visit, item: &Item, is_revealed: bool) -> String {
    let acts: &[Act] = match (item.standing, is_revealed) {
        (Standing::Open | Standing::Late | Standing::Paused, true) => &Act::ALL,
        (Standing::Open | Standing::Late | Standing::Paused, false) => Act::WITHOUT_CODE,
        (Standing::Answered, true) => &[Act::Answer],
        _ => &[],
    };
    // Who has accepted it does so no second time.
    let acts = acts.iter().filter(|act| **act != Act::Accept || item.request.state == "asked");
    let mut items = String::new();
    for act in acts {
        let (name, about) = match (act, item.standing) {
            (Act::Answer, _) if item.draft.is_some() => {
                ("Go on with your answer", "You have saved what you typed, and have not sent it.")
            }
            (Act::Answer, Standing::Answered) => {
                ("Add to your answer", "We read it with what you sent.")
            }
            _ => act.words(),
        };
        let _ = write!(
            items,
            "<li><a href=\"{}/{}/{}\">{name}</a><p>{about}</p></li>",
            escaped(&visit.at()),
            item.place,
            act.id()
        );
    }
    if items.is_empty() {
        return String::new();
    }
    let heading =
        if is_revealed { "What do you want to do?" } else { "What you can say without it" };
    format!("<h2>{heading}</h2><ul class=\"choices\">{items}</ul>")
}

fn foot(link: &Link) -> String {
    let whose = if link.is_revealed {
        format!("This page was made for {}", escaped(&link.row.recipient))
    } else {
        "This page was made for one mailbox".to_owned()
    };
    let until =
        link.until.map_or_else(String::new, |day| format!(" and works until {}", short_words(day)));
    format!(
        "<p class=\"quiet\">{whose}{until}. Who reads what a customer wrote is recorded. Do not send \
         the link outside the council.</p>"
    )
}

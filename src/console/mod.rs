//! The status page: counts, health and metrics, on this machine. It holds no personal data, so it
//! asks for no sign-in; the officers' pages come with one.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::net::{TcpListener, ToSocketAddrs};

use crate::clock::london;
use crate::gateway::Gateway;
use crate::store::{StoreError, cases, letters, mailboxes, messages, moment, tasks};

/// Takes the page's address.
///
/// # Errors
/// When another program has it, with what to change.
pub async fn listen(address: impl ToSocketAddrs) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        anyhow::anyhow!(
            "the status page has no port ({error}); choose another with --port or console.listen"
        )
    })
}

/// Serves the page until told to stop.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    gateway: Arc<Gateway>,
    listener: TcpListener,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    // The answer page asks for its code by where somebody sits.
    let served = router(gateway).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, served).with_graceful_shutdown(stopped).await
}

/// Every path, in one place.
fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/", get(status))
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .merge(crate::api::router())
        .merge(crate::answer::router(&gateway))
        .layer(axum::middleware::map_response(guarded))
        .with_state(gateway)
}

/// Nothing may be loaded from elsewhere, framed or kept.
async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    // The answer page has a policy of its own, which lets its forms be sent.
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert_with(|| HeaderValue::from_static(policy));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What the pages are made of.
struct Numbers {
    messages: Vec<(String, String, i64)>,
    letters: Vec<(String, String, i64)>,
    mailboxes: Vec<mailboxes::MailboxRow>,
    open: usize,
    overdue: usize,
    tasks: usize,
}

async fn numbers(gateway: &Gateway) -> Result<Numbers, StoreError> {
    let db = &gateway.db;
    let today = crate::clock::london_day(gateway.clock.now()).to_string();
    let rows = cases::list(db, false).await?;
    let late = |row: &&cases::CaseRow| row.agreed_due_on.as_ref().is_some_and(|due| *due < today);
    Ok(Numbers {
        messages: messages::counts(db).await?,
        letters: letters::counts(db).await?,
        mailboxes: mailboxes::all(db).await?,
        open: rows.len(),
        overdue: rows.iter().filter(late).count(),
        tasks: tasks::open(db).await?.len(),
    })
}

/// A page that could not be made says so and nothing else; the cause is in the log.
fn unavailable(fault: &StoreError) -> Response {
    tracing::error!(%fault, "the status page could not be made");
    (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n").into_response()
}

async fn status(State(gateway): State<Arc<Gateway>>) -> Response {
    match numbers(&gateway).await {
        Ok(numbers) => Html(page(&gateway.config.council.name, &numbers)).into_response(),
        Err(fault) => unavailable(&fault),
    }
}

fn page(council: &str, numbers: &Numbers) -> String {
    let council = escaped(council);
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>State of the gateway – Postern – {council}</title>\
         <style>body{{font:16px/1.5 Arial,sans-serif;max-width:44em;margin:2em auto;padding:0 1em}}\
         table{{border-collapse:collapse;width:100%;margin-bottom:2em}}\
         caption{{text-align:left;font-weight:bold;font-size:1.2em}}\
         th,td{{text-align:left;padding:.3em .6em;border-bottom:1px solid #b1b4b6}}\
         th{{font-weight:normal}}td{{text-align:right}}</style></head><body><main>\
         <h1>State of the gateway</h1>\
         <p>{council}. {} open cases, {} overdue. {} tasks for officers.</p>",
        numbers.open, numbers.overdue, numbers.tasks
    );
    table(&mut html, "Mailboxes", &mailbox_rows(&numbers.mailboxes));
    table(&mut html, "Messages", &count_rows(&numbers.messages));
    table(&mut html, "Letters", &count_rows(&numbers.letters));
    html.push_str("</main></body></html>\n");
    html
}

fn mailbox_rows(mailboxes: &[mailboxes::MailboxRow]) -> Vec<(String, String)> {
    let row = |mailbox: &mailboxes::MailboxRow| {
        let seen = mailbox.looked_at.map(|at| {
            moment(at).to_zoned(london()).strftime("last looked at %-d %B, %-I:%M%P").to_string()
        });
        let state = mailbox.trouble.clone().or(seen);
        (mailbox.name.clone(), state.unwrap_or_else(|| "not looked at yet".to_owned()))
    };
    mailboxes.iter().map(row).collect()
}

fn count_rows(counts: &[(String, String, i64)]) -> Vec<(String, String)> {
    counts
        .iter()
        .map(|(one, two, count)| {
            (format!("{one} {two}").replace(['_', '-'], " "), count.to_string())
        })
        .collect()
}

// Writing to a String cannot fail.
fn table(html: &mut String, caption: &str, rows: &[(String, String)]) {
    let _ = write!(html, "<table><caption>{caption}</caption><tbody>");
    for (name, value) in rows {
        let (name, value) = (escaped(name), escaped(value));
        let _ = write!(html, "<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>");
    }
    html.push_str("</tbody></table>");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

async fn health(State(gateway): State<Arc<Gateway>>) -> Response {
    match mailboxes::all(&gateway.db).await {
        Ok(mailboxes) if mailboxes.iter().all(|mailbox| mailbox.trouble.is_none()) => {
            "ok\n".into_response()
        }
        Ok(_) => (StatusCode::SERVICE_UNAVAILABLE, "a mailbox cannot be read\n").into_response(),
        Err(fault) => unavailable(&fault),
    }
}

async fn metrics(State(gateway): State<Arc<Gateway>>) -> Response {
    match numbers(&gateway).await {
        Ok(numbers) => {
            let kind = "text/plain; version=0.0.4";
            ([(header::CONTENT_TYPE, kind)], metrics_text(&numbers)).into_response()
        }
        Err(fault) => unavailable(&fault),
    }
}

fn metrics_text(numbers: &Numbers) -> String {
    let mut text = String::from("# TYPE postern_messages gauge\n");
    for (state, action, count) in &numbers.messages {
        let _ = writeln!(text, "postern_messages{{state=\"{state}\",action=\"{action}\"}} {count}");
    }
    text.push_str("# TYPE postern_letters gauge\n");
    for (purpose, state, count) in &numbers.letters {
        let _ =
            writeln!(text, "postern_letters{{purpose=\"{purpose}\",state=\"{state}\"}} {count}");
    }
    for (name, count) in [
        ("cases_open", numbers.open),
        ("cases_overdue", numbers.overdue),
        ("tasks_open", numbers.tasks),
    ] {
        let _ = writeln!(text, "# TYPE postern_{name} gauge\npostern_{name} {count}");
    }
    text
}

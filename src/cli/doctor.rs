//! `postern doctor`: `check`, then a real connection to everything. A line each, with the remedy.

use std::path::Path;

use super::{Failure, Out};
use crate::casework::case::OfficerId;
use crate::config::{Clamd, Config, Mailbox, MailboxKind};
use crate::gateway;
use crate::intake::fetch::imap_account;
use crate::mailbox::{Maildir, Session};
use crate::outbox::{SmtpAccount, SmtpPool};
use crate::policy::Policy;
use crate::scan::clamd::{self, Patience};
use crate::store::{self, Db, allocations};

/// One thing tried: what it is, and how it went with the remedy.
struct Finding {
    what: String,
    result: Result<String, (String, String)>,
}

pub(super) async fn run(file: &Path, out: &mut Out) -> Result<(), Failure> {
    let (config, policy) = super::check::checked(file, out)?;
    out.line("pass  settings, rules, templates, calendar")?;
    let mut findings = vec![store(&config).await];
    findings.extend(owners(&config, &policy).await);
    for mailbox in &config.mailboxes {
        findings.push(self::mailbox(mailbox).await);
    }
    findings.push(outgoing(&config).await);
    if let Some(clamd) = config.scan.scanner() {
        findings.push(scanner(&clamd).await);
    }
    let mut failed = false;
    for missing in config.missing_to_serve(&file.display().to_string()) {
        failed = true;
        out.line(&format!("fail  {}: {}", missing.what, missing.cure))?;
    }
    for finding in findings {
        match finding.result {
            Ok(words) => out.line(&format!("pass  {}: {words}", finding.what))?,
            Err((why, cure)) => {
                failed = true;
                out.line(&format!("fail  {}: {why}; {cure}", finding.what))?;
            }
        }
    }
    out.flush()?;
    if failed { Err(Failure::Said) } else { Ok(()) }
}

async fn store(config: &Config) -> Finding {
    let result = async {
        let db = Db::open(&config.store.url).await?;
        let instance = store::instance_id(&db).await?;
        db.close().await;
        Ok::<_, store::StoreError>(instance)
    };
    let result = match result.await {
        Ok(instance) => Ok(format!("open and up to date (installation {})", short(&instance))),
        Err(fault) => Err((
            explained(&fault),
            "check store.url, that the server runs, and that this user may write there".to_owned(),
        )),
    };
    Finding { what: "store".to_owned(), result }
}

/// Whether everybody who has open cases is of the team still. Nothing where no case has an officer.
async fn owners(config: &Config, policy: &Policy) -> Option<Finding> {
    // A store that cannot be opened has been told of.
    let db = Db::open(&config.store.url).await.ok()?;
    let owners = allocations::owners(&db).await;
    db.close().await;
    let owners = owners.ok().filter(|owners| !owners.is_empty())?;
    let is_gone = |owner: &str| policy.officers.get(&OfficerId(owner.to_owned())).is_none();
    let gone: Vec<&(String, i64)> = owners.iter().filter(|(owner, _)| is_gone(owner)).collect();
    let result = match gone.as_slice() {
        [] => Ok(format!("{} of officers.toml have open cases", owners.len())),
        gone => {
            let named: Vec<String> =
                gone.iter().map(|(owner, cases)| format!("{owner} ({cases})")).collect();
            let why = format!("no longer in officers.toml, with open cases: {}", named.join(", "));
            let cure = "give the cases to others with `postern case rebalance --from OFFICER`";
            Err((why, cure.to_owned()))
        }
    };
    Some(Finding { what: "officers".to_owned(), result })
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

fn explained(fault: &dyn std::error::Error) -> String {
    match fault.source() {
        Some(cause) => format!("{fault} ({cause})"),
        None => fault.to_string(),
    }
}

async fn mailbox(mailbox: &Mailbox) -> Finding {
    let what = format!("mailbox {}", mailbox.name);
    let result = match mailbox.kind {
        MailboxKind::Maildir => maildir(mailbox),
        MailboxKind::Imap => imap(mailbox).await,
    };
    Finding { what, result }
}

fn maildir(mailbox: &Mailbox) -> Result<String, (String, String)> {
    let path = mailbox.path.clone().unwrap_or_default();
    let listed = Maildir::open(path).and_then(|maildir| maildir.list());
    match listed {
        Ok(entries) => Ok(format!("{} messages wait", entries.len())),
        Err(fault) => Err((explained(&fault), "name a folder with cur, new and tmp".to_owned())),
    }
}

async fn imap(mailbox: &Mailbox) -> Result<String, (String, String)> {
    let account = imap_account(mailbox).map_err(|fault| {
        (explained(&fault), "check password_file and its permissions".to_owned())
    })?;
    let session = Session::open(&account)
        .await
        .map_err(|fault| (explained(&fault), fault.cure().to_owned()))?;
    let selected = session.selected().clone();
    session.close().await;
    if selected.read_only {
        return Err((
            "the folder is read-only".to_owned(),
            "give the account the right to write, so that messages can be moved when done"
                .to_owned(),
        ));
    }
    let aside = if selected.may_move {
        format!("done messages move to {}", mailbox.processed)
    } else if selected.may_keyword {
        "no MOVE: done messages are marked".to_owned()
    } else {
        "neither MOVE nor keywords: done messages stay where they are".to_owned()
    };
    let wait = if selected.idle { "IDLE" } else { "polling" };
    Ok(format!(
        "{} messages, UIDVALIDITY {}, {wait}, {aside}",
        selected.exists, selected.uid_validity
    ))
}

async fn outgoing(config: &Config) -> Finding {
    let what = "outgoing mail".to_owned();
    if let Some(folder) = &config.outgoing {
        let result = std::fs::create_dir_all(&folder.folder)
            .map(|()| format!("files in {}", folder.folder.display()))
            .map_err(|error| (error.to_string(), "make the folder writable".to_owned()));
        return Finding { what, result };
    }
    let Some(smtp) = &config.smtp else {
        let result = Err((
            "nothing says where mail leaves".to_owned(),
            "add [smtp] with host and from".to_owned(),
        ));
        return Finding { what, result };
    };
    let result = match gateway::smtp_account(smtp, &gateway::our_address(config)) {
        Ok(account) => probe(account).await,
        Err(fault) => {
            Err((explained(&fault), "check password_file and its permissions".to_owned()))
        }
    };
    Finding { what, result }
}

/// Connects and logs in; sends nothing.
async fn probe(account: SmtpAccount) -> Result<String, (String, String)> {
    let cure = || "check smtp.host, port, security, user and password_file".to_owned();
    let pool = SmtpPool::new(account).map_err(|fault| (explained(&fault), cure()))?;
    match pool.probe().await {
        Ok(()) => Ok("connected and logged in; no letter was sent".to_owned()),
        Err(delivery) => Err((delivery.reply().to_string(), cure())),
    }
}

/// Whether the virus scanner answers.
async fn scanner(clamd: &Clamd) -> Finding {
    let result = match clamd::ping(clamd, Patience::default()).await {
        Ok(()) => Ok("clamd answers".to_owned()),
        Err(why) => Err((
            why,
            "check scan.clamd, that clamd runs, and that this user may use its socket".to_owned(),
        )),
    };
    Finding { what: "virus scanner".to_owned(), result }
}

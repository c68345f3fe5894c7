//! `postern inspect`: what the gateway understands of messages. Nothing is stored or sent.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::arguments::Inspect;
use super::{Failure, Out};
use crate::casework::vocabulary::ServiceId;
use crate::config::Config;
use crate::decide::{History, Standing, acknowledge};
use crate::email::{Email, Reader, SenderProof};
use crate::gateway;
use crate::mailfiles::{MailFile, messages_in};
use crate::policy::Policy;
use crate::rules::Classification;

/// What is needed to understand a message without a store.
pub(super) struct Understanding {
    reader: Reader,
    pub(super) policy: Policy,
    standing: Standing,
}

/// One message, understood.
pub(super) struct Understood {
    pub(super) email: Email,
    pub(super) classification: Classification,
}

impl Understanding {
    /// With the configuration's rules and addresses, or the shipped ones without it.
    pub(super) fn prepare(file: Option<&Path>) -> Result<Self, Failure> {
        let config = match file {
            Some(file) => Some(super::configured(file)?.0),
            None => None,
        };
        let (policy, limits) = if let Some(config) = &config {
            let address = gateway::our_address(config);
            (Policy::load(config), gateway::limits(config, &address))
        } else {
            let config = Config::default();
            (Policy::shipped(), gateway::limits(&config, "complaints@northmere.example"))
        };
        let policy = policy.map_err(Failure::Faults)?;
        let standing = Standing { own_addresses: limits.own_addresses.clone(), cut_over: None };
        Ok(Self { reader: Reader::start(limits, 2), policy, standing })
    }

    pub(super) async fn understand(&self, bytes: Vec<u8>) -> Understood {
        let mut email = self.reader.read(Arc::new(bytes)).await;
        self.policy.rules.fill_in(&mut email);
        let known = self.policy.rules.services().known_of(&email);
        let classification = self.policy.rules.classify(&email, &known);
        Understood { email, classification }
    }

    /// Whether it would be acknowledged, and why.
    fn would_acknowledge(&self, understood: &Understood) -> (bool, String) {
        let email = &understood.email;
        let now = jiff::Timestamp::UNIX_EPOCH;
        let history = History::default();
        let action =
            crate::decide::decide(email, &understood.classification, &history, &self.standing, now)
                .action;
        let answer = acknowledge(email, &action, &history, &self.standing, now);
        (answer.send, answer.reason)
    }
}

pub(super) async fn run(
    asked: Inspect,
    config: Option<&Path>,
    out: &mut Out,
) -> Result<(), Failure> {
    let understanding = Understanding::prepare(config)?;
    let mut unreadable = 0;
    for path in &asked.paths {
        for file in messages_in(path) {
            match file {
                Ok(file) => one(&understanding, file, asked.json, out).await?,
                Err(fault) => {
                    unreadable += 1;
                    out.note(&format!("postern: {fault}: {}", fault.source));
                }
            }
        }
    }
    out.flush()?;
    if unreadable > 0 { Err(Failure::Said) } else { Ok(()) }
}

async fn one(
    understanding: &Understanding,
    file: MailFile,
    as_json: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    let sha256 = crate::email::hexadecimal(&Sha256::digest(&file.bytes));
    let understood = understanding.understand(file.bytes).await;
    let (would, reason) = understanding.would_acknowledge(&understood);
    if as_json {
        return Ok(out.json(&object(&file.name, &sha256, &understood, would, &reason))?);
    }
    for line in words(&file.name, &understood, would, &reason) {
        out.line(&line)?;
    }
    Ok(())
}

/// The object of the contract: every field, in its order, null or empty where it does not apply.
fn object(
    file: &str,
    sha256: &str,
    understood: &Understood,
    would_acknowledge: bool,
    acknowledge_reason: &str,
) -> Value {
    let email = &understood.email;
    let from = email.from.as_ref();
    let classification = &understood.classification;
    json!({
        "file": file,
        "sha256": sha256,
        "kind": email.kind,
        "kind_evidence": email.kind_evidence,
        "from": from.map(|from| &from.address),
        "from_name": from.and_then(|from| from.name.as_ref()),
        "to": email.to,
        "subject": email.subject,
        "date": email.date,
        "message_id": email.message_id,
        "in_reply_to": email.in_reply_to,
        "references": email.references,
        "case_references": email.case_references,
        "text": email.text,
        "reply_text": email.reply_text,
        "attachments": email.attachments,
        "forwarded": email.forwarded,
        "bounce": email.bounce,
        "would_acknowledge": would_acknowledge,
        "acknowledge_reason": acknowledge_reason,
        "classification": {
            "record_type": classification.record_type,
            "services": classification.services,
            "customer_type": classification.customer_type,
            "themes": classification.themes,
            "flags": classification.flags,
            "confidence": (classification.confidence * 1000.0).round() / 1000.0,
            "needs_officer": classification.needs_officer,
            "evidence": classification.evidence,
        },
        "problems": email.problems,
    })
}

/// The same for a person: what matters, in the order in which they ask.
fn words(file: &str, understood: &Understood, would: bool, reason: &str) -> Vec<String> {
    let email = &understood.email;
    let found = &understood.classification;
    let from = email.from.as_ref().map_or("nobody", |from| from.address.as_str());
    let join = |ids: Vec<&str>| if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
    let proof = match email.sender_proof {
        SenderProof::Unknown => "",
        SenderProof::Proven => " (proven)",
        SenderProof::Failed => " (NOT GENUINE, says the mail server)",
    };
    let mut lines = vec![
        file.to_owned(),
        format!("  from        {from}{proof}"),
        format!("  subject     {}", email.subject.as_ref().map_or("", |subject| subject.as_str())),
        format!("  kind        {}", crate::store::word(&email.kind)),
    ];
    if let Some(form) = &email.form {
        lines.push(format!("  by form     {}, sent from {}", form.layout, form.sender.as_str()));
    }
    for evidence in &email.kind_evidence {
        lines.push(format!("              because of {}: {}", evidence.header, evidence.value.0));
    }
    let sure = (found.confidence * 100.0).round();
    let officer = if found.needs_officer { ", needs an officer" } else { "" };
    lines.extend([
        format!("  type        {} ({sure}% sure{officer})", found.record_type.label()),
        format!("  services    {}", join(found.services.iter().map(ServiceId::as_str).collect())),
        format!("  customer    {}", found.customer_type.label()),
        format!("  themes      {}", join(found.themes.iter().map(|one| one.id()).collect())),
        format!("  flags       {}", join(found.flags.iter().map(|one| one.id()).collect())),
        format!("  acknowledge {}, {reason}", if would { "yes" } else { "no" }),
    ]);
    for attachment in &email.attachments {
        let name = attachment.name.as_ref().map_or("unnamed", |name| name.as_str());
        let mut facts = vec![attachment.media_type.clone(), format!("{} bytes", attachment.bytes)];
        facts.extend(attachment.inline.then(|| "in the text".to_owned()));
        facts.extend(attachment.notes.iter().map(|note| note.words().to_owned()));
        lines.push(format!("  attachment  {name} ({})", facts.join(", ")));
    }
    lines.extend(email.problems.iter().map(|problem| format!("  problem     {problem}")));
    lines.push(String::new());
    lines
}

//! The sections `[console]` and `[answers]` of `postern.toml`.

use serde::Deserialize;

use super::place::Source;
use super::sections::is_loopback;
use crate::fault::Fault;

/// The status page, the API and the answer page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Console {
    /// Address and port; empty for none.
    pub listen: Option<String>,
    /// Where services reach the answer page, before its `/a/…`; without it letters carry no link and services
    /// answer by replying.
    pub public_url: Option<String>,
    /// Whether a code is asked for before anything of the customer is shown there.
    pub answer_code: AnswerCode,
}

/// When the answer page asks for a code that was sent to the mailbox of its link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum AnswerCode {
    /// Whoever has the link.
    #[default]
    Always,
    /// Of nobody: who has the link reads what the customer wrote.
    Never,
}

impl Default for Console {
    fn default() -> Self {
        let listen = Some("127.0.0.1:8080".to_owned());
        Self { listen, public_url: None, answer_code: AnswerCode::default() }
    }
}

impl Console {
    /// The public address without a last slash, cut where its path begins: `https://a.example` and `/b`, which may
    /// be nothing.
    pub fn public(&self) -> Option<(&str, &str)> {
        let url = self.public_url.as_deref()?.trim_end_matches('/');
        let (scheme, rest) = url.split_once("://")?;
        let path = rest.find('/').unwrap_or(rest.len());
        let (host, path) = rest.split_at(path);
        let bare = host.rsplit_once(':').map_or(host, |(bare, _)| bare);
        let good = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/[]".contains(&byte))
        };
        // A link is as good as its way: in the clear only where nobody listens.
        let safe = scheme == "https" || (scheme == "http" && is_loopback(bare));
        let whole = !host.is_empty() && good(host) && good(path);
        (safe && whole).then(|| url.split_at(scheme.len() + 3 + host.len()))
    }

    pub(super) fn faults(&self, source: Source<'_>) -> Vec<Fault> {
        let Some(url) = self.public_url.as_ref().filter(|_| self.public().is_none()) else {
            return Vec::new();
        };
        vec![source.fault(
            "console",
            0,
            "public_url",
            format!("console.public_url `{url}` is no address of a page"),
            "write `https://` and a host, for example `https://complaints.your.council`; \
             `http://` is for 127.0.0.1 alone",
        )]
    }
}

/// What services answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answers {
    /// Whether an officer confirms each answer before it counts.
    pub confirm: bool,
    /// The most that the files of one answer on the answer page may be together, in megabytes; 0 takes none.
    pub file_megabytes: u32,
    /// Whether the mailbox of its link gets a copy of what was answered on the answer page.
    pub copy_by_email: bool,
}

impl Answers {
    /// The most that they may be, in bytes.
    pub fn file_bytes(&self) -> usize {
        usize::try_from(self.file_megabytes).unwrap_or(usize::MAX).saturating_mul(1_000_000)
    }

    pub(super) fn faults(&self, source: Source<'_>) -> Vec<Fault> {
        // They are held in memory while they are taken.
        if self.file_megabytes <= MOST_MEGABYTES {
            return Vec::new();
        }
        vec![source.fault(
            "answers",
            0,
            "file_megabytes",
            format!("answers.file_megabytes is {}", self.file_megabytes),
            "write 100 or less; larger files are taken by mail",
        )]
    }
}

/// The most that may be set.
const MOST_MEGABYTES: u32 = 100;

impl Default for Answers {
    fn default() -> Self {
        Self { confirm: true, file_megabytes: 10, copy_by_email: true }
    }
}

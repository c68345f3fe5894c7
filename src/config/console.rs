//! The sections `[console]` and `[answers]` of `postern.toml`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Deserialize;

use super::network::Network;
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
    /// The networks that are the council's own, as addresses with their bits; none: everybody is outside.
    pub council_networks: Vec<String>,
    /// The web servers in front, whose word counts for where somebody sits.
    pub trusted_proxies: Vec<String>,
}

/// When the answer page asks for a code that was sent to the mailbox of its link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum AnswerCode {
    /// Whoever has the link.
    Always,
    /// Of whoever sits outside `council_networks`: where none is named, of everybody.
    #[default]
    Outside,
    /// Of nobody: who has the link reads what the customer wrote.
    Never,
}

impl Default for Console {
    fn default() -> Self {
        let listen = Some("127.0.0.1:8080".to_owned());
        Self {
            listen,
            public_url: None,
            answer_code: AnswerCode::default(),
            council_networks: Vec::new(),
            trusted_proxies: Vec::new(),
        }
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

    /// The council's own networks.
    pub fn networks(&self) -> Vec<Network> {
        // Each was read when the settings were.
        self.council_networks.iter().filter_map(|one| one.parse().ok()).collect()
    }

    /// The web servers in front.
    pub fn proxies(&self) -> Vec<Network> {
        self.trusted_proxies.iter().filter_map(|one| one.parse().ok()).collect()
    }

    pub(super) fn faults(&self, source: Source<'_>) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Some(url) = self.public_url.as_ref().filter(|_| self.public().is_none()) {
            faults.push(source.fault(
                "console",
                0,
                "public_url",
                format!("console.public_url `{url}` is no address of a page"),
                "write `https://` and a host, for example `https://complaints.your.council`; \
                 `http://` is for 127.0.0.1 alone",
            ));
        }
        let lists = [
            ("council_networks", &self.council_networks),
            ("trusted_proxies", &self.trusted_proxies),
        ];
        for (key, list) in lists {
            for one in list {
                if let Err(cure) = one.parse::<Network>() {
                    let what = format!("`{one}` in console.{key} is no network");
                    faults.push(source.fault("console", 0, key, what, cure));
                }
            }
        }
        faults
    }

    /// What is valid and can hardly be meant.
    pub(super) fn warnings(&self, source: Source<'_>) -> Vec<Fault> {
        // Without a page nobody is asked for anything.
        if self.public().is_none() {
            return Vec::new();
        }
        let warning = |key, what: &str, cure: &str| source.fault("console", 0, key, what, cure);
        let is_here = |listen: &String| {
            is_loopback(
                listen
                    .rsplit_once(':')
                    .map_or(listen.as_str(), |(host, _)| host)
                    .trim_matches(['[', ']']),
            )
        };
        let here = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        let is_council = self.networks().iter().any(|one| here.iter().any(|here| one.holds(*here)));
        let by_proxy = self.listen.as_ref().is_some_and(is_here) && !is_council;
        let mut warnings = Vec::new();
        match self.answer_code {
            AnswerCode::Never => warnings.push(warning(
                "answer_code",
                "console.answer_code is `never`: whoever comes by a link, however it was passed on, reads what the \
                 customer wrote",
                "write `outside`, and the council's networks in console.council_networks",
            )),
            AnswerCode::Outside if self.council_networks.is_empty() || !by_proxy => {}
            AnswerCode::Outside if self.trusted_proxies.is_empty() => warnings.push(warning(
                "council_networks",
                "the answer page listens on this machine alone, and no web server in front of it is named: nobody is \
                 known to sit within console.council_networks",
                "name the web server in console.trusted_proxies, for example [\"127.0.0.1\"], and have it set \
                 X-Forwarded-For",
            )),
            AnswerCode::Outside => {}
            AnswerCode::Always if self.council_networks.is_empty() => {}
            AnswerCode::Always => warnings.push(warning(
                "council_networks",
                "console.answer_code is `always`: console.council_networks changes nothing",
                "write answer_code = \"outside\", or take the networks out",
            )),
        }
        warnings
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

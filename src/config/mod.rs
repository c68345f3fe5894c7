//! Settings: one file (`postern.toml`), the environment on top, secrets also from files.
//!
//! Everything has a default except what nobody can guess: the mailboxes and where mail leaves.
//! Any setting can come from the environment (`POSTERN__SMTP__HOST`, `POSTERN__MAILBOX__0__USER`).

mod acknowledgement;
mod console;
mod duty;
mod environment;
mod network;
mod place;
mod sections;

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::fault::Fault;
use place::Source;

pub use acknowledgement::Acknowledgement;
pub use console::{AnswerCode, Answers, Console};
pub use duty::Duty;
pub use network::Network;
pub use sections::{
    Clamd, Council, Dkim, Intake, Limits, Mailbox, MailboxKind, Outgoing, Reminders, Scan, Secret,
    Security, Smtp, SmtpLimit, Store,
};

/// Every setting.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Who we are, as letters say it.
    #[serde(default)]
    pub council: Council,
    /// Where cases and messages are kept.
    #[serde(default)]
    pub store: Store,
    /// Where mail comes from.
    #[serde(default, rename = "mailbox")]
    pub mailboxes: Vec<Mailbox>,
    /// How mail is taken in.
    #[serde(default)]
    pub intake: Intake,
    /// Where mail leaves, by SMTP.
    pub smtp: Option<Smtp>,
    /// Where mail leaves instead: a folder that gets one `.eml` file a letter.
    pub outgoing: Option<Outgoing>,
    /// Who is told at once when a child may be at risk.
    #[serde(default)]
    pub duty: Duty,
    /// The status page.
    #[serde(default)]
    pub console: Console,
    /// When a customer is told that we have their message.
    #[serde(default)]
    pub acknowledgement: Acknowledgement,
    /// Chasing.
    #[serde(default)]
    pub reminders: Reminders,
    /// What services answer.
    #[serde(default)]
    pub answers: Answers,
    /// Who looks for viruses in what comes attached; nobody, where left out.
    #[serde(default)]
    pub scan: Scan,
    /// What bounds mail that goes by itself.
    #[serde(default)]
    pub limits: Limits,
    /// Folder with the council's rules; the shipped ones serve without it.
    pub rules: Option<PathBuf>,
    /// Folder with the council's templates; the shipped ones serve without it.
    pub templates: Option<PathBuf>,
}

/// Where a configuration came from: shown by `postern check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file, where there is one.
    pub file: Option<PathBuf>,
    /// Names of the environment variables that took part (never their values).
    pub environment: Vec<String>,
}

impl Config {
    /// Reads the file and the environment and checks the whole.
    ///
    /// # Errors
    /// Every fault found, each with its place and what to write instead.
    pub fn load(
        file: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Self, Origin), Vec<Fault>> {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|error| {
            vec![Fault::unreadable(
                &name,
                &error,
                "name the configuration with --config FILE or POSTERN_CONFIG; README.md shows one",
            )]
        })?;
        let base = file.parent().unwrap_or(Path::new("")).to_path_buf();
        let (config, variables) = Self::parse(&name, &text, environment)?;
        let config = config.resolved(&base);
        Ok((config, Origin { file: Some(file.to_path_buf()), environment: variables }))
    }

    /// What is valid and can hardly be meant, each with its place and a cure.
    pub fn warnings(&self, origin: &Origin) -> Vec<Fault> {
        let file = origin.file.as_deref();
        let name = file.map_or("the settings".to_owned(), |file| file.display().to_string());
        // Read a moment ago; without it a warning has no line.
        let text = file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        self.console.warnings(Source { file: &name, text: &text })
    }

    /// The same from text; relative paths are left as they stand.
    ///
    /// # Errors
    /// Every fault found.
    pub fn parse(
        name: &str,
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Self, Vec<String>), Vec<Fault>> {
        let fault = |error: &toml::de::Error| vec![Fault::from_toml(name, text, error)];
        let overrides = environment::overrides(environment);
        let config: Self = if overrides.is_empty() {
            toml::from_str(text).map_err(|error| fault(&error))?
        } else {
            let mut table: toml::Table = toml::from_str(text).map_err(|error| fault(&error))?;
            // The file by itself first, so that its faults keep their line.
            if let Err(error) = toml::from_str::<Self>(text)
                && !error.message().starts_with("missing field")
            {
                return Err(fault(&error));
            }
            for one in &overrides {
                one.apply(&mut table)?;
            }
            table.try_into().map_err(|error: toml::de::Error| {
                vec![Fault::from_toml("the POSTERN__… variables of the environment", "", &error)]
            })?
        };
        let faults = config.faults(Source { file: name, text });
        if faults.is_empty() {
            Ok((config, overrides.into_iter().map(|one| one.variable).collect()))
        } else {
            Err(faults)
        }
    }

    /// Paths of the file are relative to the file, not to wherever the daemon was started.
    fn resolved(mut self, base: &Path) -> Self {
        let fix = |path: &mut PathBuf| {
            if path.is_relative() {
                *path = base.join(&*path);
            }
        };
        self.rules.iter_mut().for_each(fix);
        self.templates.iter_mut().for_each(fix);
        if let Some(outgoing) = &mut self.outgoing {
            fix(&mut outgoing.folder);
        }
        if let Some(rest) = self.store.url.strip_prefix("sqlite:") {
            let path = PathBuf::from(rest.trim_start_matches("//"));
            if path.is_relative() {
                self.store.url = format!("sqlite:{}", base.join(path).display());
            }
        }
        for mailbox in &mut self.mailboxes {
            mailbox.path.iter_mut().for_each(fix);
            mailbox.ca_file.iter_mut().for_each(fix);
            mailbox.password_file.iter_mut().for_each(fix);
        }
        if let Some(smtp) = &mut self.smtp {
            smtp.ca_file.iter_mut().for_each(fix);
            smtp.password_file.iter_mut().for_each(fix);
            smtp.dkim.iter_mut().map(|dkim| &mut dkim.key_file).for_each(fix);
        }
        self
    }

    /// What is wrong with the settings taken together.
    fn faults(&self, source: Source<'_>) -> Vec<Fault> {
        let mut faults = self.council.faults(source);
        faults.extend(self.intake.faults(source));
        faults.extend(self.acknowledgement.faults(source));
        faults.extend(self.duty.faults(source));
        faults.extend(self.scan.faults(source));
        faults.extend(self.console.faults(source));
        faults.extend(self.answers.faults(source));
        faults.extend(self.limits.faults(source));
        for (index, mailbox) in self.mailboxes.iter().enumerate() {
            faults.extend(mailbox.faults(source, index));
            if self.mailboxes.iter().take(index).any(|other| other.name == mailbox.name) {
                faults.push(source.fault(
                    "mailbox",
                    index,
                    "name",
                    format!("two mailboxes are called `{}`", mailbox.name),
                    "give each [[mailbox]] a name of its own: it keys the ledger",
                ));
            }
        }
        if let Some(smtp) = &self.smtp {
            faults.extend(smtp.faults(source));
        }
        if self.smtp.is_some() && self.outgoing.is_some() {
            faults.push(source.fault(
                "outgoing",
                0,
                "",
                "both [smtp] and [outgoing] say where mail leaves",
                "keep one of them",
            ));
        }
        if !self.store.url.starts_with("sqlite:") && !self.store.url.starts_with("postgres") {
            faults.push(source.fault(
                "store",
                0,
                "url",
                format!(
                    "store.url is neither SQLite nor PostgreSQL (`{}…`)",
                    scheme(&self.store.url)
                ),
                "write `sqlite:postern.db` or `postgres://user@host/database`",
            ));
        }
        faults
    }

    /// What `serve` needs beyond what `check` of a half-written file asks.
    pub fn missing_to_serve(&self, name: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.mailboxes.is_empty() {
            faults.push(Fault::new(
                name,
                "no mailbox to read",
                "add a [[mailbox]] section with name, address, host, user and password_file",
            ));
        }
        if self.smtp.is_none() && self.outgoing.is_none() {
            faults.push(Fault::new(
                name,
                "nothing says where mail leaves",
                "add [smtp] with host and from, or [outgoing] with a folder",
            ));
        }
        faults
    }
}

fn scheme(url: &str) -> &str {
    url.split(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, Vec<String>> {
        Config::parse("postern.toml", text, [])
            .map(|(config, _)| config)
            .map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_empty_file_is_valid_and_says_what_serving_needs() {
        let config = parse("").unwrap();
        let missing = config.missing_to_serve("postern.toml");
        assert_eq!(missing.len(), 2);
        assert!(missing[0].to_string().contains("add a [[mailbox]] section"));
    }

    #[test]
    fn an_unknown_word_is_named_with_its_line_and_what_would_be_right() {
        let faults = parse("[council]\nname = \"A\"\n[smtp]\nhots = \"x\"\n").unwrap_err();
        assert!(faults[0].starts_with("postern.toml, line 4, column 1: unknown field `hots`"));
        assert!(faults[0].contains("host"), "{}", faults[0]);
    }

    #[test]
    fn all_faults_come_at_once() {
        let faults = parse(
            "[council]\nprefix = \"n1\"\n[[mailbox]]\nname = \"a\"\naddress = \"nobody\"\n\
             kind = \"imap\"\n[smtp]\nhost = \"\"\nfrom = \"x\"\n",
        )
        .unwrap_err();
        assert!(faults.len() >= 4, "{faults:#?}");
    }

    #[test]
    fn pauses_that_would_never_end_or_never_begin_are_refused() {
        let smtp = "[smtp]\nhost = \"a\"\nfrom = \"c@n.example\"\n";
        assert!(parse(&format!("{smtp}retry_seconds = 1\n[intake]\nlease_seconds = 3\n")).is_ok());
        let faults =
            parse(&format!("{smtp}retry_seconds = 0\n[intake]\nlease_seconds = 0\n")).unwrap_err();
        assert_eq!(faults.len(), 2, "{faults:#?}");
    }

    #[test]
    fn what_a_domain_gets_is_checked_where_it_stands() {
        let smtp = "[smtp]\nhost = \"a\"\nfrom = \"c@n.example\"\n";
        let limits =
            |text: &str| parse(&format!("{smtp}{text}")).map(|config| config.smtp.unwrap());
        let right = "[[smtp.limit]]\ndomain = \"B\u{fc}cher.example\"\nsessions = 2\n\
                     [[smtp.limit]]\ndomain = \"b.example\"\nletters_a_minute = 30\n";
        let smtp = limits(right).unwrap();
        assert_eq!(smtp.sessions_a_domain, 20);
        assert_eq!(smtp.limits[0].ascii_domain().as_deref(), Some("xn--bcher-kva.example"));
        let wrong = "[[smtp.limit]]\ndomain = \"b.example\"\nsessions = 1\n\
                     [[smtp.limit]]\ndomain = \"B.example\"\nsessions = 0\n\
                     [[smtp.limit]]\ndomain = \"@c\"\nletters_a_minute = 0\n\
                     [[smtp.limit]]\ndomain = \"d.example\"\n";
        let faults = limits(wrong).unwrap_err();
        let lines: Vec<&str> = faults.iter().filter_map(|fault| fault.split(',').nth(1)).collect();
        assert_eq!(
            lines,
            [" line 8", " line 9", " line 11", " line 12", " line 14"],
            "{faults:#?}"
        );
    }

    #[test]
    fn a_scanner_is_a_socket_or_a_port() {
        let scanner = |clamd: &str| {
            let parsed = parse(&format!("[scan]\nclamd = \"{clamd}\"\n"));
            parsed.map(|config| config.scan.scanner().unwrap())
        };
        let tcp = |host: &str, port| Ok(Clamd::Tcp { host: host.to_owned(), port });
        assert_eq!(
            scanner("unix:/run/clamav/clamd.ctl"),
            Ok(Clamd::Unix("/run/clamav/clamd.ctl".into()))
        );
        assert_eq!(scanner("tcp:127.0.0.1:3310"), tcp("127.0.0.1", 3310));
        assert_eq!(scanner("tcp:[::1]:3310"), tcp("::1", 3310));
        for wrong in ["", "clamd", "unix:", "unix:clamd.ctl", "tcp:3310", "tcp::3310", "tcp:a:0"] {
            let faults = scanner(wrong).unwrap_err();
            assert!(faults[0].starts_with("postern.toml, line 2"), "{faults:?}");
            assert!(faults[0].contains("unix:/run/clamav/clamd.ctl"), "{faults:?}");
        }
        assert!(parse("").unwrap().scan.scanner().is_none());
    }

    #[test]
    fn the_answer_page_is_at_a_safe_address() {
        let parsed = |url: &str| parse(&format!("[console]\npublic_url = \"{url}\"\n"));
        for (url, host, path) in [
            ("https://answers.n.example", "https://answers.n.example", ""),
            ("https://n.example:8443/postern/", "https://n.example:8443", "/postern"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080", ""),
        ] {
            assert_eq!(parsed(url).unwrap().console.public(), Some((host, path)), "{url}");
        }
        for wrong in
            ["", "answers.n.example", "http://n.example", "https://", "https://n.example/?a"]
        {
            let faults = parsed(wrong).unwrap_err();
            assert!(faults[0].starts_with("postern.toml, line 2"), "{faults:?}");
            assert!(faults[0].contains("https://complaints.your.council"), "{faults:?}");
        }
        let unknown = parse("[console]\nanswer_code = \"sometimes\"\n").unwrap_err();
        assert!(unknown[0].contains("write one of `always`, `outside`, `never`"), "{unknown:?}");
        assert!(parse("").unwrap().answers.confirm);
    }

    #[test]
    fn networks_and_what_stands_in_front_are_read_and_doubted() {
        let read =
            |keys: &str| parse(&format!("[console]\npublic_url = \"https://n.example\"\n{keys}\n"));
        let usual = read("").unwrap().console;
        assert_eq!((usual.answer_code, usual.networks().len()), (AnswerCode::Outside, 0));
        let both = read("council_networks = [\"10.0.0.0/8\", \"2001:db8::/32\"]").unwrap().console;
        assert_eq!(both.networks().len(), 2);
        for (keys, what, cure) in [
            (
                "council_networks = [\"office\"]",
                "`office` in console.council_networks",
                "10.20.0.0/16",
            ),
            ("trusted_proxies = [\"10.2.3.4/8\"]", "console.trusted_proxies", "write `10.0.0.0/8`"),
        ] {
            let faults = read(keys).unwrap_err();
            assert!(faults[0].starts_with("postern.toml, line 3"), "{faults:?}");
            assert!(faults[0].contains(what) && faults[0].contains(cure), "{faults:?}");
        }
        let warned = |keys: &str| {
            let text = format!("[console]\npublic_url = \"https://n.example\"\n{keys}\n");
            let config = Config::parse("postern.toml", &text, []).unwrap().0;
            let source = Source { file: "postern.toml", text: &text };
            config.console.warnings(source).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let networks = "council_networks = [\"10.0.0.0/8\"]";
        for quiet in [
            String::new(),
            "answer_code = \"always\"".to_owned(),
            format!("{networks}\ntrusted_proxies = [\"127.0.0.1\"]"),
            format!("{networks}\nlisten = \"10.0.0.7:8080\""),
        ] {
            assert!(warned(&quiet).is_empty(), "{quiet}");
        }
        for (keys, words) in [
            ("answer_code = \"never\"".to_owned(), "reads what the customer wrote"),
            (networks.to_owned(), "console.trusted_proxies"),
            (format!("{networks}\nlisten = \"[::1]:8080\""), "console.trusted_proxies"),
            (format!("{networks}\nanswer_code = \"always\""), "changes nothing"),
        ] {
            let said = warned(&keys);
            assert!(said.len() == 1 && said[0].contains(words), "{keys}: {said:?}");
            assert!(said[0].starts_with("postern.toml, line "), "{said:?}");
        }
    }

    #[test]
    fn the_environment_wins_and_is_named() {
        let (config, from) = Config::parse(
            "postern.toml",
            "[smtp]\nhost = \"a\"\nfrom = \"c@n.example\"\n",
            [("POSTERN__SMTP__HOST".to_owned(), "b.example".to_owned())],
        )
        .unwrap();
        assert_eq!(config.smtp.unwrap().host, "b.example");
        assert_eq!(from, ["POSTERN__SMTP__HOST"]);
    }

    #[test]
    fn a_password_of_digits_is_text_and_is_never_repeated() {
        let parse = |variable: &str| {
            let text = "[smtp]\nhost = \"a\"\nuser = \"u\"\npassword = \"p\"\n";
            Config::parse("postern.toml", text, [(variable.to_owned(), "271828".to_owned())])
        };
        let (config, _) = parse("POSTERN__SMTP__PASSWORD").unwrap();
        assert_eq!(config.smtp.unwrap().password.unwrap().as_str(), "271828");
        let faults = parse("POSTERN__SMTP__HOST").unwrap_err();
        let words = faults[0].to_string();
        assert!(words.contains("write text in quotes") && !words.contains("271828"), "{words}");
    }

    #[test]
    fn a_wrong_variable_is_refused_by_name() {
        let faults = Config::parse(
            "postern.toml",
            "",
            [("POSTERN__MAILBOX__7__USER".to_owned(), "x".to_owned())],
        )
        .unwrap_err();
        assert!(faults[0].to_string().contains("POSTERN__MAILBOX__7__USER"));
    }
}

//! One running gateway: what every tick is given.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};

use crate::clock::Clock;
use crate::config::{Config, Security};
use crate::decide::{Standing, bare};
use crate::email::{Limits, Reader};
use crate::fault::Fault;
use crate::letters;
use crate::outbox::{
    DomainLimit, DomainLimits, Encryption, Login, Mailer, Pace, Sender, Signer, SmtpAccount,
    SmtpPool, TimeLimits,
};
use crate::policy::{self, Files, Policy};
use crate::store::{self, Db, StoreError, TokenKey};
use crate::token::{Key, Keys};

/// Why a gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// The settings or what staff edit.
    #[error("the configuration is not valid")]
    Faults(Vec<Fault>),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret's file.
    #[error("cannot read {what} from {file}")]
    Secret {
        /// Which secret.
        what: &'static str,
        /// From where.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// Outgoing mail.
    #[error("cannot prepare outgoing mail")]
    Mailer(#[source] anyhow::Error),
}

/// Nudges save waiting; the rows are the queue.
#[derive(Debug, Default)]
pub struct Nudges {
    /// A message was kept.
    pub stored: Notify,
    /// A message was settled: every mailbox looks whether something of it may be moved.
    pub settled: watch::Sender<()>,
    /// A letter was queued.
    pub letter: Notify,
    /// What staff edit was taken up anew.
    pub adopted: Notify,
}

/// Everything that a tick needs, shared by all loops of one process.
pub struct Gateway {
    /// The settings.
    pub config: Config,
    /// The store.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// This process, as leases name it.
    pub id: String,
    /// What the settings say that matters to a decision.
    pub standing: Standing,
    /// As whom we write.
    pub sender: Sender,
    /// Where letters leave.
    pub mailer: Mailer,
    /// How many letters each domain gets.
    pub pace: Mutex<Pace>,
    /// Reads messages on threads of its own.
    pub reader: Reader,
    /// What bounds reading.
    pub limits: Limits,
    /// What wakes a loop early.
    pub nudges: Nudges,
    /// The files of rules and templates as they were just before they were read.
    pub files: Option<Files>,
    policy: RwLock<Arc<Policy>>,
}

impl Gateway {
    /// Opens the store and prepares everything that the settings name.
    ///
    /// # Errors
    /// [`StartFault`].
    pub async fn open(config: Config, clock: Clock) -> Result<Arc<Self>, StartFault> {
        // Before the files are read: what changes from now on is noticed.
        let files = policy::signature(&config);
        // Reading all rules takes longest: the store is opened meanwhile.
        let of = config.clone();
        let policy = tokio::task::spawn_blocking(move || Policy::load(&of));
        let opened = async {
            let db = Db::open(&config.store.url).await?;
            let instance = store::instance_id(&db).await?;
            let keys = keys_of(store::token_keys(&db).await?)?;
            Ok::<_, StartFault>((db, instance, keys))
        };
        let (policy, opened) = tokio::join!(policy, opened);
        let policy = policy.unwrap_or_else(|died| std::panic::resume_unwind(died.into_panic()));
        let policy = policy.map_err(StartFault::Faults)?;
        for fault in policy.letters.replaced() {
            tracing::warn!("{fault}; until then what is shipped stands in its place");
        }
        let (db, instance, keys) = opened?;
        let address = our_address(&config);
        let sender = Sender {
            name: config.council.team.clone(),
            address: address.clone(),
            keys,
            instance: instance.clone(),
            answers_in_ten_minutes: config.limits.answers_in_ten_minutes,
            signer: signer(&config)?.map(Arc::new),
            page: config.console.public().map(|(host, path)| format!("{host}{path}")),
        };
        let limits = limits(&config, &address);
        let standing = Standing {
            own_addresses: limits.own_addresses.clone(),
            cut_over: config.intake.cut_over,
        };
        let reader = Reader::start(limits.clone(), config.intake.readers);
        let mailer = mailer(&config, &clock)?;
        let pace = Mutex::new(Pace::new(domain_limits(config.smtp.as_ref())));
        let id = format!("{}-{}-{}", instance, std::process::id(), random_word());
        Ok(Arc::new(Self {
            config,
            db,
            clock,
            id,
            standing,
            sender,
            mailer,
            pace,
            reader,
            limits,
            nudges: Nudges::default(),
            files,
            policy: RwLock::new(Arc::new(policy)),
        }))
    }

    /// Until when a letter to a customer that is written now can still be put right.
    pub fn undoable_until(&self, now: Timestamp) -> Timestamp {
        let seconds = i64::from(self.config.acknowledgement.undo_seconds);
        now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(now)
    }

    /// What council staff edit, as it stands now. One message is judged by one set.
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a new valid set; what is under way ends with the old one.
    pub fn adopt(&self, policy: Arc<Policy>) {
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = policy;
        self.nudges.adopted.notify_one();
    }

    /// How long a letter that was put off waits for its second try.
    pub fn retry_pause(&self) -> Duration {
        let seconds = self.config.smtp.as_ref().map_or(60, |smtp| smtp.retry_seconds);
        Duration::from_secs(seconds)
    }

    /// Until when a claim made now on a message, a letter or a mailbox holds without being renewed.
    pub fn lease_until(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(SignedDuration::try_from(self.lease()).unwrap_or_default())
            .unwrap_or(now)
    }

    /// How long a claim holds without being renewed.
    pub fn lease(&self) -> Duration {
        Duration::from_secs(self.config.intake.lease_seconds)
    }

    /// The council, as letters name it.
    pub fn council(&self) -> letters::Council {
        let council = &self.config.council;
        letters::Council {
            name: council.name.clone(),
            team: council.team.clone(),
            phone: council.phone.clone(),
            out_of_hours_phone: council.out_of_hours_phone.clone(),
            privacy_url: council.privacy_url.clone(),
            ombudsman_url: council.ombudsman_url.clone(),
            advocate_name: council.advocacy.clone(),
            advocate_phone: council.advocacy_phone.clone(),
            sen_advice_url: council.sen_advice_url.clone(),
        }
    }

    /// Whom a reader of our letters can ask.
    pub fn contact(&self) -> letters::Contact {
        let council = &self.config.council;
        letters::Contact {
            name: council.contact_name.clone(),
            phone: council.phone.clone(),
            email: council.email.clone().unwrap_or_else(|| self.sender.address.clone()),
        }
    }
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gateway({})", self.id)
    }
}

/// The address that we write from: SMTP's own, or the first mailbox's.
pub fn our_address(config: &Config) -> String {
    let from = config.smtp.as_ref().and_then(|smtp| smtp.from.clone());
    from.or_else(|| config.mailboxes.first().map(|mailbox| mailbox.address.clone()))
        .unwrap_or_else(|| "complaints@localhost.localdomain".to_owned())
}

/// What bounds reading: which addresses and domains are ours.
pub fn limits(config: &Config, address: &str) -> Limits {
    let mut own: Vec<String> = config
        .mailboxes
        .iter()
        .flat_map(|mailbox| std::iter::once(&mailbox.address).chain(&mailbox.aliases))
        .map(|address| bare(address))
        .chain([bare(address)])
        .collect();
    own.sort();
    own.dedup();
    // People of the council write from the same domain: what is ours alone is known by its token.
    Limits {
        reference_prefix: config.council.prefix.clone(),
        own_addresses: own,
        authentication_servers: config.intake.authentication_servers.clone(),
        ..Limits::default()
    }
}

/// A secret given in the settings or in a file.
///
/// # Errors
/// When the file cannot be read.
pub fn secret(
    what: &'static str,
    given: Option<&crate::config::Secret>,
    file: Option<&Path>,
) -> Result<Option<crate::config::Secret>, StartFault> {
    match (given, file) {
        (Some(secret), _) => Ok(Some(secret.clone())),
        (None, Some(file)) => std::fs::read_to_string(file)
            .map(|text| Some(crate::private::Private(text.trim_end().to_owned())))
            .map_err(|source| StartFault::Secret {
                what,
                file: file.display().to_string(),
                source,
            }),
        (None, None) => Ok(None),
    }
}

fn mailer(config: &Config, clock: &Clock) -> Result<Mailer, StartFault> {
    if let Some(outgoing) = &config.outgoing {
        return Ok(Mailer::Files { folder: outgoing.folder.clone(), clock: clock.clone() });
    }
    let Some(smtp) = &config.smtp else { return Ok(Mailer::Nowhere) };
    let account = smtp_account(smtp, &our_address(config))?;
    let pool = SmtpPool::new(account).map_err(|fault| StartFault::Mailer(fault.into()))?;
    Ok(Mailer::Smtp(pool))
}

/// Who signs our letters, where the settings name a key.
///
/// # Errors
/// What is wrong with the key, and in which file.
pub fn signer(config: &Config) -> Result<Option<Signer>, StartFault> {
    let Some(dkim) = config.smtp.as_ref().and_then(|smtp| smtp.dkim.as_ref()) else {
        return Ok(None);
    };
    let file = dkim.key_file.display().to_string();
    let pem = std::fs::read(&dkim.key_file).map_err(|error| {
        let cure = "write smtp.dkim.key_file, the file of a private key that this user may read";
        StartFault::Faults(vec![Fault::unreadable(&file, &error, cure)])
    })?;
    let signer = Signer::new(&dkim.selector, &dkim.domain, &pem).map_err(|fault| {
        StartFault::Faults(vec![Fault::new(&file, fault.to_string(), fault.cure())])
    })?;
    if signer.speaks_for(&our_address(config)) {
        return Ok(Some(signer));
    }
    let what = format!("signs for {}, and letters come from another domain", dkim.domain);
    let cure = "write the domain of smtp.from as smtp.dkim.domain, or one above it";
    Err(StartFault::Faults(vec![Fault::new(&file, what, cure)]))
}

/// How many letters each domain gets; where mail leaves by no server, as many as there are.
fn domain_limits(smtp: Option<&crate::config::Smtp>) -> DomainLimits {
    let connections = smtp.map_or(0, |smtp| smtp.connections);
    // As many as there are connections is no limit: nothing need be put off for it.
    let capped = |sessions: usize| if sessions < connections { sessions } else { usize::MAX };
    let sessions = capped(smtp.map_or(usize::MAX, |smtp| smtp.sessions_a_domain));
    let named = smtp.into_iter().flat_map(|smtp| &smtp.limits).filter_map(|limit| {
        let own = DomainLimit {
            sessions: limit.sessions.map_or(sessions, capped),
            letters_a_minute: limit.letters_a_minute,
        };
        Some((limit.ascii_domain()?, own))
    });
    DomainLimits {
        named: named.collect(),
        others: DomainLimit { sessions, letters_a_minute: None },
    }
}

/// The store's keys as tokens take them.
fn keys_of((current, before): (TokenKey, Option<TokenKey>)) -> Result<Keys, StartFault> {
    let key = |stored: TokenKey| {
        let digits = stored.secret.0;
        let bytes = (0..digits.len())
            .step_by(2)
            .filter_map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
            .collect();
        Key::new(stored.name, bytes).map_err(|fault| StartFault::Mailer(fault.into()))
    };
    let (current, before) = (key(current)?, before.map(key).transpose()?);
    Keys::new(current, before).map_err(|fault| StartFault::Mailer(fault.into()))
}

/// The SMTP server as the mailer takes it.
///
/// # Errors
/// When the password's file cannot be read.
pub fn smtp_account(
    smtp: &crate::config::Smtp,
    our_address: &str,
) -> Result<SmtpAccount, StartFault> {
    let password =
        secret("the SMTP password", smtp.password.as_ref(), smtp.password_file.as_deref())?;
    let port = smtp.port.unwrap_or(match smtp.security {
        Security::Tls => 465,
        Security::Starttls => 587,
        Security::Plain => 25,
    });
    Ok(SmtpAccount {
        host: smtp.host.clone(),
        port,
        encryption: match smtp.security {
            Security::Tls => Encryption::Implicit,
            Security::Starttls => Encryption::StartTls,
            Security::Plain => Encryption::None,
        },
        trust: smtp.trust(),
        login: smtp
            .user
            .clone()
            .map(|user| Login::Password { user, password: password.unwrap_or_default() }),
        // Our mail domain, and not the machine's own name, which is nobody's business.
        hello: our_address.rsplit('@').next().unwrap_or("localhost").to_owned(),
        sessions: smtp.connections,
        limits: TimeLimits::default(),
    })
}

/// Tells two starts of one gateway apart.
fn random_word() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    format!("{:08x}", RandomState::new().build_hasher().finish() & 0xffff_ffff)
}

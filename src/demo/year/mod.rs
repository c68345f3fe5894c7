//! A year of a large council's representations, lived through by the real gateway in less than a minute.
//!
//! People write into a Maildir, services answer by mail what they were asked, officers act by the functions
//! of the terminal, and the clock moves from tick to tick. Only the clock, the people and the day's end of
//! the outbox are not real. `tests/year.rs` counts it all again by itself.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::{Date, time};
use jiff::{Timestamp, ToSpan};

use crate::clock::london;
use crate::daemon;
use crate::gateway::Gateway;
use crate::outbox::Mailer;
use crate::outbox::mailer::Delivered;
use crate::store::survey::{self, Opened};

mod matter;
mod mix;
mod officers;
mod people;
mod post;
mod random;
mod services;
mod tally;
mod words;

pub use matter::{Matter, matters};
pub use mix::{Division, IN_TIME, Method, REPRESENTATIONS, TYPES};
pub use people::People;
pub use tally::{Answered, Report, Share, Weekly};

use matter::{Chances, Reply};
use post::{Left, Mail};
use tally::Tally;

/// A case as the people around it know it.
#[derive(Debug, Clone)]
struct Case {
    reference: String,
    /// Place of the matter in the list.
    matter: usize,
    /// What the rules made of it.
    opened: Opened,
    stage: u8,
    /// When the customer will be answered; never, where there is none.
    respond_on: Option<Date>,
    /// What the next manager who is asked does.
    reply: Reply,
    /// How often a manager was asked.
    asked: u32,
    acknowledgement: Option<Left>,
    answered: bool,
    /// When it is closed, if the customer is content.
    close_on: Option<Date>,
    /// The customer has asked for the next stage.
    wants_next: bool,
    /// The day of the last holding letter, and how many there were.
    promised: Option<Date>,
    held: u32,
}

/// What officers will do on a day.
#[derive(Debug, Clone)]
enum Planned {
    Telephone(String, String),
    Respond(String),
    Close(String),
}

/// A year that is being lived through.
pub struct Year {
    gateway: Arc<Gateway>,
    maildir: PathBuf,
    outbox: Option<PathBuf>,
    left: Arc<Mutex<Vec<Delivered>>>,
    matters: Vec<Matter>,
    next_matter: usize,
    later: BTreeMap<(Timestamp, usize), Mail>,
    plans: BTreeMap<Date, Vec<Planned>>,
    cases: HashMap<String, Case>,
    last_case: i64,
    fresh: Vec<String>,
    replies: usize,
    tally: Tally,
}

impl std::fmt::Debug for Year {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Year({} matters)", self.matters.len())
    }
}

impl Year {
    /// Prepares a year on a gateway that nobody uses yet. Letters leave into memory and, where a folder is
    /// named, into files there.
    ///
    /// # Errors
    /// When the gateway is in use, or its store refuses.
    pub async fn new(
        mut gateway: Arc<Gateway>,
        matters: Vec<Matter>,
        outbox: Option<PathBuf>,
    ) -> anyhow::Result<Self> {
        let left = Arc::new(Mutex::new(Vec::new()));
        let Some(alone) = Arc::get_mut(&mut gateway) else {
            anyhow::bail!("the gateway of a simulation must be nobody else's");
        };
        alone.mailer = Mailer::Memory(Arc::clone(&left));
        // The year can be lived through again: nothing of it waits for the disk.
        for mailbox in &mut alone.config.mailboxes {
            mailbox.trusts_the_power = true;
        }
        let maildir = gateway.config.mailboxes.first().and_then(|mailbox| mailbox.path.clone());
        let Some(maildir) = maildir else { anyhow::bail!("the simulation needs a Maildir") };
        survey::trust_the_power(&gateway.db).await?;
        Ok(Self {
            gateway,
            maildir,
            outbox,
            left,
            matters,
            next_matter: 0,
            later: BTreeMap::new(),
            plans: BTreeMap::new(),
            cases: HashMap::new(),
            last_case: 0,
            fresh: Vec::new(),
            replies: 0,
            tally: Tally::default(),
        })
    }

    /// Lives through the days from one to the other. `said` hears of each month that begins.
    ///
    /// # Errors
    /// When the gateway fails.
    pub async fn live(
        &mut self,
        first: Date,
        last: Date,
        mut said: impl FnMut(Date),
    ) -> anyhow::Result<()> {
        let mut day = first;
        while day <= last {
            if day.day() == 1 {
                said(day);
            }
            let works = self.gateway.policy().calendar.is_working_day(day)?;
            // Reminders look whether it is their day, whatever day it is.
            self.tick(moment(day, 8, 30)?, true).await?;
            self.tick(moment(day, 12, 30)?, false).await?;
            if works {
                let now = moment(day, 14, 0)?;
                self.gateway.clock.set(now);
                self.office(now).await?;
            }
            self.tick(moment(day, 17, 30)?, works).await?;
            self.tick(moment(day, 22, 30)?, false).await?;
            day = day.saturating_add(1.day());
        }
        Ok(())
    }

    /// What the year came to.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn report(&self, first: Date, last: Date) -> anyhow::Result<Report> {
        tally::report(&self.gateway, &self.tally, &self.matters, self.cases.values(), first, last)
            .await
    }

    /// The mail of the hours before, and all that follows from it.
    async fn tick(&mut self, at: Timestamp, always: bool) -> anyhow::Result<()> {
        self.gateway.clock.set(at);
        let came = self.deliver(at)?;
        if came == 0 && !always {
            return Ok(());
        }
        self.tally.messages += came;
        daemon::once(&self.gateway).await?;
        self.note_cases().await?;
        let letters = self.take_letters()?;
        self.react(&letters, at)
    }

    fn deliver(&mut self, until: Timestamp) -> anyhow::Result<usize> {
        let mut count = 0;
        while let Some(matter) = self.matters.get(self.next_matter).filter(|one| one.at <= until) {
            Mail::raising(matter).deliver(&self.maildir, matter.at)?;
            self.next_matter += 1;
            count += 1;
        }
        while let Some(entry) = self.later.first_entry().filter(|entry| entry.key().0 <= until) {
            let at = entry.key().0;
            entry.remove().deliver(&self.maildir, at)?;
            count += 1;
        }
        Ok(count)
    }

    fn arrives_later(&mut self, at: Timestamp, mail: Mail) {
        let number = self.later.len() + self.tally.messages;
        let mut key = (at, number);
        while self.later.contains_key(&key) {
            key.1 += 1;
        }
        self.later.insert(key, mail);
    }

    fn plan(&mut self, day: Date, planned: Planned) {
        self.plans.entry(day).or_default().push(planned);
    }

    /// Which cases were opened, and for which matter.
    async fn note_cases(&mut self) -> anyhow::Result<()> {
        for opened in survey::opened_after(&self.gateway.db, self.last_case).await? {
            self.last_case = opened.id;
            let number = post::matter_of(&opened.file_key);
            let place =
                number.and_then(|number| self.matters.iter().position(|one| one.number == number));
            let Some((place, matter)) = place.and_then(|at| Some((at, self.matters.get(at)?)))
            else {
                self.tally.strays += 1;
                continue;
            };
            let mut random = matter.chances(Chances::FirstAnswer);
            let after = mix::answer_after(matter.record_type, matter.division, 1, &mut random);
            // One in a hundred is never answered at all.
            let after = after.filter(|_| !random.chance(10));
            let received: Date = opened.received_on.parse()?;
            let respond_on =
                after.map(|days| self.working_day_after(received, days)).transpose()?;
            let case = Case {
                reference: opened.reference.clone(),
                matter: place,
                stage: 1,
                respond_on,
                reply: matter.reply,
                asked: 0,
                acknowledgement: None,
                answered: false,
                close_on: None,
                wants_next: false,
                promised: None,
                held: 0,
                opened,
            };
            self.fresh.push(case.reference.clone());
            self.cases.insert(case.reference.clone(), case);
        }
        Ok(())
    }

    /// The letters that left since, kept as files where that was asked for.
    fn take_letters(&mut self) -> anyhow::Result<Vec<Left>> {
        let taken = std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(outbox) = &self.outbox {
            let now = self.gateway.clock.now().to_zoned(london());
            let folder = outbox.join(now.strftime("%Y-%m").to_string());
            fs::create_dir_all(&folder)?;
            for letter in &taken {
                self.tally.files += 1;
                let name = format!("{}-{}.eml", now.strftime("%Y%m%dT%H%M"), self.tally.files);
                fs::write(folder.join(name), &*letter.bytes)?;
            }
        }
        Ok(taken.iter().map(Left::of).collect())
    }
}

fn moment(day: Date, hour: i8, minute: i8) -> anyhow::Result<Timestamp> {
    Ok(day.to_datetime(time(hour, minute, 0, 0)).to_zoned(london())?.timestamp())
}

//! Everything that council staff edit, read and checked as one: rules, services, procedures,
//! calendar, ladder and templates. The shipped set is compiled in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rust_embed::Embed;

use crate::casework::allocation::Officers;
use crate::casework::calendar::WorkingCalendar;
use crate::casework::procedure::Procedures;
use crate::casework::reminder::Ladder;
use crate::casework::reply::Replies;
use crate::casework::route::Routes;
use crate::config::Config;
use crate::fault::Fault;
use crate::letters::{self, Letters};
use crate::rules::{self, RuleSet, Services};

mod learned;
mod warnings;

#[derive(Embed)]
#[folder = "rules/"]
struct ShippedRules;

/// The file that says where else somebody can go.
const ROUTES: &str = "routes.toml";
/// What services' replies say.
const REPLIES: &str = "replies.toml";
/// The file that says who is of the complaints team, and how the work is shared.
const OFFICERS: &str = "officers.toml";
/// The calendar's file name.
const CALENDAR: &str = "bank-holidays-england.json";

/// One valid set of what council staff edit.
pub struct Policy {
    /// Classification, and the directory of services.
    pub rules: RuleSet,
    /// Stages and time limits.
    pub procedures: Procedures,
    /// Working days.
    pub calendar: WorkingCalendar,
    /// The ladder of reminders.
    pub ladder: Ladder,
    /// What is said where a case is not taken on.
    pub routes: Routes,
    /// What services' replies say.
    pub replies: Replies,
    /// The complaints team, and how the work is shared.
    pub officers: Officers,
    /// What we write.
    pub letters: Letters,
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Policy(rules {}, templates {})", self.rules.version(), self.letters.version())
    }
}

impl AsRef<RuleSet> for Policy {
    fn as_ref(&self) -> &RuleSet {
        &self.rules
    }
}

/// Files as `(name, text)`, in name order.
pub type Texts = Vec<(String, String)>;

/// The files that make a rule set, by their names below the rules folder.
pub type RuleFiles = BTreeMap<String, String>;

/// Name, size and time of every file.
pub type Files = Vec<(PathBuf, u64, Option<SystemTime>)>;

/// How templates become letters: whole or not at all, or as those that are at work.
type LoadsLetters = fn(&[(String, String)]) -> Result<Letters, Vec<Fault>>;

impl Policy {
    /// The shipped set.
    ///
    /// # Errors
    /// Never in a released program: a test loads it.
    pub fn shipped() -> Result<Self, Vec<Fault>> {
        Self::from_files(&embedded::<ShippedRules>("rules"), &Letters::shipped(), Letters::load)
    }

    /// The set that the settings name, each folder by itself or the shipped one in its place.
    ///
    /// # Errors
    /// Every fault of every file.
    pub fn load(config: &Config) -> Result<Self, Vec<Fault>> {
        let rules = rule_files(config.rules.as_deref())?;
        let templates = match &config.templates {
            Some(folder) => on_disk(folder)?,
            None => Letters::shipped(),
        };
        Self::from_files(&rules, &templates, Letters::load_live)
    }

    /// The set that the settings name, with a draft in the place of its rules: what stands once the
    /// draft is published. Its faults name its files below `name`.
    ///
    /// # Errors
    /// Every fault of every file.
    pub fn with_rules(config: &Config, name: &str, draft: &RuleFiles) -> Result<Self, Vec<Fault>> {
        let mut rules = rule_files(config.rules.as_deref())?;
        rules.retain(|(name, _)| !rules::is_of_a_set(name));
        rules.extend(draft.iter().map(|(file, text)| (format!("{name}/{file}"), text.clone())));
        let templates = match &config.templates {
            Some(folder) => on_disk(folder)?,
            None => Letters::shipped(),
        };
        Self::from_files(&rules, &templates, Letters::load_live)
    }

    /// The same with a draft in the place of its letters.
    ///
    /// # Errors
    /// Every fault of every file.
    pub fn with_letters(
        config: &Config,
        name: &str,
        draft: &RuleFiles,
    ) -> Result<Self, Vec<Fault>> {
        let rules = rule_files(config.rules.as_deref())?;
        let file = |(file, text): (&String, &String)| (format!("{name}/{file}"), text.clone());
        Self::from_files(&rules, &draft.iter().map(file).collect(), Letters::load)
    }

    /// Procedures and calendar alone, for a sum that needs nothing else: of the folder that the
    /// settings name, or the shipped ones.
    ///
    /// # Errors
    /// Every fault of the two files.
    pub fn timescales(
        config: Option<&Config>,
    ) -> Result<(Procedures, WorkingCalendar), Vec<Fault>> {
        let rules = rule_files(config.and_then(|config| config.rules.as_deref()))?;
        let mut faults = Vec::new();
        let procedures = procedures(&rules, &mut faults);
        let calendar = calendar(&rules, &mut faults);
        procedures.zip(calendar).ok_or(faults)
    }

    fn from_files(
        files: &Texts,
        templates: &Texts,
        load: LoadsLetters,
    ) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let procedures = procedures(files, &mut faults);
        let ladder = part(files, "reminders.toml", &mut faults, Ladder::from_toml);
        let calendar = calendar(files, &mut faults);
        let routes = or_shipped(files, ROUTES, &mut faults, Routes::from_toml);
        let replies = or_shipped(files, REPLIES, &mut faults, Replies::from_toml);
        // The two that take long, at once.
        let (rules, letters) = std::thread::scope(|scope| {
            let letters = scope.spawn(|| load(templates));
            (rule_set(files), letters.join())
        });
        // A panic goes on as if it had been here.
        let letters = letters.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let rules = rules.map_err(|mut more| faults.append(&mut more)).ok();
        let letters = letters.map_err(|mut more| faults.append(&mut more)).ok();
        let officers = officers(files, rules.as_ref(), &mut faults);
        if let (Some(rules), Some(ladder)) = (&rules, &ladder) {
            faults.extend(unskippable(rules.services(), ladder));
        }
        let is_whole = faults.is_empty();
        match (rules, procedures, calendar, ladder.zip(routes), letters.zip(officers).zip(replies))
        {
            (
                Some(rules),
                Some(procedures),
                Some(calendar),
                Some((ladder, routes)),
                Some(((letters, officers), replies)),
            ) if is_whole => {
                Ok(Self { rules, procedures, calendar, ladder, routes, replies, officers, letters })
            }
            _ => Err(faults),
        }
    }
}

/// Steps of the ladder that a service or an area wants to do without and cannot, or that there are not.
fn unskippable(services: &Services, ladder: &Ladder) -> Vec<Fault> {
    let can: Vec<&str> = ladder.of_requests().courtesies().collect();
    let cure = match can.as_slice() {
        [] => "take it out: no step of reminders.toml is a mere courtesy".to_owned(),
        can => format!("write early steps that only the manager hears: {}", can.join(", ")),
    };
    let wrong = |step: &&String| !can.contains(&step.as_str());
    let what = |step: &String| format!("the step `{step}` cannot be skipped");
    let mut faults = Vec::new();
    for service in services.all() {
        let own = service.skip.iter().filter(wrong);
        faults.extend(own.map(|step| services.at(service, what(step), cure.clone())));
        for area in &service.areas {
            let own = area.skip.iter().flatten().filter(wrong);
            faults.extend(own.map(|step| services.at_area(area, what(step), cure.clone())));
        }
    }
    faults
}

/// Every file of a rules folder, or of the shipped one.
///
/// # Errors
/// Every file that cannot be read.
pub fn rule_files(folder: Option<&Path>) -> Result<Texts, Vec<Fault>> {
    folder.map_or_else(|| Ok(embedded::<ShippedRules>("rules")), on_disk)
}

/// Every file of a rules folder, or of the shipped one, by its name below the folder.
///
/// # Errors
/// Every file that cannot be read.
pub fn all_of(folder: Option<&Path>) -> Result<RuleFiles, Vec<Fault>> {
    Ok(below(folder.unwrap_or(Path::new("rules")), rule_files(folder)?))
}

/// Files by their names below a folder.
fn below(root: &Path, texts: Texts) -> RuleFiles {
    let name = |name: String| {
        let below = Path::new(&name).strip_prefix(root).map(|below| below.display().to_string());
        below.unwrap_or(name)
    };
    texts.into_iter().map(|(file, text)| (name(file), text)).collect()
}

/// The templates of a folder, or the shipped ones, by their names below it; notes are none.
///
/// # Errors
/// Every file that cannot be read.
pub fn letters_of(folder: Option<&Path>) -> Result<RuleFiles, Vec<Fault>> {
    let texts = folder.map_or_else(|| Ok(Letters::shipped()), on_disk)?;
    let mut files = below(folder.unwrap_or(Path::new("templates")), texts);
    files.retain(|name, _| name.starts_with("letters/") && !letters::is_note(name));
    Ok(files)
}

/// Those of them that make a rule set: what decides a classification.
///
/// # Errors
/// Every file that cannot be read.
pub fn rules_of(folder: Option<&Path>) -> Result<RuleFiles, Vec<Fault>> {
    let mut files = all_of(folder)?;
    files.retain(|name, _| rules::is_of_a_set(name));
    Ok(files)
}

/// Those of them that the gateway reads otherwise: procedures, reminders, calendar.
///
/// # Errors
/// Every file that cannot be read.
pub fn others_of(folder: &Path) -> Result<RuleFiles, Vec<Fault>> {
    let mut files = all_of(Some(folder))?;
    let is_read = |name: &str| {
        ["procedures.toml", "reminders.toml", ROUTES, OFFICERS, CALENDAR]
            .iter()
            .any(|own| name.ends_with(own))
    };
    files.retain(|name, _| is_read(name));
    Ok(files)
}

/// The rules by themselves, of the files of a rules folder.
///
/// # Errors
/// Every fault of every file.
pub fn rule_set(files: &Texts) -> Result<RuleSet, Vec<Fault>> {
    let rules = RuleSet::load(&classification_of(files.clone()))?;
    Ok(match learned::Folder::of_this_user() {
        Some(folder) => rules.kept_on(Arc::new(folder)),
        None => rules,
    })
}

/// Those files of a rules folder that classification reads.
pub fn classification_of(mut files: Texts) -> Texts {
    files.retain(|(name, _)| is_classification(name));
    files
}

fn procedures(rules: &Texts, faults: &mut Vec<Fault>) -> Option<Procedures> {
    part(rules, "procedures.toml", faults, Procedures::from_toml)
}

fn calendar(rules: &Texts, faults: &mut Vec<Fault>) -> Option<WorkingCalendar> {
    part(rules, CALENDAR, faults, |file, text| {
        WorkingCalendar::from_json(file, text).map_err(|fault| vec![fault])
    })
}

/// A folder from before there was such a file goes on with the shipped words.
fn or_shipped<T>(
    rules: &Texts,
    name: &str,
    faults: &mut Vec<Fault>,
    read: impl FnOnce(&str, &str) -> Result<T, Vec<Fault>>,
) -> Option<T> {
    if rules.iter().any(|(file, _)| file.ends_with(name)) {
        return part(rules, name, faults, read);
    }
    part(&embedded::<ShippedRules>("rules"), name, faults, read)
}

/// Without the file nobody is allocated anything. Its services are those of the directory, where that could be read.
fn officers(files: &Texts, rules: Option<&RuleSet>, faults: &mut Vec<Fault>) -> Option<Officers> {
    let known = rules.map(|rules| {
        let all = rules.services().all().iter();
        all.map(|service| service.id.as_str()).collect::<Vec<&str>>()
    });
    if !files.iter().any(|(name, _)| name.ends_with(OFFICERS)) {
        return Some(Officers::default());
    }
    part(files, OFFICERS, faults, |file, text| Officers::from_toml(file, text, known.as_deref()))
}

/// The calendar's file, by name and text: of the folder that the settings name, or the shipped one.
///
/// # Errors
/// Every file that cannot be read, or that there is none.
pub fn calendar_file(config: Option<&Config>) -> Result<(String, String), Vec<Fault>> {
    let rules = rule_files(config.and_then(|config| config.rules.as_deref()))?;
    let mut faults = Vec::new();
    let found = part(&rules, CALENDAR, &mut faults, |file, text| Ok((file.into(), text.into())));
    found.ok_or(faults)
}

/// Whether a file of `rules/` belongs to classification.
fn is_classification(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    let kind = Path::new(file).extension();
    let counts = kind.is_some_and(|extension| extension == "toml" || extension == "jsonl");
    counts && !matches!(file, "procedures.toml" | "reminders.toml" | ROUTES | OFFICERS)
}

fn part<T>(
    files: &Texts,
    wanted: &str,
    faults: &mut Vec<Fault>,
    read: impl FnOnce(&str, &str) -> Result<T, Vec<Fault>>,
) -> Option<T> {
    let Some((name, text)) = files.iter().find(|(name, _)| name.ends_with(wanted)) else {
        faults.push(Fault::new(
            wanted,
            "is missing",
            "put the file into the rules folder, or leave `rules` out of the settings to use the shipped set",
        ));
        return None;
    };
    read(name, text).map_err(|mut more| faults.append(&mut more)).ok()
}

fn embedded<E: Embed>(root: &str) -> Texts {
    let mut files: Texts = E::iter()
        .filter_map(|name| {
            let file = E::get(&name)?;
            Some((format!("{root}/{name}"), String::from_utf8_lossy(&file.data).into_owned()))
        })
        .collect();
    files.sort();
    files
}

/// Every text file below a folder.
fn on_disk(folder: &Path) -> Result<Texts, Vec<Fault>> {
    let mut files = Vec::new();
    let mut faults = Vec::new();
    walk(folder, &mut files, &mut faults);
    files.sort();
    if faults.is_empty() { Ok(files) } else { Err(faults) }
}

/// The files of the folders that the settings name, by which an edit is noticed. None where only the
/// shipped set serves.
pub fn signature(config: &Config) -> Option<Files> {
    let folders: Vec<&PathBuf> = config.rules.iter().chain(&config.templates).collect();
    if folders.is_empty() {
        return None;
    }
    let mut seen = Files::new();
    for folder in folders {
        sign(folder, &mut seen);
    }
    seen.sort();
    Some(seen)
}

fn sign(folder: &Path, seen: &mut Files) {
    // What cannot be listed now is seen as changed once it can.
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(about) = entry.metadata() else { continue };
        if about.is_dir() {
            sign(&entry.path(), seen);
        } else {
            seen.push((entry.path(), about.len(), about.modified().ok()));
        }
    }
}

fn walk(folder: &Path, files: &mut Texts, faults: &mut Vec<Fault>) {
    let unreadable = |path: &Path, error: &std::io::Error| {
        Fault::unreadable(
            &path.display().to_string(),
            error,
            "check the path in the settings and its permissions",
        )
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return faults.push(unreadable(folder, &error)),
    };
    for entry in entries.flatten() {
        let path = entry.path();
        // Editors leave hidden and backup files beside what they edit.
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        if path.is_dir() {
            walk(&path, files, faults);
            continue;
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => files.push((path.display().to_string(), text)),
            Err(error) => faults.push(unreadable(&path, &error)),
        }
    }
}

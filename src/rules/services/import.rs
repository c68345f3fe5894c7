//! The directory of services out of a list that another system writes (CSV): what it changes in `services.toml`, and
//! the file as it then stands, comments and all.

use std::ops::Range;

use serde::Serialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Services, looks_like_address};
use crate::fault::Fault;

mod csv;
use csv::{Cell, Row};

/// The columns by name, each with where its value stands in a `[[service]]`.
const COLUMNS: [(&str, &[&str]); 16] = [
    ("id", &["id"]),
    ("label", &["label"]),
    ("name", &["name"]),
    ("table", &["table"]),
    ("division", &["division"]),
    ("checking_margin", &["checking_margin"]),
    ("inbox_name", &["inbox", "name"]),
    ("inbox_address", &["inbox", "address"]),
    ("responding_manager_name", &["responding_manager", "name"]),
    ("responding_manager_address", &["responding_manager", "address"]),
    ("head_of_service_name", &["head_of_service", "name"]),
    ("head_of_service_address", &["head_of_service", "address"]),
    ("divisional_director_name", &["divisional_director", "name"]),
    ("divisional_director_address", &["divisional_director", "address"]),
    ("corporate_director_name", &["corporate_director", "name"]),
    ("corporate_director_address", &["corporate_director", "address"]),
];
/// The column without which a new service is whole.
const OPTIONAL: &str = "checking_margin";

/// What an import changes of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The service.
    pub service: String,
    /// Whether the directory does not have it yet.
    pub is_new: bool,
    /// Field by field.
    pub fields: Vec<Field>,
}

/// A field that an import changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// The column.
    pub field: String,
    /// What stands there; none for what does not.
    pub before: Option<String>,
    /// What will.
    pub after: String,
}

/// What a list changes of the directory, and the directory's text with it. An empty cell changes nothing, and
/// services that the list does not name stay as they are.
///
/// # Errors
/// Everything in the list that cannot be taken, by line and column; that the directory is written in a way that
/// cannot be changed by itself.
pub fn changes(
    file: &str,
    text: &str,
    list: &str,
    csv: &str,
) -> Result<(String, Vec<Change>), Vec<Fault>> {
    let rows = rows(list, csv)?;
    let root = DeTable::parse(text).map_err(|error| vec![Fault::from_toml(file, text, &error)])?;
    let services = root.get_ref().get("service");
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let (mut changes, mut faults) = (Vec::new(), Vec::new());
    let mut appended = String::new();
    for row in &rows {
        let there = (0..)
            .map_while(|number| services?.get_ref().get(number))
            .find(|one| at(one, &["id"]).is_some_and(|id| value(text, id) == row.id));
        let change = match there {
            Some(service) => changed(text, service, row, &mut edits),
            None => added(list, row, &mut appended).unwrap_or_else(|fault| {
                faults.push(fault);
                None
            }),
        };
        changes.extend(change);
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let next = edited(text, edits) + &appended;
    if holds(file, &next, &rows) {
        Ok((next, changes))
    } else {
        let cure = "write each service as a [[service]] section with its id on a line of its own, or change it by hand";
        Err(vec![Fault::new(file, "cannot be changed by an import as it is written", cure)])
    }
}

/// A line of the list: the service, and the cells that say something, each with its column.
struct Line {
    id: String,
    place: (usize, usize),
    cells: Vec<(&'static str, &'static [&'static str], String)>,
}

fn rows(list: &str, csv: &str) -> Result<Vec<Line>, Vec<Fault>> {
    let fault = |cell: (usize, usize), what: String, cure: &str| Fault {
        at: Some(cell),
        ..Fault::new(list, what, cure)
    };
    let read = csv::read(csv).map_err(|wrong| vec![fault(wrong.place, wrong.what, wrong.cure)])?;
    let mut rows = read.into_iter();
    let names = COLUMNS.map(|(name, _)| name).join(", ");
    let Some(header) = rows.next() else {
        return Err(vec![fault(
            (1, 1),
            "the list is empty".to_owned(),
            "write a header line first",
        )]);
    };
    let mut faults = Vec::new();
    let mut columns: Vec<&(&str, &[&str])> = Vec::new();
    for cell in &header {
        match COLUMNS.iter().find(|(name, _)| cell.text.eq_ignore_ascii_case(name)) {
            Some(column) if columns.iter().any(|one| one.0 == column.0) => {
                let what = format!("the column `{}` stands twice", column.0);
                faults.push(fault(cell.place, what, "keep one of the two"));
            }
            Some(column) => columns.push(column),
            None => {
                let what = format!("unknown column `{}`", cell.text);
                faults.push(fault(cell.place, what, &format!("write one of: {names}")));
            }
        }
    }
    if !columns.iter().any(|one| one.0 == "id") {
        faults.push(fault(
            (1, 1),
            "there is no column `id`".to_owned(),
            "add it: it says which service",
        ));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut lines: Vec<Line> = Vec::new();
    for row in rows {
        match line(&columns, &row, &fault) {
            Ok(one) if lines.iter().any(|other| other.id == one.id) => {
                let what = format!("the service `{}` stands twice", one.id);
                faults.push(fault(one.place, what, "keep one of the two lines"));
            }
            Ok(one) => lines.push(one),
            Err(mut more) => faults.append(&mut more),
        }
    }
    if faults.is_empty() { Ok(lines) } else { Err(faults) }
}

fn line(
    columns: &[&(&'static str, &'static [&'static str])],
    row: &Row,
    fault: &impl Fn((usize, usize), String, &str) -> Fault,
) -> Result<Line, Vec<Fault>> {
    let place = row.first().map_or((1, 1), |cell| cell.place);
    if row.len() != columns.len() {
        let what = format!("{} cells where the header has {}", row.len(), columns.len());
        let place = row.last().map_or(place, |cell| cell.place);
        return Err(vec![fault(
            place,
            what,
            "give the line as many; quote a cell that holds a comma",
        )]);
    }
    let mut line = Line { id: String::new(), place, cells: Vec::new() };
    let mut faults = Vec::new();
    for ((name, path), cell) in columns.iter().zip(row) {
        if let Some((what, cure)) = wrong_with(name, cell) {
            faults.push(fault(cell.place, what, cure));
        } else if *name == "id" {
            line.id.clone_from(&cell.text);
            line.place = cell.place;
        } else if !cell.text.is_empty() {
            line.cells.push((name, path, cell.text.clone()));
        }
    }
    if faults.is_empty() { Ok(line) } else { Err(faults) }
}

/// What is wrong with a cell, and what to write instead. A personal name is never repeated.
fn wrong_with(column: &str, cell: &Cell) -> Option<(String, &'static str)> {
    let text = cell.text.as_str();
    let number = || text.parse::<u16>().ok();
    match column {
        "id" => {
            let is_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            let good = !text.is_empty() && text != "none" && text.chars().all(is_id);
            (!good).then(|| {
                (format!("`{text}` is no id of a service"), "write small letters, digits and _")
            })
        }
        _ if text.is_empty() => None,
        _ if text.chars().any(char::is_control) => {
            Some(("a line break or tab stands in the cell".to_owned(), "write it on one line"))
        }
        "table" if !matches!(number(), Some(6 | 9)) => {
            Some((format!("table {text} counts no services"), "write 6 or 9"))
        }
        "division" if !matches!(text, "ics" | "epa" | "sen" | "dcs") => {
            Some((format!("unknown division `{text}`"), "write one of: ics, epa, sen, dcs"))
        }
        OPTIONAL if number().is_none_or(|days| days > super::MOST_MARGIN) => {
            Some((format!("`{text}` is no margin"), "write 0 to 260 working days"))
        }
        _ if column.ends_with("_address") && !looks_like_address(text) => {
            Some((format!("`{text}` is not an e-mail address"), "write name@domain"))
        }
        _ => None,
    }
}

/// What stands below a section at a path.
fn at<'a, 'b>(
    section: &'a Spanned<DeValue<'b>>,
    path: &[&str],
) -> Option<&'a Spanned<DeValue<'b>>> {
    path.iter().try_fold(section, |section, name| section.get_ref().get(*name))
}

fn value(text: &str, there: &Spanned<DeValue<'_>>) -> String {
    let written = || text.get(there.span()).unwrap_or_default().to_owned();
    there.get_ref().as_str().map_or_else(written, str::to_owned)
}

fn literal(column: &str, text: &str) -> String {
    if matches!(column, "table" | "checking_margin") {
        return text.to_owned();
    }
    toml::Value::String(text.to_owned()).to_string()
}

fn changed(
    text: &str,
    service: &Spanned<DeValue<'_>>,
    row: &Line,
    edits: &mut Vec<(Range<usize>, String)>,
) -> Option<Change> {
    let mut fields = Vec::new();
    for (column, path, wanted) in &row.cells {
        let there = at(service, path);
        let before = there.map(|there| value(text, there));
        if before.as_deref() == Some(wanted) {
            continue;
        }
        if let Some(there) = there {
            edits.push((there.span(), literal(column, wanted)));
        } else {
            let id = at(service, &["id"])?.span().end;
            let rest = text.get(id..).unwrap_or_default();
            let end = id + rest.find(['\r', '\n']).unwrap_or(rest.len());
            edits.push((end..end, format!("\n{column} = {}", literal(column, wanted))));
        }
        fields.push(Field { field: (*column).to_owned(), before, after: wanted.clone() });
    }
    (!fields.is_empty()).then(|| Change { service: row.id.clone(), is_new: false, fields })
}

fn added(list: &str, row: &Line, appended: &mut String) -> Result<Option<Change>, Fault> {
    let of = |column: &str| row.cells.iter().find(|cell| cell.0 == column).map(|cell| &cell.2);
    let needed =
        COLUMNS.iter().map(|(name, _)| *name).filter(|name| !["id", OPTIONAL].contains(name));
    let missing: Vec<&str> = needed.filter(|name| of(name).is_none()).collect();
    if !missing.is_empty() {
        let what = format!("the service `{}` is new and lacks {}", row.id, missing.join(", "));
        let cure = "fill these in, or correct the id";
        return Err(Fault { at: Some(row.place), ..Fault::new(list, what, cure) });
    }
    let mut lines = vec![String::new(), "[[service]]".to_owned()];
    lines.push(format!("id = {}", literal("id", &row.id)));
    for (column, path) in COLUMNS.iter().skip(1) {
        let written =
            |column: &str| of(column).map(|text| literal(column, text)).unwrap_or_default();
        match path {
            [key] if of(column).is_some() => lines.push(format!("{key} = {}", written(column))),
            [key, "name"] => {
                let address = written(&format!("{key}_address"));
                let name = written(column);
                lines.push(format!("{key} = {{ name = {name}, address = {address} }}"));
            }
            _ => {}
        }
    }
    appended.push_str(&lines.join("\n"));
    appended.push('\n');
    let fields = row.cells.iter().map(|(column, _, text)| Field {
        field: (*column).to_owned(),
        before: None,
        after: text.clone(),
    });
    Ok(Some(Change { service: row.id.clone(), is_new: true, fields: fields.collect() }))
}

/// The text with every edit made, the last first: places before one stay as they are.
fn edited(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(place, _)| place.start);
    let mut next = text.to_owned();
    for (place, written) in edits.into_iter().rev() {
        next.replace_range(place, &written);
    }
    if !next.ends_with('\n') {
        next.push('\n');
    }
    next
}

/// Whether the directory is valid and holds every cell of the list.
fn holds(file: &str, next: &str, rows: &[Line]) -> bool {
    let (Ok(_), Ok(root)) = (Services::from_toml(file, next), DeTable::parse(next)) else {
        return false;
    };
    let services = root.get_ref().get("service");
    rows.iter().all(|row| {
        let mut all = (0..).map_while(|number| services?.get_ref().get(number));
        let service = all.find(|one| at(one, &["id"]).is_some_and(|id| value(next, id) == row.id));
        service.is_some_and(|service| {
            let is = |path: &[&str], wanted: &String| {
                at(service, path).is_some_and(|there| value(next, there) == *wanted)
            };
            row.cells.iter().all(|(_, path, wanted)| is(path, wanted))
        })
    })
}

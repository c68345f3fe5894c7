//! The directory of services out of a list that another system writes (CSV): what it changes in `services.toml`, and
//! the file as it then stands, comments and all.

use std::ops::Range;

use serde::Serialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Services, area, looks_like_address};
use crate::fault::Fault;

mod csv;
use csv::{Cell, Row};

/// The columns by name, each with where its value stands in a `[[service]]` or `[[service.area]]`.
const COLUMNS: [(&str, &[&str]); 22] = [
    ("id", &["id"]),
    ("label", &["label"]),
    ("name", &["name"]),
    ("table", &["table"]),
    ("division", &["division"]),
    ("area", &["id"]),
    ("districts", &["districts"]),
    ("postcodes", &["postcodes"]),
    ("checking_margin", &["checking_margin"]),
    ("ask", &["ask"]),
    ("attach_message", &["attach_message"]),
    ("skip", &["skip"]),
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
/// The columns that say which service or area, and those without which a new service is whole.
const OPTIONAL: [&str; 8] =
    ["id", "area", "districts", "postcodes", MARGIN, "ask", "attach_message", "skip"];
const MARGIN: &str = "checking_margin";
/// The columns whose cells hold several values, with `;` between them.
const LISTS: [&str; 3] = ["districts", "postcodes", "skip"];
/// The columns that only an area has.
const OF_AREAS: [&str; 2] = ["districts", "postcodes"];
/// The beginnings of those columns that an area has not.
const OF_SERVICES: [&str; 5] =
    ["label", "table", "division", "divisional_director_", "corporate_director_"];

/// What an import changes of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The service.
    pub service: String,
    /// Its area, where it is one that changes.
    pub area: Option<String>,
    /// Whether the directory does not have that yet.
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
    // The new service below which its areas are written.
    let mut newest: Option<&str> = None;
    for row in &rows {
        let service = services.and_then(|all| of_id(text, all, &row.id));
        let there = match (&row.area, service) {
            (None, service) => service,
            (Some(area), Some(service)) => {
                at(service, &["area"]).and_then(|all| of_id(text, all, area))
            }
            (Some(_), None) => None,
        };
        let change = match (there, &row.area, service) {
            (Some(there), ..) => changed(list, text, there, row, &mut edits),
            (None, Some(_), Some(service)) => added(list, row).map(|(written, change)| {
                let end = line_end(text, last(service));
                edits.push((end..end, format!("\n{}", written.trim_end())));
                Some(change)
            }),
            (None, Some(_), None) if newest != Some(row.id.as_str()) => Err(row.fault(
                list,
                format!("there is no service `{}`", row.id),
                "write the line of a new service above those of its areas, or correct the id",
            )),
            (None, area, _) => added(list, row).map(|(written, change)| {
                appended.push_str(&written);
                newest = if area.is_none() { Some(row.id.as_str()) } else { newest };
                Some(change)
            }),
        };
        changes.extend(change.unwrap_or_else(|fault| {
            faults.push(fault);
            None
        }));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let next = edited(text, edits) + &appended;
    if let Err(wrong) = Services::from_toml(file, &next) {
        // Each line by itself may be right and all of them not: two areas of one postcode.
        let of_list = |fault: Fault| Fault { at: None, file: list.to_owned(), ..fault };
        return Err(wrong.into_iter().map(of_list).collect());
    }
    if holds(&next, &rows) {
        Ok((next, changes))
    } else {
        let cure = "write each service as a [[service]] section with its id on a line of its own, or change it by hand";
        Err(vec![Fault::new(file, "cannot be changed by an import as it is written", cure)])
    }
}

/// A cell that says something: its column, where that stands, and what it says.
type Said = (&'static str, &'static [&'static str], String);

/// A line of the list: the service or its area, and the cells that say something.
struct Line {
    id: String,
    area: Option<String>,
    place: (usize, usize),
    cells: Vec<Said>,
}

impl Line {
    fn fault(&self, list: &str, what: String, cure: &str) -> Fault {
        Fault { at: Some(self.place), ..Fault::new(list, what, cure) }
    }

    /// The service or area in words.
    fn named(&self) -> String {
        match &self.area {
            Some(area) => format!("area `{area}` of `{}`", self.id),
            None => format!("service `{}`", self.id),
        }
    }
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
            Ok(one) if lines.iter().any(|other| other.id == one.id && other.area == one.area) => {
                let what = format!("the {} stands twice", one.named());
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
    let mut line = Line { id: String::new(), area: None, place, cells: Vec::new() };
    let mut faults = Vec::new();
    let is_area =
        columns.iter().zip(row).any(|((name, _), cell)| *name == "area" && !cell.text.is_empty());
    for ((name, path), cell) in columns.iter().zip(row) {
        if let Some((what, cure)) =
            wrong_with(name, cell).or_else(|| misplaced(name, cell, is_area))
        {
            faults.push(fault(cell.place, what, cure));
        } else if *name == "id" {
            line.id.clone_from(&cell.text);
            line.place = cell.place;
        } else if cell.text.is_empty() {
        } else if *name == "area" {
            line.area = Some(cell.text.clone());
        } else {
            line.cells.push((name, path, as_kept(name, &cell.text)));
        }
    }
    if faults.is_empty() { Ok(line) } else { Err(faults) }
}

/// The values of a cell that holds several.
fn several(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').map(str::trim).filter(|one| !one.is_empty())
}

/// What a cell says, in the one way of writing that the directory's values are compared with.
fn as_kept(column: &str, text: &str) -> String {
    if !LISTS.contains(&column) {
        return text.to_owned();
    }
    let kept = |one: &str| {
        if column == "postcodes" { area::prefix(one) } else { None }
            .unwrap_or_else(|| one.to_owned())
    };
    several(text).map(kept).collect::<Vec<_>>().join("; ")
}

/// What is wrong with a cell in a line of an area, or of none.
fn misplaced(column: &str, cell: &Cell, is_area: bool) -> Option<(String, &'static str)> {
    if cell.text.is_empty() {
        return None;
    }
    let of_services = OF_SERVICES.iter().any(|start| column.starts_with(start));
    if is_area && of_services {
        return Some((format!("an area has no {column} of its own"), "leave the cell empty"));
    }
    let lost = !is_area && OF_AREAS.contains(&column);
    lost.then(|| (format!("only an area has {column}"), "name the area in the column `area`"))
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
        "area" => (!area::is_id(text)).then(|| {
            (format!("`{text}` is no id of an area"), "write small letters, digits and _")
        }),
        "postcodes" => several(text).find(|one| area::prefix(one).is_none()).map(|one| {
            let what = format!("`{one}` is no beginning of a postcode");
            (
                what,
                "write what stands before the space (NM1), or that and the digit after it (NM2 4)",
            )
        }),
        "ask" if !matches!(text, "inbox" | "manager" | "both") => {
            Some((format!("`{text}` is nobody who is asked"), "write inbox, manager or both"))
        }
        "attach_message" if !matches!(text, "true" | "false") => {
            Some((format!("`{text}` is neither"), "write true or false"))
        }
        _ if text.chars().any(char::is_control) => {
            Some(("a line break or tab stands in the cell".to_owned(), "write it on one line"))
        }
        "table" if !matches!(number(), Some(6 | 9)) => {
            Some((format!("table {text} counts no services"), "write 6 or 9"))
        }
        "division" if !matches!(text, "ics" | "epa" | "sen" | "dcs") => {
            Some((format!("unknown division `{text}`"), "write one of: ics, epa, sen, dcs"))
        }
        MARGIN if number().is_none_or(|days| days > super::MOST_MARGIN) => {
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

/// The section of an id in a list of them.
fn of_id<'a, 'b>(
    text: &str,
    all: &'a Spanned<DeValue<'b>>,
    id: &str,
) -> Option<&'a Spanned<DeValue<'b>>> {
    let mut sections = (0..).map_while(|number| all.get_ref().get(number));
    sections.find(|one| at(one, &["id"]).is_some_and(|there| value(text, there) == id))
}

fn value(text: &str, there: &Spanned<DeValue<'_>>) -> String {
    if let DeValue::Array(all) = there.get_ref() {
        return all.iter().map(|one| value(text, one)).collect::<Vec<_>>().join("; ");
    }
    let written = || text.get(there.span()).unwrap_or_default().to_owned();
    there.get_ref().as_str().map_or_else(written, str::to_owned)
}

/// Where the last of a section's values ends.
fn last(section: &Spanned<DeValue<'_>>) -> usize {
    let inner = match section.get_ref() {
        DeValue::Table(table) => table.values().map(last).max(),
        DeValue::Array(all) => all.iter().map(last).max(),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => None,
    };
    // A section of its own header has that as its place, an inline one its braces.
    inner.unwrap_or(0).max(section.span().end)
}

/// Where the line of a place ends.
fn line_end(text: &str, place: usize) -> usize {
    let rest = text.get(place..).unwrap_or_default();
    place + rest.find(['\r', '\n']).unwrap_or(rest.len())
}

fn literal(column: &str, text: &str) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    if matches!(column, "table" | MARGIN | "attach_message") {
        return text.to_owned();
    }
    if LISTS.contains(&column) {
        let all: Vec<String> = several(text).map(quoted).collect();
        return format!("[{}]", all.join(", "));
    }
    quoted(text)
}

/// The lines that say something of which nothing stands yet: a contact in one, by its name and address.
fn lines<'a>(list: &str, row: &'a Line, missing: &[&'a Said]) -> Result<Vec<String>, Fault> {
    let of = |column: &str| missing.iter().find(|cell| cell.0 == column).map(|cell| &cell.2);
    let mut lines = Vec::new();
    for (column, path, text) in missing {
        match path {
            [key] => lines.push(format!("{key} = {}", literal(column, text))),
            [key, part] => {
                let (name, address) = (format!("{key}_name"), format!("{key}_address"));
                let (Some(named), Some(reached)) = (of(&name), of(&address)) else {
                    let what = format!("the {} has no {key} yet", row.named());
                    let cure = format!("fill in both {name} and {address}");
                    return Err(row.fault(list, what, &cure));
                };
                if *part == "name" {
                    let (name, address) = (literal(&name, named), literal(&address, reached));
                    lines.push(format!("{key} = {{ name = {name}, address = {address} }}"));
                }
            }
            _ => {}
        }
    }
    Ok(lines)
}

fn changed(
    list: &str,
    text: &str,
    section: &Spanned<DeValue<'_>>,
    row: &Line,
    edits: &mut Vec<(Range<usize>, String)>,
) -> Result<Option<Change>, Fault> {
    let (mut fields, mut missing) = (Vec::new(), Vec::new());
    for cell in &row.cells {
        let (column, path, wanted) = cell;
        let there = at(section, path);
        let before = there.map(|there| value(text, there));
        if before.as_deref() == Some(wanted) {
            continue;
        }
        match there {
            Some(there) => edits.push((there.span(), literal(column, wanted))),
            None => missing.push(cell),
        }
        fields.push(Field { field: (*column).to_owned(), before, after: wanted.clone() });
    }
    if let Some(id) = at(section, &["id"]).filter(|_| !missing.is_empty()) {
        let end = line_end(text, id.span().end);
        let lines = lines(list, row, &missing)?.into_iter().map(|line| format!("\n{line}"));
        edits.push((end..end, lines.collect()));
    }
    let change = Change { service: row.id.clone(), area: row.area.clone(), is_new: false, fields };
    Ok((!change.fields.is_empty()).then_some(change))
}

/// A section that the directory does not have yet, as it is written into it.
fn added(list: &str, row: &Line) -> Result<(String, Change), Fault> {
    let has = |column: &str| row.cells.iter().any(|cell| cell.0 == column);
    let needed: Vec<&str> = match &row.area {
        Some(_) => vec!["name"],
        None => {
            COLUMNS.iter().map(|(name, _)| *name).filter(|one| !OPTIONAL.contains(one)).collect()
        }
    };
    let missing: Vec<&str> = needed.into_iter().filter(|name| !has(name)).collect();
    if !missing.is_empty() {
        let what = format!("the {} is new and lacks {}", row.named(), missing.join(", "));
        return Err(row.fault(list, what, "fill these in, or correct the id"));
    }
    let (header, id) = match &row.area {
        Some(area) => ("[[service.area]]", area),
        None => ("[[service]]", &row.id),
    };
    let mut written = vec![String::new(), header.to_owned(), format!("id = {}", literal("id", id))];
    let place = |cell: &&Said| COLUMNS.iter().position(|(name, _)| *name == cell.0);
    let mut cells: Vec<&Said> = row.cells.iter().collect();
    cells.sort_by_key(place);
    written.extend(lines(list, row, &cells)?);
    let fields = row.cells.iter().map(|(column, _, text)| Field {
        field: (*column).to_owned(),
        before: None,
        after: text.clone(),
    });
    let fields = fields.collect();
    let change = Change { service: row.id.clone(), area: row.area.clone(), is_new: true, fields };
    Ok((written.join("\n") + "\n", change))
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

/// Whether the directory holds every cell of the list.
fn holds(next: &str, rows: &[Line]) -> bool {
    let Ok(root) = DeTable::parse(next) else { return false };
    let services = root.get_ref().get("service");
    rows.iter().all(|row| {
        let service = services.and_then(|all| of_id(next, all, &row.id));
        let section = match &row.area {
            None => service,
            Some(area) => service
                .and_then(|service| at(service, &["area"]))
                .and_then(|all| of_id(next, all, area)),
        };
        section.is_some_and(|section| {
            let is = |path: &[&str], wanted: &String| {
                at(section, path).is_some_and(|there| value(next, there) == *wanted)
            };
            row.cells.iter().all(|(_, path, wanted)| is(path, wanted))
        })
    })
}

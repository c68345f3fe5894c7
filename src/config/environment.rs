//! Settings from the environment: `POSTERN__SECTION__KEY`.

use toml::{Table, Value};

use crate::fault::Fault;

/// One variable and where in the settings it belongs.
pub(super) struct Override {
    pub(super) variable: String,
    path: Vec<String>,
    value: String,
}

/// The variables that speak to us, in name order.
pub(super) fn overrides(environment: impl IntoIterator<Item = (String, String)>) -> Vec<Override> {
    let mut found: Vec<_> = environment
        .into_iter()
        .filter_map(|(variable, value)| {
            let path = variable.strip_prefix("POSTERN__")?;
            let path = path.split("__").map(str::to_lowercase).collect();
            Some(Override { variable, path, value })
        })
        .collect();
    found.sort_by(|a, b| a.variable.cmp(&b.variable));
    found
}

/// Settings that are text even where they look like a number.
const TEXT: [&str; 5] = ["password", "user", "name", "phone", "out_of_hours_phone"];

impl Override {
    /// Puts the value in its place. A value that is TOML (a number, `true`, a list) is taken as such,
    /// anything else as text; so is what is text whatever it looks like, such as a password of digits.
    pub(super) fn apply(&self, table: &mut Table) -> Result<(), Vec<Fault>> {
        let always_text = self.path.last().is_some_and(|key| TEXT.contains(&key.as_str()));
        let value = toml::from_str::<Table>(&format!("value = {}", self.value))
            .ok()
            .filter(|_| !always_text)
            .and_then(|mut parsed| parsed.remove("value"))
            .unwrap_or_else(|| Value::String(self.value.clone()));
        let mut root = Value::Table(std::mem::take(table));
        let placed = place(&mut root, &self.path, value);
        if let Value::Table(inner) = root {
            *table = inner;
        }
        placed.ok_or_else(|| {
            vec![Fault::new(
                "environment",
                format!("{} leads nowhere", self.variable),
                "write POSTERN__SECTION__KEY; a mailbox is counted from 0 and must stand in the file",
            )]
        })
    }
}

fn place(node: &mut Value, path: &[String], value: Value) -> Option<()> {
    let (first, rest) = path.split_first()?;
    match node {
        Value::Array(items) => place(items.get_mut(first.parse::<usize>().ok()?)?, rest, value),
        Value::Table(table) if rest.is_empty() => {
            table.insert(first.clone(), value);
            Some(())
        }
        Value::Table(table) => {
            let missing = Value::Table(Table::new());
            let list = first == "mailbox" && !table.contains_key(first);
            if list {
                return None;
            }
            place(table.entry(first.clone()).or_insert(missing), rest, value)
        }
        Value::String(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_) => None,
    }
}

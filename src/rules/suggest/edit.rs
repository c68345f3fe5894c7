//! Changes one rule or row in the text of its file, and leaves the rest as people wrote it.

/// What changes.
pub(super) enum Edit<'a> {
    /// A number: `weight`, `sure`.
    Number(&'a str, f64),
    /// One more phrase that keeps the rule from firing.
    Unless(&'a str),
}

/// The file's new text, and the rule or row as it stands there. `at` is where it begins. Nothing where it
/// is written in a way that is not understood here.
pub(super) fn edited(text: &str, at: usize, edit: &Edit<'_>) -> Option<(String, String)> {
    let from = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    let rest = text.get(from..)?;
    let length = rest.get(2..)?.find("\n[").map_or(rest.len(), |end| end + 3);
    let mut lines: Vec<String> = rest.get(..length)?.lines().map(str::to_owned).collect();
    let line_of = |lines: &[String], key: &str| {
        let is_it = |line: &String| line.split('=').next().map(str::trim) == Some(key);
        lines.iter().position(is_it)
    };
    match edit {
        Edit::Number(key, number) => {
            if let Some(line) = line_of(&lines, key).and_then(|at| lines.get_mut(at)) {
                let before = line.split('=').next().unwrap_or_default();
                *line = format!("{before}= {number:?}");
            } else {
                lines.insert(line_of(&lines, "id")? + 1, format!("{key} = {number:?}"));
            }
        }
        Edit::Unless(phrase) => {
            if let Some(line) = line_of(&lines, "unless").and_then(|at| lines.get_mut(at)) {
                let (before, after) = line.split_once('[')?;
                *line = format!("{before}[\"{phrase}\", {after}");
            } else {
                lines.insert(line_of(&lines, "weight")? + 1, format!("unless = [\"{phrase}\"]"));
            }
        }
    }
    let whole = lines.join("\n") + "\n";
    let after = text.get(from + length..)?;
    // What stands between this one and the next belongs to the next.
    while lines.last().is_some_and(|line| line.trim().is_empty() || line.starts_with('#')) {
        lines.pop();
    }
    Some((format!("{}{whole}{after}", text.get(..from)?), lines.join("\n") + "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# Ours.\n[[rule]]\nid      = \"a\"\nweight  = 5.0\nwords = [\"x\"]\n\n# Next.\n\
        [[rule]]\nid = \"b\"\nweight = 1\nunless = [\"y\"]\n";

    #[test]
    fn one_line_changes_and_the_rest_stays() {
        let (whole, rule) = edited(FILE, 8, &Edit::Number("weight", 2.5)).unwrap();
        assert_eq!(whole, FILE.replace("weight  = 5.0", "weight  = 2.5"));
        assert_eq!(rule, "[[rule]]\nid      = \"a\"\nweight  = 2.5\nwords = [\"x\"]\n");
        let (whole, _) = edited(FILE, 8, &Edit::Number("sure", 0.5)).unwrap();
        assert_eq!(whole, FILE.replace("\"a\"\n", "\"a\"\nsure = 0.5\n"));
        let (whole, _) = edited(FILE, 8, &Edit::Unless("no bus")).unwrap();
        assert_eq!(whole, FILE.replace("5.0\n", "5.0\nunless = [\"no bus\"]\n"));
        let at = FILE.rfind("[[").unwrap();
        let (whole, rule) = edited(FILE, at, &Edit::Unless("no bus")).unwrap();
        assert_eq!(whole, FILE.replace("[\"y\"]", "[\"no bus\", \"y\"]"));
        assert!(rule.starts_with("[[rule]]\nid = \"b\""));
    }
}

//! Comma-separated values (RFC 4180) with the place of every cell, which whoever corrects the list needs.

/// A cell without its quotes and outer spaces, and where it begins: line and column, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) place: (usize, usize),
}

/// The cells of a line.
pub(super) type Row = Vec<Cell>;

/// What cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) place: (usize, usize),
    pub(super) what: String,
    pub(super) cure: &'static str,
}

/// Every line that is not empty.
pub(super) fn read(text: &str) -> Result<Vec<Row>, Unreadable> {
    let mut rows = Vec::new();
    let mut row = Row::new();
    let (mut line, mut column) = (1, 1);
    let mut letters = text.chars().peekable();
    loop {
        let place = (line, column);
        let mut cell = String::new();
        let is_quoted = letters.next_if_eq(&'"').is_some();
        column += usize::from(is_quoted);
        let mut open = is_quoted;
        let end = loop {
            let letter = letters.next();
            column += 1;
            match letter {
                None if open => {
                    let what = "the quotes that begin here do not end".to_owned();
                    return Err(Unreadable { place, what, cure: "close them with \"" });
                }
                Some('"') if open && letters.next_if_eq(&'"').is_some() => {
                    column += 1;
                    cell.push('"');
                }
                Some('"') if open => open = false,
                Some(letter) if open => {
                    if letter == '\n' {
                        (line, column) = (line + 1, 1);
                    }
                    cell.push(letter);
                }
                None | Some(',' | '\n') => break letter,
                Some('\r' | ' ' | '\t') if is_quoted => {}
                Some('"') => {
                    let what = "quotes stand in a cell that does not begin with them".to_owned();
                    let cure = "put the whole cell in quotes, and write each quote in it twice";
                    return Err(Unreadable { place: (line, column - 1), what, cure });
                }
                Some(_) if is_quoted => {
                    let what = "the cell goes on after its closing quotes".to_owned();
                    let cure = "write each quote inside a quoted cell twice";
                    return Err(Unreadable { place: (line, column - 1), what, cure });
                }
                Some(letter) => cell.push(letter),
            }
        };
        row.push(Cell { text: cell.trim().to_owned(), place });
        if end != Some(',') {
            if row.iter().any(|cell| !cell.text.is_empty()) {
                rows.push(std::mem::take(&mut row));
            }
            row.clear();
            (line, column) = (line + 1, 1);
        }
        if end.is_none() {
            return Ok(rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<Vec<String>> {
        let rows = read(text).unwrap();
        rows.into_iter().map(|row| row.into_iter().map(|cell| cell.text).collect()).collect()
    }

    #[test]
    fn quotes_commas_lines_and_places() {
        assert_eq!(
            texts("a,b\r\n\r\n\"x, \"\"y\"\"\", z \r\n,\n"),
            [["a", "b"], ["x, \"y\"", "z"]]
        );
        assert_eq!(texts("a,b\n\"1\n2\",3"), [["a", "b"], ["1\n2", "3"]]);
        let rows = read("a,\"b\",c\n\"x\n\",y").unwrap();
        let places = |row: &Row| row.iter().map(|cell| cell.place).collect::<Vec<_>>();
        assert_eq!(places(&rows[0]), [(1, 1), (1, 3), (1, 7)]);
        assert_eq!(places(&rows[1]), [(2, 1), (3, 3)]);
    }

    #[test]
    fn what_cannot_be_read_is_told_where() {
        for (text, place) in [("a\n\"b", (2, 1)), ("a,b\"c", (1, 4)), ("a\n\"b\"c", (2, 4))] {
            assert_eq!(read(text).unwrap_err().place, place, "{text}");
        }
    }
}

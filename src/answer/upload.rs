//! A form as it was sent, with its files: `multipart/form-data` as browsers write it (RFC 7578).
//!
//! A form may be longer than is taken. It is read to its end all the same, and what is too much is let go: a browser
//! shows what it is answered only once it has sent everything.

use axum::body::Body;
use axum::extract::{Form, FromRequest as _, Request};
use axum::http::header;
use futures::StreamExt as _;

use super::LARGEST_FORM;
use super::form::Typed;
use crate::email::uploaded;
use crate::store::uploads::Upload;

/// How often over more is read than is taken, before the browser is hung up on.
const READ_OVER: usize = 16;
/// The most parts of a form, and the most files among them.
const MOST_PARTS: usize = 500;
pub(super) const MOST_FILES: usize = 10;

/// What was sent.
#[derive(Debug, Default)]
pub(super) struct Posted {
    pub(super) typed: Typed,
    /// The files that were chosen, as they came.
    pub(super) files: Vec<Upload>,
    /// They were more than are taken.
    pub(super) too_large: bool,
}

impl Posted {
    /// Whether a file that was chosen before is to be taken away.
    pub(super) fn drops(&self, file: i64) -> bool {
        !self.typed.get(&format!("drop-{file}")).is_empty()
    }
}

/// Reads a form with at most so many bytes of files. None where it is none.
pub(super) async fn read(request: Request, most: usize) -> Option<Posted> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let Some(boundary) = kind.and_then(boundary) else {
        let fields = Form::<Vec<(String, String)>>::from_request(request, &()).await.ok()?;
        return Some(Posted { typed: Typed::of(fields.0), ..Posted::default() });
    };
    let (bytes, is_whole) = taken(request.into_body(), most.saturating_add(LARGEST_FORM)).await?;
    let (parts, is_ended) = parts(&boundary, &bytes)?;
    // Who broke off has sent nothing.
    if is_whole && !is_ended {
        return None;
    }
    let mut posted = Posted { too_large: !is_whole, ..Posted::default() };
    let (mut fields, mut size) = (Vec::new(), 0_usize);
    for part in parts {
        let Some(name) = part.file else {
            fields.push((part.field, String::from_utf8_lossy(part.bytes).into_owned()));
            continue;
        };
        // A field of files in which none was chosen.
        if name.is_empty() && part.bytes.is_empty() {
            continue;
        }
        size = size.saturating_add(part.bytes.len());
        let file = uploaded(Some(&name), &part.media_type, part.bytes);
        posted.files.push(Upload { file, bytes: part.bytes.to_vec() });
    }
    posted.typed = Typed::of(fields);
    posted.too_large |= size > most;
    Some(posted)
}

/// The beginning of a body, and whether that is all of it. None where the browser broke off.
async fn taken(body: Body, most: usize) -> Option<(Vec<u8>, bool)> {
    let (mut kept, mut read) = (Vec::new(), 0_usize);
    let mut stream = body.into_data_stream();
    while let Some(some) = stream.next().await {
        let some = some.ok()?;
        read = read.saturating_add(some.len());
        let room = most.saturating_sub(kept.len()).min(some.len());
        kept.extend_from_slice(some.get(..room).unwrap_or_default());
        if read > most.saturating_mul(READ_OVER) {
            break;
        }
    }
    Some((kept, read <= most))
}

/// The boundary that a content type names, where it is that of a form with files.
fn boundary(kind: &str) -> Option<String> {
    let (media, rest) = kind.split_once(';')?;
    if !media.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters(rest).find(|(name, _)| name == "boundary")?.1;
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

/// One part of a form.
#[derive(Debug, PartialEq, Eq)]
struct Part<'a> {
    field: String,
    /// The file's name, where it is one.
    file: Option<String>,
    media_type: String,
    bytes: &'a [u8],
}

/// The parts of a form that are whole, and whether the form is. None where it does not begin as one.
fn parts<'a>(boundary: &str, body: &'a [u8]) -> Option<(Vec<Part<'a>>, bool)> {
    let mark = format!("--{boundary}");
    let between = format!("\r\n{mark}");
    let mut rest = body.strip_prefix(mark.as_bytes())?;
    let mut parts = Vec::new();
    while parts.len() < MOST_PARTS {
        if rest.starts_with(b"--") {
            return Some((parts, true));
        }
        let Some(inner) = rest.strip_prefix(b"\r\n") else { break };
        let Some(end) = memchr::memmem::find(inner, between.as_bytes()) else { break };
        let (part, after) = inner.split_at_checked(end)?;
        rest = after.get(between.len()..)?;
        parts.extend(part_of(part));
    }
    Some((parts, false))
}

/// One part, by its own lines at its head. None where they name no field.
fn part_of(part: &[u8]) -> Option<Part<'_>> {
    let end = memchr::memmem::find(part, b"\r\n\r\n")?;
    let (head, rest) = part.split_at_checked(end)?;
    let head = String::from_utf8_lossy(head);
    let line = |wanted: &str| {
        let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    };
    let said = line("content-disposition")?.split_once(';')?.1;
    let named = |wanted: &str| {
        parameters(said).find(|(name, _)| name == wanted).map(|(_, value)| plain(&value))
    };
    Some(Part {
        field: named("name")?,
        file: named("filename"),
        media_type: line("content-type").unwrap_or_default().trim().to_owned(),
        bytes: rest.get(4..)?,
    })
}

/// Parameters as `; name="value"`, their names in small letters. Within quotes a backslash counts before a quote alone:
/// some browsers write whole paths.
fn parameters(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (name, after) = rest.split_once('=')?;
        let name = name.trim_matches(|c: char| c == ';' || c.is_whitespace()).to_ascii_lowercase();
        let value;
        (value, rest) = if let Some(quoted) = after.strip_prefix('"') {
            quoted_value(quoted)
        } else {
            let (value, rest) = after.split_at(after.find(';').unwrap_or(after.len()));
            (value.trim().to_owned(), rest)
        };
        Some((name, value))
    })
}

fn quoted_value(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, text.get(at + 1..).unwrap_or_default()),
            '\\' if letters.peek().is_some_and(|(_, next)| *next == '"') => {
                value.push('"');
                letters.next();
            }
            letter => value.push(letter),
        }
    }
    (value, "")
}

/// What a browser writes in place of what would end the name.
fn plain(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (head, bytes) in parts {
            body.extend_from_slice(format!("--xYz\r\n{head}\r\n\r\n").as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--xYz--\r\n");
        body
    }

    async fn posted(body: Vec<u8>, most: usize) -> Option<Posted> {
        let request = Request::builder()
            .header("content-type", "multipart/form-data; boundary=xYz")
            .body(Body::from(body))
            .unwrap();
        read(request, most).await
    }

    const FILE: &str = "Content-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\
                        Content-Type: application/pdf";

    #[tokio::test]
    async fn a_form_is_read_with_its_files() {
        let name = "Content-Disposition: form-data; name=\"name\"";
        let none = "content-disposition: form-data; name=\"file\"; filename=\"\"\r\n\
                    Content-Type: application/octet-stream";
        let body = form(&[(name, "Jo Läne".as_bytes()), (FILE, b"%PDF-1.7\r\n--xY"), (none, b"")]);
        let read = posted(body, 100).await.unwrap();
        assert_eq!(read.typed.get("name"), "Jo Läne");
        assert_eq!(read.files.len(), 1, "{read:?}");
        assert_eq!(read.files[0].bytes, b"%PDF-1.7\r\n--xY");
        let file = &read.files[0].file;
        assert_eq!(file.name.as_ref().map(|name| name.as_str()), Some("a.pdf"));
        assert_eq!((file.media_type.as_str(), file.bytes), ("application/pdf", 14));
        assert!(!read.too_large);
        assert!(posted(b"what=x".to_vec(), 100).await.is_none());
        let cut = form(&[(FILE, b"%PDF")]);
        assert!(posted(cut[..cut.len() - 12].to_vec(), 100).await.is_none(), "it broke off");
    }

    #[tokio::test]
    async fn what_is_too_large_is_let_go_and_what_was_typed_stays() {
        let what = "Content-Disposition: form-data; name=\"what\"";
        let read = posted(form(&[(what, b"It was late."), (FILE, &[7; 101])]), 100).await.unwrap();
        assert!(read.too_large && read.files.len() == 1, "within what is read at all");
        let large = vec![7; 3 * LARGEST_FORM];
        let read = posted(form(&[(what, b"It was late."), (FILE, &large)]), 100).await.unwrap();
        assert!(read.too_large && read.files.is_empty());
        assert_eq!(read.typed.get("what"), "It was late.");
    }

    #[test]
    fn names_are_read_as_browsers_and_programs_write_them() {
        let read = |text: &str| parameters(text).collect::<Vec<_>>();
        let pairs = |all: &[(&str, &str)]| -> Vec<(String, String)> {
            all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        assert_eq!(
            read("; name=\"file\"; FileName=\"a;b=c.pdf\""),
            pairs(&[("name", "file"), ("filename", "a;b=c.pdf")])
        );
        assert_eq!(
            read(" boundary=abc; charset=utf-8"),
            pairs(&[("boundary", "abc"), ("charset", "utf-8")])
        );
        assert_eq!(read("name=\"a\\\"b\""), pairs(&[("name", "a\"b")]));
        assert_eq!(read("filename=\"C:\\new\\a.pdf\""), pairs(&[("filename", "C:\\new\\a.pdf")]));
        assert_eq!(plain("a%22b%0D%0A"), "a\"b\r\n");
    }

    proptest! {
        #[test]
        fn any_bytes_come_back_as_they_were_or_none_do(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            junk in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let body = form(&[(FILE, &bytes)]);
            let (read, is_ended) = parts("xYz", &body).unwrap();
            prop_assert!(is_ended);
            prop_assert_eq!(read[0].bytes, &bytes[..]);
            // Whatever is sent, reading it ends.
            let _ = parts("xYz", &junk);
            let _ = parts("xYz", &[b"--xYz\r\n", &junk[..]].concat());
            let _ = boundary(&String::from_utf8_lossy(&junk));
        }
    }
}

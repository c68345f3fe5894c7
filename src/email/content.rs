//! What a file is: by its own bytes, whatever its name and its sender say.
//!
//! Only marks are looked at, at known places and within bounds: nothing is unpacked or opened. What the
//! name says counts in one direction alone: it can make a file dangerous, never harmless.

use super::Note;
use super::containers;

/// How much of a file is looked at to see whether it is text, and which.
const SAMPLE_BYTES: usize = 4096;
/// Readers of PDF find the mark this far in.
const PDF_MARK_WITHIN: usize = 1024;

/// What the bytes of a file tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    /// Media type, where they tell it.
    pub(super) media_type: Option<&'static str>,
    /// What a person should know before opening it.
    pub(super) notes: Vec<Note>,
}

impl Content {
    pub(super) fn of(media_type: &'static str) -> Self {
        Self { media_type: Some(media_type), notes: Vec::new() }
    }

    /// The same, with a further note where something is so.
    #[must_use]
    pub(super) fn noting(mut self, note: Note, is_so: bool) -> Self {
        if is_so && !self.notes.contains(&note) {
            self.notes.push(note);
        }
        self
    }
}

/// What the sender says of a file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Declared<'a> {
    pub(super) name: Option<&'a str>,
    /// Media type, lower case.
    pub(super) media_type: &'a str,
    /// The `smime-type` beside it (RFC 8551 section 3.2.2).
    pub(super) smime_type: Option<&'a str>,
}

/// The media type to show a file by, and what to know of it.
pub(super) fn judge(declared: Declared<'_>, bytes: &[u8]) -> (String, Vec<Note>) {
    let content = wrapper(declared, look(bytes));
    let extension = declared.name.and_then(extension).unwrap_or_default();
    let misnamed = content.media_type.is_some_and(|found| contradicts(&extension, found));
    let program = is_program(&extension);
    let media_type = match content.media_type {
        // Text is text: which kind of text, the sender may say, as long as nothing runs it.
        Some("text/plain") if is_harmless_text(declared.media_type) => declared.media_type,
        Some("message/rfc822") if declared.media_type == "text/rfc822-headers" => {
            declared.media_type
        }
        Some(found) => found,
        None if is_harmless(declared.media_type) => declared.media_type,
        None => "application/octet-stream",
    };
    let media_type = media_type.to_owned();
    let content = content.noting(Note::Executable, program).noting(Note::Misnamed, misnamed);
    (media_type, content.notes)
}

/// Fixed marks: where, which bytes, what it then is, and whether it can be run.
#[rustfmt::skip]
const MARKS: &[(usize, &[u8], &str, bool)] = &[
    (0, b"\x89PNG\r\n\x1a\n", "image/png", false),
    (0, b"\xff\xd8\xff", "image/jpeg", false),
    (0, b"GIF87a", "image/gif", false),
    (0, b"GIF89a", "image/gif", false),
    (0, b"II*\0", "image/tiff", false),
    (0, b"MM\0*", "image/tiff", false),
    (0, b"ID3\x02", "audio/mpeg", false),
    (0, b"ID3\x03", "audio/mpeg", false),
    (0, b"ID3\x04", "audio/mpeg", false),
    (0, b"#!AMR", "audio/amr", false),
    (0, b"OggS", "audio/ogg", false),
    (0, b"fLaC", "audio/flac", false),
    (0, b"\x1aE\xdf\xa3", "video/webm", false),
    (0, b"0&\xb2u\x8ef\xcf\x11", "video/x-ms-asf", false),
    (0, b"{\\rtf", "application/rtf", false),
    (0, b"%!PS", "application/postscript", false),
    (0, b"\x78\x9f\x3e\x22", "application/ms-tnef", false),
    (0, b"\x1f\x8b\x08", "application/gzip", false),
    (4, b"1AY&SY", "application/x-bzip2", false),
    (0, b"\xfd7zXZ\0", "application/x-xz", false),
    (0, b"MSCF\0\0\0\0", "application/vnd.ms-cab-compressed", false),
    (0, b"SQLite format 3\0", "application/vnd.sqlite3", false),
    (0, b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", "application/onenote", false),
    (0, b"ITSF\x03\0\0\0", "application/vnd.ms-htmlhelp", true),
    (0, b"\x4c\0\0\0\x01\x14\x02\0", "application/x-ms-shortcut", true),
    (0, b"\x7fELF", "application/x-executable", true),
    (0, b"\xcf\xfa\xed\xfe", "application/x-mach-binary", true),
    (0, b"\xca\xfe\xba\xbe", "application/x-mach-binary", true),
    (257, b"ustar", "application/x-tar", false),
    (0x8001, b"CD001", "application/x-iso9660-image", true),
];

/// What the bytes alone tell.
pub(super) fn look(bytes: &[u8]) -> Content {
    let marked = MARKS
        .iter()
        .find(|(at, mark, ..)| bytes.get(*at..).is_some_and(|from| from.starts_with(mark)));
    if let Some((_, _, media_type, runs)) = marked {
        return Content::of(media_type).noting(Note::Executable, *runs);
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return containers::zip(bytes);
    }
    if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return containers::compound(bytes);
    }
    if bytes.starts_with(b"7z\xbc\xaf\x27\x1c") {
        return containers::seven_zip(bytes);
    }
    if bytes.starts_with(b"Rar!\x1a\x07") {
        return containers::rar(bytes);
    }
    let head = bytes.get(..bytes.len().min(PDF_MARK_WITHIN)).unwrap_or_default();
    if containers::find(head, b"%PDF-").is_some() {
        return containers::pdf(bytes);
    }
    if let Some(content) = riff(bytes).or_else(|| iso_media(bytes)).or_else(|| cms(bytes)) {
        return content;
    }
    if is_mp3_frame(bytes) {
        return Content::of("audio/mpeg");
    }
    if let Some(text) = sample_of_text(bytes) {
        return text_kind(&text);
    }
    match bytes {
        [b'M', b'Z', ..] => Content::of("application/x-msdownload").noting(Note::Executable, true),
        [b'B', b'M', ..] => Content::of("image/bmp"),
        _ => Content::default(),
    }
}

/// RIFF: the letters at 8 say which.
fn riff(bytes: &[u8]) -> Option<Content> {
    let kind = bytes.strip_prefix(b"RIFF")?.get(4..8)?;
    let known: &[(&[u8], &str)] =
        &[(b"WEBP", "image/webp"), (b"WAVE", "audio/wav"), (b"AVI ", "video/x-msvideo")];
    let media_type = known.iter().find(|(letters, _)| *letters == kind)?.1;
    Some(Content::of(media_type))
}

/// The family of MP4 (ISO/IEC 14496-12): its first box names the brand.
fn iso_media(bytes: &[u8]) -> Option<Content> {
    let brand = bytes.get(4..)?.strip_prefix(b"ftyp")?.get(..4)?;
    Some(Content::of(match brand {
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"mif1" | b"msf1" => "image/heic",
        b"avif" | b"avis" => "image/avif",
        b"qt  " => "video/quicktime",
        b"M4A " | b"M4B " => "audio/mp4",
        [b'3', b'g', ..] => "video/3gpp",
        _ => "video/mp4",
    }))
}

/// Signed or enveloped data (RFC 5652): a SEQUENCE that begins with the identifier of its kind.
fn cms(bytes: &[u8]) -> Option<Content> {
    let rest = bytes.strip_prefix(b"\x30")?;
    let (length, rest) = rest.split_first()?;
    let more = if *length > 0x80 { usize::from(length & 0x7f) } else { 0 };
    let rest = rest.get(more.min(8)..)?;
    // Enveloped, encrypted and authenticated-enveloped data hide what they hold.
    let hidden: [&[u8]; 3] = [
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03",
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06",
        b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17",
    ];
    let encrypted = hidden.iter().any(|identifier| rest.starts_with(identifier));
    let signed = rest.starts_with(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02");
    (encrypted || signed).then(|| {
        Content::of("application/pkcs7-mime")
            .noting(Note::Encrypted, encrypted)
            .noting(Note::Signed, signed)
    })
}

/// A frame of layer III without a tag before it.
fn is_mp3_frame(bytes: &[u8]) -> bool {
    let Some([0xff, version, rates, _]) = bytes.first_chunk::<4>() else { return false };
    let layer_three = version & 0xe6 == 0xe2 && version & 0x18 != 0x08;
    let bit_rate = rates >> 4;
    layer_three && (1..15).contains(&bit_rate) && rates & 0x0c != 0x0c
}

/// The beginning of a text in lower case; none where it is no text in ASCII, UTF-8 or UTF-16.
fn sample_of_text(bytes: &[u8]) -> Option<String> {
    let sample = bytes.get(..bytes.len().min(SAMPLE_BYTES)).unwrap_or_default();
    if let [0xff, 0xfe, rest @ ..] = sample {
        return utf16(rest, u16::from_le_bytes);
    }
    if let [0xfe, 0xff, rest @ ..] = sample {
        return utf16(rest, u16::from_be_bytes);
    }
    let sample = sample.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sample);
    let text = match std::str::from_utf8(sample) {
        Ok(text) => text,
        // A character cut by the end of the sample is no fault of the text.
        Err(fault) if fault.error_len().is_none() && bytes.len() > SAMPLE_BYTES => {
            std::str::from_utf8(sample.get(..fault.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let is_odd = |byte: u8| byte.is_ascii_control() && !b"\t\n\r\x0c\x1b".contains(&byte);
    (!text.is_empty() && !text.bytes().any(is_odd)).then(|| text.trim_start().to_ascii_lowercase())
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, _) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    let text = String::from_utf16_lossy(&units);
    (!text.contains('\0')).then(|| text.trim_start().to_ascii_lowercase())
}

/// Which text it is, from its beginning in lower case.
fn text_kind(text: &str) -> Content {
    let begins = |marks: &[&str]| marks.iter().any(|mark| text.starts_with(mark));
    if let Some(armour) = text.strip_prefix("-----begin pgp ") {
        return pgp(armour);
    }
    if begins(&["#!"]) {
        return Content::of("text/x-script").noting(Note::Executable, true);
    }
    if begins(&["begin:vcalendar"]) {
        return Content::of("text/calendar");
    }
    if begins(&["begin:vcard"]) {
        return Content::of("text/vcard");
    }
    if text.starts_with('<') {
        let page = ["<!doctype html", "<html", "<head", "<body", "<script", "<iframe", "<meta"];
        let within = text.contains("<html") || text.contains("<!doctype html");
        if begins(&["<svg", "<!doctype svg"]) || (begins(&["<?xml"]) && text.contains("<svg")) {
            return Content::of("image/svg+xml");
        }
        if begins(&page) || within {
            return Content::of("text/html");
        }
        if begins(&["<?xml"]) {
            return Content::of("application/xml");
        }
    }
    if is_message(text) {
        return Content::of("message/rfc822");
    }
    Content::of("text/plain")
}

/// What `OpenPGP` wraps in letters (RFC 9580 section 6.2).
fn pgp(armour: &str) -> Content {
    if armour.starts_with("message") {
        Content::of("application/pgp-encrypted").noting(Note::Encrypted, true)
    } else if armour.starts_with("signature") {
        Content::of("application/pgp-signature").noting(Note::Signed, true)
    } else if armour.starts_with("signed message") {
        Content::of("text/plain").noting(Note::Signed, true)
    } else {
        Content::of("application/pgp-keys")
    }
}

/// Whether a text begins as a message does: with header fields, and of those that every message has
/// at least three.
fn is_message(text: &str) -> bool {
    let usual = ["from:", "to:", "subject:", "date:", "message-id:", "received:", "return-path:"];
    let is_field = |line: &str| {
        line.split_once(':').is_some_and(|(name, _)| !name.is_empty() && !name.contains(' '))
    };
    let mut head = text.lines().take_while(|line| !line.trim().is_empty()).peekable();
    if !head.peek().is_some_and(|line| is_field(line)) {
        return false;
    }
    let head: Vec<&str> = head.collect();
    usual.iter().filter(|name| head.iter().any(|line| line.starts_with(**name))).count() >= 3
}

/// An S/MIME wrapper that its bytes do not show is taken at the header's word, which can only make
/// it look less harmless.
fn wrapper(declared: Declared<'_>, found: Content) -> Content {
    let unknown = found.media_type.is_none();
    let signature = Content::of("application/pkcs7-signature").noting(Note::Signed, true);
    match declared.media_type {
        "application/pkcs7-signature" | "application/x-pkcs7-signature"
            if unknown || found.notes.contains(&Note::Signed) =>
        {
            signature
        }
        _ if found.media_type == Some("application/pkcs7-mime")
            && found.notes == signature.notes
            && declared.name.and_then(extension).as_deref() == Some("p7s") =>
        {
            signature
        }
        "application/pkcs7-mime" | "application/x-pkcs7-mime" if unknown => {
            let kind = declared.smime_type.unwrap_or_default().to_ascii_lowercase();
            Content::of("application/pkcs7-mime")
                .noting(Note::Signed, kind == "signed-data" || kind == "certs-only")
                .noting(Note::Encrypted, kind.ends_with("enveloped-data"))
        }
        _ => found,
    }
}

/// The letters behind the last dot of a name, lower case.
fn extension(name: &str) -> Option<String> {
    let (_, extension) = name.trim_end_matches(['.', ' ']).rsplit_once('.')?;
    Some(extension.to_ascii_lowercase())
}

/// Names that a desktop runs when they are opened.
#[rustfmt::skip]
const PROGRAMS: &[&str] = &[
    "exe", "dll", "scr", "com", "pif", "cpl", "msi", "msp", "bat", "cmd", "ps1", "psm1", "vbs", "vbe",
    "js", "jse", "wsf", "wsh", "hta", "jar", "reg", "lnk", "url", "scf", "chm", "xll", "iso", "img",
    "vhd", "vhdx", "appx", "msix", "application", "inf", "sct",
];

pub(super) fn is_program(extension: &str) -> bool {
    PROGRAMS.contains(&extension)
}

/// What a file of this name may well be; names that are not listed promise nothing.
#[rustfmt::skip]
const PROMISES: &[(&[&str], &[&str])] = &[
    (&["pdf"], &["application/pdf"]),
    (&["doc", "dot"], &["application/msword", "application/rtf", "application/vnd.openxml",
        "application/x-ole", "text/", "application/xml", "message/"]),
    (&["xls", "xlt"], &["application/vnd.ms-excel", "application/vnd.openxml", "application/x-ole",
        "text/", "application/xml"]),
    (&["ppt", "pps"], &["application/vnd.ms-powerpoint", "application/vnd.openxml", "application/x-ole"]),
    (&["docx", "docm", "dotx", "xlsx", "xlsm", "xltx", "pptx", "pptm", "ppsx"],
        &["application/vnd.openxml", "application/x-ole", "application/zip"]),
    (&["odt", "ods", "odp", "odg"], &["application/vnd.oasis", "application/zip"]),
    (&["rtf"], &["application/rtf", "text/"]),
    (&["jpg", "jpeg", "jpe", "png", "gif", "heic", "heif", "webp", "tif", "tiff", "bmp", "avif"],
        &["image/jpeg", "image/png", "image/gif", "image/heic", "image/webp", "image/tiff", "image/bmp",
        "image/avif"]),
    (&["mp4", "m4v", "mov", "3gp", "avi", "wmv", "mp3", "m4a", "wav", "amr", "ogg", "webm", "wma"],
        &["video/", "audio/"]),
    (&["zip"], &["application/zip", "application/vnd.o", "application/java"]),
    (&["rar"], &["application/vnd.rar"]),
    (&["7z"], &["application/x-7z"]),
    (&["msg"], &["application/vnd.ms-outlook", "application/x-ole", "message/"]),
    (&["eml"], &["message/", "text/"]),
    (&["txt", "csv", "log", "md"], &["text/", "message/", "application/pgp"]),
    (&["ics", "vcs"], &["text/calendar", "text/plain"]),
    (&["vcf"], &["text/vcard", "text/plain"]),
];

/// Whether a name says one thing and the bytes another.
fn contradicts(extension: &str, found: &str) -> bool {
    let promise = PROMISES.iter().find(|(names, _)| names.contains(&extension));
    promise.is_some_and(|(_, types)| {
        let page_as_text = found == "text/html" && matches!(extension, "txt" | "csv" | "log");
        page_as_text || !types.iter().any(|kind| found.starts_with(kind))
    })
}

/// Whether a declared type is one, and nothing that a program would run or a browser act on.
fn is_harmless(declared: &str) -> bool {
    let well_formed = declared.len() <= 100
        && declared.split_once('/').is_some_and(|(kind, sub)| !kind.is_empty() && !sub.is_empty())
        && declared.bytes().all(|b| b.is_ascii_alphanumeric() || b"/.+-_".contains(&b));
    let acts = ["html", "xml", "script", "svg", "msdownload", "dosexec", "x-sh", "hta", "java"];
    let acts = |name: &str| acts.iter().any(|word| name.contains(word));
    // The Office types have `xml` in their name and are none.
    well_formed && (!acts(declared) || !acts(&declared.replace("openxmlformats", "")))
}

fn is_harmless_text(declared: &str) -> bool {
    let textual = declared.starts_with("text/")
        || declared.starts_with("message/")
        || matches!(declared, "application/json" | "application/pgp-encrypted");
    textual && is_harmless(declared)
}

#[cfg(test)]
mod tests;

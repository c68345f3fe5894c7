//! Files that hold other files: which kind, and whether they are locked, without opening any.

use super::Note;
use super::content::{Content, is_program};

/// Most entries of one container that are looked at.
const MOST_ENTRIES: usize = 4096;
/// Most steps along any chain inside a file.
const MOST_STEPS: usize = 4096;
/// How far from the end of a file its closing record may stand.
const TAIL_BYTES: usize = 66 * 1024;

/// Where one thing stands in another.
pub(super) fn find(bytes: &[u8], sought: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, sought)
}

fn slice(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(length)?)
}

fn tail(bytes: &[u8], most: usize) -> &[u8] {
    bytes.get(bytes.len().saturating_sub(most)..).unwrap_or_default()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    slice(bytes, at, 2)?.first_chunk().map(|b| u16::from_le_bytes(*b))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    slice(bytes, at, 4)?.first_chunk().map(|b| u32::from_le_bytes(*b))
}

/// A number of the file as a place in it.
fn place_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32_at(bytes, at)?).ok()
}

fn long_place_at(bytes: &[u8], at: usize) -> Option<usize> {
    let number = slice(bytes, at, 8)?.first_chunk().map(|b| u64::from_le_bytes(*b))?;
    usize::try_from(number).ok()
}

/// An entry of a ZIP archive, as far as its headers tell.
struct Entry<'a> {
    name: &'a [u8],
    flags: u16,
    method: u16,
    /// Where its own header stands.
    header: usize,
}

impl Entry<'_> {
    /// Flag bits 0, 6 and 13, and the method of AES (APPNOTE 4.4.4, 4.4.5).
    fn is_encrypted(&self) -> bool {
        self.flags & 0x2041 != 0 || self.method == 99
    }

    /// The content as it stands in the archive, cut at 100 bytes.
    fn content<'a>(&self, zip: &'a [u8]) -> &'a [u8] {
        let lengths = (u16_at(zip, self.header + 26), u16_at(zip, self.header + 28));
        let (Some(name), Some(extra)) = lengths else { return b"" };
        let from = self.header + 30 + usize::from(name) + usize::from(extra);
        let rest = zip.get(from..).unwrap_or_default();
        rest.get(..rest.len().min(100)).unwrap_or_default()
    }
}

/// A ZIP archive, and the many kinds of file that are one.
pub(super) fn zip(bytes: &[u8]) -> Content {
    let mut entries = central_directory(bytes).unwrap_or_default();
    if entries.is_empty() {
        entries = local_headers(bytes);
    }
    let has = |name: &[u8]| entries.iter().any(|entry| entry.name == name);
    let within = |folder: &[u8]| entries.iter().any(|entry| entry.name.starts_with(folder));
    let open_document = entries.first().filter(|entry| entry.name == b"mimetype");
    let open_document = open_document.and_then(|entry| open_document_type(entry.content(bytes)));
    let java = has(b"META-INF/MANIFEST.MF") || has(b"AndroidManifest.xml");
    let office = has(b"[Content_Types].xml");
    let media_type = match () {
        () if office && within(b"word/") => {
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        }
        () if office && within(b"xl/") => {
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        }
        () if office && within(b"ppt/") => {
            "application/vnd.openxmlformats-officedocument.presentationml.presentation"
        }
        () => match open_document {
            Some(kind) => kind,
            None if java => "application/java-archive",
            None => "application/zip",
        },
    };
    let macros = entries.iter().any(|entry| {
        entry.name.ends_with(b"vbaProject.bin")
            || entry.name.starts_with(b"xl/macrosheets/")
            || (open_document.is_some() && entry.name.starts_with(b"Basic/"))
    });
    // An encrypted OpenDocument file hides its parts and not their names: the text is then no XML.
    let hidden = open_document.is_some()
        && entries.iter().any(|entry| {
            let text = entry.name == b"content.xml" && entry.method == 0;
            let is_xml = entry.content(bytes).trim_ascii_start().starts_with(b"<");
            (text && !is_xml) || entry.name == b"encrypted-package"
        });
    let program = media_type == "application/zip" && entries.iter().any(|e| runs(e.name));
    Content::of(media_type)
        .noting(Note::Encrypted, hidden || entries.iter().any(Entry::is_encrypted))
        .noting(Note::Macros, macros)
        .noting(Note::Executable, java || program)
}

/// Whether a packed file's name is that of a program.
fn runs(name: &[u8]) -> bool {
    let end = name.rsplit(|b| *b == b'.').next().unwrap_or_default();
    end.len() < name.len()
        && std::str::from_utf8(end).is_ok_and(|end| is_program(&end.to_ascii_lowercase()))
}

/// The kinds of `OpenDocument`, and the electronic book that is made alike.
const OPEN_DOCUMENTS: &[&str] = &[
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.presentation",
    "application/vnd.oasis.opendocument.graphics",
    "application/epub+zip",
];

fn open_document_type(content: &[u8]) -> Option<&'static str> {
    let named = |kind: &&&str| {
        let rest = content.strip_prefix(kind.as_bytes());
        rest.is_some_and(|rest| rest.first().is_none_or(|next| !next.is_ascii_lowercase()))
    };
    OPEN_DOCUMENTS.iter().find(named).copied()
}

/// The entries as the archive's own list has them.
fn central_directory(bytes: &[u8]) -> Option<Vec<Entry<'_>>> {
    let end = tail(bytes, TAIL_BYTES);
    let closing = end.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let mut at = place_at(end, closing + 16)?;
    let mut entries = Vec::new();
    while entries.len() < MOST_ENTRIES && slice(bytes, at, 4) == Some(b"PK\x01\x02") {
        let length = usize::from(u16_at(bytes, at + 28)?);
        entries.push(Entry {
            name: slice(bytes, at + 46, length)?,
            flags: u16_at(bytes, at + 8)?,
            method: u16_at(bytes, at + 10)?,
            header: place_at(bytes, at + 42)?,
        });
        let (extra, comment) = (u16_at(bytes, at + 30)?, u16_at(bytes, at + 32)?);
        at += 46 + length + usize::from(extra) + usize::from(comment);
    }
    Some(entries)
}

/// The entries of an archive whose list is missing, one behind the other.
fn local_headers(bytes: &[u8]) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    let mut at = 0;
    while entries.len() < MOST_ENTRIES && slice(bytes, at, 4) == Some(b"PK\x03\x04") {
        let Some((entry, next)) = local_header(bytes, at) else { break };
        entries.push(entry);
        at = next;
    }
    entries
}

fn local_header(bytes: &[u8], at: usize) -> Option<(Entry<'_>, usize)> {
    let (packed, length) = (place_at(bytes, at + 18)?, usize::from(u16_at(bytes, at + 26)?));
    let entry = Entry {
        name: slice(bytes, at + 30, length)?,
        flags: u16_at(bytes, at + 6)?,
        method: u16_at(bytes, at + 8)?,
        header: at,
    };
    let next = at + 30 + length + usize::from(u16_at(bytes, at + 28)?);
    Some((entry, next.checked_add(packed)?))
}

/// A compound file ([MS-CFB]): the older Office, Outlook's `.msg`, installers.
pub(super) fn compound(bytes: &[u8]) -> Content {
    let mut found = Content::of("application/x-ole-storage");
    let Some(file) = CompoundFile::of(bytes) else { return found };
    for (place, entry) in file.directory() {
        found = file.noting(found, place, &entry);
    }
    found
}

/// The class of an installer's root.
const INSTALLER: [u8; 16] = [0x84, 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
/// Marks the end of a chain; all numbers from here on are no sectors.
const NO_SECTOR: u32 = 0xffff_fffa;
/// How many sectors of the allocation table the header itself names.
const NAMED_IN_HEADER: usize = 109;

struct CompoundFile<'a> {
    bytes: &'a [u8],
    sector_bytes: usize,
}

/// An entry of the directory.
struct Stored<'a> {
    name: String,
    class: &'a [u8],
    first_sector: u32,
    size: usize,
}

impl<'a> CompoundFile<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let shift = u16_at(bytes, 30)?;
        matches!(shift, 9 | 12).then(|| Self { bytes, sector_bytes: 1 << shift })
    }

    fn sector_start(&self, sector: u32) -> Option<usize> {
        if sector >= NO_SECTOR {
            return None;
        }
        usize::try_from(sector).ok()?.checked_add(1)?.checked_mul(self.sector_bytes)
    }

    /// The sector behind this one in its chain.
    fn next(&self, sector: u32) -> Option<u32> {
        let a_sector = self.sector_bytes / 4;
        let index = usize::try_from(sector).ok()?;
        let table = self.table_sector(index / a_sector)?;
        u32_at(self.bytes, self.sector_start(table)? + index % a_sector * 4)
    }

    /// Where a part of the allocation table is.
    fn table_sector(&self, number: usize) -> Option<u32> {
        if number < NAMED_IN_HEADER {
            return u32_at(self.bytes, 76 + number * 4);
        }
        let a_sector = self.sector_bytes / 4 - 1;
        let beyond = number - NAMED_IN_HEADER;
        let (steps, index) = (beyond / a_sector, beyond % a_sector);
        let mut list = self.sector_start(u32_at(self.bytes, 68)?)?;
        for _ in 0..steps.min(MOST_STEPS) {
            list = self.sector_start(u32_at(self.bytes, list + a_sector * 4)?)?;
        }
        u32_at(self.bytes, list + index * 4)
    }

    /// Every entry, with its number.
    fn directory(&self) -> Vec<(usize, Stored<'a>)> {
        let mut found = Vec::new();
        let mut sector = u32_at(self.bytes, 48);
        let mut steps = 0;
        while let Some(start) = sector.and_then(|sector| self.sector_start(sector)) {
            let end = start.saturating_add(self.sector_bytes).min(self.bytes.len());
            let within = self.bytes.get(start..end).unwrap_or_default();
            found.extend(within.as_chunks::<128>().0.iter().filter_map(stored));
            steps += 1;
            if steps >= MOST_STEPS / 16 || found.len() >= MOST_ENTRIES {
                break;
            }
            sector = sector.and_then(|sector| self.next(sector));
        }
        found.into_iter().enumerate().collect()
    }

    fn noting(&self, found: Content, place: usize, entry: &Stored<'_>) -> Content {
        let known = found.media_type != Some("application/x-ole-storage");
        let kind = match entry.name.as_str() {
            "__properties_version1.0" | "__nameid_version1.0" => "application/vnd.ms-outlook",
            _ if place == 0 && entry.class == INSTALLER => "application/x-msi",
            // A document may hold others: what stands first is the document itself.
            _ if known => "",
            "WordDocument" => "application/msword",
            "Workbook" | "Book" => "application/vnd.ms-excel",
            "PowerPoint Document" => "application/vnd.ms-powerpoint",
            "VisioDocument" => "application/vnd.visio",
            _ => "",
        };
        let locked = match entry.name.as_str() {
            "EncryptedPackage" | "EncryptedSummary" => true,
            "WordDocument" => self.word_is_locked(entry).unwrap_or(false),
            "Workbook" | "Book" => self.workbook_is_locked(entry).unwrap_or(false),
            _ => false,
        };
        let macros = matches!(&*entry.name, "VBA" | "_VBA_PROJECT" | "_VBA_PROJECT_CUR" | "Macros");
        let media_type = if kind.is_empty() { found.media_type } else { Some(kind) };
        Content { media_type, ..found }
            .noting(Note::Encrypted, locked)
            .noting(Note::Macros, macros)
            .noting(Note::Executable, kind == "application/x-msi")
    }

    /// Where a stream of the ordinary size begins; small ones are packed elsewhere.
    fn stream(&self, entry: &Stored<'_>) -> Option<usize> {
        (entry.size >= 4096).then(|| self.sector_start(entry.first_sector)).flatten()
    }

    /// Flag `fEncrypted` of [MS-DOC] section 2.5.2.
    fn word_is_locked(&self, entry: &Stored<'_>) -> Option<bool> {
        Some(u16_at(self.bytes, self.stream(entry)? + 10)? & 0x0100 != 0)
    }

    /// The record `FilePass` of [MS-XLS] section 2.4.117, among the first ones.
    fn workbook_is_locked(&self, entry: &Stored<'_>) -> Option<bool> {
        let start = self.stream(entry)?;
        let mut at = start;
        while at < start + self.sector_bytes {
            if u16_at(self.bytes, at)? == 0x002f {
                return Some(true);
            }
            at += 4 + usize::from(u16_at(self.bytes, at + 2)?);
        }
        Some(false)
    }
}

fn stored(entry: &[u8; 128]) -> Option<Stored<'_>> {
    let bytes = usize::from(u16_at(entry, 64)?).min(64).checked_sub(2)?;
    let (units, _) = slice(entry, 0, bytes)?.as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    Some(Stored {
        name: String::from_utf16_lossy(&units),
        class: slice(entry, 80, 16)?,
        first_sector: u32_at(entry, 116)?,
        size: place_at(entry, 120)?,
    })
}

/// How much of a PDF is searched at either end, and where it says that its directory is.
const PDF_HEAD: usize = 4 * 1024;
const PDF_TAIL: usize = 32 * 1024;

/// A PDF: locked where one of its trailers names an encryption dictionary (ISO 32000-1, 7.5.5).
pub(super) fn pdf(bytes: &[u8]) -> Content {
    let end = tail(bytes, PDF_TAIL);
    let directory = last_number_behind(end, b"startxref").and_then(|at| {
        let rest = bytes.get(at..)?;
        rest.get(..rest.len().min(PDF_HEAD))
    });
    let head = bytes.get(..bytes.len().min(PDF_HEAD)).unwrap_or_default();
    let locked = [head, end, directory.unwrap_or_default()].into_iter().any(names_encryption);
    Content::of("application/pdf").noting(Note::Encrypted, locked)
}

/// `/Encrypt` as a whole word: `/EncryptMetadata` is another.
fn names_encryption(mut bytes: &[u8]) -> bool {
    const KEY: &[u8] = b"/Encrypt";
    while let Some(at) = find(bytes, KEY) {
        bytes = bytes.get(at + KEY.len()..).unwrap_or_default();
        if bytes.first().is_none_or(|next| !next.is_ascii_alphanumeric()) {
            return true;
        }
    }
    false
}

fn last_number_behind(bytes: &[u8], word: &[u8]) -> Option<usize> {
    let at = bytes.windows(word.len()).rposition(|window| window == word)?;
    let rest = bytes.get(at + word.len()..)?.trim_ascii_start();
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    std::str::from_utf8(rest.get(..digits.min(15))?).ok()?.parse().ok()
}

/// A 7z archive: locked where its list of files, or the list's own packing, names AES. A list that is
/// packed without it does not show whether the files are locked.
pub(super) fn seven_zip(bytes: &[u8]) -> Content {
    let list = long_place_at(bytes, 12)
        .and_then(|at| bytes.get(at.checked_add(32)?..))
        .unwrap_or_default();
    let list = list.get(..list.len().min(TAIL_BYTES)).unwrap_or_default();
    let locked = find(list, b"\x06\xf1\x07\x01").is_some();
    Content::of("application/x-7z-compressed").noting(Note::Encrypted, locked)
}

/// A RAR archive of the fourth or fifth form.
pub(super) fn rar(bytes: &[u8]) -> Content {
    let locked = match bytes.strip_prefix(b"Rar!\x1a\x07") {
        Some([0, ..]) => rar4_is_locked(bytes),
        Some([1, 0, ..]) => rar5_is_locked(bytes),
        _ => None,
    };
    Content::of("application/vnd.rar").noting(Note::Encrypted, locked.unwrap_or(false))
}

/// Blocks: sum, kind, flags, size; then the size of what follows, where flag 0x8000 is set.
fn rar4_is_locked(bytes: &[u8]) -> Option<bool> {
    let mut at = 7;
    for _ in 0..MOST_STEPS {
        bytes.get(at..)?;
        let kind = *bytes.get(at + 2)?;
        let flags = u16_at(bytes, at + 3)?;
        match kind {
            0x73 if flags & 0x0080 != 0 => return Some(true),
            0x74 if flags & 0x0004 != 0 => return Some(true),
            _ => {}
        }
        let size = usize::from(u16_at(bytes, at + 5)?).max(7);
        let data = if flags & 0x8000 != 0 { place_at(bytes, at + 7)? } else { 0 };
        at = at.checked_add(size)?.checked_add(data)?;
    }
    None
}

/// Blocks: sum, then numbers of variable length: size, kind, flags, extra size, data size.
fn rar5_is_locked(bytes: &[u8]) -> Option<bool> {
    let mut at = 8;
    for _ in 0..MOST_STEPS {
        bytes.get(at..)?;
        let (size, body) = variable(bytes, at + 4)?;
        let end = body.checked_add(size)?;
        let (kind, next) = variable(bytes, body)?;
        let (flags, next) = variable(bytes, next)?;
        if kind == 4 {
            return Some(true);
        }
        let (extra, next) = if flags & 1 != 0 { variable(bytes, next)? } else { (0, next) };
        let (data, _) = if flags & 2 != 0 { variable(bytes, next)? } else { (0, next) };
        if kind == 2 && rar5_extra_is_encryption(bytes, end.checked_sub(extra)?, end) {
            return Some(true);
        }
        at = end.checked_add(data)?;
    }
    None
}

/// The records behind a file's header: size, kind (1 is encryption), content.
fn rar5_extra_is_encryption(bytes: &[u8], from: usize, end: usize) -> bool {
    let mut at = from;
    for _ in 0..64 {
        if at >= end {
            break;
        }
        let Some((size, body)) = variable(bytes, at) else { break };
        if variable(bytes, body).is_some_and(|(kind, _)| kind == 1) {
            return true;
        }
        let Some(next) = body.checked_add(size) else { break };
        at = next;
    }
    false
}

/// A number of seven bits a byte, the lowest first, and the place behind it.
fn variable(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut number = 0_usize;
    for (index, byte) in slice(bytes, at, 10).or_else(|| bytes.get(at..))?.iter().enumerate() {
        let shift = u32::try_from(index * 7).ok()?;
        number |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((number, at + index + 1));
        }
    }
    None
}

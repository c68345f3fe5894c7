//! What is packed into a `winmail.dat` (MS-OXTNEF): the files that an older Outlook hides there.

use super::charset;

/// Most files taken out of one `winmail.dat`.
const MOST: usize = 100;

const SIGNATURE: u32 = 0x223E_9F78;
const ATTACH_RENDERING: u32 = 0x0006_9002;
const ATTACH_TITLE: u32 = 0x0001_8010;
const ATTACH_DATA: u32 = 0x0006_800F;
const ATTACH_PROPERTIES: u32 = 0x0006_9005;
const BODY: u32 = 0x0002_800C;
const MESSAGE_PROPERTIES: u32 = 0x0006_9003;
const LONG_FILE_NAME: u16 = 0x3707;
const FILE_NAME: u16 = 0x3704;
const DATA_OBJECT: u16 = 0x3701;
const RTF: u16 = 0x1009;
const HTML: u16 = 0x1013;

/// One packed file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct File<'a> {
    pub(super) name: String,
    pub(super) bytes: &'a [u8],
}

/// The contents: files, the plain text of the letter, and which richer form of it there is.
#[derive(Debug, Default)]
pub(super) struct Contents<'a> {
    pub(super) files: Vec<File<'a>>,
    pub(super) text: String,
    pub(super) rich: Vec<File<'a>>,
}

/// Takes a `winmail.dat` apart, as far as it is sound.
pub(super) fn read(bytes: &[u8]) -> Option<Contents<'_>> {
    let mut cursor = Cursor(bytes);
    if cursor.u32()? != SIGNATURE {
        return None;
    }
    cursor.take(2)?;
    let mut contents = Contents::default();
    while let Some((tag, data)) = attribute(&mut cursor) {
        match tag {
            ATTACH_RENDERING if contents.files.len() < MOST => contents.files.push(File::default()),
            ATTACH_TITLE => name_last(&mut contents, ansi(data)),
            ATTACH_DATA => {
                if let Some(file) = contents.files.last_mut() {
                    file.bytes = data;
                }
            }
            ATTACH_PROPERTIES => attach_properties(&mut contents, data),
            BODY => contents.text = ansi(data),
            MESSAGE_PROPERTIES => message_properties(&mut contents, data),
            _ => {}
        }
    }
    Some(contents)
}

fn attribute<'a>(cursor: &mut Cursor<'a>) -> Option<(u32, &'a [u8])> {
    cursor.take(1)?;
    let tag = cursor.u32()?;
    let length = usize::try_from(cursor.u32()?).ok()?;
    let data = cursor.take(length)?;
    // The checksum is wrong often enough in good files.
    cursor.take(2);
    Some((tag, data))
}

fn ansi(data: &[u8]) -> String {
    let text = charset::guess(data).0;
    text.trim_end_matches('\0').to_owned()
}

fn name_last(contents: &mut Contents<'_>, name: String) {
    if let Some(file) = contents.files.last_mut().filter(|_| !name.is_empty()) {
        file.name = name;
    }
}

fn attach_properties<'a>(contents: &mut Contents<'a>, data: &'a [u8]) {
    let (mut long, mut short) = (None, None);
    each_property(data, |property| match property.id {
        LONG_FILE_NAME => long = Some(property.text()),
        FILE_NAME => short = Some(property.text()),
        DATA_OBJECT => {
            if let Some(file) = contents.files.last_mut().filter(|f| f.bytes.is_empty()) {
                file.bytes = property.data;
            }
        }
        _ => {}
    });
    let named = contents.files.last().is_some_and(|f| !f.name.is_empty());
    if let Some(name) = long.or(short.filter(|_| !named)) {
        name_last(contents, name);
    }
}

fn message_properties<'a>(contents: &mut Contents<'a>, data: &'a [u8]) {
    each_property(data, |property| {
        let name = match property.id {
            RTF => "body.rtf",
            HTML => "body.html",
            _ => return,
        };
        contents.rich.push(File { name: name.to_owned(), bytes: property.data });
    });
}

struct Property<'a> {
    id: u16,
    kind: u16,
    data: &'a [u8],
}

impl Property<'_> {
    fn text(&self) -> String {
        if self.kind == 0x001F {
            let units = self.data.chunks_exact(2).filter_map(|c| c.first_chunk::<2>());
            let units: Vec<u16> = units.map(|c| u16::from_le_bytes(*c)).collect();
            return String::from_utf16_lossy(&units).trim_end_matches('\0').to_owned();
        }
        ansi(self.data)
    }
}

/// Calls `seen` for the first value of each MAPI property, until the list breaks off.
fn each_property<'a>(data: &'a [u8], mut seen: impl FnMut(Property<'a>)) {
    let mut cursor = Cursor(data);
    let Some(count) = cursor.u32() else { return };
    for _ in 0..count.min(10_000) {
        let Some(properties) = property(&mut cursor) else { return };
        if let Some(first) = properties {
            seen(first);
        }
    }
}

/// One property; the outer `None` ends the list, the inner one is a property without a value.
#[expect(clippy::option_option, reason = "end of list and empty value are two things")]
fn property<'a>(cursor: &mut Cursor<'a>) -> Option<Option<Property<'a>>> {
    let (kind, id) = (cursor.u16()?, cursor.u16()?);
    if id >= 0x8000 {
        // A named property: its set, then a number or a name.
        cursor.take(16)?;
        if cursor.u32()? == 0 {
            cursor.take(4)?;
        } else {
            let length = usize::try_from(cursor.u32()?).ok()?;
            cursor.take(padded(length))?;
        }
    }
    let many = kind & 0x1000 != 0;
    let base = kind & 0x0FFF;
    let fixed = match base {
        0x0002 | 0x0003 | 0x0004 | 0x000A | 0x000B => Some(4),
        0x0005 | 0x0006 | 0x0007 | 0x0014 | 0x0040 => Some(8),
        0x0048 => Some(16),
        0x000D | 0x001E | 0x001F | 0x0102 => None,
        _ => return None,
    };
    let values = if many || fixed.is_none() { cursor.u32()? } else { 1 };
    let mut first = None;
    for _ in 0..values.min(10_000) {
        let length = match fixed {
            Some(length) => length,
            None => usize::try_from(cursor.u32()?).ok()?,
        };
        let data = cursor.take(length)?;
        cursor.take(padded(length) - length);
        first.get_or_insert(Property { id, kind: base, data });
    }
    Some(first)
}

/// Values are padded to four bytes.
fn padded(length: usize) -> usize {
    length.saturating_add(3) & !3
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.first_chunk().map(|b| u16::from_le_bytes(*b))
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.first_chunk().map(|b| u32::from_le_bytes(*b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(tag: u32, data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap();
        [&[2][..], &tag.to_le_bytes(), &length.to_le_bytes(), data, &[0, 0]].concat()
    }

    fn winmail() -> Vec<u8> {
        let long: Vec<u8> = "résumé.pdf\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut properties = 1_u32.to_le_bytes().to_vec();
        properties.extend([0x1F, 0x00, 0x07, 0x37]);
        properties.extend(1_u32.to_le_bytes());
        properties.extend(u32::try_from(long.len()).unwrap().to_le_bytes());
        properties.extend(long);
        [
            SIGNATURE.to_le_bytes().to_vec(),
            vec![1, 0],
            attribute(BODY, b"My bin\0"),
            attribute(ATTACH_RENDERING, &[0; 14]),
            attribute(ATTACH_TITLE, b"RESUM~1.PDF\0"),
            attribute(ATTACH_DATA, b"hello"),
            attribute(ATTACH_PROPERTIES, &properties),
        ]
        .concat()
    }

    #[test]
    fn packed_files_are_found_with_their_long_names() {
        let bytes = winmail();
        let contents = read(&bytes).unwrap();
        assert_eq!(contents.files, [File { name: "résumé.pdf".to_owned(), bytes: b"hello" }]);
        assert_eq!(contents.text, "My bin");
    }

    #[test]
    fn a_broken_one_gives_what_stands_before_the_break() {
        let bytes = winmail();
        for end in 0..bytes.len() {
            let files = read(&bytes[..end]).map(|c| c.files.len()).unwrap_or_default();
            assert!(files <= 1);
        }
        assert!(read(b"not tnef at all").is_none());
    }
}

//! Files made by hand, mark by mark, as the formats' documents have them.

use super::*;

fn type_of(bytes: &[u8]) -> &'static str {
    look(bytes).media_type.unwrap_or("unknown")
}

fn notes(bytes: &[u8]) -> Vec<Note> {
    look(bytes).notes
}

#[track_caller]
fn check(bytes: &[u8], media_type: &str, expected: &[Note]) {
    let content = look(bytes);
    assert_eq!((content.media_type.unwrap_or("unknown"), &*content.notes), (media_type, expected));
}

/// Behind a mark stands what no text holds.
fn marked(mark: &[u8]) -> Vec<u8> {
    [mark, &[0, 1, 2, 3, 0xff, 0xfe, 0]].concat()
}

#[test]
fn marks_tell_what_a_file_is() {
    for (mark, media_type) in [
        (&b"\x89PNG\r\n\x1a\n"[..], "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"II*\0", "image/tiff"),
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"\0\0\0\x18ftypmif1", "image/heic"),
        (b"\0\0\0\x18ftypisom", "video/mp4"),
        (b"\0\0\0\x18ftypqt  ", "video/quicktime"),
        (b"\0\0\0\x18ftypM4A ", "audio/mp4"),
        (b"\0\0\0\x18ftyp3gp5", "video/3gpp"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"ID3\x03\0", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"#!AMR\n", "audio/amr"),
        (b"{\\rtf1\\ansi", "application/rtf"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\n\n%PDF-1.4\n", "application/pdf"),
        (b"Rar!\x1a\x07\x01\0", "application/vnd.rar"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "application/x-7z-compressed"),
        (b"\x1f\x8b\x08", "application/gzip"),
        (b"\x78\x9f\x3e\x22", "application/ms-tnef"),
        (b"MSCF\0\0\0\0", "application/vnd.ms-cab-compressed"),
    ] {
        check(&marked(mark), media_type, &[]);
    }
}

#[test]
fn what_a_desktop_would_run_is_said() {
    let mut disc = vec![0; 0x8001];
    disc.extend(b"CD001\x01");
    for (bytes, media_type) in [
        (&marked(b"MZ\x90\0\x03")[..], "application/x-msdownload"),
        (&marked(b"\x7fELF\x02"), "application/x-executable"),
        (&marked(b"\x4c\0\0\0\x01\x14\x02\0"), "application/x-ms-shortcut"),
        (b"#!/bin/sh\nrm -rf /\n", "text/x-script"),
        (&disc, "application/x-iso9660-image"),
    ] {
        check(bytes, media_type, &[Note::Executable]);
    }
    check(b"MZ is how she signs her letters.\n", "text/plain", &[]);
}

#[test]
fn text_tells_which_text_it_is() {
    for (text, media_type) in [
        ("Dear Sir,\nmy bin.\n", "text/plain"),
        ("name,age\nAnn,7\n", "text/plain"),
        ("\u{feff}BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "text/calendar"),
        ("BEGIN:VCARD\r\n", "text/vcard"),
        ("  <!DOCTYPE html><p>x", "text/html"),
        ("<!-- saved --><HTML><body>", "text/html"),
        ("<?xml version='1.0'?><svg xmlns='x'>", "image/svg+xml"),
        ("<SVG onload='x'>", "image/svg+xml"),
        ("<?xml version='1.0'?><case/>", "application/xml"),
        ("<ann@example.org> wrote", "text/plain"),
        ("From: a@example.org\nTo: b@example.org\nSubject: x\n\ntext\n", "message/rfc822"),
        ("Return-Path: <a@example.org>\nReceived: by x\nDate: y\n\n", "message/rfc822"),
        ("To: me, in short: the subject: is this\n", "text/plain"),
        ("Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a\nArrival-Date: x\n", "text/plain"),
        ("naïve ½ 漢字", "text/plain"),
    ] {
        check(text.as_bytes(), media_type, &[]);
    }
    let wide: Vec<u8> =
        [0xfeff].into_iter().chain("Liebe".encode_utf16()).flat_map(u16::to_le_bytes).collect();
    check(&wide, "text/plain", &[]);
    // A character cut by the end of what is looked at.
    check(format!("{}ä", "x".repeat(SAMPLE_BYTES - 1)).as_bytes(), "text/plain", &[]);
    for bytes in [&b""[..], b"\x01\x02\x03", b"caf\xe9", b"\0\0\0\0"] {
        check(bytes, "unknown", &[]);
    }
}

#[test]
fn wrappers_are_named() {
    let cms = |kind: u8| {
        marked(&[
            0x30, 0x82, 0x01, 0x00, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07,
            kind,
        ])
    };
    check(&cms(3), "application/pkcs7-mime", &[Note::Encrypted]);
    check(&cms(2), "application/pkcs7-mime", &[Note::Signed]);
    check(&cms(9), "unknown", &[]);
    let endless = marked(b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0\x80");
    check(&endless, "application/pkcs7-mime", &[Note::Encrypted]);
    let encrypted = b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n";
    check(encrypted, "application/pgp-encrypted", &[Note::Encrypted]);
    let signature = b"-----BEGIN PGP SIGNATURE-----\n\niQE\n";
    check(signature, "application/pgp-signature", &[Note::Signed]);
    check(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n", "application/pgp-keys", &[]);

    let by_header = |media_type, smime_type| {
        judge(Declared { name: None, media_type, smime_type }, b"\x01\x02").1
    };
    assert_eq!(by_header("application/pkcs7-mime", Some("enveloped-data")), [Note::Encrypted]);
    assert_eq!(by_header("application/x-pkcs7-mime", Some("signed-data")), [Note::Signed]);
    assert_eq!(by_header("application/pkcs7-signature", None), [Note::Signed]);
    let declared = Declared {
        name: Some("smime.p7s"),
        media_type: "application/pkcs7-signature",
        smime_type: None,
    };
    let expected = ("application/pkcs7-signature".to_owned(), vec![Note::Signed]);
    assert_eq!(judge(declared, &cms(2)), expected);
    let undeclared = Declared { media_type: "application/octet-stream", ..declared };
    assert_eq!(judge(undeclared, &cms(2)), expected);
    assert_eq!(judge(undeclared, &cms(3)).1, [Note::Encrypted], "a name hides nothing");
}

#[test]
fn content_wins_over_name_and_declaration() {
    let judged = |name: &'static str, media_type: &'static str, bytes: &[u8]| {
        let (media_type, notes) =
            judge(Declared { name: Some(name), media_type, smime_type: None }, bytes);
        (media_type, notes)
    };
    let png = marked(b"\x89PNG\r\n\x1a\n");
    let program = marked(b"MZ\x90\0");
    for (name, declared, bytes, media_type, expected) in [
        ("a.png", "image/png", &png[..], "image/png", &[][..]),
        ("a.jpg", "image/jpeg", &png, "image/png", &[]),
        ("a.pdf", "application/pdf", &png, "image/png", &[Note::Misnamed]),
        ("a.png", "text/html", &png, "image/png", &[]),
        (
            "report.pdf",
            "application/pdf",
            &program,
            "application/x-msdownload",
            &[Note::Executable, Note::Misnamed],
        ),
        (
            "report.pdf.exe",
            "application/pdf",
            &program,
            "application/x-msdownload",
            &[Note::Executable],
        ),
        // The name makes it dangerous, whatever stands inside.
        ("invoice.pdf.js", "text/plain", b"var a = 1;", "text/plain", &[Note::Executable]),
        ("a.bat. ", "text/plain", b"del *.*", "text/plain", &[Note::Executable]),
        // Text: the sender may say which, unless something would act on it.
        ("a.csv", "text/csv", b"a,b\n", "text/csv", &[]),
        ("a.json", "application/json", b"{}", "application/json", &[]),
        ("a.txt", "text/html", b"just words", "text/plain", &[]),
        ("a.txt", "text/plain", b"<html><script>", "text/html", &[Note::Misnamed]),
        ("a.csv", "application/vnd.ms-excel", b"a,b\n", "text/plain", &[]),
        ("a.doc", "application/msword", b"{\\rtf1 x}", "application/rtf", &[]),
        // Unknown: as declared where that is harmless.
        ("a.dwg", "image/vnd.dwg", b"\x01\x02", "image/vnd.dwg", &[]),
        ("a.xyz", "text/html", b"\x01\x02", "application/octet-stream", &[]),
        ("a.xyz", "image/svg+xml", b"\x01\x02", "application/octet-stream", &[]),
        ("a.xyz", "no type", b"\x01\x02", "application/octet-stream", &[]),
        ("a.xyz", "", b"\x01\x02", "application/octet-stream", &[]),
        (
            "a.eml",
            "message/delivery-status",
            b"Reporting-MTA: dns; x\n",
            "message/delivery-status",
            &[],
        ),
    ] {
        let expected = (media_type.to_owned(), expected.to_vec());
        assert_eq!(judged(name, declared, bytes), expected, "{name} {declared}");
    }
    let office = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    assert_eq!(judged("a.docx", office, b"\x01\x02").0, office);
}

/// A ZIP archive: name, flags, method, content.
fn zip(entries: &[(&str, u16, u16, &[u8])]) -> Vec<u8> {
    let (mut local, mut list) = (Vec::new(), Vec::new());
    for (name, flags, method, content) in entries {
        let at = u32::try_from(local.len()).unwrap();
        let size = u32::try_from(content.len()).unwrap().to_le_bytes();
        let length = u16::try_from(name.len()).unwrap().to_le_bytes();
        let common = [
            &[20, 0][..],
            &flags.to_le_bytes(),
            &method.to_le_bytes(),
            &[0; 8],
            &size,
            &size,
            &length,
            &[0, 0],
        ]
        .concat();
        local.extend([&b"PK\x03\x04"[..], &common, name.as_bytes(), content].concat());
        list.extend(
            [&b"PK\x01\x02\x14\0"[..], &common, &[0; 10], &at.to_le_bytes(), name.as_bytes()]
                .concat(),
        );
    }
    let (at, size) = (u32::try_from(local.len()).unwrap(), u32::try_from(list.len()).unwrap());
    let end =
        [&b"PK\x05\x06"[..], &[0; 8], &size.to_le_bytes(), &at.to_le_bytes(), &[0, 0]].concat();
    [local, list, end].concat()
}

const TYPES: (&str, u16, u16, &[u8]) = ("[Content_Types].xml", 0, 8, b"x");

#[test]
fn archives_and_what_is_made_as_one() {
    const WORD: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    const SHEET: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    const TEXT: &str = "application/vnd.oasis.opendocument.text";
    let plain = |name| (name, 0, 8, &b"x"[..]);
    let mimetype = ("mimetype", 0, 0, TEXT.as_bytes());
    for (entries, media_type, expected) in [
        (&[plain("photo.jpg")][..], "application/zip", &[][..]),
        (&[("photo.jpg", 1, 8, b"x")], "application/zip", &[Note::Encrypted]),
        (&[plain("a.txt"), ("b.txt", 0, 99, b"x")], "application/zip", &[Note::Encrypted]),
        (&[plain("Invoice.pdf.EXE")], "application/zip", &[Note::Executable]),
        (&[plain("folder.exe/readme")], "application/zip", &[]),
        (&[TYPES, plain("word/document.xml")], WORD, &[]),
        (&[TYPES, plain("word/document.xml"), plain("word/vbaProject.bin")], WORD, &[Note::Macros]),
        (
            &[TYPES, plain("xl/workbook.xml"), plain("xl/macrosheets/sheet1.xml")],
            SHEET,
            &[Note::Macros],
        ),
        (&[plain("word/document.xml")], "application/zip", &[]),
        (&[mimetype, ("content.xml", 0, 8, b"\x01")], TEXT, &[]),
        (&[mimetype, ("content.xml", 0, 0, b"<?xml")], TEXT, &[]),
        (&[mimetype, ("content.xml", 0, 0, b"\x8a\x01")], TEXT, &[Note::Encrypted]),
        (&[mimetype, plain("encrypted-package")], TEXT, &[Note::Encrypted]),
        (&[mimetype, plain("Basic/Standard/Module1.xml")], TEXT, &[Note::Macros]),
        (&[plain("META-INF/MANIFEST.MF")], "application/java-archive", &[Note::Executable]),
        (&[], "application/zip", &[]),
    ] {
        check(&zip(entries), media_type, expected);
    }
    // Without its list at the end, the entries are read one behind the other.
    let whole = zip(&[TYPES, plain("word/document.xml"), ("x", 1, 8, b"x")]);
    let list = containers::find(&whole, b"PK\x01\x02").unwrap();
    check(&whole[..list], WORD, &[Note::Encrypted]);
}

/// A compound file of sectors of 512 bytes: directory in sector 1, `streams` (name, size, first sector)
/// in it, and `content` from sector 2 on.
fn compound(class: &[u8; 16], streams: &[(&str, u32, u32)], content: &[u8]) -> Vec<u8> {
    let mut header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    header.resize(30, 0);
    header.extend(9_u16.to_le_bytes());
    header.resize(48, 0);
    header.extend(1_u32.to_le_bytes());
    header.resize(76, 0);
    header.extend(0_u32.to_le_bytes());
    header.resize(512, 0xff);
    let mut table = vec![0xff; 512];
    let mut directory = Vec::new();
    let root = ("Root Entry", 0, 0);
    for (index, (name, size, first)) in [root].iter().chain(streams).enumerate() {
        let mut entry: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let length = u16::try_from(entry.len() + 2).unwrap();
        entry.resize(64, 0);
        entry.extend(length.to_le_bytes());
        entry.resize(80, 0);
        entry.extend(if index == 0 { *class } else { [0; 16] });
        entry.resize(116, 0);
        entry.extend(first.to_le_bytes());
        entry.extend(size.to_le_bytes());
        entry.resize(128, 0);
        directory.extend(entry);
    }
    // The directory goes on where the table says: in the sectors behind the content.
    let content_sectors = content.len().div_ceil(512);
    let mut sector = 1;
    let mut rest = Vec::new();
    for (index, piece) in directory.chunks(512).enumerate().skip(1) {
        let next = u32::try_from(1 + content_sectors + index).unwrap();
        table[sector * 4..sector * 4 + 4].copy_from_slice(&next.to_le_bytes());
        sector = usize::try_from(next).unwrap();
        rest.extend(piece);
    }
    table[sector * 4..sector * 4 + 4].copy_from_slice(&0xffff_fffe_u32.to_le_bytes());
    directory.truncate(512);
    directory.resize(512, 0);
    let mut content = content.to_vec();
    content.resize(content_sectors * 512, 0);
    [header, table, directory, content, rest].concat()
}

#[test]
fn the_older_office_and_its_locks() {
    const OTHER: &str = "application/x-ole-storage";
    let word = |flags: u16| {
        let mut stream = vec![0xec, 0xa5];
        stream.resize(10, 0);
        stream.extend(flags.to_le_bytes());
        stream
    };
    let book = |second: u16| {
        let record = |kind: u16, content: &[u8]| {
            let length = u16::try_from(content.len()).unwrap();
            [&kind.to_le_bytes()[..], &length.to_le_bytes(), content].concat()
        };
        [record(0x0809, &[0; 16]), record(second, &[0; 6]), vec![0; 500]].concat()
    };
    let none = [0; 16];
    for (streams, content, media_type, expected) in [
        (&[("WordDocument", 8192, 2)][..], word(0), "application/msword", &[][..]),
        (&[("WordDocument", 8192, 2)], word(0x0100), "application/msword", &[Note::Encrypted]),
        (
            &[("WordDocument", 8192, 2), ("Macros", 0, 0), ("VBA", 0, 0)],
            word(0),
            "application/msword",
            &[Note::Macros],
        ),
        (&[("Workbook", 8192, 2)], book(0x00e1), "application/vnd.ms-excel", &[]),
        (&[("Workbook", 8192, 2)], book(0x002f), "application/vnd.ms-excel", &[Note::Encrypted]),
        (&[("PowerPoint Document", 8192, 2)], vec![], "application/vnd.ms-powerpoint", &[]),
        (
            &[("EncryptionInfo", 9, 0), ("EncryptedPackage", 8192, 2)],
            vec![],
            OTHER,
            &[Note::Encrypted],
        ),
        // A sheet inside a letter is a letter; a letter inside a message is a message.
        (&[("WordDocument", 8192, 2), ("Workbook", 8192, 2)], word(0), "application/msword", &[]),
        (
            &[("WordDocument", 8192, 2), ("__properties_version1.0", 9, 0)],
            word(0),
            "application/vnd.ms-outlook",
            &[],
        ),
        // Beyond the first sector of the directory.
        (
            &[("a", 0, 0), ("b", 0, 0), ("c", 0, 0), ("d", 0, 0), ("Workbook", 9, 0)],
            vec![1],
            "application/vnd.ms-excel",
            &[],
        ),
        (&[("Catalog", 9, 0)], vec![], OTHER, &[]),
    ] {
        check(&compound(&none, streams, &content), media_type, expected);
    }
    let mut installer = [0; 16];
    installer[..4].copy_from_slice(&[0x84, 0x10, 0x0c, 0]);
    (installer[8], installer[15]) = (0xc0, 0x46);
    check(&compound(&installer, &[("x", 0, 0)], &[]), "application/x-msi", &[Note::Executable]);
}

#[test]
fn a_locked_pdf_says_so_wherever_its_trailer_is() {
    let filler = "0 0 m\n".repeat(20_000);
    for (text, locked) in [
        (format!("%PDF-1.4\n{filler}trailer\n<< /Root 1 0 R >>\nstartxref\n9\n%%EOF"), false),
        (format!("%PDF-1.4\n{filler}trailer\n<< /Encrypt 5 0 R >>\nstartxref\n9\n%%EOF"), true),
        (format!("%PDF-1.4\n<</Linearized 1>>\ntrailer<</Encrypt 7 0 R>>\n{filler}%%EOF"), true),
        (format!("%PDF-1.4\n{filler}<< /EncryptMetadata false >>\n%%EOF"), false),
        (format!("%PDF-1.4\n{filler}/Encrypt{filler}%%EOF"), false),
        ("%PDF-1.5\n<< /EncryptMetadata false /Encrypt<</V 4>> >>\n".to_owned(), true),
        (format!("%PDF-1.4\n{filler}startxref\n99999999999999999999999999\n%%EOF"), false),
    ] {
        let expected: &[Note] = if locked { &[Note::Encrypted] } else { &[] };
        check(text.as_bytes(), "application/pdf", expected);
    }
    // The last directory may be a long stream that begins far from the end.
    let head = format!("%PDF-1.5\n{filler}");
    let stream = "x".repeat(200_000);
    let text = format!(
        "{head}9 0 obj<</Type/XRef/Encrypt 8 0 R>>\n{stream}\nstartxref\n{}\n%%EOF",
        head.len()
    );
    check(text.as_bytes(), "application/pdf", &[Note::Encrypted]);
}

#[test]
fn locked_archives_of_other_kinds() {
    let seven = |list: &[u8]| {
        let mut bytes = b"7z\xbc\xaf\x27\x1c\0\x04\0\0\0\0".to_vec();
        bytes.extend(5_u64.to_le_bytes());
        bytes.extend(u64::try_from(list.len()).unwrap().to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend([7; 5]);
        [&bytes, list].concat()
    };
    assert_eq!(notes(&seven(b"\x17\x06\x01\x24\x06\xf1\x07\x01\x0a")), [Note::Encrypted]);
    assert_eq!(notes(&seven(b"\x01\x04\x06\x00\x03\x01\x01\x05")), []);

    let rar4 = |blocks: &[(u8, u16, &[u8])]| {
        let mut bytes = b"Rar!\x1a\x07\0".to_vec();
        for (kind, flags, rest) in blocks {
            let size = u16::try_from(7 + rest.len()).unwrap();
            bytes.extend([0, 0, *kind]);
            bytes.extend(flags.to_le_bytes());
            bytes.extend(size.to_le_bytes());
            bytes.extend(*rest);
        }
        bytes
    };
    assert_eq!(notes(&rar4(&[(0x73, 0x0080, &[0; 6])])), [Note::Encrypted]);
    assert_eq!(notes(&rar4(&[(0x73, 0, &[0; 6]), (0x74, 0x0004, &[0; 25])])), [Note::Encrypted]);
    assert_eq!(notes(&rar4(&[(0x73, 0, &[0; 6]), (0x74, 0, &[0; 25]), (0x7b, 0, &[])])), []);

    let rar5 = |blocks: &[&[u8]]| {
        let mut bytes = b"Rar!\x1a\x07\x01\0".to_vec();
        for block in blocks {
            bytes.extend([0; 4]);
            bytes.push(u8::try_from(block.len()).unwrap());
            bytes.extend(*block);
        }
        bytes
    };
    assert_eq!(notes(&rar5(&[&[4, 0, 0, 0]])), [Note::Encrypted]);
    // A file's header: kind, flags (extra and data), sizes, one record of encryption or of time.
    assert_eq!(notes(&rar5(&[&[1, 0, 0], &[2, 3, 3, 0, 9, 9, 2, 1, 0]])), [Note::Encrypted]);
    assert_eq!(notes(&rar5(&[&[1, 0, 0], &[2, 3, 3, 0, 9, 9, 2, 3, 0]])), []);
}

#[test]
fn no_bytes_make_it_stop_or_run_long() {
    let mut seeds = vec![
        zip(&[
            TYPES,
            ("word/document.xml", 1, 8, b"x"),
            ("mimetype", 0, 0, b"application/epub+zip"),
        ]),
        compound(
            &[0; 16],
            &[("WordDocument", 8192, 2), ("a", 0, 0), ("b", 0, 0), ("c", 0, 0), ("d", 0, 0)],
            &[1],
        ),
        b"%PDF-1.5\n<</Encrypt 1 0 R>>\nstartxref\n9\n%%EOF".to_vec(),
        b"Rar!\x1a\x07\0\0\0\x73\0\x80\xff\xff\xff\xff\xff\xff\0\0\x74\0\x80\x07\0\xff\xff\xff\xff"
            .to_vec(),
        [&b"Rar!\x1a\x07\x01\0\0\0\0\0"[..], &[0xff; 40]].concat(),
        [&b"7z\xbc\xaf\x27\x1c\0\x04\0\0\0\0"[..], &[0xff; 40]].concat(),
    ];
    // A chain that bites its own tail.
    let mut ring = compound(&[0; 16], &[("a", 0, 0)], &[]);
    ring[512 + 4..512 + 8].copy_from_slice(&1_u32.to_le_bytes());
    seeds.push(ring);
    let mut state = 1_u32;
    let mut next = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        usize::try_from(state >> 8).unwrap() % below
    };
    for seed in &seeds {
        let whole = type_of(seed);
        for _ in 0..4000 {
            let mut bytes = seed.clone();
            for _ in 0..=next(4) {
                let at = next(bytes.len());
                bytes[at] = [0, 1, 0x7f, 0x80, 0xff][next(5)];
            }
            bytes.truncate(next(bytes.len()) + 1);
            look(&bytes);
        }
        assert_eq!(type_of(seed), whole);
    }
}

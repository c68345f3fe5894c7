//! Messages made to exhaust the reader: in depth, in number, in length, in whatever it looks for.

const HEAD: &str = "From: eve@example.net\r\nTo: complaints@council.example\r\nSubject: deep\r\nMIME-Version: 1.0\r\n";

/// One part repeated to that size.
fn repeated(part: &str, bytes: usize) -> String {
    part.repeat(bytes / part.len())
}

fn text(kind: &str, body: &str) -> Vec<u8> {
    format!("{HEAD}Content-Type: {kind}\r\n\r\n{body}").into_bytes()
}

fn header(name: &str, value: &str) -> Vec<u8> {
    format!("{HEAD}{name}: {value}\r\n\r\nx\r\n").into_bytes()
}

/// Every attack by name, each blown up to about that many bytes.
pub(crate) fn all(bytes: usize) -> Vec<(String, Vec<u8>)> {
    let mut attacks: Vec<(&str, Vec<u8>)> = Vec::new();
    attacks.extend(structure(bytes));
    attacks.extend(headers(bytes));
    attacks.extend(bodies(bytes));
    attacks.into_iter().map(|(name, raw)| (name.to_owned(), raw)).collect()
}

fn structure(bytes: usize) -> Vec<(&'static str, Vec<u8>)> {
    let filled = |part: &str| repeated(part, bytes);
    let messages = filled("Content-Type: message/rfc822\r\n\r\n");
    let digests = filled("Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n");
    let level = |n: u32| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n");
    let levels: String = (0..20_000).map(level).collect();
    let mixed = |body: &str| text("multipart/mixed; boundary=b", body);
    let fields = format!("--b\r\n{}\r\n", "a:\r\nFrom:\r\n".repeat(500));
    vec![
        ("messages in messages", format!("{HEAD}{messages}").into_bytes()),
        ("digests in digests", format!("{HEAD}{digests}").into_bytes()),
        ("parts in parts", format!("{HEAD}{levels}").into_bytes()),
        ("a hundred thousand parts", mixed(&filled("--b\r\n\r\nx\r\n"))),
        ("parts of nothing but fields", mixed(&filled(&fields))),
        (
            "attached messages",
            mixed(&filled("--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: a@b.org\r\n\r\nx\r\n")),
        ),
        ("nearly boundaries", mixed(&filled("--bb\r\n--b-\r\n"))),
        (
            "an endless boundary",
            text(
                &format!("multipart/mixed; boundary=\"{}\"", "b".repeat(200_000)),
                &filled("--bbbbbbbb\r\n"),
            ),
        ),
    ]
}

fn headers(bytes: usize) -> Vec<(&'static str, Vec<u8>)> {
    let filled = |part: &str| repeated(part, bytes);
    vec![
        ("a subject of beginnings", header("Subject", &filled("=?utf-8?Q?x "))),
        ("a subject of open marks", header("X-A: y\r\nSubject", &filled("=? "))),
        ("folds", header("Subject", &filled("x\r\n "))),
        ("comments in comments", header("Cc", &filled("("))),
        ("recipients", header("Cc", &filled("a@example.org, "))),
        ("angles", header("Cc", &filled("<"))),
        ("references", header("References", &filled("<a@b> "))),
        (
            "continued names",
            header("Content-Type", &format!("text/plain{}", filled("; name*1*=%20"))),
        ),
        ("fields", format!("{HEAD}{}\r\nx", filled("X-A: b\r\n")).into_bytes()),
        (
            "lines that are no fields",
            format!("{HEAD}{}\r\nx", filled("no field\r\nX-A: b\r\n")).into_bytes(),
        ),
        ("one line without an end", filled("x").into_bytes()),
        ("carriage returns", filled("\r").into_bytes()),
    ]
}

fn bodies(bytes: usize) -> Vec<(&'static str, Vec<u8>)> {
    let filled = |part: &str| repeated(part, bytes);
    let html = |part: &str| text("text/html", &filled(part));
    let plain = |part: &str| text("text/plain", &filled(part));
    let qp = format!(
        "{HEAD}Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    );
    let b64 =
        format!("{HEAD}Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    vec![
        ("elements in elements", html("<div>")),
        ("unclosed styles", html("<style>")),
        ("unclosed comments", html("<!--")),
        ("unclosed quotation", html("<a b=\"")),
        ("quotations in quotations", html("<blockquote>a")),
        ("lists in lists", html("<ol><li>a")),
        ("paragraphs", html("<p>a")),
        ("cells", html("<td>a")),
        ("ampersands", html("&")),
        ("tables in tables", html("<table><tr><td>a")),
        ("quoted lines", plain("> a\r\n")),
        ("attributions", plain("On 2 Mar 2026, a@b.org wrote:\r\n> x\r\n")),
        ("header lines", plain("From: a@b.org\r\nSent: 2 March 2026\r\n")),
        ("colons", plain("a:\r\n")),
        ("rules", plain("________\r\nconfidential\r\n")),
        ("forward marks", plain("---------- Forwarded message ---------\r\n")),
        ("disclaimers", plain("This is confidential and privileged.\r\n\r\n")),
        ("references of ours", plain("NCC-2026-00412-1 ")),
        (
            "wrapped links",
            plain("https://a.safelinks.protection.outlook.com/?url=https%3A%2F%2Fb "),
        ),
        ("capitals", plain("FREE CLICK HERE! ")),
        ("labels of forms", plain("Name:\r\nEmail:\r\n")),
        ("zeros", plain("\0")),
        ("odd letters", plain("İſK\u{212a}ẞ ")),
        ("soft line ends", format!("{qp}{}", filled("=\r\n")).into_bytes()),
        ("signs of equality", format!("{qp}{}", filled("=")).into_bytes()),
        (
            "a large attachment",
            format!("{b64}{}", filled(&format!("{}\r\n", "QUJD".repeat(19)))).into_bytes(),
        ),
        ("a large text", plain("The bus did not come again today, and nobody rang us.\r\n")),
        (
            "recipients that failed",
            text(
                "multipart/report; report-type=delivery-status; boundary=b",
                &format!(
                    "--b\r\nContent-Type: message/delivery-status\r\n\r\n{}",
                    filled("Final-Recipient: rfc822; a@b.org\r\n\r\n")
                ),
            ),
        ),
        (
            "words of failure",
            format!(
                "From: MAILER-DAEMON@b.org\r\nSubject: Undelivered mail\r\n\r\n{}",
                filled("mailbox unknown: a@b.org\r\n")
            )
            .into_bytes(),
        ),
    ]
}

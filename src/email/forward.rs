//! A message that a person hands on inside their own: councillors and MPs do it every day.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use super::sieve::{May, in_text};
use super::text::{self, Lines};
use super::{Forwarded, address, header, phrases, reply};
use crate::private::Private;

/// Lines by which mail programs open what they forward.
pub(super) static MARKER: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?ix)^[\s>*]*(?:-{2,}\s*)?(?: (?:begin\ )?forwarded\ (?:message|mail|e-?mail)(?:\ (?:from|follows|by).{0,80})? | (?:anfang\ der\ )?weitergeleitete(?:n)?\ (?:nachricht|e-?mail)
        | (?:début\ du\ )?message\ (?:transf[ée]r[ée]|réexpédié|transmis) | (?:inicio\ del\ )?mensaje\ (?:reenviado|remitido) | (?:início\ da\ )?mensagem\ (?:reencaminhada|encaminhada)
        | (?:inizio\ )?messaggio\ inoltrato | inizio\ messaggio\ inoltrato | (?:begin\ )?doorgestuurd\ bericht | (?:start\ på\ )?videresendt\ (?:meddelelse|melding|besked|e-?post)?|(?:påbörjar\ )?vidarebefordrat\ (?:mail|meddelande|brev)
        | vidarebefordrat\ .{0,30} | przekazan[ay]\ wiadomość | (?:początek\ )?przekazywan\S+\ wiadomo\S+ | välitetty\ viesti | välitetyn\ viestin\ alku | továbbított\ (?:üzenet|levél) | p[řr]eposlan[áa]\ (?:zpr\S+|e-?mail)
        | přeposl\S+\ .{0,20} | preposl\S+\ spr\S+ | (?:započni\ )?proslij?e\S*\ \S+ | započni\ .{0,40}|mesaj\ (?:redirec\S+|transmis) | (?:începutul\ )?mesajului?\ (?:redirec\S+|retransmis) | начало\ .{0,40} | пересылаемое\ .{0,30} | перенаправленное\ .{0,30} | пересланное\ .{0,30} | переслане\ .{0,30}
        | початок\ .{0,40} | iletil\S+\ (?:mesaj|ileti|e-?posta) | iletilmiş\ mesaj | yönlendirilen\ .{0,20} | başlangıç\ .{0,30}|forwarded\ .{0,20} | edelleenlähetetty\ viesti | [iİ]̇?letilmi.\ .{1,20}? | перенаправлене\ .{0,30} | începe\ mesajul\ .{0,20} | メッセージを転送 | بدء\ الرسالة\ .{0,30} | رسالة\ معاد\ توجيهها | الرسالة\ المعاد\ توجيهها )\s*:?\s*(?:-{2,})?",
    )
});

/// Labels of the sender line, in the languages of mail programs.
const FROM: [&str; 41] = [
    "from",
    "von",
    "de",
    "da",
    "van",
    "fra",
    "från",
    "od",
    "šalje",
    "pošiljatelj",
    "pošiljatel",
    "odesílatel",
    "odosielateľ",
    "lähettäjä",
    "feladó",
    "от",
    "отправитель",
    "от кого",
    "від",
    "відправник",
    "від кого",
    "kimden",
    "gönderen",
    "de la",
    "expeditor",
    "nadawca",
    "expéditeur",
    "mittente",
    "remitente",
    "avsändare",
    "afsender",
    "avsender",
    "expeditorul",
    "送信元",
    "差出人",
    "发件人",
    "من",
    "寄件者",
    "από",
    "nuo",
    "از",
];
const SUBJECT: [&str; 31] = [
    "subject",
    "betreff",
    "objet",
    "oggetto",
    "asunto",
    "assunto",
    "onderwerp",
    "emne",
    "ämne",
    "předmět",
    "predmet",
    "temat",
    "aihe",
    "tárgy",
    "тема",
    "konu",
    "subiect",
    "subjekt",
    "sujet",
    "re",
    "objekt",
    "титул",
    "onderwerp van",
    "email subject",
    "subiectul",
    "件名",
    "主题",
    "الموضوع",
    "主旨",
    "θέμα",
    "относно",
];
const DATE: [&str; 48] = [
    "date",
    "sent",
    "datum",
    "gesendet",
    "envoyé",
    "data",
    "inviato",
    "fecha",
    "enviado",
    "verzonden",
    "dato",
    "sendt",
    "skickat",
    "skickades",
    "dátum",
    "poslano",
    "odesláno",
    "odoslané",
    "wysłano",
    "lähetetty",
    "päivämäärä",
    "küldve",
    "elküldve",
    "дата",
    "отправлено",
    "надіслано",
    "tarih",
    "gönderilen",
    "gönderme tarihi",
    "dată",
    "trimis",
    "am",
    "message du",
    "päiväys",
    "vm",
    "enviada em",
    "enviada",
    "日付",
    "送信日時",
    "发送时间",
    "日期",
    "تاريخ الإرسال",
    "التاريخ",
    "تم الإرسال",
    "寄件日期",
    "στάλθηκε",
    "išsiųsta",
    "изпратено",
];
const TO: [&str; 43] = [
    "to",
    "an",
    "à",
    "a",
    "para",
    "aan",
    "til",
    "till",
    "do",
    "komu",
    "kome",
    "prima",
    "pro",
    "vastaanottaja",
    "címzett",
    "кому",
    "kime",
    "alıcı",
    "către",
    "catre",
    "destinataire",
    "cc",
    "kopie",
    "copie",
    "kopia",
    "kopi",
    "копия",
    "копія",
    "bilgi",
    "kopija",
    "reply-to",
    "importance",
    "destinatarul",
    "送信先",
    "宛先",
    "收件人",
    "إلى",
    "نسخة",
    "收件者",
    "προς",
    "kam",
    "dw",
    "до",
];

/// What a label stands for: one that is spelt alike in two languages may stand for several.
#[derive(Debug, Clone, Copy, Default)]
struct Label {
    from: bool,
    subject: bool,
    date: bool,
}

/// Every label, lower case, with what it stands for.
static LABELS: LazyLock<HashMap<&'static str, Label>> = LazyLock::new(|| {
    let mut labels: HashMap<&'static str, Label> = HashMap::new();
    for label in FROM {
        labels.entry(label).or_default().from = true;
    }
    for label in SUBJECT {
        labels.entry(label).or_default().subject = true;
    }
    for label in DATE {
        labels.entry(label).or_default().date = true;
    }
    for label in TO {
        labels.entry(label).or_default();
    }
    labels
});

/// Bytes and characters of the longest label that is looked up.
const LABEL_BYTES: usize = 72;
const LABEL_CHARS: usize = 24;

/// What the label of a `Label: value` line stands for, and its value, without quotation marks and asterisks.
fn label(line: &str) -> Option<(Label, &str)> {
    let around =
        |c: char| matches!(c, '>' | ' ' | '\t' | '\u{a0}' | '*' | '|') || text::is_unseen(c);
    let line = line.trim_start_matches(around);
    // A label is short.
    let colon = text::find_colon(text::cut(line, 90))?;
    let (label, value) = line.split_at_checked(colon)?;
    let value = value.trim_start_matches([':', '：']);
    let label = label.trim_matches(around);
    if label.is_empty() || label.len() > LABEL_BYTES || label.chars().count() > LABEL_CHARS {
        return None;
    }
    let label = LABELS.get(label.to_lowercase().as_str())?;
    Some((*label, value.trim_matches(['*', ' ', '\u{a0}', '\t'])))
}

/// The header lines of a message quoted in a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    from: Option<String>,
    subject: Option<String>,
    date: Option<String>,
}

/// Lines of the longest block of header lines, and those that a block needs.
const MOST_IN_BLOCK: usize = 14;
const LEAST_IN_BLOCK: usize = 3;

/// Reads the block of header lines that begins at this line, where there is one: at least three
/// lines with known labels, one of them the sender's.
pub(super) fn header_block(lines: &Lines<'_>, at: usize) -> Option<Block> {
    let may_begin = lines.have_colons(at, MOST_IN_BLOCK, LEAST_IN_BLOCK);
    let lines = lines.all.get(at..).filter(|_| may_begin)?;
    label(lines.first()?)?;
    let mut block = Block::default();
    let mut labels = 0;
    let mut misses = 0;
    for line in lines.iter().take(MOST_IN_BLOCK) {
        match label(line) {
            Some((label, value)) => {
                labels += 1;
                // A label of two languages goes to the first field still empty.
                if label.from && block.from.is_none() && !value.is_empty() {
                    block.from = Some(value.to_owned());
                } else if label.subject && block.subject.is_none() {
                    block.subject = Some(value.to_owned());
                } else if label.date && block.date.is_none() {
                    block.date = Some(value.to_owned());
                }
            }
            None if line.trim_matches(['>', ' ', '\t']).is_empty() && labels >= 2 => break,
            None => misses += 1,
        }
        if misses > 2 {
            break;
        }
    }
    (labels >= LEAST_IN_BLOCK && block.from.is_some()).then_some(block)
}

/// The message forwarded inline, if the text hands one on, and on which line the first block of header lines
/// begins, if it does not.
///
/// `subject` decides the doubtful case: a block of header lines below a person's own words is a
/// reply's quotation unless the subject says `Fwd`.
pub(super) fn inline(
    subject: &str,
    lines: &Lines<'_>,
    may: May,
) -> (Option<Forwarded>, Option<usize>) {
    let all = lines.all.as_slice();
    if let Some(forwarded) = may.has(in_text::ATTRIBUTION).then(|| under_attribution(all)).flatten()
    {
        return (Some(forwarded), None);
    }
    let may_be_marked = may.has(in_text::FORWARDED);
    for (at, line) in all.iter().enumerate() {
        let own_words = || all.iter().take(at).any(|l| l.chars().any(char::is_alphanumeric));
        if may_be_marked && line.len() < 400 && is_marker(line) {
            let behind = (at + 1..all.len())
                .find(|n| all.get(*n).is_some_and(|l| !l.trim_matches(['>', ' ']).is_empty()));
            if let Some(block) = behind.and_then(|n| header_block(lines, n)) {
                return (Some(block.into_forwarded()), None);
            }
            if let Some(forwarded) = after_marker(all, at) {
                return (Some(forwarded), None);
            }
        }
        if let Some(block) = header_block(lines, at) {
            let handed_on =
                is_forward_subject(subject) || !own_words() || hands_on(subject, all, at);
            return (handed_on.then(|| block.into_forwarded()), Some(at));
        }
    }
    (None, None)
}

/// What people say who hand on what others wrote to them.
static HANDS_ON: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?i)\b(?:my|our|a|this|the) (?:constituent|resident)s?\b|\bforward(?:ed|ing)\b|\bpass(?:ed|ing)? (?:this|it) (?:on|to)\b|\bon behalf of\b|\b(?:e-?mail|message|correspondence|letter) below\b|\bbelow (?:e-?mail|message|correspondence)\b|\breceived (?:the|this) (?:below|following)\b",
    )
});

/// Whether the words above a block of header lines hand it on, under whatever subject but that of
/// an answer. Casework programs give letters subjects of their own.
fn hands_on(subject: &str, lines: &[&str], at: usize) -> bool {
    static ANSWER: LazyLock<Regex> = LazyLock::new(|| {
        phrases::compiled(r"(?i)^\s*(?:re|aw|sv|odp|res?p|antw?|vá|tr|رد)\s*(?:\[\d+\])?\s*:")
    });
    let above = lines.get(at.saturating_sub(40)..at).unwrap_or_default().join("\n");
    !ANSWER.is_match(subject) && HANDS_ON.is_match(&above)
}

/// A letter of nothing but "On … Ann <ann@…> wrote:" and unquoted text: some Outlooks forward so.
fn under_attribution(lines: &[&str]) -> Option<Forwarded> {
    let first = lines.iter().position(|l| !l.trim().is_empty())?;
    let length = reply::attribution(lines, first)?;
    let below = lines.iter().skip(first + length).find(|l| !l.trim().is_empty())?;
    if below.trim_start().starts_with(['>', '|']) {
        return None;
    }
    let head = lines.get(first..first + length)?.join(" ");
    let from = address::valid(ADDRESS.captures(&head)?.get(1)?.as_str())?;
    Some(Forwarded { from: Some(Private(from)), ..Forwarded::default() })
}

static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(r"<?([^\s<>:;,\[\]()]+@[^\s<>:;,\[\]()]+\.[^\s<>:;,\[\]()]+)>?")
});

fn is_marker(line: &str) -> bool {
    if !line.contains("--") && !line.trim_end().ends_with(':') {
        return false;
    }
    MARKER.find(line).is_some_and(|m| {
        let dashes = line.matches('-').count() >= 4;
        let rest = line.get(m.end()..).unwrap_or_default();
        dashes || rest.trim().is_empty() && line.trim_end().ends_with(':')
    })
}

/// How subjects of messages begin that are handed on.
static PREFIX: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?i)^\s*(?:(?:re|aw|sv)\s*:\s*)*\[?(?:fwd?|wg|tr|rv|enc|i|vs|vb|vl|doorst|pd|továbbítás|ilt)\s*:",
    )
});

/// Whether the subject says that the message is handed on.
pub(super) fn is_forward_subject(subject: &str) -> bool {
    memchr::memchr(b':', subject.as_bytes()).is_some() && PREFIX.is_match(subject)
}

/// Programs that put all header lines into one, or name them oddly.
fn after_marker(lines: &[&str], at: usize) -> Option<Forwarded> {
    let near: Vec<&str> = lines.iter().skip(at).take(10).copied().collect();
    let joined = near.join("\n");
    let from = ADDRESS.captures(text::cut(&joined, 1_000))?.get(1)?.as_str();
    let subject = near.iter().find_map(|l| label(l).filter(|(label, _)| label.subject));
    let from = address::valid(from.trim_start_matches("mailto:"))?;
    Some(Forwarded {
        from: Some(Private(from)),
        subject: subject.map(|(_, s)| Private(text::one_line(s, 300))),
        date: None,
    })
}

impl Block {
    fn into_forwarded(self) -> Forwarded {
        let from = self.from.map(|f| f.replace("mailto:", "").replace(['[', ']'], " "));
        let from = from.and_then(|f| address::addresses(&f).next());
        Forwarded {
            from: from.map(Private),
            subject: self.subject.map(|s| Private(text::one_line(&s, 300))),
            date: self.date.map(|d| text::one_line(&d, 100)),
        }
    }
}

/// What an attached message says of itself in its header.
pub(super) fn attached(headers: &header::Headers<'_>) -> Forwarded {
    let from = headers.text("from").and_then(|f| address::addresses(&f).next());
    Forwarded {
        from: from.map(Private),
        subject: headers.get("subject").map(|s| Private(text::one_line(&s.decoded(), 300))),
        date: headers.text("date").map(|d| text::one_line(&d, 100)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sieve;
    use super::*;

    fn author(subject: &str, body: &str) -> Option<String> {
        inline(subject, &Lines::of(body), sieve::TEXT.may(body)).0?.from.map(|f| f.0)
    }

    #[test]
    fn casework_is_handed_on_under_any_subject_but_an_answers() {
        let casework = "Please reply to my constituent.\n\nFrom: Ann Lee <ann@x.org>\nSent: Monday\nTo: B MP\nSubject: Bins\n\nMy bin";
        assert_eq!(author("Casework: Lee", casework).as_deref(), Some("ann@x.org"));
        assert_eq!(author("RE: Casework: Lee", casework), None);
        assert_eq!(author("Bins", &casework.replace("my constituent", "me")), None);
    }

    #[test]
    fn forwarded_authors_are_found() {
        let gmail = "Please see below.\n\n---------- Forwarded message ---------\nFrom: Ann Lee <ann@x.org>\nDate: Mon\nSubject: Bins\nTo: me\n\nMy bin";
        assert_eq!(author("Fwd: Bins", gmail).as_deref(), Some("ann@x.org"));
        let apple = "Begin forwarded message:\n\n> From: Ann <ann@x.org>\n> Subject: Bins\n> Date: Mon\n> To: me\n>\n> My bin";
        assert_eq!(author("Fwd: Bins", apple).as_deref(), Some("ann@x.org"));
        let outlook = "FYI\n\nFrom: Ann Lee [mailto:ann@x.org]\nSent: Monday\nTo: Cllr B\nSubject: Bins\n\nMy bin";
        assert_eq!(author("FW: Bins", outlook).as_deref(), Some("ann@x.org"));
        assert_eq!(author("Re: Bins", outlook), None, "a reply's quotation");
    }
}

//! What this sender newly wrote: the text without what is quoted, signed or handed on.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::sieve::{May, in_text};
use super::text::{self, Lines};
use super::{forward, phrases};

/// `-----Original Message-----` in the languages that mail programs speak, and our own marker.
pub(super) static ORIGINAL: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?ix)^[\s>*]*(?:[-_=]{2,}|[*]{3,})\s*(?: original(?:\ |-)?(?:message|nachricht|e-?mail|appointment)? | (?:ursprüngliche|urspr\S+|originale?)\ (?:nachricht|mail|message)
        | message\ (?:d['’]origine|original|initial) | mensaje\ original | mensagem\ original | messaggio\ originale | oorspronkelijk\ bericht | oprindelig\ \S+ | opprinnelig\ \S+
        | ursprungligt\ meddelande | wiadomość\ oryginalna | oryginalna\ wiadomość | alkuperäinen\ viesti | původní\ \S+ | eredeti\ üzenet | исходное\ сообщение | оригінальне\ повідомлення | початкове\ повідомлення | mesaj(?:ul)?\ original | الرسالة\ الأصلية | reply\ above\ this\ line
        | \#\#-\ .* | please\ (?:type\ your\ )?reply\ above\ .* | reply\ message | reply\ separator | in\ reply\ to )[\s:]*(?:[-_=*]{2,})?.{0,20}$
        | ^\s*\#\#-.*-\#\#\s*$ | ^\s*[-_=*\s]*(?:please\ )?(?:type\ your\ )?(?:reply|respond)\ above\ this\ line[-_=*.\s]*$",
    )
});

/// A line (or lines joined) that says who wrote what follows. Repetition without a bound: counting
/// makes more states than the fast engine keeps, and the lines are short.
static ATTRIBUTION: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?ix)^[\s>*_-]*(?:
          (?:on|am|le|el|il|op|em|den|dne|dnia|w\ dniu|w\ dn|pe|on:|a|på|ti|em|o|kl|în|2\d{3}\S*|\d{1,4}\S*|\p{L}{1,12}[.,]?)\W .{3,}?
          (?:wrote|writes|said|schrieb(?:\ .*)?|geschrieben|a\ [ée]crit|escribi[óo]|ha\ scritto|kirjoitti\ .*|ezt\ írta|napísal|tarihinde\ .*|geschreven|följande|skrev\ følgende\ .*|scriveva|schreef(?:\ .*)?|het\ volgende\ geschreven|napisa[łl](?:\(a\))?|skrev(?:\ .*)?|escreveu|napsal(?:\(a\)|a)?|kirjoitti|scris|írta|пишет|пише|написал\(?а?\)?|написа(?:в|ла)|pisze|كتبت?|yazd[ıi]|さんが書きました|写道|のメール|작성)
          [\s:：*_-]*$
        | .{4,}<[^<>\s]+@[^<>\s]+>[\s,\u{200e}\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}]*(?:\([^)]*\))?\s*[:：]\s*$
        | -{3,}\s*on\b.{4,}\bwrote\s*-{3,}\s*$
        )",
    )
});

/// The words of [`ATTRIBUTION`] without which it cannot match: looking for them costs a hundredth of it,
/// and most lines of a letter hold none. Single words, so that one at a line's end is found too.
pub(super) static ATTRIBUTION_WORD: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?i)wrote|writes|said|schrieb|geschrieben|crit|escribi|scritto|kirjoitti|írta|napísal|tarihinde|geschreven|följande|skrev|scriveva|schreef|napisa|escreveu|napsal|scris|пише|написа|pisze|كتب|yazd|書きました|写道|のメール|작성|<[^<>\s]+@[^<>\s]+>",
    )
});

/// What phones and free mail add to every letter, standing alone on its line.
pub(super) static SENT_FROM: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?ix)^\s*(?:sent\ from\ (?:\w+<|my|mail\ for|outlook|yahoo|the|samsung)|sent\ (?:via|with)\ |get\ outlook\ for|gesendet\ (?:von|mit)|von\ meinem\ .{2,40}\ gesendet|envoyé\ (?:de|depuis|à\ partir)|enviado\ (?:desde|do|de)|inviato\ da|verzonden\ (?:vanaf|met|vanuit)|verstuurd\ vanaf|skickat\ från|sendt\ fra|wysłan[eo]\ z|obter\ o\ outlook|télécharger\ outlook|отправлено\ (?:с|из)|надіслано\ (?:з|із)|trimis\ (?:de\ pe|din|cu)|مرسل\S*\ من|أ?رسلت\ من|تم\ الإرسال\ من).{0,80}$",
    )
});

static RULE: LazyLock<Regex> =
    LazyLock::new(|| phrases::compiled(r"^\s*[_*=-]{4,}\s*$|^\s*[_─—]{3,}\s*$"));

fn is_quoted(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('>') || line.starts_with("|>") || line.starts_with("&gt;")
}

/// The text that the sender newly wrote. Where everything is quoted, all of it. `block` is the line on which the first
/// block of header lines begins, where there is one.
pub(super) fn new_text(text: &str, lines: &Lines<'_>, may: May, block: Option<usize>) -> String {
    let kept = keep(lines, may, block);
    let all_stays = matches!(kept.as_slice(), [all] if *all == (0..lines.all.len()));
    let tidy = if all_stays {
        text.to_owned()
    } else {
        let mut out = String::with_capacity(text.len());
        for line in kept.into_iter().filter_map(|range| lines.all.get(range)).flatten() {
            out.push_str(line);
            out.push('\n');
        }
        text::tidy(&out)
    };
    let out = if may.has(in_text::DISCLAIMER) { without_disclaimer(tidy) } else { tidy };
    if out.is_empty() { text.to_owned() } else { out }
}

/// The ranges of lines that stay.
fn keep(of: &Lines<'_>, may: May, block: Option<usize>) -> Vec<Range<usize>> {
    let lines = of.all.as_slice();
    let opens_block = |at: usize| {
        block.is_some_and(|first| {
            at == first || at > first && forward::header_block(of, at).is_some()
        })
    };
    let (may_open, may_be_sent_from) = (may.has(in_text::ORIGINAL), may.has(in_text::SENT_FROM));
    let mut kept = Vec::new();
    let mut at = 0;
    let mut from = 0;
    // Most lines of a letter end in none of the ways of an attribution: no more is asked of them.
    let attributed = if may.has(in_text::ATTRIBUTION) { lines } else { &[] };
    let ends: Vec<bool> = attributed.iter().map(|line| may_end_attribution(line)).collect();
    while let Some(line) = lines.get(at) {
        let near = ends.get(at..(at + MOST_LINES).min(ends.len())).unwrap_or_default();
        if let Some(length) = near.contains(&true).then(|| attribution(lines, at)).flatten() {
            kept.push(from..at);
            let behind = at + length;
            match quoted_block(lines, behind) {
                Some(end) => {
                    at = end;
                    from = end;
                    continue;
                }
                None => return kept,
            }
        }
        if may_open && is_original(line) || opens_block(at) {
            let above = lines.get(from..at).unwrap_or_default();
            let rule = above.iter().rposition(|l| !l.trim().is_empty());
            let rule = rule.filter(|n| above.get(*n).is_some_and(|l| RULE.is_match(l)));
            kept.push(from..rule.map_or(at, |n| from + n));
            return kept;
        }
        if is_quoted(line) {
            kept.push(from..at);
            let end = quoted_block(lines, at).unwrap_or(at + 1);
            at = end;
            from = end;
            continue;
        }
        if line.trim() == "--"
            || may_be_sent_from && is_sent_from(lines, at)
            || is_list_footer(lines, at)
        {
            kept.push(from..at);
            // Behind a signature only an answer below a quotation is the sender's again.
            return kept;
        }
        at += 1;
    }
    kept.push(from..lines.len());
    kept
}

/// Whether a line opens the original message. The signs are looked for first: nearly no line has one.
fn is_original(line: &str) -> bool {
    let signs = |[one, other]: &[u8; 2]| match one {
        b'-' | b'_' | b'=' | b'*' | b'#' => one == other,
        b'b' => *other == b'o',
        b'B' => *other == b'O',
        _ => false,
    };
    line.len() < 1_000 && line.as_bytes().array_windows().any(signs) && ORIGINAL.is_match(line)
}

/// Lines of the longest attribution.
const MOST_LINES: usize = 4;

/// How many lines make an attribution that begins here.
pub(super) fn attribution(lines: &[&str], at: usize) -> Option<usize> {
    let first = lines.get(at).filter(|l| !l.trim().is_empty() && l.len() < 400)?;
    let mut joined = (*first).trim().to_owned();
    for length in 1..=MOST_LINES {
        let last = lines.get(at + length - 1).is_some_and(|l| may_end_attribution(l));
        if last
            && joined.len() > 8
            && tells_when_or_who(&joined)
            && ATTRIBUTION_WORD.is_match(&joined)
            && ATTRIBUTION.is_match(&joined)
        {
            // The last line of the letter itself must not be taken for the attribution's first.
            let later = !tells_when(first)
                && (1..length).any(|n| {
                    lines.get(at + n).is_some_and(|l| tells_when(l))
                        && attribution(lines, at + n) == Some(length - n)
                });
            return (!later).then_some(length);
        }
        let next = lines.get(at + length).map(|l| l.trim()).filter(|l| !l.is_empty())?;
        if is_quoted(next) != is_quoted(first) {
            return None;
        }
        joined.push(' ');
        joined.push_str(next.trim_start_matches('>').trim());
        if joined.len() > 400 {
            break;
        }
    }
    None
}

/// Whether a line ends in a colon, a rule, or a word for writing.
fn may_end_attribution(line: &str) -> bool {
    let line = line.trim_end_matches(|c: char| c == ' ' || text::is_unseen(c));
    if line.ends_with([':', '：', '-', '*', '_']) {
        return true;
    }
    let may_hold_address = memchr::memchr2(b'<', b'@', line.as_bytes()).is_some();
    // Most lines of a letter end with the end of a sentence, or are as long as they can be.
    if !may_hold_address && (line.len() > 40 || line.ends_with(['.', ',', '!', '?'])) {
        return false;
    }
    // Languages that name the writer last, broken inside the address.
    if may_hold_address
        && line.contains('<')
        && [" schrieb ", " schreef ", " skrev ", " kirjoitti "].iter().any(|w| line.contains(w))
    {
        return true;
    }
    // Without a colon only behind an address, or on the last of several lines.
    if line.len() > 40 && !(may_hold_address && line.contains('@')) {
        return false;
    }
    let last = line.rsplit([' ', '\t']).next().unwrap_or_default();
    matches!(
        last,
        "wrote"
            | "writes"
            | "said"
            | "schrieb"
            | "geschrieben"
            | "écrit"
            | "ecrit"
            | "escribió"
            | "scritto"
            | "kirjoitti"
            | "írta"
            | "napísal"
            | "geschreven"
            | "följande"
            | "skrev"
            | "scriveva"
            | "schreef"
            | "napisał"
            | "napisał(a)"
            | "escreveu"
            | "napsal"
            | "napsal(a)"
            | "scris"
            | "пишет"
            | "пише"
            | "написал"
            | "написала"
            | "написав"
            | "pisze"
            | "yazdı"
            | "كتب"
            | "書きました"
            | "写道"
    )
}

/// An attribution names a time or an address; "My neighbour wrote:" is a letter's own sentence.
fn tells_when_or_who(line: &str) -> bool {
    let digits = line.bytes().filter(u8::is_ascii_digit).count();
    line.contains('@') || digits >= 3
}

/// Whether a line holds the digits of a date or time, addresses aside.
fn tells_when(line: &str) -> bool {
    let words = line.split_whitespace().filter(|w| !w.contains('@'));
    words.flat_map(str::bytes).filter(u8::is_ascii_digit).count() >= 3
}

/// Where the quoted lines end that begin here (blank lines between them included).
fn quoted_block(lines: &[&str], at: usize) -> Option<usize> {
    let mut end = None;
    for (number, line) in lines.iter().enumerate().skip(at) {
        if is_quoted(line) {
            end = Some(number + 1);
        } else if !line.trim().is_empty() {
            break;
        }
    }
    end
}

/// "Sent from my phone" ends a letter only where nothing but quotation follows.
fn is_sent_from(lines: &[&str], at: usize) -> bool {
    let sent_from = lines.get(at).is_some_and(|l| l.len() < 300 && SENT_FROM.is_match(l));
    let rest = lines.get(at + 1..).unwrap_or_default();
    sent_from && rest.iter().any(|l| !l.trim().is_empty())
}

/// A rule of underscores, then the name of the list that sent it round.
fn is_list_footer(lines: &[&str], at: usize) -> bool {
    let rule = lines.get(at).is_some_and(|l| l.len() > 1 && l.chars().all(|c| c == '_'));
    let mut below = lines.iter().skip(at + 1).filter(|l| !l.trim().is_empty());
    rule && below.next().is_some_and(|l| l.to_lowercase().ends_with("mailing list"))
}

/// Rules that fence a disclaimer in.
static FENCE: LazyLock<Regex> =
    LazyLock::new(|| phrases::compiled(r"^\s*(?:[*_=-]\s?){8,}\s*$|^\s*\*{3,}\s*$"));

/// What mail gateways write below every letter. One such phrase may be a person's own; two, or one
/// inside a fence, are a disclaimer.
pub(super) static DISCLAIMER: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?ix)\bconfidential\b | \bprivileged\b | \bintended\s+(?:solely\s+|only\s+)?for\b | \bintended\s+recipient | \breceived\s+(?:this|it)\b[^.]{0,40}\bin\s+error
        | \bscanned\s+for\s+(?:computer\s+)?virus | \bswept\s+for\b | \bvirus\s+free\b | \b(?:routinely|centrally|may\s+be)\s+(?:automatically\s+)?(?:monitored|logged) | \bmonitored\s+(?:and|centrally|for)\b | \brecorded\s+for\s+legal
        | \bmonitors?\s+all\b | \bunauthori[sz]ed\s+use | \bcopying\b[^.]{0,60}\bprohibited | \bpresence\s+of\s+(?:computer\s+)?virus | \bany\s+attachments?\b[^.]{0,40}\b(?:confidential|intended)|\bsolely\s+(?:for|to)\b",
    )
});

/// Most disclaimers taken out of one letter.
const MOST_DISCLAIMERS: usize = 10;

/// The letter without the gateways' disclaimers at its end or between fences.
fn without_disclaimer(text: String) -> String {
    if !DISCLAIMER.is_match(&text) {
        return text;
    }
    let mut lines: Vec<&str> = text.lines().collect();
    for _ in 0..MOST_DISCLAIMERS {
        let Some(range) = fenced_disclaimer(&lines) else { break };
        lines.drain(range);
    }
    let joined = lines.join("\n");
    let mut rest = joined.trim_end();
    while let Some((above, last)) = rest.rsplit_once("\n\n") {
        let fence = FENCE.is_match(last.trim());
        if !fence && DISCLAIMER.find_iter(last).take(2).count() < 2 {
            break;
        }
        rest = above.trim_end();
    }
    rest.to_owned()
}

fn fenced_disclaimer(lines: &[&str]) -> Option<Range<usize>> {
    let fences: Vec<usize> =
        (0..lines.len()).filter(|n| lines.get(*n).is_some_and(|l| FENCE.is_match(l))).collect();
    for (number, open) in fences.iter().enumerate() {
        let close = fences.get(number + 1).map_or(lines.len(), |n| n + 1);
        let inside = lines.get(*open..close).unwrap_or_default().join("\n");
        // Nothing above the fence: the letter itself stands in it.
        let above = lines.get(..*open).unwrap_or_default().iter().any(|l| !l.trim().is_empty());
        if above && DISCLAIMER.is_match(&inside) {
            return Some(*open..close);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::sieve;
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &str) {
        let (lines, may) = (Lines::of(text), sieve::TEXT.may(text));
        let block = (0..lines.all.len()).find(|at| forward::header_block(&lines, *at).is_some());
        assert_eq!(new_text(text, &lines, may, block), want);
    }

    #[test]
    fn what_is_quoted_is_left_out() {
        check(
            "Thanks.\n\nOn Mon, 2 Mar 2026 at 10:00, A B <a@b.org> wrote:\n> old\n> older",
            "Thanks.",
        );
        check("Thanks.\n\nOn Mon, 2 Mar 2026 at 10:00, A B\n<a@b.org> wrote:\n\n> old", "Thanks.");
        check("Danke\n\nAm 02.03.2026 um 10:00 schrieb A B:\n> alt", "Danke");
        check("Merci\n\nLe 2 mars 2026 à 10:00, A <a@b.org> a écrit :\n\nvieux", "Merci");
        check("Thanks\n\n-----Original Message-----\nFrom: A\nold", "Thanks");
        check(
            "Thanks\n________________________________\nFrom: A B <a@b.org>\nSent: 2 March 2026\nTo: C\nSubject: x\n\nold",
            "Thanks",
        );
    }

    #[test]
    fn an_attribution_broken_inside_the_address_is_one() {
        check("Takk\n\ntir. 3. mar. 2026 kl. 13:09 skrev A B <a@b.org\n>:\n\n> gammelt", "Takk");
        check(
            "Dank\n\nOp 3 maart 2026 19:05 schreef A B <\na@b.org>:\n\n> oud\nafgebroken",
            "Dank",
        );
    }

    #[test]
    fn quotation_is_known_in_the_languages_of_residents() {
        for (text, want) in [
            (
                "Dziękuję\n\npon., 2 mar 2026 o 10:00 A B <a@b.org> napisał(a):\n\n> stare",
                "Dziękuję",
            ),
            (
                "Mulțumesc\n\nÎn lun., 2 mar. 2026 la 10:00, A <a@b.org> a scris:\n\n> vechi",
                "Mulțumesc",
            ),
            ("Дякую\n\nпн, 2 бер. 2026 р. о 10:00 A B <a@b.org> пише:\n\n> старе", "Дякую"),
            (
                "شكرا\n\nفي الاثنين، 2 مارس 2026 في 10:00 تمت كتابة ما يلي بواسطة \u{202a}A <a@b.org>\u{202c}\u{200f}:\n\n> قديم",
                "شكرا",
            ),
            (
                "Dziękuję\n\nOd: A B <a@b.org>\nWysłano: 2 marca 2026 10:00\nDo: C\nTemat: Skarga\n\nstare",
                "Dziękuję",
            ),
            (
                "Mulțumesc\n\nDe la: A <a@b.org>\nTrimis: luni, 2 martie 2026\nCătre: C\nSubiect: x\n\nvechi",
                "Mulțumesc",
            ),
            (
                "Дякую\n\nВід: A <a@b.org>\nНадіслано: 2 березня 2026 р.\nКому: C\nТема: x\n\nстаре",
                "Дякую",
            ),
            (
                "شكرا\n\nمن: A <a@b.org>\nتاريخ الإرسال: 2 مارس 2026\nإلى: C\nالموضوع: x\n\nقديم",
                "شكرا",
            ),
        ] {
            check(text, want);
        }
    }

    #[test]
    fn answers_between_quotations_stay() {
        check("Hello\n> one?\nYes.\n> two?\nNo.", "Hello\nYes.\nNo.");
        check("On 2 Mar 2026, a@b.org wrote:\n> one?\n\nYes.", "Yes.");
    }

    #[test]
    fn signatures_marked_as_such_go() {
        check("Please help.\n-- \nAnn Lee\n01234", "Please help.");
        check("Please help.\n\nYours, Ann", "Please help.\n\nYours, Ann");
    }

    #[test]
    fn disclaimers_go_but_a_persons_word_of_confidence_stays() {
        let fence = "*".repeat(40);
        let mail = format!(
            "Please help.\n\nAnn\n\n{fence}\nThis email is confidential.\n\nIt may be read.\n{fence}"
        );
        check(&mail, "Please help.\n\nAnn");
        check(
            "Please help.\n\nThis email is confidential and intended solely for the addressee.",
            "Please help.",
        );
        let letter = "My son is bullied.\n\nPlease keep this confidential.";
        check(letter, letter);
    }

    #[test]
    fn a_letters_own_sentence_is_no_quotation() {
        let letter = "On Monday my neighbour wrote:\nYou are a fool.\nI want this stopped.";
        check(letter, letter);
        check("> all is quoted", "> all is quoted");
    }
}

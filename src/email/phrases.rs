//! The words by which machines give themselves away where no header does.

use std::sync::LazyLock;

use regex::Regex;

use super::text;

/// A pattern of this program's own: its tests compile every one of them.
///
/// # Panics
/// Where the pattern is wrong, which a test would have shown.
pub(super) fn compiled(pattern: &str) -> Regex {
    Regex::new(&ascii_boundaries(pattern)).expect("patterns are constants and compile in the tests")
}

/// The same pattern with `\b` between ASCII letters and everything else. The Unicode one makes the
/// library fall back to its slowest engine as soon as a text holds one curly quote. A pattern must
/// therefore not set `\b` beside a letter outside ASCII.
fn ascii_boundaries(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 64);
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('b') => out.push_str(r"(?-u:\b)"),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

/// Subjects of away notices, in the languages that reach an English council.
static AWAY_SUBJECT: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?ix)
        ^\W*(?: out\ of\ (?:the\ )?office\b | ooo\b | automatic\ reply\s*: | auto(?:matic)?[\ -]?reply\s*:
          | away\ from\ (?:the\ |my\ )?(?:office|desk|mail) | on\ (?:annual\ |maternity\ |sick\ )?leave\b
          | (?:annual|maternity|paternity|sick)\ leave\b | vacation\ (?:reply|message|response) | on\ holiday\b
          | automatische\ antwort\s*: | abwesen(?:d|heit)| abwesenheitsnotiz | afwezig | automatisch\ antwoord\s*:
          | r[ée]ponse\ automatique\s*: | absence\ du\ bureau | absent\(?e?\)?\ du\ bureau | en\ cong[ée]
          | respuesta\ autom[áa]tica\s*: | fuera\ de\ (?:la\ )?oficina | risposta\ automatica\s*: | fuori\ (?:sede|ufficio)
          | resposta\ autom[áa]tica\s*: | autosvar\s*: | frånvar | fravær | odpowied[źz]\ automatyczna | poza\ biurem
          | automatick[áa]\ odpov | r[ăa]spuns\ automat )
        | \b(?:is|am|i'm)\ (?:currently\ )?(?:out\ of|away\ from)\ (?:the\ |my\ )?office\b
        | \bout\ of\ (?:the\ )?office\ (?:auto[\ -]?reply|reply|message|response|notice|notification)\b",
    )
});

/// Sentences of away notices.
static AWAY_BODY: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?ix)
        \b(?:i|we)\ (?:am|'m|will\ be|shall\ be|are|have\ been)\ (?:currently\ |now\ )?(?:out\ of\ (?:the\ )?office|away\ (?:from|until|on)|on\ (?:annual\ |maternity\ |sick\ |paternity\ )?leave|on\ (?:holiday|vacation))
        | \bi'm\ (?:currently\ )?(?:out\ of\ (?:the\ )?office|away\ (?:from|until)|on\ (?:annual\ )?leave|on\ (?:holiday|vacation))
        | \bout\ of\ (?:the\ )?office\ (?:un)?till?\b | \bwill\ (?:respond|reply)\ to\ your\ (?:e-?mail|message)\ (?:when|on|upon)\ (?:i|my)\b
        | \b(?:returning|return|back)\ (?:to|in)\ (?:the\ |my\ )?office\ on\b | \blimited\ access\ to\ (?:my\ )?e-?mail\b
        | \bich\ bin\ (?:vom|bis|ab|derzeit|zurzeit|im\ urlaub) | \bje\ (?:suis|serai)\ (?:actuellement\ )?(?:absent|en\ cong) | \bestoy\ fuera\b | \bestar[ée]\ fuera\b",
    )
});

/// Words that only an absent person's notice needs, once it is known to be automatic.
static AWAY_WORDS: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?ix)\bout\ of\ (?:the\ )?office | \b(?:annual|sick|maternity|paternity|parental|study)\ leave | \bon\ (?:leave|holiday|vacation) | \baway\b | \babsent | \babsence
        | \b(?:will|shall)\ (?:be\ )?(?:return|back)|\b(?:return|returning|back)\ (?:to\ work|on|in|to)\b | \bnon-working\ day | \bworking\ days\ are | \bdo\ not\ work\ (?:on|mondays?|tuesdays?|wednesdays?|thursdays?|fridays?) | \bno\ longer\ (?:work|employed)
        | \burlaub | abwesen | \bnicht\ im\ (?:büro|haus) | \bcong[ée] | \bvacaciones | \bfuera\b | \bferie\b | \bafwezig | \burlopie | \bvakantie",
    )
});

static AUTO_SUBJECT: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?ix)^\W*(?: automatische\ antwort | automatisch\ antwoord | r[ée]ponse\ automatique | respuesta\ autom[áa]tica | risposta\ automatica | resposta\ autom[áa]tica | autosvar | automatick[áa]\ odpov | odpowied[źz]\ automatyczna | auto(?:matic|mated)?[\ _-]?(?:reply|response|answer|acknowledge?ment)\b | autoreply\b | autorespon(?:se|der)\b
          | thank\ you\ for\ (?:contacting|your\ (?:e-?mail|enquiry|message))\b | we\ have\ received\ your\ (?:e-?mail|message|enquiry|request)
          | acknowledge?ment\ of\ (?:your\ )?(?:e-?mail|receipt|enquiry) )",
    )
});

static AUTO_BODY: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?ix)
        \bthis\ is\ an\ auto(?:matic|mated|matically)?[\ -]?(?:generated\ )?(?:e-?mail\ )?(?:reply|response|acknowledge?ment|message|e-?mail)\b
        | \b(?:please\ )?do\ not\ reply\ to\ this\ (?:automated\ |automatic\ )?(?:e-?mail|message)\b
        | \bthis\ (?:e-?mail|message)\ (?:was|is|has\ been)\ (?:sent\ )?automatically(?:\ generated)?\b
        | \bthis\ mailbox\ is\ not\ monitored\b",
    )
});

/// Whether it reads like an away notice: where that shows, and the words.
pub(super) fn away<'a>(subject: &'a str, body: &'a str) -> Option<(&'static str, &'a str)> {
    let head = text::cut(body, 1_500);
    if let Some(hit) = AWAY_SUBJECT.find(subject) {
        // "Automatic reply" alone says only that a machine answers; the body says why.
        let away = !AUTO_SUBJECT.is_match(hit.as_str()) || AWAY_WORDS.is_match(head);
        if away {
            return Some(("subject", hit.as_str()));
        }
    }
    let hit = AWAY_BODY.find(head)?;
    Some(("body", hit.as_str()))
}

/// Whether the text says of itself that a machine sent it.
pub(super) fn says_automatic(body: &str) -> bool {
    AUTO_BODY.is_match(text::cut(body, 20_000))
}

/// Whether subject and body together read like an automatic answer.
pub(super) fn auto_reply<'a>(subject: &'a str, body: &'a str) -> Option<(&'static str, &'a str)> {
    let subject_hit = AUTO_SUBJECT.find(subject)?;
    let marked = subject_hit.as_str().to_ascii_lowercase().contains("auto");
    let head = text::cut(body, 3_000);
    let marked = marked || !subject_hit.as_str().is_ascii();
    (marked || AUTO_BODY.is_match(head)).then(|| ("subject", subject_hit.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn away_notices_are_known_by_their_subject() {
        for subject in [
            "Out of Office: Your complaint",
            "Ann Lee/NORTH is out of the office.",
            "Abwesenheitsnotiz: Re: x",
        ] {
            assert!(away(subject, "").is_some(), "{subject}");
        }
        for subject in
            ["Your officer was out of the office when I called", "Holiday clubs", "Re: on hold"]
        {
            assert!(away(subject, "").is_none(), "{subject}");
        }
    }

    #[test]
    fn an_automatic_answer_needs_more_than_thanks() {
        let exchange = "Automatic reply: Re: bins";
        assert!(away(exchange, "I am on annual leave, back on Monday.").is_some());
        assert!(away(exchange, "Thank you for writing to the bins team.").is_none());
        assert!(auto_reply(exchange, "Thank you for writing to the bins team.").is_some());
        assert!(
            auto_reply("Thank you for contacting us", "This is an automated response.").is_some()
        );
        assert!(auto_reply("Thank you for your email", "But my bin is still there.").is_none());
    }
}

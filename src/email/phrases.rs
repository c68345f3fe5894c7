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
pub(super) static AWAY_SUBJECT: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?ix)
        ^\W*(?: out\ of\ (?:the\ )?office\b | ooo\b | automatic\ reply\s*: | auto(?:matic)?[\ -]?reply\s*:
          | away\ from\ (?:the\ |my\ )?(?:office|desk|mail) | on\ (?:annual\ |maternity\ |sick\ )?leave\b
          | (?:annual|maternity|paternity|sick)\ leave\b | vacation\ (?:reply|message|response) | on\ holiday\b
          | automatische\ antwort\s*: | abwesen(?:d|heit)| abwesenheitsnotiz | afwezig | automatisch\ antwoord\s*:
          | r[ée]ponse\ automatique\s*: | absence\ du\ bureau | absent\(?e?\)?\ du\ bureau | en\ cong[ée]
          | respuesta\ autom[áa]tica\s*: | fuera\ de\ (?:la\ )?oficina | risposta\ automatica\s*: | fuori\ (?:sede|ufficio)
          | resposta\ autom[áa]tica\s*: | autosvar\s*: | frånvar | fravær | odpowied[źz]\ automatyczna | poza\ biurem
          | automatick[áa]\ odpov | r[ăa]spuns\ automat | автоматична\ відповідь | автоматическ(?:ий|ая)\ ответ | автоответ | رد\ تلقائي | الرد\ التلقائي
          | otomatik\ (?:yanıt|cevap) | automatikus\ válasz | automatisk(?:t)?\ svar | automaattinen\ vastaus | αυτόματη\ απάντηση | automatinis\ atsakymas
          | автоматичен\ отговор | 自动(?:答复|回复) | 自動(?:回覆|返信|応答) | nieobecno | jestem\ (?:na\ urlopie|nieobecn) | absen[țt][ăa]\ de\ la\ birou | în\ concediu | поза\ офісом | у\ відпустці | خارج\ المكتب )
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
        | \bich\ bin\ (?:vom|bis|ab|derzeit|zurzeit|im\ urlaub) | \bje\ (?:suis|serai)\ (?:actuellement\ )?(?:absent|en\ cong) | \bestoy\ fuera\b | \bestar[ée]\ fuera\b
        | \bprzebywam\ (?:obecnie\ |teraz\ )?(?:na\ urlopie|poza\ biurem) | \bjestem\ (?:obecnie\ )?(?:na\ urlopie|nieobecn|poza\ biurem) | \bsunt\ (?:plecat[ăa]?\ (?:din|în)|în\ concediu|[îi]n\ afara\ biroului) | \bnu\ sunt\ la\ birou
        | я\ (?:зараз\ |наразі\ )?(?:у\ відпустці|відсутн|поза\ офісом) | перебуваю\ у\ відпустці | я\ (?:сейчас\ )?(?:в\ отпуске|отсутствую) | أنا\ (?:حاليا\S*\ )?(?:في\ إجازة|خارج\ المكتب) | أكون\ خارج\ المكتب",
    )
});

/// Words that only an absent person's notice needs, once it is known to be automatic.
static AWAY_WORDS: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?ix)\bout\ of\ (?:the\ )?office | \b(?:annual|sick|maternity|paternity|parental|study)\ leave | \bon\ (?:leave|holiday|vacation) | \baway\b | \babsent | \babsence
        | \b(?:will|shall)\ (?:be\ )?(?:return|back)|\b(?:return|returning|back)\ (?:to\ work|on|in|to)\b | \bnon-working\ day | \bworking\ days\ are | \bdo\ not\ work\ (?:on|mondays?|tuesdays?|wednesdays?|thursdays?|fridays?) | \bno\ longer\ (?:work|employed)
        | \burlaub | abwesen | \bnicht\ im\ (?:büro|haus) | \bcong[ée] | \bvacaciones | \bfuera\b | \bferie\b | \bafwezig | \burlopie | \bvakantie
        | \burlop | \bnieobecn | \bpoza\ biurem | \bconcediu | \bplecat[ăa]?\b | відпуст | відсутн | поза\ офісом | отпуск | отсутств | إجازة | خارج\ المكتب | \bizinde | ofis\ dışında | szabadság | távollét | \bsemester | \bdovolen",
    )
});

pub(super) static AUTO_SUBJECT: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?ix)^\W*(?: automatische\ antwort | automatisch\ antwoord | r[ée]ponse\ automatique | respuesta\ autom[áa]tica | risposta\ automatica | resposta\ autom[áa]tica | autosvar | automatick[áa]\ odpov | odpowied[źz]\ automatyczna | r[ăa]spuns\ automat | автоматична\ відповідь | автоматическ(?:ий|ая)\ ответ | автоответ | رد\ تلقائي | الرد\ التلقائي | otomatik\ (?:yanıt|cevap) | automatikus\ válasz | automatisk(?:t)?\ svar | automaattinen\ vastaus
          | αυτόματη\ απάντηση | automatinis\ atsakymas | автоматичен\ отговор | 自动(?:答复|回复) | 自動(?:回覆|返信|応答) | auto(?:matic|mated)?[\ _-]?(?:reply|response|answer|acknowledge?ment)\b | autoreply\b | autorespon(?:se|der)\b
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

/// Whether it reads like an away notice: where that shows, and the words. The body counts only where
/// a machine may have answered.
pub(super) fn away<'a>(
    subject: &'a str,
    body: &'a str,
    body_counts: bool,
) -> Option<(&'static str, &'a str)> {
    let head = text::cut(body, 1_500);
    if let Some(hit) = AWAY_SUBJECT.find(subject) {
        // "Automatic reply" alone says only that a machine answers; the body says why.
        let away = !AUTO_SUBJECT.is_match(hit.as_str()) || AWAY_WORDS.is_match(head);
        if away {
            return Some(("subject", hit.as_str()));
        }
    }
    let hit = body_counts.then(|| AWAY_BODY.find(head)).flatten()?;
    Some(("body", hit.as_str()))
}

/// What an away notice says besides, and a letter about something does not.
static AWAY_BESIDES: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?ix)\bin\ my\ absence | \burgent\b | \bplease\ (?:contact|e-?mail|call|ring)\b | \bwill\ (?:respond|reply|get\ back|be\ back|return|deal)\b | \b(?:on|upon)\ my\ return\b | \bwhen\ i\ (?:return|am\ back)\b | \b(?:returning|back)\ (?:on|to)\b
        | \bdringend | \bje\ vous\ répondrai | \bpiln | \burgen[țt] | \bwracam\b | \bwróc | термінов | відповім",
    )
});

/// What somebody has on their mind: no notice tells of this.
static MATTER: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?ix)\bi\ (?:want|wish|would\ like|need|am\ writing|write|wrote|have\ (?:complained|written|called|rung|asked|been))\b | \bcomplain(?:ed|ing)?\b | \bstill\b | \bnever\b | \bnobody\b | \bno\ one\b | \bwhy\b | \brefus\w+
        | \bunacceptable\b | \bdisgust\w* | \bappall\w* | \bevery\ time\b | \bhow\ many\ times\b | \byour\ (?:officer|staff|team|office|department|council)\b",
    )
});

/// What somebody who is away calls theirs; anything else is a matter of their own.
const OWN_OF_THE_ABSENT: [&str; 33] = [
    "absence",
    "return",
    "colleague",
    "colleagues",
    "manager",
    "line",
    "team",
    "behalf",
    "desk",
    "office",
    "email",
    "emails",
    "e",
    "mail",
    "mails",
    "inbox",
    "phone",
    "mobile",
    "voicemail",
    "leave",
    "holiday",
    "working",
    "work",
    "normal",
    "assistant",
    "calendar",
    "message",
    "messages",
    "correspondence",
    "post",
    "diary",
    "hours",
    "days",
];

static MY: LazyLock<Regex> = LazyLock::new(|| compiled(r"(?i)\bmy\ ([a-z]+)"));

/// Whether somebody writes about something of their own.
fn has_a_matter(body: &str) -> bool {
    let head = text::cut(body, 3_000);
    let mut mine = MY.captures_iter(head).filter_map(|c| c.get(1));
    MATTER.is_match(head)
        || mine.any(|m| !OWN_OF_THE_ABSENT.iter().any(|own| m.as_str().eq_ignore_ascii_case(own)))
}

/// Longest away notice that is believed without a header, in bytes.
const NOTICE_BYTES: usize = 800;

/// Whether an answer says that its sender is away, and nothing else: nothing quoted, nothing asked.
pub(super) fn is_only_away(body: &str) -> bool {
    let body = body.trim();
    body.len() <= NOTICE_BYTES
        && AWAY_BODY.is_match(text::cut(body, 250))
        && AWAY_BESIDES.is_match(body)
        && !has_a_matter(body)
        && !body.contains('?')
        && !body.lines().any(|line| line.starts_with('>') || line.starts_with("From:"))
}

pub(super) static SERVER_SUBJECT: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?ix)^\W*(?:recall\s*: | message\ recall\ (?:report|success|failure) | (?:nachricht\ )?zurückrufen\s*:
            | (?:microsoft\ (?:365|defender|exchange)\b.{0,40}?)?(?:you\ have\ (?:\d+\ )?(?:new\ )?(?:(?:held|quarantined)\ )?(?:messages?|e-?mails?)\b.{0,12}(?:quarantine|held|on\ hold)? | (?:end[-\ ]user\ |spam\ |e-?mail\ |mail\ )?quarantine\ (?:report|summary|notification|digest|notice)
            | (?:end[-\ ]user\ |spam\ )digest | spam\ (?:quarantine|summary)\b | (?:\d+\ )?(?:messages?|e-?mails?)\ (?:held|quarantined|on\ hold)\b))",
    )
});

static SERVER_BODY: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?is)\bwould like to recall the message\b|\bmessage recall\b.{0,200}\b(?:succeeded|failed|success|failure|status)\b|\bmöchte die nachricht\b.{0,200}\bzurückrufen|\b(?:quarantined?|on hold|held)\b.{0,600}\b(?:release|review messages?|deliver|preview|block sender|allow sender)\b",
    )
});

/// Whether it is a report on other mail, by subject and text together: a recall, a quarantine's list.
pub(super) fn server_report<'a>(subject: &'a str, body: &str) -> Option<(&'static str, &'a str)> {
    let hit = SERVER_SUBJECT.find(subject)?;
    SERVER_BODY.is_match(text::cut(body, 4_000)).then(|| ("subject", hit.as_str()))
}

/// The form letters in which secure-mail portals wrap a person's letter.
pub(super) static PORTAL: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?is)\b(?:has sent you|sent you|you(?:'ve| have)(?: been sent| received| got)?|you received)\s+an?\s+(?:new\s+)?(?:protected|secured?|encrypted)\s+(?:e-?mail\b|message\b|office 365 message\b|secure message\b)|\bthis (?:message|e-?mail) (?:has been|was|is) (?:encrypted|secured|sent securely) (?:by|using|with|via)\s+(?:egress|mimecast|proofpoint|zivver|galaxkey|voltage|cisco|microsoft|cryptshare|frama)\b",
    )
});

static PORTAL_DOOR: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?is)\b(?:read|open|view|access|collect|decrypt)\s+(?:the|this|your|it|my)\b|\bone[- ]time pass(?:code|word)|\bsign in\b|\bportal\b|\bhow to open\b|\bread (?:secure )?(?:message|e-?mail)\b|\battachment\b.{0,80}\b(?:open|browser)\b",
    )
});

/// Whether the letter itself waits behind a secure-mail portal: the words that say so.
pub(super) fn secure_portal(body: &str) -> Option<&str> {
    let head = text::cut(body, 3_000);
    let hit = PORTAL.find(head)?;
    PORTAL_DOOR.is_match(head).then(|| hit.as_str())
}

/// Whether a subject alone is enough: the phrase, a colon and the subject that it answers; or the
/// phrase over a text that reads like a notice. People complain of such notices under the same words.
pub(super) fn is_notice(subject: &str, body: &str) -> bool {
    let echoes = subject.split_once(':').is_some_and(|(phrase, _)| {
        AWAY_SUBJECT.is_match(phrase)
            || AUTO_SUBJECT.is_match(phrase)
            || AWAY_SUBJECT.is_match(text::cut(subject, phrase.len() + 1))
    });
    let reads_so = body.trim().is_empty()
        || body.len() <= 2 * NOTICE_BYTES && AWAY_BODY.is_match(text::cut(body, 500));
    (echoes || reads_so) && !has_a_matter(body)
}

/// Labels of a web form: who, how to reach them, and what they want to say, each with something behind it.
static FORM_LABELS: LazyLock<[Regex; 3]> = LazyLock::new(|| {
    [
        r"(?im)^\W*(?:(?:your|full|first|last|customer'?s?|contact|sender'?s?|resident'?s?)[ _-]+)*(?:name|surname)\b\s*\S",
        r"(?im)^\W*(?:(?:your|contact|customer|sender'?s?)[ _-]+)*(?:e-?mail|telephone|phone|mobile|address|postcode)\b\s*\S",
        r"(?im)^\W*(?:(?:your|details? of(?: the| your)?|the|nature of(?: the| your)?|description of(?: the| your)?|please)[ _-]+)*(?:message|comments?|complaint|details|enquiry|query|question|description|feedback|what happened|reason|concern|issue|tell us)\b\s*\S",
    ]
    .map(compiled)
});

/// Whether a machine's mail carries what a person filled into a form.
pub(super) fn is_web_form(body: &str) -> bool {
    let head = text::cut(body, 20_000);
    FORM_LABELS.iter().all(|label| label.is_match(head))
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
    let echoes = subject
        .get(subject_hit.end()..)
        .is_some_and(|rest| rest.trim_start().starts_with([':', '：']) || rest.trim().is_empty());
    let reads_so =
        AUTO_BODY.is_match(head) || marked && echoes || subject_hit.as_str().ends_with(':');
    (reads_so && !has_a_matter(head)).then(|| ("subject", subject_hit.as_str()))
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
            assert!(away(subject, "", true).is_some(), "{subject}");
        }
        for subject in
            ["Your officer was out of the office when I called", "Holiday clubs", "Re: on hold"]
        {
            assert!(away(subject, "", true).is_none(), "{subject}");
        }
    }

    #[test]
    fn automatic_answers_are_known_in_the_languages_of_residents() {
        for (subject, body) in [
            ("Odpowiedź automatyczna: Skarga", "Przebywam na urlopie do 3 maja."),
            ("Răspuns automat: Plângere", "Sunt în concediu până luni."),
            ("Автоматична відповідь: Скарга", "Я у відпустці до понеділка."),
            ("رد تلقائي: شكوى", "أنا في إجازة حتى يوم الاثنين."),
        ] {
            assert!(away(subject, body, true).is_some(), "{subject}");
            assert!(auto_reply(subject, "").is_some(), "{subject}");
            assert!(away("Re: x", body, true).is_some(), "{body}");
        }
    }

    #[test]
    fn only_an_answer_of_nothing_else_is_a_notice() {
        assert!(is_only_away(
            "I am on annual leave until Monday 8 June. If it is urgent, please contact the duty desk."
        ));
        for text in [
            "I am away until Monday and will return your form then. My son still has no transport.",
            "I am on holiday until Monday, please contact me then. Is that all right?",
            "I am out of the office every day because your office is shut.",
        ] {
            assert!(!is_only_away(text), "{text}");
        }
    }

    #[test]
    fn people_write_under_such_subjects_too() {
        for (subject, body) in [
            ("Out of office", "Every time I write I get this and nothing else."),
            (
                "Out of office: again!",
                "Why does nobody answer? My daughter's review was due in March.",
            ),
            ("Your officer is out of the office", "She is never there."),
            ("On maternity leave", "I am on maternity leave and my payments have stopped."),
        ] {
            assert!(!is_notice(subject, body), "{subject}");
        }
        assert!(is_notice(
            "Out of Office: Your reference",
            "I am away until Monday, see my colleague."
        ));
        assert!(is_notice(
            "Ann Lee is out of the office.",
            "I will be out of the office until 3 May."
        ));
        assert!(auto_reply("Automatic response is all I get", "My bin is still there.").is_none());
    }

    #[test]
    fn forms_filled_in_by_people_are_known() {
        let form = "New submission\n\nYour name: Ann Lee\nEmail: ann@example.org\nYour complaint: the bus did not come";
        assert!(is_web_form(form));
        assert!(is_web_form(
            "Full name\nAnn Lee\n\nTelephone\n01234\n\nDetails of your complaint\nNo bus"
        ));
        assert!(!is_web_form("Your order 12 has left. Email us with comments."));
    }

    #[test]
    fn reports_on_mail_need_subject_and_words() {
        let recall = "Ann Lee would like to recall the message, \"Minutes\".";
        assert!(server_report("Recall: Minutes", recall).is_some());
        assert!(
            server_report("Recall: faulty stairlift", "Your stairlift was recalled.").is_none()
        );
        let held = "3 messages are in quarantine. Review message | Release";
        assert!(server_report("You have messages in quarantine", held).is_some());
        assert!(server_report("You have messages from me", "Nobody answers.").is_none());
    }

    #[test]
    fn portals_are_known_by_their_form_letters() {
        let portal = "Ann Lee has sent you a protected message.\n\nRead the message\n\nLearn about protected messages";
        assert!(secure_portal(portal).is_some());
        assert!(secure_portal("You sent me an encrypted message and I cannot open it.").is_none());
    }

    #[test]
    fn an_automatic_answer_needs_more_than_thanks() {
        let exchange = "Automatic reply: Re: bins";
        assert!(away(exchange, "I am on annual leave, back on Monday.", true).is_some());
        assert!(away(exchange, "Thank you for writing to the bins team.", true).is_none());
        assert!(auto_reply(exchange, "Thank you for writing to the bins team.").is_some());
        assert!(
            auto_reply("Thank you for contacting us", "This is an automated response.").is_some()
        );
        assert!(auto_reply("Thank you for your email", "But my bin is still there.").is_none());
    }
}

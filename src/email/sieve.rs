//! What is looked for in every letter, subject and sender: one pass over each tells which of the patterns may match
//! at all ([`postern_words::Sieve`]). Nearly none does, and to find that out one pattern at a time cost more than all
//! the rest of the reading.

use std::sync::LazyLock;

use postern_words::Sieve;
use regex::Regex;

pub(super) use postern_words::May;

use super::{advert, banner, bounce, forward, kind, phrases, reply, robot};

/// Numbers of the patterns that [`TEXT`] looks for.
pub(super) mod in_text {
    pub(in crate::email) const WARNING: usize = 0;
    pub(in crate::email) const PORTAL: usize = 1;
    pub(in crate::email) const ORIGINAL: usize = 2;
    pub(in crate::email) const SENT_FROM: usize = 3;
    pub(in crate::email) const FORWARDED: usize = 4;
    pub(in crate::email) const DISCLAIMER: usize = 5;
    pub(in crate::email) const FAILURE: usize = 6;
    pub(in crate::email) const OUR_BUSINESS: usize = 7;
    pub(in crate::email) const WAY_OUT: usize = 8;
    pub(in crate::email) const ATTRIBUTION: usize = 9;
    /// The first of them; the others follow.
    pub(in crate::email) const OFFERS: usize = 10;
    pub(in crate::email) const FORTUNE: usize = OFFERS + super::advert::OFFERS_COUNT;
}

/// Numbers of the patterns that [`SUBJECT`] looks for.
pub(super) mod in_subject {
    pub(in crate::email) const FAILURE: usize = 0;
    pub(in crate::email) const AWAY: usize = 1;
    pub(in crate::email) const AUTOMATIC: usize = 2;
    pub(in crate::email) const SERVER: usize = 3;
    pub(in crate::email) const SPAM_TAG: usize = 4;
}

/// Numbers of the patterns that [`SENDER`] looks for.
pub(super) mod in_sender {
    pub(in crate::email) const DAEMON: usize = 0;
    pub(in crate::email) const CERTAIN: usize = 1;
    pub(in crate::email) const ROBOT: usize = 2;
    pub(in crate::email) const MACHINE: usize = 3;
}

/// What is looked for in the text of every letter.
pub(super) static TEXT: LazyLock<Sieve> = LazyLock::new(|| {
    let way_out: Vec<String> = advert::WAY_OUT.patterns().collect();
    let one_each: [(usize, &Regex); 9] = [
        (in_text::WARNING, &banner::WARNS),
        (in_text::PORTAL, &phrases::PORTAL),
        (in_text::ORIGINAL, &reply::ORIGINAL),
        (in_text::SENT_FROM, &reply::SENT_FROM),
        (in_text::FORWARDED, &forward::MARKER),
        (in_text::DISCLAIMER, &reply::DISCLAIMER),
        (in_text::FAILURE, &bounce::OPENING),
        (in_text::OUR_BUSINESS, &advert::OUR_BUSINESS),
        (in_text::ATTRIBUTION, &reply::ATTRIBUTION_WORD),
    ];
    let mut patterns: Vec<(usize, &str)> =
        one_each.iter().map(|(number, pattern)| (*number, pattern.as_str())).collect();
    patterns.extend(way_out.iter().map(|pattern| (in_text::WAY_OUT, pattern.as_str())));
    patterns.extend((in_text::OFFERS..).zip(advert::OFFERS.iter().map(Regex::as_str)));
    patterns.extend((in_text::FORTUNE..).zip(advert::FORTUNE.iter().map(Regex::as_str)));
    Sieve::of(&patterns)
});

/// What is looked for in every subject.
pub(super) static SUBJECT: LazyLock<Sieve> = LazyLock::new(|| {
    of(&[
        (in_subject::FAILURE, &bounce::SUBJECT),
        (in_subject::AWAY, &phrases::AWAY_SUBJECT),
        (in_subject::AUTOMATIC, &phrases::AUTO_SUBJECT),
        (in_subject::SERVER, &phrases::SERVER_SUBJECT),
        (in_subject::SPAM_TAG, &kind::SPAM_TAG),
    ])
});

/// What is looked for in the addresses and names of senders.
pub(super) static SENDER: LazyLock<Sieve> = LazyLock::new(|| {
    of(&[
        (in_sender::DAEMON, &bounce::DAEMON),
        (in_sender::CERTAIN, &bounce::CERTAIN),
        (in_sender::ROBOT, &robot::ROBOT),
        (in_sender::MACHINE, &robot::MACHINE),
    ])
});

fn of(patterns: &[(usize, &Regex)]) -> Sieve {
    let patterns: Vec<(usize, &str)> =
        patterns.iter().map(|(number, pattern)| (*number, pattern.as_str())).collect();
    Sieve::of(&patterns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_can_be_told_of_every_pattern() {
        for (name, sieve) in [("text", &*TEXT), ("subject", &*SUBJECT), ("sender", &*SENDER)] {
            assert_eq!(sieve.blind_to(), May::default(), "{name}");
        }
        assert_eq!(TEXT.may("The bus came at nine."), May::default());
    }

    #[test]
    fn a_way_out_said_in_two_pieces_is_let_through() {
        for text in [
            "If you don't wish it we APOLOGIZE",
            "ВІДПИСАТИСЯ",
            "click below to unsubscribe",
            "Newsletter bitte abbestellen",
        ] {
            assert!(advert::WAY_OUT.is_match(text), "{text}");
            assert!(TEXT.may(text).has(in_text::WAY_OUT), "{text}");
        }
    }

    #[test]
    fn whatever_matches_is_let_through_in_any_spelling() {
        for (number, pattern, text) in [
            (in_text::DISCLAIMER, &*reply::DISCLAIMER, "This is strictly CONFIDENTIAL."),
            (in_text::DISCLAIMER, &reply::DISCLAIMER, "viru\u{17f} free"),
            (in_text::SENT_FROM, &reply::SENT_FROM, "Отправлено из почты"),
            (in_text::FORWARDED, &forward::MARKER, "-------- Начало переадресованного сообщения"),
            (in_text::OFFERS + 8, &advert::OFFERS[8], "HGH"),
            (in_text::FORTUNE, &advert::FORTUNE[0], "US$5 million"),
        ] {
            assert!(pattern.is_match(text), "{text}");
            assert!(TEXT.may(text).has(number), "{text}");
        }
    }
}

//! Mail to many that no header marks: advertising known by what it offers and the form it has.
//!
//! A person's letter must never be taken for it. So several independent signs are needed, a letter
//! in a conversation or one that hands another on is never judged, and any word of a council's
//! business ends the question.

use std::sync::LazyLock;

use regex::Regex;

use super::sieve::{May, in_text};
use super::{phrases, text};
use crate::private::Private;

/// How much of a letter is searched, from its beginning and from its end.
const HEAD_BYTES: usize = 8_000;
const TAIL_BYTES: usize = 2_000;

/// What is judged.
pub(super) struct Letter<'l> {
    pub(super) subject: &'l str,
    /// What the sender newly wrote.
    pub(super) text: &'l str,
    pub(super) from: &'l str,
    /// Addresses of `To` and `Cc`.
    pub(super) to: &'l [Private<String>],
    /// Whether it answers or hands on another letter.
    pub(super) in_thread: bool,
    pub(super) only_html: bool,
    /// What may match in the subject or the text.
    pub(super) may: May,
}

/// What a letter looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looks {
    /// As people's letters do, or nobody can tell.
    Personal,
    /// Enough like advertising that no machine should answer it.
    Doubtful,
    /// Advertising and nothing else.
    Advertising,
}

/// Words of a council's business, of families and of schools: whoever uses them is a person.
pub(super) static OUR_BUSINESS: LazyLock<Regex> = LazyLock::new(|| {
    phrases::compiled(
        r"(?ix)\b(?: complain | council | cllr\b | social\ (?:work|serv|care) | foster | safeguard | ehcp?\b | ombudsman
        | my\ (?:son|daughter|child|children|kids?|mother|father|mum|dad|husband|wife|partner|grand\w+|neighbou?r|constituent|case|complaint|appeal|flat|house|road|street|email|letter)\b
        | our\ (?:son|daughter|child|children|ref|case|street|road)\b | pupils?\b | headteacher | teacher | school\b | nursery\b | case\ (?:number|ref) | bins?\b | pothole
        | planning\ (?:application|permission) | take\ me\ off | please\ (?:remove|unsubscribe)\ me\b | stop\ sending\ me | keeps?\ (?:sending|getting|receiving) | your\ (?:team|staff|department|leisure|library|newsletter|mailing|system)\b
        | (?:i|we)\b[^.!?]*\b(?:asked|ask|want|wish|like|tried|trying|requested)\b[^.!?]*\bto\ (?:be\ )?(?:removed?|unsubscribed?|opt|stop) | carers?\b | housing\b | tenan | blue\ badge | parking\b | freedom\ of\ information | subject\ access )",
    )
});

/// The way out that bulk mail offers its readers. "Take me off your list" is a person's wish and
/// does not match.
pub(super) static WAY_OUT: LazyLock<WayOut> = LazyLock::new(|| WayOut {
    said: phrases::compiled(
        r"(?ix)\bunsubscribe\s*:?\s*(?:https?:|<|\[|here\b) | \bremove\W{1,3}in\ the\ subject
        | \bthis\ is\ not\ (?:spam|unsolicited) | \bbill\ s\.?\ ?1618 | \bone[-\ ]time\ (?:message|mailing|e-?mail) | \bsent\ to\ our\ subscribers
        | \byou\ (?:are|have)\ receiv(?:ing|ed)\ this\ (?:special\ |commercial\ )?(?:e-?mail|message|offer|newsletter)\ because | \bthis\ (?:e-?mail|message)\ was\ sent\ to\ \S+@
        | \bto\ be\ taken\ off\b | \bto\ remove\ (?:yourself|your)\b | \bremov(?:e|al)\ instructions | \b(?:reply|respond|type|put|with|word|say)\W{1,3}(?:the\ word\ )?\W?remove\b | \bmailto:remove | \bremove@
        | \bdon't\ want\ anyone\ to\ receive
        | \bd[ée]s(?:abonner|inscri) | \bdar(?:se|te)\ de\ baja | \bwypisa[ćc]\ si[ęe] | \bdezabon | відписатися",
    ),
    near: vec![
        Near::of(
            r"\bto (?:be )?(?:removed?|unsubscribed?|opt[- ]?out|stop receiving)\b",
            60,
            r"\b(?:lists?|mailings?|e-?mails?|offers?|database|link|click|reply|send|visit|go to|simply|here|subject)\b",
        ),
        Near::of(
            r"\b(?:click|here|below|link)\b",
            30,
            r"\b(?:to be removed|unsubscribe|opt[- ]?out)",
        ),
        Near::of(
            r"\bif you (?:do not|don't|would no longer|no longer|would prefer not|feel you|wish|would like|did not ask|have received)\b",
            120,
            r"\b(?:unsubscribe|removed?|excluded|opt[- ]?out|apologi[sz]e)",
        ),
        Near::of(r"\bget off\b", 20, r"\blist"),
        Near::of(
            r"\b(?:removed?|click|reply|unsubscribe)\b",
            60,
            r"\bfuture (?:mailings|e-?mails|offers|messages)",
        ),
        Near::of(
            r"\bfuture (?:mailings|e-?mails|offers|messages)\b",
            60,
            r"\b(?:remove|click|reply|unsubscribe)",
        ),
        Near::of(r"\b(?:you|who|anyone)\b", 30, r"\bnot (?:wish|want) to receive\b"),
        Near::of(
            r"\bnewsletter",
            80,
            r"abbestellen|abmelden|austragen|trage?n? (?:dich|sie sich)\b",
        ),
    ],
});

/// What is said in one piece, and what is said in two.
pub(super) struct WayOut {
    said: Regex,
    near: Vec<Near>,
}

impl WayOut {
    pub(super) fn is_match(&self, text: &str) -> bool {
        self.said.is_match(text) || self.near.iter().any(|near| near.is_match(text))
    }

    /// The same as patterns, for telling which texts they cannot match.
    pub(super) fn patterns(&self) -> impl Iterator<Item = String> {
        let near = self.near.iter().map(|near| near.pattern.clone());
        std::iter::once(self.said.as_str().to_owned()).chain(near)
    }
}

/// Two phrases, the second soon behind the first. In one pattern, every letter of the room between them would be a
/// state for every place where the first may end, and these are more than the fast engine keeps.
struct Near {
    first: Regex,
    /// Characters between them, at most.
    most_between: usize,
    then: Regex,
    pattern: String,
}

/// Bytes that the second phrase is looked for in beyond the room before it.
const SECOND_BYTES: usize = 40;

impl Near {
    fn of(first: &str, most_between: usize, then: &str) -> Self {
        Self {
            first: phrases::compiled(&format!("(?i){first}")),
            most_between,
            then: phrases::compiled(&format!("(?i){then}")),
            pattern: format!("(?is)(?:{first}).{{0,{most_between}}}?(?:{then})"),
        }
    }

    fn is_match(&self, text: &str) -> bool {
        self.first.find_iter(text).any(|first| {
            let behind = text.get(first.end()..).unwrap_or_default();
            let room = behind.char_indices().nth(self.most_between);
            let latest = first.end() + room.map_or(behind.len(), |(at, _)| at);
            let within = text::cut(text, latest + SECOND_BYTES);
            self.then.find_at(within, first.end()).is_some_and(|then| then.start() <= latest)
        })
    }
}

/// How many of [`OFFERS`] and of [`FORTUNE`] there are.
pub(super) const OFFERS_COUNT: usize = 10;
pub(super) const FORTUNE_COUNT: usize = 4;

/// What advertising offers. Each counts once; none of them says anything alone.
pub(super) static OFFERS: LazyLock<[Regex; OFFERS_COUNT]> = LazyLock::new(|| {
    [
        r"(?i)\b(?:100%|absolutely|totally|completely) free\b|\bfree (?:trial|membership|shipping|quotes?|access|samples?|gifts?|grants?|money|consultation|classifieds?|vhs|dvds?|porn|adult)\b|\bfor free[!.?]",
        r"(?i)\bclick (?:here|below|now|for)\b|\b(?:join|order|apply|buy|act|call|refinance) now\b|\bsign ?up (?:today|now)|\border today|\b(?:call|e-mail|visit)\b.{0,12} (?:us )?today\b|\bdon't (?:wait|delay|miss)\b|\bvisit (?:our|us|links?)\b|\bfull details:|\btoll[- ]free|\b1-8(?:00|66|77|88)-\d|\bclick on\b|\b(?:reply|respond) (?:now|today)\b",
        r"(?i)\blimited time\b|\bspecial offer|\bwhile (?:supplies|stocks) last|\btoday's special|\bonce in a lifetime|\boffer (?:expires|ends)|\blast chance\b|\btime is running out|\bspecial report\b",
        r"(?i)\bguaranteed?\b|\bmoney[- ]back\b|\brisk[- ]free\b|\bno (?:risk|obligations?|commitments?|catches|gimmicks|fees|cost to you|upfront|credit checks?|prescription|medical exam|selling|questions asked)\b|\b100% (?:legal|natural|safe|satisfaction)|\bno hidden|\bno experience\b|\bhidden (?:costs?|charges)",
        r"(?i)\bas low as\b|\blow(?:est)? (?:cost|rates?|prices?)\b|\b(?:competitive|unbeliev\w+) rates|\bsave (?:up to|over|hundreds|thousands)\b|\b\d\d% off\b|\blower your\b",
        r"(?i)\$ ?\d|\bmillion (?:u\.?s\.? |united states )?dollars",
        r"(?i)\b(?:make|earn|extra|additional|excellent|monthly|weekly) (?:money|income|\$)|\bmoney[- ]mak|\bwork(?:ing)? (?:from|at) home\b|\bincome (?:stream|opportunit)|\bbusiness opportunit|\bcommission (?:streams?|check)|\bfinancial (?:freedom|power)|\bown boss\b|\bgeld verdienen",
        r"(?i)\be-?mail marketing|\bbulk e-?mail|\btargeted e-?mail|\b(?:traffic|visitors|hits) (?:to|on) your (?:web ?)?site|\bsearch engines? (?:and directories|submission|ranking|optimi)|\bgenerate\b.{0,40}\b(?:leads|sales|traffic)\b|\bpromote your (?:business|product|site|web)|\bfirst page of google|\bclassified (?:ads?|sites)\b|\blink exchange",
        r"(?i)\bviagra|\bcialis\b|\blevitra|\bpeni(?:s|le) enlarge|\benlarge your\b|\bweight loss|\blose weight|\bdiet pills|\breplica watch|\bonline (?:casino|pharmac)|\brefinanc|\bmortgage rates|\b(?:toner|ink ?jet|ink|printer) cartridges|\blife insurance|\bannuit|\badult (?:sites?|club|movies?|videos?|dvds?)|\bporn(?:o|ographic)? (?:movies?|sites?|videos?|stars?)|\blive webcam|\bdating (?:club|sites?|service)|\b(?:crypto|bitcoin|forex) (?:trading|investment)|\bhot singles|\bstock pick|\bdvd club\b|\berotik|\buniversity diplomas?\b|\bcable (?:descrambler|box)|\bhgh\b|\bgrowth hormone|\bhair loss|\bherbal\b|\b(?:bad|repair your) credit\b|\bcredit repair|\bmerchant account|\baccept credit cards|\bdebt consolidation|\bcasinos?\b|\blottery\b|\bsweepstakes|\bcigarettes\b|\bvacation (?:package|getaway)|\btimeshare|\binvestment opportunit|\bhome ?owner loans?|\bmillion e-?mail|\b(?:term|life) (?:insurance|underwriting|polic)|\bsatellite tv\b",
        r"(?i)\bdear (?:friend|user|customer|grant seeker|opportunit\w+|webmaster|(?:site|business|web ?site|home) ?owner)",
    ]
    .map(phrases::compiled)
});

/// Letters that ask for help with a fortune.
pub(super) static FORTUNE: LazyLock<[Regex; FORTUNE_COUNT]> = LazyLock::new(|| {
    [
        r"(?i)\bmillion\b.{0,40}\b(?:dollars|pounds|euros?)|\b(?:us)?\$ ?\d[\d,.]*\s*(?:million|m\b)|\$\d{1,3},\d{3},\d{3}",
        r"(?i)\bnext of kin|\bbeneficiary|\blate (?:father|husband|president|client)|\bdeposit(?:ed)?\b",
        r"(?i)\bconfidential|\bbusiness (?:proposal|relationship)|\bstrict(?:ly)? (?:secre|confiden)",
        r"(?i)\bforeign (?:account|partner|contractor|bank)|\btransfer\b|\binvest(?:ed|ment)?\b|\bsecurity (?:company|courier)",
    ]
    .map(phrases::compiled)
});

/// Judges a letter that no header tells anything about.
pub(super) fn looks(letter: &Letter<'_>) -> Looks {
    if letter.in_thread {
        return Looks::Personal;
    }
    let may = letter.may;
    let form = form(letter);
    let (offers_at_most, fortune_at_most) = (
        may.count(in_text::OFFERS..in_text::OFFERS + OFFERS_COUNT),
        may.count(in_text::FORTUNE..in_text::FORTUNE + FORTUNE_COUNT),
    );
    let most = 2 * usize::from(may.has(in_text::WAY_OUT)) + offers_at_most.min(5) + form.min(3);
    if most < 3 && (offers_at_most == 0 || fortune_at_most < OF_A_FORTUNE) {
        return Looks::Personal;
    }
    let searched = searched(letter);
    if may.has(in_text::OUR_BUSINESS) && OUR_BUSINESS.is_match(&searched) {
        return Looks::Personal;
    }
    let offers = OFFERS
        .iter()
        .enumerate()
        .filter(|(number, offer)| may.has(in_text::OFFERS + number) && offer.is_match(&searched));
    let offers = offers.count();
    if offers == 0 && form < 3 {
        return Looks::Personal;
    }
    let fortune = offers > 0
        && fortune_at_most >= OF_A_FORTUNE
        && FORTUNE.iter().filter(|f| f.is_match(&searched)).count() >= OF_A_FORTUNE;
    let way_out = may.has(in_text::WAY_OUT) && WAY_OUT.is_match(&searched);
    let score = 2 * usize::from(way_out) + offers.min(5) + form.min(3);
    let with_way_out = offers >= 2 && score >= 5 || offers >= 1 && form >= 3;
    let sure = way_out && with_way_out || offers >= 4 && score >= 5;
    if sure {
        Looks::Advertising
    } else if score >= 3 || fortune {
        Looks::Doubtful
    } else {
        Looks::Personal
    }
}

/// Of the signs of [`FORTUNE`] this many make a letter about one.
const OF_A_FORTUNE: usize = 3;

fn searched(letter: &Letter<'_>) -> String {
    let head = text::cut(letter.text, HEAD_BYTES);
    let mut from = letter.text.len().saturating_sub(TAIL_BYTES).max(head.len());
    while !letter.text.is_char_boundary(from) {
        from += 1;
    }
    let tail = letter.text.get(from..).unwrap_or_default();
    // Typewriters' apostrophes only: mail programs write both.
    format!("{}\n{head}\n{tail}", letter.subject).replace('\u{2019}', "'")
}

/// Signs in the form of a letter that people's letters seldom have, and never several.
fn form(letter: &Letter<'_>) -> usize {
    let signs = [
        is_shouted(letter.subject),
        ends_in_noise(letter.text),
        to_nobody(letter.to),
        letter.only_html,
        has_many_digits(letter.from),
        is_bare_domain(letter.subject),
    ];
    signs.into_iter().filter(|sign| *sign).count()
}

fn is_shouted(subject: &str) -> bool {
    let letters = || subject.chars().filter(|c| c.is_alphabetic());
    let capitals = letters().filter(|c| c.is_uppercase()).count();
    let all_capitals = letters().count() > 12 && capitals * 10 > letters().count() * 7;
    let counted = subject.contains("...") && !subject.ends_with('.');
    all_capitals
        || counted
        || subject.ends_with('!')
        || subject.contains('$')
        || subject.contains("FREE")
}

/// A last line of letters that are no word, by which each copy differs from the others.
fn ends_in_noise(text: &str) -> bool {
    let last = text.trim_end().lines().next_back().unwrap_or_default().trim();
    let vowel =
        |b: u8| matches!(b.to_ascii_lowercase(), b'a' | b'e' | b'i' | b'o' | b'u' | b'w' | b'y');
    let one_word = last.len() >= 15
        && last.len() < 200
        && last.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let longest = last.as_bytes().split(|b| !b.is_ascii_lowercase() || vowel(*b)).map(<[u8]>::len);
    let mixed = last.bytes().filter(u8::is_ascii_digit).count() > 5
        && last.bytes().filter(u8::is_ascii_alphabetic).count() > 5;
    one_word && (longest.max().is_some_and(|run| run >= 5) || mixed)
}

fn to_nobody(to: &[Private<String>]) -> bool {
    let mut domains: Vec<&str> =
        to.iter().filter_map(|a| a.0.rsplit_once('@')).map(|(_, d)| d).collect();
    domains.sort_unstable();
    domains.dedup();
    let hidden = |a: &Private<String>| {
        a.0.contains('#') || a.0.to_ascii_lowercase().starts_with("undisclosed")
    };
    to.is_empty() || domains.len() >= 4 || to.iter().any(hidden)
}

fn has_many_digits(from: &str) -> bool {
    let local = from.split('@').next().unwrap_or_default();
    local.as_bytes().split(|b| !b.is_ascii_digit()).any(|digits| digits.len() >= 5)
}

fn is_bare_domain(subject: &str) -> bool {
    let bare = subject.trim_start_matches("http://").trim_start_matches("https://");
    let bare = bare.trim_end_matches('/');
    let label =
        |l: &str| !l.is_empty() && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    bare.contains('.') && bare.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::super::sieve;
    use super::*;

    fn letter<'l>(subject: &'l str, text: &'l str, to: &'l [Private<String>]) -> Letter<'l> {
        let may = sieve::TEXT.may(subject).or(sieve::TEXT.may(text));
        Letter {
            subject,
            text,
            from: "ann@example.org",
            to,
            in_thread: false,
            only_html: false,
            may,
        }
    }

    #[track_caller]
    fn check(subject: &str, text: &str, want: Looks) {
        let to = [Private("complaints@council.example".to_owned())];
        assert_eq!(looks(&letter(subject, text, &to)), want, "{subject}: {text}");
    }

    const ADVERT: &str = "Dear business owner,\n\nGuaranteed traffic to your website from $49! Click here to \
        start.\n\nTo be removed from our mailings simply reply.";

    #[test]
    fn advertising_is_known_by_several_signs_together() {
        check("More customers!", ADVERT, Looks::Advertising);
        check(
            "Ink",
            "Printer cartridges as low as $4. Order now.\n\nUnsubscribe: http://x.example",
            Looks::Advertising,
        );
        check("Offer", "A free trial of our software. Click here.", Looks::Personal);
    }

    #[test]
    fn people_are_never_advertising() {
        for text in [
            "Please take me off your mailing list. I have asked to be removed from it three times!",
            "You guaranteed a free place and then the offer expires? I want my money back.",
            "I do not want to receive special offers and free trials. I tried to unsubscribe, click here it says.",
            "To be removed from the register I must click here, it says, and nothing happens.",
            "I work from home and your roadworks make money for nobody. Act now!",
            "I was sent a link to a dating site by a stranger. Click here to join now, it said.",
        ] {
            let to = [Private("complaints@council.example".to_owned())];
            assert_ne!(looks(&letter("NOT GOOD ENOUGH!", text, &to)), Looks::Advertising, "{text}");
        }
        let quoting = format!("My son got this on his school laptop:\n\n{ADVERT}");
        check("What is this!", &quoting, Looks::Personal);
    }

    #[test]
    fn a_letter_in_a_conversation_is_not_judged() {
        let mut answer = letter("Re: More customers!", ADVERT, &[]);
        answer.in_thread = true;
        assert_eq!(looks(&answer), Looks::Personal);
    }

    #[test]
    fn an_unsolicited_fortune_is_not_answered() {
        let fortune = "I am the manager of a bank. US$25,000,000 was deposited here by a late client who has no \
            next of kin. This is strictly confidential. Let us transfer it to your account.";
        check("Greetings", fortune, Looks::Doubtful);
    }

    #[test]
    fn every_offer_is_tried_where_it_matches() {
        for text in [
            "for free!",
            "call us today",
            "last chance",
            "no credit check",
            "99% off",
            "$ 5",
            "be your own boss",
            "hits on your site",
            "cable box",
            "dear webmaster",
            "e-mail us today",
            "sign up now",
            "excellent income",
            "first page of google",
            "accept credit cards",
            "home owner loans",
            "million emails",
            "unbelievable rates",
            "time is running out",
            "sleep, money-back",
            "10% OFF",
            "million dollars",
            "work at home",
            "bulk email",
        ] {
            let numbers = (0..OFFERS_COUNT).filter(|number| OFFERS[*number].is_match(text));
            let may = sieve::TEXT.may(text);
            let let_through: Vec<bool> =
                numbers.map(|number| may.has(in_text::OFFERS + number)).collect();
            assert!(!let_through.is_empty() && !let_through.contains(&false), "{text}");
        }
    }

    #[test]
    fn every_way_out_is_tried_where_it_matches() {
        for text in [
            "to be removed from our lists click",
            "click here to opt out",
            "unsubscribe: https://x.example",
            "If you would no longer like these, we apologise",
            "This is not spam",
            "as bill s. 1618 says",
            "a one-time mailing",
            "sent to our subscribers",
            "you are receiving this e-mail because you asked",
            "this message was sent to a@x.example",
            "to be taken off",
            "removal instructions",
            "mailto:remove",
            "get off this list",
            "click for no future mailings",
            "anyone who does not wish to receive it",
            "Newsletter abbestellen",
            "se désabonner",
            "darse de baja",
            "wypisać się",
            "dezabonare",
            "Відписатися",
        ] {
            assert!(WAY_OUT.is_match(text), "{text}");
            assert!(sieve::TEXT.may(text).has(in_text::WAY_OUT), "{text}");
        }
    }

    #[test]
    fn noise_at_the_end_is_no_name() {
        assert!(ends_in_noise("Buy\n\nkludlkaiplcqcnnxghtr"));
        assert!(ends_in_noise("Buy\n4417dePL1-998DfsE5701"));
        for end in [
            "Featherstonehaugh-Cholmondeley",
            "Llanfairpwllgwyngyll",
            "AB12345678901234",
            "Ann Lee",
            "",
        ] {
            assert!(!ends_in_noise(end), "{end}");
        }
    }
}

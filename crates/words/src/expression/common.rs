//! How common words are in letters to a council: which literal of an expression is worth looking for.

use std::sync::LazyLock;

/// The common words, by how often they stand among 10,000 words of the shipped examples.
const WORDS: [(u32, &str); 12] = [
    (300, "the"),
    (200, "and i to a"),
    (100, "in it on my of for that is was"),
    (70, "not she with have at"),
    (50, "me you has he her we no"),
    (40, "been be one about from had this its"),
    (30, "told im said what school by so his us they ive who your when want do"),
    (
        20,
        "please there would worker our are as got say an asked social since like two plan \
         says or him out them now all can up because were 2 if dont",
    ),
    (
        15,
        "dear complaint know letter year three back am put which before time but last care \
         then did nobody hes id get tell came 1 will",
    ),
    (
        10,
        "shes done 3 week council again form may go come nothing every day weeks never ask \
         rang team children years first mrs family theres someone four mum only own how child \
         just name after times off 9 daughter decision sent manager still home cant thats 4 \
         somebody wrong meeting could mr answer days well june complaints april",
    ),
    (
        7,
        "new son need ring officer people good went going 6 write should hi until assessment \
         childrens 14 any number same next e support made education 12 left written months \
         see 8 down foster place each court send hours 5 reply weve does read other think \
         also july five right else their work 20 review 11 six morning over phone writing \
         being didnt address help both service isnt",
    ),
    (
        5,
        "old why house order sir here call where anything person front paid stage under money \
         telephone half office month thank door more room gone ms date wrote once closed lady \
         doing county august madam take hello took minutes term thing looked little 15 carers \
         given transport asking nine happened ten through agreed twice look night bus re \
         moved 19 signed 7 needs live pay wasnt feedback found contact things called panel \
         without goes email taxi whether very man friday late make another complain class \
         find adoption let than end hasnt sorry different centre health chair 10 stopped give \
         30 mail parents case",
    ),
];
/// How often any other word does, generously.
const OTHER: u32 = 1;
/// A part of a word, by its length: what begins or ends with three letters is rare, with one it is not.
const PARTS: [u32; 5] = [1_500, 300, 60, 10, 3];
/// What no letter or figure is in: its rarest mark, among as many words.
const MARKS: [(char, u32); 5] = [(' ', 10_000), ('.', 1_000), ('\n', 500), ('!', 60), ('?', 100)];
/// Any other mark.
const OTHER_MARK: u32 = 30;
/// How often a figure stands, among as many words.
const FIGURE: u32 = 40;
/// How much rarer two words together are than the rarer of them.
const TOGETHER: u32 = 4;

/// The same, by the alphabet.
static RATES: LazyLock<Vec<(&str, u32)>> = LazyLock::new(|| {
    let each = |(rate, words): &(u32, &'static str)| {
        let rate = *rate;
        words.split_ascii_whitespace().map(move |word| (word, rate)).collect::<Vec<_>>()
    };
    let mut rates: Vec<(&str, u32)> = WORDS.iter().flat_map(each).collect();
    rates.sort_unstable();
    rates
});

/// How often a literal stands among 10,000 words, about. `at_word`: it begins where a word does.
pub(super) fn rate(literal: &str, at_word: bool) -> u32 {
    let mut words = literal.split(|c: char| !c.is_alphanumeric()).peekable();
    let (mut rarest, mut known, mut begins) = (u32::MAX, 0, at_word);
    while let Some(word) = words.next() {
        if !word.is_empty() {
            let rate = RATES.binary_search_by_key(&word, |(word, _)| word);
            let rate = rate.ok().and_then(|at| RATES.get(at)).map_or(OTHER, |(_, rate)| *rate);
            let whole = begins && words.peek().is_some();
            rarest = rarest.min(if whole { rate } else { rate.max(part(word, begins)) });
            known += 1;
        }
        begins = true;
    }
    if known == 0 {
        let mark =
            |c: char| MARKS.iter().find(|(mark, _)| *mark == c).map_or(OTHER_MARK, |(_, r)| *r);
        return literal.chars().map(mark).min().unwrap_or(OTHER_MARK);
    }
    (rarest / TOGETHER.saturating_pow(known - 1)).max(1)
}

/// How often words stand that begin with a part, or hold it.
fn part(part: &str, begins: bool) -> u32 {
    // Figures are rarer than letters, and most are of one or two.
    if part.bytes().all(|byte| byte.is_ascii_digit()) {
        return FIGURE.div_ceil(u32::try_from(part.len()).unwrap_or(u32::MAX));
    }
    let length = part.chars().count();
    let held = PARTS.get(length.saturating_sub(1)).copied().unwrap_or(OTHER);
    if begins { held.div_ceil(4) } else { held }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_words_and_several_together_are_worth_more() {
        let falling = ["i", "the ", "my ", " said ", " is nearly ", "teacher", " cerebral palsy"];
        let rates: Vec<u32> = falling.iter().map(|literal| rate(literal, true)).collect();
        assert!(rates.is_sorted_by(|a, b| a >= b), "{rates:?}");
        assert!(rate("m", false) > rate("m", true));
        assert!(rate(". ", false) > rate("school", true));
        assert_eq!(rate("section 47", true), 1);
    }

    #[test]
    fn no_word_stands_twice() {
        let words = WORDS.iter().flat_map(|(_, words)| words.split_ascii_whitespace());
        let mut words: Vec<&str> = words.collect();
        words.sort_unstable();
        let before = words.len();
        words.dedup();
        assert_eq!(words.len(), before);
    }
}

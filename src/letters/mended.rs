//! Templates that were good until the program was changed. A later version may know a field that can be empty where it
//! never was: a letter that prints it without asking could not be written then. What we ship stands in the place of that
//! letter alone, in both its parts and its subject, until somebody has put it right: no letter goes out with a hole in
//! it, none is lost, and a gateway starts.

use std::collections::BTreeSet;

use super::check::{self, CAN_BE_EMPTY};
use super::{LetterId, Letters};
use crate::fault::Fault;

/// The set with what is shipped in the place of each letter that has such a fault; none where no letter has one, or
/// nothing is shipped that could stand there. Whether that mends everything is seen when it is tried.
pub(super) fn mended(
    files: &[(String, String)],
    faults: &[Fault],
) -> Option<Vec<(String, String)>> {
    let empty = faults.iter().filter(|fault| fault.what.ends_with(CAN_BE_EMPTY));
    let units: BTreeSet<String> = empty.filter_map(|fault| unit(&fault.file)).collect();
    if units.is_empty() {
        return None;
    }
    let is_of = |name: &str| unit(name).is_some_and(|unit| units.contains(&unit));
    let mut mended: Vec<_> = files.iter().filter(|(name, _)| !is_of(name)).cloned().collect();
    let shipped: Vec<_> = Letters::shipped().into_iter().filter(|(name, _)| is_of(name)).collect();
    let ours: BTreeSet<String> = shipped.iter().filter_map(|(name, _)| unit(name)).collect();
    // A letter that an edition of the council's own lacks goes out in the usual words; what stands around them has none.
    let is_letter = |unit: &String| {
        unit.rsplit('/').next().is_some_and(|folder| folder.parse::<LetterId>().is_ok())
    };
    if units.iter().any(|unit| !ours.contains(unit) && !is_letter(unit)) {
        return None;
    }
    mended.extend(shipped);
    Some(mended)
}

/// What is replaced as one: a letter's folder, or a shared file in both its forms.
fn unit(name: &str) -> Option<String> {
    let key = check::key_of(name)?;
    let (folder, file) = key.rsplit_once('/').unwrap_or(("", key));
    let is_letter = folder.rsplit('/').next().is_some_and(|one| one.parse::<LetterId>().is_ok());
    let stem = file.split('.').next().unwrap_or(file);
    Some(if is_letter { folder.to_owned() } else { super::within(folder, stem) })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{edit, shipped};
    use super::*;
    use crate::casework::adjustment::Adjustment;

    /// Templates whose two parts print a field without asking whether it is there.
    fn older(name: &str, from: &str, to: &str) -> Vec<(String, String)> {
        let mut files = Letters::shipped();
        for end in ["txt", "html"] {
            // Their own words, by which it is seen whose letter goes out.
            edit(&mut files, &format!("answer-link/body.{end}"), "Questions", "Any questions");
            edit(&mut files, &format!("{name}.{end}"), from, to);
        }
        files
    }

    fn live(files: &[(String, String)]) -> Letters {
        Letters::load_live(files).unwrap_or_else(|faults| panic!("{faults:?}"))
    }

    fn words(letters: &Letters, letter: LetterId) -> Vec<String> {
        let all = letters.samples(letter, &Adjustment::NONE).into_iter();
        all.map(|(_, written)| written.text.0).collect()
    }

    const GUARDED: &str = "{% if answer_by and time_left %} Please send it by {{ answer_by }}, {{ time_left }}.{% endif %}";

    #[test]
    fn a_letter_that_could_not_be_written_is_ours_until_it_is_put_right() {
        for filter in ["", " | without_year", " | upper", " | sentence"] {
            let bare =
                format!(" Please send it by {{{{ answer_by{filter} }}}}, {{{{ time_left }}}}.");
            let files = older("answer-sent-back/body", GUARDED, &bare);
            assert!(Letters::load(&files).is_err(), "{filter}");
            let letters = live(&files);
            let replaced = letters.replaced();
            let place = "templates/letters/answer-sent-back/body.";
            assert!(replaced.iter().all(|one| one.file.starts_with(place)), "{replaced:?}");
            assert!(!replaced.is_empty(), "{filter}");
            for told in replaced {
                assert_eq!(told.at.map(|(line, _)| line), Some(3), "{told}");
                assert!(told.cure.contains("{% if"), "{told}");
            }
            let back = LetterId::AnswerSentBack;
            assert_eq!(words(&letters, back), words(&shipped(), back), "whole, and ours");
            let own = words(&letters, LetterId::AnswerLink);
            assert!(own[0].contains("Any questions"), "the rest stays theirs");
            assert_ne!(letters.version(), shipped().version());
        }
    }

    #[test]
    fn what_stands_around_letters_is_replaced_whole() {
        let files = older("base", "{% block sign %}\n", "{% block sign %}\n{{ greeting_name }}\n");
        assert!(Letters::load(&files).is_err());
        let letters = live(&files);
        assert_eq!(words(&letters, LetterId::Holding), words(&shipped(), LetterId::Holding));
        let places: BTreeSet<&str> = letters.replaced().iter().map(|one| &*one.file).collect();
        assert!(places.contains("templates/letters/base.txt"), "{places:?}");
    }

    #[test]
    fn a_letter_of_an_edition_is_the_shipped_one_or_in_the_usual_words() {
        let files =
            older("cy/holding/body", "{{ answer_by }}", "{{ answer_by }} {{ greeting_name }}");
        assert!(Letters::load(&files).is_err());
        assert!(live(&files).is_in(LetterId::Holding, "cy"));
        let moved = |(name, text): (String, String)| (name.replace("/cy/", "/welsh/"), text);
        let own: Vec<_> = files.into_iter().map(moved).collect();
        let letters = live(&own);
        assert!(!letters.is_in(LetterId::Holding, "welsh"));
        assert!(letters.is_in(LetterId::FollowUp, "welsh"));
    }

    #[test]
    fn any_other_fault_is_refused_as_before() {
        let mut files =
            older("holding/body", "{{ answer_by }}", "{{ answer_by }} {{ greeting_name }}");
        live(&files);
        edit(&mut files, "digest/body.txt", "{{ contact.name }}", "{{ contact.nam }}");
        let faults = Letters::load_live(&files).unwrap_err();
        assert!(faults.iter().any(|fault| fault.what.contains("contact.nam")), "{faults:?}");
        assert!(faults.iter().any(|fault| fault.what.ends_with(CAN_BE_EMPTY)), "{faults:?}");
    }
}

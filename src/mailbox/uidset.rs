//! Sets of UIDs on the wire.

use imap_proto::rfc4315::UidSetMember;

/// The most UIDs in one command: commands stay far under the 8,000 bytes that servers accept.
pub(super) const SET_MOST: usize = 200;

/// `1:3,7` for 1, 2, 3 and 7. The list must be sorted and hold nothing twice.
pub(super) fn sequence_set(uids: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &uid in uids {
        match runs.last_mut() {
            Some((_, end)) if end.checked_add(1) == Some(uid) => *end = uid,
            _ => runs.push((uid, uid)),
        }
    }
    let texts: Vec<String> = runs
        .into_iter()
        .map(|(from, to)| if from == to { from.to_string() } else { format!("{from}:{to}") })
        .collect();
    texts.join(",")
}

/// Sorted, each once, and no zero (which no message has).
pub(super) fn tidy(uids: &[u32]) -> Vec<u32> {
    let mut uids: Vec<u32> = uids.iter().copied().filter(|uid| *uid > 0).collect();
    uids.sort_unstable();
    uids.dedup();
    uids
}

/// Which of `asked` (sorted) a server's set names. Walks what was asked and not the set, which a
/// hostile server may make four thousand million long.
pub(super) fn named<'a>(asked: &'a [u32], set: &'a [UidSetMember]) -> impl Iterator<Item = u32> {
    asked.iter().copied().filter(|uid| {
        set.iter().any(|member| match member {
            UidSetMember::Uid(one) => one == uid,
            // RFC 4315 allows a range to be written backwards.
            UidSetMember::UidRange(range) => {
                let (a, b) = (*range.start(), *range.end());
                (a.min(b)..=a.max(b)).contains(uid)
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use super::*;

    #[test]
    fn neighbours_become_a_range() {
        assert_eq!(sequence_set(&[1, 2, 3, 7, 9, 10]), "1:3,7,9:10");
        assert_eq!(sequence_set(&[u32::MAX]), "4294967295");
        assert_eq!(sequence_set(&tidy(&[3, 0, 1, 2, 2])), "1:3");
    }

    #[test]
    fn a_set_from_the_server_is_read_in_either_direction() {
        let set = [UidSetMember::UidRange(RangeInclusive::new(9, 4)), UidSetMember::Uid(12)];
        let found: Vec<u32> = named(&[3, 4, 9, 10, 12], &set).collect();
        assert_eq!(found, [4, 9, 12]);
    }
}

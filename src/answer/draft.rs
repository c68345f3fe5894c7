//! What was typed of an answer and is gone on with later. It is shown behind the code alone, and to the mailbox that
//! typed it; a session that is over may still leave it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::act::{is_possible, now_at};
use super::form::{Act, Typed};
use super::visit::{Item, Link};
use crate::casework::case::Point;
use crate::gateway::Gateway;
use crate::store::drafts::DraftFile;
use crate::store::uploads::Upload;
use crate::store::{self, StoreError, Tx, drafts};
use crate::token::hashed;

/// What was typed, with the points that were asked for then: they may be others by the time that it is gone on with.
#[derive(Debug, Serialize, Deserialize)]
struct Draft {
    points: Vec<Point>,
    typed: BTreeMap<String, String>,
}

/// The fields that are kept beside those of the points.
const FIELDS: [&str; 7] = ["what", "remedy", "by-whom", "by-day", "by-month", "by-year", "name"];

/// What was typed, to be kept; none where nothing was, and no file is chosen.
fn written(typed: &Typed, points: &[Point], has_files: bool) -> Option<String> {
    let of_points = (0..points.len()).flat_map(|at| [format!("finding-{at}"), format!("why-{at}")]);
    let fields = of_points.chain(FIELDS.map(str::to_owned));
    let kept: BTreeMap<String, String> = fields
        .map(|field| (field.clone(), typed.get(&field)))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    (has_files || !kept.is_empty())
        .then(|| store::json(&Draft { points: points.to_vec(), typed: kept }))
}

/// What was kept, for the points that are asked for now. What was said of a point that is asked no more stands with
/// what else happened: nothing that was typed is lost.
pub(super) fn read(kept: &str, points: &[Point]) -> Typed {
    let Ok(draft) = serde_json::from_str::<Draft>(kept) else { return Typed::default() };
    let mut typed = draft.typed;
    let mut said = Vec::new();
    for (at, point) in draft.points.iter().enumerate() {
        let finding = typed.remove(&format!("finding-{at}"));
        let why = typed.remove(&format!("why-{at}"));
        said.push((points.iter().position(|one| one == point), finding, why));
    }
    for (now_at, finding, why) in said {
        let Some(at) = now_at else {
            let what = typed.entry("what".to_owned()).or_default();
            if let Some(why) = why {
                let gap = if what.is_empty() { "" } else { "\n\n" };
                *what = format!("{what}{gap}{why}");
            }
            continue;
        };
        typed.extend(finding.map(|text| (format!("finding-{at}"), text)));
        typed.extend(why.map(|text| (format!("why-{at}"), text)));
    }
    Typed::of(typed.into_iter().collect())
}

/// What a form leaves.
pub(super) struct Keeping<'a> {
    pub(super) typed: &'a Typed,
    pub(super) points: &'a [Point],
    /// The files that were chosen now.
    pub(super) add: Vec<Upload>,
    /// Those of before that are to be taken away.
    pub(super) dropped: Vec<i64>,
}

/// Keeps what was typed, in place of what was kept before, and the files beside those of before. Gives all the files;
/// none where nothing is waited for any more.
pub(super) async fn save(
    gateway: &Arc<Gateway>,
    link: &Link,
    item: &Item,
    Keeping { typed, points, add, dropped }: Keeping<'_>,
) -> Result<Option<Vec<DraftFile>>, StoreError> {
    let (inner, link, place) = (Arc::clone(gateway), link.row.clone(), item.place);
    let (typed, points, request) = (typed.clone(), points.to_vec(), item.request.id);
    let saved = gateway.db.write(move |tx: &mut Tx| {
        Box::pin(async move {
            let item = now_at(tx, &inner, &link, place).await?;
            if !item.is_some_and(|item| is_possible(Act::Answer, item.standing)) {
                return Ok(None);
            }
            let whose = (request, &*link.recipient);
            drafts::drop_files(tx, whose, &dropped).await?;
            drafts::add_files(tx, whose, &add).await?;
            let files = drafts::files_of(tx, request, &link.recipient).await?;
            match written(&typed, &points, !files.is_empty()) {
                Some(kept) => drafts::save(tx, whose, &kept, inner.clock.now()).await?,
                None => drafts::drop_of_mailbox(tx, request, &link.recipient).await?,
            }
            Ok::<_, StoreError>(Some(files))
        })
    });
    let saved = saved.await?;
    if saved.is_some() {
        tracing::info!(request.id = request, "what was typed on an answer page is kept");
    }
    Ok(saved)
}

/// What stands for all that was typed and chosen: another word or another file is another mark.
pub(super) fn mark(item: &Item) -> Option<String> {
    let files: Vec<i64> = item.files.iter().map(|one| one.id).collect();
    item.draft.as_ref().map(|draft| hashed(&format!("{files:?}{}", draft.typed)))
}

/// The place of what was typed last, among what a link opens and what can still be answered.
pub(super) fn last_of(link: &Link) -> Option<i64> {
    let drafts = link.items.iter().filter(|item| is_possible(Act::Answer, item.standing));
    let drafts = drafts.filter_map(|item| Some((item.draft.as_ref()?.saved_at, item.place)));
    drafts.max().map(|(_, place)| place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::casework::vocabulary::Theme;

    fn point(theme: Theme) -> Point {
        Point { theme, part: None }
    }

    #[test]
    fn what_was_typed_comes_back_by_its_points() {
        let (conduct, service) = (point(Theme::StaffConduct), point(Theme::ServiceIssue));
        let fields = [
            ("finding-0", "upheld"),
            ("why-0", "He was rude."),
            ("why-1", "It was late."),
            ("what", "More."),
            ("key", "secret"),
            ("finding-7", "made up"),
        ];
        let fields = fields.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let kept = written(&Typed::of(fields.to_vec()), &[conduct, service], false).unwrap();
        assert!(!kept.contains("secret") && !kept.contains("made up"), "{kept}");
        let same = read(&kept, &[conduct, service]);
        assert_eq!(
            (same.get("why-0"), same.get("finding-0")),
            ("He was rude.".into(), "upheld".into())
        );
        let turned = read(&kept, &[service, conduct]);
        assert_eq!(
            (turned.get("why-0"), turned.get("why-1")),
            ("It was late.".into(), "He was rude.".into())
        );
        assert_eq!(turned.get("finding-1"), "upheld");
        let fewer = read(&kept, &[service]);
        assert_eq!(fewer.get("why-0"), "It was late.");
        assert_eq!(fewer.get("what"), "More.\n\nHe was rude.");
        assert_eq!(written(&Typed::default(), &[], false), None);
        assert!(written(&Typed::default(), &[], true).is_some(), "a file alone");
        assert_eq!(read("no JSON", &[]).get("what"), "");
    }
}

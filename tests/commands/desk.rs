//! A desk with one case, for what officers do to it.

use serde_json::Value;

use super::{Desk, SETTINGS, complaint, deliver};

/// A desk whose first case this is.
pub(super) struct OneCase {
    pub(super) desk: Desk,
    pub(super) reference: String,
}

impl OneCase {
    /// A complaint that the rules place.
    pub(super) fn new() -> Self {
        Self::with(complaint(1))
    }

    /// The case that a message opens.
    pub(super) fn with(message: impl AsRef<[u8]>) -> Self {
        // On whichever day the tests run, the service is asked at once.
        let desk = Desk::with(&format!("{SETTINGS}[reminders]\nask_on_closed_days = true\n"));
        deliver(&desk, 1, message);
        desk.data(&["-q", "serve", "--once"]);
        let list = desk.objects(&["-q", "case", "list", "--json"]);
        let reference = list[0]["reference"].as_str().unwrap().to_owned();
        Self { desk, reference }
    }

    /// Does something to it; what is said.
    pub(super) fn act(&self, act: &str, words: &[&str]) -> String {
        self.desk.data(&[&["-q", "case", act, &*self.reference][..], words].concat())
    }

    /// What is said of a move that is not possible.
    pub(super) fn refused(&self, act: &str, words: &[&str]) -> String {
        let all = [&["-q", "case", act, &*self.reference][..], words].concat();
        let ran = self.desk.run(&all);
        assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{all:?}: {ran:?}");
        ran.err
    }

    pub(super) fn show(&self) -> Value {
        self.desk.objects(&["-q", "case", "show", "--json", &*self.reference]).remove(0)
    }

    pub(super) fn waiting(&self) -> String {
        self.desk.data(&["-q", "case", "list", "--waiting"])
    }
}

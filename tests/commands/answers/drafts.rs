//! What is typed and sent later, and what a session's end leaves of it.

use super::{Later, Page, Says, link_in};

const TYPED: [(&str, &str); 3] =
    [("name", "Jo Lane"), ("what", "We began to look."), ("by-day", "40")];

#[test]
fn what_is_saved_is_gone_on_with_behind_the_code() {
    let page = Page::start();
    let link = page.link();
    let path = format!("{link}/1/answer");
    let cookie = page.unlock(&link);
    let before = (page.show(), page.tasks());
    page.get(&path, &cookie).says(200, &["name=\"do\" value=\"save\">Save and come back later"]);
    let saving = [&TYPED[..], &[("do", "save")]].concat();
    let saved = page.send(&path, &cookie, &saving);
    let to = format!("{link}/1?saved=1");
    assert_eq!((saved.status, saved.header("location")), (303, Some(&*to)), "{saved:?}");
    page.get(&to, &cookie).says(200, &["Saved, but not sent", "Go on with your answer"]);
    assert_eq!((page.show(), page.tasks()), before, "nobody but they see it");
    assert!(page.act("answer-draft", &[]).starts_with("seen by "), "no answer");
    page.get(&path, &cookie).says(
        200,
        &[
            "This is as you left it on",
            "We began to look.</textarea>",
            "value=\"40\"",
            "value=\"Jo Lane\"",
        ],
    );

    // Without the code, and by the link of another mailbox, nothing of it is there.
    for path in [&*link, &format!("{link}/1"), &path, &format!("{link}/code")] {
        let shown = page.get(path, "");
        assert!(!shown.text.contains("We began") && !shown.text.contains("Go on with"), "{path}");
        shown.tells_nothing();
    }
    let mails = page.mails();
    let requests = mails.iter().filter(|one| one.1.starts_with("Please answer"));
    let mut links = requests.map(|one| link_in(&one.2));
    let other = links.find(|one| *one != link).unwrap();
    let theirs = page.unlock(&other);
    let shown = page.get(&format!("{other}/1/answer"), &theirs);
    shown.says(200, &[]);
    assert!(!shown.text.contains("We began"), "{}", shown.text);

    // Another code, and the form is open where it was left.
    let before = page.mails().iter().filter(|one| one.1.starts_with("Your code")).count();
    page.post(&format!("{link}/code"), "", &[]).says(303, &[]);
    let code = super::code_in(&page.waits_for("Your code", before + 1).pop().unwrap().2);
    let opened = page.post(&format!("{link}/code/check"), "", &[("code", &code)]);
    assert_eq!(opened.header("location"), Some(&*path), "{opened:?}");
    let cookie = opened.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    // A file is kept with it; one that cannot be is not, and that is said.
    let key = page.key(&path, &cookie);
    let saving = [("key", &*key), ("do", "save"), ("name", "Jo"), ("what", "We found it.")];
    let saved = page.upload(&path, &cookie, &saving, &[("empty.txt", "text/plain", b"")]);
    assert_eq!(saved.header("location"), Some(&*format!("{link}/1?saved=without-files")));
    let saved = page.upload(&path, &cookie, &saving, &[("a.txt", "text/plain", b"x")]);
    assert_eq!(saved.header("location"), Some(&*format!("{link}/1?saved=1")));
    page.get(&path, &cookie).says(200, &["We found it.</textarea>", "Take a.txt away</label>"]);
    let shown = page.get(&format!("{other}/1/answer"), &theirs);
    assert!(!shown.text.contains("a.txt"), "{}", shown.text);

    page.send(&path, &cookie, &[("name", "Jo"), ("what", "We found why.")]).says(303, &[]);
    let anew = page.get(&path, &cookie);
    anew.says(200, &["Add to your answer"]);
    assert!(!anew.text.contains("We found it."), "it left with the answer: {}", anew.text);
    page.act("send-back", &["--service", "sen", "--note", "Say when."]);
    let again = page.get(&path, &cookie);
    again.says(200, &["We found why.</textarea>"]);
}

#[test]
fn what_is_saved_goes_with_the_request() {
    let page = Page::start();
    let link = page.link();
    let path = format!("{link}/1/answer");
    let cookie = page.unlock(&link);
    let saving = [&TYPED[..], &[("do", "save")]].concat();
    page.send(&path, &cookie, &saving).says(303, &[]);
    // Saved with nothing in it, it is gone.
    page.send(&path, &cookie, &[("do", "save")]).says(303, &[]);
    assert!(!page.get(&path, &cookie).text.contains("We began"));
    page.send(&path, &cookie, &saving).says(303, &[]);
    let key = page.key(&path, &cookie);
    page.act("withdraw", &["--because", "settled"]);
    let late = [("key", &*key), ("do", "save"), ("what", "Too late.")];
    page.post(&path, &cookie, &late).says(409, &["no longer waited for", "Too late.</textarea>"]);
    page.act("reopen", &["--because", "they changed their mind"]);
    let mails = page.waits_for("Please answer by", 4);
    let fresh = mails.iter().map(|one| link_in(&one.2)).next_back().unwrap();
    let cookie = page.unlock(&fresh);
    let shown = page.get(&format!("{fresh}/1/answer"), &cookie);
    shown.says(200, &[]);
    assert!(!shown.text.contains("We began"), "{}", shown.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_loses_nothing_that_was_typed() {
    let later = Later::days(Page::start(), 0).await;
    let link = later.page.link();
    let path = format!("{link}/1/answer");
    let code = later.code(&link).await;
    let opened = later.page.post(&format!("{link}/code/check"), "", &[("code", &code)]);
    let cookie = opened.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let key = later.page.key(&path, &cookie);
    later.passes(8 * 60 + 1);
    later.page.get(&link, &cookie).says(200, &["Send the code"]).tells_nothing();
    let typed = [("key", &*key), ("name", "Jo"), ("what", "A long answer.")];
    let kept = later.page.post(&path, &cookie, &typed);
    let to = format!("{link}/code?kept=1");
    assert_eq!((kept.status, kept.header("location")), (303, Some(&*to)), "{kept:?}");
    assert_eq!(later.page.request()["state"], "asked", "it is not sent");
    let asked = later.page.get(&to, &cookie);
    asked.says(200, &["What you typed is kept, but not sent"]);
    assert!(!asked.text.contains("A long answer"), "{}", asked.text);
    // Who has the link and no code of it can put nothing in its place.
    for stranger in ["", "postern_answer=made-up"] {
        let typed = [("key", &*key), ("name", "X"), ("what", "Something else.")];
        later.page.post(&path, stranger, &typed).says(409, &["Something else.</textarea>"]);
    }
    // The code was sent with it.
    later.sends().await;
    let mut mails = later.page.mails();
    mails.retain(|one| one.1.starts_with("Your code"));
    assert_eq!(mails.len(), 2, "{mails:?}");
    let code = super::code_in(&mails.pop().unwrap().2);
    let opened = later.page.post(&format!("{link}/code/check"), "", &[("code", &code)]);
    assert_eq!(opened.header("location"), Some(&*path), "{opened:?}");
    let cookie = opened.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    later.page.get(&path, &cookie).says(200, &["A long answer.</textarea>", "value=\"Jo\""]);
    later.page.send(&path, &cookie, &typed[1..]).says(303, &[]);
    assert_eq!(later.page.request()["state"], "answered");
}

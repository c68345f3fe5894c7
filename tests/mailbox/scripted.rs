//! What the library turns into silence, hangs and panics, each shown to be an error of ours.

use std::time::{Duration, Instant};

use postern::mailbox::{AsideBy, Class, MailboxError, Reason, Secret, Security, Session, Woken};
use postern::private::Private;

use super::account;
use super::support::imap_script::{Answer, ImapScript, SELECTED, message, on};

async fn open(script: impl IntoIterator<Item = Answer>) -> (ImapScript, Session) {
    let server = ImapScript::start(script).await;
    let session = Session::open(&account(server.address.port(), "ann")).await.unwrap();
    (server, session)
}

async fn open_fails(script: impl IntoIterator<Item = Answer>) -> MailboxError {
    let server = ImapScript::start(script).await;
    Session::open(&account(server.address.port(), "ann")).await.unwrap_err()
}

// ---- listing

#[tokio::test]
async fn a_refused_list_is_an_error_and_not_an_empty_mailbox() {
    // NO and BAD are clean: the session goes on.
    for (answer, code) in [("NO [UNAVAILABLE] later", Some("UNAVAILABLE")), ("BAD what", None)] {
        let (_server, mut session) =
            open((0..65).map(|_| on("UID FETCH", format!("TAG {answer}\r\n")))).await;
        let error = session.list(0).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (Class::Refused, code), "{answer}: {error}");
        assert!(session.is_connected(), "{answer}");
    }
}

#[tokio::test]
async fn a_lost_connection_is_an_error_now_and_ever_after() {
    let cut = "* 1 FETCH (UID 1 INTERNALDATE \"16-Mar-2026 09:00:00 +0000\" RFC822.SIZE 5)\r\n";
    let scripts = [
        on("UID FETCH", "").hang_up(),
        on("UID FETCH", cut).hang_up(),
        on("UID FETCH", "* 1 FETCH (UID 1 INTERN").hang_up(),
        on("UID FETCH", "* BYE shutting down\r\n").hang_up(),
        on("UID FETCH", "* BYE [UNAVAILABLE] shutting down\r\n"),
        on("UID FETCH", "* 1 FETCH )(\r\n"),
    ];
    for script in scripts {
        let (_server, mut session) = open([script.clone()]).await;
        let error = session.list(0).await.unwrap_err();
        assert!(
            matches!(error.reason, Reason::Closed | Reason::Bye(_) | Reason::Garbled),
            "{script:?}: {error}"
        );
        assert!(!session.is_connected());
        let again = session.list(0).await.unwrap_err();
        assert!(matches!(again.reason, Reason::Lost), "{again}");
        assert!(matches!(session.wait(Duration::ZERO).await.unwrap_err().reason, Reason::Lost));
    }
}

#[tokio::test]
async fn a_reply_to_another_command_answers_nothing() {
    for says in ["A9999 OK done\r\n", "+ go on\r\n"] {
        let (_server, mut session) = open([on("UID FETCH", [says, "TAG OK\r\n"].concat())]).await;
        let error = session.list(0).await.unwrap_err();
        assert_eq!(error.class(), Class::Protocol);
        assert!(!session.is_connected());
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_is_noticed() {
    let server = ImapScript::start([on("UID FETCH", "* 3 EXISTS\r\n").fall_silent()]).await;
    let mut account = account(server.address.port(), "ann");
    account.timeouts.command = Duration::from_millis(300);
    let mut session = Session::open(&account).await.unwrap();
    let error = session.list(0).await.unwrap_err();
    assert!(matches!(error.reason, Reason::TimedOut(_)), "{error}");
    assert!(!session.is_connected());
}

#[tokio::test]
async fn a_list_leaves_out_what_was_not_asked_for() {
    let flags = "* 2 FETCH (FLAGS (\\Seen))\r\n* 3 FETCH (UID 3 FLAGS ())\r\n";
    let size = |uid: u32| {
        format!(
            "* {uid} FETCH (RFC822.SIZE {uid}0 UID {uid} INTERNALDATE \"16-Mar-2026 09:00:00 +0000\")\r\n"
        )
    };
    // Out of order, twice, and with the last message that `n:*` always brings.
    let says = [flags, &size(3), &size(2), &size(1), &size(2), "TAG OK done\r\n"].concat();
    let (_server, mut session) = open([on("UID FETCH", says)]).await;
    let waiting = session.list(1).await.unwrap();
    let uids: Vec<_> = waiting.iter().map(|waiting| (waiting.uid, waiting.size)).collect();
    assert_eq!(uids, [(2, Some(20)), (3, Some(30))]);
    assert_eq!(waiting[0].internal_date.unwrap().to_string(), "2026-03-16T09:00:00Z");
}

#[tokio::test]
async fn a_message_that_cannot_be_listed_does_not_hide_the_others() {
    let size = |uid: u32| format!("* {uid} FETCH (UID {uid} RFC822.SIZE 5)\r\n");
    let (_server, mut session) = open([
        on("UID FETCH 1:* ", "TAG NO [SERVERBUG] cannot\r\n"),
        on("UID FETCH 1:2 ", "TAG NO [SERVERBUG] cannot\r\n"),
        on("UID FETCH 1:1 ", size(1) + "TAG OK done\r\n"),
        on("UID FETCH 2:2 ", "TAG NO [SERVERBUG] cannot\r\n"),
        on("UID FETCH 3:3 ", size(3) + "TAG OK done\r\n"),
    ])
    .await;
    let waiting = session.list(0).await.unwrap();
    let uids: Vec<_> = waiting.iter().map(|waiting| (waiting.uid, waiting.size)).collect();
    assert_eq!(uids, [(1, Some(5)), (2, None), (3, Some(5))]);
}

#[tokio::test]
async fn a_gap_of_thousands_of_millions_is_crossed_in_a_few_steps() {
    let selected = SELECTED.replace("UIDNEXT 4", "UIDNEXT 4294967290");
    let last = "* 3 FETCH (UID 4294967289 RFC822.SIZE 5)\r\n";
    let last = move |when| on(when, format!("{last}TAG OK done\r\n"));
    // Whichever span is the open one brings the last message.
    let (server, mut session) = open([on("SELECT", selected), last(":* (UID I")]).await;
    let waiting = session.list(0).await.unwrap();
    assert_eq!(waiting.iter().map(|waiting| waiting.uid).collect::<Vec<_>>(), [4_294_967_289]);
    let steps = server.heard().iter().filter(|heard| heard.starts_with("UID FETCH")).count();
    assert!(steps < 20, "{steps} commands");
    // And a cursor at the very end asks nothing at all.
    assert!(session.list(u32::MAX).await.unwrap().is_empty());
}

// ---- opening

#[tokio::test]
async fn a_folder_that_does_not_open_is_an_error() {
    let folder = |lines: &str| on("SELECT", lines);
    let closed = open_fails([folder("").hang_up()]).await;
    assert!(matches!(closed.reason, Reason::Closed), "{closed}");
    let refused = open_fails([folder("TAG NO [NONEXISTENT] no such folder\r\n")]).await;
    assert_eq!((refused.class(), refused.code()), (Class::Refused, Some("NONEXISTENT")));
    let rights = "TAG BAD User is authenticated but not connected.\r\n";
    assert!(open_fails([folder(rights)]).await.is_auth());

    // Without a UIDVALIDITY, or with one beyond 32 bits, a cursor would be meaningless.
    for odd in ["* OK [UIDVALIDITY 99999999999] ok\r\n", "* OK [UIDVALIDITY 0] ok\r\n", ""] {
        let lines = SELECTED.replace("* OK [UIDVALIDITY 7] ok\r\n", odd);
        let error = open_fails([folder(&lines)]).await;
        assert_eq!(error.class(), Class::Protocol, "{odd:?}: {error}");
    }
}

#[tokio::test]
async fn a_warning_while_opening_is_no_refusal() {
    let lines = format!("* NO [ALERT] mailbox is at 98% of its quota\r\n{SELECTED}");
    let (_server, session) = open([on("SELECT", lines)]).await;
    let selected = session.selected();
    assert_eq!((selected.uid_validity, selected.uid_next, selected.exists), (7, Some(4), 3));
    assert!(!selected.read_only && selected.may_move && selected.may_keyword && selected.idle);
}

#[tokio::test]
async fn the_capabilities_must_be_heard() {
    for says in ["TAG NO not now\r\n", "TAG OK done\r\n", "* CAPABILITY IMAP4rev2\r\nTAG OK\r\n"] {
        let error = open_fails([on("CAPABILITY", says)]).await;
        assert_ne!(error.class(), Class::Auth, "{says:?}: {error}");
    }
}

#[tokio::test]
async fn a_greeting_that_panics_the_parser_is_an_error() {
    let panics = "* OK [ALERT]\u{2013} maintenance tonight\r\n";
    let server = ImapScript::start_greeting(panics, []).await;
    let error = Session::open(&account(server.address.port(), "ann")).await.unwrap_err();
    assert!(matches!(error.reason, Reason::Garbled), "{error}");

    // Later on, too: the session is lost and the process lives.
    let (_server, mut session) = open([on("UID FETCH", panics)]).await;
    assert!(matches!(session.list(0).await.unwrap_err().reason, Reason::Garbled));
    assert!(!session.is_connected());
}

#[tokio::test]
async fn a_greeting_other_than_ok_is_refused() {
    for (greeting, class) in [
        ("* BYE [UNAVAILABLE] full\r\n", Class::Network),
        ("* PREAUTH welcome\r\n", Class::Protocol),
        ("220 smtp.example.org ESMTP\r\n", Class::Protocol),
    ] {
        let server = ImapScript::start_greeting(greeting, []).await;
        let error = Session::open(&account(server.address.port(), "ann")).await.unwrap_err();
        assert_eq!(error.class(), class, "{greeting:?}: {error}");
    }
}

// ---- login

#[tokio::test]
async fn a_refused_login_names_no_one() {
    let says = "TAG NO [AUTHENTICATIONFAILED] ann@example.org is not allowed\r\n";
    let error = open_fails([on("LOGIN", says)]).await;
    assert!(error.is_auth());
    let shown = format!("{error} {error:?} {}", error.cure());
    assert!(!shown.contains("ann") && !shown.contains("secret"), "{shown}");

    let later = open_fails([on("LOGIN", "TAG NO [UNAVAILABLE] directory down\r\n")]).await;
    assert!(!later.is_auth());
    let plain = open_fails([on("LOGIN", "TAG NO [PRIVACYREQUIRED] TLS first\r\n")]).await;
    assert_eq!(plain.class(), Class::Setup);
    let closed = open_fails([on("LOGIN", "").hang_up()]).await;
    assert_eq!(closed.class(), Class::Network);
}

#[tokio::test]
async fn a_refused_token_is_shown_once() {
    let token = "dXNlcj1hbm4BYXV0aD1CZWFyZXIgdG9rZW4BAQ==";
    let server = ImapScript::start([
        on("AUTHENTICATE", "+ \r\n"),
        on(token, "+ eyJzdGF0dXMiOiI0MDEifQ==\r\n"),
        // The empty answer to the challenge.
        on("", "TAG NO [AUTHENTICATIONFAILED] expired\r\n"),
    ])
    .await;
    let mut account = account(server.address.port(), "ann");
    account.secret = Secret::Token(Private("token".to_owned()));
    let error = Session::open(&account).await.unwrap_err();
    assert!(error.is_auth(), "{error}");
    assert_eq!(server.heard(), ["AUTHENTICATE XOAUTH2", token, ""]);
}

#[tokio::test]
async fn a_password_outside_ascii_is_not_sent_as_a_quoted_string() {
    let server = ImapScript::start([on("AGFubgBww6Rzcw==", "TAG OK done\r\n")]).await;
    let mut account = account(server.address.port(), "ann");
    account.secret = Secret::Password(Private("p\u{e4}ss".to_owned()));
    Session::open(&account).await.unwrap();
    assert_eq!(server.heard()[0], "AUTHENTICATE PLAIN");
}

// ---- protection

#[tokio::test]
async fn without_starttls_nothing_is_said_and_nothing_said_before_it_counts() {
    // RFC 3501 knows no fall-back, and bytes sent ahead of the handshake are an attack.
    for (greeting, answer, class) in [
        ("* OK ready\r\n", "TAG BAD unknown\r\n", Class::Tls),
        ("* OK ready\r\n", "TAG NO not today\r\n", Class::Tls),
        ("* OK ready\r\n", "TAG OK go\r\n* OK logged in, trust me\r\n", Class::Tls),
        ("* PREAUTH welcome\r\n", "TAG OK go\r\n", Class::Protocol),
        ("* OK ready\r\n", "* BYE overload\r\n", Class::Network),
    ] {
        let server = ImapScript::start_greeting(greeting, [on("STARTTLS", answer)]).await;
        let mut account = account(server.address.port(), "ann");
        account.security = Security::StartTls;
        let error = Session::open(&account).await.unwrap_err();
        assert_eq!(error.class(), class, "{answer:?}: {error}");
        assert!(!server.heard().iter().any(|heard| heard.contains("LOGIN")));
    }
}

#[tokio::test]
async fn plain_text_stays_on_this_machine() {
    let mut account = account(143, "ann");
    // RFC 5737: an address that nobody has.
    account.host = "192.0.2.1".to_owned();
    let error = Session::open(&account).await.unwrap_err();
    assert!(matches!(error.reason, Reason::Insecure), "{error}");
}

// ---- fetching

#[tokio::test]
async fn an_enormous_announcement_costs_no_memory() {
    let huge = "* 1 FETCH (UID 1 BODY[] {500000000}\r\nhello";
    let (_server, mut session) = open([on("UID FETCH 1 ", huge)]).await;
    let batch = session.fetch(&[1]).await.unwrap();
    assert_eq!(batch.refused, [1], "to be read in pieces");
    let kept = peak_kilobytes();
    assert!(kept < 400_000, "{kept} kB");
}

/// The most memory that this process ever used.
fn peak_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn only_what_the_server_confirms_is_handed_over() {
    let first = message(1, 1, "one");
    // Closed between two messages, and inside one: nothing is half taken.
    for cut in [first.clone(), format!("{first}* 2 FETCH (UID 2 BODY[] {{400}}\r\nhalf")] {
        let (_server, mut session) = open([on("UID FETCH", &cut).hang_up()]).await;
        let error = session.fetch(&[1, 2]).await.unwrap_err();
        assert!(matches!(error.reason, Reason::Closed), "{error}");
    }
}

#[tokio::test]
async fn missing_withheld_and_unasked_messages_are_told_apart() {
    let says = [
        "* 9 EXISTS\r\n* 2 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n",
        &message(9, 99, "not asked for"),
        &message(3, 3, "three"),
        "* 4 FETCH (UID 4 BODY[] NIL)\r\n",
        &message(1, 1, ""),
        "TAG OK done\r\n",
    ]
    .concat();
    let (_server, mut session) = open([on("UID FETCH", says)]).await;
    let batch = session.fetch(&[4, 3, 2, 1, 1]).await.unwrap();
    let bodies: Vec<_> =
        batch.messages.iter().map(|message| (message.uid, message.bytes.as_slice())).collect();
    assert_eq!(bodies, [(1, b"".as_slice()), (3, b"three".as_slice())]);
    assert_eq!((batch.missing, batch.refused), (vec![2], vec![4]));
}

#[tokio::test]
async fn one_bad_message_does_not_hold_up_the_rest() {
    // Message 2 is refused by one server, and unreadable from another, which costs a connection
    // each time.
    for bad in ["TAG NO [SERVERBUG] cannot\r\n", "* 2 FETCH (UID 2 BODY[] {oops\r\n"] {
        let fine = |sequence, uid| message(sequence, uid, "fine") + "TAG OK done\r\n";
        let (_server, mut session) = open([
            on("UID FETCH 1:3 ", bad),
            on("UID FETCH 1 ", fine(1, 1)),
            on("UID FETCH 2:3 ", bad),
            on("UID FETCH 2 ", bad),
            on("UID FETCH 3 ", fine(3, 3)),
        ])
        .await;
        let batch = session.fetch(&[1, 2, 3]).await.unwrap();
        let uids: Vec<_> = batch.messages.iter().map(|message| message.uid).collect();
        assert_eq!((uids, batch.refused), (vec![1, 3], vec![2]), "{bad:?}");
        assert!(session.is_connected());
    }
}

#[tokio::test]
async fn a_server_that_refuses_everything_is_an_error() {
    let (_server, mut session) =
        open((0..9).map(|_| on("UID FETCH", "TAG NO [SERVERBUG] cannot\r\n"))).await;
    let error = session.fetch(&[1, 2, 3]).await.unwrap_err();
    assert_eq!(error.class(), Class::Refused);
}

#[tokio::test]
async fn a_fetch_given_up_half_way_does_not_spill_into_the_next() {
    let (_server, mut session) =
        open([on("UID FETCH 1 ", message(1, 1, "one")).fall_silent()]).await;
    let given_up = tokio::time::timeout(Duration::from_millis(200), session.fetch(&[1])).await;
    assert!(given_up.is_err());
    assert!(matches!(session.fetch(&[2]).await.unwrap_err().reason, Reason::Lost));
}

#[tokio::test]
async fn the_wrong_piece_of_a_message_is_an_error() {
    let piece = |text: &str| on("<5.3>", format!("* 1 FETCH (UID 1 {text})\r\nTAG OK done\r\n"));
    for wrong in ["BODY[]<0> {3}\r\nabc", "BODY[]<5> {4}\r\nabcd"] {
        let (_server, mut session) = open([piece(wrong)]).await;
        let error = session.fetch_piece(1, 5, 3).await.unwrap_err();
        assert_eq!(error.class(), Class::Protocol);
    }
    let (_server, mut session) = open([piece("BODY[]<5> {3}\r\nabc")]).await;
    assert_eq!(session.fetch_piece(1, 5, 3).await.unwrap().as_deref(), Some(b"abc".as_slice()));
    assert_eq!(session.fetch_piece(2, 5, 3).await.unwrap(), None);
}

// ---- waiting

#[tokio::test]
async fn a_refused_idle_neither_hangs_nor_panics() {
    for refusal in ["TAG NO not here\r\n", "TAG BAD\r\n"] {
        let (server, mut session) =
            open([on("IDLE", refusal), on("NOOP", "* 4 EXISTS\r\nTAG OK done\r\n")]).await;
        let woken = session.wait(Duration::from_secs(5)).await.unwrap();
        assert_eq!(woken, Woken::NewMail, "by asking, as the server would not tell");
        session.wait(Duration::from_millis(1)).await.unwrap();
        let idles = server.heard().iter().filter(|heard| *heard == "IDLE").count();
        assert_eq!(idles, 1, "a refused IDLE is not tried again");
    }
}

#[tokio::test]
async fn idle_ends_by_an_error_when_the_connection_does() {
    for script in [
        on("IDLE", "").hang_up(),
        on("IDLE", "+ idling\r\n").hang_up(),
        on("IDLE", "+ idling\r\n* BYE token expired\r\n").hang_up(),
        on("IDLE", "+ idling\r\n* 1 FETCH )(\r\n"),
    ] {
        let (_server, mut session) = open([script.clone()]).await;
        let error = session.wait(Duration::from_secs(5)).await.unwrap_err();
        assert!(
            matches!(error.reason, Reason::Closed | Reason::Bye(_) | Reason::Garbled),
            "{script:?}: {error}"
        );
    }
}

#[tokio::test]
async fn a_half_open_connection_is_noticed_when_idle_ends() {
    let (_server, mut session) = open([on("IDLE", "+ idling\r\n").fall_silent()]).await;
    let began = Instant::now();
    let error = session.wait(Duration::from_millis(100)).await.unwrap_err();
    assert!(matches!(error.reason, Reason::TimedOut(_)), "{error}");
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn new_mail_wakes_whenever_it_is_announced() {
    let done = || on("DONE", "TAG OK done\r\n");
    for idle in ["* 4 EXISTS\r\n+ idling\r\n", "+ idling\r\n* OK still here\r\n* 4 EXISTS\r\n"] {
        let (_server, mut session) = open([on("IDLE", idle), done()]).await;
        let began = Instant::now();
        assert_eq!(session.wait(Duration::from_secs(5)).await.unwrap(), Woken::NewMail, "{idle:?}");
        assert!(began.elapsed() < Duration::from_secs(3), "{idle:?} was noticed only at the end");
    }
    // Announced between two commands of another kind.
    let (_server, mut session) = open([
        on("NOOP", ""),
        on("IDLE", "+ idling\r\n"),
        on("DONE", "* 4 EXISTS\r\nTAG OK done\r\n"),
    ])
    .await;
    assert_eq!(session.wait(Duration::from_millis(50)).await.unwrap(), Woken::NewMail);
}

#[tokio::test]
async fn keep_alives_prolong_no_wait() {
    let chatter = Duration::from_millis(20);
    let server = ImapScript::start([
        on("IDLE", "+ idling\r\n").repeat("* OK still here\r\n", chatter),
        on("DONE", "TAG OK done\r\n"),
        on("UID FETCH", ""),
    ])
    .await;
    let mut account = account(server.address.port(), "ann");
    account.timeouts.command = Duration::from_millis(500);
    let mut session = Session::open(&account).await.unwrap();
    let began = Instant::now();
    assert_eq!(session.wait(Duration::from_millis(200)).await.unwrap(), Woken::Quiet);
    assert!(began.elapsed() < Duration::from_secs(3));
    // Nor any other answer: this one never comes.
    let error = session.list(0).await.unwrap_err();
    assert!(matches!(error.reason, Reason::TimedOut(_)), "{error}");
}

#[tokio::test]
async fn a_call_ends_a_wait_and_keeps_the_connection() {
    let (_server, mut session) = open([on("DONE", "TAG OK done\r\n")]).await;
    let called = tokio::time::sleep(Duration::from_millis(50));
    let woken = session.wait_or(Duration::from_mins(1), called).await.unwrap();
    assert_eq!(woken, Woken::Called);
    assert!(session.is_connected());
}

#[tokio::test]
async fn a_refused_noop_is_an_error() {
    let server =
        ImapScript::start([on("NOOP", "TAG NO not now\r\n"), on("NOOP", "").hang_up()]).await;
    let mut account = account(server.address.port(), "ann");
    account.idle = false;
    let mut session = Session::open(&account).await.unwrap();
    assert_eq!(session.wait(Duration::ZERO).await.unwrap_err().class(), Class::Refused);
    assert!(matches!(session.wait(Duration::ZERO).await.unwrap_err().reason, Reason::Closed));
}

// ---- setting aside

#[tokio::test]
async fn ok_does_not_prove_that_a_message_was_moved() {
    let flags = |uids: &[u32]| -> String {
        let lines: Vec<_> =
            uids.iter().map(|uid| format!("* {uid} FETCH (UID {uid} FLAGS ())\r\n")).collect();
        lines.concat() + "TAG OK done\r\n"
    };
    // COPYUID names one of two.
    let (_server, mut session) = open([
        on("UID FETCH", flags(&[1, 2])),
        on("UID MOVE", "* OK [COPYUID 9 1 5] moved\r\n* 1 EXPUNGE\r\nTAG OK done\r\n"),
    ])
    .await;
    let aside = session.set_aside(&[1, 2, 3]).await.unwrap();
    assert_eq!((aside.by, aside.done, aside.absent), (AsideBy::Move, vec![1], vec![2, 3]));

    // Some servers put it into the tagged reply.
    let (_server, mut session) = open([
        on("UID FETCH", flags(&[1, 2])),
        on("UID MOVE", "TAG OK [COPYUID 9 2:1 5:6] moved\r\n"),
    ])
    .await;
    assert_eq!(session.set_aside(&[1, 2]).await.unwrap().done, [1, 2]);

    // No COPYUID at all: look what is left.
    let (_server, mut session) = open([
        on("UID FETCH", flags(&[1, 2])),
        on("UID MOVE", "TAG OK done\r\n"),
        on("UID FETCH", flags(&[2])),
    ])
    .await;
    assert_eq!(session.set_aside(&[1, 2]).await.unwrap().done, [1]);
}

#[tokio::test]
async fn a_refused_move_is_an_error() {
    let (_server, mut session) = open([
        on("UID FETCH", "* 1 FETCH (UID 1 FLAGS ())\r\nTAG OK done\r\n"),
        on("UID MOVE", "TAG NO [OVERQUOTA] full\r\n"),
        on("CREATE", "TAG NO [ALREADYEXISTS] there\r\n"),
    ])
    .await;
    let error = session.set_aside(&[1]).await.unwrap_err();
    assert_eq!(error.code(), Some("OVERQUOTA"));
}

#[tokio::test]
async fn nothing_is_touched_where_nothing_is_allowed() {
    // Exchange: no keywords. And a folder that may only be read.
    let no_keywords = SELECTED.replace(" \\*", "");
    let read_only = SELECTED.replace("READ-WRITE", "READ-ONLY");
    for selected in [no_keywords, read_only] {
        let capabilities = "* CAPABILITY IMAP4rev1 IDLE UIDPLUS\r\nTAG OK done\r\n";
        let (server, mut session) =
            open([on("CAPABILITY", capabilities), on("SELECT", selected)]).await;
        let aside = session.set_aside(&[1]).await.unwrap();
        assert_eq!(aside.by, AsideBy::Nothing);
        assert!(server.heard().last().unwrap().starts_with("SELECT"));
    }
}

#[tokio::test]
async fn another_folder_under_the_same_name_is_noticed() {
    let changed = SELECTED.replace("UIDVALIDITY 7", "UIDVALIDITY 8");
    let (_server, mut session) = open([
        on("SELECT", SELECTED),
        on("SELECT", changed),
        on("UID FETCH", "* OK [UIDVALIDITY 9] changed\r\nTAG OK done\r\n"),
    ])
    .await;
    assert_eq!(session.reselect().await.unwrap().uid_validity, 8);
    assert!(matches!(session.list(0).await.unwrap_err().reason, Reason::Replaced));
}

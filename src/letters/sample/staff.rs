//! Invented mails to services, officers and whoever is on duty.

use jiff::civil::date;

use super::{Sample, contact, council, sample};
use crate::letters::context::{
    AnswerCode, AnswerCopy, AnswerLink, DutyAlert, OfficerNotice, PointCopy, Reminder, SentBack,
    ServiceRequest,
};
use crate::letters::digest::{
    ActionRow, Actions, Digest, ManagerRow, OmbudsmanLine, OverdueCounts, OverdueDigest, Row,
};
use crate::letters::words::{InFull, InList};
use crate::private::Private;

pub(super) fn requests() -> Vec<Sample> {
    let full = ServiceRequest {
        reference: "NCC-2026-00412-7".to_owned(),
        service: "SEN, North".to_owned(),
        type_words: "Corporate complaint".to_owned(),
        stage_words: Some("step 1".to_owned()),
        points: vec!["Delayed service".to_owned(), "Delay or failure to communicate".to_owned()],
        is_change: false,
        answer_by: InFull(date(2026, 12, 11)),
        time_left: "in 12 working days".to_owned(),
        accept_by: InFull(date(2026, 11, 26)),
        customer_due: InFull(date(2026, 12, 16)),
        answer_url: Some("https://complaints.northmere.example/a/EXAMPLE".to_owned()),
        message_attached: false,
        contact: contact(),
        council: council(),
    };
    let by_mail = ServiceRequest {
        answer_url: None,
        message_attached: true,
        stage_words: None,
        points: vec!["Staff conduct".to_owned()],
        is_change: true,
        ..full.clone()
    };
    let bare = ServiceRequest { points: Vec::new(), message_attached: true, ..full.clone() };
    vec![
        sample("answered on its page", &full),
        sample("answered by mail", &by_mail),
        sample("points not counted", &bare),
    ]
}

pub(super) fn reminders() -> Vec<Sample> {
    let late = Reminder {
        reference: "NCC-2026-00412-7".to_owned(),
        greeting_name: Some("Lena".to_owned()),
        service: "SEN, North".to_owned(),
        type_words: "Corporate complaint".to_owned(),
        stage_words: Some("step 1".to_owned()),
        due: InFull(date(2026, 12, 11)),
        due_words: "6 working days late".to_owned(),
        waiting_for: "your answer".to_owned(),
        times_chased: 3,
        next_to: Some("your head of service".to_owned()),
        next_on: Some(InFull(date(2026, 12, 23))),
        answer_url: Some("https://complaints.northmere.example/a/EXAMPLE".to_owned()),
        contact: contact(),
        council: council(),
    };
    let first = Reminder {
        greeting_name: None,
        stage_words: None,
        due_words: "due in 3 working days".to_owned(),
        times_chased: 0,
        next_to: None,
        next_on: None,
        answer_url: None,
        ..late.clone()
    };
    let once = Reminder { times_chased: 1, ..late.clone() };
    vec![sample("late", &late), sample("the first", &first), sample("asked once", &once)]
}

fn row(reference: &str, days_left: i32, words: &str, due: jiff::civil::Date, asked: usize) -> Row {
    Row {
        reference: reference.to_owned(),
        type_words: "Corporate complaint".to_owned(),
        stage_words: Some("step 1".to_owned()),
        days_left,
        days_words: words.to_owned(),
        due: InList(due),
        waiting_for: "your answer".to_owned(),
        with: None,
        times_chased: asked,
        is_late: days_left < 0,
    }
}

/// The five cases of an invented manager.
fn rows() -> Vec<Row> {
    let member = Row {
        type_words: "Member enquiry".to_owned(),
        stage_words: None,
        ..row("NCC-2026-00405-1", 6, "in 6 days", date(2026, 12, 3), 0)
    };
    let fresh = Row {
        waiting_for: "say if it is yours, by today".to_owned(),
        ..row("NCC-2026-00412-7", 12, "in 12 days", date(2026, 12, 11), 0)
    };
    vec![
        row("NCC-2026-00214-0", -35, "35 days late", date(2026, 10, 7), 9),
        row("NCC-2026-00227-3", -30, "30 days late", date(2026, 10, 14), 1),
        row("NCC-2026-00374-9", 1, "due tomorrow", date(2026, 11, 26), 0),
        member,
        fresh,
    ]
}

pub(super) fn digests() -> Vec<Sample> {
    let full = Digest {
        greeting_name: Some("Lena".to_owned()),
        who_hears: Some(
            "Hanna Frost, head of service, has the two late cases in her list today.".to_owned(),
        ),
        list_url: Some("https://complaints.northmere.example/a/EXAMPLE".to_owned()),
        ..Digest::of("SEN, North", rows(), contact(), council())
    };
    let one = Digest::of("SEN, North", rows().split_off(4), contact(), council());
    let many = (0..30).flat_map(|_| rows()).collect();
    let long = Digest {
        list_url: full.list_url.clone(),
        ..Digest::of("SEN, North", many, contact(), council())
    };
    let team = Digest {
        for_team: true,
        ..Digest::of("the complaints team", rows(), contact(), council())
    };
    let nothing = Digest::of("SEN, North", Vec::new(), contact(), council());
    let late = Digest { greeting_name: full.greeting_name.clone(), ..nothing.clone() };
    let many = (0..5).flat_map(|_| actions()).collect();
    let ombudsman = Digest {
        for_team: true,
        ..Digest::of("the complaints team", Vec::new(), contact(), council())
    }
    .with_ombudsman(from_ombudsman());
    vec![
        sample("five cases", &full),
        sample("one case", &one),
        sample("150 cases", &long),
        sample("the team's own", &team),
        sample("five cases and two actions", &full.clone().with(Actions::of(actions(), true))),
        sample("two actions alone", &late.with(Actions::of(actions(), true))),
        sample("actions of others", &nothing.with(Actions::of(many, false))),
        sample("the Ombudsman's dates too", &team.clone().with_ombudsman(from_ombudsman())),
        sample("the Ombudsman's dates alone", &ombudsman),
    ]
}

fn actions() -> Vec<ActionRow> {
    let action = |reference: &str, day, words: &str, asks: Option<&str>| ActionRow {
        reference: reference.to_owned(),
        number: 1,
        service: "SEN, North".to_owned(),
        days_words: words.to_owned(),
        due: InList(day),
        asks: asks.map(str::to_owned),
        is_late: words.ends_with("late"),
    };
    vec![
        action(
            "NCC-2026-00214-0",
            date(2026, 11, 18),
            "5 days late",
            Some("it is late: tell us that it is done, or by when it will be"),
        ),
        action("NCC-2026-00227-3", date(2026, 12, 3), "in 6 days", None),
    ]
}

fn from_ombudsman() -> Vec<OmbudsmanLine> {
    let line =
        |case: &str, theirs: Option<&str>, what: &str, days: &str, day, is_late| OmbudsmanLine {
            case: case.to_owned(),
            theirs: theirs.map(str::to_owned),
            what: what.to_owned(),
            days_words: days.to_owned(),
            due: InList(day),
            is_late,
            has_date: true,
        };
    let (late, soon) = (date(2026, 11, 23), date(2026, 12, 2));
    vec![
        line(
            "NCC-2026-00398-4",
            Some("25 012 345"),
            "Contact 5: enquiry",
            "2 days late",
            late,
            true,
        ),
        line(
            "Ombudsman case 3",
            None,
            "Remedy 2: agreed, and not done yet",
            "in 5 days",
            soon,
            false,
        ),
        OmbudsmanLine {
            has_date: false,
            ..line(
                "NCC-2026-00386-2",
                None,
                "Remedy 4: agreed without a date, and not done yet",
                "decided 10 days ago",
                date(2026, 11, 11),
                false,
            )
        },
    ]
}

pub(super) fn overdue() -> Vec<Sample> {
    let mut worst = rows();
    worst.truncate(2);
    for row in &mut worst {
        row.with = Some("SEN, North".to_owned());
    }
    let head = OverdueDigest {
        greeting_name: Some("Hanna".to_owned()),
        area: "SEN".to_owned(),
        is_weekly: false,
        counts: OverdueCounts {
            open: 41,
            due_this_week: 6,
            overdue: 5,
            days_1_to_5: 1,
            days_6_to_10: 1,
            days_11_to_20: 1,
            over_20: 2,
        },
        oldest_words: "35 working days".to_owned(),
        change_words: Some("2 more than last week".to_owned()),
        managers: vec![
            ManagerRow {
                name: "SEN, North".to_owned(),
                overdue: 4,
                oldest_words: "35 days".to_owned(),
            },
            ManagerRow {
                name: "SEN, West".to_owned(),
                overdue: 1,
                oldest_words: "1 day".to_owned(),
            },
        ],
        worst,
        actions: None,
        would_help: None,
        from_ombudsman: from_ombudsman(),
        list_url: Some("https://complaints.northmere.example/a/EXAMPLE".to_owned()),
        contact: contact(),
        council: council(),
    };
    let weekly = OverdueDigest {
        is_weekly: true,
        greeting_name: None,
        actions: Actions::of(actions(), false),
        would_help: Some("A second person in SEN, North would clear the worst four.".to_owned()),
        from_ombudsman: Vec::new(),
        ..head.clone()
    };
    let bare = OverdueDigest {
        change_words: None,
        list_url: None,
        worst: Vec::new(),
        counts: OverdueCounts { over_20: 0, ..head.counts },
        ..weekly.clone()
    };
    vec![sample("head of service", &head), sample("weekly", &weekly), sample("bare", &bare)]
}

pub(super) fn notices() -> Vec<Sample> {
    let full = OfficerNotice {
        reference: "NCC-2026-00398-4".to_owned(),
        greeting_name: Some("Priya".to_owned()),
        act: "send or write".to_owned(),
        by: InFull(date(2026, 12, 4)),
        type_words: "Children Act complaint".to_owned(),
        stage_words: Some("stage 1".to_owned()),
        is_in: vec!["Front door answered on 24 November".to_owned()],
        is_missing: vec!["Children's social work: asked 2 times".to_owned()],
        case_url: Some("https://complaints.northmere.example/cases/NCC-2026-00398-4".to_owned()),
        draft_url: Some("https://complaints.northmere.example/outbox/311".to_owned()),
        council: council(),
    };
    let bare = OfficerNotice {
        greeting_name: None,
        act: "acknowledge by hand".to_owned(),
        stage_words: None,
        is_in: Vec::new(),
        is_missing: Vec::new(),
        case_url: None,
        draft_url: None,
        ..full.clone()
    };
    vec![sample("a draft is ready", &full), sample("nothing is in", &bare)]
}

pub(super) fn alerts() -> Vec<Sample> {
    let first = DutyAlert {
        message_number: Some(9127),
        reference: None,
        received: "2:05pm on Wednesday 25 November 2026".to_owned(),
        is_second_call: false,
        message_url: Some("https://complaints.northmere.example/triage/9127".to_owned()),
        council: council(),
    };
    let second = DutyAlert { is_second_call: true, message_url: None, ..first.clone() };
    let reference = Some("NCC-2026-00412-7".to_owned());
    let typed = DutyAlert { message_number: None, reference, message_url: None, ..first.clone() };
    let typed_again = DutyAlert { is_second_call: true, ..typed.clone() };
    vec![
        sample("the first call", &first),
        sample("the second call", &second),
        sample("to what was typed on the answer page", &typed),
        sample("the second call to that", &typed_again),
    ]
}

pub(super) fn codes() -> Vec<Sample> {
    let code = AnswerCode {
        code: "402817".to_owned(),
        minutes: 15,
        contact: contact(),
        council: council(),
    };
    vec![sample("a code", &code)]
}

pub(super) fn links() -> Vec<Sample> {
    let answer_url = "https://complaints.northmere.example/a/EXAMPLE".to_owned();
    vec![sample("a link", &AnswerLink { answer_url, contact: contact(), council: council() })]
}

pub(super) fn copies() -> Vec<Sample> {
    let words = |text: &str| vec![Private(text.to_owned())];
    let full = AnswerCopy {
        reference: "NCC-2026-00412-7".to_owned(),
        service: "SEN, North".to_owned(),
        by_name: Private("Lena Ford".to_owned()),
        given_at: "Wednesday 25 November 2026 at 2:05pm".to_owned(),
        is_withheld: false,
        points: vec![PointCopy {
            label: "Delayed service".to_owned(),
            finding: "upheld".to_owned(),
            why: words("The advice came three weeks late."),
        }],
        what: words("We have no other delay on file."),
        remedy: words("We send the plan."),
        remedy_by: Some(InFull(date(2026, 12, 4))),
        remedy_by_whom: Some(Private("Sam Hill".to_owned())),
        files: words("plan.pdf"),
        contact: contact(),
        council: council(),
    };
    let file = AnswerCopy {
        points: Vec::new(),
        what: Vec::new(),
        remedy: Vec::new(),
        remedy_by: None,
        remedy_by_whom: None,
        ..full.clone()
    };
    let bare =
        AnswerCopy { remedy_by: None, remedy_by_whom: None, files: Vec::new(), ..full.clone() };
    let withheld = AnswerCopy { is_withheld: true, files: Vec::new(), ..file.clone() };
    vec![
        sample("point by point", &full),
        sample("a file is all of it", &file),
        sample("no day and no file", &bare),
        sample("nothing of it by mail", &withheld),
    ]
}

pub(super) fn sent_back() -> Vec<Sample> {
    let page = SentBack {
        reference: "NCC-2026-00412-7".to_owned(),
        service: "SEN, North".to_owned(),
        type_words: "Corporate complaint".to_owned(),
        stage_words: Some("step 1".to_owned()),
        answer_by: Some(InFull(date(2026, 12, 11))),
        time_left: Some("in 12 working days".to_owned()),
        note: None,
        answer_url: Some("https://complaints.northmere.example/a/EXAMPLE".to_owned()),
        contact: contact(),
        council: council(),
    };
    let by_mail = SentBack {
        note: Some(Private("Please say when the plan went out.".to_owned())),
        answer_url: None,
        stage_words: None,
        ..page.clone()
    };
    let paused = SentBack { answer_by: None, time_left: None, ..page.clone() };
    vec![
        sample("read on its page", &page),
        sample("no page", &by_mail),
        sample("the clock stands still", &paused),
    ]
}

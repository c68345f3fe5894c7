//! Who should have been chased when: the ladder of domain 7.2, walked a day at a time over the events.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde_json::Value;

use super::days::{self, between, half_past_eight, is_working_day, plus};
use super::register::{Event, Register};

/// What should have gone out.
#[derive(Default)]
pub(crate) struct Expected {
    /// By request and rung: the day.
    pub(crate) rungs: BTreeMap<(i64, String), Date>,
    /// Who hears on which day.
    pub(crate) people: BTreeSet<(Date, String)>,
}

/// Working days that the customer is told, by type and stage (domain 3).
fn limit(record_type: &str, stage: i64) -> Option<i32> {
    match (record_type, stage) {
        ("children_act_complaint", 1) => Some(10),
        ("children_act_complaint", 2) => Some(25),
        ("corporate_complaint" | "member_enquiry" | "enquiry" | "representation", _) => Some(20),
        _ => None,
    }
}

/// A case as it stands at a moment, as far as chasing needs it.
struct Stands {
    record_type: String,
    stage: i64,
    started_on: Date,
    extended: Option<i32>,
    over: bool,
    /// Until when what was asked before is no longer waited for, and of which services alone since.
    ended_at: i64,
    services: Option<(i64, Vec<String>)>,
}

impl Stands {
    fn at(events: &[Event], moment: i64) -> Option<Self> {
        let text = |what: &Value, key: &str| what[key].as_str().unwrap().to_owned();
        let day = |what: &Value| {
            let at: jiff::Timestamp = what["at"].as_str().unwrap().parse().unwrap();
            days::london_day(at.as_millisecond())
        };
        let mut events = events.iter().take_while(|event| event.at <= moment);
        let first = &events.next()?.what;
        let mut stands = Self {
            record_type: text(first, "record_type"),
            stage: 1,
            started_on: day(first),
            extended: None,
            over: false,
            ended_at: i64::MIN,
            services: None,
        };
        for Event { at, what } in events {
            match what["kind"].as_str().unwrap() {
                "corrected" if what["field"] == "record_type" => {
                    stands.record_type = text(what, "after");
                }
                "corrected" if what["field"] == "services" => {
                    let after = text(what, "after");
                    stands.services = Some((*at, after.split(',').map(str::to_owned).collect()));
                }
                "clock_turned" => {
                    assert_eq!(what["turn"]["what"]["kind"], "extended", "no other in this year");
                    stands.extended =
                        what["turn"]["what"]["days"].as_i64().map(|n| i32::try_from(n).unwrap());
                }
                "stage_requested" => {
                    stands.stage = what["stage"].as_i64().unwrap();
                    stands.started_on = day(what);
                    (stands.extended, stands.over, stands.ended_at) = (None, false, *at);
                    stands.services = None;
                }
                "responded" | "closed" => stands.over = true,
                "reopened" | "withdrawn" | "rejected" | "merged" => {
                    panic!("not in this year: {what}")
                }
                _ => {}
            }
        }
        Some(stands)
    }

    fn due_on(&self) -> Option<Date> {
        let days = self.extended.or(limit(&self.record_type, self.stage))?;
        Some(plus(self.started_on, days))
    }
}

/// One step of the ladder on its day: order, id, day, roles.
type Step = (u32, String, Date, &'static [&'static str]);

fn steps(opened_on: Date, due_on: Date, short: bool, until: Date) -> Vec<Step> {
    let mut steps: Vec<Step> =
        vec![(1, "not_accepted".into(), plus(opened_on, 2), &["head_of_service"])];
    let draft = plus(due_on, -3);
    if draft > opened_on {
        let (half, soon) = if short { (-4, -2) } else { (-8, -3) };
        if between(opened_on, due_on) >= 45 {
            // Once a month, before the reminders begin.
            let (mut day, mut times) = (plus(opened_on, 20), 1);
            while day < plus(draft, half) {
                let id = if times == 1 { "progress".into() } else { format!("progress#{times}") };
                steps.push((1, id, day, &["responding_manager"]));
                (day, times) = (plus(day, 20), times + 1);
            }
        }
        steps.push((2, "halfway".into(), plus(draft, half), &["responding_manager"]));
        steps.push((3, "soon".into(), plus(draft, soon), &["responding_manager"]));
        steps.push((4, "draft_due".into(), draft, &["responding_manager", "head_of_service"]));
    }
    steps.push((5, "holding_check".into(), plus(due_on, -2), &["complaints_officer"]));
    steps.push((6, "overdue".into(), plus(due_on, 1), &["head_of_service", "complaints_officer"]));
    steps.push((
        7,
        "overdue_5".into(),
        plus(due_on, 5),
        &["divisional_director", "complaints_manager"],
    ));
    let (mut day, mut times) = (plus(due_on, 10), 1);
    while day <= until {
        let id = if times == 1 { "overdue_10".into() } else { format!("overdue_10#{times}") };
        steps.push((8, id, day, &["divisional_director"]));
        (day, times) = (plus(day, 5), times + 1);
    }
    steps.push((9, "overdue_20".into(), plus(due_on, 20), &["corporate_director"]));
    steps.retain(|(_, _, on, _)| *on >= opened_on);
    steps.sort_by_key(|(order, _, on, _)| (*on, *order));
    steps
}

/// A request's own story.
struct Open {
    id: i64,
    opened_on: Date,
    accepted: bool,
    responder: Option<String>,
}

fn open(
    request: &super::register::Request,
    events: &[Event],
    stands: &Stands,
    moment: i64,
) -> Option<Open> {
    if request.asked_at > moment || request.asked_at < stands.ended_at || stands.over {
        return None;
    }
    if let Some((since, services)) = &stands.services
        && request.asked_at < *since
        && !services.contains(&request.service)
    {
        return None;
    }
    let asked = days::london_day(request.asked_at);
    let opened_on = if is_working_day(asked) { asked } else { plus(asked, 1) };
    let mut found = Open { id: request.id, opened_on, accepted: false, responder: None };
    for Event { at, what } in events.iter().take_while(|event| event.at <= moment) {
        // Whom an officer named answers for the service in the next stages too, until another is named.
        if what["kind"] == "part_set" && what["part"]["service"] == *request.service {
            found.responder = what["part"]["responder"]["address"].as_str().map(str::to_owned);
        }
        if *at < request.asked_at || what["service"] != *request.service {
            continue;
        }
        match what["kind"].as_str().unwrap() {
            "service_accepted" => found.accepted = true,
            "service_answered" => return None,
            "service_replied" if what["says"] == "not_ours" => return None,
            _ => {}
        }
    }
    Some(found)
}

/// The addresses of the services' file, as it stands in the folder of rules.
struct Directory(toml::Table);

impl Directory {
    fn address(&self, service: &str, role: &str) -> String {
        let holder = if role.starts_with("complaints_") {
            &self.0["complaints_team"]
        } else {
            let all = self.0["service"].as_array().unwrap();
            all.iter().find(|one| one["id"].as_str() == Some(service)).unwrap()
        };
        holder[role]["address"].as_str().unwrap().to_owned()
    }
}

/// Walks the year.
pub(crate) fn climb(register: &Register, first: Date) -> Expected {
    let directory = Directory(include_str!("../../rules/services.toml").parse().unwrap());
    let last = days::london_day(register.letters.iter().map(|one| one.sent_at).max().unwrap());
    let mut expected = Expected::default();
    let mut sent: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    let mut day = first;
    while day <= last {
        if is_working_day(day) {
            let moment = half_past_eight(day);
            for request in &register.requests {
                let events = &register.events[&request.case_id];
                let Some(stands) = Stands::at(events, moment) else { continue };
                let Some(due_on) = stands.due_on() else { continue };
                let Some(open) = open(request, events, &stands, moment) else { continue };
                let short = between(stands.started_on, due_on) <= 10;
                let steps = steps(open.opened_on, due_on, short, day);
                let before = sent.entry(request.id).or_default();
                for (id, roles) in today(&steps, before, open.accepted, day) {
                    before.push(id.clone());
                    expected.rungs.insert((open.id, id), day);
                    for role in roles {
                        let named =
                            open.responder.clone().filter(|_| *role == "responding_manager");
                        let who =
                            named.unwrap_or_else(|| directory.address(&request.service, role));
                        expected.people.insert((day, who));
                    }
                }
            }
        }
        day = day.tomorrow().unwrap();
    }
    expected
}

/// What of a request goes out on a day: the steps whose day it is; where its dates moved and a step's day is gone,
/// the highest of those, unless a higher one went before. The corporate director hears on a week's first day.
fn today(
    steps: &[Step],
    before: &[String],
    accepted: bool,
    day: Date,
) -> Vec<(String, &'static [&'static str])> {
    let mut out = Vec::new();
    for weekly in [false, true] {
        if weekly && !days::is_first_of_week(day) {
            continue;
        }
        let group: Vec<&Step> =
            steps.iter().filter(|step| (step.1 == "overdue_20") == weekly).collect();
        let done = group.iter().rposition(|step| before.contains(&step.1)).map_or(0, |at| at + 1);
        let open: Vec<&&Step> = group[done..]
            .iter()
            .filter(|step| step.2 <= day && !(step.1 == "not_accepted" && accepted))
            .collect();
        let of_today: Vec<&&&Step> = open.iter().filter(|step| step.2 == day).collect();
        if of_today.is_empty() {
            out.extend(open.last().map(|step| (step.1.clone(), step.3)));
        } else {
            out.extend(of_today.into_iter().map(|step| (step.1.clone(), step.3)));
        }
    }
    out
}

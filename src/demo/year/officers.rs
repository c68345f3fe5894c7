//! The complaints team's afternoon, by the functions that the terminal and the API use.

use jiff::Timestamp;
use jiff::civil::Date;

use super::matter::{Chances, Reply};
use super::post::{Head, Mail};
use super::services::eleven;
use super::tally::Answered;
use super::{Case, Planned, Year};
use crate::casework::case::CaseField;
use crate::casework::vocabulary::RecordType;
use crate::clock::london_day;
use crate::officer::{self, Act, ActFault, Move};
use crate::store::{cases, survey, tasks};

/// Whose name the acts bear.
const OFFICER: &str = "josephine";
/// How many working days a case stays answered before it is closed.
const CLOSED_AFTER: u16 = 25;
/// How many working days a holding letter asks for.
const HOLDS: u16 = 10;

impl Year {
    /// A working day's work.
    pub(super) async fn office(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let today = london_day(now);
        for reference in std::mem::take(&mut self.fresh) {
            self.look_at(&reference, today).await?;
        }
        for task in tasks::open(&self.gateway.db).await? {
            self.see_to(&task, today).await?;
        }
        let due: Vec<Planned> = {
            let later = self.plans.split_off(&today.tomorrow()?);
            std::mem::replace(&mut self.plans, later).into_values().flatten().collect()
        };
        for planned in due {
            match planned {
                Planned::Telephone(reference, service) => {
                    self.act(&reference, Act::Answered { service }).await?;
                    self.respond(&reference, today).await?;
                }
                Planned::Respond(reference) => self.respond(&reference, today).await?,
                Planned::Close(reference) => {
                    let is_its_day = |case: &Case| case.answered && case.close_on == Some(today);
                    if self.cases.get(&reference).is_some_and(is_its_day) {
                        let because = "answered, and nothing further came".to_owned();
                        self.act(&reference, Act::Close { because }).await?;
                    }
                }
            }
        }
        self.hold(today).await
    }

    /// Reads a new case, and puts right what the rules made of it.
    async fn look_at(&mut self, reference: &str, today: Date) -> anyhow::Result<()> {
        let Some(case) = self.cases.get(reference).cloned() else { return Ok(()) };
        let Some(matter) = self.matters.get(case.matter).cloned() else { return Ok(()) };
        let opened = &case.opened;
        let mut changes = Vec::new();
        if opened.record_type != matter.record_type.id() {
            changes.push((CaseField::RecordType, matter.record_type.id().to_owned()));
        }
        if opened.lead_service != matter.service {
            changes.push((CaseField::Services, matter.service.to_owned()));
        }
        if opened.customer_type != matter.customer_type.id() {
            changes.push((CaseField::CustomerType, matter.customer_type.id().to_owned()));
        }
        self.tally.read(opened, &matter);
        if !changes.is_empty() {
            let because = "read by an officer".to_owned();
            self.act(reference, Act::Correct { changes, because }).await?;
        } else if opened.needs_officer {
            self.act(reference, Act::Confirm).await?;
        }
        let thanks = ["comment", "compliment"].contains(&opened.record_type.as_str());
        if (opened.flags.contains("safeguarding") || thanks) && case.respond_on.is_some() {
            // Nobody was asked before a person had read it.
            self.act(reference, Act::Ask { service: matter.service.to_owned() }).await?;
        }
        if matches!(matter.record_type, RecordType::Comment | RecordType::Compliment) {
            let because = "passed on".to_owned();
            self.act(reference, Act::Close { because }).await?;
        }
        if case.respond_on.is_some_and(|day| day <= today) {
            let later = self.working_day_after(today, 2)?;
            if let Some(case) = self.cases.get_mut(reference) {
                case.respond_on = Some(later);
            }
        }
        Ok(())
    }

    /// One task. What is nobody's turn yet stays.
    async fn see_to(&mut self, task: &tasks::TaskRow, today: Date) -> anyhow::Result<()> {
        let case = task.reference.as_ref().and_then(|reference| self.cases.get(reference)).cloned();
        let Some(case) = case else { return self.done(task).await };
        let reference = case.reference.clone();
        match task.kind.as_str() {
            "answer_in" => {
                if case.respond_on.is_some_and(|day| day <= today) {
                    self.respond(&reference, today).await?;
                }
            }
            "not_ours" => {
                let other = self.other_service(&case);
                let changes = vec![(CaseField::Services, other)];
                let because = "the service says that it is not theirs".to_owned();
                self.act(&reference, Act::Correct { changes, because }).await?;
                self.tally.not_ours += 1;
            }
            "more_time" => {
                self.tally.more_time += 1;
                if !self.extend(&case, today).await? {
                    self.done(task).await?;
                }
            }
            "away" => self.name_deputy(&case).await?,
            "acknowledge_by_hand" => {
                self.act(&reference, Act::Acknowledged { on: None }).await?;
            }
            "follow_up" => {
                if case.wants_next {
                    self.next_stage(&case, today).await?;
                }
                self.done(task).await?;
            }
            // Stage 2 of the Children Act: its answer is planned.
            "stage" => {}
            _ => self.done(task).await?,
        }
        Ok(())
    }

    async fn done(&mut self, task: &tasks::TaskRow) -> anyhow::Result<()> {
        officer::task_done(&self.gateway, task.id, OFFICER).await?;
        Ok(())
    }

    /// Another service of the same table of the report, as a service that declines has told.
    fn other_service(&self, case: &Case) -> String {
        let policy = self.gateway.policy();
        let all = policy.rules.services().all();
        let lead = self.matters.get(case.matter).map_or("", |matter| matter.service);
        let table = all.iter().find(|service| service.id == lead).map(|service| service.table);
        let mut others = all.iter().filter(|one| Some(one.table) == table && one.id != lead);
        others.next().map_or_else(|| lead.to_owned(), |service| service.id.clone())
    }

    async fn name_deputy(&mut self, case: &Case) -> anyhow::Result<()> {
        let policy = self.gateway.policy();
        let row = cases::find(&self.gateway.db, &case.reference).await?;
        let lead = row.map(|row| row.lead_service).unwrap_or_default();
        let service = policy.rules.services().all().iter().find(|service| service.id == lead);
        let Some(deputy) = service.and_then(|service| service.deputies.first()) else {
            return Ok(());
        };
        let responder = Some(format!("{} <{}>", deputy.name, deputy.address));
        let part = Act::Part {
            service: lead,
            points: None,
            due: None,
            by_the_customers_date: false,
            responder,
        };
        self.act(&case.reference, part).await?;
        Ok(())
    }

    /// Writes to the customer.
    async fn respond(&mut self, reference: &str, today: Date) -> anyhow::Result<()> {
        let Some(case) = self.cases.get(reference).cloned() else { return Ok(()) };
        if case.answered {
            return Ok(());
        }
        let note = "letter of today".to_owned();
        if !self.act(reference, Act::Respond { note }).await? {
            return Ok(());
        }
        let row = cases::find(&self.gateway.db, reference).await?;
        let Some(matter) = self.matters.get(case.matter).cloned() else { return Ok(()) };
        let day = |text: Option<String>| text.and_then(|text| text.parse::<Date>().ok());
        let (standard, target) =
            row.map_or((None, None), |row| (day(row.standard_due_on), day(row.target_on)));
        self.tally.answered.push(Answered {
            division: matter.division,
            record_type: matter.record_type,
            stage: case.stage,
            in_time: standard.is_none_or(|standard| today <= standard),
            in_target: target.is_none_or(|target| today <= target),
        });
        let mut random = matter.chances(Chances::NextStage);
        let again = case.stage == 1
            && random.chance(super::mix::asks_next(matter.record_type, matter.division));
        if let Some(letter) = case.acknowledgement.clone().filter(|_| again) {
            let on = self.working_day_after(today, random.between(4, 15))?;
            let at = eleven(on, matter.number);
            let head = Head {
                from: (&matter.people.name(), &letter.recipient),
                to: &letter.reply_to,
                subject: "RE: your answer",
                answers: Some(&letter.message_id),
                automatic: false,
            };
            let body = "I am not happy with your answer to my complaint. Please take it to the next stage.";
            self.arrives_later(at, Mail::plain(format!("n{}", matter.number), at, &head, body));
        }
        let close = self.working_day_after(today, CLOSED_AFTER)?;
        self.plan(close, Planned::Close(reference.to_owned()));
        if let Some(case) = self.cases.get_mut(reference) {
            case.answered = true;
            case.close_on = Some(close);
            case.wants_next = again;
        }
        Ok(())
    }

    async fn next_stage(&mut self, case: &Case, today: Date) -> anyhow::Result<()> {
        let next = Act::NextStage { received: None, because: None };
        if !self.act(&case.reference, next).await? {
            return Ok(());
        }
        let Some(matter) = self.matters.get(case.matter).cloned() else { return Ok(()) };
        let mut random = matter.chances(Chances::SecondAnswer);
        let after = super::mix::answer_after(matter.record_type, matter.division, 2, &mut random);
        let respond_on = after.map(|days| self.working_day_after(today, days)).transpose()?;
        self.tally.stage_2 += 1;
        if let Some(case) = self.cases.get_mut(&case.reference) {
            (case.stage, case.answered, case.wants_next) = (2, false, false);
            (case.respond_on, case.promised, case.reply) = (respond_on, None, Reply::Accepts(1));
        }
        // The investigators' answer comes on its day. They are given the 65 days at once, and the service is asked
        // for what it has to say.
        if let Some(day) =
            respond_on.filter(|_| matter.record_type == RecordType::ChildrenActComplaint)
        {
            self.plan(day, Planned::Respond(case.reference.clone()));
            self.extend(case, today).await?;
            self.act(&case.reference, Act::Ask { service: matter.service.to_owned() }).await?;
        }
        Ok(())
    }

    /// Gives an answer under the Children Act the longer time. False where there is none to give.
    async fn extend(&mut self, case: &Case, today: Date) -> anyhow::Result<bool> {
        let row = cases::find(&self.gateway.db, &case.reference).await?;
        let Some(row) = row.filter(|row| row.record_type == RecordType::ChildrenActComplaint.id())
        else {
            return Ok(false);
        };
        let Some(until) = row.standard_due_on.as_ref().and_then(|day| day.parse::<Date>().ok())
        else {
            return Ok(false);
        };
        if row.agreed_due_on == row.standard_due_on || until < today {
            return Ok(false);
        }
        // The customer first: what is promised is written before the clock is moved to it.
        if !self.write_holding(&case.reference, until).await? {
            return Ok(false);
        }
        let because = "it takes longer".to_owned();
        let wanted = Move::Extend { until, under: None };
        if self.act(&case.reference, Act::Turn { wanted, because }).await? {
            self.tally.extended += 1;
        }
        Ok(true)
    }

    /// Tells the customers whose day is today that there is no answer yet: before it has passed, never after.
    async fn hold(&mut self, today: Date) -> anyhow::Result<()> {
        let next = self.working_day_after(today, 1)?;
        for waiting in survey::unanswered_by(&self.gateway.db, next).await? {
            let Some(case) = self.cases.get(&waiting.reference).cloned() else { continue };
            let Ok(agreed) = waiting.agreed_due_on.parse::<Date>() else { continue };
            let promised = case.promised.map_or(agreed, |day| day.max(agreed));
            if promised < today || promised >= next || case.answered {
                continue;
            }
            if case.promised.is_none() && self.extend(&case, today).await? {
                continue;
            }
            let until = self.working_day_after(promised, HOLDS)?;
            self.write_holding(&waiting.reference, until).await?;
        }
        Ok(())
    }

    /// Writes that the answer will be late, in the place of what the gateway has drafted. False where the case does
    /// not allow it.
    async fn write_holding(&mut self, reference: &str, until: Date) -> anyhow::Result<bool> {
        let why = "The team still has to find some papers.".to_owned();
        if !self.act(reference, Act::HoldingLetter { until, why }).await? {
            return Ok(false);
        }
        if let Some(case) = self.cases.get_mut(reference) {
            case.promised = Some(until);
            case.held += 1;
        }
        Ok(true)
    }

    /// Does an act as the terminal would. False, and counted, where the case does not allow it.
    async fn act(&mut self, reference: &str, act: Act) -> anyhow::Result<bool> {
        match officer::act(&self.gateway, reference, OFFICER, None, act).await {
            Ok(_) => {
                self.tally.acts += 1;
                Ok(true)
            }
            Err(ActFault::Store(fault)) => Err(fault.into()),
            Err(refused) => {
                self.tally.refused(&refused.to_string(), reference);
                Ok(false)
            }
        }
    }
}

//! One message through all rules: which fire, on which words, with what weight, and what follows.

use std::collections::HashSet;

use super::decision::State;
use super::heard::{FACT, Grounds, Heard, Ranked, Ruled, SECOND_SERVICE, likeliest, together};
use super::label::Label;
use super::matcher::Hit;
use super::text::{Haystack, Place};
use super::{Classification, Evidence, Known, Rule, RuleSet, Second, Seen};
use crate::casework::vocabulary::{CustomerType, Flag, RecordType, ServiceId, Theme};
use crate::email::Email;
use crate::private::Private;

/// From this sum on, a theme, flag or fact holds.
const HOLDS_AT: f64 = 1.0;
/// The rule's name under which the second opinion speaks.
pub(super) const SECOND_OPINION: &str = "second-opinion";
/// Where the second opinion finds what it says: in the message as a whole.
const WHOLE: &str = "whole";
/// The same, where what it says is against what rules found.
const AGAINST: &str = "against";
/// The table of the annual report that counts social care.
const SOCIAL_CARE: u8 = 6;
/// With fewer words than this hardly anything was said, or it was said in a file, which nothing here opens.
const SAYS_LITTLE: usize = 8;
/// As sure as this a result is at most that rests on so little: it is the usual one, and an officer looks.
const LITTLE_SURE: f64 = 0.5;
/// What a sentence that rules something out still counts for a service.
const ASIDE: f64 = 0.1;
/// What each further sentence with a rule's words adds, for services and customers.
const AGAIN: f64 = 0.2;
/// How many further sentences count.
const AGAIN_AT_MOST: usize = 3;
/// A service beside the lead needs this share of the lead's sum, and [`SECOND_AT_LEAST`].
const SECOND_SHARE: f64 = 0.6;
/// See [`SECOND_SHARE`].
const SECOND_AT_LEAST: f64 = 12.0;
/// Own words shorter than this say little: what is quoted below then counts more.
const FEW_WORDS: usize = 300;
/// Longest words shown as evidence, in letters.
const SHOWN: usize = 80;
/// The opening of a message says what it is about.
const OPENING: usize = 300;

/// What was chosen by sums and chances, with how sure both are of it; and which choices of the rules it turned.
struct Chosen {
    overruled: Vec<(Label, f64)>,
    lead_sure: Option<f64>,
    customer_sure: Option<f64>,
    /// Too little was read to be sure of anything.
    says_little: bool,
}

/// What one rule found in a message.
struct Found<'a> {
    rule: &'a Rule,
    hit: &'a Hit,
    aside: bool,
    weight: f64,
}

/// A rule's words at one place, and what they count there.
struct Said<'a> {
    hit: &'a Hit,
    factor: f64,
    /// Beside a word that says that this is not the matter.
    aside: bool,
}

impl RuleSet {
    /// A place as evidence names it: as rules do.
    fn place(&self, place: Place) -> String {
        let Place::Form(number) = place else { return place.id().to_owned() };
        format!("form:{}", self.names.asked.get(number).map_or("", String::as_str))
    }

    pub(super) fn classify_email(
        &self,
        email: &Email,
        seen: &Seen,
        known: &Known,
    ) -> Classification {
        let haystack = &seen.haystack;
        let found = self.found(haystack, &seen.hits);
        let mut sums = vec![0.0; self.names.count()];
        for found in &found {
            if let Some(sum) = sums.get_mut(self.names.index(found.rule.label)) {
                *sum += found.weight;
            }
        }
        let by_rules = Ranked {
            services: self.ranked_services(&sums, known),
            customers: ranked_customers(self, &sums),
        };
        let heard = Heard { second: seen.second.as_ref(), by_rules: &by_rules };
        let (lead, lead_sure) = self.lead(&heard, known);
        let (customer, customer_sure) = heard.customer();
        let mut state = State {
            names: &self.names,
            services: &self.services,
            known,
            // A machine sends a form, but a person filled it in.
            automatic: email.kind.is_automatic() && !seen.haystack.by_form,
            by_form: seen.haystack.by_form,
            cites_case: !email.case_references.is_empty(),
            held: sums.iter().map(|sum| *sum >= HOLDS_AT).collect(),
            stands: vec![false; sums.len()],
            customer: customer.unwrap_or(CustomerType::Unknown),
            lead,
            record_type: None,
            customer_decided: None,
            lead_decided: None,
        };
        let taken = state.decide(&self.decisions);
        let mut evidence: Vec<Evidence> = found
            .iter()
            .map(|found| Evidence {
                label: self.names.text(found.rule.label),
                rule: found.rule.id.clone(),
                weight: rounded(found.weight),
                place: if found.aside { "aside".to_owned() } else { self.place(found.hit.place) },
                text: Private(shortened(haystack.quote(&found.hit.range))),
            })
            .collect();
        evidence.extend(taken.iter().filter_map(|row| self.decisions.get(*row)).flat_map(|row| {
            row.then.iter().filter_map(|effect| self.effect_text(*effect)).map(|label| Evidence {
                label,
                rule: row.id.clone(),
                weight: row.sure,
                place: "decision".to_owned(),
                text: Private(String::new()),
            })
        }));
        let chosen = Chosen {
            overruled: heard.overruled(lead, customer),
            lead_sure: state.lead_decided.or(lead_sure),
            customer_sure: state.customer_decided.or(customer_sure),
            says_little: says_little(haystack, email),
        };
        let fallback = best_record_type(self, &sums);
        self.conclude(&state, fallback, &heard, &chosen, evidence)
    }

    /// The service that leads: the rules' sums and the second opinion's chances together. What the
    /// register knows goes before both.
    fn lead(&self, heard: &Heard<'_>, known: &Known) -> (Option<usize>, Option<f64>) {
        let by_rules = &heard.by_rules.services;
        let ruled = by_rules.first().map(|(number, _)| *number);
        if known.sender_service.is_some() || !known.case_services.is_empty() {
            return (ruled, Some(FACT));
        }
        let Some(second) = heard.second else { return (ruled, None) };
        let worth = |number: usize| {
            let sum =
                by_rules.iter().find(|(other, _)| *other == number).map_or(0.0, |(_, sum)| *sum);
            let chance = second.service.get(number).copied().unwrap_or(0.0);
            together(sum, chance, SECOND_SERVICE)
        };
        likeliest((0..self.names.services.len()).map(|number| (number, worth(number))), |_| true)
            .unzip()
    }

    /// Each rule once per message, with what its words weigh where they stand.
    fn found<'a>(&'a self, haystack: &Haystack, hits: &'a [Hit]) -> Vec<Found<'a>> {
        let asides: HashSet<usize> = hits
            .iter()
            .filter(|hit| self.rules.get(hit.rule).is_some_and(|rule| rule.label == Label::Aside))
            .map(|hit| hit.sentence)
            .collect();
        let few_words = haystack.length_of(Place::Text) < FEW_WORDS;
        let said = hits.iter().filter_map(|hit| {
            let rule = self.rules.get(hit.rule)?;
            let aside = rule.label != Label::Aside && asides.contains(&hit.sentence);
            let depth = haystack.depth_of(hit.range.start);
            let factor = factor(rule.label, hit.place, depth, few_words)
                * if aside { aside_factor(rule.label) } else { 1.0 };
            Some(Said { hit, factor, aside })
        });
        let mut said: Vec<Said<'a>> = said.collect();
        said.sort_by_key(|said| said.hit.rule);
        let by_rule = said.chunk_by(|one, next| one.hit.rule == next.hit.rule);
        let mut found: Vec<Found<'a>> = by_rule.filter_map(|said| self.weigh(said)).collect();
        let label = |found: &Found<'_>| self.names.index(found.rule.label);
        found.sort_by(|a, b| label(a).cmp(&label(b)).then_with(|| a.rule.id.cmp(&b.rule.id)));
        found
    }

    /// One rule's weight in a message: its best place, and something for saying it again.
    fn weigh<'a>(&'a self, said: &[Said<'a>]) -> Option<Found<'a>> {
        let best =
            said.iter().reduce(|best, next| if next.factor > best.factor { next } else { best });
        let Said { hit, factor, aside } = best?;
        let rule = self.rules.get(hit.rule)?;
        let mut again = 0;
        if matches!(rule.label, Label::Service(_) | Label::Customer(_)) && !aside {
            let outright = said.iter().filter(|said| !said.aside);
            let sentences: HashSet<usize> = outright.map(|said| said.hit.sentence).collect();
            again = sentences.len().saturating_sub(1).min(AGAIN_AT_MOST);
        }
        let repeats = u8::try_from(again).map_or(0.0, f64::from);
        let weight = rule.weight * factor * (1.0 + AGAIN * repeats);
        Some(Found { rule, hit, aside: *aside, weight })
    }

    /// Services that speak for themselves, best first. What the register knows of a case or of a
    /// sender's own service goes before what words say (ruling 7: a follow-up keeps the service).
    fn ranked_services(&self, sums: &[f64], known: &Known) -> Vec<(usize, f64)> {
        let mut ranked: Vec<(usize, f64)> = (0..self.names.services.len())
            .map(|number| {
                (number, sums.get(self.names.index(Label::Service(number))).copied().unwrap_or(0.0))
            })
            .filter(|(_, sum)| *sum > 0.0)
            .collect();
        for service in known.sender_service.iter().chain(&known.case_services) {
            if let Some(number) = self.names.service(service) {
                ranked.retain(|(other, _)| *other != number);
                ranked.push((number, 50.0));
            }
        }
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked
    }

    fn conclude(
        &self,
        state: &State<'_>,
        fallback: Option<RecordType>,
        heard: &Heard<'_>,
        chosen: &Chosen,
        mut evidence: Vec<Evidence>,
    ) -> Classification {
        let by_rules = state
            .record_type
            .or(fallback.map(|record_type| (record_type, 0.4)))
            .unwrap_or((RecordType::Enquiry, 0.0));
        let lead = state.lead.and_then(|number| self.services.all().get(number));
        let social_care = lead.is_none_or(|service| service.table == SOCIAL_CARE);
        let danger =
            heard.flag(Flag::Safeguarding, ruled(state, Label::Flag(Flag::Safeguarding))).0;
        let (record_type, sure) = heard.record_type(by_rules, social_care, danger);
        let for_us = record_type != RecordType::NotForUs;
        let customer_type = match state.known.case_customer {
            Some(customer) if record_type == RecordType::FollowUp => customer,
            _ if !for_us && state.automatic => CustomerType::Unknown,
            _ => state.customer,
        };
        let mut themes: Vec<Theme> = Theme::ALL
            .iter()
            .copied()
            .filter(|theme| heard.theme(*theme, ruled(state, Label::Theme(*theme))).0)
            .collect();
        let flags = flags(state, heard, for_us);
        if matches!(
            record_type,
            RecordType::NotForUs | RecordType::ServiceResponse | RecordType::Compliment
        ) {
            themes.clear(); // ruling 16
        }
        let Ranked { services, customers } = heard.by_rules;
        let service_sure = chosen.lead_sure.unwrap_or_else(|| margin(services, state.lead));
        let customer_sure = chosen
            .customer_sure
            .filter(|_| customer_type == state.customer)
            .unwrap_or_else(|| margin(customers, Some(customer_type)));
        let chances = heard.chances(
            record_type,
            state.lead.filter(|_| for_us).unwrap_or(self.names.services.len()),
            customer_type,
        );
        let lead = state.lead.map(Label::Service);
        let labels = [
            Some(Label::RecordType(record_type)),
            lead.filter(|_| for_us),
            Some(Label::Customer(customer_type)),
        ];
        for (label, chance) in labels.into_iter().zip(chances.into_iter().flatten()) {
            let Some(label) = label.filter(|_| heard.second.is_some()) else { continue };
            evidence.push(self.second_opinion(label, chance, WHOLE));
        }
        evidence.extend(self.turned(state, heard, (&themes, &flags)));
        let ruled_out = (record_type != by_rules.0).then(|| {
            let chance = heard.second.and_then(|s| s.record_type.get(by_rules.0 as usize));
            (Label::RecordType(by_rules.0), chance.copied().unwrap_or(0.0))
        });
        evidence.extend(
            ruled_out
                .iter()
                .chain(&chosen.overruled)
                .map(|(label, chance)| self.second_opinion(*label, *chance, AGAINST)),
        );
        let services = if for_us {
            self.answering(state.lead, services, heard)
        } else {
            vec![ServiceId::none()]
        };
        evidence.extend(self.asked_besides(&services, heard));
        let grounds = Grounds {
            certainties: if for_us {
                [sure, service_sure, customer_sure]
            } else {
                [sure, 1.0, 1.0]
            },
            turned: !chosen.overruled.is_empty() || ruled_out.is_some(),
            several: services.len() > 1,
            decided: state.customer_decided.is_some(),
            second: chances.zip(heard.second.map(Second::next_best)).map(|(one, next)| [one, next]),
        };
        // A machine is known by its headers: the row says how surely.
        let by_headers = state.automatic && !for_us;
        let most = if chosen.says_little { LITTLE_SURE } else { 1.0 };
        let confidence = rounded(if by_headers { sure } else { grounds.worth().min(most) });
        let needs_officer = confidence < self.officer_below
            || ruled_out.is_some()
            || record_type == RecordType::Representation
            || flags.iter().any(|flag| is_for_an_officer(*flag, record_type));
        Classification {
            record_type,
            services,
            customer_type,
            themes,
            flags,
            confidence,
            needs_officer,
            evidence,
        }
    }

    /// Themes and flags that the second opinion found where no rule did, and those of the rules that it does not find:
    /// shown with how likely it holds them.
    fn turned(
        &self,
        state: &State<'_>,
        heard: &Heard<'_>,
        (themes, flags): (&[Theme], &[Flag]),
    ) -> Vec<Evidence> {
        let themes = Theme::ALL.iter().map(|theme| {
            let label = Label::Theme(*theme);
            (label, heard.theme(*theme, ruled(state, label)), themes.contains(theme))
        });
        let flags = Flag::ALL.iter().map(|flag| {
            let label = Label::Flag(*flag);
            (label, heard.flag(*flag, ruled(state, label)), flags.contains(flag))
        });
        let turned = themes.chain(flags).filter_map(|(label, (holds, chance), stays)| {
            let place = if holds { WHOLE } else { AGAINST };
            // Where the record type has no themes, nothing was turned.
            (holds == stays).then(|| Some(self.second_opinion(label, chance?, place))).flatten()
        });
        turned.collect()
    }

    /// What the second opinion says for or against a label.
    fn second_opinion(&self, label: Label, chance: f64, place: &str) -> Evidence {
        Evidence {
            label: self.names.text(label),
            rule: SECOND_OPINION.to_owned(),
            weight: rounded(chance),
            place: place.to_owned(),
            text: Private(String::new()),
        }
    }

    /// The lead service, and who else must answer (ruling 21): of whom the message speaks nearly as strongly, or,
    /// where there is a second opinion, whom both together find likely enough.
    fn answering(
        &self,
        lead: Option<usize>,
        ranked: &[(usize, f64)],
        heard: &Heard<'_>,
    ) -> Vec<ServiceId> {
        let Some(lead) = lead else { return vec![self.default_service()] };
        let sum = |number: usize| {
            ranked.iter().find(|(other, _)| *other == number).map_or(0.0, |(_, sum)| *sum)
        };
        let most = sum(lead);
        let needed = (most * SECOND_SHARE).max(SECOND_AT_LEAST);
        let others = (0..self.names.services.len()).filter(|number| *number != lead);
        let mut others: Vec<(usize, f64)> = others
            .filter_map(|number| {
                let sum = sum(number);
                let beyond = heard.answers_too(number, sum).unwrap_or(sum - needed);
                // Whom the rules would have had lead is asked, whatever leads instead.
                let beyond = if sum >= needed && sum >= most { beyond.max(0.0) } else { beyond };
                (beyond >= 0.0).then_some((number, beyond))
            })
            .collect();
        others.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        let others = others.into_iter().map(|(number, _)| number);
        let all = std::iter::once(lead).chain(others).take(3);
        all.map(|number| self.names.service_id(number)).collect()
    }

    /// How likely the second opinion finds it of each service beside the lead that it answers.
    fn asked_besides(&self, services: &[ServiceId], heard: &Heard<'_>) -> Vec<Evidence> {
        let others = services.iter().skip(1).filter_map(|id| {
            let number = self.names.service(id)?;
            let chance = heard.second?.answering.get(number)?;
            Some(self.second_opinion(Label::Service(number), *chance, WHOLE))
        });
        others.collect()
    }

    /// Who answers when nothing says what a message is about: the directorate's own desk.
    fn default_service(&self) -> ServiceId {
        let id = ServiceId("other_social_care".to_owned());
        if self.services.get(&id).is_some() { id } else { self.names.service_id(0) }
    }
}

/// Whether a person wrote next to nothing, or all but nothing beside a file.
fn says_little(haystack: &Haystack, email: &Email) -> bool {
    let words = |counts: fn(Place) -> bool| {
        let parts = haystack.folded_parts().filter(|(place, _)| counts(*place));
        parts.map(|(_, text)| text.split_whitespace().count()).sum::<usize>()
    };
    let letter = words(|place| matches!(place, Place::Text | Place::Forwarded | Place::Form(_)));
    let subject = words(|place| place == Place::Subject);
    let has_file = email.attachments.iter().any(|attachment| !attachment.inline);
    letter + if has_file { 0 } else { subject } < SAYS_LITTLE
}

/// The flags that hold. What is not for us keeps another body's matter alone (ruling 23); but what a person wrote of
/// danger only a person clears.
fn flags(state: &State<'_>, heard: &Heard<'_>, for_us: bool) -> Vec<Flag> {
    let stays = |flag: Flag| match flag {
        _ if for_us => true,
        Flag::OtherOrganisation => true,
        Flag::Safeguarding => !state.automatic,
        Flag::ChildAuthor
        | Flag::Representative
        | Flag::LegalProceedings
        | Flag::Over12Months
        | Flag::Anonymous
        | Flag::DataRequest
        | Flag::AdjustmentNeeded => false,
    };
    let holds = |flag: Flag| heard.flag(flag, ruled(state, Label::Flag(flag))).0;
    Flag::ALL.iter().copied().filter(|flag| stays(*flag) && holds(*flag)).collect()
}

/// What rules say of a theme or a flag.
fn ruled(state: &State<'_>, label: Label) -> Ruled {
    match (state.stands(label), state.holds(label)) {
        (true, _) => Ruled::Stands,
        (false, true) => Ruled::Found,
        (false, false) => Ruled::Not,
    }
}

/// What words weigh in a place. Only services weigh places; the rest either holds or does not.
fn factor(label: Label, place: Place, depth: usize, few_words: bool) -> f64 {
    if !matches!(label, Label::Service(_)) {
        return 1.0;
    }
    match place {
        Place::Subject => 1.5,
        Place::Text if depth < OPENING => 1.2,
        Place::Text | Place::Signature => 1.0,
        Place::From | Place::FromDomain => 1.2,
        Place::Forwarded => 0.9,
        Place::Quoted if few_words => 0.8,
        Place::Quoted => 0.3,
        Place::Attachment | Place::Form(_) => 0.5,
    }
}

fn aside_factor(label: Label) -> f64 {
    match label {
        Label::Service(_) => ASIDE,
        Label::Theme(_) => 0.0,
        Label::RecordType(_)
        | Label::Customer(_)
        | Label::Flag(_)
        | Label::Fact(_)
        | Label::Aside => 1.0,
    }
}

fn ranked_customers(rules: &RuleSet, sums: &[f64]) -> Vec<(CustomerType, f64)> {
    let sum = |label| sums.get(rules.names.index(label)).copied().unwrap_or(0.0);
    let mut ranked: Vec<(CustomerType, f64)> = CustomerType::ALL
        .iter()
        .map(|customer| (*customer, sum(Label::Customer(*customer))))
        .filter(|(_, sum)| *sum > 0.0)
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    ranked
}

fn best_record_type(rules: &RuleSet, sums: &[f64]) -> Option<RecordType> {
    let sum = |value: &RecordType| {
        sums.get(rules.names.index(Label::RecordType(*value))).copied().unwrap_or(0.0)
    };
    RecordType::ALL
        .iter()
        .copied()
        .filter(|value| sum(value) > 0.0)
        .max_by(|a, b| sum(a).total_cmp(&sum(b)))
}

/// How sure rules are of what was chosen, from its lead over the best other.
fn margin<T: PartialEq + Copy>(ranked: &[(T, f64)], chosen: Option<T>) -> f64 {
    let is_chosen = |(value, _): &&(T, f64)| Some(*value) == chosen;
    let best = ranked.iter().find(is_chosen).map_or(0.0, |(_, sum)| *sum);
    let second = ranked.iter().find(|one| !is_chosen(one)).map_or(0.0, |(_, sum)| *sum);
    if best <= 0.0 {
        return 0.3;
    }
    let strength = (best / 4.0).min(1.0);
    let lead = ((best - second) / best).max(0.0);
    0.5 + 0.25 * strength + 0.25 * (lead / 0.6).min(1.0)
}

/// Flags that make a classification a person's, whatever the rules think of it: harm, and a court
/// where that decides between a complaint and a representation (domain rule D21). Whether an old matter, a
/// nameless one or somebody else's is taken up, is asked in a task of its own: what it is does not hang
/// on that.
fn is_for_an_officer(flag: Flag, record_type: RecordType) -> bool {
    match flag {
        Flag::Safeguarding => true,
        Flag::LegalProceedings => record_type == RecordType::ChildrenActComplaint,
        Flag::Over12Months
        | Flag::Anonymous
        | Flag::ChildAuthor
        | Flag::Representative
        | Flag::OtherOrganisation
        | Flag::DataRequest
        | Flag::AdjustmentNeeded => false,
    }
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// On one line, and not longer than is shown.
fn shortened(text: &str) -> String {
    let mut short = String::with_capacity(text.len().min(SHOWN * 4));
    for word in text.split_whitespace() {
        if !short.is_empty() {
            short.push(' ');
        }
        short.push_str(word);
        if short.len() > SHOWN * 4 {
            break;
        }
    }
    if short.len() <= SHOWN || short.chars().count() <= SHOWN {
        return short;
    }
    short.chars().take(SHOWN - 1).chain(['…']).collect()
}

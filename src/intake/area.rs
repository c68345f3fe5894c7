//! For which of its areas a service is asked, as the customer's message says.

use crate::casework::case::Event;
use crate::casework::vocabulary::{CustomerType, ServiceId};
use crate::email::Email;
use crate::policy::Policy;
use crate::store::tasks::NewTask;

/// The kind of task by which an officer chooses an area.
pub(crate) const TASK: &str = "area";

/// What was read of a service's area.
pub(crate) struct Chosen<'p> {
    /// Which; none where the message names several.
    pub(crate) area: Option<&'p str>,
    /// The same as the case's history keeps it.
    pub(crate) event: Event,
}

/// Reads off a message which area of a service it speaks of; none where it names none.
pub(crate) fn choose<'p>(
    policy: &'p Policy,
    id: &ServiceId,
    email: &Email,
    customer: CustomerType,
) -> Option<Chosen<'p>> {
    let services = policy.rules.services();
    let service = services.get(id)?;
    let found = services.area_of(service, email)?;
    let mut ids = service.areas.iter().map(|area| area.id.as_str());
    let area = ids.find(|id| found.area.as_deref() == Some(*id));
    // Whoever writes for others gives their own office's address.
    let is_sure = found.is_sure && customer != CustomerType::OtherCustomer;
    let event = Event::AreaSet {
        service: id.clone(),
        area: area.map(str::to_owned),
        is_sure,
        words: found.words,
        because: None,
    };
    Some(Chosen { area, event })
}

/// What is left to an officer where a message names several areas.
pub(crate) fn doubt(case: i64, service: &ServiceId) -> NewTask<'static> {
    let words = format!(
        "the message names several areas of {service}, and the service's own contacts are asked: choose one with \
         `case area`, or say --none"
    );
    NewTask { kind: TASK, case_id: Some(case), words: words.into(), ..NewTask::default() }
}

//! For which area a service answers, where it answers by area.

use serde::{Deserialize, Serialize};

use super::{Case, Event, Refusal};
use crate::casework::vocabulary::{ServiceId, vocabulary};
use crate::private::Private;

vocabulary! {
    /// What words that name an area are worth.
    AreaFrom {
        /// They stand in the form, where it asks for the home.
        Home = "home", "their home, in the form";
        /// They stand below the writer's name.
        Signature = "signature", "below their name";
        /// They stand somewhere in what was written.
        Text = "text", "in what they wrote";
        /// They stand beside a school, a firm or an office.
        Elsewhere = "elsewhere", "beside a school, a firm or an office";
        /// They are a place's name.
        District = "district", "a place's name";
    }
}

/// Words of a message that name an area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AreaWords {
    /// Which area.
    pub area: String,
    /// The postcode, or the place.
    pub words: Private<String>,
    /// Where they stand.
    pub from: AreaFrom,
}

/// For which area a service answers a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AreaOf {
    /// The service.
    pub service: ServiceId,
    /// Which of its areas; none where its own contacts answer.
    pub area: Option<String>,
    /// Whether that is sure: an officer said so, or the customer gave it as their home.
    pub is_sure: bool,
    /// The words that named it, or each of several.
    pub words: Vec<AreaWords>,
}

impl Case {
    /// What was said of a service's area; none where nothing was.
    pub fn area_said(&self, service: &ServiceId) -> Option<&AreaOf> {
        self.areas.iter().find(|one| one.service == *service)
    }

    /// The area for which a service answers; none where its own contacts do.
    pub fn area(&self, service: &ServiceId) -> Option<&str> {
        self.area_said(service)?.area.as_deref()
    }

    /// Takes what was said of an area; nothing of any other event.
    pub(super) fn take_area(&mut self, event: &Event) {
        let Event::AreaSet { service, area, is_sure, words, .. } = event else { return };
        self.areas.retain(|known| known.service != *service);
        self.areas.push(AreaOf {
            service: service.clone(),
            area: area.clone(),
            is_sure: *is_sure,
            words: words.clone(),
        });
    }

    /// For which area a service answers, as an officer says; none for the service's own contacts.
    ///
    /// # Errors
    /// [`Refusal`] unless the case is open, if the service does not answer it, or that was said already.
    pub fn set_area(
        &self,
        service: &ServiceId,
        area: Option<String>,
        because: &str,
    ) -> Result<Event, Refusal> {
        self.must_be_open("be given to an area")?;
        if !self.services.contains(service) {
            let why = format!("{service} does not answer this case");
            let instead = format!("name one of {}", self.value(super::CaseField::Services));
            return Err(Refusal::new(why, instead));
        }
        let said = self.area_said(service);
        if said.is_some_and(|one| one.is_sure && one.area == area) {
            let why = format!("that is the area of {service} already");
            return Err(Refusal::new(why, "name another"));
        }
        Ok(Event::AreaSet {
            service: service.clone(),
            area,
            is_sure: true,
            words: Vec::new(),
            because: Some(because.to_owned().into()),
        })
    }
}

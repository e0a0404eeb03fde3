//! Manage Licenses: every license with its state, its end and its *Auto Reported License* toggle.

use askama::Template;
use tenure_core::{
    Points, Timestamp, UsageType,
    reporting::{AutomaticReporting, Enrollment, ToggleRefusal},
    validity::LicenseState,
};

use super::{Choice, Part, Said, Section};
use crate::filters;

/// The list.
#[derive(Template)]
#[template(path = "licenses.html")]
pub struct Licenses {
    /// What was just done.
    pub said: Said,
    /// The rows of this page.
    pub rows: Vec<LicenseRow>,
    /// The list is narrowed, so that no row does not mean no license.
    pub is_filtered: bool,
    /// The filters.
    pub filters: Vec<Filter>,
    /// The state that is shown, as the address names it.
    pub state: &'static str,
    /// What else the list can be narrowed to.
    pub narrow: Vec<Select>,
    /// One of those is chosen.
    pub is_narrowed: bool,
    /// Whether automatic reporting is active for the provider.
    pub enrollment: Enrollment,
    /// Days of full function after a license's end.
    pub grace_days: u32,
    /// The viewer may create, assign and switch.
    pub may_manage: bool,
    /// The provider is suspended: nothing is created, assigned or switched.
    pub suspended: bool,
    /// The address of this page of the list.
    pub here: String,
    /// Address of the next page; empty on the last.
    pub next: String,
}

/// A filter with its choices; the first is any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Select {
    /// Its name in the address.
    pub name: &'static str,
    /// What is read.
    pub label: &'static str,
    /// The choices.
    pub choices: Vec<Choice>,
}

/// One choice of the filter by state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// What is read.
    pub label: &'static str,
    /// The address that shows it.
    pub href: String,
    /// Whether it is shown.
    pub is_current: bool,
}

/// One license, or a template that is not assigned.
#[derive(Debug, Clone, PartialEq)]
pub struct LicenseRow {
    /// Where it is shown.
    pub href: String,
    /// What a box sends that switches it; empty when the viewer cannot switch it.
    pub key: String,
    /// Product and edition.
    pub product: String,
    /// The provider's own words for it; may be empty.
    pub description: String,
    /// Who holds it.
    pub holder: Holder,
    /// Who may be served with it.
    pub usage_type: UsageType,
    /// Points of the key.
    pub points: Points,
    /// Its state; none for a template.
    pub state: Option<LicenseState>,
    /// The end of validity; none for a template.
    pub expires: Option<Timestamp>,
    /// The month that is missing between reported ones, and so keeps it from ending later.
    pub missing: Option<String>,
    /// Active installations.
    pub installations: u32,
    /// The toggle; none for a template.
    pub toggle: Option<Toggle>,
}

/// Who holds a license.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A company.
    Company(String),
    /// The provider itself.
    Own,
    /// Nobody: it is a template.
    Nobody,
}

/// The *Auto Reported License* toggle of one license.
#[derive(Template, Debug, Clone, PartialEq, Eq)]
#[template(path = "toggle.html")]
pub struct Toggle {
    /// Where it is sent.
    pub action: String,
    /// The page to come back to.
    pub back: String,
    /// What it switches, for who cannot see the row.
    pub of: String,
    /// The state.
    pub state: AutomaticReporting,
    /// Why it cannot be set.
    pub refusal: Option<ToggleRefusal>,
    /// The product can report at all.
    pub product_reports: bool,
    /// The installations a switch waits for.
    pub waiting_for: Vec<WaitingServer>,
    /// The viewer's role may set it.
    pub may: bool,
}

/// A server that has not shown its new license yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingServer {
    /// Its name.
    pub name: String,
    /// Its automatic update is on; otherwise somebody has to press *Update now* there.
    pub updates_itself: bool,
}

impl Toggle {
    /// On, or on its way there.
    pub(crate) fn is_on(&self) -> bool {
        self.state.extends()
    }
    /// The viewer may set it the other way.
    pub(crate) fn can_be_set(&self) -> bool {
        let fixed = matches!(self.state, AutomaticReporting::AlwaysOn | AutomaticReporting::AlwaysOff);
        let can_report = self.product_reports || self.is_on();
        self.may
            && !fixed
            && can_report
            && (self.refusal.is_none() || self.is_on() && self.refusal != Some(ToggleRefusal::Suspended))
    }
}

impl Licenses {
    /// How many can be switched.
    fn switchable(&self) -> usize {
        self.rows.iter().filter(|row| !row.key.is_empty()).count()
    }
}

impl Part for Licenses {
    fn title(&self) -> String {
        "Manage Licenses".to_owned()
    }
    fn section(&self) -> Section {
        Section::Licenses
    }
}

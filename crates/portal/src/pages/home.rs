//! A provider's *Home*: what must be done, by when, what happens otherwise; what will end; what the running month comes to.

use askama::Template;
use tenure_core::{Period, Points, Timestamp, cycle::UsageState, validity::LicenseState};

use super::{Part, Said, Section, actions::Action};
use crate::{filters, format::Deadline};

/// The page.
#[derive(Template)]
#[template(path = "home.html")]
pub struct Home {
    /// What was just done.
    pub said: Said,
    /// What waits, most urgent first.
    pub actions: Vec<Action>,
    /// When the next month opens.
    pub next: Deadline,
    /// The month that opens then.
    pub next_period: Period,
    /// The provider rents nothing yet.
    pub without_licenses: bool,
    /// Licenses that are over, or end within 30 days, nearest end first.
    pub ending: Vec<EndingRow>,
    /// There are more of them than are shown.
    pub more_ending: bool,
    /// The running month; none without an agreement, and for who sees one site.
    pub forecast: Option<ForecastCard>,
}

/// A license that ends.
#[derive(Debug, Clone, PartialEq)]
pub struct EndingRow {
    /// Where it is shown.
    pub href: String,
    /// Product and edition.
    pub product: String,
    /// Who holds it.
    pub company: String,
    /// Its state.
    pub state: LicenseState,
    /// Its end.
    pub expires: Timestamp,
    /// Why it ends then.
    pub because: String,
}

/// What the running month comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForecastCard {
    /// The month.
    pub period: Period,
    /// Points so far.
    pub reported: Points,
    /// Minimum commit.
    pub commit: Points,
    /// What is missing to it.
    pub enforcement: Points,
    /// What lies above the limit.
    pub overage: Points,
    /// Against the newest month under review; none without one.
    pub change: Option<Points>,
    /// Installations that sent weekly figures.
    pub seen: u32,
    /// Installations that have not yet.
    pub unseen: u32,
}

impl Home {
    fn overdue(&self) -> usize {
        self.actions.iter().filter(|row| row.is_late).count()
    }
}

impl Part for Home {
    fn title(&self) -> String {
        "Home".to_owned()
    }
    fn section(&self) -> Section {
        Section::Home
    }
}

//! Monthly Usages > All months: what was and what is owed, newest first.

use askama::Template;
use tenure_core::{Period, Points, Timestamp, cycle::UsageState};

use super::{Part, Said, Section};
use crate::filters;

/// All months of a provider, or of all providers of a distributor.
#[derive(Template)]
#[template(path = "months.html")]
pub struct Months {
    /// What was just done.
    pub said: Said,
    /// Newest first.
    pub rows: Vec<MonthRow>,
    /// Whether rows name their provider.
    pub of_many: bool,
    /// Address of the next page; empty on the last.
    pub next: String,
}

/// One month.
#[derive(Debug, Clone, PartialEq)]
pub struct MonthRow {
    /// The month.
    pub period: Period,
    /// Whose it is.
    pub provider: String,
    /// Where it is shown.
    pub href: String,
    /// Its state.
    pub state: UsageState,
    /// Past its deadline and not submitted.
    pub is_late: bool,
    /// Reported and total points as submitted, and when; none before.
    pub submitted: Option<(Points, Points, Timestamp)>,
    /// When it was closed.
    pub closed: Option<Timestamp>,
}

impl Part for Months {
    fn title(&self) -> String {
        "All months".to_owned()
    }
    fn section(&self) -> Section {
        Section::Months
    }
}

//! Monthly Usages > My Actions: what waits for a provider's people, most urgent first.

use askama::Template;
use tenure_core::{Period, Points, Timestamp, cycle::UsageState};

use super::{Crumb, Part, Said, Section};
use crate::{filters, format::Deadline};

/// The provider's inbox.
#[derive(Template)]
#[template(path = "actions.html")]
pub struct Actions {
    /// What was just done.
    pub said: Said,
    /// One row per month, most urgent first.
    pub rows: Vec<Action>,
    /// When the next month opens, for a day on which nothing waits.
    pub next_opens: Timestamp,
    /// The month that opens then.
    pub next_period: Period,
    /// The provider has no license yet, so nothing can ever wait.
    pub without_licenses: bool,
}

/// One month that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// The month.
    pub period: Period,
    /// Where it is reviewed.
    pub href: String,
    /// Its state.
    pub state: UsageState,
    /// Submit it by then.
    pub deadline: Deadline,
    /// Installations that were expected.
    pub expected: u32,
    /// Installations accounted for.
    pub accounted: u32,
    /// Answers that are needed before it can be submitted.
    pub answers: u32,
    /// Lines that carry a flag.
    pub flagged: u32,
    /// Reported points so far.
    pub reported: Points,
    /// Against the month before; none for the first.
    pub change: Option<Points>,
    /// Why the distributor sent it back; empty otherwise.
    pub reason: String,
}

impl Actions {
    fn overdue(&self) -> usize {
        self.rows.iter().filter(|row| row.deadline.is_over()).count()
    }
}

impl Part for Actions {
    fn title(&self) -> String {
        "My Actions".to_owned()
    }
    fn section(&self) -> Section {
        Section::Actions
    }
    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Monthly Usages", "/months")]
    }
}

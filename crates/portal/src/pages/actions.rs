//! Monthly Usages > My Actions: what waits for a provider's people, most urgent first.

use askama::Template;
use tenure_core::{Period, Points, Timestamp, cycle::UsageState};

use super::{Crumb, Part, Said, Section, problem::Refusal};
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
    /// The site whose part is meant; empty for the whole.
    pub site: String,
    /// Where it is reviewed.
    pub href: String,
    /// Its state.
    pub state: UsageState,
    /// It counts as late.
    pub is_late: bool,
    /// Do it by then.
    pub deadline: Deadline,
    /// What is to be done.
    pub what: String,
    /// What happens otherwise.
    pub otherwise: String,
    /// Installations that were expected.
    pub expected: u32,
    /// Installations whose figures are there.
    pub accounted: u32,
    /// Answers that are needed before it can go on.
    pub answers: u32,
    /// Flagged licenses.
    pub flagged: u32,
    /// Reported points so far.
    pub reported: Points,
    /// Against the month before; none where that was not submitted.
    pub change: Option<Points>,
    /// What the box sends, where nothing is missing or flagged and the viewer may submit: the month, and the lines that are
    /// meant. Empty otherwise.
    pub ticket: String,
}

impl Action {
    /// Nothing stands in the way of submitting it, and nothing asks for a look.
    pub fn is_clean(&self) -> bool {
        !self.ticket.is_empty()
    }
}

/// The last look before several months are submitted.
#[derive(Template)]
#[template(path = "submit_many.html")]
pub struct SubmitMany {
    /// Why the last try was refused.
    pub problem: Option<Refusal>,
    /// The months.
    pub rows: Vec<SubmitRow>,
}

/// One of several months to submit.
#[derive(Debug, Clone, PartialEq)]
pub struct SubmitRow {
    /// The month.
    pub period: Period,
    /// Where it is reviewed.
    pub href: String,
    /// Who decides on it.
    pub distributor: String,
    /// The number of the rental agreement.
    pub agreement: String,
    /// Reported points.
    pub reported: Points,
    /// Reported points and enforcement.
    pub total: Points,
    /// What the form sends.
    pub ticket: String,
}

impl SubmitMany {
    fn total(&self) -> Points {
        self.rows.iter().map(|row| row.total).sum()
    }
}

impl Part for SubmitMany {
    fn title(&self) -> String {
        "Submit".to_owned()
    }
    fn section(&self) -> Section {
        Section::Actions
    }
    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Monthly Usages", "/months"), Crumb::new("My Actions", "/actions")]
    }
}

impl Actions {
    fn overdue(&self) -> usize {
        self.rows.iter().filter(|row| row.is_late).count()
    }
    fn clean(&self) -> usize {
        self.rows.iter().filter(|row| row.is_clean()).count()
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

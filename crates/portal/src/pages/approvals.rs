//! Monthly Usages > My Actions of a distributor: submitted months, what is flagged first.

use askama::Template;
use tenure_core::{Period, Points, Timestamp};

use super::{Crumb, Part, Said, Section};
use crate::{filters, format::Deadline};

/// The distributor's queue.
#[derive(Template)]
#[template(path = "approvals.html")]
pub struct Approvals {
    /// What was just done.
    pub said: Said,
    /// Months with flags, nearest deadline first.
    pub flagged: Vec<Approval>,
    /// Months with nothing flagged, nearest deadline first.
    pub clean: Vec<Approval>,
    /// Providers that have not submitted yet, although their deadline is over.
    pub late: Vec<LateProvider>,
    /// The viewer may approve.
    pub may_decide: bool,
}

/// One submitted month.
#[derive(Debug, Clone, PartialEq)]
pub struct Approval {
    /// The month.
    pub period: Period,
    /// Whose it is.
    pub provider: String,
    /// Where it is reviewed.
    pub href: String,
    /// When it was submitted.
    pub submitted: Timestamp,
    /// Decide by then.
    pub deadline: Deadline,
    /// Reported points.
    pub reported: Points,
    /// Reported points and enforcement.
    pub total: Points,
    /// Flagged licenses.
    pub flagged: u32,
    /// Against the month before as submitted; none in the first.
    pub change: Option<Points>,
    /// The vendor has to consent first.
    pub needs_consent: bool,
    /// Two people approve it: how far that is.
    pub two: Two,
    /// What the box sends: the month and the lines that are meant.
    pub ticket: String,
}

/// How many people approve a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Two {
    /// One is enough.
    No,
    /// Two, and nobody has.
    Both,
    /// Two, and another than the viewer has.
    Second,
    /// Two, and the viewer has: somebody else closes it.
    Others,
}

/// A provider that is late.
#[derive(Debug, Clone, PartialEq)]
pub struct LateProvider {
    /// Its name.
    pub provider: String,
    /// The month it has not submitted.
    pub period: Period,
    /// Where it is shown.
    pub href: String,
    /// When it was due.
    pub due: Timestamp,
}

impl Approvals {
    fn waiting(&self) -> usize {
        self.flagged.len() + self.clean.len()
    }
    /// The nearest deadline of the queue.
    fn nearest(&self) -> Option<&Deadline> {
        self.flagged.iter().chain(&self.clean).map(|row| &row.deadline).min_by_key(|deadline| deadline.at)
    }
}

/// The last look before several months are approved.
#[derive(Template)]
#[template(path = "approve_many.html")]
pub struct ApproveMany {
    /// The months that were chosen and still wait.
    pub rows: Vec<ApproveRow>,
    /// Months that were chosen and are decided by now.
    pub decided: usize,
}

/// One of several months to approve.
#[derive(Debug, Clone, PartialEq)]
pub struct ApproveRow {
    /// The month, with the lines that are meant.
    pub month: Approval,
    /// Its lines are no longer those that were seen: approving them will be refused.
    pub changed: bool,
}

impl ApproveMany {
    fn total(&self) -> Points {
        self.rows.iter().map(|row| row.month.total).sum()
    }
}

/// What became of each of several months.
#[derive(Template)]
#[template(path = "approved_many.html")]
pub struct ApprovedMany {
    /// Those that were not approved first.
    pub rows: Vec<ApprovedRow>,
}

/// What became of one of them.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovedRow {
    /// Whose month.
    pub provider: String,
    /// Which.
    pub period: Period,
    /// Where it is shown.
    pub href: String,
    /// Its total as it was seen.
    pub total: Points,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a month that was to be approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Approved and closed.
    Closed,
    /// The approval is recorded, and another one is needed.
    Waits,
    /// Refused, with why.
    Refused(String),
}

impl ApprovedMany {
    fn closed(&self) -> usize {
        self.rows.iter().filter(|row| row.outcome == Outcome::Closed).count()
    }
    fn refused(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row.outcome, Outcome::Refused(_))).count()
    }
}

impl Part for ApproveMany {
    fn title(&self) -> String {
        "Approve".to_owned()
    }
    fn section(&self) -> Section {
        Section::Actions
    }
    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Monthly Usages", "/months"), Crumb::new("My Actions", "/actions")]
    }
}

impl Part for ApprovedMany {
    fn title(&self) -> String {
        "Approved".to_owned()
    }
    fn section(&self) -> Section {
        Section::Actions
    }
    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Monthly Usages", "/months"), Crumb::new("My Actions", "/actions")]
    }
}

impl Part for Approvals {
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

//! What stands behind a month's figures: the workloads of one server with why each counted, and who did what when.

use askama::Template;
use tenure_core::{Period, Timestamp};

use super::{Crumb, Part, Section, licenses::Filter};
use crate::{filters, format};

/// The workloads behind one server's figures.
#[derive(Template)]
#[template(path = "evidence.html")]
pub struct Evidence {
    /// The month.
    pub period: Period,
    /// The address of its review.
    pub review: String,
    /// The server.
    pub server: String,
    /// The revision of the report that named the rows.
    pub revision: u32,
    /// When that arrived.
    pub received: Timestamp,
    /// Rows that the report named; none when the program asks for no workload detail.
    pub named: Option<i64>,
    /// Rows that arrived.
    pub arrived: i64,
    /// All of them arrived, and they are those that the report named.
    pub is_whole: bool,
    /// Merkle root of the rows, hexadecimal; empty without rows.
    pub root: String,
    /// Within how many days before a day's end a workload must have been protected to count on it.
    pub window_days: u32,
    /// How many rows count or not, as filters.
    pub reasons: Vec<Filter>,
    /// The rows of this page.
    pub rows: Vec<EvidenceRow>,
    /// Address of the next page; empty on the last.
    pub next: String,
}

/// One workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceRow {
    /// Its id as the product told it, which may be hashed.
    pub id: String,
    /// Whom it belongs to; may be empty.
    pub company: String,
    /// What it is counted as.
    pub unit: String,
    /// First protected.
    pub first: Timestamp,
    /// Last protected.
    pub last: Timestamp,
    /// Whether it counts, and why, in words.
    pub why: String,
    /// It counts.
    pub counts: bool,
}

/// Who did what to a month.
#[derive(Template)]
#[template(path = "timeline.html")]
pub struct Timeline {
    /// The month.
    pub period: Period,
    /// Whose it is.
    pub provider: String,
    /// The address of its review.
    pub review: String,
    /// Oldest first.
    pub rows: Vec<TimelineRow>,
    /// Address of the next page; empty on the last.
    pub next: String,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineRow {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What, in a sentence.
    pub text: String,
}

fn crumbs(period: Period, review: &str) -> Vec<Crumb> {
    vec![Crumb::new("Monthly Usages", "/months"), Crumb::new(format::month(period), review)]
}

impl Part for Evidence {
    fn title(&self) -> String {
        format!("Evidence of {}", self.server)
    }
    fn section(&self) -> Section {
        Section::Months
    }
    fn crumbs(&self) -> Vec<Crumb> {
        crumbs(self.period, &self.review)
    }
}

impl Part for Timeline {
    fn title(&self) -> String {
        "Timeline".to_owned()
    }
    fn section(&self) -> Section {
        Section::Months
    }
    fn crumbs(&self) -> Vec<Crumb> {
        crumbs(self.period, &self.review)
    }
}

//! What a company's viewer sees: its own licenses, and what was used.

use askama::Template;
use tenure_core::{Period, Timestamp, validity::LicenseState};

use super::{Choice, Part, Section};
use crate::filters;

/// The viewer's own company.
#[derive(Template)]
#[template(path = "own_company.html")]
pub struct OwnCompany {
    /// Its name.
    pub company: String,
    /// The provider's name.
    pub provider: String,
    /// Its licenses, newest first.
    pub licenses: Vec<OwnLicense>,
    /// Months to choose from, newest first.
    pub months: Vec<Choice>,
    /// The month that is shown; none before the first.
    pub usage: Option<OwnUsage>,
}

/// A license.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnLicense {
    /// Product and edition.
    pub product: String,
    /// What it licenses: count and what is counted.
    pub workloads: Vec<(i64, String)>,
    /// Its state.
    pub state: LicenseState,
    /// The end of validity.
    pub expires: Timestamp,
    /// Active installations.
    pub installations: u32,
}

/// What was used in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnUsage {
    /// The month.
    pub period: Period,
    /// The figures stay.
    pub is_closed: bool,
    /// The lines.
    pub lines: Vec<OwnLine>,
}

/// A line of usage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnLine {
    /// Product and edition.
    pub product: String,
    /// The server's host name; empty without one.
    pub server: String,
    /// What is counted.
    pub unit: String,
    /// Licensed units.
    pub licensed: Option<i64>,
    /// Used units; none while nothing is known.
    pub count: Option<i64>,
    /// Of workloads that are new and do not count yet.
    pub new: i64,
    /// The earlier month that it corrects.
    pub of: Option<Period>,
    /// Where the figure comes from, in words.
    pub source: &'static str,
}

impl Part for OwnCompany {
    fn title(&self) -> String {
        self.company.clone()
    }
    fn section(&self) -> Section {
        Section::OwnCompany
    }
}

//! Automatic reporting: a provider asks, the vendor decides.

use askama::Template;
use tenure_core::{Timestamp, reporting::Enrollment};

use super::{Part, Said, Section};
use crate::filters;

/// A provider's page: what automatic reporting is, what it needs, and where the request stands.
#[derive(Template)]
#[template(path = "reporting.html")]
pub struct Reporting {
    /// What was just done.
    pub said: Said,
    /// Where the request stands.
    pub enrollment: Enrollment,
    /// When that changed last.
    pub changed: Option<Timestamp>,
    /// Who decides.
    pub vendor: String,
    /// How much reports by itself, in words.
    pub coverage: String,
    /// Assigned licenses.
    pub licenses: u32,
    /// Licenses with automatic reporting turned on, as their list is narrowed to.
    pub on: u32,
    /// Of those, the ones whose servers have not all shown it yet.
    pub switching: u32,
    /// Licenses whose usage is submitted by hand.
    pub by_hand: u32,
    /// Of those, the ones that can never report by themselves.
    pub never: u32,
    /// The viewer may ask.
    pub may_request: bool,
}

impl Part for Reporting {
    fn title(&self) -> String {
        "Automatic reporting".to_owned()
    }
    fn section(&self) -> Section {
        Section::Reporting
    }
}

/// The vendor's list of requests.
#[derive(Template)]
#[template(path = "enrollments.html")]
pub struct Enrollments {
    /// What was just done.
    pub said: Said,
    /// Open requests, oldest first.
    pub open: Vec<EnrollmentRow>,
    /// The viewer may decide.
    pub may_decide: bool,
}

/// One provider's request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrollmentRow {
    /// The provider, as the form sends it.
    pub id: String,
    /// Its name.
    pub provider: String,
    /// When it asked.
    pub asked: Timestamp,
}

impl Part for Enrollments {
    fn title(&self) -> String {
        "Automatic reporting".to_owned()
    }
    fn section(&self) -> Section {
        Section::Reporting
    }
}

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
    /// Licenses that report automatically.
    pub on: usize,
    /// Licenses that are switching.
    pub switching: usize,
    /// Licenses whose usage is submitted by hand.
    pub by_hand: usize,
    /// There are more licenses than were counted.
    pub and_more: bool,
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

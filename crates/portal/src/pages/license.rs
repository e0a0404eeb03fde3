//! One license: what it is worth, until when, why, and where it runs.

use askama::Template;
use tenure_core::{
    Period, Points, Timestamp, UsageType,
    validity::{LicenseState, MonthMark},
};

use super::{
    Choice, Crumb, Part, Said, Section,
    licenses::{Holder, Toggle},
    problem::Refusal,
};
use crate::filters;

/// The page of one license or template.
#[derive(Template)]
#[template(path = "license.html")]
pub struct License {
    /// What was just done.
    pub said: Said,
    /// The address of this page.
    pub base: String,
    /// Its id.
    pub id: String,
    /// Product and edition.
    pub product: String,
    /// The provider's own words for it; may be empty.
    pub description: String,
    /// Who holds it.
    pub holder: Holder,
    /// Who may be served with it.
    pub usage_type: UsageType,
    /// The number of the rental agreement.
    pub agreement: String,
    /// Workloads with their points.
    pub workloads: Vec<WorkloadRow>,
    /// Points of the key, rounded up.
    pub points: Points,
    /// Its life; none for a template.
    pub life: Option<Life>,
    /// The toggle; none for a template.
    pub toggle: Option<Toggle>,
    /// Installations, active ones first.
    pub installations: Vec<InstallationRow>,
    /// The shadow month that is ahead or runs, in words; empty without one.
    pub shadow: String,
    /// Active installations.
    pub active: u32,
    /// Servers that wait for approval.
    pub applicants: u32,
    /// Makes a copy that is sent twice one.
    pub idempotency_key: String,
    /// What the viewer may do.
    pub may: LicenseMay,
}

/// What the viewer may do with a license.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LicenseMay {
    /// Give the template to a company.
    pub assign: bool,
    /// Download the key file.
    pub download: bool,
    /// See the tokens of a fleet, and who waits.
    pub enroll: bool,
    /// Make a template like it.
    pub copy: bool,
    /// Ask its servers to fetch the newest license.
    pub update: bool,
    /// Take it back from who holds it.
    pub revoke: bool,
    /// Delete it with its template.
    pub delete: bool,
    /// Collect the products' figures for a month beside the manual ones.
    pub shadow: bool,
    /// Take the shadow month back.
    pub take_shadow_back: bool,
}

/// The validity of an assigned license.
#[derive(Debug, Clone, PartialEq)]
pub struct Life {
    /// The state now.
    pub state: LicenseState,
    /// The end of validity.
    pub expires: Timestamp,
    /// When grace ends.
    pub restricted: Timestamp,
    /// Since when it is assigned.
    pub assigned: Timestamp,
    /// Why it ends then.
    pub because: Because,
    /// The last twelve months with what became of each, the running one last; empty when reports do not extend it.
    pub months: Vec<(Period, MonthMark)>,
}

/// Why a license ends when it ends ("Validity").
#[derive(Debug, Clone, PartialEq)]
pub enum Because {
    /// A person chose the date, or it was kept when automatic reporting went off.
    Chosen {
        /// The agreement ends first.
        cut_by_agreement: bool,
    },
    /// From the anchor and the reported months.
    Reported {
        /// What validity is counted from.
        anchor: Timestamp,
        /// Contiguous reported months from the anchor's on.
        count: u32,
        /// The last of them.
        through: Option<Period>,
        /// The month that brings the next extension.
        next: Period,
        /// The month that is missing between reported ones.
        gap: Option<Period>,
        /// The agreement ends before the earned validity would.
        cut_by_agreement: bool,
    },
    /// The license was taken back.
    Ended {
        /// When.
        at: Timestamp,
    },
}

/// A workload of a license.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadRow {
    /// The unit.
    pub unit: String,
    /// Licensed units.
    pub count: i64,
    /// Points per unit now.
    pub weight: String,
    /// Points.
    pub points: Points,
}

/// An installation of a license.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationRow {
    /// Its id, as the download's form sends it.
    pub id: String,
    /// Where it is shown.
    pub href: String,
    /// Its name.
    pub name: String,
    /// Product version.
    pub version: String,
    /// When it activated.
    pub activated: Timestamp,
    /// When it last checked in.
    pub seen: Option<Timestamp>,
    /// How it stands.
    pub status: InstallationStatus,
    /// Its automatic update is on.
    pub updates_itself: bool,
    /// The serial of the license it shows.
    pub serial: u64,
    /// The newest serial issued to it.
    pub newest_serial: u64,
    /// Whether they are the same, epoch included.
    pub shows_newest: bool,
}

/// How an installation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallationStatus {
    /// It works.
    Active,
    /// Active, but silent for longer than a check-in takes.
    Silent,
    /// Two machines act as one.
    Clone,
    /// Taken out of use.
    Retired,
}

impl Part for License {
    fn title(&self) -> String {
        self.product.clone()
    }
    fn section(&self) -> Section {
        Section::Licenses
    }
    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Manage Licenses", "/licenses")]
    }
}

/// Giving a template to a company.
#[derive(Template)]
#[template(path = "assign.html")]
pub struct Assign {
    /// Why the last try was refused.
    pub problem: Option<Refusal>,
    /// The template's page.
    pub base: String,
    /// Product and edition.
    pub product: String,
    /// The companies.
    pub companies: Vec<Choice>,
    /// The first end of validity when assigned now; none when it carries an explicit date.
    pub first_expiry: Option<Timestamp>,
}

impl Part for Assign {
    fn title(&self) -> String {
        format!("Assign {}", self.product)
    }
    fn section(&self) -> Section {
        Section::Licenses
    }
    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Manage Licenses", "/licenses"), Crumb::new(self.product.clone(), self.base.clone())]
    }
}

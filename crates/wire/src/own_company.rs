//! What a company's viewer sees.

use serde::{Deserialize, Serialize};
use tenure_core::{CompanyId, LicenseId, Period, Timestamp, UserId};
use utoipa::ToSchema;

use crate::{LicenseState, UsageState};

/// A viewer to add to a company. The password is made here and shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewViewer {
    /// E-mail address; people sign in with it.
    pub email: String,
    /// Display name.
    pub name: String,
}

/// A company's viewers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Viewers {
    /// In the order they were added, at most 200.
    pub items: Vec<Viewer>,
}

/// Somebody who sees one company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Viewer {
    /// Stable id.
    #[schema(value_type = String)]
    pub id: UserId,
    /// Display name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Since when it may not sign in; absent while it may.
    #[schema(value_type = Option<String>)]
    pub deactivated_at: Option<Timestamp>,
}

/// The caller's own company, with its licenses. Points and prices are the provider's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnCompany {
    /// Stable id.
    #[schema(value_type = String)]
    pub id: CompanyId,
    /// Display name.
    pub name: String,
    /// The provider's name.
    pub provider: String,
    /// Its licenses, newest first.
    pub licenses: Vec<OwnLicense>,
    /// Months whose usage can be looked at, newest first.
    pub months: Vec<OwnMonth>,
}

/// A license of the caller's company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnLicense {
    /// Stable id.
    #[schema(value_type = String)]
    pub license: LicenseId,
    /// Product and edition.
    pub product: String,
    /// Its state.
    #[schema(inline)]
    pub state: LicenseState,
    /// Until when it is valid.
    #[schema(value_type = String)]
    pub expires_at: Timestamp,
    /// Servers that activated it and are not retired.
    pub installations: u32,
    /// What it licenses.
    pub workloads: Vec<OwnWorkload>,
}

/// A licensed count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnWorkload {
    /// What is counted.
    pub name: String,
    /// Licensed units.
    pub count: u32,
}

/// A month whose usage can be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnMonth {
    /// The month.
    #[schema(value_type = String, example = "2026-01")]
    pub period: Period,
    /// Where the provider's month stands.
    #[schema(inline)]
    pub state: UsageState,
}

/// What the caller's company used in a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnUsage {
    /// The month.
    #[schema(value_type = String, example = "2026-01")]
    pub period: Period,
    /// It is closed: the figures stay.
    pub closed: bool,
    /// A line for each server and what is counted there, and for what was entered by hand.
    pub lines: Vec<OwnLine>,
}

/// A line of the caller's company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnLine {
    /// Product and edition.
    pub product: String,
    /// Host name of the server; empty without one.
    pub server: String,
    /// What is counted.
    pub workload: String,
    /// Licensed units.
    pub licensed: Option<u32>,
    /// Units used; a correction's may be negative.
    pub count: i64,
    /// Of workloads first seen in this month, which do not count yet.
    pub new: u32,
    /// The earlier month that a correction is about.
    #[schema(value_type = Option<String>)]
    pub of: Option<Period>,
    /// Where the figure comes from, as `automatic`, `manual` or `awaited`.
    pub source: String,
}

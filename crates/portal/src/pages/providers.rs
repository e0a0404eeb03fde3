//! Providers and their agreements, as a distributor sees them.

use askama::Template;
use tenure_core::{AgreementKind, Period, Points, Timestamp, cycle::UsageState};

use super::{Part, Section};
use crate::filters;

/// The list.
#[derive(Template)]
#[template(path = "providers.html")]
pub struct Providers {
    /// The newest month that is open, of which states are shown.
    pub period: Period,
    /// One row per agreement.
    pub rows: Vec<AgreementRow>,
    /// Address of the next page; empty on the last.
    pub next: String,
}

/// An agreement and where its provider stands.
#[derive(Debug, Clone, PartialEq)]
pub struct AgreementRow {
    /// The provider's name.
    pub provider: String,
    /// The agreement's number.
    pub number: String,
    /// Its kind.
    pub kind: AgreementKind,
    /// Minimum points per month.
    pub commit: Points,
    /// Points limit.
    pub limit: Option<Points>,
    /// When it was signed.
    pub signed: Timestamp,
    /// When it ends, or ended early.
    pub ends: Timestamp,
    /// It ended early.
    pub is_terminated: bool,
    /// It is over.
    pub is_over: bool,
    /// The purchase order.
    pub purchase_order: String,
    /// The state of the month; none before the provider's first.
    pub state: Option<UsageState>,
    /// That month is late.
    pub is_late: bool,
    /// Where the month is shown; empty before the first.
    pub href: String,
}

impl Part for Providers {
    fn title(&self) -> String {
        "Providers".to_owned()
    }
    fn section(&self) -> Section {
        Section::Providers
    }
}

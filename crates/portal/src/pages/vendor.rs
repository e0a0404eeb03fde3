//! The vendor's home: requests to decide, the newest due month, the providers.

use askama::Template;
use tenure_core::{Period, Points, cycle::UsageState};

use super::{Part, Said, Section};
use crate::{filters, format::Deadline};

/// The vendor's home.
#[derive(Template)]
#[template(path = "vendor.html")]
pub struct VendorHome {
    /// What was just done.
    pub said: Said,
    /// Open requests for automatic reporting.
    pub requests: usize,
    /// The newest month that is open.
    pub period: Period,
    /// When the first provider that has not submitted must have; none when all have.
    pub deadline: Option<Deadline>,
    /// There are more providers than are shown.
    pub more: bool,
    /// The providers.
    pub providers: Vec<ProviderRow>,
}

/// One provider.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderRow {
    /// Its name.
    pub name: String,
    /// Its distributor.
    pub distributor: String,
    /// The number of its rental agreement.
    pub agreement: String,
    /// The state of the newest open month; none before its first.
    pub state: Option<UsageState>,
    /// That month is late.
    pub is_late: bool,
    /// Its total points as submitted; none before.
    pub total: Option<Points>,
    /// Where that month is shown; empty before the first.
    pub href: String,
    /// It asks for automatic reporting.
    pub asks_for_reporting: bool,
}

impl VendorHome {
    fn count(&self, state: UsageState) -> usize {
        self.providers.iter().filter(|row| row.state == Some(state)).count()
    }
    fn not_submitted(&self) -> usize {
        self.providers.iter().filter(|row| row.state.is_some_and(|state| !state.is_submitted())).count()
    }
    fn late(&self) -> usize {
        self.providers.iter().filter(|row| row.is_late).count()
    }
}

impl Part for VendorHome {
    fn title(&self) -> String {
        "Home".to_owned()
    }
    fn section(&self) -> Section {
        Section::Vendor
    }
}

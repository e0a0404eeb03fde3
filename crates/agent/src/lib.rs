//! The product side of Tenure.

pub mod collect;
pub mod config;
pub mod control;
pub mod daemon;
mod documents;
mod error;
mod glance;
pub mod host;
pub mod http;
pub mod journal;
mod keeper;
mod ledger;
pub mod license_file;
mod record;
mod state;
pub mod system;
pub mod transport;
mod view;

pub use documents::Subject;
pub use error::AgentError;
pub use glance::{Glance, clock_for};
pub use keeper::{Activation, CheckIn, LicenseKeeper, Next, Parts, Settings};
pub use tenure_core::overuse::Coverage;
pub use view::{MonthUsage, ReportStatus, ReportView, Standing, Status, UsageLine};

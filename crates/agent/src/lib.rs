//! The product side of Tenure.

pub mod collect;
pub mod config;
mod documents;
mod error;
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
pub use keeper::{Activation, CheckIn, LicenseKeeper, Next, Parts, ReportView, Settings};
pub use tenure_core::overuse::Coverage;
pub use view::{MonthUsage, ReportStatus, Standing, Status, UsageLine};

//! The program's rules as pure functions and state machines.
//!
//! No I/O, no async, no clock of its own: whatever depends on time or chance takes it as an argument, or through the
//! [`Clock`] and [`Rng`] traits that the outermost layer implements. Every number that a vendor may choose lives in
//! [`policy::Policy`]; the rules themselves come from the program description, named section by section.

mod ambient;
mod id;
mod kinds;
mod points;
mod time;

pub mod adjust;
pub mod agreement;
pub mod arrival;
pub mod assignment;
pub mod chain;
pub mod company;
pub mod continuity;
pub mod correction;
pub mod counting;
pub mod cycle;
pub mod deadline;
pub mod deviation;
pub mod enroll;
pub mod expected;
pub mod forecast;
pub mod health;
pub mod key_life;
pub mod line;
pub mod month;
pub mod obligation;
pub mod overuse;
pub mod policy;
pub mod product_clock;
pub mod reported;
pub mod reporting;
pub mod revision;
pub mod roles;
pub mod server_clock;
pub mod suspension;
pub mod totals;
pub mod update;
pub mod validity;

pub use ambient::{Boot, BootId, Clock, Rng};
pub use id::*;
pub use kinds::{AgreementKind, ExtensionTrigger, LicenseSerial, Stage, UsageType, WorkloadDetail};
pub use points::{ParsePointsError, Points, Weight};
pub use policy::Policy;
pub use time::{Day, ParseTimeError, Period, Timestamp, Week};

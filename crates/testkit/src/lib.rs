//! The whole application for tests: a fresh database, a clock the test moves, seeded chance, installations that sign.
//!
//! Only tests use this crate. Nothing in it stands in for a real part except time and chance.

mod ambient;
mod app;
mod authenticator;
pub mod http;
mod market;
mod product;
mod wait;

pub use ambient::{MockClock, SeededRng};
pub use app::{Answer, Recorded, TestApp, from};
pub use authenticator::Authenticator;
pub use market::{AGREEMENT_END, Market};
pub use product::{TestInstallation, request_file};
pub use wait::{wait_for, wait_for_async};

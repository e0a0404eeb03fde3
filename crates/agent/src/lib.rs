//! The product side of Tenure: keeps one installation's license, counts what was used, reports it, survives everything.
//!
//! A product embeds a [`LicenseKeeper`] and calls it from one thread; the daemon of `tenure agent run` ([`daemon`]) does
//! the same for products that do not. The keeper never waits: [`LicenseKeeper::tick`] does what is due and says when to
//! come back.
//!
//! ```
//! # use std::{path::Path, sync::Arc};
//! # use tenure_core::{OrgId, DeploymentId, Rng};
//! # use tenure_license::{KeyRole, Named, RootKey, SigningKey, TrustRoot, sign};
//! use tenure_agent::{Activation, Coverage, LicenseKeeper, config::Config, system::{SystemClock, SystemRng}};
//!
//! # fn example(dir: &Path, code: &str) -> Result<(), tenure_agent::AgentError> {
//! let config = Config::load(dir)?; // agent.toml: product, servers, trust root, collectors
//! let mut keeper = LicenseKeeper::open(&config, Arc::new(SystemClock::new()?), Arc::new(SystemRng))?;
//! if let Activation::NotReached { sentence } = keeper.activate(code)? {
//!     eprintln!("not activated yet: {sentence}"); // kept, and tried again by `tick`
//! }
//! let next = keeper.tick()?; // checks in, counts and reports, whatever is due
//! let may_protect = keeper.allows("vm", "", "vm-0017") != Coverage::Unlicensed;
//! let status = keeper.status();
//! println!("{}: {} Protect: {may_protect}. Again in {:?}.", status.state, status.sentence, next.pause);
//! # assert!(!may_protect && status.state == "NotActivated" && status.last_error.is_some());
//! # Ok(())
//! # }
//! # fn main() {
//! #     let (dir, key) = (tempfile::tempdir().unwrap(), SigningKey::generate(&SystemRng));
//! #     let listed = |role| {
//! #         let key = SigningKey::generate(&SystemRng).public();
//! #         RootKey { key, alg: "ed25519".into(), role, from: 0, until: 1 << 40, revoked: None }
//! #     };
//! #     let root = RootKey { key: key.public(), ..listed(KeyRole::Root) };
//! #     let vendor = Named { id: OrgId::from_uuid(uuid::Uuid::nil()), name: "Vendor".into() };
//! #     let root = TrustRoot {
//! #         v: 1, aud: DeploymentId::from_uuid(uuid::Uuid::nil()), version: 1, vendor, issued_at: 1, renew_by: 1 << 40,
//! #         keys: vec![root, listed(KeyRole::License), listed(KeyRole::Receipt)], root_threshold: 1,
//! #         continuity_threshold: 1, epoch_floor: 1, revoked_continuity: vec![], test_clock: false, crit: vec![],
//! #     };
//! #     let mut config = Config::new(dir.path(), "backup-server");
//! #     config.servers = vec!["http://127.0.0.1:1".into()];
//! #     config.save(&sign(&root, &[&key]).into_envelope()).unwrap();
//! #     example(dir.path(), &tenure_license::ActivationCode::generate(&SystemRng).to_string()).unwrap();
//! # }
//! ```
//!
//! What is where: [`journal`] is the durable memory, [`collect`] tells which workloads were protected, [`transport`] is
//! the way to the server and [`http`] the real one over what [`network`] allows, [`control`] the commands of people; with the
//! feature `page`, the daemon also serves them a page of its own. Simulations and tests bring their
//! own parts through [`Parts`]: [`journal::MemoryJournal`], a [`transport::Transport`], [`collect::Collector`]s, a clock.

pub mod collect;
pub mod config;
pub mod control;
pub mod daemon;
pub mod doctor;
mod documents;
mod error;
mod glance;
pub mod host;
pub mod http;
pub mod journal;
mod keeper;
mod ledger;
pub mod license_file;
pub mod metrics;
pub mod nagios;
pub mod network;
#[cfg(feature = "page")]
pub mod page;
mod record;
mod state;
pub mod system;
pub mod transport;
mod view;

pub use error::AgentError;
pub use glance::{Glance, clock_for};
pub use keeper::{Activation, CheckIn, Imported, KeyRotation, LicenseKeeper, Next, Parts, RequestFile, Settings};
pub use state::LogWitness;
pub use tenure_core::overuse::Coverage;
pub use view::{
    HeldReport, LastSent, MonthUsage, Receipt, ReportStatus, ReportView, Standing, Status, TrustRootStatus, UsageLine,
};

//! The use cases, a file each: authorize, decide with `core`, write row, audit entry and outbox message in one
//! transaction.
//!
//! A use case is an async function `verb_noun(&Service, &Actor, input) -> Result<output, Error>`. Doors call one of them
//! and map the answer; nothing else in the project decides what may happen.

mod activation;
mod actor;
mod check_in;
mod context;
mod error;
mod keyring;
pub mod operation;
mod problem;
mod setup;

pub use activation::activate_installation;
pub use actor::{Actor, ActorKind};
pub use check_in::{CheckInReply, Ingest, check_in, newest_root, root_version};
pub use context::{Deployment, Service, ServiceParts};
pub use error::{Error, Result};
pub use keyring::{Keyring, OnlineKey, SealingKey, SealingKeyError};
pub use problem::{Problem, ProblemKind};
pub use setup::{Init, InitPlan, Initialized, OfflineKey, OpenError, commit_init, open_service, prepare_init};

//! The use cases, a file each: authorize, decide with `core`, write row, audit entry and outbox message in one
//! transaction.
//!
//! A use case is an async function `verb_noun(&Service, &Actor, input) -> Result<output, Error>`. Doors call one of them
//! and map the answer; nothing else in the project decides what may happen.

mod actor;
mod context;
mod error;
mod keyring;
pub mod operation;
mod problem;

pub use actor::{Actor, ActorKind};
pub use context::{Deployment, Service, ServiceParts};
pub use error::{Error, Result};
pub use keyring::{Keyring, OnlineKey, SealingKey, SealingKeyError};
pub use problem::{Problem, ProblemKind};

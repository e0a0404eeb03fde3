//! The only SQL: one statement text for both engines, a file per aggregate, migrations, group-committed writes.
//!
//! [`Store::read`] gives a snapshot, [`Store::write`] runs a use case in a transaction that is durable when its answer
//! arrives. Aggregates live in [`rows`], a file each: row types, `statements!`, and functions that take [`&mut Conn`]
//! (asking; both handles dereference to it) or [`&mut Tx`] (changing).
//!
//! [`&mut Conn`]: Conn
//! [`&mut Tx`]: Tx

pub mod audit;
mod batch;
mod conn;
mod error;
pub mod idempotency;
pub mod jobs;
pub mod meta;
pub mod outbox;
pub mod registry;
mod row;
pub mod rows;
mod statement;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod tx;
mod value;
mod writer;

pub use audit::AuditEntry;
pub use batch::{BatchOptions, Batcher};
pub use conn::{Conn, Read};
pub use error::StoreError;
pub use outbox::Message;
pub use row::{Column, Row};
pub use statement::Statement;
pub use store::{Engine, Options, Store};
pub use tx::Tx;
pub use value::{Param, Val, hex, json_rows};
pub use writer::{Queue, Stats};

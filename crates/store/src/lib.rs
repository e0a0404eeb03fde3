//! The only SQL: one statement text for both engines, a file per aggregate, migrations, group-committed writes.
//!
//! - [`Store::read`] gives a snapshot, [`Store::peek`] single reads, [`Store::write`] runs a use case in a transaction that
//!   is durable when its answer arrives, [`Store::batcher`] runs one use case over many waiting messages.
//! - Statements are declared by `statements!` and thereby in the [`registry`], whose every member a test prepares on both
//!   engines. Parameters are `$1`, `$2`, …, given by [`params!`]; results are read by column name from a [`Row`].
//! - [`audit`], [`outbox`], [`jobs`] and [`idempotency`] live in the transaction of the change they belong to.
//!
//! # An aggregate
//!
//! A file of [`rows`] holds its row type, its statements and the functions that run them; its name in the list of
//! `rows/mod.rs` declares and registers it. What only asks takes [`&mut Conn`](Conn), to which snapshot and transaction
//! both dereference; what changes takes [`&mut Tx`](Tx).
//!
//! ```ignore
//! //! End customers of a provider.
//!
//! use tenure_core::{CompanyId, OrgId, Timestamp};
//!
//! use crate::{Conn, Row, StoreError, Tx, json_rows, params, statement::statements};
//!
//! statements! {
//!     FIND = "SELECT id, provider, name, made_us FROM company WHERE provider = $1 AND id = $2";
//!     /// The name is unique within the provider: a second row of that name affects nothing.
//!     INSERT = "INSERT INTO company (id, provider, name, made_us) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
//!     RENAME = "UPDATE company SET name = $3 WHERE provider = $1 AND id = $2";
//!     /// One statement for the whole batch.
//!     ADD_MANY = "INSERT INTO company (id, provider, name, made_us) SELECT unhex(value->>'id', '-'), $1, value->>'name', $2 \
//!         FROM json_each($3)",
//!         pg "INSERT INTO company (id, provider, name, made_us) SELECT id, $1, name, $2 \
//!         FROM json_to_recordset($3::json) AS x(id uuid, name text)";
//! }
//!
//! /// A company.
//! pub struct Company { .. }
//!
//! impl Company {
//!     fn read(row: &Row) -> Result<Self, StoreError> {
//!         Ok(Self { id: row.id("id")?, provider: row.id("provider")?, name: row.text("name")?, made: row.timestamp("made_us")? })
//!     }
//! }
//!
//! /// A provider's company; `None` when it is not one of its own.
//! pub async fn find(conn: &mut Conn, provider: OrgId, id: CompanyId) -> Result<Option<Company>, StoreError> {
//!     conn.fetch_optional(&FIND, params![provider, id]).await?.as_ref().map(Company::read).transpose()
//! }
//!
//! /// Adds a company; `false` when the provider has one of that name.
//! pub async fn insert(tx: &mut Tx, company: &Company) -> Result<bool, StoreError> {
//!     let parameters = params![company.id, company.provider, &company.name, company.made];
//!     Ok(tx.execute(&INSERT, parameters).await? == 1)
//! }
//!
//! /// Renames a company that was found before.
//! pub async fn rename(tx: &mut Tx, provider: OrgId, id: CompanyId, name: &str) -> Result<(), StoreError> {
//!     tx.execute_one(&RENAME, params![provider, id, name]).await
//! }
//! ```
//!
//! Where the engines differ: `sum(x)` is `CAST(sum(x) AS BIGINT)`, a batch is `json_each($1)` against
//! `json_to_recordset($1::json)` (ids as hyphenated text, bytes as [`hex`]), a lock is `FOR UPDATE` on PostgreSQL alone.

pub mod audit;
mod batch;
mod conn;
pub mod copy;
mod error;
pub mod idempotency;
pub mod jobs;
mod local;
pub mod meta;
pub mod outbox;
pub mod registry;
mod row;
pub mod rows;
mod statement;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transfer;
mod tx;
mod value;
mod writer;

pub use audit::AuditEntry;
pub use batch::{BatchOptions, Batcher};
pub use conn::{Conn, Read};
pub use error::{EngineError, StoreError};
pub use outbox::Message;
pub use row::{Column, Row};
pub use statement::Statement;
pub use store::{Engine, Options, Schema, Server, Store};
pub use tx::Tx;
pub use value::{Param, Val, hex, json_rows};
pub use writer::{Queue, Stats};

//! The JSON of the provider API, `/api/v1`: plain shapes, no behavior, no signed payloads.
//!
//! Fields are `snake_case`, times RFC 3339 in UTC, points and weights decimal text, ids prefixed text. A writer ignores
//! what it does not know in answers; requests refuse unknown fields.

mod catalog;
mod enroll;
mod held;
mod installation;
mod license;
mod offline;
mod organization;
mod own_company;
mod party;
mod people;
mod program;
mod program_change;
pub mod text;
mod usage;

pub use catalog::*;
pub use enroll::*;
pub use held::*;
pub use installation::*;
pub use license::*;
pub use offline::*;
pub use organization::*;
pub use own_company::*;
pub use party::*;
pub use people::*;
pub use program::*;
pub use program_change::*;
pub use usage::*;

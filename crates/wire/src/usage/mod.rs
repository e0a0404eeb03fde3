//! Monthly usages: lists, one with its lines, what may be done, and what is kept of it.

mod change;
mod correction;
mod evidence;
mod invoice;
mod line;
mod list;
mod month;
mod receipt;

pub use change::*;
pub use correction::*;
pub use evidence::*;
pub use invoice::*;
pub use line::*;
pub use list::*;
pub use month::*;
pub use receipt::*;

//! The product side of Tenure.

pub mod collect;
pub mod host;
pub mod http;
pub mod journal;
pub mod license_file;
pub mod system;
pub mod transport;

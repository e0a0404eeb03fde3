//! The product side of Tenure.

pub mod collect;
pub mod journal;
pub mod system;

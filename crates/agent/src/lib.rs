//! The product side of Tenure.

pub mod journal;

//! The portal: HTML pages over the service's use cases.

mod assets;
mod filters;
pub mod format;
pub mod pages;
pub mod spark;
mod words;

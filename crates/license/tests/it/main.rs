//! Signed documents from outside the crate: what is accepted, and everything that must not be.

mod files;
mod golden;
mod other_languages;
mod payloads;
mod refusals;
mod robustness;
mod roots;
mod samples;

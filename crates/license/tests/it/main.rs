//! Signed documents from outside the crate: what is accepted, and everything that must not be.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as their tests do")]

mod files;
mod fuzz;
mod golden;
mod mutate;
mod mutations;
mod other_languages;
mod payloads;
mod refusals;
mod robustness;
mod roots;
mod samples;

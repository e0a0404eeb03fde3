//! The agent against a scripted server, with a clock and a disk that tests control.

#![expect(clippy::unwrap_used, reason = "helpers of tests: whoever cannot go on stops there")]

mod chain;
mod clock;
mod crash;
mod months;
mod peer;
mod people;
mod real;
mod silence;
mod trust;
mod world;

//! The agent against a scripted server, with a clock and a disk that tests control.

#![expect(clippy::unwrap_used, reason = "helpers of tests: whoever cannot go on stops there")]

mod by_hand;
mod chain;
mod clock;
mod crash;
mod http;
mod months;
mod network;
mod page;
mod peer;
mod people;
mod real;
mod silence;
mod site;
mod trust;
mod watch;
mod world;

//! The agent against a scripted server, with a clock and a disk that tests control.

mod months;
mod peer;
mod world;

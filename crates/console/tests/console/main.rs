//! The console API over the whole application: who may in, lists, the life of a license, a month, refusals.

mod access;
mod authorization;
mod families;
#[path = "../../../api/tests/provider/fleet.rs"]
#[expect(dead_code, reason = "shared with the tests of the provider API, which need more of it")]
mod fleet;
mod interop;
mod licenses;
mod lists;
mod named;
mod openapi;
mod servers;

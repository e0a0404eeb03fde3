//! The provider API over the whole application: who may do what, shapes, statuses, problems.

mod authorization;
mod enroll;
mod fleet;
mod held;
mod installations;
mod laundering;
mod license_changes;
mod licensing;
mod offline;
mod openapi;
mod organizations;
mod parties;
mod people;
mod program;
#[path = "../product/scene.rs"]
#[expect(dead_code, reason = "shared with the tests of the product API, which need more of it")]
mod scene;
mod second_step;
mod usages;

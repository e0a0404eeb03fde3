//! The provider API over the whole application: who may do what, shapes, statuses, problems.

mod authorization;
mod fleet;
mod installations;
mod laundering;
mod license_changes;
mod licensing;
mod openapi;
mod organizations;
mod parties;
mod people;
mod scene;
mod usages;

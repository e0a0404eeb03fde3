//! What the store promises, held against both engines. Tests of one engine alone say why.

mod audit;
mod batch;
mod crash;
mod distribution;
mod enroll;
mod group;
mod idempotency;
mod jobs;
mod licensing;
mod market;
mod outbox;
mod parties;
mod plans;
mod schema;
mod support;

//! All statements, so that one test can prepare each of them on both engines.

use crate::{Statement, audit, copy, idempotency, jobs, meta, outbox, rows, store, transfer};

/// Every statement of the program.
pub fn all() -> impl Iterator<Item = &'static Statement> {
    let engine = [
        audit::LANE_STATEMENTS,
        audit::VERIFY_STATEMENTS,
        outbox::STATEMENTS,
        jobs::STATEMENTS,
        idempotency::STATEMENTS,
        meta::STATEMENTS,
        copy::STATEMENTS,
        store::STATEMENTS,
        transfer::STATEMENTS,
        transfer::CATALOG_STATEMENTS,
    ];
    engine.into_iter().chain(rows::STATEMENTS.iter().copied()).flatten().copied()
}

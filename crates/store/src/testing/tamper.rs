//! What somebody who owns the database could do to it, for tests that must find it.

use tenure_core::OrgId;

use crate::{Queue, Statement, Store, Tx, audit, params};

/// A change behind the program's back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The body of the first entry says something else; its columns agree with it.
    Body,
    /// The second entry is gone.
    DroppedEntry,
    /// The last `n` entries are gone, the lane ends before them, and no checkpoint remembers them.
    CutTail(u64),
    /// A document's bytes are others.
    DocumentBytes,
    /// A document is another one under another hash, and so is what its leaf was made of.
    SwappedDocument,
    /// A document is gone.
    DroppedDocument,
    /// The newest leaves are gone, as those past retention are.
    DroppedLeaves,
    /// The newest checkpoint names another hash.
    Checkpoint,
    /// Nothing that was issued is signed: as after a crash between COMMIT and signing.
    Unsigned,
    /// The figure of a submission is another.
    SubmittedTotal(OrgId),
}

const fn sql(name: &'static str, sql: &'static str) -> Statement {
    Statement { name, sql, pg: None }
}

static BODY: Statement = sql(
    "BODY",
    "UPDATE audit_entry SET body = replace(body, 'server', 'nobody'), actor = 'nobody'
    WHERE lane = 0 AND n = (SELECT min(n) FROM audit_entry WHERE lane = 0 AND actor = 'server')",
);
static DROPPED: Statement = sql("DROPPED", "DELETE FROM audit_entry WHERE lane = 0 AND n = 2");
static CUT_ENTRIES: Statement = sql("CUT_ENTRIES", "DELETE FROM audit_entry WHERE lane = 0 AND n > $1");
static CUT_LEAVES: Statement = sql("CUT_LEAVES", "DELETE FROM ingest_leaves WHERE lane = 0 AND n > $1");
static CUT_LANE: Statement = sql(
    "CUT_LANE",
    "UPDATE audit_lane SET n = $1,
    head = (SELECT hash FROM audit_entry WHERE lane = 0 AND n = $1) WHERE lane = 0",
);
static CUT_CHECKPOINTS: Statement = sql("CUT_CHECKPOINTS", "DELETE FROM audit_checkpoint WHERE k > 1");
static BYTES: Statement = sql(
    "BYTES",
    "UPDATE document SET payload = CAST(replace(CAST(payload AS TEXT),
    '\"raw\":9', '\"raw\":8') AS BLOB)",
);
static SWAP: Statement = sql("SWAP", "UPDATE document SET hash = zeroblob(32)");
static SWAP_LEAF: Statement = sql("SWAP_LEAF", "UPDATE receipted SET documents = zeroblob(32)");
static GONE: Statement =
    sql("GONE", "DELETE FROM document WHERE received_us = (SELECT max(received_us) FROM document)");
static NO_LEAVES: Statement =
    sql("NO_LEAVES", "UPDATE ingest_leaves SET leaves = NULL WHERE n = (SELECT max(n) FROM ingest_leaves)");
static ANCHOR: Statement =
    sql("ANCHOR", "UPDATE audit_checkpoint SET hash = zeroblob(32) WHERE k = (SELECT max(k) FROM audit_checkpoint)");
static UNSIGNED: Statement = sql("UNSIGNED", "UPDATE issued_license SET envelope = NULL");
static TOTAL: Statement = sql("TOTAL", "UPDATE submission SET total_milli = total_milli + 1000 WHERE provider_id = $1");

/// Does it to a SQLite database.
///
/// # Panics
/// When there is nothing to do it to.
pub async fn tamper(store: &Store, change: Change) {
    let ends = audit::ends(&mut store.read().await.expect("a snapshot")).await.expect("the lanes");
    let keep = |cut: u64| (ends.iter().map(|end| end.n).max().unwrap_or(0) - cut) as i64;
    let steps = match change {
        Change::Body => vec![(&BODY, params![])],
        Change::DroppedEntry => vec![(&DROPPED, params![])],
        Change::CutTail(cut) => vec![
            (&CUT_ENTRIES, params![keep(cut)]),
            (&CUT_LEAVES, params![keep(cut)]),
            (&CUT_LANE, params![keep(cut)]),
            (&CUT_CHECKPOINTS, params![]),
        ],
        Change::DocumentBytes => vec![(&BYTES, params![])],
        Change::SwappedDocument => vec![(&SWAP, params![]), (&SWAP_LEAF, params![])],
        Change::DroppedDocument => vec![(&GONE, params![])],
        Change::DroppedLeaves => vec![(&NO_LEAVES, params![])],
        Change::Checkpoint => vec![(&ANCHOR, params![])],
        Change::Unsigned => vec![(&UNSIGNED, params![])],
        Change::SubmittedTotal(provider) => vec![(&TOTAL, params![provider])],
    };
    let work = async move |tx: &mut Tx| {
        let mut changed = Vec::new();
        for (statement, parameters) in &steps {
            changed.push(tx.execute(statement, parameters.clone()).await?);
        }
        Ok::<_, crate::StoreError>(changed)
    };
    let changed = store.write(Queue::People, work).await.expect("whoever owns the database can");
    assert!(changed.iter().any(|rows| *rows > 0), "{change:?} changed nothing");
}

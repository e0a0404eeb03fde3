//! Checking the chain: lanes dense and linked, bodies, Merkle roots.

use std::sync::{Mutex, PoisonError};

use futures::future::try_join_all;
use tenure_core::Timestamp;

use super::{Body, Hash, INGEST, IngestBody, body_hash, entry_hash, merkle};
use crate::{Conn, Row, Store, StoreError, Tx, hex, json_rows, params, statement::statements};

/// Entries read at once.
const PAGE: i64 = 500;
/// Findings kept per lane; a broken lane would otherwise list every entry after the break.
const MAX_PROBLEMS: usize = 100;

statements! {
    HEADS = "SELECT lane, n, head FROM audit_lane ORDER BY lane";
    ENTRIES = "SELECT e.n, e.id, e.at_us, e.org, e.actor, e.verb, e.subject, e.salt, e.body, e.body_hash, e.hash, \
        l.count, l.root, l.leaves FROM audit_entry e LEFT JOIN ingest_leaves l ON l.lane = e.lane AND l.n = e.n \
        WHERE e.lane = $1 AND e.n > $2 ORDER BY e.n LIMIT $3";
    AT = "SELECT e.lane, e.n, e.hash FROM json_each($1) AS w
        JOIN audit_entry e ON e.lane = w.value->>0 AND e.n = w.value->>1",
        pg "SELECT e.lane, e.n, e.hash FROM json_array_elements($1::json) AS w
        JOIN audit_entry e ON e.lane = (w->>0)::bigint AND e.n = (w->>1)::bigint";
    NEWEST_BEFORE = "SELECT at_us FROM audit_entry WHERE at_us < $1 ORDER BY at_us DESC LIMIT 1";
    NEWEST_AT = "SELECT max(at_us) AS at_us FROM (SELECT e.at_us FROM audit_lane l
        JOIN audit_entry e ON e.lane = l.lane AND e.n = l.n) AS newest";
    // The oldest of a lane come first: no more than a page is looked at, however much is kept.
    DROP_LEAVES = "UPDATE ingest_leaves SET leaves = NULL WHERE lane = $1 AND n IN (
            SELECT l.n FROM (SELECT n FROM ingest_leaves WHERE lane = $1 AND leaves IS NOT NULL ORDER BY n LIMIT $3) AS l
            JOIN audit_entry e ON e.lane = $1 AND e.n = l.n WHERE e.at_us < $2)";
}

/// Where a lane ends, or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneEnd {
    /// The lane.
    pub lane: u32,
    /// Entries in it.
    pub n: u64,
    /// The hash of the last.
    pub head: Hash,
}

/// What a check comes across on its way.
pub trait Watch {
    /// So many entries more were read.
    fn entries(&mut self, more: u64);
    /// The leaves of an ingest entry; none when they were dropped. `at` is the entry's instant.
    fn leaves(&mut self, at: Timestamp, leaves: Option<&[Hash]>);
}

/// Looks away.
impl Watch for () {
    fn entries(&mut self, _: u64) {}
    fn leaves(&mut self, _: Timestamp, _: Option<&[Hash]>) {}
}

/// The ends of all lanes that have entries, in one snapshot.
pub async fn ends(conn: &mut Conn) -> Result<Vec<LaneEnd>, StoreError> {
    let rows = conn.fetch_all(&HEADS, params![]).await?;
    let ends = rows
        .iter()
        .map(|row| Ok(LaneEnd { lane: row.i64("lane")? as u32, n: row.i64("n")? as u64, head: row.hash("head")? }));
    Ok(ends.collect::<Result<Vec<_>, StoreError>>()?.into_iter().filter(|end| end.n > 0).collect())
}

/// The hashes of entries, each as the end its lane had then; those that do not exist are left out.
pub async fn ends_at(conn: &mut Conn, places: &[(u32, u64)]) -> Result<Vec<LaneEnd>, StoreError> {
    let rows = conn.fetch_all(&AT, params![json_rows(places)?]).await?;
    let end =
        |row: &Row| Ok(LaneEnd { lane: row.i64("lane")? as u32, n: row.i64("n")? as u64, head: row.hash("hash")? });
    rows.iter().map(end).collect()
}

/// The newest instant of the chain's ends.
pub async fn newest_at(conn: &mut Conn) -> Result<Option<Timestamp>, StoreError> {
    conn.fetch_one(&NEWEST_AT, params![]).await?.opt_timestamp("at_us")
}

/// The newest instant of an entry before another instant.
pub async fn newest_before(conn: &mut Conn, at: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    conn.fetch_optional(&NEWEST_BEFORE, params![at]).await?.map(|row| row.timestamp("at_us")).transpose()
}

/// Drops leaves of a lane's entries older than `before`, at most `limit` entries; how many. Count and root stay.
pub async fn drop_leaves(tx: &mut Tx, lane: u32, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    tx.execute(&DROP_LEAVES, params![lane, before, limit]).await
}

/// What a check of the whole chain found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The lanes, in order.
    pub lanes: Vec<LaneReport>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.lanes.iter().all(|lane| lane.problems.is_empty())
    }
    /// Entries of all lanes.
    pub fn entries(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.entries).sum()
    }
    /// Findings of all lanes.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.lanes.iter().flat_map(|lane| &lane.problems)
    }
}

/// What was found in one lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneReport {
    /// The lane.
    pub lane: u32,
    /// Entries read.
    pub entries: u64,
    /// The hash of the last entry that was read.
    pub head: Hash,
    /// Entries whose body was erased: linked, but no longer readable.
    pub erased: u64,
    /// Leaves of ingest entries.
    pub leaves: u64,
    /// Ingest entries whose leaves are past retention: count and root stand, their leaves cannot be checked any more.
    pub leaves_dropped: u64,
    /// What is wrong, the first 100.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    /// The lane.
    pub lane: u32,
    /// The entry's number.
    pub n: u64,
    /// What is wrong with it.
    pub kind: ProblemKind,
}

/// What can be wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// Numbers before this one are missing.
    #[error("entries before it are missing")]
    Gap,
    /// The hash does not cover the entry before and this body.
    #[error("its hash does not link to the entry before")]
    Link,
    /// The body was changed, or one of salt and body is missing.
    #[error("its body is not what was chained")]
    Body,
    /// The columns that pages search by differ from the chained body.
    #[error("its columns differ from its body")]
    Columns,
    /// The Merkle root of an ingest entry is not that of its leaves, or the leaves are missing.
    #[error("its leaves do not have the chained root")]
    Leaves,
    /// The lane says it ends elsewhere.
    #[error("the lane's head is another")]
    Head,
}

type Watched<'a> = Mutex<&'a mut (dyn Watch + Send)>;

struct Lane {
    report: LaneReport,
    n: u64,
    stored_n: u64,
    stored_head: Hash,
}

/// Reads the whole chain and reports what is wrong with it. Lanes are read side by side, in pages.
pub async fn verify(store: &Store) -> Result<Report, StoreError> {
    verify_watched(store, &mut ()).await
}

/// As [`verify`], telling `watch` what it comes across.
pub async fn verify_watched(store: &Store, watch: &mut (dyn Watch + Send)) -> Result<Report, StoreError> {
    let watch = Mutex::new(watch);
    let rows = store.read().await?.fetch_all(&HEADS, params![]).await?;
    let lanes = rows.iter().map(Lane::read).collect::<Result<Vec<_>, _>>()?;
    let lanes = try_join_all(lanes.into_iter().map(|lane| lane.verify(store, &watch))).await?;
    Ok(Report { lanes })
}

impl Lane {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let lane = row.i64("lane")? as u32;
        let report = LaneReport {
            lane,
            entries: 0,
            head: [0; 32],
            erased: 0,
            leaves: 0,
            leaves_dropped: 0,
            problems: Vec::new(),
        };
        Ok(Self { report, n: 0, stored_n: row.i64("n")? as u64, stored_head: row.hash("head")? })
    }

    async fn verify(mut self, store: &Store, watch: &Watched<'_>) -> Result<LaneReport, StoreError> {
        // Entries are never changed, so each page may be a snapshot of its own; those after the head read first are
        // left to the next check.
        while self.n < self.stored_n {
            let limit = PAGE.min((self.stored_n - self.n) as i64);
            let parameters = params![self.report.lane, self.n as i64, limit];
            let rows = store.read().await?.fetch_all(&ENTRIES, parameters).await?;
            if rows.is_empty() {
                break;
            }
            let mut watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
            for row in &rows {
                self.entry(row, &mut **watch)?;
            }
            watch.entries(rows.len() as u64);
        }
        if (self.n, self.report.head) != (self.stored_n, self.stored_head) {
            self.problem(ProblemKind::Head);
        }
        Ok(self.report)
    }

    fn entry(&mut self, row: &Row, watch: &mut (dyn Watch + Send)) -> Result<(), StoreError> {
        let n = row.i64("n")? as u64;
        if n != self.n + 1 {
            self.n = n;
            self.problem(ProblemKind::Gap);
        }
        self.n = n;
        let (hash, chained) = (row.hash("hash")?, row.hash("body_hash")?);
        if entry_hash(self.report.lane, n, &self.report.head, &chained) != hash {
            self.problem(ProblemKind::Link);
        }
        self.report.head = hash;
        self.report.entries += 1;
        match (row.opt_blob("salt")?, row.opt_text("body")?) {
            (None, None) => self.report.erased += 1,
            (Some(salt), Some(body)) if body_hash(&salt, &body) == chained => self.columns(row, &body, watch)?,
            _ => self.problem(ProblemKind::Body),
        }
        Ok(())
    }

    /// The body is the chained one; whatever stands beside it must say the same.
    fn columns(&mut self, row: &Row, body: &str, watch: &mut (dyn Watch + Send)) -> Result<(), StoreError> {
        let Ok(body) = serde_json::from_str::<Body>(body) else {
            self.problem(ProblemKind::Body);
            return Ok(());
        };
        let same = row.timestamp("at_us")? == body.at
            && row.opt_id("org")? == body.org
            && row.text("actor")? == body.actor
            && row.text("verb")? == body.verb
            && row.text("subject")? == body.subject;
        if !same {
            self.problem(ProblemKind::Columns);
        }
        if body.verb == INGEST {
            self.leaves(row, body, watch)?;
        }
        Ok(())
    }

    fn leaves(&mut self, row: &Row, body: Body, watch: &mut (dyn Watch + Send)) -> Result<(), StoreError> {
        let Ok(chained) = serde_json::from_value::<IngestBody>(body.data) else {
            self.problem(ProblemKind::Body);
            return Ok(());
        };
        self.report.leaves += chained.count;
        let (Some(count), Some(root)) = (row.opt_i64("count")?, row.opt_hash("root")?) else {
            self.problem(ProblemKind::Leaves);
            return Ok(());
        };
        let mut whole = count as u64 == chained.count && hex(&root) == chained.root;
        match row.opt_blob("leaves")? {
            None => {
                self.report.leaves_dropped += 1;
                watch.leaves(body.at, None);
            }
            Some(blob) => {
                let (leaves, rest) = blob.as_chunks::<32>();
                whole &= rest.is_empty() && leaves.len() as u64 == chained.count && merkle::root(leaves) == root;
                watch.leaves(body.at, Some(leaves));
            }
        }
        if !whole {
            self.problem(ProblemKind::Leaves);
        }
        Ok(())
    }

    fn problem(&mut self, kind: ProblemKind) {
        if self.report.problems.len() < MAX_PROBLEMS {
            self.report.problems.push(Problem { lane: self.report.lane, n: self.n, kind });
        }
    }
}

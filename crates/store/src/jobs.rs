//! Work that time or a change asks for, done in chunks that survive being killed anywhere (X6).
//!
//! A worker claims a job, which raises its attempt number. Each chunk is one transaction that locks the job row, checks
//! that the attempt is still its own, does at most [`CHUNK`] items by unique key and moves the cursor. A worker that was
//! paused past its lease finds a higher attempt and changes nothing.

use tenure_core::{JobId, Timestamp};

use crate::{Conn, Queue, Row, Store, StoreError, Tx, params, statement::statements};

/// Items a chunk may do at most.
pub const CHUNK: i64 = 500;

statements! {
    ENQUEUE = "INSERT INTO job (id, kind, key, payload, created_us, due_us, since_us, attempt) \
        VALUES ($1, $2, $3, $4, $5, $6, $6, 0) ON CONFLICT (kind, key) DO NOTHING";
    /// The longest due job of a kind; its lease is the new due time.
    CLAIM = "UPDATE job SET attempt = attempt + 1, due_us = $3 WHERE id = (SELECT id FROM job \
        WHERE done_us IS NULL AND due_us <= $2 AND kind = $1 ORDER BY due_us, id LIMIT 1) \
        RETURNING id, kind, key, payload, attempt, cursor",
        pg "UPDATE job SET attempt = attempt + 1, due_us = $3 WHERE id = (SELECT id FROM job \
        WHERE done_us IS NULL AND due_us <= $2 AND kind = $1 ORDER BY due_us, id LIMIT 1 FOR UPDATE SKIP LOCKED) \
        RETURNING id, kind, key, payload, attempt, cursor";
    LOCK = "SELECT cursor FROM job WHERE id = $1 AND attempt = $2 AND done_us IS NULL",
        pg "SELECT cursor FROM job WHERE id = $1 AND attempt = $2 AND done_us IS NULL FOR UPDATE";
    ADVANCE = "UPDATE job SET cursor = $3, due_us = $4 WHERE id = $1 AND attempt = $2 AND done_us IS NULL";
    FINISH = "UPDATE job SET done_us = $3, error = NULL WHERE id = $1 AND attempt = $2 AND done_us IS NULL";
    FAIL = "UPDATE job SET error = $3, due_us = $4 WHERE id = $1 AND attempt = $2 AND done_us IS NULL";
    NEXT_DUE = "SELECT min(due_us) AS due_us FROM job WHERE done_us IS NULL AND kind = $1";
    /// By the first due time: a job that fails each time is due again in a minute, and later every time.
    OVERDUE = "SELECT count(*) AS n, min(coalesce(since_us, due_us)) AS oldest_us FROM job \
        WHERE done_us IS NULL AND coalesce(since_us, due_us) <= $1";
    PURGE = "DELETE FROM job WHERE id IN (SELECT id FROM job WHERE done_us < $1 LIMIT $2)";
}

/// A job to be done.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// What is to be done, as `period.open`.
    pub kind: &'static str,
    /// What it is done for, unique within the kind, as `2026-01/prov`: the same job is enqueued once.
    pub key: String,
    /// What it needs to know.
    pub payload: serde_json::Value,
    /// When it was decided.
    pub at: Timestamp,
    /// Not before.
    pub due_at: Timestamp,
}

/// A job that one worker holds until its lease is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// Its id.
    pub id: JobId,
    /// What is to be done.
    pub kind: String,
    /// What for.
    pub key: String,
    /// What it needs to know.
    pub payload: serde_json::Value,
    /// Which claim this is, from 1.
    pub attempt: i64,
    /// Where the last finished chunk ended; `None` at the start.
    pub cursor: Option<String>,
}

impl Claimed {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id("id")?,
            kind: row.text("kind")?,
            key: row.text("key")?,
            payload: row.json("payload")?,
            attempt: row.i64("attempt")?,
            cursor: row.opt_text("cursor")?,
        })
    }
}

/// Where a chunk ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk {
    /// There is more after this cursor.
    More {
        /// Where the next chunk begins.
        cursor: String,
    },
    /// The job is done.
    Done,
}

/// What became of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ran {
    /// Committed; there is more.
    More,
    /// Committed; the job is done.
    Done,
    /// Another worker holds the job, or it is done: nothing was changed.
    Superseded,
}

/// Adds a job in the transaction of the change that asks for it; `false` when it is there already.
pub async fn enqueue(tx: &mut Tx, job: NewJob) -> Result<bool, StoreError> {
    let id = JobId::generate(job.at, &*tx.rng());
    let parameters = params![id, job.kind, job.key, job.payload, job.at, job.due_at];
    Ok(tx.execute(&ENQUEUE, parameters).await? == 1)
}

/// Claims the longest due job of a kind until `lease_until`; `None` when none is due.
pub async fn claim(
    store: &Store,
    kind: &'static str,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Option<Claimed>, StoreError> {
    let claim = async move |tx: &mut Tx| {
        let row = tx.fetch_optional(&CLAIM, params![kind, now, lease_until]).await?;
        row.as_ref().map(Claimed::read).transpose()
    };
    store.write(Queue::Jobs, claim).await
}

/// When the next job of a kind is due.
pub async fn next_due(store: &Store, kind: &'static str) -> Result<Option<Timestamp>, StoreError> {
    store.read().await?.fetch_one(&NEXT_DUE, params![kind]).await?.opt_timestamp("due_us")
}

/// Jobs that are due and not done: how many, and since when the oldest of them is. Those that run, and those that failed
/// and wait to be tried again, are among them.
pub async fn overdue(conn: &mut Conn, now: Timestamp) -> Result<(i64, Option<Timestamp>), StoreError> {
    let row = conn.fetch_one(&OVERDUE, params![now]).await?;
    Ok((row.i64("n")?, row.opt_timestamp("oldest_us")?))
}

/// Runs one chunk of a claimed job in one transaction. `work` gets the cursor and does at most [`CHUNK`] items; it may
/// be run again after a rollback. The lease is renewed to `lease_until`, or `now` is when the job was done.
pub async fn run_chunk<E, F>(
    store: &Store,
    job: &Claimed,
    now: Timestamp,
    lease_until: Timestamp,
    work: F,
) -> Result<Ran, E>
where
    F: AsyncFn(&mut Tx, Option<&str>) -> Result<Chunk, E> + Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (id, attempt) = (job.id, job.attempt);
    let chunk = async move |tx: &mut Tx| {
        let Some(row) = tx.fetch_optional(&LOCK, params![id, attempt]).await? else {
            return Ok(Ran::Superseded);
        };
        let cursor = row.opt_text("cursor")?;
        match work(tx, cursor.as_deref()).await? {
            Chunk::More { cursor } => {
                tx.execute_one(&ADVANCE, params![id, attempt, cursor, lease_until]).await?;
                Ok(Ran::More)
            }
            Chunk::Done => {
                tx.execute_one(&FINISH, params![id, attempt, now]).await?;
                Ok(Ran::Done)
            }
        }
    };
    store.write(Queue::Jobs, chunk).await
}

/// Records why a claimed job failed and when to try again; `false` when another worker holds it by now.
pub async fn fail(store: &Store, job: &Claimed, error: String, retry_at: Timestamp) -> Result<bool, StoreError> {
    let (id, attempt) = (job.id, job.attempt);
    let fail =
        async move |tx: &mut Tx| Ok(tx.execute(&FAIL, params![id, attempt, error.as_str(), retry_at]).await? == 1);
    store.write(Queue::Jobs, fail).await
}

/// Deletes at most [`CHUNK`] jobs that were done before `before`; how many.
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&PURGE, params![before, CHUNK]).await
}

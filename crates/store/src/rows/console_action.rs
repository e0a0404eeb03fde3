//! Writes of consoles that were named by `X-Request-id`: while they run, and what they answered.

use tenure_core::{OrgId, Timestamp};
use uuid::Uuid;

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    // Of two that begin at once, one runs. One whose answer is not kept, that began before $8 and never answered, or that is
    // from before $10, may run again.
    BEGIN = "INSERT INTO console_action (org_id, principal, id, request_hash, name, query, body, begun_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $9)
        ON CONFLICT (org_id, principal, id) DO UPDATE SET request_hash = excluded.request_hash, name = excluded.name,
            query = excluded.query, body = excluded.body, begun_us = excluded.begun_us, done_us = NULL, status = NULL,
            answer = NULL
        WHERE console_action.begun_us <= $10 OR (console_action.request_hash = excluded.request_hash
            AND ((console_action.done_us IS NULL AND console_action.begun_us < $8)
                OR (console_action.done_us IS NOT NULL AND console_action.answer IS NULL)))";
    FIND = "SELECT id, request_hash, name, query, body, begun_us, done_us, status, answer FROM console_action
        WHERE org_id = $1 AND principal = $2 AND id = $3";
    OF = "SELECT id, request_hash, name, query, body, begun_us, done_us, status, answer FROM console_action
        WHERE org_id = $1 AND principal = $2 AND begun_us > $3 ORDER BY begun_us DESC LIMIT $4";
    FINISH = "UPDATE console_action SET done_us = $4, status = $5, answer = $6
        WHERE org_id = $1 AND principal = $2 AND id = $3 AND done_us IS NULL";
    ATTACH = "UPDATE console_action SET query = $4, body = $5 WHERE org_id = $1 AND principal = $2 AND id = $3";
    CLEAR = "UPDATE console_action SET answer = NULL
        WHERE org_id = $1 AND principal = $2 AND id = $3 AND done_us IS NOT NULL";
    PURGE = "DELETE FROM console_action WHERE (org_id, principal, id) IN
        (SELECT org_id, principal, id FROM console_action WHERE begun_us <= $1 LIMIT $2)";
}

/// Whose a write is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whose {
    /// The caller's organization.
    pub org: OrgId,
    /// The caller, with what it may do: who may do less than before is not answered what was answered then.
    pub principal: String,
}

/// A write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionRow {
    /// What named it.
    pub id: Uuid,
    /// SHA-256 of method, address and body.
    pub request_hash: [u8; 32],
    /// The operation.
    pub name: String,
    /// The query's parameters, JSON: lists of text by name.
    pub query: String,
    /// The body, where it is text.
    pub body: Option<String>,
    /// When it began.
    pub begun: Timestamp,
    /// When it was done.
    pub done: Option<Timestamp>,
    /// The HTTP status it was answered with.
    pub status: Option<u16>,
    /// The body it was answered with; none of a refusal, or once cleared.
    pub answer: Option<String>,
}

fn action(row: &Row) -> Result<ActionRow, StoreError> {
    let status = row.opt_i64("status")?.map(u16::try_from).transpose();
    Ok(ActionRow {
        id: row.uuid("id")?,
        request_hash: row.hash("request_hash")?,
        name: row.text("name")?,
        query: row.text("query")?,
        body: row.opt_text("body")?,
        begun: row.timestamp("begun_us")?,
        done: row.opt_timestamp("done_us")?,
        status: status.map_err(|_| StoreError::Corrupt { what: "an HTTP status" })?,
        answer: row.opt_text("answer")?,
    })
}

/// Begins a write; `false` when it runs, was answered, or was another request. One that began before `lost` and never
/// answered died with its server; one from before `forgotten` makes way.
pub async fn begin(
    tx: &mut Tx,
    whose: &Whose,
    row: &ActionRow,
    lost: Timestamp,
    forgotten: Timestamp,
) -> Result<bool, StoreError> {
    let parameters = params![
        whose.org,
        &whose.principal,
        row.id,
        row.request_hash,
        &row.name,
        &row.query,
        row.body.as_deref(),
        lost,
        row.begun,
        forgotten
    ];
    Ok(tx.execute(&BEGIN, parameters).await? == 1)
}

/// One write of a caller's.
pub async fn find(conn: &mut Conn, whose: &Whose, id: Uuid) -> Result<Option<ActionRow>, StoreError> {
    let row = conn.fetch_optional(&FIND, params![whose.org, &whose.principal, id]).await?;
    row.as_ref().map(action).transpose()
}

/// A caller's writes that began after `since`, newest first.
pub async fn of(conn: &mut Conn, whose: &Whose, since: Timestamp, limit: u32) -> Result<Vec<ActionRow>, StoreError> {
    let rows = conn.fetch_all(&OF, params![whose.org, &whose.principal, since, limit]).await?;
    rows.iter().map(action).collect()
}

/// Keeps what a write answered; `answer` is none for a refusal.
pub async fn finish(
    tx: &mut Tx,
    whose: &Whose,
    id: Uuid,
    (status, answer): (u16, Option<&str>),
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&FINISH, params![whose.org, &whose.principal, id, at, status, answer]).await?;
    Ok(())
}

/// Writes other words beside a write; `false` when there is none.
pub async fn attach(
    tx: &mut Tx,
    whose: &Whose,
    id: Uuid,
    query: &str,
    body: Option<&str>,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&ATTACH, params![whose.org, &whose.principal, id, query, body]).await? == 1)
}

/// Forgets what a write answered; `false` when it runs or there is none.
pub async fn clear(tx: &mut Tx, whose: &Whose, id: Uuid) -> Result<bool, StoreError> {
    Ok(tx.execute(&CLEAR, params![whose.org, &whose.principal, id]).await? == 1)
}

/// Deletes at most `limit` writes that began at `before` or earlier; how many.
pub async fn purge(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    tx.execute(&PURGE, params![before, limit]).await
}

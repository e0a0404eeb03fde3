//! Enrollment: whether a provider's products may report by themselves.

use serde::{Deserialize, Serialize};
use tenure_core::{OrgId, Timestamp};

use super::words;
use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    FIND = "SELECT provider_id, state, reason, changed_us FROM enrollment WHERE provider_id = $1";
    LOCK = "SELECT provider_id, state, reason, changed_us FROM enrollment WHERE provider_id = $1",
        pg "SELECT provider_id, state, reason, changed_us FROM enrollment WHERE provider_id = $1 FOR UPDATE";
    PUT = "INSERT INTO enrollment (provider_id, state, reason, changed_us) VALUES ($1, $2, $3, $4)
        ON CONFLICT (provider_id) DO UPDATE SET state = excluded.state, reason = excluded.reason,
            changed_us = excluded.changed_us";
    WITHDRAW = "DELETE FROM enrollment WHERE provider_id = $1 AND state = 'requested'";
    NOTE = "INSERT INTO enrollment_change (provider_id, n, at_us, state, reason, by_id)
        SELECT $1, coalesce(max(n), 0) + 1, $2, $3, $4, $5 FROM enrollment_change WHERE provider_id = $1";
    CHANGES = "SELECT at_us, state, reason, by_id FROM enrollment_change WHERE provider_id = $1 ORDER BY n LIMIT $2";
    PAGE = "SELECT e.provider_id, o.name, e.state, e.reason, e.changed_us FROM enrollment e
        JOIN org o ON o.id = e.provider_id
        WHERE e.provider_id > $1 AND ($2 IS NULL OR e.state = $2) ORDER BY e.provider_id LIMIT $3",
        pg "SELECT e.provider_id, o.name, e.state, e.reason, e.changed_us FROM enrollment e
        JOIN org o ON o.id = e.provider_id
        WHERE e.provider_id > $1 AND ($2::text IS NULL OR e.state = $2) ORDER BY e.provider_id LIMIT $3";
    IN_STATE = "SELECT provider_id, state, reason, changed_us FROM enrollment
        WHERE state = $1 AND provider_id > $2 ORDER BY provider_id LIMIT $3";
}

/// Where an enrollment stands. Without a row it was never asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnrollmentState {
    /// Asked for; the vendor has not decided.
    Requested,
    /// Products may report by themselves.
    Active,
    /// The vendor declined.
    Declined,
}

/// A provider's enrollment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrollmentRow {
    /// Whose.
    pub provider: OrgId,
    /// Where it stands.
    pub state: EnrollmentState,
    /// The vendor's words; empty unless it declined.
    pub reason: String,
    /// Since when.
    pub changed: Timestamp,
}

fn enrollment(row: &Row) -> Result<EnrollmentRow, StoreError> {
    Ok(EnrollmentRow {
        provider: row.id("provider_id")?,
        state: words::read(row, "state")?,
        reason: row.text("reason")?,
        changed: row.timestamp("changed_us")?,
    })
}

/// A provider's enrollment; none when it was never asked for.
pub async fn find(conn: &mut Conn, provider: OrgId) -> Result<Option<EnrollmentRow>, StoreError> {
    conn.fetch_optional(&FIND, params![provider]).await?.as_ref().map(enrollment).transpose()
}

/// The same, locked for this transaction.
pub async fn lock(tx: &mut Tx, provider: OrgId) -> Result<Option<EnrollmentRow>, StoreError> {
    tx.fetch_optional(&LOCK, params![provider]).await?.as_ref().map(enrollment).transpose()
}

/// Writes where it stands now.
pub async fn put(tx: &mut Tx, row: &EnrollmentRow) -> Result<(), StoreError> {
    tx.execute_one(&PUT, params![row.provider, words::text(&row.state)?, &row.reason, row.changed]).await
}

/// Enrollments in a state by provider, at most `limit`, after `after`.
pub async fn in_state(
    conn: &mut Conn,
    state: EnrollmentState,
    after: Option<OrgId>,
    limit: u32,
) -> Result<Vec<EnrollmentRow>, StoreError> {
    let after = after.map_or(uuid::Uuid::nil(), OrgId::uuid);
    conn.fetch_all(&IN_STATE, params![words::text(&state)?, after, limit]).await?.iter().map(enrollment).collect()
}

/// Takes an open request back; `false` when there is none.
pub async fn withdraw(tx: &mut Tx, provider: OrgId) -> Result<bool, StoreError> {
    Ok(tx.execute(&WITHDRAW, params![provider]).await? == 1)
}

/// One change of an enrollment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRow {
    /// When.
    pub at: Timestamp,
    /// `requested`, `withdrawn`, `active`, `declined`.
    pub state: String,
    /// Why, where a reason was given.
    pub reason: String,
    /// The person or token; nil for an operator.
    pub by: uuid::Uuid,
}

/// Keeps a change in its provider's history. The caller holds the enrollment's row.
pub async fn note(tx: &mut Tx, provider: OrgId, change: &ChangeRow) -> Result<(), StoreError> {
    let parameters = params![provider, change.at, change.state.as_str(), change.reason.as_str(), change.by];
    tx.execute_one(&NOTE, parameters).await
}

/// What became of a provider's enrollment, oldest first, at most `limit`.
pub async fn changes(conn: &mut Conn, provider: OrgId, limit: u32) -> Result<Vec<ChangeRow>, StoreError> {
    let rows = conn.fetch_all(&CHANGES, params![provider, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(ChangeRow {
                at: row.timestamp("at_us")?,
                state: row.text("state")?,
                reason: row.text("reason")?,
                by: row.uuid("by_id")?,
            })
        })
        .collect()
}

/// Enrollments of all providers, or those in one state, with the provider's name; at most `limit`, after `after`.
pub async fn page(
    conn: &mut Conn,
    state: Option<EnrollmentState>,
    after: Option<OrgId>,
    limit: u32,
) -> Result<Vec<(EnrollmentRow, String)>, StoreError> {
    let after = after.map_or(uuid::Uuid::nil(), OrgId::uuid);
    let state = state.as_ref().map(words::text).transpose()?;
    let rows = conn.fetch_all(&PAGE, params![after, state, limit]).await?;
    rows.iter().map(|row| Ok((enrollment(row)?, row.text("name")?))).collect()
}

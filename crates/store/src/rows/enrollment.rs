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

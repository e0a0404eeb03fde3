//! Products that came back from elsewhere, with what both sides told of their hosts.

use tenure_core::{InstallationId, OrgId, Timestamp};
use uuid::Uuid;

use crate::{Conn, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO rejoin (installation_id, seq, provider_id, at_us, class, left_seq, left_us, left_host, host)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    // Kept evidence is bounded (X9): as many as there are superseded tips.
    TRIM = "DELETE FROM rejoin WHERE installation_id = $1 AND seq NOT IN (SELECT seq FROM rejoin
        WHERE installation_id = $1 ORDER BY seq DESC LIMIT $2)";
    RESOLVE = "UPDATE rejoin SET resolved_us = $3, resolved_by = $4, resolved_how = $5
        WHERE installation_id = $1 AND provider_id = $2 AND resolved_us IS NULL";
    OF_INSTALLATION = "SELECT seq, at_us, class, left_seq, left_us, left_host, host, resolved_us, resolved_by,
            resolved_how
        FROM rejoin WHERE installation_id = $1 AND provider_id = $2 ORDER BY seq DESC LIMIT $3";
}

/// One return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejoinRow {
    /// The sequence number it came back with.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// `server_restored`, `clone`, `set_back`.
    pub class: String,
    /// The sequence number of the head it left behind.
    pub left_seq: u64,
    /// When the side left behind spoke last.
    pub left_at: Timestamp,
    /// What the side left behind told of its host, JSON.
    pub left_host: String,
    /// What the one that came back tells of its host, JSON.
    pub host: String,
    /// When a person or a check-in settled it, who, and how: `one_machine`, `split`, `noted`.
    pub resolved: Option<(Timestamp, Uuid, String)>,
}

/// Keeps a return, and the newest `keep` of the installation.
pub async fn insert(
    tx: &mut Tx,
    provider: OrgId,
    installation: InstallationId,
    row: &RejoinRow,
    keep: u32,
) -> Result<(), StoreError> {
    let parameters = params![
        installation,
        row.seq as i64,
        provider,
        row.at,
        row.class.as_str(),
        row.left_seq as i64,
        row.left_at,
        row.left_host.as_str(),
        row.host.as_str()
    ];
    tx.execute_one(&INSERT, parameters).await?;
    tx.execute(&TRIM, params![installation, keep]).await?;
    Ok(())
}

/// Settles whatever of an installation is open; how many there were.
pub async fn resolve(
    tx: &mut Tx,
    provider: OrgId,
    installation: InstallationId,
    at: Timestamp,
    by: Uuid,
    how: &str,
) -> Result<u64, StoreError> {
    tx.execute(&RESOLVE, params![installation, provider, at, by, how]).await
}

/// The returns of an installation, newest first, at most `limit`.
pub async fn of_installation(
    conn: &mut Conn,
    provider: OrgId,
    installation: InstallationId,
    limit: u32,
) -> Result<Vec<RejoinRow>, StoreError> {
    let rows = conn.fetch_all(&OF_INSTALLATION, params![installation, provider, limit]).await?;
    rows.iter()
        .map(|row| {
            let resolved = match row.opt_timestamp("resolved_us")? {
                Some(at) => Some((at, row.uuid("resolved_by")?, row.text("resolved_how")?)),
                None => None,
            };
            Ok(RejoinRow {
                seq: row.i64("seq")? as u64,
                at: row.timestamp("at_us")?,
                class: row.text("class")?,
                left_seq: row.i64("left_seq")? as u64,
                left_at: row.timestamp("left_us")?,
                left_host: row.text("left_host")?,
                host: row.text("host")?,
                resolved,
            })
        })
        .collect()
}

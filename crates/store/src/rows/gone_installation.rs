//! Installations that ended after the backup that this database comes from, and that it never knew (E4).

use tenure_core::{InstallationId, Timestamp};

use crate::{Conn, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO gone_installation (installation_id, at_us, how) VALUES ($1, $2, $3)
        ON CONFLICT (installation_id) DO NOTHING";
    FIND = "SELECT how FROM gone_installation WHERE installation_id = $1";
}

/// Notes that one ended: `retired`, `replaced`, `voided`; `false` when that is known.
pub async fn insert(tx: &mut Tx, id: InstallationId, at: Timestamp, how: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&INSERT, params![id, at, how]).await? == 1)
}

/// Whether one ended that this database never knew.
pub async fn find(conn: &mut Conn, id: InstallationId) -> Result<bool, StoreError> {
    Ok(conn.fetch_optional(&FIND, params![id]).await?.is_some())
}

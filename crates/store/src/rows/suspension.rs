//! Providers that may not create or assign licenses, as last audited.

use tenure_core::{OrgId, Timestamp};

use crate::{Conn, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO suspension (provider_id, since_us) VALUES ($1, $2) ON CONFLICT (provider_id) DO NOTHING";
    DELETE = "DELETE FROM suspension WHERE provider_id = $1";
    FIND = "SELECT since_us FROM suspension WHERE provider_id = $1";
}

/// Notes a suspension; `false` when it stands already.
pub async fn begin(tx: &mut Tx, provider: OrgId, since: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&INSERT, params![provider, since]).await? == 1)
}

/// Lifts a suspension; `false` when none stands.
pub async fn end(tx: &mut Tx, provider: OrgId) -> Result<bool, StoreError> {
    Ok(tx.execute(&DELETE, params![provider]).await? == 1)
}

/// Since when a provider is suspended.
pub async fn since(conn: &mut Conn, provider: OrgId) -> Result<Option<Timestamp>, StoreError> {
    conn.fetch_optional(&FIND, params![provider]).await?.map(|row| row.timestamp("since_us")).transpose()
}

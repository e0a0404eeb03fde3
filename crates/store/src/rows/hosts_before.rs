//! The hosts an installation spoke from before its present one (C14).

use tenure_core::{InstallationId, OrgId};

use crate::{Conn, StoreError, Tx, params, statement::statements};

statements! {
    FIND = "SELECT hosts_before, host_returns FROM installation WHERE provider_id = $1 AND id = $2";
    UPDATE = "UPDATE installation SET hosts_before = $3, host_returns = $4 WHERE provider_id = $1 AND id = $2";
}

/// What is kept of an installation's moves between hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostsBefore {
    /// Facts of the hosts before, JSON each, the latest last.
    pub hosts: Vec<serde_json::Value>,
    /// Instants at which it came back to one of them, microseconds.
    pub returns: Vec<i64>,
}

/// What is known of an installation.
pub async fn find(conn: &mut Conn, provider: OrgId, id: InstallationId) -> Result<HostsBefore, StoreError> {
    let row = conn.fetch_optional(&FIND, params![provider, id]).await?;
    row.map_or_else(
        || Ok(HostsBefore::default()),
        |row| Ok(HostsBefore { hosts: row.json("hosts_before")?, returns: row.json("host_returns")? }),
    )
}

/// Keeps it.
pub async fn update(
    tx: &mut Tx,
    provider: OrgId,
    id: InstallationId,
    known: &HostsBefore,
) -> Result<(), StoreError> {
    let (hosts, returns) = (serde_json::to_string(&known.hosts)?, serde_json::to_string(&known.returns)?);
    tx.execute_one(&UPDATE, params![provider, id, hosts, returns]).await
}

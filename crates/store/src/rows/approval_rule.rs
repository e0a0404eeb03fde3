//! Distributors that let the server approve what is not flagged.

use tenure_core::{OrgId, Timestamp};
use uuid::Uuid;

use crate::{Conn, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO approval_rule (distributor_id, by_id, at_us) VALUES ($1, $2, $3)
        ON CONFLICT (distributor_id) DO NOTHING";
    DELETE = "DELETE FROM approval_rule WHERE distributor_id = $1";
    FIND = "SELECT by_id, at_us FROM approval_rule WHERE distributor_id = $1";
}

/// A rule that is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleRow {
    /// Who turned it on.
    pub by: Uuid,
    /// When.
    pub at: Timestamp,
}

/// Turns the rule on; `false` when it is on already.
pub async fn insert(tx: &mut Tx, distributor: OrgId, by: Uuid, at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&INSERT, params![distributor, by, at]).await? == 1)
}

/// Turns the rule off; `false` when it is off already.
pub async fn delete(tx: &mut Tx, distributor: OrgId) -> Result<bool, StoreError> {
    Ok(tx.execute(&DELETE, params![distributor]).await? == 1)
}

/// The rule, where it is on.
pub async fn find(conn: &mut Conn, distributor: OrgId) -> Result<Option<RuleRow>, StoreError> {
    let row = conn.fetch_optional(&FIND, params![distributor]).await?;
    row.map(|row| Ok(RuleRow { by: row.uuid("by_id")?, at: row.timestamp("at_us")? })).transpose()
}

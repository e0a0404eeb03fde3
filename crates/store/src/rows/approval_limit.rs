//! Distributors that have two people approve what is above a limit.

use tenure_core::{OrgId, Points, Timestamp};
use uuid::Uuid;

use crate::{Conn, StoreError, Tx, params, statement::statements};

statements! {
    PUT = "INSERT INTO approval_limit (distributor_id, above, by_id, at_us) VALUES ($1, $2, $3, $4)
        ON CONFLICT (distributor_id) DO UPDATE SET above = excluded.above, by_id = excluded.by_id, at_us = excluded.at_us";
    DELETE = "DELETE FROM approval_limit WHERE distributor_id = $1";
    FIND = "SELECT above, by_id, at_us FROM approval_limit WHERE distributor_id = $1";
}

/// A limit that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitRow {
    /// More points than these take two people.
    pub above: Points,
    /// Who set it.
    pub by: Uuid,
    /// When.
    pub at: Timestamp,
}

/// Sets the limit.
pub async fn put(tx: &mut Tx, distributor: OrgId, row: &LimitRow) -> Result<(), StoreError> {
    tx.execute_one(&PUT, params![distributor, row.above, row.by, row.at]).await
}

/// Takes the limit away: one person approves whatever it is.
pub async fn delete(tx: &mut Tx, distributor: OrgId) -> Result<(), StoreError> {
    tx.execute(&DELETE, params![distributor]).await?;
    Ok(())
}

/// The limit, where one is set.
pub async fn find(conn: &mut Conn, distributor: OrgId) -> Result<Option<LimitRow>, StoreError> {
    let row = conn.fetch_optional(&FIND, params![distributor]).await?;
    row.map(|row| {
        Ok(LimitRow { above: row.points("above")?, by: row.uuid("by_id")?, at: row.timestamp("at_us")? })
    })
    .transpose()
}

//! The program's numbers, dated: in force from a period on.

use tenure_core::{Period, Policy};

use crate::{Conn, StoreError, Tx, params, statement::statements};

statements! {
    PUT = "INSERT INTO policy (from_period, body) VALUES ($1, $2)
        ON CONFLICT (from_period) DO UPDATE SET body = excluded.body";
    IN_FORCE = "SELECT body FROM policy WHERE from_period <= $1 ORDER BY from_period DESC LIMIT 1";
    ALL = "SELECT from_period, body FROM policy ORDER BY from_period LIMIT 1000";
}

/// Writes the numbers in force from a period on.
pub async fn put(tx: &mut Tx, from: Period, policy: &Policy) -> Result<(), StoreError> {
    tx.execute_one(&PUT, params![from, serde_json::to_string(policy)?]).await
}

/// The numbers in force in a period; none before the first.
pub async fn in_force(conn: &mut Conn, period: Period) -> Result<Option<Policy>, StoreError> {
    conn.fetch_optional(&IN_FORCE, params![period]).await?.map(|row| row.json("body")).transpose()
}

/// All versions by the period they begin with.
pub async fn all(conn: &mut Conn) -> Result<Vec<(Period, Policy)>, StoreError> {
    let rows = conn.fetch_all(&ALL, params![]).await?;
    rows.iter().map(|row| Ok((row.period("from_period")?, row.json("body")?))).collect()
}

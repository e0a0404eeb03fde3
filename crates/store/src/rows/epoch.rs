//! How each epoch after the first began: with data that went back to an earlier moment.

use tenure_core::{DeploymentId, Timestamp};

use crate::{Conn, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO epoch (epoch, deployment_id, began_us, since_us, why) VALUES ($1, $2, $3, $4, $5)";
    ALL = "SELECT epoch, deployment_id, began_us, since_us, why FROM epoch ORDER BY epoch LIMIT 1000";
    STEP = "UPDATE deployment SET epoch = $1 WHERE one = 1 AND epoch < $1";
}

/// The beginning of an epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochRow {
    /// The epoch.
    pub epoch: u64,
    /// Whose; a copy goes on under another id.
    pub deployment: DeploymentId,
    /// When it began.
    pub began: Timestamp,
    /// The newest moment that the data knew when it began: what came after is lost, or comes again.
    pub since: Timestamp,
    /// Why, in words.
    pub why: String,
}

/// Begins an epoch: it is the deployment's from now on.
pub async fn begin(tx: &mut Tx, row: &EpochRow) -> Result<(), StoreError> {
    tx.execute_one(&STEP, params![row.epoch as i64]).await?;
    tx.execute_one(&INSERT, params![row.epoch as i64, row.deployment, row.began, row.since, row.why.as_str()]).await
}

/// All of them, the first thousand.
pub async fn all(conn: &mut Conn) -> Result<Vec<EpochRow>, StoreError> {
    let rows = conn.fetch_all(&ALL, params![]).await?;
    rows.iter()
        .map(|row| {
            Ok(EpochRow {
                epoch: row.i64("epoch")? as u64,
                deployment: row.id("deployment_id")?,
                began: row.timestamp("began_us")?,
                since: row.timestamp("since_us")?,
                why: row.text("why")?,
            })
        })
        .collect()
}

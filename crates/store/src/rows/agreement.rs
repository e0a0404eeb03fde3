//! Rental agreements between a distributor and a provider.

use tenure_core::{AgreementId, AgreementKind, OrgId, Points, Timestamp};

use super::words;
use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO agreement (provider_id, id, distributor_id, number, kind, commit_milli, limit_milli,
            purchase_order, signed_us, ends_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    FIND = "SELECT provider_id, id, distributor_id, number, kind, commit_milli, limit_milli, purchase_order,
            signed_us, ends_us, terminated_us
        FROM agreement WHERE provider_id = $1 AND id = $2";
    OF_PROVIDER = "SELECT provider_id, id, distributor_id, number, kind, commit_milli, limit_milli, purchase_order,
            signed_us, ends_us, terminated_us
        FROM agreement WHERE provider_id = $1 ORDER BY signed_us, id LIMIT 1000";
    // Either filter is NULL for who sees all.
    PAGE = "SELECT provider_id, id, distributor_id, number, kind, commit_milli, limit_milli, purchase_order,
            signed_us, ends_us, terminated_us
        FROM agreement
        WHERE ($1 IS NULL OR provider_id = $1) AND ($2 IS NULL OR distributor_id = $2) AND id > $3
        ORDER BY id LIMIT $4",
        pg "SELECT provider_id, id, distributor_id, number, kind, commit_milli, limit_milli, purchase_order,
            signed_us, ends_us, terminated_us
        FROM agreement
        WHERE ($1::uuid IS NULL OR provider_id = $1) AND ($2::uuid IS NULL OR distributor_id = $2) AND id > $3
        ORDER BY id LIMIT $4";
    SERVES = "SELECT 1 AS one FROM agreement WHERE distributor_id = $1 AND provider_id = $2 LIMIT 1";
}

/// A rental agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementRow {
    /// Who rents.
    pub provider: OrgId,
    /// Its id.
    pub id: AgreementId,
    /// Who approves and invoices.
    pub distributor: OrgId,
    /// The number people know it by.
    pub number: String,
    /// Its commitment.
    pub kind: AgreementKind,
    /// Minimum points per month.
    pub commit: Points,
    /// Points above this are overage.
    pub limit: Option<Points>,
    /// The provider's purchase order.
    pub purchase_order: String,
    /// When it was signed.
    pub signed: Timestamp,
    /// The first instant it no longer covers, by its term.
    pub ends: Timestamp,
    /// When it was ended early.
    pub terminated: Option<Timestamp>,
}

impl AgreementRow {
    /// The first instant it no longer covers: its term, or its early end.
    pub fn end(&self) -> Timestamp {
        self.terminated.map_or(self.ends, |terminated| terminated.min(self.ends))
    }
}

fn agreement(row: &Row) -> Result<AgreementRow, StoreError> {
    Ok(AgreementRow {
        provider: row.id("provider_id")?,
        id: row.id("id")?,
        distributor: row.id("distributor_id")?,
        number: row.text("number")?,
        kind: words::read(row, "kind")?,
        commit: row.points("commit_milli")?,
        limit: row.opt_points("limit_milli")?,
        purchase_order: row.text("purchase_order")?,
        signed: row.timestamp("signed_us")?,
        ends: row.timestamp("ends_us")?,
        terminated: row.opt_timestamp("terminated_us")?,
    })
}

/// Adds an agreement.
pub async fn insert(tx: &mut Tx, row: &AgreementRow) -> Result<(), StoreError> {
    tx.execute_one(
        &INSERT,
        params![
            row.provider,
            row.id,
            row.distributor,
            &row.number,
            words::text(&row.kind)?,
            row.commit,
            row.limit,
            &row.purchase_order,
            row.signed,
            row.ends
        ],
    )
    .await
}

/// One agreement of a provider.
pub async fn find(conn: &mut Conn, provider: OrgId, id: AgreementId) -> Result<Option<AgreementRow>, StoreError> {
    conn.fetch_optional(&FIND, params![provider, id]).await?.as_ref().map(agreement).transpose()
}

/// All agreements of a provider, oldest first.
pub async fn of_provider(conn: &mut Conn, provider: OrgId) -> Result<Vec<AgreementRow>, StoreError> {
    conn.fetch_all(&OF_PROVIDER, params![provider]).await?.iter().map(agreement).collect()
}

/// Agreements in the order they were added, of a provider, of a distributor or of all, at most `limit`, after `after`.
pub async fn page(
    conn: &mut Conn,
    provider: Option<OrgId>,
    distributor: Option<OrgId>,
    after: Option<AgreementId>,
    limit: u32,
) -> Result<Vec<AgreementRow>, StoreError> {
    let after = after.map_or(uuid::Uuid::nil(), AgreementId::uuid);
    conn.fetch_all(&PAGE, params![provider, distributor, after, limit]).await?.iter().map(agreement).collect()
}

/// Whether a distributor ever had an agreement with a provider.
pub async fn serves(conn: &mut Conn, distributor: OrgId, provider: OrgId) -> Result<bool, StoreError> {
    Ok(conn.fetch_optional(&SERVES, params![distributor, provider]).await?.is_some())
}

//! Rental agreements between a distributor and a provider.

use tenure_core::{AgreementId, AgreementKind, LicenseId, OrgId, Period, Points, Timestamp};

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
    LOCK = "SELECT provider_id, id, distributor_id, number, kind, commit_milli, limit_milli, purchase_order,
            signed_us, ends_us, terminated_us
        FROM agreement WHERE provider_id = $1 AND id = $2",
        pg "SELECT provider_id, id, distributor_id, number, kind, commit_milli, limit_milli, purchase_order,
            signed_us, ends_us, terminated_us
        FROM agreement WHERE provider_id = $1 AND id = $2 FOR UPDATE";
    FIND_BY_ID = "SELECT provider_id, id, distributor_id, number, kind, commit_milli, limit_milli, purchase_order,
            signed_us, ends_us, terminated_us
        FROM agreement WHERE id = $1";
    UPDATE = "UPDATE agreement SET distributor_id = $3, number = $4, purchase_order = $5, ends_us = $6,
            terminated_us = $7
        WHERE provider_id = $1 AND id = $2";
    RUNNING_OF = "SELECT COUNT(*) AS n FROM agreement WHERE distributor_id = $1 AND ends_us > $2
            AND (terminated_us IS NULL OR terminated_us > $2)";
    TERMS = "SELECT from_period, commit_milli, limit_milli FROM agreement_terms
        WHERE provider_id = $1 AND agreement_id = $2 ORDER BY from_period LIMIT 1000";
    PUT_TERMS = "INSERT INTO agreement_terms (provider_id, agreement_id, from_period, commit_milli, limit_milli)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (provider_id, agreement_id, from_period)
        DO UPDATE SET commit_milli = excluded.commit_milli, limit_milli = excluded.limit_milli";
    LICENSES = "SELECT id FROM license WHERE provider_id = $1 AND agreement_id = $2 AND ended_us IS NULL AND id > $3
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

/// One agreement, locked for this transaction.
pub async fn lock(tx: &mut Tx, provider: OrgId, id: AgreementId) -> Result<Option<AgreementRow>, StoreError> {
    tx.fetch_optional(&LOCK, params![provider, id]).await?.as_ref().map(agreement).transpose()
}

/// One agreement of whomever: its parties decide who may see it.
pub async fn find_by_id(conn: &mut Conn, id: AgreementId) -> Result<Option<AgreementRow>, StoreError> {
    conn.fetch_optional(&FIND_BY_ID, params![id]).await?.as_ref().map(agreement).transpose()
}

/// Writes distributor, number, purchase order, end and early end.
pub async fn update(tx: &mut Tx, row: &AgreementRow) -> Result<(), StoreError> {
    tx.execute_one(
        &UPDATE,
        params![
            row.provider,
            row.id,
            row.distributor,
            &row.number,
            &row.purchase_order,
            row.ends,
            row.terminated
        ],
    )
    .await
}

/// How many agreements of a distributor run at `now`.
pub async fn running_of(conn: &mut Conn, distributor: OrgId, now: Timestamp) -> Result<i64, StoreError> {
    conn.fetch_one(&RUNNING_OF, params![distributor, now]).await?.i64("n")
}

/// What an agreement commits to from a month on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatedTerms {
    /// The first month they hold for.
    pub from: Period,
    /// Minimum points per month.
    pub commit: Points,
    /// Points above this are overage.
    pub limit: Option<Points>,
}

/// The terms that came after the agreement's first, by their month.
pub async fn terms(conn: &mut Conn, provider: OrgId, id: AgreementId) -> Result<Vec<DatedTerms>, StoreError> {
    let rows = conn.fetch_all(&TERMS, params![provider, id]).await?;
    let dated = |row: &Row| {
        Ok(DatedTerms {
            from: row.period("from_period")?,
            commit: row.points("commit_milli")?,
            limit: row.opt_points("limit_milli")?,
        })
    };
    rows.iter().map(dated).collect()
}

/// Writes the terms from a month on.
pub async fn put_terms(tx: &mut Tx, provider: OrgId, id: AgreementId, terms: DatedTerms) -> Result<(), StoreError> {
    tx.execute_one(&PUT_TERMS, params![provider, id, terms.from, terms.commit, terms.limit]).await
}

/// An agreement as it stands in a month: with the commitment of that month.
pub async fn find_in(
    conn: &mut Conn,
    provider: OrgId,
    id: AgreementId,
    period: Period,
) -> Result<Option<AgreementRow>, StoreError> {
    let Some(mut row) = find(conn, provider, id).await? else { return Ok(None) };
    if let Some(dated) = terms(conn, provider, id).await?.into_iter().rfind(|dated| dated.from <= period) {
        (row.commit, row.limit) = (dated.commit, dated.limit);
    }
    Ok(Some(row))
}

/// Licenses in force under an agreement, by id, at most `limit`, after `after`.
pub async fn licenses(
    conn: &mut Conn,
    provider: OrgId,
    id: AgreementId,
    after: Option<LicenseId>,
    limit: u32,
) -> Result<Vec<LicenseId>, StoreError> {
    let after = after.map_or(uuid::Uuid::nil(), LicenseId::uuid);
    conn.fetch_all(&LICENSES, params![provider, id, after, limit]).await?.iter().map(|row| row.id("id")).collect()
}

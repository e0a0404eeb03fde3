//! Monthly usages: what one provider owes for one month.

use tenure_core::{
    AgreementId, OrgId, Period, Timestamp, UsageId, cycle::UsageState, reporting::AutomaticReporting,
};
use uuid::Uuid;

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    /// One row per provider and month, opened by whoever comes first (X10).
    OPEN = "INSERT INTO monthly_usage (provider_id, period, id, agreement_id, distributor_id, state, opened_us,
            submissions, reason, purchase_order, comment, auto_submit, due_us, changed_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '', $8, '', $9, $10, $7) ON CONFLICT (provider_id, period) DO NOTHING";
    FIND = "SELECT provider_id, period, id, agreement_id, distributor_id, state, opened_us, submitted_us, submitted_by,
            submissions, decided_us, decided_by, reason, closed_us, purchase_order, comment, auto_submit, due_us,
            vendor_us, vendor_by, approved_us, approved_by, presumed_us, changed_us
        FROM monthly_usage WHERE provider_id = $1 AND period = $2";
    FIND_BY_ID = "SELECT provider_id, period, id, agreement_id, distributor_id, state, opened_us, submitted_us, submitted_by,
            submissions, decided_us, decided_by, reason, closed_us, purchase_order, comment, auto_submit, due_us,
            vendor_us, vendor_by, approved_us, approved_by, presumed_us, changed_us
        FROM monthly_usage WHERE id = $1";
    /// Submit, approve and close decide under this lock (X5).
    LOCK = "SELECT provider_id, period, id, agreement_id, distributor_id, state, opened_us, submitted_us, submitted_by,
            submissions, decided_us, decided_by, reason, closed_us, purchase_order, comment, auto_submit, due_us,
            vendor_us, vendor_by, approved_us, approved_by, presumed_us, changed_us
        FROM monthly_usage WHERE provider_id = $1 AND period = $2",
        pg "SELECT provider_id, period, id, agreement_id, distributor_id, state, opened_us, submitted_us, submitted_by,
            submissions, decided_us, decided_by, reason, closed_us, purchase_order, comment, auto_submit, due_us,
            vendor_us, vendor_by, approved_us, approved_by, presumed_us, changed_us
        FROM monthly_usage WHERE provider_id = $1 AND period = $2 FOR UPDATE";
    /// What products send is taken under this lock (X5).
    SHARE = "SELECT provider_id, period, id, agreement_id, distributor_id, state, opened_us, submitted_us, submitted_by,
            submissions, decided_us, decided_by, reason, closed_us, purchase_order, comment, auto_submit, due_us,
            vendor_us, vendor_by, approved_us, approved_by, presumed_us, changed_us
        FROM monthly_usage WHERE provider_id = $1 AND period = $2",
        pg "SELECT provider_id, period, id, agreement_id, distributor_id, state, opened_us, submitted_us, submitted_by,
            submissions, decided_us, decided_by, reason, closed_us, purchase_order, comment, auto_submit, due_us,
            vendor_us, vendor_by, approved_us, approved_by, presumed_us, changed_us
        FROM monthly_usage WHERE provider_id = $1 AND period = $2 FOR SHARE";
    OF_PROVIDER = "SELECT provider_id, period, id, agreement_id, distributor_id, state, opened_us, submitted_us, submitted_by,
            submissions, decided_us, decided_by, reason, closed_us, purchase_order, comment, auto_submit, due_us,
            vendor_us, vendor_by, approved_us, approved_by, presumed_us, changed_us
        FROM monthly_usage WHERE provider_id = $1 AND period < $2 ORDER BY period DESC LIMIT $3";
    OF_DISTRIBUTOR = "SELECT provider_id, period, id, agreement_id, distributor_id, state, opened_us, submitted_us, submitted_by,
            submissions, decided_us, decided_by, reason, closed_us, purchase_order, comment, auto_submit, due_us,
            vendor_us, vendor_by, approved_us, approved_by, presumed_us, changed_us
        FROM monthly_usage WHERE distributor_id = $1 AND (period, provider_id) < ($2, $3)
        ORDER BY period DESC, provider_id DESC LIMIT $4";
    OF_ALL = "SELECT provider_id, period, id, agreement_id, distributor_id, state, opened_us, submitted_us, submitted_by,
            submissions, decided_us, decided_by, reason, closed_us, purchase_order, comment, auto_submit, due_us,
            vendor_us, vendor_by, approved_us, approved_by, presumed_us, changed_us
        FROM monthly_usage WHERE (period, provider_id) < ($1, $2) ORDER BY period DESC, provider_id DESC LIMIT $3";
    WAITING_FOR_DISTRIBUTOR = "SELECT provider_id, period, id, agreement_id, distributor_id, state, opened_us, submitted_us, submitted_by,
            submissions, decided_us, decided_by, reason, closed_us, purchase_order, comment, auto_submit, due_us,
            vendor_us, vendor_by, approved_us, approved_by, presumed_us, changed_us
        FROM monthly_usage WHERE distributor_id = $1 AND state = 'PendingDistributorReview' AND (period, provider_id) > ($2, $3)
        ORDER BY period, provider_id LIMIT $4";
    WAITING = "SELECT provider_id, period, id, agreement_id, distributor_id, state, opened_us, submitted_us, submitted_by,
            submissions, decided_us, decided_by, reason, closed_us, purchase_order, comment, auto_submit, due_us,
            vendor_us, vendor_by, approved_us, approved_by, presumed_us, changed_us
        FROM monthly_usage WHERE state = 'PendingDistributorReview' AND (period, provider_id) > ($1, $2)
        ORDER BY period, provider_id LIMIT $3";
    /// Months of a distributor whose first submission was not in by the deadline, newest first.
    MISSED = "SELECT m.provider_id, m.period, m.id, m.agreement_id, m.distributor_id, m.state, m.opened_us, m.submitted_us, m.submitted_by,
            m.submissions, m.decided_us, m.decided_by, m.reason, m.closed_us, m.purchase_order, m.comment, m.auto_submit, m.due_us,
            m.vendor_us, m.vendor_by, m.approved_us, m.approved_by, m.presumed_us, m.changed_us, s.at_us AS first_us
        FROM monthly_usage m LEFT JOIN submission s
            ON s.provider_id = m.provider_id AND s.period = m.period AND s.number = 1
        WHERE m.distributor_id = $1 AND (m.period, m.provider_id) < ($2, $3) AND m.due_us <= $4
            AND (s.at_us IS NULL OR s.at_us >= m.due_us)
        ORDER BY m.period DESC, m.provider_id DESC LIMIT $5";
    MISSED_OF_ALL = "SELECT m.provider_id, m.period, m.id, m.agreement_id, m.distributor_id, m.state, m.opened_us, m.submitted_us, m.submitted_by,
            m.submissions, m.decided_us, m.decided_by, m.reason, m.closed_us, m.purchase_order, m.comment, m.auto_submit, m.due_us,
            m.vendor_us, m.vendor_by, m.approved_us, m.approved_by, m.presumed_us, m.changed_us, s.at_us AS first_us
        FROM monthly_usage m LEFT JOIN submission s
            ON s.provider_id = m.provider_id AND s.period = m.period AND s.number = 1
        WHERE (m.period, m.provider_id) < ($1, $2) AND m.due_us <= $3
            AND (s.at_us IS NULL OR s.at_us >= m.due_us)
        ORDER BY m.period DESC, m.provider_id DESC LIMIT $4";
    OF_PERIOD = "SELECT provider_id, period, id, agreement_id, distributor_id, state, opened_us, submitted_us, submitted_by,
            submissions, decided_us, decided_by, reason, closed_us, purchase_order, comment, auto_submit, due_us,
            vendor_us, vendor_by, approved_us, approved_by, presumed_us, changed_us
        FROM monthly_usage WHERE period = $1 AND provider_id > $2 ORDER BY provider_id LIMIT $3";
    OPEN_OF_ALL = "SELECT provider_id, period, id, agreement_id, distributor_id, state, opened_us, submitted_us, submitted_by,
            submissions, decided_us, decided_by, reason, closed_us, purchase_order, comment, auto_submit, due_us,
            vendor_us, vendor_by, approved_us, approved_by, presumed_us, changed_us
        FROM monthly_usage WHERE state <> 'Closed' AND (provider_id, period) > ($1, $2)
        ORDER BY provider_id, period LIMIT $3";
    /// Providers with a license that was assigned before a month ended, and no monthly usage of it yet; and whether
    /// somebody has to account for it, or something is billed in it.
    TO_OPEN = "SELECT o.id, CASE WHEN EXISTS (SELECT 1 FROM obligation b
                WHERE b.provider_id = o.id AND b.period = $2) THEN 1
            WHEN EXISTS (SELECT 1 FROM correction c WHERE c.provider_id = o.id AND c.period = $2) THEN 1
            WHEN EXISTS (SELECT 1 FROM hand_correction h WHERE h.provider_id = o.id AND h.period = $2) THEN 1
            ELSE 0 END AS owed
        FROM org o WHERE o.kind = 'provider' AND o.id > $1
            AND EXISTS (SELECT 1 FROM license l WHERE l.provider_id = o.id AND l.assigned_us < $3)
            AND NOT EXISTS (SELECT 1 FROM monthly_usage m WHERE m.provider_id = o.id AND m.period = $2)
        ORDER BY o.id LIMIT $4";
    FIRST_LICENSE = "SELECT min(assigned_us) AS at FROM license WHERE provider_id = $1";
    FIRST_LICENSE_OF_ALL = "SELECT min(assigned_us) AS at FROM license";
    /// How the licenses that a provider held in a month report.
    REPORTING = "SELECT DISTINCT reporting FROM license WHERE provider_id = $1 AND assigned_us < $2
            AND (ended_us IS NULL OR ended_us >= $3)";
    UPDATE = "UPDATE monthly_usage SET state = $3, submitted_us = $4, submitted_by = $5, submissions = $6,
            decided_us = $7, decided_by = $8, reason = $9, closed_us = $10, purchase_order = $11, comment = $12,
            auto_submit = $13, vendor_us = $14, vendor_by = $15, presumed_us = $16,
            changed_us = $17, approved_us = $18, approved_by = $19
        WHERE provider_id = $1 AND period = $2";
}

/// A monthly usage.
#[derive(Debug, Clone)]
pub struct UsageRow {
    /// Whose.
    pub provider: OrgId,
    /// Which month.
    pub period: Period,
    /// Its id.
    pub id: UsageId,
    /// The agreement it is billed under.
    pub agreement: AgreementId,
    /// Who approves it.
    pub distributor: OrgId,
    /// Where it stands.
    pub state: UsageState,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it was last submitted.
    pub submitted: Option<Timestamp>,
    /// Who submitted it; nil for a job.
    pub submitted_by: Option<Uuid>,
    /// How often it was submitted.
    pub submissions: u32,
    /// When the distributor last decided.
    pub decided: Option<Timestamp>,
    /// Who decided.
    pub decided_by: Option<Uuid>,
    /// Why it was rejected, or closed by the vendor.
    pub reason: String,
    /// When it was closed.
    pub closed: Option<Timestamp>,
    /// The provider's purchase order.
    pub purchase_order: String,
    /// The provider's words to the distributor.
    pub comment: String,
    /// Whether it is submitted by itself when nothing is missing or flagged.
    pub auto_submit: bool,
    /// The end of the day by which the provider submits.
    pub due: Timestamp,
    /// When the vendor consented to lowered figures.
    pub vendor: Option<Timestamp>,
    /// Who consented.
    pub vendor_by: Option<Uuid>,
    /// When the first of two people approved it.
    pub approved: Option<Timestamp>,
    /// Who that was.
    pub approved_by: Option<Uuid>,
    /// Since when it counts as Closed for extensions though nobody decided.
    pub presumed: Option<Timestamp>,
    /// The last change by a person.
    pub changed: Timestamp,
}

fn state(row: &Row) -> Result<UsageState, StoreError> {
    UsageState::from_name(&row.text("state")?).ok_or(StoreError::Corrupt { what: "the state of a monthly usage" })
}

fn read(row: &Row) -> Result<UsageRow, StoreError> {
    Ok(UsageRow {
        provider: row.id("provider_id")?,
        period: row.period("period")?,
        id: row.id("id")?,
        agreement: row.id("agreement_id")?,
        distributor: row.id("distributor_id")?,
        state: state(row)?,
        opened: row.timestamp("opened_us")?,
        submitted: row.opt_timestamp("submitted_us")?,
        submitted_by: row.opt_uuid("submitted_by")?,
        submissions: row.i64("submissions")? as u32,
        decided: row.opt_timestamp("decided_us")?,
        decided_by: row.opt_uuid("decided_by")?,
        reason: row.text("reason")?,
        closed: row.opt_timestamp("closed_us")?,
        purchase_order: row.text("purchase_order")?,
        comment: row.text("comment")?,
        auto_submit: row.bool("auto_submit")?,
        due: row.timestamp("due_us")?,
        vendor: row.opt_timestamp("vendor_us")?,
        vendor_by: row.opt_uuid("vendor_by")?,
        approved: row.opt_timestamp("approved_us")?,
        approved_by: row.opt_uuid("approved_by")?,
        presumed: row.opt_timestamp("presumed_us")?,
        changed: row.timestamp("changed_us")?,
    })
}

fn read_all(rows: Vec<Row>) -> Result<Vec<UsageRow>, StoreError> {
    rows.iter().map(read).collect()
}

/// Opens a month; `false` when it is open already.
pub async fn open(tx: &mut Tx, row: &UsageRow) -> Result<bool, StoreError> {
    let parameters = params![
        row.provider,
        row.period,
        row.id,
        row.agreement,
        row.distributor,
        row.state.name(),
        row.opened,
        row.purchase_order.as_str(),
        row.auto_submit,
        row.due
    ];
    Ok(tx.execute(&OPEN, parameters).await? == 1)
}

/// A provider's month.
pub async fn find(conn: &mut Conn, provider: OrgId, period: Period) -> Result<Option<UsageRow>, StoreError> {
    conn.fetch_optional(&FIND, params![provider, period]).await?.as_ref().map(read).transpose()
}

/// A monthly usage by its id.
pub async fn find_by_id(conn: &mut Conn, id: UsageId) -> Result<Option<UsageRow>, StoreError> {
    conn.fetch_optional(&FIND_BY_ID, params![id]).await?.as_ref().map(read).transpose()
}

/// A provider's month, locked for this transaction against whatever else would change it.
pub async fn lock(tx: &mut Tx, provider: OrgId, period: Period) -> Result<Option<UsageRow>, StoreError> {
    tx.fetch_optional(&LOCK, params![provider, period]).await?.as_ref().map(read).transpose()
}

/// A provider's month, held as it is for this transaction; several may hold it at once.
pub async fn share(tx: &mut Tx, provider: OrgId, period: Period) -> Result<Option<UsageRow>, StoreError> {
    tx.fetch_optional(&SHARE, params![provider, period]).await?.as_ref().map(read).transpose()
}

/// A provider's months before `before`, newest first.
pub async fn of_provider(
    conn: &mut Conn,
    provider: OrgId,
    before: Period,
    limit: i64,
) -> Result<Vec<UsageRow>, StoreError> {
    read_all(conn.fetch_all(&OF_PROVIDER, params![provider, before, limit]).await?)
}

/// A distributor's months before a cursor, newest first.
pub async fn of_distributor(
    conn: &mut Conn,
    distributor: OrgId,
    before: (Period, OrgId),
    limit: i64,
) -> Result<Vec<UsageRow>, StoreError> {
    read_all(conn.fetch_all(&OF_DISTRIBUTOR, params![distributor, before.0, before.1, limit]).await?)
}

/// All months before a cursor, newest first: the vendor's list.
pub async fn of_all(conn: &mut Conn, before: (Period, OrgId), limit: i64) -> Result<Vec<UsageRow>, StoreError> {
    read_all(conn.fetch_all(&OF_ALL, params![before.0, before.1, limit]).await?)
}

/// Months that wait for a decision after a cursor, oldest first; of one distributor, or of all.
pub async fn waiting(
    conn: &mut Conn,
    distributor: Option<OrgId>,
    after: (Period, OrgId),
    limit: i64,
) -> Result<Vec<UsageRow>, StoreError> {
    let rows = match distributor {
        Some(distributor) => {
            conn.fetch_all(&WAITING_FOR_DISTRIBUTOR, params![distributor, after.0, after.1, limit]).await?
        }
        None => conn.fetch_all(&WAITING, params![after.0, after.1, limit]).await?,
    };
    read_all(rows)
}

/// One month of all providers after a cursor, in key order.
pub async fn of_period(
    conn: &mut Conn,
    period: Period,
    after: OrgId,
    limit: i64,
) -> Result<Vec<UsageRow>, StoreError> {
    read_all(conn.fetch_all(&OF_PERIOD, params![period, after, limit]).await?)
}

/// Providers after a cursor that had a license by the end of a month and have no monthly usage of it; and whether the month
/// is owed whatever their agreements say.
pub async fn to_open(
    conn: &mut Conn,
    after: OrgId,
    period: Period,
    limit: i64,
) -> Result<Vec<(OrgId, bool)>, StoreError> {
    let rows = conn.fetch_all(&TO_OPEN, params![after, period, period.end(), limit]).await?;
    rows.iter().map(|row| Ok((row.id("id")?, row.i64("owed")? != 0))).collect()
}

/// When a provider's first license was assigned.
pub async fn first_license(conn: &mut Conn, provider: OrgId) -> Result<Option<Timestamp>, StoreError> {
    conn.fetch_one(&FIRST_LICENSE, params![provider]).await?.opt_timestamp("at")
}

/// When the first license of all was assigned.
pub async fn first_license_of_all(conn: &mut Conn) -> Result<Option<Timestamp>, StoreError> {
    conn.fetch_one(&FIRST_LICENSE_OF_ALL, params![]).await?.opt_timestamp("at")
}

/// How the licenses report that a provider held in a month, each way once.
pub async fn reporting(
    conn: &mut Conn,
    provider: OrgId,
    period: Period,
) -> Result<Vec<AutomaticReporting>, StoreError> {
    let rows = conn.fetch_all(&REPORTING, params![provider, period.end(), period.start()]).await?;
    rows.iter()
        .map(|row| {
            AutomaticReporting::from_name(&row.text("reporting")?)
                .ok_or(StoreError::Corrupt { what: "the state of automatic reporting" })
        })
        .collect()
}

/// Writes what changed of a month; the caller holds its lock.
pub async fn update(tx: &mut Tx, row: &UsageRow) -> Result<(), StoreError> {
    let parameters = params![
        row.provider,
        row.period,
        row.state.name(),
        row.submitted,
        row.submitted_by,
        row.submissions,
        row.decided,
        row.decided_by,
        row.reason.as_str(),
        row.closed,
        row.purchase_order.as_str(),
        row.comment.as_str(),
        row.auto_submit,
        row.vendor,
        row.vendor_by,
        row.presumed,
        row.changed,
        row.approved,
        row.approved_by
    ];
    tx.execute_one(&UPDATE, parameters).await
}

/// Months that are not Closed, by provider and month, at most `limit`, after one.
pub async fn open_of_all(
    conn: &mut Conn,
    after: (OrgId, Period),
    limit: u32,
) -> Result<Vec<UsageRow>, StoreError> {
    read_all(conn.fetch_all(&OPEN_OF_ALL, params![after.0, after.1, limit]).await?)
}

/// Months whose first submission was not in by the deadline, before a cursor, newest first, with when it came after all; of
/// one distributor, or of all.
pub async fn missed(
    conn: &mut Conn,
    distributor: Option<OrgId>,
    before: (Period, OrgId),
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(UsageRow, Option<Timestamp>)>, StoreError> {
    let rows = match distributor {
        Some(distributor) => {
            conn.fetch_all(&MISSED, params![distributor, before.0, before.1, now, limit]).await?
        }
        None => conn.fetch_all(&MISSED_OF_ALL, params![before.0, before.1, now, limit]).await?,
    };
    rows.iter().map(|row| Ok((read(row)?, row.opt_timestamp("first_us")?))).collect()
}

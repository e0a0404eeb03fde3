//! Opening a month: by the job on the 1st or by the first report that arrives, whichever is first (X10).

use serde_json::json;
use tenure_core::{OrgId, Period, UsageId, cycle::UsageState, deadline::provider_deadline};
use tenure_store::{
    Conn, Tx,
    rows::{
        agreement::{self, AgreementRow},
        monthly_usage::{self, UsageRow},
        site_part,
    },
};

use crate::{Error, Result, Service, agreements, change};

/// The provider's month, opened if it was not, and held as it is for this transaction.
pub(crate) async fn ensure(service: &Service, tx: &mut Tx, provider: OrgId, period: Period) -> Result<UsageRow> {
    if let Some(row) = monthly_usage::share(tx, provider, period).await? {
        return Ok(row);
    }
    open(service, tx, provider, period).await?;
    let row = monthly_usage::share(tx, provider, period).await?;
    row.ok_or(Error::Internal("a month that was opened is not there"))
}

/// Opens the month; `false` when it was open.
pub(crate) async fn open(service: &Service, tx: &mut Tx, provider: OrgId, period: Period) -> Result<bool> {
    let (now, policy) = (service.now(), service.policy_of(period));
    let agreements = agreement::of_provider(tx, provider).await?;
    let agreement = billed_under(&agreements, period).ok_or(Error::Internal("a month of no agreement"))?;
    let reporting = monthly_usage::reporting(tx, provider, period).await?;
    let by_hand = reporting.into_iter().any(tenure_core::reporting::AutomaticReporting::is_by_hand);
    let before = monthly_usage::find(tx, provider, period.prev()).await?;
    let row = UsageRow {
        provider,
        period,
        id: UsageId::generate(now, service.rng()),
        agreement: agreement.id,
        distributor: agreement.distributor,
        state: UsageState::Collecting,
        opened: now,
        submitted: None,
        submitted_by: None,
        submissions: 0,
        decided: None,
        decided_by: None,
        reason: String::new(),
        closed: None,
        purchase_order: agreement.purchase_order.clone(),
        comment: String::new(),
        // Asked for once, it stays so.
        auto_submit: before.is_some_and(|before| before.auto_submit),
        due: provider_deadline(period, by_hand, policy),
        vendor: None,
        vendor_by: None,
        approved: None,
        approved_by: None,
        presumed: None,
        changed: now,
    };
    if !monthly_usage::open(tx, &row).await? {
        return Ok(false);
    }
    site_part::open(tx, provider, period).await?;
    let body = json!({ "period": period, "due": row.due, "distributor": row.distributor });
    change::record(tx, "server", provider, "usage.opened", row.id.to_string(), now, body);
    Ok(true)
}

/// The agreement a month is billed under: the newest that runs in it; without one, the one that ended last.
pub(crate) fn billed_under(agreements: &[AgreementRow], period: Period) -> Option<&AgreementRow> {
    let running = agreements.iter().filter(|row| agreements::terms(row).covers(period));
    let newest = running.max_by_key(|row| (row.signed, row.id));
    newest.or_else(|| agreements.iter().max_by_key(|row| (row.end(), row.id)))
}

/// Whether a provider owes a month under any of its agreements ("Totals").
pub(crate) async fn is_owed(conn: &mut Conn, provider: OrgId, period: Period) -> Result<bool> {
    let agreements = agreement::of_provider(conn, provider).await?;
    Ok(agreements.iter().any(|row| agreements::terms(row).covers(period)))
}

/// Until when the last of a provider's agreements owes months; none without one.
pub(crate) fn last_owed(agreements: &[AgreementRow]) -> Option<Period> {
    agreements.iter().map(|row| agreements::terms(row).last_period()).max()
}

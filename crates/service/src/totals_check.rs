//! What was signed, computed again (X11): a difference is an alarm, never a silent repair.

use tenure_core::{OrgId, Period, Points, Timestamp};
use tenure_store::{
    Conn,
    rows::{agreement, monthly_usage, submission},
};

use crate::{
    Result, Service, agreements,
    month::{hash_of, read_signed},
};

/// Months looked at in one read.
const MONTHS: i64 = 100;

/// A submission whose stored parts do not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotalsDifference {
    /// Whose.
    pub provider: OrgId,
    /// Which month.
    pub period: Period,
    /// Which submission.
    pub number: u32,
    /// What disagrees, in one sentence.
    pub what: String,
}

/// Computes every submission's hash and totals from its lines again, and holds the receipt against them; `Err` only when the
/// store fails.
///
/// # Errors
/// When the store fails.
pub async fn check_totals(service: &Service) -> Result<Vec<TotalsDifference>> {
    let mut found = Vec::new();
    let mut before = (Period::of(service.now()), OrgId::from_uuid(uuid::Uuid::nil()));
    loop {
        let mut read = service.store().read().await?;
        let months = monthly_usage::of_all(&mut read, before, MONTHS).await?;
        for month in &months {
            of_month(&mut read, month, &mut found).await?;
        }
        match months.last() {
            Some(last) if months.len() as i64 == MONTHS => before = (last.period, last.provider),
            _ => return Ok(found),
        }
    }
}

async fn of_month(conn: &mut Conn, month: &monthly_usage::UsageRow, found: &mut Vec<TotalsDifference>) -> Result<()> {
    let (provider, period) = (month.provider, month.period);
    let Some(terms) = agreement::find(conn, provider, month.agreement).await? else { return Ok(()) };
    for head in submission::of_month(conn, provider, period).await? {
        let Some(row) = submission::find(conn, provider, period, head.number).await? else { continue };
        let mut differs = |what: String| {
            found.push(TotalsDifference { provider, period, number: head.number, what });
        };
        let Ok(lines) = read_signed(&row.lines) else {
            differs("its lines cannot be read".to_owned());
            continue;
        };
        if hash_of(&row.lines) != row.lines_hash {
            differs("its lines are not those of its hash".to_owned());
        }
        let agreement = agreements::terms(&terms);
        let mut of_agreement = agreement.terms();
        if period > agreement.last_period() {
            of_agreement.commit = Points::ZERO;
        }
        let totals = tenure_core::totals::totals(lines.iter().map(|line| line.points), &of_agreement, period);
        if totals.reported != row.reported {
            differs(format!("its lines come to {} points, and {} were signed", totals.reported, row.reported));
        }
        let receipt: Option<tenure_license::payload::Receipt> = serde_json::from_slice(&row.receipt).ok();
        match receipt {
            Some(receipt) if receipt.hash.as_bytes() == &row.lines_hash && is_of(&receipt, row.at) => {}
            _ => differs("its receipt is of something else".to_owned()),
        }
    }
    Ok(())
}

fn is_of(receipt: &tenure_license::payload::Receipt, at: Timestamp) -> bool {
    receipt.received_at == at.as_secs()
}

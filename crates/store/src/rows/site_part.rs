//! Sites' parts of a monthly usage.

use tenure_core::{OrgId, Period, SiteId, Timestamp};
use uuid::Uuid;

use crate::{Conn, StoreError, Tx, params, statement::statements};

statements! {
    OPEN = "INSERT INTO site_part (provider_id, period, site_id, returned_reason)
        SELECT provider_id, $2, id, '' FROM site WHERE provider_id = $1 AND closed_us IS NULL
        ON CONFLICT (provider_id, period, site_id) DO NOTHING";
    SUBMIT = "UPDATE site_part SET submitted_us = $4, submitted_by = $5, returned_reason = ''
        WHERE provider_id = $1 AND period = $2 AND site_id = $3 AND submitted_us IS NULL";
    RETURN = "UPDATE site_part SET submitted_us = NULL, submitted_by = NULL, returned_reason = $4
        WHERE provider_id = $1 AND period = $2 AND site_id = $3 AND submitted_us IS NOT NULL";
    OF_MONTH = "SELECT p.site_id, s.name, p.submitted_us, p.submitted_by, p.returned_reason
        FROM site_part p JOIN site s ON s.provider_id = p.provider_id AND s.id = p.site_id
        WHERE p.provider_id = $1 AND p.period = $2 ORDER BY s.name, p.site_id";
}

/// A site's part.
#[derive(Debug, Clone)]
pub struct SitePartRow {
    /// The site.
    pub site: SiteId,
    /// The site's name.
    pub name: String,
    /// When its part came in.
    pub submitted: Option<Timestamp>,
    /// Who sent it in.
    pub submitted_by: Option<Uuid>,
    /// Why it was returned; empty unless it was.
    pub returned_reason: String,
}

/// Makes a part for each of the provider's sites.
pub async fn open(tx: &mut Tx, provider: OrgId, period: Period) -> Result<u64, StoreError> {
    tx.execute(&OPEN, params![provider, period]).await
}

/// Takes a part in; `false` when it is in already, or there is no such part.
pub async fn submit(
    tx: &mut Tx,
    provider: OrgId,
    period: Period,
    site: SiteId,
    at: Timestamp,
    by: Uuid,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&SUBMIT, params![provider, period, site, at, by]).await? == 1)
}

/// Gives a part back; `false` when it is not in.
pub async fn give_back(
    tx: &mut Tx,
    provider: OrgId,
    period: Period,
    site: SiteId,
    reason: &str,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&RETURN, params![provider, period, site, reason]).await? == 1)
}

/// All parts of a provider's month, by the sites' names.
pub async fn of_month(conn: &mut Conn, provider: OrgId, period: Period) -> Result<Vec<SitePartRow>, StoreError> {
    let rows = conn.fetch_all(&OF_MONTH, params![provider, period]).await?;
    rows.iter()
        .map(|row| {
            Ok(SitePartRow {
                site: row.id("site_id")?,
                name: row.text("name")?,
                submitted: row.opt_timestamp("submitted_us")?,
                submitted_by: row.opt_uuid("submitted_by")?,
                returned_reason: row.text("returned_reason")?,
            })
        })
        .collect()
}

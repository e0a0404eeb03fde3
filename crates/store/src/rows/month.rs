//! What a month is computed from besides its own rows: licenses held in it, who had what the month before, names.

use tenure_core::{
    CompanyId, InstallationId, LicenseId, OrgId, Period, ProductId, SiteId, Timestamp, reporting::AutomaticReporting,
};
use uuid::Uuid;

use super::template::WorkloadCount;
use crate::{Conn, StoreError, json_rows, params, statement::statements};

statements! {
    /// Licenses held in a month or owed for it, with their customers' names. What changed after the month's end is read as
    /// it stood then: the first row of what a license was that reaches to the end.
    LICENSES = "SELECT l.id, l.product_id, CASE WHEN b.until_us IS NULL THEN l.company_id ELSE b.company_id END
                AS company_id, c.name AS company,
            coalesce(CASE WHEN b.until_us IS NULL THEN l.site_id ELSE b.site_id END, c.site_id) AS site_id,
            l.description, coalesce(b.workloads, l.workloads) AS workloads, l.reporting, l.anchor_us, l.assigned_us,
            l.ended_us, l.shadow_period
        FROM license l
        LEFT JOIN license_before b ON b.provider_id = l.provider_id AND b.license_id = l.id
            AND b.until_us = (SELECT min(x.until_us) FROM license_before x
                WHERE x.provider_id = l.provider_id AND x.license_id = l.id AND x.until_us >= $3)
        LEFT JOIN company c ON c.provider_id = l.provider_id
            AND c.id = CASE WHEN b.until_us IS NULL THEN l.company_id ELSE b.company_id END
        WHERE l.provider_id = $1
            AND (l.assigned_us < $3 AND (l.ended_us IS NULL OR l.ended_us >= $4) OR EXISTS (SELECT 1 FROM obligation o
                WHERE o.provider_id = l.provider_id AND o.license_id = l.id AND o.period = $2))
        ORDER BY l.id";
    LICENSE = "SELECT l.id, l.product_id, l.company_id, c.name AS company, coalesce(l.site_id, c.site_id) AS site_id,
            l.description, l.workloads, l.reporting, l.anchor_us, l.assigned_us, l.ended_us, l.shadow_period
        FROM license l
        LEFT JOIN company c ON c.provider_id = l.provider_id AND c.id = l.company_id
        WHERE l.provider_id = $1 AND l.id = $2";
    HOLDERS = "SELECT installation_id, license_id, product_id, company_id FROM obligation
        WHERE provider_id = $1 AND period = $2";
    /// The same for one license's product and customer.
    HOLDERS_OF_PRODUCT = "SELECT installation_id, license_id, product_id, company_id FROM obligation
        WHERE provider_id = $1 AND period = $2 AND product_id = $3";
    /// CROSS JOIN, so that SQLite begins with the licenses held in the month.
    EXTENDED = "SELECT e.license_id FROM license l CROSS JOIN extension e
        WHERE l.provider_id = $1 AND (l.assigned_us < $3 OR EXISTS (SELECT 1 FROM obligation o
                WHERE o.provider_id = l.provider_id AND o.license_id = l.id AND o.period = $2))
            AND e.provider_id = l.provider_id AND e.license_id = l.id AND e.period = $2";
    NAMES = "SELECT p.id, p.name FROM person p JOIN json_each($1) w ON p.id = unhex(w.value)
        UNION ALL SELECT t.id, t.name FROM api_token t JOIN json_each($1) w ON t.id = unhex(w.value)",
        pg "SELECT p.id, p.name FROM person p JOIN json_array_elements_text($1::json) w ON p.id = w::uuid
        UNION ALL SELECT t.id, t.name FROM api_token t JOIN json_array_elements_text($1::json) w ON t.id = w::uuid";
    COMPANIES = "SELECT id, name FROM company WHERE provider_id = $1 AND id IN (SELECT unhex(value) FROM json_each($2))",
        pg "SELECT id, name FROM company WHERE provider_id = $1
            AND id IN (SELECT w::uuid FROM json_array_elements_text($2::json) w)";
    CHANGES = "SELECT at_us, actor, verb, body FROM audit_entry
        WHERE org = $1 AND at_us > $2 AND subject = $3 ORDER BY at_us, id LIMIT $4";
}

/// A license as a month sees it.
#[derive(Debug, Clone)]
pub struct HeldLicenseRow {
    /// Its id.
    pub id: LicenseId,
    /// Its product.
    pub product: ProductId,
    /// The customer that holds it; none when the provider itself does.
    pub company: Option<CompanyId>,
    /// The customer's name.
    pub company_name: Option<String>,
    /// The site it belongs to, its own or its customer's.
    pub site: Option<SiteId>,
    /// The provider's own words.
    pub description: String,
    /// What it licenses.
    pub workloads: Vec<WorkloadCount>,
    /// Where automatic reporting stands.
    pub reporting: AutomaticReporting,
    /// What its automatic validity is counted from.
    pub anchor: Option<Timestamp>,
    /// When it was assigned.
    pub assigned: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The whole period whose products' figures are shown beside the manual one, which counts.
    pub shadow: Option<Period>,
}

/// Who had to account for a month, under which license and customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HolderRow {
    /// The installation.
    pub installation: InstallationId,
    /// Its license at the month's end.
    pub license: LicenseId,
    /// The product.
    pub product: ProductId,
    /// The customer.
    pub company: Option<CompanyId>,
}

/// A change that somebody made.
#[derive(Debug, Clone)]
pub struct ChangeRow {
    /// When.
    pub at: Timestamp,
    /// Who, as the audit log names it.
    pub actor: String,
    /// What was done.
    pub verb: String,
    /// The particulars: null where they were erased.
    pub body: serde_json::Value,
}

fn held(row: &crate::Row) -> Result<HeldLicenseRow, StoreError> {
    let reporting = AutomaticReporting::from_name(&row.text("reporting")?);
    Ok(HeldLicenseRow {
        id: row.id("id")?,
        product: row.id("product_id")?,
        company: row.opt_id("company_id")?,
        company_name: row.opt_text("company")?,
        site: row.opt_id("site_id")?,
        description: row.text("description")?,
        workloads: row.json("workloads")?,
        reporting: reporting.ok_or(StoreError::Corrupt { what: "a state of automatic reporting" })?,
        anchor: row.opt_timestamp("anchor_us")?,
        assigned: row.timestamp("assigned_us")?,
        ended: row.opt_timestamp("ended_us")?,
        shadow: row.opt_period("shadow_period")?,
    })
}

/// The licenses a provider held in a month, by id, and others that are owed for it: ended ones, and those that a server
/// which was lost got later.
pub async fn licenses(conn: &mut Conn, provider: OrgId, period: Period) -> Result<Vec<HeldLicenseRow>, StoreError> {
    let parameters = params![provider, period, period.end(), period.start()];
    conn.fetch_all(&LICENSES, parameters).await?.iter().map(held).collect()
}

/// One license as a month sees it.
pub async fn license(
    conn: &mut Conn,
    provider: OrgId,
    id: LicenseId,
) -> Result<Option<HeldLicenseRow>, StoreError> {
    conn.fetch_optional(&LICENSE, params![provider, id]).await?.as_ref().map(held).transpose()
}

/// Who had to account for a provider's month; of one product, or of all.
pub async fn holders(
    conn: &mut Conn,
    provider: OrgId,
    period: Period,
    product: Option<ProductId>,
) -> Result<Vec<HolderRow>, StoreError> {
    let rows = match product {
        Some(product) => conn.fetch_all(&HOLDERS_OF_PRODUCT, params![provider, period, product]).await?,
        None => conn.fetch_all(&HOLDERS, params![provider, period]).await?,
    };
    rows.iter()
        .map(|row| {
            Ok(HolderRow {
                installation: row.id("installation_id")?,
                license: row.id("license_id")?,
                product: row.id("product_id")?,
                company: row.opt_id("company_id")?,
            })
        })
        .collect()
}

/// The licenses that a month extended.
pub async fn extended(conn: &mut Conn, provider: OrgId, period: Period) -> Result<Vec<LicenseId>, StoreError> {
    let rows = conn.fetch_all(&EXTENDED, params![provider, period, period.end()]).await?;
    rows.iter().map(|row| row.id("license_id")).collect()
}

/// Names of people and tokens, those that exist.
pub async fn names(conn: &mut Conn, ids: &[Uuid]) -> Result<Vec<(Uuid, String)>, StoreError> {
    let ids: Vec<String> = ids.iter().map(|id| id.simple().to_string()).collect();
    let rows = conn.fetch_all(&NAMES, params![json_rows(&ids)?]).await?;
    rows.iter().map(|row| Ok((row.uuid("id")?, row.text("name")?))).collect()
}

/// Names of a provider's companies, those that exist.
pub async fn companies(
    conn: &mut Conn,
    provider: OrgId,
    ids: &[CompanyId],
) -> Result<Vec<(CompanyId, String)>, StoreError> {
    let ids: Vec<String> = ids.iter().map(|id| id.uuid().simple().to_string()).collect();
    let rows = conn.fetch_all(&COMPANIES, params![provider, json_rows(&ids)?]).await?;
    rows.iter().map(|row| Ok((row.id("id")?, row.text("name")?))).collect()
}

/// What was done to a subject since an instant, oldest first, at most `limit`.
pub async fn changes(
    conn: &mut Conn,
    org: OrgId,
    subject: &str,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<ChangeRow>, StoreError> {
    let rows = conn.fetch_all(&CHANGES, params![org, since, subject, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(ChangeRow {
                at: row.timestamp("at_us")?,
                actor: row.text("actor")?,
                verb: row.text("verb")?,
                body: row.opt_text("body")?.map_or(serde_json::Value::Null, |text| particulars(&text)),
            })
        })
        .collect()
}

/// What was told of a change; the rest of a chained body repeats the row.
fn particulars(text: &str) -> serde_json::Value {
    let mut body: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    body.get_mut("data").map(serde_json::Value::take).unwrap_or_default()
}

//! License templates: what can be assigned, and which assignment is the present one.

use serde::{Deserialize, Serialize};
use tenure_core::{AgreementId, CompanyId, LicenseId, OrgId, ProductId, SiteId, TemplateId, Timestamp, UsageType};

use super::{license::LicenseRow, words};
use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

/// A page of a provider's templates, newest first: from where, what the literal says of the company, and how the engine
/// casts a parameter that may be NULL. A filter is NULL where it does not apply; $2 is the last id seen.
macro_rules! page {
    ($from:literal, $company:literal, $uuid:literal, $text:literal, $boolean:literal) => {
        concat!(
            "SELECT t.provider_id, t.id, t.agreement_id, t.product_id, t.site_id, t.usage_type, t.description, t.workloads,
            t.automatic, t.expires_us, t.license_id, t.created_us FROM ",
            $from,
            " WHERE t.provider_id = $1 AND t.id < $2 AND t.deleted_us IS NULL AND ",
            $company,
            " AND ($3",
            $uuid,
            " IS NULL OR t.site_id = $3) AND ($5",
            $uuid,
            " IS NULL OR t.product_id = $5) AND ($7",
            $text,
            " IS NULL OR t.usage_type = $7) AND ($8",
            $boolean,
            " IS NULL OR (t.license_id IS NOT NULL) = $8) AND ($9",
            $boolean,
            " IS NULL OR (t.license_id IS NOT NULL AND (l.company_id IS NOT NULL) = $9))
        ORDER BY t.id DESC LIMIT $6"
        )
    };
}

statements! {
    INSERT = "INSERT INTO template (provider_id, id, agreement_id, product_id, site_id, usage_type, description,
            workloads, automatic, expires_us, created_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    FIND = "SELECT provider_id, id, agreement_id, product_id, site_id, usage_type, description, workloads, automatic,
            expires_us, license_id, created_us
        FROM template WHERE provider_id = $1 AND id = $2 AND deleted_us IS NULL";
    LOCK = "SELECT provider_id, id, agreement_id, product_id, site_id, usage_type, description, workloads, automatic,
            expires_us, license_id, created_us
        FROM template WHERE provider_id = $1 AND id = $2 AND deleted_us IS NULL",
        pg "SELECT provider_id, id, agreement_id, product_id, site_id, usage_type, description, workloads, automatic,
            expires_us, license_id, created_us
        FROM template WHERE provider_id = $1 AND id = $2 AND deleted_us IS NULL FOR UPDATE";
    ASSIGN = "UPDATE template SET license_id = $3 WHERE provider_id = $1 AND id = $2 AND license_id IS NULL";
    SET_AUTOMATIC = "UPDATE template SET automatic = $3 WHERE provider_id = $1 AND id = $2 AND license_id IS NULL";
    SET_TERMS = "UPDATE template SET description = $3, workloads = $4, expires_us = $5, site_id = $6
        WHERE provider_id = $1 AND id = $2 AND deleted_us IS NULL";
    // Its assignment has ended; it is a template again.
    RELEASE = "UPDATE template SET license_id = NULL, automatic = $4, expires_us = $5
        WHERE provider_id = $1 AND id = $2 AND license_id = $3";
    DELETE = "UPDATE template SET deleted_us = $3, license_id = NULL
        WHERE provider_id = $1 AND id = $2 AND deleted_us IS NULL";
    PAGE = page!("template t LEFT JOIN license l ON l.provider_id = t.provider_id AND l.id = t.license_id",
            "($4 IS NULL OR l.company_id = $4)", "", "", ""),
        pg page!("template t LEFT JOIN license l ON l.provider_id = t.provider_id AND l.id = t.license_id",
            "($4::uuid IS NULL OR l.company_id = $4)", "::uuid", "::text", "::boolean");
    /// Those of one company are found by the licenses that it holds.
    PAGE_OF_COMPANY = page!("license l JOIN template t ON t.provider_id = l.provider_id AND t.id = l.template_id",
            "l.provider_id = $1 AND l.company_id = $4 AND l.ended_us IS NULL AND t.license_id = l.id", "", "", ""),
        pg page!("license l JOIN template t ON t.provider_id = l.provider_id AND t.id = l.template_id",
            "l.provider_id = $1 AND l.company_id = $4 AND l.ended_us IS NULL AND t.license_id = l.id", "::uuid",
            "::text", "::boolean");
}

/// A licensed count of one workload type, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadCount {
    /// Workload type code.
    pub workload: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// Licensed units.
    pub count: u32,
}

/// What can be assigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateRow {
    /// Whose.
    pub provider: OrgId,
    /// Its id; stays through assignments.
    pub id: TemplateId,
    /// The agreement it is rented under.
    pub agreement: AgreementId,
    /// The product.
    pub product: ProductId,
    /// The provider's site it belongs to.
    pub site: Option<SiteId>,
    /// Who may be served with it.
    pub usage_type: UsageType,
    /// The provider's own words.
    pub description: String,
    /// What it licenses.
    pub workloads: Vec<WorkloadCount>,
    /// Whether the next assignment asks for automatic reporting.
    pub automatic: bool,
    /// The explicit end of the next assignment.
    pub expires: Option<Timestamp>,
    /// The present assignment.
    pub license: Option<LicenseId>,
    /// When it was created.
    pub created: Timestamp,
}

/// What a list is narrowed to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// One site of the provider.
    pub site: Option<SiteId>,
    /// The company it is assigned to.
    pub company: Option<CompanyId>,
    /// The product.
    pub product: Option<ProductId>,
    /// Who may be served with it.
    pub usage_type: Option<UsageType>,
    /// Whether it is assigned.
    pub assigned: Option<bool>,
    /// Whether a company holds it, not the provider itself; only what is assigned fits either.
    pub of_company: Option<bool>,
}

fn template(row: &Row) -> Result<TemplateRow, StoreError> {
    Ok(TemplateRow {
        provider: row.id("provider_id")?,
        id: row.id("id")?,
        agreement: row.id("agreement_id")?,
        product: row.id("product_id")?,
        site: row.opt_id("site_id")?,
        usage_type: words::read(row, "usage_type")?,
        description: row.text("description")?,
        workloads: row.json("workloads")?,
        automatic: row.bool("automatic")?,
        expires: row.opt_timestamp("expires_us")?,
        license: row.opt_id("license_id")?,
        created: row.timestamp("created_us")?,
    })
}

/// Adds a template, unassigned.
pub async fn insert(tx: &mut Tx, row: &TemplateRow) -> Result<(), StoreError> {
    tx.execute_one(
        &INSERT,
        params![
            row.provider,
            row.id,
            row.agreement,
            row.product,
            row.site,
            words::text(&row.usage_type)?,
            &row.description,
            serde_json::to_string(&row.workloads)?,
            row.automatic,
            row.expires,
            row.created
        ],
    )
    .await
}

/// One template of a provider.
pub async fn find(conn: &mut Conn, provider: OrgId, id: TemplateId) -> Result<Option<TemplateRow>, StoreError> {
    conn.fetch_optional(&FIND, params![provider, id]).await?.as_ref().map(template).transpose()
}

/// The same, locked for this transaction.
pub async fn lock(tx: &mut Tx, provider: OrgId, id: TemplateId) -> Result<Option<TemplateRow>, StoreError> {
    tx.fetch_optional(&LOCK, params![provider, id]).await?.as_ref().map(template).transpose()
}

/// Makes a license the template's present assignment; `false` when it has one.
pub async fn assign(tx: &mut Tx, provider: OrgId, id: TemplateId, license: LicenseId) -> Result<bool, StoreError> {
    Ok(tx.execute(&ASSIGN, params![provider, id, license]).await? == 1)
}

/// Sets what the next assignment starts with; `false` when the template is assigned.
pub async fn set_automatic(tx: &mut Tx, provider: OrgId, id: TemplateId, automatic: bool) -> Result<bool, StoreError> {
    Ok(tx.execute(&SET_AUTOMATIC, params![provider, id, automatic]).await? == 1)
}

/// Writes what a person may edit: description, workloads, explicit end, site.
pub async fn set_terms(tx: &mut Tx, row: &TemplateRow) -> Result<(), StoreError> {
    let workloads = serde_json::to_string(&row.workloads)?;
    let parameters = params![row.provider, row.id, &row.description, workloads, row.expires, row.site];
    tx.execute_one(&SET_TERMS, parameters).await
}

/// Takes the present assignment away; what the next one starts with is written anew.
pub async fn release(tx: &mut Tx, row: &TemplateRow, automatic: bool) -> Result<(), StoreError> {
    tx.execute_one(&RELEASE, params![row.provider, row.id, row.license, automatic, row.expires]).await
}

/// Deletes it; what its assignments used is owed all the same.
pub async fn delete(tx: &mut Tx, provider: OrgId, id: TemplateId, at: Timestamp) -> Result<(), StoreError> {
    tx.execute_one(&DELETE, params![provider, id, at]).await
}

/// Templates of a provider, newest first, at most `limit`, after `after`.
pub async fn page(
    conn: &mut Conn,
    provider: OrgId,
    filter: Filter,
    after: Option<TemplateId>,
    limit: u32,
) -> Result<Vec<TemplateRow>, StoreError> {
    let after = after.map_or(uuid::Uuid::max(), TemplateId::uuid);
    let usage_type = filter.usage_type.as_ref().map(words::text).transpose()?;
    let parameters = params![
        provider,
        after,
        filter.site,
        filter.company,
        filter.product,
        limit,
        usage_type,
        filter.assigned,
        filter.of_company
    ];
    let page = if filter.company.is_some() { &PAGE_OF_COMPANY } else { &PAGE };
    conn.fetch_all(page, parameters).await?.iter().map(template).collect()
}

/// A license of this template as its assignment begins; what only the assignment knows comes from the caller.
pub fn assignment(row: &TemplateRow, id: LicenseId, company: Option<CompanyId>, now: Timestamp) -> LicenseRow {
    LicenseRow {
        provider: row.provider,
        id,
        template: row.id,
        agreement: row.agreement,
        product: row.product,
        site: row.site,
        company,
        usage_type: row.usage_type,
        description: row.description.clone(),
        workloads: row.workloads.clone(),
        reporting: tenure_core::reporting::AutomaticReporting::Off,
        anchor: None,
        expires: row.expires,
        assigned: now,
        issued: tenure_core::LicenseSerial { epoch: 0, serial: 0 },
        switched_with: tenure_core::LicenseSerial { epoch: 0, serial: 0 },
        ended: None,
        ended_how: None,
        shadow: None,
    }
}

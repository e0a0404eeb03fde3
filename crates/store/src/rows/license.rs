//! Licenses: one assignment of a template each. Periods, extensions and serials belong to it.

use std::collections::BTreeMap;

use tenure_core::{
    AgreementId, CompanyId, LicenseId, LicenseSerial, OrgId, Period, ProductId, SiteId, TemplateId, Timestamp, UsageType,
    reporting::AutomaticReporting,
};

use super::{template::WorkloadCount, words};
use crate::{Conn, Row, StoreError, Tx, json_rows, params, statement::statements};

statements! {
    INSERT = "INSERT INTO license (provider_id, id, template_id, agreement_id, product_id, site_id, company_id,
            usage_type, description, workloads, reporting, anchor_us, expires_us, assigned_us, epoch, serial,
            switch_epoch, switch_serial)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, 0, 0, 0)";
    FIND = "SELECT provider_id, id, template_id, agreement_id, product_id, site_id, company_id, usage_type,
            description, workloads, reporting, anchor_us, expires_us, assigned_us, epoch, serial, switch_epoch,
            switch_serial, ended_us, ended_how, shadow_period
        FROM license WHERE provider_id = $1 AND id = $2";
    LOCK = "SELECT provider_id, id, template_id, agreement_id, product_id, site_id, company_id, usage_type,
            description, workloads, reporting, anchor_us, expires_us, assigned_us, epoch, serial, switch_epoch,
            switch_serial, ended_us, ended_how, shadow_period
        FROM license WHERE provider_id = $1 AND id = $2",
        pg "SELECT provider_id, id, template_id, agreement_id, product_id, site_id, company_id, usage_type,
            description, workloads, reporting, anchor_us, expires_us, assigned_us, epoch, serial, switch_epoch,
            switch_serial, ended_us, ended_how, shadow_period
        FROM license WHERE provider_id = $1 AND id = $2 FOR UPDATE";
    FIND_MANY = "SELECT l.provider_id, l.id, l.template_id, l.agreement_id, l.product_id, l.site_id, l.company_id,
            l.usage_type, l.description, l.workloads, l.reporting, l.anchor_us, l.expires_us, l.assigned_us, l.epoch,
            l.serial, l.switch_epoch, l.switch_serial, l.ended_us, l.ended_how, l.shadow_period
        FROM json_each($2) AS wanted JOIN license l ON l.provider_id = $1 AND l.id = unhex(wanted.value)",
        pg "SELECT provider_id, id, template_id, agreement_id, product_id, site_id, company_id, usage_type,
            description, workloads, reporting, anchor_us, expires_us, assigned_us, epoch, serial, switch_epoch,
            switch_serial, ended_us, ended_how, shadow_period
        FROM license WHERE provider_id = $1
            AND id IN (SELECT x::uuid FROM json_array_elements_text($2::json) AS x)";
    // Locked in the order of their ids.
    // Of all providers, for work that concerns every license: in the order of the primary key.
    PAGE_OF_ALL = "SELECT provider_id, id FROM license
        WHERE (provider_id, id) > ($1, $2) AND ended_us IS NULL ORDER BY provider_id, id LIMIT $3";
    LOCK_MANY = "SELECT l.provider_id, l.id, l.template_id, l.agreement_id, l.product_id, l.site_id, l.company_id,
            l.usage_type, l.description, l.workloads, l.reporting, l.anchor_us, l.expires_us, l.assigned_us, l.epoch,
            l.serial, l.switch_epoch, l.switch_serial, l.ended_us, l.ended_how, l.shadow_period
        FROM json_each($2) AS wanted JOIN license l ON l.provider_id = $1 AND l.id = unhex(wanted.value)
        ORDER BY l.id",
        pg "SELECT provider_id, id, template_id, agreement_id, product_id, site_id, company_id, usage_type,
            description, workloads, reporting, anchor_us, expires_us, assigned_us, epoch, serial, switch_epoch,
            switch_serial, ended_us, ended_how, shadow_period
        FROM license WHERE provider_id = $1
            AND id IN (SELECT x::uuid FROM json_array_elements_text($2::json) AS x)
        ORDER BY id FOR UPDATE";
    HELD_BY = "SELECT id FROM license WHERE provider_id = $1 AND company_id = $2 AND ended_us IS NULL ORDER BY id LIMIT $3";
    // All that were ever assigned, ended ones included.
    OF_PROVIDER = "SELECT provider_id, id, template_id, agreement_id, product_id, site_id, company_id, usage_type,
            description, workloads, reporting, anchor_us, expires_us, assigned_us, epoch, serial, switch_epoch,
            switch_serial, ended_us, ended_how, shadow_period
        FROM license WHERE provider_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    ACTIVE_INSTALLATIONS = "SELECT i.license_id, COUNT(*) AS n FROM json_each($2) AS wanted
        JOIN installation i ON i.provider_id = $1 AND i.license_id = unhex(wanted.value)
        WHERE i.retired_us IS NULL GROUP BY i.license_id",
        pg "SELECT license_id, COUNT(*) AS n FROM installation WHERE provider_id = $1
            AND license_id IN (SELECT x::uuid FROM json_array_elements_text($2::json) AS x) AND retired_us IS NULL
        GROUP BY license_id";
    // Only forward.
    SET_SERIALS = "UPDATE license SET epoch = $2, serial = s.value->>1 FROM json_each($3) AS s
        WHERE license.provider_id = $1 AND license.id = unhex(s.value->>0)
            AND (license.epoch < $2 OR (license.epoch = $2 AND license.serial < s.value->>1))",
        pg "UPDATE license SET epoch = $2, serial = (s->>1)::bigint FROM json_array_elements($3::json) AS s
        WHERE license.provider_id = $1 AND license.id = (s->>0)::uuid
            AND (license.epoch < $2 OR (license.epoch = $2 AND license.serial < (s->>1)::bigint))";
    SET_REPORTING = "UPDATE license SET reporting = $3, anchor_us = $4, expires_us = $5, switch_epoch = $6,
            switch_serial = $7, terms_us = $8
        WHERE provider_id = $1 AND id = $2 AND ended_us IS NULL";
    TERMS_SET = "SELECT terms_us FROM license WHERE provider_id = $1 AND id = $2";
    RAISE_SERIAL = "UPDATE license SET serial = $3 WHERE provider_id = $1 AND id = $2 AND serial < $3";
    // What a license of ours, newer than this restored database, says of itself (E1).
    RECOVER = "UPDATE license SET reporting = $3, anchor_us = $4, expires_us = $5, workloads = $6
        WHERE provider_id = $1 AND id = $2 AND ended_us IS NULL";
    // The compare-and-set that completes a switch.
    COMPLETE = "UPDATE license SET reporting = $4
        WHERE provider_id = $1 AND id = $2 AND reporting = $3 AND ended_us IS NULL";
    SET_TERMS = "UPDATE license SET description = $3, workloads = $4, expires_us = $5, terms_us = $6
        WHERE provider_id = $1 AND id = $2 AND ended_us IS NULL";
    MOVE = "UPDATE license SET company_id = $3, site_id = $4 WHERE provider_id = $1 AND id = $2 AND ended_us IS NULL";
    SET_SHADOW = "UPDATE license SET shadow_period = $3 WHERE provider_id = $1 AND id = $2 AND ended_us IS NULL";
    END = "UPDATE license SET ended_us = $3, ended_how = $4 WHERE provider_id = $1 AND id = $2 AND ended_us IS NULL";
    // Two changes at one instant: what stood before the first of them stood until then.
    INSERT_BEFORE = "INSERT INTO license_before (provider_id, license_id, until_us, company_id, site_id, workloads)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (provider_id, license_id, until_us) DO NOTHING";
    // How the assigned licenses of a provider report; of one site where one is given.
    BY_REPORTING = "SELECT reporting, COUNT(*) AS n FROM license
        WHERE provider_id = $1 AND ended_us IS NULL AND ($2 IS NULL OR site_id = $2) GROUP BY reporting",
        pg "SELECT reporting, COUNT(*) AS n FROM license
        WHERE provider_id = $1 AND ended_us IS NULL AND ($2::uuid IS NULL OR site_id = $2) GROUP BY reporting";
}

/// One assignment of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenseRow {
    /// Whose.
    pub provider: OrgId,
    /// Its id.
    pub id: LicenseId,
    /// The template it was made of.
    pub template: TemplateId,
    /// The agreement it is rented under.
    pub agreement: AgreementId,
    /// The product.
    pub product: ProductId,
    /// The provider's site it belongs to.
    pub site: Option<SiteId>,
    /// The customer that holds it; none when the provider itself does.
    pub company: Option<CompanyId>,
    /// Who may be served with it.
    pub usage_type: UsageType,
    /// The provider's own words.
    pub description: String,
    /// What it licenses.
    pub workloads: Vec<WorkloadCount>,
    /// Where automatic reporting stands.
    pub reporting: AutomaticReporting,
    /// What its automatic validity is counted from; the first one stays for ever.
    pub anchor: Option<Timestamp>,
    /// The explicit end of validity; counts while automatic reporting does not extend it.
    pub expires: Option<Timestamp>,
    /// When it was assigned.
    pub assigned: Timestamp,
    /// The newest epoch and serial issued; zero before the first.
    pub issued: LicenseSerial,
    /// What every active installation must show before a switch is complete.
    pub switched_with: LicenseSerial,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How: `revoked`, `deleted`.
    pub ended_how: Option<String>,
    /// The whole period that is collected beside the manual figure.
    pub shadow: Option<Period>,
}

fn license(row: &Row) -> Result<LicenseRow, StoreError> {
    let reporting = AutomaticReporting::from_name(&row.text("reporting")?);
    let serial = |epoch: i64, serial: i64| LicenseSerial { epoch: epoch as u64, serial: serial as u64 };
    Ok(LicenseRow {
        provider: row.id("provider_id")?,
        id: row.id("id")?,
        template: row.id("template_id")?,
        agreement: row.id("agreement_id")?,
        product: row.id("product_id")?,
        site: row.opt_id("site_id")?,
        company: row.opt_id("company_id")?,
        usage_type: words::read(row, "usage_type")?,
        description: row.text("description")?,
        workloads: row.json("workloads")?,
        reporting: reporting.ok_or(StoreError::Corrupt { what: "a state of automatic reporting" })?,
        anchor: row.opt_timestamp("anchor_us")?,
        expires: row.opt_timestamp("expires_us")?,
        assigned: row.timestamp("assigned_us")?,
        issued: serial(row.i64("epoch")?, row.i64("serial")?),
        switched_with: serial(row.i64("switch_epoch")?, row.i64("switch_serial")?),
        ended: row.opt_timestamp("ended_us")?,
        ended_how: row.opt_text("ended_how")?,
        shadow: row.opt_period("shadow_period")?,
    })
}

/// Adds an assignment; nothing is issued yet.
pub async fn insert(tx: &mut Tx, row: &LicenseRow) -> Result<(), StoreError> {
    tx.execute_one(
        &INSERT,
        params![
            row.provider,
            row.id,
            row.template,
            row.agreement,
            row.product,
            row.site,
            row.company,
            words::text(&row.usage_type)?,
            &row.description,
            serde_json::to_string(&row.workloads)?,
            row.reporting.name(),
            row.anchor,
            row.expires,
            row.assigned
        ],
    )
    .await
}

/// One license of a provider, ended ones included.
pub async fn find(conn: &mut Conn, provider: OrgId, id: LicenseId) -> Result<Option<LicenseRow>, StoreError> {
    conn.fetch_optional(&FIND, params![provider, id]).await?.as_ref().map(license).transpose()
}

/// The same, locked for this transaction.
pub async fn lock(tx: &mut Tx, provider: OrgId, id: LicenseId) -> Result<Option<LicenseRow>, StoreError> {
    tx.fetch_optional(&LOCK, params![provider, id]).await?.as_ref().map(license).transpose()
}

/// Some licenses of a provider, in no order; those that do not exist are left out.
pub async fn find_many(conn: &mut Conn, provider: OrgId, ids: &[LicenseId]) -> Result<Vec<LicenseRow>, StoreError> {
    let ids: Vec<String> = ids.iter().map(|id| id.uuid().simple().to_string()).collect();
    conn.fetch_all(&FIND_MANY, params![provider, json_rows(&ids)?]).await?.iter().map(license).collect()
}

/// How many servers activated each of some licenses and are not retired; a license without any is left out.
pub async fn active_installations(
    conn: &mut Conn,
    provider: OrgId,
    ids: &[LicenseId],
) -> Result<BTreeMap<LicenseId, u32>, StoreError> {
    let ids: Vec<String> = ids.iter().map(|id| id.uuid().simple().to_string()).collect();
    let rows = conn.fetch_all(&ACTIVE_INSTALLATIONS, params![provider, json_rows(&ids)?]).await?;
    rows.iter().map(|row| Ok((row.id("license_id")?, row.i64("n")? as u32))).collect()
}

/// The licenses that a company holds, in id order, at most `limit`.
pub async fn held_by(
    conn: &mut Conn,
    provider: OrgId,
    company: CompanyId,
    limit: u32,
) -> Result<Vec<LicenseId>, StoreError> {
    let rows = conn.fetch_all(&HELD_BY, params![provider, company, limit]).await?;
    rows.iter().map(|row| row.id("id")).collect()
}

/// Licenses of a provider in the order they were assigned, ended ones included, at most `limit`, after `after`.
pub async fn of_provider(
    conn: &mut Conn,
    provider: OrgId,
    after: Option<LicenseId>,
    limit: u32,
) -> Result<Vec<LicenseRow>, StoreError> {
    let after = after.map_or(uuid::Uuid::nil(), LicenseId::uuid);
    conn.fetch_all(&OF_PROVIDER, params![provider, after, limit]).await?.iter().map(license).collect()
}

/// The same, locked for this transaction, in id order.
pub async fn lock_many(tx: &mut Tx, provider: OrgId, ids: &[LicenseId]) -> Result<Vec<LicenseRow>, StoreError> {
    let ids: Vec<String> = ids.iter().map(|id| id.uuid().simple().to_string()).collect();
    tx.fetch_all(&LOCK_MANY, params![provider, json_rows(&ids)?]).await?.iter().map(license).collect()
}

/// Licenses of all providers that have not ended, after `after` in the order of provider and id, at most `limit`.
pub async fn page_of_all(
    conn: &mut Conn,
    after: (OrgId, LicenseId),
    limit: i64,
) -> Result<Vec<(OrgId, LicenseId)>, StoreError> {
    let rows = conn.fetch_all(&PAGE_OF_ALL, params![after.0, after.1, limit]).await?;
    rows.iter().map(|row| Ok((row.id("provider_id")?, row.id("id")?))).collect()
}

/// Notes the newest serials issued in an epoch; they only grow.
pub async fn set_serials(
    tx: &mut Tx,
    provider: OrgId,
    epoch: u64,
    serials: &[(LicenseId, u64)],
) -> Result<(), StoreError> {
    let rows: Vec<_> = serials.iter().map(|(id, serial)| (id.uuid().simple().to_string(), serial)).collect();
    let parameters = params![provider, epoch as i64, json_rows(&rows)?];
    tx.execute_exactly(rows.len() as u64, &SET_SERIALS, parameters).await
}

/// Writes where automatic reporting stands, with anchor, explicit end and the serial of the switch, as a person set it at an
/// instant.
pub async fn set_reporting(tx: &mut Tx, row: &LicenseRow, at: Timestamp) -> Result<(), StoreError> {
    tx.execute_one(
        &SET_REPORTING,
        params![
            row.provider,
            row.id,
            row.reporting.name(),
            row.anchor,
            row.expires,
            row.switched_with.epoch as i64,
            row.switched_with.serial as i64,
            at
        ],
    )
    .await
}

/// Completes a switch; `false` when another transaction changed the state meanwhile.
pub async fn complete_switch(
    tx: &mut Tx,
    provider: OrgId,
    id: LicenseId,
    from: AutomaticReporting,
    to: AutomaticReporting,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&COMPLETE, params![provider, id, from.name(), to.name()]).await? == 1)
}

/// No serial up to this one is given again; `false` when it was so already.
pub async fn raise_serial(tx: &mut Tx, provider: OrgId, id: LicenseId, serial: u64) -> Result<bool, StoreError> {
    Ok(tx.execute(&RAISE_SERIAL, params![provider, id, serial as i64]).await? == 1)
}

/// Takes back what a newer license of ours says that this restored database has lost; `false` when it has ended.
pub async fn recover(tx: &mut Tx, row: &LicenseRow) -> Result<bool, StoreError> {
    let workloads = serde_json::to_string(&row.workloads)?;
    let parameters = params![row.provider, row.id, row.reporting.name(), row.anchor, row.expires, workloads];
    Ok(tx.execute(&RECOVER, parameters).await? == 1)
}

/// Writes what a person edited at an instant: description, workloads, explicit end.
pub async fn set_terms(tx: &mut Tx, row: &LicenseRow, at: Timestamp) -> Result<(), StoreError> {
    let workloads = serde_json::to_string(&row.workloads)?;
    tx.execute_one(&SET_TERMS, params![row.provider, row.id, &row.description, workloads, row.expires, at]).await
}

/// When a person last set what a license says; the beginning of time when nobody did since it was assigned.
pub async fn terms_set(conn: &mut Conn, provider: OrgId, id: LicenseId) -> Result<Timestamp, StoreError> {
    conn.fetch_one(&TERMS_SET, params![provider, id]).await?.timestamp("terms_us")
}

/// Writes who holds it and which site it belongs to.
pub async fn set_holder(tx: &mut Tx, row: &LicenseRow) -> Result<(), StoreError> {
    tx.execute_one(&MOVE, params![row.provider, row.id, row.company, row.site]).await
}

/// Writes which period is collected beside the manual figure.
pub async fn set_shadow(
    tx: &mut Tx,
    provider: OrgId,
    id: LicenseId,
    shadow: Option<Period>,
) -> Result<(), StoreError> {
    tx.execute_one(&SET_SHADOW, params![provider, id, shadow]).await
}

/// Ends it; `false` when it had ended before.
pub async fn end(
    tx: &mut Tx,
    provider: OrgId,
    id: LicenseId,
    at: Timestamp,
    how: &'static str,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&END, params![provider, id, at, how]).await? == 1)
}

/// Keeps what a license was until now, before it changes: what stood at a period's end is read from here.
pub async fn keep_before(tx: &mut Tx, row: &LicenseRow, until: Timestamp) -> Result<(), StoreError> {
    let workloads = serde_json::to_string(&row.workloads)?;
    tx.execute(&INSERT_BEFORE, params![row.provider, row.id, until, row.company, row.site, workloads]).await?;
    Ok(())
}

/// How many assigned licenses stand where with automatic reporting; of one site, or of all.
pub async fn by_reporting(
    conn: &mut Conn,
    provider: OrgId,
    site: Option<SiteId>,
) -> Result<Vec<(AutomaticReporting, u32)>, StoreError> {
    let rows = conn.fetch_all(&BY_REPORTING, params![provider, site]).await?;
    rows.iter()
        .map(|row| {
            let state = AutomaticReporting::from_name(&row.text("reporting")?);
            Ok((state.ok_or(StoreError::Corrupt { what: "a state of automatic reporting" })?, row.i64("n")? as u32))
        })
        .collect()
}

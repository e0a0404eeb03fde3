//! Installations as a list shows them: the cold row, the hot row, the license and its holder in one statement.

use tenure_core::{
    CompanyId, InstallationId, LicenseId, OrgId, Period, ProductId, SiteId, TemplateId, Timestamp,
    reporting::AutomaticReporting,
};

use crate::{Conn, Row, StoreError, params, statement::statements};

/// An installation with its chain, its license, who holds it and what it reported last, where the literal says.
macro_rules! select {
    ($where:literal) => {
        concat!(
            "SELECT i.provider_id, i.id, i.license_id, i.name, i.host, i.product_version, i.agent_version, i.auto_update,
            i.activated_us, i.replaces_id, i.retired_us, i.retired_how, i.host_returns, c.status, c.seen_us, c.skew_us, c.rejoins,
            c.shown_epoch, c.shown_serial, c.license_epoch, c.license_serial, c.license_expires_us, c.license_state,
            c.asked_us, c.split_us, l.template_id, l.site_id, l.company_id, l.product_id, l.reporting, l.ended_us,
            l.shadow_period, co.name AS company, p.name AS product, p.edition, p.reports,
            (SELECT max(d.period) FROM document d WHERE d.installation_id = i.id AND d.kind = 'report'
                AND d.outcome <> 'not_counted') AS last_report,
            (SELECT max(d.received_us) FROM document d WHERE d.installation_id = i.id AND d.kind = 'report')
                AS last_report_us,
            (SELECT count(*) FROM installation o WHERE o.provider_id = i.provider_id AND o.license_id = i.license_id
                AND o.retired_us IS NULL) AS sharing
        FROM installation i
        JOIN chain c ON c.installation_id = i.id
        JOIN license l ON l.provider_id = i.provider_id AND l.id = i.license_id
        JOIN product p ON p.id = l.product_id
        LEFT JOIN company co ON co.provider_id = l.provider_id AND co.id = l.company_id ",
            $where
        )
    };
}

/// A page of a provider's installations, newest first: what the literals say of license and company, and how the engine
/// casts a parameter that may be NULL. A filter is NULL where it does not apply; $2 is the last id seen.
macro_rules! page {
    ($license:literal, $company:literal, $uuid:literal, $boolean:literal, $number:literal) => {
        concat!(
            select!(""),
            "WHERE i.provider_id = $1 AND i.id < $2 AND ",
            $license,
            " AND ",
            $company,
            " AND ($3",
            $uuid,
            " IS NULL OR l.site_id = $3) AND ($6",
            $uuid,
            " IS NULL OR l.product_id = $6) AND ($7",
            $boolean,
            " IS NULL OR (i.retired_us IS NOT NULL) = $7) AND ($8",
            $number,
            " IS NULL OR c.seen_us < $8)
        ORDER BY i.id DESC LIMIT $9"
        )
    };
}

statements! {
    PAGE = page!("($4 IS NULL OR i.license_id = $4)", "($5 IS NULL OR l.company_id = $5)", "", "", ""),
        pg page!("($4::uuid IS NULL OR i.license_id = $4)", "($5::uuid IS NULL OR l.company_id = $5)", "::uuid",
            "::boolean", "::bigint");
    /// Those of one license are found by it.
    PAGE_OF_LICENSE = page!("i.license_id = $4", "($5 IS NULL OR l.company_id = $5)", "", "", ""),
        pg page!("i.license_id = $4", "($5::uuid IS NULL OR l.company_id = $5)", "::uuid", "::boolean", "::bigint");
    /// Those of one company by the licenses that it holds.
    PAGE_OF_COMPANY = page!("$4 IS NULL", "l.provider_id = $1 AND l.company_id = $5", "", "", ""),
        pg page!("$4::uuid IS NULL", "l.provider_id = $1 AND l.company_id = $5", "::uuid", "::boolean", "::bigint");
    FIND = select!("WHERE i.provider_id = $1 AND i.id = $2");
}

/// An installation with all that its health is judged by.
#[derive(Debug, Clone)]
pub struct ServerRow {
    /// Whose it is.
    pub provider: OrgId,
    /// Its id.
    pub id: InstallationId,
    /// Host name as last told.
    pub name: String,
    /// Host facts as last told, JSON.
    pub host: String,
    /// Version of the product.
    pub product_version: String,
    /// Version of the agent.
    pub agent_version: String,
    /// Whether it installs new licenses by itself.
    pub auto_update: bool,
    /// When it was activated.
    pub activated: Timestamp,
    /// The installation it took over from.
    pub replaces: Option<InstallationId>,
    /// When it stopped being expected.
    pub retired: Option<Timestamp>,
    /// How: `retired`, `replaced`, `voided`.
    pub retired_how: Option<String>,
    /// Instants at which it came back to a host that it had left, microseconds.
    pub host_returns: Vec<i64>,
    /// `active`, `suspended_clone`, `retired`.
    pub status: String,
    /// When it was last heard from.
    pub seen: Timestamp,
    /// Product clock minus server clock, microseconds.
    pub skew_us: i64,
    /// Instants of recent rejoins, microseconds.
    pub rejoins: Vec<i64>,
    /// Epoch and serial of the license it shows.
    pub shown: (u64, u64),
    /// Epoch and serial of the newest license issued to it.
    pub issued: (u64, u64),
    /// When that license expires.
    pub expires: Timestamp,
    /// `up_to_date`, or why nothing newer comes.
    pub license_state: String,
    /// When *Update now* was asked for.
    pub asked: Option<Timestamp>,
    /// When another installation took over one side of a clone.
    pub split: Option<Timestamp>,
    /// The license it holds.
    pub license: LicenseId,
    /// The license's template.
    pub template: TemplateId,
    /// The site the license belongs to.
    pub site: Option<SiteId>,
    /// The company that holds the license.
    pub company: Option<CompanyId>,
    /// The company's name.
    pub company_name: Option<String>,
    /// The product.
    pub product: ProductId,
    /// The product's name and edition.
    pub product_name: String,
    /// Whether installations of the product report by themselves.
    pub product_reports: bool,
    /// Where automatic reporting of the license stands.
    pub reporting: AutomaticReporting,
    /// The period that is collected beside the manual figure.
    pub shadow: Option<Period>,
    /// When the license ended.
    pub license_ended: Option<Timestamp>,
    /// The newest month it reported, and when its last report came.
    pub last_report: Option<(Period, Timestamp)>,
    /// How many active installations hold the license, this one included.
    pub sharing: u32,
}

/// What a list of installations is narrowed to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServerFilter {
    /// One site of the provider.
    pub site: Option<SiteId>,
    /// One license.
    pub license: Option<LicenseId>,
    /// The company that holds the license.
    pub company: Option<CompanyId>,
    /// The product.
    pub product: Option<ProductId>,
    /// Only those that are retired, or only those that are not.
    pub retired: Option<bool>,
    /// Only those last heard from before.
    pub silent_since: Option<Timestamp>,
}

fn server(row: &Row) -> Result<ServerRow, StoreError> {
    let reporting = AutomaticReporting::from_name(&row.text("reporting")?);
    let product = format!("{} {}", row.text("product")?, row.text("edition")?);
    Ok(ServerRow {
        provider: row.id("provider_id")?,
        id: row.id("id")?,
        name: row.text("name")?,
        host: row.text("host")?,
        product_version: row.text("product_version")?,
        agent_version: row.text("agent_version")?,
        auto_update: row.bool("auto_update")?,
        activated: row.timestamp("activated_us")?,
        replaces: row.opt_id("replaces_id")?,
        retired: row.opt_timestamp("retired_us")?,
        retired_how: row.opt_text("retired_how")?,
        host_returns: row.json("host_returns")?,
        status: row.text("status")?,
        seen: row.timestamp("seen_us")?,
        skew_us: row.i64("skew_us")?,
        rejoins: row.json("rejoins")?,
        shown: (row.i64("shown_epoch")? as u64, row.i64("shown_serial")? as u64),
        issued: (row.i64("license_epoch")? as u64, row.i64("license_serial")? as u64),
        expires: row.timestamp("license_expires_us")?,
        license_state: row.text("license_state")?,
        asked: row.opt_timestamp("asked_us")?,
        split: row.opt_timestamp("split_us")?,
        license: row.id("license_id")?,
        template: row.id("template_id")?,
        site: row.opt_id("site_id")?,
        company: row.opt_id("company_id")?,
        company_name: row.opt_text("company")?,
        product: row.id("product_id")?,
        product_name: product.trim_end().to_owned(),
        product_reports: row.bool("reports")?,
        reporting: reporting.ok_or(StoreError::Corrupt { what: "a state of automatic reporting" })?,
        shadow: row.opt_period("shadow_period")?,
        license_ended: row.opt_timestamp("ended_us")?,
        last_report: row.opt_period("last_report")?.zip(row.opt_timestamp("last_report_us")?),
        sharing: row.i64("sharing")? as u32,
    })
}

/// Installations of a provider, newest first, at most `limit`, after `after`.
pub async fn page(
    conn: &mut Conn,
    provider: OrgId,
    filter: ServerFilter,
    after: Option<InstallationId>,
    limit: u32,
) -> Result<Vec<ServerRow>, StoreError> {
    let after = after.map_or(uuid::Uuid::max(), InstallationId::uuid);
    let parameters = params![
        provider,
        after,
        filter.site,
        filter.license,
        filter.company,
        filter.product,
        filter.retired,
        filter.silent_since,
        limit
    ];
    let page = match (filter.license, filter.company) {
        (Some(_), _) => &PAGE_OF_LICENSE,
        (None, Some(_)) => &PAGE_OF_COMPANY,
        (None, None) => &PAGE,
    };
    conn.fetch_all(page, parameters).await?.iter().map(server).collect()
}

/// One installation of a provider.
pub async fn find(conn: &mut Conn, provider: OrgId, id: InstallationId) -> Result<Option<ServerRow>, StoreError> {
    conn.fetch_optional(&FIND, params![provider, id]).await?.as_ref().map(server).transpose()
}

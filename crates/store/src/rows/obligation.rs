//! Months that must be accounted for, an installation and month each.

use tenure_core::{CompanyId, InstallationId, LicenseId, OrgId, Period, ProductId, Timestamp};

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

/// Its report came and counts.
macro_rules! reported {
    () => {
        "EXISTS (SELECT 1 FROM report r WHERE r.provider_id = o.provider_id AND r.period = o.period
                AND r.installation_id = o.installation_id AND r.final AND NOT r.contested)"
    };
}

/// A person answered for it.
macro_rules! answered {
    () => {
        "EXISTS (SELECT 1 FROM answer a WHERE a.provider_id = o.provider_id AND a.period = o.period
                AND a.installation_id = o.installation_id)"
    };
}

/// Its license has a line that was entered by hand.
macro_rules! by_hand {
    () => {
        "EXISTS (SELECT 1 FROM manual_line m WHERE m.provider_id = o.provider_id AND m.period = o.period
                AND m.license_id = o.license_id)"
    };
}

/// Nothing accounts for it.
macro_rules! unaccounted {
    () => {
        concat!("NOT ", reported!(), " AND NOT ", answered!(), " AND NOT ", by_hand!())
    };
}

/// Obligations as a list shows them, newest month first; the literal says which, and ends where those are told apart that
/// nothing accounts for.
macro_rules! list {
    ($where:literal) => {
        concat!(
            "SELECT o.period, o.installation_id, o.license_id, o.product_id, o.company_id, o.resolved_us, o.resolved_how,
            i.name, i.retired_us, c.name AS company, p.name AS product, p.edition, u.state, ",
            reported!(),
            " AS reported, ",
            answered!(),
            " AS answered, ",
            by_hand!(),
            " AS by_hand
        FROM obligation o
        JOIN installation i ON i.provider_id = o.provider_id AND i.id = o.installation_id
        JOIN license l ON l.provider_id = o.provider_id AND l.id = o.license_id
        JOIN product p ON p.id = o.product_id
        LEFT JOIN company c ON c.provider_id = o.provider_id AND c.id = o.company_id
        LEFT JOIN monthly_usage u ON u.provider_id = o.provider_id AND u.period = o.period ",
            $where,
            unaccounted!(),
            ") = $9)
        ORDER BY o.period DESC, o.installation_id DESC LIMIT $10"
        )
    };
}

statements! {
    OF_MONTH = "SELECT o.installation_id, o.license_id, o.product_id, o.company_id, i.name, i.activated_us,
            i.replaces_id, i.retired_us, i.retired_how, c.status, c.seen_us
        FROM obligation o
        JOIN installation i ON i.provider_id = o.provider_id AND i.id = o.installation_id
        LEFT JOIN chain c ON c.installation_id = o.installation_id
        WHERE o.provider_id = $1 AND o.period = $2
        ORDER BY o.installation_id";
    /// `k` is found in the license's index alone, `o` is the same row; CROSS JOIN, so that SQLite goes in this order.
    OF_LICENSE = "SELECT o.installation_id, o.license_id, o.product_id, o.company_id, i.name, i.activated_us,
            i.replaces_id, i.retired_us, i.retired_how, c.status, c.seen_us
        FROM obligation k CROSS JOIN obligation o CROSS JOIN installation i
        LEFT JOIN chain c ON c.installation_id = i.id
        WHERE k.provider_id = $1 AND k.period = $2 AND k.license_id = $3
            AND o.provider_id = k.provider_id AND o.period = k.period AND o.installation_id = k.installation_id
            AND i.provider_id = o.provider_id AND i.id = o.installation_id
        ORDER BY o.installation_id";
    FIND = "SELECT installation_id, license_id, product_id, company_id
        FROM obligation WHERE provider_id = $1 AND period = $2 AND installation_id = $3";
    /// Installations that may have been active in a month, in key order after a cursor. The key order is what a job's
    /// cursor follows.
    CANDIDATES = "SELECT i.provider_id, i.id, i.license_id, i.activated_us, i.retired_us, l.ended_us
        FROM installation i
        JOIN license l ON l.provider_id = i.provider_id AND l.id = i.license_id
        WHERE (i.provider_id, i.id) > ($1, $2) AND i.activated_us < $3
            AND (i.retired_us IS NULL OR i.retired_us >= $4)
        ORDER BY i.provider_id, i.id LIMIT $5";
    INSERT_MANY = "INSERT INTO obligation (provider_id, period, installation_id, license_id, product_id, company_id)
        SELECT l.provider_id, $1, unhex(value->>'i'), l.id, l.product_id, l.company_id
        FROM json_each($2) JOIN license l ON l.provider_id = unhex(value->>'p') AND l.id = unhex(value->>'l')
        WHERE true ON CONFLICT (provider_id, period, installation_id) DO NOTHING",
        pg "INSERT INTO obligation (provider_id, period, installation_id, license_id, product_id, company_id)
        SELECT l.provider_id, $1, r.i::uuid, l.id, l.product_id, l.company_id
        FROM json_to_recordset($2::json) AS r(p text, i text, l text)
        JOIN license l ON l.provider_id = r.p::uuid AND l.id = r.l::uuid
        ON CONFLICT (provider_id, period, installation_id) DO NOTHING";
    RESOLVE = "UPDATE obligation SET resolved_us = $3, resolved_how = $4
        WHERE provider_id = $1 AND period = $2 AND resolved_us IS NULL";
    REOPEN = "UPDATE obligation SET resolved_us = NULL, resolved_how = NULL
        WHERE provider_id = $1 AND period = $2 AND resolved_how = $3";
    /// The oldest month for which nobody accounted for a customer's use of a product: no final report, no answer, no line
    /// entered by hand for its license.
    OLDEST_OPEN = concat!(
            "SELECT min(o.period) AS period FROM obligation o
        WHERE o.provider_id = $1 AND o.resolved_us IS NULL AND o.product_id = $3
            AND o.company_id IS $2 AND ",
            unaccounted!()
        ),
        pg concat!(
            "SELECT min(o.period) AS period FROM obligation o
        WHERE o.provider_id = $1 AND o.resolved_us IS NULL AND o.product_id = $3
            AND o.company_id IS NOT DISTINCT FROM $2::uuid AND ",
            unaccounted!()
        );
    /// A license that moves within a month is owed for by whoever holds it at the month's end.
    MOVE = "UPDATE obligation SET company_id = $4
        WHERE provider_id = $1 AND license_id = $2 AND period >= $3 AND resolved_us IS NULL";
    /// The installations of one license that may have been active in a month.
    CANDIDATES_OF = "SELECT i.provider_id, i.id, i.license_id, i.activated_us, i.retired_us, l.ended_us
        FROM installation i
        JOIN license l ON l.provider_id = i.provider_id AND l.id = i.license_id
        WHERE i.provider_id = $1 AND i.license_id = $2 AND i.activated_us < $3
            AND (i.retired_us IS NULL OR i.retired_us >= $4)
        ORDER BY i.id";
    /// Newest month first. A filter is NULL where it does not apply; ($2, $3) is the last one seen. The site is the
    /// license's own, or its customer's.
    LIST = list!("WHERE o.provider_id = $1 AND (o.period, o.installation_id) < ($2, $3)
            AND ($4 IS NULL OR o.period = $4) AND ($5 IS NULL OR o.company_id = $5)
            AND ($6 IS NULL OR o.product_id = $6) AND ($7 IS NULL OR (o.resolved_us IS NULL) = $7)
            AND ($8 IS NULL OR coalesce(l.site_id, c.site_id) = $8)
            AND ($9 IS NULL OR (o.resolved_us IS NULL AND "),
        pg list!("WHERE o.provider_id = $1 AND (o.period, o.installation_id) < ($2, $3)
            AND ($4::bigint IS NULL OR o.period = $4) AND ($5::uuid IS NULL OR o.company_id = $5)
            AND ($6::uuid IS NULL OR o.product_id = $6) AND ($7::boolean IS NULL OR (o.resolved_us IS NULL) = $7)
            AND ($8::uuid IS NULL OR coalesce(l.site_id, c.site_id) = $8)
            AND ($9::boolean IS NULL OR (o.resolved_us IS NULL AND ");
    AWAITED = "SELECT 1 AS one FROM obligation o
        WHERE o.provider_id = $1 AND o.period = $2 AND NOT EXISTS (SELECT 1 FROM report r
            WHERE r.provider_id = o.provider_id AND r.period = o.period AND r.installation_id = o.installation_id)
        LIMIT 1";
}

/// An installation expected in a month.
#[derive(Debug, Clone)]
pub struct ExpectedRow {
    /// The installation.
    pub installation: InstallationId,
    /// The license it held at the month's end.
    pub license: LicenseId,
    /// The license's product.
    pub product: ProductId,
    /// Who held the license at the month's end.
    pub company: Option<CompanyId>,
    /// Host name as last told.
    pub name: String,
    /// When it was activated.
    pub activated: Timestamp,
    /// The installation it took over from.
    pub replaces: Option<InstallationId>,
    /// When it stopped being expected.
    pub retired: Option<Timestamp>,
    /// Whether another installation took over from it.
    pub replaced: bool,
    /// Whether two machines speak as it.
    pub clone: bool,
    /// Last check-in.
    pub seen: Option<Timestamp>,
}

/// An installation that may be expected in a month.
#[derive(Debug, Clone)]
pub struct CandidateRow {
    /// Whose.
    pub provider: OrgId,
    /// The installation.
    pub installation: InstallationId,
    /// The license it holds.
    pub license: LicenseId,
    /// When it was activated.
    pub activated: Timestamp,
    /// When it stopped being expected.
    pub retired: Option<Timestamp>,
    /// When its license was ended.
    pub license_ended: Option<Timestamp>,
}

fn read(row: &Row) -> Result<ExpectedRow, StoreError> {
    Ok(ExpectedRow {
        installation: row.id("installation_id")?,
        license: row.id("license_id")?,
        product: row.id("product_id")?,
        company: row.opt_id("company_id")?,
        name: row.text("name")?,
        activated: row.timestamp("activated_us")?,
        replaces: row.opt_id("replaces_id")?,
        retired: row.opt_timestamp("retired_us")?,
        replaced: row.opt_text("retired_how")?.as_deref() == Some("replaced"),
        clone: row.opt_text("status")?.as_deref() == Some("suspended_clone"),
        seen: row.opt_timestamp("seen_us")?,
    })
}

/// All installations expected in a provider's month.
pub async fn of_month(conn: &mut Conn, provider: OrgId, period: Period) -> Result<Vec<ExpectedRow>, StoreError> {
    conn.fetch_all(&OF_MONTH, params![provider, period]).await?.iter().map(read).collect()
}

/// The installations expected in a month under one license.
pub async fn of_license(
    conn: &mut Conn,
    provider: OrgId,
    period: Period,
    license: LicenseId,
) -> Result<Vec<ExpectedRow>, StoreError> {
    conn.fetch_all(&OF_LICENSE, params![provider, period, license]).await?.iter().map(read).collect()
}

/// The license and customer that one installation's month stands under.
pub async fn find(
    conn: &mut Conn,
    provider: OrgId,
    period: Period,
    installation: InstallationId,
) -> Result<Option<(LicenseId, ProductId, Option<CompanyId>)>, StoreError> {
    let row = conn.fetch_optional(&FIND, params![provider, period, installation]).await?;
    row.map(|row| Ok((row.id("license_id")?, row.id("product_id")?, row.opt_id("company_id")?))).transpose()
}

/// The installations of all providers that were active in a month, at most `limit` after a cursor.
pub async fn candidates(
    conn: &mut Conn,
    after: (OrgId, InstallationId),
    period: Period,
    limit: i64,
) -> Result<Vec<CandidateRow>, StoreError> {
    let parameters = params![after.0, after.1, period.end(), period.start(), limit];
    conn.fetch_all(&CANDIDATES, parameters).await?.iter().map(candidate).collect()
}

fn candidate(row: &Row) -> Result<CandidateRow, StoreError> {
    Ok(CandidateRow {
        provider: row.id("provider_id")?,
        installation: row.id("id")?,
        license: row.id("license_id")?,
        activated: row.timestamp("activated_us")?,
        retired: row.opt_timestamp("retired_us")?,
        license_ended: row.opt_timestamp("ended_us")?,
    })
}

#[derive(serde::Serialize)]
struct NewRow {
    p: String,
    i: String,
    l: String,
}

/// Makes sure that these installations must account for a month; how many were new.
pub async fn insert_many(tx: &mut Tx, period: Period, rows: &[CandidateRow]) -> Result<u64, StoreError> {
    if rows.is_empty() {
        return Ok(0);
    }
    let text = |id: uuid::Uuid| id.simple().to_string();
    let rows: Vec<NewRow> = rows
        .iter()
        .map(|row| NewRow {
            p: text(row.provider.uuid()),
            i: text(row.installation.uuid()),
            l: text(row.license.uuid()),
        })
        .collect();
    tx.execute(&INSERT_MANY, params![period, crate::json_rows(&rows)?]).await
}

/// Settles whatever of a month is open; how many there were.
pub async fn resolve(
    tx: &mut Tx,
    provider: OrgId,
    period: Period,
    at: Timestamp,
    how: &str,
) -> Result<u64, StoreError> {
    tx.execute(&RESOLVE, params![provider, period, at, how]).await
}

/// Takes back what a submission settled.
pub async fn reopen(tx: &mut Tx, provider: OrgId, period: Period, how: &str) -> Result<u64, StoreError> {
    tx.execute(&REOPEN, params![provider, period, how]).await
}

/// The oldest month that nobody accounted for, of a customer and product.
pub async fn oldest_open(
    conn: &mut Conn,
    provider: OrgId,
    company: Option<CompanyId>,
    product: ProductId,
) -> Result<Option<Period>, StoreError> {
    conn.fetch_one(&OLDEST_OPEN, params![provider, company, product]).await?.opt_period("period")
}

/// Whether an expected installation of a month has sent no report.
pub async fn any_silent(conn: &mut Conn, provider: OrgId, period: Period) -> Result<bool, StoreError> {
    Ok(conn.fetch_optional(&AWAITED, params![provider, period]).await?.is_some())
}

/// A month that an installation owes or owed, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedRow {
    /// The month.
    pub period: Period,
    /// The installation.
    pub installation: InstallationId,
    /// Host name as last told.
    pub name: String,
    /// When it stopped being expected.
    pub retired: Option<Timestamp>,
    /// The license it stands under.
    pub license: LicenseId,
    /// The product.
    pub product: ProductId,
    /// The product's name and edition.
    pub product_name: String,
    /// Who owes it; none when the provider itself does.
    pub company: Option<CompanyId>,
    /// The customer's name.
    pub company_name: Option<String>,
    /// When it was settled, and by what.
    pub resolved: Option<(Timestamp, String)>,
    /// Its own final report is there and nobody contests it.
    pub reported: bool,
    /// A person answered for it.
    pub answered: bool,
    /// A person entered a line for its license.
    pub by_hand: bool,
    /// The state of its monthly usage; none before it is opened.
    pub state: Option<String>,
}

/// What a list of obligations is narrowed to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OwedFilter {
    /// One month.
    pub period: Option<Period>,
    /// One customer.
    pub company: Option<CompanyId>,
    /// One product.
    pub product: Option<ProductId>,
    /// Not settled yet, or settled.
    pub open: Option<bool>,
    /// Nothing accounts for it yet (no final report, answer, line entered by hand or submission), or something does.
    pub owed: Option<bool>,
    /// One site of the provider.
    pub site: Option<tenure_core::SiteId>,
}

/// What a provider's installations owe, newest month first, at most `limit`, after `after`.
pub async fn page(
    conn: &mut Conn,
    provider: OrgId,
    filter: OwedFilter,
    after: Option<(Period, InstallationId)>,
    limit: u32,
) -> Result<Vec<OwedRow>, StoreError> {
    let last = InstallationId::from_uuid(uuid::Uuid::max());
    let (period, installation) = after.map_or((i64::MAX, last), |(period, id)| (i64::from(period.index()), id));
    let parameters = params![
        provider,
        period,
        installation,
        filter.period,
        filter.company,
        filter.product,
        filter.open,
        filter.site,
        filter.owed,
        limit
    ];
    let rows = conn.fetch_all(&LIST, parameters).await?;
    rows.iter()
        .map(|row| {
            let name = format!("{} {}", row.text("product")?, row.text("edition")?);
            Ok(OwedRow {
                period: row.period("period")?,
                installation: row.id("installation_id")?,
                name: row.text("name")?,
                retired: row.opt_timestamp("retired_us")?,
                license: row.id("license_id")?,
                product: row.id("product_id")?,
                product_name: name.trim_end().to_owned(),
                company: row.opt_id("company_id")?,
                company_name: row.opt_text("company")?,
                resolved: row.opt_timestamp("resolved_us")?.zip(row.opt_text("resolved_how")?),
                reported: row.bool("reported")?,
                answered: row.bool("answered")?,
                by_hand: row.bool("by_hand")?,
                state: row.opt_text("state")?,
            })
        })
        .collect()
}

/// The installations of one license that were active in a month.
pub async fn candidates_of(
    conn: &mut Conn,
    provider: OrgId,
    license: LicenseId,
    period: Period,
) -> Result<Vec<CandidateRow>, StoreError> {
    let parameters = params![provider, license, period.end(), period.start()];
    conn.fetch_all(&CANDIDATES_OF, parameters).await?.iter().map(candidate).collect()
}

/// Lets a license's open obligations from a month on stand under its new holder.
pub async fn set_holder(
    tx: &mut Tx,
    provider: OrgId,
    license: LicenseId,
    from: Period,
    company: Option<CompanyId>,
) -> Result<u64, StoreError> {
    tx.execute(&MOVE, params![provider, license, from, company]).await
}

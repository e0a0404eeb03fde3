//! Which company a company's viewer is confined to.

use tenure_core::{CompanyId, OrgId, UserId};

use crate::{Conn, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO company_viewer (person_id, provider_id, company_id) VALUES ($1, $2, $3)";
    OF_PERSON = "SELECT provider_id, company_id FROM company_viewer WHERE person_id = $1";
    OF_COMPANY = "SELECT p.id, p.name, p.email, p.disabled_us FROM company_viewer v JOIN person p ON p.id = v.person_id
        WHERE v.provider_id = $1 AND v.company_id = $2 ORDER BY v.person_id LIMIT $3";
}

/// A viewer in the list of its company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewerRow {
    /// The person.
    pub person: UserId,
    /// Display name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Since when it may not sign in.
    pub disabled: Option<tenure_core::Timestamp>,
}

/// Confines a person to a company of a provider.
pub async fn insert(tx: &mut Tx, person: UserId, provider: OrgId, company: CompanyId) -> Result<(), StoreError> {
    tx.execute(&INSERT, params![person, provider, company]).await?;
    Ok(())
}

/// The provider and the company that a person is confined to.
pub async fn of_person(conn: &mut Conn, person: UserId) -> Result<Option<(OrgId, CompanyId)>, StoreError> {
    let row = conn.fetch_optional(&OF_PERSON, params![person]).await?;
    row.map(|row| Ok((row.id("provider_id")?, row.id("company_id")?))).transpose()
}

/// A company's viewers in the order they were added, at most `limit`.
pub async fn of_company(
    conn: &mut Conn,
    provider: OrgId,
    company: CompanyId,
    limit: u32,
) -> Result<Vec<ViewerRow>, StoreError> {
    let rows = conn.fetch_all(&OF_COMPANY, params![provider, company, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(ViewerRow {
                person: row.id("id")?,
                name: row.text("name")?,
                email: row.text("email")?,
                disabled: row.opt_timestamp("disabled_us")?,
            })
        })
        .collect()
}

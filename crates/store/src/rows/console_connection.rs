//! Consoles: what each has turned on, and when it last asked for everything anew.

use tenure_core::{OrgId, Timestamp};
use uuid::Uuid;

use crate::{Conn, StoreError, Tx, params, statement::statements};

statements! {
    FIND = "SELECT license_management, company_mapping, pushes_companies, synced_us FROM console_connection
        WHERE provider_id = $1 AND scope_id = $2";
    PUT = "INSERT INTO console_connection (provider_id, scope_id, license_management, company_mapping, pushes_companies,
            synced_us)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (provider_id, scope_id) DO UPDATE SET
            license_management = excluded.license_management, company_mapping = excluded.company_mapping,
            pushes_companies = excluded.pushes_companies, synced_us = excluded.synced_us";
}

/// A console of a provider, or of one of its sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionRow {
    /// It may change licenses.
    pub license_management: bool,
    /// It shows companies as mapped.
    pub company_mapping: bool,
    /// It adds a company in the portal for each of its own.
    pub pushes_companies: bool,
    /// When it last asked for everything anew.
    pub synced: Option<Timestamp>,
}

/// What is stored of a console; `scope` is its site's id, or the provider's.
pub async fn find(conn: &mut Conn, provider: OrgId, scope: Uuid) -> Result<Option<ConnectionRow>, StoreError> {
    let row = conn.fetch_optional(&FIND, params![provider, scope]).await?;
    row.map(|row| {
        Ok(ConnectionRow {
            license_management: row.bool("license_management")?,
            company_mapping: row.bool("company_mapping")?,
            pushes_companies: row.bool("pushes_companies")?,
            synced: row.opt_timestamp("synced_us")?,
        })
    })
    .transpose()
}

/// Writes what a console is now.
pub async fn put(tx: &mut Tx, provider: OrgId, scope: Uuid, row: &ConnectionRow) -> Result<(), StoreError> {
    let ConnectionRow { license_management, company_mapping, pushes_companies, synced } = *row;
    tx.execute_one(&PUT, params![provider, scope, license_management, company_mapping, pushes_companies, synced]).await
}

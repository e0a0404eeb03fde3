//! People who sign in.

use tenure_core::{OrgId, SiteId, Timestamp, UserId, roles::Role};

use super::words;
use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO person (id, org_id, site_id, email, name, role, password_hash, failures, locked_until_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0) ON CONFLICT (email) DO NOTHING";
    FIND = "SELECT id, org_id, site_id, email, name, role, password_hash, failures, locked_until_us, disabled_us,
            (SELECT s.confirmed_us FROM second_step s WHERE s.person_id = person.id) AS second_step_us
        FROM person WHERE id = $1";
    FIND_BY_EMAIL = "SELECT id, org_id, site_id, email, name, role, password_hash, failures, locked_until_us, disabled_us,
            (SELECT s.confirmed_us FROM second_step s WHERE s.person_id = person.id) AS second_step_us
        FROM person WHERE email = $1";
    OF_ORG = "SELECT id, org_id, site_id, email, name, role, password_hash, failures, locked_until_us, disabled_us,
            (SELECT s.confirmed_us FROM second_step s WHERE s.person_id = person.id) AS second_step_us
        FROM person WHERE org_id = $1 ORDER BY email LIMIT 1000";
    PAGE = "SELECT id, org_id, site_id, email, name, role, password_hash, failures, locked_until_us, disabled_us,
            (SELECT s.confirmed_us FROM second_step s WHERE s.person_id = person.id) AS second_step_us
        FROM person WHERE org_id = $1 AND id > $2 AND ($3 IS NULL OR role = $3)
            AND ($4 IS NULL OR (disabled_us IS NULL) = $4) ORDER BY id LIMIT $5",
        pg "SELECT id, org_id, site_id, email, name, role, password_hash, failures, locked_until_us, disabled_us,
            (SELECT s.confirmed_us FROM second_step s WHERE s.person_id = person.id) AS second_step_us
        FROM person WHERE org_id = $1 AND id > $2 AND ($3::text IS NULL OR role = $3)
            AND ($4::boolean IS NULL OR (disabled_us IS NULL) = $4) ORDER BY id LIMIT $5";
    LOCK = "SELECT id, org_id, site_id, email, name, role, password_hash, failures, locked_until_us, disabled_us,
            (SELECT s.confirmed_us FROM second_step s WHERE s.person_id = person.id) AS second_step_us
        FROM person WHERE id = $1",
        pg "SELECT id, org_id, site_id, email, name, role, password_hash, failures, locked_until_us, disabled_us,
            (SELECT s.confirmed_us FROM second_step s WHERE s.person_id = person.id) AS second_step_us
        FROM person WHERE id = $1 FOR UPDATE OF person";
    // In one order, so that two administrators who remove each other wait instead of succeeding both.
    LOCK_ACTIVE = "SELECT id, role FROM person WHERE org_id = $1 AND disabled_us IS NULL ORDER BY id",
        pg "SELECT id, role FROM person WHERE org_id = $1 AND disabled_us IS NULL ORDER BY id FOR UPDATE";
    UPDATE = "UPDATE person SET site_id = $2, name = $3, role = $4, disabled_us = $5 WHERE id = $1";
    SET_PASSWORD = "UPDATE person SET password_hash = $2, failures = 0, locked_until_us = 0 WHERE id = $1";
    // Counted from what was read, so that two wrong passwords at once are two failures.
    FAILED = "UPDATE person SET failures = failures + 1 WHERE id = $1 RETURNING failures";
    LOCK_UNTIL = "UPDATE person SET locked_until_us = $2 WHERE id = $1";
    SUCCEEDED = "UPDATE person SET failures = 0, locked_until_us = 0 WHERE id = $1";
}

/// A person who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// Its id.
    pub id: UserId,
    /// The organization it speaks for.
    pub org: OrgId,
    /// The one site it is confined to.
    pub site: Option<SiteId>,
    /// Lower case; unique in the deployment.
    pub email: String,
    /// Display name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The password's argon2id hash.
    pub password_hash: String,
    /// Wrong passwords since the last right one.
    pub failures: u32,
    /// No password is looked at before.
    pub locked_until: Timestamp,
    /// Since when it may not sign in.
    pub disabled: Option<Timestamp>,
    /// Since when signing in takes a second step.
    pub second_step: Option<Timestamp>,
}

fn person(row: &Row) -> Result<PersonRow, StoreError> {
    Ok(PersonRow {
        id: row.id("id")?,
        org: row.id("org_id")?,
        site: row.opt_id("site_id")?,
        email: row.text("email")?,
        name: row.text("name")?,
        role: words::read(row, "role")?,
        password_hash: row.text("password_hash")?,
        failures: u32::try_from(row.i64("failures")?).unwrap_or(u32::MAX),
        locked_until: row.timestamp("locked_until_us")?,
        disabled: row.opt_timestamp("disabled_us")?,
        second_step: row.opt_timestamp("second_step_us")?,
    })
}

/// Adds a person; `false` when the e-mail address is taken.
pub async fn insert(tx: &mut Tx, row: &PersonRow) -> Result<bool, StoreError> {
    let parameters =
        params![row.id, row.org, row.site, &row.email, &row.name, words::text(&row.role)?, &row.password_hash];
    Ok(tx.execute(&INSERT, parameters).await? == 1)
}

/// One person.
pub async fn find(conn: &mut Conn, id: UserId) -> Result<Option<PersonRow>, StoreError> {
    conn.fetch_optional(&FIND, params![id]).await?.as_ref().map(person).transpose()
}

/// One person, locked for this transaction: who tries to get in is judged one try after another.
pub async fn lock(tx: &mut Tx, id: UserId) -> Result<Option<PersonRow>, StoreError> {
    tx.fetch_optional(&LOCK, params![id]).await?.as_ref().map(person).transpose()
}

/// The person with an e-mail address, given in lower case.
pub async fn find_by_email(conn: &mut Conn, email: &str) -> Result<Option<PersonRow>, StoreError> {
    conn.fetch_optional(&FIND_BY_EMAIL, params![email]).await?.as_ref().map(person).transpose()
}

/// The people of an organization, by e-mail address.
pub async fn of_org(conn: &mut Conn, org: OrgId) -> Result<Vec<PersonRow>, StoreError> {
    conn.fetch_all(&OF_ORG, params![org]).await?.iter().map(person).collect()
}

/// Counts a wrong password; how many there were since the last right one.
pub async fn failed(tx: &mut Tx, id: UserId) -> Result<u32, StoreError> {
    let failures = tx.fetch_one(&FAILED, params![id]).await?.i64("failures")?;
    Ok(u32::try_from(failures).unwrap_or(u32::MAX))
}

/// Looks at no password before `until`.
pub async fn lock_until(tx: &mut Tx, id: UserId, until: Timestamp) -> Result<(), StoreError> {
    tx.execute_one(&LOCK_UNTIL, params![id, until]).await
}

/// Forgets wrong passwords after a right one.
pub async fn succeeded(tx: &mut Tx, id: UserId) -> Result<(), StoreError> {
    tx.execute_one(&SUCCEEDED, params![id]).await
}

/// What a list of people is narrowed to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those with a role.
    pub role: Option<Role>,
    /// Only those who may sign in, or only those who may not.
    pub active: Option<bool>,
}

/// People of an organization in the order they were added, at most `limit`, after `after`.
pub async fn page(
    conn: &mut Conn,
    org: OrgId,
    filter: Filter,
    after: Option<UserId>,
    limit: u32,
) -> Result<Vec<PersonRow>, StoreError> {
    let after = after.map_or(uuid::Uuid::nil(), UserId::uuid);
    let role = filter.role.map(|role| words::text(&role)).transpose()?;
    conn.fetch_all(&PAGE, params![org, after, role, filter.active, limit]).await?.iter().map(person).collect()
}

/// Everybody of an organization who may sign in, with their roles, locked for this transaction.
pub async fn lock_active(tx: &mut Tx, org: OrgId) -> Result<Vec<(UserId, Role)>, StoreError> {
    let rows = tx.fetch_all(&LOCK_ACTIVE, params![org]).await?;
    rows.iter().map(|row| Ok((row.id("id")?, words::read(row, "role")?))).collect()
}

/// Writes site, name, role and deactivation.
pub async fn update(tx: &mut Tx, row: &PersonRow) -> Result<(), StoreError> {
    tx.execute_one(&UPDATE, params![row.id, row.site, &row.name, words::text(&row.role)?, row.disabled]).await
}

/// Writes another password's hash and forgets wrong tries.
pub async fn set_password(tx: &mut Tx, id: UserId, hash: &str) -> Result<(), StoreError> {
    tx.execute_one(&SET_PASSWORD, params![id, hash]).await
}

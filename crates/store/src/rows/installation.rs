//! Installations: their cold row, their keys, and the one-time codes that make them.

use tenure_core::{Day, EnrollTokenId, InstallationId, LicenseId, OrgId, Timestamp};

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

statements! {
    INSERT = "INSERT INTO installation (provider_id, id, license_id, name, host, product_version, agent_version,
            auto_update, activated_us, replaces_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    FIND = "SELECT provider_id, id, license_id, name, host, product_version, agent_version, auto_update, activated_us,
            replaces_id, retired_us, retired_how
        FROM installation WHERE provider_id = $1 AND id = $2";
    OF_LICENSE = "SELECT provider_id, id, license_id, name, host, product_version, agent_version, auto_update,
            activated_us, replaces_id, retired_us, retired_how
        FROM installation WHERE provider_id = $1 AND license_id = $2 ORDER BY activated_us, id";
    UPDATE_FACTS = "UPDATE installation SET name = $3, host = $4, product_version = $5, agent_version = $6,
            auto_update = $7
        WHERE provider_id = $1 AND id = $2";
    RETIRE = "UPDATE installation SET retired_us = $3, retired_how = $4
        WHERE provider_id = $1 AND id = $2 AND retired_us IS NULL";
    INSERT_KEY = "INSERT INTO installation_key (key_id, public_key, provider_id, installation_id, created_us)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (key_id) DO NOTHING";
    RETIRE_KEY = "UPDATE installation_key SET retired_us = $2 WHERE key_id = $1 AND retired_us IS NULL";
    FIND_KEY = "SELECT key_id, public_key, provider_id, installation_id, retired_us
        FROM installation_key WHERE key_id = $1";
    INSERT_CODE = "INSERT INTO activation_code (code_hash, provider_id, license_id, replaces_id, splits, created_us,
            until_us, enroll_token_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    REFUSE_CODE = "UPDATE activation_code SET refused_us = $2 WHERE code_hash = $1 AND refused_us IS NULL";
    VOID_CODES = "UPDATE activation_code SET voided_us = $3
        WHERE provider_id = $1 AND replaces_id = $2 AND key_id IS NULL AND voided_us IS NULL";
    SUCCESSOR = "SELECT id FROM installation WHERE provider_id = $1 AND replaces_id = $2 ORDER BY id DESC LIMIT 1";
    REFUSED = "SELECT refused_us FROM activation_code WHERE installation_id = $1";
    LOCK_CODE = "SELECT provider_id, license_id, replaces_id, splits, until_us, voided_us, key_id, request_hash,
            installation_id, answer, enroll_token_id
        FROM activation_code WHERE code_hash = $1",
        pg "SELECT provider_id, license_id, replaces_id, splits, until_us, voided_us, key_id, request_hash,
            installation_id, answer, enroll_token_id
        FROM activation_code WHERE code_hash = $1 FOR UPDATE";
    FIND_CODE = "SELECT provider_id, license_id, replaces_id, splits, until_us, voided_us, key_id, request_hash,
            installation_id, answer, enroll_token_id
        FROM activation_code WHERE code_hash = $1";
    USE_CODE = "UPDATE activation_code SET key_id = $2, request_hash = $3, installation_id = $4, answer = $5
        WHERE code_hash = $1 AND key_id IS NULL";
    UPSERT_OBLIGATION = "INSERT INTO obligation (provider_id, period, installation_id, license_id, product_id,
            company_id)
        SELECT l.provider_id, $3, $2, l.id, l.product_id, l.company_id
        FROM license l WHERE l.provider_id = $1 AND l.id = $4
        ON CONFLICT (provider_id, period, installation_id) DO NOTHING";
    // At most eight a day: a product counts a day anew a few times, and whoever sends more says nothing more (X9).
    INSERT_HEADS = "INSERT INTO daily_head (installation_id, day, head)
        SELECT unhex(value->>'i'), value->>'d', unhex(value->>'h') FROM json_each($1)
        WHERE (SELECT count(*) FROM daily_head AS held
            WHERE held.installation_id = unhex(value->>'i') AND held.day = value->>'d') < 8
        ON CONFLICT DO NOTHING",
        pg "INSERT INTO daily_head (installation_id, day, head)
        SELECT i::uuid, d, decode(h, 'hex') FROM json_to_recordset($1::json) AS r(i text, d bigint, h text)
        WHERE (SELECT count(*) FROM daily_head AS held WHERE held.installation_id = i::uuid AND held.day = d) < 8
        ON CONFLICT DO NOTHING";
    // A page of installations each time: their heads are found by key.
    NEXT = "SELECT installation_id FROM chain WHERE installation_id > $1 ORDER BY installation_id LIMIT $2";
    DROP_HEADS = "DELETE FROM daily_head WHERE installation_id > $1 AND installation_id <= $2 AND day < $3";
    HEADS = "SELECT day, head FROM daily_head WHERE installation_id = $1 AND day >= $2 AND day < $3 ORDER BY day, head";
}

/// The cold row of an installation.
#[derive(Debug, Clone)]
pub struct InstallationRow {
    /// Whose it is.
    pub provider: OrgId,
    /// Its id.
    pub id: InstallationId,
    /// The license it holds.
    pub license: LicenseId,
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
}

/// A key and the installation it speaks for.
#[derive(Debug, Clone, Copy)]
pub struct KeyOwnerRow {
    /// SHA-256 of the public key.
    pub key_id: [u8; 32],
    /// The raw public key.
    pub public_key: [u8; 32],
    /// Whose installation.
    pub provider: OrgId,
    /// Which installation.
    pub installation: InstallationId,
    /// Set once a rotation replaced it: it still verifies older documents.
    pub retired: Option<Timestamp>,
}

/// A one-time code and what became of it.
#[derive(Debug, Clone)]
pub struct CodeRow {
    /// Whose license.
    pub provider: OrgId,
    /// The license it activates.
    pub license: LicenseId,
    /// The installation the new one takes over from.
    pub replaces: Option<InstallationId>,
    /// It makes one side of a clone a server of its own: the replaced one goes on.
    pub splits: bool,
    /// When it lapses.
    pub until: Timestamp,
    /// When it was voided.
    pub voided: Option<Timestamp>,
    /// The first key that showed it.
    pub key_id: Option<[u8; 32]>,
    /// The request that showed it.
    pub request_hash: Option<[u8; 32]>,
    /// The installation it made.
    pub installation: Option<InstallationId>,
    /// Payload of the answer given then.
    pub answer: Option<Vec<u8>>,
    /// The fleet's token that let the server in.
    pub enroll_token: Option<EnrollTokenId>,
}

/// A head of a daily chain, as a check-in committed it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct HeadParam {
    /// Installation, bare UUID without hyphens.
    pub i: String,
    /// Day number.
    pub d: i32,
    /// Head, hex.
    pub h: String,
}

fn installation(row: &Row) -> Result<InstallationRow, StoreError> {
    Ok(InstallationRow {
        provider: row.id("provider_id")?,
        id: row.id("id")?,
        license: row.id("license_id")?,
        name: row.text("name")?,
        host: row.text("host")?,
        product_version: row.text("product_version")?,
        agent_version: row.text("agent_version")?,
        auto_update: row.bool("auto_update")?,
        activated: row.timestamp("activated_us")?,
        replaces: row.opt_id("replaces_id")?,
        retired: row.opt_timestamp("retired_us")?,
        retired_how: row.opt_text("retired_how")?,
    })
}

/// Adds an installation.
pub async fn insert(tx: &mut Tx, row: &InstallationRow) -> Result<(), StoreError> {
    tx.execute_one(
        &INSERT,
        params![
            row.provider,
            row.id,
            row.license,
            row.name.as_str(),
            row.host.as_str(),
            row.product_version.as_str(),
            row.agent_version.as_str(),
            row.auto_update,
            row.activated,
            row.replaces
        ],
    )
    .await
}

/// One installation of a provider.
pub async fn find(
    conn: &mut Conn,
    provider: OrgId,
    id: InstallationId,
) -> Result<Option<InstallationRow>, StoreError> {
    conn.fetch_optional(&FIND, params![provider, id]).await?.map(|row| installation(&row)).transpose()
}

/// The installations that hold a license, oldest first, retired ones included.
pub async fn of_license(
    conn: &mut Conn,
    provider: OrgId,
    license: LicenseId,
) -> Result<Vec<InstallationRow>, StoreError> {
    conn.fetch_all(&OF_LICENSE, params![provider, license]).await?.iter().map(installation).collect()
}

/// Writes down what an installation tells of itself now.
pub async fn update_facts(tx: &mut Tx, row: &InstallationRow) -> Result<(), StoreError> {
    tx.execute_one(
        &UPDATE_FACTS,
        params![
            row.provider,
            row.id,
            row.name.as_str(),
            row.host.as_str(),
            row.product_version.as_str(),
            row.agent_version.as_str(),
            row.auto_update
        ],
    )
    .await
}

/// Stops expecting an installation; `false` when it was retired before.
pub async fn retire(
    tx: &mut Tx,
    provider: OrgId,
    id: InstallationId,
    at: Timestamp,
    how: &str,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&RETIRE, params![provider, id, at, how]).await? == 1)
}

/// Registers a key, once and for ever in the whole deployment; `false` when any installation ever had it.
pub async fn insert_key(tx: &mut Tx, row: &KeyOwnerRow, now: Timestamp) -> Result<bool, StoreError> {
    let inserted = tx
        .execute(&INSERT_KEY, params![row.key_id, row.public_key, row.provider, row.installation, now])
        .await?;
    Ok(inserted == 1)
}

/// Ends a key: another one speaks for its installation from now on.
pub async fn retire_key(tx: &mut Tx, key_id: &[u8; 32], now: Timestamp) -> Result<(), StoreError> {
    tx.execute_one(&RETIRE_KEY, params![key_id, now]).await
}

/// Whose key it is.
pub async fn find_key(conn: &mut Conn, key_id: &[u8; 32]) -> Result<Option<KeyOwnerRow>, StoreError> {
    let row = conn.fetch_optional(&FIND_KEY, params![key_id]).await?;
    row.map(|row| {
        Ok(KeyOwnerRow {
            key_id: row.hash("key_id")?,
            public_key: row.hash("public_key")?,
            provider: row.id("provider_id")?,
            installation: row.id("installation_id")?,
            retired: row.opt_timestamp("retired_us")?,
        })
    })
    .transpose()
}

/// A one-time code to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewCode {
    /// Its hash.
    pub hash: [u8; 32],
    /// Whose license.
    pub provider: OrgId,
    /// The license it activates.
    pub license: LicenseId,
    /// The installation the new one takes over from.
    pub replaces: Option<InstallationId>,
    /// It makes one side of a clone a server of its own.
    pub splits: bool,
    /// Now.
    pub now: Timestamp,
    /// When it lapses.
    pub until: Timestamp,
    /// The fleet's token that lets the server in.
    pub enroll_token: Option<EnrollTokenId>,
}

/// Adds a one-time code.
pub async fn insert_code(tx: &mut Tx, code: &NewCode) -> Result<(), StoreError> {
    let parameters = params![
        code.hash,
        code.provider,
        code.license,
        code.replaces,
        code.splits,
        code.now,
        code.until,
        code.enroll_token
    ];
    tx.execute_one(&INSERT_CODE, parameters).await
}

/// Notes that another key showed a used code; `false` when one did before.
pub async fn refuse_code(tx: &mut Tx, code_hash: &[u8; 32], at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&REFUSE_CODE, params![code_hash, at]).await? == 1)
}

/// Voids the unused codes that would replace an installation; how many there were.
pub async fn void_codes(
    tx: &mut Tx,
    provider: OrgId,
    replaces: InstallationId,
    at: Timestamp,
) -> Result<u64, StoreError> {
    tx.execute(&VOID_CODES, params![provider, replaces, at]).await
}

/// The installation that took over from another.
pub async fn successor(
    conn: &mut Conn,
    provider: OrgId,
    replaced: InstallationId,
) -> Result<Option<InstallationId>, StoreError> {
    conn.fetch_optional(&SUCCESSOR, params![provider, replaced]).await?.map(|row| row.id("id")).transpose()
}

/// When another key showed the code that made an installation; none when none did.
pub async fn code_refused(conn: &mut Conn, installation: InstallationId) -> Result<Option<Timestamp>, StoreError> {
    let row = conn.fetch_optional(&REFUSED, params![installation]).await?;
    row.map_or(Ok(None), |row| row.opt_timestamp("refused_us"))
}

fn code(row: &Row) -> Result<CodeRow, StoreError> {
    Ok(CodeRow {
        provider: row.id("provider_id")?,
        license: row.id("license_id")?,
        replaces: row.opt_id("replaces_id")?,
        splits: row.bool("splits")?,
        until: row.timestamp("until_us")?,
        voided: row.opt_timestamp("voided_us")?,
        key_id: row.opt_hash("key_id")?,
        request_hash: row.opt_hash("request_hash")?,
        installation: row.opt_id("installation_id")?,
        answer: row.opt_blob("answer")?,
        enroll_token: row.opt_id("enroll_token_id")?,
    })
}

/// The code, locked for this transaction.
pub async fn lock_code(tx: &mut Tx, code_hash: &[u8; 32]) -> Result<Option<CodeRow>, StoreError> {
    tx.fetch_optional(&LOCK_CODE, params![code_hash]).await?.as_ref().map(code).transpose()
}

/// The code as it stands.
pub async fn find_code(conn: &mut Conn, code_hash: &[u8; 32]) -> Result<Option<CodeRow>, StoreError> {
    conn.fetch_optional(&FIND_CODE, params![code_hash]).await?.as_ref().map(code).transpose()
}

/// Binds a code to the first key that shows it and keeps the answer for a repeat.
pub async fn use_code(
    tx: &mut Tx,
    code_hash: &[u8; 32],
    key_id: &[u8; 32],
    request_hash: &[u8; 32],
    installation: InstallationId,
    answer: &[u8],
) -> Result<(), StoreError> {
    tx.execute_one(&USE_CODE, params![code_hash, key_id, request_hash, installation, answer]).await
}

/// Makes sure that the month in which a license was valid on this installation must be accounted for.
pub async fn ensure_obligation(
    tx: &mut Tx,
    provider: OrgId,
    installation: InstallationId,
    license: LicenseId,
    period: tenure_core::Period,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&UPSERT_OBLIGATION, params![provider, installation, period, license]).await? == 1)
}

/// Commits the heads that check-ins named, all in one statement.
pub async fn insert_heads(tx: &mut Tx, heads: &[HeadParam]) -> Result<(), StoreError> {
    tx.execute(&INSERT_HEADS, params![crate::json_rows(heads)?]).await?;
    Ok(())
}

/// The heads committed in a span of days, by day.
pub async fn heads(
    conn: &mut Conn,
    installation: InstallationId,
    from: tenure_core::Day,
    to: tenure_core::Day,
) -> Result<Vec<(tenure_core::Day, [u8; 32])>, StoreError> {
    let rows = conn.fetch_all(&HEADS, params![installation, from, to]).await?;
    rows.iter().map(|row| Ok((row.day("day")?, row.hash("head")?))).collect()
}

/// Forgets the daily heads before a day of the next installations, at most `limit`; the last of them, `None` at the end.
pub async fn drop_heads(
    tx: &mut Tx,
    after: InstallationId,
    before: Day,
    limit: u32,
) -> Result<Option<InstallationId>, StoreError> {
    let rows = tx.fetch_all(&NEXT, params![after, limit]).await?;
    let Some(last) = rows.last() else { return Ok(None) };
    let last: InstallationId = last.id("installation_id")?;
    tx.execute(&DROP_HEADS, params![after, last, before]).await?;
    Ok(Some(last))
}

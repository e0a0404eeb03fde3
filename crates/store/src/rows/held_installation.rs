//! Installations that were lost with what they belong to, and their documents, until a person decided.

use tenure_core::{InstallationId, LicenseId, OrgId, Timestamp};

use crate::{Conn, Row, StoreError, Tx, params, statement::statements};

/// Most documents that are kept of one held installation.
pub const MAX_DOCUMENTS: i64 = 256;

statements! {
    UPSERT = "INSERT INTO held_installation (installation_id, provider_id, license_id, public_key, answer, request, name,
            first_us, seen_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (installation_id) DO UPDATE SET seen_us = excluded.seen_us, request = excluded.request,
            name = excluded.name
        RETURNING first_us, refused_us";
    LOCK = "SELECT installation_id, provider_id, license_id, public_key, answer, request, name, first_us, seen_us,
            confirmed_us, refused_us
        FROM held_installation WHERE installation_id = $1",
        pg "SELECT installation_id, provider_id, license_id, public_key, answer, request, name, first_us, seen_us,
            confirmed_us, refused_us
        FROM held_installation WHERE installation_id = $1 FOR UPDATE";
    WAITING = "SELECT installation_id, provider_id, license_id, public_key, answer, request, name, first_us, seen_us,
            confirmed_us, refused_us
        FROM held_installation
        WHERE confirmed_us IS NULL AND refused_us IS NULL AND ($1 IS NULL OR provider_id = $1)
        ORDER BY first_us, installation_id LIMIT $2",
        pg "SELECT installation_id, provider_id, license_id, public_key, answer, request, name, first_us, seen_us,
            confirmed_us, refused_us
        FROM held_installation
        WHERE confirmed_us IS NULL AND refused_us IS NULL AND ($1::uuid IS NULL OR provider_id = $1)
        ORDER BY first_us, installation_id LIMIT $2";
    LICENSE_BEFORE = "SELECT license_id FROM held_installation WHERE installation_id = $1 AND confirmed_us IS NOT NULL";
    DOCUMENTS = "SELECT hash, payload_type, envelope, received_us FROM held_document WHERE installation_id = $1
        ORDER BY received_us, hash";
    REFUSE = "UPDATE held_installation SET refused_us = $2 WHERE installation_id = $1 AND confirmed_us IS NULL
        AND refused_us IS NULL";
    CONFIRM = "UPDATE held_installation SET confirmed_us = $2 WHERE installation_id = $1 AND confirmed_us IS NULL";
    KEEP = "INSERT INTO held_document (installation_id, hash, payload_type, envelope, received_us)
        SELECT $1, $2, $3, $4, $5
        WHERE (SELECT count(*) FROM held_document WHERE installation_id = $1) < $6
        ON CONFLICT (installation_id, hash) DO NOTHING",
        pg "INSERT INTO held_document (installation_id, hash, payload_type, envelope, received_us)
        SELECT $1::uuid, $2::bytea, $3::text, $4::text, $5::bigint
        WHERE (SELECT count(*) FROM held_document WHERE installation_id = $1::uuid) < $6::bigint
        ON CONFLICT (installation_id, hash) DO NOTHING";
    COUNT = "SELECT count(*) AS n FROM held_document WHERE installation_id = $1";
}

/// A held installation.
#[derive(Debug, Clone)]
pub struct HeldRow {
    /// Its id, as our activation answer says.
    pub installation: InstallationId,
    /// Whose it was.
    pub provider: OrgId,
    /// The license it held.
    pub license: LicenseId,
    /// The raw public key that the answer names.
    pub public_key: [u8; 32],
    /// The answer's envelope, JSON.
    pub answer: String,
    /// The verified request that showed it, JSON.
    pub request: String,
    /// Host name it tells.
    pub name: String,
    /// When it was heard first.
    pub first: Timestamp,
    /// When it was heard last.
    pub seen: Timestamp,
    /// When a person confirmed it.
    pub confirmed: Option<Timestamp>,
    /// When a person said that it is nobody's.
    pub refused: Option<Timestamp>,
}

/// A document it sent meanwhile.
#[derive(Debug, Clone)]
pub struct HeldDocumentRow {
    /// `H` of it.
    pub hash: [u8; 32],
    /// What it is.
    pub payload_type: String,
    /// As it came, JSON.
    pub envelope: String,
    /// When it came first.
    pub received: Timestamp,
}

fn held(row: &Row) -> Result<HeldRow, StoreError> {
    Ok(HeldRow {
        installation: row.id("installation_id")?,
        provider: row.id("provider_id")?,
        license: row.id("license_id")?,
        public_key: row.hash("public_key")?,
        answer: row.text("answer")?,
        request: row.text("request")?,
        name: row.text("name")?,
        first: row.timestamp("first_us")?,
        seen: row.timestamp("seen_us")?,
        confirmed: row.opt_timestamp("confirmed_us")?,
        refused: row.opt_timestamp("refused_us")?,
    })
}

/// What became of holding an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upserted {
    /// It was not known to be lost.
    New,
    /// It was heard again.
    Again,
    /// A person had said that it is nobody's.
    Refused,
}

/// Holds an installation, or notes that it was heard again.
pub async fn upsert(tx: &mut Tx, row: &HeldRow) -> Result<Upserted, StoreError> {
    let found = tx
        .fetch_one(
            &UPSERT,
            params![
                row.installation,
                row.provider,
                row.license,
                row.public_key,
                row.answer.as_str(),
                row.request.as_str(),
                row.name.as_str(),
                row.first,
                row.seen
            ],
        )
        .await?;
    Ok(match found.opt_timestamp("refused_us")? {
        Some(_) => Upserted::Refused,
        None if found.timestamp("first_us")? == row.first => Upserted::New,
        None => Upserted::Again,
    })
}

/// One held installation, locked for this transaction.
pub async fn lock(tx: &mut Tx, installation: InstallationId) -> Result<Option<HeldRow>, StoreError> {
    tx.fetch_optional(&LOCK, params![installation]).await?.as_ref().map(held).transpose()
}

/// Those that nobody decided on yet, of one provider or of all, the longest waiting first, at most `limit`.
pub async fn waiting(conn: &mut Conn, provider: Option<OrgId>, limit: i64) -> Result<Vec<HeldRow>, StoreError> {
    conn.fetch_all(&WAITING, params![provider, limit]).await?.iter().map(held).collect()
}

/// The license that an installation held before it was lost and confirmed; none of those that never were.
pub async fn license_before(
    conn: &mut Conn,
    installation: InstallationId,
) -> Result<Option<LicenseId>, StoreError> {
    conn.fetch_optional(&LICENSE_BEFORE, params![installation]).await?.map(|row| row.id("license_id")).transpose()
}

/// What is kept of one, in the order in which it came.
pub async fn documents(conn: &mut Conn, installation: InstallationId) -> Result<Vec<HeldDocumentRow>, StoreError> {
    let read = |row: &Row| {
        Ok(HeldDocumentRow {
            hash: row.hash("hash")?,
            payload_type: row.text("payload_type")?,
            envelope: row.text("envelope")?,
            received: row.timestamp("received_us")?,
        })
    };
    conn.fetch_all(&DOCUMENTS, params![installation]).await?.iter().map(read).collect()
}

/// A person said that it is nobody's; `false` when somebody decided before.
pub async fn refuse(tx: &mut Tx, installation: InstallationId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&REFUSE, params![installation, now]).await? == 1)
}

/// A person confirmed it; `false` when that was done before.
pub async fn confirm(tx: &mut Tx, installation: InstallationId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&CONFIRM, params![installation, now]).await? == 1)
}

/// Keeps documents that are not kept yet, up to the bound.
pub async fn keep(
    tx: &mut Tx,
    installation: InstallationId,
    documents: &[HeldDocumentRow],
) -> Result<(), StoreError> {
    for row in documents {
        let parameters = params![
            installation,
            row.hash,
            row.payload_type.as_str(),
            row.envelope.as_str(),
            row.received,
            MAX_DOCUMENTS
        ];
        tx.execute(&KEEP, parameters).await?;
    }
    Ok(())
}

/// How many documents are kept of one.
pub async fn count(conn: &mut Conn, installation: InstallationId) -> Result<i64, StoreError> {
    conn.fetch_one(&COUNT, params![installation]).await?.i64("n")
}

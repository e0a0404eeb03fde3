//! The hot row of an installation: where its chain of requests and answers stands, and the newest license issued to it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use tenure_core::{InstallationId, LicenseId, OrgId, Timestamp};

use crate::{Conn, Engine, Row, StoreError, Tx, Val, hex, json_rows, params, statement::statements};

statements! {
    // What else ended a license says more than its agreement does.
    SET_CONTRACT = "UPDATE chain SET license_state = $3 WHERE provider_id = $1 AND license_state = $4
            AND license_id IN (SELECT unhex(value) FROM json_each($2))",
        pg "UPDATE chain SET license_state = $3 WHERE provider_id = $1 AND license_state = $4
            AND license_id IN (SELECT value::uuid FROM json_array_elements_text($2::json))";
    INSERT = "INSERT INTO chain (installation_id, provider_id, key_id, status, epoch, branch, seq, head, req, answer,
            superseded, rejoins, seen_us, facts, skew_us, shown_epoch, shown_serial, license_id, license_epoch,
            license_serial, license_hash, license_expires_us, license_state, contract_ends_us)
        VALUES ($1, $2, $3, 'active', $4, 0, 0, $5, $6, $7, '[]', '[]', $8, $15, 0, 0, 0, $9, $10, $11, $12, $13,
            'up_to_date', $14)";
    EXPIRING = "SELECT c.license_id, c.license_expires_us, co.name AS holder FROM installation i
            JOIN chain c ON c.installation_id = i.id
            JOIN license l ON l.provider_id = i.provider_id AND l.id = c.license_id
            LEFT JOIN company co ON co.provider_id = l.provider_id AND co.id = l.company_id
        WHERE i.provider_id = $1 AND i.retired_us IS NULL AND c.license_expires_us >= $2 AND c.license_expires_us < $3
            AND c.license_state <> 'revoked'
        ORDER BY c.license_id LIMIT $4";
    FIND = "SELECT installation_id, provider_id, key_id, status, epoch, branch, seq, head, req, answer, superseded,
            rejoins, seen_us, facts, skew_us, shown_epoch, shown_serial, license_id, license_epoch, license_serial,
            license_hash, license_expires_us, license_state, contract_ends_us, asked_us, split_us
        FROM chain WHERE installation_id = $1";
    // Rows are locked in the order of their ids: the first lock of the one lock order.
    LOCK_MANY = "SELECT installation_id, provider_id, key_id, status, epoch, branch, seq, head, req, answer, superseded,
            rejoins, seen_us, facts, skew_us, shown_epoch, shown_serial, license_id, license_epoch, license_serial,
            license_hash, license_expires_us, license_state, contract_ends_us, asked_us, split_us
        FROM json_each($1) AS wanted JOIN chain ON chain.installation_id = unhex(wanted.value)",
        pg "SELECT installation_id, provider_id, key_id, status, epoch, branch, seq, head, req, answer, superseded,
            rejoins, seen_us, facts, skew_us, shown_epoch, shown_serial, license_id, license_epoch, license_serial,
            license_hash, license_expires_us, license_state, contract_ends_us, asked_us, split_us
        FROM chain
        WHERE installation_id IN (SELECT value::uuid FROM json_array_elements_text($1::json))
        ORDER BY installation_id FOR UPDATE";
    // The decision is a compare-and-set on what it was made from. One row at a time where a statement costs no round trip,
    // all rows as JSON where it does.
    MOVE_MANY = "UPDATE chain SET epoch = $5, branch = $6, seq = $7, head = $8, req = $9, answer = $10, seen_us = $11,
            facts = $12, skew_us = $13, shown_epoch = $14, shown_serial = $15
        WHERE installation_id = $1 AND epoch = $2 AND seq = $3 AND head = $4",
        pg "UPDATE chain SET epoch = m.epoch, branch = m.branch, seq = m.seq, head = decode(m.head, 'hex'),
            req = decode(m.req, 'hex'), answer = convert_to(m.answer, 'UTF8'), seen_us = m.seen, facts = decode(m.facts, 'hex'),
            skew_us = m.skew, shown_epoch = m.shown_epoch, shown_serial = m.shown_serial
        FROM json_to_recordset($1::json) AS m(id uuid, epoch bigint, branch bigint, seq bigint, head text, req text,
            answer text, seen bigint, facts text, skew bigint, shown_epoch bigint, shown_serial bigint, was_epoch bigint,
            was_seq bigint, was_head text)
        WHERE chain.installation_id = m.id AND chain.epoch = m.was_epoch AND chain.seq = m.was_seq
            AND chain.head = decode(m.was_head, 'hex')";
    SET_FIRST_HEAD = "UPDATE chain SET head = $2, answer = $3 WHERE installation_id = $1 AND seq = 0";
    SET_KEY = "UPDATE chain SET key_id = $3 WHERE installation_id = $1 AND key_id = $2";
    SET_STATUS = "UPDATE chain SET status = $2, split_us = $3 WHERE installation_id = $1";
    // The chains of a license's servers that are not retired; which they are is what the caller locked.
    SET_LICENSE_STATE = "UPDATE chain SET license_state = $3 WHERE installation_id IN (SELECT i.id FROM installation i
        WHERE i.provider_id = $1 AND i.license_id = $2 AND i.retired_us IS NULL)";
    ASK = "UPDATE chain SET asked_us = $2 WHERE installation_id = $1";
    LEAVE_BRANCH = "UPDATE chain SET superseded = $2, rejoins = $3, status = $4 WHERE installation_id = $1";
}

/// The row.
#[derive(Debug, Clone)]
pub struct ChainRow {
    /// Whose chain.
    pub installation: InstallationId,
    /// Whose installation.
    pub provider: OrgId,
    /// The key that speaks for it now.
    pub key_id: [u8; 32],
    /// `active`, `suspended_clone`, `retired`.
    pub status: String,
    /// Epoch of the head.
    pub epoch: u64,
    /// Branch of the head.
    pub branch: u64,
    /// Sequence number of the head; 0 right after activation.
    pub seq: u64,
    /// `H` of the last answer.
    pub head: [u8; 32],
    /// `H` of the last request.
    pub req: [u8; 32],
    /// Payload of the last answer.
    pub answer: Vec<u8>,
    /// The tips left behind, oldest first.
    pub superseded: Vec<Tip>,
    /// Instants of recent rejoins, microseconds.
    pub rejoins: Vec<i64>,
    /// When it was last heard from.
    pub seen: Timestamp,
    /// SHA-256 of the host facts and versions last told.
    pub facts: [u8; 32],
    /// Product clock minus server clock, microseconds.
    pub skew_us: i64,
    /// Epoch and serial of the license the product shows.
    pub shown: (u64, u64),
    /// The license it holds.
    pub license: LicenseId,
    /// Epoch and serial of the newest license issued to it.
    pub issued: (u64, u64),
    /// `H` of that license.
    pub license_hash: [u8; 32],
    /// When that license expires.
    pub license_expires: Timestamp,
    /// `up_to_date`, or why nothing newer comes: `revoked`, `contract_terminated`, `not_updatable`.
    pub license_state: String,
    /// The agreement's end.
    pub contract_ends: Timestamp,
    /// When *Update now* was asked for; it holds until the next check-in.
    pub asked: Option<Timestamp>,
    /// When another installation took over one side of a clone; the next word of the other side clears it.
    pub split: Option<Timestamp>,
}

impl ChainRow {
    /// Whether *Update now* was asked for since the last check-in.
    pub fn is_asked(&self) -> bool {
        self.asked.is_some_and(|asked| asked > self.seen)
    }
}

/// A tip of a branch that was left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tip {
    /// Branch.
    pub branch: u64,
    /// Sequence number.
    pub seq: u64,
    /// `H` of its answer, hex.
    pub head: String,
    /// `H` of its request, hex.
    pub req: String,
}

/// One head moved by a check-in.
#[derive(Debug, Clone)]
pub struct Move {
    /// The installation.
    pub id: InstallationId,
    /// New epoch.
    pub epoch: u64,
    /// New branch.
    pub branch: u64,
    /// New sequence number.
    pub seq: u64,
    /// New head.
    pub head: [u8; 32],
    /// The request answered.
    pub req: [u8; 32],
    /// Payload of the answer: JSON.
    pub answer: Vec<u8>,
    /// Now.
    pub seen: Timestamp,
    /// SHA-256 of the host facts and versions told.
    pub facts: [u8; 32],
    /// Product clock minus server clock, microseconds.
    pub skew_us: i64,
    /// Epoch and serial of the license the product shows.
    pub shown: (u64, u64),
    /// Epoch the decision was made from.
    pub was_epoch: u64,
    /// Sequence number the decision was made from.
    pub was_seq: u64,
    /// Head the decision was made from.
    pub was_head: [u8; 32],
}

/// A [`Move`] as PostgreSQL reads it.
#[derive(Serialize)]
struct MoveJson<'a> {
    id: String,
    epoch: u64,
    branch: u64,
    seq: u64,
    head: String,
    req: String,
    answer: Cow<'a, str>,
    seen: i64,
    facts: String,
    skew: i64,
    shown_epoch: u64,
    shown_serial: u64,
    was_epoch: u64,
    was_seq: u64,
    was_head: String,
}

impl Move {
    fn json(&self) -> MoveJson<'_> {
        MoveJson {
            id: self.id.uuid().simple().to_string(),
            epoch: self.epoch,
            branch: self.branch,
            seq: self.seq,
            head: hex(&self.head),
            req: hex(&self.req),
            // Payloads are JSON, so this never replaces anything.
            answer: String::from_utf8_lossy(&self.answer),
            seen: self.seen.as_micros(),
            facts: hex(&self.facts),
            skew: self.skew_us,
            shown_epoch: self.shown.0,
            shown_serial: self.shown.1,
            was_epoch: self.was_epoch,
            was_seq: self.was_seq,
            was_head: hex(&self.was_head),
        }
    }

    fn params(&self) -> Vec<Val> {
        params![
            self.id,
            self.was_epoch as i64,
            self.was_seq as i64,
            self.was_head,
            self.epoch as i64,
            self.branch as i64,
            self.seq as i64,
            self.head,
            self.req,
            &self.answer,
            self.seen,
            self.facts,
            self.skew_us,
            self.shown.0 as i64,
            self.shown.1 as i64
        ]
    }
}

/// The chain's beginning, at activation.
#[derive(Debug, Clone)]
pub struct Beginning<'a> {
    /// Whose chain.
    pub installation: InstallationId,
    /// Whose installation.
    pub provider: OrgId,
    /// Its key.
    pub key_id: [u8; 32],
    /// Current epoch.
    pub epoch: u64,
    /// `H` of the activation answer.
    pub head: [u8; 32],
    /// `H` of the activation request.
    pub req: [u8; 32],
    /// Payload of the activation answer.
    pub answer: &'a [u8],
    /// Now.
    pub now: Timestamp,
    /// The license it holds.
    pub license: LicenseId,
    /// The agreement's end.
    pub contract_ends: Timestamp,
}

fn chain(row: &Row) -> Result<ChainRow, StoreError> {
    Ok(ChainRow {
        installation: row.id("installation_id")?,
        provider: row.id("provider_id")?,
        key_id: row.hash("key_id")?,
        status: row.text("status")?,
        epoch: row.i64("epoch")? as u64,
        branch: row.i64("branch")? as u64,
        seq: row.i64("seq")? as u64,
        head: row.hash("head")?,
        req: row.hash("req")?,
        answer: row.blob("answer")?,
        superseded: row.json("superseded")?,
        rejoins: row.json("rejoins")?,
        seen: row.timestamp("seen_us")?,
        facts: row.hash("facts")?,
        skew_us: row.i64("skew_us")?,
        shown: (row.i64("shown_epoch")? as u64, row.i64("shown_serial")? as u64),
        license: row.id("license_id")?,
        issued: (row.i64("license_epoch")? as u64, row.i64("license_serial")? as u64),
        license_hash: row.hash("license_hash")?,
        license_expires: row.timestamp("license_expires_us")?,
        license_state: row.text("license_state")?,
        contract_ends: row.timestamp("contract_ends_us")?,
        asked: row.opt_timestamp("asked_us")?,
        split: row.opt_timestamp("split_us")?,
    })
}

/// Begins a chain. Nothing is issued yet: epoch and serial of its license are 0 until the license is written.
pub async fn begin(tx: &mut Tx, start: &Beginning<'_>) -> Result<(), StoreError> {
    tx.execute_one(
        &INSERT,
        params![
            start.installation,
            start.provider,
            start.key_id,
            start.epoch as i64,
            start.head,
            start.req,
            start.answer,
            start.now,
            start.license,
            0_i64,
            0_i64,
            [0_u8; 32],
            0_i64,
            start.contract_ends,
            [0_u8; 32]
        ],
    )
    .await
}

/// One chain.
pub async fn find(conn: &mut Conn, installation: InstallationId) -> Result<Option<ChainRow>, StoreError> {
    conn.fetch_optional(&FIND, params![installation]).await?.map(|row| chain(&row)).transpose()
}

/// The chains of many installations, locked in id order; those that do not exist are left out.
pub async fn lock_many(tx: &mut Tx, installations: &[InstallationId]) -> Result<Vec<ChainRow>, StoreError> {
    let ids: Vec<String> = installations.iter().map(|id| id.uuid().simple().to_string()).collect();
    tx.fetch_all(&LOCK_MANY, params![json_rows(&ids)?]).await?.iter().map(chain).collect()
}

/// A server whose license ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiringRow {
    /// The license.
    pub license: LicenseId,
    /// When it ends.
    pub expires: Timestamp,
    /// Name of the company that holds it; none where the provider does.
    pub holder: Option<String>,
}

/// Servers of a provider whose newest license ends from `from` on and before `until`, at most `limit`.
pub async fn expiring(
    conn: &mut Conn,
    provider: OrgId,
    from: Timestamp,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<ExpiringRow>, StoreError> {
    let rows = conn.fetch_all(&EXPIRING, params![provider, from, until, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(ExpiringRow {
                license: row.id("license_id")?,
                expires: row.timestamp("license_expires_us")?,
                holder: row.opt_text("holder")?,
            })
        })
        .collect()
}

/// Moves many heads, each only if it still is what the decision was made from. Gives how many moved.
pub async fn move_many(tx: &mut Tx, moves: &[Move]) -> Result<u64, StoreError> {
    if tx.engine() == Engine::Postgres {
        let rows: Vec<MoveJson<'_>> = moves.iter().map(Move::json).collect();
        return tx.execute(&MOVE_MANY, params![json_rows(&rows)?]).await;
    }
    let mut moved = 0;
    for each in moves {
        moved += tx.execute(&MOVE_MANY, each.params()).await?;
    }
    Ok(moved)
}

/// Gives a chain that has just begun its head: the activation answer, which names the license issued after it began.
pub async fn set_first_head(
    tx: &mut Tx,
    installation: InstallationId,
    head: &[u8; 32],
    answer: &[u8],
) -> Result<(), StoreError> {
    tx.execute_one(&SET_FIRST_HEAD, params![installation, head, answer]).await
}

/// Lets another key speak for an installation from now on.
pub async fn set_key(
    tx: &mut Tx,
    installation: InstallationId,
    was: &[u8; 32],
    key_id: &[u8; 32],
) -> Result<(), StoreError> {
    tx.execute_one(&SET_KEY, params![installation, was, key_id]).await
}

/// Writes what a rejoin leaves behind.
pub async fn leave_branch(
    tx: &mut Tx,
    installation: InstallationId,
    superseded: &[Tip],
    rejoins: &[i64],
    status: &str,
) -> Result<(), StoreError> {
    let (superseded, rejoins) = (serde_json::to_string(superseded)?, serde_json::to_string(rejoins)?);
    tx.execute_one(&LEAVE_BRANCH, params![installation, superseded, rejoins, status]).await
}

/// Writes whether an installation is active, suspended or retired, and whether a clone of it was split off.
pub async fn set_status(
    tx: &mut Tx,
    installation: InstallationId,
    status: &str,
    split: Option<Timestamp>,
) -> Result<(), StoreError> {
    tx.execute_one(&SET_STATUS, params![installation, status, split]).await
}

/// Writes why nothing newer comes for a license's servers; how many there are.
pub async fn set_license_state(
    tx: &mut Tx,
    provider: OrgId,
    license: LicenseId,
    state: &str,
) -> Result<u64, StoreError> {
    tx.execute(&SET_LICENSE_STATE, params![provider, license, state]).await
}

/// Notes that *Update now* was asked for.
pub async fn ask(tx: &mut Tx, installation: InstallationId, at: Timestamp) -> Result<(), StoreError> {
    tx.execute_one(&ASK, params![installation, at]).await
}

/// Says in the chains of some licenses that their agreement was ended early, or no longer.
pub async fn set_terminated(
    tx: &mut Tx,
    provider: OrgId,
    licenses: &[LicenseId],
    terminated: bool,
) -> Result<(), StoreError> {
    let ids: Vec<String> = licenses.iter().map(|id| id.uuid().simple().to_string()).collect();
    let (from, to) =
        if terminated { ("up_to_date", "contract_terminated") } else { ("contract_terminated", "up_to_date") };
    tx.execute(&SET_CONTRACT, params![provider, json_rows(&ids)?, to, from]).await?;
    Ok(())
}

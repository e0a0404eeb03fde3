//! The second step of signing in: a sealed secret that codes are made of, and recovery codes.

use tenure_core::{Timestamp, UserId};

use crate::{Conn, StoreError, Tx, params, statement::statements};

statements! {
    FIND = "SELECT sealed, begun_us, confirmed_us, last_step FROM second_step WHERE person_id = $1";
    // One that counts is removed first; one that does not is replaced.
    BEGIN = "INSERT INTO second_step (person_id, sealed, begun_us, confirmed_us, last_step) VALUES ($1, $2, $3, NULL, 0)
        ON CONFLICT (person_id) DO UPDATE SET sealed = excluded.sealed, begun_us = excluded.begun_us, last_step = 0
        WHERE second_step.confirmed_us IS NULL";
    CONFIRM = "UPDATE second_step SET confirmed_us = $2, last_step = $3
        WHERE person_id = $1 AND confirmed_us IS NULL AND begun_us = $4";
    // Compare and set: of two who send one code, one gets in.
    TAKE = "UPDATE second_step SET last_step = $2
        WHERE person_id = $1 AND confirmed_us IS NOT NULL AND last_step < $2";
    DELETE = "DELETE FROM second_step WHERE person_id = $1";
    DELETE_OF = "DELETE FROM second_step WHERE person_id = $1 AND begun_us <= $2";
    DELETE_PENDING = "DELETE FROM second_step WHERE confirmed_us IS NULL";
    DELETE_ALL = "DELETE FROM second_step";
    INSERT_CODE = "INSERT INTO recovery_code (person_id, n, code_hash, made_us, used_us) VALUES ($1, $2, $3, $4, NULL)";
    USE_CODE = "UPDATE recovery_code SET used_us = $3 WHERE person_id = $1 AND code_hash = $2 AND used_us IS NULL
        RETURNING n, made_us";
    // A restore knows a code by its place among those made at one moment, which is all that the log says of it.
    USE_CODE_AT = "UPDATE recovery_code SET used_us = $4
        WHERE person_id = $1 AND n = $2 AND made_us = $3 AND used_us IS NULL";
    CODES_LEFT = "SELECT COUNT(*) AS n FROM recovery_code WHERE person_id = $1 AND used_us IS NULL";
    DELETE_CODES = "DELETE FROM recovery_code WHERE person_id = $1";
    DELETE_CODES_OF = "DELETE FROM recovery_code WHERE person_id = $1 AND made_us < $2";
    DELETE_ALL_CODES = "DELETE FROM recovery_code";
}

/// A person's second step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondStepRow {
    /// The secret, sealed.
    pub sealed: Vec<u8>,
    /// When the secret was made.
    pub begun: Timestamp,
    /// Since when signing in takes it.
    pub confirmed: Option<Timestamp>,
    /// The newest step of 30 seconds whose code was taken.
    pub last_step: i64,
}

/// A recovery code that was used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedCode {
    /// Its place among those made at once, from 1.
    pub n: i64,
    /// When they were made.
    pub made: Timestamp,
}

/// A person's second step, also one that is not confirmed.
pub async fn find(conn: &mut Conn, person: UserId) -> Result<Option<SecondStepRow>, StoreError> {
    let Some(row) = conn.fetch_optional(&FIND, params![person]).await? else { return Ok(None) };
    Ok(Some(SecondStepRow {
        sealed: row.blob("sealed")?,
        begun: row.timestamp("begun_us")?,
        confirmed: row.opt_timestamp("confirmed_us")?,
        last_step: row.i64("last_step")?,
    }))
}

/// Keeps a secret that is to be confirmed; `false` when there is one that counts.
pub async fn begin(tx: &mut Tx, person: UserId, sealed: &[u8], at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&BEGIN, params![person, sealed, at]).await? == 1)
}

/// Makes the secret of `begun` count; `false` when it was confirmed, replaced or removed.
pub async fn confirm(
    tx: &mut Tx,
    person: UserId,
    begun: Timestamp,
    step: i64,
    at: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&CONFIRM, params![person, at, step, begun]).await? == 1)
}

/// Takes the code of a step; `false` when it, or a newer one, was taken before.
pub async fn take(tx: &mut Tx, person: UserId, step: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(&TAKE, params![person, step]).await? == 1)
}

/// Removes a person's second step with its recovery codes; `false` when there was none.
pub async fn delete(tx: &mut Tx, person: UserId) -> Result<bool, StoreError> {
    tx.execute(&DELETE_CODES, params![person]).await?;
    Ok(tx.execute(&DELETE, params![person]).await? == 1)
}

/// Removes what a person had set up by `at`; for a restore. `false` when there was nothing.
pub async fn delete_of(tx: &mut Tx, person: UserId, at: Timestamp) -> Result<bool, StoreError> {
    if tx.execute(&DELETE_OF, params![person, at]).await? == 0 {
        return Ok(false);
    }
    tx.execute(&DELETE_CODES, params![person]).await?;
    Ok(true)
}

/// Forgets secrets that were never confirmed.
pub async fn delete_pending(tx: &mut Tx) -> Result<(), StoreError> {
    tx.execute(&DELETE_PENDING, params![]).await?;
    Ok(())
}

/// Forgets everybody's second step; how many there were.
pub async fn delete_all(tx: &mut Tx) -> Result<u64, StoreError> {
    tx.execute(&DELETE_ALL_CODES, params![]).await?;
    tx.execute(&DELETE_ALL, params![]).await
}

/// Gives a person these recovery codes instead of all before.
pub async fn put_codes(tx: &mut Tx, person: UserId, hashes: &[[u8; 32]], at: Timestamp) -> Result<(), StoreError> {
    tx.execute(&DELETE_CODES, params![person]).await?;
    for (n, hash) in (1_i64..).zip(hashes) {
        tx.execute_one(&INSERT_CODE, params![person, n, hash, at]).await?;
    }
    Ok(())
}

/// Uses a recovery code up; none when it is no code of the person's, or was used.
pub async fn use_code(
    tx: &mut Tx,
    person: UserId,
    hash: &[u8; 32],
    at: Timestamp,
) -> Result<Option<UsedCode>, StoreError> {
    let row = tx.fetch_optional(&USE_CODE, params![person, hash, at]).await?;
    row.map(|row| Ok(UsedCode { n: row.i64("n")?, made: row.timestamp("made_us")? })).transpose()
}

/// Uses a code up again that was used before a restore; `false` when nothing changed.
pub async fn use_code_again(tx: &mut Tx, person: UserId, code: UsedCode, at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&USE_CODE_AT, params![person, code.n, code.made, at]).await? == 1)
}

/// Forgets codes that were made before others took their place; `false` when there were none.
pub async fn delete_codes_of(tx: &mut Tx, person: UserId, before: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&DELETE_CODES_OF, params![person, before]).await? > 0)
}

/// How many recovery codes of a person were not used.
pub async fn codes_left(conn: &mut Conn, person: UserId) -> Result<u64, StoreError> {
    Ok(conn.fetch_one(&CODES_LEFT, params![person]).await?.i64("n")? as u64)
}

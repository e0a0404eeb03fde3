//! A server shows the token of its fleet: it joins, it waits for a person, or it is turned away (A3).

use std::net::IpAddr;

use serde_json::json;
use tenure_core::{
    ApplicantId, Timestamp,
    enroll::{Entry, Shown, entry},
};
use tenure_license::{ActivationRequest, Hash, KeyId, Verified};
use tenure_store::{
    Tx,
    rows::{
        enroll::{self, ApplicantRow, EnrollTokenRow},
        installation::{self, CodeRow, NewCode},
        license,
    },
};

use crate::{
    Error, Problem, ProblemKind, Result, Service,
    activation::{Outcome, by_code, fits, join},
    change,
};

/// Activates with a fleet's token. Each key gets a code of its own from it, which is used as it is made: so a lost answer is
/// given again as for any code (A2).
pub(crate) async fn by_token(
    service: &Service,
    tx: &mut Tx,
    request: &Verified<ActivationRequest>,
    token_hash: Hash,
    from: Option<IpAddr>,
    now: Timestamp,
) -> Result<Outcome> {
    let token = enroll::lock(tx, token_hash.as_bytes()).await?.ok_or(ProblemKind::CodeUnknown)?;
    let key_id = request.key.id();
    let code_hash = own_code(token_hash, key_id);
    if let Some(code) = installation::lock_code(tx, code_hash.as_bytes()).await? {
        return by_code(service, tx, request, code_hash, &code, now).await;
    }
    let contract_ends = fits(tx, token.provider, token.license, &request.product).await?;
    // Two tokens of one license that are shown at once count each other's servers.
    license::lock(tx, token.provider, token.license).await?;
    let before = enroll::asked(tx, token.id, key_id.as_bytes()).await?.map(|row| row.standing());
    let address = from.map(|address| address.to_canonical());
    let shown = Shown {
        revoked: token.revoked.is_some(),
        expired: now >= token.expires,
        from_allowed: address.is_some_and(|address| token.networks.iter().any(|network| network.contains(address))),
        cap: token.cap,
        used: token.used,
        license_limit: token.license_limit,
        in_use: enroll::in_use(tx, token.provider, token.license).await?,
        before,
    };
    let address = address.map_or_else(|| "an unknown address".to_owned(), |address| address.to_string());
    match entry(&shown) {
        Entry::Join => {
            if before.is_none() {
                take_one(tx, &token).await?;
            }
            let code = make_code(tx, &token, code_hash, now).await?;
            join(service, tx, request, code_hash, &code, contract_ends, now).await
        }
        Entry::Wait => wait(service, tx, request, &token, address, now).await,
        Entry::WaitsStill => Ok(Outcome::Refused(ProblemKind::ApprovalAwaited.into())),
        Entry::Refused => Ok(Outcome::Refused(refused("a person refused this server"))),
        Entry::Revoked => Err(ProblemKind::CodeUnknown.into()),
        Entry::Expired => Err(ProblemKind::CodeLapsed.into()),
        Entry::WrongNetwork => {
            let why = format!("it is not good from {address}");
            turn_away(tx, request, &token, address, why, now).await
        }
        Entry::UsedUp => {
            let why = "as many servers as may have shown it".to_owned();
            turn_away(tx, request, &token, address, why, now).await
        }
    }
}

/// The hash under which a key's own code is kept.
fn own_code(token_hash: Hash, key: KeyId) -> Hash {
    let parts: [&[u8]; 3] = [b"tenure code of an enroll token\0", token_hash.as_bytes(), key.as_bytes()];
    Hash::sha256(parts.concat())
}

async fn take_one(tx: &mut Tx, token: &EnrollTokenRow) -> Result<()> {
    // The token is locked, and its count was looked at.
    if enroll::take_one(tx, token.id).await? { Ok(()) } else { Err(Error::Internal("a token passed its cap")) }
}

/// A code that nobody has used, and that no other key can: it is used in this transaction.
async fn make_code(tx: &mut Tx, token: &EnrollTokenRow, hash: Hash, now: Timestamp) -> Result<CodeRow> {
    let new = NewCode {
        hash: *hash.as_bytes(),
        provider: token.provider,
        license: token.license,
        replaces: None,
        splits: false,
        now,
        until: now,
        enroll_token: Some(token.id),
    };
    installation::insert_code(tx, &new).await?;
    let made = installation::lock_code(tx, hash.as_bytes()).await?;
    made.ok_or(Error::Internal("a code that was made is not there"))
}

/// Notes a server above the license's limit. The token's cap bounds how many there are.
async fn wait(
    service: &Service,
    tx: &mut Tx,
    request: &Verified<ActivationRequest>,
    token: &EnrollTokenRow,
    address: String,
    now: Timestamp,
) -> Result<Outcome> {
    let key_id = *request.key.id().as_bytes();
    if installation::find_key(tx, &key_id).await?.is_some() {
        // Where it is registered is nobody's business (A7).
        return Err(ProblemKind::KeyRefused.into());
    }
    take_one(tx, token).await?;
    let row = ApplicantRow {
        token: token.id,
        key_id,
        provider: token.provider,
        license: token.license,
        id: ApplicantId::generate(now, service.rng()),
        name: request.host.name.clone(),
        address,
        asked: now,
        admitted: None,
        refused: None,
    };
    enroll::ask(tx, &row).await?;
    let body = json!({ "license": row.license, "token": token.id, "host": row.name, "address": row.address });
    change::record(tx, "server", row.provider, "installation.awaits_approval", row.id.to_string(), now, body);
    Ok(Outcome::Refused(ProblemKind::ApprovalAwaited.into()))
}

/// The provider is told once per token, so that nobody can fill the log.
async fn turn_away(
    tx: &mut Tx,
    request: &Verified<ActivationRequest>,
    token: &EnrollTokenRow,
    address: String,
    why: String,
    now: Timestamp,
) -> Result<Outcome> {
    if enroll::note_refused(tx, token.id, now).await? {
        let body = json!({
            "license": token.license, "name": token.name, "host": request.host.name, "address": address, "why": why,
        });
        change::record(tx, "server", token.provider, "enroll_token.refused", token.id.to_string(), now, body);
    }
    Ok(Outcome::Refused(refused(why)))
}

fn refused(why: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    ProblemKind::EnrollRefused.because(why)
}

//! A new installation joins: its key, its one-time code or its fleet's token, the first link of its chain (A1, A2, A3, A4,
//! C11).

use std::{net::IpAddr, sync::Arc};

use tenure_core::{InstallationId, LicenseId, OrgId, Period, Timestamp, update};
use tenure_license::{
    ActivationAnswer, ActivationCode, ActivationExchange, ActivationExchangeAnswer, ActivationRequest, Hash,
    LicenseRef, Nonce, Payload, Verified, Window, encode_payload, verify_activation,
};
use tenure_store::{
    Conn, Queue, Tx,
    audit::AuditEntry,
    rows::{
        chain::{self, Beginning, ChainRow},
        installation::{self, CodeRow, InstallationRow, KeyOwnerRow},
    },
};

use crate::{Error, Problem, ProblemKind, Result, Service, change, enroll_join, issue, reporting_switch};

/// Activates an installation with a one-time code or with the enroll token of its fleet. The same key with the same code
/// gets the same answer. `from` is the address that it asks from, where it is known.
pub async fn activate_installation(
    service: &Service,
    body: ActivationExchange,
    from: Option<IpAddr>,
) -> Result<ActivationExchangeAnswer> {
    service.must_go_on()?;
    let request = verify_activation(&body.request)
        .and_then(|request| request.for_audience(service.deployment().id))
        .map_err(|error| ProblemKind::BadSignature.because(error.to_string()))?;
    let code: ActivationCode = request.code.parse().map_err(|_| ProblemKind::CodeUnknown)?;
    let request = Arc::new(request);
    let (for_write, now) = (service.clone(), service.now());
    let outcome = service
        .store()
        .write(Queue::Products, async move |tx| activate(&for_write, tx, &request, code.hash(), from, now).await)
        .await?;
    let activated = match outcome {
        Outcome::Active(activated) => *activated,
        Outcome::Refused(problem) => return Err(problem.into()),
    };
    let answer = service.keys().sign_receipt(ActivationAnswer::TYPE, activated.payload);
    let ChainRow { provider, license, installation, issued: (epoch, serial), .. } = activated.chain;
    let license = issue::signed(service, provider, license, installation, epoch, serial).await?;
    Ok(ActivationExchangeAnswer { answer, license })
}

/// What an activation comes to, and keeps.
pub(crate) enum Outcome {
    /// The installation is there.
    Active(Box<Activated>),
    /// There is none; that it was refused is kept, and the provider is told of it.
    Refused(Problem),
}

pub(crate) struct Activated {
    payload: Vec<u8>,
    chain: ChainRow,
}

async fn activate(
    service: &Service,
    tx: &mut Tx,
    request: &Verified<ActivationRequest>,
    code_hash: Hash,
    from: Option<IpAddr>,
    now: Timestamp,
) -> Result<Outcome> {
    match installation::lock_code(tx, code_hash.as_bytes()).await? {
        Some(code) => by_code(service, tx, request, code_hash, &code, now).await,
        None => enroll_join::by_token(service, tx, request, code_hash, from, now).await,
    }
}

/// Activates with a code, locked.
pub(crate) async fn by_code(
    service: &Service,
    tx: &mut Tx,
    request: &Verified<ActivationRequest>,
    code_hash: Hash,
    code: &CodeRow,
    now: Timestamp,
) -> Result<Outcome> {
    let key_id = request.key.id();
    if let (Some(first_key), Some(installation), Some(answer)) = (code.key_id, code.installation, code.answer.clone()) {
        if first_key != *key_id.as_bytes() {
            tell_of_second_key(tx, request, code_hash, code, installation, now).await?;
            return Ok(Outcome::Refused(ProblemKind::CodeUsed.into()));
        }
        let chain = chain::find(tx, installation).await?.ok_or(Error::Internal("an activation without its chain"))?;
        return Ok(Outcome::Active(Box::new(Activated { payload: answer, chain })));
    }
    let agreement_ends = admit(tx, code, &request.product, now).await?;
    join(service, tx, request, code_hash, code, agreement_ends, now).await
}

/// Whether a code that nobody has used yet admits a product; gives the end of the agreement. Reads only.
pub(crate) async fn admit(conn: &mut Conn, code: &CodeRow, product: &str, now: Timestamp) -> Result<Timestamp> {
    if code.voided.is_some() {
        return Err(ProblemKind::CodeUnknown.into());
    }
    if now >= code.until {
        return Err(ProblemKind::CodeLapsed.into());
    }
    fits(conn, code.provider, code.license, product).await
}

/// Whether a license is there for a product; gives the end of the agreement. Reads only.
pub(crate) async fn fits(conn: &mut Conn, provider: OrgId, license: LicenseId, product: &str) -> Result<Timestamp> {
    let context = issue::context(conn, provider, license).await?;
    if context.ended {
        return Err(ProblemKind::CodeUnknown.into());
    }
    if context.product_code != product {
        let words = format!("the license is for {}, the product says it is {product}", context.product_code);
        return Err(ProblemKind::WrongProduct.because(words).into());
    }
    Ok(context.agreement_ends)
}

/// Another key showed a used code: one of the two may not be who the code was meant for (A1). The provider is told host and
/// time of both, once per code, so that nobody can fill the log; it can void the installation in one step.
async fn tell_of_second_key(
    tx: &mut Tx,
    request: &Verified<ActivationRequest>,
    code_hash: Hash,
    code: &CodeRow,
    first: InstallationId,
    now: Timestamp,
) -> Result<()> {
    if !installation::refuse_code(tx, code_hash.as_bytes(), now).await? {
        return Ok(());
    }
    let row = installation::find(tx, code.provider, first).await?;
    let row = row.ok_or(Error::Internal("an activation without its installation"))?;
    let body = serde_json::json!({
        "license": code.license, "used_by": { "host": row.name, "at": row.activated },
        "refused": { "host": request.host.name, "at": now },
    });
    change::record(tx, "server", code.provider, "installation.code_shown_again", first.to_string(), now, body);
    Ok(())
}

/// Makes the installation; the code's row is there, and nobody has used it.
pub(crate) async fn join(
    service: &Service,
    tx: &mut Tx,
    request: &Verified<ActivationRequest>,
    code_hash: Hash,
    code: &CodeRow,
    contract_ends: Timestamp,
    now: Timestamp,
) -> Result<Outcome> {
    if let Some(old) = code.replaces {
        // Chains first: the one lock order (X8).
        chain::lock_many(tx, &[old]).await?;
    }
    let id = InstallationId::generate(now, service.rng());
    let key_id = request.key.id();
    let owner = KeyOwnerRow {
        key_id: *key_id.as_bytes(),
        public_key: *request.key.as_bytes(),
        provider: code.provider,
        installation: id,
        retired: None,
    };
    if !installation::insert_key(tx, &owner, now).await? {
        // Where it is registered is nobody's business (A7).
        return Err(ProblemKind::KeyRefused.into());
    }
    installation::insert(
        tx,
        &InstallationRow {
            provider: code.provider,
            id,
            license: code.license,
            name: request.host.name.clone(),
            host: serde_json::to_string(&request.host).unwrap_or_default(),
            product_version: request.versions.product.clone(),
            agent_version: request.versions.agent.clone(),
            auto_update: true,
            activated: now,
            replaces: code.replaces,
            retired: None,
            retired_how: None,
        },
    )
    .await?;
    let beginning = |answer, head: [u8; 32]| Beginning {
        installation: id,
        provider: code.provider,
        key_id: *key_id.as_bytes(),
        epoch: service.deployment().epoch,
        head,
        req: *request.hash.as_bytes(),
        answer,
        now,
        license: code.license,
        contract_ends,
    };
    // The license names the installation and the answer names the license, so the chain begins before its answer is
    // known and is given its head once it is.
    chain::begin(tx, &beginning(&[], [0; 32])).await?;
    issue::issue(service, tx, code.provider, code.license).await?;
    let row = chain::find(tx, id).await?.ok_or(Error::Internal("a new chain is gone"))?;
    let payload = answer(service, &row, request, code, now);
    let head = Hash::of_payload(ActivationAnswer::TYPE, &payload);
    chain::set_first_head(tx, id, head.as_bytes(), &payload).await?;
    installation::use_code(tx, code_hash.as_bytes(), key_id.as_bytes(), request.hash.as_bytes(), id, &payload).await?;
    installation::ensure_obligation(tx, code.provider, id, code.license, Period::of(now)).await?;
    if let Some(old) = code.replaces {
        take_over(service, tx, code, old, now).await?;
    }
    tx.audit(AuditEntry {
        actor: id.to_string(),
        verb: "installation.activated",
        subject: id.to_string(),
        org: Some(code.provider),
        at: now,
        body: serde_json::json!({
            "license": code.license, "key": key_id, "host": request.host.name, "replaces": code.replaces,
            "enroll_token": code.enroll_token,
        }),
    });
    Ok(Outcome::Active(Box::new(Activated { payload, chain: row })))
}

/// The new installation takes over: after a reinstallation the old one is not expected any more; of a clone, it goes on and
/// is a single machine again once it has spoken (protocol, 2.7).
async fn take_over(service: &Service, tx: &mut Tx, code: &CodeRow, old: InstallationId, now: Timestamp) -> Result<()> {
    let row = chain::find(tx, old).await?.ok_or(Error::Internal("an installation without a chain"))?;
    if code.splits {
        // Settled as one machine meanwhile, it needs nothing.
        if row.status == "suspended_clone" {
            chain::set_status(tx, old, &row.status, Some(now)).await?;
        }
        return Ok(());
    }
    if installation::retire(tx, code.provider, old, now, "replaced").await? {
        chain::set_status(tx, old, "retired", None).await?;
        change::record(
            tx,
            "server",
            code.provider,
            "installation.replaced",
            old.to_string(),
            now,
            serde_json::json!({}),
        );
        reporting_switch::complete_if_shown(service, tx, code.provider, code.license).await?;
    }
    Ok(())
}

fn answer(
    service: &Service,
    row: &ChainRow,
    request: &Verified<ActivationRequest>,
    code: &CodeRow,
    now: Timestamp,
) -> Vec<u8> {
    let next = update::next_check_in(now, row.license_expires, service.policy());
    encode_payload(&ActivationAnswer {
        v: 1,
        aud: service.deployment().id,
        epoch: service.deployment().epoch,
        ins: row.installation,
        key: request.key.id(),
        license: row.license,
        provider: row.provider,
        replaces: code.replaces,
        req: request.hash,
        nonce: Nonce::generate(service.rng()),
        at: now.as_secs(),
        current: LicenseRef {
            id: row.license,
            epoch: row.issued.0,
            serial: row.issued.1,
            hash: Hash::from_bytes(row.license_hash),
        },
        next: Window { from: next.from.as_secs(), to: next.to.as_secs() },
        root: service.root().version(),
        crit: Vec::new(),
    })
}

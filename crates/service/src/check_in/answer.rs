//! The answer to a check-in that moves its chain.

use tenure_core::{
    LicenseSerial, Period, Timestamp,
    chain::RejoinClass as Class,
    update::{self, UpdateFacts, UpdateResult},
};
use tenure_license::{
    CheckInAnswer, CheckInRequest, DocOutcome, Hash, LicenseRef, Nonce, Payload, RejoinClass, Window, encode_payload,
};
use tenure_store::{
    Tx,
    rows::{chain::ChainRow, held_installation},
};

use super::verify::Message;
use crate::{Result, Service};

/// An answer, made but not yet durable.
pub(super) struct Answered {
    pub epoch: u64,
    pub branch: u64,
    pub hash: Hash,
    pub payload: Vec<u8>,
    /// Documents that are held now or were before.
    pub kept: Vec<Hash>,
    /// The license that may ride along.
    pub license: Option<LicenseRef>,
}

/// Where a request moves its chain, and what it shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub branch: u64,
    pub rejoined: Option<Class>,
    pub shows: Shows,
}

/// How the license that a request shows stands to the one its installation holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    /// None is shown.
    Nothing,
    /// Its own.
    Own(LicenseSerial),
    /// The one it held before this database lost it and a person confirmed it under another.
    Former,
    /// Somebody else's, or one that we do not know.
    Foreign,
}

impl Shows {
    /// What a request shows.
    pub(super) async fn of(tx: &mut Tx, row: &ChainRow, request: &CheckInRequest) -> Result<Self> {
        let Some(held) = &request.lic else { return Ok(Self::Nothing) };
        if held.id == row.license {
            return Ok(Self::Own(LicenseSerial { epoch: held.epoch, serial: held.serial }));
        }
        let former = held_installation::license_before(tx, row.installation).await?;
        Ok(if former == Some(held.id) { Self::Former } else { Self::Foreign })
    }
}

/// Whether the state of the license lets the newest one be handed over.
pub(super) fn hands_over(row: &ChainRow) -> bool {
    row.status == "active" && row.license_state == "up_to_date"
}

/// Whether two machines speak as one once this request is taken. Where one of them became a server of its own, whoever
/// speaks next is the other, which goes on.
pub(super) fn is_suspended(row: &ChainRow, rejoined: Option<Class>) -> bool {
    row.split.is_none()
        && row.status != "retired"
        && (row.status == "suspended_clone" || rejoined == Some(Class::Clone))
}

/// Makes the answer's payload.
pub(super) fn make(
    service: &Service,
    row: &ChainRow,
    message: &Message,
    step: Step,
    docs: Vec<DocOutcome>,
    newest: Option<LicenseRef>,
) -> Answered {
    let request: &CheckInRequest = &message.request;
    let (now, epoch) = (message.received, service.deployment().epoch);
    let policy = service.policy_of(Period::of(now));
    let Step { branch, rejoined, shows } = step;
    let (clone, asked) = (is_suspended(row, rejoined), row.is_asked());
    let facts = UpdateFacts {
        license_is_ours: shows != Shows::Foreign,
        revoked: row.license_state == "revoked" || row.status == "retired",
        clone,
        terminated: row.license_state == "contract_terminated",
        agreement_end: row.contract_ends,
        updatable: row.license_state != "not_updatable" && (request.auto_update || request.update_now || asked),
        shown: if let Shows::Own(serial) = shows { Some(serial) } else { None },
        newest: LicenseSerial { epoch: row.issued.0, serial: row.issued.1 },
    };
    let result = update::result(&facts, now);
    let license = newest.filter(|_| result.is_good() || result == UpdateResult::ContractExpired);
    let next = if asked { update::soon(now, policy) } else { update::next_check_in(now, row.license_expires, policy) };
    let report = update::report_window(Period::of(now), policy);
    let kept = docs.iter().filter(|doc| doc.receipt.is_some()).map(|doc| doc.hash).collect();
    let payload = CheckInAnswer {
        v: 1,
        aud: service.deployment().id,
        epoch,
        ins: row.installation,
        branch,
        seq: request.seq,
        req: message.request.hash,
        prev: Hash::from_bytes(row.head),
        nonce: Nonce::generate(service.rng()),
        at: now.as_secs(),
        result,
        docs,
        license: license.clone(),
        next: Window { from: next.from.as_secs(), to: next.to.as_secs() },
        report: Window { from: report.from.as_secs(), to: report.to.as_secs() },
        since: service.deployment().since.map(Timestamp::as_secs),
        rejoined: rejoined.map(|class| match class {
            Class::ServerRestored => RejoinClass::ServerRestored,
            Class::Clone => RejoinClass::Clone,
            Class::SetBack => RejoinClass::SetBack,
        }),
        root: service.root().version(),
        cp: service.newest_checkpoint().get(),
        crit: Vec::new(),
    };
    let payload = encode_payload(&payload);
    let hash = Hash::of_payload(CheckInAnswer::TYPE, &payload);
    Answered { epoch, branch, hash, payload, kept, license }
}

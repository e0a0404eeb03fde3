//! The answer to a check-in that moves its chain.

use tenure_core::{
    LicenseSerial, Period, Timestamp,
    chain::RejoinClass as Class,
    update::{self, UpdateFacts, UpdateResult},
};
use tenure_license::{
    CheckInAnswer, CheckInRequest, DocOutcome, Hash, LicenseRef, Nonce, Payload, RejoinClass, Window, encode_payload,
};
use tenure_store::rows::chain::ChainRow;

use super::verify::Message;
use crate::Service;

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

/// Whether the state of the license lets the newest one be handed over.
pub(super) fn hands_over(row: &ChainRow) -> bool {
    row.status == "active" && row.license_state == "up_to_date"
}

/// Whether two machines speak as one once this request is taken. Where one of them became a server of its own, whoever
/// speaks next is the other, which goes on.
pub(super) fn is_suspended(row: &ChainRow, rejoined: Option<Class>) -> bool {
    row.split.is_none() && (row.status == "suspended_clone" || rejoined == Some(Class::Clone))
}

/// Makes the answer's payload.
pub(super) fn make(
    service: &Service,
    row: &ChainRow,
    message: &Message,
    branch: u64,
    rejoined: Option<Class>,
    docs: Vec<DocOutcome>,
    newest: Option<LicenseRef>,
) -> Answered {
    let request: &CheckInRequest = &message.request;
    let (policy, now, epoch) = (service.policy(), message.received, service.deployment().epoch);
    let (clone, asked) = (is_suspended(row, rejoined), row.is_asked());
    let facts = UpdateFacts {
        license_is_ours: request.lic.as_ref().is_none_or(|held| held.id == row.license),
        revoked: row.license_state == "revoked" || row.status == "retired",
        clone,
        terminated: row.license_state == "contract_terminated",
        agreement_end: row.contract_ends,
        updatable: row.license_state != "not_updatable" && (request.auto_update || request.update_now || asked),
        shown: request.lic.as_ref().map(|held| LicenseSerial { epoch: held.epoch, serial: held.serial }),
        newest: LicenseSerial { epoch: row.issued.0, serial: row.issued.1 },
    };
    let result = update::result(&facts, now);
    // Who shows a license that is not its own, as a server confirmed under another one does, is handed its own.
    let finds_its_own = result == UpdateResult::InvalidLicense && hands_over(row);
    let license = newest.filter(|_| result.is_good() || result == UpdateResult::ContractExpired || finds_its_own);
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

//! The payload of every signed document.
//!
//! All are strict JSON inside a DSSE envelope ([`crate::envelope`]): times are whole seconds UTC, amounts are integers,
//! hashes are lower-case hex. A payload's value is stored and shown as it stands, never recomputed. Fields may be added;
//! a reader ignores what it does not know unless the payload's `crit` names it.

mod activation;
mod check_in;
mod license;
mod offline;
mod receipt;
mod trust;
mod usage;

use serde::{Deserialize, Serialize};
pub use tenure_core::{AgreementKind, Stage as ReportStage, UsageType, WorkloadDetail, update::UpdateResult};

pub use activation::*;
pub use check_in::*;
pub use license::*;
pub use offline::*;
pub use receipt::*;
pub use trust::*;
pub use usage::*;

/// A payload that travels in its own envelope type.
pub trait Payload: Serialize + for<'de> Deserialize<'de> {
    /// The DSSE `payloadType`; part of what is signed, so that no document passes for another.
    const TYPE: &'static str;
    /// Largest accepted payload in bytes, checked before anything is decoded.
    const MAX_BYTES: usize;
    /// The payload's schema version; only 1 exists.
    fn version(&self) -> u8;
    /// Names of fields a reader must understand or refuse.
    fn critical(&self) -> &[String] {
        &[]
    }
}

macro_rules! payloads {
    ($($name:ty = $kind:literal, $max:expr;)*) => {$(
        impl Payload for $name {
            const TYPE: &'static str = concat!("application/vnd.tenure.", $kind, ".v1+json");
            const MAX_BYTES: usize = $max;
            fn version(&self) -> u8 { self.v }
            fn critical(&self) -> &[String] { &self.crit }
        }
    )*};
}

const KIB: usize = 1024;

payloads! {
    License = "license", 64 * KIB;
    Receipt = "receipt", 16 * KIB;
    ActivationRequest = "activation-request", 16 * KIB;
    ActivationAnswer = "activation-answer", 16 * KIB;
    CheckInRequest = "check-in-request", 32 * KIB;
    CheckInAnswer = "check-in-answer", 64 * KIB;
    OutOfStep = "out-of-step", 4 * KIB;
    UsageReport = "usage-report", 256 * KIB;
    WorkloadEvidence = "workload-evidence", 512 * KIB;
    Watermark = "watermark", 64 * KIB;
    JournalDay = "journal-day", 512 * KIB;
    OfflineRequest = "offline-request", 64 * KIB;
    OfflineResponse = "offline-response", 64 * KIB;
    Continuity = "continuity", 16 * KIB;
    TrustRoot = "trust-root", 64 * KIB;
    AuditCheckpoint = "audit-checkpoint", 16 * KIB;
}

/// An organization or company by id and by the name it had at signing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named<Id> {
    /// Stable id.
    pub id: Id,
    /// Display name at the time of signing.
    pub name: String,
}

//! The payload of every signed document.
//!
//! All are strict JSON inside a DSSE envelope ([`crate::envelope`]): times are whole seconds UTC, amounts are integers,
//! hashes are lower-case hex. A payload's value is stored and shown as it stands, never recomputed. Fields may be added;
//! a reader ignores what it does not know unless the payload's `crit` names it.

use serde::{Deserialize, Serialize};
use tenure_core::{
    AgreementId, BootId, CompanyId, Day, DeploymentId, DocumentId, InstallationId, LicenseId, OrgId, Period, Points,
    UsageId, Week, Weight,
};
pub use tenure_core::{AgreementKind, Stage as ReportStage, UsageType, WorkloadDetail, update::UpdateResult};

use crate::bytes::{Challenge, Hash, KeyId, Nonce, PublicKey};

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

/// The right of one installation to run one product until `expires_at` and through grace.
///
/// Without `installation` it is an *activation license*: it may activate once, it never licenses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct License {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment that signed it.
    pub aud: DeploymentId,
    /// The assignment this license stands for.
    pub license: LicenseId,
    /// The rental agreement it is rented under.
    pub agreement: Agreement,
    /// Publisher of the product.
    pub vendor: Named<OrgId>,
    /// The service provider that rents it.
    pub provider: Named<OrgId>,
    /// The customer it is assigned to; none when the provider itself holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<Named<CompanyId>>,
    /// What it licenses.
    pub product: Product,
    /// Who may be served with it.
    pub usage_type: UsageType,
    /// Licensed workloads, for display and overuse.
    pub workloads: Vec<LicensedWorkload>,
    /// The whole pool in thousandths of a point, rounded up to a whole point.
    pub points: Points,
    /// Whether it is extended by reported usage.
    pub automatic_reporting: bool,
    /// The instant validity is counted from; only with `automatic_reporting`. Seconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<i64>,
    /// A whole period whose usage is reported beside the manual figure, before automatic reporting goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Period>,
    /// End of validity, seconds UTC.
    pub expires_at: i64,
    /// Days of full function after `expires_at`.
    pub grace_days: u32,
    /// Last period of the unbroken run of reported periods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_through: Option<Period>,
    /// When it was signed, seconds UTC; its signing key had to be valid then.
    pub issued_at: i64,
    /// Grows with every restore of the server.
    pub epoch: u64,
    /// Grows with every license signed for this license id and installation within an epoch.
    pub serial: u64,
    /// The installation it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installation: Option<Binding>,
    /// One-time code of an activation license; never beside `installation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<ActivationGrant>,
    /// License update servers, best first, as `https://host[:port]`.
    pub servers: Vec<String>,
    /// The product must hold at least this version of the trust root.
    pub min_root: u64,
    /// How much of each workload a report may name.
    pub workload_detail: WorkloadDetail,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// The rental agreement as a license shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Stable id.
    pub id: AgreementId,
    /// The number people know it by.
    pub number: String,
    /// Its commitment.
    pub kind: AgreementKind,
}

/// A product line as licensed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// The catalog's code, compiled into the product.
    pub code: String,
    /// Display name.
    pub name: String,
    /// Edition, as `Enterprise`.
    pub edition: String,
    /// Licensed version line, as `12`.
    pub version: String,
}

/// A licensed count of one workload type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicensedWorkload {
    /// Workload type code of the catalog.
    pub workload: String,
    /// Variant code; empty where the type has none.
    #[serde(default)]
    pub variant: String,
    /// Licensed units.
    pub count: u32,
    /// Points per unit in thousandths, as of issue.
    pub weight: Weight,
}

/// What a license is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The installation.
    pub id: InstallationId,
    /// Its key.
    pub key: KeyId,
}

/// The right to activate once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationGrant {
    /// The one-time code, 128 bit in base32 groups.
    pub code: String,
    /// When it lapses, seconds UTC.
    pub until: i64,
}

/// The server's statement that it durably holds a document or a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// Epoch the document was first held in.
    pub epoch: u64,
    /// What was received.
    pub subject: ReceiptSubject,
    /// `H` of the document, or the SHA-256 of a submission's lines.
    pub hash: Hash,
    /// When it arrived, seconds UTC; lateness is judged by this.
    pub received_at: i64,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// What a receipt is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ReceiptSubject {
    /// A document an installation sent.
    Document {
        /// The server's id of it.
        id: DocumentId,
        /// Who sent it.
        ins: InstallationId,
    },
    /// A monthly usage a provider submitted.
    Submission {
        /// The monthly usage.
        usage: UsageId,
        /// Whose it is.
        provider: OrgId,
        /// For which month.
        period: Period,
        /// Which submission of it, from 1.
        number: u32,
        /// Reported points in thousandths.
        reported: Points,
        /// Total points in thousandths.
        total: Points,
    },
}

/// The part of a receipt that rides in a check-in answer, which is itself signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InlineReceipt {
    /// The server's id of the document.
    pub id: DocumentId,
    /// Epoch the document was first held in.
    pub epoch: u64,
    /// When it first arrived, seconds UTC.
    pub received_at: i64,
}

/// The software that speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Version of the agent.
    pub agent: String,
    /// Version of the product.
    pub product: String,
}

/// Salted hashes of what makes a host that host; they choose words, never verdicts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// Host name as the product's owner knows it.
    #[serde(default)]
    pub name: String,
    /// Machine id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Hash>,
    /// VM generation id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vm_generation: Option<Hash>,
    /// Network cards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nic: Option<Hash>,
}

/// A new installation shows its key and its one-time code. Signed by that key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationRequest {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment it wants to join.
    pub aud: DeploymentId,
    /// The one-time code.
    pub code: String,
    /// The installation's public key.
    pub key: PublicKey,
    /// Product code compiled into the product.
    pub product: String,
    /// Fresh chance.
    pub nonce: Nonce,
    /// The host.
    pub host: HostFacts,
    /// The software.
    pub versions: Versions,
    /// Effective time of the product, seconds UTC.
    pub at: i64,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// The server's answer to an activation: the first link of the chain. Signed by the receipt key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationAnswer {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// Current epoch.
    pub epoch: u64,
    /// The new installation.
    pub ins: InstallationId,
    /// Its key.
    pub key: KeyId,
    /// The license it activated.
    pub license: LicenseId,
    /// Whose it is.
    pub provider: OrgId,
    /// The installation it takes over from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<InstallationId>,
    /// `H` of the activation request.
    pub req: Hash,
    /// Fresh chance.
    pub nonce: Nonce,
    /// Server time, seconds UTC.
    pub at: i64,
    /// The license that rides beside this answer.
    pub current: LicenseRef,
    /// When to check in next.
    pub next: Window,
    /// Newest version of the trust root.
    pub root: u64,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// Names one signed license.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenseRef {
    /// License id.
    pub id: LicenseId,
    /// Epoch of the signed license.
    pub epoch: u64,
    /// Serial of the signed license.
    pub serial: u64,
    /// `H` of its payload.
    pub hash: Hash,
}

/// A span in which the product draws a uniformly random instant. Seconds UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// First instant.
    pub from: i64,
    /// Last instant.
    pub to: i64,
}

/// One check-in of an installation (protocol, 2). Signed by the installation key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckInRequest {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// The sender.
    pub ins: InstallationId,
    /// Strictly growing; gaps allowed; below 2^53.
    pub seq: u64,
    /// `H` of the last answer held; for the first request, of the activation answer.
    pub prev: Hash,
    /// `H` of own requests sent since, at most 16.
    #[serde(default)]
    pub unanswered: Vec<Hash>,
    /// Fresh chance, so that clones never build equal requests.
    pub nonce: Nonce,
    /// `H` of each document that rides along, at most 64.
    #[serde(default)]
    pub docs: Vec<Hash>,
    /// The license held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lic: Option<LicenseRef>,
    /// Version of the trust root held.
    pub root: u64,
    /// The product's clocks.
    pub clock: ClockFacts,
    /// The host.
    pub host: HostFacts,
    /// Newest head of the daily chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily: Option<DailyHead>,
    /// The software.
    pub versions: Versions,
    /// Whether the product installs new licenses by itself.
    pub auto_update: bool,
    /// A person asked for it (*Update now*).
    #[serde(default)]
    pub update_now: bool,
    /// Only in a rejoin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejoin: Option<Rejoin>,
    /// Only in a key rotation: the key that takes over; the envelope is then signed by both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_key: Option<PublicKey>,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// The product's clocks at the time of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockFacts {
    /// What the product takes for now, seconds UTC.
    pub effective: i64,
    /// What the system clock says, seconds UTC.
    pub system: i64,
    /// This boot.
    pub boot: BootId,
}

/// A point of the chain of counted days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyHead {
    /// The day that was closed last.
    pub day: Day,
    /// `H` of that [`JournalDay`].
    pub head: Hash,
}

/// What a rejoin shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejoin {
    /// As the server gave it.
    pub challenge: Challenge,
    /// `H` of the answer really held; that answer rides along.
    pub held: Hash,
}

/// The server's answer to a check-in and the next link of the chain. Signed by the receipt key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckInAnswer {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// Current epoch.
    pub epoch: u64,
    /// The installation answered.
    pub ins: InstallationId,
    /// Grows by one at each rejoin that leaves a branch behind.
    pub branch: u64,
    /// The sequence number answered.
    pub seq: u64,
    /// `H` of the request answered.
    pub req: Hash,
    /// The head before.
    pub prev: Hash,
    /// Fresh chance.
    pub nonce: Nonce,
    /// Server time, seconds UTC.
    pub at: i64,
    /// What the license update came to.
    pub result: UpdateResult,
    /// What became of each document, in the request's order.
    #[serde(default)]
    pub docs: Vec<DocOutcome>,
    /// The newest license; its envelope rides beside the answer when the product does not hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<LicenseRef>,
    /// When to check in next.
    pub next: Window,
    /// When to send the report of the running period, after its end.
    pub report: Window,
    /// After a restore: documents receipted after this are wanted again. Seconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// Set when this answers a rejoin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejoined: Option<RejoinClass>,
    /// Newest version of the trust root.
    pub root: u64,
    /// Newest audit checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cp: Option<CheckpointRef>,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// Names an audit checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointRef {
    /// Its number.
    pub k: u64,
    /// `H` of its payload.
    pub hash: Hash,
}

/// How a rejoin was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejoinClass {
    /// The server had been restored; it took the product's word.
    ServerRestored,
    /// Two machines are alive under one key.
    Clone,
    /// The machine was set back to an earlier state.
    SetBack,
}

/// What became of one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocOutcome {
    /// `H` of the document.
    pub hash: Hash,
    /// Taken or not.
    pub outcome: Outcome,
    /// Present whenever the document is durably held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<InlineReceipt>,
    /// With `conflict`: the revision held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub have_revision: Option<u32>,
}

/// Whether a document was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Durably held and counted.
    Accepted,
    /// Held before; the receipt is the one of then.
    Repeated,
    /// Held; it becomes a later line because the month was already submitted or closed.
    Late,
    /// Held beside another document of the same identity; a person or the next revision settles it.
    Conflict,
    /// Held, not counted: the installation is suspended as a clone.
    NotCounted,
    /// Refused: its period has not ended by the server's clock.
    NotYet,
    /// Refused: its period is too old, or before the activation.
    TooOld,
    /// Refused: it is not a document of this installation, or not well formed.
    Invalid,
    /// Refused: the request named it and it did not ride along.
    Absent,
}

/// A request does not continue the chain. Signed by the receipt key, answered with 409.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutOfStep {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// The installation.
    pub ins: InstallationId,
    /// `H` of the request this answers.
    pub req: Hash,
    /// Current epoch.
    pub epoch: u64,
    /// Sequence number the server holds.
    pub seq: u64,
    /// What a rejoin must contain; it dies when the head moves.
    pub challenge: Challenge,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// What one installation used in one period. Signed by the installation key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageReport {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// The sender.
    pub ins: InstallationId,
    /// The license held at the period's end.
    pub license: LicenseId,
    /// The month reported.
    pub period: Period,
    /// From 1; higher replaces lower until submission.
    pub revision: u32,
    /// `H` of the revision before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Hash>,
    /// Preliminary or final.
    pub stage: ReportStage,
    /// When it was made, seconds UTC of the product.
    pub made_at: i64,
    /// Product code compiled into the product.
    pub product: String,
    /// One per workload type and variant, in code order.
    pub lines: Vec<ReportLine>,
    /// The daily chain of the period, oldest first.
    #[serde(default)]
    pub heads: Vec<DailyHead>,
    /// Merkle root over the workload rows, unless `workload_detail` is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceRef>,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// One figure of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportLine {
    /// Workload type code.
    pub workload: String,
    /// Variant code; empty where the type has none.
    #[serde(default)]
    pub variant: String,
    /// The daily high as counted, new workloads not included.
    pub raw: u32,
    /// The figure reported: `raw`, or less where a person adjusted it on the product.
    pub count: u32,
    /// Workloads first seen in this period; they cost nothing yet.
    pub new: u32,
    /// The count of each day of the period, first day first; `null` where the day was not observed.
    pub daily: Vec<Option<u32>>,
    /// Why `count` is below `raw`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adjustments: Vec<ReportAdjustment>,
}

/// A person took workloads out of a report on the product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportAdjustment {
    /// How many units less.
    pub units: u32,
    /// Reason code, as in the portal.
    pub reason: String,
    /// One sentence.
    pub note: String,
}

/// Where the workloads behind a report are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceRef {
    /// RFC 6962 Merkle root over the rows in order.
    pub root: Hash,
    /// Rows in all.
    pub rows: u32,
    /// Documents they come in, 1,000 rows each.
    pub parts: u32,
}

/// At most 1,000 workloads behind a report. Signed by the installation key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadEvidence {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// The sender.
    pub ins: InstallationId,
    /// The month.
    pub period: Period,
    /// The Merkle root these rows belong to.
    pub root: Hash,
    /// Which part, from 0.
    pub part: u32,
    /// The workloads.
    pub rows: Vec<WorkloadRow>,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// One workload and why it counted or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadRow {
    /// Stable workload id, or its salted hash.
    pub id: String,
    /// Customer it belongs to, where the product knows.
    #[serde(default)]
    pub company: String,
    /// Workload type code.
    pub workload: String,
    /// Variant code.
    #[serde(default)]
    pub variant: String,
    /// First protected, seconds UTC.
    pub first: i64,
    /// Last protected, seconds UTC.
    pub last: i64,
    /// Whether and why it counts.
    pub counted: Counted,
}

/// Whether a workload counts in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// It counts.
    Yes,
    /// First seen in this period: shown, not charged.
    New,
    /// Not protected within 31 days of any day of the period.
    Stale,
    /// A person took it out, with a reason.
    Adjusted,
}

/// The daily counts of one completed ISO week. Signed by the installation key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// The sender.
    pub ins: InstallationId,
    /// The license held.
    pub license: LicenseId,
    /// The week.
    pub week: Week,
    /// A figure per UTC day, Monday first, so that a week across two months splits exactly.
    pub lines: Vec<WatermarkLine>,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// Seven daily counts of one workload type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatermarkLine {
    /// Workload type code.
    pub workload: String,
    /// Variant code.
    #[serde(default)]
    pub variant: String,
    /// Monday to Sunday; `null` where the day was not observed.
    pub daily: Vec<Option<u32>>,
}

/// One counted day in the product's journal; its `H` is the head of the daily chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalDay {
    /// Schema version, 1.
    pub v: u8,
    /// The installation.
    pub ins: InstallationId,
    /// The day.
    pub day: Day,
    /// `H` of the day before in the chain; none for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<Hash>,
    /// Counts per workload type and variant.
    pub counts: Vec<DayCount>,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// The count of one workload type on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCount {
    /// Workload type code.
    pub workload: String,
    /// Variant code.
    #[serde(default)]
    pub variant: String,
    /// Workloads that counted, new ones not included.
    pub count: u32,
    /// New ones.
    pub new: u32,
}

/// A request carried by hand. The exchange body rides beside it; this binds it to a moment and a purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfflineRequest {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// `H` of the request (check-in or activation) inside the file.
    pub req: Hash,
    /// SHA-256 of the file's exchange body.
    pub body: Hash,
    /// When it was made, seconds UTC.
    pub at: i64,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// An answer carried by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfflineResponse {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// `H` of the request it answers.
    pub req: Hash,
    /// The key that must import it.
    pub key: KeyId,
    /// SHA-256 of the file's exchange body.
    pub body: Hash,
    /// When it was made, seconds UTC.
    pub at: i64,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// Lets products go on if the vendor is gone; held in escrow, signed by the continuity threshold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Continuity {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// Names this note, so that a later root can revoke it.
    pub id: String,
    /// The vendor that is gone.
    pub vendor: Named<OrgId>,
    /// Product codes it covers.
    pub products: Vec<String>,
    /// Takes effect at the earliest then, seconds UTC.
    pub from: i64,
    /// Licenses run at the latest until then, seconds UTC; at most 13 months after `from`.
    pub until: i64,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// Which keys may sign what. N+1 is signed by the thresholds of both N and N+1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustRoot {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// From 1, without gaps.
    pub version: u64,
    /// The vendor.
    pub vendor: Named<OrgId>,
    /// When it was made, seconds UTC.
    pub issued_at: i64,
    /// From then on its age is worth a warning, seconds UTC; it stops nothing.
    pub renew_by: i64,
    /// All keys that ever counted, revoked ones included. A reader leaves out those of an algorithm or role it does not
    /// know.
    #[serde(deserialize_with = "crate::root::known_keys")]
    pub keys: Vec<RootKey>,
    /// How many distinct root keys must sign.
    pub root_threshold: u32,
    /// How many distinct continuity keys must sign a continuity note.
    pub continuity_threshold: u32,
    /// Lowest epoch products accept.
    pub epoch_floor: u64,
    /// Continuity notes that no longer count.
    #[serde(default)]
    pub revoked_continuity: Vec<String>,
    /// This deployment runs on a test clock and licenses nothing real.
    #[serde(default)]
    pub test_clock: bool,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// A key and what it may sign. Algorithm and role are pinned here, never read from a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootKey {
    /// The public key.
    pub key: PublicKey,
    /// Its algorithm; others than `ed25519` are ignored.
    pub alg: String,
    /// The one thing it may sign.
    pub role: KeyRole,
    /// Signs from then, seconds UTC.
    pub from: i64,
    /// Signs until then, seconds UTC.
    pub until: i64,
    /// Its signatures no longer count, since then; seconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<i64>,
}

/// What a key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyRole {
    /// Trust roots; offline.
    Root,
    /// Licenses; online.
    License,
    /// Receipts, answers, checkpoints; online.
    Receipt,
    /// Continuity notes; offline, in escrow.
    Continuity,
}

/// The heads of all audit lanes at one moment. Signed by the receipt key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditCheckpoint {
    /// Schema version, 1.
    pub v: u8,
    /// The deployment.
    pub aud: DeploymentId,
    /// Its number, from 1.
    pub k: u64,
    /// `H` of the checkpoint before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<Hash>,
    /// Current epoch.
    pub epoch: u64,
    /// The lanes.
    pub heads: Vec<LaneHead>,
    /// When, seconds UTC.
    pub at: i64,
    /// Fields a reader must understand or refuse.
    #[serde(default)]
    pub crit: Vec<String>,
}

/// The head of one audit lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneHead {
    /// Lane number.
    pub lane: u32,
    /// Entries in it.
    pub n: u64,
    /// Hash of the newest.
    pub head: Hash,
}

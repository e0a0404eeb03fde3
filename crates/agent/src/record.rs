//! What the journal holds: entries of records, each entry one step that happens whole or not at all.

use serde::{Deserialize, Serialize};
use tenure_core::{Boot, BootId, Day, Period, Timestamp, Week, product_clock::ProductClock};
use tenure_license::{Envelope, Hash, JournalDay, KeyId, SigningKey};

use crate::{collect::Sighting, documents::Subject, error::AgentError};

/// One step: the clock as it stood, and what happened.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) clock: ProductClock,
    pub(crate) records: Vec<Record>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Record {
    /// The installation's key was made, before anything was sent (A2).
    Created(Created),
    /// A newer version of the trust root was verified.
    RootAdded { root: Envelope },
    /// The product itself came with a trust root that is newer than the one held.
    RootReplaced { root: Envelope },
    /// A trust root that was offered contradicts the one held; why, for people (R1).
    RootRefused { why: String },
    /// A key was made that is to take over from the present one; requests say so from now on.
    KeyMade { seed: Seed },
    /// A continuity note was given to this installation (R2).
    ContinuityTaken { note: Envelope },
    /// An activation request is about to leave.
    ActivationMade { request: Envelope },
    /// The server took it.
    Activated { answer: Envelope, license: Envelope, license_keys: Vec<KeyId>, next_check_in: Timestamp },
    /// A check-in request is about to leave (C3).
    RequestMade(Sent),
    /// A request goes into a file that people carry, or has been put into one.
    CarriedByHand { request: Hash },
    /// A verified answer to one of our requests.
    Answered(Answered),
    /// A license file that a person brought, verified and accepted.
    LicenseBrought { install: Install, at: Timestamp },
    /// A verified out-of-step answer; `drop` names the request if it provably never moved the chain.
    OutOfStep { drop: Option<Hash> },
    /// The server was not reached, or what came back proved nothing.
    NotReached { failure: Failure, retry_at: Timestamp },
    /// What collectors told that was not known.
    Observed { sightings: Vec<Sighting> },
    /// All collectors answered.
    Collected { at: Timestamp },
    /// A collector failed.
    CollectFailed { failure: CollectFailure },
    /// A day was counted.
    DayCounted { day: JournalDay },
    /// Days up to here were not observed and cannot be any more.
    DaysMissed { through: Day },
    /// The clock was wrong: days after this one have not been yet.
    Rewound { to: Day },
    /// A week's watermark was made, or there was nothing to say of it.
    WeekDone { week: Week },
    /// A document was signed; it waits for its receipt.
    DocumentMade { subject: Subject, document: Envelope, at: Timestamp },
    /// A person wants to be asked about a report later.
    Postponed { period: Period, until: Timestamp },
    /// A person took workloads out of a report.
    Adjusted { period: Period, adjustment: Adjustment },
    /// A person took all adjustments of a report back.
    AdjustmentsReset { period: Period },
    /// The license ran out; what overuse was allowed then (`expires_at`, thousandths of a point).
    GraceBegan { expires_at: i64, allowed_milli: i64 },
    /// Old things were forgotten.
    Pruned { instants_before: Timestamp, memory: Timestamp },
}

/// The beginning of an installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Created {
    /// The first installation key.
    pub(crate) seed: Seed,
    /// Draws this installation's times of day.
    pub(crate) salt: u64,
    pub(crate) root: Envelope,
}

/// The seed of an installation key, lower-case hex. A secret: it is written to the journal and shown nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Seed(String);

impl Seed {
    pub(crate) fn of(key: &SigningKey) -> Self {
        Self(Hash::from_bytes(*key.seed()).to_string())
    }

    /// The key.
    pub(crate) fn key(&self) -> Result<SigningKey, AgentError> {
        let seed: Hash = self.0.parse().map_err(|_| AgentError::Unreadable("an installation key".to_owned()))?;
        Ok(SigningKey::from_seed(seed.as_bytes()))
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// A check-in request that has left or is about to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sent {
    pub(crate) request: Envelope,
    pub(crate) hash: Hash,
    pub(crate) seq: u64,
    pub(crate) docs: Vec<Hash>,
    pub(crate) update_now: bool,
    pub(crate) rejoin: bool,
    /// It hands over to the key made last, and is signed by both.
    #[serde(default)]
    pub(crate) new_key: bool,
    /// It is in a file that people carry: when it arrives, and how often, is not known here.
    #[serde(default)]
    pub(crate) by_hand: bool,
    /// When it was first sent: effective time, and by the boot clock.
    pub(crate) at: Timestamp,
    pub(crate) boot: Boot,
}

/// A verified answer and what was decided on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answered {
    pub(crate) answer: Envelope,
    /// The license that is installed with it.
    pub(crate) install: Option<Install>,
    /// The license that rode along and was refused, in one sentence.
    pub(crate) license_refused: Option<String>,
    pub(crate) next_check_in: Timestamp,
    /// When the report of the running period goes out.
    pub(crate) report_at: (Period, Timestamp),
    /// Ask again at once: a new serial was installed, the request had been sent more than once, or more is to be sent.
    pub(crate) follow_up: bool,
}

/// A license that was verified and accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Install {
    pub(crate) license: Envelope,
    pub(crate) keys: Vec<KeyId>,
}

/// The server was not reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) at: Timestamp,
    pub(crate) boot: BootId,
    pub(crate) sentence: String,
}

/// A collector failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CollectFailure {
    /// When it began to fail.
    pub(crate) since: Timestamp,
    pub(crate) sentence: String,
    pub(crate) retry_at: Timestamp,
}

/// A workload that a person took out of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Adjustment {
    pub(crate) workload: String,
    pub(crate) variant: String,
    pub(crate) id: String,
    pub(crate) reason: String,
    pub(crate) note: String,
}

//! What can go wrong in an agent, beyond what it rides out by itself.

use tenure_core::{Period, Timestamp};
use tenure_license::{PayloadError, VerifyError};

use crate::{config::ConfigError, journal::JournalError, system::ClockError};

/// Why an agent cannot do what it was asked, or cannot go on.
///
/// A server that is not reached and a collector that fails are no errors: they are part of the status, and tried again.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal holds something that this version cannot read.
    #[error("the journal holds an entry that this version cannot read: {0}")]
    Unreadable(String),
    /// The trust root that the product or operator gave is not one.
    #[error("the trust root cannot be used: {0}")]
    Root(#[source] VerifyError),
    /// The journal was made under another trust root.
    #[error("the journal belongs to another deployment or another trust root than the one given")]
    OtherRoot,
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no clock.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// A test clock was given for a deployment that is not one for tests.
    #[error("the trust root is not one of a test deployment, so no test clock is accepted")]
    NotATestDeployment,
    /// Not activated yet.
    #[error("this installation is not activated yet")]
    NotActivated,
    /// The period has not ended.
    #[error("the period {0} has not ended yet")]
    NotOver(Period),
    /// No day of the period was counted: it is missing, which is not zero.
    #[error("no day of {0} was counted, so there is nothing to report; answer the line in the portal")]
    NothingCounted(Period),
    /// The collectors fail, so the month's last days are unknown.
    #[error("counting fails, so the report would lack days: {0}")]
    CountingFails(String),
    /// The report is final already, and nothing changed since.
    #[error("the report of {0} was sent as final already, and nothing changed since")]
    AlreadyFinal(Period),
    /// The question cannot be put off any longer.
    #[error("the report of {period} becomes final by itself at {at}, so it cannot be postponed beyond that")]
    TooLateToPostpone {
        /// The month.
        period: Period,
        /// When it becomes final.
        at: Timestamp,
    },
    /// The workload is not one of the report's.
    #[error("the report of {period} does not count a workload `{id}`")]
    NotInReport {
        /// The month.
        period: Period,
        /// The workload asked for.
        id: String,
    },
    /// Several workloads have this id.
    #[error("the report of {period} counts `{id}` under several workload types: {kinds}; name one of them")]
    Ambiguous {
        /// The month.
        period: Period,
        /// The workload asked for.
        id: String,
        /// The types, with their variants.
        kinds: String,
    },
    /// An adjustment without a reason.
    #[error("taking a workload out of a report needs a reason code and a sentence")]
    ReasonMissing,
    /// A continuity note cannot be used.
    #[error("the continuity note is not accepted: {0}")]
    Continuity(String),
    /// An adjustment whose reason cannot be carried.
    #[error("a reason code has at most 64 characters, its sentence at most 500, and neither a control character")]
    ReasonUnusable,
    /// More adjustments than one report carries.
    #[error("the report of {0} is adjusted for 100 different reasons already; use one of them again")]
    TooManyReasons(Period),
    /// The page would be open to other machines.
    #[error(
        "the page is served on this machine only, so it cannot listen on {0}; give a loopback address as 127.0.0.1:7340"
    )]
    PageNotLocal(std::net::SocketAddr),
    /// The page's address cannot be listened on.
    #[error("cannot serve the page on {listen}")]
    PageNotServed {
        /// The address.
        listen: std::net::SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// There is no request that a file could carry.
    #[error("there is nothing to carry yet: run `tenure agent init` with a code or an activation license first")]
    NothingToCarry,
    /// A file that a person brought cannot be taken.
    #[error("the file is not imported: {0}")]
    NotImported(String),
    /// The activation file or code cannot be used.
    #[error("{0}")]
    Activation(String),
}

impl From<PayloadError> for AgentError {
    fn from(error: PayloadError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<serde_json::Error> for AgentError {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

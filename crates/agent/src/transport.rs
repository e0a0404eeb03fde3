//! How a request reaches a license update server. The protocol is in the messages; a transport adds nothing to believe.

use tenure_core::update::Failure;
use tenure_license::{ActivationExchange, ActivationExchangeAnswer, Envelope, Exchange, ExchangeAnswer};

/// A way to the license update servers. [`crate::http::HttpTransport`] is the real one; a simulation brings its own.
///
/// Whatever comes back is unproven: the keeper verifies it. `servers` are base addresses in the order of preference.
pub trait Transport: Send {
    /// Asks to join (`POST /product/v1/activate`).
    fn activate(
        &mut self,
        servers: &[String],
        body: &ActivationExchange,
    ) -> Result<ActivationExchangeAnswer, NotReached>;

    /// Checks in (`POST /product/v1/check-in`); also a 409 that carries a signed answer is an answer.
    fn check_in(&mut self, servers: &[String], body: &Exchange) -> Result<ExchangeAnswer, NotReached>;

    /// A version of the trust root (`GET /product/v1/root/{version}`); `None` when there is none yet.
    fn root(&mut self, servers: &[String], version: u64) -> Result<Option<Envelope>, NotReached>;
}

/// There is no answer that proves anything. It changes nothing in the product but when it asks again (E7).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReached {
    /// No connection, no answer in time, or something that is not an answer.
    #[error("{0}")]
    Unreachable(String),
    /// An unsigned refusal: of the server, of a proxy, or of somebody in between.
    #[error("{0}")]
    Refused(Refusal),
}

/// An unsigned refusal. It is shown to people and believed by nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Last part of the problem's `type`, as `unknown-key`; empty when it is no problem+json.
    pub kind: String,
    /// What it says, for people.
    pub text: String,
    /// Seconds of a Retry-After header.
    pub retry_after_secs: Option<u64>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.text.is_empty() {
            write!(f, "the server answered with status {}", self.status)
        } else {
            f.write_str(&self.text)
        }
    }
}

impl NotReached {
    /// What the retry schedule makes of it ("License update").
    pub fn failure(&self) -> Failure {
        match self {
            Self::Refused(Refusal { status: 429 | 503, retry_after_secs: Some(secs), .. }) => {
                Failure::RetryAfter(*secs)
            }
            Self::Refused(Refusal { status: 500.., .. }) => Failure::ServerError,
            Self::Unreachable(_) | Self::Refused(_) => Failure::Unreachable,
        }
    }

    /// Whether it is a refusal of this kind, which is a hint and no proof.
    pub(crate) fn hints(&self, kind: &str) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.kind == kind)
    }
}

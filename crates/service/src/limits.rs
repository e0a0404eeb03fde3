//! How much one caller may ask for (A8): per address before anything is verified, per installation and per token after.
//!
//! Who sends garbage spends what its own address has. What belongs to an installation or a token is only spent by who has
//! shown its key: nobody can use up somebody else's.

use std::{
    fmt,
    hash::Hash,
    net::IpAddr,
    num::NonZeroU32,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use governor::{
    NotUntil, Quota, RateLimiter, clock::Clock as _, middleware::NoOpMiddleware, nanos::Nanos,
    state::keyed::DashMapStateStore,
};
use tenure_core::{Clock, InstallationId, Rng, TokenId};

use crate::{ProblemKind, Result};

/// Seconds by which those who were turned away together come back apart.
const SPREAD_S: u64 = 10;

/// So many a second, and so many at once after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What comes back each second.
    pub per_second: NonZeroU32,
    /// What there is after a pause.
    pub burst: NonZeroU32,
}

impl Limit {
    const fn new(per_second: u32, burst: u32) -> Self {
        match (NonZeroU32::new(per_second), NonZeroU32::new(burst)) {
            (Some(per_second), Some(burst)) => Self { per_second, burst },
            _ => unreachable!(),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.per_second, self.burst)
    }
}

/// Text that is no limit.
#[derive(Debug, thiserror::Error)]
#[error("a limit is RATE/BURST, two numbers from 1 on as 100/1000, or `off`")]
pub struct ParseLimitError;

impl FromStr for Limit {
    type Err = ParseLimitError;

    fn from_str(text: &str) -> Result<Self, ParseLimitError> {
        let (per_second, burst) = text.split_once('/').ok_or(ParseLimitError)?;
        let number = |text: &str| text.parse().map_err(|_| ParseLimitError);
        Ok(Self { per_second: number(per_second)?, burst: number(burst)? })
    }
}

/// The limits of a server; what is `None` has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitPolicy {
    /// Requests of one address (IPv6: of one /64), before verification.
    pub address: Option<Limit>,
    /// Check-ins of one installation, after verification.
    pub installation: Option<Limit>,
    /// Requests of one token, after it was found to be good.
    pub token: Option<Limit>,
}

impl LimitPolicy {
    /// Nobody is limited.
    pub const OFF: Self = Self { address: None, installation: None, token: None };
}

impl Default for LimitPolicy {
    /// A thousand installations behind one address that wake up together pass; so do one installation's weeks of silence
    /// sent in one go.
    fn default() -> Self {
        Self {
            address: Some(Limit::new(100, 1000)),
            installation: Some(Limit::new(1, 60)),
            token: Some(Limit::new(50, 500)),
        }
    }
}

/// An address as it is counted: IPv6 by its /64, of which one machine has every address.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Net {
    V4(u32),
    V6(u64),
}

impl From<IpAddr> for Net {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => Self::V6((address.to_bits() >> 64) as u64),
        }
    }
}

/// The machine's time for the buckets.
#[derive(Clone)]
struct Ticks(Arc<dyn Clock>);

impl governor::clock::Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(u64::try_from(self.0.boot().elapsed_us).unwrap_or(0).saturating_mul(1000))
    }
}

type Limiter<K> = RateLimiter<K, DashMapStateStore<K>, Ticks, NoOpMiddleware<Nanos>>;

struct Buckets<K: Hash + Eq + Clone> {
    limiter: Option<Limiter<K>>,
    refused: AtomicU64,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    fn new(limit: Option<Limit>, ticks: &Ticks) -> Self {
        let quota = |limit: Limit| Quota::per_second(limit.per_second).allow_burst(limit.burst);
        let limiter = limit.map(|limit| RateLimiter::dashmap_with_clock(quota(limit), ticks.clone()));
        Self { limiter, refused: AtomicU64::new(0) }
    }

    /// Takes one, or says how many whole seconds are to be waited.
    fn take(&self, key: &K, ticks: &Ticks) -> Result<(), u64> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        limiter.check_key(key).map_err(|not_until: NotUntil<Nanos>| {
            self.refused.fetch_add(1, Ordering::Relaxed);
            not_until.wait_time_from(ticks.now()).as_secs() + 1
        })
    }

    /// Forgets those whose bucket is full again.
    fn forget_idle(&self) {
        if let Some(limiter) = &self.limiter {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

/// The buckets of a server.
pub struct Limits {
    ticks: Ticks,
    rng: Arc<dyn Rng>,
    address: Buckets<Net>,
    installation: Buckets<InstallationId>,
    token: Buckets<TokenId>,
}

/// How many requests were turned away since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refusals {
    /// By their address.
    pub address: u64,
    /// By their installation.
    pub installation: u64,
    /// By their token.
    pub token: u64,
}

impl Limits {
    /// Full buckets. `clock` tells how long the machine has run: a clock that stands still fills none.
    pub fn new(policy: LimitPolicy, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Self {
        let ticks = Ticks(clock);
        Self {
            address: Buckets::new(policy.address, &ticks),
            installation: Buckets::new(policy.installation, &ticks),
            token: Buckets::new(policy.token, &ticks),
            ticks,
            rng,
        }
    }

    /// A request from an address, not looked at yet.
    ///
    /// # Errors
    /// [`ProblemKind::TooManyRequests`].
    pub fn take_address(&self, address: IpAddr) -> Result<()> {
        self.spread(self.address.take(&address.into(), &self.ticks), "this address")
    }

    /// A check-in that an installation has signed.
    pub(crate) fn take_installation(&self, installation: InstallationId) -> Result<()> {
        self.spread(self.installation.take(&installation, &self.ticks), "this installation")
    }

    /// A request with a token that is good.
    pub(crate) fn take_token(&self, token: TokenId) -> Result<()> {
        self.spread(self.token.take(&token, &self.ticks), "this token")
    }

    fn spread(&self, taken: Result<(), u64>, whose: &str) -> Result<()> {
        taken.map_err(|wait_s| {
            let retry_after_s = wait_s + self.rng.below(SPREAD_S);
            let words = format!("{whose} asked for more than its share; again in {retry_after_s} s");
            ProblemKind::TooManyRequests.because(words).with(crate::problem::RETRY_AFTER, retry_after_s).into()
        })
    }

    /// Forgets callers whose bucket is full again. Whoever runs a server calls it now and then: so no more are remembered
    /// than asked within that time.
    pub fn forget_idle(&self) {
        self.address.forget_idle();
        self.installation.forget_idle();
        self.token.forget_idle();
    }

    /// How many were turned away.
    pub fn refusals(&self) -> Refusals {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Refusals {
            address: of(&self.address.refused),
            installation: of(&self.installation.refused),
            token: of(&self.token.refused),
        }
    }
}

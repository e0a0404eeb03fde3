//! Looking at a state at an instant: what is due, how the license stands, what was used. Changes nothing.

mod overuse;
mod report;
mod schedule;
mod sent;
mod status;
mod usage;

use tenure_core::{
    Boot, Day, Period, Policy, Timestamp,
    continuity::{self, ContinuityFacts},
    product_clock::EffectiveTime,
};
use tenure_license::{Continuity, Hash, Root, VerifyError};

pub use report::ReportView;
pub(crate) use schedule::{Make, Plan};
pub use sent::{HeldReport, LastSent, Receipt};
pub use status::{ReportStatus, Standing, Status, TrustRootStatus};
pub use usage::{MonthUsage, UsageLine};

use crate::state::State;

/// A state at an instant.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) state: &'a State,
    pub(crate) policy: &'a Policy,
    pub(crate) now: EffectiveTime,
    pub(crate) boot: Boot,
    /// The operator wants new licenses installed by themselves.
    pub(crate) auto_update: bool,
    /// There is something to count with.
    pub(crate) collects: bool,
    /// The license held does not verify any more, under the trust root as it is now.
    pub(crate) doubt: Option<&'a VerifyError>,
    /// The trust root held.
    pub(crate) root: &'a Root,
    /// The continuity note held, verified.
    pub(crate) continuity: Option<&'a Continuity>,
}

impl View<'_> {
    /// Whether new licenses are installed by themselves.
    pub(crate) fn updates_itself(&self) -> bool {
        self.auto_update && !self.state.contact.update_off
    }

    /// Whether the time may be acted on: it rests on an answer, on the floor, or the server was asked in this boot and
    /// not reached (T1).
    pub(crate) fn time_is_proven(&self) -> bool {
        let floor = self.state.clock.as_ref().map_or(Timestamp::EPOCH, tenure_core::product_clock::ProductClock::floor);
        let tried = self.state.contact.failure.as_ref().is_some_and(|failure| failure.boot == self.boot.id);
        self.now.authenticated || self.now.at <= floor || tried
    }

    /// The instant that the license is judged at: never the bare system clock before the server was asked (T1).
    pub(crate) fn judged_at(&self) -> Timestamp {
        match &self.state.clock {
            Some(clock) if !self.time_is_proven() => clock.floor(),
            _ => self.now.at,
        }
    }

    /// End of the license's validity, seconds UTC: its own, or a later one that an acting continuity note gives it.
    pub(crate) fn license_end(&self) -> Option<i64> {
        let own = self.state.license.as_ref()?.license.expires_at;
        Some(self.continued_until().map_or(own, |until| own.max(until.as_secs())))
    }

    /// Until when a continuity note lets the license run, while it acts (R2).
    pub(crate) fn continued_until(&self) -> Option<Timestamp> {
        let note = self.continuity?;
        let facts = ContinuityFacts {
            from: Timestamp::from_secs(note.from),
            until: Timestamp::from_secs(note.until),
            last_answer: self.state.contact.last_answer_at?,
            quiet_us: self.state.clock.as_ref()?.quiet_us(self.boot),
            last_result: self.state.contact.last_result,
        };
        continuity::acts_until(&facts)
    }

    /// The first day this installation counts.
    pub(crate) fn first_day(&self) -> Option<Day> {
        self.state.joined.as_ref().map(|joined| Day::of(joined.at))
    }

    /// The periods that are to be reported and have ended, oldest first.
    pub(crate) fn ended_periods(&self) -> impl Iterator<Item = Period> {
        let oldest = Period::of(self.now.at).plus(-(self.policy.max_correction_months as i32));
        let running = Period::of(self.now.at);
        let first = self.state.reporting_since.map_or(running, |since| since.max(oldest));
        (first.index()..running.index()).map(Period::from_index)
    }

    /// A number in `0..bound` that is this installation's for one purpose and one day: the same after a restart, another
    /// on another machine.
    fn drawn(&self, purpose: u64, n: i32, bound: i64) -> i64 {
        let salt = self.state.created.as_ref().map_or(0, |created| created.salt);
        let seed = [salt.to_le_bytes(), purpose.to_le_bytes(), i64::from(n).to_le_bytes()].concat();
        let digest = Hash::sha256(seed);
        let raw = digest.as_bytes().first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        (raw % bound.max(1).unsigned_abs()) as i64
    }
}

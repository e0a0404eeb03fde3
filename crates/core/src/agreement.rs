//! Rental agreements: when they run, and which months they owe ("Words"; "Totals").

use serde::{Deserialize, Serialize};

use crate::{AgreementKind, Period, Points, Timestamp, totals::Terms};

/// The terms of a rental agreement that rules depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    /// Its commitment.
    pub kind: AgreementKind,
    /// When it was signed.
    pub signed_at: Timestamp,
    /// The end of its term; an extension moves it.
    pub ends_at: Timestamp,
    /// When it was ended early, if it was.
    pub terminated_at: Option<Timestamp>,
    /// Minimum points per month of a `volume` agreement; ignored without commitment.
    pub minimum: Points,
    /// Points limit, if any.
    pub limit: Option<Points>,
}

/// How an agreement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgreementStanding {
    /// It runs.
    Running,
    /// Its term is over: `contract_expired`.
    Ended,
    /// It was ended early: `contract_terminated`.
    Terminated,
}

impl Agreement {
    /// When it ends or ended, early or not. No license is valid longer ("Validity").
    pub fn end(&self) -> Timestamp {
        self.terminated_at.map_or(self.ends_at, |terminated| terminated.min(self.ends_at))
    }

    /// How it stands at an instant ("Totals"). An agreement ended early stays *terminated* past its term too.
    pub fn standing(&self, at: Timestamp) -> AgreementStanding {
        match self.terminated_at {
            Some(terminated) if terminated < self.ends_at && at >= terminated => AgreementStanding::Terminated,
            _ if at >= self.ends_at => AgreementStanding::Ended,
            _ => AgreementStanding::Running,
        }
    }

    /// The first month it is owed for: the one it was signed in, which is opened and submitted and billed 0 ("Totals").
    pub fn first_period(&self) -> Period {
        Period::of(self.signed_at)
    }

    /// Its last month, which is still submitted and closed ("Totals"). An agreement that ends on a 1st 00:00:00 has no
    /// instant in that month.
    pub fn last_period(&self) -> Period {
        Period::of(self.end().plus_micros(-1)).max(self.first_period())
    }

    /// Whether a month is owed under it.
    pub fn covers(&self, period: Period) -> bool {
        (self.first_period()..=self.last_period()).contains(&period)
    }

    /// What a month's totals depend on; without commitment there is no minimum.
    pub fn terms(&self) -> Terms {
        let commit = match self.kind {
            AgreementKind::NoCommit => Points::ZERO,
            AgreementKind::Volume => self.minimum,
        };
        Terms { commit, limit: self.limit, signed_at: self.signed_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }
    fn agreement() -> Agreement {
        Agreement {
            kind: AgreementKind::Volume,
            signed_at: at("2026-04-05T09:00:00Z"),
            ends_at: at("2027-04-01T00:00:00Z"),
            terminated_at: None,
            minimum: Points::whole(800),
            limit: None,
        }
    }
    fn period(text: &str) -> Period {
        text.parse().expect("a period")
    }

    #[test]
    fn ended_or_terminated() {
        let running = agreement();
        assert_eq!(running.standing(at("2027-03-31T23:59:59Z")), AgreementStanding::Running);
        assert_eq!(running.standing(at("2027-04-01T00:00:00Z")), AgreementStanding::Ended);
        let early = Agreement { terminated_at: Some(at("2026-09-10T00:00:00Z")), ..running };
        assert_eq!(early.standing(at("2026-09-09T23:59:59Z")), AgreementStanding::Running);
        assert_eq!(early.standing(at("2026-09-10T00:00:00Z")), AgreementStanding::Terminated);
        assert_eq!(early.standing(at("2028-01-01T00:00:00Z")), AgreementStanding::Terminated);
        let too_late = Agreement { terminated_at: Some(at("2027-05-01T00:00:00Z")), ..running };
        assert_eq!(too_late.standing(at("2027-06-01T00:00:00Z")), AgreementStanding::Ended, "it had run out before");
        assert_eq!((early.end(), early.last_period()), (at("2026-09-10T00:00:00Z"), period("2026-09")));
    }

    #[test]
    fn the_last_month_is_still_owed() {
        let agreement = agreement();
        assert_eq!((agreement.first_period(), agreement.last_period()), (period("2026-04"), period("2027-03")));
        assert!(agreement.covers(period("2026-04")) && agreement.covers(period("2027-03")));
        assert!(!agreement.covers(period("2026-03")) && !agreement.covers(period("2027-04")));
        let extended = Agreement { ends_at: at("2027-04-01T00:00:00.000001Z"), ..agreement };
        assert!(extended.covers(period("2027-04")));
    }

    #[test]
    fn without_commitment_there_is_no_minimum() {
        assert_eq!(agreement().terms().commit, Points::whole(800));
        assert_eq!(Agreement { kind: AgreementKind::NoCommit, ..agreement() }.terms().commit, Points::ZERO);
    }
}

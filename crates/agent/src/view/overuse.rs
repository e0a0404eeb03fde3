//! How far above its license the product goes ("Overuse"); judged by each product for its own workloads.

use tenure_core::{
    Day, Period, Points, Timestamp, Weight,
    overuse::{Coverage, OveruseFacts, allowed_above, cover},
    validity::state_at,
};
use tenure_license::Outcome;

use super::View;
use crate::state::Held;

impl View<'_> {
    /// How one workload stands to the license: may it be protected? One that was never seen stands behind all others.
    ///
    /// Without a license, and when it is restricted, nothing new is protected.
    pub(crate) fn coverage(&self, workload: &str, variant: &str, id: &str) -> Coverage {
        let Some(held) = &self.state.license else { return Coverage::Unlicensed };
        let at = self.judged_at();
        let end = Timestamp::from_secs(self.license_end().unwrap_or(held.license.expires_at));
        if !state_at(at, end, held.license.grace_days, self.policy).has_full_function() {
            return Coverage::Unlicensed;
        }
        let standing = self.state.ledger.standing(Day::of(at), self.policy);
        let asked = |one: &crate::ledger::Standing<'_>| (one.workload, one.variant, one.id) == (workload, variant, id);
        let Some(place) = standing.iter().position(asked) else { return Coverage::New };
        let points = standing.iter().map(|one| (weight(held, one.workload, one.variant).times(1), one.new));
        let covered = cover(points, held.license.points, self.allowed_above());
        covered.get(place).copied().unwrap_or(Coverage::New)
    }

    /// Points allowed above the license now.
    pub(crate) fn allowed_above(&self) -> Points {
        let Some(held) = &self.state.license else { return Points::ZERO };
        let at = self.judged_at();
        let ends = self.license_end().unwrap_or(held.license.expires_at);
        let at_expiry = self.state.grace.filter(|(end, _)| at.as_secs() >= ends && *end == ends);
        let facts = OveruseFacts {
            licensed: held.license.points,
            new_last_month: self.new_points(held, Period::of(at).prev()),
            reports_by_itself: held.license.automatic_reporting && self.newest_due_report_is_accepted(at),
            at_expiry: at_expiry.map(|(_, milli)| Points::from_milli(milli)),
        };
        allowed_above(&facts, self.policy)
    }

    /// The license's end, once it has passed and its allowance was not noted yet.
    pub(crate) fn grace_to_note(&self) -> Option<i64> {
        let end = self.license_end()?;
        let noted = self.state.grace.is_some_and(|(noted, _)| noted == end);
        (self.judged_at().as_secs() >= end && !noted).then_some(end)
    }

    fn new_points(&self, held: &Held, period: Period) -> Points {
        let lines = self.state.ledger.lines(period, self.policy);
        lines.iter().map(|line| weight(held, &line.workload, &line.variant).times(i64::from(line.new))).sum()
    }

    /// The newest period past `auto_send_day` was accepted; before the first one is due, nothing is missing.
    fn newest_due_report_is_accepted(&self, at: Timestamp) -> bool {
        let last = Period::of(at).prev();
        let due = if at < last.deadline(self.policy.auto_send_day) { last.prev() } else { last };
        if self.state.reporting_since.is_none_or(|since| due < since) {
            return true;
        }
        let report = self.state.documents.report(due);
        let receipt = report.and_then(|report| self.state.documents.get(&report.hash)?.receipt.as_ref());
        receipt.is_some_and(|receipt| matches!(receipt.outcome, Outcome::Accepted | Outcome::Repeated))
    }
}

/// Points per unit as the license shows it; what it does not list costs nothing here and is the server's to judge.
fn weight(held: &Held, workload: &str, variant: &str) -> Weight {
    let listed = held.license.workloads.iter();
    listed
        .filter(|line| line.workload == workload && line.variant == variant)
        .map(|line| line.weight)
        .next()
        .unwrap_or_default()
}

//! What is unusual about a license's month, and whether the month is reported for it ("Deviation", "Validity").

use std::collections::{BTreeMap, HashMap};

use tenure_core::{
    Day, InstallationId, Period, Points, Policy, Timestamp,
    deviation::{self, DeviationFacts, Flag, due_weeks, is_young},
    expected::Presence,
    reported::{InstallationStanding, NotReported, ReportedCause, UsageProgress, reported},
};

use super::{
    build::{Built, InstallationMonth},
    load::MonthData,
    types::{LicenseOf, Line},
};

/// One license's part of what was built.
pub(crate) struct LicensePart<'a> {
    pub(crate) license: &'a LicenseOf,
    pub(crate) installations: Vec<&'a InstallationMonth>,
    pub(crate) lines: Vec<&'a Line>,
}

impl Built {
    /// The licenses' parts, by license id.
    pub(crate) fn parts(&self) -> Vec<LicensePart<'_>> {
        let mut parts: Vec<LicensePart<'_>> = self
            .licenses
            .iter()
            .map(|license| LicensePart { license, installations: Vec::new(), lines: Vec::new() })
            .collect();
        let at: HashMap<_, _> = self.licenses.iter().enumerate().map(|(at, license)| (license.id, at)).collect();
        for one in &self.installations {
            parts[at[&one.expected.license.id]].installations.push(one);
        }
        for line in &self.lines {
            if let Some(at) = line.license.as_ref().and_then(|license| at.get(&license.id)) {
                parts[*at].lines.push(line);
            }
        }
        parts
    }
}

impl LicensePart<'_> {
    /// What its lines of this very month come to: a correction is outside the month's deviation.
    pub(crate) fn points(&self) -> Points {
        self.lines.iter().filter(|line| line.of_period.is_none()).map(|line| line.points).sum()
    }

    /// Whether figures of several installations are summed.
    pub(crate) fn is_shared(&self) -> bool {
        let with_figures = |one: &&&InstallationMonth| one.raw.is_some() || one.expected.answer.is_some();
        self.installations.iter().filter(with_figures).count() > 1
    }

    /// Another document claims the place of one of its reports.
    pub(crate) fn is_contested(&self) -> bool {
        self.installations.iter().any(|one| one.expected.contested)
    }

    /// What fits badly to what the products said before ("Deviation").
    pub(crate) fn flags(&self, data: &MonthData, now: Timestamp, policy: &Policy) -> Vec<Flag> {
        let period = data.usage.period;
        let reports = |one: &&&InstallationMonth| {
            one.expected.license.product.reports && !one.expected.license.reporting.is_by_hand()
        };
        let young = |one: &&InstallationMonth| is_young(one.expected.activated, period, policy);
        let facts = DeviationFacts {
            submitted: self.points(),
            raw_reported: self.installations.iter().filter_map(|one| one.raw).sum(),
            highest_watermark: self.highest_watermark(data),
            missing_weeks: self
                .installations
                .iter()
                .filter(reports)
                .flat_map(|one| missing_weeks(one, period, now, policy))
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect(),
            young_new: self
                .installations
                .iter()
                .copied()
                .filter(young)
                .filter(|one| matches!(one.expected.presence, Presence::Reported | Presence::Preliminary))
                .map(|one| one.new_share)
                .collect(),
            history_differs: self.installations.iter().any(|one| one.history_differs),
        };
        deviation::flags(&facts, policy)
    }

    /// What the weekly figures reached in points. One that was replaced and its successor are one machine: the higher of
    /// the two counts, not both.
    fn highest_watermark(&self, data: &MonthData) -> Option<Points> {
        let mut highs: BTreeMap<(InstallationId, &str, &str), u32> = BTreeMap::new();
        let mut any = false;
        for one in &self.installations {
            let Some(own) = &one.highs else { continue };
            any = true;
            let machine = self.machine(one);
            for ((workload, variant), high) in own {
                let held = highs.entry((machine, workload, variant)).or_default();
                *held = (*held).max(*high);
            }
        }
        let weights = data.weights.get(&self.license.product.id);
        let points = |((_, workload, variant), high): ((InstallationId, &str, &str), u32)| {
            let weight = weights.and_then(|weights| weights.get(&(workload.to_owned(), variant.to_owned())).copied());
            tenure_core::line::points(i64::from(high), weight)
        };
        any.then(|| highs.into_iter().map(points).sum())
    }

    /// The oldest installation that `one` took over from, within this month's.
    fn machine(&self, one: &InstallationMonth) -> InstallationId {
        let mut id = one.expected.id;
        let mut next = one.replaces;
        // Bounded by the number of installations: nothing replaces itself.
        for _ in 0..self.installations.len() {
            let Some(before) = next.and_then(|id| self.installations.iter().find(|other| other.expected.id == id))
            else {
                break;
            };
            id = before.expected.id;
            next = before.replaces;
        }
        id
    }

    /// Whether the month is reported for this license, and by what ("Validity").
    pub(crate) fn reported(
        &self,
        flagged: bool,
        progress: UsageProgress,
        suspended: bool,
        policy: &Policy,
    ) -> Result<ReportedCause, NotReported> {
        let standings: Vec<InstallationStanding> = self
            .installations
            .iter()
            .map(|one| InstallationStanding {
                presence: one.expected.presence,
                adjusted: one.adjusted,
                flagged,
                conflict: one.expected.contested,
            })
            .collect();
        reported(&standings, progress, suspended, policy)
    }
}

/// Weeks whose figures should be here by now and are not.
fn missing_weeks(
    one: &InstallationMonth,
    period: Period,
    now: Timestamp,
    policy: &Policy,
) -> impl Iterator<Item = tenure_core::Week> {
    let until = one.expected.retired.map_or(period.end(), |retired| retired.min(period.end()));
    let (first, last) = (Day::of(one.expected.activated), Day::of(until.plus_micros(-1)));
    due_weeks(period, first, last, now, policy).filter(|week| !one.weeks.contains(week))
}

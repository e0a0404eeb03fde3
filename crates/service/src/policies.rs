//! The program's numbers, dated, as this process knows them: read at start, renewed after a change.

use std::sync::OnceLock;

use tenure_core::{Period, Policy};

/// All versions this process ever knew. Versions are only added, a few in a program's life, so that whoever holds one may
/// keep it for as long as the service lives.
pub(crate) struct Policies {
    versions: Vec<(Period, Policy)>,
    newer: OnceLock<Box<Policies>>,
}

impl Policies {
    /// Versions by the period they begin with; at least one.
    pub(crate) fn new(versions: Vec<(Period, Policy)>) -> Option<Self> {
        (!versions.is_empty()).then(|| Self { versions, newer: OnceLock::new() })
    }

    fn newest(&self) -> &Self {
        let mut newest = self;
        while let Some(newer) = newest.newer.get() {
            newest = newer;
        }
        newest
    }

    /// The numbers in force in a period.
    pub(crate) fn at(&self, period: Period) -> &Policy {
        let versions = &self.newest().versions;
        let found = versions.iter().rfind(|(from, _)| *from <= period).or(versions.first());
        &found.expect("there is at least one version").1
    }

    /// Takes in what the database holds now.
    pub(crate) fn renew(&self, versions: &[(Period, Policy)]) {
        let mut newest = self.newest();
        while newest.versions != versions {
            let Some(newer) = Self::new(versions.to_vec()) else { return };
            match newest.newer.set(Box::new(newer)) {
                Ok(()) => return,
                // Somebody else was faster: theirs may be the same.
                Err(_) => newest = newest.newest(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_version_holds_from_its_month_on() {
        let period = |text: &str| text.parse::<Period>().unwrap();
        let of = |grace_days| Policy { grace_days, ..Policy::default() };
        let policies = Policies::new(vec![(period("2026-01"), of(60))]).unwrap();
        let kept = policies.at(period("2026-03"));
        policies.renew(&[(period("2026-01"), of(60)), (period("2026-03"), of(30))]);
        policies.renew(&[(period("2026-01"), of(60)), (period("2026-03"), of(30))]);
        let days = |text| policies.at(period(text)).grace_days;
        assert_eq!((days("2026-02"), days("2026-03"), days("2030-01"), days("2025-12")), (60, 30, 30, 60));
        assert_eq!(kept.grace_days, 60, "what was taken stays readable");
        assert!(Policies::new(Vec::new()).is_none());
    }
}

//! When a period of a license is reported, and so earns an extension ("Validity of an automatically reported license").

use serde::{Deserialize, Serialize};

use crate::{
    ExtensionTrigger, Period, Policy, Timestamp, cycle::UsageState, deadline::undecided_extends_at, expected::Presence,
};

/// One installation that is expected under the license in the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstallationStanding {
    /// How it stands.
    pub presence: Presence,
    /// A person changed one of its figures, here or on the product.
    pub adjusted: bool,
    /// One of its lines is flagged ("Deviation").
    pub flagged: bool,
    /// Two different documents hold one identity, and nobody settled it. A clone says so by its presence.
    pub conflict: bool,
}

/// How far the provider's monthly usage is for extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UsageProgress {
    /// Not submitted, or rejected.
    Open,
    /// With the distributor.
    Submitted,
    /// Closed, or undecided for so long that it counts as Closed for extensions.
    Closed,
}

impl UsageProgress {
    /// How far a monthly usage is at `now` ("The monthly cycle", `distributor_deadline_day`): an undecided and unflagged
    /// one counts as Closed some days after the distributor's deadline. `any_flagged` is over all its lines.
    pub fn at(
        state: UsageState,
        submitted_at: Option<Timestamp>,
        any_flagged: bool,
        period: Period,
        now: Timestamp,
        policy: &Policy,
    ) -> Self {
        match (state, submitted_at) {
            (UsageState::Closed, _) => Self::Closed,
            (UsageState::PendingDistributorReview, Some(at))
                if !any_flagged && now >= undecided_extends_at(period, at, policy) =>
            {
                Self::Closed
            }
            (UsageState::PendingDistributorReview, _) => Self::Submitted,
            _ => Self::Open,
        }
    }
}

/// What made a period reported; the first cause is the extension's, later ones are noted beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportedCause {
    /// The products' own untouched figures.
    ProductReports,
    /// The monthly usage was submitted.
    Submission,
    /// The monthly usage is Closed, or counts as Closed for extensions.
    Closing,
    /// An adjustment line of a later month took the period's data in ("Adjustments, revisions, corrections").
    AdjustmentLine,
    /// A license that a restored server had lost proved it (protocol, E1).
    Recovered,
}

/// Why a period is not reported yet. The text says what would help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotReported {
    /// Installations are not accounted for.
    #[error("{}", crate::cycle::counted(*.0, "installation is not accounted for", "installations are not accounted for"))]
    Unaccounted(u32),
    /// Lines are flagged, so it waits for Closed.
    #[error("flagged figures wait for the month to be closed")]
    Flagged,
    /// An identity is contested, so it waits for a person or for Closed.
    #[error("a contested installation must be answered")]
    Contested,
    /// A person changed or answered figures, so it waits for the submission.
    #[error("changed figures wait for the monthly usage to be submitted")]
    NotTheProductsOwn,
    /// The provider is suspended, so it waits for the submission.
    #[error("the provider is suspended until the monthly usage is submitted")]
    Suspended,
    /// No installation reported, so it waits for the submission.
    #[error("a month without an installation waits for the monthly usage to be submitted")]
    NotInstalled,
    /// The program extends only what is Closed.
    #[error("the month must be closed")]
    NotClosed,
}

/// Whether a period of a license is reported ("Validity"). `expected` are the installations expected in it; without any, the
/// license has the line `not installed`, 0, and is reported by submitting.
///
/// Only a line's own license waits: a neighbor without flags goes on. That figures are zero, or only new, changes nothing.
///
/// # Errors
/// The first thing it still waits for.
pub fn reported(
    expected: &[InstallationStanding],
    progress: UsageProgress,
    provider_suspended: bool,
    policy: &Policy,
) -> Result<ReportedCause, NotReported> {
    // Submitting takes the preliminary reports it shows as what the provider says.
    let accounted = |one: &&InstallationStanding| {
        one.presence.is_accounted() || one.presence == Presence::Preliminary && progress > UsageProgress::Open
    };
    let unaccounted = expected.len() - expected.iter().filter(accounted).count();
    let any = |what: fn(&InstallationStanding) -> bool| expected.iter().any(what);
    let contested = any(|one| one.conflict || one.presence == Presence::Clone);
    match (unaccounted, progress) {
        (1.., _) if contested => Err(NotReported::Contested),
        (1.., _) => Err(NotReported::Unaccounted(unaccounted as u32)),
        (0, UsageProgress::Closed) => Ok(ReportedCause::Closing),
        _ if policy.extension_trigger == ExtensionTrigger::Closed => Err(NotReported::NotClosed),
        _ if any(|one| one.flagged) => Err(NotReported::Flagged),
        _ if contested => Err(NotReported::Contested),
        (0, UsageProgress::Submitted) => Ok(ReportedCause::Submission),
        (0, UsageProgress::Open) if expected.is_empty() => Err(NotReported::NotInstalled),
        (0, UsageProgress::Open) if any(|one| one.adjusted || one.presence == Presence::Answered) => {
            Err(NotReported::NotTheProductsOwn)
        }
        (0, UsageProgress::Open) if provider_suspended && !policy.product_report_extends_while_suspended => {
            Err(NotReported::Suspended)
        }
        (0, UsageProgress::Open) => Ok(ReportedCause::ProductReports),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use UsageProgress::{Closed, Open, Submitted};

    const OWN: InstallationStanding =
        InstallationStanding { presence: Presence::Reported, adjusted: false, flagged: false, conflict: false };

    fn with(presence: Presence) -> InstallationStanding {
        InstallationStanding { presence, ..OWN }
    }

    type Case<'a> = (&'a [InstallationStanding], UsageProgress, bool, Result<ReportedCause, NotReported>);

    #[test]
    fn what_earns_an_extension_and_what_it_waits_for() {
        let adjusted = InstallationStanding { adjusted: true, ..OWN };
        let flagged = InstallationStanding { flagged: true, ..OWN };
        let conflict = InstallationStanding { conflict: true, ..OWN };
        let table: [Case<'_>; 22] = [
            (&[OWN], Open, false, Ok(ReportedCause::ProductReports)),
            (&[OWN], Open, true, Err(NotReported::Suspended)),
            (&[OWN], Submitted, true, Ok(ReportedCause::Submission)),
            (&[OWN], Closed, false, Ok(ReportedCause::Closing)),
            (&[OWN, with(Presence::Awaited)], Open, false, Err(NotReported::Unaccounted(1))),
            (&[OWN, with(Presence::Missing)], Closed, false, Err(NotReported::Unaccounted(1))),
            (&[with(Presence::Preliminary)], Open, false, Err(NotReported::Unaccounted(1))),
            (&[with(Presence::Preliminary)], Submitted, false, Ok(ReportedCause::Submission)),
            (&[OWN, with(Presence::Answered)], Open, false, Err(NotReported::NotTheProductsOwn)),
            (&[OWN, with(Presence::Answered)], Submitted, false, Ok(ReportedCause::Submission)),
            (&[with(Presence::Replaced)], Open, false, Ok(ReportedCause::ProductReports)),
            (&[adjusted], Open, false, Err(NotReported::NotTheProductsOwn)),
            (&[adjusted], Submitted, false, Ok(ReportedCause::Submission)),
            (&[flagged], Open, false, Err(NotReported::Flagged)),
            (&[flagged], Submitted, false, Err(NotReported::Flagged)),
            (&[flagged], Closed, false, Ok(ReportedCause::Closing)),
            (&[conflict], Open, false, Err(NotReported::Contested)),
            (&[conflict], Submitted, false, Err(NotReported::Contested)),
            (&[with(Presence::Clone)], Open, false, Err(NotReported::Contested)),
            (&[], Open, false, Err(NotReported::NotInstalled)),
            (&[], Submitted, false, Ok(ReportedCause::Submission)),
            (&[], Closed, false, Ok(ReportedCause::Closing)),
        ];
        for (expected, progress, suspended, result) in table {
            let found = reported(expected, progress, suspended, &Policy::default());
            assert_eq!(found, result, "{expected:?} {progress:?} suspended: {suspended}");
        }
    }

    #[test]
    fn under_the_trigger_closed_only_closed_extends() {
        let policy = Policy { extension_trigger: ExtensionTrigger::Closed, ..Policy::default() };
        assert_eq!(reported(&[OWN], Open, false, &policy), Err(NotReported::NotClosed));
        assert_eq!(reported(&[OWN], Submitted, false, &policy), Err(NotReported::NotClosed));
        assert_eq!(reported(&[OWN], Closed, true, &policy), Ok(ReportedCause::Closing));
    }

    #[test]
    fn a_program_may_let_reports_extend_while_suspended() {
        let policy = Policy { product_report_extends_while_suspended: true, ..Policy::default() };
        assert_eq!(reported(&[OWN], Open, true, &policy), Ok(ReportedCause::ProductReports));
    }

    #[test]
    fn a_late_distributor_costs_the_provider_nothing() {
        let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
        let (march, policy) = ("2026-03".parse().expect("a period"), Policy::default());
        let submitted = Some(at("2026-04-02T08:00:00Z"));
        let pending = UsageState::PendingDistributorReview;
        let progress = |flagged, now: &str| UsageProgress::at(pending, submitted, flagged, march, at(now), &policy);
        assert_eq!(progress(false, "2026-04-15T23:59:59Z"), Submitted);
        assert_eq!(progress(false, "2026-04-16T00:00:00Z"), Closed);
        assert_eq!(progress(true, "2026-05-16T00:00:00Z"), Submitted, "a flagged one waits for the distributor");
        let of = |state| UsageProgress::at(state, submitted, false, march, at("2026-05-16T00:00:00Z"), &policy);
        assert_eq!((of(UsageState::Rejected), of(UsageState::Closed)), (Open, Closed));
    }
}

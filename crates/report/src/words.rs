//! The words of codes, for files that people read; CSV and JSON keep the codes.

use tenure_core::{adjust::ReasonCode, cycle::UsageState, line::Source};

/// Where a month stands, as a sentence.
pub(crate) const fn state(state: UsageState) -> &'static str {
    match state {
        UsageState::Collecting => "Reports still come in.",
        UsageState::PendingSiteReview => "Waits for its sites.",
        UsageState::PendingProviderReview => "Waits for the provider.",
        UsageState::PendingDistributorReview => "Waits for the distributor.",
        UsageState::Rejected => "Rejected by the distributor; the provider submits it again.",
        UsageState::Closed => "Closed.",
    }
}

/// Where a figure comes from.
pub(crate) const fn source(source: Source) -> &'static str {
    match source {
        Source::Automatic | Source::Preliminary => "Automatic",
        Source::Manual => "Manual",
        Source::Answered => "Answered",
        Source::Awaited => "Awaited",
        Source::Missing => "Missing",
        Source::Clone => "Clone",
        Source::NotInstalled => "Not installed",
        Source::Replaced => "Replaced",
        Source::Correction => "Correction",
    }
}

/// A reason by its code; one that this version does not know as it is.
pub(crate) fn reason(code: &str) -> String {
    code.parse::<ReasonCode>().map_or_else(|_| code.to_owned(), |known| known.to_string())
}

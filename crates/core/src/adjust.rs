//! What a person may change in a monthly usage, and what it takes ("Adjustments, revisions, corrections").

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Why a figure is lowered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// Test or demonstration systems.
    TestDemo,
    /// Counted twice.
    Duplicate,
    /// Moved to another installation, license or provider.
    Migrated,
    /// A customer's trial.
    Trial,
    /// The product counted wrongly.
    MeteringError,
    /// Something else, said in the sentence.
    Other,
}

impl ReasonCode {
    /// All codes, in the order pages offer them.
    pub const ALL: &'static [Self] =
        &[Self::TestDemo, Self::Duplicate, Self::Migrated, Self::Trial, Self::MeteringError, Self::Other];

    /// The stored word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TestDemo => "test_demo",
            Self::Duplicate => "duplicate",
            Self::Migrated => "migrated",
            Self::Trial => "trial",
            Self::MeteringError => "metering_error",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TestDemo => "Test or demonstration",
            Self::Duplicate => "Counted twice",
            Self::Migrated => "Moved elsewhere",
            Self::Trial => "Customer's trial",
            Self::MeteringError => "Product counted wrongly",
            Self::Other => "Other",
        })
    }
}

/// The word is no reason code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a reason code")]
pub struct ParseReasonError;

impl FromStr for ReasonCode {
    type Err = ParseReasonError;
    fn from_str(word: &str) -> Result<Self, ParseReasonError> {
        Self::ALL.iter().copied().find(|code| code.word() == word).ok_or(ParseReasonError)
    }
}

/// The most units a person may enter: above it is a slip of the hand.
pub const MAX_COUNT: u32 = 100_000_000;
/// The longest sentence kept.
pub const MAX_NOTE_CHARS: usize = 1000;

/// Why an adjustment is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AdjustRefusal {
    /// Lowering needs a reason code.
    #[error("lowering a figure needs a reason code")]
    ReasonMissing,
    /// Lowering needs a sentence.
    #[error("lowering a figure needs a sentence that says why")]
    NoteMissing,
    /// The sentence is too long.
    #[error("the sentence is longer than 1000 characters")]
    NoteTooLong,
    /// The count is too large.
    #[error("the count is larger than 100,000,000")]
    CountTooLarge,
    /// It changes nothing.
    #[error("the figure is the product's own already")]
    Unchanged,
}

/// Checks a figure that replaces a product's: lowering needs a reason code and a sentence, raising needs neither.
pub fn check_adjustment(
    products: u32,
    wanted: u32,
    reason: Option<ReasonCode>,
    note: &str,
) -> Result<(), AdjustRefusal> {
    if wanted > MAX_COUNT {
        return Err(AdjustRefusal::CountTooLarge);
    }
    if note.chars().count() > MAX_NOTE_CHARS {
        return Err(AdjustRefusal::NoteTooLong);
    }
    if wanted == products {
        return Err(AdjustRefusal::Unchanged);
    }
    if wanted < products {
        if reason.is_none() {
            return Err(AdjustRefusal::ReasonMissing);
        }
        if note.trim().is_empty() {
            return Err(AdjustRefusal::NoteMissing);
        }
    }
    Ok(())
}

/// Where an adjustment stands once the product has sent another revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It was made on the figure that is held.
    Applies,
    /// The product has sent another revision since: it must be confirmed against that, and blocks submission until then.
    MustConfirm,
}

/// An adjustment made on revision n must be confirmed against n+1 ("Adjustments, revisions, corrections"), whatever that
/// says: a person answers for the figure that is replaced.
pub const fn standing(made_on_revision: u32, held_revision: u32) -> Standing {
    if made_on_revision == held_revision { Standing::Applies } else { Standing::MustConfirm }
}

/// Why a manual line is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ManualRefusal {
    /// The program has automatic licenses of that product, so it must be said which license this is for.
    #[error("this product has licenses that report by themselves: say which license the line is for")]
    LicenseMissing,
    /// The count is too large.
    #[error("the count is larger than 100,000,000")]
    CountTooLarge,
}

/// Checks a manual line: product, workload type, count, and the license where the provider has automatic licenses of that
/// product.
pub fn check_manual_line(count: u32, has_automatic_licenses: bool, names_license: bool) -> Result<(), ManualRefusal> {
    if count > MAX_COUNT {
        return Err(ManualRefusal::CountTooLarge);
    }
    if has_automatic_licenses && !names_license {
        return Err(ManualRefusal::LicenseMissing);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowering_needs_words_and_raising_does_not() {
        let reason = Some(ReasonCode::Duplicate);
        assert_eq!(check_adjustment(10, 12, None, ""), Ok(()));
        assert_eq!(check_adjustment(10, 8, None, "two are tests"), Err(AdjustRefusal::ReasonMissing));
        assert_eq!(check_adjustment(10, 9, None, ""), Err(AdjustRefusal::ReasonMissing), "by one, too");
        assert_eq!(check_adjustment(10, 8, reason, "  "), Err(AdjustRefusal::NoteMissing));
        assert_eq!(check_adjustment(10, 8, reason, "two were counted twice"), Ok(()));
        assert_eq!(check_adjustment(10, 10, reason, "x"), Err(AdjustRefusal::Unchanged));
        assert_eq!(check_adjustment(10, MAX_COUNT + 1, None, ""), Err(AdjustRefusal::CountTooLarge));
        assert_eq!(check_adjustment(10, 12, None, &"x".repeat(1001)), Err(AdjustRefusal::NoteTooLong));
        for code in ReasonCode::ALL {
            assert_eq!(code.word().parse(), Ok(*code));
        }
    }

    #[test]
    fn a_newer_revision_must_be_confirmed() {
        assert_eq!(standing(1, 1), Standing::Applies);
        assert_eq!(standing(1, 2), Standing::MustConfirm);
    }

    #[test]
    fn a_manual_line_beside_automatic_licenses_names_its_license() {
        assert_eq!(check_manual_line(5, false, false), Ok(()));
        assert_eq!(check_manual_line(5, true, false), Err(ManualRefusal::LicenseMissing));
        assert_eq!(check_manual_line(5, true, true), Ok(()));
        assert_eq!(check_manual_line(MAX_COUNT + 1, false, false), Err(ManualRefusal::CountTooLarge));
    }
}

//! Revisions of a report: what replaces what, and what contests what (protocol, X4).

use crate::chain::Digest;

/// How many documents that conflict with the one held are kept beside it.
pub const MAX_CONFLICTS: u32 = 7;

/// The revision held for an installation and period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldRevision {
    /// Its number.
    pub revision: u32,
    /// `H` of it.
    pub hash: Digest,
}

/// The revision that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrivedRevision {
    /// Its number, from 1.
    pub revision: u32,
    /// `H` of it.
    pub hash: Digest,
    /// `H` of the revision it says it replaces.
    pub replaces: Option<Digest>,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevisionDecision {
    /// It is the one held: the receipt of then.
    Repeat,
    /// It counts from now on; a contest is settled.
    Take,
    /// It is older than the one held: kept as evidence, replaces nothing.
    Older,
    /// Two different documents claim one place: the line is contested.
    Conflict,
    /// As a conflict, and too many are kept already: refused.
    TooManyConflicts,
}

/// Revision = highest held + 1, naming the hash of the one before; a lower one never replaces (X4).
///
/// With nothing held any revision is taken: after a restore the server may meet a later one first.
pub fn decide(held: Option<HeldRevision>, conflicts_kept: u32, arrived: ArrivedRevision) -> RevisionDecision {
    let Some(held) = held else { return RevisionDecision::Take };
    if arrived.hash == held.hash {
        return RevisionDecision::Repeat;
    }
    if arrived.revision < held.revision {
        return RevisionDecision::Older;
    }
    let follows = held.revision.checked_add(1) == Some(arrived.revision) && arrived.replaces == Some(held.hash);
    if follows {
        RevisionDecision::Take
    } else if conflicts_kept < MAX_CONFLICTS {
        RevisionDecision::Conflict
    } else {
        RevisionDecision::TooManyConflicts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn higher_replaces_only_with_the_right_link() {
        let held = Some(HeldRevision { revision: 2, hash: [2; 32] });
        let arrived = |revision, hash: u8, replaces: Option<u8>| ArrivedRevision {
            revision,
            hash: [hash; 32],
            replaces: replaces.map(|n| [n; 32]),
        };
        assert_eq!(decide(None, 0, arrived(1, 1, None)), RevisionDecision::Take);
        assert_eq!(decide(None, 0, arrived(3, 3, Some(2))), RevisionDecision::Take);
        assert_eq!(decide(held, 0, arrived(2, 2, Some(1))), RevisionDecision::Repeat);
        assert_eq!(decide(held, 0, arrived(3, 3, Some(2))), RevisionDecision::Take);
        assert_eq!(decide(held, 0, arrived(1, 1, None)), RevisionDecision::Older);
        assert_eq!(decide(held, 0, arrived(2, 9, Some(1))), RevisionDecision::Conflict, "other bytes, same revision");
        assert_eq!(decide(held, 0, arrived(3, 3, Some(9))), RevisionDecision::Conflict, "follows another one");
        assert_eq!(decide(held, 0, arrived(4, 4, Some(2))), RevisionDecision::Conflict, "leaves one out");
        assert_eq!(decide(held, 7, arrived(2, 9, Some(1))), RevisionDecision::TooManyConflicts);
    }
}

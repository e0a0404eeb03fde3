//! Which installations a period waits for, and how each stands ("The monthly cycle").

use serde::{Deserialize, Serialize};

use crate::{
    Period, Policy, Stage, Timestamp,
    deadline::{auto_send_over_at, provider_deadline},
};

/// From when to when an installation was active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// When it activated its license.
    pub activated_at: Timestamp,
    /// When it was retired or replaced, or its license was revoked.
    pub ended_at: Option<Timestamp>,
}

impl Life {
    /// Whether it is expected in a period: active at any instant of it, not retired before it ("The monthly cycle"). One
    /// that ended exactly on the 1st 00:00:00 was not active in that month any more.
    pub fn is_expected(&self, period: Period) -> bool {
        self.activated_at < period.end() && self.ended_at.is_none_or(|ended| ended > period.start())
    }
    /// Whether it is active at an instant.
    pub fn is_active(&self, at: Timestamp) -> bool {
        self.activated_at <= at && self.ended_at.is_none_or(|ended| at < ended)
    }
}

/// What is known of an expected installation in a period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PresenceFacts {
    /// The stage of the newest report held.
    pub report: Option<Stage>,
    /// A person answered for it.
    pub answered: bool,
    /// Another installation or license reports the whole period instead.
    pub replaced: bool,
    /// Two machines speak as this installation.
    pub clone: bool,
    /// Its product reports by hand.
    pub by_hand: bool,
}

/// How an expected installation stands in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Its own final report is there.
    Reported,
    /// A preliminary report fills the month; it may still change.
    Preliminary,
    /// A person answered.
    Answered,
    /// It reports elsewhere: `replaced`, 0.
    Replaced,
    /// Its report may still come.
    Awaited,
    /// Nothing came; a person answers it, zero said in one click. Never zero by itself.
    Missing,
    /// It is not counted; a person answers it.
    Clone,
}

impl Presence {
    /// Whether submission has to wait for it.
    pub const fn blocks_submission(self) -> bool {
        matches!(self, Self::Awaited | Self::Missing | Self::Clone)
    }
    /// Whether it is accounted for: its own final report, an answer, or a report elsewhere ("Validity"). A preliminary
    /// report is not; the submission that takes it makes it so.
    pub const fn is_accounted(self) -> bool {
        matches!(self, Self::Reported | Self::Answered | Self::Replaced)
    }
}

/// Until when a report is awaited: the end of `auto_send_day`; by hand, of the deadline ("The monthly cycle").
pub fn awaited_until(period: Period, by_hand: bool, policy: &Policy) -> Timestamp {
    if by_hand { provider_deadline(period, true, policy) } else { auto_send_over_at(period, policy) }
}

/// How an expected installation stands ("The monthly cycle").
///
/// Two choices where the program is silent. What a product sent as preliminary becomes final by itself at the end of
/// `auto_send_day`, also when the product cannot say so any more. And a report that arrives after a person answered takes
/// the answer's place, because the answer only stood for it; a clone's report never does.
pub fn presence(facts: &PresenceFacts, period: Period, now: Timestamp, policy: &Policy) -> Presence {
    match facts {
        PresenceFacts { replaced: true, .. } => Presence::Replaced,
        PresenceFacts { clone: true, answered: true, .. } => Presence::Answered,
        PresenceFacts { clone: true, .. } => Presence::Clone,
        PresenceFacts { report: Some(Stage::Final), .. } => Presence::Reported,
        PresenceFacts { report: Some(Stage::Preliminary), .. } if now >= auto_send_over_at(period, policy) => {
            Presence::Reported
        }
        PresenceFacts { report: Some(Stage::Preliminary), .. } => Presence::Preliminary,
        PresenceFacts { answered: true, .. } => Presence::Answered,
        PresenceFacts { by_hand, .. } if now < awaited_until(period, *by_hand, policy) => Presence::Awaited,
        _ => Presence::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }
    fn march() -> Period {
        "2026-03".parse().expect("a period")
    }

    #[test]
    fn expected_when_active_at_any_instant() {
        let expected = |activated: &str, ended: Option<&str>| {
            Life { activated_at: at(activated), ended_at: ended.map(at) }.is_expected(march())
        };
        assert!(expected("2026-03-31T23:59:59.999999Z", None));
        assert!(!expected("2026-04-01T00:00:00Z", None));
        assert!(expected("2025-01-01T00:00:00Z", None));
        assert!(expected("2025-01-01T00:00:00Z", Some("2026-03-01T00:00:00.000001Z")), "retired within it");
        assert!(!expected("2025-01-01T00:00:00Z", Some("2026-03-01T00:00:00Z")), "retired before it");
        assert!(expected("2026-03-05T00:00:00Z", Some("2026-03-06T00:00:00Z")));
    }

    #[test]
    fn awaited_then_missing_never_zero() {
        let policy = Policy::default();
        let now = |facts: PresenceFacts, text: &str| presence(&facts, march(), at(text), &policy);
        let silent = PresenceFacts::default();
        assert_eq!(now(silent, "2026-04-03T23:59:59.999999Z"), Presence::Awaited);
        assert_eq!(now(silent, "2026-04-04T00:00:00Z"), Presence::Missing);
        let by_hand = PresenceFacts { by_hand: true, ..silent };
        assert_eq!(now(by_hand, "2026-04-10T23:59:59Z"), Presence::Awaited);
        assert_eq!(now(by_hand, "2026-04-11T00:00:00Z"), Presence::Missing);
        assert_eq!(now(PresenceFacts { answered: true, ..silent }, "2026-04-11T00:00:00Z"), Presence::Answered);
        assert!(Presence::Missing.blocks_submission() && !Presence::Missing.is_accounted());
    }

    #[test]
    fn preliminary_becomes_final_by_itself() {
        let policy = Policy::default();
        let facts = PresenceFacts { report: Some(Stage::Preliminary), ..PresenceFacts::default() };
        assert_eq!(presence(&facts, march(), at("2026-04-03T12:00:00Z"), &policy), Presence::Preliminary);
        assert_eq!(presence(&facts, march(), at("2026-04-04T00:00:00Z"), &policy), Presence::Reported);
        assert!(!Presence::Preliminary.is_accounted() && !Presence::Preliminary.blocks_submission());
    }

    #[test]
    fn clones_are_answered_and_reports_replace_answers() {
        let policy = Policy::default();
        let now = |facts| presence(&facts, march(), at("2026-04-02T12:00:00Z"), &policy);
        let report = PresenceFacts { report: Some(Stage::Final), ..PresenceFacts::default() };
        assert_eq!(now(PresenceFacts { clone: true, ..report }), Presence::Clone);
        assert_eq!(now(PresenceFacts { clone: true, answered: true, ..report }), Presence::Answered);
        assert_eq!(now(PresenceFacts { answered: true, ..report }), Presence::Reported);
        assert_eq!(now(PresenceFacts { replaced: true, clone: true, ..report }), Presence::Replaced);
    }
}

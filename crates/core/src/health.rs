//! What is wrong with an installation, in the order in which it matters, each with a cause and what to do.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Period, Policy, Timestamp,
    chain::{recent, rejoins_need_a_person},
    deadline::auto_send_over_at,
    validity::{LicenseState, state_at},
};

/// An installation that is not heard for so long is listed as silent when somebody asks for those.
pub const SILENT_HOURS: i64 = 48;
/// Clocks apart by more than this are worth a word, in seconds.
const SKEW_SECS: i64 = 300;

/// What is known of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthFacts {
    /// When it was activated.
    pub activated: Timestamp,
    /// It was retired, replaced or voided.
    pub retired: bool,
    /// Its license was revoked or deleted.
    pub license_ended: bool,
    /// Two machines speak as it.
    pub clone: bool,
    /// Another installation took over one side of the clone; the other has not spoken since.
    pub split: bool,
    /// When it was last heard from.
    pub seen: Timestamp,
    /// Product clock minus server clock, seconds.
    pub skew_secs: i64,
    /// When it rejoined its chain recently.
    pub rejoined: Vec<Timestamp>,
    /// When it spoke from a host again that it had left before.
    pub host_returns: Vec<Timestamp>,
    /// It shows the newest license issued to it.
    pub is_current: bool,
    /// It installs new licenses by itself.
    pub updates_itself: bool,
    /// Its own reports are expected: the license reports by itself, or its shadow month runs.
    pub reports: bool,
    /// The newest month it reported.
    pub last_report: Option<Period>,
    /// The end of the newest license issued to it.
    pub expires: Timestamp,
    /// Active installations on its license, itself included.
    pub sharing: u32,
}

/// Something to look at. The text is the cause; [`Trouble::fix`] says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "trouble", rename_all = "snake_case")]
pub enum Trouble {
    /// Two machines speak as one.
    Clone,
    /// One side of a clone became a server of its own; the other has not spoken since.
    CloneSplit,
    /// It came back from an earlier state so often that a person should look (C13).
    RejoinsOften {
        /// How often in the window.
        times: u32,
    },
    /// It speaks now from one host, now from another: perhaps two machines share one journal (C14).
    HostAlternates {
        /// How often it came back to a host within the window.
        times: u32,
    },
    /// Its license was revoked or deleted.
    LicenseEnded,
    /// Its license is past its end.
    Expired,
    /// The month that ended is not reported, and its time is over.
    ReportMissing {
        /// The month.
        period: Period,
    },
    /// The month that ended is not reported, and nothing was heard since.
    WillMissReport {
        /// The month.
        period: Period,
    },
    /// Not heard longer than the longest wait between two check-ins.
    Silent {
        /// Whole days.
        days: u32,
    },
    /// A newer license waits and it does not install by itself.
    NotUpdating,
    /// The clocks differ.
    ClockSkew {
        /// By so many minutes, ahead where positive.
        minutes: i64,
    },
    /// Several installations hold its license; their figures are summed.
    Shared {
        /// How many.
        installations: u32,
    },
}

impl Trouble {
    /// One line that a person can follow.
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::Clone => {
                "Look at both hosts: if it is one machine, say so; if there are two, re-identify one of them with a code."
            }
            Self::CloneSplit => "Nothing to do: it clears when the other machine checks in.",
            Self::RejoinsOften { .. } => {
                "Ask why the machine is set back so often; if snapshots are restored by a job, exclude the agent's journal."
            }
            Self::HostAlternates { .. } => {
                "Look whether two machines use one agent directory on a share; if so, give each its own and re-identify one of them with a code."
            }
            Self::LicenseEnded => "Assign a license and activate the server with a new code, or retire it.",
            Self::Expired => {
                "Account for the missing month, or check that the server reaches the license update server."
            }
            Self::ReportMissing { .. } => "Answer for it in the month's review; zero is an answer.",
            Self::WillMissReport { .. } => "Start the server or its agent now, or answer for it in the month's review.",
            Self::Silent { .. } => "Run `tenure agent doctor` on the server; retire it if it is gone.",
            Self::NotUpdating => "Press Update now, or turn automatic update on at the server.",
            Self::ClockSkew { .. } => "Set the server's clock; time synchronization is probably off.",
            Self::Shared { .. } => "Give each server a license of its own if they serve different customers.",
        }
    }

    /// Whether it is only worth knowing.
    pub const fn is_note(&self) -> bool {
        matches!(self, Self::CloneSplit | Self::ClockSkew { .. } | Self::Shared { .. })
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clone => f.write_str("two machines speak as this server; its reports are kept and not counted"),
            Self::CloneSplit => f.write_str("one of two machines became a server of its own; the other is awaited"),
            Self::RejoinsOften { times } => {
                write!(f, "it came back from an earlier state {times} times within a month")
            }
            Self::HostAlternates { times } => {
                write!(f, "it speaks from different hosts in turn; {times} times within a month it came back to one")
            }
            Self::LicenseEnded => f.write_str("its license was revoked; what it used until then is still owed"),
            Self::Expired => f.write_str("the license it holds has expired"),
            Self::ReportMissing { period } => write!(f, "its report of {period} did not come"),
            Self::WillMissReport { period } => {
                write!(f, "its report of {period} is due and it was not heard since the month ended")
            }
            Self::Silent { days } => write!(f, "it was not heard for {days} days"),
            Self::NotUpdating => f.write_str("a newer license waits, and it does not install by itself"),
            Self::ClockSkew { minutes } if *minutes > 0 => write!(f, "its clock is {minutes} minutes ahead"),
            Self::ClockSkew { minutes } => write!(f, "its clock is {} minutes behind", minutes.unsigned_abs()),
            Self::Shared { installations } => write!(f, "{installations} servers share its license and are summed"),
        }
    }
}

/// Everything wrong with an installation, the worst first. A retired one has nothing.
pub fn troubles(facts: &HealthFacts, now: Timestamp, policy: &Policy) -> Vec<Trouble> {
    if facts.retired {
        return Vec::new();
    }
    let mut found = Vec::new();
    if facts.clone {
        found.push(if facts.split { Trouble::CloneSplit } else { Trouble::Clone });
    }
    if rejoins_need_a_person(&facts.rejoined, now, policy) {
        found.push(Trouble::RejoinsOften { times: facts.rejoined.len() as u32 });
    }
    let returns = recent(&facts.host_returns, now, policy);
    if returns > policy.host_returns_unflagged as usize {
        found.push(Trouble::HostAlternates { times: returns as u32 });
    }
    if facts.license_ended {
        found.push(Trouble::LicenseEnded);
        return found;
    }
    let state = state_at(now, facts.expires, policy.grace_days, policy);
    if matches!(state, LicenseState::Expired { .. } | LicenseState::Restricted) {
        found.push(Trouble::Expired);
    }
    found.extend(report(facts, now, policy));
    let days = now.micros_since(facts.seen) / 86_400_000_000;
    if days > i64::from(policy.wait_max_days) {
        found.push(Trouble::Silent { days: days as u32 });
    }
    if !facts.is_current && !facts.updates_itself {
        found.push(Trouble::NotUpdating);
    }
    if facts.skew_secs.abs() > SKEW_SECS {
        found.push(Trouble::ClockSkew { minutes: facts.skew_secs / 60 });
    }
    if facts.sharing > 1 {
        found.push(Trouble::Shared { installations: facts.sharing });
    }
    found
}

/// What became of the report of the month that ended last.
fn report(facts: &HealthFacts, now: Timestamp, policy: &Policy) -> Option<Trouble> {
    let period = Period::of(now).prev();
    let due = facts.reports && facts.activated < period.end() && facts.last_report.is_none_or(|last| last < period);
    if !due {
        return None;
    }
    if now >= auto_send_over_at(period, policy) {
        return Some(Trouble::ReportMissing { period });
    }
    (facts.seen < period.end()).then_some(Trouble::WillMissReport { period })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn healthy() -> HealthFacts {
        HealthFacts {
            activated: at("2026-01-05T00:00:00Z"),
            retired: false,
            license_ended: false,
            clone: false,
            split: false,
            seen: at("2026-03-02T00:00:00Z"),
            skew_secs: 2,
            rejoined: Vec::new(),
            host_returns: Vec::new(),
            is_current: true,
            updates_itself: true,
            reports: true,
            last_report: Some("2026-02".parse().expect("a period")),
            expires: at("2026-05-15T00:00:00Z"),
            sharing: 1,
        }
    }

    fn of(facts: &HealthFacts, now: &str) -> Vec<Trouble> {
        troubles(facts, at(now), &Policy::default())
    }

    #[test]
    fn a_healthy_server_has_none_and_a_retired_one_neither() {
        assert_eq!(of(&healthy(), "2026-03-04T00:00:00Z"), []);
        let gone = HealthFacts { retired: true, clone: true, ..healthy() };
        assert_eq!(of(&gone, "2026-12-04T00:00:00Z"), []);
    }

    #[test]
    fn a_report_is_about_to_be_missed_and_then_missing() {
        let period: Period = "2026-02".parse().expect("a period");
        let silent = HealthFacts { last_report: None, seen: at("2026-02-27T00:00:00Z"), ..healthy() };
        assert_eq!(of(&silent, "2026-03-02T00:00:00Z"), [Trouble::WillMissReport { period }]);
        assert_eq!(of(&silent, "2026-03-04T00:00:00Z"), [Trouble::ReportMissing { period }]);
        let heard = HealthFacts { seen: at("2026-03-01T00:00:00Z"), ..silent.clone() };
        assert_eq!(of(&heard, "2026-03-02T00:00:00Z"), [], "it may still come");
        let by_hand = HealthFacts { reports: false, ..silent.clone() };
        assert_eq!(of(&by_hand, "2026-03-04T00:00:00Z"), []);
        let younger = HealthFacts { activated: at("2026-03-01T00:00:00Z"), ..silent };
        assert_eq!(of(&younger, "2026-03-04T00:00:00Z"), []);
    }

    #[test]
    fn the_worst_comes_first_and_each_says_what_to_do() {
        let all = HealthFacts {
            clone: true,
            seen: at("2026-02-01T00:00:00Z"),
            skew_secs: -3_600,
            rejoined: ["2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", "2026-03-03T01:00:00Z"]
                .map(at)
                .to_vec(),
            host_returns: ["2026-02-03T00:00:00Z", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"].map(at).to_vec(),
            is_current: false,
            updates_itself: false,
            last_report: None,
            expires: at("2026-03-01T00:00:00Z"),
            sharing: 2,
            ..healthy()
        };
        let found = of(&all, "2026-03-05T00:00:00Z");
        assert_eq!(found.first(), Some(&Trouble::Clone));
        let words: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(words.contains(&"it was not heard for 32 days".to_owned()), "{words:?}");
        assert!(words.contains(&"its clock is 60 minutes behind".to_owned()), "{words:?}");
        assert_eq!(found.len(), 9);
        assert!(found.iter().all(|trouble| trouble.fix().ends_with('.')));
        let ended = HealthFacts { license_ended: true, ..all };
        assert_eq!(of(&ended, "2026-03-05T00:00:00Z").last(), Some(&Trouble::LicenseEnded));
        let split = HealthFacts { clone: true, split: true, ..healthy() };
        let found = of(&split, "2026-03-04T00:00:00Z");
        assert!(found == [Trouble::CloneSplit] && found[0].is_note());
    }
}

//! Asking the collectors, and counting the days they can tell of ("Counting").

use tenure_core::{Day, Timestamp};

use super::LicenseKeeper;
use crate::{
    collect::{CollectError, Sighting},
    error::AgentError,
    record::{CollectFailure, Record},
};

/// How long until a failed collection is tried again.
const RETRY_SECS: i64 = 3600;
/// How far before the last collection a collector is asked again, for what came late.
const OVERLAP_DAYS: i64 = 2;

/// Which days are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Days {
    /// Those whose minute has come.
    OnTime,
    /// All that have ended.
    AllThatEnded,
}

impl LicenseKeeper {
    /// Asks all collectors and counts the days that they can tell of.
    pub(super) fn collect(&mut self, now: Timestamp, days: Days) -> Result<(), AgentError> {
        let since = self.state.ledger.collected_at.map_or(Timestamp::EPOCH, |at| at.plus_days(-OVERLAP_DAYS));
        let (mut sightings, mut failed) = (Vec::new(), None);
        for collector in &mut self.collectors {
            match collector.collect(since, now) {
                Ok(seen) => sightings.extend(seen),
                Err(error) => {
                    failed = Some(format!("{}: {error}", collector.name()));
                    // Good rows beside bad ones are observations too.
                    if let CollectError::BadRows { good, .. } = error {
                        sightings.extend(good);
                    }
                }
            }
        }
        self.take_sightings(sightings, now)?;
        match failed {
            None => {
                self.commit(vec![Record::Collected { at: now }])?;
                self.count_days(now, days)
            }
            Some(sentence) => self.collection_failed(sentence, now),
        }
    }

    fn take_sightings(&mut self, sightings: Vec<Sighting>, now: Timestamp) -> Result<(), AgentError> {
        let news = self.state.ledger.news(sightings, now);
        if news.is_empty() { Ok(()) } else { self.commit(vec![Record::Observed { sightings: news }]) }
    }

    /// Counts the days that are due, oldest first, each once.
    fn count_days(&mut self, now: Timestamp, days: Days) -> Result<(), AgentError> {
        let all_look_back = self.collectors.iter().all(|collector| collector.looks_back());
        let Some(ins) = self.state.joined.as_ref().map(|joined| joined.ins) else { return Ok(()) };
        loop {
            let next = self.view().next_day().filter(|day| match days {
                Days::OnTime => self.view().count_at(*day) <= now,
                Days::AllThatEnded => day.end() <= now,
            });
            let Some(day) = next else { return Ok(()) };
            let record = if all_look_back || now < day.plus(1).end() {
                Record::DayCounted { day: self.state.ledger.count(day, ins, &self.settings.policy) }
            } else {
                // Collectors that cannot look back tell of today; how it stood then, nobody knows.
                Record::DaysMissed { through: Day::of(now).plus(-2) }
            };
            self.commit(vec![record])?;
        }
    }

    fn collection_failed(&mut self, sentence: String, now: Timestamp) -> Result<(), AgentError> {
        tracing::warn!(error = %sentence, "cannot count");
        let since = self.state.collect_failure.as_ref().map_or(now, |failure| failure.since);
        let retry_at = now.plus_secs(RETRY_SECS);
        let mut records = vec![Record::CollectFailed { failure: CollectFailure { since, sentence, retry_at } }];
        // Days that a collector without memory can tell nothing of any more need not be waited for.
        let memoryless = self.collectors.iter().any(|collector| !collector.looks_back());
        let lost = Day::of(now).plus(-2);
        if memoryless && self.view().next_day().is_some_and(|day| day <= lost) {
            records.push(Record::DaysMissed { through: lost });
        }
        self.commit(records)
    }
}

//! When the agent does what ("The monthly cycle", "License update", "Counting").

use tenure_core::{Day, Period, Timestamp, Week};
use tenure_license::ReportStage;

use super::View;
use crate::record::CollectFailure;

/// A day is counted within this many minutes after its end.
const COUNT_WITHIN_MINUTES: i64 = 60;
/// A report becomes final within this many hours from the beginning of its day.
const FINAL_WITHIN_HOURS: i64 = 12;
/// A month's last days are given up when collectors failed at least this long.
const GIVE_UP_AFTER_SECS: i64 = 24 * 3600;

const COUNT: u64 = 1;
const WATERMARK: u64 = 2;
const PRELIMINARY: u64 = 3;
const FINAL: u64 = 4;

/// What comes next, and when. An instant in the past is due now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Speak with the server.
    pub(crate) contact: Option<Timestamp>,
    /// Ask the collectors and count.
    pub(crate) collect: Option<Timestamp>,
    /// Make a document.
    pub(crate) document: Option<(Timestamp, Make)>,
    /// Forget old things.
    pub(crate) prune: Option<Timestamp>,
}

/// A document to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Make {
    /// The watermark of a completed week.
    Watermark(Week),
    /// A period's report.
    Report(Period, ReportStage),
}

impl Plan {
    /// The earliest of all.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        [self.contact, self.collect, self.document.map(|(at, _)| at), self.prune].into_iter().flatten().min()
    }
}

impl View<'_> {
    /// What comes next.
    pub(crate) fn plan(&self) -> Plan {
        if self.state.joined.is_none() {
            let asking = self.state.activation_request.is_some();
            return Plan { contact: asking.then(|| self.not_before_retry(Timestamp::EPOCH)), ..Plan::default() };
        }
        let (collect, document) = (self.next_collect(), self.next_document());
        Plan { contact: self.next_contact(), collect, document, prune: self.next_prune() }
    }

    fn next_contact(&self) -> Option<Timestamp> {
        let contact = &self.state.contact;
        let at_once = contact.follow_up || !self.state.chain.unanswered.is_empty() || !self.time_is_proven();
        let check_in = contact.next_check_in.filter(|_| self.updates_itself());
        let wanted = [at_once.then_some(Timestamp::EPOCH), self.state.documents.due(), check_in];
        wanted.into_iter().flatten().min().map(|wanted| self.not_before_retry(wanted))
    }

    /// After a failure nothing is tried before its time, unless the machine was started anew and needs to know the time.
    fn not_before_retry(&self, wanted: Timestamp) -> Timestamp {
        let contact = &self.state.contact;
        let of_this_boot = contact.failure.as_ref().is_some_and(|failure| failure.boot == self.boot.id);
        match contact.retry_at {
            Some(retry_at) if of_this_boot || self.time_is_proven() => wanted.max(retry_at),
            _ => wanted,
        }
    }

    /// The next day that is neither counted nor given up.
    pub(crate) fn next_day(&self) -> Option<Day> {
        let first = self.first_day()?;
        Some(self.state.ledger.done_through.map_or(first, |done| done.plus(1).max(first)))
    }

    /// When a day is counted: at a random minute after its end.
    pub(crate) fn count_at(&self, day: Day) -> Timestamp {
        day.end().plus_secs(60 * (1 + self.drawn(COUNT, day.number(), COUNT_WITHIN_MINUTES)))
    }

    fn next_collect(&self) -> Option<Timestamp> {
        let at = self.next_day().filter(|_| self.collects).map(|day| self.count_at(day))?;
        Some(self.state.collect_failure.as_ref().map_or(at, |failure| at.max(failure.retry_at)))
    }

    /// The next week whose watermark is to be made.
    pub(crate) fn next_week(&self) -> Option<Week> {
        let first = Week::of(self.first_day()?);
        Some(self.state.ledger.weeks_through.map_or(first, |through| through.next().max(first)))
    }

    /// Whether all days of a week that can be counted have been.
    pub(crate) fn week_is_done(&self, week: Week) -> bool {
        self.state.ledger.done_through.is_some_and(|done| done >= week.first().plus(6))
    }

    fn next_document(&self) -> Option<(Timestamp, Make)> {
        let watermark = self.next_week().filter(|week| self.week_is_done(*week)).map(|week| {
            let width = i64::from(self.policy.watermark_window_days) * 86_400;
            let at = week.end().plus_secs(self.drawn(WATERMARK, week.first().number(), width));
            (at, Make::Watermark(week))
        });
        let report = self.ended_periods().filter_map(|period| self.next_report(period)).min_by_key(|(at, _)| *at);
        // The running month's report, so that the agent sleeps no longer than until then.
        let upcoming = self.state.reporting_since.map(|_| {
            let running = Period::of(self.now.at);
            (self.preliminary_at(running), Make::Report(running, ReportStage::Preliminary))
        });
        [watermark, report, upcoming].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// When a period's preliminary report goes out: in the server's window, else in the program's.
    pub(crate) fn preliminary_at(&self, period: Period) -> Timestamp {
        match self.state.contact.report_at {
            Some((of, at)) if of == period => at,
            _ => {
                let width = i64::from(self.policy.report_window_hours) * 3600;
                period.end().plus_secs(self.drawn(PRELIMINARY, period.index(), width))
            }
        }
    }

    /// When a period's report becomes final by itself: on `auto_send_day`.
    pub(crate) fn final_at(&self, period: Period) -> Timestamp {
        let day = period.end().plus_days(i64::from(self.policy.auto_send_day) - 1);
        day.plus_secs(self.drawn(FINAL, period.index(), FINAL_WITHIN_HOURS * 3600))
    }

    /// The next report of a period that has ended, and when.
    fn next_report(&self, period: Period) -> Option<(Timestamp, Make)> {
        let made = self.state.documents.report(period);
        if made.is_some_and(|report| report.stage == ReportStage::Final) || !self.state.ledger.observed(period) {
            return None;
        }
        let final_at = self.final_at(period);
        let counted = self.days_are_done(period);
        let failing = self.state.collect_failure.as_ref();
        if made.is_none() && self.now.at < final_at {
            // While collectors fail, people still see what there is; otherwise the last day is worth an hour's wait.
            let at = self.preliminary_at(period);
            return (counted || failing.is_some()).then_some((at, Make::Report(period, ReportStage::Preliminary)));
        }
        let make = Make::Report(period, ReportStage::Final);
        match failing {
            _ if counted => Some((final_at, make)),
            Some(failure) => Some((self.give_up_at(period, failure), make)),
            None => None,
        }
    }

    /// Whether every day of a period was counted or cannot be any more.
    pub(crate) fn days_are_done(&self, period: Period) -> bool {
        self.state.ledger.done_through.is_some_and(|done| done >= period.next().first_day().plus(-1))
    }

    /// When a report becomes final without days that no collector can tell: late on `auto_send_day`, and not before the
    /// collectors had a day's time.
    fn give_up_at(&self, period: Period, failure: &CollectFailure) -> Timestamp {
        let last_hour = period.deadline(self.policy.auto_send_day).plus_secs(-3600);
        last_hour.max(failure.since.plus_secs(GIVE_UP_AFTER_SECS))
    }

    /// How many months back anything is remembered. One more than is looked back, since newness is judged from the middle
    /// of a month.
    fn memory_months(&self) -> i32 {
        self.policy.new_memory_months.max(self.policy.keep_daily_months) as i32 + 1
    }

    fn next_prune(&self) -> Option<Timestamp> {
        let joined = self.state.joined.as_ref()?.at.plus_months(-self.memory_months());
        let pruned = self.state.pruned_at.unwrap_or(joined);
        Some(Period::of(pruned).next().start().plus_months(self.memory_months()))
    }

    /// What is still needed: instants from here on, and memory from here on.
    pub(crate) fn prune_limits(&self) -> (Timestamp, Timestamp) {
        let unfinished = self.ended_periods().find(|period| !self.state.documents.finished(*period));
        let needed = unfinished.unwrap_or(Period::of(self.now.at)).prev();
        let instants = needed.start().plus_days(-1 - i64::from(self.policy.count_window_days));
        (instants, self.now.at.plus_months(-self.memory_months()))
    }
}

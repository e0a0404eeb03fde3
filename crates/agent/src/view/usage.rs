//! What was used, for people and pages.

use serde::Serialize;
use tenure_core::{Day, Period, counting::daily_high};
use tenure_license::ReportLine;

use super::View;

/// The counts of one month so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MonthUsage {
    /// The month.
    pub period: Period,
    /// The newest counted day of it.
    pub counted_through: Option<Day>,
    /// Days of it that were counted.
    pub observed_days: u32,
    /// Per workload type and variant.
    pub lines: Vec<UsageLine>,
}

/// The counts of one workload type and variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsageLine {
    /// Workload type code.
    pub workload: String,
    /// Variant code.
    pub variant: String,
    /// Units licensed; none when the license does not list it.
    pub licensed: Option<u32>,
    /// The daily high so far, new ones not included.
    pub high: u32,
    /// Different workloads that are new this month.
    pub new: u32,
    /// The newest counted day's figure.
    pub latest: Option<u32>,
    /// Each day's figure, first day first.
    pub daily: Vec<Option<u32>>,
}

impl View<'_> {
    /// The counts of a month.
    pub(crate) fn usage(&self, period: Period) -> MonthUsage {
        let heads = self.state.ledger.heads(period);
        let lines = self.state.ledger.lines(period, self.policy);
        MonthUsage {
            period,
            counted_through: heads.last().map(|head| head.day),
            observed_days: heads.len() as u32,
            lines: lines.into_iter().map(|line| self.usage_line(line)).collect(),
        }
    }

    fn usage_line(&self, line: ReportLine) -> UsageLine {
        let listed = self.state.license.as_ref().and_then(|held| {
            held.license.workloads.iter().find(|one| (&one.workload, &one.variant) == (&line.workload, &line.variant))
        });
        UsageLine {
            licensed: listed.map(|listed| listed.count),
            high: daily_high(&line.daily).unwrap_or(0),
            new: line.new,
            latest: line.daily.iter().copied().flatten().next_back(),
            workload: line.workload,
            variant: line.variant,
            daily: line.daily,
        }
    }
}

//! A month's figures as they would be reported now, and the workloads behind them.

use serde::Serialize;
use tenure_core::{Period, Timestamp, month::Counted as CoreCounted};
use tenure_license::{Counted, ReportAdjustment, ReportLine, ReportStage, WorkloadRow};

use super::View;
use crate::record::Adjustment;

/// A month's report as people see it before and after it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportView {
    /// The month.
    pub period: Period,
    /// Newest revision made; 0 before the first.
    pub revision: u32,
    /// Preliminary or final; none before the first revision.
    pub stage: Option<ReportStage>,
    /// When it becomes final by itself.
    pub final_at: Timestamp,
    /// A person put the question off until then.
    pub postponed_until: Option<Timestamp>,
    /// When the server received the newest revision.
    pub received_at: Option<Timestamp>,
    /// Days of the month that were counted.
    pub observed_days: u32,
    /// The figures as they would be sent now.
    pub lines: Vec<ReportLine>,
    /// The workloads behind them, with their real ids.
    pub workloads: Vec<WorkloadRow>,
}

/// The figures of a month and the workloads behind them.
pub(crate) struct Figures {
    pub(crate) lines: Vec<ReportLine>,
    pub(crate) rows: Vec<WorkloadRow>,
}

impl View<'_> {
    /// The month as a person sees it.
    pub(crate) fn report(&self, period: Period) -> ReportView {
        let made = self.state.documents.report(period);
        let document = made.and_then(|report| self.state.documents.get(&report.hash));
        let receipt = document.and_then(|document| document.receipt.as_ref());
        let figures = self.figures(period);
        ReportView {
            period,
            revision: made.map_or(0, |report| report.revision),
            stage: made.map(|report| report.stage),
            final_at: self.final_at(period),
            postponed_until: self.state.documents.decisions(period).and_then(|decisions| decisions.postponed_until),
            received_at: receipt.map(|receipt| Timestamp::from_secs(receipt.received_at)),
            observed_days: self.state.ledger.heads(period).len() as u32,
            lines: figures.lines,
            workloads: figures.rows,
        }
    }

    /// The figures of a month, adjusted as people decided.
    pub(crate) fn figures(&self, period: Period) -> Figures {
        let policy = self.policy;
        let mut lines = self.state.ledger.lines(period, policy);
        let adjustments = self.state.documents.decisions(period).map_or(&[][..], |decisions| &decisions.adjustments);
        let taken_out = |row: &WorkloadRow| {
            let out =
                |one: &&Adjustment| (&one.workload, &one.variant, &one.id) == (&row.workload, &row.variant, &row.id);
            adjustments.iter().find(out)
        };
        let mut rows = Vec::new();
        for counted in self.state.ledger.month(period, policy).rows {
            let mut row = WorkloadRow {
                id: counted.id,
                company: counted.company,
                workload: counted.workload,
                variant: counted.variant,
                first: counted.first.as_secs(),
                last: counted.last.as_secs(),
                counted: match counted.counted {
                    CoreCounted::Yes => Counted::Yes,
                    CoreCounted::New => Counted::New,
                    CoreCounted::Stale => Counted::Stale,
                    CoreCounted::Adjusted => Counted::Adjusted,
                },
            };
            if let Some(adjustment) = taken_out(&row).filter(|_| row.counted == Counted::Yes)
                && take_out(&mut lines, adjustment)
            {
                row.counted = Counted::Adjusted;
            }
            rows.push(row);
        }
        Figures { lines, rows }
    }
}

/// Lowers a line by one unit for a reason. Says whether there was anything to lower.
fn take_out(lines: &mut [ReportLine], adjustment: &Adjustment) -> bool {
    let of_kind = |line: &&mut ReportLine| {
        line.workload == adjustment.workload && line.variant == adjustment.variant && line.count > 0
    };
    let Some(line) = lines.iter_mut().find(of_kind) else { return false };
    line.count -= 1;
    let same = |told: &&mut ReportAdjustment| told.reason == adjustment.reason && told.note == adjustment.note;
    match line.adjustments.iter_mut().find(same) {
        Some(told) => told.units += 1,
        None => line.adjustments.push(ReportAdjustment {
            units: 1,
            reason: adjustment.reason.clone(),
            note: adjustment.note.clone(),
        }),
    }
    true
}

//! Watermarks, reports and the evidence behind them ("The monthly cycle").

use std::collections::BTreeSet;

use tenure_core::{Day, Period, Timestamp, Week, WorkloadDetail};
use tenure_license::{
    Counted, EvidenceRef, Hash, ReportStage, UsageReport, Watermark, WorkloadEvidence, WorkloadRow, decode_payload,
    evidence_root, sign,
};

use super::{LicenseKeeper, count::Days};
use crate::{
    documents::Subject,
    error::AgentError,
    record::{Adjustment, Record},
    view::ReportView,
};

/// Rows of one evidence document stay below this, so that its payload stays below its bound.
const MAX_EVIDENCE_BYTES: usize = 400 * 1024;
/// The longest reason code and sentence of an adjustment, in characters, and how many different ones a report carries: it
/// must stay below its bound.
const MAX_REASON: usize = 64;
const MAX_NOTE: usize = 500;
const MAX_REASONS: usize = 100;

impl LicenseKeeper {
    /// Makes the watermarks of all weeks that are over and counted, so that they ride in the next request.
    pub(super) fn make_ready_watermarks(&mut self) -> Result<(), AgentError> {
        let now = self.observe();
        while let Some(week) = self.view().next_week().filter(|week| self.view().week_is_done(*week)) {
            self.make_watermark(week, now)?;
        }
        Ok(())
    }

    /// Makes the watermark of a week; a week without a counted day, or under reporting by hand, has none.
    pub(super) fn make_watermark(&mut self, week: Week, now: Timestamp) -> Result<(), AgentError> {
        let mut records = vec![Record::WeekDone { week }];
        let reported = self.state.reporting_since.is_some_and(|since| week.end() > since.start());
        let lines = self.state.ledger.week_lines(week).filter(|_| reported);
        if let (Some(lines), Some(joined), Some(license)) =
            (lines, &self.state.joined, self.state.license_at(week.end()))
        {
            let aud = self.root.payload().aud;
            let watermark = Watermark { v: 1, aud, ins: joined.ins, license, week, lines, crit: Vec::new() };
            let document = sign(&watermark, &[&self.key]).into_envelope();
            records.push(Record::DocumentMade { subject: Subject::Watermark { week }, document, at: now });
        }
        self.commit(records)
    }

    /// Makes the next revision of a period's report, final ones with their evidence.
    pub(super) fn make_report(&mut self, period: Period, stage: ReportStage, now: Timestamp) -> Result<(), AgentError> {
        let mut records = Vec::new();
        if stage == ReportStage::Final && !self.view().days_are_done(period) {
            // What no collector could tell by now is left open, as unobserved days.
            records.push(Record::DaysMissed { through: period.next().first_day().plus(-1) });
        }
        let joined = self.state.joined.as_ref().ok_or(AgentError::NotActivated)?;
        let license = self.state.license_at(period.end()).ok_or(AgentError::NotActivated)?;
        let before = self.state.documents.report(period);
        let revision = before.map_or(1, |report| report.conflict.unwrap_or(0).max(report.revision) + 1);
        let figures = self.view().figures(period);
        let detail = self.workload_detail();
        let rows = self.disclosed(figures.rows, detail);
        let parts = parts_of(&rows, self.settings.policy.evidence_rows as usize);
        let root = evidence_root(&rows);
        let named = EvidenceRef { root, rows: rows.len() as u32, parts: parts.len() as u32 };
        let evidence = (detail != WorkloadDetail::None).then_some(named);
        let (aud, ins) = (self.root.payload().aud, joined.ins);
        let report = UsageReport {
            v: 1,
            aud,
            ins,
            license,
            period,
            revision,
            replaces: before.map(|report| report.hash),
            stage,
            made_at: now.as_secs(),
            product: self.settings.product.clone(),
            lines: figures.lines,
            heads: self.state.ledger.heads(period),
            evidence: evidence.clone(),
            crit: Vec::new(),
        };
        let subject = Subject::Report { period, revision, stage };
        let document = sign(&report, &[&self.key]).into_envelope();
        records.push(Record::DocumentMade { subject, document, at: now });
        if stage == ReportStage::Final && evidence.is_some() {
            for (part, rows) in (0..).zip(parts) {
                let evidence =
                    WorkloadEvidence { v: 1, aud, ins, period, root, part, rows: rows.to_vec(), crit: Vec::new() };
                let document = sign(&evidence, &[&self.key]).into_envelope();
                records.push(Record::DocumentMade {
                    subject: Subject::Evidence { period, revision, part },
                    document,
                    at: now,
                });
            }
        }
        self.commit(records)
    }

    /// The month as a person sees it, in the running one too.
    pub fn report(&mut self, period: Period) -> ReportView {
        self.observe();
        self.view().report(period)
    }

    /// A person sends the report: it becomes final now, and leaves with the next tick.
    ///
    /// # Errors
    /// Before the period's end, without a counted day, or when the final report went out and nothing changed since.
    pub fn report_send(&mut self, period: Period) -> Result<(), AgentError> {
        let now = self.reportable(period)?;
        self.count_ended_days(period, now)?;
        if let Some(report) = self.state.documents.report(period)
            && report.stage == ReportStage::Final
        {
            let sent = self.state.documents.get(&report.hash).map(|document| &document.envelope.payload);
            let sent = sent.and_then(|payload| decode_payload::<UsageReport>(payload).ok());
            let unchanged = sent.is_some_and(|sent| sent.lines == self.view().figures(period).lines);
            if unchanged && report.conflict.is_none() {
                return Err(AgentError::AlreadyFinal(period));
            }
        }
        self.make_report(period, ReportStage::Final, now)
    }

    /// A person wants to be asked tomorrow. It puts off the question, never the report: on `auto_send_day` that becomes
    /// final by itself.
    ///
    /// # Errors
    /// As [`LicenseKeeper::report_send`], or when it would become final before tomorrow.
    pub fn report_postpone(&mut self, period: Period) -> Result<Timestamp, AgentError> {
        let now = self.reportable(period)?;
        if self.state.documents.report(period).is_some_and(|report| report.stage == ReportStage::Final) {
            return Err(AgentError::AlreadyFinal(period));
        }
        let (until, at) = (Day::of(now).end(), self.view().final_at(period));
        if until >= at {
            return Err(AgentError::TooLateToPostpone { period, at });
        }
        self.commit(vec![Record::Postponed { period, until }])?;
        Ok(until)
    }

    /// A person takes a workload out of a month's report, with a reason code and a sentence. The raw figure is reported
    /// beside the adjusted one (F4). `kind` is its type, or `type/variant`, where an id alone does not say which.
    ///
    /// # Errors
    /// Without a reason, or when the report does not count that workload, or counts several of that id.
    pub fn adjust(
        &mut self,
        period: Period,
        id: &str,
        kind: Option<&str>,
        reason: &str,
        note: &str,
    ) -> Result<(), AgentError> {
        let (reason, note) = (reason.trim(), note.trim());
        if reason.is_empty() || note.is_empty() {
            return Err(AgentError::ReasonMissing);
        }
        let usable = |text: &str, most| text.chars().count() <= most && !text.chars().any(char::is_control);
        if !usable(reason, MAX_REASON) || !usable(note, MAX_NOTE) {
            return Err(AgentError::ReasonUnusable);
        }
        let named = |row: &WorkloadRow| match row.variant.as_str() {
            "" => row.workload.clone(),
            variant => format!("{}/{variant}", row.workload),
        };
        let figures = self.view().figures(period);
        let meant = |row: &WorkloadRow| {
            row.id == id
                && row.counted == Counted::Yes
                && kind.is_none_or(|kind| kind == row.workload || kind == named(row))
        };
        let mut rows: Vec<WorkloadRow> = figures.rows.into_iter().filter(meant).collect();
        if rows.len() > 1 {
            let kinds = rows.iter().map(named).collect::<Vec<_>>().join(", ");
            return Err(AgentError::Ambiguous { period, id: id.to_owned(), kinds });
        }
        let row = rows.pop().ok_or_else(|| AgentError::NotInReport { period, id: id.to_owned() })?;
        let made = self.state.documents.decisions(period).map_or(&[][..], |decisions| &decisions.adjustments);
        let reasons: BTreeSet<(&str, &str)> = made.iter().map(|one| (one.reason.as_str(), one.note.as_str())).collect();
        if reasons.len() >= MAX_REASONS && !reasons.contains(&(reason, note)) {
            return Err(AgentError::TooManyReasons(period));
        }
        let (reason, note) = (reason.to_owned(), note.to_owned());
        let adjustment = Adjustment { workload: row.workload, variant: row.variant, id: row.id, reason, note };
        self.commit(vec![Record::Adjusted { period, adjustment }])
    }

    /// Takes all adjustments of a month back.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn reset_adjustments(&mut self, period: Period) -> Result<(), AgentError> {
        self.commit(vec![Record::AdjustmentsReset { period }])
    }

    /// The last days of a month count although their time has not come yet; a person does not wait for it.
    fn count_ended_days(&mut self, period: Period, now: Timestamp) -> Result<(), AgentError> {
        if self.view().days_are_done(period) || self.collectors.is_empty() {
            return Ok(());
        }
        self.collect(now, Days::AllThatEnded)?;
        match &self.state.collect_failure {
            Some(failure) => Err(AgentError::CountingFails(failure.sentence.clone())),
            None => Ok(()),
        }
    }

    fn reportable(&mut self, period: Period) -> Result<Timestamp, AgentError> {
        let now = self.observe();
        if self.state.joined.is_none() {
            return Err(AgentError::NotActivated);
        }
        if now < period.end() {
            return Err(AgentError::NotOver(period));
        }
        if !self.state.ledger.observed(period) {
            return Err(AgentError::NothingCounted(period));
        }
        Ok(now)
    }

    fn workload_detail(&self) -> WorkloadDetail {
        self.state.license.as_ref().map_or(WorkloadDetail::None, |held| held.license.workload_detail)
    }

    /// Rows as they may leave the product. A hash is the same on all installations of one provider, so that the server
    /// can tell a workload that moved from a new one (F1).
    fn disclosed(&self, rows: Vec<WorkloadRow>, detail: WorkloadDetail) -> Vec<WorkloadRow> {
        let aud = self.root.payload().aud;
        let provider = self.state.joined.as_ref().map(|joined| joined.provider);
        let hashed = |row: WorkloadRow| {
            let salted =
                format!("tenure workload\0{aud}\0{}\0{}", provider.map_or(String::new(), |p| p.to_string()), row.id);
            WorkloadRow { id: Hash::sha256(salted).to_string(), company: String::new(), ..row }
        };
        match detail {
            WorkloadDetail::None => Vec::new(),
            WorkloadDetail::Hashed => rows.into_iter().map(hashed).collect(),
            WorkloadDetail::Names => rows,
        }
    }
}

/// Cuts rows into documents of bounded number and size.
fn parts_of(rows: &[WorkloadRow], most_rows: usize) -> Vec<&[WorkloadRow]> {
    let (mut parts, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (n, row) in rows.iter().enumerate() {
        let size = serde_json::to_vec(row).map_or(0, |json| json.len() + 1);
        if n > start && (n - start == most_rows.max(1) || bytes + size > MAX_EVIDENCE_BYTES) {
            parts.push(&rows[start..n]);
            (start, bytes) = (n, 0);
        }
        bytes += size;
    }
    if start < rows.len() {
        parts.push(&rows[start..]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: String) -> WorkloadRow {
        WorkloadRow {
            id,
            company: String::new(),
            workload: "vm".into(),
            variant: String::new(),
            first: 0,
            last: 0,
            counted: Counted::Yes,
        }
    }

    #[test]
    fn evidence_is_cut_by_rows_and_by_bytes() {
        let rows: Vec<_> = (0..2001).map(|n| row(n.to_string())).collect();
        let sizes: Vec<_> = parts_of(&rows, 1000).iter().map(|part| part.len()).collect();
        assert_eq!(sizes, [1000, 1000, 1]);
        let long: Vec<_> = (0..1000).map(|n| row(format!("{n}{}", "\u{1}".repeat(180)))).collect();
        let parts = parts_of(&long, 1000);
        assert!(parts.len() > 1 && parts.concat() == long);
        for part in parts {
            assert!(serde_json::to_vec(part).unwrap().len() < 500_000);
        }
        assert_eq!(parts_of(&[], 1000), Vec::<&[WorkloadRow]>::new());
    }
}

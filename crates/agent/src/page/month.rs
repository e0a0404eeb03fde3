//! A month's report: reviewed, adjusted, sent, postponed, saved.

use askama::Template;
use tenure_core::{Period, Timestamp, adjust::ReasonCode};
use tenure_license::{Counted, ReportLine, ReportStage, WorkloadRow};

use super::{
    Frame, assets,
    chart::{Chart, kind},
    format,
    format::When,
    page,
    request::Request,
    response::Response,
    save,
};
use crate::{
    glance::Glance,
    view::{HeldReport, ReportView},
};

/// Workloads of one page: each has its form.
const ROWS: usize = 100;
/// The longest text that is looked for.
const MAX_FIND: usize = 200;

#[derive(Template)]
#[template(path = "month.html")]
struct Month {
    frame: Frame,
    period: Period,
    name: String,
    state: State,
    lines: Vec<Line>,
    charts: Vec<Chart>,
    find: String,
    workloads: Vec<Workload>,
    matching: usize,
    /// Where the next rows begin, if there are more.
    next: Option<usize>,
    before: Option<usize>,
    adjusted: bool,
    receipt: Option<String>,
    revision: u32,
    observed: String,
}

/// What is to be done, if anything.
pub(super) enum State {
    /// The month is not over.
    Running,
    /// No day of it was counted.
    Empty,
    /// It waits for a person, and else for its day.
    Waits { final_at: When, postponed: Option<When>, may_wait: bool },
    /// Final, and nothing changed since.
    Final { received: Option<String> },
    /// Final, and the figures are others since.
    Changed,
}

impl State {
    /// Of a month's report at an instant.
    pub(super) fn of(report: &ReportView, held: Option<&HeldReport>, now: Timestamp) -> Self {
        if now < report.period.end() {
            return Self::Running;
        }
        if report.observed_days == 0 {
            return Self::Empty;
        }
        match (report.stage, held) {
            (Some(ReportStage::Final), Some(held)) if held.report.lines != report.lines => Self::Changed,
            (Some(ReportStage::Final), _) => Self::Final { received: report.received_at.map(format::instant) },
            _ => Self::Waits {
                final_at: When::of(report.final_at, now),
                postponed: report.postponed_until.filter(|until| *until > now).map(|until| When::of(until, now)),
                may_wait: tenure_core::Day::of(now).end() < report.final_at,
            },
        }
    }
}

/// A line of the report.
struct Line {
    kind: String,
    licensed: String,
    raw: String,
    count: String,
    lowered: bool,
    new: String,
    /// Why the figure is lower than counted, a sentence each.
    reasons: Vec<String>,
}

/// A workload behind it.
struct Workload {
    id: String,
    company: String,
    kind: String,
    first: String,
    last: String,
    counted: &'static str,
    tag: &'static str,
    may_go: bool,
}

/// Draws a month that there is something to say of.
pub(super) fn show(frame: Frame, glance: &Glance, period: Period, request: &Request) -> Response {
    let report = glance.report(period);
    let held = glance.held_report(period);
    let usage = glance.usage_of(period);
    let find: String = request.parameter("find").trim().chars().take(MAX_FIND).collect();
    let from: usize = request.parameter("from").parse().unwrap_or(0);
    let wanted = find.to_lowercase();
    let found = |row: &&WorkloadRow| {
        [&row.id, &row.company, &row.workload].iter().any(|text| text.to_lowercase().contains(&wanted))
    };
    let matching: Vec<_> = report.workloads.iter().filter(found).collect();
    let from = from.min(matching.len());
    let licensed = |line: &ReportLine| {
        let same = usage.lines.iter().find(|one| (&one.workload, &one.variant) == (&line.workload, &line.variant));
        same.and_then(|one| one.licensed)
    };
    page(
        200,
        &Month {
            period,
            name: format::month(period),
            state: State::of(&report, held.as_ref(), frame.now),
            lines: report.lines.iter().map(|line| Line::of(line, licensed(line))).collect(),
            charts: usage.lines.iter().map(|line| Chart::of(period, line)).collect(),
            workloads: matching.iter().skip(from).take(ROWS).map(|row| Workload::of(row)).collect(),
            matching: matching.len(),
            next: (from + ROWS < matching.len()).then_some(from + ROWS),
            before: (from > 0).then(|| from.saturating_sub(ROWS)),
            adjusted: report.lines.iter().any(|line| !line.adjustments.is_empty()),
            receipt: held.and_then(|held| held.receipt).map(|receipt| receipt.id.to_string()),
            revision: report.revision,
            observed: format::units(report.observed_days.into(), "day"),
            find,
            frame,
        },
    )
}

/// A month's file by the last part of its address.
pub(super) fn file(glance: &Glance, period: Period, name: &str) -> Option<Response> {
    let report = glance.report(period);
    Some(match name {
        "report.json" => save::json(&format!("report-{period}.json"), &report),
        "report.csv" => save::lines(&report, &glance.usage_of(period)),
        "workloads.csv" => save::workloads(&report),
        "receipt.json" => save::receipt(period, &glance.held_report(period)?)?,
        _ => return None,
    })
}

impl Line {
    fn of(line: &ReportLine, licensed: Option<u32>) -> Self {
        Self {
            kind: kind(&line.workload, &line.variant),
            licensed: licensed.map_or_else(|| "not listed".to_owned(), format::count),
            raw: format::count(line.raw),
            count: format::count(line.count),
            lowered: line.count < line.raw,
            new: format::count(line.new),
            reasons: line
                .adjustments
                .iter()
                .map(|one| format!("{} out, {}: {}", format::count(one.units), reason(&one.reason), one.note))
                .collect(),
        }
    }
}

impl Workload {
    fn of(row: &WorkloadRow) -> Self {
        let (counted, tag) = match row.counted {
            Counted::Yes => ("Counts", "good"),
            Counted::New => ("New, free this month", ""),
            Counted::Stale => ("Not protected for 31 days", ""),
            Counted::Adjusted => ("Taken out", "warn"),
        };
        Self {
            id: row.id.clone(),
            company: row.company.clone(),
            kind: kind(&row.workload, &row.variant),
            first: format::date(Timestamp::from_secs(row.first)),
            last: format::instant(Timestamp::from_secs(row.last)),
            counted,
            tag,
            may_go: row.counted == Counted::Yes,
        }
    }
}

/// A reason code as people read it; one that another version knows stays as it is.
pub(super) fn reason(code: &str) -> String {
    code.parse::<ReasonCode>().map_or_else(|_| code.to_owned(), |known| known.to_string())
}

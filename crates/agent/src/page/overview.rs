//! The first page: how the license stands in words, what comes next, and what was used this month.

use askama::Template;
use tenure_core::{Period, Timestamp};
use tenure_license::{Outcome, ReportLine, ReportStage};

use super::{
    Frame, assets,
    chart::{Chart, kind},
    format,
    format::When,
    month::State,
    page,
    response::Response,
};
use crate::{
    glance::Glance,
    view::{HeldReport, ReportStatus, Standing, Status},
};

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    frame: Frame,
    status: Status,
    tag: &'static str,
    word: &'static str,
    next_check_in: Option<When>,
    expires: Option<String>,
    contact: Option<String>,
    month: String,
    counted: String,
    charts: Vec<Chart>,
    /// The month before, which may wait for a person.
    last: String,
    last_period: Period,
    asked: Asked,
    history: Vec<Month>,
}

/// A month that was reported.
struct Month {
    name: String,
    stage: &'static str,
    tag: &'static str,
    period: Period,
    revision: u32,
    received: Option<String>,
    /// What was reported, type by type.
    figures: String,
    receipt: Option<String>,
    /// What the server made of it, where that is not simply taken.
    remark: Option<&'static str>,
}

/// What a person is asked of the month before.
enum Asked {
    /// To review and send it; until when it may wait.
    Now {
        final_at: When,
        may_wait: bool,
    },
    /// Nothing before tomorrow.
    Later {
        until: When,
        final_at: When,
    },
    Nothing,
}

/// Draws it.
pub(super) fn show(frame: Frame, glance: &Glance) -> Response {
    let status = glance.status();
    let usage = glance.usage();
    let now = frame.now;
    let (word, tag) = standing(status.standing);
    let last = Period::of(now).prev();
    let counted = match usage.counted_through {
        Some(day) => {
            format!("Counted through {}, {}", format::day(day), format::units(usage.observed_days.into(), "day"))
        }
        None => "No day counted yet: a day counts once it is over, by midnight UTC".to_owned(),
    };
    page(
        200,
        &Overview {
            tag,
            word,
            next_check_in: status.next_check_in.map(|at| When::of(at, now)),
            expires: status.expires_at.map(format::date),
            contact: status.last_contact.map(|at| format::distance(at, now)),
            month: format::month(usage.period),
            counted,
            charts: usage.lines.iter().map(|line| Chart::of(usage.period, line)).collect(),
            last: format::month(last),
            last_period: last,
            asked: Asked::of(&status, glance, last, now),
            history: status.reports.iter().map(|report| Month::of(report, glance.held_report(report.period))).collect(),
            status,
            frame,
        },
    )
}

impl Asked {
    fn of(status: &Status, glance: &Glance, last: Period, now: Timestamp) -> Self {
        let report = glance.report(last);
        // A month that is reported by hand in the portal is not asked about here.
        if report.stage.is_none() && status.automatic_reporting != Some(true) {
            return Self::Nothing;
        }
        match State::of(&report, None, now) {
            State::Waits { final_at, postponed: Some(until), .. } => Self::Later { until, final_at },
            State::Waits { final_at, may_wait, .. } => Self::Now { final_at, may_wait },
            _ => Self::Nothing,
        }
    }
}

impl Month {
    fn of(report: &ReportStatus, held: Option<HeldReport>) -> Self {
        let (stage, tag) = match report.stage {
            ReportStage::Preliminary => ("Preliminary", "warn"),
            ReportStage::Final => ("Final", "good"),
        };
        let figure = |line: &ReportLine| {
            let new = if line.new > 0 { format!(" + {} new", format::count(line.new)) } else { String::new() };
            format!("{} {}{new}", format::count(line.count), kind(&line.workload, &line.variant))
        };
        let figures = held.as_ref().map(|held| held.report.lines.iter().map(figure).collect::<Vec<_>>().join(", "));
        Self {
            name: format::month(report.period),
            period: report.period,
            stage,
            tag,
            revision: report.revision,
            received: report.received_at.map(format::instant),
            figures: figures.unwrap_or_default(),
            receipt: held.and_then(|held| held.receipt).map(|receipt| receipt.id.to_string()),
            remark: report.outcome.and_then(remark),
        }
    }
}

fn remark(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Accepted | Outcome::Repeated => None,
        Outcome::Late => Some("arrived after the month was submitted, so it becomes a later line"),
        Outcome::Conflict => Some("the server holds another report too; settle it in the portal"),
        Outcome::NotCounted => Some("held, not counted: two machines speak as this one"),
        Outcome::NotYet | Outcome::TooOld | Outcome::Invalid | Outcome::Absent => Some("refused by the server"),
    }
}

/// The status as a word in a tag, and how the tag looks.
fn standing(standing: Standing) -> (&'static str, &'static str) {
    match standing {
        Standing::NotActivated => ("Not activated", "warn"),
        Standing::Valid => ("Valid", "good"),
        Standing::Expiring => ("Expiring", "warn"),
        Standing::Expired => ("Expired", "bad"),
        Standing::Restricted => ("Restricted", "bad"),
    }
}

//! The first page: how the license stands in words, what comes next, and what was used this month.

use askama::Template;
use tenure_license::ReportStage;

use super::{Frame, assets, chart::Chart, format, format::When, page, response::Response};
use crate::{
    glance::Glance,
    view::{ReportStatus, Standing, Status},
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
    history: Vec<Month>,
}

/// A month that was reported.
struct Month {
    name: String,
    stage: &'static str,
    tag: &'static str,
    revision: u32,
    received: Option<String>,
}

/// Draws it.
pub(super) fn show(frame: Frame, glance: &Glance) -> Response {
    let status = glance.status();
    let usage = glance.usage();
    let now = frame.now;
    let (word, tag) = standing(status.standing);
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
            history: status.reports.iter().map(Month::of).collect(),
            status,
            frame,
        },
    )
}

impl Month {
    fn of(report: &ReportStatus) -> Self {
        let (stage, tag) = match report.stage {
            ReportStage::Preliminary => ("Preliminary", "warn"),
            ReportStage::Final => ("Final", "good"),
        };
        Self {
            name: format::month(report.period),
            stage,
            tag,
            revision: report.revision,
            received: report.received_at.map(format::instant),
        }
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

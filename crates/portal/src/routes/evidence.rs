//! What stands behind a month: the workloads of a server, and the timeline.

use axum::{extract::Path, response::Response};
use tenure_core::{InstallationId, Timestamp};
use tenure_license::payload::{Counted, WorkloadRow};
use tenure_service::{EvidenceFilter, MAX_PAGE, Month, Paging, ProblemKind, month_timeline, view_evidence};

use super::month::{find, which};
use crate::{
    format,
    pages::{
        Desk,
        evidence::{Evidence, EvidenceRow, Timeline, TimelineRow},
        licenses::Filter,
    },
    present,
    web::{Fields, Refused, Viewing, page},
};

/// What rows can be narrowed to: word in the address, word on the button.
const REASONS: [(&str, &str, Option<Counted>); 5] = [
    ("", "All", None),
    ("yes", "Counted", Some(Counted::Yes)),
    ("new", "New", Some(Counted::New)),
    ("stale", "Not protected lately", Some(Counted::Stale)),
    ("adjusted", "Taken out", Some(Counted::Adjusted)),
];

/// `GET /months/{month}/evidence/{installation}`.
pub(super) async fn workloads(
    viewing: Viewing,
    Path((month, installation)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Refused> {
    let id: InstallationId = installation.parse().map_err(|_| ProblemKind::NotFound)?;
    let asked = fields.get("why");
    let (word, _, counted) = REASONS.into_iter().find(|(word, ..)| *word == asked).unwrap_or(REASONS[0]);
    let text = |name: &str| Some(fields.get(name)).filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    let filter = EvidenceFilter { workload: text("workload"), variant: text("variant"), counted };
    let paging = Paging { cursor: present::cursor(&fields), limit: Some(MAX_PAGE) };
    let found = view_evidence(&viewing.service, viewing.actor(), which(&month)?, id, &filter, &paging).await?;
    let seen = find(&viewing, &month).await?;
    let server = seen.installations.iter().find(|one| one.id == id);
    let address = |why: &str, after: &str| {
        let pairs =
            [("workload", fields.get("workload")), ("variant", fields.get("variant")), ("why", why), ("after", after)];
        let query = present::query(pairs.into_iter().filter(|(_, value)| !value.is_empty()));
        format!("/months/{month}/evidence/{id}?{query}")
    };
    let window_days = viewing.service.policy().count_window_days;
    let part = Evidence {
        window_days,
        period: found.period,
        review: present::month::href(viewing.desk(), seen.head.period, seen.head.id),
        server: server.map(|one| one.name.clone()).filter(|name| !name.is_empty()).unwrap_or_else(|| id.to_string()),
        revision: found.revision,
        received: found.received,
        named: found.named.map(|named| i64::from(named.rows)),
        arrived: i64::from(found.arrived),
        is_whole: found.is_whole,
        root: found.named.map(|named| named.root.to_string()).unwrap_or_default(),
        reasons: REASONS
            .into_iter()
            .filter(|_| !found.reasons.is_empty())
            .filter(|(each, _, counted)| {
                each.is_empty() || *each == word || found.reasons.iter().any(|one| Some(one.counted) == *counted)
            })
            .map(|(each, label, _)| Filter { label, href: address(each, ""), is_current: each == word })
            .collect(),
        next: found.rows.next.as_ref().map(|cursor| address(word, cursor)).unwrap_or_default(),
        rows: found.rows.items.into_iter().map(|each| row(each, &seen, window_days)).collect(),
    };
    page(&viewing, part).await
}

/// The unit is called as the month's lines call it; one that no line has is not known to the catalog.
fn row(row: WorkloadRow, month: &Month, window_days: u32) -> EvidenceRow {
    let mut units = month.lines.iter().map(|line| &line.workload);
    let unit = units.find(|unit| unit.code == row.workload && unit.variant == row.variant);
    EvidenceRow {
        unit: unit.map_or(row.workload, |unit| unit.name.clone()),
        id: row.id,
        company: row.company,
        first: Timestamp::from_secs(row.first),
        last: Timestamp::from_secs(row.last),
        why: match row.counted {
            Counted::Yes => "Counted".to_owned(),
            Counted::New => "New, free this month".to_owned(),
            Counted::Stale => format!("Not protected within {window_days} days"),
            Counted::Adjusted => "Taken out on the product".to_owned(),
        },
        counts: row.counted == Counted::Yes,
    }
}

/// `GET /months/{month}/timeline`.
pub(super) async fn timeline(viewing: Viewing, Path(month): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let paging = Paging { cursor: present::cursor(&fields), limit: Some(MAX_PAGE) };
    let events = month_timeline(&viewing.service, viewing.actor(), which(&month)?, &paging).await?;
    let head = find(&viewing, &month).await?.head;
    let part = Timeline {
        period: head.period,
        provider: if viewing.desk() == Desk::Provider { String::new() } else { head.provider.name.clone() },
        review: present::month::href(viewing.desk(), head.period, head.id),
        next: events.next.map(|cursor| format!("/months/{month}/timeline?after={cursor}")).unwrap_or_default(),
        rows: events
            .items
            .into_iter()
            .map(|event| TimelineRow {
                at: event.at,
                by: event.by,
                text: format::sentence(&format::dated(&event.text)),
            })
            .collect(),
    };
    page(&viewing, part).await
}

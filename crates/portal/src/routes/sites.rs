//! Sites: a provider's locations, and how their parts roll up into the month.

use axum::response::Response;
use tenure_core::Points;
use tenure_service::{MAX_PAGE, Month, Paging, ProblemKind, list_months, list_sites};

use super::month::find;
use crate::{
    pages::{
        Desk,
        sites::{SiteMonth, SitePartRow, SiteRow, Sites},
    },
    present,
    web::{Fields, Refused, Viewing, page},
};

/// `GET /sites`.
pub(super) async fn list(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    if viewing.desk() != Desk::Provider {
        return Err(ProblemKind::NotFound.into());
    }
    let (service, actor) = (&viewing.service, viewing.actor());
    let paging = Paging { cursor: present::cursor(&fields), limit: Some(MAX_PAGE) };
    let sites = list_sites(service, actor, actor.org, &paging).await?;
    let month = if sites.items.is_empty() { None } else { newest(&viewing).await? };
    let part_of = |site| month.as_ref().and_then(|month| month.parts.iter().find(|part| part.site.id == site));
    let rows = sites.items.iter().map(|site| SiteRow {
        name: site.name.clone(),
        licenses: format!("/licenses?site={}", site.id),
        closed: site.closed,
        part: part_of(site.id).map(|part| SitePartRow {
            submitted: part.submitted.as_ref().map(|(at, by)| (*at, by.name.clone())),
            returned: part.returned_reason.clone(),
            points: part.points,
        }),
    });
    let part = Sites {
        rows: rows.collect(),
        month: month.as_ref().map(|month| roll_up(&viewing, month)),
        next: sites.next.map(|cursor| format!("/sites?after={cursor}")).unwrap_or_default(),
    };
    page(&viewing, part).await
}

/// The newest month that was opened.
async fn newest(viewing: &Viewing) -> Result<Option<Month>, Refused> {
    let paging = Paging { cursor: None, limit: Some(1) };
    let months = list_months(&viewing.service, viewing.actor(), &paging).await?;
    match months.items.first() {
        Some(month) => Ok(Some(find(viewing, &month.period.to_string()).await?)),
        None => Ok(None),
    }
}

fn roll_up(viewing: &Viewing, month: &Month) -> SiteMonth {
    // What no site has is nothing of somebody who sees one site's lines.
    let lines: Points = month.lines.iter().map(|line| line.points).sum();
    let in_parts: Points = month.parts.iter().map(|part| part.points).sum();
    SiteMonth {
        period: month.head.period,
        href: present::month::href(viewing.desk(), month.head.period, month.head.id),
        without_site: lines - in_parts,
        reported: month.totals.reported,
        is_part: viewing.actor().site.is_some(),
    }
}

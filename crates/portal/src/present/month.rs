//! A month as its page shows it.

mod asks;
mod lines;

use tenure_core::{
    Timestamp,
    cycle::{Blocker, UsageState},
    deadline::{distributor_deadline, undecided_extends_at},
    line::Source,
    roles::Action,
    suspension::SubmissionStanding,
};
use tenure_service::{self as service, CatalogView, CompanyRow};

use crate::{
    pages::{
        Desk, Said,
        month::{Deed, May, Month, Side, SitePart, Sums, lines::Show},
    },
    web::{Fields, Viewing},
};

pub(crate) use lines::LineKey;

/// What of a month is wanted, as the address or a refused form says.
pub(crate) struct Wanted<'a> {
    /// Which lines.
    pub(crate) show: Show,
    /// Which page of them, from 1.
    pub(crate) page: u32,
    /// The line whose form is open; empty for none.
    pub(crate) adjust: &'a str,
    /// The form for a manual line is open: `1`, or a license to begin with; empty when it is not.
    pub(crate) manual: &'a str,
    /// All questions are shown.
    pub(crate) all_asks: bool,
    /// What was typed into an open form.
    pub(crate) typed: &'a Fields,
}

impl<'a> Wanted<'a> {
    /// From the fields of an address or a form.
    pub(crate) fn of(fields: &'a Fields) -> Self {
        Self {
            show: Show::from_slug(fields.get("show")),
            page: fields.get("page").parse().unwrap_or(1).max(1),
            adjust: fields.get("adjust"),
            manual: fields.get("manual"),
            all_asks: fields.get("asks") == "all",
            typed: fields,
        }
    }
}

/// What the open forms of a month offer.
#[derive(Default)]
pub(crate) struct Offered {
    /// The catalog; only where a form needs it.
    pub(crate) catalog: Option<CatalogView>,
    /// The provider's companies; only for a manual line.
    pub(crate) companies: Vec<CompanyRow>,
    /// A fresh idempotency key; only for a manual line.
    pub(crate) fresh_key: String,
}

/// Whether a page of the month needs the catalog: somebody has to say what a server used, or enters usage by hand.
pub(crate) fn needs_catalog(month: &service::Month, may: May, wanted: &Wanted<'_>) -> bool {
    let asked = |one: &std::sync::Arc<service::Expected>| one.presence.blocks_submission() || one.contested;
    may.edit && (!wanted.manual.is_empty() || month.installations.iter().any(asked))
}

/// The address of a month: by its name for its own provider, by its id for the others.
pub(crate) fn href(desk: Desk, period: tenure_core::Period, id: tenure_core::UsageId) -> String {
    match desk {
        Desk::Provider | Desk::Company => format!("/months/{period}"),
        Desk::Distributor | Desk::Vendor => format!("/months/{id}"),
    }
}

/// Which side the viewer sees a month from.
pub(crate) fn side(viewing: &Viewing) -> Side {
    match (viewing.desk(), viewing.actor().site) {
        (Desk::Vendor, _) => Side::Vendor,
        (Desk::Distributor, _) => Side::Distributor,
        (Desk::Provider | Desk::Company, Some(_)) => Side::Site,
        (Desk::Provider | Desk::Company, None) => Side::Provider,
    }
}

/// What buttons are drawn. The use cases decide again.
pub(crate) fn may(viewing: &Viewing, month: &service::Month) -> May {
    let (state, has_sites) = (month.head.state, !month.parts.is_empty());
    let own_part_in = viewing.actor().site.is_some() && month.parts.iter().all(|part| part.submitted.is_some());
    let may = |action| viewing.may(action, has_sites);
    let vendor = may(Action::OverrideUsage);
    let waits = state == UsageState::PendingDistributorReview;
    May {
        start: state == UsageState::Collecting && may(Action::EditUsage),
        edit: state.is_editable() && may(Action::EditUsage) && !(own_part_in && has_sites),
        submit: matches!(state, UsageState::PendingProviderReview | UsageState::Rejected) && may(Action::SubmitUsage),
        submit_part: state == UsageState::PendingSiteReview && may(Action::SubmitPart),
        return_part: state.is_editable() && has_sites && may(Action::SubmitUsage),
        decide: waits && may(Action::DecideUsage),
        consent: waits && vendor && month.lowered && month.head.vendor_consent.is_none(),
        close: vendor && state != UsageState::Closed,
    }
}

/// The page.
pub(crate) fn page(
    viewing: &Viewing,
    month: &service::Month,
    wanted: &Wanted<'_>,
    offered: &Offered,
    said: Said,
) -> Month {
    let head = &month.head;
    let (side, may) = (side(viewing), may(viewing, month));
    let base = href(viewing.desk(), head.period, head.id);
    let accounted = month.installations.iter().filter(|one| !one.presence.blocks_submission()).count();
    let deadline = viewing.deadline(deadline(viewing, month));
    let policy = viewing.service.policy();
    Month {
        said,
        side,
        may,
        period: head.period,
        provider: head.provider.name.clone(),
        distributor: head.distributor.name.clone(),
        agreement: head.agreement.number.clone(),
        state: head.state,
        deadline,
        extends_anyway: head
            .submitted
            .as_ref()
            .filter(|_| month.flagged() == 0)
            .map(|submitted| undecided_extends_at(head.period, submitted.at, policy)),
        collecting_until: head.awaited_until,
        opened: head.opened,
        auto_submit: head.auto_submit,
        may_set_auto_submit: !head.state.is_submitted() && viewing.may(Action::SubmitUsage, !month.parts.is_empty()),
        submitted: head.submitted.as_ref().map(|submitted| deed(submitted.at, &submitted.by)),
        decided: head.decided.as_ref().map(|(at, by)| deed(*at, by)),
        takes_two: month.takes_two(),
        approved_first: head.approved_first.as_ref().map(|(at, by)| deed(*at, by)),
        approved_by_me: head.approved_first.as_ref().is_some_and(|(_, by)| viewing.person.id.uuid() == by.id),
        closed: head.closed,
        reason: head.reason.clone(),
        comment: head.comment.clone(),
        expected: month.installations.len() as u32,
        accounted: accounted as u32,
        sums: sums(month),
        is_report_preliminary: side == Side::Site || month.covering().is_none(),
        blockers: month.blockers.clone(),
        all_asks: wanted.all_asks,
        asks: asks::asks(month, side, may, &base, offered.catalog.as_ref()),
        lines: lines::lines(month, side, may, wanted, offered),
        parts: month.parts.iter().map(|part| site_part(viewing, part)).collect(),
        purchase_order: head.purchase_order.clone(),
        receipt: head.submitted.as_ref().map(|one| format!("{base}/receipts/{}", one.number)).unwrap_or_default(),
        saw: month.tag.to_string(),
        base,
    }
}

/// By when the next step is due, for whom it is.
fn deadline(viewing: &Viewing, month: &service::Month) -> Timestamp {
    let (head, policy) = (&month.head, viewing.service.policy());
    match (head.state, &head.submitted, &head.decided) {
        (UsageState::PendingDistributorReview, Some(submitted), _) => {
            head.decide_by.unwrap_or_else(|| distributor_deadline(head.period, submitted.at, policy))
        }
        (UsageState::Rejected, _, Some((at, _))) => {
            SubmissionStanding::Rejected(*at).counts_until(policy).unwrap_or(head.due)
        }
        _ => head.due,
    }
}

/// The totals, as the month's pages show them.
pub(crate) fn sums(month: &service::Month) -> Sums {
    let totals = &month.totals;
    let preliminary = |line: &service::Line| line.source == Source::Preliminary;
    let awaited = month.blockers.iter().any(|blocker| matches!(blocker, Blocker::Awaited(_)));
    Sums {
        reported: totals.reported,
        previous: month.previous,
        commit: totals.commit,
        enforcement: totals.enforcement,
        overage: totals.overage,
        total: totals.total,
        is_signing_month: totals.free,
        is_preliminary: !month.head.state.is_submitted() && (awaited || month.lines.iter().any(preliminary)),
    }
}

/// Something somebody did.
fn deed(at: Timestamp, by: &service::Who) -> Deed {
    Deed { at, by: by.name.clone() }
}

fn site_part(viewing: &Viewing, part: &service::SitePart) -> SitePart {
    SitePart {
        id: part.site.id.to_string(),
        name: part.site.name.clone(),
        submitted: part.submitted.as_ref().map(|(at, by)| deed(*at, by)),
        returned: part.returned_reason.clone(),
        points: part.points,
        is_own: viewing.actor().site == Some(part.site.id),
    }
}

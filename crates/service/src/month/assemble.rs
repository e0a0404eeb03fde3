//! Lines, totals, flags and what is missing, put together.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use tenure_core::{
    LicenseId, Period, Points, Policy, SiteId, Timestamp, correction,
    cycle::{UsageFacts, UsageState, takes_two},
    deadline::{auto_send_over_at, distributor_deadline},
    deviation::{Flag, needs_vendor},
    line::Source,
    reported::{InstallationStanding, NotReported, UsageProgress, reported},
    totals::{Totals, totals},
};
use tenure_store::rows::{agreement::AgreementRow, monthly_usage::UsageRow};

use super::{
    build::{self, Built},
    license::LicensePart,
    load::{Frame, MonthData, last_change},
    lookup::who,
    tag::{self, LinesTag, SignedLine},
    types::{AgreementOf, LicenseMonth, LicenseOf, Line, Month, MonthHead, Named, SitePart, Submitted},
};
use crate::{Result, agreements};

/// Computes a month.
pub(crate) fn month(data: &MonthData, frame: &Frame, now: Timestamp, policy: &Policy) -> Result<Month> {
    let mut built = build::build(data, &frame.names, now, policy)?;
    let carried = apply_corrections(&mut built.lines);
    if let Some(signed) = frame.last.as_ref().filter(|_| data.usage.state.is_submitted()) {
        built.stand_by(tag::read(&signed.lines)?)?;
    }
    let previous = frame.previous.as_ref();
    let before: Vec<SignedLine> = match previous {
        Some(row) => tag::read(&row.lines)?,
        None => Vec::new(),
    };
    compare(&mut built.lines, &before);
    let licenses = licenses(data, &built, now, policy);
    let totals = month_totals(&built.lines, &frame.agreement, data);
    let (products_total, kept_total) = products_totals(&built);
    let lowered = needs_vendor(kept_total, products_total, policy) || lowered_by_hand(data, &built.lines, policy);
    let hash = tag::tag_all(&mut built.lines);
    for line in &mut built.lines {
        let mark = data.reviewed.get(&line.tag);
        line.reviewed = mark.map(|mark| (mark.at, who(&frame.names, mark.by)));
    }
    let mut month = Month {
        head: head(&data.usage, frame, now, policy),
        installations: built.installations.iter().map(|one| one.expected.clone()).collect(),
        licenses,
        totals,
        previous: previous.map(|row| row.reported),
        carried,
        products_total,
        lowered,
        blockers: Vec::new(),
        parts: parts(frame, &built.lines),
        tag: LinesTag { hash, seen: last_change(data) },
        by_hand: built.others.iter().filter(|license| !license.reporting.extends()).cloned().collect(),
        lines: built.lines,
    };
    month.blockers = month.facts(now, policy).blockers();
    Ok(month)
}

impl Month {
    /// What a transition of this month depends on, as far as the month itself says ("The monthly cycle").
    pub(crate) fn facts(&self, now: Timestamp, policy: &Policy) -> UsageFacts {
        let count = |what: &dyn Fn(&Line) -> bool| self.lines.iter().filter(|line| what(line)).count() as u32;
        let unconfirmed = |line: &Line| line.adjustment.as_ref().is_some_and(|adjustment| adjustment.must_confirm);
        UsageFacts {
            has_sites: !self.parts.is_empty(),
            parts_outstanding: self.parts.iter().filter(|part| part.submitted.is_none()).count() as u32,
            auto_send_day_over: now >= auto_send_over_at(self.head.period, policy),
            awaited: count(&|line| line.source == Source::Awaited),
            missing: count(&|line| line.source == Source::Missing),
            cloned: count(&|line| line.source == Source::Clone),
            unmapped: count(&|line| line.unmapped),
            unconfirmed: count(&unconfirmed),
            flagged: self.flagged(),
            vendor_consent_missing: self.lowered && self.head.vendor_consent.is_none(),
            two_people: self.takes_two(),
            ..UsageFacts::default()
        }
    }

    /// Whether its distributor has so many points approved by two people: those reported, or the total, whichever is more. A
    /// month that is billed 0 extends licenses all the same.
    pub fn takes_two(&self) -> bool {
        takes_two(self.totals.total.max(self.totals.reported), self.head.two_people_above)
    }

    /// The lines' canonical JSON, whose SHA-256 is the tag's hash.
    pub(crate) fn canonical(&self) -> String {
        tag::canonical(&self.lines)
    }
}

/// Lets corrections in: not below 0 together with the month's own lines ("Adjustments, revisions, corrections").
fn apply_corrections(lines: &mut [Line]) -> Points {
    let own = lines.iter().filter(|line| line.source != Source::Correction).map(|line| line.points).sum();
    let of_corrections: Vec<Points> =
        lines.iter().filter(|line| line.source == Source::Correction).map(|line| line.points).collect();
    let applied = correction::apply(own, &of_corrections);
    let corrections = lines.iter_mut().filter(|line| line.source == Source::Correction);
    for (line, points) in corrections.zip(applied.applied) {
        line.points = points;
    }
    applied.carried.into_iter().sum()
}

/// Gives each line the figure submitted for the month before: of the same installation, or, where the license has one line
/// of that type in both months, of the license.
fn compare(lines: &mut [Line], before: &[SignedLine]) {
    type Whole<'a> = (Option<LicenseId>, tenure_core::ProductId, Option<tenure_core::CompanyId>, &'a str, &'a str);
    let mut exact: HashMap<(Option<tenure_core::InstallationId>, Whole<'_>), i64> = HashMap::new();
    let mut whole: HashMap<Whole<'_>, (u32, i64)> = HashMap::new();
    for line in before.iter().filter(|line| line.of_period.is_none() && !line.workload.is_empty()) {
        let key = (line.license, line.product, line.company, line.workload.as_str(), line.variant.as_str());
        *exact.entry((line.installation, key)).or_default() += line.count;
        let sum = whole.entry(key).or_default();
        *sum = (sum.0 + 1, sum.1 + line.count);
    }
    let mut now: HashMap<Whole<'_>, u32> = HashMap::new();
    let workloads: Vec<_> = lines.iter().map(|line| line.workload.clone()).collect();
    let keys: Vec<Option<Whole<'_>>> = lines
        .iter()
        .zip(&workloads)
        .map(|(line, workload)| {
            let license = line.license.as_ref().map(|license| license.id);
            let company = line.company.as_ref().map(|company| company.id);
            let compared = line.of_period.is_none() && !workload.code.is_empty();
            compared.then(|| (license, line.product.id, company, workload.code.as_str(), workload.variant.as_str()))
        })
        .collect();
    for key in keys.iter().flatten() {
        *now.entry(*key).or_default() += 1;
    }
    for (line, key) in lines.iter_mut().zip(&keys) {
        let Some(key) = key else { continue };
        let installation = line.installation.as_ref().map(|installation| installation.id);
        let of_license = || whole.get(key).filter(|(count, _)| *count == 1 && now[key] == 1).map(|(_, sum)| *sum);
        line.previous = exact.get(&(installation, *key)).copied().or_else(of_license);
    }
}

fn licenses(data: &MonthData, built: &Built, now: Timestamp, policy: &Policy) -> Vec<LicenseMonth> {
    let extended: BTreeSet<LicenseId> = data.extended.iter().copied().collect();
    let parts = built.parts();
    let flags: Vec<_> = parts.iter().map(|part| part.flags(data, now, policy)).collect();
    let any_flagged = parts.iter().zip(&flags).any(|(part, flags)| !flags.is_empty() || part.is_contested());
    let usage = &data.usage;
    let progress = UsageProgress::at(usage.state, usage.submitted, any_flagged, usage.period, now, policy);
    let month = |((part, flags), license): ((&LicensePart<'_>, Vec<Flag>), &Arc<LicenseOf>)| {
        let reported = part.reported(!flags.is_empty(), progress, false, policy);
        LicenseMonth {
            license: Arc::clone(license),
            points: part.points(),
            shared: part.is_shared(),
            contested: part.is_contested(),
            flags,
            extended: extended.contains(&license.id),
            waits_for: reported.err().filter(|_| license.reporting.extends()),
        }
    };
    parts.iter().zip(flags).zip(&built.licenses).map(month).collect()
}

/// What a decision makes of the licenses: those whose validity follows from reports and that are accounted for once the
/// month has got this far, and whether each waits for Closed all the same ("Validity").
pub(crate) fn settled(month: &Month, progress: UsageProgress, policy: &Policy) -> Vec<(LicenseId, bool)> {
    let mut standings: HashMap<LicenseId, Vec<InstallationStanding>> = HashMap::new();
    for one in &month.installations {
        let standing = InstallationStanding {
            presence: one.presence,
            adjusted: true,
            flagged: !month.flags_of(one.license.id).is_empty(),
            conflict: one.contested,
        };
        standings.entry(one.license.id).or_default().push(standing);
    }
    let automatic = month.licenses.iter().filter(|one| one.license.reporting.extends());
    automatic
        .filter_map(|one| {
            let id = one.license.id;
            let standings = standings.get(&id).map_or(&[][..], Vec::as_slice);
            match reported(standings, progress, false, policy) {
                Ok(_) => Some((id, false)),
                Err(NotReported::Flagged | NotReported::Contested | NotReported::NotClosed) => Some((id, true)),
                Err(_) => None,
            }
        })
        .collect()
}

/// The month on the whole ("Totals"). A month after the agreement's last one only settles corrections: nothing is
/// committed for it.
fn month_totals(lines: &[Line], row: &AgreementRow, data: &MonthData) -> Totals {
    let (agreement, period) = (agreements::terms(row), data.usage.period);
    let mut terms = agreement.terms();
    if period > agreement.last_period() {
        terms.commit = Points::ZERO;
    }
    totals(lines.iter().map(|line| line.points), &terms, period)
}

/// What the products' own figures come to, and what is left of them: of those adjusted, answered against a report, or
/// replaced by a manual line. Answering for a silent one is not lowering.
fn products_totals(built: &Built) -> (Points, Points) {
    let told = || built.installations.iter().filter(|one| one.raw.is_some());
    let raw = told().filter_map(|one| one.raw).sum();
    let own: Points = told().map(|one| one.submitted).sum();
    let by_manual_line: BTreeSet<LicenseId> =
        told().filter(|one| one.by_manual_line).map(|one| one.expected.license.id).collect();
    let of_manual_line = |line: &&Line| {
        line.source == Source::Manual && line.license.as_ref().is_some_and(|one| by_manual_line.contains(&one.id))
    };
    let manual: Points = built.lines.iter().filter(of_manual_line).map(|line| line.points).sum();
    (raw, own + manual)
}

/// Whether corrections by hand take more from a closed month than passes without the vendor (F8).
fn lowered_by_hand(data: &MonthData, lines: &[Line], policy: &Policy) -> bool {
    let mut by_hand: BTreeMap<Period, Points> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.said.is_some()) {
        if let Some(of) = line.of_period {
            *by_hand.entry(of).or_default() += line.points;
        }
    }
    let closed_with = |of: &Period| data.corrected.get(of).copied().unwrap_or_default();
    by_hand.iter().any(|(of, points)| correction::by_hand_needs_vendor(closed_with(of), *points, policy))
}

fn parts(frame: &Frame, lines: &[Line]) -> Vec<SitePart> {
    let mut points: BTreeMap<SiteId, Points> = BTreeMap::new();
    for (site, of_line) in lines.iter().filter_map(|line| Some((line.site?, line.points))) {
        *points.entry(site).or_default() += of_line;
    }
    frame
        .parts
        .iter()
        .map(|part| SitePart {
            site: Named { id: part.site, name: part.name.clone() },
            submitted: part.submitted.map(|at| (at, who(&frame.names, part.submitted_by.unwrap_or_default()))),
            returned_reason: part.returned_reason.clone(),
            points: points.get(&part.site).copied().unwrap_or_default(),
        })
        .collect()
}

fn head(usage: &UsageRow, frame: &Frame, now: Timestamp, policy: &Policy) -> MonthHead {
    let named =
        |at: Option<Timestamp>, by: Option<uuid::Uuid>| at.map(|at| (at, who(&frame.names, by.unwrap_or_default())));
    let submitted = usage.submitted.zip(frame.last.as_ref()).map(|(at, row)| Submitted {
        number: row.number,
        at,
        by: who(&frame.names, row.by),
        org: row.by_org,
        reported: row.reported,
        total: row.total,
        flagged: row.flagged,
        lines_hash: row.lines_hash,
    });
    let waiting = usage.state == UsageState::PendingDistributorReview;
    let open = !usage.state.is_submitted();
    MonthHead {
        id: usage.id,
        provider: Named { id: usage.provider, name: frame.provider_name.clone() },
        period: usage.period,
        state: usage.state,
        distributor: Named { id: usage.distributor, name: frame.distributor_name.clone() },
        agreement: AgreementOf {
            id: usage.agreement,
            number: frame.agreement.number.clone(),
            kind: frame.agreement.kind,
        },
        opened: usage.opened,
        due: usage.due,
        late: open && now >= usage.due,
        decide_by: usage.submitted.filter(|_| waiting).map(|at| distributor_deadline(usage.period, at, policy)),
        submitted,
        decided: named(usage.decided, usage.decided_by),
        reason: usage.reason.clone(),
        closed: usage.closed,
        vendor_consent: named(usage.vendor, usage.vendor_by),
        two_people_above: frame.two_people_above,
        approved_first: named(usage.approved, usage.approved_by),
        purchase_order: usage.purchase_order.clone(),
        comment: usage.comment.clone(),
        auto_submit: auto_submit_at(usage, policy).filter(|_| open && usage.auto_submit),
        awaited_until: auto_send_over_at(usage.period, policy),
    }
}

/// When a month is submitted by itself, where that is asked for: known by the deadline it was opened with.
pub(crate) fn auto_submit_at(usage: &UsageRow, policy: &Policy) -> Option<Timestamp> {
    let at = |by_hand| {
        let due = tenure_core::deadline::provider_deadline(usage.period, by_hand, policy);
        (due == usage.due).then(|| tenure_core::deadline::auto_submit_at(usage.period, by_hand, policy))
    };
    at(false).or_else(|| at(true))
}

//! Months as the provider API shows them.

use tenure_core::{AgreementKind, adjust, cycle, line::Source};
use tenure_service as service;
use tenure_wire as wire;

pub(super) fn state(state: cycle::UsageState) -> wire::UsageState {
    match state {
        cycle::UsageState::Collecting => wire::UsageState::Collecting,
        cycle::UsageState::PendingSiteReview => wire::UsageState::PendingSiteReview,
        cycle::UsageState::PendingProviderReview => wire::UsageState::PendingProviderReview,
        cycle::UsageState::PendingDistributorReview => wire::UsageState::PendingDistributorReview,
        cycle::UsageState::Rejected => wire::UsageState::Rejected,
        cycle::UsageState::Closed => wire::UsageState::Closed,
    }
}

fn source(source: Source) -> wire::LineSource {
    match source {
        Source::Automatic => wire::LineSource::Automatic,
        Source::Preliminary => wire::LineSource::Preliminary,
        Source::Manual => wire::LineSource::Manual,
        Source::Answered => wire::LineSource::Answered,
        Source::Awaited => wire::LineSource::Awaited,
        Source::Missing => wire::LineSource::Missing,
        Source::Clone => wire::LineSource::Clone,
        Source::NotInstalled => wire::LineSource::NotInstalled,
        Source::Replaced => wire::LineSource::Replaced,
        Source::Correction => wire::LineSource::Correction,
    }
}

pub(super) fn reason(code: adjust::ReasonCode) -> wire::ReasonCode {
    match code {
        adjust::ReasonCode::TestDemo => wire::ReasonCode::TestDemo,
        adjust::ReasonCode::Duplicate => wire::ReasonCode::Duplicate,
        adjust::ReasonCode::Migrated => wire::ReasonCode::Migrated,
        adjust::ReasonCode::Trial => wire::ReasonCode::Trial,
        adjust::ReasonCode::MeteringError => wire::ReasonCode::MeteringError,
        adjust::ReasonCode::Other => wire::ReasonCode::Other,
    }
}

pub(super) fn reason_code(code: wire::ReasonCode) -> adjust::ReasonCode {
    match code {
        wire::ReasonCode::TestDemo => adjust::ReasonCode::TestDemo,
        wire::ReasonCode::Duplicate => adjust::ReasonCode::Duplicate,
        wire::ReasonCode::Migrated => adjust::ReasonCode::Migrated,
        wire::ReasonCode::Trial => adjust::ReasonCode::Trial,
        wire::ReasonCode::MeteringError => adjust::ReasonCode::MeteringError,
        wire::ReasonCode::Other => adjust::ReasonCode::Other,
    }
}

pub(super) fn org(named: service::Named<tenure_core::OrgId>) -> wire::OrgRef {
    wire::OrgRef { id: named.id, name: named.name }
}

fn site(named: service::Named<tenure_core::SiteId>) -> wire::SiteRef {
    wire::SiteRef { id: named.id, name: named.name }
}

pub(super) fn company(named: &service::Named<tenure_core::CompanyId>) -> wire::CompanyRef {
    wire::CompanyRef { id: named.id, name: named.name.clone() }
}

pub(super) fn done((at, who): (tenure_core::Timestamp, service::Who)) -> wire::Done {
    wire::Done { at, by: who.name }
}

fn blocker(blocker: cycle::Blocker) -> wire::Blocker {
    let kind = match blocker {
        cycle::Blocker::Awaited(_) => "awaited",
        cycle::Blocker::Missing(_) => "missing",
        cycle::Blocker::Cloned(_) => "cloned",
        cycle::Blocker::Unmapped(_) => "unmapped",
        cycle::Blocker::Unconfirmed(_) => "unconfirmed",
        cycle::Blocker::Flagged(_) => "flagged",
    };
    wire::Blocker { kind: kind.to_owned(), count: blocker.count(), text: blocker.to_string() }
}

/// A month in a list.
pub(super) fn summary(month: service::MonthSummary) -> wire::MonthlyUsageSummary {
    wire::MonthlyUsageSummary {
        id: month.id,
        provider: org(month.provider),
        period: month.period,
        state: state(month.state),
        distributor: org(month.distributor),
        due_at: month.due,
        late: month.late,
        decide_by: month.decide_by,
        submission: month.submitted.map(|submitted| wire::SubmissionSummary {
            number: submitted.number,
            at: submitted.at,
            reported: submitted.reported,
            total: submitted.total,
            flagged: submitted.flagged,
            needs_consent: submitted.needs_consent,
        }),
        closed_at: month.closed,
        reason: month.reason,
    }
}

/// What waits for the caller.
pub(super) fn actions(actions: service::MyActions) -> wire::MyActions {
    wire::MyActions {
        items: actions.items.into_iter().map(action).collect(),
        suspended: actions.suspended,
        next_at: actions.next,
    }
}

fn action(action: service::MyAction) -> wire::MyAction {
    wire::MyAction {
        action: match action.kind {
            service::ActionKind::Review => wire::ActionKind::Review,
            service::ActionKind::Submit => wire::ActionKind::Submit,
            service::ActionKind::Resubmit => wire::ActionKind::Resubmit,
            service::ActionKind::SubmitPart => wire::ActionKind::SubmitPart,
            service::ActionKind::AwaitParts => wire::ActionKind::AwaitParts,
            service::ActionKind::Decide => wire::ActionKind::Decide,
            service::ActionKind::Consent => wire::ActionKind::Consent,
        },
        by: action.by,
        what: action.what,
        otherwise: action.otherwise,
        site: action.site.map(site),
        progress: action.progress.map(|progress| wire::Progress {
            expected: progress.expected,
            reported: progress.reported,
            blockers: progress.blockers.into_iter().map(blocker).collect(),
            flagged: progress.flagged,
            points: progress.points,
            difference: progress.difference,
            auto_submit_at: progress.auto_submit,
        }),
        month: summary(action.month),
    }
}

/// A month with its lines.
pub(super) fn month(month: service::Month) -> wire::MonthlyUsage {
    let head = &month.head;
    let needs_consent = month.lowered && head.vendor_consent.is_none();
    let waiting = head.state == cycle::UsageState::PendingDistributorReview;
    let submission = head.submitted.as_ref().map(|submitted| wire::SubmissionSummary {
        number: submitted.number,
        at: submitted.at,
        reported: submitted.reported,
        total: submitted.total,
        flagged: submitted.flagged,
        needs_consent: needs_consent && waiting,
    });
    let takes_two_people = month.takes_two();
    let head = month.head;
    wire::MonthlyUsage {
        summary: wire::MonthlyUsageSummary {
            id: head.id,
            provider: org(head.provider),
            period: head.period,
            state: state(head.state),
            distributor: org(head.distributor),
            due_at: head.due,
            late: head.late,
            decide_by: head.decide_by,
            submission,
            closed_at: head.closed,
            reason: head.reason,
        },
        agreement: wire::UsageAgreement {
            id: head.agreement.id,
            number: head.agreement.number,
            kind: match head.agreement.kind {
                AgreementKind::NoCommit => wire::AgreementKind::NoCommit,
                AgreementKind::Volume => wire::AgreementKind::Volume,
            },
        },
        opened_at: head.opened,
        awaited_until: head.awaited_until,
        submitted: head.submitted.map(|submitted| done((submitted.at, submitted.by))),
        decided: head.decided.map(done),
        vendor_consent: head.vendor_consent.map(done),
        takes_two_people,
        approved_first: head.approved_first.map(done),
        purchase_order: head.purchase_order,
        comment: head.comment,
        auto_submit_at: head.auto_submit,
        totals: wire::Totals {
            reported: month.totals.reported,
            commit: month.totals.commit,
            enforcement: month.totals.enforcement,
            overage: month.totals.overage,
            total: month.totals.total,
            free: month.totals.free,
        },
        previous_reported: month.previous,
        carried: month.carried,
        lowered: month.lowered,
        blockers: month.blockers.into_iter().map(blocker).collect(),
        lines: month.lines.into_iter().map(line).collect(),
        installations: month.installations.iter().map(|one| installation(one)).collect(),
        licenses: month.licenses.into_iter().map(license_month).collect(),
        by_hand: month.by_hand.iter().map(|one| license(one)).collect(),
        parts: month.parts.into_iter().map(part).collect(),
    }
}

fn product(product: &service::ProductOf) -> wire::ProductRef {
    wire::ProductRef {
        id: product.id,
        code: product.code.clone(),
        name: product.name.clone(),
        edition: product.edition.clone(),
    }
}

fn license(license: &service::LicenseOf) -> wire::LicenseRef {
    wire::LicenseRef {
        id: license.id,
        product: product(&license.product),
        company: license.company.as_deref().map(company),
        description: license.description.clone(),
    }
}

fn line(line: service::Line) -> wire::UsageLine {
    wire::UsageLine {
        id: line.own,
        product: product(&line.product),
        company: line.company.as_deref().map(company),
        license: line.license.map(|license| license.id),
        installation: line.installation.map(|one| wire::InstallationRef { id: one.id, name: one.name.clone() }),
        workload: line.workload.code.clone(),
        variant: line.workload.variant.clone(),
        workload_name: line.workload.name.clone(),
        unit: line.workload.unit.clone(),
        site: line.site,
        of_period: line.of_period,
        source: source(line.source),
        licensed: line.licensed,
        new: line.new,
        new_charged: line.new_charged,
        raw: line.raw,
        reported: line.reported,
        count: line.count,
        previous: line.previous,
        weight: line.weight,
        points: line.points,
        unmapped: line.unmapped,
        adjustment: line.adjustment.map(|made| wire::Adjustment {
            count: made.count,
            was: made.was,
            reason: made.reason.map(reason),
            note: made.note,
            made: done((made.at, made.by)),
            must_confirm: made.must_confirm,
        }),
        taken_out: line
            .taken_out
            .into_iter()
            .map(|taken| wire::TakenOut { units: taken.units, reason: taken.reason, note: taken.note })
            .collect(),
        entered: line.by.map(done),
        note: line.said.map(|(_, note)| note).unwrap_or_default(),
        tag: tenure_license::Hash::from_bytes(line.tag).to_string(),
        reviewed: line.reviewed.map(done),
        daily: line.daily,
        peak: line.peak.map(|(day, count)| wire::Peak { day, count }),
    }
}

fn installation(one: &service::Expected) -> wire::ExpectedInstallation {
    wire::ExpectedInstallation {
        id: one.id,
        name: one.name.clone(),
        license: one.license.id,
        source: source(one.source),
        contested: one.contested,
        revision: one.report.as_ref().map(|report| report.revision),
        reported_at: one.report.as_ref().map(|report| report.received),
        answered: one.answer.clone().map(done),
        seen_at: one.seen,
        suggested: one
            .suggested
            .iter()
            .map(|figure| wire::Figure {
                workload: figure.workload.clone(),
                variant: figure.variant.clone(),
                count: figure.count,
            })
            .collect(),
    }
}

fn license_month(one: service::LicenseMonth) -> wire::LicenseMonth {
    wire::LicenseMonth {
        license: license(&one.license),
        points: one.points,
        flags: one.flags.iter().map(ToString::to_string).collect(),
        shared: one.shared,
        contested: one.contested,
        extended: one.extended,
        waits_for: one.waits_for.map(|waits| waits.to_string()),
    }
}

fn part(part: service::SitePart) -> wire::SitePart {
    wire::SitePart {
        site: site(part.site),
        submitted: part.submitted.map(done),
        returned_reason: part.returned_reason,
        points: part.points,
    }
}

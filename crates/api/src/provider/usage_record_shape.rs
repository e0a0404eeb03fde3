//! What goes beyond the lines of a month, as the provider API shows it.

use tenure_core::{AgreementKind, Timestamp};
use tenure_license::{Counted, Hash, WorkloadRow};
use tenure_service as service;
use tenure_wire as wire;

use super::usage_shape::{company, org, reason, state, summary};

pub(super) fn event(event: service::TimelineEvent) -> wire::TimelineEvent {
    wire::TimelineEvent { at: event.at, by: event.by, verb: event.verb, text: event.text, details: event.details }
}

/// The reason that a query asks for.
pub(super) fn wanted(counted: wire::WorkloadCounted) -> Counted {
    match counted {
        wire::WorkloadCounted::Yes => Counted::Yes,
        wire::WorkloadCounted::New => Counted::New,
        wire::WorkloadCounted::Stale => Counted::Stale,
        wire::WorkloadCounted::Adjusted => Counted::Adjusted,
    }
}

fn counted(counted: Counted) -> wire::WorkloadCounted {
    match counted {
        Counted::Yes => wire::WorkloadCounted::Yes,
        Counted::New => wire::WorkloadCounted::New,
        Counted::Stale => wire::WorkloadCounted::Stale,
        Counted::Adjusted => wire::WorkloadCounted::Adjusted,
    }
}

fn workload(row: WorkloadRow) -> wire::Workload {
    wire::Workload {
        id: row.id,
        company: row.company,
        workload: row.workload,
        variant: row.variant,
        first_at: Timestamp::from_secs(row.first),
        last_at: Timestamp::from_secs(row.last),
        counted: counted(row.counted),
    }
}

pub(super) fn evidence(found: service::Evidence) -> wire::Evidence {
    wire::Evidence {
        period: found.period,
        installation: found.installation,
        revision: found.revision,
        received_at: found.received,
        root: found.named.map(|named| named.root.to_string()),
        named: found.named.map_or(0, |named| named.rows),
        arrived: found.arrived,
        whole: found.is_whole,
        reasons: found
            .reasons
            .into_iter()
            .map(|one| wire::ReasonCount {
                workload: one.workload,
                variant: one.variant,
                counted: counted(one.counted),
                rows: one.rows,
            })
            .collect(),
        items: found.rows.items.into_iter().map(workload).collect(),
        next: found.rows.next,
    }
}

fn product(named: service::Named<tenure_core::ProductId>) -> wire::ProductName {
    wire::ProductName { id: named.id, name: named.name }
}

pub(super) fn difference(found: service::Difference) -> wire::Difference {
    let row = |row: service::DifferenceRow| wire::DifferenceRow {
        product: product(row.product),
        company: row.company.as_ref().map(company),
        license: row.license,
        workload: row.workload,
        variant: row.variant,
        count_before: row.counts.0,
        count_now: row.counts.1,
        points_before: row.points.0,
        points_now: row.points.1,
    };
    wire::Difference {
        period: found.period,
        before: found.before,
        points_before: found.points.0,
        points_now: found.points.1,
        items: found.rows.into_iter().map(row).collect(),
    }
}

pub(super) fn invoice(invoice: service::Invoice) -> wire::Invoice {
    let item = |item: service::InvoiceItem| wire::InvoiceItem {
        product: item.product,
        workload: item.workload,
        variant: item.variant,
        of: item.of,
        count: item.count,
        weight: item.weight,
        points: item.points,
    };
    wire::Invoice {
        distributor: org(invoice.distributor),
        provider: org(invoice.provider),
        period: invoice.period,
        agreement: wire::UsageAgreement {
            id: invoice.agreement.id,
            number: invoice.agreement.number,
            kind: match invoice.agreement.kind {
                AgreementKind::NoCommit => wire::AgreementKind::NoCommit,
                AgreementKind::Volume => wire::AgreementKind::Volume,
            },
        },
        purchase_order: invoice.purchase_order,
        closed_at: invoice.closed,
        submission: invoice.submission.0,
        lines_hash: Hash::from_bytes(invoice.submission.1).to_string(),
        items: invoice.items.into_iter().map(item).collect(),
        totals: wire::Totals {
            reported: invoice.totals.reported,
            commit: invoice.totals.commit,
            enforcement: invoice.totals.enforcement,
            overage: invoice.totals.overage,
            total: invoice.totals.total,
            free: invoice.totals.free,
        },
    }
}

pub(super) fn receipt(receipt: service::ReceiptSummary) -> wire::ReceiptSummary {
    match receipt {
        service::ReceiptSummary::Submission { number, hash, received } => wire::ReceiptSummary {
            kind: wire::ReceiptKind::Submission,
            number,
            installation: None,
            name: String::new(),
            document: None,
            late: false,
            hash: hash.to_string(),
            received_at: received,
        },
        service::ReceiptSummary::Report { installation, name, document, revision, late, hash, received } => {
            wire::ReceiptSummary {
                kind: wire::ReceiptKind::Report,
                number: revision,
                installation: Some(installation),
                name,
                document: Some(document),
                late,
                hash: hash.to_string(),
                received_at: received,
            }
        }
    }
}

pub(super) fn missed(missed: service::MissedDeadline) -> wire::MissedDeadline {
    wire::MissedDeadline { month: summary(missed.month), submitted_at: missed.submitted, days_late: missed.days_late }
}

pub(super) fn correction(one: service::Correction) -> wire::Correction {
    let (origin, installation, document, by, why, note) = match one.origin {
        service::CorrectionOrigin::Report { installation, document } => (
            wire::CorrectionOrigin::Report,
            Some(installation),
            Some(document),
            "the server".to_owned(),
            None,
            String::new(),
        ),
        service::CorrectionOrigin::ByHand { by, reason, note } => {
            (wire::CorrectionOrigin::ByHand, None, None, by.name, reason, note)
        }
    };
    wire::Correction {
        id: one.id,
        of: one.of,
        billed_in: one.billed_in,
        state: one.state.map(state),
        product: product(one.product),
        company: one.company.as_ref().map(company),
        license: one.license,
        workload: one.workload,
        variant: one.variant,
        delta: one.delta,
        weight: one.weight,
        points: one.points,
        origin,
        installation,
        document,
        entered: wire::Done { at: one.at, by },
        reason: why.map(reason),
        note,
    }
}

//! What is kept beside the lines: who did what, the workloads behind a figure, receipts, invoices, marks.

use tenure_core::{roles::Role, totals::Totals};
use tenure_license::{
    Envelope, EvidenceRef, Receipt, ReceiptSubject, WorkloadEvidence, WorkloadRow, evidence_root,
    payload::{Counted, Outcome, ReportStage},
    sign, verify_with_key,
};
use tenure_service::{
    EvidenceFilter, Paging, ProblemKind, ReceiptSummary, check_totals, list_receipts, mark_reviewed, month_difference,
    month_timeline, save_report, save_submission, view_evidence, view_invoice,
};
use tenure_testkit::TestInstallation;

use crate::world::{Terms, World, kind, line, own, period, points};

fn rows() -> Vec<WorkloadRow> {
    let row = |n: i64, counted| WorkloadRow {
        id: format!("{n:064x}"),
        company: String::new(),
        workload: "host".to_owned(),
        variant: String::new(),
        first: 1_767_000_000 + n,
        last: 1_769_800_000 + n,
        counted,
    };
    let counted = [Counted::Yes, Counted::Yes, Counted::Yes, Counted::New, Counted::Stale, Counted::Adjusted];
    counted.into_iter().zip(0..).map(|(counted, n)| row(n, counted)).collect()
}

/// Sends a report of three hosts with the rows behind it; all but the last `missing` parts arrive.
async fn evidenced(world: &World, server: &mut TestInstallation, missing: usize) {
    let rows = rows();
    let root = evidence_root(&rows);
    let mut report = server.report(period("2026-01"), 1, ReportStage::Final, &[("host", "", 3, 1)]);
    report.evidence = Some(EvidenceRef { root, rows: 6, parts: 3 });
    assert_eq!(world.report(server, &report).await, Outcome::Accepted);
    let parts: Vec<Envelope> = rows
        .chunks(2)
        .zip(0..)
        .map(|(rows, part)| {
            let evidence = WorkloadEvidence {
                v: 1,
                aud: server.aud,
                ins: server.ins,
                period: period("2026-01"),
                root,
                part,
                rows: rows.to_vec(),
                crit: Vec::new(),
            };
            sign(&evidence, &[&server.key]).into_envelope()
        })
        .take(3 - missing)
        .collect();
    // In any order.
    let parts = parts.into_iter().rev().collect();
    assert!(world.send(server, parts).await.docs.iter().all(|doc| doc.outcome == Outcome::Accepted));
}

#[tokio::test]
async fn from_a_figure_to_the_workloads_behind_it() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-01T12:00:00Z").await;
    evidenced(&world, &mut server, 0).await;
    let view = async |filter: EvidenceFilter, paging: Paging| {
        view_evidence(world.service(), &world.ada, own("2026-01"), server.ins, &filter, &paging).await
    };
    let found = view(EvidenceFilter::default(), Paging { cursor: None, limit: Some(4) }).await.expect("evidence");
    assert_eq!((found.arrived, found.is_whole, found.revision), (6, true, 1));
    assert_eq!(found.named.map(|named| named.rows), Some(6));
    let reasons: Vec<(Counted, u32)> = found.reasons.iter().map(|one| (one.counted, one.rows)).collect();
    assert_eq!(
        reasons,
        [(Counted::Yes, 3), (Counted::New, 1), (Counted::Stale, 1), (Counted::Adjusted, 1)],
        "why each counts or not"
    );
    assert_eq!(found.rows.items, rows()[..4]);
    let rest = view(EvidenceFilter::default(), Paging { cursor: found.rows.next, limit: Some(4) }).await.expect("more");
    assert_eq!((rest.rows.items.as_slice(), rest.rows.next), (&rows()[4..], None));
    let new = EvidenceFilter { counted: Some(Counted::New), ..EvidenceFilter::default() };
    let new = view(new, Paging::default()).await.expect("evidence");
    assert_eq!(new.rows.items, rows()[3..4]);

    let stranger = world.beside("southlight").await;
    let january = world.id("2026-01").await;
    let (filter, paging) = (EvidenceFilter::default(), Paging::default());
    let foreign = view_evidence(world.service(), &stranger.ada, january, server.ins, &filter, &paging);
    assert_eq!(kind(foreign.await), ProblemKind::NotFound);
}

#[tokio::test]
async fn evidence_that_is_not_whole_says_so() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-01T12:00:00Z").await;
    evidenced(&world, &mut server, 1).await;
    let (filter, paging) = (EvidenceFilter::default(), Paging::default());
    let found = view_evidence(world.service(), &world.ada, own("2026-01"), server.ins, &filter, &paging);
    let found = found.await.expect("evidence");
    assert_eq!((found.arrived, found.is_whole), (4, false));
}

#[tokio::test]
async fn the_timeline_says_who_did_what() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-01T12:00:00Z").await;
    world.app.clock.advance_secs(60);
    let later = || world.app.clock.advance_secs(60);
    world.hosts(&mut server, "2026-01", 9).await;
    later();
    tenure_service::start_review(world.service(), &world.ada, own("2026-01")).await.expect("started");
    later();
    world.adjust("2026-01", &server, 11, None).await.expect("raised");
    later();
    world.submit("2026-01").await.expect("submitted");
    later();
    world.reject("2026-01", "Why eleven?").await.expect("rejected");
    later();
    world.submit("2026-01").await.expect("again");
    later();
    world.approve("2026-01").await.expect("approved");
    let mut events = Vec::new();
    let mut paging = Paging { cursor: None, limit: Some(3) };
    loop {
        let page =
            month_timeline(world.service(), &world.luc, world.id("2026-01").await, &paging).await.expect("a page");
        events.extend(page.items);
        paging.cursor = page.next;
        if paging.cursor.is_none() {
            break;
        }
    }
    let told: Vec<(&str, &str)> = events.iter().map(|event| (event.by.as_str(), event.verb.as_str())).collect();
    let (ada, luc) = ("ada@northlight.example", "luc@lakeside.example");
    assert_eq!(
        told,
        [
            ("the server", "usage.opened"),
            ("backup.contoso.example", "report.received"),
            (ada, "usage.review_started"),
            (ada, "usage.adjusted"),
            (ada, "usage.submitted"),
            (luc, "usage.rejected"),
            (ada, "usage.submitted"),
            (luc, "usage.approved"),
        ]
    );
    assert_eq!(events[3].text, "host: 11 instead of 9.");
    assert_eq!(events[5].text, "Rejected: Why eleven?");
}

#[tokio::test]
async fn a_month_is_compared_with_the_one_before() {
    let world = World::new().await;
    let mut same = world.licensed_server("contoso").await;
    let mut grows = world.licensed_server("fabrikam").await;
    world.at("2026-02-01T12:00:00Z").await;
    world.hosts(&mut same, "2026-01", 9).await;
    world.hosts(&mut grows, "2026-01", 4).await;
    world.monitored("2026-01", 5).await.expect("a manual line");
    let none = month_difference(world.service(), &world.ada, own("2026-01")).await;
    assert_eq!(kind(none), ProblemKind::NotFound, "there is none before");
    world.submit("2026-01").await.expect("submitted");
    world.at("2026-03-01T12:00:00Z").await;
    world.hosts(&mut same, "2026-02", 9).await;
    world.hosts(&mut grows, "2026-02", 10).await;
    let found = month_difference(world.service(), &world.ada, own("2026-02")).await.expect("a difference");
    assert_eq!(found.points, (points("68.5"), points("85.5")));
    let rows: Vec<_> = found
        .rows
        .iter()
        .map(|row| (row.company.as_ref().map(|one| one.name.as_str()), row.workload.as_str(), row.counts))
        .collect();
    assert_eq!(
        rows,
        [(Some("fabrikam"), "host", (Some(4), Some(10))), (None, "monitored", (Some(5), None))],
        "the largest first, what is alike left out"
    );
}

#[tokio::test]
async fn receipts_are_kept_and_prove_what_was_received() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-01T12:00:00Z").await;
    world.hosts(&mut server, "2026-01", 9).await;
    world.submit("2026-01").await.expect("submitted");
    assert_eq!(world.revise(&mut server, "2026-01", (1, 9), 12).await, Outcome::Late);
    let list = list_receipts(world.service(), &world.ada, own("2026-01")).await.expect("receipts");
    assert_eq!(list.len(), 3);
    assert!(matches!(list[0], ReceiptSummary::Submission { number: 1, .. }));
    assert!(matches!(list[1], ReceiptSummary::Report { revision: 1, late: false, .. }));
    assert!(matches!(list[2], ReceiptSummary::Report { revision: 2, late: true, .. }));

    let root = world.app.root();
    for (revision, number) in [(None, 1), (Some(2), 2)] {
        let saved =
            save_report(world.service(), &world.ada, own("2026-01"), server.ins, revision).await.expect("a file");
        let receipt = root.verify_receipt_role::<Receipt>(&saved.receipt).expect("it verifies").into_inner();
        assert_eq!(receipt.hash, saved.report.hash());
        assert!(matches!(receipt.subject, ReceiptSubject::Document { ins, .. } if ins == server.ins));
        let key = saved.key.expect("the registered key");
        let report =
            verify_with_key::<tenure_license::UsageReport>(&saved.report, &key).expect("the product signed it");
        assert_eq!((report.revision, saved.roots.len()), (number, 1));
    }
    let none = save_report(world.service(), &world.ada, own("2026-01"), server.ins, Some(7)).await;
    assert_eq!(kind(none), ProblemKind::NotFound);

    let saved = save_submission(world.service(), &world.ada, own("2026-01"), None).await.expect("a file");
    let receipt = root.verify_receipt_role::<Receipt>(&saved.receipt).expect("it verifies").into_inner();
    assert_eq!(receipt.hash, tenure_license::Hash::sha256(&saved.lines), "exactly these lines");
    assert_eq!(check_totals(world.service()).await.expect("it can be read"), [], "what is signed agrees with itself");
}

#[tokio::test]
async fn x11_what_disagrees_with_its_lines_is_an_alarm_and_stays() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-01T12:00:00Z").await;
    world.hosts(&mut server, "2026-01", 9).await;
    world.submit("2026-01").await.expect("submitted");
    let (provider, january) = (world.provider, period("2026-01"));
    // A submission whose stored total is not that of its lines, as a hand in the database would leave it.
    let forge = async move |tx: &mut tenure_store::Tx| {
        let mut row = tenure_store::rows::submission::last(tx, provider, january).await?.expect("a submission");
        row.number = 2;
        row.reported += points("1");
        tenure_store::rows::submission::insert(tx, provider, january, &row).await
    };
    let queue = tenure_store::Queue::People;
    world.service().store().write::<_, tenure_store::StoreError, _>(queue, forge).await.expect("written");
    for _ in 0..2 {
        let found = check_totals(world.service()).await.expect("it can be read");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].provider, found[0].period, found[0].number), (provider, january, 2));
        assert_eq!(found[0].what, "its lines come to 40.5 points, and 41.5 were signed");
    }
}

#[tokio::test]
async fn only_a_closed_month_is_invoiced() {
    let world = World::under(Terms { commit: 200, ..Terms::default() }).await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-03-01T12:00:00Z").await;
    world.hosts(&mut server, "2026-02", 9).await;
    world.monitored("2026-02", 5).await.expect("a manual line");
    world.submit("2026-02").await.expect("submitted");
    assert_eq!(kind(view_invoice(world.service(), &world.ada, own("2026-02")).await), ProblemKind::MonthState);
    world.approve("2026-02").await.expect("approved");
    let which = world.id("2026-02").await;
    let invoice = view_invoice(world.service(), &world.luc, which).await.expect("an invoice");
    let items: Vec<(i64, String)> = invoice.items.iter().map(|item| (item.count, item.points.to_string())).collect();
    assert_eq!(items, [(9, "40.5".to_owned()), (5, "10".to_owned())]);
    let Totals { reported, enforcement, total, .. } = invoice.totals;
    assert_eq!((reported, enforcement, total), (points("50.5"), points("149.5"), points("200")));
    assert_eq!((invoice.purchase_order.as_str(), invoice.agreement.number.as_str()), ("PO-1", "RA-1"));
}

#[tokio::test]
async fn a_mark_holds_for_a_line_with_its_figure() {
    let world = World::new().await;
    let mut server = world.licensed_server("contoso").await;
    world.at("2026-02-01T12:00:00Z").await;
    world.hosts(&mut server, "2026-01", 9).await;
    let before = world.month("2026-01").await;
    let tag = line(&before, &server).tag;
    let mark = async |tags, on| mark_reviewed(world.service(), &world.ada, own("2026-01"), tags, on).await;
    assert_eq!(mark(vec![tag], true).await.expect("marked"), 1);
    assert_eq!(mark(vec![tag], true).await.expect("it is marked"), 0);
    let marked = world.month("2026-01").await;
    let reviewed = line(&marked, &server).reviewed.clone().expect("a mark");
    assert_eq!((reviewed.1.name.as_str(), marked.tag), ("ada@northlight.example", before.tag), "lines are the same");

    world.adjust("2026-01", &server, 11, None).await.expect("raised");
    let month = world.month("2026-01").await;
    assert_eq!(line(&month, &server).reviewed, None, "another figure is not reviewed yet");
    assert_eq!(kind(mark(vec![tag], true).await), ProblemKind::Changed);
    world.adjust("2026-01", &server, 12, None).await.expect("raised again");
    let tag = line(&world.month("2026-01").await, &server).tag;
    mark(vec![tag], true).await.expect("marked");
    assert_eq!(mark(vec![tag], false).await.expect("taken away"), 1);
    assert_eq!(kind(mark(Vec::new(), true).await), ProblemKind::InvalidInput);
    let reader = world.person(world.provider, "rea@northlight.example", Role::ProviderReadOnly, None).await;
    let refused = mark_reviewed(world.service(), &reader, own("2026-01"), vec![tag], true).await;
    assert_eq!(kind(refused), ProblemKind::Forbidden);
}

//! Whatever a product ever sent, sent again at any time, changes no row (C4): a replay is a repeat, or it is nothing.

use std::collections::BTreeMap;

use tenure_core::Week;
use tenure_license::{EvidenceRef, Hash, Outcome, ReportStage, UsageReport, WorkloadEvidence, evidence_root, sign};
use tenure_service::{Catalog, MonthRef, SubmitInput, approve_month, reject_month, submit_month};
use tenure_store::testing::{TestStore, dump};
use tenure_testkit::{TestApp, TestInstallation};

use crate::scene::Scene;

/// What the database holds, apart from counters of refusals.
async fn rows(app: &TestApp) -> BTreeMap<String, Vec<String>> {
    let mut read = app.service.store().read().await.expect("a snapshot");
    let mut rows = dump(&mut read).await;
    rows.retain(|table, _| !table.contains("refusal"));
    assert!(rows.len() > 20, "every table is looked at");
    rows
}

/// Sends everything again that was sent so far, oldest first and newest first; nothing changes.
async fn replay(scene: &Scene, after: &str) {
    let app = &scene.app;
    let recorded = app.recorded();
    let mut known: Vec<&tenure_testkit::Recorded> = Vec::new();
    for one in &recorded {
        if !known.iter().any(|other| other.path == one.path && other.body == one.body) {
            known.push(one);
        }
    }
    // What is committed and not signed yet is signed by whoever asks first; here the job does it.
    app.run_jobs().await;
    let before = rows(app).await;
    for one in known.iter().chain(known.iter().rev()) {
        let body = Some(one.body.clone());
        let answer = app.call(axum::http::Method::POST, &one.path, None, body, &[]).await;
        assert!(answer.status.as_u16() < 500, "{after}: {}", answer.text());
        let after_one = rows(app).await;
        for (table, held) in &before {
            let same = after_one.get(table) == Some(held);
            assert!(same, "{after}: {table} changed by {} {} ({})", one.path, one.body, answer.status);
        }
    }
}

fn report(
    server: &TestInstallation,
    revision: u32,
    stage: ReportStage,
    hosts: u32,
    replaces: Option<Hash>,
) -> UsageReport {
    let month = "2026-01".parse().expect("a month");
    UsageReport { replaces, ..server.report(month, revision, stage, &[("host", "", hosts, 0)]) }
}

async fn send(scene: &Scene, server: &mut TestInstallation, report: &UsageReport) -> Outcome {
    let envelope = server.sign_report(report);
    server.check_in(&scene.app, vec![envelope]).await.docs[0].outcome
}

async fn a_small_life(scene: Scene) {
    let app = &scene.app;
    let mut server = scene.server().await;
    let mut silent = scene.server().await;
    replay(&scene, "activation").await;
    server.check_in(app, Vec::new()).await;
    app.clock.set("2026-01-14T10:00:00Z");
    let week: Week = "2026-W02".parse().expect("a week");
    let mark = server.watermark(week, &[("host", "", 9)]);
    server.check_in(app, vec![mark]).await;
    replay(&scene, "a watermark").await;

    // A lost answer, and a machine that was set back and rejoins.
    let lost = server.request(&*app.rng, app.service.now(), &[]);
    let lost = server.exchange(&lost, Vec::new());
    let _ = TestInstallation::post(app, &lost).await.expect(200);
    let mut saved = server.clone();
    let mut next = server.request(&*app.rng, app.service.now(), &[]);
    next.unanswered = vec![lost.request.hash()];
    let next = server.exchange(&next, Vec::new());
    let answer = TestInstallation::post(app, &next).await.expect(200);
    server.absorb(app, &next, &answer);
    replay(&scene, "a lost answer").await;
    let again = saved.request(&*app.rng, app.service.now(), &[]);
    let again = saved.exchange(&again, Vec::new());
    let refused = TestInstallation::post(app, &again).await;
    saved.rejoin(app, &refused).await;
    let mut server = saved;
    replay(&scene, "a rejoin").await;

    // The month: preliminary with evidence, final, a fork, a late one.
    app.clock.set("2026-02-01T12:00:00Z");
    app.run_jobs().await;
    let rows = vec![tenure_license::WorkloadRow {
        id: "a".repeat(64),
        company: String::new(),
        workload: "host".to_owned(),
        variant: String::new(),
        first: 1_767_000_000,
        last: 1_769_800_000,
        counted: tenure_license::Counted::Yes,
    }];
    let root = evidence_root(&rows);
    let preliminary = UsageReport {
        evidence: Some(EvidenceRef { root, rows: 1, parts: 1 }),
        ..report(&server, 1, ReportStage::Preliminary, 9, None)
    };
    assert_eq!(send(&scene, &mut server, &preliminary).await, Outcome::Accepted);
    let period = "2026-01".parse().expect("a month");
    let part =
        WorkloadEvidence { v: 1, aud: server.aud, ins: server.ins, period, root, part: 0, rows, crit: Vec::new() };
    let part = sign(&part, &[&server.key]).into_envelope();
    server.check_in(app, vec![part]).await;
    replay(&scene, "a preliminary report").await;
    let first = server.sign_report(&preliminary).hash();
    let last = report(&server, 2, ReportStage::Final, 9, Some(first));
    assert_eq!(send(&scene, &mut server, &last).await, Outcome::Accepted);
    let fork = report(&server, 2, ReportStage::Final, 10, Some(first));
    assert_eq!(send(&scene, &mut server, &fork).await, Outcome::Conflict);
    let own = report(&silent, 1, ReportStage::Final, 4, None);
    assert_eq!(send(&scene, &mut silent, &own).await, Outcome::Accepted);
    replay(&scene, "final reports").await;

    // Submitted, rejected, submitted, closed; with what came in between.
    let own = MonthRef::Own("2026-01".parse().expect("a month"));
    let submit = async || {
        let seen = scene.january().await.tag;
        let input = SubmitInput { seen, purchase_order: None, comment: None };
        submit_month(&app.service, &scene.provider, own, input).await.expect("submitted");
    };
    submit().await;
    let third = report(&server, 3, ReportStage::Final, 11, Some(server.sign_report(&last).hash()));
    assert_eq!(send(&scene, &mut server, &third).await, Outcome::Late);
    replay(&scene, "the submission").await;
    let month = scene.january().await;
    let which = MonthRef::Id(month.head.id);
    reject_month(&app.service, &scene.distributor, which, month.tag, "again".to_owned()).await.expect("rejected");
    replay(&scene, "the rejection").await;
    submit().await;
    let seen = scene.january().await.tag;
    approve_month(&app.service, &scene.distributor, which, seen).await.expect("approved");
    let fourth = report(&server, 4, ReportStage::Final, 13, Some(server.sign_report(&third).hash()));
    assert_eq!(send(&scene, &mut server, &fourth).await, Outcome::Late);
    app.run_jobs().await;
    replay(&scene, "a late report").await;

    // Much later, everything is still what it was.
    server.check_in(app, Vec::new()).await;
    app.clock.set("2026-09-20T00:00:00Z");
    app.run_jobs().await;
    replay(&scene, "months of silence").await;
    app.clock.set("2027-08-20T00:00:00Z");
    app.run_jobs().await;
    replay(&scene, "more than a year").await;
}

#[tokio::test]
async fn c4_whatever_is_replayed_whenever_changes_no_row() {
    Box::pin(a_small_life(Scene::new().await)).await;
}

#[tokio::test]
async fn c4_whatever_is_replayed_on_postgresql_changes_no_row() {
    let postgres = TestStore::postgres().await;
    let app = TestApp::on_store(postgres.store.clone(), "2026-01-05T09:00:00Z", Catalog::sample()).await;
    Box::pin(a_small_life(Scene::on(app).await)).await;
}

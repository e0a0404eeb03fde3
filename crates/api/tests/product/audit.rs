//! Checkpoints in every answer, and a check of the log that finds whatever was done to it (protocol, 3).

use tenure_license::{CheckInAnswer, ReportStage};
use tenure_service::{AuditReport, MonthRef, SubmitInput, Witness, make_checkpoint, submit_month, verify_audit};
use tenure_store::{
    Queue, StoreError, Tx,
    testing::tamper::{Change, tamper},
};
use tenure_testkit::TestInstallation;

use crate::scene::Scene;

async fn checked(scene: &Scene, witnesses: &[Witness]) -> AuditReport {
    let store = scene.app.service.store();
    verify_audit(store, witnesses, Some((*scene.app.root()).clone()), &mut |_| ()).await.expect("the log can be read")
}

/// A witness as a product is one.
fn seen(answer: &CheckInAnswer) -> Witness {
    let cp = answer.cp.clone().expect("a checkpoint");
    Witness { k: cp.k, hash: cp.hash, epoch: answer.epoch, envelope: None }
}

/// A month of one server, with two checkpoints.
async fn lived() -> (Scene, TestInstallation, CheckInAnswer) {
    let scene = Scene::new().await;
    let mut server = scene.server().await;
    assert!(make_checkpoint(&scene.app.service).await.expect("a checkpoint"));
    scene.app.clock.set("2026-02-02T00:00:00Z");
    scene.app.run_jobs().await;
    let report = server.report("2026-01".parse().expect("a month"), 1, ReportStage::Final, &[("host", "", 9, 0)]);
    let report = server.sign_report(&report);
    server.check_in(&scene.app, vec![report]).await;
    scene.app.clock.advance_secs(10);
    scene.app.run_jobs().await;
    let answer = server.check_in(&scene.app, Vec::new()).await;
    (scene, server, answer)
}

#[tokio::test]
async fn e10_answers_name_the_newest_committed_checkpoint() {
    let scene = Scene::new().await;
    let mut server = scene.server().await;
    let service = &scene.app.service;
    assert_eq!(server.check_in(&scene.app, Vec::new()).await.cp, None, "there is none yet");
    assert!(make_checkpoint(service).await.expect("a checkpoint"));
    let first = server.check_in(&scene.app, Vec::new()).await.cp.expect("a checkpoint");
    assert_eq!(first.k, 1);
    assert!(!make_checkpoint(service).await.expect("nothing fails"), "at most every ten seconds");
    assert_eq!(server.check_in(&scene.app, Vec::new()).await.cp, Some(first.clone()));
    scene.app.clock.advance_secs(10);
    assert!(make_checkpoint(service).await.expect("a checkpoint"));
    let second = server.check_in(&scene.app, Vec::new()).await.cp.expect("a checkpoint");
    assert_eq!(second.k, 2);
    // Whatever is rolled back leaves no trace in what answers say, and the next commit links to what is there.
    let refused = async |tx: &mut Tx| {
        tx.ingest_leaf([7; 32], tenure_core::Timestamp::EPOCH);
        Err::<(), StoreError>(StoreError::Poisoned)
    };
    service.store().write(Queue::Products, refused).await.expect_err("it is rolled back");
    assert_eq!(server.check_in(&scene.app, Vec::new()).await.cp, Some(second));
    let report = checked(&scene, &[]).await;
    assert!(report.is_clean() && report.not_yet_anchored > 0, "{report:?}");
    scene.app.clock.advance_secs(10);
    make_checkpoint(service).await.expect("a checkpoint");
    scene.app.clock.advance_secs(10);
    assert!(!make_checkpoint(service).await.expect("nothing fails"), "nothing changed");
    assert_eq!(checked(&scene, &[]).await.not_yet_anchored, 0);
}

#[tokio::test]
async fn a_whole_log_is_whole_and_its_documents_are_covered() {
    let (scene, _, answer) = lived().await;
    let report = checked(&scene, &[seen(&answer)]).await;
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!((report.documents, report.receipted, report.witnesses), (1, 1, 1));
    assert!(report.checkpoints >= 2 && report.entries > 5 && report.leaves == 2, "{report:?}");
}

#[tokio::test]
async fn each_change_behind_the_program_is_found() {
    let cases = [
        (Change::Body, "its body is not what was chained"),
        (Change::DroppedEntry, "entries before it are missing"),
        (Change::DocumentBytes, "its bytes are not what was receipted"),
        (Change::SwappedDocument, "no entry of the log covers it"),
        (Change::DroppedDocument, "it was receipted and is gone"),
        (Change::DroppedLeaves, "its leaves are gone, and they are not past retention"),
        (Change::Checkpoint, "it is not what its hash says"),
    ];
    for (change, words) in cases {
        let (scene, _, answer) = lived().await;
        tamper(scene.app.service.store(), change).await;
        let report = checked(&scene, &[seen(&answer)]).await;
        let found = report.findings.iter().any(|finding| finding.says.contains(words));
        assert!(found, "{change:?}: {:?}", report.findings);
    }
}

#[tokio::test]
async fn a_truncated_tail_is_found_by_what_a_product_remembers() {
    let (scene, _, answer) = lived().await;
    // Cut so well that the database alone looks whole: checkpoints, lane and leaves agree.
    tamper(scene.app.service.store(), Change::CutTail(2)).await;
    let alone = checked(&scene, &[]).await;
    let links = alone.findings.iter().filter(|finding| !finding.place.starts_with("document"));
    let links = links.filter(|finding| !finding.place.starts_with("request")).count();
    assert_eq!(links, 0, "{:?}", alone.findings);
    let report = checked(&scene, &[seen(&answer)]).await;
    let cut = report.findings.iter().find(|finding| finding.says.contains("the log was cut off"));
    assert!(cut.is_some(), "{:?}", report.findings);
}

#[tokio::test]
async fn a_restore_excuses_what_came_after_the_backup_and_nothing_before() {
    let (scene, _, answer) = lived().await;
    let backup = scene.app.backup();
    let before = seen(&answer);
    scene.app.clock.advance_secs(3_600);
    let mut later = scene.server().await;
    make_checkpoint(&scene.app.service).await.expect("it is made");
    let after = seen(&later.check_in(&scene.app, Vec::new()).await);
    assert!(after.k > before.k);
    let restored = scene.app.restored(backup).await;
    let other = Witness { hash: after.hash, ..before.clone() };
    let heard = async |witness: &Witness| {
        let (store, root) = (restored.service.store(), Some((*restored.root()).clone()));
        verify_audit(store, std::slice::from_ref(witness), root, &mut |_| ()).await.expect("the log can be read")
    };
    assert!(heard(&before).await.is_clean());
    let lost = heard(&after).await;
    assert!(lost.is_clean() && lost.notes.iter().any(|note| note.contains("was lost when epoch 2 began")), "{lost:?}");
    let rewritten = heard(&other).await;
    assert!(rewritten.findings.iter().any(|finding| finding.says.contains("rewritten")), "{rewritten:?}");
}

#[tokio::test]
async fn x11_doctor_recomputes_what_was_signed() {
    let (scene, _, _) = lived().await;
    scene.app.clock.set("2026-02-04T09:00:00Z");
    scene.app.run_jobs().await;
    let own = MonthRef::Own("2026-01".parse().expect("a month"));
    let month = scene.january().await;
    let input = SubmitInput { seen: month.tag, purchase_order: None, comment: None };
    submit_month(&scene.app.service, &scene.provider, own, input).await.expect("it is submitted");
    let outside = tenure_service::Outside::at(std::env::temp_dir().join("tenure-no-such-witness"));
    let totals = async || {
        let (store, clock) = (scene.app.service.store(), &*scene.app.clock);
        let checks = tenure_service::examine(store, clock, Some(&scene.app.sealing), &outside).await;
        let checks = checks.expect("it can be examined");
        checks.into_iter().find(|check| check.name == "totals").expect("the check")
    };
    let fine = totals().await;
    assert_eq!(fine.verdict, tenure_service::Verdict::Ok, "{}", fine.says);
    assert!(fine.says.starts_with("1 submitted"), "{}", fine.says);
    tamper(scene.app.service.store(), Change::SubmittedTotal(scene.provider.org)).await;
    let wrong = totals().await;
    assert_eq!(wrong.verdict, tenure_service::Verdict::Fail);
    assert!(wrong.says.contains("2026-01"), "{}", wrong.says);
}

#[tokio::test]
async fn e11_what_a_crash_left_unsigned_is_signed_from_the_stored_bytes() {
    let scene = Scene::new().await;
    let mut server = scene.server().await;
    let first = server.held.clone().expect("a license");
    tamper(scene.app.service.store(), Change::Unsigned).await;
    // On demand: the product shows nothing, so the newest license rides along again.
    server.held = None;
    server.check_in(&scene.app, Vec::new()).await;
    assert_eq!(server.held, Some(first), "the same bytes, signed again");
    tamper(scene.app.service.store(), Change::Unsigned).await;
    scene.app.run_jobs().await;
    let mut read = scene.app.service.store().read().await.expect("a snapshot");
    let waiting = tenure_store::rows::issued_license::unsigned(&mut read, scene.provider.org, 10).await;
    assert_eq!(waiting.expect("they can be read"), [], "or by a job");
}

#[tokio::test]
async fn what_retention_dropped_is_told_apart_from_what_somebody_took() {
    let (scene, mut server, _) = lived().await;
    // Eighteen months later January's watermark, leaves and daily heads are past their time; its report is not.
    let week: tenure_core::Week = "2026-W04".parse().expect("a week");
    let mark = server.watermark(week, &[("host", "", 9)]);
    server.check_in(&scene.app, vec![mark]).await;
    scene.app.run_jobs().await;
    for month in 3..=18 {
        let at = tenure_core::Timestamp::EPOCH.plus_months(56 * 12 + month).plus_days(20);
        scene.app.clock.set_to(at);
        scene.app.run_jobs().await;
    }
    scene.app.clock.advance_secs(10);
    scene.app.run_jobs().await;
    let report = checked(&scene, &[]).await;
    assert!(report.is_clean(), "{:?}", report.findings);
    assert!(report.leaves_dropped > 0 && report.past_retention > 0, "{report:?}");
    assert!(report.notes.iter().any(|note| note.contains("past retention")), "{:?}", report.notes);
    assert_eq!(report.documents, 1, "the report is kept for years");
}

//! Reports and watermarks under identity rules (protocol, C1, T4, X4, A5).

use tenure_core::{LicenseId, Week};
use tenure_license::{DocOutcome, Envelope, Outcome, ReportStage};
use tenure_testkit::TestInstallation;

use crate::scene::Scene;

async fn send(scene: &Scene, server: &mut TestInstallation, document: Envelope) -> DocOutcome {
    server.check_in(&scene.app, vec![document]).await.docs.remove(0)
}

fn report(server: &TestInstallation, revision: u32, count: u32, replaces: Option<&Envelope>) -> Envelope {
    let period = "2026-01".parse().expect("a month");
    let mut report = server.report(period, revision, ReportStage::Final, &[("host", "", count, 0)]);
    report.replaces = replaces.map(Envelope::hash);
    server.sign_report(&report)
}

#[tokio::test]
async fn x4_revisions_replace_in_order_and_a_fork_contests() {
    let scene = Scene::new().await;
    let mut server = scene.server().await;
    let first = report(&server, 1, 9, None);
    assert_eq!(send(&scene, &mut server, first.clone()).await.outcome, Outcome::NotYet, "January has not ended");
    scene.app.clock.set("2026-02-02T00:00:00Z");
    let taken = send(&scene, &mut server, first.clone()).await;
    assert_eq!((taken.outcome, scene.counted(&server).await), (Outcome::Accepted, Some(9)));
    let again = send(&scene, &mut server, first.clone()).await;
    assert_eq!((again.outcome, &again.receipt), (Outcome::Repeated, &taken.receipt), "the receipt of then");

    let second = report(&server, 2, 11, Some(&first));
    assert_eq!(send(&scene, &mut server, second.clone()).await.outcome, Outcome::Accepted);
    assert_eq!(scene.counted(&server).await, Some(11));
    let other_second = report(&server, 2, 3, Some(&first));
    let conflict = send(&scene, &mut server, other_second).await;
    assert_eq!((conflict.outcome, conflict.have_revision), (Outcome::Conflict, Some(2)));
    assert!(conflict.receipt.is_some(), "both are kept");
    let contested = async || scene.january().await.installations.iter().any(|each| each.contested);
    assert!(contested().await, "a person or the next revision settles it");
    let third = report(&server, 3, 12, Some(&second));
    assert_eq!(send(&scene, &mut server, third).await.outcome, Outcome::Accepted);
    assert_eq!((scene.counted(&server).await, contested().await), (Some(12), false));
}

#[tokio::test]
async fn a5_t4_foreign_absent_and_untimely_documents_are_refused() {
    let scene = Scene::new().await;
    let mut server = scene.server().await;
    scene.app.clock.set("2026-02-02T00:00:00Z");
    scene.app.run_jobs().await;
    let period = "2026-01".parse().expect("a month");
    let mut foreign = server.report(period, 1, ReportStage::Final, &[("host", "", 9, 0)]);
    foreign.license = LicenseId::generate(scene.app.service.now(), &*scene.app.rng);
    let foreign = server.sign_report(&foreign);
    assert_eq!(send(&scene, &mut server, foreign).await.outcome, Outcome::Invalid, "another license");
    let before = server.report("2025-12".parse().expect("a month"), 1, ReportStage::Final, &[("host", "", 9, 0)]);
    let before = server.sign_report(&before);
    assert_eq!(send(&scene, &mut server, before).await.outcome, Outcome::TooOld, "before the activation");
    let mut short = server.report(period, 1, ReportStage::Final, &[("host", "", 9, 0)]);
    short.lines[0].daily.pop();
    let short = server.sign_report(&short);
    assert_eq!(send(&scene, &mut server, short).await.outcome, Outcome::Invalid, "not a figure for every day");
    let stranger = TestInstallation { key: tenure_license::SigningKey::from_seed(&[9; 32]), ..server.clone() };
    let forged = report(&stranger, 1, 9, None);
    assert_eq!(send(&scene, &mut server, forged).await.outcome, Outcome::Invalid, "signed by another key");
    let honest = report(&server, 1, 9, None);
    let request = server.request(&*scene.app.rng, scene.app.service.now(), &[honest]);
    let body = server.exchange(&request, Vec::new());
    let answer = TestInstallation::post(&scene.app, &body).await.expect(200);
    let answer = server.absorb(&scene.app, &body, &answer);
    assert_eq!(answer.docs[0].outcome, Outcome::Absent, "named, and not there");
    assert_eq!(scene.counted(&server).await, Some(0), "none of them counts: its line still awaits a figure");
}

#[tokio::test]
async fn a_watermark_is_for_one_completed_week() {
    let scene = Scene::new().await;
    let mut server = scene.server().await;
    let week: Week = "2026-W05".parse().expect("a week");
    let mark = server.watermark(week, &[("host", "", 9)]);
    scene.app.clock.set("2026-02-01T23:59:59Z");
    assert_eq!(send(&scene, &mut server, mark.clone()).await.outcome, Outcome::NotYet);
    scene.app.clock.set("2026-02-02T00:00:00Z");
    assert_eq!(send(&scene, &mut server, mark.clone()).await.outcome, Outcome::Accepted);
    assert_eq!(send(&scene, &mut server, mark).await.outcome, Outcome::Repeated);
}

#[tokio::test]
async fn x9_what_is_kept_of_a_month_is_bounded_whatever_becomes_of_it() {
    let scene = Scene::new().await;
    let mut server = scene.server().await;
    scene.app.clock.set("2026-02-02T12:00:00Z");
    let january = "2026-01".parse().expect("a month");
    let mut outcomes = Vec::new();
    // The newest revision first: those below it are kept, and replace nothing.
    for first in [200, 1, 65, 129] {
        let revisions = if first == 200 { 200..201 } else { first..first + 64 };
        let reports = revisions.map(|revision| {
            server.sign_report(&server.report(january, revision, ReportStage::Final, &[("host", "", 9, 0)]))
        });
        let reports = reports.collect();
        outcomes.extend(server.check_in(&scene.app, reports).await.docs.into_iter().map(|doc| doc.outcome));
    }
    let kept = outcomes.iter().filter(|outcome| **outcome == Outcome::Accepted).count();
    assert_eq!((kept, outcomes.last()), (128, Some(&Outcome::Invalid)), "{outcomes:?}");
    // Where it rejoins without an end, the newest returns are remembered.
    let tip = server.clone();
    for _ in 0..20 {
        server.check_in(&scene.app, Vec::new()).await;
        server = tip.clone();
        let request = server.request(&*scene.app.rng, scene.app.service.now(), &[]);
        let body = server.exchange(&request, Vec::new());
        let refused = TestInstallation::post(&scene.app, &body).await.expect(409);
        server.rejoin(&scene.app, &refused).await;
    }
    let mut read = scene.app.service.store().read().await.expect("a snapshot");
    let row = tenure_store::rows::chain::find(&mut read, server.ins).await.expect("it can be read").expect("its row");
    assert_eq!((row.rejoins.len(), row.superseded.len()), (16, 16));
}

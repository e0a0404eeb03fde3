//! Servers that a restored database lost together with their license: held until a person decides (protocol, 2.7).

use serde_json::{Value, json};
use tenure_license::{Envelope, Exchange, RejoinClass, ReportStage, SigningKey, UpdateResult, sign};
use tenure_service::{LicenseEdit, LicenseKey, Outside, Restore, edit_license, keep_outside, make_checkpoint};
use tenure_testkit::{Answer, TestApp, TestInstallation};

use crate::fleet::{Fleet, period};

const HELD: &str = "/api/v1/held-installations";

/// The deployment as it comes back from a backup that is older than the license and its server.
async fn lost() -> (Fleet, TestInstallation, Envelope) {
    let mut fleet = Fleet::new().await;
    let backup = fleet.app.backup();
    let license = fleet.license(fleet.company, true).await;
    let mut server = fleet.server(license, "bkp-01").await;
    fleet.app.clock.set("2026-02-02T12:00:00Z");
    server.check_in(&fleet.app, Vec::new()).await;
    let report = server.sign_report(&server.report(period("2026-01"), 1, ReportStage::Final, &[("host", "", 9, 0)]));
    fleet.app = fleet.app.restored(backup).await;
    fleet.app.run_jobs().await;
    (fleet, server, report)
}

/// Sends the report with what we once signed, as an agent does that is not known.
async fn shows(app: &TestApp, server: &mut TestInstallation, report: &Envelope) -> Answer {
    let request = server.request(&*app.rng, app.service.now(), std::slice::from_ref(report));
    let body = Exchange {
        activation_answer: Some(server.activation.clone()),
        activation_key: Some(server.key.public()),
        ..server.exchange(&request, vec![report.clone()])
    };
    TestInstallation::post(app, &body).await
}

async fn listed(fleet: &Fleet) -> Value {
    fleet.get(HELD).await.expect(200).json()["items"].clone()
}

#[tokio::test]
async fn c6_a_lost_server_without_its_license_is_held_until_a_person_confirms_it() {
    let (fleet, mut server, report) = lost().await;
    let app = &fleet.app;
    let refused = shows(app, &mut server, &report).await.expect(404);
    assert_eq!(refused.problem(), "unknown-key");
    assert!(refused.text().contains("held until a person"), "{}", refused.text());
    app.clock.set("2026-02-09T12:00:00Z");
    let _ = shows(app, &mut server, &report).await.expect(404);
    let items = listed(&fleet).await;
    let item = &items[0];
    assert_eq!((&item["id"], &item["host"]), (&json!(server.ins), &json!("bkp-01")), "{items}");
    assert_eq!((&item["license"], &item["documents"]), (&json!(server.license), &json!(1)));
    assert_eq!(item["first_heard_at"], "2026-02-02T12:00:00Z");
    assert_eq!(item["last_heard_at"], "2026-02-09T12:00:00Z");
    assert_eq!(fleet.get("/api/v1/installations").await.expect(200).json()["items"], json!([]), "nothing is promised");

    let license = fleet.license(fleet.company, true).await;
    let confirm = format!("{HELD}/{}/confirm", server.ins);
    let stranger = fleet.another_providers_token().await;
    let wanted = json!({ "license": license });
    assert_eq!(app.post(&stranger, &confirm, wanted.clone()).await.expect(404).problem(), "not-found");
    assert_eq!(fleet.post(&confirm, json!({ "license": server.license })).await.status, 404, "it is gone");
    let done = fleet.post(&confirm, wanted.clone()).await.expect(200).json();
    assert_eq!(done, json!({ "documents_taken": 1 }));
    assert_eq!(fleet.post(&confirm, wanted).await.expect(409).problem(), "installation-state");
    assert_eq!(listed(&fleet).await, json!([]));
    let line = fleet.line("2026-01", &server).await.expect("its line");
    assert_eq!(line.count, 9, "the report that was kept");

    // It goes on from what it really holds, which the database has lost.
    let answer = fleet.rejoined(&mut server).await;
    assert_eq!(answer.rejoined, Some(RejoinClass::ServerRestored));
    assert_eq!(answer.result, UpdateResult::Updated, "the one it shows is gone; the new one rides along");
    assert_eq!(server.held_license.as_ref().map(|held| held.license), Some(license));
    let again = server.check_in(app, vec![report]).await;
    assert!(again.result.is_good(), "{:?}", again.result);
    let receipt = again.docs[0].receipt.clone().expect("a receipt");
    let first: tenure_core::Timestamp = "2026-02-02T12:00:00Z".parse().expect("an instant");
    assert_eq!(receipt.received_at, first.as_secs(), "it counts from the day it came first (E3)");
}

/// What is sent by a machine that the database does not know any more.
async fn unknown(app: &TestApp, server: &mut TestInstallation) -> Answer {
    let none = server.sign_report(&server.report(period("2026-01"), 9, ReportStage::Final, &[("host", "", 1, 0)]));
    shows(app, server, &none).await
}

#[tokio::test]
async fn e1_what_a_license_in_the_field_says_outlives_a_restore_whoever_comes_first() {
    for first in [false, true] {
        let mut fleet = Fleet::new().await;
        let license = fleet.license(fleet.company, false).await;
        let mut known = fleet.server(license, "bkp-01").await;
        let ends = async |fleet: &Fleet, day: &str| {
            let edit = LicenseEdit { description: None, workloads: None, last_day: day.parse().ok() };
            let key = LicenseKey::License(license);
            edit_license(&fleet.app.service, &fleet.provider, key, edit, None).await.expect("it is edited");
        };
        ends(&fleet, "2026-06-30").await;
        known.check_in(&fleet.app, Vec::new()).await;
        let backup = fleet.app.backup();
        fleet.app.clock.advance_secs(3_600);
        ends(&fleet, "2026-11-30").await;
        known.check_in(&fleet.app, Vec::new()).await;
        let mut lost = fleet.server(license, "bkp-02").await;
        lost.check_in(&fleet.app, Vec::new()).await;
        let end = |server: &TestInstallation| server.held_license.as_ref().expect("a license").expires_at;
        let prolonged = end(&lost);
        assert_eq!(end(&known), prolonged);

        fleet.app.clock.advance_secs(3_600);
        fleet.app = fleet.app.restored(backup).await;
        for turn in [first, !first] {
            if turn {
                fleet.rejoined(&mut known).await;
            } else {
                // It is created again, which issues licenses, before anybody has shown what the database lost.
                let refused = unknown(&fleet.app, &mut lost).await.expect(409);
                lost.rejoin(&fleet.app, &refused).await;
            }
        }
        for server in [&mut known, &mut lost] {
            server.check_in(&fleet.app, Vec::new()).await;
            assert_eq!(end(server), prolonged, "{first}");
        }

        // What a person says after the restore is newer than what any product holds.
        ends(&fleet, "2026-03-31").await;
        for server in [&mut known, &mut lost] {
            server.check_in(&fleet.app, Vec::new()).await;
            assert!(end(server) < prolonged);
        }
    }
}

#[tokio::test]
async fn e4_a_server_that_was_voided_after_the_backup_does_not_come_back() {
    let mut fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let backup = fleet.app.backup();
    let dir = tempfile::tempdir().expect("a directory");
    let outside = Outside::at(dir.path().join("witness"));
    fleet.app.service.keep_outside(outside.clone());
    fleet.app.clock.advance_secs(3_600);
    let (mut thief, mut honest) = (fleet.server(license, "elsewhere").await, fleet.server(license, "bkp-01").await);
    let _ = fleet.post(&format!("/api/v1/installations/{}/void", thief.ins), json!({})).await.expect(200);
    make_checkpoint(&fleet.app.service).await.expect("a checkpoint");
    keep_outside(&fleet.app.service).await.expect("the files are written");

    let known = outside.high_water().expect("it can be read");
    let revocations = outside.revocations().expect("they can be read");
    let input = Restore { why: "a test".to_owned(), known, revocations };
    fleet.app = fleet.app.restored_as(backup, input).await;
    let refused = unknown(&fleet.app, &mut thief).await.expect(404);
    assert!(refused.text().contains("took it out"), "{}", refused.text());
    assert_eq!(listed(&fleet).await, json!([]), "nobody is asked to confirm it");
    let _ = unknown(&fleet.app, &mut honest).await.expect(200);
}

#[tokio::test]
async fn c7_an_activation_that_the_database_lost_halts_the_server() {
    let mut fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let backup = fleet.app.backup();
    fleet.app.clock.advance_secs(3_600);
    let mut server = fleet.server(license, "bkp-01").await;
    fleet.app = fleet.app.put_back(backup).await;
    assert_eq!(unknown(&fleet.app, &mut server).await.expect(503).problem(), "halted");
    assert!(fleet.app.service.must_go_on().is_err(), "nothing is signed any more");
    fleet.app = fleet.app.restored(fleet.app.backup()).await;
    let since = fleet.app.service.deployment().since.expect("an epoch began");
    assert!(since.as_secs() < fleet.app.service.now().as_secs(), "all since the loss is asked for");
    let _ = unknown(&fleet.app, &mut server).await.expect(200);
}

#[tokio::test]
async fn c6_of_a_lost_server_only_what_it_signed_and_named_is_kept() {
    let (fleet, mut server, report) = lost().await;
    let foreign = SigningKey::generate(&*fleet.app.rng);
    let unnamed = server.sign_report(&server.report(period("2026-01"), 2, ReportStage::Final, &[("host", "", 8, 0)]));
    let forged = sign(&server.report(period("2026-01"), 3, ReportStage::Final, &[("host", "", 7, 0)]), &[&foreign]);
    let named = [report, forged.into_envelope()];
    let request = server.request(&*fleet.app.rng, fleet.app.service.now(), &named);
    let mut body = server.exchange(&request, named.into_iter().chain([unnamed]).collect());
    body.activation_answer = Some(server.activation.clone());
    body.activation_key = Some(server.key.public());
    let _ = TestInstallation::post(&fleet.app, &body).await.expect(404);
    assert_eq!(listed(&fleet).await[0]["documents"], json!(1));
}

#[tokio::test]
async fn c6_what_a_person_refused_is_not_held_again() {
    let (fleet, mut server, report) = lost().await;
    let _ = shows(&fleet.app, &mut server, &report).await.expect(404);
    let refuse = format!("{HELD}/{}/refuse", server.ins);
    let _ = fleet.post(&refuse, json!({})).await.expect(204);
    assert_eq!(listed(&fleet).await, json!([]));
    let refused = shows(&fleet.app, &mut server, &report).await.expect(404);
    assert!(refused.text().contains("a person refused it"), "{}", refused.text());
    assert_eq!(listed(&fleet).await, json!([]));
    assert_eq!(fleet.post(&refuse, json!({})).await.expect(409).problem(), "installation-state");
}

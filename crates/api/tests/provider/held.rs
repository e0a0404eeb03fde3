//! Servers that a restored database lost together with their license: held until a person decides (protocol, 2.7).

use serde_json::{Value, json};
use tenure_license::{Envelope, Exchange, RejoinClass, ReportStage, UpdateResult};
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

//! Request files carried by hand: what a preview says, who may have one answered, and what comes back (A9, A10, C12).

use serde_json::{Value, json};
use tenure_core::DeploymentId;
use tenure_license::{
    ActivationAnswer, ActivationExchange, ActivationRequest, CheckInAnswer, Exchange, HostFacts, Nonce, OfflineAnswer,
    OfflineAsk, OfflineFile, OfflineReply, OfflineResponse, OutOfStep, Outcome, ReportStage, SigningKey, Verified,
    Versions, armor, offline_body, sign,
};
use tenure_testkit::{Answer, TestApp, TestInstallation, request_file};

use crate::fleet::{Fleet, period};

const TAKE: &str = "/api/v1/offline-requests";
const LOOK: &str = "/api/v1/offline-requests/preview";

async fn send(fleet: &Fleet, path: &str, file: &str) -> Answer {
    fleet.post(path, json!({ "file": file })).await
}

/// The answer as the machine that asked believes it: cover and body of one making, signed by the receipt key.
fn opened(app: &TestApp, taken: &Answer) -> (Verified<OfflineResponse>, OfflineReply) {
    let text = taken.json()["content"].as_str().expect("a file").to_owned();
    let file = OfflineFile::parse(armor::OFFLINE_RESPONSE, &text).expect("a response file");
    let cover = app.root().verify_receipt_role::<OfflineResponse>(&file.cover).expect("our signature");
    assert_eq!(cover.body, file.body_hash());
    (cover, file.read().expect("a reply"))
}

fn next_request(fleet: &Fleet, server: &mut TestInstallation) -> Exchange {
    let request = server.request(&*fleet.app.rng, fleet.app.service.now(), &[]);
    server.exchange(&request, Vec::new())
}

#[tokio::test]
async fn a9_a_preview_changes_nothing_and_says_what_taking_comes_to() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let mut server = fleet.server(license, "bkp-01").await;
    fleet.app.clock.set("2026-02-04T00:00:00Z");
    fleet.app.run_jobs().await;
    let report = server.sign_report(&server.report(period("2026-01"), 1, ReportStage::Final, &[("host", "", 9, 0)]));
    let request = server.request(&*fleet.app.rng, fleet.app.service.now(), std::slice::from_ref(&report));
    let body = server.exchange(&request, vec![report]);
    let file = server.request_file(&fleet.app, body);
    let before = fleet.shown(&server).await;
    for _ in 0..2 {
        let seen = send(&fleet, LOOK, &file).await.expect(200).json();
        assert_eq!((&seen["kind"], &seen["outcome"]), (&json!("check_in"), &json!("taken")));
        assert_eq!((&seen["host"], &seen["installation"]), (&json!("bkp-01"), &json!(server.ins)));
        assert_eq!(seen["documents"], json!([{"kind": "report", "about": "2026-01"}]));
        assert_eq!(seen["made_at"], "2026-02-04T00:00:00Z");
    }
    assert_eq!(fleet.shown(&server).await, before, "looking is not hearing from it");
    let taken = send(&fleet, TAKE, &file).await.expect(200);
    assert_eq!(taken.json()["needs_another"], false);
    let (cover, reply) = opened(&fleet.app, &taken);
    assert_eq!((cover.key, cover.req), (server.key.key_id(), opened_request(&file)));
    let OfflineAnswer::CheckIn(answer) = reply.answer else { panic!("a check-in was asked") };
    let verified = fleet.app.root().verify_receipt_role::<CheckInAnswer>(&answer.answer).expect("our answer");
    assert_eq!(verified.docs[0].outcome, Outcome::Accepted);
    assert_eq!(send(&fleet, LOOK, &file).await.expect(200).json()["outcome"], "again");
    let again = opened(&fleet.app, &send(&fleet, TAKE, &file).await.expect(200)).1;
    let OfflineAnswer::CheckIn(again) = again.answer else { panic!("a check-in was asked") };
    assert_eq!(again.answer.hash(), answer.answer.hash(), "the same answer");
    let log = fleet.get("/api/v1/audit?limit=50").await.expect(200).json();
    let carried = |entry: &&Value| entry["action"] == "installation.request_carried";
    assert_eq!(log["items"].as_array().map(|items| items.iter().filter(carried).count()), Some(2), "{log}");
}

#[tokio::test]
async fn a9_a_rotation_that_was_carried_is_answered_again_and_others_after_it() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let mut server = fleet.server(license, "bkp-01").await;
    let new = SigningKey::generate(&*fleet.app.rng);
    let body = server.rotation(&*fleet.app.rng, fleet.app.service.now(), &new);
    let file = server.request_file(&fleet.app, body);
    let mut answers = Vec::new();
    for outcome in ["taken", "again"] {
        assert_eq!(send(&fleet, LOOK, &file).await.expect(200).json()["outcome"], outcome);
        let OfflineAnswer::CheckIn(answer) = opened(&fleet.app, &send(&fleet, TAKE, &file).await.expect(200)).1.answer
        else {
            panic!("a check-in was asked")
        };
        answers.push(answer.answer.hash());
    }
    assert_eq!(answers[0], answers[1], "its answer's file was lost, and comes again");
}

fn opened_request(file: &str) -> tenure_license::Hash {
    let file = OfflineFile::parse(armor::OFFLINE_REQUEST, file).expect("a request file");
    let OfflineAsk::CheckIn(body) = file.read().expect("an ask") else { panic!("a check-in") };
    body.request.hash()
}

#[tokio::test]
async fn a9_only_the_installations_provider_has_its_file_answered() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let mut server = fleet.server(license, "bkp-01").await;
    let body = next_request(&fleet, &mut server);
    let file = server.request_file(&fleet.app, body.clone());
    let (vendor, stranger) = (fleet.vendor.clone(), fleet.another_providers_token().await);
    let at = async |token: &str, path| fleet.app.post(token, path, json!({ "file": file })).await;
    assert_eq!(at(&vendor, TAKE).await.status, 404);
    let _ = at(&vendor, LOOK).await.expect(200);
    for path in [LOOK, TAKE] {
        assert_eq!(at(&stranger, path).await.expect(404).problem(), "not-found");
        // As for a key that nobody here knows.
        let unknown = SigningKey::generate(&*fleet.app.rng);
        let foreign = Exchange::new(
            sign(&server.request(&*fleet.app.rng, fleet.app.service.now(), &[]), &[&unknown]).into_envelope(),
        );
        let req = foreign.request.hash();
        let foreign = request_file(&fleet.app, &unknown, req, &OfflineAsk::CheckIn(Box::new(foreign)), server.aud);
        assert_eq!(send(&fleet, path, &foreign).await.expect(404).problem(), "not-found");
    }
    assert_eq!(send(&fleet, LOOK, &file).await.expect(200).json()["outcome"], "taken", "nobody's try has taken it");
}

#[tokio::test]
async fn a9_what_was_made_for_another_server_or_changed_is_refused_and_said_so() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let mut server = fleet.server(license, "bkp-01").await;
    let body = next_request(&fleet, &mut server);
    let (req, ask) = (body.request.hash(), OfflineAsk::CheckIn(Box::new(body)));
    let other = DeploymentId::generate(fleet.app.service.now(), &*fleet.app.rng);
    let stranger = SigningKey::generate(&*fleet.app.rng);
    let own = request_file(&fleet.app, &server.key, req, &ask, server.aud);
    let mut swapped = OfflineFile::parse(armor::OFFLINE_REQUEST, &own).expect("a file");
    let emptied = Exchange::new(
        sign(&server.request(&*fleet.app.rng, fleet.app.service.now(), &[]), &[&server.key]).into_envelope(),
    );
    let other_request = OfflineAsk::CheckIn(Box::new(emptied));
    swapped.body = offline_body(&other_request);
    for (file, status, words) in [
        (request_file(&fleet.app, &server.key, req, &ask, other), 400, format!("made for server {other}")),
        (request_file(&fleet.app, &stranger, req, &ask, server.aud), 400, "another key".to_owned()),
        (request_file(&fleet.app, &server.key, req, &other_request, server.aud), 400, "another request".to_owned()),
        (swapped.to_text(armor::OFFLINE_REQUEST, &[]), 400, "changed after it was signed".to_owned()),
        (own[..own.len() / 2].to_owned(), 422, "the file is cut".to_owned()),
        (String::new(), 422, "`file`".to_owned()),
    ] {
        for path in [LOOK, TAKE] {
            let refused = send(&fleet, path, &file).await.expect(status);
            assert!(refused.text().contains(&words), "{words}: {}", refused.text());
        }
    }
    assert_eq!(send(&fleet, LOOK, &own).await.expect(200).json()["outcome"], "taken");
}

#[tokio::test]
async fn c12_files_are_taken_in_any_order_and_what_is_out_of_step_is_settled_by_another() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let mut server = fleet.server(license, "bkp-01").await;
    let first = next_request(&fleet, &mut server);
    let mut second = server.request(&*fleet.app.rng, fleet.app.service.now(), &[]);
    second.unanswered = vec![first.request.hash()];
    let second = server.exchange(&second, Vec::new());
    let mut third = server.request(&*fleet.app.rng, fleet.app.service.now(), &[]);
    third.unanswered = vec![first.request.hash(), second.request.hash()];
    let third = server.exchange(&third, Vec::new());
    let file = |body: &Exchange| server.request_file(&fleet.app, body.clone());
    let take = async |body: &Exchange| send(&fleet, TAKE, &file(body)).await.expect(200);
    assert_eq!(take(&second).await.json()["needs_another"], false);
    assert_eq!(send(&fleet, LOOK, &file(&first)).await.expect(200).json()["outcome"], "out_of_step");
    let late = take(&first).await;
    assert_eq!(late.json()["needs_another"], true);
    let OfflineAnswer::CheckIn(answer) = opened(&fleet.app, &late).1.answer else { panic!("a check-in") };
    let told = fleet.app.root().verify_receipt_role::<OutOfStep>(&answer.answer).expect("signed");
    assert_eq!(told.req, first.request.hash());
    assert_eq!(take(&third).await.json()["needs_another"], false, "it lists the one that moved the head");
}

#[tokio::test]
async fn a9_a_machine_without_a_network_is_activated_by_a_file() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let code = fleet.code(license).await;
    let key = SigningKey::generate(&*fleet.app.rng);
    let aud = fleet.app.service.deployment().id;
    let request = ActivationRequest {
        v: 1,
        aud,
        code,
        key: key.public(),
        product: "file-backup".to_owned(),
        nonce: Nonce::generate(&*fleet.app.rng),
        host: HostFacts { name: "vault-01".to_owned(), ..HostFacts::default() },
        versions: Versions { agent: "0.1.0".to_owned(), product: "1.0".to_owned() },
        at: fleet.app.service.now().as_secs(),
        crit: Vec::new(),
    };
    let body = ActivationExchange { request: sign(&request, &[&key]).into_envelope() };
    let file = request_file(&fleet.app, &key, body.request.hash(), &OfflineAsk::Activation(body.clone()), aud);
    let stranger = fleet.another_providers_token().await;
    for path in [LOOK, TAKE] {
        assert_eq!(fleet.app.post(&stranger, path, json!({ "file": file })).await.status, 404);
    }
    let seen = send(&fleet, LOOK, &file).await.expect(200).json();
    assert_eq!((&seen["kind"], &seen["outcome"]), (&json!("activation"), &json!("taken")));
    assert_eq!((&seen["host"], &seen["installation"]), (&json!("vault-01"), &Value::Null));
    assert_eq!(seen["license"], json!(license));
    assert_eq!(fleet.get("/api/v1/installations").await.expect(200).json()["items"], json!([]), "only looked at");
    let (cover, reply) = opened(&fleet.app, &send(&fleet, TAKE, &file).await.expect(200));
    assert_eq!(cover.key, key.key_id());
    let OfflineAnswer::Activation(answer) = reply.answer else { panic!("an activation") };
    let joined = fleet.app.root().verify_receipt_role::<ActivationAnswer>(&answer.answer).expect("ours");
    assert_eq!((joined.license, joined.key), (license, key.key_id()));
    assert_eq!(send(&fleet, LOOK, &file).await.expect(200).json()["outcome"], "again");
}

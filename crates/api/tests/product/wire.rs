//! What may happen to a request between two machines (protocol: C2, C9, C10, A8, A9).

use axum::{
    body::Body,
    http::{Method, Request},
};
use serde_json::{Value, json};
use tenure_core::DeploymentId;
use tenure_license::{Outcome, ReportStage, Signature, SigningKey, sign};
use tenure_testkit::{Answer, TestInstallation};

use crate::scene::Scene;

async fn post(scene: &Scene, body: &Value) -> Answer {
    scene.app.call(Method::POST, "/product/v1/check-in", None, Some(body.clone()), &[]).await
}

#[tokio::test]
async fn c2_a_document_in_another_envelope_is_the_same_document() {
    let scene = Scene::new().await;
    let mut server = scene.server().await;
    scene.app.clock.set("2026-02-02T00:00:00Z");
    let report = server.report("2026-01".parse().expect("a month"), 1, ReportStage::Final, &[("host", "", 9, 0)]);
    let once = server.sign_report(&report);
    let taken = server.check_in(&scene.app, vec![once.clone()]).await.docs.remove(0);
    assert_eq!(taken.outcome, Outcome::Accepted);

    // A second signature, as a rotation adds one.
    let other = SigningKey::generate(&*scene.app.rng);
    let twice = sign(&report, &[&server.key, &other]).into_envelope();
    assert_eq!(twice.hash(), once.hash());
    let again = server.check_in(&scene.app, vec![twice]).await.docs.remove(0);
    assert_eq!((again.outcome, &again.receipt), (Outcome::Repeated, &taken.receipt), "the receipt of then");

    // A proxy that writes the JSON anew: other order, other white space, other escapes.
    let request = server.request(&*scene.app.rng, scene.app.service.now(), std::slice::from_ref(&once));
    let body = server.exchange(&request, vec![once]);
    let plain = serde_json::to_value(&body).expect("a body");
    let envelope = |value: &Value| {
        let kind = value["payloadType"].as_str().expect("a type").replace('/', "\\/");
        format!(
            "{{ \"signatures\" :\n{},\t\"payloadType\": \"{kind}\", \"payload\": {} }}",
            value["signatures"], value["payload"]
        )
    };
    let text = format!(
        "{{\"documents\":[{}], \"request\" : {}}}",
        envelope(&plain["documents"][0]),
        envelope(&plain["request"])
    );
    let rewritten = Request::post("/product/v1/check-in").header("content-type", "application/json");
    let answer = scene.app.send(rewritten.body(Body::from(text)).expect("a request")).await.expect(200);
    let answer = server.absorb(&scene.app, &body, &answer);
    assert_eq!((answer.docs[0].outcome, &answer.docs[0].receipt), (Outcome::Repeated, &taken.receipt));
    let repeat = post(&scene, &plain).await.expect(200);
    let repeat = server.absorb(&scene.app, &body, &repeat);
    assert_eq!(repeat.nonce, answer.nonce, "the same request, answered with the stored answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c9_two_requests_at_once_move_the_head_once() {
    let scene = Scene::new().await;
    let mut server = scene.server().await;
    for _ in 0..20 {
        let request = server.request(&*scene.app.rng, scene.app.service.now(), &[]);
        let body = server.exchange(&request, Vec::new());
        let plain = serde_json::to_value(&body).expect("a body");
        let (one, other) = tokio::join!(post(&scene, &plain), post(&scene, &plain));
        let before = server.clone();
        let one = server.absorb(&scene.app, &body, &one.expect(200));
        let mut twin = before.clone();
        let other = twin.absorb(&scene.app, &body, &other.expect(200));
        assert_eq!(one.nonce, other.nonce, "the loser is answered as a repeat");

        // Two different requests from one head: one goes on, the other is out of step and changes nothing.
        let mut twin = server.clone();
        let mut bodies = Vec::new();
        for sender in [&mut server, &mut twin] {
            let request = sender.request(&*scene.app.rng, scene.app.service.now(), &[]);
            bodies.push(sender.exchange(&request, Vec::new()));
        }
        let as_json = |at: usize| serde_json::to_value(&bodies[at]).expect("a body");
        let (first, second) = (as_json(0), as_json(1));
        let (one, other) = tokio::join!(post(&scene, &first), post(&scene, &second));
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        let winner = usize::from(statuses[0] != 200);
        let (won, lost) = if winner == 0 { (one, other) } else { (other, one) };
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{}", lost.text());
        let refusal = TestInstallation::out_of_step(&scene.app, &lost);
        assert_eq!(refusal.seq, server.seq);
        server.absorb(&scene.app, &bodies[winner], &won);
    }
}

#[tokio::test]
async fn c10_two_machines_that_ask_alike_in_one_second_are_two() {
    let scene = Scene::new().await;
    let mut server = scene.server().await;
    let mut copy = server.clone();
    let (now, rng) = (scene.app.service.now(), &*scene.app.rng);
    let (one, other) = (server.request(rng, now, &[]), copy.request(rng, now, &[]));
    let mut alike = other.clone();
    alike.nonce = one.nonce;
    assert_eq!(alike, one, "they differ in nothing but the nonce");
    let _ = TestInstallation::post(&scene.app, &server.exchange(&one, Vec::new())).await.expect(200);
    let refused = TestInstallation::post(&scene.app, &copy.exchange(&other, Vec::new())).await;
    TestInstallation::out_of_step(&scene.app, &refused);
}

#[tokio::test]
async fn a8_what_is_too_much_is_refused_before_it_is_verified() {
    let scene = Scene::new().await;
    let mut server = scene.server().await;
    let request = server.request(&*scene.app.rng, scene.app.service.now(), &[]);
    let body = server.exchange(&request, Vec::new());
    let fine = serde_json::to_value(&body).expect("a body");

    let mut signatures = body.clone();
    let garbage = Signature { keyid: "garbage".to_owned(), sig: vec![0; 64] };
    signatures.request.signatures.extend(vec![garbage; 8]);
    let mut documents = fine.clone();
    documents["documents"] = json!(vec![fine["request"].clone(); 65]);
    let mut receipts = fine.clone();
    receipts["old_receipts"] = json!(vec![fine["request"].clone(); 65]);
    let mut payload = fine.clone();
    payload["request"]["payload"] = json!("A".repeat(1024 * 1024));
    let mut huge = fine.clone();
    huge["request"]["payload"] = json!("A".repeat(64 * 1024 * 1024));
    for (what, body) in [
        ("nine signatures", serde_json::to_value(&signatures).expect("a body")),
        ("65 documents", documents),
        ("65 receipts", receipts),
        ("a payload of a megabyte", payload),
        ("a body of 64 megabytes", huge),
    ] {
        let answer = post(&scene, &body).await;
        let status = answer.status.as_u16();
        assert!(matches!(status, 400 | 413 | 422), "{what}: {status} {}", answer.text());
    }
    let answer = post(&scene, &fine).await.expect(200);
    server.absorb(&scene.app, &body, &answer);
}

#[tokio::test]
async fn a9_what_is_for_another_server_is_refused_and_said_so() {
    let scene = Scene::new().await;
    let mut server = scene.server().await;
    let elsewhere = DeploymentId::generate(scene.app.service.now(), &*scene.app.rng);
    let mut request = server.request(&*scene.app.rng, scene.app.service.now(), &[]);
    request.aud = elsewhere;
    let refused = TestInstallation::post(&scene.app, &server.exchange(&request, Vec::new())).await;
    assert!(refused.status.is_client_error(), "{}", refused.text());
    assert!(refused.text().contains(&elsewhere.to_string()), "it names the other server: {}", refused.text());
    server.seq -= 1;
    let answer = server.check_in(&scene.app, Vec::new()).await;
    assert_eq!(answer.branch, 0, "nothing was changed by it");

    // Whoever carries a request carries it for the installation that signed it, whatever their own tenant is.
    let request = server.request(&*scene.app.rng, scene.app.service.now(), &[]);
    let body = server.exchange(&request, Vec::new());
    let plain = serde_json::to_value(&body).expect("a body");
    let carried = scene.app.call(Method::POST, "/product/v1/check-in", Some("tnr_of_somebody"), Some(plain), &[]).await;
    server.absorb(&scene.app, &body, &carried.expect(200));
}

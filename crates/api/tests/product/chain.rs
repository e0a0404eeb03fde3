//! Repeats, extensions, out of step, rejoins (protocol, 2): what a request may do to its installation's head.

use tenure_license::{CheckInAnswer, ExchangeAnswer, RejoinClass, UpdateResult};
use tenure_testkit::TestInstallation;

use crate::scene::Scene;

fn payload(answer: &tenure_testkit::Answer) -> Vec<u8> {
    let answer: ExchangeAnswer = serde_json::from_slice(&answer.body).expect("an answer");
    answer.answer.payload
}

#[tokio::test]
async fn c1_a_repeat_gets_the_same_answer_and_a_lost_answer_is_no_fork() {
    let scene = Scene::new().await;
    let mut server = scene.server().await;
    let request = server.request(&*scene.app.rng, scene.app.service.now(), &[]);
    let body = server.exchange(&request, Vec::new());
    let first = TestInstallation::post(&scene.app, &body).await.expect(200);
    scene.app.clock.advance_secs(3600);
    let again = TestInstallation::post(&scene.app, &body).await.expect(200);
    assert_eq!(payload(&first), payload(&again), "the stored answer, signed again");

    // The answer never arrived: the next request says so, and goes on from the answer before.
    let mut next = server.request(&*scene.app.rng, scene.app.service.now(), &[]);
    next.unanswered = vec![body.request.hash()];
    let next = server.exchange(&next, Vec::new());
    let answer = TestInstallation::post(&scene.app, &next).await.expect(200);
    let answer = server.absorb(&scene.app, &next, &answer);
    assert_eq!((answer.branch, answer.rejoined), (0, None));
    assert_eq!(answer.result, UpdateResult::UpToDate);
}

#[tokio::test]
async fn c4_a_replayed_request_changes_nothing() {
    let scene = Scene::new().await;
    let mut server = scene.server().await;
    let request = server.request(&*scene.app.rng, scene.app.service.now(), &[]);
    let recorded = server.exchange(&request, Vec::new());
    let answer = TestInstallation::post(&scene.app, &recorded).await.expect(200);
    server.absorb(&scene.app, &recorded, &answer);
    server.check_in(&scene.app, Vec::new()).await;
    for _ in 0..3 {
        let refused = TestInstallation::post(&scene.app, &recorded).await;
        let refusal = TestInstallation::out_of_step(&scene.app, &refused);
        assert_eq!((refusal.req, refusal.seq), (recorded.request.hash(), server.seq));
    }
    let answer = server.check_in(&scene.app, Vec::new()).await;
    assert_eq!((answer.branch, answer.result), (0, UpdateResult::UpToDate), "the victim goes on");
}

#[tokio::test]
async fn c5_a_machine_set_back_is_noted_and_a_clone_is_proven_at_the_third_check_in() {
    let scene = Scene::new().await;
    let mut server = scene.server().await;
    server.check_in(&scene.app, Vec::new()).await;
    let mut copy = server.clone();
    server.check_in(&scene.app, Vec::new()).await;

    // The copy comes from an earlier point: as a machine would that was set back.
    let refused = refused(&scene, &mut copy).await;
    let answer = copy.rejoin(&scene.app, &refused).await;
    assert_eq!((answer.rejoined, answer.branch), (Some(RejoinClass::SetBack), 1));
    assert_ne!(answer.result, UpdateResult::SuspendedClone, "nothing is proven yet");

    // The other speaks from exactly the tip it was left at: two machines are alive.
    let refused = self::refused(&scene, &mut server).await;
    let answer = server.rejoin(&scene.app, &refused).await;
    assert_eq!((answer.rejoined, answer.result), (Some(RejoinClass::Clone), UpdateResult::SuspendedClone));
    let answer: CheckInAnswer = server.check_in(&scene.app, Vec::new()).await;
    assert_eq!(answer.result, UpdateResult::SuspendedClone, "until a person tells them apart");
    assert_eq!(answer.license, None, "no license is renewed");
}

async fn refused(scene: &Scene, server: &mut TestInstallation) -> tenure_testkit::Answer {
    let request = server.request(&*scene.app.rng, scene.app.service.now(), &[]);
    let body = server.exchange(&request, Vec::new());
    TestInstallation::post(&scene.app, &body).await.expect(409)
}

#[tokio::test]
async fn a_challenge_dies_when_the_head_moves() {
    let scene = Scene::new().await;
    let mut server = scene.server().await;
    server.check_in(&scene.app, Vec::new()).await;
    let mut copy = server.clone();
    server.check_in(&scene.app, Vec::new()).await;
    let old = refused(&scene, &mut copy).await;
    server.check_in(&scene.app, Vec::new()).await;
    let refusal = TestInstallation::out_of_step(&scene.app, &old);
    let held = copy.held_answer.clone().expect("an answer is held");
    let mut request = copy.request(&*scene.app.rng, scene.app.service.now(), &[]);
    request.seq = server.seq + 10;
    request.rejoin = Some(tenure_license::Rejoin { challenge: refusal.challenge, held: held.hash() });
    let mut body = copy.exchange(&request, Vec::new());
    body.held_answer = Some(held);
    let answer = TestInstallation::post(&scene.app, &body).await;
    assert_eq!(answer.status, 409, "{}", answer.text());
}

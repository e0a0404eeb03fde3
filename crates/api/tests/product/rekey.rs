//! An installation hands over to a new key (protocol, 2.7), and what happens when the server lost it.

use tenure_license::{CheckInAnswer, ExchangeAnswer, Outcome, ReportStage, SigningKey, UpdateResult};
use tenure_testkit::{TestApp, TestInstallation};

use crate::scene::Scene;

fn new_key(app: &TestApp) -> SigningKey {
    SigningKey::generate(&*app.rng)
}

fn payload(answer: &tenure_testkit::Answer) -> Vec<u8> {
    serde_json::from_slice::<ExchangeAnswer>(&answer.body).expect("an answer").answer.payload
}

#[tokio::test]
async fn rotation_of_an_installation_binds_the_next_license_to_the_new_key() {
    let scene = Scene::new().await;
    let (app, mut server) = (&scene.app, scene.server().await);
    server.check_in(app, Vec::new()).await;
    let before = server.held.clone().expect("a license").serial;
    let old = SigningKey::from_seed(&server.key.seed());
    let new = new_key(app);
    let rotation = server.rotation(&*app.rng, app.service.now(), &new);
    let first = TestInstallation::post(app, &rotation).await.expect(200);
    let answer = server.absorb(app, &rotation, &first);
    assert_eq!(answer.result, UpdateResult::Updated);
    let license = server.held_license.clone().expect("a license");
    assert_eq!(license.installation.expect("a binding").key, new.key_id());
    assert_eq!(license.serial, before + 1);

    // The exact repeat of the rotation is answered as ever; anything else of the old key is refused.
    let again = TestInstallation::post(app, &rotation).await.expect(200);
    assert_eq!(payload(&first), payload(&again));
    let request = server.request(&*app.rng, app.service.now(), &[]);
    let by_old = server.exchange(&request, Vec::new());
    let refused = TestInstallation::post(app, &by_old).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (403, "key-retired"));

    // A document that the old key signed before is still its own; the new key speaks.
    app.clock.set("2026-02-02T00:00:00Z");
    let january = "2026-01".parse().expect("a month");
    let report = server.report(january, 1, ReportStage::Final, &[("host", "", 9, 0)]);
    let report = server.sign_report(&report);
    server.key = new;
    let answer = server.check_in(app, vec![report]).await;
    assert_eq!(answer.docs[0].outcome, Outcome::Accepted);
    // Another installation's old key is no better than a stranger's.
    let mut stranger = scene.server().await;
    let own = SigningKey::from_seed(&stranger.key.seed());
    let foreign = stranger.report(january, 1, ReportStage::Final, &[("host", "", 9, 0)]);
    stranger.key = old;
    let foreign = stranger.sign_report(&foreign);
    stranger.key = own;
    let answer = stranger.check_in(app, vec![foreign]).await;
    assert_eq!(answer.docs[0].outcome, Outcome::Invalid);
}

#[tokio::test]
async fn rotation_whose_answer_was_lost_is_no_fork() {
    let scene = Scene::new().await;
    let (app, mut server) = (&scene.app, scene.server().await);
    let new = new_key(app);
    let rotation = server.rotation(&*app.rng, app.service.now(), &new);
    let _ = TestInstallation::post(app, &rotation).await.expect(200);
    // The answer never came: the next request hands over again, signed by both, and lists the one before.
    let mut next = server.request(&*app.rng, app.service.now(), &[]);
    next.unanswered = vec![rotation.request.hash()];
    next.new_key = Some(new.public());
    let body = tenure_license::Exchange::new(tenure_license::sign(&next, &[&new, &server.key]).into_envelope());
    let answer = TestInstallation::post(app, &body).await.expect(200);
    let answer = server.absorb(app, &body, &answer);
    assert_eq!((answer.branch, answer.rejoined), (0, None));
    server.key = new;
    assert_eq!(server.check_in(app, Vec::new()).await.result, UpdateResult::UpToDate);
}

#[tokio::test]
async fn c11_rotation_to_a_key_that_was_ever_used_is_refused() {
    let scene = Scene::new().await;
    let (app, mut server, other) = (&scene.app, scene.server().await, scene.server().await);
    let taken = SigningKey::from_seed(&other.key.seed());
    let rotation = server.rotation(&*app.rng, app.service.now(), &taken);
    let refused = TestInstallation::post(app, &rotation).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (409, "key-refused"));
    assert!(!refused.text().contains(&other.ins.to_string()), "where it is registered is nobody's business");
    server.seq -= 1;
    let answer = server.check_in(app, Vec::new()).await;
    assert_eq!(answer.seq, 1, "nothing moved");

    // One signature is not enough, whichever it is.
    let new = new_key(app);
    let mut rotation = server.rotation(&*app.rng, app.service.now(), &new);
    rotation.request.signatures.truncate(1);
    let refused = TestInstallation::post(app, &rotation).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (400, "bad-signature"));
    let mut rotation = server.rotation(&*app.rng, app.service.now(), &new);
    rotation.request.signatures.remove(0);
    let refused = TestInstallation::post(app, &rotation).await;
    assert_eq!(refused.problem(), "unknown-key");
    server.check_in(app, Vec::new()).await;
}

/// The next check-in with everything that a product shows when it is not known.
async fn reminding(app: &TestApp, server: &mut TestInstallation) -> tenure_testkit::Answer {
    let request = server.request(&*app.rng, app.service.now(), &[]);
    let mut body = server.exchange(&request, Vec::new());
    let unknown = TestInstallation::post(app, &body).await;
    assert_eq!((unknown.status.as_u16(), unknown.problem().as_str()), (404, "unknown-key"));
    body.activation_answer = Some(server.activation.clone());
    body.activation_key = Some(server.key.public());
    TestInstallation::post(app, &body).await
}

#[tokio::test]
async fn rotation_lost_with_its_installation_is_believed_on_our_own_older_signature() {
    let scene = Scene::new().await;
    let backup = scene.app.backup();
    let mut server = scene.server().await;
    for _ in 0..3 {
        server.check_in(&scene.app, Vec::new()).await;
    }
    let app = scene.app.restored(backup).await;
    // It is known again, and comes from a point that we lost: out of step, then a rejoin that flags nobody.
    let refused = reminding(&app, &mut server).await;
    let answer: CheckInAnswer = server.rejoin(&app, &refused).await;
    assert_eq!(answer.rejoined, Some(tenure_license::RejoinClass::ServerRestored));
    assert_eq!((answer.epoch, answer.branch), (2, 0));
    assert!(answer.result.is_good(), "{:?}", answer.result);
    assert_eq!(server.held.as_ref().expect("a license").epoch, 2);
    assert_eq!(server.check_in(&app, Vec::new()).await.result, UpdateResult::UpToDate);

    // A key of its own making proves nothing.
    let mut forged = scene.server().await;
    forged.key = new_key(&app);
    let refused = reminding(&app, &mut forged).await;
    assert_eq!(refused.problem(), "unknown-key");
}

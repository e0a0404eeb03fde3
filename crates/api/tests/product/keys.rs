//! The deployment's own keys: rotation with an overlap, a stolen key revoked, a key that runs out.

use axum::http::Method;
use tenure_core::key_life::{KeyState, ONLINE_DAYS, OVERLAP_DAYS};
use tenure_license::{CheckInAnswer, Envelope, KeyRole, LicenseFile, Root, UpdateResult, VerifyError};
use tenure_service::{RotateError, Rotation, SealingKey, keys_due, keys_status, prepare_rotation};
use tenure_testkit::{TestApp, TestInstallation};

use crate::scene::Scene;

fn both() -> Rotation {
    Rotation { roles: vec![KeyRole::License, KeyRole::Receipt], ..Rotation::default() }
}

async fn served_root(app: &TestApp, version: u64) -> Envelope {
    let answer = app.call(Method::GET, &format!("/product/v1/root/{version}"), None, None, &[]).await.expect(200);
    serde_json::from_slice(&answer.body).expect("an envelope")
}

/// Checks in and gives the answer with the license that rode along.
async fn check_in(app: &TestApp, server: &mut TestInstallation) -> (CheckInAnswer, Option<Envelope>) {
    let request = server.request(&*app.rng, app.service.now(), &[]);
    let body = server.exchange(&request, Vec::new());
    let answer = TestInstallation::post(app, &body).await.expect(200);
    let rode: tenure_license::ExchangeAnswer = serde_json::from_slice(&answer.body).expect("an answer");
    (server.absorb(app, &body, &answer), rode.license)
}

#[tokio::test]
async fn e5_every_version_is_served_for_ever_and_leads_from_the_first_to_the_newest() {
    let scene = Scene::new().await;
    let mut root = Root::pinned(served_root(&scene.app, 1).await).expect("a sound root");
    let first = root.clone();
    for version in 2..=5 {
        scene.app.clock.advance_secs(90 * 86_400);
        assert_eq!(scene.app.rotate(&both()).await.version, version);
    }
    for version in 2..=5 {
        root = root.walk(served_root(&scene.app, version).await).expect("the next step");
    }
    assert_eq!((root.version(), root.hash()), (5, scene.app.root().hash()));
    let none = scene.app.call(Method::GET, "/product/v1/root/6", None, None, &[]).await;
    assert_eq!(none.status, 404);

    // A product that slept since the first version: nothing it meets now is signed by a key it knows, until it walked.
    let mut server = scene.server().await;
    let (answer, _) = check_in(&scene.app, &mut server).await;
    assert_eq!(answer.root, 5, "the answer says that there is a newer root");
    let held = server.held_answer.clone().expect("an answer");
    let unknown = first.verify_receipt_role::<CheckInAnswer>(&held);
    assert_eq!(unknown.map(|_| ()), Err(VerifyError::UnknownKey));
    assert!(root.verify_receipt_role::<CheckInAnswer>(&held).is_ok());
}

#[tokio::test]
async fn rotation_signs_licenses_twice_during_the_overlap_and_receipts_with_the_new_key() {
    let scene = Scene::new().await;
    let before = scene.app.root();
    let rotated = scene.app.rotate(&both()).await;
    assert_eq!((rotated.version, rotated.made.len(), rotated.resigns), (2, 2, false));
    let file = scene.server().await.held_license.expect("a license");
    assert_eq!(file.min_root, 1, "an ordinary rotation asks nothing of products");
    // Whoever still holds the old root takes a license signed now.
    let signed = scene.newest_license().await;
    assert_eq!(signed.signatures.len(), 2);
    assert!(before.verify_license(&signed).is_ok() && scene.app.root().verify_license(&signed).is_ok());
    // After the overlap the new key signs alone.
    scene.app.clock.advance_secs(OVERLAP_DAYS * 86_400 + 1);
    scene.server().await;
    let signed = scene.newest_license().await;
    assert_eq!(signed.signatures.len(), 1);
    assert_eq!(before.verify_license(&signed).map(|_| ()), Err(VerifyError::UnknownKey));
    assert!(scene.app.root().verify_license(&signed).is_ok());
}

#[tokio::test]
async fn e6_a_key_that_runs_out_warns_and_stops_nothing() {
    let scene = Scene::new().await;
    let mut server = scene.server().await;
    let signed = scene.newest_license().await;
    assert_eq!(keys_due(&scene.app.service), [], "a fresh deployment has nothing to do");
    scene.app.clock.advance_secs((ONLINE_DAYS - 50) * 86_400);
    let due = keys_due(&scene.app.service);
    assert_eq!(due.len(), 2, "both online keys: {due:?}");
    assert!(due.iter().all(|task| task.by > scene.app.service.now()));

    scene.app.clock.advance_secs(60 * 86_400);
    let status = keys_status(scene.app.service.store(), scene.app.service.now()).await.expect("a status");
    let run_out = status.keys.iter().filter(|key| key.state == KeyState::RunOut).count();
    assert_eq!(run_out, 2);
    assert!(status.tasks[0].what.contains("at once"), "{:?}", status.tasks);
    // The license of then is good, and the server is answered by.
    assert!(scene.app.root().verify_license(&signed).is_ok());
    let (answer, _) = check_in(&scene.app, &mut server).await;
    assert!(answer.result.is_good() || answer.result == UpdateResult::NotUpdatable, "{:?}", answer.result);

    // A rotation that comes too late writes anew what no product could accept.
    let rotated = scene.app.rotate(&both()).await;
    assert!(rotated.resigns);
    scene.app.run_jobs().await;
    let (answer, rode) = check_in(&scene.app, &mut server).await;
    assert_eq!(answer.result, UpdateResult::Updated);
    assert!(scene.app.root().verify_license(&rode.expect("a license")).is_ok());
    assert_eq!(keys_due(&scene.app.service), []);
}

#[tokio::test]
async fn rotation_compromise_drill_puts_the_fleet_on_new_signatures_at_its_next_check_in() {
    let scene = Scene::new().await;
    let mut fleet = Vec::new();
    for _ in 0..4 {
        fleet.push(scene.server().await);
    }
    for server in &mut fleet {
        server.check_in(&scene.app, Vec::new()).await;
    }
    let old = scene.newest_license().await;
    let serials: Vec<u64> = fleet.iter().map(|server| server.held.as_ref().expect("a license").serial).collect();
    let stolen = scene.app.keys_of(KeyRole::License)[0];

    scene.app.clock.advance_secs(3600);
    let rotated = scene.app.rotate(&Rotation { revoke: vec![stolen], ..Rotation::default() }).await;
    assert_eq!((rotated.revoked.as_slice(), rotated.resigns), ([stolen].as_slice(), true));
    assert_eq!(rotated.made.iter().map(|(role, _)| *role).collect::<Vec<_>>(), [KeyRole::License]);
    let new = rotated.made[0].1;
    assert_eq!(scene.app.root().verify_license(&old).map(|_| ()), Err(VerifyError::Revoked));
    scene.app.run_jobs().await;

    for (server, before) in fleet.iter_mut().zip(serials) {
        let (answer, rode) = check_in(&scene.app, server).await;
        assert_eq!((answer.result, answer.root), (UpdateResult::Updated, 2));
        let license = scene.app.root().verify_license(&rode.expect("a license rides along")).expect("it counts");
        assert_eq!(license.signed_by, [new]);
        assert!(license.serial > before, "a serial is never used twice");
        assert_eq!(license.min_root, 2, "no product may judge it without knowing of the revocation");
        let (answer, rode) = check_in(&scene.app, server).await;
        assert_eq!((answer.result, rode), (UpdateResult::UpToDate, None), "once");
    }
}

#[tokio::test]
async fn rotation_is_heard_of_by_another_process_before_it_signs_a_license() {
    let scene = Scene::new().await;
    let other = scene.app.over(scene.app.service.store().clone()).await;
    let (code, stolen) = (scene.code().await, scene.app.keys_of(KeyRole::License)[0]);
    let rotated = scene.app.rotate(&Rotation { revoke: vec![stolen], ..Rotation::default() }).await;
    let held = other.service.root().version();
    assert_eq!((held, rotated.version), (1, 2), "it has looked for no newer keys yet");
    TestInstallation::activate(&other, &code, "file-backup", "bkp-02").await;
    let license = scene.app.root().verify_license(&scene.newest_license().await).expect("it counts");
    assert_eq!(license.signed_by, [rotated.made[0].1]);
}

#[tokio::test]
async fn r1_rotation_needs_the_offline_keys_and_writes_nothing_without_them() {
    let scene = Scene::new().await;
    let app = &scene.app;
    let (store, keys) = (app.service.store(), &app.root_keys);
    let copy = |n: usize| tenure_license::SigningKey::from_seed(&keys[n].seed());
    let stranger = tenure_license::SigningKey::from_seed(&[9; 32]);
    let (sealing, other) = (app.sealing(), SealingKey::generate(&*app.rng));
    let plan = async |signers: &[tenure_license::SigningKey], wanted: &Rotation, sealing: &SealingKey| {
        prepare_rotation(store, &*app.clock, &*app.rng, sealing, signers, wanted).await.map(|plan| plan.version())
    };
    let refused = |outcome: Result<u64, RotateError>| outcome.expect_err("it is refused").to_string();
    let one = refused(plan(&[copy(0)], &both(), sealing).await);
    assert!(one.contains("1 of the 2 signatures needed from root keys"), "{one}");
    let twice = refused(plan(&[copy(0), copy(0)], &both(), sealing).await);
    assert!(twice.contains("1 of the 2 signatures"), "distinct keys count: {twice}");
    let foreign = refused(plan(&[copy(0), stranger], &both(), sealing).await);
    assert!(foreign.contains("not an unrevoked root key"), "{foreign}");
    let nothing = refused(plan(&[copy(0), copy(1)], &Rotation::default(), sealing).await);
    assert!(nothing.contains("changes nothing"), "{nothing}");
    let unknown = Rotation { revoke: vec![tenure_license::KeyId::from_bytes([1; 32])], ..Rotation::default() };
    assert!(refused(plan(&[copy(0), copy(1)], &unknown, sealing).await).contains("lists no key"));
    let sealed = refused(plan(&[copy(0), copy(1)], &both(), &other).await);
    assert!(sealed.contains("does not open"), "the sealing key must be the server's: {sealed}");
    // Two of three root keys cannot be revoked without successors; with one, two of the three are left.
    let lost = Rotation { revoke: vec![keys[1].key_id(), keys[2].key_id()], ..Rotation::default() };
    assert!(refused(plan(&[copy(0), copy(1)], &lost, sealing).await).contains("only 1 root keys would be left"));
    let replaced = Rotation { new_root_keys: 1, ..lost };
    assert_eq!(plan(&[copy(0), copy(1)], &replaced, sealing).await.expect("a plan"), 2);
    assert_eq!(app.root().version(), 1, "nothing was written");
    assert_eq!(plan(&[copy(1), copy(2)], &both(), sealing).await.expect("any two"), 2);
}

#[tokio::test]
async fn rotation_survives_a_restart_and_a_second_rotation() {
    let scene = Scene::new().await;
    let mut server = scene.server().await;
    scene.app.rotate(&both()).await;
    scene.app.clock.advance_secs(86_400);
    scene.app.rotate(&Rotation { roles: vec![KeyRole::Receipt], ..Rotation::default() }).await;
    assert_eq!(scene.app.keys_of(KeyRole::License).len(), 2);
    assert_eq!(scene.app.keys_of(KeyRole::Receipt).len(), 3);
    let reopened = scene.app.reopened().await;
    assert_eq!(reopened.root().version(), 3);
    let (answer, _) = check_in(&scene.app, &mut server).await;
    assert_eq!(answer.root, 3);
    // A file downloaded now is signed by both license keys, whoever signs it.
    let file = scene.activation_file().await;
    let signed = LicenseFile::parse(&file).expect("a license file");
    assert_eq!(signed.signatures.len(), 2);
}

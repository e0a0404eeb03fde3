//! A server back from a backup: what the field still holds is believed, and nothing is given twice (C6, C7, E1, E3, E4, E8).

use std::{path::Path, sync::Arc};

use axum::http::Method;
use tenure_core::{Period, Timestamp, TokenId, UserId, roles::Role};
use tenure_license::{Envelope, Outcome, RejoinClass, ReportStage};
use tenure_service::{
    Actor, ActorKind, IfMatch, NewPerson, NewToken, Outside, PersonChange, ProblemKind, Restore, Restored, Rotation,
    SealingKey, Service, SignIn, Stale, TokenScope, authenticate_token, begin_second_step, commit_copy,
    confirm_second_step, create_person, create_token, edit_person, keep_outside, make_checkpoint, open_service,
    prepare_copy, reset_second_step, restore_deployment, revoke_token, sign_in, sign_in_second_step,
};
use tenure_store::{Store, testing::rng};
use tenure_testkit::{Authenticator, TestApp, TestInstallation};

use crate::scene::Scene;

async fn open(path: &Path) -> Store {
    Store::open(&format!("sqlite:{}", path.display()), rng(5)).await.expect("the backup opens")
}

/// The deployment as it is after a restore of a backup.
async fn restored(app: &TestApp, backup: &Path, outside: Option<&Outside>) -> (TestApp, Restored) {
    let store = open(backup).await;
    let known = outside.and_then(|outside| outside.high_water().expect("it can be read"));
    let revocations = outside.map(|outside| outside.revocations().expect("they can be read")).unwrap_or_default();
    let input = Restore { why: "a test".to_owned(), known, revocations };
    let done = restore_deployment(&store, &*app.clock, input).await.expect("a new epoch");
    (app.over(store).await, done)
}

async fn refused(app: &TestApp, server: &mut TestInstallation) -> tenure_testkit::Answer {
    let request = server.request(&*app.rng, app.service.now(), &[]);
    let body = server.exchange(&request, Vec::new());
    TestInstallation::post(app, &body).await.expect(409)
}

fn january(server: &TestInstallation) -> Envelope {
    let period: Period = "2026-01".parse().expect("a month");
    server.sign_report(&server.report(period, 1, ReportStage::Final, &[("host", "", 9, 0)]))
}

/// A scene whose license is extended by January after the backup was taken; what the product then holds.
struct Lost {
    scene: Scene,
    server: TestInstallation,
    backup: std::path::PathBuf,
    report: Envelope,
    /// The answer that carried the receipt.
    proof: Envelope,
}

async fn lost() -> Lost {
    let scene = Scene::new().await;
    let mut server = scene.server().await;
    scene.app.clock.set("2026-02-01T12:00:00Z");
    scene.app.run_jobs().await;
    let mut week: tenure_core::Week = "2026-W02".parse().expect("a week");
    let mut marks = Vec::new();
    while week.end() <= scene.app.service.now() {
        marks.push(server.watermark(week, &[("host", "", 9)]));
        week = week.next();
    }
    server.check_in(&scene.app, marks).await;
    let backup = scene.app.copy_to("backup.db").await;

    scene.app.clock.set("2026-02-02T12:00:00Z");
    let (before, report) = (server.held.clone().expect("a license"), january(&server));
    let answer = server.check_in(&scene.app, vec![report.clone()]).await;
    assert_eq!(answer.docs[0].outcome, Outcome::Accepted);
    let proof = server.held_answer.clone().expect("an answer");
    scene.app.run_jobs().await;
    server.check_in(&scene.app, Vec::new()).await;
    let after = server.held.clone().expect("a license");
    assert!(after.serial > before.serial, "January extended it");
    scene.app.clock.set("2026-02-03T12:00:00Z");
    Lost { scene, server, backup, report, proof }
}

#[tokio::test]
async fn c6_a_restored_server_believes_a_product_that_is_ahead() {
    let Lost { scene, mut server, backup, .. } = lost().await;
    let (app, done) = restored(&scene.app, &backup, None).await;
    assert_eq!((done.epoch, app.service.deployment().epoch), (2, 2));
    let refusal = refused(&app, &mut server).await;
    let answer = server.rejoin(&app, &refusal).await;
    assert_eq!((answer.rejoined, answer.branch, answer.epoch), (Some(RejoinClass::ServerRestored), 0, 2));
    assert!(answer.result.is_good(), "nobody is flagged: {:?}", answer.result);
    assert_eq!(answer.since, Some(done.since.as_secs()));
    let answer = server.check_in(&app, Vec::new()).await;
    assert_eq!((answer.rejoined, answer.branch), (None, 0), "it goes on from there");
}

#[tokio::test]
async fn e1_a_license_newer_than_the_backup_is_taken_up_and_its_serial_is_the_floor() {
    let Lost { scene, mut server, backup, report, proof } = lost().await;
    let held = server.held.clone().expect("a license");
    let end = server.held_license.as_ref().expect("a license").expires_at;
    let (app, _) = restored(&scene.app, &backup, None).await;
    let refusal = refused(&app, &mut server).await;
    let answer = server.rejoin(&app, &refusal).await;
    assert_eq!(answer.license, Some(held.clone()), "the server knows it again");
    // The report comes again, and with February the license grows above all that was ever given.
    resend(&app, &mut server, report, proof).await;
    app.clock.set("2026-03-02T12:00:00Z");
    app.run_jobs().await;
    let mut week: tenure_core::Week = "2026-W05".parse().expect("a week");
    let mut documents = Vec::new();
    while week.end() <= app.service.now() {
        documents.push(server.watermark(week, &[("host", "", 9)]));
        week = week.next();
    }
    let february = server.report("2026-02".parse().expect("a month"), 1, ReportStage::Final, &[("host", "", 9, 0)]);
    documents.push(server.sign_report(&february));
    server.check_in(&app, documents).await;
    app.run_jobs().await;
    server.check_in(&app, Vec::new()).await;
    let newest = server.held.clone().expect("a license");
    assert!((newest.epoch, newest.serial) > (2, held.serial), "{newest:?} after {held:?}");
    let license = server.held_license.as_ref().expect("a license");
    assert!(license.expires_at > end, "January was not lost, February is on top");
    assert_eq!(license.reported_through, "2026-02".parse().ok());
}

/// Sends a document again with the answer that receipted it.
async fn resend(
    app: &TestApp,
    server: &mut TestInstallation,
    document: Envelope,
    proof: Envelope,
) -> tenure_license::DocOutcome {
    let request = server.request(&*app.rng, app.service.now(), std::slice::from_ref(&document));
    let mut body = server.exchange(&request, vec![document]);
    body.old_receipts = vec![proof];
    let answer = TestInstallation::post(app, &body).await.expect(200);
    server.absorb(app, &body, &answer).docs.remove(0)
}

#[tokio::test]
async fn e3_a_document_that_comes_again_keeps_its_receipt_and_its_time() {
    let Lost { scene, mut server, backup, report, proof } = lost().await;
    let first: tenure_license::CheckInAnswer = serde_json::from_slice(&proof.payload).expect("an answer");
    let first = first.docs[0].receipt.clone().expect("a receipt");
    let (app, done) = restored(&scene.app, &backup, None).await;
    assert!(done.since.as_secs() < first.received_at, "it came after the backup");
    // Long after the deadline: only its first arrival counts.
    app.clock.set("2026-02-20T00:00:00Z");
    let refusal = refused(&app, &mut server).await;
    server.rejoin(&app, &refusal).await;
    let again = resend(&app, &mut server, report.clone(), proof.clone()).await;
    assert_eq!((again.outcome, again.receipt), (Outcome::Accepted, Some(first.clone())));
    let known = resend(&app, &mut server, report, proof).await;
    assert_eq!((known.outcome, known.receipt), (Outcome::Repeated, Some(first)));
}

#[tokio::test]
async fn e3_a_receipt_of_somebody_else_or_of_today_is_none() {
    let Lost { scene, mut server, backup, report, proof } = lost().await;
    let mut other = scene.server().await;
    let (app, _) = restored(&scene.app, &backup, None).await;
    let refusal = refused(&app, &mut server).await;
    server.rejoin(&app, &refusal).await;
    let answer = server.check_in(&app, Vec::new()).await;
    assert_eq!(answer.epoch, 2);
    let now = app.service.now().as_secs();
    let today = server.held_answer.clone().expect("an answer");
    assert_ne!(today.hash(), proof.hash());
    let taken = resend(&app, &mut server, report, today).await;
    assert_eq!(taken.receipt.map(|receipt| (receipt.epoch, receipt.received_at)), Some((2, now)));
    // One that joined after the backup is not known any more.
    let request = other.request(&*app.rng, app.service.now(), &[]);
    let body = other.exchange(&request, Vec::new());
    assert_eq!(TestInstallation::post(&app, &body).await.expect(404).problem(), "unknown-key");
}

#[tokio::test]
async fn c7_a_database_put_back_by_hand_halts_the_server_until_an_epoch_begins() {
    let Lost { scene, mut server, backup, .. } = lost().await;
    let app = scene.app.over(open(&backup).await).await;
    assert_eq!(ready(&app).await.0, 200);
    let refusal = refused(&app, &mut server).await;
    let held = server.held_answer.clone().expect("an answer");
    let told = TestInstallation::out_of_step(&app, &refusal);
    let mut request = server.request(&*app.rng, app.service.now(), &[]);
    request.rejoin = Some(tenure_license::Rejoin { challenge: told.challenge, held: held.hash() });
    let mut body = server.exchange(&request, Vec::new());
    body.held_answer = Some(held);
    assert_eq!(TestInstallation::post(&app, &body).await.expect(503).problem(), "halted");
    let (status, words) = ready(&app).await;
    assert!(status == 503 && words.contains("tenure restore"), "{words}");
    assert_eq!(TestInstallation::post(&app, &body).await.expect(503).problem(), "halted", "nothing is signed");
    tenure_service::due::run_due(&app.service).await.expect_err("no job runs");
    let root = app.call(Method::GET, "/product/v1/root", None, None, &[]).await;
    assert_eq!(root.status, 200, "reads are served");

    // A restart changes nothing; a new epoch does.
    let again = app.over(app.service.store().clone()).await;
    assert_eq!(ready(&again).await.0, 503);
    restore_deployment(again.service.store(), &*again.clock, Restore::default()).await.expect("a new epoch");
    let after = app.over(app.service.store().clone()).await;
    assert_eq!(ready(&after).await.0, 200);
    let refusal = refused(&after, &mut server).await;
    let answer = server.rejoin(&after, &refusal).await;
    assert_eq!(answer.rejoined, Some(RejoinClass::ServerRestored));
}

async fn ready(app: &TestApp) -> (u16, String) {
    let answer = app.call(Method::GET, "/readyz", None, None, &[]).await;
    (answer.status.as_u16(), answer.text())
}

#[tokio::test]
async fn c7_an_older_database_is_refused_by_the_files_beside_the_keys() {
    let Lost { scene, backup, .. } = lost().await;
    let dir = tempfile::tempdir().expect("a directory");
    let outside = Outside::at(dir.path().join("witness"));
    scene.app.service.keep_outside(outside.clone());
    make_checkpoint(&scene.app.service).await.expect("a checkpoint");
    keep_outside(&scene.app.service).await.expect("the files are written");
    assert!(outside.judge(scene.app.service.store()).await.expect("it can be judged").is_none());
    assert!(!outside.witnesses().expect("they can be read").is_empty());
    let store = open(&backup).await;
    let stale = outside.judge(&store).await.expect("it can be judged");
    assert!(matches!(stale, Some(Stale::Older(_))), "{stale:?}");
    let known = outside.high_water().expect("it can be read");
    let input = Restore { why: "a test".to_owned(), known, revocations: Vec::new() };
    let done = restore_deployment(&store, &*scene.app.clock, input).await.expect("a new epoch");
    assert!(done.missing.values().sum::<u64>() > 0 && done.last_known.is_some(), "{done:?}");
    outside.set_high_water(&done.high_water).expect("it can be written");
    assert!(outside.judge(&store).await.expect("it can be judged").is_none());
}

#[tokio::test]
async fn e4_what_was_revoked_after_the_backup_is_revoked_again() {
    let scene = Scene::new().await;
    let service = &scene.app.service;
    let dir = tempfile::tempdir().expect("a directory");
    let outside = Outside::at(dir.path().join("witness"));
    service.keep_outside(outside.clone());
    let input = |name: &str| NewToken {
        name: name.to_owned(),
        scope: TokenScope::Manage,
        site: None,
        expires: "2026-12-01T00:00:00Z".parse::<Timestamp>().expect("an instant"),
    };
    let kept = create_token(service, &scene.provider, input("kept"), None).await.expect("a token");
    let leaked = create_token(service, &scene.provider, input("leaked"), None).await.expect("a token");
    let code = scene.code().await;
    let who = SignIn { email: scene.app.admin_email.clone(), password: scene.app.admin_password.clone().into() };
    let session = sign_in(service, who).await.expect("they may sign in").token;
    let person = |name: &str| NewPerson {
        org: scene.provider.org,
        email: format!("{name}@northlight.example"),
        name: name.to_owned(),
        role: Role::ProviderReadOnly,
        site: None,
    };
    let gone = create_person(service, &scene.provider, person("gone"), None).await.expect("a person");
    let back = create_person(service, &scene.provider, person("back"), None).await.expect("a person");
    let backup = scene.app.copy_to("backup.db").await;
    scene.app.clock.advance_secs(3600);
    let switch = async |id, active| {
        let change = PersonChange { active: Some(active), ..PersonChange::default() };
        edit_person(service, &scene.provider, id, IfMatch::Any, change).await.expect("it is changed");
    };
    for (id, active) in [(gone.id, false), (back.id, false), (back.id, true)] {
        switch(id, active).await;
    }
    let revoked = scene.app.keys_of(tenure_license::KeyRole::License);
    scene.app.rotate(&Rotation { revoke: revoked.clone(), ..Rotation::default() }).await;
    revoke_token(service, &scene.provider, leaked.id).await.expect("it is revoked");
    make_checkpoint(service).await.expect("a checkpoint");
    keep_outside(service).await.expect("the files are written");
    let written = outside.revocations().expect("they can be read");
    assert!(written.iter().any(|each| each.subject.parse::<TokenId>().ok() == Some(leaked.id)), "{written:?}");

    let (app, done) = restored(&scene.app, &backup, Some(&outside)).await;
    assert_eq!((done.done_again, done.sessions_ended), (2, 1), "{done:?}");
    let [keys] = done.to_confirm.as_slice() else { panic!("a key is to be revoked again: {done:?}") };
    assert!(keys.starts_with("keys.rotated"), "{keys}");
    for (person, may) in [(&gone, false), (&back, true)] {
        let email = if may { "back@northlight.example" } else { "gone@northlight.example" };
        let who = SignIn { email: email.to_owned(), password: person.password.clone() };
        assert_eq!(sign_in(&app.service, who).await.is_ok(), may, "{email}");
    }
    assert!(done.codes_voided >= 1);
    authenticate_token(&app.service, &leaked.token).await.expect_err("it stays revoked");
    authenticate_token(&app.service, &kept.token).await.expect("the other one goes on");
    authenticate_token(&app.service, &session).await.expect_err("sessions end");
    let key = tenure_license::SigningKey::generate(&*app.rng);
    let answer = TestInstallation::try_activate(&app, &key, &code, "file-backup", "h").await;
    assert_eq!(answer.expect(404).problem(), "code-unknown", "unspent codes are void");
}

#[tokio::test]
async fn e4_peoples_access_is_after_a_restore_as_it_was_or_is_listed() {
    let scene = Scene::new().await;
    let (app, service) = (&scene.app, &scene.app.service);
    let dir = tempfile::tempdir().expect("a directory");
    let outside = Outside::at(dir.path().join("witness"));
    service.keep_outside(outside.clone());
    let operator = |org, role| Actor { kind: ActorKind::Operator, org, role, site: None };
    let vendor = operator(app.vendor, Role::VendorAdministrator);
    let person = async |name: &str| {
        let email = format!("{name}@access.example");
        let (org, role) = (app.vendor, Role::VendorSupport);
        let input = NewPerson { org, email: email.clone(), name: name.to_owned(), role, site: None };
        let made = create_person(service, &vendor, input, None).await.expect("a person");
        (made.id, SignIn { email, password: made.password })
    };
    let set_up = async |(id, who): &(UserId, SignIn)| {
        let actor = Actor { kind: ActorKind::Person(*id), ..operator(app.vendor, Role::VendorSupport) };
        let begun = begin_second_step(service, &actor, who.password.clone()).await.expect("a secret");
        let phone = Authenticator::new(&begun.secret);
        let codes = confirm_second_step(service, &actor, "", &phone.code(service.now())).await.expect("it is right");
        (actor, codes)
    };
    let (left, back) = (person("left").await, person("back").await);
    let (used, removed, added) = (person("used").await, person("removed").await, person("added").await);
    let (_, used_codes) = set_up(&used).await;
    let (_, removed_codes) = set_up(&removed).await;
    let backup = app.copy_to("backup.db").await;
    app.clock.advance_secs(3600);
    let access = async |id, active| {
        let change = PersonChange { active: Some(active), ..PersonChange::default() };
        edit_person(service, &vendor, id, IfMatch::Any, change).await.expect("it is changed");
    };
    access(left.0, false).await;
    access(back.0, false).await;
    app.clock.advance_secs(1);
    access(back.0, true).await;
    let challenge = |refused: tenure_service::Error| {
        let problem = refused.problem();
        assert_eq!(problem.kind, ProblemKind::SecondStep);
        problem.extensions[0].1.as_str().expect("a challenge").to_owned()
    };
    let wanted =
        async |service: &Service, who: &SignIn| challenge(sign_in(service, who.clone()).await.err().expect("a code"));
    let earned = wanted(service, &used.1).await;
    sign_in_second_step(service, &earned, &used_codes[0]).await.expect("a recovery code");
    reset_second_step(service, &vendor, removed.0).await.expect("it is removed");
    set_up(&added).await;
    make_checkpoint(service).await.expect("a checkpoint");
    keep_outside(service).await.expect("the files are written");

    let (app, done) = restored(&scene.app, &backup, Some(&outside)).await;
    let service = &app.service;
    assert_eq!(done.done_again, 3, "one left, one code was used, one second step was removed: {done:?}");
    let listed = format!("person.second_step_on {}", added.0);
    assert!(done.to_confirm.len() == 1 && done.to_confirm[0].starts_with(&listed), "{:?}", done.to_confirm);
    assert_eq!(sign_in(service, left.1).await.err().expect("gone").problem().kind, ProblemKind::SignInFailed);
    sign_in(service, back.1).await.map(|_| ()).expect("who came back is back");
    sign_in(service, removed.1).await.map(|_| ()).expect("it stays removed");
    assert!(!removed_codes.is_empty());
    let earned = wanted(service, &used.1).await;
    sign_in_second_step(service, &earned, &used_codes[0]).await.map(|_| ()).expect_err("it stays used");
    sign_in_second_step(service, &earned, &used_codes[1]).await.map(|_| ()).expect("the others go on");
}

#[tokio::test]
async fn e8_a_copy_is_nobodys_server() {
    let Lost { scene, mut server, backup, .. } = lost().await;
    let store = open(&backup).await;
    let own = SealingKey::generate(&*scene.app.rng);
    let plan = prepare_copy(&store, &*scene.app.clock, &*scene.app.rng, &own).await.expect("a plan");
    assert_ne!(plan.deployment(), scene.app.service.deployment().id);
    commit_copy(&store, plan, "to try things out").await.expect("a copy");
    let clock = Arc::clone(&scene.app.clock) as Arc<dyn tenure_core::Clock>;
    let chance = Arc::clone(&scene.app.rng) as Arc<dyn tenure_core::Rng>;
    let with_original = open_service(store.clone(), Arc::clone(&clock), Arc::clone(&chance), &scene.app.sealing).await;
    assert!(with_original.is_err(), "it does not run with the original's keys");
    let copy = open_service(store.clone(), clock, chance, &own).await.expect("it opens with its own");
    let request = server.request(&*scene.app.rng, copy.now(), &[]);
    let body = server.exchange(&request, Vec::new());
    let refused = tenure_service::check_in(&copy, body).await.expect_err("it takes no product's request");
    assert_eq!(refused.problem().kind, tenure_service::ProblemKind::BadSignature);
    // What it signs is not of the deployment that products know.
    make_checkpoint(&copy).await.expect("a checkpoint");
    let report = tenure_service::verify_audit(&store, &[], None, &mut |_| ()).await.expect("it can be read");
    assert!(report.is_clean(), "{:?}", report.findings);
    let theirs = tenure_service::newest_root(&copy).await.expect("a root");
    scene.app.root().walk(theirs).expect_err("a product does not walk to its root");
}

//! A second step of signing in: each code once, wrong ones counted with wrong passwords, and who may take it away.

use axum::http::Method;
use serde_json::{Value, json};
use tenure_testkit::{Answer, Authenticator, TestApp};

use crate::parties::{Parties, sign_in, text};

const EMAIL: &str = "bob@parties.example";

/// Somebody with a second step.
struct Bob {
    parties: Parties,
    id: String,
    password: String,
    session: String,
    phone: Authenticator,
    recovery: Vec<String>,
}

impl Bob {
    async fn new() -> Self {
        let parties = Parties::new().await;
        let people = format!("/api/v1/organizations/{}/people", parties.provider);
        let person = json!({"email": EMAIL, "name": "Bob", "role": "provider_read_only"});
        let made = parties.post("ann", &people, person).await.expect(201).json();
        let password = text(&made, "password");
        let session = sign_in(&parties.app, EMAIL, &password).await;
        let begin = json!({"password": password});
        let begun = parties.app.post(&session, "/api/v1/me/second-step", begin).await.expect(200).json();
        assert!(text(&begun, "uri").starts_with("otpauth://totp/"), "{begun}");
        let phone = Authenticator::new(&text(&begun, "secret"));
        let first = json!({"code": phone.code(parties.app.service.now())});
        let codes = parties.app.post(&session, "/api/v1/me/second-step/confirm", first).await.expect(200).json();
        let codes = codes["codes"].as_array().expect("codes").iter();
        let recovery = codes.map(|code| code.as_str().expect("text").to_owned()).collect();
        parties.app.clock.advance_secs(60);
        Self { id: text(&made, "id"), password, session, phone, recovery, parties }
    }

    fn app(&self) -> &TestApp {
        &self.parties.app
    }

    fn code(&self, secs: i64) -> String {
        self.phone.code(self.app().service.now().plus_secs(secs))
    }

    async fn challenge(&self) -> String {
        let body = json!({"email": EMAIL, "password": self.password});
        let refused = self.app().post("", "/api/v1/sign-in", body).await.expect(401);
        assert_eq!(refused.problem(), "second-step");
        text(&refused.json(), "challenge")
    }

    async fn answer(&self, challenge: &str, code: &str) -> Answer {
        self.app().post("", "/api/v1/sign-in/second-step", json!({"challenge": challenge, "code": code})).await
    }

    async fn enter(&self, code: &str) -> u16 {
        self.answer(&self.challenge().await, code).await.status.as_u16()
    }
}

#[tokio::test]
async fn a_code_is_taken_once_and_within_a_step_of_now() {
    let bob = Bob::new().await;
    let challenge = bob.challenge().await;
    let entered = bob.answer(&challenge, &bob.code(0)).await.expect(200).json();
    let me = bob.app().get(&text(&entered, "token"), "/api/v1/me").await.expect(200).json();
    assert_eq!(me["second_step_since"], "2026-01-31T10:00:00Z");
    assert_eq!(bob.answer(&challenge, &bob.code(0)).await.expect(401).problem(), "sign-in-failed", "a code, once");
    assert_eq!(bob.enter(&bob.code(-30)).await, 401, "nor one of before it");
    assert_eq!(bob.enter(&bob.code(30)).await, 200, "a phone may be half a minute ahead");
    bob.app().clock.advance_secs(120);
    assert_eq!(bob.enter(&bob.code(-30)).await, 200, "or behind");
    assert_eq!(bob.enter(&bob.code(60)).await, 401);
    let late = bob.challenge().await;
    bob.app().clock.advance_secs(300);
    assert_eq!(bob.answer(&late, &bob.code(0)).await.expect(401).problem(), "sign-in-failed", "it has lapsed");
    let mut forged = bob.challenge().await;
    let last = if forged.ends_with('A') { 'B' } else { 'A' };
    forged.replace_range(10..11, &last.to_string());
    let _ = bob.answer(&forged, &bob.code(0)).await.expect(401);
    assert_eq!(bob.answer("tnc_", &bob.code(0)).await.expect(401).problem(), "sign-in-failed");
    assert_eq!(bob.answer(&late, " ").await.expect(422).problem(), "invalid-input");
}

#[tokio::test]
async fn wrong_codes_lock_like_wrong_passwords_and_a_right_password_forgives_none() {
    let bob = Bob::new().await;
    for _ in 0..5 {
        assert_eq!(bob.enter("123456").await, 401);
    }
    let body = json!({"email": EMAIL, "password": bob.password});
    let locked = bob.app().post("", "/api/v1/sign-in", body).await.expect(401);
    assert_eq!(locked.problem(), "sign-in-failed", "not even the password is looked at");
    bob.app().clock.advance_secs(61);
    assert_eq!(bob.enter(&bob.code(0)).await, 200, "and then all is forgiven");
}

#[tokio::test]
async fn many_guesses_at_once_are_no_more_than_one_after_another() {
    let bob = Bob::new().await;
    let challenge = bob.challenge().await;
    let guess = |code: &'static str| bob.answer(&challenge, code);
    let answers = tokio::join!(
        guess("111111"),
        guess("222222"),
        guess("333333"),
        guess("444444"),
        guess("555555"),
        guess("666666"),
        guess("777777"),
        guess("888888")
    );
    assert_eq!(answers.0.status, 401);
    let mut read = bob.app().service.store().read().await.expect("a snapshot");
    let row = tenure_store::rows::person::find(&mut read, bob.id.parse().expect("an id")).await.expect("read");
    let row = row.expect("Bob");
    assert_eq!(
        (row.failures, row.locked_until),
        (5, bob.app().service.now().plus_secs(60)),
        "the fifth locks the rest out"
    );
}

#[tokio::test]
async fn recovery_codes_work_once_and_others_take_password_and_code() {
    let bob = Bob::new().await;
    assert_eq!(bob.recovery.len(), 10);
    assert_eq!(bob.enter(&bob.recovery[0]).await, 200);
    assert_eq!(bob.enter(&bob.recovery[0]).await, 401);
    let view = async || bob.app().get(&bob.session, "/api/v1/me/second-step").await.expect(200).json();
    assert_eq!(view().await["recovery_codes"], 9);
    let post = async |path: &str, password: &str, code: &str| {
        let body = json!({"password": password, "code": code});
        bob.app().post(&bob.session, &format!("/api/v1/me/second-step/{path}"), body).await
    };
    let _ = post("recovery-codes", "wrong", &bob.recovery[1]).await.expect(401);
    let _ = post("recovery-codes", &bob.password, "wrong").await.expect(401);
    let made = post("recovery-codes", &bob.password, &bob.recovery[1]).await.expect(200).json();
    let fresh = made["codes"][0].as_str().expect("a code").to_owned();
    assert_eq!(bob.enter(&bob.recovery[2]).await, 401, "those before are worth nothing");
    assert_eq!(view().await["recovery_codes"], 10);
    let again = json!({"password": bob.password});
    let refused = bob.app().post(&bob.session, "/api/v1/me/second-step", again).await;
    assert_eq!(refused.problem(), "inactive", "one that counts is removed first");
    let _ = post("remove", &bob.password, &bob.code(0)).await.expect(204);
    assert_eq!(view().await, json!({"since": Value::Null, "recovery_codes": 0}));
    let _ = post("remove", &bob.password, &fresh).await.expect(409);
    sign_in(bob.app(), EMAIL, &bob.password).await;
}

#[tokio::test]
async fn who_manages_a_person_may_reset_its_second_step() {
    let bob = Bob::new().await;
    let path = format!("/api/v1/people/{}/second-step", bob.id);
    let person = format!("/api/v1/people/{}", bob.id);
    let since = bob.parties.get("ann", &person).await.expect(200).json()["second_step_since"].clone();
    assert_eq!(since, "2026-01-31T10:00:00Z");
    let own = bob.app().call(Method::DELETE, &path, Some(&bob.session), None, &[]).await;
    assert_eq!(own.expect(403).problem(), "forbidden", "who only reads manages nobody, not even themselves");
    let names = ["nobody", "stranger", "seller", "reader", "auditor", "ann"];
    assert_eq!(bob.parties.statuses(&names, Method::DELETE, &path, None).await, [401, 404, 404, 403, 403, 204]);
    let _ = bob.app().get(&bob.session, "/api/v1/me").await.expect(401);
    assert_eq!(bob.parties.statuses(&["ann"], Method::DELETE, &path, None).await, [409], "there is none");
    sign_in(bob.app(), EMAIL, &bob.password).await;
}

#[tokio::test]
async fn another_password_voids_what_the_old_one_earned() {
    let bob = Bob::new().await;
    let next = bob.challenge().await;
    let change = json!({"current": bob.password, "new": "correct horse battery"});
    let _ = bob.app().post(&bob.session, "/api/v1/me/password", change).await.expect(204);
    let _ = bob.answer(&next, &bob.code(0)).await.expect(401);
}

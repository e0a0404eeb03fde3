//! A fleet's token: who joins with it, who waits, who is turned away, and what its provider sees of that (A3).

use axum::http::Method;
use serde_json::{Value, json};
use tenure_core::LicenseId;
use tenure_license::SigningKey;
use tenure_testkit::{Answer, TestInstallation};

use crate::fleet::Fleet;

const INSIDE: &str = "10.1.2.3";
const OUTSIDE: &str = "192.0.2.9";

/// A license with a token of its own for `servers` from 10.0.0.0/8, of whom `limit` join by themselves.
struct Enrolled {
    fleet: Fleet,
    license: LicenseId,
    id: String,
    token: String,
}

impl Enrolled {
    async fn new(servers: u32, limit: u32) -> Self {
        let fleet = Fleet::new().await;
        let license = fleet.license(fleet.company, true).await;
        let body = json!({
            "name": "rack 7", "servers": servers, "license_limit": limit, "networks": ["10.0.0.0/8"],
            "expires_at": "2026-01-12T09:00:00Z",
        });
        let made = fleet.post(&format!("/api/v1/licenses/{license}/enroll-tokens"), body).await.expect(201).json();
        let text = |name: &str| made[name].as_str().expect("text").to_owned();
        Self { id: text("id"), token: text("token"), fleet, license }
    }

    fn key(&self) -> SigningKey {
        SigningKey::generate(&*self.fleet.app.rng)
    }

    async fn ask(&self, key: &SigningKey, address: &str) -> Answer {
        let app = &self.fleet.app;
        TestInstallation::try_activate_from(app, address, key, &self.token, "file-backup", "bkp").await
    }

    async fn list(&self) -> Value {
        self.fleet.get(&format!("/api/v1/licenses/{}/enroll-tokens", self.license)).await.expect(200).json()
    }

    async fn servers(&self) -> usize {
        let list = self.fleet.get("/api/v1/installations").await.expect(200).json();
        list["items"].as_array().expect("servers").len()
    }

    async fn verbs(&self, of: &str) -> usize {
        let log = self.fleet.get("/api/v1/audit?limit=200").await.expect(200).json();
        log["items"].as_array().expect("entries").iter().filter(|entry| entry["action"] == of).count()
    }
}

#[tokio::test]
async fn a3_servers_above_the_limit_wait_for_a_person_and_get_no_license() {
    let fleet = Enrolled::new(4, 2).await;
    let (first, second, third, fourth) = (fleet.key(), fleet.key(), fleet.key(), fleet.key());
    let joined = fleet.ask(&first, INSIDE).await.expect(200).json();
    let again = fleet.ask(&first, INSIDE).await.expect(200).json();
    assert_eq!(joined["answer"]["payload"], again["answer"]["payload"], "a lost answer makes no second server (A2)");
    let _ = fleet.ask(&second, INSIDE).await.expect(200);
    for key in [&third, &third, &fourth] {
        let waits = fleet.ask(key, INSIDE).await.expect(403);
        assert_eq!(waits.problem(), "approval-awaited");
        assert!(waits.json().get("license").is_none());
    }
    assert_eq!(fleet.servers().await, 2);
    let list = fleet.list().await;
    assert_eq!((&list["tokens"][0]["used"], &list["tokens"][0]["servers"]), (&json!(4), &json!(4)));
    assert!(!list.to_string().contains(&fleet.token), "the token is shown once");
    let waiting = list["applicants"].as_array().expect("applicants");
    assert_eq!(waiting.len(), 2);
    assert_eq!((&waiting[0]["host"], &waiting[0]["address"]), (&json!("bkp"), &json!(INSIDE)));
    assert_eq!(fleet.verbs("installation.awaits_approval").await, 2, "once each, however often they ask");

    let decide = async |n: usize, what: &str| {
        let id = waiting[n]["id"].as_str().expect("an id");
        fleet.fleet.post(&format!("/api/v1/applicants/{id}/{what}"), json!({})).await
    };
    let _ = decide(0, "admit").await.expect(204);
    assert_eq!(decide(0, "refuse").await.expect(409).problem(), "installation-state");
    let _ = decide(1, "refuse").await.expect(204);
    // What a person admitted joins after the token's end too.
    fleet.fleet.app.clock.set("2026-01-20T09:00:00Z");
    let _ = fleet.ask(&third, INSIDE).await.expect(200);
    assert_eq!(fleet.ask(&fourth, INSIDE).await.expect(403).problem(), "enroll-refused");
    assert_eq!(fleet.ask(&fleet.key(), INSIDE).await.expect(410).problem(), "code-lapsed");
    assert_eq!(fleet.servers().await, 3);
}

#[tokio::test]
async fn a3_a_leaked_token_is_good_for_nobody_elsewhere_and_for_so_many_at_most() {
    let fleet = Enrolled::new(2, 2).await;
    for _ in 0..3 {
        assert_eq!(fleet.ask(&fleet.key(), OUTSIDE).await.expect(403).problem(), "enroll-refused");
    }
    // Without an address there is none that is allowed.
    let key = fleet.key();
    let unknown = TestInstallation::try_activate(&fleet.fleet.app, &key, &fleet.token, "file-backup", "bkp").await;
    assert_eq!(unknown.expect(403).problem(), "enroll-refused");
    assert_eq!((fleet.servers().await, &fleet.list().await["tokens"][0]["used"]), (0, &json!(0)));
    assert_eq!(fleet.verbs("enroll_token.refused").await, 1, "it is told once, so that nobody fills the log");
    assert_eq!(fleet.list().await["tokens"][0]["shown_elsewhere_at"], "2026-01-05T09:00:00Z");

    let (first, second) = (fleet.key(), fleet.key());
    let _ = fleet.ask(&first, INSIDE).await.expect(200);
    let wrong =
        TestInstallation::try_activate_from(&fleet.fleet.app, INSIDE, &second, &fleet.token, "mail-backup", "bkp");
    assert_eq!(wrong.await.expect(422).problem(), "wrong-product");
    let _ = fleet.ask(&second, INSIDE).await.expect(200);
    assert_eq!(fleet.ask(&fleet.key(), INSIDE).await.expect(403).problem(), "enroll-refused");
    assert_eq!(fleet.servers().await, 2);

    // A key that was ever registered is refused, and takes no place.
    let other = Enrolled::new(3, 0).await;
    let code = other.fleet.code(other.license).await;
    let known = other.key();
    let joined = TestInstallation::try_activate(&other.fleet.app, &known, &code, "file-backup", "bkp").await;
    let _ = joined.expect(200);
    assert_eq!(other.ask(&known, INSIDE).await.expect(409).problem(), "key-refused");
    assert_eq!(other.list().await["tokens"][0]["used"], 0);
}

#[tokio::test]
async fn a3_a_revoked_token_lets_nobody_in_and_nobody_waits_with_it() {
    let fleet = Enrolled::new(5, 1).await;
    let (first, second, third) = (fleet.key(), fleet.key(), fleet.key());
    let _ = fleet.ask(&first, INSIDE).await.expect(200);
    for key in [&second, &third] {
        assert_eq!(fleet.ask(key, INSIDE).await.problem(), "approval-awaited");
    }
    let waiting = fleet.list().await["applicants"].clone();
    let of = |n: usize, what: &str| format!("/api/v1/applicants/{}/{what}", waiting[n]["id"].as_str().expect("an id"));
    let _ = fleet.fleet.post(&of(0, "admit"), json!({})).await.expect(204);
    let path = format!("/api/v1/enroll-tokens/{}", fleet.id);
    let _ = fleet.fleet.call(Method::DELETE, &path, None).await.expect(204);
    let _ = fleet.fleet.call(Method::DELETE, &path, None).await.expect(404);
    let refused = fleet.fleet.post(&of(1, "admit"), json!({})).await.expect(409);
    assert!(refused.text().contains("its enroll token was revoked"), "{}", refused.text());
    for key in [&second, &third, &fleet.key()] {
        assert_eq!(fleet.ask(key, INSIDE).await.expect(404).problem(), "code-unknown");
    }
    let again = fleet.ask(&first, INSIDE).await;
    assert_eq!(again.status, 200, "who joined before gets its answer again");
    assert_eq!((fleet.servers().await, fleet.list().await["applicants"].as_array().map(Vec::len)), (1, Some(0)));
}

#[tokio::test]
async fn a3_a_token_is_made_within_bounds_and_shown_again_to_the_same_request() {
    let fleet = Enrolled::new(1, 1).await;
    let path = format!("/api/v1/licenses/{}/enroll-tokens", fleet.license);
    let good = json!({
        "name": "rack 8", "servers": 3, "networks": ["2001:db8::/32"], "expires_at": "2026-01-12T09:00:00Z",
    });
    for (field, wrong) in [
        ("servers", json!(0)),
        ("servers", json!(10_001)),
        ("license_limit", json!(10_001)),
        ("networks", json!([])),
        ("networks", json!(["10.0.0.0/33"])),
        ("expires_at", json!("2026-01-05T09:00:00Z")),
        ("expires_at", json!("2026-09-05T09:00:00Z")),
        ("name", json!("")),
    ] {
        let mut body = good.clone();
        body[field] = wrong.clone();
        assert_eq!(fleet.fleet.post(&path, body).await.expect(422).problem(), "invalid-input", "{field} {wrong}");
    }
    let headers = [("idempotency-key", "once")];
    let make = async || {
        let app = &fleet.fleet.app;
        app.call(Method::POST, &path, Some(&fleet.fleet.token), Some(good.clone()), &headers).await.expect(201).json()
    };
    let (made, again) = (make().await, make().await);
    assert_eq!(made, again, "shown again to the same request (A6)");
    assert_eq!(fleet.list().await["tokens"].as_array().map(Vec::len), Some(2));
    let listed = fleet.list().await["tokens"].as_array().expect("tokens").clone();
    let listed = listed.iter().find(|token| token["id"] == made["id"]).expect("it");
    assert_eq!(listed["license_limit"], 3, "as many as may show it");
}

//! How much one caller may ask for, and that nobody spends what is somebody else's (A8).

use axum::http::Request;
use serde_json::{Value, json};
use tenure_service::{Limit, LimitPolicy, Limits};
use tenure_testkit::{Market, TestApp, TestInstallation, from};

fn limit(text: &str) -> Limit {
    text.parse().expect("a limit")
}

fn limited(app: &TestApp, policy: LimitPolicy) {
    app.service.limit(Limits::new(policy, app.clock.clone(), app.rng.clone()));
}

fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a8_an_address_spends_its_own_share_before_anything_is_read() {
    let app = TestApp::new("2026-01-05T09:00:00Z").await;
    limited(&app, LimitPolicy { address: Some(limit("1/5")), ..LimitPolicy::OFF });
    let ask = async |address: &str| app.send(from(address, Request::get("/api/v1/openapi.json"))).await.status.as_u16();
    for _ in 0..5 {
        assert_eq!(ask("203.0.113.9").await, 200);
    }
    // Garbage counts as well, a page and a product's door are one, and one machine has its whole /64.
    let garbage = from("203.0.113.9", Request::post("/product/v1/check-in"));
    assert_eq!(app.send(garbage).await.status, 429);
    assert_eq!(app.send(from("203.0.113.9", Request::get("/sign-in"))).await.status, 429);
    for host in 1..=5 {
        assert_eq!(ask(&format!("2001:db8::{host}")).await, 200);
    }
    assert_eq!(ask("2001:db8::ffff").await, 429);
    assert_eq!(ask("::ffff:203.0.113.9").await, 429, "one machine in two notations");
    // Nobody else is touched: another address, this machine, who asks whether the server is ready.
    assert_eq!(ask("203.0.113.10").await, 200);
    for _ in 0..10 {
        assert_eq!(ask("127.0.0.1").await, 200);
        assert_eq!(app.send(from("203.0.113.9", Request::get("/readyz"))).await.status, 200);
    }
    app.clock.advance_secs(2);
    assert_eq!(ask("203.0.113.9").await, 200, "it comes back with time");
    let figures = app.metrics().await.text();
    assert!(figures.contains("tenure_rate_limited_requests_total{bucket=\"address\"} 4"), "{figures}");
    // What is full again is forgotten; what is not, is not.
    app.service.limits().expect("limits").forget_idle();
    assert_eq!(ask("203.0.113.9").await, 200);
    assert_eq!(ask("203.0.113.9").await, 429);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a8_what_an_installation_or_a_token_has_is_spent_by_its_key_alone() {
    let app = TestApp::new("2026-01-05T09:00:00Z").await;
    let (session, mut server) = installation(&app).await;
    let token = json!({"name": "reader", "scope": "read", "expires_at": "2026-06-01T00:00:00Z"});
    let token = text(&app.post(&session, "/api/v1/tokens", token).await.expect(201).json(), "token");
    limited(&app, LimitPolicy { address: None, installation: Some(limit("1/3")), token: Some(limit("1/3")) });

    // Forged requests in its name spend nothing of it.
    for _ in 0..10 {
        let request = server.request(&*app.rng, app.service.now(), &[]);
        let mut forged = server.exchange(&request, Vec::new());
        forged.request.signatures[0].sig[0] ^= 1;
        assert_eq!(TestInstallation::post(&app, &forged).await.problem(), "bad-signature");
    }
    for _ in 0..3 {
        let _ = server.check_in(&app, Vec::new()).await;
    }
    let request = server.request(&*app.rng, app.service.now(), &[]);
    let body = server.exchange(&request, Vec::new());
    let refused = TestInstallation::post(&app, &body).await.expect(429);
    let wait = refused.headers["retry-after"].to_str().ok().and_then(|text| text.parse().ok()).expect("seconds");
    assert!((1..=12).contains(&wait), "{wait}");
    app.clock.advance_secs(wait);
    let _ = TestInstallation::post(&app, &body).await.expect(200);

    for _ in 0..3 {
        let _ = app.get(&token, "/api/v1/companies").await.expect(200);
    }
    let _ = app.get(&token, "/api/v1/companies").await.expect(429);
    let _ = app.get("tnr_wrong", "/api/v1/companies").await.expect(401);
    let _ = app.get(&session, "/api/v1/companies").await.expect(200);
}

/// A provider's session and a server of its own.
async fn installation(app: &TestApp) -> (String, TestInstallation) {
    let market = Market::new(&app.service).await;
    let license = market.license(&app.service, market.company, false).await;
    (market.session(app).await, market.server(app, license, "h").await)
}

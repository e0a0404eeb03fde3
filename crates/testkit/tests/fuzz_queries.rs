//! Fuzzing of what stands in a query: cursors and filters of every list, changed at random. The API refuses them or answers
//! them; it never fails, and a cursor that it did not seal leads nowhere.

#[path = "../../license/tests/it/mutate.rs"]
mod mutate;

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use axum::http::{Method, StatusCode};
use mutate::Mutator;
use serde_json::json;
use tenure_testkit::TestApp;

/// Lists, each with filters as they are meant.
const LISTS: &[(&str, &[(&str, &str)])] = &[
    ("/api/v1/licenses", &[("state", "valid"), ("usage_type", "single_customer"), ("expires_before", "2026-03-01")]),
    ("/api/v1/companies", &[("name", "Contoso"), ("kind", "customer"), ("open", "true")]),
    ("/api/v1/organizations", &[("kind", "provider")]),
    ("/api/v1/installations", &[("preset", "silent"), ("retired", "true")]),
    ("/api/v1/audit", &[("since", "2026-01-01T00:00:00Z"), ("action", "license.create"), ("actor", "operator")]),
    ("/api/v1/obligations", &[("period", "2026-01"), ("open", "true")]),
    ("/api/v1/enrollments", &[("state", "pending")]),
];

/// Every byte that is not plain, as a query carries it.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        if byte.is_ascii_alphanumeric() {
            text.push(char::from(*byte));
        } else {
            write!(text, "%{byte:02X}").expect("a string takes everything");
        }
    }
    text
}

struct Scene {
    app: TestApp,
    token: String,
    /// A cursor that leads somewhere.
    cursor: String,
}

impl Scene {
    async fn new() -> Self {
        let app = TestApp::new("2026-01-31T10:00:00Z").await;
        let sign_in = json!({"email": app.admin_email, "password": app.admin_password});
        let session = app.post("", "/api/v1/sign-in", sign_in).await.expect(200).json();
        let token = session["token"].as_str().expect("a token").to_owned();
        for n in 0..3 {
            let body = json!({"kind": "distributor", "name": format!("Lakeside {n}")});
            let _ = app.post(&token, "/api/v1/organizations", body).await.expect(201);
        }
        let page = app.get(&token, "/api/v1/organizations?limit=1").await.expect(200).json();
        let cursor = page["next"].as_str().unwrap_or_else(|| panic!("a cursor: {page}")).to_owned();
        Self { app, token, cursor }
    }

    async fn ask(&self, path: &str) -> StatusCode {
        let answer = self.app.call(Method::GET, path, Some(&self.token), None, &[]).await;
        assert!(answer.status.as_u16() < 500, "{path}: {}", answer.text());
        answer.status
    }

    async fn cursor(&self, n: u64) {
        let mut mutator = Mutator::new(n);
        let changed = mutator.change(self.cursor.as_bytes(), b"AAAA-_.=%00");
        let (path, _) = LISTS[mutator.below(LISTS.len())];
        let status = self.ask(&format!("{path}?cursor={}", escaped(&changed))).await;
        let same = changed == self.cursor.as_bytes();
        assert!(status != StatusCode::OK || same, "{path} went on at a cursor that nobody sealed (seed {n})");
    }

    async fn filter(&self, n: u64) {
        let mut mutator = Mutator::new(n);
        let (path, filters) = LISTS[mutator.below(LISTS.len())];
        let query: Vec<String> = filters
            .iter()
            .map(|(name, value)| {
                let changed = mutator.change(value.as_bytes(), b"2026-13-32 null ' -- \xff");
                format!("{name}={}", escaped(&changed))
            })
            .take(1 + n as usize % filters.len())
            .collect();
        self.ask(&format!("{path}?{}", query.join("&"))).await;
    }
}

/// So long a target runs in the soak.
const LONG: Duration = Duration::from_mins(5);

#[expect(clippy::disallowed_methods, reason = "five minutes are five minutes of real time")]
fn is_soak_over(began: &mut Option<Instant>) -> bool {
    began.get_or_insert_with(Instant::now).elapsed() >= LONG
}

#[tokio::test]
async fn fuzz_cursor() {
    let scene = Scene::new().await;
    for n in 0..300 {
        scene.cursor(n).await;
    }
}

#[tokio::test]
async fn fuzz_filter() {
    let scene = Scene::new().await;
    for n in 0..300 {
        scene.filter(n).await;
    }
}

#[tokio::test]
async fn soak_fuzz_cursor() {
    let (scene, mut began, mut n) = (Scene::new().await, None, 0);
    while !is_soak_over(&mut began) {
        scene.cursor(n).await;
        n += 1;
    }
}

#[tokio::test]
async fn soak_fuzz_filter() {
    let (scene, mut began, mut n) = (Scene::new().await, None, 0);
    while !is_soak_over(&mut began) {
        scene.filter(n).await;
        n += 1;
    }
}

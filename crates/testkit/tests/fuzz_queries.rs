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

/// A list, with filters as they are meant.
struct List {
    path: &'static str,
    /// Whether it is of one provider, which the vendor names.
    of_provider: bool,
    filters: &'static [(&'static str, &'static str)],
}

const LISTS: &[List] = &[
    List {
        path: "/api/v1/licenses",
        of_provider: true,
        filters: &[
            ("state", "valid"),
            ("usage_type", "single_customer"),
            ("expires_before", "2026-03-01T00:00:00Z"),
            ("company_type", "company"),
            ("automatic_reporting", "switching_to_on"),
        ],
    },
    List {
        path: "/api/v1/companies",
        of_provider: true,
        filters: &[("name", "Contoso"), ("kind", "customer"), ("open", "true")],
    },
    List { path: "/api/v1/organizations", of_provider: false, filters: &[("kind", "provider")] },
    List { path: "/api/v1/installations", of_provider: true, filters: &[("preset", "silent"), ("retired", "true")] },
    List {
        path: "/api/v1/audit",
        of_provider: false,
        filters: &[("since", "2026-01-01T00:00:00Z"), ("action", "license.create"), ("actor", "operator")],
    },
    List { path: "/api/v1/obligations", of_provider: true, filters: &[("period", "2026-01"), ("open", "true")] },
    List { path: "/api/v1/enrollments", of_provider: false, filters: &[("state", "requested")] },
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
    /// The provider whose lists are asked for.
    provider: String,
    /// A cursor that leads somewhere.
    cursor: String,
}

impl Scene {
    async fn new() -> Self {
        let app = TestApp::new("2026-01-31T10:00:00Z").await;
        let token = app.admin_session().await;
        for n in 0..3 {
            let body = json!({"kind": "distributor", "name": format!("Lakeside {n}")});
            let _ = app.post(&token, "/api/v1/organizations", body).await.expect(201);
        }
        let body = json!({"kind": "provider", "name": "Northlight Hosting"});
        let provider = app.post(&token, "/api/v1/organizations", body).await.expect(201).json();
        let provider = provider["id"].as_str().expect("an id").to_owned();
        let page = app.get(&token, "/api/v1/organizations?limit=1").await.expect(200).json();
        let cursor = page["next"].as_str().unwrap_or_else(|| panic!("a cursor: {page}")).to_owned();
        Self { app, token, provider, cursor }
    }

    /// A list's address with a query.
    fn address(&self, list: &List, query: &[String]) -> String {
        let of = list.of_provider.then(|| format!("provider={}", self.provider));
        let query: Vec<String> = of.into_iter().chain(query.iter().cloned()).collect();
        format!("{}?{}", list.path, query.join("&"))
    }

    async fn ask(&self, path: &str) -> StatusCode {
        let answer = self.app.call(Method::GET, path, Some(&self.token), None, &[]).await;
        assert!(answer.status.as_u16() < 500, "{path}: {}", answer.text());
        answer.status
    }

    async fn cursor(&self, n: u64) {
        let mut mutator = Mutator::new(n);
        let changed = mutator.change(self.cursor.as_bytes(), b"AAAA-_.=%00");
        let list = &LISTS[mutator.below(LISTS.len())];
        let status = self.ask(&self.address(list, &[format!("cursor={}", escaped(&changed))])).await;
        let same = changed == self.cursor.as_bytes();
        assert!(status != StatusCode::OK || same, "{} went on at a cursor that nobody sealed (seed {n})", list.path);
    }

    async fn filter(&self, n: u64) {
        let mut mutator = Mutator::new(n);
        let list = &LISTS[mutator.below(LISTS.len())];
        let query: Vec<String> = list
            .filters
            .iter()
            .map(|(name, value)| {
                let changed = mutator.change(value.as_bytes(), b"2026-13-32 null ' -- \xff");
                format!("{name}={}", escaped(&changed))
            })
            .take(1 + n as usize % list.filters.len())
            .collect();
        self.ask(&self.address(list, &query)).await;
    }
}

/// So long a target runs in the soak.
const LONG: Duration = Duration::from_mins(5);

#[expect(clippy::disallowed_methods, reason = "five minutes are five minutes of real time")]
fn is_soak_over(began: &mut Option<Instant>) -> bool {
    began.get_or_insert_with(Instant::now).elapsed() >= LONG
}

/// What is changed at random is something that is answered as it is: otherwise nothing behind the first refusal is reached.
#[tokio::test]
async fn every_list_answers_its_filters_as_they_are_meant() {
    let scene = Scene::new().await;
    for list in LISTS {
        let each = list.filters.iter().map(|(name, value)| format!("{name}={}", escaped(value.as_bytes())));
        for query in each.clone().map(|one| vec![one]).chain([each.collect(), Vec::new()]) {
            let address = scene.address(list, &query);
            assert_eq!(scene.ask(&address).await, StatusCode::OK, "{address}");
        }
    }
    let next = scene.address(&LISTS[2], &[format!("cursor={}", escaped(scene.cursor.as_bytes()))]);
    assert_eq!(scene.ask(&next).await, StatusCode::OK, "the cursor leads on");
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

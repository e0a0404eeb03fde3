//! Every operation of the OpenAPI document against everybody who must not: nobody, another kind of organization, a reader,
//! another provider. An operation without a row fails.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Value, json};
use tenure_service::{NewToken, TokenScope, create_token};

use crate::{families, fleet::Fleet};

/// What an operation is to those who may not all do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Says nothing of anybody.
    Open,
    /// A provider's own list or settings.
    Own,
    /// One thing of a provider.
    One,
    /// A change.
    Change,
    /// Refuses everybody in the same way.
    Never,
}

/// `{license}`, `{company}` and the server of each family stand for the provider's own.
const OPERATIONS: &[(&str, &str, Kind)] = &[
    ("GET", "/about", Kind::Open),
    ("GET", "/asyncActions", Kind::Open),
    ("GET", "/asyncActions/config", Kind::Open),
    ("GET", "/pulse/products", Kind::Open),
    ("GET", "/pulse", Kind::Own),
    ("GET", "/pulse/contracts", Kind::Own),
    ("GET", "/pulse/licenses", Kind::Own),
    ("GET", "/pulse/tenants", Kind::Own),
    ("GET", "/pulse/monthlyUsages", Kind::Own),
    ("GET", "/organizations", Kind::Own),
    ("GET", "/licensing/reports", Kind::Own),
    ("GET", "/licensing/reports/latest", Kind::Own),
    ("GET", "/licensing/reports/2026-02-01", Kind::Own),
    ("GET", "/licensing/reports/settings", Kind::Own),
    ("GET", "/licensing/usage/organizations", Kind::Own),
    ("GET", "/licensing/backupServers", Kind::Own),
    ("GET", "/licensing/voneServers", Kind::Own),
    ("GET", "/licensing/vb365Servers", Kind::Own),
    ("GET", "/licensing/sites", Kind::Own),
    ("GET", "/licensing/console", Kind::Own),
    ("GET", "/licensing/console/settings", Kind::Own),
    ("GET", "/licensing/reports/202601/csv", Kind::One),
    ("GET", "/pulse/licenses/{license}", Kind::One),
    ("GET", "/pulse/tenants/{company}", Kind::One),
    ("GET", "/licensing/backupServers/{backupServers}", Kind::One),
    ("GET", "/licensing/voneServers/{voneServers}", Kind::One),
    ("GET", "/licensing/vb365Servers/{vb365Servers}", Kind::One),
    ("GET", "/licensing/sites/{sites}", Kind::One),
    ("PATCH", "/pulse", Kind::Change),
    ("POST", "/pulse/sync", Kind::Change),
    ("POST", "/pulse/licenses", Kind::Change),
    ("PATCH", "/pulse/licenses/{license}", Kind::Change),
    ("POST", "/pulse/licenses/{license}/copy", Kind::Change),
    ("POST", "/pulse/licenses/{license}/download", Kind::Change),
    ("POST", "/pulse/licenses/{license}/install?serverUid={backupServers}", Kind::Change),
    ("POST", "/pulse/licenses/{license}/revoke", Kind::Change),
    ("DELETE", "/pulse/licenses/{license}", Kind::Change),
    ("POST", "/pulse/tenants?companyUid={company}", Kind::Change),
    ("PATCH", "/pulse/tenants/{company}", Kind::Change),
    ("POST", "/pulse/tenants/{company}/createCompany", Kind::Change),
    ("PATCH", "/licensing/reports/settings", Kind::Change),
    ("POST", "/licensing/reports/finalization", Kind::Change),
    ("POST", "/licensing/backupServers/{backupServers}/update", Kind::Change),
    ("PUT", "/licensing/backupServers/{backupServers}", Kind::Change),
    ("PATCH", "/licensing/backupServers/{backupServers}", Kind::Change),
    ("DELETE", "/licensing/backupServers/{backupServers}", Kind::Change),
    ("POST", "/licensing/voneServers/{voneServers}/update", Kind::Change),
    ("PUT", "/licensing/voneServers/{voneServers}", Kind::Change),
    ("PATCH", "/licensing/voneServers/{voneServers}", Kind::Change),
    ("DELETE", "/licensing/voneServers/{voneServers}", Kind::Change),
    ("POST", "/licensing/vb365Servers/{vb365Servers}/update", Kind::Change),
    ("PUT", "/licensing/vb365Servers/{vb365Servers}", Kind::Change),
    ("PATCH", "/licensing/vb365Servers/{vb365Servers}", Kind::Change),
    ("POST", "/licensing/sites/{sites}/update", Kind::Change),
    ("PUT", "/licensing/sites/{sites}", Kind::Change),
    ("PATCH", "/licensing/sites/{sites}", Kind::Change),
    ("POST", "/licensing/console/update", Kind::Change),
    ("PUT", "/licensing/console", Kind::Change),
    ("GET", "/asyncActions/{company}", Kind::Never),
    ("DELETE", "/asyncActions/{company}", Kind::Never),
    ("GET", "/asyncActions/{company}/result", Kind::Never),
    ("DELETE", "/asyncActions/{company}/result", Kind::Never),
    ("PUT", "/asyncActions/{company}/requestData", Kind::Never),
];

/// Operations of the document, but the one that is for who has no token.
fn operations() -> BTreeSet<(String, String)> {
    let document = tenure_console::openapi();
    let mut found = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        found.extend(item.as_object().expect("an item").keys().map(|method| (method.to_uppercase(), path.clone())));
    }
    found.remove(&("POST".to_owned(), "/token".to_owned()));
    found
}

/// The operation that a row is about: the one whose path fits with the most words of its own.
fn operation_of(all: &BTreeSet<(String, String)>, method: &str, path: &str) -> Option<(String, String)> {
    let asked: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').collect();
    let fits = |template: &str| {
        let parts: Vec<&str> = template.split('/').collect();
        parts.len() == asked.len() && parts.iter().zip(&asked).all(|(part, word)| part.starts_with('{') || part == word)
    };
    let fitting = all.iter().filter(|(of, template)| of == method && fits(template));
    fitting.min_by_key(|(_, template)| template.matches('{').count()).cloned()
}

#[test]
fn every_operation_has_a_row_and_every_row_an_operation() {
    let operations = operations();
    let rows = OPERATIONS.iter().map(|(method, path, _)| {
        operation_of(&operations, method, path).unwrap_or_else(|| panic!("{method} {path} is no operation"))
    });
    let rows: BTreeSet<_> = rows.collect();
    let missing: Vec<_> = operations.difference(&rows).collect();
    assert!(missing.is_empty(), "OPERATIONS has no row for {missing:#?}");
}

struct Scene {
    fleet: Fleet,
    /// What stands for each name in a row's path.
    things: Vec<(String, String)>,
    /// A license's file.
    file: String,
    reader: String,
    stranger: String,
}

impl Scene {
    /// A month is in review, and there is a server of each family.
    async fn new() -> Self {
        let fleet = Fleet::new().await;
        families::add_products(&fleet).await;
        let mut things = vec![("{company}".to_owned(), fleet.company.uuid().to_string())];
        for (family, code, workload) in families::FAMILIES {
            let server = families::server(&fleet, code, workload).await;
            things.push((format!("{{{family}}}"), server.ins.uuid().to_string()));
        }
        let list = fleet.get("/api/v3/pulse/licenses").await.expect(200).json();
        let license = list["data"][0]["instanceUid"].as_str().expect("a uid").to_owned();
        let file =
            fleet.post(&format!("/api/v3/pulse/licenses/{license}/download"), Value::Null).await.expect(200).json();
        things.push(("{license}".to_owned(), license));
        let service = &fleet.app.service;
        let expires = "2027-12-01T00:00:00Z".parse().expect("an instant");
        let input = NewToken { name: "script".to_owned(), scope: TokenScope::Read, site: None, expires };
        let reader = create_token(service, &fleet.provider, input, None).await.expect("a token").token.to_string();
        let stranger = fleet.another_providers_token().await;
        fleet.app.clock.set("2026-02-02T00:00:00Z");
        let _ = fleet.app.run_jobs().await;
        Self { things, file: file["data"].as_str().expect("a file").to_owned(), reader, stranger, fleet }
    }

    async fn status(&self, method: &str, path: &str, token: Option<&str>) -> (u16, Value) {
        let path = self.things.iter().fold(path.to_owned(), |path, (name, id)| path.replace(name, id));
        let body = match (method, path.as_str()) {
            ("POST", "/pulse/licenses") => Some(json!({
                "productId": self.fleet.product.uuid(), "contractId": "RA-20117",
                "expirationDate": "2026-12-31T00:00:00Z", "workloads": [{ "workloadId": "host", "count": 1 }],
            })),
            ("PATCH", "/licensing/reports/settings") => {
                Some(json!([{ "op": "replace", "path": "/autoApprove", "value": true }]))
            }
            ("PATCH", _) => Some(json!([])),
            ("PUT", path) if path.ends_with("/requestData") => Some(json!({})),
            ("PUT", _) => Some(json!(self.file)),
            _ => None,
        };
        let method: Method = method.parse().expect("a method");
        let answer = self.fleet.app.call(method, &format!("/api/v3{path}"), token, body, &[]).await;
        (answer.status.as_u16(), serde_json::from_slice(&answer.body).unwrap_or_default())
    }
}

/// What a provider is told that has nothing to do with ours, and nothing of its own yet.
fn for_a_stranger(method: &str, path: &str, kind: Kind) -> u16 {
    match (method, path) {
        // It has no month to set.
        ("PATCH", "/licensing/reports/settings") => 409,
        ("POST", "/pulse/licenses" | "/licensing/console/update") | ("PUT", "/licensing/console") => 404,
        _ if kind == Kind::Never || path.contains('{') || path.contains("202601") => 404,
        _ => 200,
    }
}

#[tokio::test]
async fn nobody_sees_or_changes_what_is_not_theirs() {
    let scene = Scene::new().await;
    for (method, path, kind) in OPERATIONS {
        let (status, body) = scene.status(method, path, None).await;
        assert_eq!((status, body["errors"][0]["type"].as_str()), (401, Some("security")), "nobody: {method} {path}");

        let (status, _) = scene.status(method, path, Some(&scene.fleet.vendor)).await;
        assert_eq!(status, if *kind == Kind::Open { 200 } else { 404 }, "the vendor: {method} {path}");

        let (status, body) = scene.status(method, path, Some(&scene.reader)).await;
        let expected = match kind {
            Kind::Change => 403,
            Kind::Never => 404,
            Kind::Open | Kind::Own | Kind::One => 200,
        };
        assert_eq!(status, expected, "a reader: {method} {path}: {body}");

        let (status, body) = scene.status(method, path, Some(&scene.stranger)).await;
        assert_eq!(status, for_a_stranger(method, path, *kind), "another provider: {method} {path}: {body}");
        if *kind == Kind::Own && body["data"].is_array() && *path != "/organizations" {
            assert_eq!(body["data"], json!([]), "another provider: {method} {path}");
        }
    }
}

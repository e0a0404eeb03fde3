//! Every operation against everybody who must not: nobody, another kind of organization, a reader, another provider.

use axum::http::Method;
use serde_json::{Value, json};
use tenure_core::roles::{OrgKind, Role};
use tenure_service::{Actor, ActorKind, NewOrganization, NewToken, TokenScope, create_organization, create_token};

use crate::fleet::Fleet;

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
}

/// `{license}`, `{company}` and `{server}` stand for the provider's own.
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
    ("GET", "/pulse/licenses/{license}", Kind::One),
    ("GET", "/pulse/tenants/{company}", Kind::One),
    ("GET", "/licensing/backupServers/{server}", Kind::One),
    ("PATCH", "/pulse", Kind::Change),
    ("POST", "/pulse/sync", Kind::Change),
    ("POST", "/pulse/licenses", Kind::Change),
    ("PATCH", "/pulse/licenses/{license}", Kind::Change),
    ("POST", "/pulse/licenses/{license}/copy", Kind::Change),
    ("POST", "/pulse/licenses/{license}/revoke", Kind::Change),
    ("POST", "/pulse/licenses/{license}/download", Kind::Change),
    ("POST", "/pulse/licenses/{license}/install?serverUid={server}", Kind::Change),
    ("DELETE", "/pulse/licenses/{license}", Kind::Change),
    ("POST", "/pulse/tenants?companyUid={company}", Kind::Change),
    ("POST", "/pulse/tenants/{company}/createCompany", Kind::Change),
    ("POST", "/licensing/backupServers/{server}/update", Kind::Change),
];

struct Scene {
    fleet: Fleet,
    license: String,
    server: String,
    reader: String,
    stranger: String,
}

impl Scene {
    async fn new() -> Self {
        let fleet = Fleet::new().await;
        let license = fleet.license(fleet.company, true).await;
        let server = fleet.server(license, "bkp-01").await.ins.uuid().to_string();
        let list = fleet.get("/api/v3/pulse/licenses").await.expect(200).json();
        let license = list["data"][0]["instanceUid"].as_str().expect("a uid").to_owned();
        let service = &fleet.app.service;
        let token = async |actor: &Actor, scope| {
            let expires = "2027-12-01T00:00:00Z".parse().expect("an instant");
            let input = NewToken { name: "script".to_owned(), scope, site: None, expires };
            create_token(service, actor, input, None).await.expect("a token").token.to_string()
        };
        let vendor = actor(fleet.app.vendor, Role::VendorAdministrator);
        let input = NewOrganization { kind: OrgKind::Provider, name: "Other".to_owned() };
        let other = create_organization(service, &vendor, input, None).await.expect("an organization");
        let stranger = token(&actor(other, Role::ProviderFullAccess), TokenScope::Manage).await;
        let reader = token(&fleet.provider, TokenScope::Read).await;
        Self { fleet, license, server, reader, stranger }
    }

    async fn status(&self, method: &str, path: &str, token: Option<&str>) -> (u16, Value) {
        let company = self.fleet.company.uuid().to_string();
        let path = path.replace("{license}", &self.license).replace("{company}", &company);
        let path = format!("/api/v3{}", path.replace("{server}", &self.server));
        let method: Method = method.parse().expect("a method");
        let body = match path.as_str() {
            "/api/v3/pulse/licenses" if method == Method::POST => Some(json!({
                "productId": self.fleet.product.uuid(), "contractId": "RA-20117",
                "expirationDate": "2026-12-31T00:00:00Z", "workloads": [{ "workloadId": "host", "count": 1 }],
            })),
            _ if method == Method::PATCH => Some(json!([])),
            _ => None,
        };
        let answer = self.fleet.app.call(method, &path, token, body, &[]).await;
        (answer.status.as_u16(), answer.json())
    }
}

fn actor(org: tenure_core::OrgId, role: Role) -> Actor {
    Actor { kind: ActorKind::Operator, org, role, site: None }
}

#[tokio::test]
async fn nobody_sees_or_changes_what_is_not_theirs() {
    let scene = Scene::new().await;
    for (method, path, kind) in OPERATIONS {
        let (status, body) = scene.status(method, path, None).await;
        assert_eq!((status, body["errors"][0]["type"].as_str()), (401, Some("security")), "nobody: {method} {path}");

        let (status, _) = scene.status(method, path, Some(&scene.fleet.vendor)).await;
        assert_eq!(status, if *kind == Kind::Open { 200 } else { 404 }, "the vendor: {method} {path}");

        let (status, _) = scene.status(method, path, Some(&scene.reader)).await;
        assert_eq!(status, if *kind == Kind::Change { 403 } else { 200 }, "a reader: {method} {path}");

        let (status, body) = scene.status(method, path, Some(&scene.stranger)).await;
        let about_ours = path.contains('{') || *path == "/pulse/licenses" && *method == "POST";
        assert_eq!(status, if about_ours { 404 } else { 200 }, "another provider: {method} {path}: {body}");
        if *kind == Kind::Own && body["data"].is_array() && *path != "/organizations" {
            assert_eq!(body["data"], json!([]), "another provider: {method} {path}");
        }
    }
}

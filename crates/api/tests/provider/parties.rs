//! A vendor, a distributor, two providers, and somebody of each role, as their tests need them.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Value, json};
use tenure_testkit::{Answer, TestApp};

/// Who is who.
pub(crate) struct Parties {
    pub(crate) app: TestApp,
    /// The vendor's administrator's session.
    pub(crate) vendor: String,
    /// A distributor and a provider with an agreement, and a provider that rents from another distributor.
    pub(crate) distributor: String,
    pub(crate) provider: String,
    pub(crate) stranger: String,
    pub(crate) agreement: String,
    sessions: BTreeMap<&'static str, String>,
    passwords: BTreeMap<&'static str, String>,
    pub(crate) ids: BTreeMap<&'static str, String>,
}

pub(crate) fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}")).to_owned()
}

impl Parties {
    pub(crate) async fn new() -> Self {
        let app = TestApp::new("2026-01-31T10:00:00Z").await;
        let vendor = sign_in(&app, &app.admin_email.clone(), &app.admin_password.clone()).await;
        let organization = async |kind: &str, name: &str| {
            let body = json!({"kind": kind, "name": name});
            text(&app.post(&vendor, "/api/v1/organizations", body).await.expect(201).json(), "id")
        };
        let distributor = organization("distributor", "Lakeside Distribution").await;
        let other = organization("distributor", "Riverside Distribution").await;
        let provider = organization("provider", "Northlight Hosting").await;
        let stranger = organization("provider", "Southwind Hosting").await;
        let agreed = async |distributor: &str, provider: &str| {
            let agreement = json!({
                "distributor": distributor, "provider": provider, "number": "RA-1", "kind": "volume",
                "commit": "200", "signed_at": "2026-01-05T00:00:00Z", "ends_at": "2029-01-01T00:00:00Z",
            });
            text(&app.post(&vendor, "/api/v1/agreements", agreement).await.expect(201).json(), "id")
        };
        let agreement = agreed(&distributor, &provider).await;
        agreed(&other, &stranger).await;
        let mut parties = Self {
            app,
            vendor,
            distributor: distributor.clone(),
            provider: provider.clone(),
            stranger: stranger.clone(),
            agreement,
            sessions: BTreeMap::new(),
            passwords: BTreeMap::new(),
            ids: BTreeMap::new(),
        };
        let vendors = parties.app.vendor.to_string();
        for (name, org, role) in [
            ("catalog", &vendors, "vendor_catalog"),
            ("auditor", &vendors, "vendor_auditor"),
            ("seller", &distributor, "distributor_administrator"),
            ("approver", &distributor, "distributor_approver"),
            ("primary", &provider, "provider_primary"),
            ("ann", &provider, "provider_full_access"),
            ("reader", &provider, "provider_read_only"),
            ("stranger", &stranger, "provider_full_access"),
        ] {
            let person = json!({"email": format!("{name}@parties.example"), "name": name, "role": role});
            parties.person(name, org, person).await;
        }
        parties
    }

    /// Adds a person and signs it in.
    pub(crate) async fn person(&mut self, name: &'static str, org: &str, person: Value) {
        let path = format!("/api/v1/organizations/{org}/people");
        let email = text(&person, "email");
        let made = self.app.post(&self.vendor, &path, person).await.expect(201).json();
        let password = text(&made, "password");
        let session = sign_in(&self.app, &email, &password).await;
        self.passwords.insert(name, password);
        self.sessions.insert(name, session);
        self.ids.insert(name, text(&made, "id"));
    }

    /// Signs somebody in again: a session ends when time leaps.
    pub(crate) async fn again(&self, name: &str) -> String {
        sign_in(&self.app, &format!("{name}@parties.example"), &self.passwords[name]).await
    }

    /// Somebody's session.
    pub(crate) fn of(&self, name: &str) -> &str {
        if name == "vendor" { &self.vendor } else { &self.sessions[name] }
    }

    pub(crate) async fn get(&self, name: &str, path: &str) -> Answer {
        self.app.get(self.of(name), path).await
    }

    pub(crate) async fn post(&self, name: &str, path: &str, body: Value) -> Answer {
        self.app.post(self.of(name), path, body).await
    }

    /// `PATCH` or `PUT` of what was just loaded.
    pub(crate) async fn edit(&self, name: &str, method: Method, path: &str, body: Value) -> Answer {
        let seen = self.app.get(&self.vendor, path).await.headers.get("etag").cloned();
        let seen = seen.as_ref().and_then(|tag| tag.to_str().ok()).unwrap_or("*").to_owned();
        self.app.call(method, path, Some(self.of(name)), Some(body), &[("if-match", &seen)]).await
    }

    pub(crate) async fn patch(&self, name: &str, path: &str, body: Value) -> Answer {
        self.edit(name, Method::PATCH, path, body).await
    }

    /// What each of these gets for a request, as `name: status`.
    pub(crate) async fn statuses(&self, names: &[&str], method: Method, path: &str, body: Option<&Value>) -> Vec<u16> {
        let mut statuses = Vec::new();
        for name in names {
            let token = if *name == "nobody" { None } else { Some(self.of(name)) };
            let answer = self.app.call(method.clone(), path, token, body.cloned(), &[("if-match", "*")]).await;
            statuses.push(answer.status.as_u16());
        }
        statuses
    }
}

pub(crate) async fn sign_in(app: &TestApp, email: &str, password: &str) -> String {
    let body = json!({"email": email, "password": password});
    text(&app.post("", "/api/v1/sign-in", body).await.expect(200).json(), "token")
}

/// The named text of each item of a list.
pub(crate) fn each(list: &Value, name: &str) -> Vec<String> {
    list["items"].as_array().expect("items").iter().map(|item| text(item, name)).collect()
}

//! From an empty deployment to a downloaded license, as a script would do it.

use axum::http::Method;
use serde_json::{Value, json};
use tenure_testkit::{Answer, TestApp};

/// A vendor's session, a provider's manage token, and what they made.
struct Scene {
    app: TestApp,
    vendor: String,
    provider: String,
    token: String,
    agreement: String,
    company: String,
}

fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}")).to_owned()
}

impl Scene {
    async fn new() -> Self {
        let app = TestApp::new("2026-01-31T10:00:00Z").await;
        let sign_in = json!({"email": app.admin_email, "password": app.admin_password});
        let vendor = text(&app.post("", "/api/v1/sign-in", sign_in).await.expect(200).json(), "token");
        let organization = async |kind: &str, name: &str| {
            let body = json!({"kind": kind, "name": name});
            text(&app.post(&vendor, "/api/v1/organizations", body).await.expect(201).json(), "id")
        };
        let distributor = organization("distributor", "Lakeside Distribution").await;
        let provider = organization("provider", "Northlight Hosting").await;
        let agreement = json!({
            "distributor": distributor, "provider": provider, "number": "RA-1", "kind": "volume", "commit": "200",
            "signed_at": "2026-01-05T00:00:00Z", "ends_at": "2029-01-01T00:00:00Z",
        });
        let agreement = app.post(&vendor, "/api/v1/agreements", agreement).await.expect(201).json();
        assert_eq!(agreement["commit"], "200");
        let person = json!({"email": "ann@north.example", "name": "Ann", "role": "provider_full_access"});
        let path = format!("/api/v1/organizations/{provider}/people");
        let password = text(&app.post(&vendor, &path, person).await.expect(201).json(), "password");
        let sign_in = json!({"email": "ANN@north.example", "password": password});
        let session = text(&app.post("", "/api/v1/sign-in", sign_in).await.expect(200).json(), "token");
        let token = json!({"name": "script", "scope": "manage", "expires_at": "2027-01-01T00:00:00Z"});
        let token = text(&app.post(&session, "/api/v1/tokens", token).await.expect(201).json(), "token");
        let company = app.post(&token, "/api/v1/companies", json!({"name": "Contoso AG"})).await.expect(201).json();
        let (agreement, company) = (text(&agreement, "id"), text(&company, "id"));
        Self { app, vendor, provider, token, agreement, company }
    }

    async fn hosts(&self) -> Value {
        let catalog = self.app.get(&self.token, "/api/v1/catalog").await.expect(200).json();
        let products = catalog["products"].as_array().expect("products");
        let product = products.iter().find(|product| product["code"] == "file-backup").expect("the product");
        assert_eq!(product["workloads"][0]["weight"], "4.5");
        json!({
            "agreement": self.agreement, "product": product["id"], "usage_type": "single_customer",
            "expires_on": "2026-12-31", "workloads": [{"workload": "host", "count": 3}],
        })
    }

    async fn post_once(&self, path: &str, body: Value, key: &str) -> Answer {
        self.app.call(Method::POST, path, Some(&self.token), Some(body), &[("idempotency-key", key)]).await
    }
}

#[tokio::test]
async fn a_license_from_template_to_file() {
    let scene = Scene::new().await;
    let (app, token) = (&scene.app, scene.token.as_str());
    let created = app.post(token, "/api/v1/licenses", scene.hosts().await).await.expect(201).json();
    assert_eq!(created["state"], "template");
    assert_eq!((created["points"].as_i64(), created["workloads"][0]["points"].as_str()), (Some(14), Some("13.5")));
    assert_eq!(created["automatic_reporting"], "off");
    let words = text(&created, "automatic_reporting_text");
    assert!(words.starts_with("Automatic reporting is not requested yet"), "{words}");
    let template = format!("/api/v1/licenses/{}", text(&created, "id"));

    let download = format!("{template}/download");
    let refused = app.call(Method::POST, &download, Some(token), None, &[]).await.expect(409);
    assert_eq!(refused.problem(), "not-assigned");
    let switch = format!("{template}/automatic-reporting");
    let refused = app.post(token, &switch, json!({"on": true})).await.expect(409);
    assert_eq!(refused.problem(), "reporting-fixed");

    let asked = app.post(token, "/api/v1/enrollment", json!({"requirements_confirmed": true})).await.expect(200).json();
    assert_eq!(asked["state"], "requested");
    let decision = format!("/api/v1/enrollment/{}/decision", scene.provider);
    assert_eq!(app.post(token, &decision, json!({"approve": true})).await.expect(403).problem(), "forbidden");
    let approved = app.post(&scene.vendor, &decision, json!({"approve": true})).await.expect(200).json();
    assert_eq!(approved["state"], "active");
    assert_eq!(app.get(token, "/api/v1/enrollment").await.expect(200).json()["state"], "active");
    let again = app.post(&scene.vendor, &decision, json!({"approve": true})).await.expect(409);
    assert_eq!(again.problem(), "enrollment-state");

    let _ = app.post(token, &switch, json!({"on": true})).await.expect(200);
    let assign = format!("{template}/assign");
    let assigned = app.post(token, &assign, json!({"company": scene.company})).await.expect(200).json();
    assert_eq!((assigned["state"].as_str(), assigned["automatic_reporting"].as_str()), (Some("valid"), Some("on")));
    assert_eq!(assigned["expires_at"], "2026-04-15T10:00:00Z");
    assert_eq!(assigned["company"]["name"], "Contoso AG");
    let twice = app.post(token, &assign, json!({"company": scene.company})).await.expect(409);
    assert_eq!(twice.problem(), "already-assigned");

    let file = app.call(Method::POST, &download, Some(token), None, &[]).await.expect(200).json();
    assert!(text(&file, "content").starts_with("-----BEGIN TENURE LICENSE-----\n"));
    assert_eq!((text(&file, "activation_code").len(), file["code_until"].as_str()), (30, Some("2026-02-03T10:00:00Z")));
    let by_license = format!("/api/v1/licenses/{}", text(&assigned, "license"));
    assert_eq!(app.get(token, &by_license).await.expect(200).json()["id"], assigned["id"]);
    let list = app.get(token, "/api/v1/licenses?state=valid&automatic=true").await.expect(200).json();
    assert_eq!((list["items"].as_array().map(Vec::len), &list["next"]), (Some(1), &Value::Null));
}

#[tokio::test]
async fn refusals_are_problems_with_a_type() {
    let scene = Scene::new().await;
    let (app, token) = (&scene.app, scene.token.as_str());
    let hosts = scene.hosts().await;
    let broken = |name: &str, value: Value| {
        let mut body = hosts.clone();
        body[name] = value;
        body
    };
    for (body, expected) in [
        (broken("expires_on", json!("2029-01-01")), "invalid-input"),
        (broken("expires_on", json!("31.12.2026")), "invalid-input"),
        (broken("workloads", json!([{"workload": "host", "count": -1}])), "invalid-input"),
        (broken("surprise", json!(1)), "invalid-input"),
        (broken("agreement", json!("RA-1")), "invalid-input"),
        (broken("agreement", json!("agr_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f")), "not-found"),
        (broken("automatic_reporting", json!(true)), "reporting-fixed"),
    ] {
        let answer = app.post(token, "/api/v1/licenses", body.clone()).await;
        assert_eq!(answer.problem(), expected, "{body}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert!(answer.json()["what_to_do"].is_string());
    }
    for path in [
        "/api/v1/licenses?limit=0",
        "/api/v1/licenses?cursor=x",
        "/api/v1/licenses?state=old",
        "/api/v1/licenses?company=1",
    ] {
        assert_eq!(app.get(token, path).await.expect(422).problem(), "invalid-input", "{path}");
    }
    for path in ["/api/v1/licenses/lic_1", "/api/v1/licenses/lic_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f"] {
        assert_eq!(app.get(token, path).await.expect(404).problem(), "not-found", "{path}");
    }
    assert_eq!(app.get("tnr_wrong", "/api/v1/licenses").await.expect(401).problem(), "unauthenticated");
    let cut = app
        .call(Method::POST, "/api/v1/licenses", Some(token), None, &[("content-type", "application/json")])
        .await
        .expect(400);
    assert_eq!(cut.problem(), "malformed-body");
    let untyped = app.call(Method::POST, "/api/v1/licenses", Some(token), None, &[]).await.expect(400);
    assert_eq!(untyped.problem(), "malformed-body");
    let wrong = json!({"email": app.admin_email, "password": "wrong"});
    assert_eq!(app.post("", "/api/v1/sign-in", wrong).await.expect(401).problem(), "sign-in-failed");
}

#[tokio::test]
async fn an_idempotency_key_names_one_request() {
    let scene = Scene::new().await;
    let hosts = scene.hosts().await;
    let path = "/api/v1/licenses";
    let once = scene.post_once(path, hosts.clone(), "k-1").await.expect(201);
    let again = scene.post_once(path, hosts.clone(), "k-1").await.expect(201);
    assert_eq!(once.json(), again.json());
    let other = scene.post_once(path, json!({"usage_type": "internal"}), "k-1").await;
    assert_eq!(other.problem(), "invalid-input", "what cannot be read is refused before the key is looked up");
    let mut more = hosts.clone();
    more["description"] = json!("another");
    assert_eq!(scene.post_once(path, more, "k-1").await.expect(422).problem(), "idempotency-mismatch");
    assert_eq!(scene.post_once(path, hosts, "two words").await.expect(422).problem(), "invalid-input");
    let company = json!({"name": "Fabrikam"});
    let first = scene.post_once("/api/v1/companies", company.clone(), "k-1").await.expect(201).json();
    let repeat = scene.post_once("/api/v1/companies", company, "k-1").await.expect(201).json();
    assert_eq!(first, repeat);
    let list = scene.app.get(&scene.token, "/api/v1/companies").await.expect(200).json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2));
}

#[test]
fn every_operation_is_documented() {
    let document = serde_json::to_value(tenure_api::openapi()).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let mut operations = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("an item") {
            for part in ["summary", "operationId"] {
                assert!(operation[part].is_string(), "{method} {path} has no {part}");
            }
            assert!(operation["responses"].get("4XX").is_some(), "{method} {path} says nothing of refusals");
            operations.push(format!("{method} {path}"));
        }
    }
    for expected in [
        "get /api/v1/catalog",
        "get /api/v1/agreements",
        "post /api/v1/agreements",
        "get /api/v1/companies",
        "post /api/v1/companies",
        "get /api/v1/licenses",
        "post /api/v1/licenses",
        "get /api/v1/licenses/{id}",
        "post /api/v1/licenses/{id}/assign",
        "post /api/v1/licenses/{id}/automatic-reporting",
        "post /api/v1/licenses/{id}/download",
        "get /api/v1/enrollment",
        "post /api/v1/enrollment",
        "post /api/v1/enrollment/{provider}/decision",
    ] {
        assert!(operations.iter().any(|operation| operation == expected), "{expected} is missing: {operations:?}");
    }
}

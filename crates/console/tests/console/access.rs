//! Who may in, and how far.

use axum::{
    body::Body,
    http::{Method, Request},
};
use serde_json::{Value, json};
use tenure_core::roles::Role;
use tenure_service::{NewPerson, create_person};
use tenure_testkit::{Answer, Authenticator, TestApp};

use crate::fleet::Fleet;

async fn token(app: &TestApp, form: &str) -> Answer {
    let request = Request::post("/api/v3/token").header("content-type", "application/x-www-form-urlencoded");
    app.send(request.body(Body::from(form.to_owned())).expect("a request")).await
}

fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}")).to_owned()
}

/// A person of the provider: the form that signs them in, and their password.
pub(crate) async fn person(fleet: &Fleet) -> (String, String) {
    let input = NewPerson {
        org: fleet.provider.org,
        email: "ann@northlight.example".to_owned(),
        name: "Ann".to_owned(),
        role: Role::ProviderFullAccess,
        site: None,
    };
    let made = create_person(&fleet.app.service, &fleet.provider, input, None).await.expect("a person");
    let form = format!("grant_type=password&username=ann@northlight.example&password={}", *made.password);
    (form, made.password.to_string())
}

#[tokio::test]
async fn a_password_is_traded_for_tokens_and_a_refresh_token_once() {
    let fleet = Fleet::new().await;
    let (form, _) = person(&fleet).await;
    let issued = token(&fleet.app, &form).await.expect(200);
    assert_eq!(issued.headers["cache-control"], "no-store");
    let issued = issued.json();
    assert_eq!((text(&issued, "token_type").as_str(), issued["expires_in"].as_i64()), ("bearer", Some(3600)));
    let access = text(&issued, "access_token");
    let _ = fleet.app.get(&access, "/api/v3/pulse").await.expect(200);

    let refresh = format!("grant_type=refresh_token&refresh_token={}", text(&issued, "refresh_token"));
    let second = token(&fleet.app, &refresh).await.expect(200).json();
    let _ = fleet.app.get(&text(&second, "access_token"), "/api/v3/pulse").await.expect(200);
    let _ = fleet.app.get(&access, "/api/v3/pulse").await.expect(401);
    let again = token(&fleet.app, &refresh).await.expect(400).json();
    assert_eq!(again["error"], "invalid_grant");
    let misused = fleet.app.get(&text(&second, "refresh_token"), "/api/v3/pulse").await.expect(401).json();
    assert_eq!(
        (misused["errors"][0]["type"].as_str(), misused["errors"][0]["code"].as_i64()),
        (Some("security"), Some(401))
    );
}

#[tokio::test]
async fn wrong_grants_are_refused_and_guessing_locks() {
    let fleet = Fleet::new().await;
    let (form, _) = person(&fleet).await;
    for (form, error) in [
        ("grant_type=mfa", "unsupported_grant_type"),
        ("username=a", "invalid_request"),
        ("grant_type=refresh_token&refresh_token=tnf_x", "invalid_grant"),
        ("grant_type=password&username=a&password=b&readOnly=maybe", "invalid_request"),
    ] {
        assert_eq!(token(&fleet.app, form).await.expect(400).json()["error"], error, "{form}");
    }
    for _ in 0..6 {
        let wrong = "grant_type=password&username=ann@northlight.example&password=guess";
        assert_eq!(token(&fleet.app, wrong).await.expect(400).json()["error"], "invalid_grant");
    }
    assert_eq!(token(&fleet.app, &form).await.expect(400).json()["error"], "invalid_grant", "it waits a minute");
    fleet.app.clock.advance_secs(61);
    let _ = token(&fleet.app, &form).await.expect(200);
}

#[tokio::test]
async fn who_signs_in_with_a_second_step_is_told_to_use_a_token() {
    let fleet = Fleet::new().await;
    let (form, password) = person(&fleet).await;
    let app = &fleet.app;
    let earlier = text(&token(app, &form).await.expect(200).json(), "access_token");
    let body = json!({ "email": "ann@northlight.example", "password": password });
    let session = text(&app.post("", "/api/v1/sign-in", body).await.expect(200).json(), "token");
    let begin = json!({ "password": password });
    let begun = app.post(&session, "/api/v1/me/second-step", begin).await.expect(200).json();
    let code = Authenticator::new(&text(&begun, "secret")).code(app.service.now());
    let _ = app.post(&session, "/api/v1/me/second-step/confirm", json!({ "code": code })).await.expect(200);
    let _ = app.get(&earlier, "/api/v3/pulse").await.expect(401);
    let refused = token(app, &form).await.expect(400).json();
    assert_eq!(refused["error"], "invalid_grant");
    assert!(text(&refused, "error_description").contains("use a token instead"), "{refused}");
    let wrong = "grant_type=password&username=ann@northlight.example&password=guess";
    let refused = token(app, wrong).await.expect(400).json();
    assert!(!text(&refused, "error_description").contains("token"), "who guesses learns nothing: {refused}");
}

#[tokio::test]
async fn a_read_only_session_reads_and_changes_nothing() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let form = format!("{}&readOnly=true", person(&fleet).await.0);
    let issued = token(&fleet.app, &form).await.expect(200).json();
    let refresh = format!("grant_type=refresh_token&readOnly=false&refresh_token={}", text(&issued, "refresh_token"));
    let access = text(&token(&fleet.app, &refresh).await.expect(200).json(), "access_token");
    let list = fleet.app.get(&access, "/api/v3/pulse/licenses").await.expect(200).json();
    let uid = text(&list["data"][0], "instanceUid");
    assert_eq!(list["data"][0]["licenseId"], json!(license.uuid()));
    let one = format!("/api/v3/pulse/licenses/{uid}");
    let patch = json!([{ "op": "replace", "path": "/description", "value": "x" }]);
    for (method, path, body) in [
        (Method::PATCH, one.clone(), Some(patch)),
        (Method::DELETE, one.clone(), None),
        (Method::POST, format!("{one}/copy"), None),
        (Method::POST, format!("{one}/revoke"), None),
        (Method::POST, format!("{one}/download"), None),
        (Method::POST, format!("/api/v3/pulse/tenants?companyUid={}", fleet.company.uuid()), None),
        (Method::POST, "/api/v3/pulse/sync".to_owned(), None),
    ] {
        let refused = fleet.app.call(method, &path, Some(&access), body, &[]).await.expect(403).json();
        assert_eq!(refused["errors"][0]["type"], "security", "{path}");
    }
    // Nor is it a way to the person's own access.
    assert_eq!(fleet.app.get(&access, "/api/v1/me/sessions").await.expect(401).problem(), "unauthenticated");
    let ended = fleet.app.call(Method::DELETE, "/api/v1/me/sessions", Some(&access), None, &[]).await;
    assert_eq!(ended.expect(401).problem(), "unauthenticated");
}

#[tokio::test]
async fn what_belongs_to_others_does_not_exist_and_unserved_addresses_say_so() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    for path in ["/api/v3/pulse/licenses", "/api/v3/pulse/contracts", "/api/v3/pulse"] {
        let _ = fleet.app.get(&fleet.vendor, path).await.expect(404);
    }
    // The license's id is no template's, another's neither.
    for uid in [license.uuid().to_string(), fleet.company.uuid().to_string(), "x".to_owned()] {
        let _ = fleet.get(&format!("/api/v3/pulse/licenses/{uid}")).await.expect(404);
    }
    let unserved = fleet.get("/api/v3/alarms").await.expect(404).json();
    assert_eq!(unserved["errors"][0]["type"], "logical");
    let _ = fleet.call(Method::PUT, "/api/v3/pulse", None).await.expect(405);
    let _ = fleet.app.call(Method::GET, "/api/v3/about", None, None, &[]).await.expect(401);
}

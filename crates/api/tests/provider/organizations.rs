//! Organizations, sites and companies: who sees them, who changes them, and what a change names.

use axum::http::Method;
use serde_json::{Value, json};

use crate::parties::{Parties, each, text};

const EVERYBODY: [&str; 6] = ["nobody", "stranger", "reader", "ann", "seller", "vendor"];

#[tokio::test]
async fn organizations_are_seen_by_their_partners_and_changed_by_the_vendor() {
    let parties = Parties::new().await;
    let list = async |name: &str, query: &str| {
        each(&parties.get(name, &format!("/api/v1/organizations{query}")).await.expect(200).json(), "name")
    };
    assert_eq!(list("reader", "").await, ["Lakeside Distribution", "Northlight Hosting"]);
    assert_eq!(list("approver", "?kind=provider").await, ["Northlight Hosting"]);
    assert_eq!(list("auditor", "?kind=provider").await, ["Northlight Hosting", "Southwind Hosting"]);
    let path = format!("/api/v1/organizations/{}", parties.provider);
    let rename = json!({"name": "Northlight Hosting GmbH"});
    let seen = parties.statuses(&EVERYBODY, Method::GET, &path, None).await;
    assert_eq!(seen, [401, 404, 200, 200, 200, 200]);
    let changed = parties.statuses(&EVERYBODY, Method::PATCH, &path, Some(&rename)).await;
    assert_eq!(changed, [401, 404, 403, 403, 403, 200]);
    assert_eq!(text(&parties.get("ann", &path).await.json(), "name"), "Northlight Hosting GmbH");
    let vendor = format!("/api/v1/organizations/{}", parties.app.vendor);
    assert_eq!(parties.get("stranger", &vendor).await.expect(200).json()["kind"], "vendor");
    let unknown = "/api/v1/organizations?kind=reseller";
    assert_eq!(parties.get("vendor", unknown).await.expect(422).problem(), "invalid-input");
    assert_eq!(
        parties.get("vendor", "/api/v1/organizations?knid=provider").await.expect(422).problem(),
        "invalid-input"
    );
}

#[tokio::test]
async fn a7_a_cursor_continues_one_list_of_one_tenant() {
    let parties = Parties::new().await;
    let first = parties.get("vendor", "/api/v1/organizations?limit=2").await.expect(200).json();
    let next = text(&first, "next");
    let rest =
        parties.get("vendor", &format!("/api/v1/organizations?limit=200&cursor={next}")).await.expect(200).json();
    let all: Vec<_> = each(&first, "name").into_iter().chain(each(&rest, "name")).collect();
    assert_eq!((all.len(), &rest["next"]), (5, &Value::Null));
    for (who, query) in [
        ("vendor", format!("/api/v1/organizations?kind=provider&cursor={next}")),
        ("vendor", format!("/api/v1/agreements?cursor={next}")),
        ("ann", format!("/api/v1/organizations?cursor={next}")),
        ("vendor", format!("/api/v1/organizations?cursor={}", &next[1..])),
        ("vendor", "/api/v1/organizations?limit=201".to_owned()),
        ("vendor", "/api/v1/organizations?limit=-1".to_owned()),
    ] {
        assert_eq!(parties.get(who, &query).await.expect(422).problem(), "invalid-input", "{query}");
    }
}

#[tokio::test]
async fn a_change_names_the_version_it_means() {
    let parties = Parties::new().await;
    let path = format!("/api/v1/organizations/{}", parties.provider);
    let patch = async |tag: Option<&str>, body: Value| {
        let headers: Vec<_> = tag.iter().map(|tag| ("if-match", *tag)).collect();
        parties.app.call(Method::PATCH, &path, Some(&parties.vendor), Some(body), &headers).await
    };
    let loaded = parties.get("vendor", &path).await.expect(200);
    let tag = loaded.headers["etag"].to_str().expect("a tag").to_owned();
    assert_eq!(patch(None, json!({"name": "A"})).await.expect(428).problem(), "precondition-required");
    assert_eq!(patch(Some("\"other\""), json!({"name": "A"})).await.expect(412).problem(), "stale");
    let renamed = patch(Some(&tag), json!({"name": "A"})).await.expect(200);
    let stale = patch(Some(&tag), json!({"name": "B"})).await.expect(412);
    assert_eq!((stale.problem().as_str(), &stale.json()["changed"]), ("stale", &json!({"name": "A"})));
    let newer = renamed.headers["etag"].to_str().expect("a tag");
    assert_eq!(text(&patch(Some(newer), json!({"name": "B"})).await.expect(200).json(), "name"), "B");
    assert_eq!(text(&patch(Some("*"), json!({})).await.expect(200).json(), "name"), "B");
    for bad in [json!({"name": ""}), json!({"name": "x", "kind": "vendor"})] {
        assert_eq!(patch(Some("*"), bad).await.expect(422).problem(), "invalid-input");
    }
}

#[tokio::test]
async fn a_deactivated_organization_is_locked_out_until_it_is_activated() {
    let parties = Parties::new().await;
    let provider = format!("/api/v1/organizations/{}", parties.provider);
    let distributor = format!("/api/v1/organizations/{}", parties.distributor);
    let vendor = format!("/api/v1/organizations/{}", parties.app.vendor);
    let token = json!({"name": "script", "scope": "read", "expires_at": "2027-01-01T00:00:00Z"});
    let token = text(&parties.post("ann", "/api/v1/tokens", token).await.expect(201).json(), "token");
    let off = json!({"active": false});
    assert_eq!(parties.patch("vendor", &distributor, off.clone()).await.expect(409).problem(), "in-use");
    assert_eq!(parties.patch("vendor", &vendor, off.clone()).await.expect(422).problem(), "invalid-input");
    let gone = parties.patch("vendor", &provider, off).await.expect(200).json();
    assert_eq!(gone["deactivated_at"], "2026-01-31T10:00:00Z");
    let _ = parties.get("ann", "/api/v1/companies").await.expect(401);
    let _ = parties.app.get(&token, "/api/v1/companies").await.expect(401);
    let agreement = json!({
        "distributor": parties.distributor, "provider": parties.provider, "number": "RA-2", "kind": "no_commit",
        "commit": "0", "signed_at": "2026-01-05T00:00:00Z", "ends_at": "2029-01-01T00:00:00Z",
    });
    assert_eq!(parties.post("vendor", "/api/v1/agreements", agreement).await.expect(409).problem(), "inactive");
    let _ = parties.patch("vendor", &provider, json!({"active": true})).await.expect(200);
    let _ = parties.get("ann", "/api/v1/companies").await.expect(200);
    let _ = parties.app.get(&token, "/api/v1/companies").await.expect(200);
}

#[tokio::test]
async fn a_site_is_closed_once_nothing_belongs_to_it() {
    let mut parties = Parties::new().await;
    let sites = format!("/api/v1/organizations/{}/sites", parties.provider);
    let added = parties.statuses(&EVERYBODY, Method::POST, &sites, Some(&json!({"name": "Hamburg"}))).await;
    assert_eq!(added, [401, 404, 403, 403, 403, 201]);
    let list = parties.get("reader", &sites).await.expect(200).json();
    let site = list["items"][0]["id"].as_str().expect("a site").to_owned();
    let path = format!("{sites}/{site}");
    let foreign = format!("/api/v1/organizations/{}/sites/{site}", parties.stranger);
    assert_eq!(parties.get("vendor", &foreign).await.expect(404).problem(), "not-found");
    assert_eq!(parties.statuses(&EVERYBODY, Method::GET, &path, None).await, [401, 404, 200, 200, 200, 200]);
    let changed = parties.statuses(&EVERYBODY, Method::PATCH, &path, Some(&json!({"name": "Harbor"}))).await;
    assert_eq!(changed, [401, 404, 403, 403, 403, 200]);
    let provider = parties.provider.clone();
    let local = json!({"email": "loc@parties.example", "name": "Loc", "role": "provider_location", "site": site});
    parties.person("loc", &provider, local).await;
    let company = json!({"name": "Contoso AG"});
    let company = parties.post("loc", "/api/v1/companies", company).await.expect(201).json();
    assert_eq!(company["site"], site.as_str());
    let refused = parties.patch("vendor", &path, json!({"open": false})).await.expect(409);
    assert_eq!(refused.json()["detail"], "it still has 1 people, 1 companies");
    let company = format!("/api/v1/companies/{}", text(&company, "id"));
    let moved = parties.app.call(
        Method::PATCH,
        &company,
        Some(parties.of("ann")),
        Some(json!({"site": null})),
        &[("if-match", "*")],
    );
    assert_eq!(moved.await.expect(200).json()["site"], Value::Null);
    let _ = parties.get("loc", &company).await.expect(404);
}

#[tokio::test]
async fn companies_are_edited_by_their_provider_and_closed_when_they_hold_nothing() {
    let parties = Parties::new().await;
    let add = async |body: Value| parties.post("ann", "/api/v1/companies", body).await;
    let reseller = text(&add(json!({"name": "Trade AG", "kind": "reseller"})).await.expect(201).json(), "id");
    let served = add(json!({"name": "Contoso AG", "reseller": reseller})).await.expect(201).json();
    let plain = text(&add(json!({"name": "Fabrikam"})).await.expect(201).json(), "id");
    for (body, expected) in [
        (json!({"name": "x", "reseller": plain}), "invalid-input"),
        (json!({"name": "x", "kind": "reseller", "reseller": reseller}), "invalid-input"),
        (json!({"name": "x", "reseller": "com_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f"}), "not-found"),
    ] {
        assert_eq!(add(body.clone()).await.problem(), expected, "{body}");
    }
    let list = async |query: &str| {
        each(&parties.get("reader", &format!("/api/v1/companies?{query}")).await.expect(200).json(), "name")
    };
    assert_eq!(list(&format!("reseller={reseller}")).await, ["Contoso AG"]);
    assert_eq!(list("kind=reseller").await, ["Trade AG"]);
    assert_eq!(list("name=FABRI").await, ["Fabrikam"]);
    let path = format!("/api/v1/companies/{}", text(&served, "id"));
    assert_eq!(
        parties.statuses(&["nobody", "stranger", "reader", "ann"], Method::GET, &path, None).await,
        [401, 404, 200, 200]
    );
    let edit = json!({"name": "Contoso SE"});
    assert_eq!(
        parties.statuses(&["nobody", "stranger", "seller", "reader", "ann"], Method::PATCH, &path, Some(&edit)).await,
        [401, 404, 404, 403, 200]
    );
    let of_reseller = format!("/api/v1/companies/{reseller}");
    let ann = async |path: &str, body: Value| {
        parties.app.call(Method::PATCH, path, Some(parties.of("ann")), Some(body), &[("if-match", "*")]).await
    };
    assert_eq!(ann(&of_reseller, json!({"open": false})).await.expect(409).problem(), "in-use");
    assert_eq!(ann(&of_reseller, json!({"kind": "customer"})).await.expect(409).problem(), "in-use");
    assert_eq!(ann(&path, json!({"reseller": null, "open": false})).await.expect(200).json()["reseller"], Value::Null);
    assert_eq!(list("open=false").await, ["Contoso SE"]);
    assert!(ann(&of_reseller, json!({"open": false})).await.expect(200).json()["closed_at"].is_string());
    assert_eq!(add(json!({"name": "x", "reseller": reseller})).await.expect(409).problem(), "inactive");
}

#[tokio::test]
async fn a6_a_secret_shown_once_is_shown_again_to_the_same_request() {
    let parties = Parties::new().await;
    let keyed = async |who: &str, path: &str, body: &Value| {
        let key = [("idempotency-key", "k-1")];
        parties.app.call(Method::POST, path, Some(parties.of(who)), Some(body.clone()), &key).await
    };
    let token = json!({"name": "script", "scope": "read", "expires_at": "2027-01-01T00:00:00Z"});
    let once = keyed("ann", "/api/v1/tokens", &token).await.expect(201).json();
    assert_eq!(keyed("ann", "/api/v1/tokens", &token).await.expect(201).json(), once);
    let _ = parties.app.get(&text(&once, "token"), "/api/v1/companies").await.expect(200);
    let another = keyed("primary", "/api/v1/tokens", &token).await.expect(201).json();
    assert_ne!(another["token"], once["token"], "another principal's key");
    let other = json!({"name": "script", "scope": "manage", "expires_at": "2027-01-01T00:00:00Z"});
    assert_eq!(keyed("ann", "/api/v1/tokens", &other).await.expect(422).problem(), "idempotency-mismatch");
    let people = format!("/api/v1/organizations/{}/people", parties.provider);
    let person = json!({"email": "bob@parties.example", "name": "Bob", "role": "provider_read_only"});
    let once = keyed("ann", &people, &person).await.expect(201).json();
    assert_eq!(keyed("ann", &people, &person).await.expect(201).json(), once);
    crate::parties::sign_in(&parties.app, "bob@parties.example", &text(&once, "password")).await;
    let site = format!("/api/v1/organizations/{}/sites", parties.provider);
    let once = keyed("vendor", &site, &json!({"name": "Rome"})).await.expect(201).json();
    assert_eq!(keyed("vendor", &site, &json!({"name": "Rome"})).await.expect(201).json(), once);
    let elsewhere = format!("/api/v1/organizations/{}/sites", parties.stranger);
    let moved = keyed("vendor", &elsewhere, &json!({"name": "Rome"})).await.expect(422);
    assert_eq!(moved.problem(), "idempotency-mismatch", "the path is part of the request");
}

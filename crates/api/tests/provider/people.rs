//! People, their own access, and machines' tokens: who may what, and what nobody may.

use axum::http::Method;
use serde_json::{Value, json};
use tenure_store::outbox;
use tenure_testkit::wait_for_async;

use crate::parties::{Parties, each, sign_in, text};

#[tokio::test]
async fn people_are_seen_and_managed_by_their_own_and_the_vendor() {
    let parties = Parties::new().await;
    let path = format!("/api/v1/organizations/{}/people", parties.provider);
    let names = ["nobody", "stranger", "seller", "reader", "ann", "auditor", "vendor"];
    assert_eq!(parties.statuses(&names, Method::GET, &path, None).await, [401, 404, 404, 200, 200, 200, 200]);
    let list = parties.get("reader", &format!("{path}?role=provider_full_access")).await.expect(200).json();
    assert_eq!(each(&list, "email"), ["ann@parties.example"]);
    assert_eq!(parties.get("reader", &format!("{path}?role=boss")).await.expect(422).problem(), "invalid-input");
    let reader = format!("/api/v1/people/{}", parties.ids["reader"]);
    assert_eq!(parties.statuses(&names, Method::GET, &reader, None).await, [401, 404, 404, 200, 200, 200, 200]);
    let rename = json!({"name": "Reading Rita"});
    let changed = parties.statuses(&names, Method::PATCH, &reader, Some(&rename)).await;
    assert_eq!(changed, [401, 404, 404, 403, 200, 403, 200]);
    let ends = parties.statuses(&names, Method::DELETE, &format!("{reader}/sessions"), None).await;
    assert_eq!(ends, [401, 404, 404, 403, 204, 403, 204]);
    let _ = parties.get("reader", "/api/v1/me").await.expect(401);
}

#[tokio::test]
async fn nobody_raises_their_own_role() {
    let parties = Parties::new().await;
    let of = |name: &str| format!("/api/v1/people/{}", parties.ids[name]);
    let patch = async |who: &str, whom: &str, body: Value| parties.patch(who, &of(whom), body).await;
    let primary = json!({"role": "provider_primary"});
    for (who, whom, body) in [
        ("ann", "ann", primary.clone()),
        ("primary", "primary", json!({"role": "provider_full_access"})),
        ("ann", "reader", primary.clone()),
        ("ann", "primary", json!({"active": false})),
        ("ann", "ann", json!({"active": false})),
    ] {
        assert_eq!(patch(who, whom, body).await.expect(403).problem(), "role-refused", "{who} {whom}");
    }
    let people = format!("/api/v1/organizations/{}/people", parties.provider);
    let more = json!({"email": "x@parties.example", "name": "X", "role": "provider_primary"});
    assert_eq!(parties.post("ann", &people, more.clone()).await.expect(403).problem(), "role-refused");
    let _ = parties.post("primary", &people, more).await.expect(201);
    assert_eq!(patch("reader", "reader", primary).await.expect(403).problem(), "forbidden");
    for body in
        [json!({"role": "distributor_approver"}), json!({"role": "token_manage"}), json!({"role": "provider_location"})]
    {
        assert_eq!(patch("primary", "reader", body).await.problem(), "invalid-input");
    }
    let raised = patch("primary", "reader", json!({"role": "provider_full_access"})).await.expect(200).json();
    assert_eq!(raised["role"], "provider_full_access");
    let _ = patch("ann", "ann", json!({"name": "Ann Example"})).await.expect(200);
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let parties = Parties::new().await;
    let seller = format!("/api/v1/people/{}", parties.ids["seller"]);
    for body in [json!({"active": false}), json!({"role": "distributor_approver"})] {
        assert_eq!(parties.patch("vendor", &seller, body).await.expect(409).problem(), "last-administrator");
    }
    let approver = format!("/api/v1/people/{}", parties.ids["approver"]);
    let _ = parties.patch("seller", &approver, json!({"role": "distributor_administrator"})).await.expect(200);
    let gone = parties.patch("approver", &seller, json!({"active": false})).await.expect(200).json();
    assert_eq!(gone["deactivated_at"], "2026-01-31T10:00:00Z");
    let _ = parties.get("seller", "/api/v1/me").await.expect(401);
    assert_eq!(
        parties.patch("vendor", &approver, json!({"active": false})).await.expect(409).problem(),
        "last-administrator"
    );
    let _ = parties.patch("approver", &seller, json!({"active": true})).await.expect(200);
    let _ = parties.get("seller", "/api/v1/me").await.expect(401);
}

#[tokio::test]
async fn a_person_minds_its_own_sessions_and_password() {
    let parties = Parties::new().await;
    let app = &parties.app;
    let (email, id) = ("bob@parties.example", format!("/api/v1/organizations/{}/people", parties.provider));
    let person = json!({"email": email, "name": "Bob", "role": "provider_read_only"});
    let first = text(&parties.post("ann", &id, person).await.expect(201).json(), "password");
    let (here, there) = (sign_in(app, email, &first).await, sign_in(app, email, &first).await);
    let me = app.get(&here, "/api/v1/me").await.expect(200).json();
    assert_eq!((me["name"].as_str(), me["role"].as_str()), (Some("Bob"), Some("provider_read_only")));
    assert_eq!(me["organization"]["name"], "Northlight Hosting");
    let sessions = app.get(&here, "/api/v1/me/sessions").await.expect(200).json();
    let list = sessions["items"].as_array().expect("items").clone();
    assert_eq!(list.iter().filter(|one| one["current"] == true).count(), 1);
    let other = list.iter().find(|one| one["current"] == false).expect("the other");
    let path = format!("/api/v1/me/sessions/{}", text(other, "id"));
    let delete = async |token: &str, path: &str| app.call(Method::DELETE, path, Some(token), None, &[]).await;
    assert_eq!(delete(parties.of("ann"), &path).await.expect(404).problem(), "not-found");
    let _ = delete(&here, &path).await.expect(204);
    let _ = app.get(&there, "/api/v1/me").await.expect(401);
    let there = sign_in(app, email, &first).await;
    let _ = delete(&here, "/api/v1/me/sessions").await.expect(204);
    let _ = app.get(&there, "/api/v1/me").await.expect(401);

    let change = async |current: &str, new: &str| {
        app.post(&here, "/api/v1/me/password", json!({"current": current, "new": new})).await
    };
    assert_eq!(change(&first, "short").await.expect(422).problem(), "invalid-input");
    assert_eq!(change(&first, "aaaaaaaaaaaaaaaa").await.expect(422).problem(), "invalid-input");
    assert_eq!(change(&first, "Bob@parties.example").await.expect(422).problem(), "invalid-input");
    assert_eq!(change("wrong", "correct horse battery").await.expect(401).problem(), "sign-in-failed");
    let there = sign_in(app, email, &first).await;
    let _ = change(&first, "correct horse battery").await.expect(204);
    let _ = app.get(&there, "/api/v1/me").await.expect(401);
    let _ = app.get(&here, "/api/v1/me").await.expect(200);
    sign_in(app, email, "correct horse battery").await;
    for _ in 0..5 {
        let _ = change("wrong", "another horse battery").await.expect(401);
    }
    let locked = change("correct horse battery", "another horse battery").await.expect(401);
    assert_eq!(locked.problem(), "sign-in-failed", "guessing locks here as at signing in");
    let token = json!({"name": "script", "scope": "manage", "expires_at": "2027-01-01T00:00:00Z"});
    let token = text(&parties.post("ann", "/api/v1/tokens", token).await.expect(201).json(), "token");
    assert_eq!(app.get(&token, "/api/v1/me").await.expect(200).json()["name"], "script");
    let _ = app.get(&token, "/api/v1/me/sessions").await.expect(403);
    let _ = app.post(&here, "/api/v1/sign-out", json!({})).await.expect(204);
    let _ = app.get(&here, "/api/v1/me").await.expect(401);
}

#[tokio::test]
async fn a_link_sets_a_password_once() {
    let parties = Parties::new().await;
    let app = &parties.app;
    let links = async || {
        let mut read = app.service.store().read().await.expect("a reader");
        let far = app.service.now().plus_days(10);
        let sent = outbox::pending(&mut read, far, 500).await.expect("the outbox");
        sent.into_iter().filter(|message| message.kind == "person.password_link").collect::<Vec<_>>()
    };
    let reader = format!("/api/v1/people/{}/password-link", parties.ids["reader"]);
    let names = ["nobody", "stranger", "seller", "reader", "auditor", "ann"];
    assert_eq!(parties.statuses(&names, Method::POST, &reader, None).await, [401, 404, 404, 403, 403, 200]);
    let sent = links().await;
    assert_eq!((sent.len(), sent[0].to.as_str()), (1, parties.ids["reader"].as_str()), "to the person, nobody else");
    let secret = tenure_service::password_link_secret(&app.service, &sent[0].body).expect("a link");
    assert!(!sent[0].body.to_string().contains(secret.as_str()), "the outbox does not hold it");
    let redeem = async |secret: &str, new: &str| {
        app.post("", "/api/v1/password-links/redeem", json!({"secret": secret, "new": new})).await
    };
    assert_eq!(redeem(&secret, "short").await.expect(422).problem(), "invalid-input");
    let _ = redeem(&secret, "a password of my own").await.expect(204);
    let _ = parties.get("reader", "/api/v1/me").await.expect(401);
    sign_in(app, "reader@parties.example", "a password of my own").await;
    assert_eq!(redeem(&secret, "another of my own").await.expect(404).problem(), "not-found");

    app.clock.advance_secs(300);
    let ask = async |email: &str| app.post("", "/api/v1/password-links", json!({"email": email})).await;
    for email in ["nobody@parties.example", "Reader@parties.example", "reader@parties.example"] {
        let _ = ask(email).await.expect(202);
    }
    let sent = async || (links().await.len() == 2).then_some(());
    wait_for_async("the link", std::time::Duration::from_secs(20), sent).await;
    app.clock.advance_secs(24 * 3_600);
    let newest = links().await.pop().expect("a link");
    let lapsed = tenure_service::password_link_secret(&app.service, &newest.body).expect("a link");
    assert_eq!(redeem(&lapsed, "another of my own").await.expect(404).problem(), "not-found");
}

#[tokio::test]
async fn a_token_is_rotated_with_an_overlap() {
    let parties = Parties::new().await;
    let app = &parties.app;
    let token = json!({"name": "nightly", "scope": "report", "expires_at": "2026-06-01T00:00:00Z"});
    let made = parties.post("ann", "/api/v1/tokens", token).await.expect(201).json();
    let (old, path) = (text(&made, "token"), format!("/api/v1/tokens/{}", text(&made, "id")));
    let names = ["nobody", "stranger", "seller", "reader", "ann"];
    assert_eq!(parties.statuses(&names, Method::GET, &path, None).await, [401, 404, 404, 403, 200]);
    let rotate = format!("{path}/rotate");
    let body = json!({"expires_at": "2027-06-01T00:00:00Z", "overlap_hours": 2});
    assert_eq!(parties.statuses(&names[..4], Method::POST, &rotate, Some(&body)).await, [401, 404, 404, 403]);
    for bad in [
        json!({"expires_at": "2029-06-01T00:00:00Z"}),
        json!({"expires_at": "2027-06-01T00:00:00Z", "overlap_hours": 169}),
    ] {
        assert_eq!(parties.post("ann", &rotate, bad).await.expect(422).problem(), "invalid-input");
    }
    let rotated = parties.post("ann", &rotate, body.clone()).await.expect(201).json();
    assert_eq!(rotated["old_expires_at"], "2026-01-31T12:00:00Z");
    let new = text(&rotated, "token");
    for token in [&old, &new] {
        assert_eq!(app.get(token, "/api/v1/me").await.expect(200).json()["name"], "nightly");
    }
    app.clock.advance_secs(2 * 3_600);
    let _ = app.get(&old, "/api/v1/me").await.expect(401);
    assert_eq!(app.get(&new, "/api/v1/me").await.expect(200).json()["role"], "token_report");
    assert_eq!(parties.post("ann", &rotate, body).await.expect(409).problem(), "inactive");
    let list = parties.get("ann", "/api/v1/tokens?active=true&scope=report").await.expect(200).json();
    assert_eq!(each(&list, "id"), [text(&rotated, "id")]);
    let new_path = format!("/api/v1/tokens/{}", text(&rotated, "id"));
    assert_eq!(parties.statuses(&names, Method::DELETE, &new_path, None).await, [401, 404, 404, 403, 204]);
    let _ = app.get(&new, "/api/v1/me").await.expect(401);
    assert!(parties.get("ann", &new_path).await.expect(200).json()["revoked_at"].is_string());
}

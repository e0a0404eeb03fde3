//! The program as the vendor changes it: never the past, never without saying what it would do; and the log of all this.

use axum::http::Method;
use serde_json::{Value, json};

use crate::parties::{Parties, each, text};

const EVERYBODY: [&str; 7] = ["nobody", "stranger", "ann", "seller", "auditor", "catalog", "vendor"];

async fn product(parties: &Parties, code: &str) -> String {
    let catalog = parties.get("ann", "/api/v1/catalog").await.expect(200).json();
    let products = catalog["products"].as_array().expect("products");
    text(products.iter().find(|product| product["code"] == code).expect("the product"), "id")
}

async fn host_weight(parties: &Parties, period: &str) -> Value {
    let catalog = parties.get("ann", &format!("/api/v1/catalog?period={period}")).await.expect(200).json();
    let products = catalog["products"].as_array().expect("products").clone();
    let found = products.into_iter().find(|product| product["code"] == "file-backup").expect("the product");
    found["workloads"][0]["weight"].clone()
}

#[tokio::test]
async fn a_weight_changes_on_the_1st_of_a_future_month_only() {
    let parties = Parties::new().await;
    let path = format!("/api/v1/products/{}", product(&parties, "file-backup").await);
    let weights = format!("{path}/weights");
    let new = json!({"from": "2026-03", "weights": [{"workload": "host", "weight": "5.25"}]});
    let tag = parties.get("vendor", &path).await.expect(200).headers["etag"].to_str().expect("a tag").to_owned();
    let statuses = parties.statuses(&EVERYBODY, Method::POST, &weights, Some(&new)).await;
    assert_eq!(statuses, [401, 403, 403, 403, 403, 200, 200]);
    for (period, weight) in [("2026-01", "4.5"), ("2026-02", "4.5"), ("2026-03", "5.25"), ("2030-01", "5.25")] {
        assert_eq!(host_weight(&parties, period).await, weight, "{period}");
    }
    let set = async |body: Value, tag: &str| {
        parties.app.call(Method::POST, &weights, Some(parties.of("catalog")), Some(body), &[("if-match", tag)]).await
    };
    assert_eq!(set(new, &tag).await.expect(412).json()["changed"].as_object().expect("fields").len(), 1);
    for bad in [
        json!({"from": "2026-01", "weights": [{"workload": "host", "weight": "5"}]}),
        json!({"from": "2025-12", "weights": [{"workload": "host", "weight": "5"}]}),
        json!({"from": "2026-03", "weights": []}),
        json!({"from": "2026-03", "weights": [{"workload": "ghost", "weight": "5"}]}),
        json!({"from": "2026-03", "weights": [{"workload": "host", "weight": "5.1234"}]}),
        json!({"from": "2026-03", "weights": [{"workload": "host", "weight": "-5"}]}),
        json!({"from": "2026-03", "weights": [{"workload": "host", "weight": "5"}, {"workload": "host", "weight": "6"}]}),
    ] {
        assert_eq!(set(bad.clone(), "*").await.expect(422).problem(), "invalid-input", "{bad}");
    }
    let dated = parties.get("stranger", &path).await.expect(200).json();
    assert_eq!(dated["weights"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn products_are_added_extended_and_withdrawn() {
    let parties = Parties::new().await;
    let vm = json!({"code": "vm", "name": "Virtual machine", "unit": "machine", "weight": "11"});
    let body = json!({"code": "gateway", "name": "Gateway", "version": "1", "reports": true, "workloads": [vm]});
    let statuses = parties.statuses(&EVERYBODY[..6], Method::POST, "/api/v1/products", Some(&body)).await;
    assert_eq!(statuses, [401, 403, 403, 403, 403, 201]);
    assert_eq!(parties.post("vendor", "/api/v1/products", body).await.expect(422).problem(), "invalid-input");
    let path = format!("/api/v1/products/{}", product(&parties, "gateway").await);
    let workloads = format!("{path}/workloads");
    let more = json!({"from": "2025-11", "workloads": [{"code": "bucket", "name": "Bucket", "unit": "bucket", "weight": "0.5"}]});
    let made = parties.post("catalog", &workloads, more.clone()).await.expect(201).json();
    assert_eq!(made["product"]["workloads"].as_array().map(Vec::len), Some(2));
    for bad in [
        more,
        json!({"from": "2026-02", "workloads": [{"code": "x", "name": "X", "unit": "x", "weight": "1"}]}),
        json!({"workloads": [{"code": "X Y", "name": "X", "unit": "x", "weight": "1"}]}),
        json!({"workloads": []}),
    ] {
        assert_eq!(parties.post("catalog", &workloads, bad).await.expect(422).problem(), "invalid-input");
    }
    let license = json!({
        "agreement": parties.agreement, "product": product(&parties, "gateway").await, "usage_type": "single_customer",
        "expires_on": "2026-12-31", "workloads": [{"workload": "vm", "count": 3}],
    });
    let template = text(&parties.post("ann", "/api/v1/licenses", license).await.expect(201).json(), "id");
    let off = json!({"withdrawn": true, "name": "Gateway (old)"});
    let statuses = parties.statuses(&EVERYBODY[..6], Method::PATCH, &path, Some(&off)).await;
    assert_eq!(statuses, [401, 403, 403, 403, 403, 200]);
    let license = json!({
        "agreement": parties.agreement, "product": product(&parties, "gateway").await, "usage_type": "internal",
        "expires_on": "2026-12-31", "workloads": [{"workload": "vm", "count": 3}],
    });
    assert_eq!(parties.post("ann", "/api/v1/licenses", license).await.expect(409).problem(), "inactive");
    let copy = format!("/api/v1/licenses/{template}/copy");
    assert_eq!(parties.post("ann", &copy, json!({})).await.expect(409).problem(), "inactive");
    let company = parties.post("ann", "/api/v1/companies", json!({"name": "Contoso"})).await.expect(201).json();
    let assign = format!("/api/v1/licenses/{template}/assign");
    let holder = json!({"company": text(&company, "id")});
    assert_eq!(parties.post("ann", &assign, holder).await.expect(409).problem(), "inactive");
}

#[tokio::test]
async fn the_programs_numbers_change_from_a_month_on() {
    let parties = Parties::new().await;
    let path = "/api/v1/policy";
    assert_eq!(parties.statuses(&EVERYBODY, Method::GET, path, None).await, [401, 200, 200, 200, 200, 200, 200]);
    let change = json!({"from": "2026-03", "values": {"grace_days": 45, "overuse_points": "12.5"}});
    let statuses = parties.statuses(&EVERYBODY, Method::PATCH, path, Some(&change)).await;
    assert_eq!(statuses, [401, 403, 403, 403, 403, 403, 200]);
    let policy = parties.get("ann", path).await.expect(200).json();
    assert_eq!((&policy["values"]["grace_days"], &policy["values"]["deviation_points"]), (&json!(60), &json!("20")));
    assert_eq!(policy["scheduled"][0]["values"]["overuse_points"], "12.5");
    for bad in [
        json!({"from": "2026-01", "values": {"grace_days": 45}}),
        json!({"values": {"grace_days": 45}}),
        json!({"from": "2026-03", "values": {"grace_day": 45}}),
        json!({"from": "2026-03", "values": {"auto_send_day": 9}}),
        json!({"from": "2026-03", "values": {}}),
        json!({"values": {"keep_daily_months": 0}}),
    ] {
        assert_eq!(parties.patch("vendor", path, bad.clone()).await.expect(422).problem(), "invalid-input", "{bad}");
    }
    let now = parties.patch("vendor", path, json!({"values": {"check_in_days": 3}})).await.expect(200).json();
    assert_eq!(
        (&now["values"]["check_in_days"], &now["scheduled"][0]["values"]["check_in_days"]),
        (&json!(3), &json!(3))
    );
    assert_eq!(parties.app.service.policy().check_in_days, 3, "at once, without a restart");
    assert_eq!(parties.app.service.policy().grace_days, 60);
    parties.app.clock.set("2026-03-01T00:00:00Z");
    assert_eq!(parties.app.service.policy().grace_days, 45);
    let february = "2026-02".parse().expect("a month");
    assert_eq!(parties.app.service.policy_of(february).grace_days, 60, "a month keeps the numbers it began with");
}

#[tokio::test]
async fn a_preview_says_what_would_change_and_changes_nothing() {
    let parties = Parties::new().await;
    let app = &parties.app;
    let hosts = product(&parties, "file-backup").await;
    let company =
        text(&parties.post("ann", "/api/v1/companies", json!({"name": "Contoso"})).await.expect(201).json(), "id");
    let license = json!({
        "agreement": parties.agreement, "product": hosts, "usage_type": "single_customer", "company": company,
        "expires_on": "2026-12-31", "workloads": [{"workload": "host", "count": 30}],
    });
    let made = parties.post("ann", "/api/v1/licenses", license).await.expect(201).json();
    app.clock.set("2026-02-01T00:00:10Z");
    app.run_jobs().await;
    let ann = parties.again("ann").await;
    let vendor = crate::parties::sign_in(app, &app.admin_email, &app.admin_password).await;
    let line = json!({"product": hosts, "license": made["license"], "workload": "host", "variant": "", "count": 10});
    let _ = app.post(&ann, "/api/v1/monthly-usages/2026-01/manual-lines", line).await.expect(201);
    let seen = app.get(&ann, "/api/v1/monthly-usages/2026-01").await.expect(200).headers["etag"].clone();
    let change = json!({
        "policy": {"from": "2026-03", "values": {"manual_deadline_day": 12, "auto_send_day": 4}},
        "weights": [{"product": hosts, "workload": "host", "weight": "5"}],
    });
    let preview = app.post(&vendor, "/api/v1/program/preview", change.clone()).await.expect(200).json();
    let item = &preview["items"][0];
    assert_eq!(
        (item["period"].as_str(), item["provider"]["name"].as_str()),
        (Some("2026-01"), Some("Northlight Hosting"))
    );
    let pair = |name: &str| (item["before"][name].clone(), item["after"][name].clone());
    assert_eq!(pair("reported"), (json!("45"), json!("50")));
    assert_eq!(pair("due"), (json!("2026-02-11T00:00:00Z"), json!("2026-02-13T00:00:00Z")));
    assert_eq!(pair("awaited_until"), (json!("2026-02-04T00:00:00Z"), json!("2026-02-05T00:00:00Z")));
    let after = app.get(&ann, "/api/v1/monthly-usages/2026-01").await.expect(200);
    assert_eq!(after.headers["etag"], seen, "nothing was changed");
    assert_eq!(app.get(&vendor, "/api/v1/policy").await.expect(200).json()["scheduled"], json!([]));
    assert_eq!(app.post(&ann, "/api/v1/program/preview", change).await.expect(403).problem(), "forbidden");
    for (bad, expected) in [
        (json!({"weights": [{"product": hosts, "workload": "ghost", "weight": "5"}]}), "invalid-input"),
        (json!({"policy": {"values": {"grace_days": 1}}}), "invalid-input"),
        (
            json!({"weights": [{"product": "prd_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f", "workload": "x", "weight": "5"}]}),
            "not-found",
        ),
    ] {
        assert_eq!(app.post(&vendor, "/api/v1/program/preview", bad).await.problem(), expected);
    }
    let many = app.post(&vendor, "/api/v1/program/preview?limit=51", json!({})).await.expect(422);
    assert_eq!(many.problem(), "invalid-input");
}

#[tokio::test]
async fn an_agreement_changes_for_the_future_and_ends_early() {
    let parties = Parties::new().await;
    let path = format!("/api/v1/agreements/{}", parties.agreement);
    assert_eq!(parties.statuses(&EVERYBODY, Method::GET, &path, None).await, [401, 404, 200, 200, 200, 200, 200]);
    let order = json!({"purchase_order": "PO-7"});
    let statuses = parties.statuses(&EVERYBODY, Method::PATCH, &path, Some(&order)).await;
    assert_eq!(statuses, [401, 404, 403, 403, 403, 403, 200]);
    let patch = async |body: Value| parties.patch("vendor", &path, body).await;
    let terms = json!({"terms": {"from": "2026-03", "commit": "300", "limit": "900"}});
    let changed = patch(terms).await.expect(200).json();
    assert_eq!((&changed["commit"], &changed["terms"][0]["commit"]), (&json!("200"), &json!("300")));
    for bad in [
        json!({"terms": {"from": "2026-01", "commit": "300"}}),
        json!({"terms": {"from": "2026-03", "commit": "300", "limit": "200"}}),
        json!({"ends_at": "2026-01-30T00:00:00Z"}),
        json!({"kind": "no_commit"}),
    ] {
        assert_eq!(patch(bad.clone()).await.expect(422).problem(), "invalid-input", "{bad}");
    }
    let not = json!({"distributor": parties.provider});
    assert_eq!(patch(not).await.expect(404).problem(), "not-found");
    let other = parties.get("vendor", "/api/v1/organizations?kind=distributor").await.expect(200).json();
    let riverside = other["items"][1]["id"].clone();
    assert_eq!(
        patch(json!({"distributor": riverside})).await.expect(200).json()["distributor"]["name"],
        "Riverside Distribution"
    );
    assert_eq!(parties.get("seller", &path).await.expect(404).problem(), "not-found", "it is no party any more");
    let end = format!("{path}/terminate");
    let reason = json!({"reason": "Both sides agreed."});
    assert_eq!(
        parties.statuses(&EVERYBODY[..6], Method::POST, &end, Some(&reason)).await,
        [401, 404, 403, 404, 403, 403]
    );
    for bad in [json!({"reason": " "}), json!({"reason": "x", "at": "2026-01-01T00:00:00Z"})] {
        assert_eq!(parties.post("vendor", &end, bad).await.expect(422).problem(), "invalid-input");
    }
    let ended = parties.post("vendor", &end, reason.clone()).await.expect(200).json();
    assert_eq!(ended["terminated_at"], "2026-01-31T10:00:00Z");
    assert_eq!(parties.post("vendor", &end, reason).await.expect(409).problem(), "agreement-over");
    assert_eq!(patch(json!({"ends_at": "2030-01-01T00:00:00Z"})).await.expect(422).problem(), "invalid-input");
    let back = patch(json!({"reinstate": true, "ends_at": "2030-01-01T00:00:00Z"})).await.expect(200).json();
    assert_eq!((&back["terminated_at"], &back["ends_at"]), (&Value::Null, &json!("2030-01-01T00:00:00Z")));
    parties.app.run_jobs().await;
}

#[tokio::test]
async fn each_organization_reads_its_own_log_in_words() {
    let parties = Parties::new().await;
    let site = format!("/api/v1/organizations/{}/sites", parties.provider);
    let site = text(&parties.post("vendor", &site, json!({"name": "Rome"})).await.expect(201).json(), "id");
    let _ = parties.post("ann", "/api/v1/companies", json!({"name": "Contoso AG"})).await.expect(201);
    let list = async |who: &str, query: &str| {
        let page = parties.get(who, &format!("/api/v1/audit?{query}")).await.expect(200).json();
        page["items"].as_array().expect("items").clone()
    };
    let of_site = list("reader", &format!("object={site}")).await;
    let said = (&of_site[0]["words"], &of_site[0]["actor_name"], &of_site[0]["action"]);
    assert_eq!(said, (&json!("added the site Rome"), &json!("somebody of Example Software"), &json!("site.created")));
    let by_ann = list("reader", &format!("actor={}&action=company", parties.ids["ann"])).await;
    assert_eq!((by_ann.len(), &by_ann[0]["words"]), (1, &json!("added the company Contoso AG")));
    assert_eq!(by_ann[0]["actor_name"], "ann");
    assert!(list("stranger", &format!("object={site}")).await.is_empty());
    assert!(list("seller", &format!("object={site}")).await.is_empty());
    let seen = list("auditor", &format!("object={site}")).await;
    assert_eq!(
        (&seen[0]["actor_name"], &seen[0]["organization"]["name"]),
        (&json!("Administrator"), &json!("Northlight Hosting"))
    );
    let foreign = format!("/api/v1/audit?organization={}", parties.stranger);
    assert_eq!(
        parties.statuses(&["nobody", "ann", "stranger", "vendor"], Method::GET, &foreign, None).await,
        [401, 404, 200, 200]
    );
    assert!(list("vendor", "since=2026-02-01T00:00:00Z").await.is_empty());
    assert!(list("vendor", "until=2026-01-31T10:00:00Z").await.is_empty());
    assert_eq!(parties.get("vendor", "/api/v1/audit?since=yesterday").await.expect(422).problem(), "invalid-input");

    let mut walked = Vec::new();
    let mut query = "limit=3".to_owned();
    loop {
        let page = parties.get("vendor", &format!("/api/v1/audit?{query}")).await.expect(200).json();
        walked.extend(each(&page, "id"));
        let Some(next) = page["next"].as_str() else { break };
        query = format!("limit=3&cursor={next}");
    }
    let whole = list("vendor", "limit=200").await;
    assert_eq!(walked, whole.iter().map(|one| text(one, "id")).collect::<Vec<_>>());
}

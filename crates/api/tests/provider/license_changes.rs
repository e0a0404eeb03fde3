//! A license after its creation, over HTTP and with servers that hear of it.

use axum::http::Method;
use serde_json::{Value, json};
use tenure_license::UpdateResult;
use tenure_testkit::TestInstallation;

use crate::fleet::Fleet;

fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}")).to_owned()
}

#[tokio::test]
async fn a_license_is_edited_moved_copied_revoked_and_deleted() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, false).await;
    let mut server = fleet.server(license, "bkp-01").await;
    server.check_in(&fleet.app, Vec::new()).await;
    let path = format!("/api/v1/licenses/{license}");

    let edit =
        json!({"description": "In Rome", "workloads": [{"workload": "host", "count": 20}], "expires_on": "2027-06-30"});
    let edited = fleet.call(Method::PATCH, &path, Some(edit)).await.expect(200).json();
    assert_eq!((edited["points"].as_i64(), edited["description"].as_str()), (Some(90), Some("In Rome")));
    assert_eq!(edited["expires_at"], "2027-07-01T00:00:00Z");
    let before = server.held.clone().expect("a license").serial;
    assert_eq!(server.check_in(&fleet.app, Vec::new()).await.result, UpdateResult::Updated);
    let held = server.held_license.clone().expect("a license");
    assert!(held.serial > before && held.workloads[0].count == 20);
    let refused = fleet.call(Method::PATCH, &path, Some(json!({"expires_on": "2030-01-01"}))).await.expect(422);
    assert!(text(&refused.json(), "detail").contains("agreement"), "{}", refused.text());

    let moved =
        fleet.post(&format!("{path}/move"), json!({"company": fleet.other.to_string()})).await.expect(200).json();
    assert_eq!((moved["company"]["name"].as_str(), &moved["license"]), (Some("Fabrikam"), &json!(license.to_string())));
    server.check_in(&fleet.app, Vec::new()).await;
    let company = server.held_license.clone().and_then(|held| held.company).expect("a company");
    assert_eq!(company.id, fleet.other, "the license names its company");

    let headers = [("idempotency-key", "copy-1")];
    let copy = async || {
        fleet
            .app
            .call(Method::POST, &format!("{path}/copy"), Some(&fleet.token), None, &headers)
            .await
            .expect(201)
            .json()
    };
    let (copied, again) = (copy().await, copy().await);
    assert_eq!((&copied["id"], copied["state"].as_str()), (&again["id"], Some("template")));
    assert_eq!(copied["points"], 90);

    let revoked = fleet.call(Method::POST, &format!("{path}/revoke"), None).await.expect(200).json();
    assert_eq!((revoked["state"].as_str(), &revoked["license"]), (Some("template"), &Value::Null));
    assert_eq!(server.check_in(&fleet.app, Vec::new()).await.result, UpdateResult::Revoked);
    assert_eq!(fleet.shown(&server).await["troubles"][0]["trouble"], "license_ended");
    assert_eq!(fleet.get(&path).await.expect(200).json()["state"], "ended", "its past can be looked at");
    let template = format!("/api/v1/licenses/{}", text(&revoked, "id"));
    let twice = fleet.call(Method::POST, &format!("{template}/revoke"), None).await.expect(409);
    assert_eq!(twice.problem(), "not-assigned");
    let anew =
        fleet.post(&format!("{template}/assign"), json!({"company": fleet.company.to_string()})).await.expect(200);
    assert_ne!(anew.json()["license"], json!(license.to_string()), "assigning again starts anew");

    let _ = fleet.call(Method::DELETE, &template, None).await.expect(204);
    assert_eq!(fleet.get(&template).await.expect(404).problem(), "not-found");
    assert_eq!(fleet.call(Method::DELETE, &template, None).await.expect(404).problem(), "not-found");
}

#[tokio::test]
async fn what_reports_extend_has_no_chosen_end_and_the_providers_own_is_assigned_without_a_company() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let path = format!("/api/v1/licenses/{license}");
    let refused = fleet.call(Method::PATCH, &path, Some(json!({"expires_on": "2027-01-01"}))).await.expect(422);
    assert!(text(&refused.json(), "detail").contains("reported months"), "{}", refused.text());
    let months = fleet.get(&path).await.expect(200).json()["months"].as_array().expect("months").clone();
    assert_eq!((months.len(), months[11]["state"].as_str()), (12, Some("running")));

    let own = json!({
        "agreement": fleet.agreement.to_string(), "product": fleet.product.to_string(), "usage_type": "internal",
        "expires_on": "2026-12-31", "workloads": [{"workload": "host", "count": 1}],
    });
    let own = fleet.post("/api/v1/licenses", own).await.expect(201).json();
    let own = format!("/api/v1/licenses/{}", text(&own, "id"));
    let moved = fleet.post(&format!("{own}/move"), json!({"company": fleet.company.to_string()})).await.expect(422);
    assert_eq!(moved.problem(), "invalid-input", "the provider itself holds it");
    let _ = fleet.call(Method::POST, &format!("{own}/revoke"), None).await.expect(200);
    let to_company = json!({"company": fleet.company.to_string()});
    assert_eq!(fleet.post(&format!("{own}/assign"), to_company).await.expect(422).problem(), "invalid-input");
    let again = fleet.post(&format!("{own}/assign"), json!({})).await.expect(200).json();
    assert_eq!((again["state"].as_str(), &again["company"]), (Some("valid"), &Value::Null));
}

#[tokio::test]
async fn update_now_reaches_a_server_that_does_not_update_itself() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, false).await;
    let mut server = fleet.server(license, "bkp-01").await;
    let check_in = async |server: &mut TestInstallation| {
        let mut request = server.request(&*fleet.app.rng, fleet.app.service.now(), &[]);
        request.auto_update = false;
        let body = server.exchange(&request, Vec::new());
        let answer = TestInstallation::post(&fleet.app, &body).await.expect(200);
        server.absorb(&fleet.app, &body, &answer)
    };
    check_in(&mut server).await;
    let edit = json!({"workloads": [{"workload": "host", "count": 13}]});
    let path = format!("/api/v1/licenses/{license}");
    let _ = fleet.call(Method::PATCH, &path, Some(edit)).await.expect(200);
    assert_eq!(check_in(&mut server).await.result, UpdateResult::NotUpdatable);
    assert_eq!(fleet.shown(&server).await["troubles"][0]["trouble"], "not_updating");
    fleet.app.clock.advance_secs(60);
    let asked = fleet.call(Method::POST, &format!("{path}/update-now"), None).await.expect(200).json();
    assert_eq!(asked["servers"], 1);
    assert_eq!(fleet.shown(&server).await["update_asked"], true);
    fleet.app.clock.advance_secs(60);
    let answer = check_in(&mut server).await;
    assert_eq!(answer.result, UpdateResult::Updated);
    assert!(answer.next.to <= fleet.app.service.now().as_secs() + 3_600, "and again within the hour");
    assert_eq!(server.held_license.as_ref().map(|held| held.workloads[0].count), Some(13));
    let shown = fleet.shown(&server).await;
    assert_eq!(shown["update_asked"], false);
    let _ = check_in(&mut server).await;
    let one = format!("/api/v1/installations/{}/update-now", server.ins);
    let _ = fleet.call(Method::POST, &one, None).await.expect(204);
}

#[tokio::test]
async fn licenses_are_found_by_what_they_are() {
    let fleet = Fleet::new().await;
    let automatic = fleet.license(fleet.company, true).await;
    let by_hand = fleet.license(fleet.other, false).await;
    let revoked = fleet.license(fleet.other, false).await;
    let _ = fleet.call(Method::POST, &format!("/api/v1/licenses/{revoked}/revoke"), None).await.expect(200);
    let found = async |query: String| {
        let list = fleet.get(&format!("/api/v1/licenses?{query}")).await.expect(200).json();
        let items = list["items"].as_array().expect("items").clone();
        let mut ids: Vec<String> =
            items.iter().map(|item| item["license"].as_str().unwrap_or("template").to_owned()).collect();
        ids.sort();
        ids
    };
    let (automatic, by_hand) = (automatic.to_string(), by_hand.to_string());
    assert_eq!(found("assigned=false".to_owned()).await, ["template"]);
    let mut both = [by_hand.clone(), automatic.clone()];
    both.sort();
    assert_eq!(found("assigned=true".to_owned()).await, both);
    assert_eq!(found("automatic_reporting=on".to_owned()).await, std::slice::from_ref(&automatic));
    assert_eq!(found("expires_before=2026-06-01T00:00:00Z".to_owned()).await, std::slice::from_ref(&automatic));
    assert_eq!(found("usage_type=internal".to_owned()).await, Vec::<String>::new());
    assert_eq!(found("company_type=company".to_owned()).await.len(), 2);
    assert_eq!(found("company_type=provider".to_owned()).await.len(), 0);
    assert_eq!(found(format!("company={}", fleet.other)).await, [by_hand]);
    assert_eq!(found("site=site_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f".to_owned()).await.len(), 0);
    for wrong in ["company_type=x", "usage_type=x", "expires_before=soon", "automatic_reporting=maybe"] {
        let refused = fleet.get(&format!("/api/v1/licenses?{wrong}")).await.expect(422);
        assert_eq!(refused.problem(), "invalid-input", "{wrong}");
    }
    let coverage = fleet.get("/api/v1/coverage").await.expect(200).json();
    assert_eq!(coverage["text"], "1 of 2 licenses report by themselves");
    let of_vendor = format!("/api/v1/coverage?provider={}", fleet.provider.org);
    assert_eq!(fleet.app.get(&fleet.vendor, &of_vendor).await.expect(200).json()["automatic"], 1);
}

#[tokio::test]
async fn a_month_stands_under_who_held_the_license_and_what_it_licensed_at_its_end() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let mut server = fleet.server(license, "bkp-01").await;
    let path = format!("/api/v1/licenses/{license}");
    // Within January: all of January is the other company's.
    fleet.app.clock.set("2026-01-20T09:00:00Z");
    let _ = fleet.post(&format!("{path}/move"), json!({"company": fleet.other.to_string()})).await.expect(200);
    // After January, before anybody looked: January stays as it was at its end.
    fleet.app.clock.set("2026-02-01T09:00:00Z");
    let _ = fleet.post(&format!("{path}/move"), json!({"company": fleet.company.to_string()})).await.expect(200);
    let edit = json!({"workloads": [{"workload": "host", "count": 30}]});
    let _ = fleet.call(Method::PATCH, &path, Some(edit)).await.expect(200);
    fleet.report(&mut server, "2026-01", &["a", "b"], &[]).await;
    let _ = fleet.app.run_jobs().await;
    let line = fleet.line("2026-01", &server).await.expect("a line");
    assert_eq!(line.company.as_ref().map(|company| company.name.as_str()), Some("Fabrikam"));
    assert_eq!((line.licensed, line.count), (Some(12), 2));
    let list = fleet.get("/api/v1/obligations?period=2026-01").await.expect(200).json();
    assert_eq!((&list["items"][0]["company"]["name"], &list["items"][0]["by"]), (&json!("Fabrikam"), &json!("report")));

    fleet.app.clock.set("2026-03-01T09:00:00Z");
    fleet.report(&mut server, "2026-02", &["a", "b"], &[]).await;
    let _ = fleet.app.run_jobs().await;
    let line = fleet.line("2026-02", &server).await.expect("a line");
    assert_eq!(line.company.as_ref().map(|company| company.name.as_str()), Some("Contoso AG"));
    assert_eq!(line.licensed, Some(30));
}

#[tokio::test]
async fn a_shadow_month_is_shown_beside_the_manual_figure_and_switches_on() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, false).await;
    let mut server = fleet.server(license, "bkp-01").await;
    let path = format!("/api/v1/licenses/{license}");
    let shadow = async |on: bool| fleet.post(&format!("{path}/shadow-month"), json!({"on": on})).await;
    let set = shadow(true).await.expect(200).json();
    assert_eq!(set["shadow_month"], "2026-02");
    assert!(text(&set, "automatic_reporting_text").contains("2026-02"), "{set}");
    assert_eq!(shadow(false).await.expect(200).json()["shadow_month"], Value::Null);
    assert_eq!(shadow(true).await.expect(200).json()["shadow_month"], "2026-02");
    server.check_in(&fleet.app, Vec::new()).await;
    let told = server.held_license.as_ref().and_then(|held| held.shadow);
    assert_eq!(told, Some(crate::fleet::period("2026-02")), "the product hears of it");

    fleet.app.clock.set("2026-03-01T00:00:00Z");
    let _ = fleet.app.run_jobs().await;
    fleet.app.clock.set("2026-03-01T06:00:00Z");
    fleet.report(&mut server, "2026-02", &["a", "b", "c"], &[]).await;
    let line = fleet.line("2026-02", &server).await.expect("a line");
    assert_eq!((line.source, line.count), (tenure_core::line::Source::Awaited, 0), "the manual figure counts");
    let expected = line.installation.expect("the server");
    assert_eq!(expected.suggested.iter().map(|figure| figure.count).collect::<Vec<_>>(), [3], "and this is beside it");
    let manual = json!({
        "product": fleet.product.to_string(), "workload": "host", "license": license.to_string(), "count": 4,
    });
    let answer = fleet.post("/api/v1/monthly-usages/2026-02/manual-lines", manual).await;
    assert!(answer.status.is_success(), "{}", answer.text());
    let month = fleet.month("2026-02").await;
    let manual = month.lines.iter().find(|line| line.own.is_some()).expect("the manual line");
    assert_eq!((manual.count, manual.raw), (4, Some(3)));
    let after = fleet.get(&path).await.expect(200).json();
    assert_eq!(after["automatic_reporting"], "switching_to_on");
    server.check_in(&fleet.app, Vec::new()).await;
    server.check_in(&fleet.app, Vec::new()).await;
    let after = fleet.get(&path).await.expect(200).json();
    assert_eq!((&after["automatic_reporting"], &after["shadow_month"]), (&json!("on"), &Value::Null));
    assert_eq!(shadow(true).await.expect(409).problem(), "reporting-fixed");
}

#[tokio::test]
async fn an_enrollment_is_withdrawn_listed_and_has_a_history() {
    let fleet = Fleet::new().await;
    let withdrawn = fleet.call(Method::DELETE, "/api/v1/enrollment", None).await.expect(409);
    assert_eq!(withdrawn.problem(), "enrollment-state", "it is active");
    let history = fleet.get("/api/v1/enrollment/history").await.expect(200).json();
    let states: Vec<&str> =
        history["changes"].as_array().expect("changes").iter().filter_map(|each| each["state"].as_str()).collect();
    assert_eq!(states, ["requested", "active"]);
    assert_eq!(history["changes"][1]["by"], "Example Software");
    let list = fleet.app.get(&fleet.vendor, "/api/v1/enrollments?state=active").await.expect(200).json();
    assert_eq!(list["items"][0]["provider"]["name"], "Northlight Hosting");
    let none = fleet.app.get(&fleet.vendor, "/api/v1/enrollments?state=requested").await.expect(200).json();
    assert_eq!(none["items"].as_array().map(Vec::len), Some(0));
    assert_eq!(fleet.get("/api/v1/enrollments").await.expect(403).problem(), "forbidden");
}

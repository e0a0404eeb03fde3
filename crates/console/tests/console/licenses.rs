//! The life of a license, as a script drives it.

use axum::http::Method;
use serde_json::{Value, json};
use tenure_license::{LicenseFile, UpdateResult};
use tenure_testkit::{Answer, TestInstallation};

use crate::fleet::Fleet;

fn input(fleet: &Fleet, automatic: bool) -> Value {
    json!({
        "productId": fleet.product.uuid(), "contractId": "RA-20117", "expirationDate": "2026-12-31T00:00:00Z",
        "description": "By script", "isAutomaticReportingEnabled": automatic,
        "workloads": [{ "workloadId": "host", "count": 4 }],
    })
}

async fn create(fleet: &Fleet, automatic: bool) -> (String, Value) {
    let made = fleet.post("/api/v3/pulse/licenses", input(fleet, automatic)).await.expect(200).json()["data"].clone();
    (format!("/api/v3/pulse/licenses/{}", made["instanceUid"].as_str().expect("a uid")), made)
}

async fn set(fleet: &Fleet, one: &str, property: &str, value: Value) -> Answer {
    let patch = json!([{ "op": "replace", "path": format!("/{property}"), "value": value }]);
    fleet.call(Method::PATCH, one, Some(patch)).await
}

async fn post(fleet: &Fleet, path: &str) -> Answer {
    fleet.call(Method::POST, path, None).await
}

#[tokio::test]
async fn a_license_is_created_assigned_installed_toggled_copied_revoked_and_deleted() {
    let fleet = Fleet::new().await;
    let (one, made) = create(&fleet, true).await;
    assert_eq!(
        (made["assignStatus"].as_str(), made["automaticReportingStatus"].as_str()),
        (Some("NotAssigned"), Some("On"))
    );
    assert_eq!((made["expirationDate"].clone(), made["createdBy"].as_str()), (Value::Null, Some("Northlight Hosting")));

    let held = set(&fleet, &one, "assignedCompanyUid", json!(fleet.company.uuid())).await.expect(200).json();
    let held = &held["data"];
    assert_eq!(
        (held["assignStatus"].as_str(), &held["assignedCompanyUid"]),
        (Some("Assigned"), &json!(fleet.company.uuid()))
    );
    assert_eq!(held["expirationDate"], "2026-03-20T09:00:00Z", "the sent date is ignored: 2.5 months from now");

    let file = post(&fleet, &format!("{one}/download")).await.expect(200).json();
    let file = file["data"].as_str().expect("a file");
    assert!(LicenseFile::parse(file).is_ok(), "{file}");

    let license = held["licenseId"].as_str().expect("an id");
    let mut server = fleet.server(format!("lic_{license}").parse().expect("an id"), "bkp-01").await;
    server.check_in(&fleet.app, Vec::new()).await;
    let more = json!([{ "workloadId": "host", "count": 6 }]);
    let edited = set(&fleet, &one, "workloads", more).await.expect(200).json();
    assert_eq!(edited["data"]["workloads"][0]["count"], 6);
    let installed = post(&fleet, &format!("{one}/install?serverUid={}", server.ins.uuid())).await.expect(200).json();
    assert_eq!(installed, json!({ "data": {}, "errors": [] }));
    assert_eq!(server.check_in(&fleet.app, Vec::new()).await.result, UpdateResult::Updated);

    let off = set(&fleet, &one, "automaticReportingStatus", json!("Off")).await.expect(200).json();
    assert_eq!(off["data"]["automaticReportingStatus"], "SwitchingToOff");
    // The first request brings the new license, the second shows it.
    server.check_in(&fleet.app, Vec::new()).await;
    server.check_in(&fleet.app, Vec::new()).await;
    let settled = fleet.get(&one).await.expect(200).json();
    assert_eq!(settled["data"]["automaticReportingStatus"], "Off");

    let copy = post(&fleet, &format!("{one}/copy")).await.expect(200).json()["data"].clone();
    assert_eq!((copy["assignStatus"].as_str(), copy["workloads"][0]["count"].as_i64()), (Some("NotAssigned"), Some(6)));
    assert_ne!(copy["instanceUid"], held["instanceUid"]);

    let _ = post(&fleet, &format!("{one}/revoke")).await.expect(200);
    assert_eq!(fleet.get(&one).await.expect(200).json()["data"]["assignStatus"], "NotAssigned");
    assert_eq!(server.check_in(&fleet.app, Vec::new()).await.result, UpdateResult::Revoked);
    let _ = fleet.call(Method::DELETE, &one, None).await.expect(200);
    let _ = fleet.get(&one).await.expect(404);
}

#[tokio::test]
async fn a_request_sent_twice_is_done_once() {
    let fleet = Fleet::new().await;
    let body = input(&fleet, false);
    let path = "/api/v3/pulse/licenses";
    let named = [("x-request-id", "7f7a0a2e-4a1f-4a83-9a51-0c8ef0f6a001")];
    let send = async |body: &Value, headers: &[(&str, &str)]| {
        fleet.app.call(Method::POST, path, Some(&fleet.token), Some(body.clone()), headers).await
    };
    let first = send(&body, &named).await.expect(200).json();
    assert_eq!(send(&body, &named).await.expect(200).json(), first);
    let other = json!({ "contractId": "RA-20117", "productId": fleet.product.uuid(), "expirationDate": "2026-12-31T00:00:00Z", "workloads": [{ "workloadId": "host", "count": 5 }] });
    let _ = send(&other, &named).await.expect(422);
    let _ = send(&body, &[("x-request-id", "again")]).await.expect(422);
    assert_eq!(fleet.get(path).await.expect(200).json()["meta"]["pagingInfo"]["total"], 1);
}

#[tokio::test]
async fn the_wizards_rules_hold() {
    let fleet = Fleet::new().await;
    let (one, made) = create(&fleet, false).await;
    assert_eq!(made["automaticReportingStatus"], "Off");
    let held = set(&fleet, &one, "assignedCompanyUid", json!(fleet.company.uuid())).await.expect(200).json();
    assert_eq!(held["data"]["expirationDate"], "2026-12-31T00:00:00Z");
    let moved = set(&fleet, &one, "assignedCompanyUid", json!(fleet.other.uuid())).await.expect(200).json();
    assert_eq!(
        (&moved["data"]["licenseId"], &moved["data"]["assignedCompanyUid"]),
        (&held["data"]["licenseId"], &json!(fleet.other.uuid()))
    );
    let freed = set(&fleet, &one, "assignedCompanyUid", Value::Null).await.expect(200).json();
    assert_eq!(freed["data"]["assignStatus"], "NotAssigned");

    for (wrong, status) in [
        (json!({ "contractId": "RA-1" }), 404),
        (json!({ "productId": "x" }), 404),
        (json!({ "workloads": [{ "workloadId": "toaster", "count": 1 }] }), 422),
        (json!({ "expirationDate": "soon" }), 422),
        (json!({ "type": "Evaluation" }), 422),
    ] {
        let mut body = input(&fleet, false);
        body.as_object_mut().expect("an object").extend(wrong.as_object().expect("an object").clone());
        let _ = fleet.post("/api/v3/pulse/licenses", body).await.expect(status);
    }
    for (property, value, status) in [
        ("points", json!(3), 422),
        ("automaticReportingStatus", json!("Maybe"), 422),
        ("assignedCompanyUid", json!(fleet.product.uuid()), 404),
    ] {
        let _ = set(&fleet, &one, property, value).await.expect(status);
    }
    let own = json!({ "type": "Internal" });
    let mut body = input(&fleet, true);
    body.as_object_mut().expect("an object").extend(own.as_object().expect("an object").clone());
    let own = fleet.post("/api/v3/pulse/licenses", body).await.expect(200).json();
    assert_eq!(
        (own["data"]["usageType"].as_str(), own["data"]["assignStatus"].as_str()),
        (Some("InternalUse"), Some("Assigned"))
    );
}

#[tokio::test]
async fn a_console_turns_its_features_off_and_says_when_it_last_asked() {
    let fleet = Fleet::new().await;
    let (one, _) = create(&fleet, true).await;
    let server = fleet.server(fleet.license(fleet.company, true).await, "bkp-01").await;
    let update = format!("/api/v3/licensing/backupServers/{}/update", server.ins.uuid());
    let pulse = async || fleet.get("/api/v3/pulse").await.expect(200).json()["data"].clone();
    let before = pulse().await;
    assert_eq!((before["status"].as_str(), &before["lastUpdateDate"]), (Some("Configured"), &Value::Null));
    assert_eq!(before["tokenExpirationDate"], "2027-12-01T00:00:00Z");
    assert_eq!(post(&fleet, "/api/v3/pulse/sync").await.expect(200).json()["errors"], json!([]));
    assert_eq!(pulse().await["lastUpdateDate"], "2026-01-05T09:00:00Z");

    let off = set(&fleet, "/api/v3/pulse", "isLicenseManagementEnabled", json!(false)).await.expect(200).json();
    assert_eq!(off["data"]["isLicenseManagementEnabled"], false);
    let refused = post(&fleet, &format!("{one}/copy")).await.expect(409).json();
    let words = refused["errors"][0]["message"].as_str().expect("words");
    assert!(words.contains("license management is turned off"), "{words}");
    let _ = post(&fleet, &update).await.expect(409);
    let _ = set(&fleet, "/api/v3/pulse", "isLicenseManagementEnabled", json!("true")).await.expect(200);
    let _ = post(&fleet, &format!("{one}/copy")).await.expect(200);
    let _ = post(&fleet, &update).await.expect(200);
    let _ = set(&fleet, "/api/v3/pulse", "status", json!("Error")).await.expect(422);
}

#[tokio::test]
async fn installing_on_the_server_of_another_license_is_refused() {
    let fleet = Fleet::new().await;
    let server: TestInstallation = {
        let license = fleet.license(fleet.company, true).await;
        fleet.server(license, "bkp-01").await
    };
    let (one, _) = create(&fleet, true).await;
    let _ = set(&fleet, &one, "assignedCompanyUid", json!(fleet.company.uuid())).await.expect(200);
    let other = post(&fleet, &format!("{one}/install?serverUid={}", server.ins.uuid())).await.expect(409).json();
    assert!(other["errors"][0]["message"].as_str().is_some_and(|words| words.contains("another license")), "{other}");
    let _ = post(&fleet, &format!("{one}/install?serverUid={}", fleet.company.uuid())).await.expect(404);
    let _ = post(&fleet, &format!("{one}/install")).await.expect(422);
}

#[tokio::test]
async fn companies_are_tenants_and_organizations() {
    let fleet = Fleet::new().await;
    let uid = fleet.company.uuid();
    let made = post(&fleet, &format!("/api/v3/pulse/tenants?companyUid={uid}")).await.expect(200).json();
    assert_eq!(
        (&made["data"]["instanceUid"], &made["data"]["mappedMasterOrganizationUid"]),
        (&json!(uid), &json!(uid))
    );
    let shown = fleet.get(&format!("/api/v3/pulse/tenants/{uid}")).await.expect(200).json();
    assert_eq!(shown["data"], made["data"]);
    let company = post(&fleet, &format!("/api/v3/pulse/tenants/{uid}/createCompany")).await.expect(200).json();
    assert_eq!(
        (company["data"]["name"].as_str(), company["data"]["type"].as_str()),
        (Some("Contoso AG"), Some("Company"))
    );
    let _ = fleet.get(&format!("/api/v3/pulse/tenants/{}", fleet.product.uuid())).await.expect(404);
}

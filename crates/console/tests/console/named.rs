//! Writes that a console names: done once, answered again, and shown to nobody else.

use axum::http::Method;
use serde_json::{Value, json};

use crate::fleet::Fleet;

const ID: &str = "7f7a0a2e-4a1f-4a83-9a51-0c8ef0f6a001";

async fn patch(fleet: &Fleet, on: bool) -> tenure_testkit::Answer {
    let body = json!([{ "op": "replace", "path": "/isLicenseManagementEnabled", "value": on }]);
    let headers = [("x-request-id", ID)];
    fleet.app.call(Method::PATCH, "/api/v3/pulse", Some(&fleet.token), Some(body), &headers).await
}

#[tokio::test]
async fn every_named_write_is_answered_again_and_another_is_refused() {
    let fleet = Fleet::new().await;
    let first = patch(&fleet, false).await.expect(200);
    let on = json!([{ "op": "replace", "path": "/isLicenseManagementEnabled", "value": true }]);
    let _ = fleet.call(Method::PATCH, "/api/v3/pulse", Some(on)).await.expect(200);
    let again = patch(&fleet, false).await.expect(200);
    assert_eq!(again.json(), first.json(), "the first answer, whatever it is now");
    let now = fleet.get("/api/v3/pulse").await.expect(200).json();
    assert_eq!(now["data"]["isLicenseManagementEnabled"], true, "and nothing was done again");
    let other = patch(&fleet, true).await.expect(422).json();
    assert_eq!(other["errors"][0]["type"], "logical");

    fleet.app.clock.advance_secs(48 * 3_600 + 1);
    let later = patch(&fleet, true).await.expect(200).json();
    assert_eq!(later["data"]["isLicenseManagementEnabled"], true, "after 48 hours the name is free");
}

#[tokio::test]
async fn actions_are_their_callers_own() {
    let fleet = Fleet::new().await;
    let _ = patch(&fleet, true).await.expect(200);
    let path = format!("/api/v3/asyncActions/{ID}");
    let one = fleet.get(&path).await.expect(200).json();
    assert_eq!(
        (&one["data"]["status"], &one["data"]["actionName"]),
        (&json!("succeed"), &json!("PATCH /api/v3/pulse"))
    );
    let stranger = fleet.another_providers_token().await;
    for path in [path.clone(), format!("{path}/result")] {
        let _ = fleet.app.call(Method::GET, &path, Some(&stranger), None, &[]).await.expect(404);
    }
    let list = fleet.app.call(Method::GET, "/api/v3/asyncActions", Some(&stranger), None, &[]).await.expect(200).json();
    assert_eq!(list["data"], json!([]));
    let result = fleet.get(&format!("{path}/result")).await.expect(200).json();
    assert_eq!(result["data"]["isLicenseManagementEnabled"], true);
    let _ = fleet.call(Method::DELETE, &format!("{path}/result"), None).await.expect(200);
    let _ = fleet.get(&format!("{path}/result")).await.expect(404);
    let _ = fleet.call(Method::DELETE, &path, None).await.expect(409);
}

#[tokio::test]
async fn what_was_refused_may_be_sent_again_and_secrets_are_not_kept() {
    let fleet = Fleet::new().await;
    let license = |contract: &str| {
        json!({
            "productId": fleet.product.uuid(), "contractId": contract, "expirationDate": "2026-12-31T00:00:00Z",
            "workloads": [{ "workloadId": "host", "count": 1 }],
        })
    };
    let send = async |path: &str, body: Value| {
        let headers = [("x-request-id", ID)];
        fleet.app.call(Method::POST, path, Some(&fleet.token), Some(body), &headers).await
    };
    let _ = send("/api/v3/pulse/licenses", license("none")).await.expect(404);
    let failed = fleet.get(&format!("/api/v3/asyncActions/{ID}")).await.expect(200).json();
    assert_eq!(failed["data"]["status"], "failed");
    let _ = send("/api/v3/pulse/licenses", license("none")).await.expect(404);
    let _ = send("/api/v3/pulse/licenses", license("RA-20117")).await.expect(422);

    let made = fleet.post("/api/v3/pulse/licenses", license("RA-20117")).await.expect(200).json();
    let uid = made["data"]["instanceUid"].as_str().expect("a uid");
    let _ = fleet
        .call(
            Method::PATCH,
            &format!("/api/v3/pulse/licenses/{uid}"),
            Some(json!([{ "op": "replace", "path": "/assignedCompanyUid", "value": fleet.company.uuid() }])),
        )
        .await
        .expect(200);
    let name = [("x-request-id", "00000000-0000-4000-8000-000000000001")];
    let path = format!("/api/v3/pulse/licenses/{uid}/download");
    let _ = fleet.app.call(Method::POST, &path, Some(&fleet.token), None, &name).await.expect(200);
    let _ = fleet.get("/api/v3/asyncActions/00000000-0000-4000-8000-000000000001").await.expect(404);
}

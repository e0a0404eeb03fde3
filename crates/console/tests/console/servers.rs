//! Servers of each family: their license from a file, their setting, and their end.

use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use tenure_testkit::Answer;

use crate::{families, fleet::Fleet};

/// Uploads a license file as the API's clients do.
async fn put(fleet: &Fleet, path: &str, file: &str) -> Answer {
    let part = format!(
        "--x\r\nContent-Disposition: form-data; name=\"license\"; filename=\"l.lic\"\r\nContent-Type: \
         application/octet-stream\r\n\r\n{file}\r\n--x--\r\n"
    );
    let request = Request::put(format!("/api/v3{path}"))
        .header("authorization", format!("Bearer {}", fleet.token))
        .header("content-type", "multipart/form-data; boundary=x");
    fleet.app.send(request.body(Body::from(part)).expect("a request")).await
}

async fn patch(fleet: &Fleet, path: &str, name: &str, value: Value) -> Answer {
    let patch = json!([{ "op": "replace", "path": format!("/{name}"), "value": value }]);
    fleet.call(axum::http::Method::PATCH, &format!("/api/v3{path}"), Some(patch)).await
}

/// The file of a license, by the server that runs it.
async fn file_of(fleet: &Fleet, license: &str) -> String {
    let list = fleet.get("/api/v3/pulse/licenses").await.expect(200).json();
    let rows = list["data"].as_array().expect("licenses");
    let found = rows.iter().find(|row| row["licenseId"] == license).expect("the license");
    let path = format!("/api/v3/pulse/licenses/{}/download", found["instanceUid"].as_str().expect("a uid"));
    fleet.post(&path, json!(null)).await.expect(200).json()["data"].as_str().expect("a file").to_owned()
}

#[tokio::test]
async fn a_file_is_installed_where_its_license_runs_and_a_deleted_server_is_gone() {
    let fleet = Fleet::new().await;
    families::add_products(&fleet).await;
    let mut files = Vec::new();
    for (family, code, workload) in families::FAMILIES {
        let mut server = families::server(&fleet, code, workload).await;
        let path = match family {
            "console" => "/licensing/console".to_owned(),
            _ => format!("/licensing/{family}/{}", server.ins.uuid()),
        };
        let file = file_of(&fleet, &server.license.uuid().to_string()).await;
        let shown = put(&fleet, &path, &file).await.expect(200).json();
        assert_eq!(shown["data"]["status"], "Valid", "{family}: {shown}");
        let _ = put(&fleet, &path, "no license").await.expect(422);
        let damaged = put(&fleet, &path, &file.replacen("\n\n", "\n\nAAAA", 1)).await.expect(422).json();
        assert_eq!(damaged["errors"][0]["type"], "logical", "{family}");
        assert_eq!(server.check_in(&fleet.app, Vec::new()).await.result, tenure_core::update::UpdateResult::UpToDate);
        files.push((path, file));
    }
    let other = put(&fleet, &files[0].0, &files[1].1).await.expect(409).json();
    let words = other["errors"][0]["message"].as_str().expect("words");
    assert!(words.contains("another license"), "{words}");

    for (path, _) in files.iter().filter(|(path, _)| !path.ends_with("console")) {
        let same = patch(&fleet, path, "autoUpdateEnabled", json!(true)).await.expect(200).json();
        assert_eq!(same["data"]["autoUpdateEnabled"], true, "{path}");
        let other = patch(&fleet, path, "autoUpdateEnabled", json!(false)).await.expect(409).json();
        let words = other["errors"][0]["message"].as_str().expect("words");
        assert!(words.contains("on the server itself"), "{words}");
        let _ = patch(&fleet, path, "units", json!(3)).await.expect(422);
    }
    let delete = async |path: &str| fleet.call(axum::http::Method::DELETE, &format!("/api/v3{path}"), None).await;
    let _ = delete(&format!("{}?sectionForDelete=Socket", files[0].0)).await.expect(422);
    for path in [format!("{}?sectionForDelete=Instance", files[0].0), files[1].0.clone()] {
        assert_eq!(delete(&path).await.expect(200).json()["errors"], json!([]), "{path}");
        let _ = delete(&path).await.expect(404);
    }
    for path in [&files[2].0, &files[3].0] {
        let _ = delete(path).await.expect(405);
    }
}

#[tokio::test]
async fn companies_are_merged_by_hand_and_namesakes_are_told() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.other, true).await;
    let (keep, gone) = (fleet.company.uuid(), fleet.other.uuid());
    let path = |uid: uuid::Uuid| format!("/pulse/tenants/{uid}");
    let shown = async |uid| fleet.get(&format!("/api/v3{}", path(uid))).await.expect(200).json()["data"].clone();
    let merged = patch(&fleet, &path(keep), "mergedOrganizationUids", json!([gone])).await.expect(200).json();
    assert_eq!(merged["data"]["mergedOrganizationUids"], json!([gone]));
    assert_eq!(shown(gone).await["mappedMasterOrganizationUid"], json!(keep));
    let licenses = fleet.get("/api/v3/pulse/licenses").await.expect(200).json();
    assert_eq!(
        (&licenses["data"][0]["licenseId"], &licenses["data"][0]["assignedCompanyUid"]),
        (&json!(license.uuid()), &json!(keep))
    );
    let none = patch(&fleet, &path(keep), "mergedOrganizationUids", json!([])).await.expect(200).json();
    assert_eq!(none["data"]["mergedOrganizationUids"], json!([]));
    assert_eq!(shown(gone).await["mappedMasterOrganizationUid"], json!(gone));

    let _ = patch(&fleet, &path(gone), "mappedMasterOrganizationUid", json!(keep)).await.expect(200);
    assert_eq!(shown(keep).await["mergedOrganizationUids"], json!([gone]));
    let back = patch(&fleet, &path(gone), "mappedMasterOrganizationUid", Value::Null).await.expect(200).json();
    assert_eq!(back["data"]["mappedMasterOrganizationUid"], json!(gone));
    for (name, value, status) in [
        ("mappedMasterOrganizationUid", Value::Null, 422),
        ("mappedMasterOrganizationUid", json!(fleet.product.uuid()), 404),
        ("mergedOrganizationUids", json!("x"), 422),
        ("name", json!("x"), 422),
    ] {
        let _ = patch(&fleet, &path(gone), name, value).await.expect(status);
    }
    let _ = fleet.post("/api/v1/companies", json!({ "name": "CONTOSO-AG" })).await.expect(201);
    let list = fleet.get("/api/v3/pulse/tenants").await.expect(200).json();
    let told = list["data"].as_array().expect("tenants").iter().filter(|row| row["mappingStatusMessage"] != "");
    let told: Vec<_> = told.map(|row| &row["name"]).collect();
    assert_eq!(told.len(), 1, "{list}");
    let preview = fleet.get("/api/v1/companies/namesakes").await.expect(200).json();
    assert_eq!(preview["items"].as_array().map(Vec::len), Some(1), "{preview}");
}

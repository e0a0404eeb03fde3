//! The OpenAPI document, as whoever reads the API sees it: a change of it is a change of the API.

use tenure_testkit::TestApp;

#[tokio::test]
async fn the_document_is_as_reviewed_and_served() {
    let document = serde_json::to_value(tenure_api::openapi()).expect("JSON");
    let served = TestApp::new("2026-01-31T10:00:00Z").await.get("", "/api/v1/openapi.json").await.expect(200).json();
    assert_eq!(served, document);
    assert_eq!(document["openapi"], "3.1.0");
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            assert!(operation["summary"].is_string(), "{method} {path} has a summary");
            let refusals =
                operation["responses"].as_object().expect("responses").keys().any(|code| code.starts_with('4'));
            assert!(refusals, "{method} {path} says how it refuses");
        }
    }
    insta::assert_json_snapshot!(document);
}

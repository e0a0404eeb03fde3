//! The OpenAPI document, as whoever reads the API sees it: a change of it is a change of the API.

use std::collections::BTreeSet;

use serde_json::Value;
use tenure_testkit::TestApp;

/// Every reference in the document.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(fields) => {
            for (name, field) in fields {
                match (name.as_str(), field.as_str()) {
                    ("$ref", Some(to)) => {
                        found.insert(to.trim_start_matches("#/components/schemas/").to_owned());
                    }
                    _ => references(field, found),
                }
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn the_document_is_as_reviewed_and_served() {
    let document = tenure_console::openapi();
    let served = TestApp::new("2026-01-31T10:00:00Z").await.get("", "/api/v3/openapi.json").await.expect(200).json();
    assert_eq!(served, document);
    let mut used = BTreeSet::new();
    references(&document, &mut used);
    let shapes: BTreeSet<String> =
        document["components"]["schemas"].as_object().expect("shapes").keys().cloned().collect();
    assert_eq!(used, shapes, "shapes that are named, and those there are");
    insta::assert_json_snapshot!(document);
}

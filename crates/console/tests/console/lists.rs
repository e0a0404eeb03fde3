//! Lists: paging, filters, order, selection.

use serde_json::{Value, json};

use crate::fleet::Fleet;

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"))
}

async fn list(fleet: &Fleet, path: &str, query: &[(&str, Value)]) -> Value {
    let query: Vec<String> =
        query.iter().map(|(name, value)| format!("{name}={}", encoded(&value.to_string()))).collect();
    fleet.get(&format!("/api/v3{path}?{}", query.join("&"))).await.expect(200).json()
}

fn names(list: &Value) -> Vec<&str> {
    list["data"].as_array().expect("data").iter().map(|row| row["name"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn lists_are_filtered_sorted_cut_and_selected() {
    let fleet = Fleet::new().await;
    let by_name = json!([{ "property": "name" }]);
    let all = list(&fleet, "/pulse/tenants", &[("sort", by_name)]).await;
    assert_eq!(names(&all), ["Contoso AG", "Fabrikam"]);
    assert_eq!(all["meta"]["pagingInfo"], json!({ "total": 2, "count": 2, "offset": 0 }));
    assert_eq!(all["data"][0]["mappingStatus"], "Mapped");

    let order = json!([{ "property": "name", "direction": "descending" }]);
    let page = list(&fleet, "/pulse/tenants", &[("sort", order), ("limit", json!(1)), ("offset", json!(1))]).await;
    assert_eq!(names(&page), ["Contoso AG"]);
    assert_eq!(page["meta"]["pagingInfo"], json!({ "total": 2, "count": 1, "offset": 1 }));

    let wanted = json!([{ "property": "name", "operation": "contains", "collation": "ignorecase", "value": "FABRI" }]);
    let found = list(&fleet, "/pulse/tenants", &[("filter", wanted), ("select", json!(["name"]))]).await;
    assert_eq!(found["data"], json!([{ "name": "Fabrikam" }]));

    for wrong in ["limit=501", "limit=x", "offset=-1", "filter=x", "sort=1", "select=name"] {
        let refused = fleet.get(&format!("/api/v3/pulse/tenants?{wrong}")).await.expect(422).json();
        assert_eq!(refused["errors"][0]["type"], "logical", "{wrong}");
    }
}

#[tokio::test]
async fn contracts_and_products_are_those_of_the_program() {
    let fleet = Fleet::new().await;
    let contracts = list(&fleet, "/pulse/contracts", &[]).await;
    assert_eq!(
        contracts["data"],
        json!([{
            "contractId": "RA-20117", "expirationDate": "2029-01-01T00:00:00Z", "pointsLimit": null,
            "automaticExtensionAlwaysOn": false,
        }])
    );
    let mine = json!([{ "property": "productId", "operation": "equals", "value": fleet.product.uuid() }]);
    let products = list(&fleet, "/pulse/products", &[("filter", mine)]).await;
    assert_eq!(products["meta"]["pagingInfo"]["total"], 1);
    let workloads = products["data"][0]["workloads"].as_array().expect("workloads");
    let host = workloads.iter().find(|one| one["workloadId"] == "host").expect("hosts");
    assert!(host["multiplier"].as_f64().is_some_and(|weight| weight > 0.0), "{host}");
    let about = fleet.get("/api/v3/about").await.expect(200).json();
    assert_eq!(about["data"]["installationId"], json!(fleet.app.service.deployment().id.uuid()));
}

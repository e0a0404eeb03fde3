//! A server of each product family.

use tenure_core::{UsageType, roles::Role};
use tenure_service::{
    Actor, ActorKind, CatalogProduct, CatalogWorkload, LicenseKey, NewLicense, WorkloadCount, create_license,
    create_product, download_license, list_catalog,
};
use tenure_testkit::TestInstallation;

use crate::fleet::Fleet;

/// A product's code and what it counts, by the path of its family.
pub(crate) const FAMILIES: [(&str, &str, &str); 5] = [
    ("backupServers", "file-backup", "host"),
    ("voneServers", "monitoring", "monitored"),
    ("vb365Servers", "mail-backup", "user"),
    ("sites", "cloud-connect", "vm"),
    ("console", "provider-console", "server"),
];

/// Adds the products that the sample catalog does not have.
pub(crate) async fn add_products(fleet: &Fleet) {
    let by = Actor { kind: ActorKind::Operator, org: fleet.app.vendor, role: Role::VendorAdministrator, site: None };
    for (_, code, workload) in &FAMILIES[3..] {
        let counted = CatalogWorkload {
            code: (*workload).to_owned(),
            variant: String::new(),
            name: "Machine".to_owned(),
            unit: "machine".to_owned(),
            weight: "2".parse().expect("a weight"),
            weight_from: std::collections::BTreeMap::new(),
        };
        let product = CatalogProduct {
            code: (*code).to_owned(),
            name: format!("Example {code}"),
            edition: "Core".to_owned(),
            version: "1".to_owned(),
            reports: true,
            workloads: vec![counted],
        };
        create_product(&fleet.app.service, &by, product, None).await.expect("a product");
    }
}

/// A server of a product, under a license of its own for ten.
pub(crate) async fn server(fleet: &Fleet, code: &str, workload: &str) -> TestInstallation {
    let service = &fleet.app.service;
    let catalog = list_catalog(service, &fleet.provider).await.expect("the catalog");
    let product = catalog.products.iter().find(|view| view.product.code == code).expect("the product");
    let wanted = NewLicense {
        agreement: fleet.agreement,
        product: product.product.id,
        usage_type: UsageType::SingleCustomer,
        description: String::new(),
        site: None,
        company: Some(fleet.other),
        automatic: false,
        last_day: Some("2027-12-31".parse().expect("a day")),
        workloads: vec![WorkloadCount { workload: workload.to_owned(), variant: String::new(), count: 10 }],
    };
    let made = create_license(service, &fleet.provider, wanted, None).await.expect("a license");
    let key = LicenseKey::Template(made.template);
    let file = download_license(service, &fleet.provider, key, None).await.expect("an activation license");
    TestInstallation::activate(&fleet.app, &file.activation.expect("a code").0, code, "srv-01").await
}

//! A market in rows: who rents from whom, a product, a template.

use tenure_core::{AgreementKind, Period, Points, UsageType, reporting::AutomaticReporting, roles::OrgKind};
use tenure_store::{
    Queue, Store, StoreError, Tx,
    rows::{
        agreement::{self, AgreementRow},
        license,
        org::{self, OrgRow},
        product::{self, ProductRow, WorkloadRow},
        template::{self, TemplateRow, WorkloadCount},
    },
};
use uuid::Uuid;

use crate::support::second;

pub(crate) fn id<T: From<Uuid>>(n: u128) -> T {
    T::from(Uuid::from_u128(n))
}

pub(crate) fn period(text: &str) -> Period {
    text.parse().expect("a period")
}

pub(crate) async fn write<T: Send + 'static>(
    store: &Store,
    op: impl AsyncFn(&mut Tx) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.write(Queue::People, op).await.expect("it is written")
}

pub(crate) const PROVIDER: u128 = 0x10;
pub(crate) const OTHER: u128 = 0x11;

/// A vendor, two distributors, two providers, a product, an agreement each.
pub(crate) async fn market(store: &Store) {
    write(store, async |tx| {
        let orgs = [
            (1, OrgKind::Vendor, "Example Software"),
            (2, OrgKind::Distributor, "Lakeside"),
            (3, OrgKind::Distributor, "Lakeside"),
            (PROVIDER, OrgKind::Provider, "Żółć \"Hosting\""),
            (OTHER, OrgKind::Provider, "Żółć \"Hosting\""),
        ];
        for (n, kind, name) in orgs {
            org::insert(tx, &OrgRow { id: id(n), kind, name: name.to_owned(), created: second(0), disabled: None })
                .await?;
        }
        for (n, distributor, provider) in [(0x20, 2, PROVIDER), (0x21, 3, OTHER)] {
            agreement::insert(tx, &terms(n, distributor, provider)).await?;
        }
        let row = ProductRow {
            id: id(0x30),
            code: "backup".to_owned(),
            name: "Backup".to_owned(),
            edition: "Enterprise".to_owned(),
            version: "12".to_owned(),
            reports: true,
            withdrawn: None,
        };
        let workload = |variant: &str| WorkloadRow {
            product: id(0x30),
            code: "vm".to_owned(),
            variant: variant.to_owned(),
            name: "VM".to_owned(),
            unit: "machine".to_owned(),
        };
        product::insert(tx, &row, &[workload(""), workload("app")]).await
    })
    .await;
}

pub(crate) fn terms(n: u128, distributor: u128, provider: u128) -> AgreementRow {
    AgreementRow {
        provider: id(provider),
        id: id(n),
        distributor: id(distributor),
        number: "RA-1".to_owned(),
        kind: AgreementKind::Volume,
        commit: Points::whole(200),
        limit: (provider == OTHER).then(|| Points::whole(2000)),
        purchase_order: "PO-1".to_owned(),
        signed: second(0),
        ends: second(1_000_000),
        terminated: None,
    }
}

pub(crate) fn template_row(provider: u128, n: u128) -> TemplateRow {
    TemplateRow {
        provider: id(provider),
        id: id(n),
        agreement: id(if provider == PROVIDER { 0x20 } else { 0x21 }),
        product: id(0x30),
        site: None,
        usage_type: UsageType::SingleCustomer,
        description: "Ein \"Schlüssel\"".to_owned(),
        workloads: vec![WorkloadCount { workload: "vm".to_owned(), variant: String::new(), count: 12 }],
        automatic: true,
        expires: None,
        license: None,
        created: second(1),
    }
}

/// A license of a template of its own.
pub(crate) async fn assigned(tx: &mut Tx, provider: u128, n: u128) -> Result<license::LicenseRow, StoreError> {
    let template = template_row(provider, n + 0x1000);
    template::insert(tx, &template).await?;
    let mut row = template::assignment(&template, id(n), None, second(2));
    row.reporting = AutomaticReporting::On;
    row.anchor = Some(second(2));
    license::insert(tx, &row).await?;
    template::assign(tx, row.provider, template.id, row.id).await?;
    Ok(row)
}

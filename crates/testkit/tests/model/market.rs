//! The deployment that every life begins with: a license by reports, and two machines that activated it.

use std::sync::{Arc, LazyLock};

use tenure_agent::journal::MemoryJournal;
use tenure_core::{AgreementKind, Points, UsageType, roles::OrgKind, roles::Role};
use tenure_service::{
    Actor, ActorKind, Decision, LicenseKey, NewAgreement, NewCompany, NewLicense, NewOrganization, WorkloadCount,
    create_agreement, create_company, create_license, create_organization, decide_enrollment, download_license,
    list_catalog, request_enrollment,
};
use tenure_testkit::TestApp;

use crate::{RUNTIME, line::Line, machine::Machine};

/// Machines that are there from the start, each an installation of its own.
pub(crate) const MACHINES: usize = 2;

/// When the license is assigned: the anchor of its validity.
pub(crate) const ASSIGNED: &str = "2026-01-22T09:00:00Z";

/// When its agreement ends.
pub(crate) const AGREEMENT_END: &str = "2029-01-01T00:00:00Z";

/// What every life begins with.
pub(crate) struct Beginning {
    pub(crate) app: TestApp,
    /// Whoever carries files for the provider.
    pub(crate) provider: Actor,
    /// The disks of the machines.
    pub(crate) disks: Vec<MemoryJournal>,
}

/// Made once, copied for each life.
pub(crate) static BEGINNING: LazyLock<Beginning> = LazyLock::new(|| {
    let app = RUNTIME.block_on(TestApp::new(ASSIGNED));
    let (provider, codes) = RUNTIME.block_on(rent(&app));
    let life = Arc::new(RUNTIME.block_on(app.apart(1)));
    let line = Line::to(life);
    let machines: Vec<MemoryJournal> = (0..codes.len())
        .map(|n| {
            let disk = MemoryJournal::new();
            let mut machine = Machine::boot(n, n, disk.clone(), &line, 100).expect("it starts");
            machine.activate(&codes[n]);
            disk
        })
        .collect();
    let app = RUNTIME.block_on(line.app().apart(2));
    Beginning { app, provider, disks: machines }
});

/// A provider with a license that reports extend; one code for each machine.
async fn rent(app: &TestApp) -> (Actor, Vec<String>) {
    let service = &app.service;
    let actor = |org, role| Actor { kind: ActorKind::Operator, org, role, site: None };
    let vendor = actor(app.vendor, Role::VendorAdministrator);
    let add = async |kind, name: &str| {
        create_organization(service, &vendor, NewOrganization { kind, name: name.to_owned() }, None).await.expect("one")
    };
    let distributor = add(OrgKind::Distributor, "Lakeside Distribution").await;
    let org = add(OrgKind::Provider, "Northlight Hosting").await;
    let terms = NewAgreement {
        distributor,
        provider: org,
        number: "RA-1".to_owned(),
        kind: AgreementKind::Volume,
        commit: Points::whole(20),
        limit: None,
        purchase_order: String::new(),
        signed: service.now(),
        ends: AGREEMENT_END.parse().expect("an instant"),
    };
    let agreement = create_agreement(service, &vendor, terms, None).await.expect("an agreement").id;
    let provider = actor(org, Role::ProviderFullAccess);
    request_enrollment(service, &provider, true, None).await.expect("it is asked for");
    decide_enrollment(service, &vendor, org, Decision::Approve, None).await.expect("it is approved");
    let company = NewCompany { name: "Contoso AG".to_owned(), site: None, ..NewCompany::default() };
    let company = create_company(service, &provider, company, None).await.expect("a company").id;
    let catalog = list_catalog(service, &vendor).await.expect("the catalog");
    let product = catalog.products.iter().find(|view| view.product.code == "file-backup").expect("the product");
    let wanted = NewLicense {
        agreement,
        product: product.product.id,
        usage_type: UsageType::SingleCustomer,
        description: String::new(),
        site: None,
        company: Some(company),
        automatic: true,
        last_day: None,
        workloads: vec![WorkloadCount { workload: "host".to_owned(), variant: String::new(), count: 12 }],
    };
    let license = create_license(service, &provider, wanted, None).await.expect("a license").license;
    let key = LicenseKey::License(license.expect("it is assigned"));
    let mut codes = Vec::new();
    for _ in 0..MACHINES {
        let file = download_license(service, &provider, key, None).await.expect("a file");
        codes.push(file.activation.expect("a code").0);
    }
    (provider, codes)
}

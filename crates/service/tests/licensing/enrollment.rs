//! The way to automatic reporting: the provider asks, the vendor decides.

use tenure_core::{
    AgreementKind,
    reporting::Enrollment,
    roles::{OrgKind, Role},
};
use tenure_service::{
    Decision, ProblemKind, decide_enrollment, list_enrollment_requests, request_enrollment, view_enrollment,
};

use crate::support::{World, actor, kind};

#[tokio::test]
async fn asked_declined_asked_again_approved() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let org = provider.org;
    let ask = async |confirmed| request_enrollment(service, &provider.admin, confirmed, None).await;
    let decide = async |decision| decide_enrollment(service, &world.vendor, org, decision, None).await;
    let view = view_enrollment(service, &provider.admin, None).await.unwrap();
    assert_eq!((view.enrollment, view.changed), (Enrollment::NotRequested, None));
    assert_eq!(kind(decide(Decision::Approve).await), ProblemKind::EnrollmentState, "nobody asked");
    assert_eq!(kind(ask(false).await), ProblemKind::InvalidInput);
    assert_eq!(ask(true).await.unwrap().enrollment, Enrollment::Requested);
    assert_eq!(kind(ask(true).await), ProblemKind::EnrollmentState);
    let waiting = list_enrollment_requests(service, &world.vendor).await.unwrap();
    assert_eq!(waiting.iter().map(|view| view.provider).collect::<Vec<_>>(), [org]);
    assert_eq!(kind(decide(Decision::Decline("  ".to_owned())).await), ProblemKind::InvalidInput);
    let declined = decide(Decision::Decline("No agent yet.".to_owned())).await.unwrap();
    assert_eq!(declined.enrollment, Enrollment::Declined { reason: "No agent yet.".to_owned() });
    assert!(tenure_service::enrollment_text(&declined).contains("No agent yet."));
    ask(true).await.unwrap();
    assert_eq!(decide(Decision::Approve).await.unwrap().enrollment, Enrollment::Active);
    assert_eq!(kind(ask(true).await), ProblemKind::EnrollmentState);
    assert!(list_enrollment_requests(service, &world.vendor).await.unwrap().is_empty());
}

#[tokio::test]
async fn only_the_vendor_decides_and_only_the_parties_see() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let distributor = world.organization(OrgKind::Distributor, "Lakeside Distribution").await;
    let stranger = world.organization(OrgKind::Distributor, "Lakeside Distribution").await;
    let provider = world.provider_of("Northlight Hosting", AgreementKind::Volume, distributor).await;
    let other = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    request_enrollment(service, &provider.admin, true, None).await.unwrap();
    let table = [
        (provider.admin.clone(), ProblemKind::Forbidden),
        (other.admin.clone(), ProblemKind::NotFound),
        (actor(distributor, Role::DistributorAdministrator), ProblemKind::Forbidden),
        (actor(stranger, Role::DistributorAdministrator), ProblemKind::NotFound),
        (actor(world.vendor.org, Role::VendorSupport), ProblemKind::Forbidden),
    ];
    for (who, expected) in table {
        let refused = decide_enrollment(service, &who, provider.org, Decision::Approve, None).await;
        assert_eq!(kind(refused), expected, "{:?}", who.role);
    }
    let looks = |who: tenure_service::Actor| async move { view_enrollment(service, &who, Some(provider.org)).await };
    assert!(looks(actor(distributor, Role::DistributorReadOnly)).await.is_ok());
    assert_eq!(kind(looks(actor(stranger, Role::DistributorReadOnly)).await), ProblemKind::NotFound);
    assert_eq!(kind(looks(other.admin.clone()).await), ProblemKind::NotFound);
    let by_reader = request_enrollment(service, &actor(other.org, Role::ProviderReadOnly), true, None).await;
    assert_eq!(kind(by_reader), ProblemKind::Forbidden);
    let by_location = request_enrollment(service, &actor(other.org, Role::ProviderLocation), true, None).await;
    assert_eq!(kind(by_location), ProblemKind::Forbidden);
    assert_eq!(kind(list_enrollment_requests(service, &other.admin).await), ProblemKind::Forbidden);
}

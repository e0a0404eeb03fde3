//! Setting a program up, and who sees what of it.

use tenure_core::{
    AgreementKind, OrgId, Points,
    roles::{OrgKind, Role},
};
use tenure_service::{
    CompanyFilter, Idempotency, NewAgreement, NewCompany, NewOrganization, NewPerson, Paging, ProblemKind, SignIn,
    create_agreement, create_company, create_organization, create_person, create_site, list_agreements, list_catalog,
    list_companies, sign_in,
};

use crate::support::{World, actor, at, first_page, kind, terms, words};

#[tokio::test]
async fn only_the_vendors_administrator_makes_organizations() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let distributor = world.organization(OrgKind::Distributor, "Lakeside Distribution").await;
    let outsiders = [
        actor(world.vendor.org, Role::VendorCatalog),
        actor(world.vendor.org, Role::VendorAuditor),
        actor(distributor, Role::DistributorAdministrator),
        provider.admin.clone(),
        actor(world.vendor.org, Role::TokenRead),
    ];
    for outsider in outsiders {
        let input = NewOrganization { kind: OrgKind::Provider, name: "Mine".to_owned() };
        let made = create_organization(service, &outsider, input, None).await;
        assert_eq!(kind(made), ProblemKind::Forbidden, "{:?}", outsider.role);
        let site = create_site(service, &outsider, provider.org, "Mine".to_owned(), None).await;
        let expected = if outsider.org == distributor { ProblemKind::NotFound } else { ProblemKind::Forbidden };
        assert_eq!(kind(site), expected, "{:?}", outsider.role);
        let agreement = terms(distributor, provider.org, AgreementKind::Volume, service);
        let made = create_agreement(service, &outsider, agreement, None).await;
        assert_eq!(kind(made), ProblemKind::Forbidden, "{:?}", outsider.role);
    }
    let second = NewOrganization { kind: OrgKind::Vendor, name: "Second".to_owned() };
    assert_eq!(kind(create_organization(service, &world.vendor, second, None).await), ProblemKind::InvalidInput);
    let site = create_site(service, &world.vendor, distributor, "Hamburg".to_owned(), None).await;
    assert_eq!(kind(site), ProblemKind::NotFound, "a distributor has no sites");
}

#[tokio::test]
async fn agreements_have_terms_that_fit_and_two_parties_that_see_them() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let (near, far) = (
        world.organization(OrgKind::Distributor, "Lakeside Distribution").await,
        world.organization(OrgKind::Distributor, "Lakeside Distribution").await,
    );
    let one = world.provider_of("Northlight Hosting", AgreementKind::Volume, near).await;
    let two = world.provider_of("Northlight Hosting", AgreementKind::NoCommit, far).await;
    let sees = async |org: OrgId, role| {
        let page = list_agreements(service, &actor(org, role), &first_page()).await.unwrap();
        page.items.into_iter().map(|view| view.agreement.id).collect::<Vec<_>>()
    };
    assert_eq!(sees(one.org, Role::ProviderReadOnly).await, [one.agreement]);
    assert_eq!(sees(two.org, Role::TokenRead).await, [two.agreement]);
    assert_eq!(sees(near, Role::DistributorReadOnly).await, [one.agreement]);
    assert_eq!(sees(far, Role::DistributorApprover).await, [two.agreement]);
    assert_eq!(sees(world.vendor.org, Role::VendorSupport).await, [one.agreement, two.agreement]);
    let fine = || terms(near, one.org, AgreementKind::Volume, service);
    let misfits: [NewAgreement; 6] = [
        NewAgreement { commit: Points::whole(-1), ..fine() },
        NewAgreement { kind: AgreementKind::NoCommit, ..fine() },
        NewAgreement { limit: Some(Points::whole(100)), ..fine() },
        NewAgreement { ends: at("2026-01-10T09:00:00Z"), ..fine() },
        NewAgreement { signed: at("2026-01-10T09:00:01Z"), ..fine() },
        NewAgreement { number: "  ".to_owned(), ..fine() },
    ];
    for misfit in misfits {
        let refused = create_agreement(service, &world.vendor, misfit.clone(), None).await;
        assert_eq!(kind(refused), ProblemKind::InvalidInput, "{misfit:?}");
    }
    let swapped = NewAgreement { distributor: one.org, provider: near, ..fine() };
    assert_eq!(kind(create_agreement(service, &world.vendor, swapped, None).await), ProblemKind::NotFound);
}

#[tokio::test]
async fn people_get_roles_that_their_organization_has() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let other = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let site = world.site(&provider, "Hamburg").await;
    let foreign_site = world.site(&other, "Hamburg").await;
    let person = |email: &str, role, site| NewPerson {
        org: provider.org,
        email: email.to_owned(),
        name: "Ann".to_owned(),
        role,
        site,
    };
    let made = create_person(service, &world.vendor, person("Ann@north.example", Role::ProviderFullAccess, None), None);
    let ann = made.await.unwrap();
    let signed = sign_in(service, SignIn { email: "ann@north.example".to_owned(), password: ann.password.clone() });
    let ann = signed.await.unwrap().actor;
    assert_eq!((ann.org, ann.role), (provider.org, Role::ProviderFullAccess));
    create_person(service, &ann, person("loc@north.example", Role::ProviderLocation, Some(site)), None).await.unwrap();
    let refused = [
        ("distributor's role", person("b@north.example", Role::DistributorApprover, None)),
        ("a token is no person", person("b@north.example", Role::TokenManage, None)),
        ("no company yet", person("b@north.example", Role::CompanyViewer, None)),
        ("needs a site", person("b@north.example", Role::ProviderLocation, None)),
        ("takes no site", person("b@north.example", Role::ProviderFullAccess, Some(site))),
        ("no address", person("north.example", Role::ProviderReadOnly, None)),
    ];
    for (why, input) in refused {
        assert_eq!(kind(create_person(service, &ann, input, None).await), ProblemKind::InvalidInput, "{why}");
    }
    let elsewhere = person("b@north.example", Role::ProviderLocation, Some(foreign_site));
    assert_eq!(kind(create_person(service, &ann, elsewhere, None).await), ProblemKind::NotFound, "another's site");
    // An address is taken in the whole deployment; by whom, nobody is told.
    let taken = NewPerson { org: other.org, ..person("ann@NORTH.example", Role::ProviderFullAccess, None) };
    assert_eq!(words(create_person(service, &other.admin, taken, None).await), "this email cannot be used");
    let foreign = NewPerson { org: other.org, ..person("c@north.example", Role::ProviderFullAccess, None) };
    assert_eq!(kind(create_person(service, &ann, foreign, None).await), ProblemKind::NotFound);
    let reader = actor(provider.org, Role::ProviderReadOnly);
    let by_reader =
        create_person(service, &reader, person("d@north.example", Role::ProviderReadOnly, None), None).await;
    assert_eq!(kind(by_reader), ProblemKind::Forbidden);
}

#[tokio::test]
async fn like_named_companies_stay_apart_and_pages_continue() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let other = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let mut made = Vec::new();
    for name in ["Contoso AG", "Contoso AG", "contoso ag", "Contoso A.G."] {
        world.advance_secs(1);
        made.push(world.company(&provider, name).await);
        world.company(&other, name).await;
    }
    let page = |cursor: Option<String>| Paging { cursor, limit: Some(3) };
    let first = list_companies(service, &provider.admin, None, CompanyFilter::default(), &page(None)).await.unwrap();
    let next = first.next.clone().expect("there is more");
    let second = list_companies(service, &provider.admin, None, CompanyFilter::default(), &page(Some(next.clone())))
        .await
        .unwrap();
    let all: Vec<_> = first.items.iter().chain(&second.items).map(|row| row.id).collect();
    assert_eq!((all, second.next), (made, None));
    // A cursor belongs to one list of one organization.
    let foreign =
        list_companies(service, &other.admin, None, CompanyFilter::default(), &page(Some(next.clone()))).await;
    assert_eq!(kind(foreign), ProblemKind::InvalidInput);
    let agreements = list_agreements(service, &provider.admin, &page(Some(next.clone()))).await;
    assert_eq!(kind(agreements), ProblemKind::InvalidInput);
    for bad in ["", "x", &next[1..]] {
        let refused =
            list_companies(service, &provider.admin, None, CompanyFilter::default(), &page(Some(bad.to_owned()))).await;
        assert_eq!(kind(refused), ProblemKind::InvalidInput, "{bad}");
    }
    for limit in [0, 201] {
        let paging = Paging { cursor: None, limit: Some(limit) };
        let refused = list_companies(service, &provider.admin, None, CompanyFilter::default(), &paging);
        assert_eq!(kind(refused.await), ProblemKind::InvalidInput);
    }
    // The vendor may look, the other provider may not, the distributor of neither may not.
    let stranger = world.organization(OrgKind::Distributor, "Lakeside Distribution").await;
    let named = Some(provider.org);
    assert!(list_companies(service, &world.vendor, named, CompanyFilter::default(), &first_page()).await.is_ok());
    for viewer in [other.admin.clone(), actor(stranger, Role::DistributorAdministrator)] {
        assert_eq!(
            kind(list_companies(service, &viewer, named, CompanyFilter::default(), &first_page()).await),
            ProblemKind::NotFound
        );
    }
    let viewer = actor(provider.org, Role::CompanyViewer);
    assert_eq!(
        kind(list_companies(service, &viewer, None, CompanyFilter::default(), &first_page()).await),
        ProblemKind::Forbidden
    );
}

#[tokio::test]
async fn the_same_write_twice_is_done_once() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let other = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let company = |name: &str| NewCompany { name: name.to_owned(), site: None, ..NewCompany::default() };
    let key = |request: u8| Some(Idempotency::new("k-1", [request; 32]).unwrap());
    let once = create_company(service, &provider.admin, company("Contoso AG"), key(1)).await.unwrap();
    world.advance_secs(60);
    let again = create_company(service, &provider.admin, company("Contoso AG"), key(1)).await.unwrap();
    assert_eq!(once, again);
    let mismatch = create_company(service, &provider.admin, company("Fabrikam"), key(2)).await;
    assert_eq!(kind(mismatch), ProblemKind::IdempotencyMismatch);
    let others = create_company(service, &other.admin, company("Contoso AG"), key(1)).await.unwrap();
    assert_ne!(others.id, once.id, "a key means nothing in another organization");
    world.advance_secs(48 * 3_600);
    let later = create_company(service, &provider.admin, company("Contoso AG"), key(1)).await.unwrap();
    assert_ne!(later.id, once.id, "it is forgotten after 48 hours");
    assert_eq!(
        list_companies(service, &provider.admin, None, CompanyFilter::default(), &first_page())
            .await
            .unwrap()
            .items
            .len(),
        2
    );
    for bad in ["", "two words", &"x".repeat(101), "ä"] {
        assert!(Idempotency::new(bad, [0; 32]).is_err(), "{bad}");
    }
}

#[tokio::test]
async fn the_catalog_is_for_everybody() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    for viewer in [&world.vendor, &actor(provider.org, Role::TokenReport)] {
        let catalog = list_catalog(&world.service, viewer).await.unwrap();
        assert_eq!(catalog.period.to_string(), "2026-01");
        let enterprise = catalog.products.iter().find(|view| view.product.edition == "Enterprise").unwrap();
        let weights: Vec<String> = enterprise
            .workloads
            .iter()
            .filter(|(row, _)| row.code == "server")
            .map(|(row, weight)| format!("{} {weight}", row.variant))
            .collect();
        assert_eq!(weights, ["application 13", "standard 11"]);
        assert!(catalog.products.iter().any(|view| !view.product.reports));
    }
}

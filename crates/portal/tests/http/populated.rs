//! A deployment in which every list has rows and every month is in another state, with given texts wherever people may
//! write some.

use tenure_core::{
    AgreementKind, LicenseId, Points, SiteId, UsageType,
    adjust::ReasonCode,
    roles::{OrgKind, Role},
};
use tenure_license::{SigningKey, payload::ReportStage};
use tenure_service::{
    Actor, ActorKind, Decision, FigureRef, LicenseKey, MonthRef, NewAgreement, NewEnrollToken, NewFigure, NewLicense,
    NewManualLine, NewOrganization, NewPerson, NewToken, SubmitInput, TokenScope, WorkloadCount, add_manual_line,
    adjust_figure, create_agreement, create_enroll_token, create_license, create_organization, create_person,
    create_token, decide_enrollment, reject_month, request_enrollment, submit_month, submit_part, view_month,
};
use tenure_testkit::TestInstallation;

use crate::{
    month,
    world::{DISTRIBUTOR, PROVIDER, World},
};

/// Somebody who signs in.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) password: String,
    /// Pages that no link leads to, besides home.
    pub(crate) also: Vec<String>,
}

impl Person {
    /// Where a walk begins.
    pub(crate) fn starts(&self) -> Vec<String> {
        std::iter::once("/".to_owned()).chain(self.also.iter().cloned()).collect()
    }
}

/// Characters of the shortest field, a purchase order.
pub(crate) const SHORTEST: usize = 100;

/// The world of [`month::world`], with September under review; for each text, a company with manual usage, a key, a person, a
/// token and an enroll token called so, with a server of that name that waits; and for the first of them another provider called so, whose September was adjusted, submitted, rejected and
/// submitted again with these words. A text comes in halves of at most [`SHORTEST`]. Who signs in: full access, one provider's primary, the distributor's administrator, the vendor's.
pub(crate) async fn world(texts: &[[String; 2]], neighbors: usize) -> (World, Vec<Person>) {
    let mut world = month::world().await;
    let mut people = vec![Person {
        email: PROVIDER.to_owned(),
        password: world.provider_password().await,
        also: [
            "/companies?find=nothing",
            "/licenses?state=expired",
            "/months/2026-09/submit",
            "/months/2026-09/import",
            "/no-such-page",
        ]
        .map(str::to_owned)
        .to_vec(),
    }];
    let fleet = world.license(world.company("Fleet GmbH").await, None).await;
    for (n, text) in texts.iter().enumerate() {
        named(&world, n, &text.concat()).await;
        lets_in(&world, fleet, text).await;
    }
    people[0].also.push(format!("/licenses/{fleet}/enroll"));
    let name = "Luc Moreau";
    let approver = NewPerson {
        org: world.distributor,
        email: DISTRIBUTOR.to_owned(),
        name: name.to_owned(),
        role: Role::DistributorAdministrator,
        site: None,
    };
    let luc = create_person(&world.app.service, &world.vendor, approver, None).await.expect("a person");
    let rejecting = Actor {
        kind: ActorKind::Person(luc.id),
        org: world.distributor,
        role: Role::DistributorAdministrator,
        site: None,
    };
    let own = (world.provider, world.admin.clone(), world.agreement);
    for (n, text) in texts.iter().take(neighbors).enumerate() {
        let primary = neighbor(&mut world, n, &text.concat()).await;
        if n == 0 {
            let password = world.person(world.provider, "paul@x.example", &text[0], Role::ProviderPrimary, None).await;
            let also = ["/months/2026-09/receipts/1", "/months/2026-09/receipts/2", "/months/2026-09"];
            people.push(Person {
                email: "paul@x.example".to_owned(),
                password,
                also: also.map(str::to_owned).to_vec(),
            });
        }
        submitted_twice(&world, &primary, &rejecting, text).await;
    }
    (world.provider, world.admin, world.agreement) = own;
    let asking = organization(&world, OrgKind::Provider, &texts[0][0]).await;
    let asks = Actor { org: asking, ..world.admin.clone() };
    request_enrollment(&world.app.service, &asks, true, None).await.expect("it is asked for");
    people.push(Person { email: DISTRIBUTOR.to_owned(), password: luc.password.to_string(), also: Vec::new() });
    people.push(Person {
        email: world.app.admin_email.clone(),
        password: world.app.admin_password.clone(),
        also: vec!["/policy?field=grace_days&value=61&from=2026-12".to_owned()],
    });
    (world, people)
}

/// An enroll token of a license, and a server that showed it and waits.
async fn lets_in(world: &World, license: LicenseId, text: &[String; 2]) {
    let token = NewEnrollToken {
        name: text.concat(),
        cap: 3,
        license_limit: Some(0),
        networks: vec!["10.0.0.0/8".parse().expect("a network")],
        expires: world.app.service.now().plus_days(7),
    };
    let key = LicenseKey::License(license);
    let made = create_enroll_token(&world.app.service, &world.admin, key, token, None).await.expect("a token");
    let (key, from, code) = (SigningKey::generate(&*world.app.rng), "10.0.0.1", made.token.to_string());
    let asked = TestInstallation::try_activate_from(&world.app, from, &key, &code, "file-backup", &text[0]).await;
    assert_eq!(asked.problem(), "approval-awaited");
}

/// A company with usage entered by hand, a key, a person and a token of the world's provider.
async fn named(world: &World, n: usize, text: &str) {
    let line = NewManualLine {
        product: world.product("monitoring").await,
        workload: "monitored".to_owned(),
        variant: String::new(),
        count: 7,
        license: None,
        company: Some(world.company(text).await),
        site: None,
    };
    let month = MonthRef::Own("2026-09".parse().expect("a month"));
    add_manual_line(&world.app.service, &world.admin, month, line, None).await.expect("a manual line");
    let key = NewLicense {
        agreement: world.agreement,
        product: world.product("file-backup").await,
        usage_type: UsageType::SingleCustomer,
        description: text.to_owned(),
        site: None,
        company: None,
        automatic: false,
        last_day: Some("2027-12-31".parse().expect("a day")),
        workloads: vec![WorkloadCount { workload: "host".to_owned(), variant: String::new(), count: 3 }],
    };
    create_license(&world.app.service, &world.admin, key, None).await.expect("a key");
    let email = format!("person{n}@northlight.example");
    world.person(world.provider, &email, text, Role::ProviderReadOnly, None).await;
    let token = NewToken {
        name: text.to_owned(),
        scope: TokenScope::Read,
        site: None,
        expires: world.app.service.now().plus_days(30),
    };
    create_token(&world.app.service, &world.admin, token, None).await.expect("a token");
}

async fn organization(world: &World, kind: OrgKind, name: &str) -> tenure_core::OrgId {
    let input = NewOrganization { kind, name: name.to_owned() };
    create_organization(&world.app.service, &world.vendor, input, None).await.expect("an organization")
}

/// Another provider with a site, a company and a server that reported September; the world's from now on. Its primary
/// license administrator.
async fn neighbor(world: &mut World, n: usize, text: &str) -> Actor {
    let now = world.app.service.now();
    world.app.clock.set("2026-08-20T10:00:00Z");
    let provider = organization(world, OrgKind::Provider, text).await;
    let terms = NewAgreement {
        distributor: world.distributor,
        provider,
        number: text.to_owned(),
        kind: AgreementKind::Volume,
        commit: Points::whole(10),
        limit: Some(Points::whole(10)),
        purchase_order: format!("PO-{n}"),
        signed: world.app.service.now(),
        ends: "2029-01-01T00:00:00Z".parse().expect("an instant"),
    };
    let service = world.app.service.clone();
    world.agreement = create_agreement(&service, &world.vendor, terms, None).await.expect("an agreement").id;
    world.provider = provider;
    world.admin = Actor { org: provider, ..world.admin.clone() };
    request_enrollment(&service, &world.admin, true, None).await.expect("it is asked for");
    decide_enrollment(&service, &world.vendor, provider, Decision::Approve, None).await.expect("it is approved");
    world.app.clock.set("2026-09-15T10:00:00Z");
    let site: SiteId = world.site(text).await;
    let company = world.company(text).await;
    let license = world.license(company, Some(site)).await;
    let mut server: TestInstallation = world.server(license, &format!("bkp-{n}.neighbor.example")).await;
    text.clone_into(&mut server.host);
    world.app.clock.set(&now.to_string());
    let period = "2026-09".parse().expect("a month");
    let report = server.report(period, 1, ReportStage::Final, &[("host", "", 9, 0)]);
    let document = server.sign_report(&report);
    server.check_in(&world.app, vec![document]).await;
    world.app.run_jobs().await;

    let actor = |role| Actor { kind: ActorKind::Operator, org: provider, role, site: None };
    let primary = actor(Role::ProviderPrimary);
    let figure = FigureRef { installation: server.ins, workload: "host".to_owned(), variant: String::new() };
    let lower = NewFigure { count: 2, reason: Some(ReasonCode::TestDemo), note: text.to_owned() };
    adjust_figure(&service, &primary, MonthRef::Own(period), figure, lower).await.expect("it is adjusted");
    submit_part(&service, &primary, MonthRef::Own(period), site).await.expect("the part is in");
    primary
}

async fn submitted_twice(world: &World, primary: &Actor, distributor: &Actor, text: &[String; 2]) {
    let service = &world.app.service;
    let which = || MonthRef::Own("2026-09".parse().expect("a month"));
    for half in text {
        let seen = view_month(service, primary, which()).await.expect("the month");
        let input = SubmitInput { seen: seen.tag, purchase_order: Some(half.clone()), comment: Some(text.concat()) };
        submit_month(service, primary, which(), input).await.expect("it is submitted");
        if *half == text[0] {
            let id = MonthRef::Id(seen.head.id);
            reject_month(service, distributor, id, seen.tag, text.concat()).await.expect("it is rejected");
        }
    }
}

/// Whether a link leads to a page; files are none.
pub(crate) fn is_page(link: &str) -> bool {
    link.starts_with('/') && !["/report/", ".csv", "/document", "/assets/"].iter().any(|file| link.contains(file))
}

/// A path without what differs between two pages of one kind: ids, months, and what filters are set to.
pub(crate) fn kind_of(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let part = |part: &str| {
        let is_id = part.len() > 30 || (part.len() == 7 && part.starts_with("20"));
        if is_id { "*".to_owned() } else { part.to_owned() }
    };
    let path: Vec<_> = path.split('/').map(part).collect();
    let mut names: Vec<_> = query.split('&').filter_map(|pair| pair.split('=').next()).collect();
    names.sort_unstable();
    format!("{}?{}", path.join("/"), names.join("&"))
}

#[test]
fn pages_of_one_kind_are_opened_once() {
    let one = kind_of("/months/mu_01a19467-e81e-7878-9f6b-df3f4a382438?show=all&page=2");
    assert_eq!(one, kind_of("/months/mu_01a19467-e81e-7362-bef1-fc40090fa5e3?page=1&show=changed"));
    assert_eq!(kind_of("/months/2026-09/submit"), "/months/*/submit?");
}

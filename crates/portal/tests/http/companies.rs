//! Companies; as the wrong role and the wrong tenant too.

use axum::http::{Method, StatusCode};
use tenure_core::{CompanyId, roles::Role};

use crate::{
    browser::Browser,
    installations::{signed_in, stranger},
    month,
    world::World,
};

#[tokio::test]
async fn a_company_is_found_changed_and_closed() {
    let world = World::new().await;
    let vienna = world.site("Vienna").await;
    let contoso = world.company("Contoso AG").await;
    world.company("Fabrikam Ltd").await;
    let mut browser = world.provider().await;
    let found = browser.get("/companies?find=conto").await;
    found.assert_says("Contoso AG");
    found.assert_silent_about("Fabrikam Ltd");
    browser.get("/companies?find=nobody").await.assert_says("No company of that name");
    let path = format!("/companies/{contoso}");
    let page = browser.get(&path).await;
    let form = page.form(&path).with("name", "Contoso SE").with("kind", "reseller").with("site", &vienna.to_string());
    let saved = browser.send(form).await;
    saved.assert_says("Reseller served by Vienna");
    let stale = browser.send(page.form(&path)).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED, "what was seen is not what is there");
    let closed = browser.send(saved.form(&format!("{path}/open"))).await;
    closed.assert_says("it gets no new license; what it has goes on");
    let wizard = browser.get("/licenses/new").await;
    wizard.assert_says("Fabrikam Ltd");
    wizard.assert_silent_about("Contoso SE");
    browser.get("/licenses?assigned=no").await.assert_says("Contoso SE");
    let open = browser.send(closed.form(&format!("{path}/open"))).await;
    open.assert_silent_about("it gets no new license; what it has goes on");
}

#[tokio::test]
async fn who_only_reads_changes_no_company_and_a_stranger_sees_none() {
    let world = World::new().await;
    let contoso = world.company("Contoso AG").await;
    let path = format!("/companies/{contoso}");
    let mut reader = signed_in(&world, world.provider, "rae@northlight.example", Role::ProviderReadOnly).await;
    let list = reader.get("/companies").await;
    list.assert_says("Contoso AG");
    assert!(!list.html.contains(&format!("href=\"{path}\"")));
    let mut stranger = stranger(&world).await;
    stranger.get("/companies").await.assert_silent_about("Contoso AG");
    for who in [&mut reader, &mut stranger] {
        assert_eq!(who.get(&path).await.status, StatusCode::NOT_FOUND);
    }
    let opened = reader.request(Method::POST, &format!("{path}/open"), Some("open=false".to_owned())).await;
    assert_eq!(opened.status, StatusCode::FORBIDDEN);
    let opened = stranger.request(Method::POST, &format!("{path}/open"), Some("open=false".to_owned())).await;
    assert_eq!(opened.status, StatusCode::NOT_FOUND);
}

/// A company's viewer is made with its company, sees that and nothing else, and stays what it is.
#[tokio::test]
async fn a_companys_viewer_sees_its_own_licenses_and_usage_and_nothing_else() {
    let (world, _) = month::clean_world().await;
    let find = tenure_service::CompanyFilter::default();
    let paging = tenure_service::Paging::default();
    let companies = tenure_service::list_companies(&world.app.service, &world.admin, None, find, &paging).await;
    let contoso = companies.expect("companies").items[0].id;
    let fabrikam = world.company("Fabrikam Ltd").await;
    world.license(fabrikam, None).await;
    let mut browser = world.provider().await;
    let add = async |browser: &mut Browser<'_>, company: CompanyId, email: &str| {
        let page = browser.get(&format!("/companies/{company}")).await;
        let form = page.form(&format!("/companies/{company}/viewers")).with("name", "Carla Neri").with("email", email);
        let made = browser.send(form).await;
        made.assert_says("First password of Carla Neri");
        let password = made.html.split("<code>").nth(1).and_then(|rest| rest.split('<').next()).expect("a password");
        password.replace("&#38;", "&").replace("&#60;", "<").replace("&#62;", ">")
    };
    let password = add(&mut browser, contoso, "carla@contoso.example").await;
    let of_other = add(&mut browser, fabrikam, "fred@fabrikam.example").await;
    let listed = browser.get(&format!("/companies/{contoso}")).await;
    listed.assert_says("carla@contoso.example");
    listed.assert_silent_about("fred@fabrikam.example");

    let mut viewer = Browser::signed_in(&world.app, "carla@contoso.example", &password).await;
    let own = viewer.get("/").await;
    assert_eq!(own.path, "/own-company");
    own.assert_says("What Northlight Hosting licenses for you");
    own.assert_says("12 × Host");
    own.assert_says("September 2026. The month is not closed");
    own.assert_says("bkp-main.contoso.example Host 12 9 Reported by the product");
    own.assert_says("bkp-silent.contoso.example");
    own.assert_silent_about("Fabrikam");
    own.assert_silent_about("points");
    assert_eq!(viewer.get("/settings").await.path, "/settings/account");
    assert_eq!(viewer.get("/own-company?month=2025-01").await.status, StatusCode::NOT_FOUND);
    let other_company = format!("/companies/{contoso}");
    for path in [
        "/home",
        "/actions",
        "/months",
        "/months/2026-09",
        "/months/2026-09/report/csv",
        "/licenses",
        "/licenses/new",
        "/installations",
        "/companies",
        &other_company,
        "/sites",
        "/automatic-reporting",
        "/settings/people",
        "/settings/tokens",
        "/settings/console",
        "/catalog",
        "/vendor",
        "/providers",
        "/obligations",
        "/audit",
    ] {
        assert_eq!(viewer.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    for path in ["/licenses/automatic", "/companies", "/actions/approve", "/settings/tokens", "/months/2026-09/submit"]
    {
        let sent = viewer.request(Method::POST, path, Some("on=true".to_owned())).await;
        assert_eq!(sent.status, StatusCode::NOT_FOUND, "{path}");
    }
    let mut other = Browser::signed_in(&world.app, "fred@fabrikam.example", &of_other).await;
    let own = other.get("/own-company").await;
    own.assert_says("Nothing of yours was used in this month");
    own.assert_silent_about("contoso");
    assert_eq!(browser.get("/own-company").await.status, StatusCode::NOT_FOUND, "only for viewers");

    // Its role is not changed; its access is ended, and with it the session.
    let href = listed.html.split("href=\"").find_map(|rest| rest.split('"').next().filter(|to| to.contains("usr_")));
    let person = href.expect("its page").to_owned();
    let page = browser.get(&person).await;
    assert!(!page.html.contains("name=\"role\""), "no other role is offered");
    let saved = page.form(&person).with("role", "provider_read_only");
    assert_eq!(browser.send(saved).await.status, StatusCode::FORBIDDEN);
    browser.send(page.form(&person).with("name", "Carla N.")).await.assert_says("Saved");
    browser.send(page.form_with(&format!("{person}/access"), "active", "false")).await.assert_says("Access is ended");
    assert!(viewer.get("/own-company").await.path.starts_with("/sign-in"), "it is signed out");

    // Who does not manage people adds no viewer, and for a stranger there is no such company.
    let (post, form) = (format!("/companies/{contoso}/viewers"), "name=x&email=x%40x.example&idempotency_key=1");
    let mut reader = signed_in(&world, world.provider, "rae@northlight.example", Role::ProviderReadOnly).await;
    assert_eq!(reader.request(Method::POST, &post, Some(form.to_owned())).await.status, StatusCode::FORBIDDEN);
    let mut stranger = stranger(&world).await;
    assert_eq!(stranger.request(Method::POST, &post, Some(form.to_owned())).await.status, StatusCode::NOT_FOUND);
}

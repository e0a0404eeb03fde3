//! Companies; as the wrong role and the wrong tenant too.

use axum::http::{Method, StatusCode};
use tenure_core::roles::Role;

use crate::{
    installations::{signed_in, stranger},
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

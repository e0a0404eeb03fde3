//! Product servers: what is wrong with each and what a person does about it; as the wrong role and the wrong tenant too.

use axum::http::{Method, StatusCode};
use tenure_core::{
    OrgId,
    roles::{OrgKind, Role},
};
use tenure_service::{NewOrganization, create_organization};

use crate::{
    browser::{Browser, encode},
    month,
    world::World,
};

/// Somebody of another provider, signed in.
pub(crate) async fn stranger(world: &World) -> Browser<'_> {
    let input = NewOrganization { kind: OrgKind::Provider, name: "Southlight".to_owned() };
    let org: OrgId = create_organization(&world.app.service, &world.vendor, input, None).await.expect("a provider");
    signed_in(world, org, "eve@southlight.example", Role::ProviderFullAccess).await
}

pub(crate) async fn signed_in<'a>(world: &'a World, org: OrgId, email: &str, role: Role) -> Browser<'a> {
    let password = world.person(org, email, "Somebody Else", role, None).await;
    Browser::signed_in(&world.app, email, &password).await
}

#[tokio::test]
async fn a_server_that_will_miss_its_report_is_found_with_its_cause_and_retired() {
    let world = month::world().await;
    let mut browser = world.provider().await;
    // The newest is in order; what is in trouble comes first all the same.
    let license = world.license(world.company("Fabrikam Ltd").await, None).await;
    let _ = world.server(license, "bkp-new.fabrikam.example").await;
    let all = browser.get("/installations").await;
    let place = |host: &str| all.html.find(host).unwrap_or_else(|| panic!("{host} is shown"));
    assert!(place("bkp-silent.contoso.example") < place("bkp-new.fabrikam.example"));
    let late = browser.get("/installations?show=will-miss").await;
    late.assert_says("bkp-silent.contoso.example");
    late.assert_says("Its report of September 2026 did not come");
    late.assert_says("Answer for it in the month's review; zero is an answer");
    late.assert_silent_about("bkp-main.contoso.example");
    browser.get("/installations?show=silent").await.assert_says("bkp-silent.contoso.example");
    browser.get("/installations?show=clone").await.assert_says("No server fits");

    let path = late.html.split("href=\"").filter_map(|rest| rest.split('"').next());
    let path = path.filter(|href| href.starts_with("/installations/ins_")).last().expect("a server").to_owned();
    let page = browser.get(&path).await;
    page.assert_says("What to look at");
    let asked = browser.send(page.form(&format!("{path}/update-now"))).await;
    asked.assert_says("Asked for. The server fetches its license at its next check-in");
    asked.assert_says("Update now is asked for");
    assert!(asked.forms(&format!("{path}/update-now")).is_empty(), "once is enough");

    let code = page.form(&format!("{path}/re-identify"));
    let file = browser.request(Method::POST, &code.action, Some(encode(&code.fields))).await;
    assert!(file.text().starts_with("-----BEGIN TENURE LICENSE-----"), "{}", file.text());

    let retired = browser.send(asked.form(&format!("{path}/retire"))).await;
    retired.assert_says("The server is retired");
    retired.assert_says("what it used until then is still owed");
    let again = browser.request(Method::POST, &format!("{path}/retire"), Some(String::new())).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text());
}

#[tokio::test]
async fn a_server_that_was_set_back_is_settled_by_a_person() {
    let world = month::world().await;
    let company = world.company("Fabrikam Ltd").await;
    let license = world.license(company, None).await;
    let mut server = world.server(license, "bkp-vm.fabrikam.example").await;
    server.check_in(&world.app, Vec::new()).await;
    let snapshot = server.clone();
    server.check_in(&world.app, Vec::new()).await;
    let mut restored = snapshot;
    let request = restored.request(&*world.app.rng, world.app.service.now(), &[]);
    let body = restored.exchange(&request, Vec::new());
    let refused = tenure_testkit::TestInstallation::post(&world.app, &body).await;
    restored.rejoin(&world.app, &refused).await;

    let mut browser = world.provider().await;
    let path = format!("/installations/{}", restored.ins);
    let page = browser.get(&path).await;
    page.assert_says("Came back from an earlier state");
    page.assert_says("Open");
    let settled = browser.send(page.form_with(&format!("{path}/verdict"), "verdict", "noted")).await;
    settled.assert_says("Noted: it was set back, and is in order");
    settled.assert_says("Noted Ada Brandt");
    let again = browser.request(Method::POST, &format!("{path}/verdict"), Some("verdict=noted".to_owned())).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "nothing is open any more");
}

#[tokio::test]
async fn who_only_reads_sees_servers_and_changes_none_and_a_stranger_sees_nothing() {
    let world = World::new().await;
    world.enroll().await;
    let company = world.company("Contoso AG").await;
    let license = world.license(company, None).await;
    let server = world.server(license, "bkp-main.contoso.example").await;
    let path = format!("/installations/{}", server.ins);
    let mut reader = signed_in(&world, world.provider, "rae@northlight.example", Role::ProviderReadOnly).await;
    let page = reader.get(&path).await;
    page.assert_says("It works, and nothing is to be done");
    let deeds = ["update-now", "retire", "void", "re-identify", "verdict"];
    for deed in deeds {
        assert!(page.forms(&format!("{path}/{deed}")).is_empty(), "{deed} is not offered");
        let refused = reader.request(Method::POST, &format!("{path}/{deed}"), Some("verdict=noted".to_owned())).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{deed}");
    }
    let mut stranger = stranger(&world).await;
    stranger.get("/installations").await.assert_says("No product server has activated a license yet");
    assert_eq!(stranger.get(&path).await.status, StatusCode::NOT_FOUND);
    for deed in deeds {
        let refused = stranger.request(Method::POST, &format!("{path}/{deed}"), Some("verdict=noted".to_owned())).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{deed}");
    }
    let mut approver = world.approver().await;
    assert_eq!(approver.get("/installations").await.status, StatusCode::NOT_FOUND);
    assert_eq!(approver.get(&path).await.status, StatusCode::NOT_FOUND);
}

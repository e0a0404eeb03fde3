//! A fleet's token: made and shown once, who waits is decided on, and nobody else does either (A3).

use axum::http::{Method, StatusCode};
use tenure_core::roles::Role;
use tenure_license::SigningKey;
use tenure_testkit::TestInstallation;

use crate::world::World;

#[tokio::test]
async fn a3_a_token_is_made_and_who_waits_is_decided_on() {
    let world = World::new().await;
    world.enroll().await;
    let company = world.company("Contoso AG").await;
    let license = world.license(company, None).await;
    let base = format!("/licenses/{license}");
    let here = format!("{base}/enroll");
    let mut browser = world.provider().await;
    let page = browser.get(&base).await;
    assert!(page.html.contains(&format!("href=\"{here}\"")), "{}", page.html);
    let page = browser.get(&here).await;
    page.assert_says("No server waits for you");
    let form = page.form(&here).with("name", "Rack & 7").with("servers", "3").with("limit", "0");
    let wrong = browser.send(form.with("networks", "10.0.0.0/8, elsewhere")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    wrong.assert_says("`elsewhere`: a network is an address, or an address and its bits");
    let form = wrong.form(&here);
    assert!(form.fields.contains(&("name".to_owned(), "Rack & 7".to_owned())), "what was typed is kept");
    let made = browser.send(form.with("networks", "10.0.0.0/8, ::1")).await;
    made.assert_says("It is shown this once");
    made.assert_says("Rack & 7 0 of 3");
    let codes = made.html.split("<code>").skip(1).filter_map(|rest| rest.split('<').next());
    let token = codes.filter(|code| code.parse::<tenure_license::ActivationCode>().is_ok()).last();
    let token = token.expect("the token").to_owned();
    browser.get(&here).await.assert_silent_about(&token);

    for host in ["bkp-1.example", "bkp-2.example"] {
        let key = SigningKey::generate(&*world.app.rng);
        let asked =
            TestInstallation::try_activate_from(&world.app, "10.0.0.1", &key, &token, "file-backup", host).await;
        assert_eq!(asked.problem(), "approval-awaited");
    }
    browser.get(&base).await.assert_says("Two servers wait for approval");
    let page = browser.get(&here).await;
    let applicant = |host: &str| {
        let row = page.html.split("<tr>").find(|row| row.contains(host)).expect("its row");
        let id = row.split("name=\"applicant\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        id.expect("its id").to_owned()
    };
    let (first, second) = (applicant("bkp-1.example"), applicant("bkp-2.example"));

    // Who only reads sees it and may not; a stranger finds nothing.
    let read_only = Role::ProviderReadOnly;
    let mut reader = crate::installations::signed_in(&world, world.provider, "rae@northlight.example", read_only).await;
    reader.get(&here).await.assert_says("bkp-1.example");
    let mut stranger = crate::installations::stranger(&world).await;
    assert_eq!(stranger.get(&here).await.status, StatusCode::NOT_FOUND);
    for deed in ["admit", "refuse"] {
        assert!(reader.get(&here).await.forms(&format!("{here}/{deed}")).is_empty(), "{deed} is not offered");
        let form = || Some(format!("applicant={first}"));
        let refused = reader.request(Method::POST, &format!("{here}/{deed}"), form()).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{deed}");
        let refused = stranger.request(Method::POST, &format!("{here}/{deed}"), form()).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{deed}");
    }

    let admitted = browser.send(page.form_with(&format!("{here}/admit"), "applicant", &first)).await;
    admitted.assert_says("The server is admitted");
    let refused = browser.send(page.form_with(&format!("{here}/refuse"), "applicant", &second)).await;
    refused.assert_says("The server is refused");
    refused.assert_says("No server waits for you");
    let revoked = browser.send(refused.form(&format!("{here}/revoke"))).await;
    revoked.assert_says("The token is revoked");
    assert!(revoked.forms(&format!("{here}/revoke")).is_empty());
}

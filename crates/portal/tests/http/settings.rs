//! People, tokens and the viewer's account; as the wrong role and the wrong tenant too.

use axum::http::{Method, StatusCode};
use tenure_core::roles::Role;
use tenure_service::claim_letters;
use tenure_testkit::Authenticator;

use crate::{
    browser::{Browser, Reached, encode},
    installations::{signed_in, stranger},
    world::{PROVIDER, World},
};

/// The secret that a page shows once.
fn secret(page: &Reached) -> String {
    page.assert_says("It is shown this once");
    let code = page.html.split("<code>").nth(1).and_then(|rest| rest.split("</code>").next()).expect("a secret");
    code.to_owned()
}

fn link(page: &Reached, begin: &str, text: &str) -> String {
    let mut links = page.html.split("href=\"").skip(1).filter(|rest| rest.contains(&format!(">{text}</a>")));
    let found = links.find(|rest| rest.starts_with(begin)).unwrap_or_else(|| panic!("no {text} in {}", page.html));
    found.split('"').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_person_is_added_changed_and_let_go() {
    let world = World::new().await;
    let mut browser = world.provider().await;
    let people = browser.get("/settings").await;
    assert_eq!(people.path, "/settings/people");
    people.assert_says("Ada Brandt ada@northlight.example Full Access");
    let form = people.form("/settings/people").with("name", "Otto Berg").with("email", "otto@northlight.example");
    let form = form.with("role", "provider_read_only");
    let fields = form.fields.clone();
    let made = browser.send(form).await;
    let password = secret(&made);
    let twice = browser.request(Method::POST, "/settings/people", Some(encode(&fields))).await;
    assert!(twice.text().contains(&password), "sent twice, it is one person with one password");

    let mut otto = Browser::signed_in(&world.app, "otto@northlight.example", &password).await;
    let list = browser.get("/settings/people").await;
    let path = link(&list, "/settings/people/usr_", "Otto Berg");
    let page = browser.get(&path).await;
    let refused = browser.send(page.form(&path).with("name", "")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let saved = browser.send(page.form(&path).with("role", "provider_full_access")).await;
    saved.assert_says("otto@northlight.example, Full Access");
    let stale = browser.send(page.form(&path).with("name", "Otto B.")).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED, "what was seen is not what is there");

    let ended = browser.send(saved.form(&format!("{path}/access"))).await;
    ended.assert_says("Access is ended. They are signed out everywhere");
    assert!(otto.get("/home").await.path.starts_with("/sign-in"));
    let back = browser.send(ended.form(&format!("{path}/access"))).await;
    back.assert_says("They may sign in again");
    browser
        .send(back.form(&format!("{path}/password-link")))
        .await
        .assert_says("A link to set a password is on its way");
    world.app.run_jobs().await;
}

#[tokio::test]
async fn a_token_is_shown_once_rotated_and_revoked() {
    let world = World::new().await;
    let mut browser = world.provider().await;
    let none = browser.get("/settings/tokens").await;
    none.assert_says("No program acts for your organization yet");
    let form = none.form("/settings/tokens").with("name", "Nightly script").with("scope", "report");
    let made = browser.send(form).await;
    let token = secret(&made);
    assert!(token.starts_with("tnr_"), "{token}");
    let list = browser.get("/settings/tokens").await;
    list.assert_says("Nightly script");
    list.assert_says("Read, and submit usage");
    assert!(!list.html.contains(&token), "it is shown once");

    let rotate = list.html.split("action=\"").filter_map(|rest| rest.split('"').next());
    let rotate = rotate.filter(|path| path.ends_with("/rotate")).last().expect("a token in force").to_owned();
    let rotated = browser.send(list.form(&rotate)).await;
    assert_ne!(secret(&rotated), token);
    let revoked = browser.send(list.form(&rotate.replace("/rotate", "/revoke"))).await;
    revoked.assert_says("The token is revoked");
    assert!(tenure_service::authenticate_token(&world.app.service, &token).await.is_err());
}

#[tokio::test]
async fn connections_are_shown_and_companies_of_one_name_merged() {
    let world = World::new().await;
    world.enroll().await;
    let mut browser = world.provider().await;
    browser.get("/settings/console").await.assert_says("No management console is connected");
    let form = browser.get("/settings/tokens").await.form("/settings/tokens").with("name", "Console in Graz");
    let token = secret(&browser.send(form.with("scope", "manage")).await);
    browser.get("/settings/console").await.assert_says("Console in Graz all On On Never used");

    let off = serde_json::json!([{ "op": "replace", "path": "/isLicenseManagementEnabled", "value": false }]);
    let _ = world.app.call(Method::PATCH, "/api/v3/pulse", Some(&token), Some(off), &[]).await.expect(200);
    let page = browser.get("/settings/console").await;
    page.assert_says("Console in Graz all Off On Connected");
    let form = browser.get("/settings/tokens").await.form("/settings/tokens").with("name", "Nightly script");
    let script = secret(&browser.send(form.with("scope", "read")).await);
    let _ = world.app.call(Method::GET, "/api/v1/me", Some(&script), None, &[]).await.expect(200);
    browser.get("/settings/console").await.assert_silent_about("Nightly script");
    page.assert_silent_about("Companies of one name");

    let (keep, gone) = (world.company("Fourth Coffee").await, world.company("FOURTH-COFFEE").await);
    world.license(gone, None).await;
    let page = browser.get("/settings/console").await;
    page.assert_says("FOURTH-COFFEE 1 license Fourth Coffee 0 licenses");
    let merged = browser.send(page.form("/settings/console/merge")).await;
    merged.assert_says("The companies are one");
    merged.assert_silent_about("Companies of one name");
    let body = format!("into={keep}&merged={gone}");
    let mut reader = signed_in(&world, world.provider, "rae@northlight.example", Role::ProviderReadOnly).await;
    let refused = reader.request(Method::POST, "/settings/console/merge", Some(body.clone())).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let refused = stranger(&world).await.request(Method::POST, "/settings/console/merge", Some(body)).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn somebody_changes_their_password_and_ends_other_sessions() {
    let world = World::new().await;
    let password = world.provider_password().await;
    let mut here = Browser::signed_in(&world.app, PROVIDER, &password).await;
    let mut there = Browser::signed_in(&world.app, PROVIDER, &password).await;
    let account = here.get("/settings/account").await;
    account.assert_says("You sign in as ada@northlight.example, Full Access");
    let ended = here.send(account.form("/settings/account/sessions")).await;
    ended.assert_says("Done. That browser has to sign in again");
    assert!(there.get("/home").await.path.starts_with("/sign-in"));

    let form = || ended.form("/settings/account/password").with("new", "correct horse battery staple 7");
    let wrong = here.send(form().with("current", "wrong")).await;
    assert!(wrong.status.is_client_error(), "{}", wrong.status);
    let done = here.send(form().with("current", &password)).await;
    done.assert_says("Your password is changed");
    Browser::signed_in(&world.app, PROVIDER, "correct horse battery staple 7").await;
}

/// Signing in by hand: password, then code.
async fn two_steps<'a>(world: &'a World, password: &str, code: &str) -> (Browser<'a>, Reached) {
    let mut browser = Browser::new(&world.app);
    let door = browser.get("/sign-in?to=%2Fsettings%2Faccount").await;
    let asked = browser.send(door.form("/sign-in").with("email", PROVIDER).with("password", password)).await;
    asked.assert_says("Your password is right. Now the code");
    assert!(browser.cookie("tenure").is_none(), "nobody is in yet");
    let reached = browser.send(asked.form("/sign-in/code").with("code", code)).await;
    (browser, reached)
}

fn codes(page: &Reached) -> Vec<String> {
    page.html.split("<code>").skip(1).filter_map(|rest| rest.split("</code>").next()).map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn a_second_step_is_set_up_used_and_removed() {
    let world = World::new().await;
    let password = world.provider_password().await;
    let mut here = Browser::signed_in(&world.app, PROVIDER, &password).await;
    let mut there = Browser::signed_in(&world.app, PROVIDER, &password).await;
    let begin = |page: &Reached| page.form("/settings/account/second-step");
    let account = here.get("/settings/account").await;
    let wrong = here.send(begin(&account).with("current", "wrong")).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let set_up = here.send(begin(&account).with("current", &password)).await;
    assert!(set_up.html.contains("<svg class=\"qr\""));
    let app = Authenticator::new(&codes(&set_up)[0]);
    let confirm = |page: &Reached| page.form("/settings/account/second-step/confirm");
    let now = || world.app.service.now();
    let refused = here.send(confirm(&set_up).with("code", "000000")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    // The first code on the page is the operation's, in the words of the refusal.
    assert_eq!(codes(&refused).last(), codes(&set_up).last(), "the same secret is shown again");
    Browser::signed_in(&world.app, PROVIDER, &password).await;
    let shown = here.send(confirm(&refused).with("code", &app.code(now()))).await;
    shown.assert_says("shown this once");
    let recovery = codes(&shown);
    assert_eq!(recovery.len(), 10);
    assert!(there.get("/home").await.path.starts_with("/sign-in"), "what was made without it ends");

    let (_, used) = two_steps(&world, &password, &app.code(now())).await;
    assert_eq!(used.status, StatusCode::UNAUTHORIZED, "the code that confirmed it was used");
    used.assert_says("wrong or was used before");
    world.app.clock.advance_secs(60);
    let (mut browser, account) = two_steps(&world, &password, &app.code(now())).await;
    assert_eq!(account.path, "/settings/account");
    account.assert_says("10 recovery codes are left");
    let (_, twice) = two_steps(&world, &password, &app.code(now())).await;
    assert_eq!(twice.status, StatusCode::UNAUTHORIZED);
    let (_, account) = two_steps(&world, &password, &recovery[3].to_uppercase()).await;
    account.assert_says("9 recovery codes are left");
    let (_, spent) = two_steps(&world, &password, &recovery[3]).await;
    assert_eq!(spent.status, StatusCode::UNAUTHORIZED);

    let manage = |page: &Reached| page.form("/settings/account/second-step/codes").with("current", &password);
    let account = browser.get("/settings/account").await;
    let renewed = browser.send(manage(&account).with("code", &recovery[4])).await;
    let fresh = codes(&renewed);
    assert_eq!((fresh.len(), fresh.contains(&recovery[5])), (10, false));
    let mut remove = manage(&account).with("code", &recovery[5]);
    remove.action = "/settings/account/second-step/remove".to_owned();
    assert_eq!(browser.send(remove.clone()).await.status, StatusCode::UNAUTHORIZED, "codes of before are void");
    let removed = browser.send(remove.with("code", &fresh[0])).await;
    removed.assert_says("Signing in takes your password alone");
    Browser::signed_in(&world.app, PROVIDER, &password).await;
}

#[tokio::test]
async fn an_administrator_removes_a_second_step_of_who_lost_it_but_not_their_own() {
    let world = World::new().await;
    let password = world.provider_password().await;
    let mut ada = Browser::signed_in(&world.app, PROVIDER, &password).await;
    let form = ada.get("/settings/account").await.form("/settings/account/second-step").with("current", &password);
    let set_up = ada.send(form).await;
    let app = Authenticator::new(&codes(&set_up)[0]);
    let confirm = set_up.form("/settings/account/second-step/confirm");
    ada.send(confirm.with("code", &app.code(world.app.service.now()))).await.assert_says("shown this once");
    let people = ada.get("/settings/people").await;
    people.assert_says("with a second step");
    let path = link(&people, "/settings/people/usr_", "Ada Brandt");
    let reset = format!("{path}/second-step");
    let own = ada.request(Method::POST, &reset, Some(String::new())).await;
    assert_eq!(own.status, StatusCode::FORBIDDEN, "one's own takes password and code");
    let role = Role::ProviderFullAccess;
    let mut max = signed_in(&world, world.provider, "max@northlight.example", role).await;
    let page = max.get(&path).await;
    let done = max.send(page.form(&reset)).await;
    done.assert_says("A letter tells them");
    assert!(ada.get("/home").await.path.starts_with("/sign-in"));
    Browser::signed_in(&world.app, PROVIDER, &password).await;
    let (letters, _) = claim_letters(&world.app.service, "https://rental.example").await.expect("letters");
    let told: Vec<_> = letters.iter().filter(|letter| letter.to.iter().any(|to| to.email == PROVIDER)).collect();
    let subjects: Vec<_> = told.iter().map(|letter| letter.subject.as_str()).collect();
    assert_eq!(subjects, ["Signing in takes a code now", "Your second step was removed"]);
    assert!(told[1].text.contains("Max of Northlight Hosting") || told[1].text.contains("of Northlight Hosting"));
}

#[tokio::test]
async fn who_only_reads_manages_nobody_and_a_stranger_finds_nobody() {
    let world = World::new().await;
    let mut ada = world.provider().await;
    let token = ada.get("/settings/tokens").await.form("/settings/tokens").with("name", "Script");
    ada.send(token).await;
    let tokens = ada.get("/settings/tokens").await;
    let revoke = tokens.html.split("action=\"").filter_map(|rest| rest.split('"').next());
    let revoke = revoke.filter(|path| path.ends_with("/revoke")).last().expect("a token").to_owned();
    let path = link(&ada.get("/settings/people").await, "/settings/people/usr_", "Ada Brandt");

    let mut reader = signed_in(&world, world.provider, "rae@northlight.example", Role::ProviderReadOnly).await;
    let people = reader.get("/settings/people").await;
    people.assert_says("Ada Brandt");
    assert!(people.forms("/settings/people").is_empty());
    assert_eq!(reader.get(&path).await.status, StatusCode::NOT_FOUND);
    let forms = [
        ("/settings/people".to_owned(), "name=X&email=x%40y.example&role=provider_read_only&idempotency_key=k"),
        (format!("{path}/access"), "active=false"),
        (format!("{path}/password-link"), ""),
        (format!("{path}/sign-out"), ""),
        (format!("{path}/second-step"), ""),
        ("/settings/tokens".to_owned(), "name=X&scope=manage&days=30&idempotency_key=k"),
        (revoke.clone(), ""),
    ];
    for (form, body) in &forms {
        let refused = reader.request(Method::POST, form, Some((*body).to_owned())).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{form}");
    }
    assert_eq!(reader.get("/settings/tokens").await.status, StatusCode::FORBIDDEN);

    let mut stranger = stranger(&world).await;
    assert_eq!(stranger.get(&path).await.status, StatusCode::NOT_FOUND);
    for (form, body) in forms.iter().filter(|(form, _)| form.contains("/usr_") || form.contains("/tok_")) {
        let refused = stranger.request(Method::POST, form, Some((*body).to_owned())).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{form}");
    }
    stranger.get("/settings/people").await.assert_silent_about("Ada Brandt");
}

#[tokio::test]
async fn sites_show_their_parts_and_what_they_come_to() {
    let world = World::new().await;
    world.enroll().await;
    let mut browser = world.provider().await;
    browser.get("/sites").await.assert_says("Your organization has no sites");
    let vienna = world.site("Vienna").await;
    let company = world.company("Contoso AG").await;
    let license = world.license(company, Some(vienna)).await;
    let mut server = world.server(license, "bkp-main.contoso.example").await;
    world.app.clock.set("2026-10-01T06:00:00Z");
    world.app.run_jobs().await;
    world.report(&mut server, "2026-09", 1, 9).await;
    let mut browser = Browser::signed_in(
        &world.app,
        "pia@northlight.example",
        &world.person(world.provider, "pia@northlight.example", "Pia", Role::ProviderPrimary, None).await,
    )
    .await;
    let sites = browser.get("/sites").await;
    sites.assert_says("Part of September 2026");
    sites.assert_says("Vienna : its licenses Open To submit");
    sites.assert_says("All of September 2026");
    let role = Role::ProviderLocation;
    let password = world.person(world.provider, "vera@northlight.example", "Vera", role, Some(vienna)).await;
    let own = Browser::signed_in(&world.app, "vera@northlight.example", &password).await.get("/sites").await;
    own.assert_says("Your part of September 2026");
    own.assert_silent_about("All of September 2026");
    let mut approver = world.approver().await;
    assert_eq!(approver.get("/sites").await.status, StatusCode::NOT_FOUND);
    stranger(&world).await.get("/sites").await.assert_silent_about("Vienna");
}

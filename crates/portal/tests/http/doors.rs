//! Signing in and out, and what is refused before anything is done.

use axum::http::{Method, StatusCode, header};
use tenure_core::roles::Role;

use crate::{
    browser::Browser,
    world::{PROVIDER, World},
};

#[tokio::test]
async fn signing_in_leads_to_the_page_that_was_wanted_and_out_again() {
    let world = World::new().await;
    let password = world.person(world.provider, PROVIDER, "Ada Brandt", Role::ProviderFullAccess, None).await;
    let mut browser = Browser::new(&world.app);
    let door = browser.get("/licenses?state=expiring").await;
    assert_eq!(door.path, "/sign-in?to=%2Flicenses%3Fstate%3Dexpiring");
    door.assert_says("Rental program of Example Software");

    let wrong = browser.send(door.form("/sign-in").with("email", PROVIDER).with("password", "wrong")).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    wrong.assert_says("You could not be signed in");
    assert!(browser.cookie("tenure").is_none());

    // What was typed is still there, but for the password.
    let form = wrong.form("/sign-in");
    assert!(form.fields.contains(&("email".to_owned(), PROVIDER.to_owned())));
    assert!(form.fields.contains(&("password".to_owned(), String::new())));
    let licenses = browser.send(form.with("password", &password)).await;
    assert_eq!((licenses.status, licenses.path.as_str()), (StatusCode::OK, "/licenses?state=expiring"));
    licenses.assert_says("Northlight Hosting Ada Brandt Full Access");
    let token = browser.cookie("tenure").expect("a session").to_owned();

    // Who is signed in does not see the door.
    assert_eq!(browser.get("/sign-in").await.path, "/home");

    let left = browser.send(licenses.form("/sign-out")).await;
    left.assert_says("You are signed out");
    assert!(browser.cookie("tenure").is_none());
    browser.extra.push(("cookie", format!("tenure={token}")));
    assert!(browser.get("/licenses").await.path.starts_with("/sign-in"), "the session ended on the server too");
}

#[tokio::test]
async fn the_cookie_and_the_headers_keep_the_browser_in_bounds() {
    let world = World::new().await;
    let password = world.person(world.provider, PROVIDER, "Ada Brandt", Role::ProviderFullAccess, None).await;
    let mut browser = Browser::new(&world.app);
    let body = format!("email={PROVIDER}&password={password}&to=%2F%2Fevil.example%2F");
    let answer = browser.request(Method::POST, "/sign-in", Some(body.replace('@', "%40"))).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.headers[header::LOCATION], "/", "no other host is gone to");
    let cookie = answer.headers[header::SET_COOKIE].to_str().expect("a cookie");
    for wanted in ["tenure=tns_", "; Path=/", "; HttpOnly", "; SameSite=Lax", "; Max-Age=604800"] {
        assert!(cookie.contains(wanted), "{cookie}");
    }
    let page = browser.request(Method::GET, "/actions", None).await;
    assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
    let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().expect("a policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    for name in ["x-content-type-options", "x-frame-options", "referrer-policy"] {
        assert!(page.headers.contains_key(name), "{name}");
    }
    let html = page.text();
    let style = html.split("href=\"").find(|rest| rest.starts_with("/assets/look.css?v=")).expect("a style");
    let style = style.split('"').next().unwrap_or_default();
    let asset = browser.request(Method::GET, style, None).await;
    assert_eq!(asset.headers[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
    assert_eq!(browser.request(Method::GET, "/assets/README.md", None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_form_of_another_site_changes_nothing() {
    let world = World::new().await;
    let mut browser = world.provider().await;
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "http://evil.example")] {
        let request = axum::http::Request::builder()
            .method(Method::POST)
            .uri("/companies")
            .header(header::HOST, "tenure.example")
            .header(header::COOKIE, format!("tenure={}", browser.cookie("tenure").expect("a session")))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(name, value)
            .body(axum::body::Body::from("name=Evil"))
            .expect("a request");
        let answer = world.app.send(request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.text().contains("This came from another site"), "{}", answer.text());
    }
    browser.get("/companies").await.assert_silent_about("Evil");
}

#[tokio::test]
async fn a_refusal_says_what_why_and_what_to_do_under_an_operation_id() {
    let world = World::new().await;
    let mut browser = world.provider().await;
    let answer = browser.request(Method::GET, "/licenses/lic_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f", None).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let operation = answer.headers["x-operation-id"].to_str().expect("an id").to_owned();
    let html = answer.text();
    for words in ["There is no such thing here", "it belongs to another organization", "Check the id", &operation] {
        assert!(html.contains(words), "{words} in {html}");
    }
    for unknown in ["/nothing", "/months/2026-13", "/months/x", "/licenses/x"] {
        assert_eq!(browser.get(unknown).await.status, StatusCode::NOT_FOUND, "{unknown}");
    }
    let too_large = format!("name={}", "x".repeat(70_000));
    let answer = browser.request(Method::POST, "/companies", Some(too_large)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("The request could not be read"));
}

#[tokio::test]
async fn everybody_begins_at_their_own_desk_and_stays_there() {
    let world = World::new().await;
    let mut provider = world.provider().await;
    assert_eq!(provider.get("/").await.path, "/home");
    provider.get("/actions").await.assert_says("Nothing waits for you, because you rent nothing yet");
    assert_eq!(provider.get("/vendor").await.status, StatusCode::NOT_FOUND);
    let mut approver = world.approver().await;
    assert_eq!(approver.get("/").await.path, "/actions");
    approver.get("/actions").await.assert_says("Nothing waits for you");
    let mut vendor = world.vendor().await;
    let home = vendor.get("/").await;
    assert_eq!(home.path, "/vendor");
    home.assert_says("Northlight Hosting");
    home.assert_says("Demo clock");
}

#[tokio::test]
async fn a_lost_password_is_set_anew_with_the_link_of_a_letter() {
    let world = World::new().await;
    let old = world.person(world.provider, PROVIDER, "Ada Brandt", Role::ProviderFullAccess, None).await;
    let mut browser = Browser::new(&world.app);
    let page = browser.get("/password").await;
    for address in ["nobody@northlight.example", PROVIDER] {
        let sent = browser.send(page.form("/password").with("email", address)).await;
        sent.assert_says("If somebody signs in with this address, the letter is on its way");
    }
    // The one that is sent for somebody is written by itself, a moment later.
    let letters = tenure_testkit::wait_for_async("the letter", std::time::Duration::from_mins(1), async || {
        let claimed = tenure_service::claim_letters(&world.app.service, "https://rental.example/").await;
        let letters = claimed.expect("letters").0;
        letters.iter().any(|letter| letter.subject == "A link to set your password").then_some(letters)
    });
    let letters = letters.await;
    let letter = letters.iter().find(|letter| letter.subject.starts_with("A link")).expect("it");
    assert_eq!(letter.to.iter().map(|to| to.email.as_str()).collect::<Vec<_>>(), [PROVIDER]);
    let link = letter.text.split_whitespace().find(|word| word.starts_with("https://")).expect("a link");
    let link = link.strip_prefix("https://rental.example").expect("to the portal");
    let secret = link.split('=').next_back().expect("a secret");
    assert!(!format!("{letter:?}").contains(secret), "it is in no log");

    let short = browser.get(link).await.form("/password/new").with("new", "short");
    let refused = browser.send(short).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.assert_says("A password has at least 12 characters");
    let new = "correct horse battery";
    let set = browser.send(refused.form("/password/new").with("new", new)).await;
    set.assert_says("Your new password is set");
    let again = browser.send(refused.form("/password/new").with("new", new)).await;
    again.assert_says("This link was used already, or has lapsed");
    let enter = |password: &str| set.form("/sign-in").with("email", PROVIDER).with("password", password);
    assert_eq!(browser.send(enter(&old)).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.send(enter(new)).await.status, StatusCode::OK);
}

//! Home, many months at once, and what a distributor makes of them; as the wrong role and the wrong tenant too.

use axum::http::{Method, StatusCode};
use tenure_core::roles::{OrgKind, Role};
use tenure_service::{NewOrganization, create_organization};

use crate::{
    browser::{Browser, Reached, encode},
    month,
};

/// What the first box of a list would send.
#[track_caller]
fn ticket(page: &Reached) -> String {
    let html = page.html.split("name=\"month\" value=\"").nth(1).unwrap_or_else(|| panic!("no box in {}", page.html));
    html.split('"').next().expect("a value").to_owned()
}

#[tokio::test]
async fn a_clean_month_goes_from_home_to_the_invoice_in_few_steps() {
    let (world, _) = month::clean_world().await;
    let mut browser = world.provider().await;
    let home = browser.get("/").await;
    assert_eq!(home.path, "/home");
    home.assert_says("September 2026: Submit the month. Due by Monday 5 October, 23:59 UTC (in 1 day 15 hours)");
    home.assert_says("2 of 2 reported");
    home.assert_says("October 2026 so far");
    assert!(home.html.contains("href=\"/months/2026-09/submit\""), "one step to the confirmation");

    let list = browser.get("/actions").await;
    let chosen = ticket(&list);
    let confirm = browser.get(&format!("/actions/submit?{}", encode(&[("month".to_owned(), chosen.clone())]))).await;
    confirm.assert_says("Submit September 2026");
    confirm.assert_says("Lakeside Distribution");
    let done = browser.send(confirm.form("/actions/submit")).await;
    done.assert_says("Submitted. The receipt of each stands on its page");
    done.assert_says("Nothing waits for you");

    let mut approver = world.approver().await;
    let queue = approver.get("/actions").await;
    queue.assert_says("One month has no flag");
    let confirm = approver.send(queue.form("/actions/approve").with("month", &ticket(&queue))).await;
    confirm.assert_says("Approve September 2026 of Northlight Hosting");
    confirm.assert_says("You are about to approve");
    approver.get("/actions").await.assert_says("One month has no flag");
    let confirmed = confirm.form("/actions/approve");
    let approved = approver.send(confirmed.clone()).await;
    approved.assert_says("One of one approved");
    approved.assert_says("Northlight Hosting September 2026");
    approved.assert_says("Approved and closed");
    // Sent again, it stays as it is; sent from the queue again, there is nothing left to choose.
    approver.send(confirmed).await.assert_says("One of one approved");
    let late = approver.send(queue.form("/actions/approve").with("month", &ticket(&queue))).await;
    late.assert_says("None of the chosen months waits for a decision any more. One of the chosen is decided already");
    approver.get("/providers").await.assert_says("Northlight Hosting RA-20117 Closed");
}

#[tokio::test]
async fn a_month_that_is_not_what_was_seen_stays_while_its_neighbor_is_approved() {
    let (world, _) = month::clean_world().await;
    let mut provider = world.provider().await;
    for (day, month) in [("2026-10-04T09:30:00Z", "2026-09"), ("2026-11-04T09:00:00Z", "2026-10")] {
        world.app.clock.set(day);
        world.app.run_jobs().await;
        if month == "2026-10" {
            provider = world.provider_again().await;
            // Both servers were silent in October; each is answered with zero.
            for _ in 0..2 {
                let review = provider.get("/months/2026-10").await;
                provider.send(review.form_with("/months/2026-10/answers", "answer", "zero")).await;
            }
        }
        let confirm = provider.get(&format!("/months/{month}/submit")).await;
        provider.send(confirm.form(&format!("/months/{month}/submit"))).await.assert_says("is submitted");
    }
    let mut approver = world.approver().await;
    let queue = approver.get("/actions").await;
    let boxes: Vec<String> = queue
        .html
        .split("/months/mu_")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(|id| format!("mu_{id}"))
        .collect();
    let mut ids = boxes.clone();
    ids.dedup();
    assert!(ids.len() >= 2, "{ids:?}");
    // The ticket of a clean month, and one with another hash.
    let right = ticket(&queue);
    let (month, _) = right.split_once('~').expect("a ticket");
    let other = ids.iter().find(|id| *id != month).expect("another month");
    let wrong = format!("{other}~{}.0", "0".repeat(64));
    let both = |sure: bool| {
        let mut fields = vec![("month".to_owned(), right.clone()), ("month".to_owned(), wrong.clone())];
        fields.extend(sure.then(|| ("sure".to_owned(), "true".to_owned())));
        Some(encode(&fields))
    };
    let look = approver.request(Method::POST, "/actions/approve", both(false)).await;
    assert!(look.text().contains("Changed since you looked"), "{}", look.text());
    let done = approver.request(Method::POST, "/actions/approve", both(true)).await;
    assert_eq!(done.status, StatusCode::PRECONDITION_FAILED);
    assert!(done.text().contains("One of two approved"), "{}", done.text());
    assert!(done.text().contains("The figures changed since you looked"));
    approver.get("/actions").await.assert_says("One month waits for your decision");
}

#[tokio::test]
async fn many_points_are_approved_by_two_people() {
    let (world, _) = month::clean_world().await;
    let admin =
        world.person(world.distributor, "ida@lakeside.example", "Ida Roth", Role::DistributorAdministrator, None);
    let admin = admin.await;
    let mut ida = Browser::signed_in(&world.app, "ida@lakeside.example", &admin).await;
    let rules = ida.get("/rules").await;
    rules.assert_says("One person approves a month, whatever it comes to");
    let set = ida.send(rules.form("/rules/two-people").with("above", "10")).await;
    set.assert_says("Months above 10 points are approved by two different people");
    let wrong = ida.send(set.form("/rules/two-people").with("above", "many")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let mut browser = world.provider().await;
    let chosen = ticket(&browser.get("/actions").await);
    let confirm = browser.get(&format!("/actions/submit?{}", encode(&[("month".to_owned(), chosen)]))).await;
    browser.send(confirm.form("/actions/submit")).await.assert_says("Submitted");

    let mut luc = world.approver().await;
    assert!(luc.get("/rules").await.forms("/rules/two-people").is_empty(), "who approves does not lift the limit");
    let refused = luc.request(Method::POST, "/rules/two-people", Some("above=".to_owned())).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let queue = luc.get("/actions").await;
    queue.assert_says("Takes two people");
    let look = luc.send(queue.form("/actions/approve").with("month", &ticket(&queue))).await;
    let first = luc.send(look.form("/actions/approve")).await;
    first.assert_says("Waits for a second person");
    let queue = luc.get("/actions").await;
    queue.assert_says("You approved, another person closes it");
    let page = luc.get(&link(&queue, "/months/")).await;
    page.assert_says("You approved it; another person has to approve it too");

    let queue = ida.get("/actions").await;
    queue.assert_says("Approved by one, a second closes it");
    let page = ida.get(&link(&queue, "/months/")).await;
    page.assert_says("Luc Moreau approved it on");
    let approve = page.html.split("action=\"").filter_map(|rest| rest.split('"').next());
    let approve = approve.filter(|action| action.ends_with("/approve")).last().expect("a form").to_owned();
    let closed = ida.send(page.form(&approve)).await;
    closed.assert_says("Nothing waits for you");
}

/// The first link of a list that begins so.
#[track_caller]
fn link(page: &Reached, begin: &str) -> String {
    let mut links = page.html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    links.find(|href| href.starts_with(begin)).expect("a link").to_owned()
}

#[tokio::test]
async fn what_changed_since_it_was_ticked_stays_and_says_why() {
    let (world, _) = month::clean_world().await;
    let mut browser = world.provider().await;
    let seen = ticket(&browser.get("/actions").await);
    let open = browser.get("/months/2026-09?manual=1").await;
    let unit = month::unit(&open.html, "Example Backup Standard: Virtual machine");
    browser.send(open.form("/months/2026-09/manual").with("unit", &unit).with("count", "4")).await;
    let refused = browser.request(Method::POST, "/actions/submit", Some(encode(&[("month".to_owned(), seen)]))).await;
    assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED);
    assert!(refused.text().contains("The figures changed since you looked"), "{}", refused.text());
    assert_eq!(
        browser.request(Method::POST, "/actions/submit", Some("month=x".to_owned())).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

#[tokio::test]
async fn other_roles_and_tenants_find_nothing_here() {
    let (world, _) = month::clean_world().await;
    let mut provider = world.provider().await;
    let list = provider.get("/actions").await;
    let confirm = provider.get(&format!("/actions/submit?{}", encode(&[("month".to_owned(), ticket(&list))]))).await;
    provider.send(confirm.form("/actions/submit")).await;
    let queue = world.approver().await.get("/actions").await;
    let foreign = Some(encode(&[("month".to_owned(), ticket(&queue))]));

    for path in ["/providers"] {
        assert_eq!(provider.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(provider.request(Method::POST, "/actions/approve", foreign.clone()).await.status, StatusCode::NOT_FOUND);
    // Another distributor, another provider.
    let input = NewOrganization { kind: OrgKind::Distributor, name: "Lakeside Nord".to_owned() };
    let other = create_organization(&world.app.service, &world.vendor, input, None).await.expect("a distributor");
    let password = world.person(other, "uwe@nord.example", "Uwe", Role::DistributorApprover, None).await;
    let mut other = Browser::signed_in(&world.app, "uwe@nord.example", &password).await;
    assert_eq!(other.request(Method::POST, "/actions/approve", foreign.clone()).await.status, StatusCode::NOT_FOUND);
    other.get("/providers").await.assert_says("You have no rental agreement yet");
    assert_eq!(other.get("/home").await.status, StatusCode::NOT_FOUND);
    let input = NewOrganization { kind: OrgKind::Provider, name: "Northlight Cloud".to_owned() };
    let stranger = create_organization(&world.app.service, &world.vendor, input, None).await.expect("a provider");
    let password = world.person(stranger, "eve@cloud.example", "Eve", Role::ProviderFullAccess, None).await;
    let mut stranger = Browser::signed_in(&world.app, "eve@cloud.example", &password).await;
    assert_eq!(stranger.request(Method::POST, "/actions/submit", foreign.clone()).await.status, StatusCode::NOT_FOUND);
    stranger.get("/home").await.assert_silent_about("Contoso");

    // Who may only read is shown no button, and is refused without it.
    let password =
        world.person(world.distributor, "rea@lakeside.example", "Rea", Role::DistributorReadOnly, None).await;
    let mut reader = Browser::signed_in(&world.app, "rea@lakeside.example", &password).await;
    let queue = reader.get("/actions").await;
    queue.assert_says("Northlight Hosting");
    assert!(queue.forms("/actions/approve").is_empty());
    assert_eq!(reader.request(Method::POST, "/actions/approve", foreign.clone()).await.status, StatusCode::FORBIDDEN);
    let password = world.person(world.provider, "ron@northlight.example", "Ron", Role::ProviderReadOnly, None).await;
    let mut reader = Browser::signed_in(&world.app, "ron@northlight.example", &password).await;
    assert_eq!(reader.request(Method::POST, "/actions/submit", foreign).await.status, StatusCode::FORBIDDEN);
    reader.get("/home").await.assert_says("Nothing");
}

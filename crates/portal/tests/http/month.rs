//! The month: review, answer, adjust, manual usage, submit, approve; without JavaScript, and the same part for htmx.

use axum::http::{Method, StatusCode, header};
use tenure_core::roles::Role;

use tenure_testkit::TestInstallation;

use crate::{
    browser::{Browser, Reached},
    world::World,
};

/// The world on 4 October: two servers of one license; one reported 9 hosts for September, the other nothing.
pub(crate) async fn world() -> World {
    begun(false).await.0
}

/// The same, with both servers' weekly figures and 3 hosts on the second: nothing is missing or flagged.
pub(crate) async fn clean_world() -> (World, TestInstallation) {
    begun(true).await
}

async fn begun(clean: bool) -> (World, TestInstallation) {
    let world = World::new().await;
    world.enroll().await;
    let company = world.company("Contoso AG").await;
    let license = world.license(company, None).await;
    let mut main = world.server(license, "bkp-main.contoso.example").await;
    let mut silent = world.server(license, "bkp-silent.contoso.example").await;
    world.app.clock.set("2026-10-01T06:00:00Z");
    world.app.run_jobs().await;
    world.report(&mut main, "2026-09", 1, 9).await;
    if clean {
        world.weekly(&mut main, 9).await;
        world.weekly(&mut silent, 3).await;
        world.report(&mut silent, "2026-09", 1, 3).await;
    }
    world.app.clock.set("2026-10-04T09:00:00Z");
    world.app.run_jobs().await;
    (world, silent)
}

const MONTH: &str = "/months/2026-09";

#[tokio::test]
async fn a_month_goes_from_review_to_closed_without_a_script() {
    let world = world().await;
    let mut browser = world.provider().await;
    let actions = browser.get("/actions").await;
    actions.assert_says("One month waits for you");
    actions.assert_says("Monday 5 October, 23:59 UTC");
    let month = browser.get(MONTH).await;
    month.assert_says("One line needs an answer, then submit by Monday 5 October, 23:59 UTC (in 1 day 15 hours)");
    month.assert_says("bkp-silent.contoso.example");
    month.assert_says("Sent nothing for September");

    // What stands in the way is said before anything can be submitted.
    let blocked = browser.send(month.form(&format!("{MONTH}/submit"))).await;
    blocked.assert_says("September 2026 cannot be submitted yet: 1 missing");
    assert!(blocked.forms(&format!("{MONTH}/submit")).is_empty());

    let answered = browser.send(month.form_with(&format!("{MONTH}/answers"), "answer", "zero")).await;
    answered.assert_says("Your answer is in");
    answered.assert_says("Nothing stands in the way; one flag is worth a look before you submit");

    // A manual line, adjusted figures and back.
    let form = browser.get(&format!("{MONTH}?manual=1")).await.form(&format!("{MONTH}/manual"));
    let unit = unit(&browser.get(&format!("{MONTH}?manual=1")).await.html, "Example Backup Standard: Virtual machine");
    let manual = browser.send(form.with("unit", &unit).with("count", "4")).await;
    manual.assert_says("The manual line is added");
    manual.assert_says("Example Backup Standard");

    let adjust = manual.html.split("href=\"").filter_map(|rest| rest.split('"').next());
    let adjust = adjust.filter(|href| href.contains("adjust=ins_")).map(unescape).next().expect("an adjustable line");
    let open = browser.get(adjust.split('#').next().unwrap_or_default()).await;
    let form = open.form(&format!("{MONTH}/adjustments"));
    let refused = browser.send(form.with("count", "7")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.assert_says("Something in the request is not right");
    let form = refused.form(&format!("{MONTH}/adjustments"));
    assert!(form.fields.contains(&("count".to_owned(), "7".to_owned())), "what was typed is kept: {:?}", form.fields);
    let adjusted = browser.send(form.with("reason", "test_demo").with("note", "Two were a demo")).await;
    adjusted.assert_says("The figure is adjusted");
    adjusted.assert_says("product said 9");
    adjusted.assert_says("Ada Brandt, 4 Oct: Test or demonstration. Two were a demo");
    let reset = browser.send(adjusted.form(&format!("{MONTH}/adjustments/reset"))).await;
    reset.assert_silent_about("product said 9");

    // A line that was looked at is marked, until its figure changes.
    let marks = |page: &Reached, name: &str| {
        let before = format!("name=\"{name}\" value=\"");
        let tags = page.html.split(before.as_str()).skip(1);
        tags.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect::<Vec<_>>()
    };
    let all = browser.get(&format!("{MONTH}?show=all")).await;
    let lines = marks(&all, "mark").len();
    all.assert_says(&format!("0 of {lines} reviewed"));
    let form = all.form(&format!("{MONTH}/reviewed")).with("mark", &marks(&all, "mark")[0]);
    let marked = browser.send(form).await;
    marked.assert_says("Marked as reviewed");
    marked.assert_says(&format!("1 of {lines} reviewed"));
    assert!(marked.html.contains("title=\"Reviewed by Ada Brandt, "));
    let form = marked.form(&format!("{MONTH}/reviewed")).with("unmark", &marks(&marked, "unmark")[0]);
    let unmarked = browser.send(form).await;
    unmarked.assert_says(&format!("0 of {lines} reviewed"));
    let unknown = unmarked.form(&format!("{MONTH}/reviewed")).with("mark", &"0".repeat(64));
    let refused = browser.send(unknown).await;
    assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED);

    // The confirmation, the submission, its receipt; sent twice it is one.
    let confirm = browser.send(reset.form(&format!("{MONTH}/submit")).with("purchase_order", "PO-2026-1004")).await;
    confirm.assert_says("You are about to submit");
    let form = confirm.form(&format!("{MONTH}/submit")).with("comment", "All as usual");
    assert!(form.fields.contains(&("purchase_order".to_owned(), "PO-2026-1004".to_owned())));
    let fields = form.fields.clone();
    let receipt = browser.send(form).await;
    assert_eq!(receipt.path, format!("{MONTH}/receipts/1"));
    receipt.assert_says("September 2026 is submitted");
    receipt.assert_says("Submitted by Ada Brandt");
    let twice = browser.request(Method::POST, &format!("{MONTH}/submit"), Some(crate::browser::encode(&fields))).await;
    assert_eq!(twice.headers[header::LOCATION], format!("{MONTH}/receipts/1").as_str());
    let document = browser.request(Method::GET, &format!("{MONTH}/receipts/1/document"), None).await;
    let envelope = tenure_license::Envelope::from_json(&document.body).expect("an envelope");
    let signed = world.app.root().verify_receipt_role::<tenure_license::payload::Receipt>(&envelope);
    let signed = signed.expect("our receipt verifies");
    assert!(receipt.html.contains(&signed.into_inner().hash.to_string()), "the page shows the hash that is signed");
    browser.get(MONTH).await.assert_says("Lakeside Distribution decides by");

    // The distributor rejects, the provider submits again, the distributor approves.
    let mut approver = world.approver().await;
    let queue = approver.get("/actions").await;
    queue.assert_says("One month waits for your decision");
    let mut href = queue.html.split("href=\"").filter_map(|rest| rest.split('"').next());
    let href = href.find(|href| href.starts_with("/months/mu_")).expect("a month").to_owned();
    let review = approver.get(&href).await;
    review.assert_says("All as usual");
    review.assert_silent_about("Adjust");
    let rejected = approver.send(review.form(&format!("{href}/reject")).with("reason", "Four machines?")).await;
    rejected.assert_says("Rejected. The provider sees your reason");
    let month = browser.get(MONTH).await;
    month.assert_says("Lakeside Distribution rejected this month: “Four machines?”.");
    let confirm = browser.send(month.form(&format!("{MONTH}/submit"))).await;
    let receipt = browser.send(confirm.form(&format!("{MONTH}/submit"))).await;
    assert_eq!(receipt.path, format!("{MONTH}/receipts/2"));
    let review = approver.get(&href).await;
    let approved = approver.send(review.form(&format!("{href}/approve"))).await;
    approved.assert_says("Approved and closed");
    approver.get("/actions").await.assert_says("Nothing waits for you");
    let closed = browser.get(MONTH).await;
    closed.assert_says("Nothing changes here any more");
    assert!(closed.forms(&format!("{MONTH}/answers/reset")).is_empty());
    browser.get("/months").await.assert_says("September 2026 Closed");
}

#[tokio::test]
async fn figures_that_changed_since_are_not_submitted() {
    let world = world().await;
    let mut browser = world.provider().await;
    let month = browser.get(MONTH).await;
    let month = browser.send(month.form_with(&format!("{MONTH}/answers"), "answer", "zero")).await;
    let confirm = browser.send(month.form(&format!("{MONTH}/submit"))).await;
    let unanswered = browser.send(month.form(&format!("{MONTH}/answers/reset"))).await;
    unanswered.assert_says("The answer is taken back");
    let figures = unanswered.form_with(&format!("{MONTH}/answers"), "answer", "figures").with("count.host.", "5");
    browser.send(figures).await.assert_says("Your answer is in");
    let late = browser.send(confirm.form(&format!("{MONTH}/submit"))).await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);
    late.assert_says("The figures changed since you looked");
    let again = browser.send(late.form(&format!("{MONTH}/submit"))).await;
    assert_eq!(again.path, format!("{MONTH}/receipts/1"), "the page with the refusal holds the new figures");
}

#[tokio::test]
async fn htmx_gets_the_part_that_a_reload_would_show() {
    let world = world().await;
    let mut browser = world.provider().await;
    let whole = browser.get(MONTH).await;
    browser.extra.push(("hx-request", "true".to_owned()));
    let part = browser.get(MONTH).await;
    let part_html = part.html.split_once("</title>").map_or("", |(_, part)| part).to_owned();
    assert!(part.html.starts_with("<title>September 2026 · Tenure</title>"), "{}", part.html);
    assert!(whole.html.contains(&part_html), "the part is the page's own");
    assert!(!part_html.contains("<nav class=\"side\""));

    // After a form the redirect is followed with the same header, so the part comes back at once.
    let answered = browser.send(part.form_with(&format!("{MONTH}/answers"), "answer", "zero")).await;
    assert!(answered.html.starts_with("<title>") && answered.words().contains("Your answer is in"));

    // A refusal swaps in too, and does not leave its address behind.
    let body = "line=ins_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f.host.&count=x".to_owned();
    let refused = browser.request(Method::POST, &format!("{MONTH}/adjustments"), Some(body)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.headers["hx-push-url"], "false");

    // Who is signed out is led to the door, not shown it inside the page.
    let mut outside = Browser::new(&world.app);
    outside.extra.push(("hx-request", "true".to_owned()));
    outside.extra.push(("referer", format!("http://tenure.example{MONTH}")));
    let answer = outside.request(Method::GET, &format!("{MONTH}?show=all"), None).await;
    assert_eq!(answer.headers["hx-redirect"], "/sign-in?to=%2Fmonths%2F2026-09");
}

#[tokio::test]
async fn the_viewers_zone_is_said_beside_program_time() {
    let world = world().await;
    let mut browser = world.provider().await;
    let session = browser.cookie("tenure").expect("a session").to_owned();
    browser.extra.push(("cookie", format!("tenure={session}; tenure-zone=Europe/Rome")));
    let month = browser.get(MONTH).await;
    month.assert_says("Monday 5 October, 23:59 UTC (Tuesday 01:59 in Rome, in 1 day 15 hours)");
}

#[tokio::test]
async fn a_site_sees_and_submits_its_own_part_first() {
    let world = World::new().await;
    world.enroll().await;
    let (turin, milan) = (world.site("Turin").await, world.site("Milan").await);
    let company = world.company("Contoso AG").await;
    for (site, host) in [(turin, "bkp-turin"), (milan, "bkp-milan")] {
        let license = world.license(company, Some(site)).await;
        let mut server = world.server(license, host).await;
        let report = server.report(
            "2026-09".parse().expect("a month"),
            1,
            tenure_license::payload::ReportStage::Final,
            &[("host", "", 5, 0)],
        );
        world.app.clock.set("2026-10-01T06:00:00Z");
        let document = server.sign_report(&report);
        server.check_in(&world.app, vec![document]).await;
        world.app.clock.set("2026-09-15T10:00:00Z");
    }
    world.app.clock.set("2026-10-04T09:00:00Z");
    world.app.run_jobs().await;
    let password = world.person(world.provider, "tur@x.example", "Tina", Role::ProviderLocation, Some(turin)).await;
    let mut site = Browser::signed_in(&world.app, "tur@x.example", &password).await;
    let month = site.get(MONTH).await;
    month.assert_says("bkp-turin");
    month.assert_silent_about("bkp-milan");
    assert!(month.forms(&format!("{MONTH}/submit")).is_empty(), "a site does not submit the whole");
    let done = site.send(month.form(&format!("{MONTH}/parts/submit"))).await;
    done.assert_says("The site's part is submitted");
    site.get(MONTH).await.assert_silent_about("Adjust");

    let password = world.person(world.provider, "p@x.example", "Paul", Role::ProviderPrimary, None).await;
    let mut primary = Browser::signed_in(&world.app, "p@x.example", &password).await;
    let month = primary.get(MONTH).await;
    month.assert_says("One site still has to submit its part");
    let returned = primary.send(month.form(&format!("{MONTH}/parts/return")).with("reason", "Look again")).await;
    returned.assert_says("Returned: “Look again”");
    for _ in 0..2 {
        let month = primary.get(MONTH).await;
        primary.send(month.form(&format!("{MONTH}/parts/submit"))).await;
    }
    primary.get(MONTH).await.assert_says("Nothing stands in the way");
}

#[tokio::test]
async fn another_provider_finds_nothing() {
    let world = world().await;
    let mut browser = world.provider().await;
    let month = browser.get(MONTH).await;
    browser.send(month.form_with(&format!("{MONTH}/answers"), "answer", "zero")).await;
    let confirm = browser.get(&format!("{MONTH}/submit")).await;
    browser.send(confirm.form(&format!("{MONTH}/submit"))).await;
    let mut approver = world.approver().await;
    let queue = approver.get("/actions").await;
    let mut href = queue.html.split("href=\"").filter_map(|rest| rest.split('"').next());
    let href = href.find(|href| href.starts_with("/months/mu_")).expect("a month").to_owned();

    let input = tenure_service::NewOrganization {
        kind: tenure_core::roles::OrgKind::Provider,
        name: "Northwind Hosting".to_owned(),
    };
    let other = tenure_service::create_organization(&world.app.service, &world.vendor, input, None).await;
    let other = other.expect("an organization");
    let password = world.person(other, "o@x.example", "Olga", Role::ProviderFullAccess, None).await;
    let mut stranger = Browser::signed_in(&world.app, "o@x.example", &password).await;
    for path in [MONTH.to_owned(), href.clone(), format!("{href}/receipts/1"), format!("{href}/submit")] {
        assert_eq!(stranger.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let answer = stranger.request(Method::POST, &format!("{href}/approve"), Some("saw=00".to_owned())).await;
    assert!(answer.status.is_client_error());

    // The provider itself may look at its own by id, but never decide on it.
    let own = browser.get(&href).await;
    assert!(own.forms(&format!("{href}/approve")).is_empty());
}

pub(crate) fn unit(html: &str, label: &str) -> String {
    let option = html.split("<option value=\"").find(|rest| rest.split('<').next().is_some_and(|o| o.contains(label)));
    option.and_then(|rest| rest.split('"').next()).expect("the unit").to_owned()
}

fn unescape(text: &str) -> String {
    text.replace("&#38;", "&").replace("&amp;", "&")
}

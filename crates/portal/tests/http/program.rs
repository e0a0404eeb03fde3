//! What vendor and distributor look up and change; as the wrong role and the wrong tenant too.

use axum::http::{Method, StatusCode};
use tenure_core::roles::{OrgKind, Role};
use tenure_service::{NewOrganization, create_organization};

use crate::{browser::Browser, month, world::World};

const VENDORS: [&str; 11] = [
    "/catalog",
    "/policy",
    "/organizations",
    "/agreements",
    "/deviations",
    "/missed-deadlines",
    "/obligations",
    "/fleet",
    "/keys",
    "/audit",
    "/vendor",
];
const DISTRIBUTORS: [&str; 5] = ["/agreements", "/deviations", "/missed-deadlines", "/obligations", "/rules"];

#[tokio::test]
async fn each_page_is_for_its_own_desk() {
    let world = month::world().await;
    let mut vendor = world.vendor().await;
    let mut approver = world.approver().await;
    let mut provider = world.provider().await;
    for path in VENDORS {
        assert_eq!(vendor.get(path).await.status, StatusCode::OK, "{path}");
        let expected = if DISTRIBUTORS.contains(&path) { StatusCode::OK } else { StatusCode::NOT_FOUND };
        assert_eq!(approver.get(path).await.status, expected, "{path}");
        assert_eq!(provider.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(approver.get("/rules").await.status, StatusCode::OK);
    for path in ["/rules", "/missed-deadlines"] {
        assert_eq!(provider.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    for path in ["/policy", "/organizations", "/agreements", "/audit/verify", "/rules"] {
        let sent = provider.request(Method::POST, path, Some("on=true".to_owned())).await;
        assert_eq!(sent.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_weight_is_previewed_and_set_from_a_future_month_on() {
    let world = month::world().await;
    let mut vendor = world.vendor().await;
    let catalog = vendor.get("/catalog").await;
    catalog.assert_says("Points per unit");
    let product = format!("/catalog/{}", world.product("file-backup").await);
    let page = vendor.get(&product).await;
    page.assert_says("In force");
    let asked = page.form(&product).with("unit", "host").with("weight", "9").with("from", "2026-11");
    let preview = vendor.send(asked).await;
    preview.assert_says("Northlight Hosting September 2026");
    preview.assert_says("40.5");
    preview.assert_says("81");
    let confirm = preview.form_with(&product, "weight", "9");
    let confirm = preview.forms(&product).into_iter().find(|form| form.method == "post").unwrap_or(confirm);
    let again = confirm.clone();
    let done = vendor.send(confirm).await;
    done.assert_says("The weight is set");
    done.assert_says("To come");

    // A month that runs is never changed, and a support person only looks.
    let past = vendor.send(page.form(&product).with("unit", "host").with("weight", "9").with("from", "2026-10")).await;
    assert_eq!(past.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(past.forms(&product).iter().all(|form| form.method == "get"), "nothing to confirm");
    let password = world.person(world.app.vendor, "sue@vendor.example", "Sue", Role::VendorSupport, None).await;
    let mut support = Browser::signed_in(&world.app, "sue@vendor.example", &password).await;
    let seen = support.get(&product).await;
    assert!(seen.forms(&product).is_empty());
    assert_eq!(support.send(again).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_number_of_the_program_is_changed_after_a_preview() {
    let world = month::world().await;
    let mut vendor = world.vendor().await;
    let page = vendor.get("/policy").await;
    page.assert_says("Grace days");
    let asked = page.form("/policy").with("field", "provider_deadline_day").with("value", "7").with("from", "2026-11");
    let preview = vendor.send(asked).await;
    preview.assert_says("would be");
    let confirm = preview.forms("/policy").into_iter().find(|form| form.method == "post").expect("a form to confirm");
    let done = vendor.send(confirm.clone()).await;
    done.assert_says("7 from 2026-11 on");
    // What was previewed is no longer what is in force.
    let again = vendor.send(confirm.with("value", "8").with("idempotency_key", "k2")).await;
    assert_eq!(again.status, StatusCode::PRECONDITION_FAILED);
    let wrong = vendor.get("/policy?field=grace_days&value=much&from=2026-12").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn organizations_and_agreements_are_added_and_changed() {
    let world = World::new().await;
    let mut vendor = world.vendor().await;
    let list = vendor.get("/organizations").await;
    let added = vendor.send(list.form("/organizations").with("name", "Harbor <IT>").with("kind", "provider")).await;
    added.assert_says("The organization is added");
    added.assert_says("Harbor <IT>");
    assert!(!added.html.contains("Harbor <IT>"), "names are escaped");
    let empty = vendor.send(list.form("/organizations").with("name", " ").with("idempotency_key", "k2")).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);

    let provider = format!("/organizations/{}", world.provider);
    let page = vendor.get(&provider).await;
    let locked = vendor.send(page.form_with(&provider, "active", "false")).await;
    locked.assert_says("Locked out since");
    let back = vendor.send(locked.form_with(&provider, "active", "true")).await;
    back.assert_says("Lock out");

    let agreement = format!("/agreements/{}", world.agreement);
    let page = vendor.get(&agreement).await;
    page.assert_says("Northlight Hosting rents from Lakeside Distribution");
    let changed = vendor.send(page.form_with(&agreement, "what", "terms").with("commit", "50")).await;
    changed.assert_says("From October 2026 on");
    let ended = vendor.send(changed.form(&format!("{agreement}/end")).with("reason", "They asked for it.")).await;
    ended.assert_says("It was ended early");
    vendor.get("/audit?action=agreement").await.assert_says("They asked for it");
    let mut approver = world.approver().await;
    let seen = approver.get(&agreement).await;
    seen.assert_says("It was ended early");
    assert!(seen.forms(&agreement).is_empty(), "a distributor looks");
    let input = NewOrganization { kind: OrgKind::Distributor, name: "Lakeside Nord".to_owned() };
    let other = create_organization(&world.app.service, &world.vendor, input, None).await.expect("a distributor");
    let password = world.person(other, "uwe@nord.example", "Uwe", Role::DistributorApprover, None).await;
    let mut other = Browser::signed_in(&world.app, "uwe@nord.example", &password).await;
    assert_eq!(other.get(&agreement).await.status, StatusCode::NOT_FOUND);
    other.get(&format!("/obligations?provider={}", world.provider)).await.assert_silent_about("Northlight");
}

#[tokio::test]
async fn the_vendor_sees_fleet_keys_log_and_what_is_owed() {
    let world = month::world().await;
    let mut vendor = world.vendor().await;
    let fleet = vendor.get("/fleet").await;
    fleet.assert_says("Installations 2");
    vendor.get("/keys").await.assert_says("In use");
    let owed = vendor.get("/obligations").await;
    owed.assert_says("bkp-silent.contoso.example");
    owed.assert_says("Owed");
    let log = vendor.get("/audit").await;
    log.assert_says("opened the monthly usage of 2026-09");
    let verified = vendor.send(log.form("/audit/verify")).await;
    verified.assert_says("Verified: every entry is in its place");
    verified.assert_says("Nothing is wrong");
}

#[tokio::test]
async fn a_rule_is_tried_on_the_past_before_it_is_turned_on() {
    let (world, _) = month::clean_world().await;
    let mut provider = world.provider().await;
    let list = provider.get("/months/2026-09/submit").await;
    provider.send(list.form("/months/2026-09/submit")).await.assert_says("September 2026 is submitted");
    let mut approver = world.approver().await;
    let rules = approver.get("/rules").await;
    rules.assert_says("Would approve 1");
    rules.assert_says("It is off");
    let on = approver.send(rules.form("/rules")).await;
    on.assert_says("turned on by Luc Moreau");
    let off = approver.send(on.form("/rules")).await;
    off.assert_says("It is off");
    let password =
        world.person(world.distributor, "rea@lakeside.example", "Rea", Role::DistributorReadOnly, None).await;
    let mut reader = Browser::signed_in(&world.app, "rea@lakeside.example", &password).await;
    assert!(reader.get("/rules").await.forms("/rules").is_empty());
    assert_eq!(reader.request(Method::POST, "/rules", Some("on=true".to_owned())).await.status, StatusCode::FORBIDDEN);
    let empty = approver.get("/deviations").await;
    empty.assert_says("Nothing is flagged");
}

#[tokio::test]
async fn the_report_of_a_month_is_a_file_in_four_formats() {
    let (world, _) = month::clean_world().await;
    let mut provider = world.provider().await;
    for (format, media) in [
        ("pdf", "application/pdf"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("csv", "text/csv; charset=utf-8"),
        ("json", "application/json"),
    ] {
        let path = format!("/months/2026-09/report/{format}");
        let file = provider.request(Method::GET, &path, None).await;
        assert_eq!((file.status, file.headers["content-type"].to_str().expect("text")), (StatusCode::OK, media));
    }
    assert_eq!(provider.get("/months/2026-09/report/exe").await.status, StatusCode::NOT_FOUND);
    assert_eq!(provider.get("/months/2026-09/invoice.csv").await.status, StatusCode::CONFLICT);
    let mut stranger = {
        let input = NewOrganization { kind: OrgKind::Provider, name: "Northlight Cloud".to_owned() };
        let org = create_organization(&world.app.service, &world.vendor, input, None).await.expect("a provider");
        let password = world.person(org, "eve@cloud.example", "Eve", Role::ProviderFullAccess, None).await;
        Browser::signed_in(&world.app, "eve@cloud.example", &password).await
    };
    assert_eq!(stranger.get("/months/2026-09/report/pdf").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn manual_lines_are_pasted_looked_at_and_added_together() {
    let world = month::world().await;
    let mut provider = world.provider().await;
    let import = "/months/2026-09/import";
    let page = provider.get(import).await;
    let rows = "product\tworkload\tcompany\tcount\nExample Backup Standard\tvm\tContoso AG\t4\nnothing\tvm\t\t1\n";
    let preview = provider.send(page.form(import).with("text", rows)).await;
    preview.assert_says("There is no product \"nothing\"");
    preview.assert_says("Rows 2 To mend 1");
    assert_eq!(preview.forms(import).len(), 1, "nothing to confirm");

    let rows = rows.replace("nothing\t", "Example Backup Standard\t");
    let preview = provider.send(preview.form(import).with("text", &rows)).await;
    preview.assert_says("All rows fit");
    let confirm = preview.form_with(import, "confirm", "true");
    let done = provider.send(confirm.clone()).await;
    done.assert_says("The rows are added as manual lines");
    let once = provider.send(confirm).await;
    once.assert_says("The rows are added as manual lines");
    let month = provider.get("/months/2026-09/report/csv").await;
    assert_eq!(month.html.matches(",vm,").count(), 2, "sent twice, added once: {}", month.html);

    let password = world.person(world.provider, "ron@northlight.example", "Ron", Role::ProviderReadOnly, None).await;
    let mut reader = Browser::signed_in(&world.app, "ron@northlight.example", &password).await;
    assert_eq!(reader.get(import).await.status, StatusCode::NOT_FOUND);
}

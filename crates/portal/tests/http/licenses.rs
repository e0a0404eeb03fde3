//! Licenses: the wizard, the toggle, assignment, download, enrollment, and what is typed into all of it.

use std::fmt::Write as _;

use axum::http::{Method, StatusCode};
use tenure_core::roles::Role;

use crate::{browser::encode, installations, world::World};

const SCRIPT: &str = "<script>alert(1)</script>\"'&";

#[tokio::test]
async fn a_license_is_made_in_three_steps_and_back_keeps_what_was_typed() {
    let world = World::new().await;
    world.enroll().await;
    let company = world.company("Contoso AG").await;
    let product = world.product("file-backup").await;
    let mut browser = world.provider().await;
    let info = browser.get("/licenses/new").await;
    assert!(info.html.contains("name=\"automatic\" value=\"true\" checked"), "reporting is on by default");
    let form = info
        .form("/licenses/new/workloads")
        .with("product", &product.to_string())
        .with("company", &company.to_string())
        .with("description", "Main & spare");
    let workloads = browser.send(form).await;
    workloads.assert_says("Say how many of each are licensed");

    // Nothing typed: said on the same page, with the status of a refusal.
    let nothing = browser.send(workloads.form("/licenses/new/summary")).await;
    assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
    nothing.assert_says("Workloads must name 1 to 100 workload types");

    let summary = browser.send(nothing.form("/licenses/new/summary").with("count.host.", "9")).await;
    assert_eq!(summary.status, StatusCode::OK);
    summary.assert_says("Held by Contoso AG");
    summary.assert_says("Main & spare");
    summary.assert_says("then one month more for every reported month");

    // Back to the first step: all of it is still there.
    let back = summary.html.split("href=\"").filter_map(|rest| rest.split('"').next());
    let back = back.filter(|href| href.starts_with("/licenses/new/workloads?")).last().expect("a way back");
    let again = browser.get(&back.replace("&#38;", "&").replace("&amp;", "&")).await;
    assert!(again.html.contains("name=\"count.host.\" value=\"9\""), "{}", again.html);

    let form = summary.form("/licenses/new");
    let fields = form.fields.clone();
    let license = browser.send(form).await;
    assert_eq!(license.status, StatusCode::OK);
    license.assert_says("The license key is created");
    license.assert_says("Valid until 30 November 2026");

    // Sent twice, it is made once.
    let twice = browser.request(Method::POST, "/licenses/new", Some(crate::browser::encode(&fields))).await;
    assert_eq!(twice.status, StatusCode::SEE_OTHER);
    let list = browser.get("/licenses").await;
    assert_eq!(list.html.matches("<tr><th scope=\"row\">").count(), 1);
    list.assert_says("Contoso AG · Main & spare");
}

#[tokio::test]
async fn the_toggle_is_explained_until_the_vendor_approves_and_then_switches() {
    let world = World::new().await;
    world.company("Contoso AG").await;
    let mut browser = world.provider().await;
    let product = world.product("file-backup").await;
    let info = browser.get("/licenses/new").await;
    info.assert_says("Not active for you yet: submit its usage by hand until then");
    let form = info.form("/licenses/new/workloads").with("product", &product.to_string());
    let form = form.with("usage_type", "internal").with("expires", "2027-06-30");
    let workloads = browser.send(form).await;
    let summary = browser.send(workloads.form("/licenses/new/summary").with("count.host.", "3")).await;
    summary.assert_says("Until 30 June 2027; its usage is submitted by hand");
    let license = browser.send(summary.form("/licenses/new")).await;
    license.assert_says("Request automatic reporting first");
    assert!(license.html.contains("role=\"switch\" aria-checked=\"false\" disabled"));
    let path = license.path.split('?').next().expect("a path").to_owned();

    // The form is not drawn as usable, and the use case says no to who sends it all the same.
    let refused = browser.request(Method::POST, &format!("{path}/automatic"), Some("on=true".to_owned())).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text().contains("Automatic reporting cannot be set here"));

    let page = browser.get("/automatic-reporting").await;
    let page = browser.send(page.form("/automatic-reporting").with("confirmed", "true")).await;
    page.assert_says("Your request is with the vendor");
    browser.get("/licenses").await.assert_says("The vendor has not decided on your request");

    let mut vendor = world.vendor().await;
    vendor.get("/vendor").await.assert_says("One request for automatic reporting");
    let requests = vendor.get("/automatic-reporting").await;
    let empty = vendor.send(requests.form("/automatic-reporting/decline")).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    empty.assert_says("A reason is required");
    let done = vendor.send(requests.form("/automatic-reporting/approve")).await;
    done.assert_says("Approved. The provider can switch its licenses");

    let list = browser.get("/licenses").await;
    let switched = browser.send(list.form(&format!("{path}/automatic"))).await;
    switched.assert_says("Automatic reporting is on");
    assert_eq!(switched.path.split('?').next(), Some("/licenses"), "back to the page it was set on");
    assert!(switched.html.contains("role=\"switch\" aria-checked=\"true\""));
}

#[tokio::test]
async fn a_switch_names_the_server_it_waits_for_and_a_key_is_downloaded() {
    let world = World::new().await;
    world.enroll().await;
    let company = world.company("Contoso AG").await;
    let license = world.license(company, None).await;
    let server = world.server(license, "bkp-main.contoso.example").await;
    let mut browser = world.provider().await;
    let path = format!("/licenses/{license}");
    let page = browser.get(&path).await;
    page.assert_says("bkp-main.contoso.example Active");
    let switched = browser.send(page.form(&format!("{path}/automatic"))).await;
    switched.assert_says("Switching off");
    switched.assert_says("Waits for bkp-main.contoso.example");
    let download = page.form_with(&format!("{path}/download"), "installation", &server.ins.to_string());
    let body = crate::browser::encode(&download.fields);
    let file = browser.request(Method::POST, &download.action, Some(body)).await;
    assert_eq!(file.status, StatusCode::OK);
    assert!(file.text().starts_with("-----BEGIN TENURE LICENSE-----"), "{}", file.text());
    let disposition = file.headers["content-disposition"].to_str().expect("a disposition");
    assert!(disposition.starts_with("attachment; filename=\""), "{disposition}");
}

#[tokio::test]
async fn a_template_is_assigned_later() {
    let world = World::new().await;
    world.enroll().await;
    let product = world.product("file-backup").await;
    let mut browser = world.provider().await;
    let info = browser.get("/licenses/new").await;
    let workloads = browser.send(info.form("/licenses/new/workloads").with("product", &product.to_string())).await;
    let summary = browser.send(workloads.form("/licenses/new/summary").with("count.host.", "3")).await;
    summary.assert_says("Nobody yet: a template, to be assigned later");
    let template = browser.send(summary.form("/licenses/new")).await;
    template.assert_says("A template: it costs nothing");
    let path = template.path.split('?').next().expect("a path").to_owned();
    browser.get(&format!("{path}/assign")).await.assert_says("You have no companies yet");
    let companies = browser.get("/companies").await;
    browser.send(companies.form("/companies").with("name", "Fabrikam Ltd")).await.assert_says("The company is added");
    let assign = browser.get(&format!("{path}/assign")).await;
    let assigned = browser.send(assign.form(&format!("{path}/assign"))).await;
    assigned.assert_says("The license is assigned");
    assigned.assert_says("Held by Fabrikam Ltd");
    let again = browser.request(Method::POST, &format!("{path}/assign"), Some("company=".to_owned())).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_license_is_copied_revoked_and_deleted_with_its_consequences_said() {
    let world = World::new().await;
    world.enroll().await;
    let company = world.company("Contoso AG").await;
    let license = world.license(company, None).await;
    world.server(license, "bkp-main.contoso.example").await;
    let mut browser = world.provider().await;
    let path = format!("/licenses/{license}");
    let page = browser.get(&path).await;
    page.assert_says("no month is reported yet");
    page.assert_says("Sep 2026 running");
    page.assert_says("One server hears so at the next check-in and gets no newer license");
    assert!(page.html.contains("href=\"/installations/ins_"), "its servers are led to");
    let asked = browser.send(page.form(&format!("{path}/update-now"))).await;
    asked.assert_says("Asked for. The server fetches its license at its next check-in");

    let form = page.form(&format!("{path}/copy"));
    let fields = form.fields.clone();
    let copy = browser.send(form).await;
    copy.assert_says("This is the copy");
    let twice = browser.request(Method::POST, &format!("{path}/copy"), Some(crate::browser::encode(&fields))).await;
    let copied = copy.path.split('?').next().expect("a path").to_owned();
    assert!(twice.headers["location"].to_str().expect("a path").starts_with(&copied), "sent twice, it is one copy");
    let gone = browser.send(copy.form(&format!("{copied}/delete"))).await;
    gone.assert_says("The license is deleted");
    assert_eq!(browser.get(&copied).await.status, StatusCode::NOT_FOUND);

    let left = browser.send(page.form(&format!("{path}/revoke"))).await;
    left.assert_says("The license is revoked and a template again");
    left.assert_says("A template: it costs nothing");
    let again = browser.request(Method::POST, &format!("{path}/revoke"), Some(String::new())).await;
    assert!(again.status.is_client_error(), "{}", again.status);
}

#[tokio::test]
async fn who_only_reads_changes_no_license_and_a_stranger_sees_none() {
    let world = World::new().await;
    world.enroll().await;
    let company = world.company("Contoso AG").await;
    let license = world.license(company, None).await;
    let path = format!("/licenses/{license}");
    let mut reader =
        crate::installations::signed_in(&world, world.provider, "rae@northlight.example", Role::ProviderReadOnly).await;
    let page = reader.get(&path).await;
    let deeds = ["update-now", "copy", "revoke", "delete", "assign", "download"];
    for deed in deeds {
        assert!(page.forms(&format!("{path}/{deed}")).is_empty(), "{deed} is not offered");
        let form = format!("idempotency_key={deed}&company={company}");
        let refused = reader.request(Method::POST, &format!("{path}/{deed}"), Some(form)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{deed}");
    }
    let mut stranger = crate::installations::stranger(&world).await;
    assert_eq!(stranger.get(&path).await.status, StatusCode::NOT_FOUND);
    for deed in deeds {
        let form = format!("idempotency_key={deed}&company={company}");
        let refused = stranger.request(Method::POST, &format!("{path}/{deed}"), Some(form)).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{deed}");
    }
}

#[tokio::test]
async fn the_list_is_narrowed_by_its_address() {
    let world = World::new().await;
    world.enroll().await;
    let contoso = world.company("Contoso AG").await;
    let fabrikam = world.company("Fabrikam Ltd").await;
    world.license(contoso, None).await;
    world.license(fabrikam, None).await;
    let mut browser = world.provider().await;
    let rows = |page: &crate::browser::Reached| page.html.matches("<tr><th scope=\"row\">").count();
    let all = browser.get("/licenses").await;
    assert_eq!(rows(&all), 2);
    let one = browser.send(all.form("/licenses").with("company", &contoso.to_string())).await;
    assert_eq!(rows(&one), 1);
    assert!(one.path.contains("company=com"), "it can be shared: {}", one.path);
    assert!(one.html.contains(&format!("state=expiring&#38;company={contoso}")), "states keep it: {}", one.html);
    for (query, found) in [
        ("holder=company", 2),
        ("holder=own", 0),
        ("assigned=no", 0),
        ("usage=single_customer", 2),
        ("usage=internal", 0),
        ("automatic=yes", 2),
        ("automatic=no", 0),
        ("automatic=perhaps", 2),
    ] {
        assert_eq!(rows(&browser.get(&format!("/licenses?{query}")).await), found, "{query}");
    }
    browser.get("/licenses?holder=own").await.assert_says("No license matches");
}

#[tokio::test]
async fn whatever_is_typed_is_only_ever_text() {
    let world = World::new().await;
    world.enroll().await;
    let company = world.company(SCRIPT).await;
    let product = world.product("file-backup").await;
    let mut browser = world.provider().await;
    let mut pages = vec![browser.get("/companies").await];
    let info = browser.get(&format!("/licenses/new?description={}", percent(SCRIPT))).await;
    let form = info.form("/licenses/new/workloads").with("product", &product.to_string());
    let workloads = browser.send(form.with("company", &company.to_string())).await;
    let summary = browser.send(workloads.form("/licenses/new/summary").with("count.host.", "3")).await;
    let license = browser.send(summary.form("/licenses/new")).await;
    license.assert_says("<script>alert(1)</script>\"'&");
    pages.extend([info, workloads, summary, license, browser.get("/licenses").await]);
    let typed = percent(SCRIPT);
    for path in [
        format!("/licenses/new?agreement={typed}&product={typed}&usage_type={typed}&company={typed}&expires={typed}"),
        format!("/licenses/new/workloads?product={typed}&description={typed}&count.host.={typed}"),
        format!("/licenses?state={typed}"),
        format!("/licenses?said={typed}"),
        format!("/months/{typed}"),
        format!("/sign-in?to={typed}"),
        format!("/companies?name={typed}"),
    ] {
        pages.push(browser.get(&path).await);
    }
    let mut outside = crate::browser::Browser::new(&world.app);
    let door = outside.get("/sign-in").await;
    pages.push(outside.send(door.form("/sign-in").with("email", SCRIPT).with("to", SCRIPT)).await);
    for page in pages {
        assert!(!page.html.contains("<script>alert"), "{}: {}", page.path, page.html);
        assert!(!page.html.contains("alert(1)</script>"), "{}", page.path);
    }
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "%{byte:02X}");
        out
    })
}

#[tokio::test]
async fn several_licenses_are_switched_after_a_look_at_what_it_brings() {
    let world = World::new().await;
    world.enroll().await;
    let (contoso, fabrikam) = (world.company("Contoso AG").await, world.company("Fabrikam Ltd").await);
    let (held, unused) = (world.license(contoso, None).await, world.license(fabrikam, None).await);
    let _ = world.server(held, "bkp-main.contoso.example").await;
    let mut browser = world.provider().await;
    let list = browser.get("/licenses?holder=company").await;
    assert_eq!(list.html.matches("name=\"license\" value=\"lic_").count(), 2);
    let chosen = |on: &str, sure: bool| {
        let mut fields: Vec<(String, String)> =
            [held, unused].iter().map(|id| ("license".to_owned(), id.to_string())).collect();
        fields.push(("on".to_owned(), on.to_owned()));
        fields.push(("back".to_owned(), "/licenses?holder=company".to_owned()));
        fields.extend(sure.then(|| ("sure".to_owned(), "true".to_owned())));
        Some(encode(&fields))
    };
    let post = "/licenses/automatic";
    let none = browser.request(Method::POST, post, Some("on=false".to_owned())).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    let on = browser.request(Method::POST, post, chosen("true", false)).await;
    assert!(on.text().contains("None of the chosen licenses can be switched"), "{}", on.text());
    let look = browser.request(Method::POST, post, chosen("false", false)).await;
    assert_eq!(look.status, StatusCode::OK);
    for words in
        ["Each keeps the date that it has now", "Off at once: no server holds it", "until its server has shown"]
    {
        assert!(look.text().contains(words), "{words}: {}", look.text());
    }
    browser.get("/licenses?automatic=no").await.assert_says("No license matches");

    let done = browser.request(Method::POST, post, chosen("false", true)).await;
    for words in ["Two of two switched", "Switching off", "Waits for <bdi class=\"host\">bkp-main.contoso.example"] {
        assert!(done.text().contains(words), "{words}: {}", done.text());
    }
    browser.get(&format!("/licenses/{unused}")).await.assert_says("Off");
    let again = browser.request(Method::POST, post, chosen("false", false)).await;
    assert!(again.text().contains("It is off already"), "{}", again.text());

    // Who only reads is refused, and another provider's license does not exist.
    let mut reader = installations::signed_in(&world, world.provider, "rae@x.example", Role::ProviderReadOnly).await;
    assert!(reader.get("/licenses").await.forms(post).is_empty());
    assert_eq!(reader.request(Method::POST, post, chosen("true", true)).await.status, StatusCode::FORBIDDEN);
    let mut stranger = installations::stranger(&world).await;
    for sure in [false, true] {
        assert_eq!(stranger.request(Method::POST, post, chosen("true", sure)).await.status, StatusCode::NOT_FOUND);
    }
}

//! Servers over HTTP: stolen codes, clones, reinstallation, set-backs, retirement (protocol, 1 and 2).

use serde_json::{Value, json};
use tenure_license::{Hash, LicenseFile, Outcome, RejoinClass, ReportStage, SigningKey, UpdateResult};
use tenure_service::{LicenseKey, download_license};
use tenure_testkit::TestInstallation;

use crate::fleet::{Fleet, period};

async fn act(fleet: &Fleet, server: &TestInstallation, what: &str) -> tenure_testkit::Answer {
    fleet.post(&format!("/api/v1/installations/{}/{what}", server.ins), json!({})).await
}

async fn resolve(fleet: &Fleet, server: &TestInstallation, verdict: &str) -> tenure_testkit::Answer {
    fleet.post(&format!("/api/v1/installations/{}/resolve", server.ins), json!({ "verdict": verdict })).await
}

#[tokio::test]
async fn a1_a_code_shown_by_another_key_is_told_and_its_server_voided_in_one_step() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let code = fleet.code(license).await;
    let mut thief = TestInstallation::activate(&fleet.app, &code, "file-backup", "elsewhere.example").await;
    assert_eq!(fleet.shown(&thief).await["code_shown_again_at"], Value::Null);
    fleet.app.clock.advance_secs(600);
    let honest = SigningKey::generate(&*fleet.app.rng);
    for _ in 0..2 {
        let refused = TestInstallation::try_activate(&fleet.app, &honest, &code, "file-backup", "bkp-01").await;
        assert_eq!(refused.expect(409).problem(), "code-used");
        fleet.app.clock.advance_secs(600);
    }
    let shown = fleet.shown(&thief).await;
    assert_eq!(shown["code_shown_again_at"], "2026-01-05T09:10:00Z", "the first time is kept");
    assert_eq!((&shown["name"], &shown["activated_at"]), (&json!("elsewhere.example"), &json!("2026-01-05T09:00:00Z")));

    let voided = act(&fleet, &thief, "void").await.expect(200).json();
    assert_eq!((&voided["health"], &voided["retired_how"]), (&json!("retired"), &json!("voided")));
    assert_eq!(act(&fleet, &thief, "void").await.expect(409).problem(), "installation-state");
    assert_eq!(thief.check_in(&fleet.app, Vec::new()).await.result, UpdateResult::Revoked);
    fleet.app.clock.set("2026-02-02T00:00:00Z");
    let report = thief.report(period("2026-01"), 1, ReportStage::Final, &[("host", "", 5, 0)]);
    let answer = thief.check_in(&fleet.app, vec![thief.sign_report(&report)]).await;
    assert_eq!(answer.docs[0].outcome, Outcome::NotCounted, "kept and receipted");
    assert!(answer.docs[0].receipt.is_some());
    assert_eq!(fleet.owed(&thief).await, [("2026-01".to_owned(), "nothing".to_owned())], "a person answers for it");
}

#[tokio::test]
async fn a2_a_lost_activation_answer_makes_no_second_server() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let code = fleet.code(license).await;
    let key = SigningKey::generate(&*fleet.app.rng);
    let first = TestInstallation::try_activate(&fleet.app, &key, &code, "file-backup", "bkp-01").await.expect(200);
    fleet.app.clock.advance_secs(3_600);
    let again = TestInstallation::try_activate(&fleet.app, &key, &code, "file-backup", "bkp-01").await.expect(200);
    assert_eq!(first.json()["answer"]["payload"], again.json()["answer"]["payload"]);
    let list = fleet.get("/api/v1/installations").await.expect(200).json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn those_in_trouble_come_first_and_each_comes_once() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    for host in ["silent-1", "silent-2"] {
        let _ = fleet.server(license, host).await;
        fleet.app.clock.advance_secs(60);
    }
    fleet.app.clock.advance_secs(15 * 86_400);
    for host in ["fresh-1", "fresh-2", "fresh-3"] {
        let _ = fleet.server(license, host).await;
        fleet.app.clock.advance_secs(60);
    }
    for limit in 1..=6 {
        let (mut names, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/installations?troubled_first=true&limit={limit}{cursor}");
            let page = fleet.get(&path).await.expect(200).json();
            let items = page["items"].as_array().expect("items").clone();
            assert!(items.len() <= limit);
            names.extend(items.iter().map(|item| item["name"].as_str().expect("a name").to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(names, ["silent-2", "silent-1", "fresh-3", "fresh-2", "fresh-1"], "{limit} a page");
    }
    let other = fleet.get("/api/v1/installations?troubled_first=true&limit=1").await.expect(200).json();
    let next = other["next"].as_str().expect("a cursor");
    assert_eq!(fleet.get(&format!("/api/v1/installations?cursor={next}")).await.expect(422).problem(), "invalid-input");
}

#[tokio::test]
async fn a4_a_license_without_a_bound_key_only_activates() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let key = LicenseKey::License(license);
    let file = download_license(&fleet.app.service, &fleet.provider, key, None).await.expect("a file");
    let envelope = LicenseFile::parse(&file.content).expect("an envelope");
    let unbound = fleet.app.root().verify_license(&envelope).expect("ours");
    assert!(unbound.installation.is_none() && unbound.activation.is_some());
    let server = fleet.server(license, "bkp-01").await;
    let bound = server.held_license.expect("a license");
    assert!(bound.activation.is_none() && bound.installation.is_some_and(|bound| bound.id == server.ins));
}

#[tokio::test]
async fn a5_a_foreign_providers_server_does_not_exist() {
    let (fleet, license) = {
        let fleet = Fleet::new().await;
        let license = fleet.license(fleet.company, true).await;
        (fleet, license)
    };
    let server = fleet.server(license, "bkp-01").await;
    let vendor = &fleet.vendor;
    let path = format!("/api/v1/installations/{}", server.ins);
    assert_eq!(fleet.app.get(vendor, &path).await.expect(404).problem(), "not-found", "the vendor names the provider");
    let of_provider = format!("{path}?provider={}", fleet.provider.org);
    assert_eq!(fleet.app.get(vendor, &of_provider).await.expect(200).json()["name"], "bkp-01");
    for what in ["retire", "void", "re-identify", "update-now"] {
        let answer = fleet.app.post(vendor, &format!("{path}/{what}"), json!({})).await;
        assert!([403, 404].contains(&answer.status.as_u16()), "{what}: {}", answer.text());
    }
}

#[tokio::test]
async fn c11_a_key_is_registered_once_for_ever() {
    let fleet = Fleet::new().await;
    let (one, two) = (fleet.license(fleet.company, true).await, fleet.license(fleet.other, true).await);
    let server = fleet.server(one, "image").await;
    for license in [one, two] {
        let code = fleet.code(license).await;
        let refused = TestInstallation::try_activate(&fleet.app, &server.key, &code, "file-backup", "copy").await;
        let refused = refused.expect(409);
        assert_eq!(refused.problem(), "key-refused");
        assert!(!refused.text().contains(&server.ins.to_string()), "it does not say where the first is");
    }
    let _ = act(&fleet, &server, "retire").await.expect(200);
    let code = fleet.code(one).await;
    let refused = TestInstallation::try_activate(&fleet.app, &server.key, &code, "file-backup", "copy").await;
    assert_eq!(refused.expect(409).problem(), "key-refused", "also after it was retired");
}

/// A server and its copy, both alive: proven a clone.
async fn cloned(fleet: &Fleet) -> (TestInstallation, TestInstallation) {
    let license = fleet.license(fleet.company, true).await;
    let mut server = fleet.server(license, "bkp-01").await;
    server.check_in(&fleet.app, Vec::new()).await;
    let mut copy = server.clone();
    "bkp-01-restored".clone_into(&mut copy.host);
    server.check_in(&fleet.app, Vec::new()).await;
    assert_eq!(fleet.rejoined(&mut copy).await.rejoined, Some(RejoinClass::SetBack));
    assert_eq!(fleet.rejoined(&mut server).await.result, UpdateResult::SuspendedClone);
    (server, copy)
}

#[tokio::test]
async fn c5_a_clone_is_shown_with_both_hosts_and_settled_by_one_click() {
    let fleet = Fleet::new().await;
    let (mut server, mut copy) = cloned(&fleet).await;
    let shown = fleet.shown(&server).await;
    assert_eq!((&shown["health"], &shown["troubles"][0]["trouble"]), (&json!("clone"), &json!("clone")));
    let rejoin = &shown["rejoins"][0];
    assert_eq!(rejoin["class"], "clone");
    assert_eq!((&rejoin["left"]["name"], &rejoin["came"]["name"]), (&json!("bkp-01-restored"), &json!("bkp-01")));
    let found = fleet.get("/api/v1/installations?preset=clone").await.expect(200).json();
    assert_eq!(found["items"][0]["id"], json!(server.ins.to_string()));
    let key = LicenseKey::License(server.license);
    let file = download_license(&fleet.app.service, &fleet.provider, key, Some(server.ins)).await;
    assert!(file.is_err(), "no license is renewed, not by hand either");

    // What it sends meanwhile is kept, receipted and not counted; nothing newer is handed out.
    fleet.app.clock.set("2026-02-02T00:00:00Z");
    let report = server.report(period("2026-01"), 1, ReportStage::Final, &[("host", "", 5, 0)]);
    let weeks = ["2026-W02", "2026-W03", "2026-W04", "2026-W05"];
    let marks = weeks.map(|week| server.watermark(week.parse().expect("a week"), &[("host", "", 5)]));
    let documents = [server.sign_report(&report)].into_iter().chain(marks).collect();
    let answer = server.check_in(&fleet.app, documents).await;
    assert!(answer.docs.iter().all(|doc| doc.outcome == Outcome::NotCounted), "{:?}", answer.docs);
    assert_eq!(answer.license, None);
    let _ = fleet.app.run_jobs().await;
    let line = fleet.line("2026-01", &server).await.expect("a line");
    assert_eq!((line.source, line.count), (tenure_core::line::Source::Clone, 0));

    // It is one machine: what was kept counts with the instant it came.
    assert_eq!(resolve(&fleet, &server, "noted").await.expect(409).problem(), "installation-state");
    let settled = resolve(&fleet, &server, "one_machine").await.expect(200).json();
    assert_eq!(settled["rejoins"][0]["resolved_how"], "one_machine");
    assert_eq!(resolve(&fleet, &server, "one_machine").await.expect(409).problem(), "installation-state");
    let line = fleet.line("2026-01", &server).await.expect("a line");
    assert_eq!((line.source, line.count), (tenure_core::line::Source::Automatic, 5));
    assert!(
        fleet.month("2026-01").await.flags_of(server.license).is_empty(),
        "no week is missing: its watermarks count too"
    );
    let answer = server.check_in(&fleet.app, Vec::new()).await;
    assert!(answer.result.is_good(), "{:?}", answer.result);
    assert_eq!(fleet.owed(&server).await, [("2026-01".to_owned(), "report".to_owned())]);

    // Another tip that speaks makes it a clone again.
    assert_eq!(fleet.rejoined(&mut copy).await.result, UpdateResult::SuspendedClone);
}

#[tokio::test]
async fn c5_one_side_of_a_clone_becomes_a_server_of_its_own_and_the_other_goes_on() {
    let fleet = Fleet::new().await;
    let (mut server, copy) = cloned(&fleet).await;
    let new = fleet.in_place_of(&copy, "bkp-02").await;
    assert_ne!(new.ins, server.ins);
    let shown = fleet.shown(&new).await;
    assert_eq!((&shown["replaces"], &shown["retired_at"]), (&json!(server.ins.to_string()), &Value::Null));
    let old = fleet.shown(&server).await;
    assert_eq!((&old["troubles"][0]["trouble"], &old["health"]), (&json!("clone_split"), &json!("note")));
    assert_eq!(old["retired_at"], Value::Null, "the identity stays with the other machine");

    let answer = server.check_in(&fleet.app, Vec::new()).await;
    assert!(answer.result.is_good(), "{:?}", answer.result);
    let old = fleet.shown(&server).await;
    assert_eq!(old["health"], "note", "two servers share the license now: {old}");
    assert_eq!(
        (&old["rejoins"][0]["resolved_how"], &old["replaced_by"]),
        (&json!("split"), &json!(new.ins.to_string()))
    );
    // The copy's old identity still speaks somewhere: it is a clone again.
    let mut copy = copy;
    assert_eq!(fleet.rejoined(&mut copy).await.result, UpdateResult::SuspendedClone);
}

#[tokio::test]
async fn the_side_that_was_left_rejoins_after_a_split() {
    let fleet = Fleet::new().await;
    let (server, mut copy) = cloned(&fleet).await;
    let _new = fleet.in_place_of(&server, "bkp-02").await;
    // The one that goes on stands at a tip that was left: it rejoins once, and that clears it.
    let answer = fleet.rejoined(&mut copy).await;
    assert_eq!(answer.rejoined, Some(RejoinClass::Clone));
    assert!(answer.result.is_good(), "{:?}", answer.result);
    assert!(copy.check_in(&fleet.app, Vec::new()).await.result.is_good());
    assert_eq!(fleet.shown(&copy).await["rejoins"][0]["resolved_how"], "split");
}

#[tokio::test]
async fn a_reinstalled_server_takes_over_and_the_old_one_is_replaced() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let mut old = fleet.server(license, "bkp-01").await;
    old.check_in(&fleet.app, Vec::new()).await;
    let first = act(&fleet, &old, "re-identify").await.expect(200).json();
    let mut new = fleet.in_place_of(&old, "bkp-01").await;
    let stale = first["activation_code"].as_str().expect("a code");
    let key = SigningKey::generate(&*fleet.app.rng);
    let refused = TestInstallation::try_activate(&fleet.app, &key, stale, "file-backup", "bkp-01").await;
    assert_eq!(refused.expect(404).problem(), "code-unknown", "the second code took the first one's place");
    let shown = fleet.shown(&old).await;
    assert_eq!((&shown["retired_how"], &shown["replaced_by"]), (&json!("replaced"), &json!(new.ins.to_string())));
    assert_eq!(old.check_in(&fleet.app, Vec::new()).await.result, UpdateResult::Revoked);
    assert!(new.check_in(&fleet.app, Vec::new()).await.result.is_good());
    assert_eq!(act(&fleet, &old, "re-identify").await.expect(409).problem(), "installation-state");
    assert_eq!(fleet.owed(&old).await.len(), 1, "what the old one owes stays");

    fleet.app.clock.set("2026-02-02T00:00:00Z");
    let _ = fleet.app.run_jobs().await;
    fleet.report(&mut new, "2026-01", &["a"], &[]).await;
    let replaced = fleet.line("2026-01", &old).await.expect("a line");
    assert_eq!((replaced.source, replaced.count), (tenure_core::line::Source::Replaced, 0));
    assert_eq!(fleet.line("2026-01", &new).await.map(|line| line.count), Some(1));
}

#[tokio::test]
async fn c13_a_server_that_comes_back_too_often_is_flagged_for_a_person() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let mut server = fleet.server(license, "bkp-01").await;
    server.check_in(&fleet.app, Vec::new()).await;
    let snapshot = server.clone();
    for n in 1..=4 {
        for _ in 0..2 {
            fleet.app.clock.advance_secs(3_600);
            server.check_in(&fleet.app, Vec::new()).await;
        }
        let flagged = fleet.get("/api/v1/installations?preset=rejoins_often").await.expect(200).json();
        assert_eq!(flagged["items"].as_array().map(Vec::len), Some(0), "{n}");
        server = snapshot.clone();
        let answer = fleet.rejoined(&mut server).await;
        assert_eq!((answer.rejoined, answer.result.is_good()), (Some(RejoinClass::SetBack), true), "never suspended");
    }
    let flagged = fleet.get("/api/v1/installations?preset=rejoins_often").await.expect(200).json();
    let cause = flagged["items"][0]["troubles"][0]["cause"].as_str().expect("a cause").to_owned();
    assert_eq!(cause, "it came back from an earlier state 4 times within a month");
    assert_eq!(fleet.shown(&server).await["rejoins"].as_array().map(Vec::len), Some(4));
    let settled = resolve(&fleet, &server, "noted").await.expect(200).json();
    assert_eq!(settled["rejoins"][0]["resolved_how"], "noted");
}

#[tokio::test]
async fn c14_a_server_that_speaks_from_different_hosts_in_turn_is_shown_and_never_suspended() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let mut server = fleet.server(license, "bkp-01").await;
    let mut speaks_from = async |host: &str, days: i64| {
        fleet.app.clock.advance_secs(days * 86_400);
        host.clone_into(&mut server.host);
        server.machine = Some(Hash::sha256(host));
        let answer = server.check_in(&fleet.app, Vec::new()).await;
        assert!(answer.result.is_good(), "never suspended: {answer:?}");
        let shown = fleet.shown(&server).await;
        let troubles = shown["troubles"].as_array().expect("troubles").clone();
        assert_eq!(shown["name"], json!(host));
        troubles.into_iter().find(|trouble| trouble["trouble"] == "host_alternates")
    };
    // Moved, and moved on to a third host; then back to where it was once.
    for host in ["bkp-01", "bkp-02", "bkp-03", "bkp-01", "bkp-01"] {
        assert_eq!(speaks_from(host, 1).await, None, "{host}");
    }
    let flagged = speaks_from("bkp-03", 1).await.expect("a second return");
    let cause = "it speaks from different hosts in turn; 2 times within a month it came back to one";
    assert_eq!(flagged["cause"], cause);
    assert!(flagged["fix"].as_str().is_some_and(|fix| fix.contains("share")));
    let found = fleet.get("/api/v1/installations?preset=troubled").await.expect(200).json();
    assert_eq!(found["items"][0]["troubles"][0]["trouble"], "host_alternates");
    assert_eq!(speaks_from("bkp-03", 32).await, None, "a month later it is forgotten");
    // A person's shell may read less of the same machine than the service does.
    for host in ["bkp-01", "bkp-03"] {
        assert_eq!(speaks_from(host, 32).await, None);
    }
}

#[tokio::test]
async fn a_retired_server_is_not_expected_any_more_and_what_it_owes_stays() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let mut server = fleet.server(license, "bkp-01").await;
    server.check_in(&fleet.app, Vec::new()).await;
    fleet.app.clock.set("2026-01-20T00:00:00Z");
    let retired = act(&fleet, &server, "retire").await.expect(200).json();
    assert_eq!((&retired["health"], &retired["troubles"]), (&json!("retired"), &json!([])));
    assert_eq!(act(&fleet, &server, "retire").await.expect(409).problem(), "installation-state");
    fleet.app.clock.set("2026-03-01T06:00:00Z");
    let _ = fleet.app.run_jobs().await;
    // Its last month may still be reported; a later one is none of its own.
    let january = server.report(period("2026-01"), 1, ReportStage::Final, &[("host", "", 5, 0)]);
    let february = server.report(period("2026-02"), 1, ReportStage::Final, &[("host", "", 7, 0)]);
    let documents = vec![server.sign_report(&january), server.sign_report(&february)];
    let answer = server.check_in(&fleet.app, documents).await;
    let outcomes: Vec<Outcome> = answer.docs.iter().map(|doc| doc.outcome).collect();
    assert_eq!(outcomes, [Outcome::Accepted, Outcome::NotCounted]);
    assert_eq!(fleet.owed(&server).await, [("2026-01".to_owned(), "report".to_owned())]);
    let gone = fleet.get("/api/v1/installations?retired=true").await.expect(200).json();
    assert_eq!(gone["items"][0]["id"], json!(server.ins.to_string()));
}

#[tokio::test]
async fn servers_that_are_silent_or_will_miss_their_report_are_found() {
    let fleet = Fleet::new().await;
    let license = fleet.license(fleet.company, true).await;
    let mut speaks = fleet.server(license, "speaks").await;
    let silent = fleet.server(license, "silent").await;
    fleet.app.clock.set("2026-02-01T06:00:00Z");
    speaks.check_in(&fleet.app, Vec::new()).await;
    for preset in ["silent", "will_miss_report", "troubled"] {
        let found = fleet.get(&format!("/api/v1/installations?preset={preset}")).await.expect(200).json();
        let ids: Vec<&str> =
            found["items"].as_array().expect("items").iter().filter_map(|item| item["id"].as_str()).collect();
        assert_eq!(ids, [silent.ins.to_string()], "{preset}");
    }
    let shown = fleet.shown(&silent).await;
    assert_eq!(shown["troubles"][0]["trouble"], "will_miss_report");
    assert!(shown["troubles"][0]["fix"].as_str().is_some_and(|fix| fix.contains("review")));
    let first = fleet.get("/api/v1/installations?limit=1").await.expect(200).json();
    let next = first["next"].as_str().expect("a cursor");
    let second = fleet.get(&format!("/api/v1/installations?limit=1&cursor={next}")).await.expect(200).json();
    assert_ne!(first["items"][0]["id"], second["items"][0]["id"]);
    assert_eq!(second["next"], Value::Null);
    let other_list = fleet.get(&format!("/api/v1/installations?retired=true&cursor={next}")).await.expect(422);
    assert_eq!(other_list.problem(), "invalid-input", "a cursor belongs to its query");
    let nobody = "/api/v1/installations/ins_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f";
    assert_eq!(fleet.get(nobody).await.expect(404).problem(), "not-found");
}

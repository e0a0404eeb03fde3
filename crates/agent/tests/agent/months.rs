//! Months in the life of one installation.

use std::collections::BTreeMap;

use tenure_agent::{Coverage, Standing};
use tenure_core::{Clock, Day, Period, Timestamp, Week, validity};
use tenure_license::{Counted, ReportStage, evidence_root};

use crate::world::{World, at};

const PLAN: &[(&str, &str, &str)] = &[
    ("always", "2025-11-01", "2027-12-31"),
    ("gone", "2025-11-01", "2026-01-20"),
    ("fresh", "2026-02-14", "2027-12-31"),
    ("short", "2026-02-20", "2026-02-20"),
];

#[test]
fn a_license_lives_by_what_its_product_reports() {
    let mut world = World::new(PLAN).activated();
    let anchor = world.peer.server().installations[0].anchor;
    let end = |k| validity::expires_at(anchor, k, None, &tenure_core::Policy::default());
    assert_eq!(world.status().expires_at, Some(end(0)));
    for (k, day) in [(1, "2026-02-04"), (2, "2026-03-04"), (3, "2026-04-04"), (4, "2026-05-04")] {
        world.run_until(at(&format!("{day}T00:00:00Z"))).unwrap();
        let status = world.status();
        assert_eq!((status.expires_at, status.standing), (Some(end(k)), Standing::Valid), "{day}");
        assert_eq!(status.reported_through, Some(Period::of(at(&format!("{day}T00:00:00Z"))).prev()));
        assert_eq!(
            status.sentence,
            format!("The license is valid until {} UTC.", &end(k).to_string()[..16].replace('T', " "))
        );
    }
    let reports = world.peer.reports();
    let stages: BTreeMap<_, _> = reports.iter().map(|(key, report)| (*key, report.stage)).collect();
    let month = |text: &str| text.parse::<Period>().unwrap();
    for period in ["2026-01", "2026-02", "2026-03", "2026-04"].map(month) {
        assert_eq!(stages[&(period, 1)], ReportStage::Preliminary);
        assert_eq!(stages[&(period, 2)], ReportStage::Final);
        let (first, second) = (&reports[&(period, 1)], &reports[&(period, 2)]);
        assert!(Timestamp::from_secs(first.made_at) < period.end().plus_secs(20 * 3600 + 60));
        let final_day = Day::of(Timestamp::from_secs(second.made_at));
        assert_eq!(final_day, period.next().first_day().plus(2), "auto_send_day");
        assert_eq!(second.lines, first.lines, "nobody adjusted anything");
    }
    assert_eq!(stages.len(), 8);
}

#[test]
fn every_day_is_counted_as_an_honest_count_would() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-05-04T00:00:00Z");
    let reports = world.peer.reports();
    let activated: Day = "2026-01-10".parse().unwrap();
    for ((period, _), report) in reports.iter().filter(|((_, revision), _)| *revision == 2) {
        let line = &report.lines[0];
        let mut high = 0;
        for (day, counted) in period.days().zip(&line.daily) {
            let expected = (day >= activated).then(|| world.workloads.count(day).0);
            assert_eq!(*counted, expected, "{day}");
            high = high.max(expected.unwrap_or(0));
        }
        assert_eq!((line.raw, line.count), (high, high));
        let fresh = if period.to_string() == "2026-02" { 2 } else { 0 };
        assert_eq!(line.new, fresh, "{period}");
    }
    // Each completed week once, each of its days as in the reports.
    let marks = world.peer.watermarks();
    let weeks = (0..16).map(|n| Week::of(activated.plus(7 * n)));
    assert_eq!(marks.keys().copied().collect::<Vec<_>>(), weeks.collect::<Vec<_>>());
    for mark in marks.values() {
        for (day, counted) in mark.week.days().zip(&mark.lines[0].daily) {
            let expected = (day >= activated).then(|| world.workloads.count(day).0);
            assert_eq!(*counted, expected, "{day}");
        }
    }
}

#[test]
fn heads_committed_in_check_ins_occur_in_the_reports() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-04-04T00:00:00Z");
    let reports = world.peer.reports();
    let listed: BTreeMap<_, _> = reports.values().flat_map(|report| &report.heads).map(|h| (h.day, h.head)).collect();
    let server = world.peer.server();
    let mut committed = 0;
    for exchange in &server.seen {
        let request: tenure_license::CheckInRequest =
            tenure_license::decode_payload(&exchange.request.payload).unwrap();
        let Some(daily) = request.daily else { continue };
        if daily.day < "2026-04-01".parse().unwrap() {
            assert_eq!(listed.get(&daily.day), Some(&daily.head), "{}", daily.day);
            committed += 1;
        }
    }
    assert!(committed >= 10, "{committed}");
}

#[test]
fn evidence_rides_with_the_final_report_and_proves_itself() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-03-04T00:00:00Z");
    let february: Period = "2026-02".parse().unwrap();
    let report = &world.peer.reports()[&(february, 2)];
    let evidence: Vec<_> = world.peer.evidence().into_iter().filter(|part| part.period == february).collect();
    let named = report.evidence.as_ref().unwrap();
    assert_eq!((evidence.len(), named.parts, named.rows), (1, 1, 4));
    assert_eq!((evidence_root(&evidence[0].rows), evidence[0].root), (named.root, named.root));
    let counted = |wanted| evidence[0].rows.iter().filter(|row| row.counted == wanted).count();
    assert_eq!((counted(Counted::Yes), counted(Counted::New)), (2, 2));
    assert!(evidence[0].rows.iter().all(|row| row.id.len() == 64 && row.company.is_empty()), "hashed");
    // By name, if the license wants names.
    let mut world = World::new(PLAN).activated();
    world.peer.server().detail = tenure_core::WorkloadDetail::Names;
    world.peer.server().issue(0);
    world.run_to("2026-02-04T00:00:00Z");
    let rows = world.peer.evidence().remove(0).rows;
    let names: Vec<_> = rows.iter().map(|row| (row.id.as_str(), row.company.as_str())).collect();
    assert_eq!(names, [("always", "Contoso"), ("gone", "Contoso")]);
}

#[test]
fn an_agent_sleeps_between_its_duties() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-07-10T08:00:00Z");
    let exchanges = world.peer.server().seen.len() as u64;
    // 181 days: one count a day, one check-in a week or a little more, three for a report.
    assert!((26..=70).contains(&exchanges), "{exchanges} exchanges");
    assert!(world.ticks < 181 + 4 * exchanges, "{} ticks", world.ticks);
    let before = world.journal.appended();
    for _ in 0..100 {
        world.keeper().tick().unwrap();
    }
    assert_eq!(world.journal.appended(), before, "a tick before its time does nothing");
}

#[test]
fn an_agent_that_was_off_counts_the_days_it_missed() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-20T00:00:00Z");
    world.keeper = None;
    world.truth.set(at("2026-03-02T15:00:00Z"));
    world.open().unwrap();
    world.run_to("2026-03-02T15:10:00Z");
    let reports = world.peer.reports();
    let january: Period = "2026-01".parse().unwrap();
    let report = &reports[&(january, 1)];
    assert_eq!(report.stage, ReportStage::Final, "long past auto_send_day, nobody is asked any more");
    for (day, counted) in january.days().zip(&report.lines[0].daily).skip(9) {
        assert_eq!(*counted, Some(world.workloads.count(day).0), "{day}");
    }
    assert_eq!(reports[&(january.next(), 1)].stage, ReportStage::Preliminary);
}

#[test]
fn a_collector_without_memory_leaves_days_open_and_a_month_missing() {
    let mut world = World::new(PLAN);
    world.workloads.looks_back = false;
    let mut world = world.activated();
    world.run_to("2026-01-20T00:00:00Z");
    world.keeper = None;
    world.truth.set(at("2026-03-29T15:00:00Z"));
    world.open().unwrap();
    world.run_to("2026-04-04T00:00:00Z");
    let reports = world.peer.reports();
    let daily = |text: &str| {
        let period: Period = text.parse().unwrap();
        reports.iter().rfind(|((of, _), _)| *of == period).map(|(_, report)| report.lines[0].daily.clone())
    };
    let january = daily("2026-01").unwrap();
    assert_eq!((january[8], january[17].is_some(), january[19], january[30]), (None, true, None, None));
    assert_eq!(daily("2026-02"), None, "no day observed: missing, not zero");
    let march = daily("2026-03").unwrap();
    assert_eq!((march[26], march[27].is_some(), march[30].is_some()), (None, true, true));
    let status = world.status();
    assert_eq!(status.reported_through, Some("2026-01".parse().unwrap()));
    assert!(
        status.sentence.contains("The month 2026-02 does not count yet: no day of it was counted here"),
        "{}",
        status.sentence
    );
}

#[test]
fn counting_that_fails_is_said_and_a_month_goes_out_without_its_last_days() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-29T12:00:00Z");
    *world.workloads.failing.lock().unwrap() = Some("the repository is locked".into());
    world.run_to("2026-02-01T22:00:00Z");
    let january: Period = "2026-01".parse().unwrap();
    let preliminary = &world.peer.reports()[&(january, 1)];
    assert_eq!((preliminary.lines[0].daily[27].is_some(), preliminary.lines[0].daily[28]), (true, None));
    assert!(world.status().sentence.contains("Counting has failed since 2026-01-30"), "{}", world.status().sentence);
    world.run_to("2026-02-03T22:00:00Z");
    assert!(!world.peer.reports().contains_key(&(january, 2)), "it waits as long as it can");
    world.run_to("2026-02-04T00:00:00Z");
    let last = &world.peer.reports()[&(january, 2)];
    assert_eq!((last.stage, last.lines[0].daily[28]), (ReportStage::Final, None));
    // Working again, it goes on after the month that is done.
    *world.workloads.failing.lock().unwrap() = None;
    world.run_to("2026-02-05T02:00:00Z");
    let usage = world.keeper().usage();
    assert_eq!((usage.observed_days, usage.counted_through), (4, Some("2026-02-04".parse().unwrap())));
    assert_eq!(world.status().collector_error, None);
}

#[test]
fn overuse_serves_the_first_protected_first() {
    // 100 points at 10 each, 20 above allowed (40 for one that reports by itself): 14 of 16 fit.
    let ids: Vec<String> = (0..16).map(|n| format!("vm-{n:02}")).collect();
    let plan: Vec<_> = ids.iter().map(|id| (id.as_str(), "2025-11-01", "2027-12-31")).collect();
    let mut world = World::new(&plan).activated();
    world.run_to("2026-01-12T12:00:00Z");
    let mut allows = |id: &str| world.keeper().allows("vm", "", id);
    assert_eq!((allows("vm-00"), allows("vm-09")), (Coverage::Licensed, Coverage::Licensed));
    assert_eq!((allows("vm-10"), allows("vm-13")), (Coverage::LicensedByExceed, Coverage::LicensedByExceed));
    assert_eq!((allows("vm-14"), allows("vm-15")), (Coverage::Unlicensed, Coverage::Unlicensed));
    assert_eq!(allows("never seen"), Coverage::New);
}

#[test]
fn the_license_file_follows_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("license.lic");
    let mut world = World::new(PLAN);
    world.license_file = Some(path.clone());
    let mut world = world.activated();
    let serial = |world: &World| {
        let text = std::fs::read_to_string(&path).unwrap();
        let license = tenure_license::LicenseFile::parse(&text).unwrap();
        world.peer.server().verifier().verify_license(&license).unwrap().serial
    };
    assert_eq!(serial(&world), 1);
    world.run_to("2026-02-04T00:00:00Z");
    assert_eq!(serial(&world), 2);
    // Lost, or written over with an older one: the next start puts it right.
    for _ in 0..2 {
        std::fs::write(&path, "old").unwrap();
        world.open().unwrap();
        assert_eq!(serial(&world), 2);
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn reporting_by_hand_sends_no_figures() {
    let world = World::new(PLAN);
    world.peer.server().automatic = false;
    let mut world = world.activated();
    world.run_to("2026-03-05T00:00:00Z");
    assert_eq!(world.peer.server().installations[0].documents.len(), 0);
    assert_eq!(world.keeper().usage().observed_days, 3, "counting goes on, for people to look at");
    // Switched on within March: March is the first month reported.
    world.peer.server().automatic = true;
    world.peer.server().issue(0);
    world.run_to("2026-04-04T00:00:00Z");
    let periods: Vec<_> = world.peer.reports().into_keys().map(|(period, _)| period.to_string()).collect();
    assert_eq!(periods, ["2026-03", "2026-03"]);
    assert!(world.truth.now() > at("2026-04-03T00:00:00Z"));
}

#[test]
fn a_shadow_month_is_reported_before_automatic_reporting_is_on() {
    let world = World::new(PLAN);
    world.peer.server().automatic = false;
    let mut world = world.activated();
    world.peer.server().shadow = Some("2026-03".parse().unwrap());
    world.peer.server().issue(0);
    world.run_to("2026-04-04T00:00:00Z");
    let periods: Vec<_> = world.peer.reports().into_keys().map(|(period, _)| period.to_string()).collect();
    assert_eq!(periods, ["2026-03", "2026-03"], "that month, and none before");
    // It was taken back: nothing more is reported.
    world.peer.server().shadow = None;
    world.peer.server().issue(0);
    world.run_to("2026-05-04T00:00:00Z");
    assert_eq!(world.peer.reports().len(), 2);
}

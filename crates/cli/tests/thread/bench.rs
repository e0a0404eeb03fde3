//! `tenure bench` measures a real server of its own; here with little of everything, for what it prints.

use serde_json::Value;

use crate::support::process::{run, tenure};

fn bench(arguments: &[&str]) -> Value {
    let text = run(tenure().arg("bench").args(arguments).arg("--json"));
    serde_json::from_str(text.trim()).expect("one object")
}

/// What every benchmark's object has.
fn has_the_common_members(figures: &Value, name: &str) {
    assert_eq!((&figures["name"], &figures["engine"]), (&name.into(), &"sqlite".into()), "{figures}");
    for member in ["rate_per_s", "p50_ms", "p99_ms", "ratio"] {
        assert!(figures[member].as_f64().is_some_and(|value| value > 0.0), "{member}: {figures}");
    }
    let limits = figures["limits"].as_object().expect("limits");
    assert!(!limits.is_empty() && limits.values().all(|limit| limit.as_f64() > Some(0.0)), "{figures}");
}

#[test]
fn bench_pages_prints_the_review_page_and_the_lists() {
    let figures = bench(&["pages", "--licenses", "40", "--seconds", "1", "--check-ins", "20"]);
    has_the_common_members(&figures, "pages");
    assert_eq!((&figures["page"], &figures["path"]), (&"review".into(), &"/months/2026-02".into()), "{figures}");
    let pages = figures["pages"].as_array().expect("the other pages");
    let names: Vec<&str> = pages.iter().filter_map(|page| page["page"].as_str()).collect();
    assert_eq!(names, ["review, all lines", "home", "my actions", "licenses", "installations", "fleet"]);
    let bytes = |page: &Value| page["bytes"].as_u64().expect("bytes");
    assert!(bytes(&figures) > 1_000 && bytes(&pages[0]) > bytes(&figures), "what is unchanged is folded: {figures}");
    assert!(figures["check_ins_per_s"].as_f64() > Some(5.0), "{figures}");
}

#[test]
fn bench_start_says_how_long_and_how_large() {
    let figures = bench(&["start", "--starts", "2", "--idle", "1"]);
    has_the_common_members(&figures, "start");
    assert!(figures["idle_memory_mb"].as_f64() > Some(1.0) && figures["program_mb"].as_f64() > Some(1.0), "{figures}");
}

#[test]
fn bench_close_extends_each_license_once() {
    let figures = bench(&["close", "--licenses", "130", "--providers", "2"]);
    has_the_common_members(&figures, "close");
    assert_eq!(figures["extended_once"], 130, "{figures}");
}

/// Killed while months are approved, while extensions are granted in slices, and while they are signed.
#[test]
fn soak_x6_a_month_closed_by_a_server_that_is_killed_extends_each_license_once() {
    let figures = bench(&["close", "--licenses", "10000", "--providers", "10", "--kills", "20"]);
    assert_eq!(figures["extended_once"], 10_000, "{figures}");
    assert!(figures["kills"].as_u64() >= Some(5), "it was over before it was killed: {figures}");
}

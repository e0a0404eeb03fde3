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

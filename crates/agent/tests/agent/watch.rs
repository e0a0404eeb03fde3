//! What monitoring sees: one line for Nagios, metrics for Prometheus.

use std::collections::BTreeMap;

use tenure_agent::{
    metrics,
    nagios::{Severity, check},
};

use crate::world::{World, at};

const PLAN: &[(&str, &str, &str)] = &[("a", "2025-11-01", "2027-12-31"), ("b", "2025-12-01", "2027-12-31")];

#[test]
fn severity_follows_the_license_and_what_is_worth_a_look() {
    let mut fresh = World::new(PLAN);
    fresh.open().unwrap();
    let (severity, line) = check(&fresh.status());
    assert_eq!((severity, severity as u8), (Severity::Unknown, 3));
    assert_eq!(line, "TENURE UNKNOWN - There is no license yet: activate with a code or an activation file.");

    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-12T08:00:00Z");
    let (severity, line) = check(&world.status());
    assert_eq!(severity, Severity::Ok);
    let (words, data) = line.split_once(" | ").unwrap();
    assert_eq!(words, "TENURE OK - The license is valid until 2026-03-25 08:00 UTC.");
    assert!(data.starts_with("'days left'=72;30:;0: 'seconds since contact'="), "{data}");
    assert!(data.ends_with(" 'unsent documents'=0;;;0 'vm'=2;10;;0"), "{data}");

    *world.workloads.failing.lock().unwrap() = Some("no | such\nthing".into());
    world.run_to("2026-01-14T08:00:00Z");
    let (severity, line) = check(&world.status());
    assert_eq!(severity, Severity::Warning);
    assert!(line.contains("no / suchthing") && line.matches('|').count() == 1 && !line.contains('\n'), "{line}");
    *world.workloads.failing.lock().unwrap() = None;

    world.peer.server().silent = true;
    for (day, expected) in [
        ("2026-01-28T08:00:00Z", Severity::Warning),
        ("2026-03-10T08:00:00Z", Severity::Warning),
        ("2026-03-26T08:00:00Z", Severity::Critical),
        ("2026-06-26T08:00:00Z", Severity::Critical),
    ] {
        world.run_to(day);
        let (severity, line) = check(&world.status());
        assert_eq!(severity, expected, "{day}: {line}");
        assert!(line.starts_with(&format!("TENURE {} - ", expected.word())));
    }
}

#[test]
fn metrics_are_whole_and_well_formed() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-02-10T08:00:00Z");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tenure.prom");
    let status = world.status();
    metrics::write(&path, &status).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    let samples: BTreeMap<&str, &str> =
        text.lines().filter(|line| !line.starts_with('#')).map(|line| line.rsplit_once(' ').unwrap()).collect();
    let seconds = |text: &str| at(text).as_secs().to_string();
    let expected = [
        ("tenure_agent_license_state{state=\"valid\"}", "1".to_owned()),
        ("tenure_agent_license_state{state=\"expired\"}", "0".to_owned()),
        ("tenure_agent_license_expires_timestamp_seconds", seconds("2026-04-25T08:00:00Z")),
        ("tenure_agent_counted_through_timestamp_seconds", seconds("2026-02-10T00:00:00Z")),
        ("tenure_agent_workloads{workload=\"vm\",variant=\"\"}", "2".to_owned()),
        ("tenure_agent_workloads_licensed{workload=\"vm\",variant=\"\"}", "10".to_owned()),
        ("tenure_agent_report_received{period=\"2026-01\",stage=\"final\"}", "1".to_owned()),
        ("tenure_agent_unsent_documents", "0".to_owned()),
        ("tenure_agent_collector_failed", "0".to_owned()),
    ];
    for (name, value) in expected {
        assert_eq!(samples.get(name), Some(&value.as_str()), "{name}: {text}");
    }
    // Every sample has its help and its type before it, once.
    for name in samples.keys().map(|sample| sample.split('{').next().unwrap()) {
        assert_eq!(text.matches(&format!("# TYPE {name} gauge\n")).count(), 1, "{name}");
        assert_eq!(text.matches(&format!("# HELP {name} ")).count(), 1, "{name}");
    }
    assert!(metrics::write(&dir.path().join("missing/x.prom"), &status).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

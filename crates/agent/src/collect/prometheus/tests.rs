//! Against a real small endpoint, friendly and hostile.

use super::*;
use crate::{
    collect::scripted::{Scripted, Still, respond},
    config::parse_collector,
};

const EXPOSITION: &str = r#"# HELP backup_last_success_timestamp_seconds When.
# TYPE backup_last_success_timestamp_seconds gauge
backup_last_success_timestamp_seconds{job="backup",vm="a",tenant="Contoso, \"Ltd\"\\x"} 1.76982564e9
backup_last_success_timestamp_seconds { job="backup" , vm="b", } 1769825640 1769825700000
backup_last_success_timestamp_seconds{job="backup",vm="never"} 0
backup_last_success_timestamp_seconds{job="archive",vm="c"} 1769825640
backup_last_success_timestamp_seconds_total{job="backup",vm="d"} 1769825640
up 1
"#;

fn now() -> Timestamp {
    "2026-02-01T00:30:00Z".parse().unwrap()
}

fn collect(server: &Scripted, options: &str) -> Result<Vec<Sighting>, CollectError> {
    let given = format!("prometheus:url={}/metrics,id_label=vm{options}", server.base);
    let crate::collect::CollectorConfig::Prometheus(config) = parse_collector(&given).unwrap() else { panic!() };
    let mut collector = PrometheusCollector::new(config, &Network::default(), Arc::new(Still)).unwrap();
    collector.collect(Timestamp::EPOCH, now())
}

#[test]
fn samples_with_the_labels_are_workloads() {
    let server = Scripted::pages(&[("/metrics", EXPOSITION)]);
    let metric = ",metric=backup_last_success_timestamp_seconds";
    let seen = collect(&server, &format!("{metric},workload=vm,company_label=tenant,labels.job=backup")).unwrap();
    let rows: Vec<_> = seen.iter().map(|one| (one.id.as_str(), one.company.as_str())).collect();
    assert_eq!(rows, [("a", "Contoso, \"Ltd\"\\x"), ("b", "")]);
    assert!(seen.iter().all(|one| one.at.to_string() == "2026-01-31T02:14:00Z"));
    let by_label = collect(&server, &format!("{metric},workload_label=job")).unwrap();
    let kinds: Vec<_> = by_label.iter().map(|one| one.workload.as_str()).collect();
    assert_eq!(kinds, ["backup", "backup", "archive"]);
    let protected = collect(&server, &format!("{metric},workload=vm,value=protected")).unwrap();
    assert!(protected.len() == 3 && protected.iter().all(|one| one.at == now()));
}

#[test]
fn no_sample_is_no_zero_unless_said_so() {
    let server = Scripted::pages(&[("/metrics", EXPOSITION)]);
    let said = collect(&server, ",metric=backup_protected,workload=vm").unwrap_err().to_string();
    assert!(said.ends_with("it has no sample of `backup_protected` with these labels"), "{said}");
    assert_eq!(collect(&server, ",metric=backup_protected,workload=vm,may_be_empty=true").unwrap(), []);
}

#[test]
fn bad_samples_are_named_and_good_ones_kept() {
    let text = "m{vm=\"a\"} 1769825640\nm{vm=\"b} 1\nm{vm=\"c\"\nm{vm=\"d\"} soon\nm 7\nm{vm=\"e\",vm=\"f\"} 1\nm{vm=\"g\"} -5\nm{vm=\"h\"} NaN\nm{vm=\"\"} 1\n";
    let server = Scripted::pages(&[("/metrics", text)]);
    let CollectError::BadRows { good, bad } = collect(&server, ",metric=m,workload=vm").unwrap_err() else { panic!() };
    assert_eq!(good.len(), 1);
    let said: Vec<_> = bad.iter().map(|row| format!("{}: {}", row.place, row.problem)).collect();
    let expected = [
        "line 2: the line ends within its labels",
        "line 3: the line ends within its labels",
        "line 4: `soon` is not a number",
        "line 5: `id_label`: it has no label `vm`",
        "line 6: `vm` is no label, or one that stands twice",
        "line 7: `value`: -5 is no instant in seconds since 1970",
        "line 8: `value`: NaN is no instant in seconds since 1970",
        "line 9: `id_label` is empty",
    ];
    assert_eq!(said, expected);
}

#[test]
fn hostile_endpoints_are_refused_in_one_sentence() {
    let huge = "# x\n".repeat(17 << 20);
    for (status, body, needle) in [
        ("200 OK", huge.as_str(), "larger than 67108864 bytes"),
        ("302 x", "", "redirects are not followed"),
        ("503 x", "down", "status 503: down"),
        ("200 OK", "", "has no sample of `m`"),
    ] {
        let body = body.to_owned();
        let server = Scripted::new(move |_, stream| respond(stream, status, &body));
        let said = collect(&server, ",metric=m,workload=vm").unwrap_err().to_string();
        assert!(said.contains(needle), "{said} should say {needle}");
    }
    let label = format!("m{{{}}} 1\n", (0..200).map(|n| format!("l{n}=\"x\"")).collect::<Vec<_>>().join(","));
    let server = Scripted::pages(&[("/metrics", &label)]);
    assert!(collect(&server, ",metric=m,workload=vm").unwrap_err().to_string().contains("more than 100 labels"));
}

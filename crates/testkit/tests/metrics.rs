//! The figures that Prometheus gets: well formed, bounded, and true.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    path::{Path, PathBuf},
    pin::pin,
    process::{Command, Stdio},
};

use axum::{body::Body, http::Request};
use serde_json::json;
use tenure_testkit::TestApp;

/// Samples by name and labels, as text.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value in {line:?}"));
        let value = value.parse().unwrap_or_else(|_| panic!("no figure in {line:?}"));
        assert!(samples.insert(series.to_owned(), value).is_none(), "{series} twice");
    }
    samples
}

/// What Prometheus asks of a text, said again without its help: each family has help and a type before its samples,
/// counters end in `_total`, names are of its letters.
#[track_caller]
fn assert_well_formed(text: &str) {
    let mut types = BTreeMap::new();
    let mut helped = BTreeSet::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("help has words");
            assert!(helped.insert(name.to_owned()) && !help.is_empty(), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            assert!(helped.contains(name), "{name} has no help");
            types.insert(name.to_owned(), kind.to_owned());
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().expect("a name");
            assert!(
                name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'),
                "{name}"
            );
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|part| {
                name.strip_suffix(part).filter(|family| types.get(*family).is_some_and(|kind| kind == "histogram"))
            });
            assert!(types.contains_key(family.unwrap_or(name)), "{name} has no type");
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Prometheus' own judgment of what it is given.
#[track_caller]
fn promtool(arguments: &[&str], given: &str) {
    // Where `./test` leaves it, unless it is installed.
    let fetched = root().join("target/tools/usr/bin/promtool");
    let tool = std::env::var_os("TENURE_PROMTOOL")
        .map(PathBuf::from)
        .or_else(|| fetched.exists().then_some(fetched))
        .unwrap_or_else(|| PathBuf::from("promtool"));
    let mut child = Command::new(tool)
        .arg("check")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is here: `./test` fetches it, and TENURE_PROMTOOL names another");
    child.stdin.take().expect("a pipe").write_all(given.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    // Of metrics it says what it would have otherwise, and still succeeds.
    assert!(arguments != ["metrics"] || said.is_empty(), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_figures_are_well_formed_bounded_and_true() {
    let app = TestApp::new("2026-01-05T09:00:00Z").await;
    let session = app.admin_session().await;
    for kind in ["provider", "distributor"] {
        let body = json!({"kind": kind, "name": format!("Some {kind}")});
        let _ = app.post(&session, "/api/v1/organizations", body).await.expect(201);
    }
    let before = samples(&app.metrics().await.expect(200).text()).len();
    for n in 0..50 {
        let _ = app.get(&session, &format!("/nobody/{n}")).await.expect(404);
        let _ = app.get(&session, &format!("/api/v1/organizations/org_{n}")).await;
    }
    let answer = app.metrics().await.expect(200);
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text();
    assert_well_formed(&text);
    promtool(&["metrics"], &text);
    let figures = samples(&text);
    assert!(figures.len() < before + 60, "{} series were {before}: a label has no bound", figures.len());

    let is = |a: f64, b: f64| (a - b).abs() < f64::EPSILON;
    let figure = |series: &str| *figures.get(series).unwrap_or_else(|| panic!("no {series} in\n{text}"));
    let made = r#"tenure_http_requests_total{route="/api/v1/organizations",method="POST",status="201"}"#;
    assert!(is(figure(made), 2.0));
    let unmatched = r#"tenure_http_requests_total{route="unmatched",method="GET",status="404"}"#;
    assert!(is(figure(unmatched), 50.0));
    let slow = r#"tenure_http_request_duration_seconds_count{route="/api/v1/organizations"}"#;
    assert!(is(figure(slow), 2.0));
    assert!(is(figure("tenure_http_requests_in_flight"), 0.0));
    assert!(is(figure("tenure_ready"), 1.0));
    assert!(is(figure("tenure_database_up"), 1.0));
    assert!(is(figure(r#"tenure_writer_queue_depth{queue="people"}"#), 0.0));
    assert!(figure("tenure_writer_commits_total") >= 3.0);
    assert!(figure("tenure_audit_entries_total") >= 3.0);
    assert!(figure(r#"tenure_key_expiry_timestamp_seconds{role="license"}"#) > 1.7e9);
    assert!(figure("process_resident_memory_bytes") > 1e6);

    // A database that is gone: what it cannot tell stays, and the figures say that it did not.
    app.service.store().close().await;
    let _ = tenure_service::watch_database(&app.service).await;
    let answer = app.metrics().await.expect(200);
    let gone = samples(&answer.text());
    assert_eq!((gone["tenure_ready"], gone["tenure_database_up"]), (0.0, 0.0));
    assert!(is(gone["tenure_audit_entries_total"], figure("tenure_audit_entries_total")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_goes_away_is_not_in_flight() {
    let app = TestApp::new("2026-01-05T09:00:00Z").await;
    let in_flight = async || {
        let text = app.metrics().await.expect(200).text();
        samples(&text)["tenure_http_requests_in_flight"].to_string()
    };
    {
        // A body that never comes: the handler waits for it.
        let body = Body::from_stream(futures::stream::pending::<Result<Vec<u8>, io::Error>>());
        let request = Request::post("/api/v1/sign-in").header("content-type", "application/json");
        let mut asked = pin!(app.send(request.body(body).expect("a request")));
        assert!(futures::poll!(&mut asked).is_pending());
        assert_eq!(in_flight().await, "1");
        // Here the caller goes away: the server drops what would have become the answer.
    }
    assert_eq!(in_flight().await, "0");
}

/// The routes that a text of ours narrows figures by.
fn routes(text: &str) -> BTreeSet<String> {
    let text = text.replace('\\', "");
    let values = text.split("route=\"").skip(1).filter_map(|rest| rest.split_once('"'));
    values.map(|(route, _)| route.to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_are_rules_and_name_routes_that_are_served() {
    let alerts = root().join("packaging/prometheus/tenure-alerts.yml");
    promtool(&["rules", alerts.to_str().expect("UTF-8")], "");
    let app = TestApp::new("2026-01-05T09:00:00Z").await;
    let read = |path: &Path| std::fs::read_to_string(path).expect("it is there");
    let named: BTreeSet<String> =
        [alerts, root().join("packaging/grafana/tenure.json")].iter().flat_map(|path| routes(&read(path))).collect();
    assert!(!named.is_empty(), "products that are refused have an alert");
    for route in named {
        // Any value stands for a part in braces; what the router takes is counted under its own name.
        let _ = app.get("", &route.replace(['{', '}'], "")).await;
        let text = app.metrics().await.expect(200).text();
        let served = samples(&text).into_keys().any(|series| series.contains(&format!("route=\"{route}\"")));
        assert!(served, "no route {route}");
    }
}

/// Names of figures in a text: what begins as one of ours.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let is_lower = |word: &&str| word.bytes().all(|byte| !byte.is_ascii_uppercase());
    let ours = |word: &&str| word.starts_with("tenure_") || word.starts_with("process_");
    words.filter(is_lower).filter(ours).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dashboard_alerts_and_pages_name_what_there_is() {
    let app = TestApp::new("2026-01-05T09:00:00Z").await;
    let _ = app.get("", "/api/v1/catalog").await.expect(401);
    let text = app.metrics().await.expect(200).text();
    let there: BTreeSet<String> =
        samples(&text).keys().filter_map(|series| series.split('{').next().map(str::to_owned)).collect();
    let root = root();
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let dashboard = read("packaging/grafana/tenure.json");
    let alerts = read("packaging/prometheus/tenure-alerts.yml");
    let parsed: serde_json::Value = serde_json::from_str(&dashboard).expect("JSON");
    for panel in parsed["panels"].as_array().expect("panels").iter().filter(|panel| panel["type"] != "row") {
        for target in panel["targets"].as_array().expect("targets") {
            assert!(!named(target["expr"].as_str().expect("an expression")).is_empty(), "{}", panel["title"]);
        }
    }
    let mut texts = vec![dashboard, alerts];
    let pages: BTreeSet<String> = std::fs::read_dir(root.join("docs/operations"))
        .expect("pages")
        .map(|page| page.expect("a page").file_name().into_string().expect("UTF-8"))
        .collect();
    let named_pages = texts
        .iter()
        .flat_map(|text| text.split("operations/").skip(1))
        .filter_map(|rest| rest.split_once(".md").map(|(name, _)| format!("{name}.md")));
    for page in named_pages {
        assert!(pages.contains(&page), "no page {page}");
    }
    texts.extend(pages.iter().map(|page| read(&format!("docs/operations/{page}"))));
    let unknown: Vec<String> = texts.iter().flat_map(|text| named(text)).filter(|name| !there.contains(name)).collect();
    assert!(unknown.is_empty(), "no such figures: {unknown:?}");
    assert!(named(&texts.join(" ")).len() > 25, "they ask for what matters");
}

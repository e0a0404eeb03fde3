//! What schemathesis finds in the provider API and the console API, which it knows by their OpenAPI documents only: no
//! request makes the server fail, and no answer is another than the document says.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tenure_testkit::{Market, TestApp};

const CHECKS: &str = "not_a_server_error,response_schema_conformance,status_code_conformance,content_type_conformance";
/// Operations that end the session which the run speaks with, and the sign-in that is slow by intent.
const LEFT_OUT: &str = "sign-in|sign-out|sessions|/me/password|password-link";

/// Schemathesis as `./test` installs it, or where `TENURE_SCHEMATHESIS` says.
fn schemathesis() -> PathBuf {
    let made = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/schemathesis/bin/schemathesis");
    std::env::var_os("TENURE_SCHEMATHESIS").map_or_else(made, PathBuf::from)
}

/// How many operations a document has, apart from those that are left out.
fn operations(document: &Value) -> usize {
    let methods = ["get", "post", "put", "patch", "delete"];
    let paths = document["paths"].as_object().expect("paths").iter();
    let asked = paths.filter(|(path, _)| !LEFT_OUT.split('|').any(|part| path.contains(part)));
    asked.map(|(_, item)| methods.iter().filter(|method| item.get(method).is_some()).count()).sum()
}

/// Lets it ask, with at most `examples` made-up requests for each operation.
async fn ask(phases: &'static str, examples: u32) {
    let app = TestApp::new("2026-01-31T10:00:00Z").await;
    let token = app.admin_session().await;
    let wanted = operations(&app.get(&token, "/api/v1/openapi.json").await.expect(200).json());
    let address = app.serve().await;
    let of = format!("http://{address}/api/v1/openapi.json");
    let more = ["--exclude-path-regex", LEFT_OUT].map(str::to_owned).to_vec();
    assert_eq!(run(None, of, token, phases, examples, more).await, Some(wanted), "operations of the document");
}

/// Lets it ask the console API of a provider that has a license, a server and a month in review: it reads all, and then
/// does whatever there is to do.
async fn ask_console(phases: &'static str, examples: u32) {
    let app = TestApp::new("2026-01-05T09:00:00Z").await;
    let market = Market::new(&app.service).await;
    let license = market.license(&app.service, market.company, true).await;
    let server = market.server(&app, license, "bkp-01").await.ins.uuid();
    app.clock.set("2026-02-02T00:00:00Z");
    let _ = app.run_jobs().await;
    let token = market.session(&app).await;
    let document = app.get("", "/api/v3/openapi.json").await.expect(200).json();
    let list = app.get(&token, "/api/v3/pulse/licenses").await.expect(200).json();
    let config = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("console-{}.toml", app.service.deployment().id));
    let things = format!(
        "[parameters]\n\"path.license_uid\" = {}\n\"path.tenant_uid\" = \"{}\"\n\"path.server_uid\" = \"{server}\"\n",
        list["data"][0]["instanceUid"],
        market.company.uuid(),
    );
    std::fs::write(&config, things).expect("a file");
    let of = format!("http://{}/api/v3/openapi.json", app.serve().await);
    let count = |methods: &[&str]| {
        let items = document["paths"].as_object().expect("paths").iter().filter(|(path, _)| *path != "/token");
        items.map(|(_, item)| methods.iter().filter(|method| item.get(method).is_some()).count()).sum::<usize>()
    };
    for methods in [&["get"][..], &["get", "post", "put", "patch", "delete"]] {
        let mut more = ["--exclude-path", "/token"].map(str::to_owned).to_vec();
        more.extend(methods.iter().flat_map(|method| ["--include-method".to_owned(), method.to_uppercase()]));
        let tested = run(Some(config.clone()), of.clone(), token.clone(), phases, examples, more).await;
        assert_eq!(tested, Some(count(methods)), "operations of the document: {methods:?}");
    }
}

/// Asks; gives how many operations were tested.
async fn run(
    config: Option<PathBuf>,
    of: String,
    token: String,
    phases: &'static str,
    examples: u32,
    more: Vec<String>,
) -> Option<usize> {
    let asked = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(schemathesis());
        command.current_dir(env!("CARGO_TARGET_TMPDIR"));
        if let Some(config) = config {
            command.arg("--config-file").arg(config);
        }
        command.args(["run", &of]);
        command.args(["--header", &format!("Authorization: Bearer {token}")]);
        command.args(["--checks", CHECKS, "--phases", phases]).args(more);
        command.args(["--max-examples", &examples.to_string()]);
        command.args(["--seed", "1", "--continue-on-failure", "--no-shrink", "--no-color", "--warnings", "off"]);
        command.output().expect("schemathesis is here: `./test` installs it, and TENURE_SCHEMATHESIS names another")
    });
    let output = asked.await.expect("it ends");
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{error}");
    out.lines().find_map(|line| line.trim().strip_prefix("Tested:")?.trim().parse().ok())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_no_failure_and_no_undocumented_answer() {
    ask("coverage", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_no_failure_and_no_undocumented_answer_in_the_console_api() {
    ask_console("coverage", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn soak_schemathesis_finds_no_failure_and_no_undocumented_answer() {
    ask("coverage,fuzzing,stateful", 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn soak_schemathesis_finds_no_failure_and_no_undocumented_answer_in_the_console_api() {
    ask_console("coverage,fuzzing", 200).await;
}

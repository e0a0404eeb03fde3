//! What schemathesis finds in the provider API, which it knows by its OpenAPI document only: no request makes the server
//! fail, and no answer is another than the document says.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tenure_testkit::TestApp;

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
    let asked = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(schemathesis());
        command.current_dir(env!("CARGO_TARGET_TMPDIR"));
        command.args(["run", &format!("http://{address}/api/v1/openapi.json")]);
        command.args(["--header", &format!("Authorization: Bearer {token}")]);
        command.args(["--checks", CHECKS, "--exclude-path-regex", LEFT_OUT, "--phases", phases]);
        command.args(["--max-examples", &examples.to_string()]);
        command.args(["--seed", "1", "--continue-on-failure", "--no-shrink", "--no-color", "--warnings", "off"]);
        command.output().expect("schemathesis is here: `./test` installs it, and TENURE_SCHEMATHESIS names another")
    });
    let output = asked.await.expect("it ends");
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{error}");
    let tested = out.lines().find_map(|line| line.trim().strip_prefix("Tested:")?.trim().parse().ok());
    assert_eq!(tested, Some(wanted), "operations that were tested, and those of the document: {out}\n{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_no_failure_and_no_undocumented_answer() {
    ask("coverage", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn soak_schemathesis_finds_no_failure_and_no_undocumented_answer() {
    ask("coverage,fuzzing,stateful", 200).await;
}

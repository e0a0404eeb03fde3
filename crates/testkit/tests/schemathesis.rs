//! What schemathesis finds in the provider API, which it knows by its OpenAPI document only: no request makes the server
//! fail, and no answer is another than the document says.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::json;
use tenure_testkit::TestApp;

/// The version whose checks these are.
const PACKAGE: &str = "schemathesis==4.32.5";
const CHECKS: &str = "not_a_server_error,response_schema_conformance,status_code_conformance,content_type_conformance";
/// Operations that end the session which the run speaks with, and the sign-in that is slow by intent.
const LEFT_OUT: &str = "sign-in|sign-out|sessions|/me/password|password-link";

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"))
}

/// Schemathesis in an environment of its own, made once.
fn schemathesis() -> PathBuf {
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schemathesis-venv");
    let tool = venv.join("bin").join("schemathesis");
    let works = || Command::new(&tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if !works() {
        let made = run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv));
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let installed =
            run(Command::new(venv.join("bin").join("python3")).args(["-m", "pip", "install", "-q", PACKAGE]));
        assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
        assert!(works(), "the package was installed and does not run");
    }
    tool
}

/// Lets it ask for `seconds`, with at most `examples` made-up requests for each operation.
async fn ask(phases: &'static str, examples: u32, seconds: u32) {
    let app = TestApp::new("2026-01-31T10:00:00Z").await;
    let sign_in = json!({"email": app.admin_email, "password": app.admin_password});
    let session = app.post("", "/api/v1/sign-in", sign_in).await.expect(200).json();
    let token = session["token"].as_str().expect("a token").to_owned();
    let address = app.serve().await;
    let asked = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(schemathesis());
        command.current_dir(env!("CARGO_TARGET_TMPDIR"));
        command.args(["run", &format!("http://{address}/api/v1/openapi.json")]);
        command.args(["--header", &format!("Authorization: Bearer {token}")]);
        command.args(["--checks", CHECKS, "--exclude-path-regex", LEFT_OUT, "--phases", phases]);
        command.args(["--max-examples", &examples.to_string(), "--max-time", &seconds.to_string()]);
        command.args(["--seed", "1", "--continue-on-failure", "--no-shrink", "--no-color", "--warnings", "off"]);
        run(&mut command)
    });
    let output = asked.await.expect("it ends");
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{error}");
    assert!(out.contains(" passed"), "it asked something: {out}\n{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_no_failure_and_no_undocumented_answer() {
    ask("coverage", 1, 45).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn soak_schemathesis_finds_no_failure_and_no_undocumented_answer() {
    ask("coverage,fuzzing,stateful", 200, 900).await;
}

//! The reference client of the console API, in each of its versions, against a served application.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use tenure_core::roles::Role;
use tenure_license::LicenseFile;
use tenure_service::{Actor, ActorKind, MonthRef, approve_month, view_month};
use tenure_testkit::TestInstallation;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::Command,
};

use crate::{
    access::person,
    families,
    fleet::{Fleet, period},
};

/// The Python that has the client, as `./test` installs it, or where `TENURE_CONSOLE_CLIENT` says.
fn python() -> PathBuf {
    let made = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/console-client/bin/python3");
    std::env::var_os("TENURE_CONSOLE_CLIENT").map_or_else(made, PathBuf::from)
}

/// What stands around a script: a provider, and the one server that it gets.
struct Stage {
    fleet: Fleet,
    server: Option<TestInstallation>,
    reader: String,
    /// Servers of the families, each with its license.
    licenses: Vec<(String, String)>,
}

impl Stage {
    /// Does what only a product, a distributor or the test itself can do.
    async fn answer(&mut self, asked: &Value) -> Value {
        let app = &self.fleet.app;
        match asked["ask"].as_str().expect("what is asked for") {
            "reader" => {
                let form = Request::post("/api/v3/token").header("content-type", "application/x-www-form-urlencoded");
                let form = form.body(Body::from(self.reader.clone())).expect("a request");
                json!({ "token": app.send(form).await.expect(200).json()["access_token"] })
            }
            "verify" => {
                let envelope = LicenseFile::parse(asked["file"].as_str().expect("a file")).expect("an envelope");
                let license = app.root().verify_license(&envelope).expect("it is signed by this server");
                json!({ "license": license.license.uuid() })
            }
            "activate" => {
                let id = format!("lic_{}", asked["license"].as_str().expect("an id"));
                let server = self.fleet.server(id.parse().expect("an id"), "bkp-01").await;
                let answer = json!({ "server": server.ins.uuid() });
                self.server = Some(server);
                answer
            }
            "check_in" => {
                let server = self.server.as_mut().expect("a server");
                json!({ "result": server.check_in(app, Vec::new()).await.result })
            }
            "report" => {
                app.clock.set("2026-02-02T00:00:00Z");
                let _ = app.run_jobs().await;
                let server = self.server.as_mut().expect("a server");
                self.fleet.report(server, "2026-01", &["a", "b", "c"], &["d"]).await;
                let _ = app.run_jobs().await;
                json!({})
            }
            "approve" => {
                let month = view_month(&app.service, &self.fleet.provider, MonthRef::Own(period("2026-01"))).await;
                let head = month.expect("the month").head;
                let org = head.distributor.id;
                let by = Actor { kind: ActorKind::Operator, org, role: Role::DistributorApprover, site: None };
                let seen = view_month(&app.service, &by, MonthRef::Id(head.id)).await.expect("the month").tag;
                approve_month(&app.service, &by, MonthRef::Id(head.id), seen).await.expect("it is approved");
                json!({})
            }
            "families" => {
                families::add_products(&self.fleet).await;
                let mut servers = serde_json::Map::new();
                for (path, code, workload) in families::FAMILIES {
                    let server = families::server(&self.fleet, code, workload).await;
                    servers.insert(path.to_owned(), json!(server.ins.uuid()));
                    self.licenses.push((server.ins.uuid().to_string(), server.license.uuid().to_string()));
                }
                Value::Object(servers)
            }
            "license_of" => {
                let of = |(server, _): &&(String, String)| asked["server"] == server.as_str();
                json!({ "license": self.licenses.iter().find(of).expect("a server").1 })
            }
            other => panic!("the script asks for {other}"),
        }
    }
}

async fn drive(version: &str) {
    let fleet = Fleet::new().await;
    let (form, password) = person(&fleet).await;
    let mut stage = Stage { reader: format!("{form}&readOnly=true"), fleet, server: None, licenses: Vec::new() };
    let host = format!("http://{}", stage.fleet.app.serve().await);
    let empty = stage.fleet.another_providers_token().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop.py");
    let mut child = Command::new(python())
        .arg(script)
        .args([host.as_str(), version, "ann@northlight.example", &password, &stage.fleet.token, &empty])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the client is here: `./test` installs it, and TENURE_CONSOLE_CLIENT names the Python of another");
    let mut to = child.stdin.take().expect("its input");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let mut is_done = false;
    while let Some(line) = lines.next_line().await.expect("its output is text") {
        let asked: Value = serde_json::from_str(&line).expect("it speaks JSON");
        if asked["ask"] == "done" {
            is_done = true;
            break;
        }
        let answer = stage.answer(&asked).await.to_string() + "\n";
        to.write_all(answer.as_bytes()).await.expect("it listens");
    }
    let output = child.wait_with_output().await.expect("it ends");
    assert!(is_done && output.status.success(), "{version}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn client_3_5_1_goes_through_a_license_and_a_month() {
    drive("3.5.1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn client_3_6_goes_through_a_license_and_a_month() {
    drive("3.6").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn client_3_6_1_goes_through_a_license_and_a_month() {
    drive("3.6.1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn client_3_6_2_goes_through_a_license_and_a_month() {
    drive("3.6.2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn client_3_7_goes_through_a_license_and_a_month() {
    drive("3.7").await;
}

/// Answered 202 at once: what a client does that has to ask later.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_takes_long_is_asked_for_later() {
    let fleet = Fleet::new().await;
    let door = tenure_console::router_with_patience(fleet.app.service.clone(), Duration::ZERO);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let host = format!("http://{}", listener.local_addr().expect("its address"));
    tokio::spawn(async move { axum::serve(listener, door).await });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/later.py");
    let run = Command::new(python()).arg(script).args([host.as_str(), "3.7", &fleet.token]).output();
    let output = run.await.expect("the client is here: `./test` installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

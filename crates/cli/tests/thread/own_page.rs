//! The product's own page of a real daemon against the real server: what is sent there is what would be sent by itself.

use std::{path::Path, process::Command};

use serde_json::Value;
use tenure_core::Timestamp;
use tenure_sim::api::Api;
use tenure_testkit::wait_for;

use crate::support::{
    market::{Deployment, PERIOD},
    process::{BOUND, Process, json, output, run, tenure},
};

/// A product server with its agent.
struct Agent<'a> {
    deployment: &'a Deployment,
    name: &'static str,
}

impl Agent<'_> {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = tenure();
        command.arg("agent").args(args).arg("--data-dir").arg(self.deployment.path(self.name));
        command.arg("--test-clock").arg(self.deployment.clock_file());
        command
    }

    fn init(&self, url: &str, root: &Path, code: &str, workloads: &Path) {
        let collector = format!("file:path={},looks_back=true", workloads.display());
        let args = ["init", "--server", url, "--product", "file-backup", "--code", code, "--collector", &collector];
        run(self.command(&args).arg("--root").arg(root));
    }

    fn start(&self) -> Process {
        let log = self.deployment.path(&format!("{}.log", self.name));
        Process::until_line(&mut self.command(&["run"]), &log).0
    }

    fn status(&self) -> Value {
        json(&run(&mut self.command(&["status", "--json"])))
    }

    /// Waits until the daemon has done all that is due.
    fn settle(&self) {
        let instant = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
        wait_for(&format!("{} to get to it", self.name), BOUND, || {
            let status = self.status();
            (instant(&status["next_wake"])? > instant(&status["as_of"])?).then_some(())
        });
    }

    /// The installation's line of the month, as its provider sees it, without what names the installation and its hash.
    fn line(&self, url: &str) -> Value {
        let month: Value = Api::new(url)
            .get(&self.deployment.session(url), &format!("/api/v1/monthly-usages/{PERIOD}"))
            .expect("the month");
        let installation = &self.status()["installation"];
        let lines = month["lines"].as_array().expect("lines");
        let own = lines.iter().find(|line| line["installation"]["id"] == *installation);
        let mut own = own.unwrap_or_else(|| panic!("{installation} has a line: {month}")).clone();
        let fields = own.as_object_mut().expect("an object");
        for name in ["id", "installation", "license", "company", "received_at", "revision", "tag"] {
            fields.remove(name);
        }
        own
    }
}

/// Opens the page and sends a form of it, as a browser would; the page that follows.
fn send_on_page(address: &str, action: &str) -> String {
    let browser: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(BOUND))
        .max_redirects(0)
        .http_status_as_error(false)
        .build()
        .into();
    let opened = browser.get(address).call().expect("an answer");
    assert_eq!(opened.status(), 303);
    let header = |name: &str| opened.headers()[name].to_str().expect("text").to_owned();
    let (cookie, path) = (header("set-cookie"), header("location"));
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    let origin = address.split("/open").next().expect("an origin").to_owned();
    let sent = browser
        .post(format!("{origin}{path}{action}"))
        .header("cookie", &cookie)
        .header("origin", &origin)
        .send_empty()
        .expect("an answer");
    assert_eq!(sent.status(), 303);
    let next = sent.headers()["location"].to_str().expect("text").to_owned();
    let mut page = browser.get(format!("{origin}{next}")).header("cookie", &cookie).call().expect("an answer");
    page.body_mut().read_to_string().expect("a page")
}

#[test]
fn a_report_sent_on_the_page_fills_the_month_as_one_sent_by_itself_does() {
    let mut deployment = Deployment::new();
    let server = deployment.serve("127.0.0.1:0");
    let url = server.url();
    deployment.join(&url, 0);
    let codes = deployment.codes(&url, 2);
    let workloads = deployment.path("workloads.csv");
    let row = |id: &str, at: &str| format!("{id},host,{at}\n");
    let rows: String = ["a", "b", "c"]
        .iter()
        .flat_map(|id| [row(id, "2025-12-20T10:00:00Z"), row(id, "2026-01-15T10:00:00Z")])
        .collect();
    std::fs::write(&workloads, format!("id,type,protected_at\n{rows}")).expect("a file");
    let (by_hand, by_itself) =
        (Agent { deployment: &deployment, name: "by-hand" }, Agent { deployment: &deployment, name: "by-itself" });
    let _running: Vec<Process> = [&by_hand, &by_itself]
        .into_iter()
        .zip(&codes)
        .map(|(agent, code)| {
            agent.init(&url, &deployment.path("root.json"), code, &workloads);
            assert!(!output(&mut agent.command(&["open"])).status.success(), "no daemon runs yet");
            agent.start()
        })
        .collect();
    deployment.set("2026-02-02T00:10:00Z");
    by_hand.settle();
    by_itself.settle();
    assert_eq!(by_hand.line(&url)["source"], "preliminary");

    let address = run(&mut by_hand.command(&["open"]));
    let page = send_on_page(address.trim(), &format!("month/{PERIOD}/send"));
    assert!(page.contains("the server received it"), "{page}");
    let sent = by_hand.line(&url);
    assert_eq!((&sent["source"], &sent["count"]), (&"automatic".into(), &3.into()), "{sent}");
    assert_eq!(by_itself.line(&url)["source"], "preliminary", "that one waits for its day");
    deployment.set("2026-02-04T01:00:00Z");
    by_hand.settle();
    by_itself.settle();
    assert_eq!(by_itself.line(&url), by_hand.line(&url));
}

//! A machine without any network: the real agent writes request files, the real server answers them over its API, and the
//! agent imports the answers (A9, A10).

use std::{fs, process::Command};

use serde_json::{Value, json};
use tenure_core::Timestamp;
use tenure_sim::{api::Api, world};

use crate::support::process::{ClockFile, Server, init, json as parse, output, run, tenure};

struct Stage {
    dir: tempfile::TempDir,
    clock: ClockFile,
    _server: Server,
    api: Api,
}

impl Stage {
    fn agent(&self, args: &[&str]) -> Command {
        let mut command = tenure();
        command.arg("agent").args(args).arg("--data-dir").arg(self.dir.path().join("agent"));
        command.arg("--test-clock").arg(&self.clock.0);
        command
    }

    /// Carries a request out and its answer back.
    fn carry(&self, token: &str, name: &str) -> Value {
        let (request, response) = (self.dir.path().join(name), self.dir.path().join(format!("{name}.response")));
        run(self.agent(&["request"]).arg("--out").arg(&request));
        let file = json!({ "file": fs::read_to_string(&request).expect("a request file") });
        let seen: Value = self.api.post(token, "/api/v1/offline-requests/preview", &file).expect("a preview");
        let made: Value = self.api.post(token, "/api/v1/offline-requests", &file).expect("an answer");
        fs::write(&response, made["content"].as_str().expect("a file")).expect("it is written");
        run(self.agent(&["import"]).arg(&response));
        // Imported twice, it is the same.
        run(self.agent(&["import"]).arg(&response));
        seen
    }

    fn status(&self) -> Value {
        parse(&run(&mut self.agent(&["status", "--json"])))
    }
}

#[test]
fn a9_a_machine_without_a_network_is_activated_and_reports_by_files() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    let clock = ClockFile(path("clock"));
    clock.set("2026-01-05T09:00:00Z");
    let password = init(dir.path(), &clock);
    let server = Server::start(&path("server"), &clock.0, &path("server.log"));
    let api = Api::new(&server.url());
    let now: Timestamp = "2026-01-05T09:00:00Z".parse().expect("an instant");
    let world = world::build(&api, "admin@vendor.example", &password, now).expect("a market");
    let provider = &world.providers[0];
    let products = world.catalog["products"].as_array().expect("products");
    let product = products.iter().find(|product| product["code"] == "file-backup").expect("the product");
    let wanted = json!({
        "agreement": provider.agreement, "product": product["id"], "usage_type": "single_customer",
        "company": provider.companies[0], "automatic_reporting": true,
        "workloads": [{"workload": "host", "count": 20}],
    });
    let license: Value = api.post(&provider.admin.token, "/api/v1/licenses", &wanted).expect("a license");
    let download = format!("/api/v1/licenses/{}/download", license["id"].as_str().expect("an id"));
    let file: Value = api.post(&provider.admin.token, &download, &json!({})).expect("an activation license");
    fs::write(path("activation.lic"), file["content"].as_str().expect("a file")).expect("it is written");
    fs::write(path("hosts.csv"), "id,type,protected_at\nh1,host,2026-01-04T10:00:00Z\nh2,host,2026-01-20T10:00:00Z\n")
        .expect("it is written");
    let stage = Stage { dir, clock, _server: server, api };
    let path = |name: &str| stage.dir.path().join(name);

    // Nobody answers at that port.
    let mut init = stage.agent(&["init", "--product", "file-backup", "--server", "http://127.0.0.1:9"]);
    init.arg("--root").arg(path("root.json")).arg("--license").arg(path("activation.lic"));
    init.arg("--collector").arg(format!("file:path={},looks_back=true", path("hosts.csv").display()));
    let refused = output(&mut init);
    assert!(!refused.status.success(), "it is not reached");
    let token = provider.admin.token.clone();
    let seen = stage.carry(&token, "activation");
    assert_eq!((&seen["kind"], &seen["outcome"]), (&json!("activation"), &json!("taken")));
    let activated = stage.status();
    assert_eq!((&activated["standing"], &activated["serial"]), (&json!("valid"), &json!(1)), "{activated}");

    stage.clock.set("2026-02-04T09:00:00Z");
    let token = world::sign_in(&stage.api, &provider.admin.email, &provider.admin.password).expect("they may");
    let mut daemon = stage.agent(&["run"]);
    let mut daemon = crate::support::process::Process::start(&mut daemon, &path("agent.log"));
    tenure_testkit::wait_for("January's report in the journal", crate::support::process::BOUND, || {
        let shown = output(&mut stage.agent(&["report", "show", "--period", "2026-01", "--json"]));
        let shown: Value = serde_json::from_slice(&shown.stdout).ok()?;
        (shown["stage"] == "final").then_some(())
    });
    // A request that was made before the report goes first, as it is; the report rides in the next.
    let reported = json!({"kind": "report", "about": "2026-01"});
    let carried = ["january", "january-again"].into_iter().find_map(|name| {
        let seen = stage.carry(&token, name);
        assert_eq!((&seen["kind"], &seen["outcome"]), (&json!("check_in"), &json!("taken")), "{seen}");
        seen["documents"].as_array().is_some_and(|all| all.contains(&reported)).then_some(())
    });
    assert!(daemon.is_running() && carried.is_some());
    let month: Value = stage.api.get(&token, "/api/v1/monthly-usages/2026-01").expect("the month");
    let line = month["lines"].as_array().and_then(|lines| lines.iter().find(|line| line["workload"] == "host"));
    assert_eq!(line.map(|line| &line["source"]), Some(&json!("automatic")), "{month}");
    // All its workloads are new, so it is flagged and its license waits for the month's end as any other's.
    let month = &stage.status()["reports"][0];
    assert_eq!((&month["period"], &month["outcome"]), (&json!("2026-01"), &json!("accepted")), "{month}");
    assert!(month["received_at"].is_string(), "the receipt came back in the answer's file: {month}");
}

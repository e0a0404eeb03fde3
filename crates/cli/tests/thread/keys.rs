//! Keys that rotate while a server and an agent run as processes: nothing is restarted, nobody tells anybody.

use std::{fs, path::PathBuf, process::Command};

use serde_json::{Value, json};
use tenure_license::{Envelope, Root};
use tenure_sim::{
    api::Api,
    world::{self, World},
};
use tenure_testkit::wait_for;

use crate::support::process::{BOUND, ClockFile, Server, json as parse, output, password_of, run, tenure};

const PRODUCT: &str = "file-backup";

struct Stage {
    dir: tempfile::TempDir,
    clock: ClockFile,
    _server: Server,
    url: String,
}

impl Stage {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let clock = ClockFile(dir.path().join("clock"));
        clock.set("2026-01-05T09:00:00Z");
        let init = run(tenure()
            .args(["init", "--vendor", "Example Software", "--email", "admin@vendor.example", "--test-clock"])
            .arg(&clock.0)
            .arg("--data-dir")
            .arg(dir.path().join("server")));
        let log = dir.path().join("server.log");
        let server = Server::start(&dir.path().join("server"), &clock.0, &log);
        let url = server.url();
        let stage = Self { dir, clock, _server: server, url };
        stage.activate(&password_of(&init));
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn keys(&self, command: &str) -> Command {
        let mut tenure = tenure();
        tenure.args(["keys", command]).arg("--data-dir").arg(self.path("server"));
        if command != "export-root" {
            tenure.arg("--test-clock").arg(&self.clock.0);
        }
        tenure
    }

    fn rotate(&self, extra: &[&str]) -> Value {
        let offline = self.path("server-offline-keys");
        let mut rotate = self.keys("rotate");
        rotate.arg("--root-key").arg(offline.join("root-1.key")).arg("--root-key").arg(offline.join("root-3.key"));
        parse(&run(rotate.arg("--json").args(extra)))
    }

    fn agent(&self, args: &[&str]) -> Command {
        let mut command = tenure();
        command.arg("agent").args(args).arg("--data-dir").arg(self.path("agent"));
        command.arg("--test-clock").arg(&self.clock.0);
        command
    }

    fn status(&self) -> Value {
        parse(&run(&mut self.agent(&["status", "--json"])))
    }

    /// The key ids of a role and state.
    fn ids(&self, role: &str, state: &str) -> Vec<String> {
        let status = parse(&run(self.keys("status").arg("--json")));
        let keys = status["keys"].as_array().expect("keys").iter();
        keys.filter(|key| key["role"] == role && key["state"] == state)
            .map(|key| key["id"].as_str().expect("an id").to_owned())
            .collect()
    }

    /// Waits until the running server has taken up a version.
    fn wait_for_root(&self, version: u64) {
        wait_for("the server to take up the keys", BOUND, || {
            let answer = self.update_now();
            (answer["done"] == true && self.status()["trust_root"]["version"] == version).then_some(())
        });
    }

    fn update_now(&self) -> Value {
        parse(&String::from_utf8(output(&mut self.agent(&["update-now", "--json"])).stdout).expect("UTF-8"))
    }

    /// Who signed the license file.
    fn signers(&self) -> Vec<String> {
        let file = fs::read_to_string(self.path("agent").join("license.lic")).expect("a license file");
        let envelope = tenure_license::LicenseFile::parse(&file).expect("a license file");
        envelope.signatures.iter().map(|signature| signature.keyid.clone()).collect()
    }

    fn activate(&self, password: &str) {
        let api = Api::new(&self.url);
        let world: World =
            world::build(&api, "admin@vendor.example", password, "2026-01-05T09:00:00Z".parse().expect("an instant"))
                .expect("a market");
        let provider = &world.providers[0];
        let products = world.catalog["products"].as_array().expect("products");
        let product = products.iter().find(|product| product["code"] == PRODUCT).expect("the product");
        let license = json!({
            "agreement": provider.agreement, "product": product["id"], "usage_type": "single_customer",
            "company": provider.companies[0], "automatic_reporting": true,
            "workloads": [{"workload": "host", "count": 20}],
        });
        let created: Value = api.post(&provider.admin.token, "/api/v1/licenses", &license).expect("a license");
        let path = format!("/api/v1/licenses/{}/download", created["id"].as_str().expect("an id"));
        let file: Value = api.post(&provider.admin.token, &path, &json!({})).expect("a file");
        let code = world::text(&file, "activation_code").expect("a code");
        let root = self.path("root.json");
        run(self.keys("export-root").arg("--out").arg(&root));
        let init = ["init", "--product", PRODUCT, "--code", &code, "--server", &self.url];
        run(self.agent(&init).arg("--root").arg(&root));
    }
}

#[test]
fn e5_rotation_reaches_a_running_server_and_a_product_that_slept_through_four_of_them() {
    let stage = Stage::new();
    let slept_with = stage.ids("license", "in use");
    assert_eq!((slept_with.len(), stage.status()["trust_root"]["version"].as_u64()), (1, Some(1)));
    assert_eq!(stage.signers(), slept_with);

    let alone =
        output(stage.keys("rotate").arg("--root-key").arg(stage.path("server-offline-keys").join("root-1.key")));
    assert_eq!(alone.status.code(), Some(1));
    let why = String::from_utf8_lossy(&alone.stderr).into_owned();
    assert!(why.contains("1 of the 2 signatures needed from root keys"), "{why}");

    for (version, at) in (2..).zip(["2026-01-06", "2026-02-10", "2026-02-20", "2026-03-01"]) {
        stage.clock.set(&format!("{at}T09:00:00Z"));
        assert_eq!(stage.rotate(&[])["root_version"], version);
    }
    stage.wait_for_root(5);
    let status = stage.status();
    assert_eq!(status["state"], "Expiring", "its own dates, and nothing else: {status}");
    assert_eq!(status["last_error"], Value::Null, "{status}");

    // Every version is a file that leads to the next.
    let versions = (1..=5).map(|version| {
        let text = run(stage.keys("export-root").args(["--version", &version.to_string()]));
        Envelope::from_json(text.trim().as_bytes()).expect("an envelope")
    });
    assert_eq!(Root::from_chain(versions).expect("a chain").version(), 5);
    let none = output(stage.keys("export-root").args(["--version", "6"]));
    assert_eq!(none.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&none.stderr).contains("the newest is version 5"));
}

#[test]
fn rotation_compromise_drill_over_processes() {
    let stage = Stage::new();
    let stolen = stage.ids("license", "in use").remove(0);
    let serial = stage.status()["serial"].as_u64().expect("a serial");
    stage.clock.set("2026-01-07T03:00:00Z");
    let done = stage.rotate(&["--revoke", &stolen]);
    assert_eq!((&done["root_version"], &done["signs_licenses_anew"]), (&json!(2), &json!(true)));
    assert_eq!(stage.ids("license", "revoked"), [stolen.as_str()]);
    let new = stage.ids("license", "in use");

    wait_for("the product to hold a new signature", BOUND, || {
        stage.update_now();
        (stage.signers() == new).then_some(())
    });
    let status = stage.status();
    assert!(status["serial"].as_u64() > Some(serial), "{status}");
    assert_eq!((&status["state"], &status["trust_root"]["version"]), (&json!("Valid"), &json!(2)), "{status}");
    let due = run(&mut stage.keys("status"));
    assert!(due.contains("revoked") && due.contains("What is to be done"), "{due}");
}

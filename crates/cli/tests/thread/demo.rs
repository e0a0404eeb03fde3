//! The demo shows its states. A shadow month is not lived in it yet, and that one machine was set back is not asked for here.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tenure_sim::api::Api;

use crate::support::process::{Process, tenure};

/// The market as one of its organizations sees it.
struct Desk {
    api: Api,
    token: String,
    organization: String,
}

impl Desk {
    #[track_caller]
    fn get(&self, path: &str) -> Value {
        self.api
            .get(&self.token, path)
            .unwrap_or_else(|error| panic!("{} asks for {path}: {error:#}", self.organization))
    }

    #[track_caller]
    fn list(&self, path: &str, name: &str) -> Vec<Value> {
        self.get(path)[name].as_array().unwrap_or_else(|| panic!("{path} has no {name}")).clone()
    }

    /// The months that are open or were, newest first.
    fn months(&self) -> Vec<Value> {
        self.list("/api/v1/monthly-usages?limit=100", "items")
    }

    /// The last whole month with its lines.
    fn last_month(&self) -> Value {
        let mut ended: Vec<String> = self.months().iter().map(|month| text(&month["period"])).collect();
        ended.sort_unstable();
        let running = text(&self.get("/api/v1/my-actions")["next_at"])[..7].to_owned();
        let last =
            ended.into_iter().rev().find(|period| tenure_period(period).next().next() == tenure_period(&running));
        self.get(&format!("/api/v1/monthly-usages/{}", last.expect("the last month is open")))
    }

    fn license_states(&self) -> Vec<String> {
        self.list("/api/v1/licenses?limit=200", "items").iter().map(|license| text(&license["state"])).collect()
    }
}

fn tenure_period(text: &str) -> tenure_core::Period {
    text.parse().expect("a month")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is text")).to_owned()
}

fn has(list: &Value, fits: impl FnMut(&Value) -> bool) -> bool {
    list.as_array().expect("a list").iter().any(fits)
}

#[test]
fn the_demo_shows_its_states_to_the_api() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut command = tenure();
    command.args(["demo", "--json", "--seed", "7"]).arg("--data-dir").arg(dir.path().join("data"));
    let (_demo, ready) = Process::until_line(&mut command, &dir.path().join("demo.log"));
    let ready: Value = serde_json::from_str(&ready).expect("one line of JSON");
    let api = Api::new(&text(&ready["url"]));
    let desks: Vec<Desk> = ready["tokens"]
        .as_array()
        .expect("tokens")
        .iter()
        .filter(|card| card["role"] == "provider")
        .map(|card| Desk { api: api.clone(), token: text(&card["token"]), organization: text(&card["organization"]) })
        .collect();
    let months: Vec<Value> = desks.iter().map(Desk::last_month).collect();
    let licenses: Vec<String> = desks.iter().flat_map(Desk::license_states).collect();
    let all_months: Vec<Value> = desks.iter().flat_map(Desk::months).collect();

    let in_last = |list: &str, fits: &dyn Fn(&Value) -> bool| months.iter().any(|month| has(&month[list], fits));
    let seen = [
        ("flagged", in_last("licenses", &|one| one["flags"].as_array().is_some_and(|flags| !flags.is_empty()))),
        ("shared", in_last("licenses", &|one| one["shared"] == true)),
        ("missing", in_last("installations", &|one| one["source"] == "missing")),
        ("clone", in_last("installations", &|one| one["source"] == "clone")),
        ("correction line", in_last("lines", &|one| one["source"] == "correction")),
        ("late", all_months.iter().any(|month| month["late"] == true)),
        ("rejected", all_months.iter().any(|month| month["state"] == "rejected")),
        ("suspended", desks.iter().any(|desk| desk.get("/api/v1/my-actions")["suspended"] == true)),
        ("expiring", licenses.iter().any(|state| state == "expiring")),
        ("grace", licenses.iter().any(|state| state == "expired")),
        ("restricted", licenses.iter().any(|state| state == "restricted")),
    ];
    let absent: Vec<&str> = seen.iter().filter(|(_, is_there)| !is_there).map(|(name, _)| *name).collect();
    assert!(absent.is_empty(), "not seen: {absent:?}");
    let tokens: Vec<&str> = desks.iter().map(|desk| desk.token.as_str()).collect();
    consoles(&text(&ready["url"]), &tokens);
}

/// Every answer of the console API parses into its reference client's models, the oldest and the newest, on the demo's data.
fn consoles(url: &str, tokens: &[&str]) {
    let console = Path::new(env!("CARGO_MANIFEST_DIR")).join("../console/tests");
    let made = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/console-client/bin/python3");
    let python = std::env::var_os("TENURE_CONSOLE_CLIENT").map_or_else(made, PathBuf::from);
    for version in ["3.5.1", "3.7"] {
        let mut command = Command::new(&python);
        command.arg(console.join("reads.py")).args([url, version]).args(tokens);
        let output = command.output().expect("the client is here: `./test` installs it");
        assert!(output.status.success(), "{version}: {}", String::from_utf8_lossy(&output.stderr));
        let seen: Value = serde_json::from_slice(&output.stdout).expect("a line of JSON");
        // The demo has no server of these two families, and nobody waits in it.
        let empty = [
            "licensing.get_site_licenses",
            "licensing.get_v_one_servers_licenses",
            "async_actions.get_async_actions_info",
        ];
        for (operation, count) in seen.as_object().expect("counts") {
            let may_be_none = empty.contains(&operation.as_str());
            assert!(may_be_none || count.as_u64().is_some_and(|count| count > 0), "{version}: no {operation}: {seen}");
        }
    }
}

//! The thread on real input: a real backup product's repository, the real server and the real agent as two processes that
//! share nothing but HTTP, and a license that lives through its months, through silence, suspension and back.

use std::{path::PathBuf, process::Command};

use crate::support::{
    openssl::verified_license,
    process::{BOUND, ClockFile, Process, Server, Way, init, json as parse, run, tenure},
    restic::Repository,
};
use serde_json::{Value, json};
use tenure_core::{Period, Timestamp};
use tenure_sim::{
    api::Api,
    world::{self, SignInCard},
};
use tenure_testkit::wait_for;

const PRODUCT: &str = "file-backup";

/// Everything that runs, and who may do what.
struct Stage {
    dir: tempfile::TempDir,
    clock: ClockFile,
    server: Server,
    way: Way,
    api: Api,
    provider: SignInCard,
    distributor: SignInCard,
    repository: Repository,
    agent: Process,
}

impl Stage {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn agent(&self, args: &[&str]) -> Command {
        let mut command = tenure();
        command.arg("agent").args(args).arg("--data-dir").arg(self.path("agent"));
        command.arg("--test-clock").arg(&self.clock.0);
        command
    }

    /// A session's token. Sessions end with the clock's leaps, so people sign in again.
    fn session(&self, card: &SignInCard) -> String {
        world::sign_in(&self.api, &card.email, &card.password).expect("they may sign in")
    }

    fn status(&self) -> Value {
        parse(&run(&mut self.agent(&["status", "--json"])))
    }

    /// The license on disk as openssl vouches for it.
    fn license(&self) -> Value {
        let scratch = self.path("scratch");
        std::fs::create_dir_all(&scratch).expect("a directory");
        verified_license(&self.path("license.lic"), &self.path("root.json"), &scratch)
    }

    fn expires_at(&self) -> Timestamp {
        Timestamp::from_secs(self.license()["expires_at"].as_i64().expect("an end"))
    }

    fn month(&self, period: &str) -> (Value, String) {
        let path = format!("/api/v1/monthly-usages/{period}");
        let tagged = self.api.get_tagged::<Value>(&self.session(&self.provider), &path).expect("the month");
        (tagged.body, tagged.etag.expect("an entity tag"))
    }

    /// The product's own line of a month.
    fn own_line(month: &Value) -> Option<&Value> {
        month["lines"].as_array()?.iter().find(|line| line["workload"] == "host" && line["installation"].is_object())
    }

    fn submit(&self, period: &str) -> Value {
        let (_, etag) = self.month(period);
        let path = format!("/api/v1/monthly-usages/{period}/submit");
        let body = json!({"purchase_order": "PO-1", "comment": ""});
        let headers = [("if-match", etag.as_str())];
        self.api
            .send(ureq::http::Method::POST, &self.session(&self.provider), &path, Some(&body), &headers)
            .expect("the submission is taken")
            .body
    }

    fn approve(&self, period: &str) {
        let distributor = self.session(&self.distributor);
        let queue: Value = self.api.get(&distributor, "/api/v1/my-actions").expect("a queue");
        let item = queue["items"]
            .as_array()
            .and_then(|items| items.iter().find(|item| item["period"] == period))
            .unwrap_or_else(|| panic!("{period} waits for the distributor: {queue}"));
        let id = item["id"].as_str().expect("an id");
        let path = format!("/api/v1/monthly-usages/{id}");
        let tagged = self.api.get_tagged::<Value>(&distributor, &path).expect("the month");
        let etag = tagged.etag.expect("an entity tag");
        let headers = [("if-match", etag.as_str())];
        self.api
            .send::<Value, Value>(
                ureq::http::Method::POST,
                &distributor,
                &format!("{path}/approve"),
                Some(&json!({})),
                &headers,
            )
            .expect("the approval is taken");
    }

    /// Moves the clock and lets the agent do everything that is due by it.
    fn go(&self, at: &str) {
        self.clock.set(at);
        let instant = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
        wait_for(&format!("the agent to live through {at}"), BOUND, || {
            let status = self.status();
            (instant(&status["next_wake"])? > instant(&status["as_of"])?).then_some(())
        });
    }

    fn wait_for_line(&self, period: &str, what: &str, accept: impl Fn(&Value) -> bool) -> Value {
        let mut shown = Value::from("nothing yet");
        wait_for(what, BOUND, || {
            let (month, _) = self.month(period);
            let line = Self::own_line(&month).cloned().unwrap_or_default();
            // Shown when the test fails: what the portal's API says while it is not yet what is waited for.
            if line != shown {
                eprintln!("{what}: {line}, {}", month["installations"]);
                shown = line.clone();
            }
            accept(&line).then_some(line)
        })
    }
}

/// Makes the deployment, the market of one, the repository, and the agent's installation.
fn stage() -> Stage {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    let clock = ClockFile(path("clock"));
    clock.set("2026-01-05T09:00:00Z");
    let mut repository = Repository::init(dir.path());
    for host in ["h01", "h02", "h03", "h04", "h05", "h06"] {
        repository.backup(host, "2025-12-20 10:00:00");
    }
    // Protected last more than 31 days before the month began: it never counts.
    repository.backup("h07", "2025-11-20 10:00:00");
    // Falls out of the window in the middle of January.
    repository.backup("h08", "2025-12-15 10:00:00");
    repository.backup("h09", "2025-12-28 10:00:00");
    repository.look();

    let password = init(dir.path(), &clock);
    let server = Server::start(&path("server"), &clock.0, &path("server.log"));
    let way = Way::to(server.address);
    let api = Api::new(&server.url());
    let market = market(&api, &password);

    let code = {
        let body = json!({});
        let file: Value = api
            .post(&market.provider.token, &format!("/api/v1/licenses/{}/download", market.template), &body)
            .expect("an activation license");
        world::text(&file, "activation_code").expect("a code")
    };
    run(tenure()
        .args(["agent", "init", "--product", PRODUCT, "--product-version", "1.0", "--code", &code, "--server"])
        .arg(format!("http://{}", way.address))
        .arg("--root")
        .arg(path("root.json"))
        .arg("--license-file")
        .arg(path("license.lic"))
        .arg("--collector")
        .arg(format!(
            "restic:repository={},password_file={},workload=host",
            repository.path.display(),
            repository.password_file.display()
        ))
        .arg("--data-dir")
        .arg(path("agent"))
        .arg("--test-clock")
        .arg(&clock.0));
    let mut daemon = tenure();
    daemon.args(["agent", "run", "--data-dir"]).arg(path("agent")).arg("--test-clock").arg(&clock.0);
    let agent = Process::start(&mut daemon, &path("agent.log"));
    let Market { provider, distributor, .. } = market;
    Stage { dir, clock, server, way, api, provider, distributor, repository, agent }
}

struct Market {
    provider: SignInCard,
    distributor: SignInCard,
    template: String,
}

fn market(api: &Api, password: &str) -> Market {
    let now: Timestamp = "2026-01-05T09:00:00Z".parse().expect("an instant");
    let world = world::build(api, "admin@vendor.example", password, now).expect("a market");
    let provider = &world.providers[0];
    let products = world.catalog["products"].as_array().expect("products");
    let product = products.iter().find(|product| product["code"] == PRODUCT).expect("the product");
    let created: Value = api
        .post(
            &provider.admin.token,
            "/api/v1/licenses",
            &json!({
                "agreement": provider.agreement,
                "product": product["id"],
                "usage_type": "single_customer",
                "company": provider.companies[0],
                "automatic_reporting": true,
                "workloads": [{"workload": "host", "count": 20}],
            }),
        )
        .expect("a license");
    Market {
        provider: provider.admin.clone(),
        distributor: world.distributors[provider.distributor].clone(),
        template: world::text(&created, "id").expect("an id"),
    }
}

#[test]
fn one_license_lives_through_its_months() {
    let mut stage = stage();
    let anchor_end: Timestamp = "2026-03-20T09:00:00Z".parse().expect("an instant");
    assert_eq!(stage.expires_at(), anchor_end, "2.5 months from the assignment on 5 January, 09:00");
    assert_eq!(stage.status()["standing"], "valid");

    // ---- January: one new host, one that falls out of the window, one whose snapshots are forgotten.
    stage.repository.backup("h10", "2026-01-12 10:00:00");
    stage.go("2026-01-13T09:00:00Z");
    stage.repository.forget("h09");
    for host in ["h01", "h02", "h03", "h04", "h05", "h06", "h10", "h11"] {
        stage.repository.backup(host, "2026-01-20 10:00:00");
    }
    month(&mut stage, "2026-01", "2026-04-20T09:00:00Z", "2026-02-12T12:00:00Z");

    // ---- February.
    stage.repository.backup("h12", "2026-02-10 10:00:00");
    for host in ["h01", "h02", "h03", "h04", "h05", "h10", "h11"] {
        stage.repository.backup(host, "2026-02-15 10:00:00");
    }
    month(&mut stage, "2026-02", "2026-05-20T09:00:00Z", "2026-03-12T12:00:00Z");

    silence(&mut stage);
    recovery(&stage);
    assert!(stage.agent.is_running(), "the agent lived through it all");
    assert!(stage.server.process.is_running(), "the server lived through it all");
}

/// One month as it should be: preliminary on the 1st, final by itself, reviewed, submitted, approved, the license extended
/// by exactly one month and installed at the next check-in.
fn month(stage: &mut Stage, name: &str, expires_at: &str, next_check_in: &str) {
    let period: Period = name.parse().expect("a period");
    let before = stage.expires_at();
    stage.go(&period.end().plus_secs(-3600).to_string());
    stage.repository.look();
    let (counted, new) = stage.repository.count(period);

    // The server gave a window; the product drew an instant in it.
    stage.go(&period.end().plus_secs(24 * 3600).to_string());
    let matches = |line: &Value| line["count"] == counted && line["new"] == new;
    stage.wait_for_line(name, "the preliminary report", |line| line["source"] == "preliminary" && matches(line));
    stage.go(&period.deadline(3).plus_secs(3600).to_string());
    stage.wait_for_line(name, "the final report", |line| line["source"] == "automatic" && matches(line));

    let provider = stage.session(&stage.provider);
    let products: Value = stage.api.get(&provider, "/api/v1/catalog").expect("a catalog");
    let monitoring = products["products"]
        .as_array()
        .and_then(|products| products.iter().find(|product| product["code"] == "monitoring"))
        .expect("a product that does not report");
    let line = json!({"product": monitoring["id"], "workload": "monitored", "variant": "", "count": 5});
    let _: Value = stage
        .api
        .post(&provider, &format!("/api/v1/monthly-usages/{name}/manual-lines"), &line)
        .expect("a manual line");
    stage.submit(name);
    stage.approve(name);

    stage.go(next_check_in);
    let wanted: Timestamp = expires_at.parse().expect("an instant");
    wait_for("the new license", BOUND, || (stage.expires_at() != before).then_some(()));
    assert_eq!(stage.expires_at(), wanted, "one month more, not two");
    let (month, _) = stage.month(name);
    assert_eq!(month["state"], "closed");
}

/// Nothing reaches the server any more. The agent keeps counting, says so, and the license runs out as promised.
fn silence(stage: &mut Stage) {
    stage.way.block();
    for (month, day) in [("2026-03", "15"), ("2026-04", "15"), ("2026-05", "15"), ("2026-06", "15")] {
        for host in ["h01", "h02", "h03"] {
            stage.repository.backup(host, &format!("{month}-{day} 10:00:00"));
        }
    }
    stage.repository.look();
    let silent = |status: &Value| {
        let sentence = status["sentence"].as_str().unwrap_or_default().to_owned();
        assert!(sentence.contains("has not answered since"), "the sentence names the silence: {status}");
    };
    stage.go("2026-04-19T09:00:00Z");
    assert_eq!(stage.status()["standing"], "valid", "more than 30 days are left");
    stage.go("2026-04-21T09:00:00Z");
    let status = stage.status();
    assert_eq!(status["standing"], "expiring");
    silent(&status);
    // March and April are past the provider's deadline and unsubmitted: suspended, though nothing reached the server.
    stage.go("2026-05-12T09:00:00Z");
    assert!(suspended(stage), "the two newest periods past the deadline are unsubmitted");
    stage.go("2026-05-20T09:00:00Z");
    let status = stage.status();
    assert_eq!((&status["standing"], &status["days_of_grace"]), (&json!("expired"), &json!(60)));
    assert_eq!(status["state"], "Expired (60 days of grace remaining)");
    silent(&status);
    stage.go("2026-07-18T09:00:01Z");
    let status = stage.status();
    assert_eq!((&status["standing"], &status["days_of_grace"]), (&json!("expired"), &json!(1)));
    stage.go("2026-07-19T09:00:00Z");
    let status = stage.status();
    assert_eq!(status["standing"], "restricted");
    silent(&status);
}

/// The way opens: what was held goes out, and each month that is submitted gives back one.
fn recovery(stage: &Stage) {
    stage.way.unblock();
    run(&mut stage.agent(&["update-now", "--json"]));
    for name in ["2026-03", "2026-04", "2026-05", "2026-06"] {
        let (counted, new) = stage.repository.count(name.parse().expect("a period"));
        stage.wait_for_line(name, "a report that was held", |line| {
            line["source"] == "automatic" && line["count"] == counted && line["new"] == new
        });
    }
    assert_eq!(stage.status()["standing"], "restricted", "while suspended, product reports alone do not extend");
    stage.submit("2026-03");
    run(&mut stage.agent(&["update-now", "--json"]));
    let status = stage.status();
    assert_eq!(status["standing"], "expired", "the first due month gives one month: {status}");
    assert_eq!(stage.expires_at(), "2026-06-20T09:00:00Z".parse().expect("an instant"));
    for name in ["2026-04", "2026-05", "2026-06"] {
        stage.submit(name);
    }
    assert!(!suspended(stage), "submitting lifts the suspension");
    run(&mut stage.agent(&["update-now", "--json"]));
    assert_eq!(stage.status()["standing"], "valid");
    assert_eq!(
        stage.expires_at(),
        "2026-09-20T09:00:00Z".parse().expect("an instant"),
        "the formula: 2 + 6 months and 15 days"
    );
}

fn suspended(stage: &Stage) -> bool {
    let actions: Value = stage.api.get(&stage.session(&stage.provider), "/api/v1/my-actions").expect("my actions");
    actions["suspended"].as_bool().unwrap_or_else(|| panic!("the answer says whether it is suspended: {actions}"))
}

//! A deployment with one provider and as many installations as a test wants, over the API alone.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use serde_json::{Value, json};
use tenure_core::{InstallationId, Period, Timestamp};
use tenure_license::{Envelope, Root};
use tenure_server::SystemRng;
use tenure_sim::{
    api::Api,
    product::Product,
    world::{self, World},
};

use super::process::{ClockFile, Server, password_of, run, tenure};

/// The month that is reported.
pub(crate) const PERIOD: Period = match Period::new(2026, 1) {
    Some(period) => period,
    None => unreachable!(),
};

/// Files of a deployment, its market and its time.
pub(crate) struct Deployment {
    /// What the products take for now.
    pub(crate) now: Timestamp,
    dir: tempfile::TempDir,
    clock: ClockFile,
    password: String,
    lives: usize,
    world: Option<World>,
}

impl Deployment {
    /// Makes one. The installations join in January; it is the 2nd of February when they report.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let clock = ClockFile(dir.path().join("clock"));
        clock.set("2026-01-05T09:00:00Z");
        let init = run(tenure()
            .args(["init", "--vendor", "Example Software", "--email", "admin@vendor.example", "--test-clock"])
            .arg(&clock.0)
            .arg("--root")
            .arg(dir.path().join("root.json"))
            .arg("--data-dir")
            .arg(dir.path().join("server")));
        let now = "2026-02-02T12:00:00Z".parse().expect("an instant");
        Self { now, dir, clock, password: password_of(&init), lives: 0, world: None }
    }

    /// Starts a life of the server.
    pub(crate) fn serve(&mut self, listen: &str) -> Server {
        self.lives += 1;
        let log: PathBuf = self.dir.path().join(format!("server-{}.log", self.lives));
        Server::start_on(&self.dir.path().join("server"), &self.clock.0, &log, listen)
    }

    /// Rents `count` licenses and activates an installation on each; then February begins.
    pub(crate) fn products(&mut self, url: &str, count: usize) -> Vec<Product> {
        let api = Api::new(url);
        let root = fs::read_to_string(self.dir.path().join("root.json")).expect("a trust root");
        let root = Envelope::from_json(root.trim().as_bytes()).expect("an envelope");
        let root = Arc::new(Root::pinned(root).expect("a sound root"));
        let joined = "2026-01-05T09:00:00Z".parse().expect("an instant");
        let world = world::build(&api, "admin@vendor.example", &self.password, joined).expect("a market");
        let provider = &world.providers[0];
        let products = world.catalog["products"].as_array().expect("products");
        let product = products.iter().find(|product| product["code"] == "file-backup").expect("the product");
        let installed = (0..count)
            .map(|n| {
                let license = json!({
                    "agreement": provider.agreement,
                    "product": product["id"],
                    "usage_type": "single_customer",
                    "company": provider.companies[n % provider.companies.len()],
                    "automatic_reporting": true,
                    "workloads": [{"workload": "host", "count": 20}],
                });
                let created: Value = api.post(&provider.admin.token, "/api/v1/licenses", &license).expect("a license");
                let path = format!("/api/v1/licenses/{}/download", created["id"].as_str().expect("an id"));
                let file: Value = api.post(&provider.admin.token, &path, &json!({})).expect("a file");
                let code = world::text(&file, "activation_code").expect("a code");
                let rng = Arc::new(SystemRng);
                Product::activate(url, Arc::clone(&root), rng, &code, "file-backup", joined).expect("an installation")
            })
            .collect();
        self.world = Some(world);
        self.clock.set_to(self.now);
        installed
    }

    /// The figure of each installation in the month, as the provider sees it.
    pub(crate) fn counts(&self, url: &str) -> BTreeMap<InstallationId, u64> {
        let api = Api::new(url);
        let admin = &self.world.as_ref().expect("products were made").providers[0].admin;
        let session = world::sign_in(&api, &admin.email, &admin.password).expect("they may sign in");
        let month: Value = api.get(&session, &format!("/api/v1/monthly-usages/{PERIOD}")).expect("the month");
        month["lines"]
            .as_array()
            .expect("lines")
            .iter()
            .filter_map(|line| {
                let installation = line["installation"]["id"].as_str()?.parse().ok()?;
                Some((installation, line["count"].as_u64()?))
            })
            .collect()
    }
}

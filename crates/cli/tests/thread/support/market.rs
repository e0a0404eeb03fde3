//! A deployment with one provider and as many installations as a test wants, over the API alone.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

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
    clock: ClockFile,
    password: String,
    lives: usize,
    world: Option<World>,
    /// The PostgreSQL database it lives in, if not in a file.
    database: Option<String>,
    /// Dropped before the directory it was made in.
    _prepared: Box<dyn std::any::Any>,
    dir: tempfile::TempDir,
}

impl Deployment {
    /// Makes one. The installations join in January; it is the 2nd of February when they report.
    pub(crate) fn new() -> Self {
        Self::prepared(|_| ())
    }

    /// As [`Deployment::new`], in a PostgreSQL database.
    pub(crate) fn in_database(url: &str) -> Self {
        Self::made(|_| (), Some(url.to_owned()))
    }

    /// As [`Deployment::new`], with something done to the data directory first, which is kept as long.
    pub(crate) fn prepared<T: 'static>(prepare: impl FnOnce(&Path) -> T) -> Self {
        Self::made(prepare, None)
    }

    fn made<T: 'static>(prepare: impl FnOnce(&Path) -> T, database: Option<String>) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let clock = ClockFile(dir.path().join("clock"));
        clock.set("2026-01-05T09:00:00Z");
        let prepared = Box::new(prepare(&dir.path().join("server")));
        let mut init = tenure();
        init.args(["init", "--vendor", "Example Software", "--email", "admin@vendor.example", "--test-clock"]);
        init.arg(&clock.0).arg("--root").arg(dir.path().join("root.json"));
        init.arg("--key-file").arg(dir.path().join("server.key"));
        init.arg("--root-keys").arg(dir.path().join("server-offline-keys"));
        match &database {
            Some(url) => init.args(["--database", url]),
            None => init.arg("--data-dir").arg(dir.path().join("server")),
        };
        let init = run(&mut init);
        let now = "2026-02-02T12:00:00Z".parse().expect("an instant");
        Self { now, _prepared: prepared, dir, clock, password: password_of(&init), lives: 0, world: None, database }
    }

    /// Its data directory.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.path("server")
    }

    /// A path beside its data directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The file that all clocks follow.
    pub(crate) fn clock_file(&self) -> &Path {
        &self.clock.0
    }

    /// Moves all clocks.
    pub(crate) fn set(&self, at: &str) {
        self.clock.set(at);
    }

    /// Moves all clocks.
    pub(crate) fn set_to(&self, at: Timestamp) {
        self.clock.set_to(at);
    }

    /// The trust root that products embed.
    pub(crate) fn root(&self) -> Envelope {
        let root = fs::read_to_string(self.path("root.json")).expect("a trust root");
        Envelope::from_json(root.trim().as_bytes()).expect("an envelope")
    }

    /// Starts a life of the server.
    pub(crate) fn serve(&mut self, listen: &str) -> Server {
        self.lives += 1;
        let log: PathBuf = self.dir.path().join(format!("server-{}.log", self.lives));
        match self.database.clone() {
            Some(url) => self.serve_from(&url, &log, listen),
            None => Server::start_on(&self.dir.path().join("server"), &self.clock.0, &log, listen),
        }
    }

    /// Starts a server on a database it is in, or can be reached by.
    pub(crate) fn serve_from(&self, url: &str, log: &Path, listen: &str) -> Server {
        let mut command = tenure();
        command.args(["serve", "--listen", listen, "--database", url]).arg("--test-clock").arg(&self.clock.0);
        command.arg("--key-file").arg(self.path("server.key"));
        Server::start_by(&mut command, log)
    }

    /// Rents `count` licenses and activates an installation on each; then February begins.
    pub(crate) fn products(&mut self, url: &str, count: usize) -> Vec<Product> {
        let installed = self.join(url, count);
        self.clock.set_to(self.now);
        installed
    }

    /// Builds the market, rents `count` licenses and activates an installation on each, in January.
    pub(crate) fn join(&mut self, url: &str, count: usize) -> Vec<Product> {
        let root = Arc::new(Root::pinned(self.root()).expect("a sound root"));
        let joined = "2026-01-05T09:00:00Z".parse().expect("an instant");
        let world = world::build(&Api::new(url), "admin@vendor.example", &self.password, joined).expect("a market");
        self.world = Some(world);
        let installed = self.codes(url, count).into_iter().map(|code| {
            let rng = Arc::new(SystemRng);
            Product::activate(url, Arc::clone(&root), rng, &code, "file-backup", joined).expect("an installation")
        });
        installed.collect()
    }

    /// Rents `count` licenses; a one-time code for each. The market must be there.
    pub(crate) fn codes(&self, url: &str, count: usize) -> Vec<String> {
        let api = Api::new(url);
        let world = self.world.as_ref().expect("products were made");
        let provider = &world.providers[0];
        let session = world::sign_in(&api, &provider.admin.email, &provider.admin.password).expect("they may sign in");
        let products = world.catalog["products"].as_array().expect("products");
        let product = products.iter().find(|product| product["code"] == "file-backup").expect("the product");
        let code = |n: usize| {
            let license = json!({
                "agreement": provider.agreement,
                "product": product["id"],
                "usage_type": "single_customer",
                "company": provider.companies[n % provider.companies.len()],
                "automatic_reporting": true,
                "workloads": [{"workload": "host", "count": 20}],
            });
            let created: Value = api.post(&session, "/api/v1/licenses", &license).expect("a license");
            let path = format!("/api/v1/licenses/{}/download", created["id"].as_str().expect("an id"));
            let file: Value = api.post(&session, &path, &json!({})).expect("a file");
            world::text(&file, "activation_code").expect("a code")
        };
        (0..count).map(code).collect()
    }

    /// The figure of each installation in the month, as the provider sees it.
    pub(crate) fn counts(&self, url: &str) -> BTreeMap<InstallationId, u64> {
        Self::counts_in(url, &self.session(url))
    }

    /// Verifies the log of the database it lives in, against what was written down beside its keys.
    pub(crate) fn verify_audit(&self, database: &str) {
        let mut verify = tenure();
        verify.args(["audit", "verify", "--database", database]);
        run(verify.arg("--witness").arg(self.path("server-witness")));
    }

    /// A session of the provider's administrator.
    pub(crate) fn session(&self, url: &str) -> String {
        let admin = &self.world.as_ref().expect("products were made").providers[0].admin;
        world::sign_in(&Api::new(url), &admin.email, &admin.password).expect("they may sign in")
    }

    /// As [`Deployment::counts`], in a session that is there: nothing is written.
    pub(crate) fn counts_in(url: &str, session: &str) -> BTreeMap<InstallationId, u64> {
        let api = Api::new(url);
        let month: Value = api.get(session, &format!("/api/v1/monthly-usages/{PERIOD}")).expect("the month");
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

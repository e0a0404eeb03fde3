//! A real server of its own: this binary, a temporary directory, a free port.

use std::{
    ffi::OsString,
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tenure_core::Timestamp;
use tenure_license::{Envelope, Root};
use tenure_sim::{api::Api, load::cargo::Code, world, world::SignInCard};

/// The server process; it ends with this value.
pub(super) struct BenchServer {
    pub(super) address: SocketAddr,
    pub(super) root: Arc<Root>,
    /// The program's time.
    pub(super) now: Timestamp,
    database: Option<String>,
    serve: Command,
    child: Child,
    /// The vendor's administrator: e-mail address and password.
    pub(super) admin: (String, String),
    dir: TempDir,
}

const EMAIL: &str = "admin@vendor.example";

impl BenchServer {
    /// Makes a deployment, in the PostgreSQL database given or else on SQLite, and serves it on a free loopback port.
    pub(super) fn start(now: Timestamp, database: Option<&str>) -> Result<Self> {
        Self::start_under(now, database, "")
    }

    /// As [`BenchServer::start`], with a line of policy of its own.
    pub(super) fn start_under(now: Timestamp, database: Option<&str>, policy: &str) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let binary = std::env::current_exe()?;
        let clock = dir.path().join("clock");
        fs::write(&clock, now.to_string())?;
        let catalog = dir.path().join("catalog.toml");
        let sample = include_str!("../../../../docs/samples/backup-vendor.toml");
        fs::write(&catalog, sample.replacen("[policy]\n", &format!("[policy]\n{policy}\n"), 1))?;
        let data = match database {
            Some(url) => ["--database".into(), OsString::from(url)],
            None => ["--data-dir".into(), dir.path().join("data").into_os_string()],
        };
        let (key, keys) = (dir.path().join("data.key"), dir.path().join("data-offline-keys"));
        let init = Command::new(&binary)
            .args(["init", "--vendor", "Bench", "--email", EMAIL, "--catalog"])
            .arg(&catalog)
            .args(&data)
            .arg("--key-file")
            .arg(&key)
            .arg("--root-keys")
            .arg(&keys)
            .arg("--test-clock")
            .arg(&clock)
            .output()?;
        ensure!(init.status.success(), "init failed: {}", String::from_utf8_lossy(&init.stderr));
        let text = String::from_utf8(init.stdout)?;
        let password = text
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("password"))
            .find_map(|rest| rest.split_whitespace().next())
            .context("init printed no password")?
            .to_owned();
        let mut serve = Command::new(&binary);
        serve.args(["serve", "--listen", "127.0.0.1:0"]).args(&data);
        serve.arg("--key-file").arg(&key).arg("--test-clock").arg(&clock);
        // A limit that nobody meets, so that looking it up is part of what is measured.
        serve.args(["--limit-installation", "1000000/1000000"]);
        serve.env("TENURE_LOG", "error").stdout(Stdio::piped());
        let (child, address) = launch(&mut serve)?;
        let root = read_root(&keys.join("root.json"))?;
        let database = database.map(str::to_owned);
        let admin = (EMAIL.to_owned(), password);
        Ok(Self { address, root: Arc::new(root), now, database, serve, child, admin, dir })
    }

    /// Its URL.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its process.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs; one that ended stays ended until [`BenchServer::restart`].
    pub(super) fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Ends it, without warning; what it answered is in the database.
    pub(super) fn stop(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts it again on the same data, once it ended.
    pub(super) fn restart(&mut self) -> Result<()> {
        (self.child, self.address) = launch(&mut self.serve)?;
        Ok(())
    }

    /// CPU seconds the server used so far.
    pub(super) fn cpu_s(&self) -> f64 {
        cpu_s(&format!("/proc/{}/stat", self.child.id()))
    }

    /// Mebibytes it holds in memory.
    pub(super) fn memory_mb(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
        kib.unwrap_or(0.0) / 1024.0
    }

    /// Sets the program's time.
    pub(super) fn set_clock(&mut self, now: Timestamp) -> Result<()> {
        // Replaced whole: the server must never read half an instant.
        let next = self.dir.path().join("clock.next");
        fs::write(&next, now.to_string())?;
        fs::rename(next, self.dir.path().join("clock"))?;
        self.now = now;
        Ok(())
    }

    /// The engine it stores with.
    pub(super) fn engine(&self) -> &'static str {
        if self.database.is_some() { "postgres" } else { "sqlite" }
    }

    /// The database it stores in.
    pub(super) fn database_url(&self) -> String {
        let file = || format!("sqlite:{}", self.dir.path().join("data/tenure.db").display());
        self.database.clone().unwrap_or_else(file)
    }

    /// A database of the same engine on the same disk, for what it can do of plain writes.
    pub(super) fn limit_database(&self) -> String {
        let file = || format!("sqlite:{}", self.dir.path().join("limit.db").display());
        self.database.clone().unwrap_or_else(file)
    }

    /// Makes `count` licenses, each of so many workload types, and a one-time code for each.
    pub(super) fn estate(&self, count: usize, lines: usize, mut progress: impl FnMut(usize)) -> Result<Estate> {
        let api = Api::new(&self.url());
        let market = world::build(&api, &self.admin.0, &self.admin.1, self.now)?;
        let provider = &market.providers[0];
        let product = reporting_product(&market.catalog)?;
        let workloads = product["workloads"].as_array().context("the product has workloads")?;
        let mut codes = Vec::with_capacity(count);
        for n in 0..count {
            let company = &provider.companies[n % provider.companies.len()];
            let (_, code) = rent(&api, &provider.admin.token, (&provider.agreement, company), product, lines)?;
            codes.push(code);
            progress(n + 1);
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let workloads = workloads.iter().map(|each| (text(&each["code"]), text(&each["variant"]))).collect();
        let provider = provider.admin.clone();
        Ok(Estate { product: world::text(product, "code")?, workloads, activation: codes, provider })
    }
}

/// What products are made from.
pub(super) struct Estate {
    /// Product code.
    pub(super) product: String,
    /// Its workload types' codes and variants.
    pub(super) workloads: Vec<Code>,
    /// One-time activation codes, one per license.
    pub(super) activation: Vec<String>,
    /// Who administers the licenses.
    pub(super) provider: SignInCard,
}

/// Rents a license of so many workload types under an agreement, for a company; its id and a one-time code.
pub(super) fn rent(
    api: &Api,
    session: &str,
    (agreement, company): (&str, &str),
    product: &Value,
    lines: usize,
) -> Result<(String, String)> {
    let workloads = product["workloads"].as_array().context("the product has workloads")?;
    let licensed: Vec<Value> = workloads
        .iter()
        .take(lines)
        .map(|each| json!({"workload": each["code"], "variant": each["variant"], "count": 10}))
        .collect();
    let created: Value = api.post(
        session,
        "/api/v1/licenses",
        &json!({
            "agreement": agreement,
            "product": product["id"],
            "usage_type": "single_customer",
            "description": "Bench",
            "company": company,
            "automatic_reporting": true,
            "workloads": licensed,
        }),
    )?;
    let license = world::text(&created, "license")?;
    let file: Value = api.post(session, &format!("/api/v1/licenses/{license}/download"), &json!({}))?;
    Ok((license, world::text(&file, "activation_code")?))
}

/// The first product of the catalog whose installations report by themselves.
pub(super) fn reporting_product(catalog: &Value) -> Result<&Value> {
    let products = catalog["products"].as_array().context("the catalog has products")?;
    products.iter().find(|product| product["reports"] == true).context("no product reports by itself")
}

impl Drop for BenchServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts it and waits until it says where it listens.
fn launch(serve: &mut Command) -> Result<(Child, SocketAddr)> {
    let mut child = serve.spawn()?;
    let stdout = child.stdout.take().context("a pipe")?;
    let address = listening(BufReader::new(stdout))?;
    Ok((child, address))
}

fn listening(mut stdout: impl BufRead) -> Result<SocketAddr> {
    let mut line = String::new();
    while stdout.read_line(&mut line)? > 0 {
        if let Some(address) = line.trim().strip_prefix("listening on http://") {
            return Ok(address.parse()?);
        }
        line.clear();
    }
    bail!("the server ended before it listened");
}

fn read_root(path: &Path) -> Result<Root> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Root::pinned(Envelope::from_json(text.trim().as_bytes())?)?)
}

/// CPU seconds of a process, user and system together, from its `stat` file; 0 when it is gone.
pub(super) fn cpu_s(stat: &str) -> f64 {
    /// Linux counts in hundredths of a second wherever it matters.
    const TICKS_PER_S: f64 = 100.0;
    let text = fs::read_to_string(stat).unwrap_or_default();
    // The command's name may hold spaces; what follows its closing parenthesis does not.
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / TICKS_PER_S
}

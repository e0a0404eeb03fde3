//! `tenure bench close`: a distributor approves the month of every provider, and each license gets its extension.
//!
//! The program's policy is that a month extends when it is Closed (`extension_trigger`), so that all of it falls into the
//! time measured: each month computed anew from its lines, each license written and signed. With `--kills` the server is
//! killed at points of it and started again. In the end each license must have been extended exactly once.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use hdrhistogram::Histogram;
use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::{Value, json};
use tenure_core::{Day, LicenseId, OrgId, Period, Timestamp, roles::Role};
use tenure_server::SystemRng;
use tenure_sim::{
    api::Api,
    clerk::act,
    world::{add_person, organization, sign_in, text},
};
use tenure_store::{
    Store,
    rows::{extension, issued_license, license},
};
use tenure_wire::NewOrganizationKind;

use super::{
    CpuSplit,
    copies::Original,
    instant, limits, pages, pause, print_limits,
    products::SELF_STAT,
    server::{BenchServer, cpu_s, rent, reporting_product},
};

/// How many licenses, whether killed, and against which engine.
#[derive(Args)]
pub(crate) struct CloseArgs {
    /// Licenses of all providers, each with a product server that reported.
    #[arg(long, default_value_t = 100_000)]
    licenses: usize,
    /// Providers, each with the same share of the licenses.
    #[arg(long, default_value_t = 100)]
    providers: usize,
    /// How often the server is killed and started again meanwhile.
    #[arg(long, default_value_t = 0)]
    kills: u32,
    /// An empty PostgreSQL database; a SQLite file in a temporary directory otherwise.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

const BEGIN: Timestamp = Timestamp::from_secs(1_767_344_400); // 2026-01-02T09:00:00Z
const NOW: Timestamp = Timestamp::from_secs(1_770_627_600); // 2026-02-09T09:00:00Z
/// Between two kills at most; the first come quickly, while months are still being approved.
const KILL_EVERY: Duration = Duration::from_millis(400);
/// Nobody waits longer for the last license.
const PATIENCE: Duration = Duration::from_mins(30);

#[derive(Debug, Serialize)]
struct Figures {
    name: &'static str,
    engine: &'static str,
    /// What `rate_per_s` counts.
    unit: &'static str,
    /// Licenses closed, extended and signed per second.
    rate_per_s: f64,
    /// Seconds from the first approval to the last signature.
    seconds: f64,
    /// One approval: the distributor looks at the month and approves it.
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    licenses: usize,
    providers: usize,
    kills: u32,
    /// Each license was extended once and written once; the benchmark fails otherwise.
    extended_once: usize,
    /// What the machine does of each part alone, per second.
    limits: BTreeMap<&'static str, f64>,
    /// `rate_per_s` against the lowest of the limits.
    ratio: f64,
    cpu_s: CpuSplit,
}

/// A provider whose month is closed.
struct Rented {
    org: OrgId,
    /// Its month's address.
    month: String,
    licenses: Vec<LicenseId>,
    /// The serial that each of them was issued with before.
    serial: u64,
}

pub(super) fn run(args: &CloseArgs) -> Result<ExitCode> {
    ensure!(args.providers > 0 && args.licenses >= args.providers, "each provider needs a license");
    let runtime = tokio::runtime::Runtime::new()?;
    let mut server = BenchServer::start_under(BEGIN, args.database.as_deref(), "extension_trigger = \"closed\"")?;
    let (rented, distributor) = estate(&mut server, &runtime, args)?;
    let figures = measure(&mut server, &runtime, rented, &distributor, args)?;
    figures.print(args.json)?;
    Ok(ExitCode::SUCCESS)
}

/// The providers with their licenses, each month submitted; and the distributor's e-mail address and password.
fn estate(
    server: &mut BenchServer,
    runtime: &tokio::runtime::Runtime,
    args: &CloseArgs,
) -> Result<(Vec<Rented>, (String, String))> {
    let period = Day::of(BEGIN).period();
    let api = Api::new(&server.url());
    let vendor = sign_in(&api, &server.admin.0, &server.admin.1)?;
    let distributor = organization(&api, &vendor, NewOrganizationKind::Distributor, "Lakeside Distribution")?;
    let approver = person(&api, &vendor, &distributor, "approver@lakeside.example", Role::DistributorAdministrator)?;
    let catalog: Value = api.get(&vendor, "/api/v1/catalog")?;
    let product = reporting_product(&catalog)?;
    let bar = pages::bar(args.providers, "providers")?;
    let mut providers = Vec::with_capacity(args.providers);
    for n in 0..args.providers {
        providers.push(provider(&api, &vendor, &distributor, product, n)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let codes: Vec<String> = providers.iter().map(|one| one.code.clone()).collect();
    let mut products = pages::activate(server, &text(product, "code")?, &codes, &ProgressBar::hidden())?;
    let workloads = product["workloads"].as_array().context("the product has workloads")?;
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lines: Vec<_> =
        workloads.iter().take(pages::LINES).map(|each| (word(&each["code"]), word(&each["variant"]))).collect();
    server.set_clock(NOW)?;
    pages::report(server, &mut products, &lines, period, &|_, _| pages::COUNT)?;
    server.stop()?;
    let bar = pages::bar(args.licenses, "licenses")?;
    let mut rented = Vec::with_capacity(providers.len());
    let url = server.database_url();
    runtime.block_on(async {
        let store = Store::open(&url, Arc::new(SystemRng)).await?;
        for (n, one) in providers.iter().enumerate() {
            let count = args.licenses / args.providers + usize::from(n < args.licenses % args.providers);
            let original = Original::read(&store, one.org, one.license, period).await?;
            let mut licenses = vec![one.license];
            licenses.extend(original.multiply(&store, count - 1).await?);
            bar.inc(count as u64);
            rented.push(Rented { org: one.org, month: String::new(), licenses, serial: original.serial() });
        }
        store.close().await;
        anyhow::Ok(())
    })?;
    bar.finish_and_clear();
    server.restart()?;
    submit(server, &providers, &mut rented, period)?;
    Ok((rented, approver))
}

/// Each provider submits.
fn submit(server: &BenchServer, providers: &[Provider], rented: &mut [Rented], period: Period) -> Result<()> {
    let api = Api::new(&server.url());
    let bar = pages::bar(providers.len(), "submissions")?;
    for (one, rented) in providers.iter().zip(rented) {
        let session = sign_in(&api, &one.admin.0, &one.admin.1)?;
        let path = format!("/api/v1/monthly-usages/{period}");
        act(&api, &session, &path, "submit", &json!({}))?;
        let month: Value = api.get(&session, &path)?;
        rented.month = format!("/api/v1/monthly-usages/{}", text(&month, "id")?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

/// A provider with one license.
struct Provider {
    org: OrgId,
    admin: (String, String),
    license: LicenseId,
    code: String,
}

fn provider(api: &Api, vendor: &str, distributor: &str, product: &Value, n: usize) -> Result<Provider> {
    let org = organization(api, vendor, NewOrganizationKind::Provider, &format!("Provider {n}"))?;
    let admin = person(api, vendor, &org, &format!("provider{n}@example.com"), Role::ProviderFullAccess)?;
    let session = sign_in(api, &admin.0, &admin.1)?;
    let agreement: Value = api.post(
        vendor,
        "/api/v1/agreements",
        &json!({
            "distributor": distributor,
            "provider": org,
            "number": format!("RA-{n}"),
            "kind": "volume",
            "commit": "0",
            "limit": null,
            "purchase_order": "",
            "signed_at": BEGIN.plus_days(-3).to_string(),
            "ends_at": BEGIN.plus_months(36).to_string(),
        }),
    )?;
    let company: Value = api.post(&session, "/api/v1/companies", &json!({"name": "Contoso AG", "site": null}))?;
    let _: Value = api.post(&session, "/api/v1/enrollment", &json!({"requirements_confirmed": true}))?;
    let path = format!("/api/v1/enrollment/{org}/decision");
    let _: Value = api.post(vendor, &path, &json!({"approve": true, "reason": ""}))?;
    let (agreement, company) = (text(&agreement, "id")?, text(&company, "id")?);
    let (license, code) = rent(api, &session, (&agreement, &company), product, pages::LINES)?;
    Ok(Provider { org: org.parse()?, admin, license: license.parse()?, code })
}

/// Somebody of an organization: e-mail address and password.
fn person(api: &Api, vendor: &str, org: &str, email: &str, role: Role) -> Result<(String, String)> {
    Ok((email.to_owned(), add_person(api, vendor, org, email, "Robin Keller", role, None)?))
}

fn measure(
    server: &mut BenchServer,
    runtime: &tokio::runtime::Runtime,
    rented: Vec<Rented>,
    distributor: &(String, String),
    args: &CloseArgs,
) -> Result<Figures> {
    let session = sign_in(&Api::new(&server.url()), &distributor.0, &distributor.1)?;
    let mut killed = Killed { left: args.kills, done: 0, cpu_s: 0.0 };
    let mut latency_us = Histogram::<u64>::new_with_max(600_000_000, 3)?;
    let (server_before, own_before) = (server.cpu_s(), cpu_s(SELF_STAT));
    let begun = instant();
    let bar = pages::bar(args.licenses, "closed")?;
    killed.plan(server);
    for one in &rented {
        let asked = instant();
        while let Err(error) = act(&Api::new(&server.url()), &session, &one.month, "approve", &json!({})) {
            // Killed, it ends a moment after its connections did; and what it did may have been approved already.
            ensure!(args.kills > 0 && asked.elapsed() < PATIENCE, "{error:#}");
            killed.revive(server)?;
            pause(Duration::from_millis(20));
        }
        latency_us.record((asked.elapsed().as_micros() as u64).max(1))?;
    }
    let url = server.database_url();
    let store = runtime.block_on(Store::open(&url, Arc::new(SystemRng)))?;
    let period = Day::of(BEGIN).period();
    for one in &rented {
        while !runtime.block_on(extended(&store, one, period))? {
            killed.revive(server)?;
            ensure!(begun.elapsed() < PATIENCE, "the licenses of {} are not extended", one.org);
            pause(Duration::from_millis(50));
        }
        bar.inc(one.licenses.len() as u64);
    }
    while runtime.block_on(unsigned(&store))? {
        killed.revive(server)?;
        ensure!(begun.elapsed() < PATIENCE, "licenses are not signed");
        pause(Duration::from_millis(50));
    }
    let elapsed = begun.elapsed().as_secs_f64();
    bar.finish_and_clear();
    let cpu_s = CpuSplit {
        server: server.cpu_s() + killed.cpu_s - server_before,
        generator: cpu_s(SELF_STAT) - own_before,
        wall: elapsed,
    };
    let extended_once = runtime.block_on(verify(&store, &rented, period))?;
    runtime.block_on(store.close());
    let limits = BTreeMap::from([
        ("durable_writes", runtime.block_on(limits::durable_writes_per_s(&server.limit_database(), 64))?),
        ("verify_and_sign", limits::signatures_per_s()),
    ]);
    let lowest = limits.values().copied().fold(f64::INFINITY, f64::min);
    let ms = |percentile: f64| latency_us.value_at_percentile(percentile) as f64 / 1000.0;
    let rate_per_s = args.licenses as f64 / elapsed;
    Ok(Figures {
        name: "close",
        engine: server.engine(),
        unit: "licenses",
        rate_per_s,
        seconds: elapsed,
        p50_ms: ms(50.0),
        p99_ms: ms(99.0),
        max_ms: ms(100.0),
        licenses: args.licenses,
        providers: args.providers,
        kills: killed.done,
        extended_once,
        ratio: rate_per_s / lowest,
        limits,
        cpu_s,
    })
}

/// The kills that are to come, and those that were.
struct Killed {
    left: u32,
    done: u32,
    /// CPU seconds of the servers that were killed.
    cpu_s: f64,
}

impl Killed {
    /// Kills the server in a while, if it is to be killed again.
    fn plan(&mut self, server: &BenchServer) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        let pid = server.pid();
        let wait = KILL_EVERY.mul_f64(f64::from(self.done % 5 + 1) / 5.0);
        std::thread::spawn(move || {
            pause(wait);
            let _ = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
        });
    }

    /// Starts a server again that was killed; `false` when it still runs.
    fn revive(&mut self, server: &mut BenchServer) -> Result<bool> {
        let cpu_s = server.cpu_s();
        if server.is_running()? {
            return Ok(false);
        }
        self.cpu_s += cpu_s;
        self.done += 1;
        server.restart()?;
        self.plan(server);
        Ok(true)
    }
}

async fn extended(store: &Store, one: &Rented, period: Period) -> Result<bool> {
    let mut read = store.peek().await?;
    let found = extension::of_licenses(&mut read, one.org, &one.licenses).await?;
    Ok(one.licenses.iter().all(|id| found.get(id).is_some_and(|periods| periods.contains(&period))))
}

async fn unsigned(store: &Store) -> Result<bool> {
    let mut read = store.peek().await?;
    Ok(!issued_license::unsigned_of_all(&mut read, 1).await?.is_empty())
}

/// Each license has this one month, and was written anew for it once.
async fn verify(store: &Store, rented: &[Rented], period: Period) -> Result<usize> {
    let mut read = store.read().await?;
    let mut once = 0;
    for one in rented {
        let found = extension::of_licenses(&mut read, one.org, &one.licenses).await?;
        for row in license::find_many(&mut read, one.org, &one.licenses).await? {
            let months = found.get(&row.id);
            if months != Some(&BTreeSet::from([period])) || row.issued.serial != one.serial + 1 {
                bail!("{} has {months:?} and serial {} after {}", row.id, row.issued.serial, one.serial);
            }
            once += 1;
        }
    }
    let all: usize = rented.iter().map(|one| one.licenses.len()).sum();
    ensure!(once == all, "{once} of {all} licenses are there");
    Ok(once)
}

impl Figures {
    fn print(&self, json: bool) -> Result<()> {
        if json {
            println!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        println!(
            "{} on {}: {} licenses of {} providers in {:.1} s, {:.0} per second",
            self.name, self.engine, self.licenses, self.providers, self.seconds, self.rate_per_s
        );
        println!("  one approval: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms", self.p50_ms, self.p99_ms, self.max_ms);
        println!("  killed {} times; {} licenses extended exactly once", self.kills, self.extended_once);
        print_limits(&self.limits);
        println!("  {:.2} of the lowest limit", self.ratio);
        self.cpu_s.print();
        Ok(())
    }
}

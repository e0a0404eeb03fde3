//! `tenure bench check-in|report|watermark`: what products send, under load.

use std::{collections::BTreeMap, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tenure_core::{Day, Rng, Timestamp, Week};
use tenure_server::SystemRng;
use tenure_sim::{
    load::{
        self, Plan, Virtual,
        cargo::{Cargo, Code},
    },
    product::Product,
};

use super::{
    CpuSplit, Figures, limits,
    server::{BenchServer, cpu_s},
};

/// How hard, and against which engine.
#[derive(Args)]
pub(crate) struct LoadArgs {
    /// Connections, each with installations of its own.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Installations.
    #[arg(long, default_value_t = 1024)]
    installations: usize,
    /// Length of each of the two loops.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// An empty PostgreSQL database; a SQLite file in a temporary directory otherwise.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

/// What the products do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    CheckIn,
    Report,
    Watermark,
}

/// Lines of each report.
const REPORT_LINES: usize = 20;
/// Rows of each watermark: a batch.
const WATERMARK_ROWS: usize = 100;
/// The open loop asks at this share of what the closed loop reached.
const OPEN_LOOP_SHARE: f64 = 0.7;
pub(super) const SELF_STAT: &str = "/proc/self/stat";

const BEGIN: Timestamp = Timestamp::from_secs(1_769_904_000); // 2026-02-01T00:00:00Z
const LONG_BEFORE: Timestamp = Timestamp::from_secs(1_761_955_200); // 2025-11-01T00:00:00Z
const NOW: Timestamp = Timestamp::from_secs(1_772_528_400); // 2026-03-03T09:00:00Z

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::CheckIn => "check-in",
            Self::Report => "report",
            Self::Watermark => "watermark",
        }
    }

    /// What is counted per second, and how many of it one request holds.
    const fn unit(self) -> (&'static str, usize) {
        match self {
            Self::CheckIn => ("check-ins", 1),
            Self::Report => ("reports", 1),
            Self::Watermark => ("rows", WATERMARK_ROWS),
        }
    }

    /// When the licenses are made: watermarks need weeks behind them.
    const fn begins(self) -> Timestamp {
        match self {
            Self::CheckIn | Self::Report => BEGIN,
            Self::Watermark => LONG_BEFORE,
        }
    }

    fn cargo(self, catalog: &[Code]) -> Cargo {
        match self {
            Self::CheckIn => Cargo::Nothing,
            Self::Report => Cargo::Report {
                period: Day::of(BEGIN).period(),
                codes: catalog.iter().take(REPORT_LINES).cloned().collect(),
            },
            Self::Watermark => Cargo::Watermark {
                first: Week::of(Day::of(LONG_BEFORE)).next(),
                last: Week::of(Day::of(NOW)).prev(),
                codes: many(catalog, WATERMARK_ROWS).into(),
            },
        }
    }
}

/// `count` rows out of a catalog that has fewer: its codes again, as variants of their own.
fn many(catalog: &[Code], count: usize) -> Vec<Code> {
    let again = |at: usize| {
        let (workload, variant) = &catalog[at % catalog.len()];
        match at / catalog.len() {
            0 => (workload.clone(), variant.clone()),
            round => (workload.clone(), format!("{variant}{round}")),
        }
    };
    (0..count).map(again).collect()
}

pub(super) fn run(kind: Kind, args: LoadArgs) -> Result<ExitCode> {
    let mut server = BenchServer::start(kind.begins(), args.database.as_deref())?;
    let (groups, codes) = groups(&server, &args)?;
    server.set_clock(NOW)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let figures = runtime.block_on(measure(kind, &server, groups, &codes, &args))?;
    figures.print(args.json)?;
    Ok(ExitCode::SUCCESS)
}

fn groups(server: &BenchServer, args: &LoadArgs) -> Result<(Vec<Vec<Virtual>>, Vec<Code>)> {
    let bar = ProgressBar::new(2 * args.installations as u64)
        .with_style(ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}")?)
        .with_message("installations");
    let estate = server.estate(args.installations, 1, |n| bar.set_position(n as u64))?;
    let rng: Arc<dyn Rng> = Arc::new(SystemRng);
    let mut groups: Vec<Vec<Virtual>> = (0..args.connections.max(1)).map(|_| Vec::new()).collect();
    for (n, code) in estate.activation.iter().enumerate() {
        let root = Arc::clone(&server.root);
        let joined = Product::activate(&server.url(), root, Arc::clone(&rng), code, &estate.product, server.now)?;
        let at = n % groups.len();
        groups[at].push(joined.into());
        bar.inc(1);
    }
    bar.finish_and_clear();
    groups.retain(|group| !group.is_empty());
    Ok((groups, estate.workloads))
}

async fn measure(
    kind: Kind,
    server: &BenchServer,
    groups: Vec<Vec<Virtual>>,
    codes: &[Code],
    args: &LoadArgs,
) -> Result<Figures> {
    let connections = groups.len();
    let (unit, per_request) = kind.unit();
    let plan = Plan {
        server: server.address,
        length: Duration::from_secs(args.seconds),
        rate_per_s: None,
        now: server.now,
        cargo: kind.cargo(codes),
        seed: 7,
    };
    // A short run first: caches, connections and the database's first pages are not what is measured.
    let warm_up = Plan { length: Duration::from_secs(2), ..plan.clone() };
    let (_, groups) = load::run(warm_up, Arc::clone(&server.root), groups).await?;
    let (server_before, own_before) = (server.cpu_s(), cpu_s(SELF_STAT));
    let (closed, groups) = load::run(plan.clone(), Arc::clone(&server.root), groups).await?;
    let cpu = CpuSplit {
        server: server.cpu_s() - server_before,
        generator: cpu_s(SELF_STAT) - own_before,
        wall: closed.elapsed.as_secs_f64(),
    };
    ensure!(closed.answered > 0, "nothing was left to send after the first seconds: more --installations");
    let rate = closed.rate_per_s() * OPEN_LOOP_SHARE;
    let open_plan = Plan { rate_per_s: Some(rate), ..plan };
    let (open, _) = load::run(open_plan, Arc::clone(&server.root), groups).await?;
    let limits = BTreeMap::from([
        ("durable_writes", limits::durable_writes_per_s(&server.limit_database(), connections).await?),
        ("verify_and_sign", limits::signatures_per_s()),
        ("bare_http_answers", limits::bare_answers_per_s(connections, limits::CHECK_IN_BYTES).await?),
    ]);
    let lowest = limits.values().copied().fold(f64::INFINITY, f64::min);
    Ok(Figures {
        name: kind.name(),
        engine: server.engine(),
        unit,
        rate_per_s: closed.rate_per_s() * per_request as f64,
        requests_per_s: closed.rate_per_s(),
        p50_ms: open.percentile_ms(50.0),
        p99_ms: open.percentile_ms(99.0),
        max_ms: open.percentile_ms(100.0),
        open_loop_per_s: rate,
        connections,
        installations: args.installations,
        verified_answers: closed.verified + open.verified,
        shed: closed.shed + open.shed,
        ratio: closed.rate_per_s() / lowest,
        limits,
        cpu_s: cpu,
    })
}

//! `tenure bench check-in`.

use std::{collections::BTreeMap, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tenure_core::{Rng, Timestamp};
use tenure_server::SystemRng;
use tenure_sim::{
    load::{self, Plan, Virtual},
    product::Product,
};

use super::{
    CpuSplit, Figures, limits,
    server::{BenchServer, cpu_s},
};

/// Check-ins: verified, durable, answered with a signature; 95 % up to date, 5 % with a new license.
#[derive(Args)]
#[command(after_help = "Example:\n  tenure bench check-in --connections 64 --seconds 10 --json")]
pub(crate) struct CheckInArgs {
    /// Connections, each with installations of its own.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Installations that check in.
    #[arg(long, default_value_t = 1024)]
    installations: usize,
    /// Length of each of the two loops.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

/// The open loop asks at this share of what the closed loop reached.
const OPEN_LOOP_SHARE: f64 = 0.7;
const SELF_STAT: &str = "/proc/self/stat";

pub(super) fn run(args: CheckInArgs) -> Result<ExitCode> {
    let now = Timestamp::from_secs(1_772_323_200); // 2026-03-01T00:00:00Z
    let server = BenchServer::start(now)?;
    let groups = groups(&server, &args)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let figures = runtime.block_on(measure(&server, groups, &args))?;
    figures.print(args.json)?;
    Ok(ExitCode::SUCCESS)
}

fn groups(server: &BenchServer, args: &CheckInArgs) -> Result<Vec<Vec<Virtual>>> {
    let bar = ProgressBar::new(2 * args.installations as u64)
        .with_style(ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}")?)
        .with_message("installations");
    let (product, codes) = server.codes(args.installations, |n| bar.set_position(n as u64))?;
    let rng: Arc<dyn Rng> = Arc::new(SystemRng);
    let mut groups: Vec<Vec<Virtual>> = (0..args.connections.max(1)).map(|_| Vec::new()).collect();
    for (n, code) in codes.iter().enumerate() {
        let root = Arc::clone(&server.root);
        let joined = Product::activate(&server.url(), root, Arc::clone(&rng), code, &product, server.now)?;
        let at = n % groups.len();
        groups[at].push(Virtual {
            key: joined.key,
            aud: joined.aud,
            ins: joined.ins,
            seq: joined.seq,
            prev: joined.prev,
            license: joined.held,
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    groups.retain(|group| !group.is_empty());
    Ok(groups)
}

async fn measure(server: &BenchServer, groups: Vec<Vec<Virtual>>, args: &CheckInArgs) -> Result<Figures> {
    let connections = groups.len();
    let plan = Plan {
        server: server.address,
        length: Duration::from_secs(args.seconds),
        rate_per_s: None,
        now: server.now,
        seed: 7,
    };
    // A short run first: caches, connections and the database's first pages are not what is measured.
    let warm_up = Plan { length: Duration::from_secs(2), ..plan };
    let (_, groups) = load::run(warm_up, Arc::clone(&server.root), groups).await?;
    let (server_before, own_before) = (server.cpu_s(), cpu_s(SELF_STAT));
    let (closed, groups) = load::run(plan, Arc::clone(&server.root), groups).await?;
    let cpu = CpuSplit {
        server: server.cpu_s() - server_before,
        generator: cpu_s(SELF_STAT) - own_before,
        wall: closed.elapsed.as_secs_f64(),
    };
    let rate = closed.rate_per_s() * OPEN_LOOP_SHARE;
    let open_plan = Plan { rate_per_s: Some(rate), ..plan };
    let (open, _) = load::run(open_plan, Arc::clone(&server.root), groups).await?;
    let limits = BTreeMap::from([
        ("durable_writes", limits::durable_writes_per_s(server.dir(), connections).await?),
        ("verify_and_sign", limits::signatures_per_s()),
        ("bare_http_answers", limits::bare_answers_per_s(connections).await?),
    ]);
    let lowest = limits.values().copied().fold(f64::INFINITY, f64::min);
    Ok(Figures {
        name: "check-in",
        engine: "sqlite",
        rate_per_s: closed.rate_per_s(),
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

//! `tenure bench start`: how long a server takes from its start to its first answer, what it holds in memory then, and how
//! large the program is.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::{Command, ExitCode},
    time::Duration,
};

use anyhow::{Result, ensure};
use clap::Args;
use hdrhistogram::Histogram;
use serde::Serialize;
use tenure_core::Timestamp;

use super::{instant, pause, print_limits, server::BenchServer};

/// How often, and against which engine.
#[derive(Args)]
pub(crate) struct StartArgs {
    /// Starts.
    #[arg(long, default_value_t = 10)]
    starts: u64,
    /// Seconds that the last one idles before its memory is looked at.
    #[arg(long, default_value_t = 3)]
    idle: u64,
    /// An empty PostgreSQL database; a SQLite file in a temporary directory otherwise.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

const BEGIN: Timestamp = Timestamp::from_secs(1_767_344_400); // 2026-01-02T09:00:00Z
/// Programs that do nothing, started for the limit.
const NOTHINGS: u32 = 50;

#[derive(Debug, Serialize)]
struct Figures {
    name: &'static str,
    engine: &'static str,
    /// What `rate_per_s` counts.
    unit: &'static str,
    /// Starts per second, one after the other.
    rate_per_s: f64,
    /// From the start of the process to its answer 200 on `/readyz`.
    p50_ms: f64,
    p99_ms: f64,
    starts: u64,
    /// What the machine does of it alone, per second: a program that does nothing.
    limits: BTreeMap<&'static str, f64>,
    ratio: f64,
    /// Mebibytes that an idle server holds.
    idle_memory_mb: f64,
    /// Mebibytes of this program.
    program_mb: f64,
}

pub(super) fn run(args: &StartArgs) -> Result<ExitCode> {
    ensure!(args.starts > 0, "at least one start");
    let mut server = BenchServer::start(BEGIN, args.database.as_deref())?;
    let mut took_us = Histogram::<u64>::new_with_max(60_000_000, 3)?;
    let mut all = Duration::ZERO;
    for _ in 0..args.starts {
        server.stop()?;
        let begun = instant();
        server.restart()?;
        is_ready(&server)?;
        let took = begun.elapsed();
        all += took;
        took_us.record(took.as_micros() as u64)?;
    }
    pause(Duration::from_secs(args.idle));
    let limits = BTreeMap::from([("programs_that_do_nothing", nothings_per_s()?)]);
    let rate_per_s = args.starts as f64 / all.as_secs_f64();
    let ms = |percentile: f64| took_us.value_at_percentile(percentile) as f64 / 1000.0;
    let figures = Figures {
        name: "start",
        engine: server.engine(),
        unit: "starts",
        rate_per_s,
        p50_ms: ms(50.0),
        p99_ms: ms(99.0),
        starts: args.starts,
        ratio: rate_per_s / limits.values().copied().fold(f64::INFINITY, f64::min),
        limits,
        idle_memory_mb: server.memory_mb(),
        program_mb: fs::metadata(std::env::current_exe()?)?.len() as f64 / (1024.0 * 1024.0),
    };
    figures.print(args.json)?;
    Ok(ExitCode::SUCCESS)
}

fn is_ready(server: &BenchServer) -> Result<()> {
    let mut stream = TcpStream::connect(server.address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(answer.starts_with("HTTP/1.1 200"), "it is not ready: {answer}");
    Ok(())
}

fn nothings_per_s() -> Result<f64> {
    let begun = instant();
    for _ in 0..NOTHINGS {
        ensure!(Command::new("true").status()?.success(), "`true` failed");
    }
    Ok(f64::from(NOTHINGS) / begun.elapsed().as_secs_f64())
}

impl Figures {
    fn print(&self, json: bool) -> Result<()> {
        if json {
            println!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        println!("{} on {}: p50 {:.0} ms, p99 {:.0} ms", self.name, self.engine, self.p50_ms, self.p99_ms);
        print_limits(&self.limits);
        println!("  idle: {:.1} MB; the program: {:.1} MB", self.idle_memory_mb, self.program_mb);
        Ok(())
    }
}

//! `tenure bench`: how fast this machine is, each figure beside the limit it is held against, from the same run.

mod close;
mod copies;
mod limits;
mod pages;
mod products;
mod server;
mod start;

use std::{
    collections::BTreeMap,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::{Args, Subcommand};
use serde::Serialize;

use self::products::Kind;

/// Measure this machine: a real server in a temporary directory, signed requests, the limits beside them.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenure bench check-in --json\n  tenure bench report --database postgres://bench@localhost/empty"
)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Check-ins: verified, durable, answered with a signature; 95 % up to date, 5 % with a new license.
    #[command(after_help = "Example:\n  tenure bench check-in --connections 64 --seconds 10 --json")]
    CheckIn(products::LoadArgs),
    /// Usage reports of 20 lines, final, each the next revision: verified, durable, receipted.
    #[command(after_help = "Example:\n  tenure bench report --installations 2048 --json")]
    Report(products::LoadArgs),
    /// Weekly watermarks of 100 rows, each of another week: verified, durable, receipted.
    #[command(after_help = "Example:\n  tenure bench watermark --seconds 5 --json")]
    Watermark(products::LoadArgs),
    /// Pages: the review of a month of 1,000 licenses, and the lists that people look at.
    #[command(after_help = "Example:\n  tenure bench pages --licenses 1000 --json")]
    Pages(pages::PagesArgs),
    /// Closing a month: every provider's is approved, and each license extended, once, however often the server is killed.
    #[command(after_help = "Example:\n  tenure bench close --licenses 10000 --providers 10 --kills 20 --json")]
    Close(close::CloseArgs),
    /// Starting: until the first answer, with the memory of an idle server and the size of the program.
    #[command(after_help = "Example:\n  tenure bench start --json")]
    Start(start::StartArgs),
}

pub(crate) fn run(args: BenchArgs) -> Result<ExitCode> {
    match args.what {
        What::CheckIn(args) => products::run(Kind::CheckIn, args),
        What::Report(args) => products::run(Kind::Report, args),
        What::Watermark(args) => products::run(Kind::Watermark, args),
        What::Pages(args) => pages::run(&args),
        What::Close(args) => close::run(&args),
        What::Start(args) => start::run(&args),
    }
}

/// One benchmark's figures.
#[derive(Debug, Serialize)]
struct Figures {
    name: &'static str,
    engine: &'static str,
    /// What `rate_per_s` counts.
    unit: &'static str,
    /// Units per second, every connection asking as soon as it is answered.
    rate_per_s: f64,
    /// The same in requests.
    requests_per_s: f64,
    /// Latency in an open loop at `open_loop_per_s`, counted from when each request was due.
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    open_loop_per_s: f64,
    connections: usize,
    installations: usize,
    verified_answers: u64,
    shed: u64,
    /// What the machine does of each part alone, per second.
    limits: BTreeMap<&'static str, f64>,
    /// `requests_per_s` against the lowest of the limits.
    ratio: f64,
    /// CPU seconds of the closed loop.
    cpu_s: CpuSplit,
}

#[derive(Debug, Serialize)]
struct CpuSplit {
    server: f64,
    generator: f64,
    wall: f64,
}

impl Figures {
    fn print(&self, json: bool) -> Result<()> {
        if json {
            println!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        println!("{} on {}: {:.0} {} per second", self.name, self.engine, self.rate_per_s, self.unit);
        println!(
            "  latency at {:.0}/s (open loop): p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
            self.open_loop_per_s, self.p50_ms, self.p99_ms, self.max_ms
        );
        println!("  {} connections, {} installations", self.connections, self.installations);
        println!("  {} answers verified by the generator, {} requests shed", self.verified_answers, self.shed);
        print_limits(&self.limits);
        println!("  {:.2} of the lowest limit", self.ratio);
        self.cpu_s.print();
        Ok(())
    }
}

impl CpuSplit {
    fn print(&self) {
        println!("  CPU: server {:.1} s, generator {:.1} s in {:.1} s", self.server, self.generator, self.wall);
    }
}

fn print_limits(limits: &BTreeMap<&'static str, f64>) {
    for (name, per_s) in limits {
        println!("  limit {name}: {per_s:.0} per second");
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn instant() -> Instant {
    Instant::now()
}

/// Leaves a server alone for a while: it idles, works undisturbed, or is killed at some instant.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

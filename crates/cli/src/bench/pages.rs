//! `tenure bench pages`: what people look at, asked for as a browser does, with a session.
//!
//! One provider rents all licenses. Each has a product server that sent its weekly figures and its reports of two months;
//! the first of them was submitted, the second waits for its review, and in it one server of twenty counts otherwise.

use std::{collections::BTreeMap, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;
use tenure_core::{Day, Period, Rng, Timestamp, Week};
use tenure_license::{ReportLine, ReportStage, WatermarkLine};
use tenure_server::SystemRng;
use tenure_sim::{
    api::Api,
    clerk::act,
    load::{
        self, Virtual,
        cargo::{Cargo, Code},
        pages::{self, Outcome, Plan},
    },
    product::{Attempt, Product, level},
    world::sign_in,
};

use super::{
    CpuSplit, limits, print_limits,
    products::SELF_STAT,
    server::{BenchServer, Estate, cpu_s},
};

/// How many licenses, how hard, and against which engine.
#[derive(Args)]
pub(crate) struct PagesArgs {
    /// Licenses of the provider, each with a product server.
    #[arg(long, default_value_t = 1000)]
    licenses: usize,
    /// Connections that ask for pages.
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// Pages per second of the open loop.
    #[arg(long, default_value_t = 10.0)]
    rate: f64,
    /// Check-ins per second beside the open loop.
    #[arg(long, default_value_t = 0.0)]
    check_ins: f64,
    /// Length of each of the two loops, for each page.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// An empty PostgreSQL database; a SQLite file in a temporary directory otherwise.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

/// Workload types of each license.
pub(super) const LINES: usize = 3;
/// What each server counts of each of them, within what is licensed.
pub(super) const COUNT: u32 = 8;
/// One server in so many counts less in the month that is reviewed.
const CHANGED_ONE_IN: usize = 20;
/// Connections of the check-ins beside the pages.
const CHECK_IN_CONNECTIONS: usize = 16;

const BEGIN: Timestamp = Timestamp::from_secs(1_767_344_400); // 2026-01-02T09:00:00Z
const SUBMITTED: Timestamp = Timestamp::from_secs(1_770_109_200); // 2026-02-03T09:00:00Z
const NOW: Timestamp = Timestamp::from_secs(1_772_528_400); // 2026-03-03T09:00:00Z

/// All pages' figures; those on top are the review page's.
#[derive(Debug, Serialize)]
struct Figures {
    name: &'static str,
    engine: &'static str,
    /// What `rate_per_s` counts.
    unit: &'static str,
    licenses: usize,
    #[serde(flatten)]
    review: PageFigures,
    connections: usize,
    /// Check-ins per second that were answered beside the open loops.
    check_ins_per_s: f64,
    /// What the machine does of a page's answer alone: the same bytes without anything behind them, per second.
    limits: BTreeMap<&'static str, f64>,
    /// `rate_per_s` against the lowest of the limits.
    ratio: f64,
    /// Mebibytes that the server holds after it all.
    server_memory_mb: f64,
    /// The other pages.
    pages: Vec<PageFigures>,
}

#[derive(Debug, Serialize)]
struct PageFigures {
    page: &'static str,
    path: String,
    /// Pages per second, every connection asking as soon as it is answered.
    rate_per_s: f64,
    /// Latency in an open loop at `open_loop_per_s`, counted from when each page was due.
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    open_loop_per_s: f64,
    /// Bytes of the page as sent.
    bytes: usize,
    /// CPU seconds of the closed loop.
    cpu_s: CpuSplit,
}

/// A page and who looks at it.
struct Looked {
    page: &'static str,
    path: String,
    session: String,
}

pub(super) fn run(args: &PagesArgs) -> Result<ExitCode> {
    let mut server = BenchServer::start(BEGIN, args.database.as_deref())?;
    let (estate, mut products) = move_in(&server, args.licenses)?;
    let codes = &estate.workloads[..LINES.min(estate.workloads.len())];
    let (january, february) = (Day::of(BEGIN).period(), Day::of(BEGIN).period().next());
    server.set_clock(SUBMITTED)?;
    report(&server, &mut products, codes, january, &|_, _| COUNT)?;
    submit(&server, &estate, january)?;
    server.set_clock(NOW)?;
    report(&server, &mut products, codes, february, &|n, line| {
        if n % CHANGED_ONE_IN == 0 && line == 0 { COUNT - 1 } else { COUNT }
    })?;
    let looked = looked(&server, &estate, february)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let figures = runtime.block_on(measure(&server, products, looked, args))?;
    figures.print(args.json)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn bar(len: usize, message: &'static str) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}")?;
    Ok(ProgressBar::new(len as u64).with_style(style).with_message(message))
}

/// The licenses and a product server for each.
fn move_in(server: &BenchServer, count: usize) -> Result<(Estate, Vec<Product>)> {
    let bar = bar(2 * count, "installations")?;
    let estate = server.estate(count, LINES, |n| bar.set_position(n as u64))?;
    let products = activate(server, &estate.product, &estate.activation, &bar)?;
    bar.finish_and_clear();
    Ok((estate, products))
}

/// A product server for each code.
pub(super) fn activate(
    server: &BenchServer,
    product: &str,
    codes: &[String],
    bar: &ProgressBar,
) -> Result<Vec<Product>> {
    let rng: Arc<dyn Rng> = Arc::new(SystemRng);
    let mut products = Vec::with_capacity(codes.len());
    for code in codes {
        let (root, rng) = (Arc::clone(&server.root), Arc::clone(&rng));
        products.push(Product::activate(&server.url(), root, rng, code, product, server.now)?);
        bar.inc(1);
    }
    Ok(products)
}

/// Each server's final report of a month, and its watermarks of the weeks that ended since the one before. `count` says
/// what it counts, by its number and the line's.
pub(super) fn report(
    server: &BenchServer,
    products: &mut [Product],
    codes: &[Code],
    period: Period,
    count: &dyn Fn(usize, usize) -> u32,
) -> Result<()> {
    let bar = bar(products.len(), "reports")?;
    let is_first = period == Day::of(BEGIN).period();
    let weeks: Vec<Week> = std::iter::successors(Some(Week::of(period.first_day())), |week| Some(week.next()))
        .take_while(|week| week.first() < period.next().first_day() && week.end() <= server.now)
        // The week in which the month began was sent with the month before.
        .filter(|week| is_first || week.first() >= period.first_day())
        .collect();
    for (n, product) in products.iter_mut().enumerate() {
        let lines: Vec<ReportLine> = codes
            .iter()
            .enumerate()
            .map(|(at, (workload, variant))| level(period, (workload, variant), count(n, at)))
            .collect();
        let mut documents = vec![product.report_lines(period, 1, None, ReportStage::Final, lines)];
        documents.extend(weeks.iter().map(|week| {
            let line = |(at, (workload, variant)): (usize, &Code)| WatermarkLine {
                workload: workload.clone(),
                variant: variant.clone(),
                daily: vec![Some(count(n, at)); 7],
            };
            product.watermark(*week, codes.iter().enumerate().map(line).collect())
        }));
        let exchange = product.exchange(server.now, documents);
        match product.attempt(&server.url(), &exchange)? {
            Attempt::Answered(_) => bar.inc(1),
            Attempt::NotReached(why) => bail!("a report was not taken: {why}"),
        }
    }
    bar.finish_and_clear();
    Ok(())
}

fn submit(server: &BenchServer, estate: &Estate, period: Period) -> Result<()> {
    let api = Api::new(&server.url());
    let session = sign_in(&api, &estate.provider.email, &estate.provider.password)?;
    let path = format!("/api/v1/monthly-usages/{period}");
    act(&api, &session, &path, "submit", &json!({}))?;
    Ok(())
}

/// The review first.
fn looked(server: &BenchServer, estate: &Estate, period: Period) -> Result<Vec<Looked>> {
    let api = Api::new(&server.url());
    let provider = sign_in(&api, &estate.provider.email, &estate.provider.password)?;
    let vendor = sign_in(&api, &server.admin.0, &server.admin.1)?;
    let page = |page, path: String, session: &str| Looked { page, path, session: session.to_owned() };
    Ok(vec![
        page("review", format!("/months/{period}"), &provider),
        page("review, all lines", format!("/months/{period}?show=all"), &provider),
        page("home", "/home".to_owned(), &provider),
        page("my actions", "/actions".to_owned(), &provider),
        page("licenses", "/licenses".to_owned(), &provider),
        page("installations", "/installations".to_owned(), &provider),
        page("fleet", "/fleet".to_owned(), &vendor),
    ])
}

async fn measure(
    server: &BenchServer,
    products: Vec<Product>,
    looked: Vec<Looked>,
    args: &PagesArgs,
) -> Result<Figures> {
    let mut beside = Beside::new(server, products, args.check_ins);
    let mut pages = Vec::new();
    for each in looked {
        pages.push(one(server, each, &mut beside, args).await?);
    }
    let review = pages.remove(0);
    let limits = BTreeMap::from([(
        "bare_http_answers_of_the_same_bytes",
        limits::bare_answers_per_s(args.connections, review.bytes).await?,
    )]);
    let lowest = limits.values().copied().fold(f64::INFINITY, f64::min);
    Ok(Figures {
        name: "pages",
        engine: server.engine(),
        unit: "pages",
        licenses: args.licenses,
        ratio: review.rate_per_s / lowest,
        review,
        connections: args.connections,
        check_ins_per_s: beside.rate_per_s(),
        limits,
        server_memory_mb: server.memory_mb(),
        pages,
    })
}

async fn one(server: &BenchServer, each: Looked, beside: &mut Beside<'_>, args: &PagesArgs) -> Result<PageFigures> {
    let plan = Plan {
        server: server.address,
        length: Duration::from_secs(args.seconds),
        rate_per_s: None,
        connections: args.connections,
        path: each.path,
        session: each.session,
    };
    // A short run first: caches and connections are not what is measured.
    pages::run(Plan { length: Duration::from_millis(500), ..plan.clone() }).await?;
    let (server_before, own_before) = (server.cpu_s(), cpu_s(SELF_STAT));
    let closed = pages::run(plan.clone()).await?;
    let cpu = CpuSplit {
        server: server.cpu_s() - server_before,
        generator: cpu_s(SELF_STAT) - own_before,
        wall: closed.elapsed.as_secs_f64(),
    };
    let open = beside.while_(plan.length, pages::run(Plan { rate_per_s: Some(args.rate), ..plan.clone() })).await?;
    Ok(PageFigures {
        page: each.page,
        path: plan.path,
        rate_per_s: closed.rate_per_s(),
        p50_ms: open.percentile_ms(50.0),
        p95_ms: open.percentile_ms(95.0),
        p99_ms: open.percentile_ms(99.0),
        max_ms: open.percentile_ms(100.0),
        open_loop_per_s: args.rate,
        bytes: open.bytes.max(closed.bytes),
        cpu_s: cpu,
    })
}

/// Product servers that check in while pages are looked at.
struct Beside<'a> {
    server: &'a BenchServer,
    groups: Vec<Vec<Virtual>>,
    rate_per_s: f64,
    answered: u64,
    elapsed: Duration,
}

impl<'a> Beside<'a> {
    fn new(server: &'a BenchServer, products: Vec<Product>, rate_per_s: f64) -> Self {
        let mut groups: Vec<Vec<Virtual>> = (0..CHECK_IN_CONNECTIONS.min(products.len())).map(|_| Vec::new()).collect();
        let count = groups.len();
        for (n, joined) in products.into_iter().enumerate() {
            groups[n % count].push(joined.into());
        }
        Self { server, groups, rate_per_s, answered: 0, elapsed: Duration::ZERO }
    }

    async fn while_(&mut self, length: Duration, pages: impl Future<Output = Result<Outcome>>) -> Result<Outcome> {
        if self.rate_per_s <= 0.0 {
            return pages.await;
        }
        let plan = load::Plan {
            server: self.server.address,
            length,
            rate_per_s: Some(self.rate_per_s),
            now: self.server.now,
            cargo: Cargo::Nothing,
            seed: 7,
        };
        let groups = std::mem::take(&mut self.groups);
        let (outcome, ran) = tokio::join!(pages, load::run(plan, Arc::clone(&self.server.root), groups));
        let (check_ins, groups) = ran?;
        self.groups = groups;
        self.answered += check_ins.answered;
        self.elapsed += check_ins.elapsed;
        outcome
    }

    fn rate_per_s(&self) -> f64 {
        if self.elapsed.is_zero() { 0.0 } else { self.answered as f64 / self.elapsed.as_secs_f64() }
    }
}

impl Figures {
    fn print(&self, json: bool) -> Result<()> {
        if json {
            println!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        println!("{} on {}, a provider with {} licenses", self.name, self.engine, self.licenses);
        for page in std::iter::once(&self.review).chain(&self.pages) {
            println!("{}: {:.0} per second, {:.0} KB", page.page, page.rate_per_s, page.bytes as f64 / 1000.0);
            println!(
                "  latency at {:.0}/s (open loop): p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
                page.open_loop_per_s, page.p50_ms, page.p95_ms, page.p99_ms, page.max_ms
            );
            page.cpu_s.print();
        }
        println!("{} connections, {:.0} check-ins per second beside", self.connections, self.check_ins_per_s);
        print_limits(&self.limits);
        println!("the review is {:.3} of the lowest limit", self.ratio);
        println!("server: {:.0} MB", self.server_memory_mb);
        Ok(())
    }
}

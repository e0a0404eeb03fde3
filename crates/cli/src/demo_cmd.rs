//! `tenure demo`: a market of two distributors and five providers, fourteen simulated months of real agents over real
//! HTTP, then the portal with last month in My Actions.

use std::{fs, net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, thread, time::Duration};

use anyhow::{Context, Result, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tenure_core::{Clock, Day, Period, Rng, Timestamp};
use tenure_license::{Envelope, KeyRole, SigningKey};
use tenure_portal::PortalOptions;
use tenure_server::{OffsetClock, SystemClock, SystemRng};
use tenure_service::{
    Catalog, Init, Rotation, SealingKey, Service, commit_init, commit_rotation, keys_due, open_service, prepare_init,
    prepare_rotation, read_offline_key,
};
use tenure_sim::{
    api::Api,
    clerk::Clerks,
    fleet::{self, Fleet, Setting, Time},
    seed::SeededRng,
    world::{self, SignInCard, World},
};
use tenure_store::Store;
use tokio::runtime::{Handle, Runtime};

const MONTHS: i32 = 14;
const EMAIL: &str = "admin@vendor.example";

/// Live through fourteen simulated months, then serve the portal with the last one in My Actions.
#[derive(Args)]
#[command(after_help = "Example:\n  tenure demo --listen 127.0.0.1:8480")]
pub(crate) struct DemoArgs {
    /// Where the data is kept; a fresh temporary directory otherwise.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Address to listen on; a free loopback port otherwise.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Another seed gives other figures.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// One line of JSON when ready: the address, the trust root, sign-ins and tokens.
    #[arg(long)]
    json: bool,
}

/// The demo's time: one clock for the server and all products.
struct DemoTime {
    clock: Arc<OffsetClock>,
    service: Service,
    runtime: Handle,
    sealing: SealingKey,
    root_keys: Vec<SigningKey>,
}

impl DemoTime {
    /// Fourteen months are longer than an online key signs: somebody rotates when it is time, as an operator would.
    async fn rotate_when_due(&self) -> Result<()> {
        if keys_due(&self.service).is_empty() {
            return Ok(());
        }
        let store = self.service.store();
        let wanted = Rotation { roles: vec![KeyRole::License, KeyRole::Receipt], ..Rotation::default() };
        let plan = prepare_rotation(store, &*self.clock, &SystemRng, &self.sealing, &self.root_keys, &wanted).await?;
        commit_rotation(store, plan).await?;
        Ok(())
    }
}

impl Time for DemoTime {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as Arc<dyn Clock>
    }
    fn set(&self, at: Timestamp) {
        self.clock.set(at);
    }
    fn run_due(&self) -> Result<()> {
        self.runtime.block_on(async {
            self.rotate_when_due().await?;
            tenure_jobs::run_due(&self.service).await?;
            Ok(())
        })
    }
}

pub(crate) fn run(args: DemoArgs) -> Result<ExitCode> {
    let runtime = Runtime::new()?;
    let temporary;
    let dir = if let Some(dir) = &args.data_dir {
        dir.clone()
    } else {
        temporary = tempfile::tempdir()?;
        temporary.path().join("data")
    };
    let this_month = Period::of(SystemClock::new().now());
    let until = this_month.start().plus_days(3).plus_secs(9 * 3600);
    let begin = this_month.plus(-MONTHS).start().plus_days(2).plus_secs(8 * 3600);
    let clock = Arc::new(OffsetClock::starting_at(begin));
    let made = runtime.block_on(make(&dir, Arc::clone(&clock), &args))?;

    let listener =
        std::net::TcpListener::bind(args.listen).with_context(|| format!("cannot listen on {}", args.listen))?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}", listener.local_addr()?);
    let app = tenure_server::app(made.service.clone(), PortalOptions::default());
    let simulated = runtime.spawn({
        let (listener, app) = (listener.try_clone()?, app.clone());
        async move { axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await }
    });

    let time = DemoTime {
        clock,
        service: made.service.clone(),
        runtime: runtime.handle().clone(),
        sealing: made.sealing,
        root_keys: made.root_keys,
    };
    let api = Api::new(&url);
    let world = world::build(&api, EMAIL, &made.password, begin)?;
    let fleet = simulate(&api, &world, &made.root, &time, args.seed, until)?;
    let cards = cards(&world);
    let tokens = tokens(&api, &cards, until)?;
    simulated.abort();
    announce(&args, &url, &made.root_file, &cards, &tokens)?;
    keep_alive(fleet);
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let doors = vec![tenure_server::Door { listener, app }];
        tenure_server::serve(doors, made.service, std::future::pending()).await?;
        anyhow::Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

struct Made {
    service: Service,
    password: String,
    root: Envelope,
    root_file: PathBuf,
    sealing: SealingKey,
    root_keys: Vec<SigningKey>,
}

async fn make(dir: &std::path::Path, clock: Arc<OffsetClock>, args: &DemoArgs) -> Result<Made> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let database = dir.join("tenure.db");
    ensure!(!database.exists(), "{} holds a deployment already; a demo wants an empty directory", dir.display());
    let rng: Arc<dyn Rng> = Arc::new(SystemRng);
    let path = database.to_str().context("the data directory's name must be UTF-8")?;
    let store = Store::open(&format!("sqlite:{path}"), Arc::clone(&rng)).await?;
    store.migrate().await?;
    let sealing = SealingKey::generate(&*rng);
    let init = Init {
        vendor: "Example Software".to_owned(),
        email: EMAIL.to_owned(),
        servers: vec![format!("http://{}", args.listen)],
        catalog: Catalog::sample(),
        test_clock: true,
    };
    let plan = prepare_init(&store, &*clock, &*rng, &sealing, init).await?;
    let root = plan.root().clone();
    let root_file = dir.join("root.json");
    fs::write(&root_file, root.to_json() + "\n")?;
    fs::write(dir.join("sealing.key"), sealing.to_text().as_bytes())?;
    let offline = plan.offline_keys().iter().filter(|key| key.file_name.starts_with("root-"));
    let root_keys = offline.map(|key| read_offline_key(&key.text)).collect::<Result<Vec<_>, _>>()?;
    let done = commit_init(&store, &*clock, Arc::clone(&rng), plan).await?;
    let service = open_service(store, clock, rng, &sealing).await?;
    Ok(Made { service, password: done.password.to_string(), root, root_file, sealing, root_keys })
}

fn simulate(api: &Api, world: &World, root: &Envelope, time: &DemoTime, seed: u64, until: Timestamp) -> Result<Fleet> {
    let first = Day::of(time.clock.now());
    let days = u64::try_from(Day::of(until).number() - first.number()).unwrap_or(0);
    let bar = ProgressBar::new(days)
        .with_style(ProgressStyle::with_template("{msg} {wide_bar} {percent} %  {elapsed}")?)
        .with_message("fourteen months");
    let people = Clerks { api, catalog: &world.catalog };
    let rng = Arc::new(SeededRng::new(seed));
    let setting = Setting { api, world, root: root.clone(), time, people: &people, rng, until };
    let fleet = fleet::live(&setting, |day| {
        bar.set_position(u64::try_from(day.number() - first.number()).unwrap_or(0));
        bar.set_message(day.period().to_string());
    })?;
    bar.finish_and_clear();
    Ok(fleet)
}

fn cards(world: &World) -> Vec<SignInCard> {
    let providers = world.providers.iter();
    let people = providers.flat_map(|provider| std::iter::once(&provider.admin).chain(&provider.locations));
    std::iter::once(&world.vendor).chain(&world.distributors).chain(people).cloned().collect()
}

/// A token for each administrator; location usage administrators cannot make any.
fn tokens(api: &Api, cards: &[SignInCard], now: Timestamp) -> Result<Vec<Value>> {
    let mut tokens = Vec::new();
    for card in cards.iter().filter(|card| card.role != "location") {
        let session = world::sign_in(api, &card.email, &card.password)?;
        let body = json!({"name": "demo", "scope": "manage", "expires_at": now.plus_days(365).to_string()});
        let made: Value = api.post(&session, "/api/v1/tokens", &body)?;
        tokens.push(json!({
            "role": card.role, "organization": card.organization, "token": world::text(&made, "token")?,
        }));
    }
    Ok(tokens)
}

fn announce(args: &DemoArgs, url: &str, root: &std::path::Path, cards: &[SignInCard], tokens: &[Value]) -> Result<()> {
    if args.json {
        let sign_ins: Vec<Value> = cards
            .iter()
            .map(|card| {
                json!({
                    "role": card.role, "organization": card.organization, "email": card.email,
                    "password": card.password,
                })
            })
            .collect();
        let line = json!({"url": url, "root": root, "sign_ins": sign_ins, "tokens": tokens});
        println!("{}", serde_json::to_string(&line)?);
        return Ok(());
    }
    println!("The portal is at {url} (demo clock: day 4 of this month, 09:00 UTC, running)\n");
    println!("{:<12} {:<28} {:<42} password", "role", "organization", "e-mail");
    for card in cards {
        println!("{:<12} {:<28} {:<42} {}", card.role, card.organization, card.email, card.password);
    }
    println!(
        "\nLast month waits in Monthly Usages > My Actions: begin as provider@northlight.example. Stop with Ctrl-C."
    );
    Ok(())
}

/// The products go on: they look every few seconds whether something is due.
fn keep_alive(mut fleet: Fleet) {
    const PACE: Duration = Duration::from_secs(5);
    thread::spawn(move || {
        loop {
            if let Err(error) = fleet.tick() {
                tracing::warn!(error = ?error, "a simulated product stopped");
            }
            thread::park_timeout(PACE);
        }
    });
}

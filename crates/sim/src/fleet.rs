//! A fleet of real agents over months: in-memory journals, real HTTP, one clock that leaps from event to event.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tenure_agent::{
    Activation, LicenseKeeper, Parts, Settings,
    http::{HttpTransport, Timeouts},
    journal::MemoryJournal,
    network::Network,
};
use tenure_core::{Clock, Day, Period, Policy, Rng, Timestamp};
use tenure_license::{Envelope, HostFacts};

use crate::{
    api::Api,
    estate::{Estate, EstateCollector},
    world::{Provider, SignInCard, Temper, World, text},
};

/// The time of the server and of all products.
pub trait Time {
    /// The clock that everybody follows.
    fn clock(&self) -> Arc<dyn Clock>;
    /// Moves it.
    fn set(&self, at: Timestamp);
    /// Lets the server do what has fallen due.
    ///
    /// # Errors
    /// When it cannot.
    fn run_due(&self) -> Result<()>;
}

/// The people of the market, who act on days known ahead.
pub trait People {
    /// A provider's license administrator reviews a month and submits it.
    ///
    /// # Errors
    /// When the server refuses what it should take.
    fn review(&self, provider: &Provider, period: Period) -> Result<()>;
    /// A distributor decides on what waits for it.
    ///
    /// # Errors
    /// When the server refuses what it should take.
    fn decide(&self, distributor: &SignInCard, period: Period) -> Result<()>;
}

/// What a fleet needs.
pub struct Setting<'a> {
    /// The server.
    pub api: &'a Api,
    /// The market.
    pub world: &'a World,
    /// The trust root that products embed.
    pub root: Envelope,
    /// Time.
    pub time: &'a dyn Time,
    /// The market's people.
    pub people: &'a dyn People,
    /// Chance.
    pub rng: Arc<dyn Rng>,
    /// When the last of it happens.
    pub until: Timestamp,
}

/// Licenses per provider, in the market's order: 60 in all.
const LICENSES: [usize; 5] = [25, 15, 8, 6, 6];
/// Licenses that come in the last month, with workloads that nobody saw before.
const LATE_COMERS: usize = 1;
/// Hosts that send nothing for the last month, by provider and license.
const SILENT: (usize, usize) = (0, 7);

/// Agents that go on living.
pub struct Fleet {
    agents: Vec<Agent>,
    time: Arc<dyn Clock>,
}

struct Agent {
    host: String,
    keeper: LicenseKeeper,
    estate: Estate,
    /// It is switched off from then on.
    off_from: Option<Timestamp>,
    lived: Day,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Agent(usize),
    Joins { provider: usize, license: usize },
    Reviews { provider: usize, period: Period },
    Decides { distributor: usize, period: Period },
}

/// Lives from the clock's present until the setting's end. `progress` is told each day.
///
/// # Errors
/// When the server refuses what it should take.
pub fn live(setting: &Setting<'_>, mut progress: impl FnMut(Day)) -> Result<Fleet> {
    let begin = setting.time.clock().now();
    let mut agents = Vec::new();
    let mut events: BinaryHeap<Reverse<(Timestamp, Event)>> = BinaryHeap::new();
    schedule(setting, begin, &mut events);
    let mut today = Day::of(begin);
    while let Some(Reverse((at, event))) = events.pop() {
        if at > setting.until {
            break;
        }
        setting.time.set(at.max(setting.time.clock().now()));
        if Day::of(at) > today || !matches!(event, Event::Agent(_)) {
            today = today.max(Day::of(at));
            setting.time.run_due()?;
            progress(today);
        }
        match event {
            Event::Agent(n) => {
                if let Some(next) = step(&mut agents[n], at, &*setting.rng)? {
                    events.push(Reverse((next, event)));
                }
            }
            Event::Joins { provider, license } => {
                for agent in join(setting, provider, license, at)? {
                    events.push(Reverse((at, Event::Agent(agents.len()))));
                    agents.push(agent);
                }
            }
            Event::Reviews { provider, period } => {
                let who = &setting.world.providers[provider];
                setting.people.review(who, period).with_context(|| format!("{} reviews {period}", who.name))?;
            }
            Event::Decides { distributor, period } => {
                let card = &setting.world.distributors[distributor];
                let decided = setting.people.decide(card, period);
                decided.with_context(|| format!("{} decides on {period}", card.organization))?;
            }
        }
    }
    setting.time.set(setting.until);
    setting.time.run_due()?;
    Ok(Fleet { agents, time: setting.time.clock() })
}

/// Everything that people do, known ahead. The last month is left to the reader.
fn schedule(setting: &Setting<'_>, begin: Timestamp, events: &mut BinaryHeap<Reverse<(Timestamp, Event)>>) {
    let (first, last) = (Period::of(begin), Period::of(setting.until).prev());
    for (provider, count) in LICENSES.iter().enumerate() {
        for license in 0..*count {
            let late = provider == 0 && license >= count - LATE_COMERS;
            // They come one after the other over the first days, as a migration does.
            let from = if late { last.start().plus_days(4) } else { begin };
            let at = from.plus_secs(3600 * (provider + 5 * license) as i64);
            events.push(Reverse((at, Event::Joins { provider, license })));
        }
    }
    let mut period = first;
    while period < last {
        for (provider, who) in setting.world.providers.iter().enumerate() {
            let neglects = who.temper == Temper::Neglectful && period.plus(3) > last;
            let day = if who.temper == Temper::ByHand { 8 } else { 3 };
            if !neglects {
                let at = period.end().plus_days(day).plus_secs(3600 * (9 + provider as i64));
                events.push(Reverse((at, Event::Reviews { provider, period })));
            }
        }
        for distributor in 0..setting.world.distributors.len() {
            let at = period.end().plus_days(9).plus_secs(3600 * (14 + distributor as i64));
            events.push(Reverse((at, Event::Decides { distributor, period })));
        }
        period = period.next();
    }
}

fn step(agent: &mut Agent, at: Timestamp, rng: &dyn Rng) -> Result<Option<Timestamp>> {
    if agent.off_from.is_some_and(|off| at >= off) {
        return Ok(None);
    }
    let today = Day::of(at);
    if today > agent.lived {
        agent.lived = today;
        agent.estate.live(today, rng);
    }
    let next = agent.keeper.tick().with_context(|| format!("the agent on {}", agent.host))?;
    Ok(Some(next.at.max(at.plus_secs(10))))
}

impl Fleet {
    /// Lets every agent do what is due by the clock; gives how many are alive.
    ///
    /// # Errors
    /// When an agent cannot go on.
    pub fn tick(&mut self) -> Result<usize> {
        let now = self.time.now();
        let mut alive = 0;
        for agent in &mut self.agents {
            if agent.off_from.is_none_or(|off| now < off) {
                agent.keeper.tick().with_context(|| format!("the agent on {}", agent.host))?;
                alive += 1;
            }
        }
        Ok(alive)
    }
}

/// Rents a license and puts a product server on it; the first of the market's is shared by two.
fn join(setting: &Setting<'_>, provider: usize, license: usize, at: Timestamp) -> Result<Vec<Agent>> {
    let who = &setting.world.providers[provider];
    let session = crate::world::sign_in(setting.api, &who.admin.email, &who.admin.password)?;
    let reporting: Vec<&Value> =
        products(&setting.world.catalog)?.filter(|product| product["reports"] == true).collect();
    let product = reporting[(license * 7 + provider) % reporting.len()];
    let by_hand = who.temper == Temper::ByHand;
    let counts = counts(product, &*setting.rng)?;
    let workloads: Vec<Value> = counts
        .iter()
        .map(|(workload, variant, count)| json!({"workload": workload, "variant": variant, "count": count + count / 4 + 2}))
        .collect();
    let company = license % who.companies.len();
    let body = json!({
        "agreement": who.agreement,
        "product": product["id"],
        "usage_type": "single_customer",
        "description": format!("{} for {}", text(product, "name")?, company_slug(company)),
        "site": (!who.sites.is_empty()).then(|| &who.sites[company % who.sites.len()]),
        "company": who.companies[company],
        "automatic_reporting": !by_hand,
        "expires_on": by_hand.then(|| Day::of(at.plus_months(24)).to_string()),
        "workloads": workloads,
    });
    let created: Value = setting.api.post(&session, "/api/v1/licenses", &body)?;
    if by_hand {
        return Ok(Vec::new());
    }
    let shares = if (provider, license) == (0, 0) { 2 } else { 1 };
    let mut agents = Vec::new();
    for n in 0..shares {
        agents.push(install(setting, who, &session, &created, product, (provider, license, n), &counts, at)?);
    }
    Ok(agents)
}

#[expect(clippy::too_many_arguments, reason = "one call describes one server")]
fn install(
    setting: &Setting<'_>,
    who: &Provider,
    session: &str,
    created: &Value,
    product: &Value,
    (provider, license, n): (usize, usize, usize),
    counts: &[(String, String, u32)],
    at: Timestamp,
) -> Result<Agent> {
    let path = format!("/api/v1/licenses/{}/download", text(created, "id")?);
    let file: Value = setting.api.post(session, &path, &json!({}))?;
    let host = format!("bkp-{:02}{}.{}.example", license + 1, ["", "b"][n], domain(who));
    // Workloads that were there before the product came are known by their dates; a late comer's are all new.
    let late = provider == 0 && license >= LICENSES[0] - LATE_COMERS;
    let from = if late { Day::of(at).plus(1) } else { Day::of(at).plus(-20) };
    let estate = Estate::new(&host, counts, from);
    let clock = setting.time.clock();
    let mut keeper = LicenseKeeper::assemble(Parts {
        journal: Box::new(MemoryJournal::forgetful()),
        transport: Box::new(HttpTransport::new(true, Timeouts::default(), &Network::default())),
        collectors: vec![Box::new(EstateCollector::new(estate.clone(), Arc::clone(&clock)))],
        clock,
        rng: Arc::clone(&setting.rng),
        settings: Settings {
            product: text(product, "code")?,
            product_version: format!("{}.0", text(product, "version")?),
            servers: vec![setting.api.base().to_owned()],
            auto_update: true,
            license_file: None,
            host: HostFacts { name: host.clone(), ..HostFacts::default() },
            policy: Policy::default(),
        },
        root: setting.root.clone(),
    })?;
    match keeper.activate(&text(&file, "activation_code")?)? {
        Activation::Active => {}
        Activation::NotReached { sentence } => bail!("{host} could not activate: {sentence}"),
    }
    let last = Period::of(setting.until).prev();
    let off_from = ((provider, license) == SILENT).then(|| last.start().plus_days(18));
    Ok(Agent { host, keeper, estate, off_from, lived: Day::of(at) })
}

fn products(catalog: &Value) -> Result<impl Iterator<Item = &Value>> {
    Ok(catalog["products"].as_array().context("the catalog has products")?.iter())
}

/// How many of each workload type a server protects.
fn counts(product: &Value, rng: &dyn Rng) -> Result<Vec<(String, String, u32)>> {
    let workloads = product["workloads"].as_array().context("a product has workload types")?;
    workloads
        .iter()
        .take(3)
        .map(|each| {
            let variant = each["variant"].as_str().unwrap_or_default().to_owned();
            Ok((text(each, "code")?, variant, 4 + rng.below(16) as u32))
        })
        .collect()
}

fn company_slug(n: usize) -> String {
    format!("customer {}", n + 1)
}

fn domain(who: &Provider) -> String {
    who.name
        .to_lowercase()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == ' ')
        .collect::<String>()
        .replace(' ', "-")
}

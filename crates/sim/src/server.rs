//! One product server of the fleet: an agent, what it protects, and what befalls it.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tenure_agent::{
    Activation, LicenseKeeper, Parts, Settings,
    http::{HttpTransport, Timeouts},
    journal::MemoryJournal,
    network::Network,
};
use tenure_core::{Clock, Day, Period, Policy, Rng, Timestamp};
use tenure_license::{Counted, Envelope, HostFacts};

use crate::{
    estate::{Estate, EstateCollector},
    fate::{FATES, Happening},
    fleet::Setting,
    world::{Provider, Temper, text},
};

/// The place of a license in the market: its provider, and which of the provider's it is.
pub(crate) type Place = (usize, usize);

/// A server that lives.
pub(crate) struct Server {
    /// Its license.
    pub(crate) place: Place,
    /// It is switched off.
    pub(crate) off: bool,
    machine: Machine,
    keeper: LicenseKeeper,
    journal: MemoryJournal,
    saved: Option<MemoryJournal>,
    lived: Day,
}

/// What a server is made of, apart from what its agent remembers.
#[derive(Clone)]
struct Machine {
    host: String,
    product: String,
    version: String,
    server: String,
    root: Envelope,
    estate: Estate,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

impl Machine {
    fn boot(&self, journal: MemoryJournal) -> Result<LicenseKeeper> {
        let keeper = LicenseKeeper::assemble(Parts {
            journal: Box::new(journal),
            transport: Box::new(HttpTransport::new(true, Timeouts::default(), &Network::default())),
            collectors: vec![Box::new(EstateCollector::new(self.estate.clone(), Arc::clone(&self.clock)))],
            clock: Arc::clone(&self.clock),
            rng: Arc::clone(&self.rng),
            settings: Settings {
                product: self.product.clone(),
                product_version: self.version.clone(),
                servers: vec![self.server.clone()],
                auto_update: true,
                license_file: None,
                host: HostFacts { name: self.host.clone(), ..HostFacts::default() },
                policy: Policy::default(),
            },
            root: self.root.clone(),
        })?;
        Ok(keeper)
    }
}

impl Server {
    /// Lets it do what is due at `at`; says when it wants to be asked again.
    pub(crate) fn step(&mut self, at: Timestamp) -> Result<Timestamp> {
        let today = Day::of(at);
        if today > self.lived {
            self.lived = today;
            self.machine.estate.live(today, &*self.machine.rng);
        }
        let next = self.keeper.tick().with_context(|| format!("the agent on {}", self.machine.host))?;
        Ok(next.at.max(at.plus_secs(10)))
    }

    /// Something befalls it; a second machine comes back where one is started. `last` is the last month lived through.
    pub(crate) fn befalls(&mut self, what: Happening, last: Period) -> Result<Option<Self>> {
        match what {
            Happening::SwitchedOff => self.off = true,
            Happening::SwitchedOn => self.off = false,
            Happening::Saved => self.saved = Some(self.journal.copy()),
            Happening::SetBack => {
                self.journal = self.saved.take().context("it was saved before")?;
                self.keeper = self.machine.boot(self.journal.clone())?;
            }
            Happening::Cloned => {
                let journal = self.saved.take().context("it was saved before")?;
                let keeper = self.machine.boot(journal.clone())?;
                let machine = self.machine.clone();
                let (place, lived) = (self.place, self.lived);
                return Ok(Some(Self { place, off: false, machine, keeper, journal, saved: None, lived }));
            }
            Happening::TakenOut => self.take_out(last)?,
        }
        Ok(None)
    }

    fn take_out(&mut self, period: Period) -> Result<()> {
        let report = self.keeper.report(period);
        let counted = report.workloads.into_iter().filter(|row| row.counted == Counted::Yes);
        for row in counted.step_by(2) {
            self.keeper.adjust(period, &row.id, None, "test_demo", "Restore tests, which no customer pays for")?;
        }
        Ok(())
    }
}

/// Rents a license and puts a product server on it; the first of the market's is shared by two.
pub(crate) fn join(setting: &Setting<'_>, place: Place, late: bool, at: Timestamp) -> Result<Vec<Server>> {
    let (provider, license) = place;
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
        "description": format!("{} for customer {}", text(product, "name")?, company + 1),
        "site": (!who.sites.is_empty()).then(|| &who.sites[company % who.sites.len()]),
        "company": who.companies[company],
        "automatic_reporting": !by_hand,
        "expires_on": by_hand.then(|| Day::of(at.plus_months(term(license))).to_string()),
        "workloads": workloads,
    });
    let created: Value = setting.api.post(&session, "/api/v1/licenses", &body)?;
    if by_hand {
        return Ok(Vec::new());
    }
    let shares = if place == (0, 0) { 2 } else { 1 };
    let mut servers = Vec::new();
    for n in 0..shares {
        let host = format!("bkp-{:02}{}.{}.example", license + 1, ["", "b"][n], domain(who));
        // Workloads that were there before the product came are known by their dates; a late comer's are all new.
        let from = Day::of(at).plus(if late { 1 } else { -20 });
        let machine = Machine {
            product: text(product, "code")?,
            version: format!("{}.0", text(product, "version")?),
            server: setting.api.base().to_owned(),
            root: setting.root.clone(),
            estate: Estate::new(&host, &counts, from),
            clock: setting.time.clock(),
            rng: Arc::clone(&setting.rng),
            host,
        };
        servers.push(install(setting, &session, &created, machine, place, at)?);
    }
    Ok(servers)
}

/// Months for which a license is rented that no report extends. One was forgotten.
const fn term(license: usize) -> i32 {
    if license == 5 { 9 } else { 24 }
}

fn install(
    setting: &Setting<'_>,
    session: &str,
    license: &Value,
    machine: Machine,
    place: Place,
    at: Timestamp,
) -> Result<Server> {
    let path = format!("/api/v1/licenses/{}/download", text(license, "id")?);
    let file: Value = setting.api.post(session, &path, &json!({}))?;
    // Only what is restored or copied one day has to be remembered; the other agents never restart.
    let is_saved = FATES.iter().any(|fate| (fate.provider, fate.license) == place && fate.what == Happening::Saved);
    let journal = if is_saved { MemoryJournal::new() } else { MemoryJournal::forgetful() };
    let mut keeper = machine.boot(journal.clone())?;
    match keeper.activate(&text(&file, "activation_code")?)? {
        Activation::Active => {}
        Activation::NotReached { sentence } => bail!("{} could not activate: {sentence}", machine.host),
    }
    Ok(Server { place, off: false, machine, keeper, journal, saved: None, lived: Day::of(at) })
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

fn domain(who: &Provider) -> String {
    who.name
        .to_lowercase()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == ' ')
        .collect::<String>()
        .replace(' ', "-")
}

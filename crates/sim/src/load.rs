//! The load generator: virtual installations over a few connections, open loop, latency free of coordinated omission.
//! What they carry beside their check-ins is in [`cargo`].
//!
//! An installation's requests form a chain, so each connection owns its installations and asks for one after the other.
//! In the open loop every request has an instant at which it was due; its latency counts from then, whether or not the
//! generator was able to send it in time.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng as _, SeedableRng},
};
use tenure_core::{BootId, Day, DeploymentId, InstallationId, Timestamp};
use tenure_license::{
    CheckInAnswer, CheckInRequest, ClockFacts, DailyHead, Envelope, Exchange, ExchangeAnswer, Hash, HostFacts,
    LicenseRef, Nonce, Root, SigningKey, Versions, payload, sign,
};
use tokio::net::TcpStream;

/// One in this many answers is verified by the generator.
const VERIFY_ONE_IN: u64 = 100;
/// This share of requests shows no license, so that a new one has to ride along, in percent.
const WITHOUT_LICENSE_PERCENT: u64 = 5;

pub mod cargo;
pub mod pages;

use cargo::{Cargo, Sent};

use crate::product::Product;

/// An installation that checks in and keeps no journal.
pub struct Virtual {
    /// Its key.
    pub key: SigningKey,
    /// The deployment.
    pub aud: DeploymentId,
    /// Its id.
    pub ins: InstallationId,
    /// Sequence number of its last request.
    pub seq: u64,
    /// `H` of the last answer it holds.
    pub prev: Hash,
    /// The license it holds.
    pub license: LicenseRef,
    /// Product code.
    pub product: String,
    /// What it has sent of the cargo.
    pub sent: Sent,
}

impl From<Product> for Virtual {
    fn from(joined: Product) -> Self {
        Self {
            key: joined.key,
            aud: joined.aud,
            ins: joined.ins,
            seq: joined.seq,
            prev: joined.prev,
            license: joined.held,
            product: joined.product,
            sent: Sent::default(),
        }
    }
}

/// How a run is driven.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The server.
    pub server: SocketAddr,
    /// How long.
    pub length: Duration,
    /// Requests per second over all connections; none: each connection asks again as soon as it is answered.
    pub rate_per_s: Option<f64>,
    /// What the products take for now.
    pub now: Timestamp,
    /// What each check-in carries.
    pub cargo: Cargo,
    /// Seeds the generator's chance.
    pub seed: u64,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// Answers received.
    pub answered: u64,
    /// Answers whose signature, binding and hash were checked.
    pub verified: u64,
    /// Requests refused as busy.
    pub shed: u64,
    /// Answers in which a license rode along.
    pub licenses: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// Latency in microseconds.
    pub latency_us: Histogram<u64>,
}

impl Outcome {
    /// Answers per second.
    pub fn rate_per_s(&self) -> f64 {
        self.answered as f64 / self.elapsed.as_secs_f64()
    }
    /// A percentile of the latency, milliseconds.
    pub fn percentile_ms(&self, percentile: f64) -> f64 {
        self.latency_us.value_at_percentile(percentile) as f64 / 1000.0
    }
}

/// Runs the load: one task and one connection per group of installations.
///
/// # Errors
/// When the server cannot be reached, or answers what no product would accept.
pub async fn run(plan: Plan, root: Arc<Root>, groups: Vec<Vec<Virtual>>) -> Result<(Outcome, Vec<Vec<Virtual>>)> {
    let stop = Arc::new(AtomicBool::new(false));
    let counters = Arc::new(Counters::default());
    let begun = instant();
    let share = plan.rate_per_s.map(|rate| rate / groups.len().max(1) as f64);
    let mut tasks = Vec::new();
    for (n, group) in groups.into_iter().enumerate() {
        let connection = Connection {
            plan: plan.clone(),
            root: Arc::clone(&root),
            group,
            chance: ChaCha8Rng::seed_from_u64(plan.seed ^ (n as u64) << 32),
            counters: Arc::clone(&counters),
            stop: Arc::clone(&stop),
        };
        // Connections of an open loop begin spread over one interval, not in step.
        let offset = share.map_or(Duration::ZERO, |share| Duration::from_secs_f64(n as f64 / share / 64.0));
        tasks.push(tokio::spawn(connection.run(begun, share, offset)));
    }
    let mut latency_us = Histogram::new_with_max(60_000_000, 3)?;
    let mut groups = Vec::new();
    for task in tasks {
        let (group, histogram) = task.await??;
        latency_us.add(&histogram)?;
        groups.push(group);
    }
    let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let outcome = Outcome {
        answered: get(&counters.answered),
        verified: get(&counters.verified),
        shed: get(&counters.shed),
        licenses: get(&counters.licenses),
        elapsed: begun.elapsed(),
        latency_us,
    };
    Ok((outcome, groups))
}

#[derive(Default)]
struct Counters {
    answered: AtomicU64,
    verified: AtomicU64,
    shed: AtomicU64,
    licenses: AtomicU64,
}

struct Connection {
    plan: Plan,
    root: Arc<Root>,
    group: Vec<Virtual>,
    chance: ChaCha8Rng,
    counters: Arc<Counters>,
    stop: Arc<AtomicBool>,
}

impl Connection {
    async fn run(
        mut self,
        begun: Instant,
        share_per_s: Option<f64>,
        offset: Duration,
    ) -> Result<(Vec<Virtual>, Histogram<u64>)> {
        let stream = TcpStream::connect(self.plan.server).await.context("the server cannot be reached")?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(connection);
        let mut histogram = Histogram::new_with_max(60_000_000, 3)?;
        let end = begun + self.plan.length;
        let mut n = 0_u64;
        while !self.stop.load(Ordering::Relaxed) {
            let due =
                share_per_s.map_or_else(instant, |share| begun + offset + Duration::from_secs_f64(n as f64 / share));
            if due >= end {
                break;
            }
            wait_until(due).await;
            let who = (n as usize) % self.group.len();
            n += 1;
            if !self.ask(&mut sender, who).await? {
                break;
            }
            let latency = due.elapsed().as_micros() as u64;
            histogram.record(latency.min(60_000_000))?;
        }
        drop(sender);
        let _ = driver.await;
        Ok((self.group, histogram))
    }

    /// One check-in; false when the installation has nothing left to carry.
    async fn ask(&mut self, sender: &mut http1::SendRequest<Full<Bytes>>, who: usize) -> Result<bool> {
        let with_license = self.chance.next_u64() % 100 >= WITHOUT_LICENSE_PERCENT;
        let before = self.group[who].sent.clone();
        let Some(documents) = self.plan.cargo.next(&mut self.group[who]) else { return Ok(false) };
        let (request, body) = self.request(who, with_license, documents);
        let request_http = Request::post("/product/v1/check-in")
            .header("host", self.plan.server.to_string())
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))?;
        sender.ready().await?;
        let response = sender.send_request(request_http).await?;
        let status = response.status();
        let bytes = response.into_body().collect().await?.to_bytes();
        if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS {
            self.counters.shed.fetch_add(1, Ordering::Relaxed);
            self.group[who].sent = before;
            return Ok(true);
        }
        if status != StatusCode::OK {
            self.stop.store(true, Ordering::Relaxed);
            bail!("the server answered {status}: {}", String::from_utf8_lossy(&bytes));
        }
        self.absorb(who, &request, &bytes)?;
        Ok(true)
    }

    fn request(&mut self, who: usize, with_license: bool, documents: Vec<Envelope>) -> (Hash, Vec<u8>) {
        let mut nonce = [0; 16];
        self.chance.fill_bytes(&mut nonce);
        let mut head = [0; 32];
        self.chance.fill_bytes(&mut head);
        let (now, product) = (self.plan.now, &mut self.group[who]);
        product.seq += 1;
        let request = CheckInRequest {
            v: 1,
            aud: product.aud,
            ins: product.ins,
            seq: product.seq,
            prev: product.prev,
            unanswered: Vec::new(),
            nonce: Nonce::from_bytes(nonce),
            docs: documents.iter().map(Envelope::hash).collect(),
            lic: with_license.then(|| product.license.clone()),
            root: 1,
            clock: ClockFacts {
                effective: now.as_secs(),
                system: now.as_secs(),
                boot: BootId(uuid::Uuid::from_u128(1)),
            },
            host: HostFacts { name: "load.example".to_owned(), ..HostFacts::default() },
            daily: Some(DailyHead { day: Day::of(now).plus(-1), head: Hash::from_bytes(head) }),
            versions: Versions { agent: "0.1.0".to_owned(), product: "1.0".to_owned() },
            auto_update: true,
            update_now: false,
            rejoin: None,
            new_key: None,
            crit: Vec::new(),
        };
        let envelope = sign(&request, &[&product.key]).into_envelope();
        let hash = envelope.hash();
        (hash, serde_json::to_vec(&Exchange { documents, ..Exchange::new(envelope) }).unwrap_or_default())
    }

    fn absorb(&mut self, who: usize, request: &Hash, body: &[u8]) -> Result<()> {
        let answer: ExchangeAnswer = serde_json::from_slice(body).context("the answer cannot be read")?;
        self.counters.answered.fetch_add(1, Ordering::Relaxed);
        if let Some(license) = &answer.license {
            self.counters.licenses.fetch_add(1, Ordering::Relaxed);
            self.group[who].license.hash = license.hash();
        }
        if self.chance.next_u64().is_multiple_of(VERIFY_ONE_IN) {
            self.verify(&answer.answer, request, who)?;
        }
        self.group[who].prev = answer.answer.hash();
        Ok(())
    }

    fn verify(&self, envelope: &Envelope, request: &Hash, who: usize) -> Result<()> {
        let answer = self.root.verify_receipt_role::<CheckInAnswer>(envelope)?;
        let product = &self.group[who];
        ensure!(answer.req == *request && answer.prev == product.prev, "the answer is not bound to the request");
        ensure!(answer.ins == product.ins && answer.seq == product.seq, "the answer is another installation's");
        let taken = answer.docs.iter().all(|each| each.outcome == payload::Outcome::Accepted && each.receipt.is_some());
        ensure!(taken, "a document was not taken: {:?}", answer.docs);
        self.counters.verified.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "a load generator measures real time")]
fn instant() -> Instant {
    Instant::now()
}

/// An open loop waits for the instant its next request is due.
async fn wait_until(due: Instant) {
    tokio::time::sleep_until(due.into()).await;
}

//! Products that report without a pause to several servers, and remember every promise.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use tenure_core::{DocumentId, Timestamp};
use tenure_license::{Envelope, Hash, Outcome, ReportStage};
use tenure_sim::product::{Attempt, Product};
use tenure_testkit::wait_for;

use super::{
    market::{Deployment, PERIOD},
    process::BOUND,
};

/// What one client was promised.
#[derive(Default)]
struct Promises {
    /// Every acknowledged document and its receipt's id.
    receipts: Vec<(Envelope, DocumentId)>,
    /// The figure of the last acknowledged revision.
    count: u32,
}

/// Products that report without a pause, each to the next server when one does not answer.
pub(crate) struct Load {
    urls: Vec<String>,
    now: Timestamp,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
    resent: Arc<AtomicU64>,
    clients: Vec<thread::JoinHandle<()>>,
    done: Arc<Mutex<Vec<(Product, Promises)>>>,
}

impl Load {
    pub(crate) fn start(products: Vec<Product>, urls: &[String], now: Timestamp) -> Self {
        let mut load = Self {
            urls: urls.to_vec(),
            now,
            stop: Arc::default(),
            acknowledged: Arc::default(),
            resent: Arc::default(),
            clients: Vec::new(),
            done: Arc::default(),
        };
        for (at, product) in products.into_iter().enumerate() {
            let client = Client {
                product,
                urls: load.urls.clone(),
                at,
                now,
                stop: Arc::clone(&load.stop),
                acknowledged: Arc::clone(&load.acknowledged),
                resent: Arc::clone(&load.resent),
            };
            let done = Arc::clone(&load.done);
            load.clients.push(thread::spawn(move || {
                let kept = client.run();
                done.lock().expect("nobody panics while it is held").push(kept);
            }));
        }
        load
    }

    /// Waits until so many more were acknowledged.
    pub(crate) fn goes_on(&self, more: u64) {
        let goal = self.acknowledged() + more;
        wait_for("acknowledgments", BOUND, || {
            assert!(self.clients.iter().all(|client| !client.is_finished()), "a client met something wrong");
            (self.acknowledged() >= goal).then_some(())
        });
    }

    /// How many requests were sent again because no answer came.
    pub(crate) fn resent(&self) -> u64 {
        self.resent.load(Ordering::SeqCst)
    }

    /// How many reports were acknowledged.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Ends it and holds the servers to every promise, over the API alone.
    pub(crate) fn stop_and_check(&mut self, deployment: &Deployment) {
        self.stop.store(true, Ordering::SeqCst);
        for client in self.clients.drain(..) {
            client.join().expect("no client met anything wrong");
        }
        let mut promised = BTreeMap::new();
        let url = &self.urls[0];
        for (product, promises) in self.done.lock().expect("nobody panics while it is held").iter_mut() {
            promised.insert(product.ins, u64::from(promises.count));
            for documents in promises.receipts.chunks(64) {
                let envelopes = documents.iter().map(|(envelope, _)| envelope.clone()).collect();
                let body = product.exchange(self.now, envelopes);
                let answer = match product.attempt(url, &body).expect("nothing wrong comes back") {
                    Attempt::Answered(answer) => answer,
                    Attempt::NotReached(why) => panic!("not reached: {why}"),
                };
                for ((_, promised), found) in documents.iter().zip(&answer.docs) {
                    assert_eq!(found.outcome, Outcome::Repeated, "an acknowledged document was lost");
                    assert_eq!(found.receipt.as_ref().map(|receipt| receipt.id), Some(*promised), "it was taken twice");
                }
            }
        }
        for url in &self.urls {
            assert_eq!(deployment.counts(url), promised, "{url}");
        }
    }
}

struct Client {
    product: Product,
    urls: Vec<String>,
    at: usize,
    now: Timestamp,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
    resent: Arc<AtomicU64>,
}

impl Client {
    /// Sends one revision after the other; each goes out again, byte for byte, until some server answers it.
    fn run(mut self) -> (Product, Promises) {
        let mut promises = Promises::default();
        let mut before: Option<Hash> = None;
        for revision in 1.. {
            if self.stop.load(Ordering::SeqCst) {
                break;
            }
            let count = 10 + revision;
            let report = self.product.report(PERIOD, revision, before, ReportStage::Preliminary, "host", count);
            before = Some(report.hash());
            let body = self.product.exchange(self.now, vec![report.clone()]);
            let answer = loop {
                let url = &self.urls[self.at % self.urls.len()];
                match self.product.attempt(url, &body).expect("nothing wrong comes back") {
                    Attempt::Answered(answer) => break answer,
                    Attempt::NotReached(_) => {
                        self.at += 1;
                        self.resent.fetch_add(1, Ordering::SeqCst);
                        // Ask the next one soon, not in a storm.
                        thread::park_timeout(Duration::from_millis(20));
                    }
                }
            };
            let document = &answer.docs[0];
            assert_eq!(document.outcome, Outcome::Accepted, "revision {revision} of {}", self.product.ins);
            let receipt = document.receipt.as_ref().expect("an accepted document has a receipt");
            promises.receipts.push((report, receipt.id));
            promises.count = count;
            self.acknowledged.fetch_add(1, Ordering::SeqCst);
            // One after the other everywhere: each revision meets another server.
            self.at += 1;
        }
        (self.product, promises)
    }
}

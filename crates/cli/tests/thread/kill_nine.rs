//! Acknowledged means durable: answers lost after COMMIT, and a server killed without warning under load.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use crate::support::{
    market::{Deployment, PERIOD},
    process::{BOUND, Way},
};
use tenure_core::{DocumentId, Rng, Timestamp};
use tenure_license::{Envelope, Hash, Outcome, ReportStage};
use tenure_server::SystemRng;
use tenure_sim::product::{Attempt, Product};
use tenure_testkit::wait_for;

const CLIENTS: usize = 16;
#[test]
fn the_same_bytes_again_give_the_same_receipt() {
    let mut deployment = Deployment::new();
    let server = deployment.serve("127.0.0.1:0");
    let way = Way::to(server.address);
    let mut product = deployment.products(&server.url(), 1).remove(0);
    let report = product.report(PERIOD, 1, None, ReportStage::Final, "host", 7);
    let body = product.exchange(deployment.now, vec![report]);

    way.lose_answers(true);
    for _ in 0..3 {
        let attempt = product.attempt(&way.url(), &body).expect("nothing wrong comes back");
        assert!(matches!(attempt, Attempt::NotReached(_)), "the connection broke after COMMIT");
    }
    way.lose_answers(false);
    let first = answered(product.attempt(&way.url(), &body));
    let receipt = first.docs[0].receipt.clone().expect("the document is held");
    assert_eq!(first.docs[0].outcome, Outcome::Accepted, "the answer is the one of the first time");

    // The document again under another request: the same receipt, counted once.
    let report = body.documents[0].clone();
    let again = product.exchange(deployment.now, vec![report]);
    let second = answered(product.attempt(&way.url(), &again));
    assert_eq!(second.docs[0].outcome, Outcome::Repeated);
    assert_eq!(second.docs[0].receipt, Some(receipt));
    assert_eq!(deployment.counts(&server.url()), BTreeMap::from([(product.ins, 7)]));
}

fn answered(attempt: anyhow::Result<Attempt>) -> tenure_license::CheckInAnswer {
    match attempt.expect("nothing wrong comes back") {
        Attempt::Answered(answer) => *answer,
        Attempt::NotReached(why) => panic!("not reached: {why}"),
    }
}

/// What one client was promised.
#[derive(Default)]
struct Promises {
    /// Every acknowledged document and its receipt's id.
    receipts: Vec<(Envelope, DocumentId)>,
    /// The figure of the last acknowledged revision.
    count: u32,
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_when_the_server_is_killed() {
    kill_under_load(20);
}

#[test]
fn soak_nothing_acknowledged_is_lost_or_doubled_over_a_thousand_kills() {
    kill_under_load(1000);
}

fn kill_under_load(kills: usize) {
    let mut deployment = Deployment::new();
    let mut server = deployment.serve("127.0.0.1:0");
    // The port stays the same over all lives of the server, as it does behind an address.
    let address = server.address.to_string();
    let url = server.url();
    let products = deployment.products(&url, CLIENTS);
    let stop = Arc::new(AtomicBool::new(false));
    let resent = Arc::new(AtomicU64::new(0));
    let acknowledged = Arc::new(AtomicU64::new(0));
    let clients: Vec<_> = products
        .into_iter()
        .map(|product| {
            let client = Client {
                product,
                url: url.clone(),
                now: deployment.now,
                stop: Arc::clone(&stop),
                resent: Arc::clone(&resent),
                acknowledged: Arc::clone(&acknowledged),
            };
            thread::spawn(move || client.run())
        })
        .collect();
    for _ in 0..kills {
        // Each life lasts until some more was acknowledged, and a random moment longer: kills fall everywhere between a
        // request's arrival, its COMMIT and its answer.
        let goal = acknowledged.load(Ordering::SeqCst) + 20 + SystemRng.below(60);
        wait_for("acknowledgements", BOUND, || (acknowledged.load(Ordering::SeqCst) >= goal).then_some(()));
        server.process.kill();
        server = deployment.serve(&address);
    }
    stop.store(true, Ordering::SeqCst);
    let mut promised = BTreeMap::new();
    let mut all = Vec::new();
    for client in clients {
        let (product, promises) = client.join().expect("no client met anything wrong");
        promised.insert(product.ins, u64::from(promises.count));
        all.push((product, promises));
    }
    assert!(resent.load(Ordering::SeqCst) > 0, "the kills met requests in flight");

    // The checker sees only the API: each document sent again is known by its first receipt, and each figure is the last
    // acknowledged one.
    for (mut product, promises) in all {
        for documents in promises.receipts.chunks(64) {
            let envelopes = documents.iter().map(|(envelope, _)| envelope.clone()).collect();
            let body = product.exchange(deployment.now, envelopes);
            let answer = answered(product.attempt(&url, &body));
            for ((_, promised), found) in documents.iter().zip(&answer.docs) {
                assert_eq!(found.outcome, Outcome::Repeated, "an acknowledged document was lost");
                assert_eq!(found.receipt.as_ref().map(|receipt| receipt.id), Some(*promised), "it was taken twice");
            }
        }
    }
    assert_eq!(deployment.counts(&url), promised);
    println!(
        "{} acknowledged over {} kills, {} requests sent again",
        acknowledged.load(Ordering::SeqCst),
        kills,
        resent.load(Ordering::SeqCst)
    );
}

struct Client {
    product: Product,
    url: String,
    now: Timestamp,
    stop: Arc<AtomicBool>,
    resent: Arc<AtomicU64>,
    acknowledged: Arc<AtomicU64>,
}

impl Client {
    /// Sends one revision after the other; each goes out again, byte for byte, until it is answered.
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
                match self.product.attempt(&self.url, &body).expect("nothing wrong comes back") {
                    Attempt::Answered(answer) => break answer,
                    Attempt::NotReached(_) => {
                        self.resent.fetch_add(1, Ordering::SeqCst);
                        // A dead server refuses at once: ask again soon, not in a storm.
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
        }
        (self.product, promises)
    }
}

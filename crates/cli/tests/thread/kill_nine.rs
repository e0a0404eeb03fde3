//! Acknowledged means durable: answers lost after COMMIT, and a server killed without warning under load.

use std::collections::BTreeMap;

use crate::support::{
    load::Load,
    market::{Deployment, PERIOD},
    process::Way,
};
use tenure_core::Rng;
use tenure_license::{Outcome, ReportStage};
use tenure_server::SystemRng;
use tenure_sim::product::Attempt;

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
    let mut load = Load::start(products, &[url], deployment.now);
    for _ in 0..kills {
        // Each life lasts until some more was acknowledged, and a random moment longer: kills fall everywhere between a
        // request's arrival, its COMMIT and its answer.
        load.goes_on(20 + SystemRng.below(60));
        server.process.kill();
        server = deployment.serve(&address);
    }
    load.stop_and_check(&deployment);
    let (acknowledged, resent) = (load.acknowledged(), load.resent());
    assert!(resent > 0, "the kills met requests in flight");
    println!("{acknowledged} acknowledged over {kills} kills, {resent} requests sent again");
}

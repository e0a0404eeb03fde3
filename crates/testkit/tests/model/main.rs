//! One server and a few machines, and whatever may befall them in any order (protocol, 4): messages lost, processes that
//! die, machines set back and copied, a server that comes back from a backup, keys that change. What must hold holds
//! after each step, and at the end everything that was acknowledged is there.

mod judge;
mod line;
mod machine;
mod market;
mod steps;

use std::sync::LazyLock;

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use steps::{Step, World, step};
use tokio::runtime::Runtime;

/// Everything asynchronous runs here; the machines are blocking, as real ones are.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

fn lives(cases: u32, longest: usize) {
    let config = Config { cases, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    // What is dropped here closes connections, which belong to the runtime.
    let _context = RUNTIME.enter();
    let mut runner = TestRunner::new(config);
    let strategy = (any::<u64>(), vec(step(), 4..longest));
    let outcome = runner.run(&strategy, |(seed, steps)| {
        let mut world = World::new(seed);
        for (n, one) in steps.iter().enumerate() {
            world.take(one).map_err(|why| TestCaseError::fail(format!("step {n}, {one:?}: {why}")))?;
        }
        world.settle().map_err(|why| TestCaseError::fail(format!("at the end: {why}")))
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn c5_c6_nothing_that_befalls_machines_and_servers_breaks_a_promise() {
    lives(12, 32);
}

/// What the model found once, and what it must go on finding its way through.
#[test]
fn c5_a_machine_set_back_to_its_activation_comes_back() {
    let _context = RUNTIME.enter();
    let mut world = World::new(0);
    for one in [Step::Save(0, 0), Step::Speak(0), Step::Speak(0), Step::SetBack(0, 0), Step::Speak(0)] {
        world.take(&one).expect("it holds");
    }
    world.settle().expect("it holds at the end");
}

#[test]
fn e1_a_server_that_lost_a_report_serves_whoever_waited_for_it() {
    use line::Loss::Request;
    use tenure_agent::journal::Crash;
    let _context = RUNTIME.enter();
    let mut world = World::new(0);
    let steps = [
        Step::Wait(107),
        Step::Wait(182),
        Step::Lose(vec![Request, Request]),
        Step::Tick(0),
        Step::Backup,
        Step::Tick(1),
        Step::Die(0, 0, Crash::Before),
        Step::Die(1, 2, Crash::After),
        Step::Restore,
    ];
    for one in steps {
        world.take(&one).expect("it holds");
    }
    world.settle().expect("it holds at the end");
}

/// A database that lost its newest commits and went on: what it lost is older than what it knows.
#[test]
fn c7_what_a_failover_lost_before_it_was_noticed_comes_again() {
    let _context = RUNTIME.enter();
    let mut world = World::new(0);
    let steps = [
        Step::Wait(200),
        Step::Wait(100),
        Step::Backup,
        Step::Speak(0),
        Step::FailOver,
        Step::Wait(24),
        Step::Speak(1),
    ];
    for one in steps.iter().chain([&Step::Wait(24), &Step::Speak(0)]) {
        world.take(one).expect("it holds");
    }
    assert_eq!(world.line.app().service.deployment().epoch, 2, "it was noticed");
    world.settle().expect("it holds at the end");
}

/// What the model compares at the end of each life is something that moves.
#[test]
fn x1_a_month_that_is_reported_is_in_the_end_of_the_license() {
    let _context = RUNTIME.enter();
    let mut world = World::new(0);
    // From the 22nd of January through the 4th of March: January and February are over, and reported.
    for _ in 0..41 {
        for one in [Step::Wait(24), Step::Tick(0), Step::Tick(1)] {
            world.take(&one).expect("it holds");
        }
    }
    world.settle().expect("it holds at the end");
    let months: Vec<String> = judge::reported(&world.line.app()).iter().map(ToString::to_string).collect();
    assert_eq!(months, ["2026-01", "2026-02"]);
}

#[test]
fn soak_nothing_that_befalls_machines_and_servers_breaks_a_promise() {
    lives(if std::env::var_os("TENURE_SOAK").is_some() { 3000 } else { 24 }, 120);
}

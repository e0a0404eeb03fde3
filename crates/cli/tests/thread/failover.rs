//! The database fails over under load: a primary and a synchronous standby under Patroni, the primary lost with SIGKILL.

use std::time::{Duration, Instant};

use tenure_testkit::wait_for;

use crate::support::{
    cluster::Cluster,
    load::Load,
    market::Deployment,
    process::{BOUND, Server, readyz},
};

const CLIENTS: usize = 8;
/// Acknowledgments before and after.
const BETWEEN: u64 = 200;
/// How soon writes are acknowledged again.
const WITHIN: Duration = Duration::from_secs(30);

#[test]
#[expect(clippy::disallowed_methods, reason = "how long writes are away is real time")]
fn soak_c7_a_lost_primary_is_followed_within_thirty_seconds_and_nothing_is_lost() {
    let mut cluster = Cluster::start();
    let mut deployment = Deployment::in_database(&cluster.url());
    let mut servers: Vec<Server> = (0..3).map(|_| deployment.serve("127.0.0.1:0")).collect();
    let urls: Vec<String> = servers.iter().map(Server::url).collect();
    let mut load = Load::start(deployment.products(&urls[0], CLIENTS), &urls, deployment.now);
    load.goes_on(BETWEEN);
    let timeline = "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)";
    let before = cluster.sql(timeline);

    cluster.kill_primary();
    let lost = Instant::now();
    // Whatever was on its way is answered or refused by now.
    wait_for("readyz to be red", BOUND, || urls.iter().all(|url| readyz(url) != 200).then_some(()));
    let acknowledged = load.acknowledged();
    wait_for("writes to be acknowledged again", BOUND, || {
        for server in &mut servers {
            // As a service manager does.
            if !server.process.is_running() {
                assert_eq!(server.process.ended(BOUND), Some(1), "it says that it has to be started again");
                *server = deployment.serve(&server.address.to_string());
            }
        }
        (load.acknowledged() > acknowledged).then_some(())
    });
    let took = lost.elapsed();
    println!("writes were acknowledged again {:.1} s after the primary was lost", took.as_secs_f64());
    assert!(took <= WITHIN, "it took {took:?}");

    for server in &mut servers {
        if server.process.is_running() && readyz(&server.url()) != 200 {
            assert_eq!(server.process.ended(BOUND), Some(1));
        }
        if !server.process.is_running() {
            *server = deployment.serve(&server.address.to_string());
        }
    }
    load.goes_on(BETWEEN);
    load.stop_and_check(&deployment);
    drop(load);
    assert_ne!(cluster.sql(timeline), before, "the standby writes another timeline");
    let epochs = cluster.sql("SELECT count(*), max(epoch) FROM epoch");
    assert_eq!(epochs, "1|2", "three servers started again, and one epoch began");
    deployment.verify_audit(&cluster.url());
}

//! Three servers on one PostgreSQL, no leader: one is killed, the database is cut off, under load. Nothing acknowledged is
//! lost or doubled, and the work of time is done once.

use tenure_testkit::wait_for;

use crate::support::{
    load::Load,
    market::Deployment,
    pgbouncer::Bouncer,
    postgres::Postgres,
    process::{BOUND, Server, readyz},
};

const CLIENTS: usize = 8;
/// Acknowledgments between two blows.
const BETWEEN: u64 = 40;

#[test]
fn e9_three_replicas_lose_and_double_nothing_when_one_is_killed_and_the_database_restarts() {
    let mut postgres = Postgres::start();
    let mut deployment = Deployment::in_database(&postgres.url());
    let mut servers: Vec<Server> = (0..3).map(|_| deployment.serve("127.0.0.1:0")).collect();
    let urls: Vec<String> = servers.iter().map(Server::url).collect();
    let mut load = Load::start(deployment.products(&urls[0], CLIENTS), &urls, deployment.now);

    // One is killed and comes back, each in turn, under load.
    for server in &mut servers {
        load.goes_on(BETWEEN);
        server.process.kill();
        load.goes_on(BETWEEN);
        *server = deployment.serve(&server.address.to_string());
    }
    // The database is cut off as a power cut does, and comes back.
    load.goes_on(BETWEEN);
    postgres.cut();
    for url in &urls {
        wait_for("readyz to be red", BOUND, || (readyz(url) == 503).then_some(()));
    }
    postgres.resume();
    for url in &urls {
        wait_for("readyz to be green", BOUND, || (readyz(url) == 200).then_some(()));
    }
    load.goes_on(BETWEEN);
    load.stop_and_check(&deployment);
    drop(load);

    the_work_of_time_is_done_once(&deployment, &postgres);
    deployment.verify_audit(&postgres.url());
}

/// Three months pass at once, on all servers.
fn the_work_of_time_is_done_once(deployment: &Deployment, postgres: &Postgres) {
    deployment.set("2026-05-04T01:00:00Z");
    let reviewed = "SELECT count(*) FROM job WHERE kind = 'period.review' AND key = '2026-04' AND done_us IS NOT NULL";
    let due = "SELECT count(*) FROM job WHERE done_us IS NULL AND due_us <= 1777856400000000";
    let is_done = || postgres.sql(reviewed) == "1" && postgres.sql(due) == "0";
    wait_for("the work of time", BOUND, || is_done().then_some(()));
    let providers = "SELECT count(DISTINCT provider_id) FROM monthly_usage";
    let providers: usize = postgres.sql(providers).parse().expect("a figure");
    for verb in ["usage.opened", "usage.review_due"] {
        let sql = format!("SELECT count(*), count(DISTINCT subject) FROM audit_entry WHERE verb = '{verb}'");
        // January to April, each provider.
        assert_eq!(postgres.sql(&sql), format!("{0}|{0}", 4 * providers), "{verb}");
    }
    let failed = "SELECT kind, key, error FROM job WHERE error IS NOT NULL";
    assert_eq!(postgres.sql(failed), "");
}

#[test]
fn behind_pgbouncer_in_transaction_mode_nothing_is_lost_or_doubled() {
    let postgres = Postgres::start();
    let bouncer = Bouncer::start(&postgres);
    let mut deployment = Deployment::in_database(&bouncer.url());
    let servers: Vec<Server> = (0..2).map(|_| deployment.serve("127.0.0.1:0")).collect();
    let urls: Vec<String> = servers.iter().map(Server::url).collect();
    let mut load = Load::start(deployment.products(&urls[0], CLIENTS), &urls, deployment.now);
    load.goes_on(200);
    load.stop_and_check(&deployment);
    deployment.verify_audit(&bouncer.url());
    let clients = "SELECT count(*) <= 5 FROM pg_stat_activity WHERE datname = 'tenure' AND pid <> pg_backend_pid()";
    assert_eq!(postgres.sql(clients), "t", "two servers share five connections");
}

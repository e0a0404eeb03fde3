//! A deployment that lived on a file moves to PostgreSQL and back: nothing is missing, the log is whole, products go on.

use std::{
    fs::{self, File},
    path::Path,
    process::Command,
};

use tenure_license::{Outcome, ReportStage};
use tenure_sim::product::Attempt;
use tenure_testkit::wait_for;

use crate::support::{
    market::{Deployment, PERIOD},
    postgres::Postgres,
    process::{BOUND, Process, output, run, tenure},
};

#[test]
fn a_deployment_moves_to_postgres_also_when_it_is_cut_off() {
    let mut deployment = Deployment::new();
    let mut server = deployment.serve("127.0.0.1:0");
    let mut products = deployment.products(&server.url(), 3);
    let mut reports = Vec::new();
    for (product, count) in products.iter_mut().zip(7..) {
        let report = product.report(PERIOD, 1, None, ReportStage::Preliminary, "host", count);
        let body = product.exchange(deployment.now, vec![report.clone()]);
        let Ok(Attempt::Answered(_)) = product.attempt(&server.url(), &body) else { panic!("it is answered") };
        reports.push(report);
    }
    let counts = deployment.counts(&server.url());
    let source = of_file(&deployment.data_dir());
    let postgres = Postgres::start();
    refused(&mut migrate(&source, &postgres.url()), "a server runs on");
    server.process.terminate();
    assert_eq!(server.process.ended(BOUND), Some(0));

    cut_off(&deployment, &postgres);
    // What is half there is not served.
    refused(&mut serve(&deployment, &postgres), "half moved");
    let said = run(&mut migrate(&source, &postgres.url()));
    assert!(said.contains("the log is whole") && !said.contains("moved before 0"), "{said}");
    // A deployment is never written over, not by itself either.
    refused(&mut migrate(&source, &postgres.url()), "already holds a deployment");

    let verify = || {
        run(tenure()
            .args(["audit", "verify", "--database", &postgres.url()])
            .arg("--witness")
            .arg(deployment.path("server-witness")))
    };
    verify();
    let mut served = {
        let (process, line) = Process::until_line(&mut serve(&deployment, &postgres), &deployment.path("pg.log"));
        let url = line.strip_prefix("listening on ").expect("where it listens").to_owned();
        assert_eq!(deployment.counts(&url), counts, "the months are the same");
        // Products go on: the chain continues, and what was sent before is known.
        for (product, report) in products.iter_mut().zip(&reports) {
            let more = product.report(PERIOD, 2, Some(report.hash()), ReportStage::Preliminary, "host", 30);
            let body = product.exchange(deployment.now, vec![report.clone(), more]);
            let Ok(Attempt::Answered(answer)) = product.attempt(&url, &body) else { panic!("it is answered") };
            let outcomes: Vec<Outcome> = answer.docs.iter().map(|document| document.outcome).collect();
            assert_eq!(outcomes, [Outcome::Repeated, Outcome::Accepted]);
        }
        process
    };
    served.terminate();
    assert_eq!(served.ended(BOUND), Some(0));
    verify();
    let lanes = postgres.sql("SELECT count(*), count(*) FILTER (WHERE n > 0) > 1 FROM audit_lane");
    assert_eq!(lanes, "16|t", "its writers do not wait for one lane");
}

#[test]
fn a_target_that_is_somebodys_is_refused() {
    let (source, other) = (Deployment::new(), Deployment::new());
    let postgres = Postgres::start();
    let from = of_file(&source.data_dir());
    refused(&mut migrate(&from, &of_file(&other.data_dir())), "of one engine");
    postgres.sql("CREATE TABLE theirs (id BIGINT PRIMARY KEY)");
    refused(&mut migrate(&from, &postgres.url()), "tables of another program");
    assert_eq!(postgres.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "1");
    postgres.sql("DROP TABLE theirs");
    cut_off(&source, &postgres);
    refused(&mut migrate(&of_file(&other.data_dir()), &postgres.url()), "another deployment is half moved");
    refused(&mut migrate(&of_file(&source.path("nowhere")), &postgres.url()), "is not there");
}

/// Starts a move and kills it when it has moved some tables and cannot move the others.
fn cut_off(deployment: &Deployment, postgres: &Postgres) {
    // A source without anything makes the tables, so that one can be held.
    let nothing = deployment.path("nothing");
    fs::create_dir_all(&nothing).expect("a directory");
    File::create(nothing.join("tenure.db")).expect("a file");
    refused(&mut migrate(&of_file(&nothing), &postgres.url()), "holds no deployment");
    let held = postgres.hold("receipted");
    let source = of_file(&deployment.data_dir());
    let mut cut = Process::start(&mut migrate(&source, &postgres.url()), &deployment.path("cut.log"));
    wait_for("the first rows", BOUND, || {
        assert!(cut.is_running(), "it ended: {}", cut.log());
        let moved = "SELECT count(*) FROM meta WHERE key = 'transfer.table.audit_entry'";
        (postgres.sql(moved) != "0").then_some(())
    });
    cut.kill();
    drop(held);
}

fn of_file(dir: &Path) -> String {
    format!("sqlite:{}", dir.join("tenure.db").display())
}

fn migrate(from: &str, to: &str) -> Command {
    let mut command = tenure();
    command.args(["migrate-data", "--from", from, "--to", to]);
    command
}

/// Fails, and says so.
#[track_caller]
fn refused(command: &mut Command, why: &str) {
    let output = output(command);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains(why), "{command:?}: {output:?}");
}

/// The server of the same deployment, on the database it moved to.
fn serve(deployment: &Deployment, postgres: &Postgres) -> Command {
    let mut command = tenure();
    command.args(["serve", "--listen", "127.0.0.1:0", "--database", &postgres.url()]);
    command.arg("--key-file").arg(deployment.path("server.key"));
    command.arg("--test-clock").arg(deployment.clock_file()).current_dir(deployment.path(""));
    command
}

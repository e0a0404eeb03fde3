//! A day-old backup, taken under load, is put back: agents send again what was lost, no serial is given twice, and no
//! license goes back on any product (C6, C7, E1, E3), all of it with real processes over real HTTP.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use serde_json::Value;
use tenure_agent::{
    Activation, LicenseKeeper, Parts, Settings, Status,
    http::{HttpTransport, Timeouts},
    journal::MemoryJournal,
    system::TestClock,
};
use tenure_core::{Clock, Day, Policy, Timestamp};
use tenure_license::{Envelope, HostFacts, ReportStage};
use tenure_server::SystemRng;
use tenure_sim::{
    estate::{Estate, EstateCollector},
    product::{Attempt, Product},
};
use tenure_testkit::wait_for;

use crate::support::{
    market::{Deployment, PERIOD},
    process::{BOUND, output, run, tenure},
};

const AGENTS: usize = 4;

/// An agent and all licenses it ever held.
struct Fleet {
    agents: Vec<(LicenseKeeper, Vec<Status>)>,
}

impl Fleet {
    fn join(deployment: &Deployment, url: &str, root: &Envelope) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(TestClock::open(deployment.clock_file()).expect("a clock"));
        let agents = deployment.codes(url, AGENTS).into_iter().enumerate().map(|(n, code)| {
            let host = format!("bkp-{n:02}.northlight.example");
            let counts = [("host".to_owned(), String::new(), 9 + n as u32)];
            let estate = Estate::new(&host, &counts, Day::of(clock.now()).plus(-20));
            let mut keeper = LicenseKeeper::assemble(Parts {
                journal: Box::new(MemoryJournal::forgetful()),
                transport: Box::new(HttpTransport::new(
                    true,
                    Timeouts::default(),
                    &tenure_agent::network::Network::default(),
                )),
                collectors: vec![Box::new(EstateCollector::new(estate, Arc::clone(&clock)))],
                clock: Arc::clone(&clock),
                rng: Arc::new(SystemRng),
                settings: Settings {
                    product: "file-backup".to_owned(),
                    product_version: "1.0".to_owned(),
                    servers: vec![url.to_owned()],
                    auto_update: true,
                    license_file: None,
                    host: HostFacts { name: host, ..HostFacts::default() },
                    policy: Policy::default(),
                },
                root: root.clone(),
            })
            .expect("an agent");
            assert!(matches!(keeper.activate(&code), Ok(Activation::Active)), "it activates");
            (keeper, Vec::new())
        });
        Self { agents: agents.collect() }
    }

    /// Lets everything happen that is due at the clock's instant, and notes what each product then shows.
    fn tick(&mut self) {
        for (keeper, seen) in &mut self.agents {
            for _ in 0..4 {
                keeper.tick().expect("an agent goes on");
            }
            seen.push(keeper.status());
        }
    }

    /// What each product showed, in order: (epoch, serial) and the end of validity never fall.
    fn never_went_back(&self) {
        for (_, seen) in &self.agents {
            for pair in seen.windows(2) {
                let of = |status: &Status| ((status.epoch, status.serial), status.expires_at);
                let ((serial, end), (next_serial, next_end)) = (of(&pair[0]), of(&pair[1]));
                assert!(serial <= next_serial && end <= next_end, "{:?} then {:?}", of(&pair[0]), of(&pair[1]));
            }
        }
    }
}

#[test]
fn a_day_old_backup_taken_under_load_is_restored_without_loss() {
    let mut deployment = Deployment::new();
    let mut server = deployment.serve("127.0.0.1:0");
    let (address, url) = (server.address.to_string(), server.url());
    let busy = deployment.join(&url, 2);
    deployment.set("2026-01-05T10:00:00Z");
    let mut fleet = Fleet::join(&deployment, &url, &deployment.root());
    let day = |text: &str| text.parse::<Timestamp>().expect("an instant");
    live(&deployment, &mut fleet, day("2026-01-05T10:00:00Z"), day("2026-02-01T00:30:00Z"));

    // The backup is taken while two products hammer the server.
    let backup = deployment.path("backup.db");
    let load = Load::start(busy, &url, deployment.now);
    load.until_it_runs();
    let said = run(tenure().arg("backup").arg("--data-dir").arg(deployment.data_dir()).arg("--to").arg(&backup));
    let in_backup = entries(&said);
    let again = output(tenure().arg("backup").arg("--data-dir").arg(deployment.data_dir()).arg("--to").arg(&backup));
    assert_eq!(again.status.code(), Some(1), "a backup overwrites nothing");
    load.stop();

    // A day and more of life that the backup does not know: reports, receipts, extended licenses.
    live(&deployment, &mut fleet, day("2026-02-01T01:00:00Z"), day("2026-02-05T06:00:00Z"));
    for (keeper, _) in &mut fleet.agents {
        let status = keeper.status();
        assert_eq!(status.reported_through, Some(PERIOD), "{}", status.sentence);
        assert_eq!(status.unsent_documents, 0);
    }
    let before = deployment.counts(&url);
    assert!(before.len() >= AGENTS, "{before:?}");
    // Anchored outside, and seen by a product, beyond what the backup knows.
    deployment.set("2026-02-05T06:30:00Z");
    wait_for("the log to be anchored outside", BOUND, || {
        let text = fs::read_to_string(deployment.path("server-witness/high-water.json")).ok()?;
        let kept: Value = serde_json::from_str(&text).ok()?;
        (kept["lanes"]["0"].as_u64()? > in_backup).then_some(())
    });
    fleet.agents[0].0.check_in_now().expect("it is answered");
    let seen = deployment.path("seen.json");
    let witness = fleet.agents[0].0.status().checkpoint.expect("an answer named a checkpoint");
    fs::write(&seen, serde_json::to_string(&witness).expect("JSON")).expect("a file");

    server.process.kill();
    // Put back by hand, it is refused; restored, it begins an epoch.
    let data = deployment.data_dir();
    fs::copy(&backup, data.join("tenure.db")).expect("a copy by hand");
    for log in ["tenure.db-wal", "tenure.db-shm"] {
        let _ = fs::remove_file(data.join(log));
    }
    let refused = output(
        tenure()
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(&data)
            .arg("--test-clock")
            .arg(deployment.clock_file()),
    );
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && words.contains("tenure restore"), "{words}");
    let restored = run(tenure()
        .args(["restore", "--json", "--why", "the disk died", "--data-dir"])
        .arg(&data)
        .arg("--from")
        .arg(&backup)
        .arg("--test-clock")
        .arg(deployment.clock_file()));
    let restored: Value = serde_json::from_str(&restored).expect("JSON");
    assert_eq!(restored["epoch"], 2);
    assert!(restored["missing"]["0"].as_u64() > Some(0), "{restored}");

    server = deployment.serve(&address);
    live(&deployment, &mut fleet, day("2026-02-05T07:00:00Z"), day("2026-02-19T00:00:00Z"));
    fleet.never_went_back();
    for (keeper, _) in &mut fleet.agents {
        let status = keeper.status();
        assert_eq!((status.reported_through, status.unsent_documents), (Some(PERIOD), 0), "{}", status.sentence);
        assert_eq!(status.last_error, None);
    }
    let after = deployment.counts(&url);
    for (installation, count) in &before {
        assert_eq!(after.get(installation), Some(count), "{installation}");
    }
    assert_eq!(serials_twice(&fleet), BTreeMap::new());

    // The log is whole, and says itself what a product remembers of the time that was lost.
    let mut verify = tenure();
    verify.args(["audit", "verify", "--json", "--data-dir"]).arg(&data).arg("--checkpoint").arg(&seen);
    let report: Value = serde_json::from_str(&run(&mut verify)).expect("JSON");
    assert_eq!(report["findings"], Value::Array(Vec::new()), "{report}");
    assert!(report["notes"].to_string().contains("the disk died"), "{report}");
    let doctor = output(
        tenure().args(["doctor", "--json", "--data-dir"]).arg(&data).arg("--test-clock").arg(deployment.clock_file()),
    );
    let checks: Value = serde_json::from_slice(&doctor.stdout).expect("JSON");
    assert!(doctor.status.success(), "{checks}");
    drop(server);
}

/// An operator restores as root; the server runs as another user, whose the directories are.
#[test]
fn what_root_restores_belongs_to_whom_the_directory_belongs_to() {
    const USER: u32 = 41_234;
    let deployment = Deployment::new();
    let (data, witness) = (deployment.data_dir(), deployment.path("server-witness"));
    let backup = deployment.path("backup.db");
    fs::create_dir_all(&witness).expect("a directory");
    for dir in [&data, &witness] {
        chown(dir, Some(USER), Some(USER)).expect("this test gives a directory away, which needs root");
    }
    run(tenure().arg("backup").arg("--data-dir").arg(&data).arg("--to").arg(&backup));
    // A link to a file of root's is not what was restored, so it stays root's.
    let other = deployment.path("of-root");
    fs::write(&other, "x").expect("a file");
    let _ = fs::remove_file(data.join("tenure.lock"));
    std::os::unix::fs::symlink(&other, data.join("tenure.lock")).expect("a link");
    let restore = || {
        let mut command = tenure();
        command.args(["restore", "--from"]).arg(&backup).arg("--data-dir").arg(&data);
        command.arg("--test-clock").arg(deployment.clock_file());
        command
    };
    assert!(!output(&mut restore()).status.success(), "it does not follow the link");
    fs::remove_file(data.join("tenure.lock")).expect("the link goes");
    run(&mut restore());
    let owner = |path: &Path| fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).uid();
    for name in ["tenure.db", "tenure.lock"] {
        assert_eq!(owner(&data.join(name)), USER, "{name}");
    }
    for name in ["high-water.json", "last-backup.json"] {
        assert_eq!(owner(&witness.join(name)), USER, "{name}");
    }
    assert_eq!((owner(&other), owner(&backup)), (0, 0));
    let left: Vec<String> = fs::read_dir(&data)
        .expect("the directory")
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.metadata().expect("it is there").uid() == 0)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.contains("before-restore"))
        .collect();
    assert!(left.is_empty(), "root's: {left:?}");
}

/// How many entries of the log `tenure backup` says it verified.
fn entries(said: &str) -> u64 {
    let count = said.split(": ").last().and_then(|words| words.split(' ').next());
    count.and_then(|count| count.parse().ok()).expect("a count of entries")
}

/// (epoch, serial) pairs of one license that stand for different ends of validity.
fn serials_twice(fleet: &Fleet) -> BTreeMap<String, usize> {
    let mut ends = BTreeMap::<String, std::collections::BTreeSet<Option<Timestamp>>>::new();
    for (_, seen) in &fleet.agents {
        for status in seen {
            let name = format!("{:?} {:?} {:?}", status.license, status.epoch, status.serial);
            ends.entry(name).or_default().insert(status.expires_at);
        }
    }
    ends.into_iter().filter(|(_, ends)| ends.len() > 1).map(|(name, ends)| (name, ends.len())).collect()
}

/// Six hours at a time.
fn live(deployment: &Deployment, fleet: &mut Fleet, from: Timestamp, until: Timestamp) {
    let mut now = from;
    while now <= until {
        deployment.set_to(now);
        fleet.tick();
        now = now.plus_secs(6 * 3600);
    }
}

/// Products that check in as fast as they are answered.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Load {
    fn start(products: Vec<Product>, url: &str, now: Timestamp) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let threads = products.into_iter().map(|mut product| {
            let (url, stop, answered) = (url.to_owned(), Arc::clone(&stop), Arc::clone(&answered));
            thread::spawn(move || {
                let mut before = None;
                for revision in 1.. {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let report = product.report(PERIOD, revision, before, ReportStage::Preliminary, "host", 5);
                    before = Some(report.hash());
                    let body = product.exchange(now, vec![report]);
                    match product.attempt(&url, &body).expect("nothing wrong comes back") {
                        Attempt::Answered(_) => answered.fetch_add(1, Ordering::SeqCst),
                        Attempt::NotReached(why) => panic!("the server answers under load: {why}"),
                    };
                }
            })
        });
        Self { threads: threads.collect(), stop, answered }
    }

    fn until_it_runs(&self) {
        wait_for("load", BOUND, || (self.answered.load(Ordering::SeqCst) > 50).then_some(()));
    }

    fn stop(self) {
        let before = self.answered.load(Ordering::SeqCst);
        assert!(before > 50, "the load went on");
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads {
            thread.join().expect("nobody met anything wrong");
        }
    }
}

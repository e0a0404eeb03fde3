//! The real parts together: files, sockets, HTTP, restic.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command as Process,
    sync::Arc,
};

use tenure_agent::{
    AgentError, LicenseKeeper, Parts, Settings, Standing, clock_for,
    collect::{Identity, ResticCollector, ResticConfig},
    control::{Command, ask_daemon},
    journal::{FileJournal, JournalError},
    system::SystemRng,
};
use tenure_core::{Day, Period, Policy, Timestamp};
use tenure_license::{HostFacts, ReportStage};

use crate::{
    peer::Peer,
    site::Site,
    world::{MachineClock, TestClock, TestRng, at},
};

#[test]
fn a_daemon_lives_through_a_month_on_files_and_http() {
    let site = Site::new();
    assert_eq!(site.glance().status().standing, Standing::NotActivated);
    site.activate();
    site.run();
    // One process has the journal; others look, or ask.
    let second = LicenseKeeper::open(&site.config, site.clock(), Arc::new(SystemRng));
    assert!(matches!(second.err(), Some(AgentError::Journal(JournalError::Locked(_)))));
    let socket = site.config.socket_path();
    let outcome = ask_daemon(&socket, &Command::UpdateNow).unwrap().unwrap();
    assert!(outcome.done && outcome.installed == Some(false), "{outcome:?}");

    site.live_until("2026-01-11T01:30:00Z", "2026-02-02T08:00:00Z");
    let january: Period = "2026-01".parse().unwrap();
    let report = site.glance().report(january);
    assert_eq!((report.stage, report.lines[0].raw, report.observed_days), (Some(ReportStage::Preliminary), 0, 22));
    assert_eq!(report.lines[0].new, 3, "first seen on the day of activation");
    let outcome = ask_daemon(&socket, &Command::ReportSend { period: january }).unwrap().unwrap();
    assert!(outcome.done && outcome.sentence.contains("the server received it"), "{outcome:?}");
    let refused = ask_daemon(&socket, &Command::ReportPostpone { period: january }).unwrap().unwrap();
    assert!(!refused.done && refused.sentence.contains("sent as final already"), "{refused:?}");

    let status = site.glance().status();
    assert_eq!((status.reported_through, status.serial), (Some(january), Some(2)));
    let text = fs::read_to_string(site.config.license_path()).unwrap();
    let license = tenure_license::LicenseFile::parse(&text).unwrap();
    let license = site.peer.server().verifier().verify_license(&license).unwrap();
    assert_eq!(Some(Timestamp::from_secs(license.expires_at)), status.expires_at);

    site.peer.server().silent = true;
    let outcome = ask_daemon(&socket, &Command::UpdateNow).unwrap().unwrap();
    assert!(!outcome.done && outcome.at.is_some(), "{outcome:?}");
    let json = serde_json::to_value(site.glance().status()).unwrap();
    for field in ["state", "days_of_grace", "expires_at", "sentence", "last_contact", "last_error", "next_check_in"] {
        assert!(json.get(field).is_some(), "{field}");
    }
    assert!(json["last_error"].as_str().unwrap().contains("127.0.0.1"), "{json}");
}

#[test]
fn a_test_clock_is_only_for_test_deployments() {
    let site = Site::new();
    let root = site.peer.root();
    assert!(clock_for(&root, None).is_ok());
    let mut payload: tenure_license::TrustRoot = tenure_license::decode_payload(&root.payload).unwrap();
    payload.test_clock = false;
    let real = tenure_license::sign(&payload, &[&site.peer.server().root_key]).into_envelope();
    let refused = clock_for(&real, Some(&site.path("clock")));
    assert!(matches!(refused.err(), Some(AgentError::NotATestDeployment)));
}

/// A restic repository whose snapshots are dated.
struct Repository<'a> {
    dir: &'a Path,
}

impl Repository<'_> {
    fn restic(&self, arguments: &[&str]) -> Vec<u8> {
        let (repo, password) = (self.dir.join("repo"), self.dir.join("password"));
        let output = Process::new("restic")
            .args(["--no-cache", "--repo"])
            .arg(repo)
            .arg("--password-file")
            .arg(password)
            .args(arguments)
            .output()
            .expect("restic is installed");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }
    fn backup(&self, host: &str, time: &str) {
        let data = self.dir.join("data");
        self.restic(&["backup", "--host", host, "--time", time, data.to_str().unwrap()]);
    }
    /// What restic itself lists: host and day of each snapshot.
    fn snapshots(&self) -> Vec<(String, Day)> {
        let json = self.restic(&["snapshots", "--json", "--no-lock"]);
        let list: Vec<BTreeMap<String, serde_json::Value>> = serde_json::from_slice(&json).unwrap();
        let text = |one: &BTreeMap<String, serde_json::Value>, name: &str| one[name].as_str().unwrap().to_owned();
        list.iter().map(|one| (text(one, "hostname"), Day::of(at(&text(one, "time"))))).collect()
    }
}

#[test]
fn a_month_of_restic_equals_what_restic_says() {
    let dir = tempfile::tempdir().unwrap();
    let repository = Repository { dir: dir.path() };
    fs::write(dir.path().join("password"), "x").unwrap();
    fs::create_dir(dir.path().join("data")).unwrap();
    fs::write(dir.path().join("data/file"), "content").unwrap();
    repository.restic(&["init"]);
    for (host, time) in [
        ("old", "2025-11-20 03:00:00"),
        ("steady", "2025-12-15 03:00:00"),
        ("steady", "2026-01-12 03:00:00"),
        ("leaving", "2025-12-18 03:00:00"),
        ("fresh", "2026-01-14 22:00:00"),
    ] {
        repository.backup(host, time);
    }
    let truth = TestClock::new(at("2026-01-10T08:00:00Z"));
    let peer = Peer::new(truth.clone(), TestRng::new(9));
    let machine = MachineClock::new(truth.clone());
    let open = || {
        let collector = ResticCollector::new(ResticConfig {
            repository: dir.path().join("repo").to_str().unwrap().into(),
            password_file: dir.path().join("password"),
            workload: "vm".into(),
            variant: String::new(),
            identity: Identity::Host,
            company: String::new(),
            program: "restic".into(),
            timeout_secs: 60,
            environment: BTreeMap::from([("RESTIC_CACHE_DIR".into(), dir.path().join("cache").display().to_string())]),
        });
        LicenseKeeper::assemble(Parts {
            journal: Box::new(FileJournal::open(&dir.path().join("journal")).unwrap()),
            transport: Box::new(peer.clone()),
            collectors: vec![Box::new(collector)],
            clock: machine.clone(),
            rng: TestRng::new(3),
            settings: Settings {
                product: "backup".into(),
                product_version: String::new(),
                servers: Vec::new(),
                auto_update: true,
                license_file: None,
                host: HostFacts::default(),
                policy: Policy::default(),
            },
            root: peer.root(),
        })
        .unwrap()
    };
    let mut keeper = open();
    keeper.activate(&peer.code()).unwrap();
    truth.set(at("2026-01-16T02:00:00Z"));
    keeper.tick().unwrap();
    let mut listed: BTreeSet<(String, Day)> = repository.snapshots().into_iter().collect();
    // The agent is off; a snapshot is made, and the repository is tidied of a host that counted.
    drop(keeper);
    repository.backup("late", "2026-01-28 03:00:00");
    repository.restic(&["forget", "--host", "fresh", "--keep-within", "1d", "--group-by", "host"]);
    repository.restic(&["forget", "--host", "steady", "--keep-last", "1", "--group-by", "host"]);
    listed.extend(repository.snapshots());
    truth.set(at("2026-02-03T13:00:00Z"));
    let mut keeper = open();
    keeper.tick().unwrap();

    let january: Period = "2026-01".parse().unwrap();
    let reports = peer.reports();
    let report = reports.values().find(|report| report.stage == ReportStage::Final).unwrap();
    let line = &report.lines[0];
    for (day, counted) in january.days().zip(&line.daily).skip(9) {
        let on_day: BTreeSet<&str> =
            listed.iter().filter(|(_, at)| *at <= day && day < at.plus(31)).map(|(host, _)| host.as_str()).collect();
        let known = |host: &str| listed.iter().any(|(name, at)| name == host && at.period() < january);
        let expected = on_day.iter().filter(|host| known(host)).count() as u32;
        assert_eq!(*counted, Some(expected), "{day}");
    }
    assert_eq!((line.raw, line.new), (2, 2), "steady and leaving; fresh and late are new, forgotten or not");
    assert_eq!(report.heads.len(), 22, "each day since the activation, also those on which the agent was off");
}

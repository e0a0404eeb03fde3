//! With the real program: Debian's restic must be installed.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::*;

struct Repository {
    dir: tempfile::TempDir,
}

impl Repository {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("password"), "not a secret").unwrap();
        fs::create_dir(dir.path().join("data")).unwrap();
        fs::write(dir.path().join("data/file"), "content").unwrap();
        let repository = Self { dir };
        repository.restic(&["init"]);
        repository
    }
    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }
    fn restic(&self, arguments: &[&str]) {
        let output = Command::new("restic")
            .args(["--no-cache", "--repo", &self.path("repo"), "--password-file", &self.path("password")])
            .args(arguments)
            .output()
            .expect("restic is installed");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    fn backup(&self, host: &str, time: &str) {
        self.restic(&["backup", "--host", host, "--time", time, &self.path("data")]);
    }
    fn config(&self) -> ResticConfig {
        ResticConfig {
            repository: self.path("repo"),
            password_file: self.path("password").into(),
            workload: "server".into(),
            variant: String::new(),
            identity: Identity::Host,
            company: "Contoso".into(),
            program: default_program(),
            timeout_secs: default_timeout_secs(),
            environment: BTreeMap::from([("RESTIC_CACHE_DIR".into(), self.path("cache"))]),
        }
    }
}

fn hosts_and_times(sightings: Vec<Sighting>) -> Vec<(String, String)> {
    let mut list: Vec<_> = sightings.into_iter().map(|sighting| (sighting.id, sighting.at.to_string())).collect();
    list.sort();
    list
}

#[test]
fn each_snapshot_is_a_sighting_at_its_own_time() {
    let repository = Repository::new();
    let mut collector = ResticCollector::new(repository.config());
    assert_eq!(collector.collect(Timestamp::EPOCH, Timestamp::EPOCH).unwrap(), [], "an empty repository is an answer");
    repository.backup("alpha", "2026-01-05 10:00:00");
    repository.backup("alpha", "2026-02-05 10:00:00");
    repository.backup("beta", "2025-11-30 23:59:59");
    let pair = |host: &str, time: &str| (host.to_owned(), time.to_owned());
    let collected = collector.collect(Timestamp::EPOCH, Timestamp::EPOCH).unwrap();
    assert!(collected.iter().all(|sighting| sighting.workload == "server" && sighting.company == "Contoso"));
    let expected = [
        pair("alpha", "2026-01-05T10:00:00Z"),
        pair("alpha", "2026-02-05T10:00:00Z"),
        pair("beta", "2025-11-30T23:59:59Z"),
    ];
    assert_eq!(hosts_and_times(collected), expected);

    let by_path = ResticConfig { identity: Identity::HostAndPath, ..repository.config() };
    let collected = ResticCollector::new(by_path).collect(Timestamp::EPOCH, Timestamp::EPOCH).unwrap();
    assert_eq!(collected[0].id.split_once(':').unwrap().1, repository.path("data"));

    repository.restic(&["forget", "--host", "beta", "--keep-within", "1d", "--prune", "--group-by", "host"]);
    repository.restic(&["forget", "--host", "alpha", "--keep-last", "1", "--group-by", "host"]);
    let left = hosts_and_times(collector.collect(Timestamp::EPOCH, Timestamp::EPOCH).unwrap());
    assert!(left.contains(&pair("alpha", "2026-02-05T10:00:00Z")) && !left.contains(&expected[0]), "{left:?}");
}

#[test]
fn says_why_it_cannot_list() {
    let repository = Repository::new();
    let problem = |config: ResticConfig| {
        ResticCollector::new(config).collect(Timestamp::EPOCH, Timestamp::EPOCH).unwrap_err().to_string()
    };
    let elsewhere = problem(ResticConfig { repository: repository.path("nowhere"), ..repository.config() });
    assert!(elsewhere.contains("exit status: 1") && elsewhere.contains("repository"), "{elsewhere}");
    fs::write(repository.path("wrong"), "wrong").unwrap();
    let refused = problem(ResticConfig { password_file: repository.path("wrong").into(), ..repository.config() });
    assert!(refused.contains("password"), "{refused}");
    let no_program = problem(ResticConfig { program: "/nonexistent/restic".into(), ..repository.config() });
    assert!(no_program.starts_with("cannot run /nonexistent/restic: "), "{no_program}");
}

fn script(dir: &Path, body: &str) -> PathBuf {
    let path = dir.join("fake-restic");
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_listing_that_hangs_or_makes_no_sense_is_given_up() {
    let repository = Repository::new();
    let run = |body: &str| {
        let program = script(repository.dir.path(), body);
        let config = ResticConfig { program, timeout_secs: 1, ..repository.config() };
        ResticCollector::new(config).collect(Timestamp::EPOCH, Timestamp::EPOCH)
    };
    assert!(run("exec sleep 60").unwrap_err().to_string().ends_with("no answer within 1 s"));
    assert!(run("echo nonsense").unwrap_err().to_string().starts_with("the snapshot list is unreadable"));
    assert_eq!(run("echo null").unwrap(), []);
    let rows =
        r#"echo '[{"time":"never","hostname":"a","short_id":"11"},{"time":"2026-01-05T10:00:00Z","hostname":"b"}]'"#;
    let Err(CollectError::BadRows { good, bad }) = run(rows) else { panic!("a bad row went unnoticed") };
    assert_eq!((good.len(), bad[0].place.as_str()), (1, "snapshot 11"));
}

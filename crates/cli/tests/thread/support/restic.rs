//! A real restic repository with dated snapshots, and the test's own few lines that count what it says.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tenure_core::{Period, Timestamp};

/// A repository and everything its snapshots ever said.
pub(crate) struct Repository {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// The password's file.
    pub(crate) password_file: PathBuf,
    data: PathBuf,
    seen: BTreeSet<(String, Timestamp)>,
}

impl Repository {
    /// Makes an empty one in `dir`.
    pub(crate) fn init(dir: &Path) -> Self {
        let data = dir.join("data");
        fs::create_dir_all(&data).expect("a directory");
        fs::write(data.join("file"), "what is backed up").expect("a file");
        let password_file = dir.join("restic-password");
        fs::write(&password_file, "secret").expect("a file");
        let repository = Self { path: dir.join("repository"), password_file, data, seen: BTreeSet::new() };
        repository.restic(&["init"]);
        repository
    }

    /// A snapshot of a host at an instant, as `2026-01-12 10:00:00`.
    pub(crate) fn backup(&self, host: &str, at: &str) {
        let data = self.data.to_str().expect("UTF-8");
        self.restic(&["backup", "--host", host, "--time", at, data]);
    }

    /// Forgets all snapshots of a host.
    pub(crate) fn forget(&mut self, host: &str) {
        self.look();
        // restic 0.14 forgets by snapshot id; the ids come from its own list.
        let list: Value = serde_json::from_str(&self.restic(&["snapshots", "--json", "--host", host])).expect("JSON");
        let ids: Vec<&str> =
            list.as_array().expect("a list").iter().filter_map(|snapshot| snapshot["short_id"].as_str()).collect();
        assert!(!ids.is_empty(), "{host} has snapshots");
        let mut args = vec!["forget"];
        args.extend(&ids);
        self.restic(&args);
    }

    /// Reads what restic says now; what it said before is remembered.
    pub(crate) fn look(&mut self) {
        let list: Value = serde_json::from_str(&self.restic(&["snapshots", "--json"])).expect("JSON");
        for snapshot in list.as_array().expect("a list") {
            let host = snapshot["hostname"].as_str().expect("a host").to_owned();
            let at = snapshot["time"].as_str().expect("a time").parse().expect("an instant");
            self.seen.insert((host, at));
        }
    }

    /// The month's highest daily count of hosts, and its new hosts, counted the slow way: a host counts on a day when it
    /// has a snapshot in the 31 x 24 hours before the day's end, and was first seen before the month began.
    pub(crate) fn count(&self, period: Period) -> (u64, u64) {
        let mut by_host: BTreeMap<&str, Vec<Timestamp>> = BTreeMap::new();
        for (host, at) in &self.seen {
            by_host.entry(host).or_default().push(*at);
        }
        let first = |times: &[Timestamp]| times.iter().copied().min().expect("a snapshot");
        let mut highest = 0;
        for day in period.days() {
            let counted = by_host.values().filter(|times| {
                first(times) < period.start()
                    && times.iter().any(|at| *at < day.end() && *at >= day.end().plus_days(-31))
            });
            highest = highest.max(counted.count() as u64);
        }
        let new =
            by_host.values().filter(|times| first(times) >= period.start() && first(times) < period.end()).count();
        (highest, new as u64)
    }

    fn restic(&self, args: &[&str]) -> String {
        let output = Command::new("restic")
            .arg("--repo")
            .arg(&self.path)
            .arg("--password-file")
            .arg(&self.password_file)
            .args(["--no-cache", "--quiet"])
            .args(args)
            .env("TZ", "UTC")
            .output()
            .expect("restic runs: ./test installs it");
        assert!(output.status.success(), "restic {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

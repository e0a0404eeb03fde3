//! A data directory on a disk that fills up: nothing is acknowledged that is not durable, reads are served, and the server
//! goes on by itself once there is room (E9).

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use tenure_core::Clock;
use tenure_license::{Outcome, ReportStage};
use tenure_server::SystemClock;
use tenure_sim::product::Attempt;
use tenure_testkit::wait_for;

use crate::support::{
    market::{Deployment, PERIOD},
    process::{BOUND, output},
};

/// A file system of eight megabytes, gone with this value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Self {
        fs::create_dir_all(at).expect("a directory");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=8m", "tenure-test"]).arg(at);
        let mounted = output(&mut mount);
        assert!(mounted.status.success(), "this test mounts a tmpfs, which needs root: {mounted:?}");
        Self(at.to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server that a failed test leaves behind still holds files on it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn e9_a_full_disk_acknowledges_nothing_and_is_survived() {
    let mut deployment = Deployment::prepared(SmallDisk::mount);
    let server = deployment.serve("127.0.0.1:0");
    let url = server.url();
    let mut product = deployment.products(&url, 1).remove(0);
    let first = product.report(PERIOD, 1, None, ReportStage::Preliminary, "host", 7);
    let body = product.exchange(deployment.now, vec![first.clone()]);
    let Ok(Attempt::Answered(answer)) = product.attempt(&url, &body) else { panic!("there is room") };
    assert_eq!(answer.docs[0].outcome, Outcome::Accepted);

    let session = deployment.session(&url);
    let filler = deployment.data_dir().join("filler");
    fill(&filler);
    // Until nothing fits any more, whatever is acknowledged is there; then nothing is.
    let (mut before, mut acknowledged) = (first.hash(), 1);
    let mut waiting = None;
    for revision in 2..200 {
        let count = 7 + revision;
        let report = product.report(PERIOD, revision, Some(before), ReportStage::Preliminary, "host", count);
        let body = product.exchange(deployment.now, vec![report.clone()]);
        match product.attempt(&url, &body).expect("nothing wrong comes back") {
            Attempt::Answered(_) => (before, acknowledged) = (report.hash(), revision),
            Attempt::NotReached(why) => {
                assert!(why.contains("storage-full") || why.contains("storage-failed"), "{why}");
                waiting = Some((body, revision));
                break;
            }
        }
    }
    let (body, revision) = waiting.expect("the disk runs full");
    assert_eq!(revision, acknowledged + 1);
    wait_for("readyz to be red", BOUND, || (status(&url, "/readyz") == 503).then_some(()));
    assert_eq!(status(&url, "/healthz"), 200, "the process is alive");
    let kept = if acknowledged == 1 { 7 } else { 7 + acknowledged };
    let counts = Deployment::counts_in(&url, &session);
    assert_eq!(counts.get(&product.ins), Some(&u64::from(kept)), "reads are served, and say what was acknowledged");

    fs::remove_file(&filler).expect("there is room again");
    let clock = SystemClock::new();
    let freed = clock.boot();
    wait_for("readyz to be green", BOUND, || (status(&url, "/readyz") == 200).then_some(()));
    let answered = wait_for("the answer", BOUND, || match product.attempt(&url, &body) {
        Ok(Attempt::Answered(answer)) => Some(answer),
        _ => None,
    });
    let took_us = clock.boot().elapsed_us - freed.elapsed_us;
    assert!(took_us < 30_000_000, "it took {took_us} us");
    assert_eq!(answered.docs[0].outcome, Outcome::Accepted, "it was not half taken before");
    assert_eq!(deployment.counts(&url).get(&product.ins).copied(), Some(u64::from(7 + revision)));
}

#[test]
fn e9_readyz_is_red_within_seconds_of_a_full_disk_that_nobody_writes_to() {
    let mut deployment = Deployment::prepared(SmallDisk::mount);
    let server = deployment.serve("127.0.0.1:0");
    let url = server.url();
    wait_for("readyz to be green", BOUND, || (status(&url, "/readyz") == 200).then_some(()));
    fill(&deployment.data_dir().join("filler"));
    let clock = SystemClock::new();
    let full = clock.boot();
    wait_for("readyz to be red", BOUND, || (status(&url, "/readyz") == 503).then_some(()));
    let took_us = clock.boot().elapsed_us - full.elapsed_us;
    assert!(took_us < 5_000_000, "it took {took_us} us");
}

/// Takes all the room there is, down to the last bytes.
fn fill(path: &Path) {
    let mut file = File::create(path).expect("a file");
    for size in [1 << 16, 1 << 12, 1 << 8, 1] {
        let block = vec![0; size];
        while file.write_all(&block).is_ok() {}
    }
}

fn status(url: &str, path: &str) -> u16 {
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    config.new_agent().get(format!("{url}{path}")).call().map_or(0, |answer| answer.status().as_u16())
}

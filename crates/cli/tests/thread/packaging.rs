//! The Debian package, in the long run: built, installed, run, upgraded and removed.

use std::{path::Path, process::Command};

use crate::support::process::run;

/// Builds the package of this binary's profile, in a root of its own; the machine is not changed.
#[test]
fn soak_the_package_installs_runs_upgrades_and_goes() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/check-deb");
    let said = run(Command::new(script).args(["--profile", "dev"]));
    assert!(said.contains("the package installs, runs, upgrades and goes"), "{said}");
}

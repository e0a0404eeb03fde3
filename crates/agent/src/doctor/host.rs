//! Files, their permissions, the disk, the daemon.

use std::{
    fs, io,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        net::UnixStream,
    },
    path::Path,
};

use super::Findings;
use crate::config::Config;

/// Below this the journal may not be written soon, in bytes.
const DISK_FAIL: u64 = 16 * 1024 * 1024;
const DISK_WARN: u64 = 256 * 1024 * 1024;
/// A journal is compacted long before this, in bytes.
const JOURNAL_WARN: u64 = 512 * 1024 * 1024;

pub(super) fn examine(config: &Config, findings: &mut Findings) {
    data_directory(config, findings);
    disk(&config.data_dir, findings);
    journal(config, findings);
    license_file(config, findings);
    let of_collectors = config.collectors.iter().flat_map(|collector| collector.secret_files());
    let of_network = config.network.proxy_password_file.as_deref();
    for path in of_collectors.chain(of_network) {
        secret(path, findings);
    }
    daemon(config, findings);
}

fn data_directory(config: &Config, findings: &mut Findings) {
    let dir = &config.data_dir;
    let shown = dir.display();
    match fs::metadata(dir) {
        Ok(found) if found.permissions().mode() & 0o077 != 0 => findings.warn(
            "data directory",
            format!(
                "{shown} is open to other users (mode {:o}); the installation's key lies in it",
                found.permissions().mode() & 0o777
            ),
            format!("Run `chmod 700 {shown}`."),
        ),
        Ok(_) => findings.ok("data directory", format!("{shown}, for its owner alone")),
        Err(error) => {
            findings.fail("data directory", format!("{shown}: {error}"), "Run as the user who runs the agent.");
        }
    }
}

fn disk(dir: &Path, findings: &mut Findings) {
    let found = match rustix::fs::statvfs(dir) {
        Ok(found) => found,
        Err(error) => {
            return findings.warn("disk", format!("its space cannot be told: {error}"), "Look at it by hand.");
        }
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let says = format!("{} MiB free", free / (1024 * 1024));
    let advice = "Make room: without it nothing can be counted, sent or installed.";
    // File systems without a table of inodes say 0 of 0.
    let no_inodes = found.f_files > 0 && found.f_favail < 100;
    if free < DISK_FAIL || no_inodes {
        findings.fail("disk", if no_inodes { format!("{says}, and no inodes left") } else { says }, advice);
    } else if free < DISK_WARN {
        findings.warn("disk", says, advice);
    } else {
        findings.ok("disk", says);
    }
}

fn journal(config: &Config, findings: &mut Findings) {
    let dir = config.journal_dir();
    let entries = match fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return findings.fail("journal files", "there is none yet", "Run `tenure agent init`.");
        }
        Err(error) => {
            let says = format!("{}: {error}", dir.display());
            return findings.fail("journal files", says, "Run as the user who runs the agent.");
        }
    };
    let (mut bytes, mut owners, mut open) = (0, std::collections::BTreeSet::new(), false);
    for found in entries.flatten().filter_map(|entry| entry.metadata().ok()) {
        bytes += found.len();
        owners.insert(found.uid());
        open |= found.permissions().mode() & 0o077 != 0;
    }
    let says = format!("{} KiB in {}", bytes / 1024, dir.display());
    if owners.len() > 1 {
        let advice = format!("Run `chown -R` on {} for the user who runs the agent.", dir.display());
        findings.fail("journal files", format!("{says}; they belong to different users"), advice);
    } else if open {
        findings.warn(
            "journal files",
            format!("{says}; other users can read them"),
            format!("Run `chmod -R go= {}`.", dir.display()),
        );
    } else if bytes > JOURNAL_WARN {
        findings.warn(
            "journal files",
            format!("{says}, which is large"),
            "Restart the agent: it compacts when it starts.",
        );
    } else {
        findings.ok("journal files", says);
    }
}

fn license_file(config: &Config, findings: &mut Findings) {
    let path = config.license_path();
    match fs::read_to_string(&path) {
        Ok(text) => match tenure_license::LicenseFile::parse(&text) {
            Ok(_) => findings.ok("license file", path.display().to_string()),
            Err(error) => findings.warn(
                "license file",
                format!("{}: {error}", path.display()),
                "The agent writes it anew when it starts; the license itself is safe in the journal.",
            ),
        },
        Err(error) => findings.warn(
            "license file",
            format!("{}: {error}", path.display()),
            "It is written with the first license; see `license_file` in agent.toml.",
        ),
    }
}

fn secret(path: &Path, findings: &mut Findings) {
    let check = format!("secret {}", path.display());
    match fs::File::open(path).and_then(|file| file.metadata()) {
        Ok(found) if found.permissions().mode() & 0o007 != 0 => {
            findings.warn(
                check,
                "every user of this machine can read it",
                format!("Run `chmod o= {}`.", path.display()),
            );
        }
        Ok(_) => findings.ok(check, "readable, not by everybody"),
        Err(error) => findings.fail(check, error.to_string(), "Let the user who runs the agent read it."),
    }
}

fn daemon(config: &Config, findings: &mut Findings) {
    if UnixStream::connect(config.socket_path()).is_ok() {
        findings.ok("daemon", "it runs");
    } else {
        let advice = "Start `tenure agent run`, as a service; or let the product embed the agent.";
        findings.warn("daemon", "none runs here, so nothing is counted or sent by itself", advice);
    }
}

//! What makes this host this host, as salted hashes: they choose words on a page, never verdicts.

use std::{fs, path::Path};

use tenure_core::DeploymentId;
use tenure_license::{Hash, HostFacts};

/// Reads the host's facts. What cannot be read is left out.
pub fn facts(deployment: DeploymentId) -> HostFacts {
    let salted = |kind: &str, value: &str| Hash::sha256(format!("tenure host\0{deployment}\0{kind}\0{value}"));
    let file = |path: &str| fs::read_to_string(path).ok().map(|text| text.trim().to_owned()).filter(|t| !t.is_empty());
    let nics = network_cards(Path::new("/sys/class/net"));
    HostFacts {
        name: file("/proc/sys/kernel/hostname").unwrap_or_default(),
        machine: file("/etc/machine-id").map(|id| salted("machine", &id)),
        // A hypervisor gives a clone another one.
        vm_generation: file("/sys/class/dmi/id/product_uuid").map(|id| salted("vm", &id)),
        nic: (!nics.is_empty()).then(|| salted("nic", &nics.join(","))),
    }
}

/// Hardware addresses of the cards that have a device behind them, sorted.
fn network_cards(dir: &Path) -> Vec<String> {
    let cards = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let real = cards.filter(|card| card.join("device").exists());
    let mut addresses: Vec<String> = real.filter_map(|card| fs::read_to_string(card.join("address")).ok()).collect();
    addresses.sort();
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_stable_and_differ_per_deployment() {
        let deployment = |n| DeploymentId::from_uuid(uuid::Uuid::from_u128(n));
        let first = facts(deployment(1));
        assert_eq!(first, facts(deployment(1)));
        assert!(!first.name.is_empty());
        let other = facts(deployment(2));
        assert!(first.machine.is_none() || first.machine != other.machine);
    }
}

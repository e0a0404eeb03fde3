//! Which hosts an installation speaks from. A chain cannot tell two machines that share one journal from one (C14); facts
//! that alternate between hosts are shown to a person, and never suspend.

use tenure_core::Timestamp;
use tenure_license::{Hash, HostFacts};
use tenure_store::{
    Tx,
    rows::{chain::ChainRow, hosts_before},
};

use crate::{Result, change};

/// Hosts before the present one that are remembered, and returns to them.
const KEPT: usize = 8;

/// Whether two statements are of one host, by the strongest fact that both make. A service and a person's shell may read
/// different facts of one machine; what only one of them tells says nothing.
fn same(one: &HostFacts, other: &HostFacts) -> bool {
    let equal = |fact: fn(&HostFacts) -> Option<Hash>| fact(one).zip(fact(other)).map(|(one, other)| one == other);
    match (equal(|host| host.machine), equal(|host| host.vm_generation)) {
        (None, None) => equal(|host| host.nic).unwrap_or(true),
        (machine, generation) => machine.unwrap_or(true) && generation.unwrap_or(true),
    }
}

/// Remembers that an installation, which spoke from `was`, now speaks from `is`.
pub(super) async fn note(
    tx: &mut Tx,
    row: &ChainRow,
    (was, is): (&HostFacts, &HostFacts),
    now: Timestamp,
) -> Result<()> {
    if same(was, is) {
        return Ok(());
    }
    let mut known = hosts_before::find(tx, row.provider, row.installation).await?;
    let before: Vec<HostFacts> =
        known.hosts.iter().filter_map(|host| serde_json::from_value(host.clone()).ok()).collect();
    let returned = before.iter().any(|host| same(host, is));
    let kept = before.into_iter().filter(|host| !same(host, was) && !same(host, is)).chain([was.clone()]);
    known.hosts = kept.filter_map(|host| serde_json::to_value(host).ok()).collect();
    known.hosts.drain(..known.hosts.len().saturating_sub(KEPT));
    if returned {
        known.returns.push(now.as_micros());
        known.returns.drain(..known.returns.len().saturating_sub(KEPT));
        let body = serde_json::json!({ "left": was.name, "host": is.name, "returns": known.returns.len() });
        let subject = row.installation.to_string();
        change::record(tx, "server", row.provider, "installation.host_returned", subject, now, body);
    }
    Ok(hosts_before::update(tx, row.provider, row.installation, &known).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(machine: &str, generation: &str, nic: &str) -> HostFacts {
        let fact = |text: &str| (!text.is_empty()).then(|| Hash::sha256(text));
        HostFacts { name: String::new(), machine: fact(machine), vm_generation: fact(generation), nic: fact(nic) }
    }

    #[test]
    fn c14_hosts_are_told_apart_by_what_both_sides_say() {
        let whole = host("m", "v", "n");
        for alike in
            [host("m", "v", "other card"), host("m", "", ""), host("", "v", ""), host("", "", ""), whole.clone()]
        {
            assert!(same(&whole, &alike) && same(&alike, &whole), "{alike:?}");
        }
        for other in [host("x", "v", "n"), host("m", "x", "n"), host("x", "", ""), host("", "x", "n")] {
            assert!(!same(&whole, &other) && !same(&other, &whole), "{other:?}");
        }
        assert!(!same(&host("", "", "n"), &host("", "", "x")), "cards decide where nothing else is told");
    }
}

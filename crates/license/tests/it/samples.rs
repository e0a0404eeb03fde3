//! Keys from fixed seeds, a trust root made of them, and one example of each payload.

use tenure_license::{
    Envelope, Hash, KeyRole, License, Named, Payload, PublicKey, Receipt, Root, RootKey, SigningKey, TrustRoot, sign,
};

/// 2026-01-31T10:00:00Z, when everything here happens.
pub(crate) const NOW: i64 = 1_769_853_600;
pub(crate) const DAY: i64 = 86_400;

/// The same key for the same name, in every test and in the golden files.
pub(crate) fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(Hash::sha256(format!("tenure test key {name}")).as_bytes())
}

/// The keys that may sign roots: 2 of `root-a`, `root-b`, `root-c`.
pub(crate) fn root_keys() -> [SigningKey; 3] {
    ["root-a", "root-b", "root-c"].map(key)
}

/// One payload of `tests/golden/payloads.txt`, as `license` or `license#activation`.
pub(crate) fn text_of(name: &str) -> &'static str {
    let line = lines().find(|(known, _)| *known == name);
    line.unwrap_or_else(|| panic!("payloads.txt has no {name}")).1
}

/// All of them, by name.
pub(crate) fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    include_str!("../golden/payloads.txt").lines().map(|line| line.split_once(' ').expect("a name and a payload"))
}

pub(crate) fn sample<P: Payload>(name: &str) -> P {
    serde_json::from_str(text_of(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn license() -> License {
    sample("license")
}

pub(crate) fn receipt() -> Receipt {
    sample("receipt")
}

pub(crate) fn listed(key: PublicKey, role: KeyRole) -> RootKey {
    RootKey { key, alg: "ed25519".into(), role, from: NOW, until: NOW + 365 * DAY, revoked: None }
}

/// Version 1: 2 of 3 root keys, one license key, one receipt key, 2 of 2 continuity keys.
pub(crate) fn first_root() -> TrustRoot {
    let mut keys: Vec<RootKey> = root_keys().iter().map(|key| listed(key.public(), KeyRole::Root)).collect();
    keys.push(listed(key("license").public(), KeyRole::License));
    keys.push(listed(key("receipt").public(), KeyRole::Receipt));
    keys.push(listed(key("continuity-a").public(), KeyRole::Continuity));
    keys.push(listed(key("continuity-b").public(), KeyRole::Continuity));
    TrustRoot {
        v: 1,
        aud: license().aud,
        version: 1,
        vendor: Named { id: license().vendor.id, name: "Example Software".into() },
        issued_at: NOW,
        renew_by: NOW + 365 * DAY,
        keys,
        root_threshold: 2,
        continuity_threshold: 2,
        epoch_floor: 1,
        revoked_continuity: Vec::new(),
        test_clock: false,
        crit: Vec::new(),
    }
}

/// Signs with keys named as in [`key`].
pub(crate) fn signed_by<P: Payload>(payload: &P, names: &[&str]) -> Envelope {
    let keys: Vec<SigningKey> = names.iter().copied().map(key).collect();
    sign(payload, &keys.iter().collect::<Vec<_>>()).into_envelope()
}

/// The root that the other tests verify against.
pub(crate) fn root() -> Root {
    pinned(&first_root())
}

pub(crate) fn pinned(root: &TrustRoot) -> Root {
    Root::pinned(signed_by(root, &["root-a", "root-b"])).expect("a sound root")
}

/// The signed license of [`license`].
pub(crate) fn signed_license() -> Envelope {
    signed_by(&license(), &["license"])
}

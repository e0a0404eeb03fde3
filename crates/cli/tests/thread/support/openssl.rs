//! A license file checked from outside: a few lines of our own after docs/license-format.md, and openssl.

use std::{fs, path::Path, process::Command};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

/// The payload of a license file, if openssl says that a license key of the trust root signed it.
#[track_caller]
pub(crate) fn verified_license(file: &Path, root: &Path, scratch: &Path) -> Value {
    let envelope = envelope(&fs::read_to_string(file).expect("a license file"));
    let payload = STANDARD.decode(envelope["payload"].as_str().expect("a payload")).expect("base64");
    let kind = envelope["payloadType"].as_str().expect("a type");
    assert_eq!(kind, "application/vnd.tenure.license.v1+json");
    let mut message = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    message.extend_from_slice(&payload);
    fs::write(scratch.join("message"), message).expect("scratch");

    let root: Value = serde_json::from_str(&fs::read_to_string(root).expect("a trust root")).expect("JSON");
    let root = STANDARD.decode(root["payload"].as_str().expect("a payload")).expect("base64");
    let root: Value = serde_json::from_slice(&root).expect("JSON");
    let keys = root["keys"].as_array().expect("keys").iter().filter(|key| key["role"] == "license");
    let verified = keys.map(|key| key["key"].as_str().expect("a key")).any(|key| {
        // SubjectPublicKeyInfo of Ed25519 is a fixed prefix and the raw key.
        let mut der = vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        der.extend(STANDARD.decode(key).expect("base64"));
        fs::write(scratch.join("key.der"), der).expect("scratch");
        envelope["signatures"].as_array().expect("signatures").iter().any(|signature| {
            let raw = STANDARD.decode(signature["sig"].as_str().expect("a signature")).expect("base64");
            fs::write(scratch.join("signature"), raw).expect("scratch");
            let output = Command::new("openssl")
                .args(["pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-rawin", "-inkey", "key.der"])
                .args(["-in", "message", "-sigfile", "signature"])
                .current_dir(scratch)
                .output()
                .expect("openssl runs");
            output.status.success()
        })
    });
    assert!(verified, "openssl verifies no signature of {}", file.display());
    serde_json::from_slice(&payload).expect("JSON")
}

fn envelope(text: &str) -> Value {
    let block = text
        .split("-----BEGIN TENURE LICENSE-----")
        .nth(1)
        .and_then(|rest| rest.split("-----END TENURE LICENSE-----").next())
        .expect("an armored license");
    // Comments end at the first empty line; the rest is base64.
    let body = block.trim_start_matches(['\r', '\n']).split_once("\n\n").map_or(block, |(_, body)| body);
    let base64: String = body.split_whitespace().collect();
    serde_json::from_slice(&STANDARD.decode(base64).expect("base64")).expect("JSON")
}

//! `docs/license-format.md` is enough: a Python verifier and a shell script that know nothing but that page agree with
//! this crate, and the page's numbers and tables are true.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tenure_license::*;

use crate::{
    golden,
    refusals::license_with_small_r,
    samples::{first_root, key, license, listed, pinned, root, root_keys, sample, signed_by, text_of},
};

fn page() -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "docs", "license-format.md"].iter().collect();
    fs::read_to_string(path).unwrap()
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"))
}

/// A Python that has the package `cryptography`: the system's, or one made for this test.
fn python() -> PathBuf {
    let works = |python: &Path| {
        let probe = Command::new(python).args(["-c", "import cryptography"]).output();
        probe.is_ok_and(|output| output.status.success())
    };
    let system = PathBuf::from("python3");
    if works(&system) {
        return system;
    }
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("license-venv");
    let python = venv.join("bin").join("python3");
    if !works(&python) {
        let made = run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv));
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let installed = run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "cryptography"]));
        assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
        assert!(works(&python), "the package was installed and cannot be imported");
    }
    python
}

/// What the script says of each file under a root.
fn python_says(python: &Path, root: &Path, files: &[PathBuf]) -> Vec<String> {
    let script: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "verify_license.py"].iter().collect();
    let output = run(Command::new(python).arg(script).arg(root).args(files));
    let text = String::from_utf8(output.stdout).unwrap();
    let verdicts: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(verdicts.len(), files.len(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.success(), verdicts.iter().all(|verdict| verdict.starts_with("ok ")));
    verdicts
}

/// Files that must be accepted, and one or more for each rule of the page that must not.
fn cases() -> Vec<(&'static str, String)> {
    let file = |envelope: &Envelope| LicenseFile::to_text(envelope);
    let signed = |license: &License, names: &[&str]| file(&signed_by(license, names));
    let spelled = |from: &str, to: &str| {
        let text = text_of("license");
        assert!(text.contains(from), "{from}");
        file(&sign_bytes(License::TYPE, text.replacen(from, to, 1).into_bytes(), &[&key("license")]))
    };
    let json = |edit: &dyn Fn(String) -> String| {
        let envelope = signed_by(&license(), &["license"]).to_json();
        armor::encode(armor::LICENSE, &[], edit(envelope).as_bytes())
    };
    let good = golden::text("license.lic");
    let mut elsewhere = license();
    elsewhere.aud = "dep_019b76da-a800-7000-8000-0000000000ff".parse().unwrap();
    let mut both = license();
    both.activation = sample::<License>("license#activation").activation;
    vec![
        ("golden", good.clone()),
        ("CR LF", good.replace('\n', "\r\n")),
        ("blank text around", format!("\u{feff}\n \n{good}\n\n")),
        ("other comments", good.replace("Contoso", "Nobody")),
        ("two blocks", format!("{good}{good}")),
        ("text before", format!("x\n{good}")),
        ("cut", good[..good.len() - 9].to_owned()),
        ("a damaged line", good.replacen("eyJ", "!yJ", 1)),
        ("a changed line", good.replacen("\n\ne", "\n\nf", 1)),
        ("activation", signed(&sample("license#activation"), &["license"])),
        ("eight signatures", signed(&license(), &["license"; 8])),
        ("nine signatures", signed(&license(), &["license"; 9])),
        ("no signature", signed(&license(), &[])),
        ("a stranger's", signed(&license(), &["stranger"])),
        ("a stranger's first", signed(&license(), &["stranger", "license"])),
        ("the receipt key's", signed(&license(), &["receipt"])),
        ("the root keys'", signed(&license(), &["root-a", "root-b"])),
        ("the revoked key's", signed(&license(), &["revoked"])),
        ("the revoked key's too", signed(&license(), &["revoked", "license"])),
        ("another type", file(&signed_by(&sample::<Receipt>("receipt"), &["license"]))),
        ("another type, renamed", json(&|text| text.replace("vnd.tenure.license", "vnd.tenure.receipt"))),
        ("a wrong hint", json(&|text| text.replace(&key("license").key_id().to_string(), "x"))),
        ("no hint", json(&|text| text.replace("\"keyid\":", "\"key_id\":"))),
        ("an unknown member", json(&|text| text.replacen('{', "{\"x\":[{}],", 1))),
        ("a member twice", json(&|text| text.replacen('{', "{\"payloadType\":\"x\",", 1))),
        ("an escaped member twice", json(&|text| text.replacen('{', "{\"payload\\u0054ype\":\"x\",", 1))),
        ("white space", json(&|text| text.replace(',', " ,\n"))),
        ("no padding", json(&|text| text.replace("=\",\"payloadType", "\",\"payloadType"))),
        ("payload: an unknown member", spelled("\"v\":1", "\"v\":1,\"x\":{\"y\":[]}")),
        ("payload: a duplicate", spelled("\"v\":1", "\"v\":1,\"v\":1")),
        ("payload: a deep duplicate", spelled("\"number\":", "\"x\":1,\"x\":2,\"number\":")),
        ("payload: a float", spelled("\"count\":9", "\"count\":9.0")),
        ("payload: an exponent", spelled("\"v\":1", "\"v\":1,\"x\":1e2")),
        ("payload: -0", spelled("\"v\":1", "\"v\":1,\"x\":-0")),
        ("payload: 2^53", spelled("\"v\":1", "\"v\":1,\"x\":9007199254740992")),
        ("payload: 2^53 - 1", spelled("\"v\":1", "\"v\":1,\"x\":9007199254740991")),
        ("payload: NaN", spelled("\"v\":1", "\"v\":1,\"x\":NaN")),
        ("payload: 8 levels", spelled("\"v\":1", "\"v\":1,\"x\":[[[[[[[0]]]]]]]")),
        ("payload: 9 levels", spelled("\"v\":1", "\"v\":1,\"x\":[[[[[[[[0]]]]]]]]")),
        ("payload: a lone surrogate", spelled("Contoso", "\\ud83d")),
        ("payload: a pair", spelled("Contoso", "\\ud83d\\ude00")),
        ("payload: trailing", spelled("\"crit\":[\"installation\"]}", "\"crit\":[\"installation\"]}{}")),
        ("payload: a missing member", spelled("\"serial\":3,", "")),
        ("payload: no crit", spelled(",\"crit\":[\"installation\"]", "")),
        ("payload: null", spelled("\"anchor\":1769853600", "\"anchor\":null")),
        ("payload: version 2", spelled("\"v\":1", "\"v\":2")),
        ("payload: critical unknown", spelled("\"crit\":[", "\"crit\":[\"geofence\",")),
        ("payload: critical known", spelled("\"crit\":[", "\"crit\":[\"points\",")),
        ("payload: critical inner", spelled("\"crit\":[", "\"crit\":[\"number\",")),
        ("payload: not UTF-8", {
            let mut bytes = encode_payload(&license());
            let at = bytes.windows(7).position(|window| window == b"Contoso").unwrap();
            bytes[at] = 0xff;
            file(&sign_bytes(License::TYPE, bytes, &[&key("license")]))
        }),
        ("issued too early", spelled("\"issued_at\":1770112800", "\"issued_at\":1769853599")),
        ("issued at the end", spelled("\"issued_at\":1770112800", "\"issued_at\":1801389600")),
        ("issued in the last second", spelled("\"issued_at\":1770112800", "\"issued_at\":1801389599")),
        ("another deployment", signed(&elsewhere, &["license"])),
        ("epoch below", spelled("\"epoch\":1", "\"epoch\":0")),
        ("epoch at the end", spelled("\"epoch\":1", "\"epoch\":1001")),
        ("epoch above", spelled("\"epoch\":1", "\"epoch\":1002")),
        ("a newer root", spelled("\"min_root\":1", "\"min_root\":2")),
        ("bound with a code", signed(&both, &["license"])),
        ("a point of small order", file(&license_with_small_r())),
        ("too large", spelled("\"v\":1", &format!("\"v\":1,\"x\":\"{}\"", "x".repeat(64 * 1024)))),
    ]
}

/// One test, so that one process makes the environment that both halves need.
#[test]
fn a_python_verifier_written_from_the_page_agrees() {
    let python = python();
    agrees_on_licenses(&python);
    holds_the_root_to_its_threshold(&python);
}

fn agrees_on_licenses(python: &Path) {
    let mut trust = first_root();
    let revoked = RootKey { revoked: Some(trust.issued_at), ..listed(key("revoked").public(), KeyRole::License) };
    trust.keys.push(revoked);
    let rust = pinned(&trust);
    let dir = tempfile::tempdir().unwrap();
    let root_file = dir.path().join("root.json");
    fs::write(&root_file, signed_by(&trust, &["root-a", "root-b"]).to_json()).unwrap();

    let cases = cases();
    let files: Vec<PathBuf> = (0..cases.len()).map(|n| dir.path().join(format!("{n}.lic"))).collect();
    for (file, (_, text)) in files.iter().zip(&cases) {
        fs::write(file, text).unwrap();
    }
    let (mut accepted, mut refused) = (0, 0);
    for ((what, text), said) in cases.iter().zip(python_says(python, &root_file, &files)) {
        let outcome = LicenseFile::parse(text)
            .map_err(|error| error.to_string())
            .and_then(|envelope| rust.verify_license(&envelope).map_err(|error| error.to_string()));
        match &outcome {
            Ok(verified) => {
                assert_eq!(said, format!("ok {}", verified.hash), "{what}");
                accepted += 1;
            }
            Err(error) => {
                assert!(said.starts_with("refused: "), "{what}: here `{error}`, in Python {said}");
                refused += 1;
            }
        }
    }
    assert_eq!((accepted, refused), (21, 40), "a case went over to the other side");
}

fn holds_the_root_to_its_threshold(python: &Path) {
    let dir = tempfile::tempdir().unwrap();
    let root_file = dir.path().join("root.json");
    let script: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "verify_license.py"].iter().collect();
    let verdict = |envelope: Envelope| {
        fs::write(&root_file, envelope.to_json()).unwrap();
        let output = run(Command::new(python).arg(&script).arg(&root_file).arg(golden::path("license.lic")));
        let accepted = output.status.success();
        assert_eq!(accepted, Root::pinned(envelope).is_ok());
        accepted
    };
    assert!(verdict(signed_by(&first_root(), &["root-a", "root-c"])));
    assert!(!verdict(signed_by(&first_root(), &["root-a", "root-a"])));
    assert!(!verdict(signed_by(&first_root(), &["root-a", "license"])));
    let text = String::from_utf8(encode_payload(&first_root())).unwrap();
    let later = text.replacen("\"keys\":[", "\"keys\":[{\"key\":\"AA==\",\"alg\":\"ml-dsa-44\",\"role\":\"root\"},", 1);
    assert!(verdict(sign_bytes(TrustRoot::TYPE, later.into_bytes(), &root_keys().each_ref()[..2])));
}

#[test]
fn the_page_s_shell_script_verifies_with_openssl() {
    let page = page();
    let script = page.split_once("```sh\n").unwrap().1.split_once("```").unwrap().0;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("verify-license.sh");
    fs::write(&file, script).unwrap();
    let verify = |license: &Path, root: &str| run(Command::new("sh").arg(&file).arg(license).arg(golden::path(root)));
    for (name, root) in
        [("license.lic", "root-1.json"), ("license.lic", "root-2.json"), ("activation.lic", "root-2.json")]
    {
        let output = verify(&golden::path(name), root);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.contains("Signature Verified Successfully"), "{name}: {said}");
        assert_eq!(output.stdout, LicenseFile::parse(&golden::text(name)).unwrap().payload, "{name}");
    }
    let changed = dir.path().join("changed.lic");
    let mut envelope = LicenseFile::parse(&golden::text("license.lic")).unwrap();
    let at = envelope.payload.windows(6).position(|window| window == b"14000,").unwrap();
    envelope.payload[at] = b'9';
    fs::write(&changed, LicenseFile::to_text(&envelope)).unwrap();
    let by_stranger = dir.path().join("stranger.lic");
    fs::write(&by_stranger, LicenseFile::to_text(&signed_by(&license(), &["receipt"]))).unwrap();
    let receipt = dir.path().join("receipt.lic");
    fs::write(&receipt, LicenseFile::to_text(&signed_by(&sample::<Receipt>("receipt"), &["license"]))).unwrap();
    for refused in [changed, by_stranger, receipt] {
        let output = verify(&refused, "root-1.json");
        assert!(!output.status.success() && output.stdout.is_empty(), "{refused:?}");
    }
}

#[test]
fn the_page_s_example_is_the_golden_license() {
    let page = page();
    let envelope = LicenseFile::parse(&golden::text("license.lic")).unwrap();
    let message = pae(&envelope.payload_type, &envelope.payload);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let payload = std::str::from_utf8(&envelope.payload).unwrap();
    let said = [
        format!("payload        {} bytes, begins {}\n", envelope.payload.len(), &payload[..71]),
        format!("SHA-256        {}\n", Hash::sha256(&envelope.payload)),
        format!("type           {}          ({} bytes)\n", envelope.payload_type, envelope.payload_type.len()),
        format!("PAE            {} bytes, begins\n", message.len()),
        format!("               {}\n               {}\n", hex(&message[..32]), hex(&message[32..64])),
        format!("\"{}\"\n", std::str::from_utf8(&message[..64]).unwrap()),
        format!("H              {}\n", envelope.hash()),
        format!("public key     {}\n", key("license").public()),
        format!("key id         {}\n", key("license").key_id()),
        format!("signature      {}\n", hex(&envelope.signatures[0].sig[..32])),
        format!("               {}\n", hex(&envelope.signatures[0].sig[32..])),
    ];
    for line in said {
        assert!(page.contains(&line), "the page does not say:\n{line}");
    }
    assert_eq!(root().key(&key("license").key_id()).map(|listed| listed.key), Some(key("license").public()));
}

/// The rows of the table in a section of the page, as the names in their first cell.
fn names_in_table(page: &str, section: &str) -> Vec<String> {
    let section = page.split_once(section).unwrap_or_else(|| panic!("no section {section}")).1;
    let section = section.split_once("\n## ").map_or(section, |(section, _)| section);
    let first_cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    first_cells.flat_map(|cell| cell.split(", ").map(|name| name.trim_matches('`').to_owned())).collect()
}

#[test]
fn the_page_s_tables_are_complete() {
    let page = page();
    let members = |text: &str| -> Vec<String> {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        value.as_object().unwrap().keys().cloned().collect()
    };
    let mut in_table = names_in_table(&page, "## 7.");
    in_table.sort();
    let mut in_code = ["license", "license#activation", "license#shadow"].map(|name| members(text_of(name))).concat();
    in_code.sort();
    in_code.dedup();
    assert_eq!(in_table, in_code);

    let mut in_table = names_in_table(&page, "## 5.");
    in_table.sort();
    assert_eq!(in_table, members(text_of("trust-root")));

    let section = page.split_once("## 10.").unwrap().1;
    let limit = |kind: &str| {
        let row = section.lines().find(|line| line.starts_with('|') && line.contains(&format!("`{kind}`"))).unwrap();
        row.trim_end_matches(" KiB |").rsplit(' ').next().unwrap().parse::<usize>().unwrap() * 1024
    };
    let limits = [
        ("license", License::MAX_BYTES),
        ("receipt", Receipt::MAX_BYTES),
        ("activation-request", ActivationRequest::MAX_BYTES),
        ("activation-answer", ActivationAnswer::MAX_BYTES),
        ("check-in-request", CheckInRequest::MAX_BYTES),
        ("check-in-answer", CheckInAnswer::MAX_BYTES),
        ("out-of-step", OutOfStep::MAX_BYTES),
        ("usage-report", UsageReport::MAX_BYTES),
        ("workload-evidence", WorkloadEvidence::MAX_BYTES),
        ("watermark", Watermark::MAX_BYTES),
        ("journal-day", JournalDay::MAX_BYTES),
        ("offline-request", OfflineRequest::MAX_BYTES),
        ("offline-response", OfflineResponse::MAX_BYTES),
        ("continuity", Continuity::MAX_BYTES),
        ("trust-root", TrustRoot::MAX_BYTES),
        ("audit-checkpoint", AuditCheckpoint::MAX_BYTES),
    ];
    for (kind, in_code) in limits {
        assert_eq!(limit(kind), in_code, "{kind}");
    }
    assert_eq!(names_in_table(&page, "## 10.").len(), limits.len());
}

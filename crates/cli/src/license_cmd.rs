//! `tenure license`: what a license file says, and whether it is true.

use std::{
    fmt::Write as _,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, Subcommand};
use tenure_core::{Clock, Policy, Timestamp, validity};
use tenure_license::{
    AgreementKind, Envelope, License, LicenseFile, Root, UsageType, armor::MAX_LICENSE_TEXT, decode_payload,
    envelope::MAX_ENVELOPE_JSON,
};
use tenure_server::SystemClock;

/// Look at license files.
#[derive(Args)]
pub(crate) struct LicenseArgs {
    #[command(subcommand)]
    command: LicenseCommand,
}

#[derive(Subcommand)]
enum LicenseCommand {
    /// Say in words what a license file contains; verified only when a trust root is given.
    #[command(
        after_help = "Example:\n  tenure license show backup.lic\n  tenure license show backup.lic --root root.json"
    )]
    Show {
        #[command(flatten)]
        file: FileArgs,
        /// Trust root to verify the file with; repeat for later versions, oldest first.
        #[arg(long = "root", value_name = "FILE")]
        roots: Vec<PathBuf>,
    },
    /// Verify a license file: exit 0 and a summary, or exit 1 and the reason.
    #[command(after_help = "Example:\n  tenure license verify backup.lic --root root.json")]
    Verify {
        #[command(flatten)]
        file: FileArgs,
        /// Trust root the product was built with; repeat for later versions, oldest first.
        #[arg(long = "root", value_name = "FILE", required = true)]
        roots: Vec<PathBuf>,
    },
}

#[derive(Args)]
struct FileArgs {
    /// The license file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Tell the state at this instant instead of now, as 2026-05-15T10:00:00Z.
    #[arg(long, value_name = "INSTANT")]
    at: Option<Timestamp>,
    /// Print one JSON object instead of words.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: LicenseArgs) -> Result<ExitCode> {
    let (LicenseCommand::Show { file, roots } | LicenseCommand::Verify { file, roots }) = args.command;
    let at = file.at.unwrap_or_else(|| SystemClock::new().now());
    let envelope = read_license(&file.file)?;
    let told = match read_roots(&roots)? {
        Some(root) => Told::verified(&envelope, root, &file.file)?,
        None => Told::unverified(&envelope, &file.file)?,
    };
    print!("{}", if file.json { told.as_json(&envelope, at) } else { told.in_words(at) });
    Ok(ExitCode::SUCCESS)
}

/// What is told about a license, and on whose word.
struct Told {
    license: License,
    root: Option<Root>,
}

impl Told {
    fn verified(envelope: &Envelope, root: Root, file: &Path) -> Result<Self> {
        let verified = root
            .verify_license(envelope)
            .map_err(|error| anyhow!("{} is not a license to rely on: {error}", file.display()))?;
        Ok(Self { license: verified.into_inner(), root: Some(root) })
    }

    fn unverified(envelope: &Envelope, file: &Path) -> Result<Self> {
        if !envelope.claims::<License>() {
            bail!("{} holds another document than a license: `{}`", file.display(), shown(&envelope.payload_type));
        }
        let license =
            decode_payload(&envelope.payload).map_err(|error| anyhow!("{} cannot be read: {error}", file.display()))?;
        Ok(Self { license, root: None })
    }

    fn state(&self, at: Timestamp) -> validity::LicenseState {
        let expires_at = Timestamp::from_secs(self.license.expires_at);
        validity::state_at(at, expires_at, self.license.grace_days, &Policy::default())
    }

    fn in_words(&self, at: Timestamp) -> String {
        let license = &self.license;
        let mut text = match &self.root {
            Some(root) => format!(
                "Verified: signed by {} and unchanged, under version {} of its trust root.\n",
                shown(&root.payload().vendor.name),
                root.version()
            ),
            None => "NOT VERIFIED: anybody can write such a file. Give --root to know who signed it.\n".to_owned(),
        };
        if self.root.as_ref().is_some_and(|root| root.payload().test_clock) {
            text.push_str("It comes from a deployment for tests and licenses nothing real.\n");
        }
        let mut row = |name: &str, value: String| {
            writeln!(text, "{name:<16}{value}").expect("a string takes any text");
        };
        let product = &license.product;
        row("Product", shown(&format!("{} {} {}", product.name, product.edition, product.version)));
        row("Status", self.status(at));
        row("Provider", shown(&license.provider.name));
        row("Company", license.company.as_ref().map_or("none, the provider uses it itself".into(), |c| shown(&c.name)));
        row("Agreement", format!("{}, {}", shown(&license.agreement.number), commitment(license.agreement.kind)));
        row("Usage type", usage_type(license.usage_type).into());
        for (n, line) in license.workloads.iter().enumerate() {
            let variant = if line.variant.is_empty() { String::new() } else { format!(" ({})", line.variant) };
            let name = if n == 0 { "Workloads" } else { "" };
            row(name, shown(&format!("{} x {}{variant}, {}", line.count, line.workload, points_each(line.weight))));
        }
        row("Points", license.points.to_string());
        row("Reporting", self.reporting());
        row("Installation", self.binding());
        row(
            "Issued",
            format!("{}, epoch {}, serial {}", Timestamp::from_secs(license.issued_at), license.epoch, license.serial),
        );
        row("License", license.license.to_string());
        row("Update servers", shown(&license.servers.join(", ")));
        text
    }

    fn status(&self, at: Timestamp) -> String {
        use validity::LicenseState::{Expired, Expiring, Restricted, Valid};
        let end = Timestamp::from_secs(self.license.expires_at);
        let grace_end = end.plus_days(i64::from(self.license.grace_days));
        if self.license.installation.is_none() {
            let until = self.license.activation.as_ref().map(|grant| Timestamp::from_secs(grant.until));
            return match until {
                Some(until) => format!("to be activated once, until {until}; it licenses nothing by itself"),
                None => "bound to no installation; it licenses nothing".into(),
            };
        }
        let state = self.state(at);
        match state {
            Valid => format!("{state} until {end}"),
            Expiring { days_remaining: 1 } => format!("{state}: valid until {end}, 1 day left"),
            Expiring { days_remaining } => format!("{state}: valid until {end}, {days_remaining} days left"),
            Expired { .. } => format!("{state}: since {end}; everything works until {grace_end}"),
            Restricted => format!("{state} since {grace_end}: existing data is readable, nothing new is protected"),
        }
    }

    fn reporting(&self) -> String {
        match (self.license.automatic_reporting, self.license.reported_through) {
            (true, Some(period)) => format!("automatic, reported through {period}"),
            (true, None) => "automatic, nothing reported yet".into(),
            (false, _) => "by hand; it ends on its date whatever is reported".into(),
        }
    }

    fn binding(&self) -> String {
        match &self.license.installation {
            Some(binding) => format!("{}, key {}", binding.id, binding.key),
            None => "none yet".into(),
        }
    }

    fn as_json(&self, envelope: &Envelope, at: Timestamp) -> String {
        let license = &self.license;
        let mut payload = serde_json::to_value(license).expect("a license is always JSON");
        // The one-time code opens an installation; it has no place in a log.
        if let Some(grant) = payload.get_mut("activation").and_then(serde_json::Value::as_object_mut) {
            grant.remove("code");
        }
        let told = serde_json::json!({
            "verified": self.root.is_some(),
            "root": self.root.as_ref().map(Root::version),
            "hash": envelope.hash(),
            "status": self.status(at),
            "license": payload,
        });
        format!("{told}\n")
    }
}

fn commitment(kind: AgreementKind) -> &'static str {
    match kind {
        AgreementKind::NoCommit => "without a minimum",
        AgreementKind::Volume => "with a minimum of points per month",
    }
}

fn usage_type(kind: UsageType) -> &'static str {
    match kind {
        UsageType::SingleCustomer => "one company",
        UsageType::MultiCustomer => "many companies on one server",
        UsageType::Internal => "the provider itself",
    }
}

fn points_each(weight: tenure_core::Weight) -> String {
    format!("{weight} points each")
}

/// Text of a file as a terminal may show it: nothing in it moves the cursor or turns the line around.
pub(crate) fn shown(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_control() || turns(c) { '\u{fffd}' } else { c }).collect()
}

fn read_license(path: &Path) -> Result<Envelope> {
    let text = read_text(path, MAX_LICENSE_TEXT)?;
    LicenseFile::parse(&text).map_err(|error| anyhow!("{} is not a license file: {error}", path.display()))
}

/// The newest of the versions given; none when there are none.
pub(crate) fn read_roots(paths: &[PathBuf]) -> Result<Option<Root>> {
    let mut newest: Option<Root> = None;
    for path in paths {
        let text = read_text(path, MAX_ENVELOPE_JSON)?;
        let envelope = Envelope::from_json(text.as_bytes())
            .map_err(|error| anyhow!("{} is not a trust root: {error}", path.display()))?;
        let root = match &newest {
            Some(held) => held.walk(envelope),
            None => Root::pinned(envelope),
        };
        newest = Some(root.map_err(|error| anyhow!("{} is not a trust root to rely on: {error}", path.display()))?);
    }
    Ok(newest)
}

pub(crate) fn read_text(path: &Path, limit: usize) -> Result<String> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(limit as u64 + 1).read_to_string(&mut text));
    read.with_context(|| format!("cannot read {}", path.display()))?;
    if text.len() > limit {
        bail!("{} is larger than {limit} bytes", path.display());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden(name: &str) -> PathBuf {
        [env!("CARGO_MANIFEST_DIR"), "..", "license", "tests", "golden", name].iter().collect()
    }

    fn told(name: &str, roots: &[&str]) -> Result<Told> {
        let path = golden(name);
        let envelope = read_license(&path)?;
        let roots: Vec<PathBuf> = roots.iter().map(|name| golden(name)).collect();
        match read_roots(&roots)? {
            Some(root) => Told::verified(&envelope, root, &path),
            None => Told::unverified(&envelope, &path),
        }
    }

    fn words(name: &str, roots: &[&str], at: &str) -> String {
        told(name, roots).unwrap().in_words(at.parse().unwrap())
    }

    #[test]
    fn a_verified_license_is_told_in_words() {
        let text = words("license.lic", &["root-1.json", "root-2.json"], "2026-02-04T00:00:00Z");
        for line in [
            "Verified: signed by Example Software and unchanged, under version 2 of its trust root.",
            "Product         Example Backup Enterprise 12",
            "Status          Valid until 2026-05-15T10:00:00Z",
            "Company         Fabrikam \u{dc}nal \"East\" GmbH",
            "Agreement       RA-2026-0001, with a minimum of points per month",
            "Workloads       9 x server (physical), 1.5 points each",
            "                1 x workstation, 0.5 points each",
            "Points          14",
            "Reporting       automatic, reported through 2026-01",
        ] {
            assert!(text.lines().any(|told| told == line), "{line}\nis not in\n{text}");
        }
    }

    #[test]
    fn the_status_follows_the_dates() {
        let status = |at: &str| {
            let text = words("license.lic", &["root-1.json"], at);
            text.lines().find_map(|line| line.strip_prefix("Status").map(|rest| rest.trim().to_owned())).unwrap()
        };
        assert_eq!(status("2026-05-14T10:00:00Z"), "Expiring: valid until 2026-05-15T10:00:00Z, 1 day left");
        assert_eq!(
            status("2026-05-15T10:00:00Z"),
            "Expired (60 days of grace remaining): since 2026-05-15T10:00:00Z; everything works until 2026-07-14T10:00:00Z"
        );
        assert_eq!(
            status("2026-07-14T10:00:00Z"),
            "Restricted since 2026-07-14T10:00:00Z: existing data is readable, nothing new is protected"
        );
        let activation = words("activation.lic", &["root-1.json"], "2026-02-01T00:00:00Z");
        assert!(activation.contains("to be activated once, until 2026-02-03T10:00:00Z"), "{activation}");
        assert!(!activation.contains("56789"), "the code is a secret:\n{activation}");
    }

    #[test]
    fn without_a_root_it_says_so() {
        let text = words("license.lic", &[], "2026-02-04T00:00:00Z");
        assert!(text.starts_with("NOT VERIFIED"), "{text}");
    }

    #[test]
    fn what_cannot_be_relied_on_is_one_sentence() {
        let sentence = |name: &str, roots: &[&str]| told(name, roots).map(|_| ()).unwrap_err().to_string();
        assert!(sentence("receipt.json", &["root-1.json"]).contains("is not a license file: the file does not begin"));
        assert!(sentence("missing.lic", &["root-1.json"]).starts_with("cannot read "));
        assert!(sentence("license.lic", &["receipt.json"]).contains("is not a trust root to rely on: the document is"));
        assert!(sentence("license.lic", &["root-2.json", "root-1.json"]).contains("root-1.json is not a trust root"));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("changed.lic");
        let mut envelope = read_license(&golden("license.lic")).unwrap();
        envelope.payload[400] ^= 1;
        std::fs::write(&path, LicenseFile::to_text(&envelope)).unwrap();
        let root = read_roots(&[golden("root-1.json")]).unwrap().unwrap();
        let error = Told::verified(&read_license(&path).unwrap(), root, &path).map(|_| ()).unwrap_err().to_string();
        assert!(
            error.ends_with("the signature is wrong: the document was changed, or somebody else signed it"),
            "{error}"
        );
        assert!(!error.contains('\n'));
    }

    #[test]
    fn names_cannot_move_the_cursor() {
        assert_eq!(shown("a\u{1b}[2Jb\r\n\u{202e}c"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}\u{fffd}c");
    }

    #[test]
    fn json_has_the_payload_without_the_code() {
        let at = "2026-02-04T00:00:00Z".parse().unwrap();
        let envelope = read_license(&golden("activation.lic")).unwrap();
        let text = told("activation.lic", &["root-1.json"]).unwrap().as_json(&envelope, at);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["verified"], true);
        assert_eq!(value["root"], 1);
        assert_eq!(value["license"]["product"]["code"], "backup");
        assert_eq!(value["license"]["activation"]["until"], 1_770_112_800);
        assert!(value["license"]["activation"].get("code").is_none());
    }
}

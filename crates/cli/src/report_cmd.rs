//! `tenure report`: whether a saved report or submission is what the server holds.

use std::{
    fmt::Write as _,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, Subcommand};
use serde::Deserialize;
use tenure_core::{Points, Timestamp};
use tenure_license::{
    Envelope, Hash, PublicKey, Receipt, ReceiptSubject, Root, UsageReport, Verified, json, verify_with_key,
};

use crate::license_cmd::{read_roots, shown};

mod usage;

use usage::{Judge, Pages};

/// The largest file read: the lines of a month of many thousand licenses.
const MAX_FILE: usize = 64 << 20;

/// Look at saved reports and receipts.
#[derive(Args)]
pub(crate) struct ReportArgs {
    #[command(subcommand)]
    command: ReportCommand,
}

#[derive(Subcommand)]
enum ReportCommand {
    /// Verify a saved report, submission or receipt: exit 0 and a summary, or exit 1 and the reason.
    #[command(
        after_help = "The file is what the provider API gives under /monthly-usages/MONTH/reports/INSTALLATION, \
        /submissions/NUMBER or /receipt, a License Usage Report as PDF or JSON, or a receipt alone.\n\nExample:\n  \
        tenure report verify january.json\n  tenure report verify january.json --root root.json"
    )]
    Verify {
        /// The saved file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Trust root that you hold of this vendor; repeat for later versions, oldest first. Without it the one inside the
        /// file is taken, which tells that the file agrees with itself, and whose it claims to be.
        #[arg(long = "root", value_name = "FILE")]
        roots: Vec<PathBuf>,
        /// Of a PDF, verify the report inside and leave the pages alone: for a file whose pages another version of Tenure
        /// laid out. What the pages show is then not known to be what was signed.
        #[arg(long)]
        without_pages: bool,
        /// Print one JSON object instead of words.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(args: ReportArgs) -> Result<ExitCode> {
    let ReportCommand::Verify { file, roots, without_pages, json } = args.command;
    let judge = if without_pages { Judge::ReportAlone } else { Judge::Pages };
    let bytes = read_bytes(&file)?;
    let name = file.display();
    let saved = Saved::read_any(&bytes, judge).with_context(|| format!("{name} is not a saved report or receipt"))?;
    let held = read_roots(&roots)?;
    let told = saved.verify(held).with_context(|| format!("{name} is not to be relied on"))?;
    print!("{}", if json { told.as_json() } else { told.in_words() });
    Ok(ExitCode::SUCCESS)
}

/// What a file may hold; fields that are not known are left alone.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Saved {
    report: Option<Envelope>,
    key: Option<String>,
    #[serde(alias = "envelope")]
    receipt: Option<Envelope>,
    lines: Option<String>,
    roots: Vec<Envelope>,
    /// A License Usage Report that was in it.
    #[serde(skip)]
    usage: Option<usage::Usage>,
}

/// The file's bytes, unless there are too many.
fn read_bytes(file: &Path) -> Result<Vec<u8>> {
    let opened = File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let mut bytes = Vec::new();
    opened.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_FILE {
        bail!("{} is larger than {} MiB", file.display(), MAX_FILE >> 20);
    }
    Ok(bytes)
}

impl Saved {
    fn read(text: &str) -> Result<Self> {
        json::check(text.as_bytes()).map_err(|error| anyhow!("it is not JSON: {error}"))?;
        if let Some(saved) = Self::read_usage(text) {
            return Ok(saved);
        }
        let value: serde_json::Value = serde_json::from_str(text)?;
        if value.get("payloadType").is_some() {
            // An envelope by itself.
            let envelope: Envelope = serde_json::from_str(text)?;
            return if envelope.claims::<UsageReport>() {
                Ok(Self { report: Some(envelope), ..Self::default() })
            } else {
                Ok(Self { receipt: Some(envelope), ..Self::default() })
            };
        }
        let saved: Self = serde_json::from_str(text)?;
        if saved.receipt.is_none() && saved.report.is_none() {
            bail!("it holds neither a receipt nor a report");
        }
        Ok(saved)
    }

    fn verify(&self, held: Option<Root>) -> Result<Told> {
        if let (Some(usage), None) = (&self.usage, &self.receipt) {
            bail!("{}", usage.why_no_receipt());
        }
        let Some(receipt) = &self.receipt else {
            bail!("a report without its receipt proves nothing: save it together with the server's receipt");
        };
        let is_held = held.is_some();
        let root = match held {
            Some(root) => root,
            None if self.roots.is_empty() => bail!("it holds no trust root: give the vendor's with --root"),
            None => Root::from_chain(self.roots.iter().cloned()).context("its trust root is not one")?,
        };
        let receipt = root.verify_held_receipt_role::<Receipt>(receipt).context("its receipt is not the server's")?;
        let of = match (&receipt.subject, &self.report, &self.lines) {
            (ReceiptSubject::Document { .. }, Some(report), _) => self.report(report, &receipt)?,
            (ReceiptSubject::Submission { .. }, Some(_), _) => {
                bail!("its receipt is of a submission, not of the report")
            }
            (ReceiptSubject::Submission { reported, .. }, None, Some(lines)) => {
                let of = submission(lines, &receipt, *reported)?;
                self.usage.as_ref().map_or(Ok(()), |usage| usage.shows(&receipt))?;
                of
            }
            (ReceiptSubject::Document { .. }, None, _) if self.usage.is_some() => bail!("its receipt is of a report"),
            (_, None, _) => Of::Receipt,
        };
        let pages = self.usage.as_ref().map(|usage| usage.pages);
        Ok(Told { root, is_held, receipt: receipt.into_inner(), of, pages })
    }

    fn report(&self, envelope: &Envelope, receipt: &Verified<Receipt>) -> Result<Of> {
        // The hash that the receipt names, not the receipt's own.
        if envelope.hash() != (**receipt).hash {
            bail!("its receipt is of another report");
        }
        let ReceiptSubject::Document { ins, .. } = receipt.subject else { bail!("its receipt is of no report") };
        let (report, by_key) = match &self.key {
            Some(key) => {
                let key: PublicKey = key.parse().context("its key cannot be read")?;
                let report = verify_with_key::<UsageReport>(envelope, &key).context("the product did not sign it")?;
                (report.into_inner(), true)
            }
            // The server verified it when it took it, and says so by its receipt.
            None => (tenure_license::decode_payload(&envelope.payload).context("it cannot be read")?, false),
        };
        let report: UsageReport = report;
        if report.ins != ins || report.aud != receipt.aud {
            bail!("its receipt is of another server's report");
        }
        Ok(Of::Report { report: Box::new(report), by_key })
    }
}

/// The lines of a submission against its receipt.
fn submission(lines: &str, receipt: &Receipt, reported: Points) -> Result<Of> {
    #[derive(Deserialize)]
    struct Line {
        points: Points,
    }
    if Hash::sha256(lines) != receipt.hash {
        bail!("its receipt is of other lines");
    }
    let lines: Vec<Line> = serde_json::from_str(lines).context("its lines cannot be read")?;
    let sum: Points = lines.iter().map(|line| line.points).sum();
    if sum.max(Points::ZERO) != reported {
        bail!("its lines come to {sum} points, and the receipt says {reported}");
    }
    Ok(Of::Lines(lines.len()))
}

/// What was verified besides the receipt.
enum Of {
    Receipt,
    Lines(usize),
    Report { report: Box<UsageReport>, by_key: bool },
}

struct Told {
    root: Root,
    is_held: bool,
    receipt: Receipt,
    of: Of,
    pages: Option<Pages>,
}

impl Told {
    fn in_words(&self) -> String {
        let vendor = shown(&self.root.payload().vendor.name);
        let verified =
            if self.pages_left_out() { "The report inside is verified, the pages are not" } else { "Verified" };
        let mut text = if self.is_held {
            format!(
                "{verified}: held by the server of {vendor}, under version {} of its trust root.\n",
                self.root.version()
            )
        } else {
            format!(
                "{verified}, against the trust root inside the file (version {}, SHA-256 {}), which says it is that of \
                 {vendor}. Give --root to know that it is.\n",
                self.root.version(),
                self.root.hash()
            )
        };
        if self.root.payload().test_clock {
            text.push_str("It comes from a deployment for tests.\n");
        }
        let mut row = |name: &str, value: String| {
            writeln!(text, "{name:<16}{value}").expect("a string takes any text");
        };
        match &self.receipt.subject {
            ReceiptSubject::Document { id, ins } => {
                row("Document", id.to_string());
                row("Installation", ins.to_string());
            }
            ReceiptSubject::Submission { usage, provider, period, number, reported, total } => {
                row("Monthly usage", format!("{period} of {provider}, submission {number} ({usage})"));
                row("Points", format!("{reported} reported, {total} in all"));
            }
        }
        match &self.of {
            Of::Receipt => row("Contents", "not in the file: this is the receipt alone".to_owned()),
            Of::Lines(lines) => row("Lines", format!("{lines}, exactly those that were submitted")),
            Of::Report { report, by_key } => {
                row("Report", format!("{} of {}, revision {}", report.period, shown(&report.product), report.revision));
                for line in &report.lines {
                    let variant = if line.variant.is_empty() { String::new() } else { format!(" ({})", line.variant) };
                    let counted = format!("{} x {}{variant}, {} new", line.count, line.workload, line.new);
                    row("", shown(&counted));
                }
                let signed = if *by_key {
                    "by the key that the server registered for it"
                } else {
                    "as the server verified it: the file names no key"
                };
                row("Signed", signed.to_owned());
            }
        }
        match self.pages {
            None | Some(Pages::None) => {}
            Some(Pages::Compared) => row("Pages", "show exactly the figures that were signed".to_owned()),
            Some(Pages::LeftOut) => row("Pages", "not compared, as asked: do not rely on them".to_owned()),
        }
        row("Hash", self.receipt.hash.to_string());
        row("Received", Timestamp::from_secs(self.receipt.received_at).to_string());
        text
    }

    fn as_json(&self) -> String {
        let (report, lines) = match &self.of {
            Of::Receipt => (None, None),
            Of::Lines(lines) => (None, Some(*lines)),
            Of::Report { report, .. } => (Some(report), None),
        };
        let told = serde_json::json!({
            "verified": !self.pages_left_out(), "report_verified": true, "root_given": self.is_held, "root": self.root.version(), "root_hash": self.root.hash(),
            "vendor": self.root.payload().vendor.name, "receipt": self.receipt, "lines": lines, "report": report,
            "pages_compared": self.pages == Some(Pages::Compared),
        });
        format!("{told}\n")
    }

    /// Whether the file has pages that nobody compared: then it is its report that is verified, and not the file.
    fn pages_left_out(&self) -> bool {
        self.pages == Some(Pages::LeftOut)
    }
}

#[cfg(test)]
mod tests {
    use tenure_license::{ReportStage, SigningKey, sign};

    use super::*;

    pub(super) fn golden(name: &str) -> String {
        let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "license", "tests", "golden", name].iter().collect();
        std::fs::read_to_string(path).unwrap()
    }

    pub(super) fn root() -> Root {
        Root::pinned(Envelope::from_json(golden("root-1.json").as_bytes()).unwrap()).unwrap()
    }

    /// The key of the golden files of that name.
    pub(super) fn key(name: &str) -> SigningKey {
        SigningKey::from_seed(Hash::sha256(format!("tenure test key {name}")).as_bytes())
    }

    pub(super) fn receipt() -> Receipt {
        let envelope = Envelope::from_json(golden("receipt.json").as_bytes()).unwrap();
        root().verify_receipt_role::<Receipt>(&envelope).unwrap().into_inner()
    }

    /// A saved report, after a change of what the file holds.
    fn report(change: impl FnOnce(&mut serde_json::Value)) -> Result<Told> {
        let ins = "ins_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f".parse().unwrap();
        let report = UsageReport {
            v: 1,
            aud: receipt().aud,
            ins,
            license: "lic_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f".parse().unwrap(),
            period: "2026-01".parse().unwrap(),
            revision: 2,
            replaces: None,
            stage: ReportStage::Final,
            made_at: 1_769_853_600,
            product: "file-backup".to_owned(),
            lines: Vec::new(),
            heads: Vec::new(),
            evidence: None,
            crit: Vec::new(),
        };
        let sender = key("sender");
        let report = sign(&report, &[&sender]).into_envelope();
        let subject = ReceiptSubject::Document { id: "doc_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f".parse().unwrap(), ins };
        let receipt = Receipt { subject, hash: report.hash(), ..receipt() };
        let receipt = sign(&receipt, &[&key("receipt")]).into_envelope();
        let mut file = serde_json::json!({
            "report": report, "key": sender.public().to_string(), "receipt": receipt, "roots": [root().envelope()],
        });
        change(&mut file);
        Saved::read(&file.to_string())?.verify(None)
    }

    #[test]
    fn a_saved_report_is_verified_by_its_receipt_and_its_key() {
        let text = report(|_| {}).unwrap().in_words();
        assert!(text.starts_with("Verified, against the trust root inside the file (version 1, SHA-256 "), "{text}");
        assert!(text.contains("Report          2026-01 of file-backup, revision 2\n"), "{text}");
        assert!(text.contains("Signed          by the key that the server registered for it\n"), "{text}");
        let text = report(|file| file["key"] = serde_json::Value::Null).unwrap().in_words();
        assert!(text.contains("as the server verified it"), "{text}");
    }

    #[test]
    fn what_was_changed_is_not_relied_on() {
        let refused = |change: fn(&mut serde_json::Value)| format!("{:#}", report(change).map(|_| ()).unwrap_err());
        let receipt_alone = |file: &mut serde_json::Value| file["receipt"] = serde_json::Value::Null;
        assert!(refused(receipt_alone).contains("without its receipt"));
        assert!(refused(|file| file["roots"] = serde_json::json!([])).contains("give the vendor's with --root"));
        let other = |file: &mut serde_json::Value| file["key"] = key("another").public().to_string().into();
        assert!(refused(other).starts_with("the product did not sign it"));
        let another = |file: &mut serde_json::Value| {
            file["receipt"] = serde_json::from_str(&golden("receipt.json")).unwrap();
        };
        assert!(refused(another).contains("of a submission"));
        let changed = |file: &mut serde_json::Value| {
            let text = file["receipt"]["payload"].as_str().unwrap().replacen("eyJ2Ijox", "eyJ2Ijoy", 1);
            file["receipt"]["payload"] = text.into();
        };
        assert!(refused(changed).starts_with("its receipt is not the server's"));
    }

    #[test]
    fn lines_are_those_of_the_receipt() {
        let lines = r#"[{"points":200000},{"points":3000}]"#;
        let verify = |lines: &str, hash: Hash| {
            let receipt = sign(&Receipt { hash, ..receipt() }, &[&key("receipt")]).into_envelope();
            let file = serde_json::json!({ "lines": lines, "receipt": receipt });
            Saved::read(&file.to_string()).unwrap().verify(Some(root()))
        };
        let told = verify(lines, Hash::sha256(lines)).unwrap();
        assert!(told.in_words().starts_with("Verified: held by the server of Example Software"), "{}", told.in_words());
        assert!(told.in_words().contains("Points          203 reported, 800 in all\n"));
        let error = |told: Result<Told>| told.map(|_| ()).unwrap_err().to_string();
        assert_eq!(error(verify("[]", Hash::sha256(lines))), "its receipt is of other lines");
        let fewer = r#"[{"points":200000}]"#;
        assert!(error(verify(fewer, Hash::sha256(fewer))).contains("200 points"));
        let alone = Saved::read(&golden("receipt.json")).unwrap().verify(Some(root())).unwrap();
        assert!(alone.in_words().contains("this is the receipt alone"));
        assert!(alone.as_json().contains("\"root_given\":true"));
    }

    #[test]
    fn what_is_no_saved_file_says_so() {
        for bad in ["", "[]", "{}", "{\"receipt\":1}", "{\"lines\":\"\",\"lines\":\"\"}"] {
            assert!(Saved::read(bad).is_err(), "{bad}");
        }
    }
}

//! A License Usage Report as PDF or JSON: what it shows against what was signed.

use anyhow::{Context, Result, bail};
use tenure_license::{Receipt, ReceiptSubject};
use tenure_report::ReportFile;

use super::{Saved, shown};

/// A report that was in the file.
pub(super) struct Usage {
    file: Box<ReportFile>,
    /// What is known of its pages.
    pub(super) pages: Pages,
}

/// What is known of a PDF's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pages {
    /// There are none: the file is JSON.
    None,
    /// They are exactly what the data inside gives.
    Compared,
    /// They are left out of the judgment, as was asked for.
    LeftOut,
}

/// What to do with a PDF's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judge {
    /// Hold them against the report inside. A file whose pages cannot be compared is not relied on.
    Pages,
    /// Say nothing about them.
    ReportAlone,
}

impl Saved {
    /// Reads a PDF by the report inside it, anything else as text.
    ///
    /// Which version made the pages stands in the file, where anyone can write another: it explains a difference, and
    /// excuses none.
    pub(super) fn read_any(bytes: &[u8], judge: Judge) -> Result<Self> {
        if !bytes.starts_with(b"%PDF-") {
            return Self::read(std::str::from_utf8(bytes).context("it is neither text nor a PDF")?);
        }
        let file = tenure_report::read_pdf(bytes)?;
        let pages = if judge == Judge::ReportAlone {
            Pages::LeftOut
        } else if tenure_report::pdf(&file)? == bytes {
            Pages::Compared
        } else if file.made_by == env!("CARGO_PKG_VERSION") {
            bail!("its pages are not those of the report inside: they were changed, or a program saved the file anew");
        } else {
            bail!(
                "its pages cannot be compared: the file says that Tenure {} laid them out, and this is {}. Verify it with \
                 that version, or the report inside alone with --without-pages, and do not rely on the pages",
                shown(&file.made_by),
                env!("CARGO_PKG_VERSION")
            );
        };
        Ok(Self::of_usage(file, pages))
    }

    fn of_usage(file: ReportFile, pages: Pages) -> Self {
        Self {
            receipt: file.receipt.clone(),
            lines: file.lines.clone(),
            roots: file.roots.clone(),
            usage: Some(Usage { file: Box::new(file), pages }),
            ..Self::default()
        }
    }

    /// The JSON of a report, where it is one.
    pub(super) fn read_usage(text: &str) -> Option<Self> {
        ReportFile::read(text).ok().map(|file| Self::of_usage(file, Pages::None))
    }
}

impl Usage {
    /// Whether it shows what the receipt is of: its lines, its sums, whose it is.
    pub(super) fn shows(&self, receipt: &Receipt) -> Result<()> {
        let file = &self.file;
        file.agrees()?;
        let ReceiptSubject::Submission { usage, provider, period, number, reported, total } = &receipt.subject else {
            bail!("its receipt is of no submission");
        };
        let paper = &file.paper;
        let Some(submission) = &paper.submission else { bail!("it shows no submission, and holds a receipt of one") };
        let shown = (paper.usage, paper.provider_id, paper.period, submission.number);
        if shown != (*usage, *provider, *period, *number) {
            bail!("its receipt is of another submission than it shows");
        }
        if (paper.totals.reported, paper.totals.total) != (*reported, *total) {
            bail!("it shows {} points in all, and the receipt says {total}", paper.totals.total);
        }
        if submission.lines_hash != receipt.hash.to_string() || submission.at.as_secs() != receipt.received_at {
            bail!("it shows another receipt than it holds");
        }
        Ok(())
    }

    /// Why there is none: its figures were not submitted as they are.
    pub(super) fn why_no_receipt(&self) -> String {
        let period = self.file.paper.period;
        format!("it is a preliminary report of {period}: the server signs a receipt when the month is submitted")
    }
}

#[cfg(test)]
mod tests {
    use tenure_core::Timestamp;
    use tenure_license::{Hash, sign};

    use super::{
        super::tests::{key, receipt, root},
        *,
    };

    /// A License Usage Report of the golden receipt's month: 203 points, 800 in all.
    fn usage_report() -> serde_json::Value {
        let signed = serde_json::json!([{
            "product": "prd_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f", "company": null,
            "license": "lic_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f", "installation": null, "workload": "vm",
            "variant": "", "own": null, "of_period": null, "source": "automatic", "licensed": 200, "new": 1,
            "raw": 203, "reported": 203, "count": 203, "weight": 1000, "points": 203_000, "reason": null,
        }]);
        let lines = signed.to_string();
        let receipt = Receipt { hash: Hash::sha256(&lines), ..receipt() };
        let ReceiptSubject::Submission { usage, provider, period, number, .. } = receipt.subject.clone() else {
            panic!("the golden receipt is of a submission")
        };
        let paper = serde_json::json!({
            "vendor": "Example Software", "provider": "=Northlight Hosting Łódź", "provider_id": provider,
            "distributor": "Lakeside Distribution", "agreement": "RA-20117", "period": period, "usage": usage,
            "state": "Closed", "purchase_order": "", "comment": "", "closed": null,
            "submission": {
                "number": number, "at": Timestamp::from_secs(receipt.received_at), "by": "Ada Brandt",
                "lines_hash": receipt.hash.to_string(),
            },
            "sites": [], "made": Timestamp::from_secs(receipt.received_at),
            "totals": { "reported": "203", "commit": "800", "enforcement": "597", "overage": "0", "total": "800" },
            "lines": [{
                "product": "Example Backup", "edition": "Standard", "company": "", "installation": null, "host": "",
                "license": "lic_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f", "description": "", "workload": "vm",
                "variant": "", "name": "Virtual machine", "of_period": null, "source": "automatic", "licensed": 200,
                "new": 1, "reported": 203, "count": 203, "weight": "1", "points": "203", "adjusted": null,
            }],
            "excluded": [],
        });
        let receipt = sign(&receipt, &[&key("receipt")]).into_envelope();
        serde_json::json!({
            "tenure_report": 1, "made_by": env!("CARGO_PKG_VERSION"), "paper": paper, "lines": lines,
            "receipt": receipt, "roots": [],
        })
    }

    #[test]
    fn a_usage_report_is_verified_with_its_pages() {
        let read = |value: serde_json::Value| -> ReportFile { serde_json::from_value(value).unwrap() };
        let told = |bytes: &[u8]| Saved::read_any(bytes, Judge::Pages).and_then(|saved| saved.verify(Some(root())));
        let error = |bytes: &[u8]| format!("{:#}", told(bytes).map(|_| ()).unwrap_err());
        let file = read(usage_report());
        let pdf = tenure_report::pdf(&file).unwrap();
        let text = told(&pdf).unwrap().in_words();
        assert!(text.contains("Pages           show exactly the figures that were signed\n"), "{text}");
        assert!(told(file.to_json().as_bytes()).unwrap().in_words().contains("Lines           1, exactly those"));

        // A page that was changed, a file that shows other figures than were signed, another month's receipt.
        let mut changed = pdf.clone();
        let at = changed.windows(9).position(|window| window == b"/MediaBox").unwrap();
        changed[at] = b' ';
        assert!(error(&changed).contains("its pages are not those of the report inside"));
        let refused = |change: fn(&mut serde_json::Value)| {
            let mut value = usage_report();
            change(&mut value);
            error(&tenure_report::pdf(&read(value)).unwrap())
        };
        assert!(refused(|file| file["paper"]["lines"][0]["count"] = 3.into()).contains("line 1 does not show"));
        assert!(refused(|file| file["paper"]["totals"]["total"] = "700".into()).contains("the receipt says 800"));
        assert!(refused(|file| file["paper"]["period"] = "2031-01".into()).contains("of another submission"));
        assert!(refused(|file| file["lines"] = "[]".into()).contains("its receipt is of other lines"));
        assert!(refused(|file| file["receipt"] = serde_json::Value::Null).contains("preliminary"));
        assert!(error(b"%PDF-1.7 nothing").contains("no License Usage Report"));
        // A file that names another version is no way around the comparison, whoever wrote that name.
        let mut older = usage_report();
        older["made_by"] = "0.0.1".into();
        let mut older = tenure_report::pdf(&read(older)).unwrap();
        assert!(told(&older).unwrap().in_words().contains("show exactly the figures"));
        older.push(b'\n');
        let refused = error(&older);
        assert!(refused.contains("Tenure 0.0.1 laid them out") && refused.contains("--without-pages"), "{refused}");
        // Asked for, the report inside is judged by itself, and the file is not called verified.
        let alone = |bytes: &[u8]| Saved::read_any(bytes, Judge::ReportAlone).unwrap().verify(Some(root()));
        for bytes in [&older, &changed, &pdf] {
            let told = alone(bytes).unwrap();
            let (words, json) = (told.in_words(), told.as_json());
            assert!(words.starts_with("The report inside is verified, the pages are not: held by"), "{words}");
            assert!(words.contains("Pages           not compared, as asked: do not rely on them\n"), "{words}");
            assert!(json.contains("\"verified\":false") && json.contains("\"pages_compared\":false"), "{json}");
            assert!(json.contains("\"report_verified\":true"), "{json}");
        }
        // Figures that were not signed are refused there too.
        let mut forged = usage_report();
        forged["paper"]["totals"]["total"] = "700".into();
        let forged = tenure_report::pdf(&read(forged)).unwrap();
        assert!(alone(&forged).is_err());
    }
}

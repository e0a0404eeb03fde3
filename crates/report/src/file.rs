//! The report as JSON, also embedded in the PDF: the paper, the signed lines, the receipt and the trust root.

use serde::{Deserialize, Serialize};
use tenure_core::{InstallationId, LicenseId, Period, Points, Weight, line::Source};
use tenure_license::Envelope;
use tenure_service::UsageReportView;

use crate::Paper;

/// The first bytes of every file, by which it is found inside a PDF.
const MARK: &str = r#"{"tenure_report":1,"#;

/// A report to keep, with what it is checked by.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportFile {
    /// The version of this shape: 1.
    pub tenure_report: u32,
    /// The version of Tenure that made it; another one may lay out the PDF's pages differently.
    pub made_by: String,
    /// What the report says.
    pub paper: Paper,
    /// The lines as they were hashed: canonical JSON; none for preliminary figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<String>,
    /// The server's receipt for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Envelope>,
    /// Every version of the trust root, oldest first.
    #[serde(default)]
    pub roots: Vec<Envelope>,
}

/// Why a file is not a report, or does not agree with itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// There is no report inside.
    #[error("it holds no License Usage Report of Tenure")]
    NoReport,
    /// What is inside cannot be read.
    #[error("the report inside cannot be read: {0}")]
    Unreadable(String),
    /// What it shows is not what was signed.
    #[error("line {0} does not show what was signed")]
    Line(usize),
    /// It has more or fewer lines than were signed.
    #[error("it shows {0} lines, and {1} were signed")]
    Lines(usize, usize),
    /// Its points are not the sum of what was signed.
    #[error("it shows {0} reported points, and its lines come to {1}")]
    Points(Points, Points),
}

/// What of a signed line a paper shows.
#[derive(Deserialize)]
struct Signed {
    license: Option<LicenseId>,
    installation: Option<InstallationId>,
    workload: String,
    variant: String,
    of_period: Option<Period>,
    source: Source,
    licensed: Option<u32>,
    new: u32,
    reported: Option<u32>,
    count: i64,
    weight: Option<Weight>,
    points: Points,
}

impl ReportFile {
    /// The file of a month.
    pub fn of(report: &UsageReportView) -> Self {
        let saved = report.submission.as_ref();
        Self {
            tenure_report: 1,
            made_by: env!("CARGO_PKG_VERSION").to_owned(),
            paper: Paper::of(report),
            lines: saved.map(|saved| saved.lines.clone()),
            receipt: saved.map(|saved| saved.receipt.clone()),
            roots: saved.map(|saved| saved.roots.clone()).unwrap_or_default(),
        }
    }

    /// Its text: one line of JSON.
    ///
    /// # Panics
    /// Never: it is plain data.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("plain data")
    }

    /// Reads it.
    pub fn read(text: &str) -> Result<Self, FileError> {
        if !text.starts_with(MARK) {
            return Err(FileError::NoReport);
        }
        serde_json::from_str(text).map_err(|error| FileError::Unreadable(error.to_string()))
    }

    /// Whether the paper shows the signed lines, figure by figure, and their sum. That the lines are those of the receipt
    /// is the receipt's to say. Names are not signed: they are what they were when the file was made.
    pub fn agrees(&self) -> Result<(), FileError> {
        let Some(text) = &self.lines else { return Ok(()) };
        let signed: Vec<Signed> =
            serde_json::from_str(text).map_err(|error| FileError::Unreadable(error.to_string()))?;
        let shown = &self.paper.lines;
        if shown.len() != signed.len() {
            return Err(FileError::Lines(shown.len(), signed.len()));
        }
        for (at, (shown, signed)) in shown.iter().zip(&signed).enumerate() {
            let of_what = (shown.license, shown.installation, &shown.workload, &shown.variant, shown.of_period)
                == (signed.license, signed.installation, &signed.workload, &signed.variant, signed.of_period);
            let units = (shown.source, shown.licensed, shown.new, shown.reported, shown.count)
                == (signed.source, signed.licensed, signed.new, signed.reported, signed.count);
            if !of_what || !units || (shown.weight, shown.points) != (signed.weight, signed.points) {
                return Err(FileError::Line(at + 1));
            }
        }
        let sum = signed.iter().map(|line| line.points).sum::<Points>().max(Points::ZERO);
        if sum == self.paper.totals.reported { Ok(()) } else { Err(FileError::Points(self.paper.totals.reported, sum)) }
    }
}

/// The report embedded in a PDF. It is stored there uncompressed, so no reader of PDFs is needed to find it.
pub fn read_pdf(bytes: &[u8]) -> Result<ReportFile, FileError> {
    let mark = MARK.as_bytes();
    let at = bytes.windows(mark.len()).position(|window| window == mark).ok_or(FileError::NoReport)?;
    let mut values = serde_json::Deserializer::from_slice(&bytes[at..]).into_iter();
    let file = values.next().ok_or(FileError::NoReport)?;
    file.map_err(|error: serde_json::Error| FileError::Unreadable(error.to_string()))
}

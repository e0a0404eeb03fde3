//! The License Usage Report as files to hand on: CSV, JSON, XLSX and PDF, from one [`Paper`], so that the same figures
//! stand in all of them.
//!
//! A paper only says what the service decided: it adds up what it shows and nothing else. JSON and PDF carry the signed
//! lines and the server's receipt along ([`ReportFile`]), so that anybody can check them later (`tenure report verify`). A
//! PDF is a pure function of the file embedded in it: who verifies lays it out again and compares the bytes.

pub mod csv;
mod file;
mod paper;
mod pdf;
#[cfg(test)]
mod sample;
mod sums;
mod text;
mod words;
mod xlsx;

pub use file::{FileError, ReportFile, read_pdf};
pub use paper::{Adjusted, Excluded, Paper, PaperLine, PaperSubmission, PaperTotals};
pub use pdf::{PdfError, pdf};
pub use sums::{CompanySum, LicenseSum, ProductSum, companies, licenses, products};
pub use xlsx::{XlsxError, xlsx};

/// The formats of a report, as they stand in addresses and file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, a line a row.
    Csv,
    /// All of it, with the signed lines and the receipt.
    Json,
    /// A workbook with a sheet for each part.
    Xlsx,
    /// To be printed, with the JSON inside.
    Pdf,
}

impl Format {
    /// All, in the order pages offer them.
    pub const ALL: [Self; 4] = [Self::Pdf, Self::Xlsx, Self::Csv, Self::Json];

    /// The file name's ending.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Xlsx => "xlsx",
            Self::Pdf => "pdf",
        }
    }

    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Pdf => "application/pdf",
        }
    }

    /// The format of an ending.
    pub fn of_ending(ending: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.ending() == ending)
    }
}

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The workbook.
    #[error("the workbook could not be written")]
    Xlsx(#[from] XlsxError),
    /// The PDF.
    #[error("the PDF could not be written")]
    Pdf(#[from] PdfError),
}

/// The report in a format, with the name to keep it under.
pub fn write(report: &tenure_service::UsageReportView, format: Format) -> Result<(String, Vec<u8>), WriteError> {
    let name = format!("license-usage-{}.{}", report.month.head.period, format.ending());
    let bytes = match format {
        Format::Csv => csv::lines(&report.month).into_bytes(),
        Format::Json => ReportFile::of(report).to_json().into_bytes(),
        Format::Xlsx => xlsx(&Paper::of(report))?,
        Format::Pdf => pdf(&ReportFile::of(report))?,
    };
    Ok((name, bytes))
}

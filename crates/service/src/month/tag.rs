//! The name of a month's lines: what an ETag is made of, and what submit, approve and close refer to (F9).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tenure_core::{CompanyId, InstallationId, LicenseId, LineId, Period, Points, ProductId, Timestamp, Weight};
use tenure_core::{
    adjust::ReasonCode,
    line::{LineKey, Source},
};

use super::types::Line;
use crate::{Error, Result};

/// Names the lines somebody saw: their hash, and when they last changed before that.
///
/// Its text is 64 hexadecimal digits, a dot and microseconds. Two tags mean the same lines when the hashes are equal; the
/// instant only helps to say what changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinesTag {
    /// SHA-256 of the lines' canonical JSON.
    pub hash: [u8; 32],
    /// The last change that was seen.
    pub seen: Timestamp,
}

/// The text is no tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a tag of lines")]
pub struct ParseTagError;

impl fmt::Display for LinesTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", tenure_store::hex(&self.hash), self.seen.as_micros())
    }
}

impl FromStr for LinesTag {
    type Err = ParseTagError;
    fn from_str(text: &str) -> std::result::Result<Self, ParseTagError> {
        let (hash, seen) = text.split_once('.').unwrap_or((text, "0"));
        let hash: tenure_license::Hash = hash.parse().map_err(|_| ParseTagError)?;
        let seen = seen.parse().map_err(|_| ParseTagError)?;
        Ok(Self { hash: *hash.as_bytes(), seen: Timestamp::from_micros(seen) })
    }
}

/// A line as it is hashed, stored with the submission and compared with the next month. Fields are only added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignedLine {
    pub(crate) product: ProductId,
    pub(crate) company: Option<CompanyId>,
    pub(crate) license: Option<LicenseId>,
    pub(crate) installation: Option<InstallationId>,
    pub(crate) workload: String,
    pub(crate) variant: String,
    pub(crate) own: Option<LineId>,
    pub(crate) of_period: Option<Period>,
    pub(crate) source: Source,
    pub(crate) licensed: Option<u32>,
    pub(crate) new: u32,
    pub(crate) raw: Option<u32>,
    pub(crate) reported: Option<u32>,
    pub(crate) count: i64,
    pub(crate) weight: Option<Weight>,
    pub(crate) points: Points,
    pub(crate) reason: Option<ReasonCode>,
}

impl SignedLine {
    pub(crate) fn of(line: &Line) -> Self {
        // Whether a report is final yet is a matter of the clock, not of the figures.
        let source = if line.source == Source::Preliminary { Source::Automatic } else { line.source };
        Self {
            product: line.product.id,
            company: line.company.as_ref().map(|company| company.id),
            license: line.license.as_ref().map(|license| license.id),
            installation: line.installation.as_ref().map(|installation| installation.id),
            workload: line.workload.code.clone(),
            variant: line.workload.variant.clone(),
            own: line.own,
            of_period: line.of_period,
            source,
            licensed: line.licensed,
            new: line.new,
            raw: line.raw,
            reported: line.reported,
            count: line.count,
            weight: line.weight,
            points: line.points,
            reason: line
                .adjustment
                .as_ref()
                .and_then(|adjustment| adjustment.reason)
                .or_else(|| line.said.as_ref().and_then(|(reason, _)| *reason)),
        }
    }
}

impl SignedLine {
    /// What it is about.
    pub(crate) fn key(&self) -> LineKey {
        LineKey {
            product: self.product,
            company: self.company,
            license: self.license,
            installation: self.installation,
            workload: self.workload.clone(),
            variant: self.variant.clone(),
            own: self.own,
        }
    }
}

/// The lines' canonical JSON: no white space, fields in one order, lines in the order of their keys.
pub(crate) fn canonical(lines: &[Line]) -> String {
    of_texts(&lines.iter().map(text).collect::<Vec<_>>())
}

/// Tags each line, and gives the hash of all.
pub(crate) fn tag_all(lines: &mut [Line]) -> [u8; 32] {
    let texts: Vec<String> = lines.iter().map(text).collect();
    for (line, text) in lines.iter_mut().zip(&texts) {
        line.tag = hash(text);
    }
    hash(&of_texts(&texts))
}

fn text(line: &Line) -> String {
    serde_json::to_string(&SignedLine::of(line)).expect("lines are plain data")
}

fn of_texts(texts: &[String]) -> String {
    format!("[{}]", texts.join(","))
}

/// SHA-256 of a canonical text.
pub(crate) fn hash(canonical: &str) -> [u8; 32] {
    Sha256::digest(canonical.as_bytes()).into()
}

/// Signed lines as they were stored.
pub(crate) fn read(canonical: &str) -> Result<Vec<SignedLine>> {
    serde_json::from_str(canonical).map_err(|_| Error::Internal("signed lines cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_its_text() {
        let tag = LinesTag { hash: hash("[]"), seen: Timestamp::from_micros(7) };
        assert_eq!(tag.to_string().parse(), Ok(tag));
        let bare: LinesTag = tag.to_string()[..64].parse().expect("a bare hash is a tag");
        assert_eq!((bare.hash, bare.seen), (tag.hash, Timestamp::EPOCH));
        for bad in ["", ".", "00.1", "zz", &format!("{}.x", &tag.to_string()[..64])] {
            assert_eq!(bad.parse::<LinesTag>(), Err(ParseTagError), "{bad}");
        }
    }
}

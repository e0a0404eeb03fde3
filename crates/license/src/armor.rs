//! The armor of files that people carry: readable around, signed inside.
//!
//! ```text
//! -----BEGIN TENURE LICENSE-----
//! Comment lines, for people; not signed, never shown by a program.
//!
//! base64 of the envelope's JSON, 76 characters a line
//! -----END TENURE LICENSE-----
//! ```
//! A trust root is no such file: it is the plain JSON of its envelope (`root.json`), for it goes into programs.

use base64::{Engine, engine::general_purpose::STANDARD};
use tenure_core::Timestamp;

use crate::{
    envelope::{Envelope, EnvelopeError},
    json::decode_payload,
    payload::License,
};

/// Label of a license file.
pub const LICENSE: &str = "TENURE LICENSE";
/// Label of a request carried by hand.
pub const OFFLINE_REQUEST: &str = "TENURE OFFLINE REQUEST";
/// Label of an answer carried by hand.
pub const OFFLINE_RESPONSE: &str = "TENURE OFFLINE RESPONSE";
/// Label of a continuity note.
pub const CONTINUITY: &str = "TENURE CONTINUITY";

/// Largest text of a license file in bytes: 64 KiB of payload, twice in base64, and room for comments.
pub const MAX_LICENSE_TEXT: usize = 192 * 1024;

const LINE: usize = 76;
const MAX_COMMENT: usize = 200;

/// Why a text is not an armored file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArmorError {
    /// Longer than such a file may be.
    #[error("the file is {size} bytes long, more than the {limit} it may have")]
    TooLarge {
        /// Bytes given.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// It does not begin with the line that such a file begins with.
    #[error("the file does not begin with `-----BEGIN {0}-----`")]
    NoBegin(String),
    /// The closing line is missing, so the file was cut.
    #[error("the file is cut: `-----END {0}-----` is missing")]
    NoEnd(String),
    /// No blank line after the comments.
    #[error("the file has no blank line before its content")]
    NoContent,
    /// Something follows the closing line, a second block for instance.
    #[error("the file goes on after `-----END {0}-----`; it must hold one document only")]
    Trailing(String),
    /// The content is not base64.
    #[error("the file was damaged: its content is not base64")]
    NotBase64,
    /// The content is not an envelope.
    #[error("the file's content is not a signed document: {0}")]
    NotAnEnvelope(#[from] EnvelopeError),
}

/// The license file.
pub struct LicenseFile;

impl LicenseFile {
    /// The text of a license file. Its comments are taken from the payload as it stands, verified or not.
    pub fn to_text(envelope: &Envelope) -> String {
        let mut comments = vec![
            "The lines above the blank line are for people. They are not signed, and no program reads them.".to_owned(),
        ];
        if let Ok(license) = decode_payload::<License>(&envelope.payload) {
            let product = &license.product;
            comments.push(format!("Product: {} {} {}", product.name, product.edition, product.version));
            comments.push(format!("Provider: {}", license.provider.name));
            if let Some(company) = &license.company {
                comments.push(format!("Company: {}", company.name));
            }
            comments.push(format!("Valid until: {}", Timestamp::from_secs(license.expires_at)));
        }
        encode(LICENSE, &comments, envelope.to_json().as_bytes())
    }

    /// The envelope in a license file. It proves nothing until [`Root::verify_license`](crate::root::Root::verify_license).
    pub fn parse(text: &str) -> Result<Envelope, ArmorError> {
        Ok(Envelope::from_json(&decode(LICENSE, text, MAX_LICENSE_TEXT)?)?)
    }
}

/// Armors `content`. A comment line keeps its printable characters only, so that none can be mistaken for structure.
pub fn encode(label: &str, comments: &[String], content: &[u8]) -> String {
    let mut lines = vec![format!("-----BEGIN {label}-----")];
    for comment in comments {
        let printable: String = comment.chars().filter(|c| !c.is_control()).take(MAX_COMMENT).collect();
        let line = printable.trim();
        if !line.is_empty() && !line.starts_with('-') {
            lines.push(line.to_owned());
        }
    }
    lines.push(String::new());
    let base64 = STANDARD.encode(content);
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        lines.push(line.to_owned());
        rest = after;
    }
    lines.push(format!("-----END {label}-----\n"));
    lines.join("\n")
}

/// The content of an armored text: line ends may be CR LF, blank text may lie around the block and spaces at the end of
/// its lines; nothing else is tolerated.
pub fn decode(label: &str, text: &str, limit: usize) -> Result<Vec<u8>, ArmorError> {
    if text.len() > limit {
        return Err(ArmorError::TooLarge { size: text.len(), limit });
    }
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let mut lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines().map(str::trim_end);
    if lines.by_ref().find(|line| !line.is_empty()) != Some(begin.as_str()) {
        return Err(ArmorError::NoBegin(label.to_owned()));
    }
    // A line of dashes before the blank line is structure in the wrong place, not a comment.
    match lines.by_ref().find(|line| line.is_empty() || line.starts_with("-----")) {
        Some("") => {}
        Some(_) => return Err(ArmorError::NoContent),
        None => return Err(ArmorError::NoEnd(label.to_owned())),
    }
    let mut base64 = String::new();
    loop {
        match lines.next() {
            None => return Err(ArmorError::NoEnd(label.to_owned())),
            Some(line) if line == end => break,
            Some(line) => base64.push_str(line),
        }
    }
    if lines.any(|line| !line.is_empty()) {
        return Err(ArmorError::Trailing(label.to_owned()));
    }
    STANDARD.decode(base64).map_err(|_| ArmorError::NotBase64)
}

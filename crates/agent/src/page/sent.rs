//! What left this machine last, in full.

use askama::Template;
use tenure_license::{Envelope, Hash};

use super::{Frame, assets, format, format::When, page, response::Response};
use crate::glance::Glance;

/// The longest text of one document on the page, in bytes; the file has all.
const MAX_SHOWN: usize = 128 * 1024;

#[derive(Template)]
#[template(path = "sent.html")]
struct Sent {
    frame: Frame,
    requests: Vec<Request>,
}

/// A request and what it carried.
struct Request {
    made: When,
    parts: Vec<Part>,
}

/// The request, or a document that it carried.
struct Part {
    /// What it is, in words.
    name: &'static str,
    media_type: String,
    size: String,
    hash: String,
    text: String,
    cut: bool,
}

/// Draws it.
pub(super) fn show(frame: Frame, glance: &Glance) -> Response {
    let now = frame.now;
    let requests = glance.last_sent().into_iter().map(|sent| Request {
        made: When::of(sent.at, now),
        parts: std::iter::once(&sent.request).chain(&sent.documents).map(Part::of).collect(),
    });
    page(200, &Sent { requests: requests.collect(), frame })
}

impl Part {
    fn of(envelope: &Envelope) -> Self {
        // Indented for people; a payload is strict JSON, or it would not have been signed.
        let value = serde_json::from_slice::<serde_json::Value>(&envelope.payload);
        let mut text = value.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or_default();
        let cut = text.len() > MAX_SHOWN;
        text.truncate(text.floor_char_boundary(MAX_SHOWN));
        let kind = envelope.payload_type.as_str();
        let name = [
            ("check-in", "Check-in"),
            ("report", "Usage report"),
            ("evidence", "Workloads behind a report"),
            ("watermark", "Watermark of a week"),
        ];
        let name = name.iter().find(|(part, _)| kind.contains(part)).map_or("Document", |(_, name)| name);
        Self {
            name,
            media_type: kind.to_owned(),
            size: format::units(envelope.payload.len() as i64, "byte"),
            hash: Hash::sha256(&envelope.payload).to_string(),
            text,
            cut,
        }
    }
}

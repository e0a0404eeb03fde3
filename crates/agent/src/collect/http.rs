//! The `http` collector: a JSON API that lists workloads, page by page.

use std::{path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenure_core::{Clock, Timestamp};
use ureq::http::Uri;

use super::{
    BadRow, CollectError, Collector, Sighting, checked,
    fetch::{Fetcher, Visit},
    rows::Rows,
};
use crate::network::{Network, NetworkError};

/// The largest page that is read.
const MAX_PAGE_BYTES: u64 = 16 * 1024 * 1024;
/// The most pages of one collection.
const MAX_PAGES: u32 = 1000;
/// The most items of one collection.
const MAX_ITEMS: usize = 1_000_000;
/// Bad rows that are remembered; an error names only a few.
const MAX_BAD: usize = 1000;

/// Options of the `http` collector. Pointers are JSON pointers (RFC 6901): `/data/items`, or empty for the whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Address of the first page.
    pub url: String,
    /// File that holds a token, sent as `Authorization: Bearer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// PEM file of authorities believed for this server, instead of those of `[network]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// How long all pages may take together, in seconds.
    #[serde(default = "default_timeout_secs")]
    pub timeout_secs: u32,
    /// Pointer to the array of items in a page.
    #[serde(default)]
    pub items: String,
    /// Pointer to an item's stable id.
    pub id: String,
    /// Workload type code of every item.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub workload: String,
    /// Pointer to an item's workload type code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload_field: Option<String>,
    /// Variant code of every item.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// Pointer to an item's variant code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant_field: Option<String>,
    /// Company of every item.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub company: String,
    /// Pointer to an item's company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company_field: Option<String>,
    /// Pointer to when an item was last protected, RFC 3339 or seconds since 1970; an item where it is null was never
    /// protected. Without this key, every item that is listed is protected now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected_at: Option<String>,
    /// Whether items are protections, past ones too, and not workloads with their last one.
    #[serde(default)]
    pub looks_back: bool,
    /// Pointer to the address of the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_link: Option<String>,
    /// Query parameter that takes a page's number; pages are asked for until one is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_parameter: Option<String>,
    /// Number of the first page.
    #[serde(default = "default_first_page", skip_serializing_if = "is_first")]
    pub first_page: u32,
    /// Pointer to the cursor of the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Query parameter that takes the cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor_parameter: Option<String>,
}

fn default_timeout_secs() -> u32 {
    300
}
fn default_first_page() -> u32 {
    1
}
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_first(page: &u32) -> bool {
    *page == 1
}

impl HttpConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        parse_address("url", &self.url)?;
        if self.timeout_secs == 0 {
            return Err("`timeout_secs` is 0, so nothing could ever be read".to_owned());
        }
        pointer("items", &self.items)?;
        pointer("id", &self.id)?;
        let fields = [
            ("workload_field", &self.workload_field),
            ("variant_field", &self.variant_field),
            ("company_field", &self.company_field),
            ("protected_at", &self.protected_at),
            ("next_link", &self.next_link),
            ("cursor", &self.cursor),
        ];
        for (key, value) in fields {
            value.as_deref().map_or(Ok(()), |value| pointer(key, value))?;
        }
        if self.workload.is_empty() == self.workload_field.is_none() {
            return Err("give either `workload` or `workload_field`".to_owned());
        }
        for (fixed, key, field) in
            [(&self.variant, "variant", &self.variant_field), (&self.company, "company", &self.company_field)]
        {
            if !fixed.is_empty() && field.is_some() {
                return Err(format!("give either `{key}` or `{key}_field`"));
            }
        }
        if self.cursor.is_some() != self.cursor_parameter.is_some() {
            return Err("`cursor` and `cursor_parameter` go together".to_owned());
        }
        let ways = [self.next_link.is_some(), self.page_parameter.is_some(), self.cursor.is_some()];
        if ways.iter().filter(|set| **set).count() > 1 {
            return Err("give at most one of `next_link`, `page_parameter` and `cursor`".to_owned());
        }
        Ok(())
    }
}

/// An address over HTTP.
pub(super) fn parse_address(key: &str, text: &str) -> Result<Uri, String> {
    let uri = text.parse::<Uri>().ok();
    let usable = uri.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some());
    usable.ok_or_else(|| format!("`{key}` is not an address such as https://host/path"))
}

fn pointer(key: &str, text: &str) -> Result<(), String> {
    if text.is_empty() || text.starts_with('/') {
        return Ok(());
    }
    Err(format!("`{key}` is `{text}`, not a JSON pointer; write `/{text}`"))
}

/// Reads workloads from a JSON API.
pub struct HttpCollector {
    config: HttpConfig,
    fetcher: Fetcher,
}

/// Where the next page is.
enum Further {
    End,
    At(Uri),
}

impl HttpCollector {
    /// A collector for the API; it need not be reachable yet.
    ///
    /// # Errors
    /// When `ca_file` holds no certificate.
    pub fn new(config: HttpConfig, network: &Network, clock: Arc<dyn Clock>) -> Result<Self, NetworkError> {
        let (ca, token) = (config.ca_file.as_deref(), config.token_file.clone());
        let fetcher = Fetcher::new(network, ca, config.timeout_secs, token, clock)?;
        Ok(Self { config, fetcher })
    }

    fn pages(&self, visit: &Visit<'_>, now: Timestamp) -> Result<Rows, String> {
        let (mut good, mut bad) = Rows::default();
        let mut at = self.first_page()?;
        let mut before: Option<Vec<u8>> = None;
        for page in 1..=MAX_PAGES {
            let bytes = visit.get(&at, "application/json", MAX_PAGE_BYTES)?;
            if before.as_ref() == Some(&bytes) {
                return Err(format!("{at}: page {page} is the page before it once more; is the paging set up right?"));
            }
            let body: Value = serde_json::from_slice(&bytes).map_err(|error| format!("{at}: not JSON: {error}"))?;
            let items = self.items_of(&body).map_err(|why| format!("{at}: {why}"))?;
            let empty = items.is_empty();
            if good.len() + bad.len() + items.len() > MAX_ITEMS {
                return Err(format!("{at}: more than {MAX_ITEMS} items"));
            }
            for (n, item) in items.iter().enumerate() {
                match self.sighting(item, now) {
                    Ok(sighting) => good.extend(sighting),
                    Err(problem) if bad.len() < MAX_BAD => {
                        bad.push(BadRow { place: format!("page {page} item {}", n + 1), problem });
                    }
                    Err(_) => {}
                }
            }
            match self.further(&body, &at, page, empty).map_err(|why| format!("{at}: {why}"))? {
                Further::End => return Ok((good, bad)),
                Further::At(next) if next == at => return Err(format!("{at}: this page names itself as the next one")),
                Further::At(next) => at = next,
            }
            before = Some(bytes);
        }
        Err(format!("{}: more than {MAX_PAGES} pages", self.config.url))
    }

    fn first_page(&self) -> Result<Uri, String> {
        let first = parse_address("url", &self.config.url)?;
        match &self.config.page_parameter {
            Some(name) => with_query(&first, name, &self.config.first_page.to_string()),
            None => Ok(first),
        }
    }

    fn items_of<'a>(&self, body: &'a Value) -> Result<&'a Vec<Value>, String> {
        let items = &self.config.items;
        match body.pointer(items) {
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(format!("`items`: what `{items}` points at is {}, not an array", kind_of(other))),
            None => Err(format!("`items`: there is nothing at `{items}`")),
        }
    }

    /// What an item tells; nothing of one that was never protected.
    fn sighting(&self, item: &Value, now: Timestamp) -> Result<Option<Sighting>, String> {
        let config = &self.config;
        let at = match &config.protected_at {
            None => now,
            Some(field) => match item.pointer(field) {
                None | Some(Value::Null) => return Ok(None),
                Some(Value::String(text)) if text.is_empty() => return Ok(None),
                Some(Value::String(text)) => {
                    text.trim().parse().map_err(|error| format!("`protected_at` ({field}) is {error}"))?
                }
                Some(Value::Number(number)) => instant(number.as_f64().unwrap_or(f64::NAN))
                    .ok_or_else(|| format!("`protected_at` ({field}) is {number}, no instant in seconds"))?,
                Some(other) => return Err(format!("`protected_at` ({field}) is {}", kind_of(other))),
            },
        };
        Ok(Some(Sighting {
            id: text_at(item, "id", &config.id, true)?,
            company: field(item, "company_field", config.company_field.as_ref(), &config.company, false)?,
            workload: field(item, "workload_field", config.workload_field.as_ref(), &config.workload, true)?,
            variant: field(item, "variant_field", config.variant_field.as_ref(), &config.variant, false)?,
            at,
        }))
    }

    fn further(&self, body: &Value, at: &Uri, page: u32, empty: bool) -> Result<Further, String> {
        if let Some(field) = &self.config.next_link {
            return match body.pointer(field) {
                None | Some(Value::Null) => Ok(Further::End),
                Some(Value::String(link)) if link.is_empty() => Ok(Further::End),
                Some(Value::String(link)) => follow(at, link).map(Further::At),
                Some(other) => Err(format!("`next_link` ({field}) is {}, not an address", kind_of(other))),
            };
        }
        if let (Some(field), Some(name)) = (&self.config.cursor, &self.config.cursor_parameter) {
            let cursor = match body.pointer(field) {
                None | Some(Value::Null) => return Ok(Further::End),
                Some(Value::String(cursor)) if cursor.is_empty() => return Ok(Further::End),
                Some(Value::String(cursor)) => cursor.clone(),
                Some(Value::Number(cursor)) => cursor.to_string(),
                Some(other) => return Err(format!("`cursor` ({field}) is {}", kind_of(other))),
            };
            let first = parse_address("url", &self.config.url)?;
            return with_query(&first, name, &cursor).map(Further::At);
        }
        match &self.config.page_parameter {
            Some(name) if !empty => {
                let number = u64::from(self.config.first_page) + u64::from(page);
                with_query(&parse_address("url", &self.config.url)?, name, &number.to_string()).map(Further::At)
            }
            _ => Ok(Further::End),
        }
    }
}

impl Collector for HttpCollector {
    fn name(&self) -> String {
        format!("http {}", self.config.url)
    }
    fn looks_back(&self) -> bool {
        self.config.looks_back
    }
    fn collect(&mut self, _: Timestamp, now: Timestamp) -> Result<Vec<Sighting>, CollectError> {
        let read = self.fetcher.visit().and_then(|visit| self.pages(&visit, now));
        let (good, bad) = read.map_err(CollectError::Unavailable)?;
        if bad.is_empty() { Ok(good) } else { Err(CollectError::BadRows { good, bad }) }
    }
}

/// Seconds since 1970, fractions too, within the years that can be written.
pub(super) fn instant(seconds: f64) -> Option<Timestamp> {
    let sane = (0.0..253_402_300_800.0).contains(&seconds);
    sane.then(|| Timestamp::from_micros((seconds * 1e6) as i64))
}

fn field(item: &Value, key: &str, at: Option<&String>, fixed: &str, required: bool) -> Result<String, String> {
    match at {
        Some(at) => text_at(item, key, at, required),
        None => Ok(fixed.to_owned()),
    }
}

/// A text of an item; numbers are written out, as ids often are numbers.
fn text_at(item: &Value, key: &str, at: &str, required: bool) -> Result<String, String> {
    let text = match item.pointer(at) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        None | Some(Value::Null) if !required => String::new(),
        None => return Err(format!("`{key}`: there is nothing at `{at}`")),
        Some(other) => return Err(format!("`{key}`: what `{at}` points at is {}", kind_of(other))),
    };
    checked(key, &text, required)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The address of the next page. It must be of the same server: a token goes with it.
fn follow(at: &Uri, link: &str) -> Result<Uri, String> {
    let unusable = || format!("`next_link`: `{link}` is not an address");
    let next = if link.starts_with('/') && !link.starts_with("//") {
        at_path(at, link)
    } else if link.starts_with('?') {
        at_path(at, &format!("{}{link}", at.path()))
    } else {
        link.parse::<Uri>().ok()
    };
    let next = next.filter(|next| next.scheme().is_some() && next.authority().is_some()).ok_or_else(unusable)?;
    if (next.scheme(), next.authority()) != (at.scheme(), at.authority()) {
        return Err(format!("`next_link`: `{link}` leads to another server, which is not followed"));
    }
    Ok(next)
}

fn at_path(at: &Uri, path_and_query: &str) -> Option<Uri> {
    let mut parts = at.clone().into_parts();
    parts.path_and_query = Some(path_and_query.parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// An address with one query parameter set.
fn with_query(at: &Uri, name: &str, value: &str) -> Result<Uri, String> {
    let (name, value) = (encoded(name), encoded(value));
    let others = at.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let others = others.filter(|pair| pair.split('=').next() != Some(&name)).map(str::to_owned);
    let query = others.chain([format!("{name}={value}")]).collect::<Vec<_>>().join("&");
    at_path(at, &format!("{}?{query}", at.path())).ok_or_else(|| format!("`{value}` cannot be put into an address"))
}

fn hex_digit(value: u8) -> char {
    char::from(b"0123456789ABCDEF"[usize::from(value & 15)])
}

/// Percent-encoding of everything but unreserved characters (RFC 3986).
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.extend(['%', hex_digit(byte >> 4), hex_digit(byte & 15)]);
        }
    }
    out
}

#[cfg(test)]
mod tests;

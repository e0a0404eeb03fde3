//! The `prometheus` collector: one metric of a text-format endpoint, whose labels name the workloads.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};
use tenure_core::{Clock, Timestamp};

use super::{
    BadRow, CollectError, Collector, Sighting, checked,
    fetch::Fetcher,
    http::{instant, parse_address},
    rows::Rows,
};
use crate::network::{Network, NetworkError};

/// The largest exposition that is read.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// The most labels of one sample.
const MAX_LABELS: usize = 100;
/// Bad samples that are remembered; an error names only a few.
const MAX_BAD: usize = 1000;

/// Options of the `prometheus` collector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrometheusConfig {
    /// Address of the endpoint.
    pub url: String,
    /// File that holds a token, sent as `Authorization: Bearer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// PEM file of authorities believed for this server, instead of those of `[network]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// How long it may take, in seconds.
    #[serde(default = "default_timeout_secs")]
    pub timeout_secs: u32,
    /// Name of the metric.
    pub metric: String,
    /// What a sample's value says.
    #[serde(default)]
    pub value: SampleValue,
    /// Label whose value is the workload's stable id.
    pub id_label: String,
    /// Workload type code of every sample.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub workload: String,
    /// Label whose value is the workload type code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload_label: Option<String>,
    /// Variant code of every sample.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// Label whose value is the variant code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant_label: Option<String>,
    /// Company of every sample.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub company: String,
    /// Label whose value is the company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company_label: Option<String>,
    /// Whether an endpoint without any such sample means that nothing is protected; otherwise it is an error.
    #[serde(default)]
    pub may_be_empty: bool,
    /// Labels that a sample must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

fn default_timeout_secs() -> u32 {
    60
}

/// What a sample's value says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleValue {
    /// When the workload was last protected, in seconds since 1970; 0 means never.
    #[default]
    Instant,
    /// Above zero: it is protected now.
    Protected,
}

impl PrometheusConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        parse_address("url", &self.url)?;
        if self.timeout_secs == 0 {
            return Err("`timeout_secs` is 0, so nothing could ever be read".to_owned());
        }
        let named = [("metric", Some(&self.metric)), ("id_label", Some(&self.id_label))];
        let labels = [
            ("workload_label", self.workload_label.as_ref()),
            ("variant_label", self.variant_label.as_ref()),
            ("company_label", self.company_label.as_ref()),
        ];
        let selectors = self.labels.keys().map(|name| ("labels", Some(name)));
        for (key, name) in named.into_iter().chain(labels).chain(selectors) {
            if let Some(name) = name
                && !is_name(name)
            {
                return Err(format!("`{key}`: `{name}` is not a name that a metric or label can have"));
            }
        }
        if self.workload.is_empty() == self.workload_label.is_none() {
            return Err("give either `workload` or `workload_label`".to_owned());
        }
        Ok(())
    }
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic() || "_:".contains(first))
        && chars.all(|c| c.is_ascii_alphanumeric() || "_:".contains(c))
}

/// Reads workloads from a metric.
pub struct PrometheusCollector {
    config: PrometheusConfig,
    fetcher: Fetcher,
}

/// One sample of the exposition.
#[derive(Debug, PartialEq)]
struct Sample {
    labels: BTreeMap<String, String>,
    value: f64,
}

impl PrometheusCollector {
    /// A collector for the endpoint; it need not be reachable yet.
    ///
    /// # Errors
    /// When `ca_file` holds no certificate.
    pub fn new(config: PrometheusConfig, network: &Network, clock: Arc<dyn Clock>) -> Result<Self, NetworkError> {
        let (ca, token) = (config.ca_file.as_deref(), config.token_file.clone());
        let fetcher = Fetcher::new(network, ca, config.timeout_secs, token, clock)?;
        Ok(Self { config, fetcher })
    }

    fn read(&self, text: &str, now: Timestamp) -> Result<Rows, String> {
        let (mut good, mut bad) = Rows::default();
        let mut found = false;
        for (n, line) in text.lines().enumerate() {
            let Some(rest) = line.trim().strip_prefix(&self.config.metric) else { continue };
            if !rest.starts_with(['{', ' ', '\t']) {
                // Another metric whose name begins alike.
                continue;
            }
            let sample = match parse_sample(rest) {
                Ok(sample) if !self.selects(&sample) => continue,
                other => other,
            };
            found = true;
            match sample.and_then(|sample| self.sighting(&sample, now)) {
                Ok(sighting) => good.extend(sighting),
                Err(problem) if bad.len() < MAX_BAD => bad.push(BadRow { place: format!("line {}", n + 1), problem }),
                Err(_) => {}
            }
        }
        if !found && !self.config.may_be_empty {
            return Err(format!("it has no sample of `{}` with these labels", self.config.metric));
        }
        Ok((good, bad))
    }

    fn selects(&self, sample: &Sample) -> bool {
        self.config.labels.iter().all(|(name, value)| sample.labels.get(name) == Some(value))
    }

    fn sighting(&self, sample: &Sample, now: Timestamp) -> Result<Option<Sighting>, String> {
        let config = &self.config;
        let at = match config.value {
            SampleValue::Protected if sample.value > 0.0 => now,
            SampleValue::Protected => return Ok(None),
            SampleValue::Instant if sample.value == 0.0 => return Ok(None),
            SampleValue::Instant => instant(sample.value)
                .ok_or_else(|| format!("`value`: {} is no instant in seconds since 1970", sample.value))?,
        };
        let label = |key: &str, name: Option<&String>, fixed: &str, required: bool| match name {
            None => Ok(fixed.to_owned()),
            Some(name) => match sample.labels.get(name) {
                Some(value) => checked(key, value.trim(), required),
                None if required => Err(format!("`{key}`: it has no label `{name}`")),
                None => Ok(String::new()),
            },
        };
        Ok(Some(Sighting {
            id: label("id_label", Some(&config.id_label), "", true)?,
            company: label("company_label", config.company_label.as_ref(), &config.company, false)?,
            workload: label("workload_label", config.workload_label.as_ref(), &config.workload, true)?,
            variant: label("variant_label", config.variant_label.as_ref(), &config.variant, false)?,
            at,
        }))
    }
}

impl Collector for PrometheusCollector {
    fn name(&self) -> String {
        format!("prometheus {} {}", self.config.url, self.config.metric)
    }
    fn looks_back(&self) -> bool {
        false
    }
    fn collect(&mut self, _: Timestamp, now: Timestamp) -> Result<Vec<Sighting>, CollectError> {
        let url = &self.config.url;
        let read = || {
            let uri = parse_address("url", url)?;
            let bytes = self.fetcher.visit()?.get(&uri, "text/plain;version=0.0.4", MAX_BYTES)?;
            let text = String::from_utf8(bytes).map_err(|_| format!("{url}: not UTF-8"))?;
            self.read(&text, now).map_err(|why| format!("{url}: {why}"))
        };
        let (good, bad) = read().map_err(CollectError::Unavailable)?;
        if bad.is_empty() { Ok(good) } else { Err(CollectError::BadRows { good, bad }) }
    }
}

/// Reads what follows a metric's name: `{label="value",..} value [timestamp]`.
fn parse_sample(rest: &str) -> Result<Sample, String> {
    let (labels, rest) = match rest.trim_start().strip_prefix('{') {
        Some(rest) => parse_labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    let value = rest.split_whitespace().next().ok_or("the line ends before its value")?;
    let value = value.parse::<f64>().map_err(|_| format!("`{value}` is not a number"))?;
    Ok(Sample { labels, value })
}

fn parse_labels(mut rest: &str) -> Result<(BTreeMap<String, String>, &str), String> {
    let cut = || "the line ends within its labels".to_owned();
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if let Some(rest) = rest.strip_prefix('}') {
            return Ok((labels, rest));
        }
        let (name, after) = rest.split_once('=').ok_or_else(cut)?;
        let value = after.trim_start().strip_prefix('"').ok_or_else(cut)?;
        let (value, after) = parse_quoted(value).ok_or_else(cut)?;
        if !is_name(name.trim()) || labels.insert(name.trim().to_owned(), value).is_some() {
            return Err(format!("`{}` is no label, or one that stands twice", name.trim()));
        }
        if labels.len() > MAX_LABELS {
            return Err(format!("more than {MAX_LABELS} labels"));
        }
        rest = after;
    }
}

/// A value up to its closing quote, and what follows.
fn parse_quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests;

//! One line and an exit code for monitoring that speaks as Nagios plugins do.

use tenure_core::Timestamp;

use crate::view::{Standing, Status};

/// A check's result; its number is the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing to do.
    Ok = 0,
    /// Somebody should look.
    Warning = 1,
    /// Something is limited, or will be without a person.
    Critical = 2,
    /// It cannot be told.
    Unknown = 3,
}

/// The server may be silent for this long: the longest pause between check-ins.
const SILENCE_WARN_SECS: i64 = 8 * 86_400;
/// The days before the end at which a license is *Expiring*, for the thresholds in the performance data.
const EXPIRING_DAYS: i64 = 30;

impl Severity {
    /// The word at the beginning of the line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// The result and the line: `TENURE OK - sentence | performance data`.
pub fn check(status: &Status) -> (Severity, String) {
    let severity = severity(status);
    let line = format!("TENURE {} - {}", severity.word(), plain(&status.sentence));
    let data = performance(status).join(" ");
    (severity, if data.is_empty() { line } else { format!("{line} | {data}") })
}

/// The line for an installation that cannot be looked at.
pub fn unknown(why: &str) -> String {
    format!("TENURE UNKNOWN - {}", plain(why))
}

fn severity(status: &Status) -> Severity {
    let standing = match status.standing {
        Standing::Valid => Severity::Ok,
        Standing::Expiring => Severity::Warning,
        Standing::Expired | Standing::Restricted => Severity::Critical,
        Standing::NotActivated => return Severity::Unknown,
    };
    let silent = silence_secs(status).is_some_and(|secs| secs > SILENCE_WARN_SECS);
    let refused = status.last_result.is_some_and(|result| !result.is_good());
    let worth_a_look = silent || refused || status.collector_error.is_some();
    if worth_a_look { standing.max(Severity::Warning) } else { standing }
}

fn silence_secs(status: &Status) -> Option<i64> {
    Some(status.as_of.micros_since(status.last_contact?) / 1_000_000)
}

fn performance(status: &Status) -> Vec<String> {
    let mut data = Vec::new();
    let days_until = |at: Timestamp| at.micros_since(status.as_of).div_euclid(86_400_000_000);
    if let Some(end) = status.expires_at {
        data.push(format!("'days left'={};{EXPIRING_DAYS}:;0:", days_until(end)));
    }
    if let Some(secs) = silence_secs(status) {
        data.push(format!("'seconds since contact'={}s;{SILENCE_WARN_SECS};;0", secs.max(0)));
    }
    if status.installation.is_some() {
        data.push(format!("'unsent documents'={};;;0", status.unsent_documents));
    }
    for line in status.current_month.iter().flat_map(|month| &month.lines) {
        let name = [line.workload.as_str(), line.variant.as_str()].join(" ");
        // An apostrophe is doubled, `=` has no escape.
        let name = plain(name.trim()).replace('\'', "''").replace('=', "-");
        let licensed = line.licensed.map_or(String::new(), |licensed| licensed.to_string());
        data.push(format!("'{name}'={};{licensed};;0", line.latest.unwrap_or(0)));
    }
    data
}

/// One line without what separates it from its data.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).map(|c| if c == '|' { '/' } else { c }).collect()
}

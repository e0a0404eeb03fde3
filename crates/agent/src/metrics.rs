//! Metrics in the text format of Prometheus, for the node exporter's textfile collector.

use std::{fmt::Write as _, path::Path};

use tenure_core::{Day, Timestamp};
use tenure_license::ReportStage;

use crate::{
    journal::JournalError,
    license_file::replace,
    view::{Standing, Status, UsageLine},
};

/// Writes the metrics into the file: whole or not at all.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, status: &Status) -> Result<(), JournalError> {
    replace(path, exposition(status).as_bytes())
}

/// The metrics of an installation.
pub fn exposition(status: &Status) -> String {
    let mut out = Exposition::default();
    out.gauge("license_info", "Which license this is; always 1.");
    let id = |id: Option<String>| id.unwrap_or_default();
    out.sample(
        &[
            ("license", &id(status.license.map(|id| id.to_string()))),
            ("installation", &id(status.installation.map(|id| id.to_string()))),
            ("product", status.product.as_deref().unwrap_or_default()),
            ("holder", status.holder.as_deref().unwrap_or_default()),
        ],
        1.0,
    );
    out.gauge("license_state", "1 for the state that the license is in.");
    for (name, standing) in [
        ("not_activated", Standing::NotActivated),
        ("valid", Standing::Valid),
        ("expiring", Standing::Expiring),
        ("expired", Standing::Expired),
        ("restricted", Standing::Restricted),
    ] {
        out.sample(&[("state", name)], f64::from(u8::from(status.standing == standing)));
    }
    let instants = [
        ("license_expires_timestamp_seconds", "End of the license's validity.", status.expires_at),
        ("license_restricted_timestamp_seconds", "End of its grace.", status.restricted_at),
        (
            "last_contact_timestamp_seconds",
            "When the server last gave an answer that proves itself.",
            status.last_contact,
        ),
        ("next_check_in_timestamp_seconds", "When the server is asked next.", status.next_check_in),
        ("counted_through_timestamp_seconds", "End of the newest counted day.", status.counted_through.map(Day::end)),
        ("observed_timestamp_seconds", "When this was written, by the agent's clock.", Some(status.as_of)),
    ];
    for (name, help, at) in instants {
        out.instant(name, help, at);
    }
    let flag = |set: bool| f64::from(u8::from(set));
    out.single(
        "contact_failed",
        "1 while the last attempt to reach the server failed.",
        flag(status.last_error.is_some()),
    );
    out.single("collector_failed", "1 while counting does not go on.", flag(status.collector_error.is_some()));
    out.single(
        "clock_authenticated",
        "1 while the time rests on the server's word.",
        flag(status.time_is_authenticated),
    );
    out.single("unsent_documents", "Documents that wait for their receipt.", f64::from(status.unsent_documents));
    usage(&mut out, status);
    out.text
}

/// What a metric takes of a line.
type Figure = fn(&UsageLine) -> Option<u32>;

fn usage(out: &mut Exposition, status: &Status) {
    let lines: Vec<_> = status.current_month.iter().flat_map(|month| &month.lines).collect();
    let figures: [(&str, &str, Figure); 4] = [
        ("workloads", "Workloads that counted on the newest counted day.", |line| line.latest),
        ("workloads_month_high", "Daily high of the running month.", |line| Some(line.high)),
        ("workloads_month_new", "Workloads that are new in the running month.", |line| Some(line.new)),
        ("workloads_licensed", "Units that the license lists.", |line| line.licensed),
    ];
    for (name, help, figure) in figures {
        out.gauge(name, help);
        for line in &lines {
            if let Some(figure) = figure(line) {
                out.sample(&[("workload", &line.workload), ("variant", &line.variant)], f64::from(figure));
            }
        }
    }
    out.gauge("report_received", "Whether the server holds the newest revision of a month's report.");
    for report in &status.reports {
        let stage = match report.stage {
            ReportStage::Preliminary => "preliminary",
            ReportStage::Final => "final",
        };
        let received = f64::from(u8::from(report.received_at.is_some()));
        out.sample(&[("period", &report.period.to_string()), ("stage", stage)], received);
    }
}

/// Text that grows, one metric after another.
#[derive(Default)]
struct Exposition {
    text: String,
    name: String,
}

impl Exposition {
    fn gauge(&mut self, name: &str, help: &str) {
        self.name = format!("tenure_agent_{name}");
        let _ = writeln!(self.text, "# HELP {0} {help}\n# TYPE {0} gauge", self.name);
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text, "{}{labels} {value}", self.name);
    }

    fn single(&mut self, name: &str, help: &str, value: f64) {
        self.gauge(name, help);
        self.sample(&[], value);
    }

    /// What is not known has no sample.
    fn instant(&mut self, name: &str, help: &str, at: Option<Timestamp>) {
        if let Some(at) = at {
            self.single(name, help, at.as_secs() as f64);
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

//! What people read.

use tenure_agent::{
    MonthUsage, ReportView, Status, TrustRootStatus,
    doctor::{Finding, Level},
};
use tenure_core::{Period, Timestamp};
use tenure_license::ReportStage;

pub(super) fn print_activated(status: &Status) {
    println!("Activated: {}", status.product.as_deref().unwrap_or("a license"));
    print_status(status);
}

pub(super) fn print_status(status: &Status) {
    println!("{}", status.state);
    println!("{}", status.sentence);
    println!();
    let row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            println!("{name:<16}{value}");
        }
    };
    let license = status.license.zip(status.serial).map(|(license, serial)| format!("{license}, serial {serial}"));
    row("License", license);
    row("Product", status.product.clone());
    row("Holder", status.holder.clone());
    row("Installation", status.installation.map(|id| id.to_string()));
    row("Valid until", status.expires_at.map(|at| at.to_string()));
    row("Reporting", status.automatic_reporting.map(|by_itself| reporting(by_itself, status.reported_through)));
    row("Updates", Some(if status.automatic_update { "by themselves" } else { "by hand" }.to_owned()));
    row("Trust root", Some(trust_root(&status.trust_root)));
    row("Last contact", status.last_contact.map(|at| at.to_string()));
    row("Last error", status.last_error.clone());
    row("Counting", status.collector_error.clone());
    row("Next check-in", status.next_check_in.map(|at| at.to_string()));
    row("Counted", status.counted_through.map(|day| format!("through {day}")));
    row("Waiting", (status.unsent_documents > 0).then(|| format!("{} documents", status.unsent_documents)));
    for report in &status.reports {
        let received = report.received_at.map_or("not received yet".to_owned(), |at| format!("received {at}"));
        let stage = stage(Some(report.stage));
        row("Report", Some(format!("{} revision {}, {stage}, {received}", report.period, report.revision)));
    }
    if let Some(usage) = &status.current_month {
        println!();
        print_usage(usage);
    }
}

fn reporting(by_itself: bool, through: Option<Period>) -> String {
    match (by_itself, through) {
        (true, Some(through)) => format!("automatic, reported through {through}"),
        (true, None) => "automatic, no month reported yet".to_owned(),
        (false, _) => "by hand".to_owned(),
    }
}

fn trust_root(root: &TrustRootStatus) -> String {
    let notes = root.warnings.iter().chain(&root.refused).map(|note| format!("; {note}"));
    std::iter::once(format!("version {}", root.version)).chain(notes).collect()
}

fn stage(stage: Option<ReportStage>) -> &'static str {
    match stage {
        Some(ReportStage::Preliminary) => "preliminary",
        Some(ReportStage::Final) => "final",
        None => "not made yet",
    }
}

pub(super) fn print_usage(usage: &MonthUsage) {
    println!("{}: {} days counted", usage.period, usage.observed_days);
    for line in &usage.lines {
        let licensed = line.licensed.map_or(String::new(), |licensed| format!(" of {licensed} licensed"));
        let new = if line.new > 0 { format!(", {} new", line.new) } else { String::new() };
        println!("  {}{}{}", kind(&line.workload, &line.variant), format_args!("{}{licensed}", line.high), new);
    }
}

pub(super) fn print_report(report: &ReportView) {
    let received = report.received_at.map_or(String::new(), |at| format!(", received {at}"));
    println!("{}: {}, revision {}{received}", report.period, stage(report.stage), report.revision);
    if report.stage != Some(ReportStage::Final) {
        println!("It becomes final by itself at {}.", report.final_at);
    }
    println!("{} days counted", report.observed_days);
    for line in &report.lines {
        let adjusted = if line.count == line.raw { String::new() } else { format!(" (counted {})", line.raw) };
        let new = if line.new > 0 { format!(", {} new", line.new) } else { String::new() };
        println!("  {}{}{adjusted}{new}", kind(&line.workload, &line.variant), line.count);
    }
    for row in &report.workloads {
        let last = Timestamp::from_secs(row.last);
        println!("    {:<40} {:<24} last protected {last}  {:?}", row.id, row.company, row.counted);
    }
}

/// A workload type and its variant, as the first column.
fn kind(workload: &str, variant: &str) -> String {
    let name = if variant.is_empty() { workload.to_owned() } else { format!("{workload}/{variant}") };
    format!("{name:<32}")
}

/// One line a finding, and beneath it what to do.
pub(super) fn print_findings(findings: &[Finding]) {
    let width = findings.iter().map(|finding| finding.check.len()).max().unwrap_or(0).min(48);
    for finding in findings {
        let word = match finding.level {
            Level::Ok => "ok  ",
            Level::Warn => "warn",
            Level::Fail => "fail",
        };
        println!("{word}  {:<width$}  {}", finding.check, finding.says);
        if let Some(what_to_do) = &finding.what_to_do {
            println!("      {:<width$}  -> {what_to_do}", "");
        }
    }
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    println!();
    println!("{} ok, {} to look at, {} that do not work", count(Level::Ok), count(Level::Warn), count(Level::Fail));
}

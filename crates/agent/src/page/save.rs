//! What people save of a month: for reading, for spreadsheets, and as a proof.

use serde::Serialize;
use tenure_core::{Period, Timestamp};
use tenure_license::Envelope;

use super::{month::reason, response::Response};
use crate::view::{HeldReport, LastSent, MonthUsage, ReportView};

const JSON: &str = "application/json";
const CSV: &str = "text/csv; charset=utf-8";

/// A value as JSON.
pub(super) fn json(name: &str, value: &impl Serialize) -> Response {
    // What pages show has neither maps with other keys than texts nor anything else that JSON cannot hold.
    let bytes = serde_json::to_vec_pretty(value).expect("views are plain data");
    Response::file(name, JSON, bytes)
}

/// A month's lines, with the columns of the monthly license usage report that a product knows.
pub(super) fn lines(report: &ReportView, usage: &MonthUsage) -> Response {
    let mut table =
        vec![["Month", "Workload", "Variant", "Licensed", "Counted", "New", "Count", "Adjustments"].map(str::to_owned)];
    for line in &report.lines {
        let same = usage.lines.iter().find(|one| (&one.workload, &one.variant) == (&line.workload, &line.variant));
        let adjustments =
            line.adjustments.iter().map(|one| format!("{} {}: {}", one.units, reason(&one.reason), one.note));
        table.push([
            report.period.to_string(),
            line.workload.clone(),
            line.variant.clone(),
            same.and_then(|one| one.licensed).map_or(String::new(), |licensed| licensed.to_string()),
            line.raw.to_string(),
            line.new.to_string(),
            line.count.to_string(),
            adjustments.collect::<Vec<_>>().join("; "),
        ]);
    }
    csv(&format!("report-{}.csv", report.period), &table)
}

/// The workloads behind a month's figures.
pub(super) fn workloads(report: &ReportView) -> Response {
    let head =
        ["Id", "Company", "Workload", "Variant", "First protected", "Last protected", "Counted"].map(str::to_owned);
    let rows = report.workloads.iter().map(|row| {
        [
            row.id.clone(),
            row.company.clone(),
            row.workload.clone(),
            row.variant.clone(),
            Timestamp::from_secs(row.first).to_string(),
            Timestamp::from_secs(row.last).to_string(),
            format!("{:?}", row.counted).to_lowercase(),
        ]
    });
    let table: Vec<_> = std::iter::once(head).chain(rows).collect();
    csv(&format!("workloads-{}.csv", report.period), &table)
}

/// A report and the server's receipt for it, both as they were signed.
#[derive(Serialize)]
struct Proof<'a> {
    period: Period,
    document: &'a Envelope,
    receipt: String,
    received_at: Timestamp,
    answer: Option<&'a Envelope>,
}

/// The proof that a month's report arrived; none before it has.
pub(super) fn receipt(period: Period, held: &HeldReport) -> Option<Response> {
    let receipt = held.receipt.as_ref()?;
    let proof = Proof {
        period,
        document: &held.document,
        receipt: receipt.id.to_string(),
        received_at: receipt.received_at,
        answer: receipt.answer.as_ref(),
    };
    Some(json(&format!("receipt-{period}.json"), &proof))
}

/// A request with its documents, as they were signed.
#[derive(Serialize)]
struct Sent<'a> {
    made_at: Timestamp,
    request: &'a Envelope,
    documents: &'a [Envelope],
}

impl<'a> Sent<'a> {
    fn of(sent: &'a LastSent) -> Self {
        Self { made_at: sent.at, request: &sent.request, documents: &sent.documents }
    }
}

/// What was sent last, byte for byte.
pub(super) fn sent(sent: &[LastSent]) -> Response {
    json("last-sent.json", &sent.iter().map(Sent::of).collect::<Vec<_>>())
}

fn csv<const COLUMNS: usize>(name: &str, table: &[[String; COLUMNS]]) -> Response {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in table {
        writer.write_record(row.iter().map(|cell| harmless(cell))).expect("rows are of one length, in memory");
    }
    Response::file(name, CSV, writer.into_inner().expect("it is memory"))
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(harmless(cell), format!("'{cell}"));
        }
        for cell in ["vm-17", "a=b", "", "7"] {
            assert_eq!(harmless(cell), cell);
        }
    }
}

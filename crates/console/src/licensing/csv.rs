//! A report as CSV, in the words of consoles.

use tenure_report::{
    PaperLine,
    csv::{Cell, Csv, maybe, number},
};
use tenure_service::Month;

const COLUMNS: [&str; 13] = [
    "Organization",
    "License",
    "Product",
    "Edition",
    "Server",
    "Workload",
    "Variant",
    "CorrectionOf",
    "Initial",
    "Reported",
    "New",
    "Weight",
    "Points",
];

/// The lines of a month.
pub(super) fn lines(month: &Month) -> String {
    let mut csv = Csv::new(&COLUMNS);
    for line in month.lines.iter().map(PaperLine::of) {
        let holder = if line.company.is_empty() { &month.head.provider.name } else { &line.company };
        csv.row(&[
            Cell::Text(holder),
            maybe(line.license.map(tenure_core::LicenseId::uuid)),
            Cell::Text(&line.product),
            Cell::Text(&line.edition),
            Cell::Text(&line.host),
            Cell::Text(&line.name),
            Cell::Text(&line.variant),
            maybe(line.of_period),
            maybe(line.licensed),
            number(line.count),
            number(line.new),
            maybe(line.weight),
            number(line.points),
        ]);
    }
    csv.into_text()
}

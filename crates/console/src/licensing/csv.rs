//! A report as CSV (RFC 4180).

use tenure_service::{Line, Month};

const COLUMNS: [&str; 11] = [
    "Organization",
    "License",
    "Product",
    "Edition",
    "Server",
    "Workload",
    "Initial",
    "Reported",
    "New",
    "Weight",
    "Points",
];

/// The lines of a month.
pub(super) fn lines(month: &Month) -> String {
    let mut text = COLUMNS.join(",") + "\r\n";
    for line in &month.lines {
        text += &cells(month, line).map(|cell| escaped(&cell)).join(",");
        text += "\r\n";
    }
    text
}

fn cells(month: &Month, line: &Line) -> [String; 11] {
    [
        line.company.as_ref().map_or(&month.head.provider.name, |company| &company.name).clone(),
        line.license.as_ref().map(|license| license.id.uuid().to_string()).unwrap_or_default(),
        line.product.name.clone(),
        line.product.edition.clone(),
        line.installation.as_ref().map(|one| one.name.clone()).unwrap_or_default(),
        line.workload.name.clone(),
        line.licensed.map(|count| count.to_string()).unwrap_or_default(),
        line.count.to_string(),
        line.new.to_string(),
        line.weight.map(|weight| weight.to_string()).unwrap_or_default(),
        line.points.to_string(),
    ]
}

/// Quoted where it must be. What a spreadsheet would take for a formula begins with an apostrophe, but for numbers.
fn escaped(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn cells_are_quoted_and_no_formula() {
        for (cell, written) in
            [("a", "a"), ("a,b", "\"a,b\""), ("say \"x\"", "\"say \"\"x\"\"\""), ("=1+1", "'=1+1"), ("-4.5", "-4.5")]
        {
            assert_eq!(escaped(cell), written);
        }
    }
}

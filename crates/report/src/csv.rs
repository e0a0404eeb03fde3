//! Months as CSV (RFC 4180), for spreadsheets and invoices.

use std::fmt::Write as _;

use tenure_core::Period;
use tenure_service::{Invoice, Month};

use crate::PaperLine;

/// A table, row by row; text is escaped, numbers are ours.
#[derive(Debug)]
pub struct Csv(String);

impl Csv {
    /// With a head row.
    pub fn new(columns: &[&str]) -> Self {
        Self(columns.join(",") + "\r\n")
    }

    /// Adds a row.
    pub fn row(&mut self, cells: &[Cell<'_>]) {
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                self.0.push(',');
            }
            match cell {
                Cell::Text(text) => self.text(text),
                Cell::Number(number) => self.0.push_str(number),
            }
        }
        self.0.push_str("\r\n");
    }

    /// The whole text.
    pub fn into_text(self) -> String {
        self.0
    }

    /// Quoted where it must be. What a spreadsheet would take for a formula begins with an apostrophe.
    fn text(&mut self, text: &str) {
        let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let text = if formula { format!("'{text}") } else { text.to_owned() };
        if text.contains(['"', ',', '\n', '\r']) {
            write!(self.0, "\"{}\"", text.replace('"', "\"\"")).expect("a string takes any text");
        } else {
            self.0.push_str(&text);
        }
    }
}

/// What stands between two commas.
#[derive(Debug)]
pub enum Cell<'a> {
    /// Somebody's words: escaped.
    Text(&'a str),
    /// A number, an id or a month of ours: as it is.
    Number(String),
}

/// A number, an id or a month.
pub fn number(value: impl ToString) -> Cell<'static> {
    Cell::Number(value.to_string())
}

/// The same for what may be absent.
pub fn maybe(value: Option<impl ToString>) -> Cell<'static> {
    Cell::Number(value.map(|value| value.to_string()).unwrap_or_default())
}

/// The lines of a month, as its report shows them.
pub fn lines(month: &Month) -> String {
    let mut csv = Csv::new(&[
        "period",
        "of_period",
        "product",
        "edition",
        "company",
        "license",
        "installation",
        "host",
        "workload",
        "variant",
        "source",
        "licensed",
        "new",
        "reported",
        "count",
        "previous",
        "weight",
        "points",
        "note",
    ]);
    for line in &month.lines {
        row(&mut csv, month.head.period, &PaperLine::of(line), line.previous);
    }
    csv.into_text()
}

fn row(csv: &mut Csv, period: Period, line: &PaperLine, previous: Option<i64>) {
    csv.row(&[
        number(period),
        maybe(line.of_period),
        Cell::Text(&line.product),
        Cell::Text(&line.edition),
        Cell::Text(&line.company),
        maybe(line.license),
        maybe(line.installation),
        Cell::Text(&line.host),
        Cell::Text(&line.workload),
        Cell::Text(&line.variant),
        Cell::Text(line.source.word()),
        maybe(line.licensed),
        number(line.new),
        maybe(line.reported),
        number(line.count),
        maybe(previous),
        maybe(line.weight),
        number(line.points),
        Cell::Text(line.adjusted.as_ref().map_or("", |adjusted| &adjusted.note)),
    ]);
}

/// What is invoiced for a month: the items, then what is missing to the minimum, then what is owed.
pub fn invoice(invoice: &Invoice) -> String {
    let mut csv = Csv::new(&[
        "distributor",
        "provider",
        "agreement",
        "purchase_order",
        "period",
        "of_period",
        "product",
        "workload",
        "variant",
        "count",
        "weight",
        "points",
    ]);
    let mut add = |of: Cell<'_>, what: [&str; 3], figures: [Cell<'_>; 3]| {
        let [product, workload, variant] = what.map(Cell::Text);
        let [count, weight, points] = figures;
        let head = [
            Cell::Text(&invoice.distributor.name),
            Cell::Text(&invoice.provider.name),
            Cell::Text(&invoice.agreement.number),
            Cell::Text(&invoice.purchase_order),
            number(invoice.period),
        ];
        let cells: Vec<Cell<'_>> =
            head.into_iter().chain([of, product, workload, variant, count, weight, points]).collect();
        csv.row(&cells);
    };
    for item in &invoice.items {
        let figures = [number(item.count), maybe(item.weight), number(item.points)];
        add(maybe(item.of), [&item.product, &item.workload, &item.variant], figures);
    }
    let nothing = || Cell::Number(String::new());
    let sum = |points: tenure_core::Points| [nothing(), nothing(), number(points)];
    add(nothing(), ["", "missing to the minimum", ""], sum(invoice.totals.enforcement));
    add(nothing(), ["", "owed in all", ""], sum(invoice.totals.total));
    csv.into_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_a_formula_or_another_cell() {
        let mut csv = Csv::new(&["a", "b", "c"]);
        csv.row(&[Cell::Text("=1+1"), Cell::Text("Contoso, \"AG\""), number(-3)]);
        csv.row(&[Cell::Text("two\nlines"), Cell::Text("@x"), Cell::Text("plain")]);
        assert_eq!(csv.0, "a,b,c\r\n'=1+1,\"Contoso, \"\"AG\"\"\",-3\r\n\"two\nlines\",'@x,plain\r\n");
    }
}

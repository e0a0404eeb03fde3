//! The report as a workbook: a sheet for each part, figures as numbers.

pub use rust_xlsxwriter::XlsxError;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet};
use tenure_core::{Period, Points, Weight};

use crate::{Paper, PaperLine, companies, licenses, products, sums::Figures, words};

type Result<T = ()> = std::result::Result<T, XlsxError>;

/// A cell's value.
enum Cell {
    Text(String),
    Number(f64),
    Nothing,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<i64> for Cell {
    fn from(count: i64) -> Self {
        Self::Number(count as f64)
    }
}
impl From<u64> for Cell {
    fn from(count: u64) -> Self {
        Self::Number(count as f64)
    }
}
impl From<u32> for Cell {
    fn from(count: u32) -> Self {
        Self::Number(f64::from(count))
    }
}
impl From<Points> for Cell {
    fn from(points: Points) -> Self {
        decimal(&points.to_string())
    }
}
impl From<Weight> for Cell {
    fn from(weight: Weight) -> Self {
        decimal(&weight.to_string())
    }
}
impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

/// A number of three decimals at most, which a double holds exactly enough to show them.
fn decimal(text: &str) -> Cell {
    text.parse().map_or_else(|_| Cell::from(text), Cell::Number)
}

/// A column: its title and its width.
type Column = (&'static str, f64);

const COMPANY: Column = ("Company", 32.0);
const PRODUCT: Column = ("Product", 32.0);
const LICENSE: Column = ("License", 42.0);
const INSTALLATION: Column = ("Installation", 28.0);
/// What is counted: the cells of [`workload`].
const WORKLOAD: [Column; 3] = [("Workload type", 28.0), ("Variant", 16.0), ("Correction of", 12.0)];
/// Figures: the cells of [`figures`].
const FIGURES: [Column; 6] = [
    ("Licensed", 10.0),
    ("New", 8.0),
    ("Reported", 10.0),
    ("Count", 10.0),
    ("Points per unit", 10.0),
    ("Points", 12.0),
];

fn workload(name: &str, variant: &str, of_period: Option<Period>) -> [Cell; 3] {
    [name.into(), variant.into(), of_period.map(|period| period.to_string()).into()]
}

fn figures(of: Figures, weight: Option<Weight>) -> [Cell; 6] {
    [of.licensed.into(), of.new.into(), of.reported.into(), of.count.into(), weight.into(), of.points.into()]
}

/// A line's own figures, where what it does not have is empty.
fn own_figures(line: &PaperLine) -> [Cell; 6] {
    let PaperLine { licensed, new, reported, count, weight, points, .. } = line;
    [(*licensed).into(), (*new).into(), (*reported).into(), (*count).into(), (*weight).into(), (*points).into()]
}

struct Sheet {
    cells: Worksheet,
    columns: usize,
    row: u32,
    head: Format,
    /// A text that a spreadsheet would take for a formula is marked as text, also for when somebody edits the cell.
    quoted: Format,
}

impl Sheet {
    fn new(name: &str, columns: impl IntoIterator<Item = Column>) -> Result<Self> {
        let mut sheet = Worksheet::new();
        sheet.set_name(name)?.set_landscape();
        let head = Format::new().set_bold().set_text_wrap().set_align(FormatAlign::Top);
        let mut count = 0;
        for (at, (title, width)) in columns.into_iter().enumerate() {
            sheet.set_column_width(at as u16, width)?;
            sheet.write_string_with_format(0, at as u16, title, &head)?;
            count += 1;
        }
        sheet.set_freeze_panes(1, 0)?.set_repeat_rows(0, 0)?;
        Ok(Self { cells: sheet, columns: count, row: 1, head, quoted: Format::new().set_quote_prefix() })
    }

    fn row(&mut self, cells: impl IntoIterator<Item = Cell>) -> Result {
        let mut count = 0;
        for (at, cell) in cells.into_iter().enumerate() {
            match cell {
                Cell::Text(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => {
                    self.cells.write_string_with_format(self.row, at as u16, text, &self.quoted)?;
                }
                Cell::Text(text) => {
                    self.cells.write_string(self.row, at as u16, text)?;
                }
                Cell::Number(number) => {
                    self.cells.write_number(self.row, at as u16, number)?;
                }
                Cell::Nothing => {}
            }
            count += 1;
        }
        debug_assert_eq!(count, self.columns, "a row has a cell for each column");
        self.row += 1;
        Ok(())
    }

    fn pair(&mut self, name: &str, value: impl Into<Cell>) -> Result {
        self.cells.write_string_with_format(self.row, 0, name, &self.head)?;
        self.row([Cell::Nothing, value.into()])
    }
}

/// The workbook's bytes.
pub fn xlsx(paper: &Paper) -> Result<Vec<u8>> {
    let mut book = Workbook::new();
    let made = ExcelDateTime::from_timestamp(paper.made.as_secs())?;
    let title = format!("License Usage Report {} of {}", paper.period, paper.provider);
    book.set_properties(&DocProperties::new().set_title(title).set_author(&*paper.vendor).set_creation_datetime(&made));
    for sheet in [report, summary, by_company, by_license, lines, adjustments, exclusions] {
        book.push_worksheet(sheet(paper)?.cells);
    }
    book.save_to_buffer()
}

fn report(paper: &Paper) -> Result<Sheet> {
    let mut sheet = Sheet::new("Report", [("License Usage Report", 28.0), ("", 72.0)])?;
    sheet.pair("Provider", paper.provider.as_str())?;
    sheet.pair("Distributor", paper.distributor.as_str())?;
    sheet.pair("Vendor", paper.vendor.as_str())?;
    sheet.pair("Rental agreement", paper.agreement.as_str())?;
    sheet.pair("Month", paper.period.to_string())?;
    sheet.pair("Monthly usage", paper.usage.to_string())?;
    sheet.pair("State", words::state(paper.state))?;
    sheet.pair("Purchase order", paper.purchase_order.as_str())?;
    sheet.pair("Comment", paper.comment.as_str())?;
    if !paper.sites.is_empty() {
        sheet.pair("Only the sites", paper.sites.join(", "))?;
    }
    sheet.pair("Reported points", paper.totals.reported)?;
    sheet.pair("Minimum commit", paper.totals.commit)?;
    sheet.pair("Missing to the minimum", paper.totals.enforcement)?;
    sheet.pair("Above the limit", paper.totals.overage)?;
    sheet.pair("Total points", paper.totals.total)?;
    match &paper.submission {
        Some(one) => {
            sheet.pair("Submission", one.number)?;
            sheet.pair("Submitted", format!("{} by {}", one.at, one.by))?;
            sheet.pair("Receipt: SHA-256 of the lines", one.lines_hash.as_str())?;
        }
        None => sheet.pair("Submission", "Preliminary: these figures are not submitted and have no receipt")?,
    }
    sheet.pair("Made", paper.made.to_string())?;
    Ok(sheet)
}

fn summary(paper: &Paper) -> Result<Sheet> {
    let columns = [("Product", 28.0), ("Edition", 16.0)].into_iter().chain(WORKLOAD).chain(FIGURES);
    let mut sheet = Sheet::new("Summary", columns)?;
    for sum in products(paper) {
        let what = workload(&sum.workload, &sum.variant, sum.of_period);
        let of = [sum.product.into(), sum.edition.into()];
        sheet.row(of.into_iter().chain(what).chain(figures(sum.figures, sum.weight)))?;
    }
    Ok(sheet)
}

fn by_company(paper: &Paper) -> Result<Sheet> {
    let mut sheet = Sheet::new("Companies", [COMPANY, ("Licenses", 10.0), ("Points", 12.0)])?;
    for sum in companies(paper) {
        sheet.row([paper.holder(&sum.company).into(), (sum.licenses as u64).into(), sum.points.into()])?;
    }
    Ok(sheet)
}

fn by_license(paper: &Paper) -> Result<Sheet> {
    let columns = [COMPANY, PRODUCT, LICENSE, ("Description", 28.0)].into_iter().chain(WORKLOAD).chain(FIGURES);
    let mut sheet = Sheet::new("Licenses", columns)?;
    for sum in licenses(paper) {
        let what = workload(&sum.workload, &sum.variant, sum.of_period);
        let of = [
            paper.holder(&sum.company).into(),
            sum.product.into(),
            sum.license.map(|license| license.to_string()).into(),
            sum.description.into(),
        ];
        sheet.row(of.into_iter().chain(what).chain(figures(sum.figures, sum.weight)))?;
    }
    Ok(sheet)
}

fn lines(paper: &Paper) -> Result<Sheet> {
    let columns = [COMPANY, PRODUCT, LICENSE, INSTALLATION].into_iter();
    let columns = columns.chain(WORKLOAD).chain([("Source", 14.0)]).chain(FIGURES);
    let mut sheet = Sheet::new("Lines", columns)?;
    for line in &paper.lines {
        let of = [
            paper.holder(&line.company).into(),
            line.product_and_edition().into(),
            line.license.map(|license| license.to_string()).into(),
            line.host.as_str().into(),
        ];
        let what = workload(&line.name, &line.variant, line.of_period);
        sheet.row(of.into_iter().chain(what).chain([words::source(line.source).into()]).chain(own_figures(line)))?;
    }
    Ok(sheet)
}

fn adjustments(paper: &Paper) -> Result<Sheet> {
    let columns = [COMPANY, PRODUCT, INSTALLATION].into_iter().chain(WORKLOAD).chain([
        ("Product's figure", 10.0),
        ("Count", 10.0),
        ("Reason", 24.0),
        ("In words", 48.0),
        ("By", 24.0),
        ("At", 22.0),
    ]);
    let mut sheet = Sheet::new("Adjustments", columns)?;
    for line in &paper.lines {
        let Some(made) = &line.adjusted else { continue };
        let of = [paper.holder(&line.company).into(), line.product_and_edition().into(), line.host.as_str().into()];
        let what = workload(&line.name, &line.variant, line.of_period);
        sheet.row(of.into_iter().chain(what).chain([
            made.was.into(),
            line.count.into(),
            words::reason(&made.reason).into(),
            made.note.as_str().into(),
            made.by.as_str().into(),
            made.at.to_string().into(),
        ]))?;
    }
    Ok(sheet)
}

fn exclusions(paper: &Paper) -> Result<Sheet> {
    let columns = [COMPANY, PRODUCT, INSTALLATION, WORKLOAD[0], ("Units", 10.0), ("Why it does not count", 60.0)];
    let mut sheet = Sheet::new("Exclusions", columns)?;
    for one in &paper.excluded {
        sheet.row([
            paper.holder(&one.company).into(),
            one.product.as_str().into(),
            one.host.as_str().into(),
            one.name.as_str().into(),
            one.units.into(),
            one.why.as_str().into(),
        ])?;
    }
    Ok(sheet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn every_row_has_a_cell_for_each_column() {
        let bytes = xlsx(&sample::paper()).expect("a workbook");
        assert!(bytes.starts_with(b"PK"));
    }
}

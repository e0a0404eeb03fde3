//! The report as a PDF one would hand to an auditor, with its JSON inside.

mod flow;
mod typeface;

use krilla::{
    Document, SerializeSettings,
    color::luma,
    embed::{AssociationKind, EmbeddedFile, MimeType},
    geom::{PathBuilder, Point},
    metadata::Metadata,
    page::PageSettings,
    paint::{Fill, Stroke},
    surface::Surface,
};
use tenure_core::{Period, Points, Weight};

use crate::{Paper, ReportFile, companies, licenses, products, sums::Figures, words};
use flow::{BODY, Column, Flow, Ink, MARGIN, Mark, PAGE, SOFT, TITLE, figure, text};
use typeface::{Cut, Typeface};

/// Why no PDF came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PdfError {
    /// The embedded typeface cannot be read.
    #[error("the typeface cannot be read")]
    Font,
    /// The writer refused.
    #[error("the document could not be written")]
    Write,
}

/// The PDF of a file: the same bytes for the same file.
pub fn pdf(file: &ReportFile) -> Result<Vec<u8>, PdfError> {
    let typeface = Typeface::load()?;
    let paper = &file.paper;
    let pages = lay_out(&typeface, paper);
    let mut document = Document::new_with(SerializeSettings { enable_tagging: false, ..SerializeSettings::default() });
    let title = format!("License Usage Report {} of {}", paper.period, paper.provider);
    let metadata = Metadata::new()
        .title(title)
        .language("en".to_owned())
        .authors(vec![paper.provider.clone()])
        .creator(format!("Tenure {}", file.made_by))
        .document_id(format!("{}-{}", paper.usage, paper.made.as_secs()));
    document.set_metadata(metadata);
    let attached = EmbeddedFile {
        path: format!("license-usage-{}.json", paper.period),
        mime_type: MimeType::new("application/json"),
        description: Some("The figures with the signed lines and the server's receipt".to_owned()),
        association_kind: AssociationKind::Source,
        data: file.to_json().into_bytes().into(),
        modification_date: None,
        // It is found again without a reader of PDFs.
        compress: Some(false),
        location: None,
    };
    document.embed_file(attached).ok_or(PdfError::Write)?;
    let count = pages.len();
    for (at, marks) in pages.iter().enumerate() {
        let settings = PageSettings::from_wh(PAGE.0, PAGE.1).ok_or(PdfError::Write)?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for mark in marks.iter().chain(&foot(&typeface, paper, at + 1, count)) {
            draw(&mut surface, &typeface, mark);
        }
        surface.finish();
        page.finish();
    }
    document.finish().map_err(|_| PdfError::Write)
}

fn draw(surface: &mut Surface<'_>, typeface: &Typeface, mark: &Mark) {
    let gray = |ink| match ink {
        Ink::Full => luma::Color::new(20),
        Ink::Soft => luma::Color::new(95),
        Ink::Hair => luma::Color::new(205),
    };
    match mark {
        Mark::Text { x, y, size, cut, ink, text } => {
            surface.set_stroke(None);
            surface.set_fill(Some(Fill { paint: gray(*ink).into(), ..Fill::default() }));
            let face = typeface.face(*cut);
            surface.draw_glyphs(Point::from_xy(*x, *y), &face.glyphs(text), face.font.clone(), text, *size, false);
        }
        Mark::Rule { from, to, y, ink } => {
            let mut path = PathBuilder::new();
            path.move_to(*from, *y);
            path.line_to(*to, *y);
            let Some(path) = path.finish() else { return };
            surface.set_fill(None);
            surface.set_stroke(Some(Stroke { paint: gray(*ink).into(), width: 0.5, ..Stroke::default() }));
            surface.draw_path(&path);
        }
    }
}

/// What stands at the bottom of each page: whose, which month, which receipt, which page.
fn foot(typeface: &Typeface, paper: &Paper, page: usize, pages: usize) -> [Mark; 3] {
    let size = 7.2;
    let receipt = match &paper.submission {
        Some(one) => format!("submission {}, lines {}…", one.number, one.lines_hash.get(..16).unwrap_or_default()),
        None => "preliminary".to_owned(),
    };
    let left = format!("{} · {} · {receipt}", paper.provider, paper.period);
    let right = format!("Page {page} of {pages}");
    let x = PAGE.0 - MARGIN - typeface.face(Cut::Regular).width(&right, size);
    let set = |x, text| Mark::Text { x, y: 812.0, size, cut: Cut::Regular, ink: Ink::Soft, text };
    let rule = Mark::Rule { from: MARGIN, to: PAGE.0 - MARGIN, y: 800.0, ink: Ink::Hair };
    [rule, set(MARGIN, left), set(x, right)]
}

fn lay_out(typeface: &Typeface, paper: &Paper) -> Vec<Vec<Mark>> {
    let mut flow = Flow::new(typeface);
    head(&mut flow, paper);
    summary(&mut flow, paper);
    by_company(&mut flow, paper);
    by_license(&mut flow, paper);
    adjustments(&mut flow, paper);
    exclusions(&mut flow, paper);
    proof(&mut flow, paper);
    flow.pages
}

/// The first sentence: whose month it is, and where it stands.
fn standing(paper: &Paper) -> String {
    let of = format!("{} for {}", paper.provider, paper.period);
    let Some(one) = &paper.submission else {
        return format!("{of}. Preliminary: these figures are not submitted, may change, and have no receipt.");
    };
    let words = words::state(paper.state);
    let words = paper.closed.map_or_else(|| words.to_owned(), |at| format!("Closed {}.", instant(at)));
    format!("{of}, submitted {} by {}. {words}", instant(one.at), one.by)
}

fn head(flow: &mut Flow<'_>, paper: &Paper) {
    flow.paragraph(TITLE, "License Usage Report");
    flow.space(2.0);
    flow.paragraph(SOFT, &standing(paper));
    flow.space(10.0);
    let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    let mut pairs = vec![
        ("Provider", paper.provider.clone()),
        ("Distributor", paper.distributor.clone()),
        ("Vendor", paper.vendor.clone()),
        ("Rental agreement", paper.agreement.clone()),
        ("Month", format!("{} (UTC)", paper.period)),
        ("Purchase order", or_none(&paper.purchase_order)),
        ("Monthly usage", paper.usage.to_string()),
        ("Made", instant(paper.made)),
    ];
    if !paper.comment.is_empty() {
        pairs.push(("Comment", paper.comment.clone()));
    }
    if !paper.sites.is_empty() {
        pairs.push(("Only the sites", paper.sites.join(", ")));
    }
    flow.pairs(&pairs);
}

fn summary(flow: &mut Flow<'_>, paper: &Paper) {
    flow.heading("Summary");
    let columns = with_figures([text("Product", 10.0), text("Edition", 6.5), text("Workload type", 11.0)]);
    let rows: Vec<_> = products(paper)
        .into_iter()
        .map(|sum| {
            let what = workload(&sum.workload, &sum.variant, sum.of_period);
            [sum.product, sum.edition, what].into_iter().chain(figures(sum.figures, sum.weight)).collect()
        })
        .collect();
    let total = sum_row("Reported points", columns.len(), paper.totals.reported);
    flow.table(&columns, &rows, Some(&total));
    flow.space(4.0);
    let totals = &paper.totals;
    let words = format!(
        "Minimum commit {}; missing to it {}; above the limit {}. Total owed: {} points.",
        points(totals.commit),
        points(totals.enforcement),
        points(totals.overage),
        points(totals.total)
    );
    flow.paragraph(BODY, &words);
}

fn by_company(flow: &mut Flow<'_>, paper: &Paper) {
    flow.heading("Per company");
    let rows: Vec<_> = companies(paper)
        .into_iter()
        .map(|sum| vec![paper.holder(&sum.company).to_owned(), sum.licenses.to_string(), column(sum.points)])
        .collect();
    let columns = [text("Company", 12.0), figure("Licenses", 3.0), figure("Points", 3.0)];
    flow.table(&columns, &rows, Some(&sum_row("All companies", columns.len(), paper.totals.reported)));
}

fn by_license(flow: &mut Flow<'_>, paper: &Paper) {
    flow.heading("Per license");
    let columns = with_figures([text("Company", 9.0), text("Product and license", 13.0), text("Workload type", 9.5)]);
    let rows: Vec<_> = licenses(paper)
        .into_iter()
        .map(|sum| {
            let license = sum.license.map(|id| id.to_string()).unwrap_or_default();
            let what = workload(&sum.workload, &sum.variant, sum.of_period);
            let of = [paper.holder(&sum.company).to_owned(), format!("{} {license}", sum.product), what];
            of.into_iter().chain(figures(sum.figures, sum.weight)).collect()
        })
        .collect();
    flow.table(&columns, &rows, Some(&sum_row("Reported points", columns.len(), paper.totals.reported)));
}

fn adjustments(flow: &mut Flow<'_>, paper: &Paper) {
    flow.heading("Adjustments and entered figures");
    let rows: Vec<_> = paper
        .lines
        .iter()
        .filter_map(|line| {
            let made = line.adjusted.as_ref()?;
            let why = [words::reason(&made.reason), made.note.clone()].into_iter().filter(|text| !text.is_empty());
            Some(vec![
                paper.holder(&line.company).to_owned(),
                format!("{} {}", line.product_and_edition(), line.host),
                workload(&line.name, &line.variant, line.of_period),
                made.was.map(|was| was.to_string()).unwrap_or_default(),
                line.count.to_string(),
                why.collect::<Vec<_>>().join(": "),
                format!("{}, {}", made.by, instant(made.at)),
            ])
        })
        .collect();
    if rows.is_empty() {
        return flow.paragraph(SOFT, "None: every figure is the products' own.");
    }
    let columns = [
        text("Company", 8.0),
        text("Product and server", 9.0),
        text("Workload type", 8.0),
        figure("Product’s figure", 5.0),
        figure("Count", 4.5),
        text("Reason", 12.0),
        text("By", 9.0),
    ];
    flow.table(&columns, &rows, None);
}

fn exclusions(flow: &mut Flow<'_>, paper: &Paper) {
    flow.heading("Exclusions");
    let rows: Vec<_> = paper
        .excluded
        .iter()
        .map(|one| {
            let units = one.units.map(|units| units.to_string()).unwrap_or_default();
            let product = format!("{} {}", one.product, one.host);
            vec![paper.holder(&one.company).to_owned(), product, one.name.clone(), units, one.why.clone()]
        })
        .collect();
    if rows.is_empty() {
        return flow.paragraph(SOFT, "None: all that was seen counts.");
    }
    let columns = [
        text("Company", 8.0),
        text("Product and server", 10.0),
        text("Workload type", 8.0),
        figure("Units", 4.0),
        text("Why it does not count", 16.0),
    ];
    flow.table(&columns, &rows, None);
}

fn proof(flow: &mut Flow<'_>, paper: &Paper) {
    flow.heading("Receipt");
    let Some(one) = &paper.submission else {
        return flow.paragraph(SOFT, "None: the server signs a receipt when the month is submitted.");
    };
    flow.pairs(&[
        ("Submission", format!("{} of {}, received {}", one.number, paper.period, instant(one.at))),
        ("SHA-256 of the lines", one.lines_hash.clone()),
    ]);
    let words = "The lines as they were signed, the server’s receipt and its trust root are attached to this file. \
                 “tenure report verify” checks them, and that these pages show them.";
    flow.paragraph(SOFT, words);
}

/// The columns of figures, in the order of [`figures`].
const FIGURES: [Column; 6] = [
    figure("Licensed", 5.5),
    figure("New", 3.8),
    figure("Reported", 5.8),
    figure("Count", 5.0),
    figure("Points per unit", 5.2),
    figure("Points", 6.4),
];

fn with_figures(columns: [Column; 3]) -> Vec<Column> {
    columns.into_iter().chain(FIGURES).collect()
}

fn figures(of: Figures, per_unit: Option<Weight>) -> [String; 6] {
    let [licensed, new, reported] = [of.licensed, of.new, of.reported].map(|units| units.to_string());
    [licensed, new, reported, of.count.to_string(), weight(per_unit), column(of.points)]
}

fn sum_row(name: &str, columns: usize, sum: Points) -> Vec<String> {
    let mut row = vec![String::new(); columns];
    name.clone_into(&mut row[0]);
    row[columns - 1] = column(sum);
    row
}

fn workload(name: &str, variant: &str, of_period: Option<Period>) -> String {
    let mut words = if name.is_empty() { "no figure".to_owned() } else { name.to_owned() };
    if !variant.is_empty() && !words.contains(variant) {
        words = format!("{words}, {variant}");
    }
    if let Some(period) = of_period {
        words = format!("{words} (correction of {period})");
    }
    words
}

/// An instant to the minute, in program time.
fn instant(at: tenure_core::Timestamp) -> String {
    let text = at.to_string();
    let minute = text.get(..16).map(|minute| minute.replace('T', " "));
    minute.map_or(text.clone(), |minute| format!("{minute} UTC"))
}

fn weight(weight: Option<Weight>) -> String {
    weight.map(|weight| weight.to_string()).unwrap_or_default()
}

/// Points under each other: with one decimal at least.
fn column(of: Points) -> String {
    let text = points(of);
    if text.contains('.') { text } else { text + ".0" }
}

/// Points with their thousands set apart.
fn points(points: Points) -> String {
    let text = points.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("−", rest));
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if rest.is_empty() { format!("{sign}{grouped}") } else { format!("{sign}{grouped}.{rest}") }
}

#[cfg(test)]
mod tests {
    use tenure_core::cycle::UsageState;

    use super::*;
    use crate::sample;

    #[test]
    fn the_first_sentence_says_where_the_month_stands() {
        let mut paper = sample::paper();
        assert!(
            standing(&paper).ends_with("by Ada Brandt. Rejected by the distributor; the provider submits it again.")
        );
        paper.state = UsageState::PendingDistributorReview;
        assert!(standing(&paper).ends_with("Waits for the distributor."));
        (paper.state, paper.closed) = (UsageState::Closed, Some(paper.made));
        assert!(standing(&paper).ends_with("Closed 2026-11-05 00:00 UTC."), "by whom is not said");
        paper.submission = None;
        assert!(standing(&paper).contains("Preliminary"));
    }
}

//! Paragraphs and tables that flow over pages: a list of marks for each page, drawn when all is laid out.

use super::typeface::{Cut, Typeface};

/// A4, in points.
pub(super) const PAGE: (f32, f32) = (595.0, 842.0);
/// Left and right of everything.
pub(super) const MARGIN: f32 = 42.0;
/// The lowest line of the flow; below stands the foot.
const BOTTOM: f32 = 786.0;
/// What stands between lines, as a part of the size.
const LEADING: f32 = 1.38;
/// Between two cells.
const GAP: f32 = 8.0;

/// Ink, from black.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Full,
    Soft,
    Hair,
}

/// Something to draw.
pub(super) enum Mark {
    Text { x: f32, y: f32, size: f32, cut: Cut, ink: Ink, text: String },
    Rule { from: f32, to: f32, y: f32, ink: Ink },
}

/// How a text is set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) size: f32,
    pub(super) cut: Cut,
    pub(super) ink: Ink,
}

pub(super) const TITLE: Style = Style { size: 20.0, cut: Cut::SemiBold, ink: Ink::Full };
pub(super) const HEAD: Style = Style { size: 11.5, cut: Cut::SemiBold, ink: Ink::Full };
pub(super) const BODY: Style = Style { size: 9.0, cut: Cut::Regular, ink: Ink::Full };
pub(super) const SOFT: Style = Style { ink: Ink::Soft, ..BODY };
const CELL: Style = Style { size: 7.6, cut: Cut::Regular, ink: Ink::Full };
const LABEL: Style = Style { size: 7.2, cut: Cut::Regular, ink: Ink::Soft };
const TOTAL: Style = Style { cut: Cut::SemiBold, ..CELL };

/// A column: its title, its share of the width, and whether it holds figures.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) share: f32,
    pub(super) is_figure: bool,
}

pub(super) const fn text(title: &'static str, share: f32) -> Column {
    Column { title, share, is_figure: false }
}
pub(super) const fn figure(title: &'static str, share: f32) -> Column {
    Column { title, share, is_figure: true }
}

/// What was laid out so far.
pub(super) struct Flow<'a> {
    typeface: &'a Typeface,
    pub(super) pages: Vec<Vec<Mark>>,
    y: f32,
}

impl<'a> Flow<'a> {
    pub(super) fn new(typeface: &'a Typeface) -> Self {
        Self { typeface, pages: vec![Vec::new()], y: MARGIN }
    }

    fn width() -> f32 {
        PAGE.0 - 2.0 * MARGIN
    }

    fn put(&mut self, mark: Mark) {
        self.pages.last_mut().expect("there is always a page").push(mark);
    }

    fn turn(&mut self) {
        self.pages.push(Vec::new());
        self.y = MARGIN;
    }

    /// Turns the page when what comes next does not fit.
    fn need(&mut self, height: f32) -> bool {
        let turns = self.y + height > BOTTOM && self.y > MARGIN;
        if turns {
            self.turn();
        }
        turns
    }

    pub(super) fn space(&mut self, height: f32) {
        self.y = (self.y + height).min(BOTTOM);
    }

    /// A paragraph.
    pub(super) fn paragraph(&mut self, style: Style, words: &str) {
        for line in self.typeface.broken(style.cut, style.size, words, Self::width()) {
            self.need(style.size * LEADING);
            self.set(style, MARGIN, self.y + style.size, line);
            self.y += style.size * LEADING;
        }
    }

    /// A heading that keeps what follows on its page.
    pub(super) fn heading(&mut self, words: &str) {
        self.space(16.0);
        self.need(90.0);
        self.paragraph(HEAD, words);
        self.space(3.0);
    }

    fn set(&mut self, style: Style, x: f32, y: f32, text: String) {
        self.put(Mark::Text { x, y, size: style.size, cut: style.cut, ink: style.ink, text });
    }

    /// Names and values, two beside each other.
    pub(super) fn pairs(&mut self, pairs: &[(&str, String)]) {
        let half = (Self::width() - 2.0 * GAP) / 2.0;
        for two in pairs.chunks(2) {
            let broken: Vec<Vec<String>> =
                two.iter().map(|(_, value)| self.typeface.broken(BODY.cut, BODY.size, value, half)).collect();
            let lines = broken.iter().map(Vec::len).max().unwrap_or(1) as f32;
            let height = LABEL.size * LEADING + lines * BODY.size * LEADING + 4.0;
            self.need(height);
            for (at, ((name, _), lines)) in two.iter().zip(broken).enumerate() {
                let x = MARGIN + at as f32 * (half + 2.0 * GAP);
                self.set(LABEL, x, self.y + LABEL.size, (*name).to_owned());
                let top = self.y + LABEL.size * LEADING;
                for (line, text) in lines.into_iter().enumerate() {
                    self.set(BODY, x, top + line as f32 * BODY.size * LEADING + BODY.size, text);
                }
            }
            self.y += height;
        }
    }

    /// A table: its head stands again on each page, a row is never torn, the last row may be a total.
    pub(super) fn table(&mut self, columns: &[Column], rows: &[Vec<String>], total: Option<&[String]>) {
        let shares: f32 = columns.iter().map(|column| column.share).sum();
        let room = Self::width() - GAP * (columns.len() as f32 - 1.0);
        let widths: Vec<f32> = columns.iter().map(|column| room * column.share / shares).collect();
        let titles: Vec<String> = columns.iter().map(|column| column.title.to_owned()).collect();
        self.row(columns, &widths, &titles, LABEL);
        self.rule(Ink::Soft);
        for row in rows {
            let height = self.height(&widths, row, CELL);
            if self.need(height) {
                self.row(columns, &widths, &titles, LABEL);
                self.rule(Ink::Soft);
            }
            self.row(columns, &widths, row, CELL);
            self.rule(Ink::Hair);
        }
        if let Some(total) = total {
            if self.need(self.height(&widths, total, TOTAL)) {
                self.row(columns, &widths, &titles, LABEL);
                self.rule(Ink::Soft);
            }
            self.row(columns, &widths, total, TOTAL);
        }
    }

    fn rule(&mut self, ink: Ink) {
        self.put(Mark::Rule { from: MARGIN, to: PAGE.0 - MARGIN, y: self.y, ink });
    }

    fn height(&self, widths: &[f32], cells: &[String], style: Style) -> f32 {
        let lines = cells.iter().zip(widths).map(|(cell, width)| self.lines(style, cell, *width).len()).max();
        lines.unwrap_or(1) as f32 * style.size * LEADING + 5.0
    }

    fn lines(&self, style: Style, cell: &str, width: f32) -> Vec<String> {
        self.typeface.broken(style.cut, style.size, cell, width)
    }

    fn row(&mut self, columns: &[Column], widths: &[f32], cells: &[String], style: Style) {
        let height = self.height(widths, cells, style);
        let mut x = MARGIN;
        for ((column, width), cell) in columns.iter().zip(widths).zip(cells) {
            for (at, line) in self.lines(style, cell, *width).into_iter().enumerate() {
                let own = self.typeface.face(style.cut).width(&line, style.size);
                let at_x = if column.is_figure { x + width - own } else { x };
                let y = self.y + 2.0 + style.size + at as f32 * style.size * LEADING;
                self.set(style, at_x, y, line);
            }
            x += width + GAP;
        }
        self.y += height;
    }
}

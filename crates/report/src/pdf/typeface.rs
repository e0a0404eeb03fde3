//! The typeface: which glyph a character is, how wide a text is, where it breaks.

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::{
    FontRef, MetadataProvider,
    instance::{LocationRef, Size},
};

use super::PdfError;

static REGULAR: &[u8] = include_bytes!("../../fonts/Inter-Regular.ttf");
static SEMIBOLD: &[u8] = include_bytes!("../../fonts/Inter-SemiBold.ttf");

/// A cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    Regular,
    SemiBold,
}

/// What stays of a hyphen's advance: nothing is kerned, and as it is cut it stands far from figures.
const HYPHEN: f32 = 0.7;

/// A font to draw and to measure with.
pub(super) struct Face {
    pub(super) font: Font,
    read: FontRef<'static>,
}

/// Both cuts.
pub(super) struct Typeface {
    regular: Face,
    semibold: Face,
}

impl Typeface {
    pub(super) fn load() -> Result<Self, PdfError> {
        let face = |bytes: &'static [u8]| {
            let font = Font::new(bytes.into(), 0).ok_or(PdfError::Font)?;
            Ok(Face { font, read: FontRef::new(bytes).map_err(|_| PdfError::Font)? })
        };
        Ok(Self { regular: face(REGULAR)?, semibold: face(SEMIBOLD)? })
    }

    pub(super) fn face(&self, cut: Cut) -> &Face {
        match cut {
            Cut::Regular => &self.regular,
            Cut::SemiBold => &self.semibold,
        }
    }

    /// A text's lines, none wider than asked for, where a single word does not force it.
    pub(super) fn broken(&self, cut: Cut, size: f32, text: &str, width: f32) -> Vec<String> {
        let face = self.face(cut);
        let mut lines = Vec::new();
        let mut line = String::new();
        for word in text.split_whitespace() {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if face.width(&longer, size) <= width {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            // A word that is longer than a line, as an id is, breaks after its signs, and elsewhere where it must.
            for piece in word.split_inclusive(['-', '.', '_', '@', '/']) {
                if !line.is_empty() && face.width(&format!("{line}{piece}"), size) > width {
                    lines.push(std::mem::take(&mut line));
                }
                for character in piece.chars() {
                    line.push(character);
                    if line.chars().count() > 1 && face.width(&line, size) > width {
                        line.pop();
                        lines.push(std::mem::take(&mut line));
                        line.push(character);
                    }
                }
            }
        }
        lines.push(line);
        lines
    }
}

impl Face {
    /// A text's width in points.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        self.glyphs(text).iter().map(|glyph| glyph.x_advance * size).sum()
    }

    /// A glyph for each character, with advances in parts of the size. What the typeface does not have is the mark for
    /// that; the embedded file has the name as it is.
    pub(super) fn glyphs(&self, text: &str) -> Vec<KrillaGlyph> {
        let charmap = self.read.charmap();
        let metrics = self.read.glyph_metrics(Size::unscaled(), LocationRef::default());
        let per_em = self.font.units_per_em();
        let glyph = |(at, character): (usize, char)| {
            let id = charmap.map(character).unwrap_or_default();
            let advance = metrics.advance_width(id).unwrap_or(0.0) / per_em;
            let kept = if character == '-' { HYPHEN } else { 1.0 };
            KrillaGlyph {
                glyph_id: GlyphId::new(id.to_u32()),
                text_range: at..at + character.len_utf8(),
                x_advance: advance * kept,
                x_offset: advance * (kept - 1.0) / 2.0,
                y_offset: 0.0,
                y_advance: 0.0,
                location: None,
            }
        };
        text.char_indices().map(glyph).collect()
    }
}

//! What a person has to answer before a month can go on, as a sentence with its figures and the answers as buttons.

use tenure_core::{Points, Timestamp};

/// One card of *Needs an answer*.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The installation, as the form sends it; empty for what is not about one.
    pub installation: String,
    /// The installation's name.
    pub name: String,
    /// The company that holds the license; empty when the provider itself does.
    pub company: String,
    /// Product and edition.
    pub product: String,
    /// What is asked.
    pub kind: AskKind,
    /// The workloads a figure can be given for; the highest known figure fills each.
    pub fields: Vec<FigureField>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum AskKind {
    /// The report may still come; after that it is missing.
    Awaited {
        /// The end of the waiting.
        until: Timestamp,
        /// When it was last heard of.
        last_heard: Option<Timestamp>,
    },
    /// It sent nothing. Missing is never zero.
    Missing {
        /// When it was last heard of.
        last_heard: Option<Timestamp>,
        /// Its highest figures of the month until then, as "14 VMs"; empty when there are none.
        highest: String,
    },
    /// Two machines act as this installation, so its figures are not counted.
    Clone,
    /// Two different documents hold one identity: the first counts, the license waits for Closed.
    Contested,
    /// The catalog does not know what it counted.
    Unmapped {
        /// The code it sent.
        code: String,
        /// How many.
        count: i64,
    },
    /// An adjustment was made on an older revision of the report.
    Unconfirmed {
        /// The line's key.
        line: String,
        /// The unit counted.
        unit: String,
        /// The product's figure when the adjustment was made.
        was: i64,
        /// The product's figure now.
        now: i64,
        /// The adjusted figure.
        adjusted: i64,
        /// The reason code it was made with; may be empty.
        reason: String,
        /// The sentence it was made with; may be empty.
        note: String,
    },
    /// The same flag on several licenses, said once.
    FlaggedAlike {
        /// The flag's short name.
        tag: String,
        /// The flag in words.
        words: String,
        /// How many licenses carry it.
        count: usize,
        /// The first of them.
        names: Vec<String>,
    },
    /// Usage of these licenses is entered by hand, and nothing is there.
    ByHand {
        /// How many.
        count: usize,
        /// The first of them, with the address of the form for each.
        licenses: Vec<(String, String)>,
    },
    /// Figures were lowered so far that the vendor has to consent too.
    Lowered {
        /// What would be submitted.
        submitted: Points,
        /// What the products' own figures come to.
        products: Points,
    },
    /// The figure deviates; it does not block, but the distributor sees it.
    Flagged {
        /// The line's key for *Adjust*; empty when no single line is meant.
        line: String,
        /// The flag's short name, as "Below watermark".
        tag: String,
        /// The flag in words, with both figures.
        words: String,
        /// The watermark's figure, to be used in one click.
        watermark: Option<i64>,
    },
}

/// A figure to be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureField {
    /// What the form sends it as.
    pub name: String,
    /// The unit.
    pub label: String,
    /// The figure it is filled with.
    pub value: i64,
}

impl Ask {
    /// Whether the month cannot be submitted before this is answered.
    pub fn blocks(&self) -> bool {
        matches!(
            self.kind,
            AskKind::Awaited { .. }
                | AskKind::Missing { .. }
                | AskKind::Clone
                | AskKind::Unmapped { .. }
                | AskKind::Unconfirmed { .. }
        )
    }
    /// Whether a known figure can be used as it stands.
    pub fn has_figures(&self) -> bool {
        self.fields.iter().any(|field| field.value > 0)
    }
    /// Whether a person answers by typing figures.
    pub fn asks_for_figures(&self) -> bool {
        matches!(self.kind, AskKind::Awaited { .. } | AskKind::Missing { .. } | AskKind::Clone | AskKind::Contested)
    }
    /// The known figures in short: "14", or "14 + 3" for several workloads.
    pub fn figures(&self) -> String {
        let known: Vec<_> =
            self.fields.iter().filter(|field| field.value > 0).map(|field| field.value.to_string()).collect();
        known.join(" + ")
    }
}

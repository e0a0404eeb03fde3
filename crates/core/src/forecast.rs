//! What a running month comes to, as far as it can be told before its reports are in ("The monthly cycle").

use crate::{Period, Points, Weight, totals::Terms, totals::Totals, totals::totals};

/// What is known of one line of the running month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlook {
    /// The highest day that the weekly figures tell; none before the first of them.
    pub highest: Option<u32>,
    /// The figure of the month before; 0 where there was none.
    pub before: i64,
    /// Points per unit in the running month.
    pub weight: Weight,
}

impl Outlook {
    /// The highest day so far, which the month cannot fall below; before the first weekly figure, the month before again.
    pub fn count(&self) -> i64 {
        self.highest.map_or(self.before.max(0), i64::from)
    }
    /// What it costs then.
    pub fn points(&self) -> Points {
        self.weight.times(self.count())
    }
}

/// What `period` would come to if nothing was protected beyond what its weekly figures tell.
pub fn forecast(lines: impl IntoIterator<Item = Outlook>, terms: &Terms, period: Period) -> Totals {
    totals(lines.into_iter().map(|line| line.points()), terms, period)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outlook(highest: Option<u32>, before: i64, weight: &str) -> Outlook {
        Outlook { highest, before, weight: weight.parse().expect("a weight") }
    }

    #[test]
    fn what_was_seen_counts_and_what_was_not_stays_as_it_was() {
        let terms = Terms {
            commit: Points::whole(800),
            limit: Some(Points::whole(100)),
            signed_at: "2026-01-10T00:00:00Z".parse().expect("an instant"),
        };
        let lines =
            [outlook(Some(9), 20, "1.5"), outlook(None, 11, "11"), outlook(None, -3, "10"), outlook(Some(4), 0, "1")];
        let found = forecast(lines, &terms, "2026-10".parse().expect("a month"));
        assert_eq!(found.reported, "138.5".parse().expect("points"), "13.5 + 121 + 0 + 4");
        assert_eq!(found.enforcement, "661.5".parse().expect("points"));
        assert_eq!(found.overage, "38.5".parse().expect("points"));
    }
}

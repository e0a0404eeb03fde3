//! What befalls some servers of the market, so that each state of the program is seen at least once.

use tenure_core::{Period, Timestamp};

/// Something that happens to one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Happening {
    /// It is switched off, and sends nothing from then on.
    SwitchedOff,
    /// It is switched on again, and tells what it missed.
    SwitchedOn,
    /// Its virtual machine is saved, to be restored or to be copied.
    Saved,
    /// Its virtual machine is restored as it was saved.
    SetBack,
    /// A second machine is started from the saved one; both run from then on.
    Cloned,
    /// Somebody takes half of its workloads out of the last month's report, on the product's own page.
    TakenOut,
}

/// A happening: which server, months before the last one (0 is the last), day of that month from 1, and what.
pub(crate) struct Fate {
    pub(crate) provider: usize,
    pub(crate) license: usize,
    months_before: i32,
    day: i64,
    pub(crate) what: Happening,
}

const fn fate(provider: usize, license: usize, months_before: i32, day: i64, what: Happening) -> Fate {
    Fate { provider, license, months_before, day, what }
}

/// Each state's server; the others live quietly. `-1` months before the last is the month after it, in which it is
/// reviewed.
pub(crate) const FATES: [Fate; 10] = [
    // Missing in the last month.
    fate(0, 7, 0, 19, Happening::SwitchedOff),
    // A clone: known as one at the third check-in of the two.
    fate(0, 3, 0, 5, Happening::Saved),
    fate(0, 3, 0, 6, Happening::Cloned),
    // Set back by three days; its figures of those days are others than those it told before.
    fate(0, 5, 0, 12, Happening::Saved),
    fate(0, 5, 0, 15, Happening::SetBack),
    // Flagged: the report is far below the watermarks.
    fate(0, 11, -1, 2, Happening::TakenOut),
    // Silent for a month that is closed without it; what it reports then is an adjustment line of the last month.
    fate(0, 9, 1, 1, Happening::SwitchedOff),
    fate(0, 9, 0, 13, Happening::SwitchedOn),
    // Of a provider that does not submit: nobody answers for them, so they end. One is in grace, one expires soon.
    fate(3, 1, 2, 19, Happening::SwitchedOff),
    fate(3, 4, 1, 19, Happening::SwitchedOff),
];

impl Fate {
    /// When it happens, where `last` is the last month that is lived through.
    pub(crate) fn at(&self, last: Period) -> Timestamp {
        last.plus(-self.months_before).start().plus_days(self.day - 1).plus_secs(11 * 3600)
    }
}

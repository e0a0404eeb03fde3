//! Properties of counting, against sets ("Counting").

use std::collections::BTreeMap;

use crate::oracle::{self, Protection};
use proptest::prelude::*;
use tenure_core::{Day, Period, Policy, Timestamp, month};

const KINDS: [&str; 2] = ["vm", "agent"];

fn hour(hour: i64) -> Timestamp {
    Timestamp::from_secs(hour * 3600)
}
fn name(id: u8) -> String {
    format!("w{id}")
}
/// Protections of few workloads in the two years before the end of March 2026, many of them at midnight.
fn protections() -> impl Strategy<Value = Vec<Protection>> {
    let end = Period::new(2026, 4).expect("a period").start().as_secs() / 3600;
    let day = prop_oneof![4 => 0_i64..75, 1 => 360_i64..430];
    let one = (0_u8..6, 0_u8..2, day, prop_oneof![Just(0_i64), 0_i64..24]);
    prop::collection::vec(one, 0..40).prop_map(move |list| {
        let protection = |(id, kind, days, hours)| Protection { id, kind, hour: end - 24 * days - 24 + hours };
        list.into_iter().map(protection).collect()
    })
}

fn count(period: Period, protections: &[Protection], observed: u32) -> month::MonthCount {
    let mut instants: BTreeMap<(u8, u8), Vec<Timestamp>> = BTreeMap::new();
    for one in protections {
        instants.entry((one.id, one.kind)).or_default().push(hour(one.hour));
    }
    let names: Vec<String> = instants.keys().map(|(id, _)| name(*id)).collect();
    let workloads = instants.iter().zip(&names).map(|(((_, kind), protected), id)| month::Workload {
        id,
        company: "",
        workload: KINDS[usize::from(*kind)],
        variant: "",
        protected,
        carried: None,
    });
    let observed = |day: Day| observed & 1 << (day.of_month() - 1) != 0;
    month::month(period, workloads, observed, &Policy::default())
}

proptest! {
    #[test]
    fn counts_are_those_of_sets(protections in protections(), observed in any::<u32>()) {
        let period = Period::new(2026, 3).expect("a period");
        let (first, end) = (period.start().as_secs() / 3600, period.end().as_secs() / 3600);
        let back = |at: i64| hour(at).plus_months(-13).as_secs() / 3600;
        let new = oracle::new_in(first, end, &protections, back);
        let found = count(period, &protections, observed);
        prop_assert_eq!(found.observed_days, (observed & 0x7fff_ffff).count_ones());
        for (kind, code) in KINDS.iter().enumerate() {
            let line = found.lines.iter().find(|line| line.workload == *code);
            let mut high = None;
            for (index, day) in period.days().enumerate() {
                let expected = (observed & 1 << index != 0).then(|| {
                    let all = oracle::protected_on(i64::from(day.number()), kind as u8, &protections);
                    let fresh = all.intersection(&new).count() as u32;
                    (all.len() as u32 - fresh, fresh)
                });
                let counted = line.and_then(|line| line.daily[index].zip(line.daily_new[index]));
                // A line without workloads is not listed; its days are zero where they were observed.
                prop_assert_eq!(counted.or(expected.filter(|_| line.is_none()).map(|_| (0, 0))), expected, "{}", day);
                high = high.max(expected.map(|(count, _)| count));
            }
            if let Some(line) = line {
                prop_assert_eq!(line.high, high);
            }
        }
    }

    #[test]
    fn order_and_repetition_change_nothing(protections in protections(), observed in any::<u32>()) {
        let period = Period::new(2026, 3).expect("a period");
        let expected = count(period, &protections, observed);
        let mut other: Vec<Protection> = protections.iter().rev().copied().collect();
        other.extend(protections);
        prop_assert_eq!(count(period, &other, observed), expected);
    }

    #[test]
    fn rows_explain_every_figure(protections in protections()) {
        let period = Period::new(2026, 3).expect("a period");
        let found = count(period, &protections, u32::MAX);
        for line in &found.lines {
            let rows = |counted| {
                found.rows.iter().filter(|row| row.workload == line.workload && row.counted == counted).count() as u32
            };
            prop_assert_eq!(rows(month::Counted::New), line.new);
            prop_assert!(rows(month::Counted::Yes) >= line.high.expect("observed"), "no figure without its workloads");
        }
        let mut sorted = found.rows.clone();
        sorted.sort_by(|a, b| (&a.workload, &a.variant, &a.id).cmp(&(&b.workload, &b.variant, &b.id)));
        prop_assert_eq!(sorted, found.rows);
    }
}

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
fn day(text: &str) -> Day {
    text.parse().unwrap()
}
fn sighting(id: &str, when: Timestamp) -> Sighting {
    Sighting { id: id.into(), company: String::new(), workload: "vm".into(), variant: String::new(), at: when }
}
fn ins() -> InstallationId {
    InstallationId::from_uuid(uuid::Uuid::from_u128(1))
}
fn take(ledger: &mut Ledger, sightings: Vec<Sighting>, now: Timestamp) {
    for one in ledger.news(sightings, now) {
        ledger.observe(&one);
    }
}
fn count_all(ledger: &mut Ledger, from: Day, through: Day) {
    let mut next = from;
    while next <= through {
        let counted = ledger.count(next, ins(), &Policy::default());
        ledger.add_day(&counted);
        next = next.plus(1);
    }
}

#[test]
fn a_month_of_lines_watermarks_and_heads() {
    let mut ledger = Ledger::default();
    let sightings = vec![
        sighting("old", at("2026-02-20T10:00:00Z")),
        sighting("fresh", at("2026-03-20T10:00:00Z")),
        sighting("future", at("2027-01-01T00:00:00Z")),
    ];
    take(&mut ledger, sightings, at("2026-04-01T01:00:00Z"));
    count_all(&mut ledger, day("2026-03-10"), day("2026-03-31"));
    let period: Period = "2026-03".parse().unwrap();
    let lines = ledger.lines(period, &Policy::default());
    assert_eq!(lines.len(), 1);
    // Protected on 20 February: through 22 March. The days before the 10th were not observed.
    assert_eq!((lines[0].raw, lines[0].count, lines[0].new), (1, 1, 1));
    assert_eq!((lines[0].daily[8], lines[0].daily[9], lines[0].daily[22]), (None, Some(1), Some(0)));
    let heads = ledger.heads(period);
    assert_eq!((heads.len(), heads[0].day), (22, day("2026-03-10")));
    assert_eq!(ledger.head, heads.last().cloned());
    let week = ledger.week_lines("2026-W11".parse().unwrap()).unwrap();
    assert_eq!(week[0].daily[..3], [None, Some(1), Some(1)]);
    assert_eq!(ledger.week_lines("2026-W10".parse().unwrap()), None, "no day observed: no watermark");
    let next = ledger.count(day("2026-04-01"), ins(), &Policy::default());
    assert_eq!(next.counts[0].count, 1, "in April the fresh one counts");
    assert_eq!(next.prev, ledger.head.as_ref().map(|head| head.head));
}

#[test]
fn the_chain_depends_on_every_figure() {
    let chain = |ids: &[&str]| {
        let mut ledger = Ledger::default();
        let seen = ids.iter().map(|id| sighting(id, at("2026-03-01T10:00:00Z"))).collect();
        take(&mut ledger, seen, at("2026-03-03T00:00:00Z"));
        count_all(&mut ledger, day("2026-03-01"), day("2026-03-02"));
        ledger.head.unwrap().head
    };
    assert_eq!(chain(&["a", "b"]), chain(&["b", "a"]));
    assert_ne!(chain(&["a", "b"]), chain(&["a"]));
}

#[test]
fn days_of_a_wrong_clock_are_taken_back() {
    let mut ledger = Ledger::default();
    count_all(&mut ledger, day("2026-03-01"), day("2026-03-02"));
    let before = ledger.clone();
    count_all(&mut ledger, day("2026-03-03"), day("2026-05-01"));
    ledger.weeks_through = Some("2026-W17".parse().unwrap());
    ledger.rewind(day("2026-03-02"));
    assert_eq!((&ledger.days, &ledger.head), (&before.days, &before.head));
    assert_eq!(ledger.weeks_through, Some("2026-W09".parse().unwrap()), "the week of 2 March is not over");
}

proptest! {
    /// Against an oracle that forgets nothing and looks at whole months: whatever is told again, in whatever order and
    /// portions, and pruned in between, the days count the same.
    #[test]
    fn counts_equal_a_brute_force_month(
        hours in prop::collection::vec((0..5_usize, 0..4_000_i64), 1..40),
        portions in 1..5_usize,
    ) {
        let ids = ["a", "b", "c", "d", "e"];
        let start = at("2026-01-01T00:00:00Z");
        let mut sightings: Vec<Sighting> =
            hours.iter().map(|(id, hours)| sighting(ids[*id], start.plus_secs(hours * 3600))).collect();
        sightings.sort_by_key(|sighting| sighting.at);
        let mut ledger = Ledger::default();
        let mut today = day("2026-01-01");
        for portion in 1..=portions {
            let until = day("2026-01-01").plus((portion * 160 / portions) as i32);
            let told = sightings.iter().filter(|one| one.at < until.start()).rev().cloned().collect();
            take(&mut ledger, told, until.start());
            count_all(&mut ledger, today, until.plus(-1));
            today = until;
            let cutoff = until.period().prev().start().plus_days(-32);
            ledger.prune(cutoff, until.start().plus_months(-13));
        }
        for n in 0..160 {
            let day = day("2026-01-01").plus(n);
            let before: Vec<_> = sightings.iter().filter(|one| one.at < day.end()).collect();
            let counting: BTreeSet<&str> = before
                .iter()
                .filter(|one| Day::of(one.at).plus(31) > day)
                .map(|one| one.id.as_str())
                .collect();
            let old = |id: &&&str| before.iter().any(|one| one.id == **id && one.at < day.period().start());
            let count = counting.iter().filter(old).count() as u32;
            let counted = figure_of(&ledger.days[&day].counts, "vm", "").map_or((0, 0), |count| (count.count, count.new));
            prop_assert_eq!(counted, (count, counting.len() as u32 - count), "{}", day);
        }
    }
}

#[test]
fn overuse_serves_the_first_protected_first() {
    let mut ledger = Ledger::default();
    let seen = vec![
        sighting("second", at("2026-02-02T00:00:00Z")),
        sighting("first", at("2026-02-01T00:00:00Z")),
        sighting("new", at("2026-03-01T00:00:00Z")),
        sighting("stale", at("2026-01-01T00:00:00Z")),
    ];
    take(&mut ledger, seen, at("2026-03-02T00:00:00Z"));
    let standing = ledger.standing(day("2026-03-01"), &Policy::default());
    let found: Vec<_> = standing.iter().map(|one| (one.id, one.new)).collect();
    assert_eq!(found, [("first", false), ("second", false), ("new", true)]);
}

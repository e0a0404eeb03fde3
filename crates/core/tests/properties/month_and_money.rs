//! Properties of the monthly cycle and of what it costs ("The monthly cycle", "Totals", "Adjustments", "Overuse").

use proptest::prelude::*;
use tenure_core::{
    Period, Points, Policy, Timestamp, Weight, correction,
    cycle::{Actor, FirstApproval, UsageEvent, UsageFacts, UsageState, step},
    deadline, line,
    overuse::{Coverage, cover},
    suspension::{OwedPeriods, SubmissionStanding, is_suspended},
    totals::{MonthSum, Terms, month_totals, totals},
};

const ACTORS: [Actor; 6] = [
    Actor::Server,
    Actor::LocationUsageAdministrator,
    Actor::PrimaryLicenseAdministrator,
    Actor::FullAccess,
    Actor::Distributor,
    Actor::Vendor,
];

fn facts() -> impl Strategy<Value = UsageFacts> {
    let few = || prop_oneof![3 => Just(0_u32), 1 => 1_u32..3];
    ((few(), few(), few(), few(), few(), few()), few(), prop::array::uniform7(any::<bool>())).prop_map(
        |((awaited, missing, cloned, unmapped, unconfirmed, flagged), parts_outstanding, flags)| UsageFacts {
            has_sites: flags[0],
            parts_outstanding,
            auto_send_day_over: flags[1],
            awaited,
            missing,
            cloned,
            unmapped,
            unconfirmed,
            flagged,
            reason_given: flags[2],
            own_submission: flags[3],
            vendor_consent_missing: flags[4],
            two_people: flags[5],
            first_approval: if flags[6] { FirstApproval::Others } else { FirstApproval::Missing },
        },
    )
}
fn moves() -> impl Strategy<Value = Vec<(UsageEvent, Actor, UsageFacts)>> {
    let one = (prop::sample::select(&UsageEvent::ALL[..]), prop::sample::select(&ACTORS[..]), facts());
    prop::collection::vec(one, 0..120)
}
fn points() -> impl Strategy<Value = Points> {
    (0_i64..10_000_000).prop_map(Points::from_milli)
}

proptest! {
    #[test]
    fn nothing_leaves_closed_and_nothing_incomplete_is_submitted(moves in moves()) {
        let mut state = UsageState::Collecting;
        for (event, actor, facts) in moves {
            let Ok(next) = step(state, event, actor, &facts) else { continue };
            prop_assert_ne!(state, UsageState::Closed, "{:?} by {:?} left Closed", event, actor);
            if next == state && event == UsageEvent::ApproveFirst {
                prop_assert!(facts.two_people && actor == Actor::Distributor);
            } else if next == UsageState::PendingDistributorReview {
                prop_assert!(facts.blockers().is_empty());
                prop_assert!(actor != Actor::Server || facts.flagged == 0, "nothing flagged goes by itself");
                prop_assert!(!facts.has_sites || actor != Actor::FullAccess);
            }
            if next == UsageState::Closed {
                let decided = state == UsageState::PendingDistributorReview
                    && !(facts.own_submission && actor == Actor::Distributor)
                    && !facts.vendor_consent_missing
                    && (!facts.two_people || facts.first_approval == FirstApproval::Others);
                prop_assert!(decided || actor == Actor::Vendor && facts.reason_given);
            }
            if next == UsageState::Rejected {
                prop_assert!(facts.reason_given && !facts.own_submission && actor == Actor::Distributor);
            }
            state = next;
        }
        for (event, actor) in UsageEvent::ALL.into_iter().flat_map(|event| ACTORS.map(|actor| (event, actor))) {
            prop_assert!(step(UsageState::Closed, event, actor, &UsageFacts::default()).is_err());
        }
    }

    #[test]
    fn totals_are_the_sum_of_lines(
        lines in prop::collection::vec((0_u32..10_000, 0_i64..50_000), 0..40),
        commit in points(),
        limit in prop::option::of(points()),
    ) {
        let terms = Terms { commit, limit, signed_at: Timestamp::EPOCH };
        let period = Period::new(2026, 5).expect("a period");
        let priced = lines.iter().map(|(count, weight)| {
            line::points(i64::from(*count), Weight::from_milli(*weight))
        });
        let found = totals(priced, &terms, period);
        let by_hand: i128 = lines.iter().map(|(count, weight)| i128::from(*count) * i128::from(*weight)).sum();
        prop_assert_eq!(i128::from(found.reported.as_milli()), by_hand);
        prop_assert_eq!(found.total, found.reported + found.enforcement);
        prop_assert_eq!(i128::from(found.total.as_milli()), by_hand.max(i128::from(commit.as_milli())));
        let over = limit.map_or(0, |limit| (by_hand - i128::from(limit.as_milli())).max(0));
        prop_assert_eq!(i128::from(found.overage.as_milli()), over);
    }

    #[test]
    fn corrections_are_neither_lost_nor_doubled(
        months in prop::collection::vec((0_i64..5_000, -5_000_i64..5_000), 1..24),
    ) {
        let terms = Terms { commit: Points::ZERO, limit: None, signed_at: Timestamp::EPOCH };
        let mut period = Period::new(2026, 1).expect("a period");
        let (mut billed, mut carried) = (Points::ZERO, Points::ZERO);
        for (own, adjustments) in &months {
            let sum = MonthSum {
                own: Points::from_milli(*own),
                adjustments: Points::from_milli(*adjustments),
                carried_in: carried,
            };
            let found = month_totals(sum, &terms, period);
            prop_assert!(found.reported >= Points::ZERO && found.carried_out <= Points::ZERO);
            billed += found.total;
            carried = found.carried_out;
            period = period.next();
        }
        let owed: i64 = months.iter().map(|(own, adjustments)| own + adjustments).sum();
        prop_assert_eq!((billed + carried).as_milli(), owed);
    }

    #[test]
    fn applied_and_carried_make_the_correction(
        own in 0_i64..10_000,
        corrections in prop::collection::vec(-5_000_i64..5_000, 0..20),
    ) {
        let corrections: Vec<Points> = corrections.into_iter().map(Points::from_milli).collect();
        let found = correction::apply(Points::from_milli(own), &corrections);
        for ((applied, carried), whole) in found.applied.iter().zip(&found.carried).zip(&corrections) {
            prop_assert_eq!(*applied + *carried, *whole);
        }
        let applied: Points = found.applied.iter().copied().sum();
        prop_assert!(Points::from_milli(own) + applied >= Points::ZERO);
    }

    #[test]
    fn the_first_protected_are_served_first(
        workloads in prop::collection::vec((0_i64..20_000, any::<bool>()), 0..60),
        licensed in 0_i64..200_000,
        above in 0_i64..100_000,
    ) {
        let (licensed, above) = (Points::from_milli(licensed), Points::from_milli(above));
        let wanted = workloads.iter().map(|(milli, new)| (Points::from_milli(*milli), *new));
        let found = cover(wanted, licensed, above);
        let used = |coverage: &[Coverage]| -> Points {
            let served = found.iter().zip(&workloads).filter(|(found, _)| coverage.contains(found));
            served.map(|(_, (milli, _))| Points::from_milli(*milli)).sum()
        };
        prop_assert!(used(&[Coverage::Licensed]) <= licensed);
        prop_assert!(used(&[Coverage::Licensed, Coverage::LicensedByExceed]) <= licensed + above);
        let rank = |coverage: &Coverage| match coverage {
            Coverage::Licensed => Some(0),
            Coverage::LicensedByExceed => Some(1),
            Coverage::Unlicensed => Some(2),
            Coverage::New => None,
        };
        let ranks: Vec<u8> = found.iter().filter_map(rank).collect();
        prop_assert!(ranks.is_sorted(), "nobody is served before an earlier one");
    }

    #[test]
    fn suspended_exactly_by_the_two_newest_deadlines(
        hours in 0_i64..24 * 800,
        submitted in prop::collection::vec(any::<bool>(), 40),
        by_hand in prop::collection::vec(any::<bool>(), 40),
    ) {
        let (policy, first) = (Policy::default(), Period::new(2026, 1).expect("a period"));
        let now = first.start().plus_secs(hours * 3600);
        let index = |period: Period| usize::try_from(period.index() - first.index()).ok().filter(|index| *index < 40);
        let at = |list: &[bool], period| index(period).is_some_and(|index| list[index]);
        let found = is_suspended(
            Some(OwedPeriods { first, last: None }),
            now,
            |period| at(&by_hand, period),
            |period| if at(&submitted, period) { SubmissionStanding::Submitted } else { SubmissionStanding::Unsubmitted },
            &policy,
        );
        let past: Vec<Period> = (0..40)
            .map(|n| first.plus(n))
            .filter(|period| now >= deadline::provider_deadline(*period, at(&by_hand, *period), &policy))
            .collect();
        let newest: Vec<&Period> = past.iter().rev().take(2).collect();
        let expected = newest.len() == 2 && newest.iter().all(|period| !at(&submitted, **period));
        prop_assert_eq!(found, expected, "{}", now);
    }
}

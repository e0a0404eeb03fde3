//! Clocks that are wrong (protocol, T1, T4).

use tenure_agent::Standing;
use tenure_core::{Clock, Day};

use crate::world::{World, at};

const PLAN: &[(&str, &str, &str)] = &[("a", "2025-11-01", "2029-12-31")];

#[test]
fn t1_with_an_answer_of_this_boot_the_system_clock_is_ignored() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-11T08:00:00Z");
    for days in [3650, -3650] {
        world.machine.set_error_days(days);
        world.truth.set(world.truth.now().plus_days(1));
        world.keeper().tick().unwrap();
        let status = world.status();
        assert_eq!(status.as_of.as_secs(), world.truth.now().as_secs());
        assert!(status.time_is_authenticated);
        assert_eq!(status.standing, Standing::Valid);
    }
}

#[test]
fn t1_a_boot_with_a_clock_of_2036_asks_before_it_expires_anything() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-11T08:00:00Z");
    let (counted, seen) = (world.status().counted_through, world.peer.server().seen.len());
    world.machine.reboot();
    world.machine.set_error_days(3650);
    world.open().unwrap();
    let before = world.status();
    assert!(!before.time_is_authenticated);
    assert_eq!(before.standing, Standing::Valid, "not on the word of a clock that nobody vouches for");
    world.keeper().tick().unwrap();
    assert_eq!(world.peer.server().seen.len(), seen + 1, "it asks at once");
    let after = world.status();
    assert_eq!((after.standing, after.time_is_authenticated), (Standing::Valid, true));
    assert_eq!(after.counted_through, counted, "and counts no day that has not been");
}

#[test]
fn t1_without_any_contact_the_system_clock_counts_at_last() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-11T08:00:00Z");
    world.peer.server().silent = true;
    world.machine.reboot();
    world.machine.set_error_days(100);
    world.open().unwrap();
    assert_eq!(world.status().standing, Standing::Valid, "the server was not asked yet");
    world.keeper().tick().unwrap();
    let status = world.status();
    assert_eq!(status.standing, Standing::Expired, "asked and not reached: then the clock is all there is");
    assert!(status.sentence.contains("has not answered since 2026-01-1"), "{}", status.sentence);
}

#[test]
fn t4_days_counted_by_a_clock_that_ran_ahead_are_counted_again_when_they_come() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-20T08:00:00Z");
    // No contact, and a clock three weeks ahead: January ends, its report is made, February begins.
    world.peer.server().silent = true;
    world.machine.reboot();
    world.machine.set_error_days(21);
    world.open().unwrap();
    world.run_to("2026-01-20T12:00:00Z");
    let ahead = world.status();
    assert!(ahead.counted_through > Some("2026-02-08".parse().unwrap()), "{ahead:?}");
    assert!(ahead.unsent_documents > 0);
    // The server answers: the time is known, and what was made for a time that has not come is gone.
    world.peer.server().silent = false;
    world.keeper().check_in_now().unwrap();
    let status = world.status();
    assert_eq!(status.as_of.as_secs(), world.truth.now().as_secs());
    world.run_to("2026-01-22T08:00:00Z");
    assert_eq!(world.status().counted_through, Some("2026-01-21".parse().unwrap()));
    world.run_to("2026-02-04T00:00:00Z");
    let reports = world.peer.reports();
    let last = reports.values().last().unwrap();
    assert_eq!(last.heads.len(), 22, "10 to 31 January, each once");
    assert_eq!(last.heads.last().unwrap().day, "2026-01-31".parse::<Day>().unwrap());
    assert_eq!(world.status().reported_through, Some("2026-01".parse().unwrap()));
    assert!(last.made_at >= at("2026-02-03T00:00:00Z").as_secs());
}

#[test]
fn t1_a_reboot_without_a_clock_goes_on_from_the_floor() {
    let mut world = World::new(PLAN).activated();
    world.run_to("2026-01-25T08:00:00Z");
    world.peer.server().silent = true;
    world.machine.reboot();
    world.machine.set_error_days(-20_000);
    world.open().unwrap();
    let status = world.status();
    assert!(status.as_of >= at("2026-01-25T00:00:00Z"), "{}", status.as_of);
    // A day of running is a day, whatever the system clock says.
    world.run_to("2026-01-26T09:00:00Z");
    assert!(world.status().as_of >= at("2026-01-26T01:00:00Z"), "{}", world.status().as_of);
}

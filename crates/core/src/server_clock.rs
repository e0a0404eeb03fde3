//! Whether the server may trust its own clock (protocol, T2).

use crate::{Boot, Policy, Timestamp};

/// Why the server signs nothing and runs no job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockFault {
    /// The wall clock fell behind.
    #[error("the wall clock went back by {seconds} s")]
    Back {
        /// By how much.
        seconds: i64,
    },
    /// The wall clock ran ahead.
    #[error("the wall clock jumped ahead by {seconds} s")]
    Forward {
        /// By how much.
        seconds: i64,
    },
    /// The server stood still for long: an operator confirms the date.
    #[error("the server was stopped for {days} days; confirm the date")]
    LongStop {
        /// Whole days since the newest time it had stored.
        days: i64,
    },
}

/// One look at both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// Wall clock.
    pub wall: Timestamp,
    /// Boot clock.
    pub boot: Boot,
}

/// Compares two looks within one boot: the wall clock may fall behind the boot clock by 5 minutes and run ahead by 24
/// hours (T2). Looks of different boots prove nothing; a start is judged by [`check_start`].
///
/// # Errors
/// In which direction it went.
pub fn check_running(before: ClockReading, now: ClockReading, policy: &Policy) -> Result<(), ClockFault> {
    if before.boot.id != now.boot.id {
        return Ok(());
    }
    let ran_us = now.boot.elapsed_us.saturating_sub(before.boot.elapsed_us);
    let ahead_us = now.wall.micros_since(before.wall).saturating_sub(ran_us);
    let seconds = ahead_us / 1_000_000;
    if ahead_us < -i64::from(policy.server_clock_back_minutes) * 60_000_000 {
        Err(ClockFault::Back { seconds: -seconds })
    } else if ahead_us > i64::from(policy.server_clock_forward_hours) * 3_600_000_000 {
        Err(ClockFault::Forward { seconds })
    } else {
        Ok(())
    }
}

/// Judges the wall clock at a start against the newest time the server had stored (T2).
///
/// # Errors
/// When it lies before that, or so long after it that an operator has to confirm the date.
pub fn check_start(high_water: Timestamp, now: Timestamp, policy: &Policy) -> Result<(), ClockFault> {
    let ahead_us = now.micros_since(high_water);
    if ahead_us < -i64::from(policy.server_clock_back_minutes) * 60_000_000 {
        Err(ClockFault::Back { seconds: -ahead_us / 1_000_000 })
    } else if now > high_water.plus_days(i64::from(policy.server_stop_days)) {
        Err(ClockFault::LongStop { days: ahead_us / 86_400_000_000 })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BootId;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn running_clocks_are_held_together() {
        let boot = |n, secs: i64| Boot { id: BootId(uuid::Uuid::from_u128(n)), elapsed_us: secs * 1_000_000 };
        let before = ClockReading { wall: at("2026-03-01T00:00:00Z"), boot: boot(1, 100) };
        let check = |wall: &str, boot| check_running(before, ClockReading { wall: at(wall), boot }, &Policy::default());
        assert_eq!(check("2026-03-01T00:00:01Z", boot(1, 101)), Ok(()));
        assert_eq!(check("2026-02-28T23:55:01Z", boot(1, 101)), Ok(()), "exactly five minutes");
        assert_eq!(check("2026-02-28T23:55:00Z", boot(1, 101)), Err(ClockFault::Back { seconds: 301 }));
        assert_eq!(check("2026-03-02T00:00:01Z", boot(1, 101)), Ok(()), "exactly a day");
        assert_eq!(check("2026-03-02T00:00:02Z", boot(1, 101)), Err(ClockFault::Forward { seconds: 86_401 }));
        assert_eq!(check("2036-03-02T00:00:02Z", boot(2, 1)), Ok(()), "another boot");
    }

    #[test]
    fn a_start_is_judged_by_the_high_water() {
        let check = |now: &str| check_start(at("2026-03-01T00:00:00Z"), at(now), &Policy::default());
        assert_eq!(check("2026-02-28T23:55:00Z"), Ok(()));
        assert_eq!(check("2026-02-28T23:54:00Z"), Err(ClockFault::Back { seconds: 360 }));
        assert_eq!(check("2026-04-05T00:00:00Z"), Ok(()), "35 days");
        assert_eq!(check("2026-04-06T00:00:00Z"), Err(ClockFault::LongStop { days: 36 }));
    }
}

//! Every number a vendor may choose, with the program's defaults.

use serde::{Deserialize, Serialize};

use crate::{ExtensionTrigger, Points, Timestamp, WorkloadDetail};

/// The numbers of one program. `Default` is the program description's own; a vendor's differ only where it says so.
///
/// Serialized as one flat object in which each field may be left out. An unknown field is refused: a rule that is
/// misspelled would otherwise silently not apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    // "Validity of an automatically reported license"
    /// Months of validity before any report.
    pub extra_months: u32,
    /// Days on top of those months.
    pub extra_days: u32,
    /// Days before `expires_at` in which a license is *Expiring*.
    pub warning_days: u32,
    /// Days of full function after `expires_at`.
    pub grace_days: u32,
    /// What makes a period reported.
    pub extension_trigger: ExtensionTrigger,
    /// Whether a product's own report extends while its provider is suspended.
    pub product_report_extends_while_suspended: bool,

    // "The monthly cycle"; days are of the month after the period
    /// Day whose end turns what was not sent by hand into *final*.
    pub auto_send_day: u8,
    /// Day by which the provider submits.
    pub provider_deadline_day: u8,
    /// Day by which the provider submits when any of its products reports by hand.
    pub manual_deadline_day: u8,
    /// Hour (UTC) of the provider's deadline day at which `auto_submit` acts.
    pub auto_submit_hour: u8,
    /// Day by which the distributor decides.
    pub distributor_deadline_day: u8,
    /// Days after the submission that the distributor has at least.
    pub distributor_days_after_submission: u32,
    /// Days after the distributor's deadline from which an undecided, unflagged monthly usage extends.
    pub distributor_grace_days: u32,
    /// Hours after the period's end in which products send their first report.
    pub report_window_hours: u32,
    /// Days after a watermark's week in which it is sent, at a random time.
    pub watermark_window_days: u32,
    /// Newest periods past the deadline that are all unsubmitted when a provider is suspended.
    pub suspension_periods: u32,
    /// Days for which a rejected monthly usage still counts as submitted.
    pub rejected_counts_days: u32,
    /// Months for which an unsubmitted period stays open and late data of a period is taken.
    pub max_correction_months: u32,
    /// Age in periods above which an open obligation blocks new licenses for its company and product.
    pub obligation_block_periods: u32,

    // "License update"
    /// Days between two check-ins.
    pub check_in_days: u32,
    /// Days before `expires_at` from which an installation asks daily.
    pub check_in_daily_from_days: u32,
    /// Half width of a check-in window and of a retry's jitter, in percent of the interval.
    pub jitter_percent: u32,
    /// Minutes until the next try when the server was not reached.
    pub retry_unreachable_minutes: u32,
    /// Hours until the next check-in after a failure of the server.
    pub retry_check_in_hours: u32,
    /// Minutes until the next try of a report after a failure of the server.
    pub retry_report_minutes: u32,
    /// Shortest wait a server can ask of a product, in seconds.
    pub wait_min_seconds: u32,
    /// Longest wait a server can ask of a product, in days.
    pub wait_max_days: u32,

    // "Counting"
    /// How many times 24 hours a workload counts after it was last protected.
    pub count_window_days: u32,
    /// Months after which a workload that comes back is *new* again.
    pub new_memory_months: u32,
    /// Bytes of one unit of data size.
    pub data_unit_bytes: u64,
    /// How much of each workload leaves the product.
    pub workload_detail: WorkloadDetail,
    /// Most workload rows of one evidence document.
    pub evidence_rows: u32,

    // "Deviation"
    /// Percent below the products' figures that is still unflagged.
    pub deviation_percent: u32,
    /// Points below the products' figures that are still unflagged, if more than the percentage.
    pub deviation_points: Points,
    /// Share of new workloads, in percent, that is still unflagged on a young installation.
    pub new_share_percent: u32,
    /// An installation is young in so many periods, its first included.
    pub young_installation_periods: u32,

    // "Overuse"
    /// Percent of the license's points allowed above them.
    pub overuse_percent: u32,
    /// Points allowed above the license's points, if more than the percentage.
    pub overuse_points: Points,
    /// Factor on the first term while automatic reporting is on and the newest report was accepted.
    pub overuse_factor: u32,

    // "Kept"
    /// Days a check-in is kept; the newest of each installation always is.
    pub keep_check_ins_days: u32,
    /// Months that watermarks and daily data are kept.
    pub keep_daily_months: u32,
    /// Years that reports, submissions, licenses and receipts are kept.
    pub keep_documents_years: u32,

    // Protocol
    /// Hours an activation code lives.
    pub activation_code_hours: u32,
    /// Days an enroll token lives at most.
    pub enroll_token_days: u32,
    /// Rejoins within [`Policy::rejoin_window_days`] above which an installation is flagged for a person.
    pub rejoins_unflagged: u32,
    /// Days over which rejoins are counted.
    pub rejoin_window_days: u32,
    /// Returns to a host left before, within [`Policy::rejoin_window_days`], above which an installation is flagged for a
    /// person (C14). One is a move and back.
    pub host_returns_unflagged: u32,
    /// Hours per boot by which a product's system clock alone may raise its floor.
    pub floor_rise_hours: u32,
    /// Minutes the server's wall clock may fall behind its boot clock while running.
    pub server_clock_back_minutes: u32,
    /// Hours the server's wall clock may run ahead of its boot clock while running.
    pub server_clock_forward_hours: u32,
    /// Days of standstill after which an operator confirms the date.
    pub server_stop_days: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            extra_months: 2,
            extra_days: 15,
            warning_days: 30,
            grace_days: 60,
            extension_trigger: ExtensionTrigger::Submitted,
            product_report_extends_while_suspended: false,
            auto_send_day: 3,
            provider_deadline_day: 5,
            manual_deadline_day: 10,
            auto_submit_hour: 12,
            distributor_deadline_day: 10,
            distributor_days_after_submission: 5,
            distributor_grace_days: 5,
            report_window_hours: 20,
            watermark_window_days: 7,
            suspension_periods: 2,
            rejected_counts_days: 5,
            max_correction_months: 13,
            obligation_block_periods: 2,
            check_in_days: 7,
            check_in_daily_from_days: 7,
            jitter_percent: 10,
            retry_unreachable_minutes: 60,
            retry_check_in_hours: 24,
            retry_report_minutes: 60,
            wait_min_seconds: 60,
            wait_max_days: 8,
            count_window_days: 31,
            new_memory_months: 13,
            data_unit_bytes: 500_000_000_000,
            workload_detail: WorkloadDetail::Hashed,
            evidence_rows: 1_000,
            deviation_percent: 10,
            deviation_points: Points::whole(20),
            new_share_percent: 50,
            young_installation_periods: 2,
            overuse_percent: 20,
            overuse_points: Points::whole(20),
            overuse_factor: 2,
            keep_check_ins_days: 35,
            keep_daily_months: 13,
            keep_documents_years: 10,
            activation_code_hours: 72,
            enroll_token_days: 90,
            rejoins_unflagged: 3,
            rejoin_window_days: 31,
            host_returns_unflagged: 1,
            floor_rise_hours: 48,
            server_clock_back_minutes: 5,
            server_clock_forward_hours: 24,
            server_stop_days: 35,
        }
    }
}

/// A number that would make the program contradict itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy {field} must be {must}")]
pub struct PolicyError {
    /// The field's name, as serialized.
    pub field: &'static str,
    /// What would be accepted.
    pub must: &'static str,
}

/// What a retention applies to ("Kept").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// A check-in's request and answer; the newest per installation is kept regardless.
    CheckIn,
    /// A watermark or a day's counts.
    Daily,
    /// A report, submission, license or receipt.
    Document,
}

/// Fields that change no figure, no deadline and no validity: how often products ask, how long things are kept.
const AT_ONCE: [&str; 20] = [
    "report_window_hours",
    "watermark_window_days",
    "check_in_days",
    "check_in_daily_from_days",
    "jitter_percent",
    "retry_unreachable_minutes",
    "retry_check_in_hours",
    "retry_report_minutes",
    "wait_min_seconds",
    "wait_max_days",
    "keep_check_ins_days",
    "keep_daily_months",
    "keep_documents_years",
    "activation_code_hours",
    "enroll_token_days",
    "rejoins_unflagged",
    "rejoin_window_days",
    "host_returns_unflagged",
    "server_clock_back_minutes",
    "server_clock_forward_hours",
];

/// Whether a field, by its serialized name, may change at any time; every other changes on the 1st of a future month, so
/// that one month is never judged by two sets of numbers.
pub fn takes_effect_at_once(field: &str) -> bool {
    AT_ONCE.contains(&field)
}

impl Policy {
    /// Checks that the numbers fit together; call it wherever a policy enters.
    ///
    /// # Errors
    /// The first field that contradicts the rest, with what it must be.
    pub fn validate(&self) -> Result<(), PolicyError> {
        let day = |d: u8| (1..=28).contains(&d);
        let checks: [(bool, &'static str, &'static str); 30] = [
            (self.extra_months <= 24, "extra_months", "at most 24"),
            (self.extra_days <= 365, "extra_days", "at most 365"),
            (self.extra_months + self.extra_days > 0, "extra_days", "above 0 where extra_months is 0"),
            (self.grace_days <= 366, "grace_days", "at most 366"),
            (self.warning_days <= 366, "warning_days", "at most 366"),
            (day(self.auto_send_day), "auto_send_day", "a day from 1 to 28"),
            (
                day(self.provider_deadline_day) && self.provider_deadline_day >= self.auto_send_day,
                "provider_deadline_day",
                "a day from auto_send_day to 28",
            ),
            (
                day(self.manual_deadline_day) && self.manual_deadline_day >= self.provider_deadline_day,
                "manual_deadline_day",
                "a day from provider_deadline_day to 28",
            ),
            (
                day(self.distributor_deadline_day) && self.distributor_deadline_day >= self.provider_deadline_day,
                "distributor_deadline_day",
                "a day from provider_deadline_day to 28",
            ),
            (self.auto_submit_hour < 24, "auto_submit_hour", "an hour from 0 to 23"),
            ((1..=72).contains(&self.report_window_hours), "report_window_hours", "from 1 to 72"),
            ((1..=12).contains(&self.suspension_periods), "suspension_periods", "from 1 to 12"),
            ((1..=120).contains(&self.max_correction_months), "max_correction_months", "from 1 to 120"),
            ((1..=31).contains(&self.check_in_days), "check_in_days", "from 1 to 31"),
            (self.jitter_percent <= 50, "jitter_percent", "at most 50"),
            (
                i64::from(self.wait_min_seconds) < i64::from(self.wait_max_days) * 86_400,
                "wait_max_days",
                "longer than wait_min_seconds",
            ),
            ((1..=366).contains(&self.count_window_days), "count_window_days", "from 1 to 366"),
            (self.data_unit_bytes > 0, "data_unit_bytes", "above 0"),
            ((1..=1_000).contains(&self.evidence_rows), "evidence_rows", "from 1 to 1000"),
            (self.overuse_factor >= 1, "overuse_factor", "at least 1"),
            // What is dropped never comes back: a month that is still reviewed must find what was counted and committed.
            ((7..=400).contains(&self.keep_check_ins_days), "keep_check_ins_days", "from 7 to 400"),
            ((3..=240).contains(&self.keep_daily_months), "keep_daily_months", "from 3 to 240"),
            (
                (1..=100).contains(&self.keep_documents_years)
                    && self.keep_documents_years * 12 >= self.keep_daily_months,
                "keep_documents_years",
                "from 1 to 100, and no shorter than keep_daily_months",
            ),
            ((1..=72).contains(&self.activation_code_hours), "activation_code_hours", "from 1 to 72"),
            ((1..=366).contains(&self.enroll_token_days), "enroll_token_days", "from 1 to 366"),
            ((1..=1_440).contains(&self.retry_unreachable_minutes), "retry_unreachable_minutes", "from 1 to 1440"),
            ((1..=168).contains(&self.retry_check_in_hours), "retry_check_in_hours", "from 1 to 168"),
            ((1..=1_440).contains(&self.retry_report_minutes), "retry_report_minutes", "from 1 to 1440"),
            ((1..=366).contains(&self.rejoin_window_days), "rejoin_window_days", "from 1 to 366"),
            ((1..=7).contains(&self.watermark_window_days), "watermark_window_days", "from 1 to 7"),
        ];
        match checks.into_iter().find(|(holds, ..)| !holds) {
            Some((_, field, must)) => Err(PolicyError { field, must }),
            None => Ok(()),
        }
    }

    /// Until when something stored at `at` is kept ("Kept").
    pub fn keep_until(&self, kept: Kept, at: Timestamp) -> Timestamp {
        match kept {
            Kept::CheckIn => at.plus_days(i64::from(self.keep_check_ins_days)),
            Kept::Daily => at.plus_months(self.keep_daily_months as i32),
            Kept::Document => at.plus_months(self.keep_documents_years as i32 * 12),
        }
    }

    /// The slack under the products' figures that is not yet a deviation: the larger of percentage and points
    /// ("Deviation").
    pub fn deviation_slack(&self, figure: Points) -> Points {
        percent_of(figure, self.deviation_percent).max(self.deviation_points)
    }
}

/// `percent` of an amount in thousandths of a point, rounded down. Multiplies before it divides.
pub(crate) fn percent_of(amount: Points, percent: u32) -> Points {
    let milli = i128::from(amount.as_milli()) * i128::from(percent) / 100;
    Points::from_milli(i64::try_from(milli).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_fit_together_and_misspelled_fields_are_refused() {
        assert_eq!(Policy::default().validate(), Ok(()));
        let some: Policy = serde_json::from_str(r#"{"grace_days": 30}"#).expect("other fields keep their defaults");
        assert_eq!(some, Policy { grace_days: 30, ..Policy::default() });
        assert!(serde_json::from_str::<Policy>(r#"{"grace_day": 30}"#).is_err());
        let text = serde_json::to_string(&some).expect("serializable");
        assert_eq!(serde_json::from_str::<Policy>(&text).expect("its own text"), some);
    }

    #[test]
    fn what_may_change_at_once_are_fields() {
        let fields = serde_json::to_value(Policy::default()).expect("an object");
        assert!(AT_ONCE.iter().all(|field| fields.get(field).is_some()));
        assert!(takes_effect_at_once("check_in_days") && !takes_effect_at_once("grace_days"));
    }

    #[test]
    fn contradictions_are_named() {
        let late = Policy { auto_send_day: 6, ..Policy::default() };
        assert_eq!(
            late.validate().map_err(|e| e.to_string()),
            Err("policy provider_deadline_day must be a day from auto_send_day to 28".into())
        );
        assert!(Policy { manual_deadline_day: 4, ..Policy::default() }.validate().is_err());
        assert!(Policy { extra_months: 0, extra_days: 0, ..Policy::default() }.validate().is_err());
        assert!(Policy { provider_deadline_day: 29, ..Policy::default() }.validate().is_err());
    }

    #[test]
    fn no_number_drops_what_is_still_needed() {
        for (field, value) in [
            ("keep_daily_months", 0_u64),
            ("keep_daily_months", u64::from(u32::MAX)),
            ("keep_check_ins_days", 0),
            ("keep_documents_years", 0),
            ("keep_documents_years", u64::from(u32::MAX)),
            ("activation_code_hours", 0),
            ("retry_unreachable_minutes", 0),
            ("retry_check_in_hours", 0),
            ("retry_report_minutes", 0),
        ] {
            let wrong: Policy = serde_json::from_value(serde_json::json!({ field: value })).expect("numbers");
            assert_eq!(wrong.validate().map_err(|error| error.field), Err(field), "{field} {value}");
        }
    }

    #[test]
    fn kept_as_the_program_says() {
        let at: Timestamp = "2026-01-31T10:00:00Z".parse().expect("an instant");
        let policy = Policy::default();
        assert_eq!(policy.keep_until(Kept::CheckIn, at).to_string(), "2026-03-07T10:00:00Z");
        assert_eq!(policy.keep_until(Kept::Daily, at).to_string(), "2027-02-28T10:00:00Z");
        assert_eq!(policy.keep_until(Kept::Document, at).to_string(), "2036-01-31T10:00:00Z");
    }
}

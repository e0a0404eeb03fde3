//! What a license's dates and toggle mean, in one sentence each.

use tenure_core::{Period, Timestamp, reporting::AutomaticReporting};

use crate::{Because, LicenseView};

fn day(at: Timestamp) -> tenure_core::Day {
    tenure_core::Day::of(at)
}

fn months(count: u32) -> String {
    if count == 1 { "one month was reported".to_owned() } else { format!("{count} months were reported") }
}

/// Why it expires when it does.
pub fn expiry_text(view: &LicenseView) -> String {
    let Some(life) = &view.life else {
        return "A template has no validity until it is assigned.".to_owned();
    };
    let cut = |cut: bool| if cut { " The rental agreement ends first." } else { "" };
    match &life.because {
        Because::Chosen { cut_by_agreement } => {
            format!("The expiration date was set by hand.{}", cut(*cut_by_agreement))
        }
        Because::Ended { at } => format!("It was ended on {}.", day(*at)),
        Because::Reported { anchor, count, through, next, gap, cut_by_agreement } => {
            let reported = match through {
                Some(through) => format!("; {}, through {through}", months(*count)),
                None => String::new(),
            };
            let missing = match gap {
                Some(gap) => format!(" {gap} is missing: what was reported after it counts once it is reported too."),
                None => format!(" Reporting {next} gives it one more month."),
            };
            format!("Counted from {}{reported}.{missing}{}", day(*anchor), cut(*cut_by_agreement))
        }
    }
}

/// The month that is missing between reported ones.
pub fn missing_period(view: &LicenseView) -> Option<Period> {
    match &view.life.as_ref()?.because {
        Because::Reported { gap, .. } => *gap,
        Because::Chosen { .. } | Because::Ended { .. } => None,
    }
}

/// The last month of the unbroken run of reported ones.
pub fn reported_through(view: &LicenseView) -> Option<Period> {
    match &view.life.as_ref()?.because {
        Because::Reported { through, .. } => *through,
        Because::Chosen { .. } | Because::Ended { .. } => None,
    }
}

/// Why automatic reporting stands where it stands, or what it waits for.
pub fn reporting_text(view: &LicenseView) -> String {
    if view.reporting.is_switching() {
        let to = if view.reporting == AutomaticReporting::SwitchingToOn { "on" } else { "off" };
        let servers: Vec<String> = view.waiting_for.iter().map(server).collect();
        return format!("Turning {to} once the new license is shown by: {}.", servers.join(", "));
    }
    match (view.reporting, &view.toggle_refusal) {
        (AutomaticReporting::On, _) => "The products' own reports extend this license.".to_owned(),
        (_, Some(refusal)) => sentence(&refusal.to_string()),
        (_, None) if view.shadow.is_some() => shadow_text(view).unwrap_or_default(),
        (_, None) => "Usage is submitted by hand; it can be turned on.".to_owned(),
    }
}

/// What a shadow month means; none without one.
pub fn shadow_text(view: &LicenseView) -> Option<String> {
    let period = view.shadow?;
    let after = period.next().first_day();
    Some(format!(
        "The products' figures of {period} are collected and shown beside the manual ones, which count; automatic reporting \
         is turned on on {after}."
    ))
}

fn server(waiting: &crate::WaitingServer) -> String {
    let name = if waiting.name.is_empty() { waiting.id.to_string() } else { waiting.name.clone() };
    if waiting.updates_itself { name } else { format!("{name} (its automatic update is off; press Update now there)") }
}

/// A refusal of core as a sentence of its own.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    }
}

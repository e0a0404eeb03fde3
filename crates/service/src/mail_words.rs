//! What a message of the outbox says as a letter: plain and short. What is none of these is told by no letter.

use serde_json::Value;
use tenure_core::{
    Timestamp,
    roles::{Action, OrgKind},
};

/// A letter's words, and whom they concern: the people who may do `concerns`.
pub(crate) struct Words {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) concerns: Action,
}

/// The words of a message to an organization of a kind. `provider` is the name of whom it is about, for those who have several.
pub(crate) fn of(kind: &str, to: OrgKind, provider: &str, body: &Value) -> Option<Words> {
    let text = |name: &str| body[name].as_str().map_or_else(String::new, ToOwned::to_owned);
    let (period, reason) = (text("period"), text("reason"));
    let due = || text("due").split('T').next().unwrap_or_default().to_owned();
    let (subject, words) = match (kind, to) {
        ("usage.opened", OrgKind::Provider) => (
            format!("Usage of {period}: to be submitted before {}", due()),
            format!(
                "The monthly usage of {period} is open. Products report by themselves; what they do not report is added \
                 by hand. Review it under Monthly Usages > My Actions and submit it before {}.",
                due()
            ),
        ),
        ("usage.reminder", OrgKind::Provider) => {
            let days = match body["days"].as_u64() {
                Some(1) => "1 day is".to_owned(),
                days => format!("{} days are", days.unwrap_or_default()),
            };
            (
                format!("Usage of {period}: {days} left"),
                format!("The monthly usage of {period} is not submitted. {days} left: it is due before {}.", due()),
            )
        }
        ("usage.late", OrgKind::Distributor) => (
            format!("{provider}: usage of {period} is late"),
            format!("The monthly usage of {provider} for {period} was due before {} and is not submitted.", due()),
        ),
        ("usage.late", _) => (
            format!("Usage of {period} is late"),
            format!("The monthly usage of {period} was due before {} and is not submitted.", due()),
        ),
        ("usage.not_submitted_by_itself", OrgKind::Provider) => (
            format!("Usage of {period} could not be submitted by itself"),
            format!(
                "Something in the monthly usage of {period} needs an answer first: see Monthly Usages > My Actions."
            ),
        ),
        ("usage.rejected", OrgKind::Provider) => (
            format!("Usage of {period} was rejected"),
            format!(
                "The distributor rejected the monthly usage of {period}: {reason}\n\nCorrect it and submit it again."
            ),
        ),
        ("usage.submitted", OrgKind::Distributor) => (
            format!("{provider}: usage of {period} waits for you"),
            format!("{provider} submitted its monthly usage of {period}. Approve or reject it under My Actions."),
        ),
        ("usage.approved_first", OrgKind::Distributor) => (
            format!("{provider}: usage of {period} waits for a second person"),
            format!(
                "One person approved the monthly usage of {period} of {provider}: {} points, which take two people. Another \
                 one approves or rejects it under My Actions.",
                text("total")
            ),
        ),
        ("approval_limit.set", OrgKind::Distributor) => match body["above"].as_str() {
            Some(above) => (
                format!("Months above {above} points take two people"),
                format!("From now on two different people of your organization approve a month of more than {above} points."),
            ),
            None => (
                "One person approves a month again".to_owned(),
                "The rule that two people approve large months was taken away. If that is a surprise, ask an administrator \
                 of your organization."
                    .to_owned(),
            ),
        },
        ("usage.decision_overdue", OrgKind::Distributor) => (
            format!("{provider}: usage of {period} waits for you"),
            format!(
                "The time to decide on the monthly usage of {period} that {provider} submitted is over. Approve or reject \
                 it under My Actions."
            ),
        ),
        ("enrollment.to_decide", OrgKind::Vendor) => (
            format!("{provider} asks for automatic reporting"),
            format!("{provider} confirmed the requirements and asks for automatic reporting. Approve or decline it."),
        ),
        ("enrollment.approved", OrgKind::Provider) => (
            "Automatic reporting is approved".to_owned(),
            "Licenses can be set to report automatically from now on.".to_owned(),
        ),
        ("enrollment.declined", OrgKind::Provider) => {
            ("Automatic reporting was declined".to_owned(), format!("The vendor declined it: {reason}"))
        }
        ("license.expiring", OrgKind::Provider) => (
            format!("{} expire on {}", licenses(body), text("day")),
            format!(
                "{} expire on {} unless a month more is reported. Companies: {}.",
                licenses(body),
                text("day"),
                list(&body["holders"])
            ),
        ),
        ("keys.due", OrgKind::Vendor) => (
            "A signing key is due".to_owned(),
            format!("{}.\n\nIt warns and stops nothing; `tenure keys status` says what to do.", list(&body["tasks"])),
        ),
        ("installation.awaits_approval", OrgKind::Provider) => (
            "A server waits for approval".to_owned(),
            format!(
                "The server {} at {} showed an enroll token, and its license has as many servers as join by themselves. \
                 Admit or refuse it on the license's page.",
                text("host"),
                text("address")
            ),
        ),
        ("enroll_token.refused", OrgKind::Provider) => (
            format!("The enroll token {} was shown where it is not good", text("name")),
            format!(
                "The server {} at {} was refused: {}. If it is not one of yours, somebody may have the token who should \
                 not: revoke it on the license's page.",
                text("host"),
                text("address"),
                text("why")
            ),
        ),
        ("installation.code_shown_again", OrgKind::Provider) => (
            "Another machine showed a used activation code".to_owned(),
            format!(
                "The code was used by {} at {}; {} showed it at {}. If the first is not yours, void it on its page.",
                body["used_by"]["host"].as_str().unwrap_or_default(),
                body["used_by"]["at"].as_str().unwrap_or_default(),
                body["refused"]["host"].as_str().unwrap_or_default(),
                body["refused"]["at"].as_str().unwrap_or_default()
            ),
        ),
        ("installation.held", _) => (
            "A lost server waits for a person".to_owned(),
            format!("The server {} was lost by a restore with its license. Confirm or refuse it.", text("host")),
        ),
        _ => return None,
    };
    let concerns = match (kind, to) {
        (_, OrgKind::Vendor) => Action::ManageProgram,
        (_, OrgKind::Distributor) => Action::DecideUsage,
        (
            "license.expiring"
            | "installation.held"
            | "installation.awaits_approval"
            | "enroll_token.refused"
            | "installation.code_shown_again",
            OrgKind::Provider,
        ) => Action::ManageLicenses,
        ("enrollment.approved" | "enrollment.declined", OrgKind::Provider) => Action::RequestEnrollment,
        (_, OrgKind::Provider) => Action::SubmitUsage,
    };
    Some(Words { subject, text: words, concerns })
}

/// The letter with a link to set a password: subject and text.
pub(crate) fn password_link(link: &str, until: Timestamp) -> (String, String) {
    let text = format!(
        "With this link you set a new password, once, before {until}:\n\n{link}\n\nWho has the link can do that: give it \
         to nobody. If you did not ask for it, do nothing; your password stays as it is.\n"
    );
    ("A link to set your password".to_owned(), text)
}

/// A letter to one person about their own access: subject and text. What is none of these is told by no letter.
pub(crate) fn to_person(kind: &str, body: &Value) -> Option<(String, String)> {
    const NOT_YOU: &str =
        "If that was not you, change your password and tell an administrator of your organization now.";
    let (subject, text) = match kind {
        "person.second_step_on" => (
            "Signing in takes a code now",
            format!(
                "You set up a second step: after your password, signing in takes a code of your authenticator app. You were \
                 signed out everywhere else. {NOT_YOU}"
            ),
        ),
        "person.second_step_removed" => (
            "Signing in takes no code any more",
            format!("You removed your second step: signing in takes your password alone. {NOT_YOU}"),
        ),
        "person.second_step_reset" => {
            let who = match (body["by"].as_str(), body["by_organization"].as_str()) {
                (Some(name), Some(org)) => format!("{name} of {org}"),
                (None, Some(org)) => org.to_owned(),
                _ => "An administrator".to_owned(),
            };
            (
                "Your second step was removed",
                format!(
                    "{who} removed the second step of your sign-in, and you were signed out everywhere. Signing in takes \
                     your password alone; set up a second step again under Your account. If you did not ask for it, \
                     change your password and ask them why."
                ),
            )
        }
        "person.recovery_code_used" => (
            "A recovery code was used",
            format!("You signed in with a recovery code; {} are left. {NOT_YOU}", body["left"]),
        ),
        _ => return None,
    };
    Some((subject.to_owned(), text))
}

fn licenses(body: &Value) -> String {
    match body["licenses"].as_u64() {
        Some(1) => "1 license will".to_owned(),
        count => format!("{} licenses will", count.unwrap_or_default()),
    }
}

fn list(values: &Value) -> String {
    let values = values.as_array().map(Vec::as_slice).unwrap_or_default();
    values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn letters_are_plain_and_go_to_whom_they_concern() {
        let reminder = json!({"period": "2026-01", "due": "2026-02-06T00:00:00Z", "days": 1});
        let words = of("usage.reminder", OrgKind::Provider, "", &reminder).expect("a letter");
        assert_eq!(words.subject, "Usage of 2026-01: 1 day is left");
        assert!(words.text.contains("due before 2026-02-06"), "{}", words.text);
        assert_eq!(words.concerns, Action::SubmitUsage);
        let rejected = json!({"period": "2026-01", "reason": "VM count is off"});
        let words = of("usage.rejected", OrgKind::Provider, "", &rejected).expect("a letter");
        assert!(words.text.contains("VM count is off"));
        assert!(
            of("usage.rejected", OrgKind::Distributor, "Northlight", &rejected).is_none(),
            "they did it themselves"
        );
        assert!(of("audit.checkpoint", OrgKind::Vendor, "", &json!({})).is_none());
        for (kind, to) in [
            ("usage.submitted", OrgKind::Distributor),
            ("usage.decision_overdue", OrgKind::Distributor),
            ("usage.late", OrgKind::Distributor),
            ("enrollment.to_decide", OrgKind::Vendor),
        ] {
            let words = of(kind, to, "Northlight", &reminder).expect("a letter");
            assert!(words.subject.contains("Northlight") && words.text.contains("Northlight"), "{kind}: whose is it?");
        }
    }
}

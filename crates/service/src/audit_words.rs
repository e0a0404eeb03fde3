//! What an entry of the audit log says, as a sentence without its subject: "renamed the site Hamburg to Hamburg Harbor".

use serde_json::Value;

/// The sentence for a verb and its particulars. A verb without one reads as its own words.
pub(crate) fn sentence(verb: &str, data: Option<&Value>) -> String {
    let Some(data) = data else { return format!("{} (the particulars were erased)", plain(verb)) };
    let text = |name: &str| said(&data[name]);
    let (name, period, reason) = (text("name"), text("period"), text("reason"));
    let from_to = || format!("from {} to {}", text("from"), text("to"));
    match verb {
        "deployment.created" => format!("made this deployment for {}", text("vendor")),
        "organization.created" => format!("added the {} {name}", text("kind")),
        "organization.renamed" => format!("renamed the organization {}", from_to()),
        "organization.deactivated" => format!("deactivated the organization {name}"),
        "organization.activated" => format!("activated the organization {name} again"),
        "site.created" => format!("added the site {name}"),
        "site.renamed" => format!("renamed the site {}", from_to()),
        "site.closed" => format!("closed the site {name}"),
        "site.opened" => format!("opened the site {name} again"),
        "company.created" => {
            format!("added the {} {name}", if text("kind") == "reseller" { "reseller" } else { "company" })
        }
        "company.changed" => format!("changed the company {}: {}", said(&data["to"]["name"]), differences(data)),
        "company.closed" => format!("closed the company {}", said(&data["to"]["name"])),
        "company.merged" => format!("merged the company {} into {}", said(&data["name"]), said(&data["into_name"])),
        "company.opened" => format!("opened the company {} again", said(&data["to"]["name"])),
        "person.created" => format!("added {name} as {}", role(&data["role"])),
        "person.renamed" => format!("changed a person's name {}", from_to()),
        "person.role_changed" => {
            format!("changed the role of {name} from {} to {}", role(&data["from"]), role(&data["to"]))
        }
        "person.deactivated" => format!("ended the access of {name}"),
        "person.activated" => format!("gave {name} access again"),
        "person.signed_in" => "signed in".to_owned(),
        "person.locked" => format!("locked sign-in until {} after {} wrong tries", text("until"), text("failures")),
        "person.second_step_on" => "set up a second step of signing in".to_owned(),
        "person.second_step_removed" => "removed their second step of signing in".to_owned(),
        "person.second_step_reset" => format!("removed the second step of {name}, who is told"),
        "person.recovery_codes_made" => format!("made {} other recovery codes", text("codes")),
        "person.recovery_code_used" => format!("used a recovery code; {} are left", text("left")),
        "person.session_ended" => "signed out of one place".to_owned(),
        "person.sessions_ended" => format!("ended {} sessions", text("sessions")),
        "person.password_changed" => "changed their password".to_owned(),
        "person.password_link_sent" => "sent a link to set a password".to_owned(),
        "person.password_link_asked" => "sent a link to set a password, as was asked at sign-in".to_owned(),
        "person.password_set" => "set a password with a link".to_owned(),
        "token.created" => format!("made the token {name} to {}, until {}", text("scope"), text("expires")),
        "token.rotated" => format!("rotated the token {name}; the old one ends {}", text("old_expires")),
        "token.revoked" => "revoked a token".to_owned(),
        "product.created" => format!("added the product {name} {}", text("edition")).trim_end().to_owned(),
        "product.changed" => format!("changed the product {name}: {}", differences(data)),
        "product.withdrawn" => format!("withdrew the product {name} from new licenses"),
        "product.offered" => format!("offered the product {name} for new licenses again"),
        "product.extended" => format!("added workload types to {name} from {} on", text("from")),
        "product.weights_set" => format!("set weights of {name} from {} on", text("from")),
        "policy.changed" => format!("changed the program from {} on: {}", text("from"), fields(&data["values"])),
        "agreement.created" => format!("added the agreement {}", text("number")),
        "agreement.changed" => format!("changed the agreement {}: {}", text("number"), differences_within(data)),
        "agreement.terminated" => format!("ended the agreement {} at {}: {reason}", text("number"), text("at")),
        "enrollment.requested" => "asked for automatic reporting".to_owned(),
        "enrollment.approved" => "approved automatic reporting".to_owned(),
        "enrollment.declined" => format!("declined automatic reporting: {reason}"),
        "usage.lines_imported" => format!("imported {} manual lines into {period}", text("lines")),
        "usage.opened" => format!("opened the monthly usage of {period}"),
        "usage.review_started" => format!("started the review of {period}"),
        "usage.submitted" => format!("submitted the monthly usage of {period}"),
        "usage.approved" => format!("approved the monthly usage of {period}"),
        "usage.rejected" => format!("rejected the monthly usage of {period}: {reason}"),
        "usage.closed" => format!("closed the monthly usage of {period}: {reason}"),
        "usage.consented" => format!("consented to lowered figures of {period}"),
        "provider.suspended" => "suspended the provider: its two newest due months are not submitted".to_owned(),
        "provider.suspension_lifted" => "lifted the suspension".to_owned(),
        "installation.confirmed" => format!("confirmed the lost server {}", text("host")),
        "installation.refused" => format!("refused the lost server {}", text("host")),
        "installation.request_carried" => "carried a request of a server without a network".to_owned(),
        "console.changed" => "changed what the console has turned on".to_owned(),
        "console.synced" => "had the console ask for everything anew".to_owned(),
        "license.extended" => format!("extended a license for {period}"),
        "installation.awaits_approval" => {
            format!("made {} wait for approval: the license has enough servers", text("host"))
        }
        "installation.admitted" => format!("admitted {}, which waited", text("host")),
        "installation.not_admitted" => format!("refused {}, which waited", text("host")),
        "enroll_token.created" => {
            format!("made the enroll token {name} for {} servers, until {}", text("cap"), text("expires"))
        }
        "enroll_token.revoked" => format!("revoked the enroll token {name}"),
        "enroll_token.refused" => {
            format!("refused {} at {} with the enroll token {name}: {}", text("host"), text("address"), text("why"))
        }
        "installation.retired" => format!("took the server {} out of use", text("host")),
        "installation.voided" => format!("voided the server {}: it never should have been", text("host")),
        "installation.resolved" => format!("settled the server {}: {}", text("host"), text("how")),
        "usage.adjusted" => format!("adjusted {} from {} to {}", text("workload"), text("was"), text("count")),
        "approval_limit.set" if data["above"].is_null() => {
            "had one person approve whatever a month comes to".to_owned()
        }
        "approval_limit.set" => format!("had two people approve months above {} points", text("above")),
        "usage.approved_first" => format!("approved the monthly usage of {period} as the first of two people"),
        "approval_rule.set" if data["on"] == true => "turned on the rule that approves months by itself".to_owned(),
        "approval_rule.set" => "turned off the rule that approves months by itself".to_owned(),
        _ => {
            PLAIN.iter().find(|(known, _)| *known == verb).map_or_else(|| plain(verb), |(_, words)| (*words).to_owned())
        }
    }
}

/// Verbs that say all without their particulars.
const PLAIN: &[(&str, &str)] = &[
    ("deployment.copied", "made a deployment of its own from a copy"),
    ("deployment.date_confirmed", "confirmed the date after a long stop"),
    ("deployment.restored", "restored the deployment from a backup"),
    ("enrollment.withdrawn", "withdrew the request for automatic reporting"),
    ("evidence.dropped", "dropped evidence that the policy keeps no longer"),
    ("installation.activated", "activated a server"),
    ("installation.clone_cleared", "cleared a clone: one side became a server of its own"),
    ("installation.code_made", "made a code to activate a server again"),
    ("installation.code_shown_again", "noticed that another machine showed a used code"),
    ("installation.held", "held a server that this database had lost, until a person decides"),
    ("installation.host_returned", "heard a server from a host again that it had left"),
    ("installation.key_rotated", "took over another key of a server"),
    ("installation.recovered", "found a server again that this database had lost"),
    ("installation.rejoined", "took a server back that was out of step"),
    ("installation.replaced", "replaced a server by another"),
    ("installation.update_asked", "asked a server to update now"),
    ("key.revoked", "revoked a key"),
    ("keys.rotated", "rotated the keys under a new trust root"),
    ("license.assigned", "assigned a license"),
    ("license.code_made", "downloaded a license file and its one-time code"),
    ("license.copied", "copied a license"),
    ("license.created", "created a license"),
    ("license.deleted", "deleted a license"),
    ("license.edited", "edited a license"),
    ("license.moved", "moved a license to another company or site"),
    ("license.recovered", "took up months that a restore had lost"),
    ("license.reporting_complete", "completed a switch of automatic reporting"),
    ("license.reporting_switched", "switched automatic reporting"),
    ("license.revoked", "revoked a license"),
    ("license.shadow_month", "asked for a shadow month"),
    ("license.shadow_month_cancelled", "took the shadow month back"),
    ("license.shadow_month_without_switch", "ended a shadow month without switching"),
    ("license.template_switched", "switched automatic reporting of a template"),
    ("report.received", "received a report after the month had moved on"),
    ("usage.answer_reset", "took an answer back"),
    ("usage.answered", "answered for a server"),
    ("usage.auto_submit", "changed whether the month is submitted by itself"),
    ("usage.corrected", "corrected a closed month by what came later"),
    ("usage.correction_added", "corrected a closed month by hand"),
    ("usage.correction_removed", "removed a correction"),
    ("usage.decision_overdue", "noted that the distributor's day to decide is over"),
    ("usage.late", "noted that the month is late"),
    ("usage.line_added", "added a manual line"),
    ("usage.line_removed", "removed a manual line"),
    ("usage.not_submitted_by_itself", "did not submit the month by itself: something is missing or flagged"),
    ("usage.part_returned", "returned a site's part"),
    ("usage.part_submitted", "submitted a site's part"),
    ("usage.presumed_closed", "counted the undecided month as closed for extensions"),
    ("usage.reminder", "reminded the provider of the deadline"),
    ("usage.reset", "undid an adjustment"),
    ("usage.review_due", "put the month into review"),
    ("usage.review_unmarked", "took the mark from reviewed lines"),
    ("usage.reviewed", "marked lines as reviewed"),
];

/// `license.code_made` as "license: code made".
fn plain(verb: &str) -> String {
    verb.replacen('.', ": ", 1).replace('_', " ")
}

/// A value as people read it.
fn said(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn role(value: &Value) -> String {
    value
        .as_str()
        .and_then(|word| word.parse().ok())
        .map_or_else(|| said(value), |role: tenure_core::roles::Role| role.title().to_owned())
}

/// The fields that differ between `from` and `to`.
fn differences(data: &Value) -> String {
    let (Some(from), Some(to)) = (data["from"].as_object(), data["to"].as_object()) else { return String::new() };
    let differing = to.iter().filter(|(name, value)| from.get(*name) != Some(*value));
    let words: Vec<String> = differing
        .map(|(name, value)| {
            let before = said(from.get(name).unwrap_or(&Value::Null));
            format!("{} from {before} to {}", name.replace('_', " "), said(value))
        })
        .collect();
    words.join(", ")
}

/// The fields that are themselves `{from, to}`.
fn differences_within(data: &Value) -> String {
    let Some(fields) = data.as_object() else { return String::new() };
    let words: Vec<String> = fields
        .iter()
        .filter_map(|(name, value)| match (name.as_str(), value) {
            ("terms", new) => Some(format!(
                "commitment {} and limit {} from {} on",
                said(&new["commit"]),
                said(&new["limit"]),
                said(&new["from"])
            )),
            (name, Value::Object(_)) => {
                Some(format!("{} from {} to {}", name.replace('_', " "), said(&value["from"]), said(&value["to"])))
            }
            _ => None,
        })
        .collect();
    words.join(", ")
}

fn fields(values: &Value) -> String {
    let Some(values) = values.as_object() else { return String::new() };
    let words: Vec<String> = values.iter().map(|(name, value)| format!("{name} = {}", said(value))).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn actions_read_as_sentences() {
        for (verb, data, expected) in [
            ("site.renamed", json!({"from": "Rome", "to": "Roma"}), "renamed the site from Rome to Roma"),
            (
                "person.role_changed",
                json!({"name": "Ann", "from": "provider_read_only", "to": "provider_full_access"}),
                "changed the role of Ann from Read Only to Full Access",
            ),
            (
                "company.changed",
                json!({"from": {"name": "A", "site": null}, "to": {"name": "B", "site": null}}),
                "changed the company B: name from A to B",
            ),
            (
                "agreement.changed",
                json!({"number": "RA-1", "terms": {"from": "2026-05", "commit": "300", "limit": null}}),
                "changed the agreement RA-1: commitment 300 and limit none from 2026-05 on",
            ),
            (
                "policy.changed",
                json!({"from": "2026-05", "values": {"grace_days": 30}}),
                "changed the program from 2026-05 on: grace_days = 30",
            ),
            ("license.code_made", json!({}), "downloaded a license file and its one-time code"),
            ("approval_rule.set", json!({"on": false}), "turned off the rule that approves months by itself"),
            ("moon.risen_again", json!({}), "moon: risen again"),
        ] {
            assert_eq!(sentence(verb, Some(&data)), expected);
        }
        assert_eq!(sentence("person.created", None), "person: created (the particulars were erased)");
    }

    /// The verbs that this crate writes, as its sources name them.
    fn recorded() -> std::collections::BTreeSet<String> {
        let mut verbs = std::collections::BTreeSet::new();
        let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
                if entry.is_dir() {
                    folders.push(entry);
                    continue;
                }
                let text = std::fs::read_to_string(entry).expect("a source");
                for begin in ["change::by(", "change::record(", " changed(", "verb: "] {
                    for call in text.split(begin).skip(1) {
                        let call = call.split(';').next().unwrap_or_default();
                        let literals = call.split('"').skip(1).step_by(2);
                        let word =
                            |text: &&str| text.bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte));
                        verbs.extend(literals.filter(word).find(|text| text.contains('.')).map(str::to_owned));
                    }
                }
            }
        }
        verbs
    }

    #[test]
    fn e4_what_is_done_again_after_a_restore_is_told_by_words_that_are_written() {
        let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let writers = ["activation", "agreement_change", "installation_end", "license_end", "organizations", "people"];
        let writers = writers
            .iter()
            .chain(&["rotate_keys", "second_step", "token"])
            .map(|name| source.join(format!("{name}.rs")));
        let written: String = writers.map(|file| std::fs::read_to_string(file).expect("a source")).collect();
        for verb in crate::outside::REVOKING {
            assert!(written.contains(&format!("\"{verb}\"")), "{verb} is never written");
        }
    }

    #[test]
    fn every_verb_has_a_sentence() {
        let verbs = recorded();
        assert!(verbs.len() > 60, "only {} verbs were found", verbs.len());
        let empty = json!({});
        let without: Vec<_> = verbs.iter().filter(|verb| sentence(verb, Some(&empty)) == plain(verb)).collect();
        assert!(without.is_empty(), "the log's page says nothing of {without:?}");
    }
}

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
        "company.opened" => format!("opened the company {} again", said(&data["to"]["name"])),
        "person.created" => format!("added {name} as {}", role(&data["role"])),
        "person.renamed" => format!("changed a person's name {}", from_to()),
        "person.role_changed" => {
            format!("changed the role of {name} from {} to {}", role(&data["from"]), role(&data["to"]))
        }
        "person.deactivated" => format!("ended the access of {name}"),
        "person.activated" => format!("gave {name} access again"),
        "person.signed_in" => "signed in".to_owned(),
        "person.locked" => format!("locked sign-in until {} after {} wrong passwords", text("until"), text("failures")),
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
        _ => plain(verb),
    }
}

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
            ("license.code_made", json!({}), "license: code made"),
        ] {
            assert_eq!(sentence(verb, Some(&data)), expected);
        }
        assert_eq!(sentence("person.created", None), "person: created (the particulars were erased)");
    }
}

//! The program's numbers, and changing them from a future month on.

use axum::{http::StatusCode, response::Response};
use serde_json::Value;
use tenure_core::{Period, policy::takes_effect_at_once, roles::Action};
use tenure_service::{
    Paging, PolicyChange, PolicyView, ProgramChange, change_policy, policy_values, preview_program, view_policy,
};

use super::{catalog::previewed, ledger, said};
use crate::{
    format,
    pages::{
        Choice, Desk, Notice, Said, Section,
        ledger::{Cell, Field, Form, Ledger, Table},
    },
    web::{Fields, Refused, Viewing, back_to, page_with},
};

const HERE: &str = "/policy";
/// Months that a preview shows.
const PREVIEWED: u32 = 20;

/// `GET /policy`; with `field` and `value`, what that change would do.
pub(super) async fn show(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor])?;
    show_page(&viewing, &fields, said(&fields), StatusCode::OK).await
}

/// `POST /policy`.
pub(super) async fn change(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor])?;
    let done = async {
        let seen = ledger::seen(&fields)?;
        let view = view_policy(&viewing.service, viewing.actor()).await?;
        let key = fields.idempotency().ok();
        change_policy(&viewing.service, viewing.actor(), seen, wanted(&fields, &view)?, key).await?;
        Ok(back_to(HERE, Notice::PolicyChanged))
    };
    super::after(done.await, |said, status| show_page(&viewing, &fields, said, status)).await
}

/// The change as typed. A field that is text or an amount of points stays text; numbers and yes or no become what they are.
fn wanted(fields: &Fields, view: &PolicyView) -> Result<PolicyChange, Refused> {
    let (name, typed) = (fields.get("field"), fields.get("value"));
    let is_text = policy_values(&view.policy).get(name).is_some_and(Value::is_string);
    let value = match typed.parse::<Value>() {
        Ok(value) if !is_text => value,
        _ => Value::String(typed.to_owned()),
    };
    let values = [(name.to_owned(), value)].into_iter().collect();
    Ok(PolicyChange { from: fields.read_or_none::<Period>("from")?, values })
}

async fn show_page(viewing: &Viewing, fields: &Fields, said: Said, status: StatusCode) -> Result<Response, Refused> {
    let view = view_policy(&viewing.service, viewing.actor()).await?;
    let may = viewing.may(Action::ManageProgram, false);
    let (mut said, mut status) = (said, status);
    let mut tables = Vec::new();
    let mut forms = Vec::new();
    if may && !fields.get("value").is_empty() && said.problem.is_none() {
        match preview(viewing, fields, &view).await {
            Ok(table) => {
                tables.push(table);
                forms.push(commit(viewing, fields, &view));
            }
            Err(error) => (said, status) = super::refused(error)?,
        }
    }
    if may {
        forms.push(ask(fields, &view, Period::of(viewing.now).next()));
    }
    tables.extend(numbers(&view));
    let coming = match view.scheduled.first() {
        Some((from, _)) => format!("The next change comes on the 1st of {}.", format::month(*from)),
        None => "No change is to come.".to_owned(),
    };
    let part = Ledger {
        said,
        title: "Policy".to_owned(),
        section: Section::Policy,
        crumbs: Vec::new(),
        say: format!("The program's numbers, in force since {}. {coming}", format::month(view.from)),
        sums: Vec::new(),
        filter: None,
        tables,
        forms,
    };
    page_with(viewing, status, part).await
}

/// Under which heading a number stands, by the beginnings of its name; whatever is not named here comes last.
const GROUPS: [(&str, &[&str]); 6] = [
    (
        "The monthly cycle",
        &[
            "auto_s",
            "distributor_",
            "manual_",
            "max_correction",
            "obligation_",
            "provider_",
            "rejected_",
            "suspension_",
        ],
    ),
    ("Validity of licenses", &["extension_", "extra_", "grace_", "product_report", "warning_"]),
    ("Counting", &["count_", "data_", "evidence_", "new_memory", "workload_"]),
    ("Deviation and overuse", &["deviation_", "new_share", "overuse_"]),
    (
        "Talking to products",
        &[
            "activation_",
            "check_in",
            "floor_",
            "jitter_",
            "rejoin",
            "report_",
            "retry_",
            "server_",
            "wait_",
            "watermark_",
        ],
    ),
    ("How long things are kept", &["keep_"]),
];

fn group(name: &str) -> &'static str {
    let fits = |(_, begins): &&(&str, &[&str])| begins.iter().any(|begin| name.starts_with(begin));
    GROUPS.iter().find(fits).map_or("More", |(title, _)| title)
}

fn numbers(view: &PolicyView) -> Vec<Table> {
    let scheduled: Vec<_> = view.scheduled.iter().map(|(from, policy)| (*from, policy_values(policy))).collect();
    let row = |(name, value): (&String, &Value)| {
        let mut now = value.clone();
        let mut coming = Vec::new();
        for (from, values) in &scheduled {
            if let Some(other) = values.get(name).filter(|other| **other != now) {
                coming.push(format!("{} from {from} on", plain(other)));
                now = other.clone();
            }
        }
        let when = if takes_effect_at_once(name) { "at any time" } else { "on the 1st of a future month" };
        vec![Cell::new(words(name)).small(name), Cell::new(plain(value)), Cell::new(coming.join(", ")), Cell::new(when)]
    };
    let values = policy_values(&view.policy);
    let titles = GROUPS.iter().map(|(title, _)| *title).chain(["More"]);
    let tables = titles.map(|title| {
        let own = values.iter().filter(|(name, _)| group(name) == title);
        Table::new(title, &["Number", "#In force", "To come", "Changes"], "").rows(own.map(row))
    });
    tables.filter(|table| !table.rows.is_empty()).collect()
}

fn words(name: &str) -> String {
    format::sentence(&name.replace('_', " ")).trim_end_matches('.').to_owned()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        value => value.as_i64().map_or_else(|| value.to_string(), format::count),
    }
}

async fn preview(viewing: &Viewing, fields: &Fields, view: &PolicyView) -> Result<Table, Refused> {
    let change = ProgramChange { policy: Some(wanted(fields, view)?), ..ProgramChange::default() };
    let paging = Paging { cursor: None, limit: Some(PREVIEWED) };
    let months = preview_program(&viewing.service, viewing.actor(), change, &paging).await?;
    Ok(previewed(&months.items, months.next.is_some()))
}

fn ask(fields: &Fields, view: &PolicyView, next: Period) -> Form {
    let chosen = fields.get("field");
    let names = policy_values(&view.policy);
    let from = if fields.get("value").is_empty() { next.to_string() } else { fields.get("from").to_owned() };
    Form {
        title: "Change a number".to_owned(),
        say: "Look at what it would do first; nothing is changed before you confirm.".to_owned(),
        action: HERE.to_owned(),
        is_get: true,
        fields: vec![
            Field::select("field", "Number", names.keys().map(|name| Choice::new(name, words(name), chosen)).collect()),
            Field::text("value", "New value", fields.get("value")),
            Field::month("from", "From the 1st of", from).optional().hint("Empty for at once, where that is possible"),
        ],
        button: "Preview".to_owned(),
        ..Form::default()
    }
}

fn commit(viewing: &Viewing, fields: &Fields, view: &PolicyView) -> Form {
    let carried = ["field", "value", "from"].map(|name| Field::hidden(name, fields.get(name)));
    let own = [Field::hidden("tag", view.tag()), Field::hidden("idempotency_key", viewing.fresh_key())];
    let from = fields.get("from");
    let when = if from.is_empty() { "at once".to_owned() } else { format!("from {from} on") };
    Form {
        title: "Confirm".to_owned(),
        say: format!("{} becomes {} {when}.", words(fields.get("field")), fields.get("value")),
        action: HERE.to_owned(),
        fields: carried.into_iter().chain(own).collect(),
        button: "Change it".to_owned(),
        is_primary: true,
        ..Form::default()
    }
}

//! A distributor's rule for automatic approval, with what it would have done.

use axum::{http::StatusCode, response::Response};
use tenure_core::Points;
use tenure_core::roles::Action;
use tenure_service::{dry_run_rule, set_approval_limit, set_approval_rule, view_approval_limit, view_approval_rule};

use super::{ledger, said};
use crate::{
    format,
    pages::{
        Desk, Notice, Said, Section,
        ledger::{Cell, Field, Form, Ledger, Table},
    },
    web::{Fields, Refused, Viewing, back_to, page_with},
};

const HERE: &str = "/rules";

/// `GET /rules`.
pub(super) async fn show(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Distributor])?;
    show_page(&viewing, said(&fields), StatusCode::OK).await
}

/// `POST /rules`: turns it on or off.
pub(super) async fn set(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Distributor])?;
    let on = fields.is_set("on");
    let done = set_approval_rule(&viewing.service, viewing.actor(), on).await.map_err(Refused::from);
    let notice = if on { Notice::RuleOn } else { Notice::RuleOff };
    super::after(done.map(|()| back_to(HERE, notice)), |said, status| show_page(&viewing, said, status)).await
}

/// `POST /rules/two-people`: sets the limit above which two people approve, or takes it away.
pub(super) async fn set_limit(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Distributor])?;
    let done = async {
        let above: Option<Points> = fields.read_or_none("above")?;
        Ok(set_approval_limit(&viewing.service, viewing.actor(), above).await?)
    };
    let done: Result<(), Refused> = done.await;
    super::after(done.map(|()| back_to(HERE, Notice::LimitSet)), |said, status| show_page(&viewing, said, status)).await
}

/// What holds now, and what an administrator sets it with.
async fn limit(viewing: &Viewing) -> Result<(String, Option<Form>), Refused> {
    let limit = view_approval_limit(&viewing.service, viewing.actor()).await?;
    let say = match (limit.above, &limit.set) {
        (Some(above), Some((at, who))) => format!(
            "Months above {} points are approved by two different people, since {}, set by {}. The rule leaves them to you.",
            format::points(above),
            format::instant(*at),
            who.name
        ),
        _ => "One person approves a month, whatever it comes to.".to_owned(),
    };
    let form = viewing.may(Action::ManagePeople, false).then(|| Form {
        title: "Two people".to_owned(),
        action: format!("{HERE}/two-people"),
        fields: vec![Field {
            name: "above".to_owned(),
            label: "Points above which two people approve".to_owned(),
            value: limit.above.map(|above| above.to_string()).unwrap_or_default(),
            hint: "Empty: one person is enough. It holds at once; everybody who decides is told.".to_owned(),
            kind: "text",
            ..Field::default()
        }],
        button: "Save".to_owned(),
        ..Form::default()
    });
    Ok((say, form))
}

async fn show_page(viewing: &Viewing, said: Said, status: StatusCode) -> Result<Response, Refused> {
    let rule = view_approval_rule(&viewing.service, viewing.actor()).await?;
    let run = dry_run_rule(&viewing.service, viewing.actor()).await?;
    let approved = run.iter().filter(|one| one.left.is_none()).count();
    let rows = run.iter().map(|one| {
        let month = &one.month;
        let submitted = month.submitted.map(|one| (one.at, one.total));
        vec![
            Cell::link(&month.provider.name, format!("/months/{}", month.id)).small(format::month(month.period)),
            Cell::new(submitted.map(|(at, _)| format::instant(at)).unwrap_or_default()),
            Cell::new(submitted.map(|(_, total)| format::column(total)).unwrap_or_default()),
            match &one.left {
                None => Cell::tag("Would approve", "good"),
                Some(why) => Cell::tag("Left to you", "warn").small(why),
            },
        ]
    });
    let table = Table::new(
        "Dry run over the last 6 months",
        &["Month", "Submitted", "#Total", "The rule"],
        "Nothing was submitted in the last 6 months.",
    );
    let (state, button, on) = match &rule.on {
        Some((at, who)) => (
            format!("It has been on since {}, turned on by {}.", format::instant(*at), who.name),
            "Turn the rule off",
            "false",
        ),
        None => ("It is off: each month waits for somebody to approve it.".to_owned(), "Turn the rule on", "true"),
    };
    let set = Form {
        title: "The rule".to_owned(),
        say: "It decides months that are submitted from then on; those that wait now are left to you. Everything it does \
              is in the audit log, in its own name."
            .to_owned(),
        action: HERE.to_owned(),
        fields: vec![Field::hidden("on", on)],
        button: button.to_owned(),
        ..Form::default()
    };
    let mut forms = if viewing.may(Action::DecideUsage, false) { vec![set] } else { Vec::new() };
    let (two, form) = limit(viewing).await?;
    forms.extend(form);
    let part = Ledger {
        said,
        title: "Automatic approval".to_owned(),
        section: Section::Rules,
        crumbs: Vec::new(),
        say: format!(
            "The rule approves a submitted month at once when nothing in it is flagged and nothing was lowered far. {state} {two}"
        ),
        sums: vec![
            ("Would approve".to_owned(), approved.to_string()),
            ("Left to you".to_owned(), (run.len() - approved).to_string()),
        ],
        filter: None,
        tables: vec![table.rows(rows)],
        forms,
    };
    page_with(viewing, status, part).await
}

//! Rental agreements: the vendor makes, changes and ends them; a distributor looks at its own.

use axum::{extract::Path, http::StatusCode, response::Response};
use tenure_core::{
    AgreementId, AgreementKind, Period,
    agreement::AgreementStanding,
    roles::{Action, OrgKind},
};
use tenure_service::{
    AgreementChange, AgreementView, MAX_PAGE, NewAgreement, NewTerms, Paging, ProblemKind, agreement_tag,
    create_agreement, edit_agreement, find_agreement, list_agreements, list_organizations, terminate_agreement,
};

use super::{ledger, said};
use crate::{
    format,
    pages::{
        Choice, Crumb, Desk, Notice, Said, Section,
        ledger::{Cell, Field, Form, Ledger, Table},
    },
    present,
    web::{Fields, Refused, Viewing, back_to, page_with},
};

const HERE: &str = "/agreements";

/// `GET /agreements`.
pub(super) async fn list(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor, Desk::Distributor])?;
    list_page(&viewing, &fields, said(&fields), StatusCode::OK).await
}

/// `POST /agreements`: adds one.
pub(super) async fn create(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor])?;
    let done = async {
        let is_volume = fields.get("kind") == "volume";
        let input = NewAgreement {
            distributor: fields.read("distributor")?,
            provider: fields.read("provider")?,
            number: fields.get("number").to_owned(),
            kind: if is_volume { AgreementKind::Volume } else { AgreementKind::NoCommit },
            commit: fields.read_or_none("commit")?.unwrap_or_default(),
            limit: fields.read_or_none("limit")?,
            purchase_order: fields.get("purchase_order").to_owned(),
            signed: viewing.now,
            ends: ledger::end_of(&fields, "last_day")?,
        };
        create_agreement(&viewing.service, viewing.actor(), input, fields.idempotency().ok()).await?;
        Ok(back_to(HERE, Notice::AgreementAdded))
    };
    super::after(done.await, |said, status| list_page(&viewing, &fields, said, status)).await
}

async fn list_page(viewing: &Viewing, fields: &Fields, said: Said, status: StatusCode) -> Result<Response, Refused> {
    let paging = Paging { cursor: present::cursor(fields), limit: Some(MAX_PAGE) };
    let agreements = list_agreements(&viewing.service, viewing.actor(), &paging).await?;
    let rows = agreements.items.iter().map(|view| {
        let row = &view.agreement;
        vec![
            Cell::link(&row.number, format!("{HERE}/{}", row.id)),
            Cell::new(&view.provider_name).small(format!("with {}", view.distributor_name)),
            Cell::new(kind(row.kind)),
            Cell::new(format::column(row.commit)),
            Cell::new(row.limit.map_or_else(|| "none".to_owned(), format::column)),
            Cell::new(format::last_day(row.end())),
            state(viewing, view),
        ]
    });
    let columns = ["Number", "Provider", "Type", "#Minimum", "#Limit", "Through", "State"];
    let mut table = Table::new("Agreements", &columns, none_yet(viewing)).rows(rows);
    table.next = agreements.next.map(|cursor| format!("{HERE}?after={cursor}")).unwrap_or_default();
    let may = viewing.may(Action::ManageProgram, false);
    let part = Ledger {
        said,
        title: "Rental agreements".to_owned(),
        section: Section::Agreements,
        crumbs: Vec::new(),
        say: "Who rents from whom, with which commitment, and until when.".to_owned(),
        sums: Vec::new(),
        filter: None,
        tables: vec![table],
        forms: if may { vec![add(viewing, fields).await?] } else { Vec::new() },
    };
    page_with(viewing, status, part).await
}

/// What stands where there is no agreement: what it takes to have one.
fn none_yet(viewing: &Viewing) -> &'static str {
    match viewing.desk() {
        Desk::Vendor => {
            "There is none yet. Add the distributor and the provider as organizations, then their agreement."
        }
        _ => "There is none yet. The vendor adds an agreement when a provider rents through you; it stands here then.",
    }
}

fn kind(kind: AgreementKind) -> &'static str {
    match kind {
        AgreementKind::Volume => "Volume",
        AgreementKind::NoCommit => "No commitment",
    }
}

fn state(viewing: &Viewing, view: &AgreementView) -> Cell {
    match view.standing(viewing.now) {
        AgreementStanding::Terminated => Cell::tag("Ended early", "bad"),
        AgreementStanding::Ended => Cell::tag("Over", "plain"),
        AgreementStanding::Running => Cell::tag("In force", "good"),
    }
}

async fn add(viewing: &Viewing, fields: &Fields) -> Result<Form, Refused> {
    let names = async |kind, chosen: &str| -> Result<Vec<Choice>, Refused> {
        let paging = Paging { cursor: None, limit: Some(MAX_PAGE) };
        let orgs = list_organizations(&viewing.service, viewing.actor(), Some(kind), &paging).await?;
        Ok(orgs.items.into_iter().map(|org| Choice::new(org.id.to_string(), org.name, chosen)).collect())
    };
    let kinds = [("volume", "Volume"), ("no_commit", "No commitment")];
    Ok(Form {
        title: "Add an agreement".to_owned(),
        say: "It is signed now; this month is billed 0.".to_owned(),
        action: HERE.to_owned(),
        fields: vec![
            Field::text("number", "Number", fields.get("number")),
            Field::select("provider", "Provider", names(OrgKind::Provider, fields.get("provider")).await?),
            Field::select("distributor", "Distributor", names(OrgKind::Distributor, fields.get("distributor")).await?),
            Field::select(
                "kind",
                "Type",
                kinds.into_iter().map(|(value, label)| Choice::new(value, label, fields.get("kind"))).collect(),
            ),
            Field::maybe("commit", "Minimum points a month", fields.get("commit")),
            Field::maybe("limit", "Points limit", fields.get("limit")),
            Field::maybe("purchase_order", "Purchase order", fields.get("purchase_order")),
            Field::date("last_day", "Through", fields.get("last_day")),
            Field::hidden("idempotency_key", viewing.fresh_key()),
        ],
        button: "Add".to_owned(),
        ..Form::default()
    })
}

/// `GET /agreements/{id}`.
pub(super) async fn show(viewing: Viewing, Path(id): Path<String>, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor, Desk::Distributor])?;
    show_page(&viewing, &id, said(&fields), StatusCode::OK).await
}

/// `POST /agreements/{id}`: another commitment from a month on, another end, or a purchase order.
pub(super) async fn change(viewing: Viewing, Path(id): Path<String>, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor])?;
    let done = async {
        let mut input = AgreementChange::default();
        match fields.get("what") {
            "terms" => {
                let limit = fields.read_or_none("limit")?;
                input.terms = Some(NewTerms { from: fields.read("from")?, commit: fields.read("commit")?, limit });
            }
            "end" => input.ends = Some(ledger::end_of(&fields, "last_day")?),
            "reinstate" => input.reinstate = true,
            _ => input.purchase_order = Some(fields.get("purchase_order").to_owned()),
        }
        edit_agreement(&viewing.service, viewing.actor(), agreement(&id)?, ledger::seen(&fields)?, input).await?;
        Ok(back_to(&format!("{HERE}/{id}"), Notice::AgreementChanged))
    };
    super::after(done.await, |said, status| show_page(&viewing, &id, said, status)).await
}

/// `POST /agreements/{id}/end`: ends it early, now.
pub(super) async fn end(viewing: Viewing, Path(id): Path<String>, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor])?;
    let done = async {
        let reason = fields.get("reason").to_owned();
        terminate_agreement(&viewing.service, viewing.actor(), agreement(&id)?, None, reason).await?;
        Ok(back_to(&format!("{HERE}/{id}"), Notice::AgreementEnded))
    };
    super::after(done.await, |said, status| show_page(&viewing, &id, said, status)).await
}

fn agreement(id: &str) -> Result<AgreementId, Refused> {
    id.parse().map_err(|_| ProblemKind::NotFound.into())
}

async fn show_page(viewing: &Viewing, id: &str, said: Said, status: StatusCode) -> Result<Response, Refused> {
    let view = find_agreement(&viewing.service, viewing.actor(), agreement(id)?).await?;
    let row = &view.agreement;
    let first = vec![
        Cell::new("As signed").small(format::date(row.signed)),
        Cell::new(format::column(row.commit)),
        Cell::new(row.limit.map_or_else(|| "none".to_owned(), format::column)),
    ];
    let dated = view.terms.iter().map(|terms| {
        vec![
            Cell::new(format!("From {} on", format::month(terms.from))),
            Cell::new(format::column(terms.commit)),
            Cell::new(terms.limit.map_or_else(|| "none".to_owned(), format::column)),
        ]
    });
    let table = Table::new("Commitment", &["Since", "#Minimum points a month", "#Points limit"], "");
    let table = table.rows(std::iter::once(first).chain(dated));
    let order = if row.purchase_order.is_empty() { "none" } else { row.purchase_order.as_str() };
    let ended = row.terminated.map(|at| format!(" It was ended early, at {}.", format::instant(at)));
    let part = Ledger {
        said,
        title: format!("Agreement {}", row.number),
        section: Section::Agreements,
        crumbs: vec![Crumb::new("Rental agreements", HERE)],
        say: format!(
            "{} rents from {}: {}, through {}; purchase order {order}.{}",
            view.provider_name,
            view.distributor_name,
            kind(row.kind).to_lowercase(),
            format::last_day(row.end()),
            ended.unwrap_or_default()
        ),
        sums: Vec::new(),
        filter: None,
        tables: vec![table],
        forms: if viewing.may(Action::ManageProgram, false) { forms(viewing, id, &view) } else { Vec::new() },
    };
    page_with(viewing, status, part).await
}

fn forms(viewing: &Viewing, id: &str, view: &AgreementView) -> Vec<Form> {
    let row = &view.agreement;
    let action = format!("{HERE}/{id}");
    let own = |what: &str| [Field::hidden("what", what), Field::hidden("tag", agreement_tag(view))];
    let form = |title: &str, say: &str, what: &str, fields: Vec<Field>, button: &str| Form {
        title: title.to_owned(),
        say: say.to_owned(),
        action: action.clone(),
        fields: fields.into_iter().chain(own(what)).collect(),
        button: button.to_owned(),
        ..Form::default()
    };
    let order = Field::maybe("purchase_order", "Purchase order", &row.purchase_order);
    let mut forms = vec![form("Purchase order", "For months opened from now on.", "order", vec![order], "Save")];
    if row.terminated.is_some() {
        forms.push(form(
            "Take the early end back",
            "It holds again until its end.",
            "reinstate",
            Vec::new(),
            "Take it back",
        ));
        return forms;
    }
    if row.kind == AgreementKind::Volume {
        let terms = vec![
            Field::month("from", "From the 1st of", Period::of(viewing.now).next()),
            Field::text("commit", "Minimum points a month", row.commit),
            Field::maybe("limit", "Points limit", row.limit.map(|limit| limit.to_string()).unwrap_or_default()),
        ];
        forms.insert(
            0,
            form("Change the commitment", "From a future month on; what is past stays.", "terms", terms, "Change"),
        );
    }
    let end = vec![Field::date("last_day", "Through", "")];
    forms.push(form("Another end", "Its licenses are written anew with it.", "end", end, "Change the end"));
    forms.push(Form {
        title: "End it now".to_owned(),
        say: "Products are told and go on through grace; the last month is still submitted and closed.".to_owned(),
        action: format!("{action}/end"),
        fields: vec![Field::text("reason", "Why, for both parties to read", "")],
        button: "End this agreement".to_owned(),
        ..Form::default()
    });
    forms
}

//! The vendor's organizations: distributors and providers.

use axum::{extract::Path, http::StatusCode, response::Response};
use tenure_core::{
    OrgId,
    roles::{Action, OrgKind},
};
use tenure_service::{
    MAX_PAGE, NewOrganization, OrganizationChange, Paging, ProblemKind, create_organization, edit_organization,
    list_organizations, organization_tag, view_organization,
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

const HERE: &str = "/organizations";

/// `GET /organizations`.
pub(super) async fn list(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor])?;
    list_page(&viewing, &fields, said(&fields), StatusCode::OK).await
}

/// `POST /organizations`: adds one.
pub(super) async fn create(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor])?;
    let done = async {
        let kind = if fields.get("kind") == "distributor" { OrgKind::Distributor } else { OrgKind::Provider };
        let input = NewOrganization { kind, name: fields.get("name").to_owned() };
        create_organization(&viewing.service, viewing.actor(), input, fields.idempotency().ok()).await?;
        Ok(back_to(HERE, Notice::OrganizationAdded))
    };
    super::after(done.await, |said, status| list_page(&viewing, &fields, said, status)).await
}

async fn list_page(viewing: &Viewing, fields: &Fields, said: Said, status: StatusCode) -> Result<Response, Refused> {
    let paging = Paging { cursor: present::cursor(fields), limit: Some(MAX_PAGE) };
    let orgs = list_organizations(&viewing.service, viewing.actor(), None, &paging).await?;
    let rows = orgs.items.iter().map(|org| {
        vec![
            Cell::link(&org.name, format!("{HERE}/{}", org.id)),
            Cell::new(kind(org.kind)),
            Cell::new(format::date(org.created)),
            match org.disabled {
                None => Cell::tag("Active", "good"),
                Some(at) => Cell::tag("Locked out", "bad").small(format!("since {}", format::date(at))),
            },
        ]
    });
    let mut table =
        Table::new("Organizations", &["Name", "What it is", "Added", "State"], "There is none yet.").rows(rows);
    table.next = orgs.next.map(|cursor| format!("{HERE}?after={cursor}")).unwrap_or_default();
    let add = Form {
        title: "Add an organization".to_owned(),
        action: HERE.to_owned(),
        fields: vec![
            Field::text("name", "Name", fields.get("name")),
            Field::select(
                "kind",
                "What it is",
                vec![
                    Choice::new("provider", "Provider", fields.get("kind")),
                    Choice::new("distributor", "Distributor", fields.get("kind")),
                ],
            ),
            Field::hidden("idempotency_key", viewing.fresh_key()),
        ],
        button: "Add".to_owned(),
        ..Form::default()
    };
    let part = Ledger {
        said,
        title: "Organizations".to_owned(),
        section: Section::Organizations,
        crumbs: Vec::new(),
        say: "Distributors approve and invoice, providers rent. An agreement makes two of them partners.".to_owned(),
        sums: Vec::new(),
        filter: None,
        tables: vec![table],
        forms: if viewing.may(Action::ManageProgram, false) { vec![add] } else { Vec::new() },
    };
    page_with(viewing, status, part).await
}

fn kind(kind: OrgKind) -> &'static str {
    match kind {
        OrgKind::Vendor => "Vendor",
        OrgKind::Distributor => "Distributor",
        OrgKind::Provider => "Provider",
    }
}

/// `GET /organizations/{id}`.
pub(super) async fn show(viewing: Viewing, Path(id): Path<String>, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor])?;
    show_page(&viewing, &id, said(&fields), StatusCode::OK).await
}

/// `POST /organizations/{id}`: renames it, locks its people out, or lets them in again.
pub(super) async fn change(viewing: Viewing, Path(id): Path<String>, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor])?;
    let done = async {
        let given = |name: &str| Some(fields.get(name)).filter(|text| !text.is_empty());
        let input = OrganizationChange {
            name: given("name").map(ToOwned::to_owned),
            active: given("active").map(|text| text == "true"),
        };
        edit_organization(&viewing.service, viewing.actor(), org(&id)?, ledger::seen(&fields)?, input).await?;
        Ok(back_to(&format!("{HERE}/{id}"), Notice::OrganizationChanged))
    };
    super::after(done.await, |said, status| show_page(&viewing, &id, said, status)).await
}

fn org(id: &str) -> Result<OrgId, Refused> {
    id.parse().map_err(|_| ProblemKind::NotFound.into())
}

async fn show_page(viewing: &Viewing, id: &str, said: Said, status: StatusCode) -> Result<Response, Refused> {
    let row = view_organization(&viewing.service, viewing.actor(), org(id)?).await?;
    let mut forms = Vec::new();
    if viewing.may(Action::ManageProgram, false) && row.kind != OrgKind::Vendor {
        let tag = || Field::hidden("tag", organization_tag(&row));
        let action = format!("{HERE}/{id}");
        forms.push(Form {
            title: "Rename".to_owned(),
            action: action.clone(),
            fields: vec![Field::text("name", "Name", &row.name), tag()],
            button: "Rename".to_owned(),
            ..Form::default()
        });
        let (title, say, button, active) = match row.disabled {
            None => (
                "Lock out",
                "Its people and tokens are refused at once. Its products go on: they check in, report and extend.",
                "Lock out",
                "false",
            ),
            Some(_) => ("Let in again", "Its people and tokens may act again.", "Let in again", "true"),
        };
        forms.push(Form {
            title: title.to_owned(),
            say: say.to_owned(),
            action,
            fields: vec![Field::hidden("active", active), tag()],
            button: button.to_owned(),
            ..Form::default()
        });
    }
    let mut tables = Vec::new();
    if row.kind == OrgKind::Provider {
        let links = vec![
            vec![Cell::link("What its installations owe", format!("/obligations?provider={id}"))],
            vec![Cell::link("Its entries in the audit log", format!("/audit?organization={id}"))],
        ];
        tables.push(Table::new("See also", &["Page"], "").rows(links));
    }
    let part = Ledger {
        said,
        title: row.name.clone(),
        section: Section::Organizations,
        crumbs: vec![Crumb::new("Organizations", HERE)],
        say: format!(
            "{}, added on {}.{}",
            kind(row.kind),
            format::date(row.created),
            row.disabled.map(|at| format!(" Locked out since {}.", format::instant(at))).unwrap_or_default()
        ),
        sums: Vec::new(),
        filter: None,
        tables,
        forms,
    };
    page_with(viewing, status, part).await
}

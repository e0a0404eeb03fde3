//! *Console*: the provider's connections, and companies of one name to merge.

use std::collections::BTreeSet;

use axum::{http::StatusCode, response::Response};
use tenure_core::{CompanyId, company::Namesakes, roles::Action};
use tenure_service::{
    ConsoleConnection, MAX_PAGE, MergeSide, Paging, ProblemKind, TokenScope, list_connections, merge_companies,
    preview_merges,
};

use super::{site_name, sites, tabs, tokens};
use crate::{
    pages::{
        Desk, Notice, Said,
        console::{ConnectionRow, Console, NamesakeRow},
        settings::Tab,
    },
    present,
    routes::said,
    web::{Fields, Refused, Viewing, back_to, page_with},
};

const HERE: &str = "/settings/console";

/// `GET /settings/console`.
pub(super) async fn list(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    show(&viewing, &fields, said(&fields), StatusCode::OK).await
}

async fn show(viewing: &Viewing, fields: &Fields, said: Said, status: StatusCode) -> Result<Response, Refused> {
    if viewing.desk() != Desk::Provider {
        return Err(ProblemKind::NotFound.into());
    }
    let paging = Paging { cursor: present::cursor(fields), limit: Some(MAX_PAGE) };
    let connections = list_connections(&viewing.service, viewing.actor(), &paging).await?;
    let sites = sites(viewing).await?;
    let namesakes = preview_merges(&viewing.service, viewing.actor()).await?;
    let part = Console {
        said,
        tabs: tabs(viewing, Tab::Console),
        rows: connections.items.iter().map(|one| row(viewing, one, site_name(&sites, one.token.site))).collect(),
        next: connections.next.map(|cursor| format!("{HERE}?after={cursor}")).unwrap_or_default(),
        namesakes: namesakes.into_iter().map(group).collect(),
        may_merge: viewing.may(Action::ManageCompanies, false),
    };
    page_with(viewing, status, part).await
}

fn row(viewing: &Viewing, one: &ConsoleConnection, site: String) -> ConnectionRow {
    ConnectionRow {
        name: one.token.name.clone(),
        site,
        reads_only: one.token.scope != TokenScope::Manage,
        license_management: one.console.license_management,
        company_mapping: one.console.company_mapping,
        state: tokens::state(viewing, &one.token),
        expires: one.token.expires,
        used: one.token.console,
        synced: one.console.synced,
    }
}

fn group(group: Namesakes<MergeSide>) -> NamesakeRow {
    let ids: Vec<String> = group.others.iter().map(|side| side.company.id.to_string()).collect();
    NamesakeRow {
        ids: (group.keep.company.id.to_string(), ids.join(" ")),
        keep: group.keep.company.name,
        licenses: group.keep.licenses,
        others: group.others.into_iter().map(|side| (side.company.name, side.licenses)).collect(),
    }
}

/// `POST /settings/console/merge`: merges companies as the page showed them.
pub(super) async fn merge(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let done = async {
        let merged: Result<BTreeSet<CompanyId>, _> = fields.get("merged").split_whitespace().map(str::parse).collect();
        let merged = merged.map_err(|_| ProblemKind::NotFound)?;
        Ok(merge_companies(&viewing.service, viewing.actor(), fields.read("into")?, merged, None).await?)
    };
    let done: Result<_, Refused> = done.await;
    match done {
        Ok(()) => Ok(back_to(HERE, Notice::CompaniesMerged)),
        Err(error) => {
            let (said, status) = super::super::refused(error)?;
            show(&viewing, &fields, said, status).await
        }
    }
}

//! Installations as their pages show them.

use tenure_core::health::Trouble;
use tenure_service::{InstallationDetail, RejoinView, ServerView};

use crate::{
    format,
    pages::{
        Said,
        installations::{Health, Installation, RejoinRow, ServerRow, TroubleRow},
    },
    web::Viewing,
};

/// A row of the list.
pub(crate) fn row(viewing: &Viewing, view: &ServerView) -> ServerRow {
    let row = &view.row;
    let worst = view.worst();
    ServerRow {
        href: format!("/installations/{}", row.id),
        name: if row.name.is_empty() { row.id.to_string() } else { row.name.clone() },
        product: row.product_name.clone(),
        company: row.company_name.clone().unwrap_or_else(|| "Your own".to_owned()),
        health: match view.word() {
            "retired" => Health::Retired,
            "clone" => Health::Clone,
            "trouble" => Health::Trouble,
            "note" => Health::Note,
            _ => Health::Healthy,
        },
        cause: worst.map(|trouble| format::sentence(&format::dated(&trouble.to_string()))).unwrap_or_default(),
        fix: worst.map(|trouble| trouble.fix().to_owned()).unwrap_or_default(),
        seen: viewing.deadline(row.seen),
        reported: row.last_report.map(|(period, _)| period),
        version: row.product_version.clone(),
        skew: skew(&view.troubles),
        sharing: row.sharing,
    }
}

fn skew(troubles: &[Trouble]) -> String {
    let off = troubles.iter().find_map(|trouble| match trouble {
        Trouble::ClockSkew { minutes } => Some(*minutes),
        _ => None,
    });
    off.map_or_else(String::new, |minutes| {
        let way = if minutes > 0 { "ahead" } else { "behind" };
        format!("{} {way}", format::count_of(minutes.abs(), "minute"))
    })
}

/// The page of one server.
pub(crate) fn page(viewing: &Viewing, detail: &InstallationDetail, may_manage: bool, said: Said) -> Installation {
    let view = &detail.view;
    let server = &view.row;
    let href = |id: tenure_core::InstallationId| format!("/installations/{id}");
    Installation {
        said,
        base: href(server.id),
        row: row(viewing, view),
        troubles: view
            .troubles
            .iter()
            .map(|trouble| TroubleRow {
                cause: format::sentence(&format::dated(&trouble.to_string())),
                fix: trouble.fix().to_owned(),
                is_note: trouble.is_note(),
            })
            .collect(),
        license: format!("/licenses/{}", server.license),
        agent_version: server.agent_version.clone(),
        updates_itself: server.auto_update,
        is_asked: view.is_asked,
        shows: (server.shown.1, server.issued.1, server.shown >= server.issued),
        expires: server.expires,
        activated: server.activated,
        report_received: server.last_report.map(|(_, at)| at),
        retired: server.retired.map(|at| (at, server.retired_how.clone().unwrap_or_else(|| "retired".to_owned()))),
        replaces: server.replaces.map(href).unwrap_or_default(),
        replaced_by: detail.replaced_by.map(href).unwrap_or_default(),
        code_shown_again: detail.code_shown_again,
        rejoins: detail.rejoins.iter().map(rejoin).collect(),
        id: server.id.to_string(),
        may_manage,
    }
}

fn rejoin(view: &RejoinView) -> RejoinRow {
    RejoinRow {
        at: view.at,
        class: match view.class.as_str() {
            "clone" => "Clone",
            "server_restored" => "Server restored",
            _ => "Set back",
        },
        left: (view.left.0.name.clone(), view.left.1),
        came: view.came.name.clone(),
        same_machine: view.same_machine,
        settled: view.resolved.as_ref().map(|(at, who, how)| {
            let how = match how.as_str() {
                "one_machine" => "One machine",
                "split" => "Two machines",
                _ => "Noted",
            };
            (how.to_owned(), *at, who.name.clone())
        }),
    }
}

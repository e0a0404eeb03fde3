//! Servers and what they owe, as they are sent.

use tenure_core::health::Trouble;
use tenure_license as license;
use tenure_service::{InstallationDetail, ObligationView, RejoinView, ServerView};
use tenure_wire as wire;

/// A server in a list.
pub(super) fn server(view: ServerView) -> wire::Server {
    let health = match view.word() {
        "retired" => wire::Health::Retired,
        "clone" => wire::Health::Clone,
        "trouble" => wire::Health::Trouble,
        "note" => wire::Health::Note,
        _ => wire::Health::Healthy,
    };
    let row = view.row;
    wire::Server {
        id: row.id,
        name: row.name,
        license: row.license,
        template: row.template,
        company: row.company.zip(row.company_name).map(|(id, name)| wire::CompanyRef { id, name }),
        site: row.site,
        product: row.product,
        product_name: row.product_name,
        product_version: row.product_version,
        agent_version: row.agent_version,
        health,
        troubles: view.troubles.iter().map(trouble).collect(),
        seen_at: row.seen,
        last_report: row.last_report.map(|(period, _)| period),
        last_report_at: row.last_report.map(|(_, at)| at),
        clock_skew_seconds: row.skew_us / 1_000_000,
        auto_update: row.auto_update,
        update_asked: view.is_asked,
        is_current: row.shown >= row.issued,
        expires_at: row.expires,
        sharing: row.sharing,
        activated_at: row.activated,
        replaces: row.replaces,
        retired_at: row.retired,
        retired_how: row.retired_how,
    }
}

fn trouble(trouble: &Trouble) -> wire::Trouble {
    let word = match trouble {
        Trouble::Clone => "clone",
        Trouble::CloneSplit => "clone_split",
        Trouble::RejoinsOften { .. } => "rejoins_often",
        Trouble::HostAlternates { .. } => "host_alternates",
        Trouble::LicenseEnded => "license_ended",
        Trouble::Expired => "expired",
        Trouble::ReportMissing { .. } => "report_missing",
        Trouble::WillMissReport { .. } => "will_miss_report",
        Trouble::Silent { .. } => "silent",
        Trouble::NotUpdating => "not_updating",
        Trouble::ClockSkew { .. } => "clock_skew",
        Trouble::Shared { .. } => "shared",
    };
    wire::Trouble { trouble: word.to_owned(), cause: trouble.to_string(), fix: trouble.fix().to_owned() }
}

/// A server with its past.
pub(super) fn detail(found: InstallationDetail) -> wire::ServerDetail {
    wire::ServerDetail {
        server: server(found.view),
        rejoins: found.rejoins.into_iter().map(rejoin).collect(),
        replaced_by: found.replaced_by,
        code_shown_again_at: found.code_shown_again,
    }
}

fn rejoin(view: RejoinView) -> wire::Rejoin {
    let (left, left_seen_at) = view.left;
    let (resolved_at, resolved_by, resolved_how) = match view.resolved {
        Some((at, by, how)) => (Some(at), Some(by.name), Some(how)),
        None => (None, None, None),
    };
    wire::Rejoin {
        at: view.at,
        class: view.class,
        left: host(left),
        left_seen_at,
        came: host(view.came),
        same_machine: view.same_machine,
        resolved_at,
        resolved_by,
        resolved_how,
    }
}

fn host(facts: license::HostFacts) -> wire::HostFacts {
    let text = |hash: license::Hash| hash.to_string();
    wire::HostFacts {
        name: facts.name,
        machine: facts.machine.map(text),
        vm_generation: facts.vm_generation.map(text),
        nic: facts.nic.map(text),
    }
}

/// A month that a server owes or owed.
pub(super) fn obligation(view: ObligationView) -> wire::Obligation {
    let by = view.by().map(str::to_owned);
    let row = view.row;
    wire::Obligation {
        period: row.period,
        installation: row.installation,
        name: row.name,
        license: row.license,
        product: row.product,
        product_name: row.product_name,
        company: row.company.zip(row.company_name).map(|(id, name)| wire::CompanyRef { id, name }),
        accounted: view.is_accounted,
        by,
        blocks: view.blocks,
        retired: row.retired.is_some(),
    }
}

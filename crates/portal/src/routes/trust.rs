//! What the vendor's word rests on: keys and trust root, the audit log and its verification.

use axum::response::Response;
use tenure_core::{Day, OrgId, key_life::KeyState};
use tenure_license::KeyRole;
use tenure_service::{
    AuditFilter, AuditReport, MAX_PAGE, Paging, list_audit, list_organizations, verify_log, view_keys,
};

use super::ledger;
use crate::{
    format,
    pages::{
        Choice, Desk, Said, Section,
        ledger::{Cell, Field, Form, Ledger, Table},
    },
    present,
    web::{Fields, Refused, Viewing, page},
};

/// `GET /keys`.
pub(super) async fn keys(viewing: Viewing) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor])?;
    let status = view_keys(&viewing.service, viewing.actor()).await?;
    let due: Vec<&str> = status.tasks.iter().filter(|task| task.due).map(|task| task.what.as_str()).collect();
    let say = if due.is_empty() {
        "Nothing is to be done with the keys now.".to_owned()
    } else {
        format!("It is time: {}. Keys are rotated with tenure keys rotate.", format::dated(&due.join("; ")))
    };
    let tasks = status.tasks.iter().map(|task| {
        vec![
            Cell::new(format::sentence(&format::dated(&task.what))),
            Cell::new(format::date(task.from)),
            Cell::new(format::date(task.by)),
            if task.due { Cell::tag("Due", "warn") } else { Cell::tag("Later", "plain") },
        ]
    });
    let keys = status.keys.iter().rev().map(|key| {
        let state = match key.state {
            KeyState::InUse => Cell::tag("In use", "good"),
            KeyState::NotYet => Cell::tag("Signs later", "plain"),
            KeyState::RunOut => Cell::tag("Run out", "plain").small("what it signed counts"),
            KeyState::Revoked => Cell::tag("Revoked", "bad").small("nothing it signed counts"),
        };
        vec![
            Cell::new(key.id),
            Cell::new(role(key.role)),
            Cell::new(format::date(key.life.from)),
            Cell::new(format::date(key.life.until)),
            state,
        ]
    });
    let part = Ledger {
        said: Said::default(),
        title: "Keys".to_owned(),
        section: Section::Keys,
        crumbs: Vec::new(),
        say,
        sums: vec![
            ("Trust root".to_owned(), format!("version {}", status.root_version)),
            ("Root keys needed".to_owned(), status.root_threshold.to_string()),
            ("Renew by".to_owned(), format::date(status.renew_by)),
        ],
        filter: None,
        tables: vec![
            Table::new("To do", &["What", "From", "By", "State"], "").rows(tasks),
            Table::new("Keys", &["Key", "Signs", "From", "Until", "State"], "").rows(keys),
        ],
        forms: Vec::new(),
    };
    page(&viewing, part).await
}

fn role(role: KeyRole) -> &'static str {
    match role {
        KeyRole::Root => "Trust roots, offline",
        KeyRole::License => "Licenses",
        KeyRole::Receipt => "Receipts, answers, checkpoints",
        KeyRole::Continuity => "Continuity notes, in escrow",
    }
}

/// `GET /audit`.
pub(super) async fn audit(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor])?;
    audit_page(&viewing, &fields, None).await
}

/// `POST /audit/verify`: reads the whole log again.
pub(super) async fn verify(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    ledger::only(&viewing, &[Desk::Vendor])?;
    let report = verify_log(&viewing.service, viewing.actor()).await?;
    audit_page(&viewing, &fields, Some(&report)).await
}

async fn audit_page(viewing: &Viewing, fields: &Fields, report: Option<&AuditReport>) -> Result<Response, Refused> {
    let given = |name: &str| Some(fields.get(name).to_owned()).filter(|text| !text.is_empty());
    let filter = AuditFilter {
        organization: fields.read_or_none::<OrgId>("organization")?,
        since: fields.read_or_none::<Day>("since")?.map(Day::start),
        until: None,
        actor: given("actor"),
        object: given("object"),
        action: given("action"),
    };
    let paging = Paging { cursor: present::cursor(fields), limit: None };
    let log = list_audit(&viewing.service, viewing.actor(), filter, &paging).await?;
    let rows = log.items.iter().map(|entry| {
        let org = entry.organization.as_ref().map(|org| org.name.clone()).unwrap_or_default();
        vec![
            Cell::new(format::sentence(&format!("{} {}", entry.actor_name, entry.words))).small(&entry.object),
            Cell::new(org),
            Cell::new(&entry.action),
            Cell::new(format::instant(entry.at)),
        ]
    });
    let mut table =
        Table::new("Actions", &["What happened", "Organization", "Action", "When"], "No entry fits.").rows(rows);
    let carried = ["organization", "since", "actor", "object", "action"];
    if let Some(cursor) = &log.next {
        let pairs = carried.iter().map(|name| (*name, fields.get(name))).filter(|(_, value)| !value.is_empty());
        table.next = format!("/audit?{}", present::query(pairs.chain([("after", cursor.as_str())])));
    }
    let mut tables = Vec::new();
    if let Some(report) = report {
        tables.push(found(report));
    }
    tables.push(table);
    let part = Ledger {
        said: Said::default(),
        title: "Audit log".to_owned(),
        section: Section::Audit,
        crumbs: Vec::new(),
        say: say(report),
        sums: report.map(sums).unwrap_or_default(),
        filter: Some(narrow(viewing, fields).await?),
        tables,
        forms: vec![Form {
            title: "Verify".to_owned(),
            say: "Reads lanes, leaves, documents and checkpoints again. Witnesses outside the database are heard by tenure \
                  audit verify."
                .to_owned(),
            action: "/audit/verify".to_owned(),
            button: "Verify the log".to_owned(),
            ..Form::default()
        }],
    };
    page(viewing, part).await
}

fn say(report: Option<&AuditReport>) -> String {
    match report {
        None => {
            "Who changed what, newest first. The entries are chained and signed off by checkpoints; verifying reads \
                 them all again."
                .to_owned()
        }
        Some(report) if report.is_clean() => match report.newest_checkpoint {
            Some(number) => format!(
                "Verified: every entry is in its place, up to checkpoint {number}; {} after it {} not yet anchored.",
                report.not_yet_anchored,
                if report.not_yet_anchored == 1 { "is" } else { "are" }
            ),
            None => "Verified: every entry is in its place; no checkpoint anchors them yet.".to_owned(),
        },
        Some(report) => {
            let wrong = match report.findings.len() {
                1 => "One thing is".to_owned(),
                more => format!("{} things are", format::spelled(more)),
            };
            format!("{wrong} wrong with the log. Keep a copy of the database before anything else.")
        }
    }
}

fn sums(report: &AuditReport) -> Vec<(String, String)> {
    let count = |value: u64| format::count(value as i64);
    vec![
        ("Entries".to_owned(), count(report.entries)),
        ("Requests of products".to_owned(), count(report.leaves)),
        ("Documents".to_owned(), count(report.documents)),
        ("Checkpoints".to_owned(), count(report.checkpoints)),
    ]
}

fn found(report: &AuditReport) -> Table {
    let findings = report
        .findings
        .iter()
        .map(|one| vec![Cell::new(&one.place), Cell::tag("Wrong", "bad"), Cell::new(format::sentence(&one.says))]);
    let notes = report
        .notes
        .iter()
        .map(|note| vec![Cell::new("The log"), Cell::tag("Note", "plain"), Cell::new(format::sentence(note))]);
    Table::new("Verification", &["Where", "", "What"], "Nothing is wrong.").rows(findings.chain(notes))
}

async fn narrow(viewing: &Viewing, fields: &Fields) -> Result<Form, Refused> {
    let paging = Paging { cursor: None, limit: Some(MAX_PAGE) };
    let orgs = list_organizations(&viewing.service, viewing.actor(), None, &paging).await?.items;
    let chosen = fields.get("organization");
    let all = std::iter::once(Choice::new("", "All", chosen));
    Ok(Form {
        action: "/audit".to_owned(),
        is_get: true,
        fields: vec![
            Field::select(
                "organization",
                "Organization",
                all.chain(orgs.into_iter().map(|org| Choice::new(org.id.to_string(), org.name, chosen))).collect(),
            ),
            Field::maybe("action", "Action", fields.get("action")).hint("As license.assigned, or license"),
            Field::maybe("actor", "By whom", fields.get("actor")).hint("An id, or server"),
            Field::maybe("object", "To what", fields.get("object")).hint("An id"),
            Field::date("since", "Since", fields.get("since")).optional(),
        ],
        button: "Show".to_owned(),
        ..Form::default()
    })
}

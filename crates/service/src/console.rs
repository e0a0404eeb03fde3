//! A console that speaks the console API: what it has turned on, when its connection ends, when it last asked anew.

use std::collections::{BTreeMap, btree_map::Entry};

use tenure_core::{SiteId, Timestamp, roles::Action};
use tenure_store::{
    Queue, Tx,
    rows::{
        api_token,
        console_connection::{self, ConnectionRow},
    },
};
use uuid::Uuid;

use crate::{
    Actor, ActorKind, Error, Page, Paging, ProblemKind, Result, Service, TokenFilter, TokenRow, authorize::at_provider,
    change, list_tokens,
};

/// What a console has before it said otherwise.
const FRESH: ConnectionRow =
    ConnectionRow { license_management: true, company_mapping: true, pushes_companies: false, synced: None };

/// A console as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsoleView {
    /// It may change licenses.
    pub license_management: bool,
    /// It shows companies as mapped.
    pub company_mapping: bool,
    /// It adds a company in the portal for each of its own.
    pub pushes_companies: bool,
    /// When it last asked for everything anew.
    pub synced: Option<Timestamp>,
    /// When the token it speaks with ends; none for a person's session.
    pub token_expires: Option<Timestamp>,
}

/// What a console turns on or off; what is none stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConsoleChange {
    /// Whether it may change licenses.
    pub license_management: Option<bool>,
    /// Whether it shows companies as mapped.
    pub company_mapping: Option<bool>,
    /// Whether it adds a company in the portal for each of its own.
    pub pushes_companies: Option<bool>,
}

/// The console of the actor's scope: its site, or the whole provider.
pub async fn view_console(service: &Service, actor: &Actor) -> Result<ConsoleView> {
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, actor.org, Action::View).await?;
    let row = console_connection::find(&mut read, actor.org, scope(actor)).await?.unwrap_or(FRESH);
    let token_expires = match actor.kind {
        ActorKind::Token(id) => api_token::find_by_id(&mut read, actor.org, id).await?.map(|row| row.expires),
        _ => None,
    };
    Ok(view(row, token_expires))
}

/// A token that a console may speak with, and what the console of its scope has turned on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleConnection {
    /// The token.
    pub token: TokenRow,
    /// The console of its site, or of the whole provider.
    pub console: ConsoleView,
}

/// The tokens of the actor's organization with which a console speaks or may yet, in the order they were made: those that only
/// ever spoke elsewhere are none's.
pub async fn list_connections(service: &Service, actor: &Actor, paging: &Paging) -> Result<Page<ConsoleConnection>> {
    let mut tokens = list_tokens(service, actor, TokenFilter::default(), paging).await?;
    tokens.items.retain(|token| token.console.is_some() || token.used.is_none());
    let mut read = service.store().read().await?;
    let mut consoles: BTreeMap<Uuid, ConnectionRow> = BTreeMap::new();
    for token in &tokens.items {
        let scope = token.site.map_or(actor.org.uuid(), SiteId::uuid);
        if let Entry::Vacant(entry) = consoles.entry(scope) {
            entry.insert(console_connection::find(&mut read, actor.org, scope).await?.unwrap_or(FRESH));
        }
    }
    Ok(tokens.map(|token| {
        let scope = token.site.map_or(actor.org.uuid(), SiteId::uuid);
        let row = consoles.get(&scope).copied().unwrap_or(FRESH);
        ConsoleConnection { console: view(row, Some(token.expires)), token }
    }))
}

const fn view(row: ConnectionRow, token_expires: Option<Timestamp>) -> ConsoleView {
    ConsoleView {
        license_management: row.license_management,
        company_mapping: row.company_mapping,
        pushes_companies: row.pushes_companies,
        synced: row.synced,
        token_expires,
    }
}

/// Turns features of the actor's console on or off.
pub async fn edit_console(service: &Service, actor: &Actor, input: ConsoleChange) -> Result<()> {
    store(service, actor, "console.changed", move |row, _| ConnectionRow {
        license_management: input.license_management.unwrap_or(row.license_management),
        company_mapping: input.company_mapping.unwrap_or(row.company_mapping),
        pushes_companies: input.pushes_companies.unwrap_or(row.pushes_companies),
        ..row
    })
    .await
}

/// Notes that the actor's console asked for everything anew. Its data is this server's own, so nothing is to be fetched.
pub async fn sync_console(service: &Service, actor: &Actor) -> Result<()> {
    store(service, actor, "console.synced", |row, now| ConnectionRow { synced: Some(now), ..row }).await
}

/// Whether the actor's console may change licenses.
pub async fn console_manages_licenses(service: &Service, actor: &Actor) -> Result<()> {
    let view = may(service, actor, Action::ManageLicenses).await?;
    if view.license_management {
        return Ok(());
    }
    let words = "license management is turned off for this console; turn it on in its settings first";
    Err(ProblemKind::Inactive.because(words).into())
}

/// Whether the actor's console may map companies.
pub async fn console_maps_companies(service: &Service, actor: &Actor) -> Result<()> {
    let view = may(service, actor, Action::ManageCompanies).await?;
    if view.company_mapping {
        return Ok(());
    }
    let words = "company mapping is turned off for this console; turn it on in its settings first";
    Err(ProblemKind::Inactive.because(words).into())
}

async fn may(service: &Service, actor: &Actor, action: Action) -> Result<ConsoleView> {
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, actor.org, action).await?;
    drop(read);
    view_console(service, actor).await
}

fn scope(actor: &Actor) -> Uuid {
    actor.site.map_or(actor.org.uuid(), SiteId::uuid)
}

async fn store(
    service: &Service,
    actor: &Actor,
    verb: &'static str,
    next: impl Fn(ConnectionRow, Timestamp) -> ConnectionRow + Send + 'static,
) -> Result<()> {
    let (now, actor) = (service.now(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx: &mut Tx| {
            at_provider(tx, &actor, actor.org, Action::ManageLicenses).await?;
            let before = console_connection::find(tx, actor.org, scope(&actor)).await?.unwrap_or(FRESH);
            let row = next(before, now);
            if row == before {
                return Ok(());
            }
            console_connection::put(tx, actor.org, scope(&actor), &row).await?;
            let body = serde_json::json!({
                "license_management": row.license_management, "company_mapping": row.company_mapping,
                "pushes_companies": row.pushes_companies, "synced": row.synced,
            });
            let subject = actor.site.map_or(actor.org.to_string(), |site| site.to_string());
            change::by(tx, &actor, actor.org, verb, subject, now, body);
            Ok::<_, Error>(())
        })
        .await
}

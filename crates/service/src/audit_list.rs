//! The audit log as an organization reads it: who changed what, in words, newest first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use tenure_core::{
    OrgId, Timestamp,
    roles::{Action, OrgKind},
};
use tenure_store::{
    Conn,
    rows::{
        audit_log::{self, AuditRow},
        org,
    },
};
use uuid::Uuid;

use crate::{
    Actor, Page, Paging, ProblemKind, Result, Service, actor_names, audit_words, authorize::at_home, month::Named, page,
};

/// What a list of actions is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// The organization whose log it is; for the vendor, who otherwise reads that of all.
    pub organization: Option<OrgId>,
    /// From this instant on.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
    /// By whom: an id, or a word such as `server`.
    pub actor: Option<String>,
    /// To what: an id.
    pub object: Option<String>,
    /// What, as `license.assigned`, or the part before the dot.
    pub action: Option<String>,
}

/// An action.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditAction {
    /// The entry's id.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// The organization whose log it is.
    pub organization: Option<Named<OrgId>>,
    /// Who: an id, or a word such as `server`.
    pub actor: String,
    /// Who, by name as far as the reader may know it.
    pub actor_name: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub object: String,
    /// What was done, in words.
    pub words: String,
    /// The particulars; none where personal data was erased.
    pub data: Option<Value>,
}

/// The actions of the actor's organization, newest first; for the vendor, of all or of one. Who is confined to a site sees
/// none: the log is the whole organization's.
pub async fn list_audit(
    service: &Service,
    actor: &Actor,
    filter: AuditFilter,
    paging: &Paging,
) -> Result<Page<AuditAction>> {
    let limit = paging.limit()?;
    if [&filter.actor, &filter.object, &filter.action].into_iter().flatten().any(|text| text.len() > 200) {
        return Err(ProblemKind::InvalidInput.because("a filter has at most 200 bytes").into());
    }
    let query = format!("audit {filter:?}");
    let before = paging.after_wide::<24>(service, actor.org, &query)?.map(read_position);
    let mut read = service.store().read().await?;
    let kind = at_home(&mut read, actor, Action::View).await?;
    if actor.site.is_some() {
        return Err(ProblemKind::Forbidden.because("the log is the whole organization's").into());
    }
    let org = match (kind, filter.organization) {
        (OrgKind::Vendor, wanted) => wanted,
        (_, Some(wanted)) if wanted != actor.org => return Err(ProblemKind::NotFound.into()),
        _ => Some(actor.org),
    };
    let narrowed = audit_log::Filter {
        since: filter.since,
        until: filter.until,
        actor: filter.actor,
        subject: filter.object,
        verb: filter.action,
    };
    let rows = audit_log::page(&mut read, org, &narrowed, before, limit + 1).await?;
    let rows = page::cut_at(service, actor.org, &query, rows, limit, position);
    let names = Names::of(&mut read, actor, kind, &rows.items).await?;
    Ok(rows.map(|row| names.action(row)))
}

fn position(row: &AuditRow) -> [u8; 24] {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&row.at.as_micros().to_be_bytes());
    bytes[8..].copy_from_slice(row.id.as_bytes());
    bytes
}

fn read_position(bytes: [u8; 24]) -> (Timestamp, Uuid) {
    let (at, id) = bytes.split_first_chunk::<8>().expect("24 bytes begin with 8");
    let id: [u8; 16] = id.try_into().expect("16 are left");
    (Timestamp::from_micros(i64::from_be_bytes(*at)), Uuid::from_bytes(id))
}

/// The names a reader may know.
struct Names {
    actors: HashMap<Uuid, String>,
    orgs: BTreeMap<OrgId, String>,
}

impl Names {
    /// People of another organization stay unnamed to all but the vendor: their organization is named instead.
    async fn of(conn: &mut Conn, reader: &Actor, kind: OrgKind, rows: &[AuditRow]) -> Result<Self> {
        let ids: BTreeSet<Uuid> = rows.iter().filter_map(|row| actor_names::id(&row.actor)).collect();
        let found = audit_log::actors(conn, &ids.into_iter().collect::<Vec<_>>()).await?;
        let mut wanted: BTreeSet<OrgId> = rows.iter().filter_map(|row| row.org).collect();
        wanted.extend(found.iter().map(|(_, org, _)| *org));
        let orgs: BTreeMap<OrgId, String> =
            org::names(conn, &wanted.into_iter().collect::<Vec<_>>()).await?.into_iter().collect();
        let named = |(id, org, name): (Uuid, OrgId, String)| {
            let of = orgs.get(&org).cloned().unwrap_or_default();
            let known = org == reader.org || kind == OrgKind::Vendor;
            (id, if known { name } else { format!("somebody of {of}") })
        };
        Ok(Self { actors: found.into_iter().map(named).collect(), orgs })
    }

    fn action(&self, row: AuditRow) -> AuditAction {
        let actor_name = actor_names::name(&self.actors, &row.actor);
        let words = audit_words::sentence(&row.verb, row.data.as_ref());
        AuditAction {
            id: row.id,
            at: row.at,
            organization: row.org.map(|id| Named { id, name: self.orgs.get(&id).cloned().unwrap_or_default() }),
            actor: row.actor,
            actor_name,
            action: row.verb,
            object: row.subject,
            words,
            data: row.data,
        }
    }
}

//! Installations that this database lost together with what they belonged to: a person says which license each holds, or
//! that it is nobody's (protocol, 2.7, "Server lost it").

use serde_json::json;
use tenure_core::{
    InstallationId, LicenseId, OrgId, Timestamp,
    roles::{Action, OrgKind},
};
use tenure_store::{
    Conn, Queue,
    rows::{
        held_installation::{self, HeldRow},
        license,
    },
};

use crate::{
    Actor, Error, Idempotency, ProblemKind, Result, Service,
    authorize::{at_home, at_provider, kind_of},
    change, check_in,
    idempotent::{self, Begun},
};

/// Most that one list shows.
const MAX_LISTED: i64 = 200;

/// An installation that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldView {
    /// Its id, as our own activation answer of an older epoch says.
    pub installation: InstallationId,
    /// Whose it was; that provider need not exist any more.
    pub provider: OrgId,
    /// The license it held; it need not exist any more.
    pub license: LicenseId,
    /// Host name it tells.
    pub host: String,
    /// When it was heard first, and last.
    pub heard: (Timestamp, Timestamp),
    /// Documents that are kept for it.
    pub documents: i64,
}

/// Which license a held installation holds from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldConfirmation {
    /// The license; it is assigned and has not ended.
    pub license: LicenseId,
    /// Whose license it is; the provider that the installation belonged to otherwise. Only the vendor names another.
    pub provider: Option<OrgId>,
}

/// Installations that wait for a confirmation, the longest waiting first: a provider's, or all for the vendor. Who is
/// confined to a site sees none, for nobody knows whose site they are.
pub async fn list_held(service: &Service, actor: &Actor, provider: Option<OrgId>) -> Result<Vec<HeldView>> {
    let mut read = service.store().read().await?;
    let whose = match provider {
        None if kind_of(&mut read, actor).await? == OrgKind::Vendor => {
            at_home(&mut read, actor, Action::View).await?;
            None
        }
        named => {
            let provider = named.unwrap_or(actor.org);
            at_provider(&mut read, actor, provider, Action::View).await?;
            Some(provider)
        }
    };
    if actor.site.is_some() {
        return Ok(Vec::new());
    }
    let mut views = Vec::new();
    for row in held_installation::waiting(&mut read, whose, MAX_LISTED).await? {
        let documents = held_installation::count(&mut read, row.installation).await?;
        views.push(HeldView {
            installation: row.installation,
            provider: row.provider,
            license: row.license,
            host: row.name,
            heard: (row.first, row.seen),
            documents,
        });
    }
    Ok(views)
}

/// Confirms a held installation: it exists again under a license, and what was kept of it is counted as of the day it came.
/// At its next check-in it is out of step and rejoins. Gives how many documents were taken.
///
/// For the provider it belonged to, and for the vendor's administrator.
pub async fn confirm_held(
    service: &Service,
    actor: &Actor,
    id: InstallationId,
    wanted: HeldConfirmation,
    idempotency: Option<Idempotency>,
) -> Result<u32> {
    service.must_go_on()?;
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let (service, now) = (&service_, service_.now());
            may_decide(tx, &actor).await?;
            let begun: Begun<u32> =
                idempotent::begin(tx, &actor, "installation.confirm_held", idempotency.as_ref(), now).await?;
            let remember = match begun {
                Begun::Do(remember) => remember,
                Begun::Done(taken) => return Ok(taken),
            };
            let held = lock_undecided(tx, &actor, id).await?;
            let provider = wanted.provider.unwrap_or(held.provider);
            if kind_of(tx, &actor).await? == OrgKind::Provider && provider != actor.org {
                return Err(ProblemKind::NotFound.into());
            }
            let row = license::find(tx, provider, wanted.license).await?;
            let row = row.ok_or_else(|| ProblemKind::NotFound.because("there is no such license"))?;
            if row.ended.is_some() {
                return Err(ProblemKind::InstallationState.because("that license has ended; name another").into());
            }
            held_installation::confirm(tx, id, now).await?;
            let taken = check_in::create_confirmed(service, tx, &held, &row, now).await?;
            let body = json!({
                "license": row.id, "license_before": held.license, "provider_before": held.provider,
                "host": held.name, "documents": taken,
            });
            change::by(tx, &actor, provider, "installation.confirmed", id.to_string(), now, body);
            idempotent::remember(tx, remember, &taken).await?;
            Ok::<_, Error>(taken)
        })
        .await
}

/// Says that a held installation is nobody's: it is not listed any more, and nothing more of it is kept. What was kept stays
/// as evidence.
pub async fn refuse_held(
    service: &Service,
    actor: &Actor,
    id: InstallationId,
    idempotency: Option<Idempotency>,
) -> Result<()> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let now = service_.now();
            may_decide(tx, &actor).await?;
            let begun: Begun<()> =
                idempotent::begin(tx, &actor, "installation.refuse_held", idempotency.as_ref(), now).await?;
            let Begun::Do(remember) = begun else { return Ok(()) };
            let held = lock_undecided(tx, &actor, id).await?;
            held_installation::refuse(tx, id, now).await?;
            let body = json!({ "license": held.license, "host": held.name });
            change::by(tx, &actor, held.provider, "installation.refused", id.to_string(), now, body);
            idempotent::remember(tx, remember, &()).await?;
            Ok::<_, Error>(())
        })
        .await
}

async fn may_decide(conn: &mut Conn, actor: &Actor) -> Result<()> {
    match kind_of(conn, actor).await? {
        OrgKind::Vendor => at_home(conn, actor, Action::ManageProgram).await.map(|_| ()),
        _ if actor.site.is_some() => Err(ProblemKind::NotFound.into()),
        _ => at_provider(conn, actor, actor.org, Action::ManageLicenses).await,
    }
}

async fn lock_undecided(tx: &mut tenure_store::Tx, actor: &Actor, id: InstallationId) -> Result<HeldRow> {
    let held = held_installation::lock(tx, id).await?;
    let is_vendor = kind_of(tx, actor).await? == OrgKind::Vendor;
    let held = held.filter(|held| is_vendor || held.provider == actor.org).ok_or(ProblemKind::NotFound)?;
    let decided = held.confirmed.map(|_| "confirmed").or(held.refused.map(|_| "refused"));
    match decided {
        Some(how) => Err(ProblemKind::InstallationState.because(format!("it was {how} before")).into()),
        None => Ok(held),
    }
}

//! Rental agreements as their parties see them.

use tenure_core::{
    AgreementId, OrgId, Timestamp,
    agreement::{Agreement, AgreementStanding},
    roles::{Action, OrgKind},
};
use tenure_store::{
    Conn,
    rows::{
        agreement::{self, AgreementRow, DatedTerms},
        org,
    },
};

use crate::{Actor, Page, Paging, Result, Service, authorize::at_home, page};

/// An agreement with the names of its parties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementView {
    /// The agreement.
    pub agreement: AgreementRow,
    /// The provider's name.
    pub provider_name: String,
    /// The distributor's name.
    pub distributor_name: String,
    /// What it commits to from later months on, where that changed.
    pub terms: Vec<DatedTerms>,
}

impl AgreementView {
    /// How it stands at an instant.
    pub fn standing(&self, at: Timestamp) -> AgreementStanding {
        terms(&self.agreement).standing(at)
    }
}

/// The agreements the actor's organization is a party of, in the order they were added; for the vendor, all.
pub async fn list_agreements(service: &Service, actor: &Actor, paging: &Paging) -> Result<Page<AgreementView>> {
    let limit = paging.limit()?;
    let after = paging.after(service, actor.org, "agreements")?.map(AgreementId::from_uuid);
    let mut read = service.store().read().await?;
    let (provider, distributor) = match at_home(&mut read, actor, Action::View).await? {
        OrgKind::Provider => (Some(actor.org), None),
        OrgKind::Distributor => (None, Some(actor.org)),
        OrgKind::Vendor => (None, None),
    };
    let rows = agreement::page(&mut read, provider, distributor, after, limit + 1).await?;
    let rows = page::cut(service, actor.org, "agreements", rows, limit, |row| row.id.uuid());
    let mut items = Vec::with_capacity(rows.items.len());
    for row in rows.items {
        items.push(with_names(&mut read, row).await?);
    }
    Ok(Page { items, next: rows.next })
}

/// An agreement as core judges it.
pub(crate) fn terms(row: &AgreementRow) -> Agreement {
    Agreement {
        kind: row.kind,
        signed_at: row.signed,
        ends_at: row.ends,
        terminated_at: row.terminated,
        minimum: row.commit,
        limit: row.limit,
    }
}

/// An agreement just written, with the names of its parties.
pub async fn view_agreement(service: &Service, agreement: AgreementRow) -> Result<AgreementView> {
    let mut read = service.store().read().await?;
    with_names(&mut read, agreement).await
}

/// An agreement with the names of its parties and its later terms.
pub(crate) async fn with_names(conn: &mut Conn, agreement: AgreementRow) -> Result<AgreementView> {
    Ok(AgreementView {
        provider_name: name(conn, agreement.provider).await?,
        distributor_name: name(conn, agreement.distributor).await?,
        terms: agreement::terms(conn, agreement.provider, agreement.id).await?,
        agreement,
    })
}

async fn name(conn: &mut Conn, id: OrgId) -> Result<String> {
    Ok(org::find(conn, id).await?.map(|org| org.name).unwrap_or_default())
}

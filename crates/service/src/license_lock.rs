//! A template with its present license, locked for a change, in the one lock order (X8).

use tenure_core::OrgId;
use tenure_store::{
    Tx,
    rows::{
        agreement::{self, AgreementRow},
        issued_license,
        license::{self, LicenseRow},
        template::{self, TemplateRow},
    },
};

use crate::{Actor, Error, LicenseKey, ProblemKind, Result, authorize::sees_site};

/// The template and its license, locked, if they are the actor's own and within its reach.
pub(crate) async fn lock_mine(
    tx: &mut Tx,
    actor: &Actor,
    key: LicenseKey,
) -> Result<(TemplateRow, Option<LicenseRow>)> {
    let locked = key.lock(tx, actor.org).await?;
    Ok(locked.filter(|(template, _)| sees_site(actor, template.site)).ok_or(ProblemKind::NotFound)?)
}

/// The agreement a template is rented under.
pub(crate) async fn agreement_of(tx: &mut Tx, template: &TemplateRow) -> Result<AgreementRow> {
    let agreement = agreement::find(tx, template.provider, template.agreement).await?;
    agreement.ok_or(Error::Internal("a template of no agreement"))
}

impl LicenseKey {
    /// The template and its license, locked. By a license's id only while it is the template's present one.
    pub(crate) async fn lock(self, tx: &mut Tx, provider: OrgId) -> Result<Option<(TemplateRow, Option<LicenseRow>)>> {
        let template = match self {
            Self::Template(id) => id,
            Self::License(id) => match license::find(tx, provider, id).await? {
                Some(row) => row.template,
                None => return Ok(None),
            },
        };
        let Some(unlocked) = template::find(tx, provider, template).await? else { return Ok(None) };
        let license = match (self, unlocked.license) {
            (Self::License(asked), present) if present != Some(asked) => return Ok(None),
            (_, None) => None,
            (_, Some(id)) => {
                // Chains before licenses: the one lock order (X8).
                issued_license::lock_active(tx, provider, &[id]).await?;
                license::lock(tx, provider, id).await?
            }
        };
        let template = template::lock(tx, provider, template).await?.filter(|row| row.license == unlocked.license);
        // Somebody assigned it between the two looks: as good as not found, and so rare that a second try is fine.
        Ok(template.map(|template| (template, license)))
    }
}

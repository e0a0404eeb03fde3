//! Downloading a license: the newest of one installation, or an activation license with a one-time code.

use tenure_core::{InstallationId, Timestamp, roles::Action, suspension::Wish};
use tenure_license::{ActivationCode, ActivationGrant, Hash, License, LicenseFile, Payload};
use tenure_store::{
    Queue,
    rows::{
        agreement, chain, installation,
        installation::NewCode,
        issued_license,
        license::{self, LicenseRow},
        product, template,
    },
};

use crate::{
    Actor, Error, LicenseKey, ProblemKind, Result, Service,
    authorize::{at_provider, sees_site},
    change, issue,
    license_rules::{self, Facts},
};

/// A license to install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadedLicense {
    /// A name for the file.
    pub file_name: String,
    /// The armored file.
    pub content: String,
    /// Of an activation license: the one-time code inside it and when it lapses.
    pub activation: Option<(String, Timestamp)>,
}

/// Downloads a license of the actor's organization. For an installation, it is the newest license bound to it; without,
/// an activation license whose code works once, for at most 72 hours, and is stored as a hash. Each such download makes
/// another code.
pub async fn download_license(
    service: &Service,
    actor: &Actor,
    key: LicenseKey,
    installation: Option<InstallationId>,
) -> Result<DownloadedLicense> {
    match installation {
        Some(installation) => bound(service, actor, key, installation).await,
        None => unbound(service, actor, key).await,
    }
}

async fn bound(
    service: &Service,
    actor: &Actor,
    key: LicenseKey,
    installation: InstallationId,
) -> Result<DownloadedLicense> {
    let provider = actor.org;
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, provider, Action::ManageLicenses).await?;
    let row = find(&mut read, actor, key).await?;
    let known = installation::find(&mut read, provider, installation).await?;
    let host = known
        .filter(|found| found.license == row.id && found.retired.is_none())
        .ok_or_else(|| ProblemKind::NotFound.because("this license has no such installation"))?
        .name;
    let chain =
        chain::find(&mut read, installation).await?.ok_or(Error::Internal("an installation without a chain"))?;
    if chain.status == "suspended_clone" {
        let words = "two machines speak as it, so no license is renewed until that is settled";
        return Err(ProblemKind::InstallationState.because(words).into());
    }
    let newest = issued_license::newest(&mut read, provider, row.id, installation).await?;
    let newest = newest.ok_or(Error::Internal("an installation without a license"))?;
    let product = product::find(&mut read, row.product).await?.ok_or(Error::Internal("a license of no product"))?;
    drop(read);
    let envelope = issue::signed(service, provider, row.id, installation, newest.epoch, newest.serial).await?;
    Ok(DownloadedLicense {
        file_name: file_name(&product.code, &host),
        content: LicenseFile::to_text(&envelope),
        activation: None,
    })
}

async fn unbound(service: &Service, actor: &Actor, key: LicenseKey) -> Result<DownloadedLicense> {
    let code = ActivationCode::generate(service.rng());
    let now = service.now();
    let until = now.plus_secs(i64::from(service.policy().activation_code_hours) * 3_600);
    let (service_, actor) = (service.clone(), actor.clone());
    let (payload, product) = service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            at_provider(tx, &actor, actor.org, Action::ManageLicenses).await?;
            let row = find(tx, &actor, key).await?;
            let agreement = agreement::find(tx, row.provider, row.agreement).await?;
            let agreement = agreement.ok_or(Error::Internal("a license of no agreement"))?;
            let holding = tenure_core::assignment::Holding::Assigned;
            let facts = Facts::gather(service, tx, agreement, row.usage_type, holding, None).await?;
            facts.may(Wish::Download)?;
            let product = product::find(tx, row.product).await?.ok_or(Error::Internal("a license of no product"))?;
            let new = NewCode {
                hash: *code.hash().as_bytes(),
                provider: row.provider,
                license: row.id,
                replaces: None,
                splits: false,
                now,
                until,
                enroll_token: None,
            };
            installation::insert_code(tx, &new).await?;
            let grant = ActivationGrant { code: code.to_string(), until: until.as_secs() };
            let payload = issue::activation_payload(service, tx, &row, grant, now).await?;
            let body = serde_json::json!({
                "hash": Hash::of_payload(License::TYPE, &payload), "until": until,
            });
            change::by(tx, &actor, row.provider, "license.code_made", row.id.to_string(), now, body);
            Ok::<_, Error>((payload, product.code))
        })
        .await?;
    let envelope = service.keys().sign_license(License::TYPE, payload, now);
    Ok(DownloadedLicense {
        file_name: file_name(&product, "activation"),
        content: LicenseFile::to_text(&envelope),
        activation: Some((code.to_string(), until)),
    })
}

/// The present license behind a key of the actor's organization.
pub(crate) async fn find(conn: &mut tenure_store::Conn, actor: &Actor, key: LicenseKey) -> Result<LicenseRow> {
    let provider = actor.org;
    let id = match key {
        LicenseKey::License(id) => id,
        LicenseKey::Template(id) => {
            let row = template::find(conn, provider, id).await?.filter(|row| sees_site(actor, row.site));
            let refusal = tenure_core::assignment::LicenseRefusal::NotAssigned;
            row.ok_or(ProblemKind::NotFound)?.license.ok_or_else(|| license_rules::refused(refusal))?
        }
    };
    let row = license::find(conn, provider, id).await?;
    let row = row.filter(|row| row.ended.is_none() && sees_site(actor, row.site));
    Ok(row.ok_or(ProblemKind::NotFound)?)
}

/// `backup-server-host.lic`, of letters that are safe in a file's name everywhere.
pub(crate) fn file_name(product: &str, what: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '-' };
    let what: String = what.chars().take(64).map(safe).collect();
    format!("{product}-{}.lic", what.trim_matches(['-', '.']))
}

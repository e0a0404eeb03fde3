//! Re-identification: a one-time code bound to (license, installation replaced) makes a new installation that takes over
//! after a reinstallation, a lost key, or for one side of a clone (protocol, 2.7).

use tenure_core::{InstallationId, suspension::Wish};
use tenure_license::{ActivationCode, ActivationGrant, Hash, License, LicenseFile, Payload};
use tenure_store::{
    Queue,
    rows::{agreement, installation, installation::NewCode, license, product},
};

use crate::{
    Actor, DownloadedLicense, Error, ProblemKind, Result, Service, change, installation_view::lock_mine, issue,
    license_download, license_rules::Facts,
};

/// Makes a code with which a machine activates anew, in place of an installation of the actor's organization. First-seen
/// dates and obligations carry over. Of a clone, one side becomes a server of its own and the other keeps the identity;
/// otherwise the replaced one is not expected any more once the code is used.
pub async fn reidentify_installation(
    service: &Service,
    actor: &Actor,
    id: InstallationId,
) -> Result<DownloadedLicense> {
    let code = ActivationCode::generate(service.rng());
    let now = service.now();
    let until = now.plus_secs(i64::from(service.policy().activation_code_hours) * 3_600);
    let (service_, actor) = (service.clone(), actor.clone());
    let (payload, product) = service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let old = lock_mine(tx, &actor, id).await?;
            let row = license::find(tx, old.provider, old.license).await?;
            let row = row.ok_or(Error::Internal("a server of no license"))?;
            if old.retired.is_some() || row.ended.is_some() {
                let words = "it is retired, or its license has ended; activate with a code of another license";
                return Err(ProblemKind::InstallationState.because(words).into());
            }
            let agreement = agreement::find(tx, row.provider, row.agreement).await?;
            let agreement = agreement.ok_or(Error::Internal("a license of no agreement"))?;
            let holding = tenure_core::assignment::Holding::Assigned;
            let facts = Facts::gather(service, tx, agreement, row.usage_type, holding, None).await?;
            facts.may(Wish::Download)?;
            let product = product::find(tx, row.product).await?.ok_or(Error::Internal("a license of no product"))?;
            // One at a time: a second code takes the place of the first.
            installation::void_codes(tx, row.provider, id, now).await?;
            let splits = old.status == "suspended_clone";
            let new = NewCode {
                hash: *code.hash().as_bytes(),
                provider: row.provider,
                license: row.id,
                replaces: Some(id),
                splits,
                now,
                until,
                enroll_token: None,
            };
            installation::insert_code(tx, &new).await?;
            let grant = ActivationGrant { code: code.to_string(), until: until.as_secs() };
            let payload = issue::activation_payload(service, tx, &row, grant, now).await?;
            let body = serde_json::json!({
                "license": row.id, "hash": Hash::of_payload(License::TYPE, &payload), "until": until, "splits": splits,
            });
            change::by(tx, &actor, row.provider, "installation.code_made", id.to_string(), now, body);
            Ok::<_, Error>((payload, product.code))
        })
        .await?;
    let envelope = service.keys().sign_license(License::TYPE, payload, now);
    Ok(DownloadedLicense {
        file_name: license_download::file_name(&product, "activation"),
        content: LicenseFile::to_text(&envelope),
        activation: Some((code.to_string(), until)),
    })
}

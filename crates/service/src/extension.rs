//! Extensions: a reported period gives a license one more month, once ("Validity"; X1).

use tenure_core::{LicenseId, OrgId, Period, reported::ReportedCause};
use tenure_store::{Tx, rows::extension};

use crate::{Result, Service, change, issue};

/// Grants a period to licenses of a provider that do not have it yet, and writes their next licenses. Returns those that
/// got it. One that had it keeps its first cause.
pub(crate) async fn grant(
    service: &Service,
    tx: &mut Tx,
    provider: OrgId,
    licenses: &[LicenseId],
    period: Period,
    cause: ReportedCause,
) -> Result<Vec<LicenseId>> {
    if licenses.is_empty() {
        return Ok(Vec::new());
    }
    let now = service.now();
    let granted = extension::grant(tx, provider, licenses, period, cause, now).await?;
    if granted.is_empty() {
        return Ok(granted);
    }
    issue::issue_many(service, tx, provider, &granted).await?;
    for id in &granted {
        let body = serde_json::json!({ "period": period, "cause": cause });
        change::record(tx, "server", provider, "license.extended", id.to_string(), now, body);
    }
    Ok(granted)
}

#[cfg(test)]
#[path = "../tests/licensing/support.rs"]
#[expect(dead_code, reason = "shared with the tests of the use cases, which need more of it")]
mod support;

#[cfg(test)]
mod tests {
    use tenure_core::{AgreementKind, LicenseId, Period, reported::ReportedCause};
    use tenure_store::{Queue, outbox};

    use super::{
        grant,
        support::{Provider, World, at, kind},
    };
    use crate::{LicenseKey, ProblemKind, Result, view_license};

    async fn granted(world: &World, provider: &Provider, ids: Vec<LicenseId>, period: &str) -> Result<Vec<LicenseId>> {
        let (service, org) = (world.service.clone(), provider.org);
        let period: Period = period.parse().expect("a period");
        let write = async move |tx: &mut tenure_store::Tx| {
            grant(&service, tx, org, &ids, period, ReportedCause::Submission).await
        };
        world.service.store().write(Queue::People, write).await
    }

    #[tokio::test]
    async fn each_server_gets_the_month_once_however_often_it_is_granted() {
        let world = World::at("2026-01-31T10:00:00Z").await;
        let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
        world.enroll(&provider).await;
        let company = world.company(&provider, "Contoso AG").await;
        let (shared, idle) =
            (world.assigned(&provider, company, true).await, world.assigned(&provider, company, true).await);
        let mut first = world.activate(&provider, shared, "h1").await;
        let mut second = world.activate(&provider, shared, "h2").await;
        second.check_in(&world).await;
        world.set("2026-02-03T10:00:00Z");
        assert_eq!(granted(&world, &provider, vec![shared, idle], "2026-01").await.unwrap(), [shared, idle]);
        first.check_in(&world).await;
        second.check_in(&world).await;
        for product in [&first, &second] {
            assert_eq!(product.license.expires_at, at("2026-05-15T10:00:00Z").as_secs());
            assert_eq!(product.license.reported_through.map(|through| through.to_string()), Some("2026-01".into()));
        }
        assert_eq!(first.held.serial, second.held.serial);
        let serial = first.held.serial;

        assert!(granted(&world, &provider, vec![shared, idle], "2026-01").await.unwrap().is_empty());
        first.check_in(&world).await;
        assert_eq!(first.held.serial, serial, "nothing is issued for what was granted");
        granted(&world, &provider, vec![shared], "2026-03").await.unwrap();
        first.check_in(&world).await;
        assert!(first.held.serial > serial);
        assert_eq!(first.license.expires_at, at("2026-05-15T10:00:00Z").as_secs(), "February is missing");
        granted(&world, &provider, vec![shared], "2026-02").await.unwrap();
        first.check_in(&world).await;
        assert_eq!(first.license.expires_at, at("2026-07-15T10:00:00Z").as_secs());
        let idle = LicenseKey::License(idle);
        let (view, _) = view_license(&world.service, &provider.admin, None, idle).await.unwrap();
        assert_eq!(view.life.map(|life| life.expires), Some(at("2026-05-15T10:00:00Z")), "a license without a server");

        let mut read = world.service.store().read().await.unwrap();
        let sent = outbox::pending(&mut read, world.service.now(), 500).await.unwrap();
        let told = sent.iter().filter(|message| message.kind == "license.extended").count();
        assert_eq!(told, 4, "each extension is told once");
    }

    #[tokio::test]
    async fn another_providers_license_is_not_extended() {
        let world = World::at("2026-01-31T10:00:00Z").await;
        let provider = world.provider("Northlight Hosting", AgreementKind::NoCommit).await;
        let other = world.provider("Northlight Hosting", AgreementKind::NoCommit).await;
        let company = world.company(&provider, "Contoso AG").await;
        let license = world.assigned(&provider, company, true).await;
        let mut product = world.activate(&provider, license, "h1").await;
        assert!(granted(&world, &other, vec![license], "2026-01").await.unwrap().is_empty());
        product.check_in(&world).await;
        assert_eq!(product.license.expires_at, at("2026-04-15T10:00:00Z").as_secs());
        let key = LicenseKey::License(license);
        assert_eq!(kind(view_license(&world.service, &other.admin, None, key).await), ProblemKind::NotFound);
    }
}

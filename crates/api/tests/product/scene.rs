//! A provider with a license, and servers that activate it.

use tenure_core::LicenseId;
use tenure_service::{Actor, ActorKind, LicenseKey, Month, MonthRef, download_license, view_license, view_month};
use tenure_testkit::{Market, TestApp, TestInstallation};

/// The application and what was made in it.
pub(crate) struct Scene {
    pub(crate) app: TestApp,
    pub(crate) provider: Actor,
    pub(crate) distributor: Actor,
    license: LicenseId,
}

impl Scene {
    /// The license is assigned on 5 January 2026, 09:00; its clock stands there.
    pub(crate) async fn new() -> Self {
        Self::on(TestApp::new("2026-01-05T09:00:00Z").await).await
    }

    /// The same in an application that stands at that instant.
    pub(crate) async fn on(app: TestApp) -> Self {
        let market = Market::new(&app.service).await;
        let license = market.license(&app.service, market.company, true).await;
        // Somebody else than who submits.
        let kind = ActorKind::Person(tenure_core::UserId::generate(app.service.now(), app.service.rng()));
        let distributor = Actor { kind, ..market.distributor };
        Self { app, provider: market.provider, distributor, license }
    }

    /// A one-time code for the license.
    pub(crate) async fn code(&self) -> String {
        let key = LicenseKey::License(self.license);
        let file = download_license(&self.app.service, &self.provider, key, None).await.expect("an activation license");
        file.activation.expect("a code").0
    }

    /// A server that activated the license.
    pub(crate) async fn server(&self) -> TestInstallation {
        let code = self.code().await;
        TestInstallation::activate(&self.app, &code, "file-backup", "bkp-01.contoso.example").await
    }

    /// An activation license file.
    pub(crate) async fn activation_file(&self) -> String {
        let key = LicenseKey::License(self.license);
        download_license(&self.app.service, &self.provider, key, None).await.expect("an activation license").content
    }

    /// The newest bound license of the newest installation, as it was signed.
    pub(crate) async fn newest_license(&self) -> tenure_license::Envelope {
        let key = LicenseKey::License(self.license);
        let (_, installations) = view_license(&self.app.service, &self.provider, None, key).await.expect("the license");
        let installation = installations.last().expect("an installation").id;
        let file = download_license(&self.app.service, &self.provider, key, Some(installation)).await;
        tenure_license::LicenseFile::parse(&file.expect("a bound license").content).expect("a license file")
    }

    /// January as the provider sees it.
    pub(crate) async fn january(&self) -> Month {
        let own = MonthRef::Own("2026-01".parse().expect("a month"));
        view_month(&self.app.service, &self.provider, own).await.expect("the month")
    }

    /// What counts of a server in January.
    pub(crate) async fn counted(&self, server: &TestInstallation) -> Option<i64> {
        let month = self.january().await;
        let of_server = |line: &&tenure_service::Line| line.installation.as_ref().is_some_and(|at| at.id == server.ins);
        month.lines.iter().find(of_server).map(|line| line.count)
    }
}

//! Installing a license on a server: it is handed out at the server's next check-in, if it is the one the server runs.

use tenure_core::InstallationId;
use tenure_license::LicenseFile;

use crate::{
    Actor, LicenseKey, ProblemKind, Result, Service, update_installation_now, view_installation, view_license,
};

/// Hands the newest license to one of its servers, whatever that server's setting, at its next check-in. A server of another
/// license takes a new one by activating its file.
pub async fn install_license(service: &Service, actor: &Actor, key: LicenseKey, server: InstallationId) -> Result<()> {
    let (_, installations) = view_license(service, actor, None, key).await?;
    if !installations.iter().any(|one| one.id == server) {
        // A server of somebody else does not exist; one of another license gets this one with a file and its code.
        view_installation(service, actor, None, server).await?;
        let words = "this server runs another license; download this one and activate it there";
        return Err(ProblemKind::InstallationState.because(words).into());
    }
    update_installation_now(service, actor, server).await
}

/// The same for the license that a file of this server's is about.
pub async fn install_license_file(service: &Service, actor: &Actor, text: &str, server: InstallationId) -> Result<()> {
    // Whose server it is comes first: nobody learns anything of a file by trying it on somebody else's.
    view_installation(service, actor, None, server).await?;
    let envelope = LicenseFile::parse(text).map_err(|error| ProblemKind::InvalidInput.because(error.to_string()))?;
    let license = service.root().verify_license(&envelope);
    let license = license
        .map_err(|error| ProblemKind::InvalidInput.because(format!("the file is no license of here: {error}")))?;
    install_license(service, actor, LicenseKey::License(license.license), server).await
}

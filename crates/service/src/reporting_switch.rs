//! Completing a switch of automatic reporting once every active installation has shown the license of the switch.

use tenure_core::{
    LicenseId, LicenseSerial, OrgId,
    reporting::{self, Shown, SwitchProgress},
};
use tenure_store::{
    Conn, Tx,
    rows::{
        chain, installation,
        license::{self, LicenseRow},
    },
};

use crate::{Result, Service, change};

/// How far a license's switch is, from what its active installations have shown.
pub(crate) async fn progress(conn: &mut Conn, row: &LicenseRow) -> Result<SwitchProgress> {
    if !row.reporting.is_switching() {
        return Ok(reporting::progress(row.reporting, row.switched_with, []));
    }
    let mut active = Vec::new();
    for one in installation::of_license(conn, row.provider, row.id).await? {
        if one.retired.is_some() {
            continue;
        }
        let shown = chain::find(conn, one.id).await?.map(|chain| chain.shown);
        let serial = shown.filter(|shown| *shown != (0, 0)).map(|(epoch, serial)| LicenseSerial { epoch, serial });
        active.push(Shown { installation: one.id, serial, automatic_update: one.auto_update });
    }
    Ok(reporting::progress(row.reporting, row.switched_with, active))
}

/// Completes the switch of a license if nothing is waited for any more. Called after each change of what an installation
/// shows, and when one is retired.
pub(crate) async fn complete_if_shown(
    service: &Service,
    tx: &mut Tx,
    provider: OrgId,
    license: LicenseId,
) -> Result<()> {
    let Some(row) = license::find(tx, provider, license).await? else { return Ok(()) };
    if !row.reporting.is_switching() || row.ended.is_some() {
        return Ok(());
    }
    let to = progress(tx, &row).await?.state;
    if to != row.reporting && license::complete_switch(tx, provider, license, row.reporting, to).await? {
        let body = serde_json::json!({ "from": row.reporting, "to": to });
        let (subject, now) = (license.to_string(), service.now());
        change::record(tx, "server", provider, "license.reporting_complete", subject, now, body);
    }
    Ok(())
}

//! The continuity note: it lets a product go on when its vendor is gone (protocol, R2).

use tenure_core::Timestamp;
use tenure_license::{Continuity, Envelope};

use super::LicenseKeeper;
use crate::{error::AgentError, record::Record};

impl LicenseKeeper {
    /// Takes a continuity note. It does nothing until its date has come and the server has been silent for 60 days of
    /// running time, and ends with the next signed answer. Gives the end that licenses then have at the latest.
    ///
    /// # Errors
    /// When it is not signed by the continuity keys, was revoked, is for other products, or this installation was never
    /// activated.
    pub fn take_continuity(&mut self, note: &Envelope) -> Result<Timestamp, AgentError> {
        if self.state.joined.is_none() || self.state.license.is_none() {
            return Err(AgentError::NotActivated);
        }
        let verified = self.verify_with_walk(|root| root.verify_continuity(note));
        let verified = verified.map_err(|error| AgentError::Continuity(error.to_string()))?;
        if !verified.products.contains(&self.settings.product) {
            let ours = &self.settings.product;
            return Err(AgentError::Continuity(format!("it is not for the product `{ours}`")));
        }
        self.commit(vec![Record::ContinuityTaken { note: note.clone() }])?;
        self.check_continuity();
        Ok(Timestamp::from_secs(verified.until))
    }

    /// Looks whether the note held still counts: a later trust root may have revoked it.
    pub(super) fn check_continuity(&mut self) {
        let note = self.state.continuity.as_ref().map(|note| self.root.verify_continuity(note));
        self.continuity = match note {
            None => None,
            Some(Ok(note)) => {
                Some(note.into_inner()).filter(|note: &Continuity| note.products.contains(&self.settings.product))
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "the continuity note held does not count");
                None
            }
        };
    }
}

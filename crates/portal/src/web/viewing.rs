//! Who looks at a page, where they are, and what is drawn around it.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};
use tenure_core::{
    Timestamp,
    roles::{Action, OrgKind, Role},
};
use tenure_service::{Actor, Attention, ProblemKind, Service, SignedInPerson, authenticate_session, view_attention};
use zeroize::Zeroizing;

use super::{Portal, Refused, SessionCookie, session::cookie};
use crate::{
    format::{Deadline, Zone},
    pages::{Desk, Frame, Viewer},
};

/// Whether htmx asks, and so wants the part alone.
pub(crate) struct Htmx;

impl Htmx {
    pub(crate) fn of(headers: &HeaderMap) -> bool {
        headers.get("hx-request").is_some_and(|value| value.as_bytes() == b"true")
    }
}

/// A signed-in person looking at a page.
#[derive(Clone)]
pub(crate) struct Viewing {
    /// The use cases.
    pub(crate) service: Service,
    /// Who.
    pub(crate) person: SignedInPerson,
    /// The session's token, which tells this session from the person's others.
    pub(crate) token: Zeroizing<String>,
    /// Where they are, as their browser told.
    pub(crate) zone: Option<Zone>,
    /// Program time.
    pub(crate) now: Timestamp,
    /// htmx asks.
    pub(crate) htmx: bool,
}

impl FromRequestParts<Portal> for Viewing {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Refused> {
        let token = SessionCookie::read(&parts.headers, portal.options).ok_or(ProblemKind::Unauthenticated)?;
        let person = authenticate_session(&portal.service, token).await?;
        // A company's viewer sees its own company; nothing else of the provider exists for it.
        if person.actor.role == Role::CompanyViewer && !is_for_viewers(parts.uri.path()) {
            return Err(ProblemKind::NotFound.into());
        }
        let token = Zeroizing::new(token.to_owned());
        Ok(Self {
            service: portal.service.clone(),
            person,
            token,
            zone: cookie(&parts.headers, "tenure-zone").and_then(Zone::named),
            now: portal.service.now(),
            htmx: Htmx::of(&parts.headers),
        })
    }
}

impl Viewing {
    /// Who acts, for use cases.
    pub(crate) fn actor(&self) -> &Actor {
        &self.person.actor
    }

    /// The side they sit on. People have roles of their own side; only tokens do not, and they have no session.
    pub(crate) fn desk(&self) -> Desk {
        match self.actor().role.org_kind() {
            _ if self.actor().role == Role::CompanyViewer => Desk::Company,
            Some(OrgKind::Vendor) => Desk::Vendor,
            Some(OrgKind::Distributor) => Desk::Distributor,
            Some(OrgKind::Provider) | None => Desk::Provider,
        }
    }

    /// Whether to draw what leads to an action; the use case decides again. `has_sites` says whether the provider has
    /// sites, where that makes a difference.
    pub(crate) fn may(&self, action: Action, has_sites: bool) -> bool {
        let role = self.actor().role;
        role.org_kind().is_some_and(|kind| role.may(action, kind, has_sites))
    }

    /// A fresh idempotency key for a form: sent twice, the form is done once.
    pub(crate) fn fresh_key(&self) -> String {
        use std::fmt::Write;
        self.service.rng().nonce().iter().fold(String::new(), |mut key, byte| {
            let _ = write!(key, "{byte:02x}");
            key
        })
    }

    /// An instant somebody must act by.
    pub(crate) fn deadline(&self, at: Timestamp) -> Deadline {
        Deadline { at, now: self.now, zone: self.zone.clone() }
    }

    /// Whether the viewer's organization is suspended.
    pub(crate) async fn is_suspended(&self) -> Result<bool, Refused> {
        Ok(!self.attention().await?.suspended_by.is_empty())
    }

    /// A viewer of one company has no part in the provider's months, so nothing wants its attention.
    async fn attention(&self) -> Result<Attention, Refused> {
        match view_attention(&self.service, self.actor()).await.map_err(Refused::from) {
            Err(refused) if refused.problem().kind == ProblemKind::Forbidden => Ok(Attention::default()),
            known => known,
        }
    }

    /// What is drawn around the page.
    pub(crate) async fn frame(&self) -> Result<Frame, Refused> {
        let attention = self.attention().await?;
        Ok(Frame {
            viewer: Some(Viewer {
                name: self.person.name.clone(),
                organization: self.person.org_name.clone(),
                role: self.actor().role.title().to_owned(),
                desk: self.desk(),
            }),
            waiting: attention.waiting,
            suspended_by: attention.suspended_by,
            demo_clock: self.service.deployment().test_clock.then_some(self.now),
        })
    }
}

/// The pages of a company's viewer: its company and its own account.
fn is_for_viewers(path: &str) -> bool {
    let account = path.strip_prefix("/settings/account");
    matches!(path, "/" | "/own-company" | "/settings" | "/sign-out")
        || account.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A path of this portal, as it may stand in an address; `None` for anything that could lead elsewhere.
pub(crate) fn local_path(path: &str) -> Option<&str> {
    let local = path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    local.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_paths_are_gone_back_to() {
        assert_eq!(local_path("/months/2026-10?show=all#lines"), Some("/months/2026-10?show=all#lines"));
        for elsewhere in ["", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nb", "evil", "/ a"] {
            assert_eq!(local_path(elsewhere), None, "{elsewhere:?}");
        }
    }
}

//! What all pages share: who looks, how answers look, what is refused before a handler runs.

mod answer;
mod fields;
mod guard;
mod refused;
mod session;
mod viewing;

use tenure_service::Service;

pub(crate) use answer::{around, attachment, back_to, page, page_with, to};
pub(crate) use fields::{Fields, count_field};
pub(crate) use guard::guard;
pub(crate) use refused::{Refused, refusal};
pub(crate) use session::SessionCookie;
pub(crate) use viewing::{Htmx, Viewing, local_path};

/// How the portal is served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PortalOptions {
    /// People reach it over https, here or at a proxy in front: the session's cookie is then marked `Secure` and bound to
    /// this host, and browsers are told to stay with https.
    pub https: bool,
    /// Letters are sent, so that who lost a password can ask for a link.
    pub sends_letters: bool,
}

/// What every handler gets.
#[derive(Clone)]
pub(crate) struct Portal {
    /// The use cases.
    pub(crate) service: Service,
    /// How it is served.
    pub(crate) options: PortalOptions,
}

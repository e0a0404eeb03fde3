//! One TLS handshake, to tell what is wrong with a certificate or how long it is still good.

use std::{io, net::TcpStream, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, ClientConnection, Error as TlsError, RootCertStore,
    pki_types::{CertificateDer, ServerName},
};
use tenure_core::Timestamp;

use super::certificate::validity;
use crate::network::Network;

/// A handshake that went through.
pub(super) struct Handshake {
    /// `TLSv1.3`.
    pub(super) version: String,
    /// When the server's own certificate ends; none when that cannot be read.
    pub(super) until: Option<Timestamp>,
}

/// A handshake that did not, and what to do.
pub(super) struct Refused {
    pub(super) says: String,
    pub(super) what_to_do: String,
}

/// Shakes hands with `host` over a connection that stands.
pub(super) fn shake(network: &Network, host: &str, stream: &mut TcpStream) -> Result<Handshake, Refused> {
    let refused = |says: String, what_to_do: &str| Refused { says, what_to_do: what_to_do.to_owned() };
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|_| refused(format!("`{host}` cannot be a certificate's name"), "Correct the address."))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(error.to_string(), "Report this."))?
        .with_root_certificates(roots(network))
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), name);
    let mut connection = connection.map_err(|error| refused(error.to_string(), "Report this."))?;
    while connection.is_handshaking() {
        if let Err(error) = connection.complete_io(stream) {
            return Err(explained(host, &error));
        }
    }
    let version = connection.protocol_version().and_then(|version| version.as_str().map(str::to_owned));
    let leaf = connection.peer_certificates().and_then(<[CertificateDer<'_>]>::first);
    let until = leaf.and_then(|leaf| validity(leaf)).map(|(_, until)| until);
    connection.send_close_notify();
    // Whether the farewell arrives changes nothing.
    let _ = connection.write_tls(stream);
    Ok(Handshake { version: version.unwrap_or_default(), until })
}

fn roots(network: &Network) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    match network.authorities() {
        Some(authorities) => {
            roots.add_parsable_certificates(
                authorities.iter().map(|authority| CertificateDer::from(authority.der().to_vec())),
            );
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    roots
}

fn explained(host: &str, error: &io::Error) -> Refused {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    let (says, what_to_do) = match inner {
        Some(TlsError::InvalidCertificate(certificate)) => of_certificate(host, certificate),
        Some(TlsError::AlertReceived(alert)) => (
            format!("the server refused the handshake ({alert:?})"),
            "Let the server's operator offer TLS 1.2 or 1.3 for this name.".to_owned(),
        ),
        Some(other) => (
            format!("what answers does not speak TLS: {other}"),
            "Is the port right, and is nothing in between (a proxy, a captive portal)?".to_owned(),
        ),
        None => (
            format!("the connection broke during the handshake: {error}"),
            "A firewall that inspects TLS may cut it off: let it pass this host through.".to_owned(),
        ),
    };
    Refused { says, what_to_do }
}

fn of_certificate(host: &str, error: &CertificateError) -> (String, String) {
    match error {
        CertificateError::UnknownIssuer => (
            "the certificate is by an authority that is not believed here".to_owned(),
            "If it is a private authority, or a firewall that inspects TLS, set `ca_file` under [network] in agent.toml \
             to its certificate."
                .to_owned(),
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            format!("the certificate has ended ({error})"),
            "Let the server's operator renew it; if it is new, this machine's clock is wrong.".to_owned(),
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            format!("the certificate is not valid yet ({error})"),
            "This machine's clock is probably behind: set it.".to_owned(),
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            format!("the certificate is not for `{host}` ({error})"),
            "Use the name that the certificate has, or let the server's operator add this one.".to_owned(),
        ),
        other => (format!("the certificate is refused: {other}"), "Let the server's operator look at it.".to_owned()),
    }
}

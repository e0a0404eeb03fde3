//! The scripted server behind a real socket, plain and with TLS, and a proxy before it.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};

use crate::peer::Peer;

/// Serves the scripted server on a free port; gives its address.
pub(crate) fn serve(peer: Peer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let peer = peer.clone();
            std::thread::spawn(move || while answer(&peer, &mut stream) {});
        }
    });
    address
}

/// The same behind TLS.
pub(crate) fn serve_tls(peer: Peer, config: Arc<ServerConfig>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (peer, config) = (peer.clone(), Arc::clone(&config));
            std::thread::spawn(move || {
                let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
                while answer(&peer, &mut stream) {}
            });
        }
    });
    address
}

/// Reads up to the blank line after a head.
fn read_head(stream: &mut impl Read) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    String::from_utf8(head).ok()
}

fn header(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (known, value) = line.split_once(": ")?;
        known.eq_ignore_ascii_case(name).then(|| value.to_owned())
    })
}

/// One request of a connection; says whether there may be another.
fn answer(peer: &Peer, stream: &mut (impl Read + Write)) -> bool {
    let Some(head) = read_head(stream) else { return false };
    let length = header(&head, "content-length").map_or(0, |length| length.trim().parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let (status, json) = {
        let mut server = peer.server();
        if server.silent {
            // As a firewall that resets connections.
            return false;
        }
        match path.as_str() {
            "/product/v1/activate" => match server.activate(&serde_json::from_slice(&body).unwrap()) {
                Ok(answer) => (200, serde_json::to_vec(&answer).unwrap()),
                Err(refusal) => (409, format!("{{\"type\":\"/problems/{}\"}}", refusal.kind).into_bytes()),
            },
            "/product/v1/check-in" => {
                let answer = server.check_in(&serde_json::from_slice(&body).unwrap());
                let status = if answer.answer.claims::<tenure_license::OutOfStep>() { 409 } else { 200 };
                (status, serde_json::to_vec(&answer).unwrap())
            }
            "/product/v1/root" => (200, server.roots.last().unwrap().to_json().into_bytes()),
            _ => (404, b"{\"type\":\"/problems/not-found\"}".to_vec()),
        }
    };
    let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n", json.len());
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&json)).is_ok()
}

/// A private authority, and the certificate of one name by it.
pub(crate) struct Authority {
    pub(crate) pem: String,
    pub(crate) server: Arc<ServerConfig>,
}

impl Authority {
    /// Whose certificate is for `name`, and ends in the year given.
    pub(crate) fn new(name: &str, ends: i32) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(ends, 6, 30);
        let certificate = params.signed_by(&key, &authority).unwrap();
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        Self { pem: authority.pem(), server: Arc::new(config) }
    }
}

/// A CONNECT proxy that leads every name to one address.
pub(crate) struct ConnectProxy {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ConnectProxy {
    /// With `credentials`, `user:password` in base64 is asked for.
    pub(crate) fn new(leads_to: SocketAddr, credentials: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let Some(head) = read_head(&mut stream) else { continue };
                seen.lock().unwrap().push(head.lines().next().unwrap_or_default().to_owned());
                let shown = header(&head, "proxy-authorization");
                let allowed = credentials.is_none_or(|wanted| shown == Some(format!("Basic {wanted}")));
                let status = match (head.starts_with("CONNECT "), allowed) {
                    (false, _) => "405 x",
                    (true, false) => "407 x",
                    (true, true) => "200 x",
                };
                let ended = write!(stream, "HTTP/1.1 {status}\r\n\r\n").is_err() || !status.starts_with("200");
                if !ended && let Ok(server) = TcpStream::connect(leads_to) {
                    pipe(stream.try_clone().unwrap(), server.try_clone().unwrap());
                    pipe(server, stream);
                }
            }
        });
        Self { address, asked }
    }

    /// The first lines of what was asked.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn pipe(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        // Either side may hang up at any time.
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
}

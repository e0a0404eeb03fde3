//! Who may see the page: whoever got its one-time address from the daemon, and then whoever holds that browser's cookie.
//!
//! The daemon gives an address only through its socket, which is open to its own user alone. A session lives under a path
//! of its own: browsers keep cookies of one host apart by path and not by port, so another program that listens on this
//! machine never gets to see this one's.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tenure_core::{Clock, Rng};
use tenure_license::Hash;

use super::request::Request;

/// How long an address may wait for its one use.
const INVITATION_US: i64 = 10 * 60 * 1_000_000;
/// How long a session lives without a request.
const IDLE_US: i64 = 12 * 3600 * 1_000_000;
/// Addresses that wait, and sessions that live; of more, the oldest go.
const MAX_INVITATIONS: usize = 8;
const MAX_SESSIONS: usize = 8;
const COOKIE: &str = "tenure_page";

/// What a person is told after doing something, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) good: bool,
    pub(super) sentence: String,
}

/// A browser that was let in.
#[derive(Debug)]
struct Session {
    /// Its path, without slashes.
    path: String,
    /// Of the cookie's value: a secret is compared by its hash, so that no timing tells how much of it was right.
    secret: Hash,
    used_us: i64,
    notice: Option<Notice>,
}

#[derive(Debug, Default)]
struct Inside {
    invitations: Vec<(Hash, i64)>,
    sessions: Vec<Session>,
}

/// The door of one page. Its memory ends with the process.
pub(super) struct Door {
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    inside: Mutex<Inside>,
}

/// A new session: where it lives and the cookie that proves it.
pub(super) struct Entered {
    pub(super) path: String,
    pub(super) cookie: String,
}

impl Door {
    pub(super) fn new(clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Self {
        Self { clock, rng, inside: Mutex::default() }
    }

    /// A token that opens the page once.
    pub(super) fn invite(&self) -> String {
        let (token, now) = (self.secret(), self.elapsed_us());
        let mut inside = self.inside();
        if inside.invitations.len() == MAX_INVITATIONS {
            inside.invitations.remove(0);
        }
        inside.invitations.push((Hash::sha256(&token), now));
        token
    }

    /// Takes a token, which is used up by that.
    pub(super) fn enter(&self, token: &str) -> Option<Entered> {
        let (hash, now) = (Hash::sha256(token), self.elapsed_us());
        let mut inside = self.inside();
        let at = inside.invitations.iter().position(|(known, _)| *known == hash)?;
        let (_, made_us) = inside.invitations.remove(at);
        if now - made_us > INVITATION_US {
            return None;
        }
        let (path, secret) = (URL_SAFE_NO_PAD.encode(self.rng.nonce()), self.secret());
        if inside.sessions.len() == MAX_SESSIONS {
            let oldest = inside.sessions.iter().enumerate().min_by_key(|(_, session)| session.used_us);
            let oldest = oldest.map_or(0, |(at, _)| at);
            inside.sessions.remove(oldest);
        }
        let cookie = format!("{COOKIE}={secret}; Path=/{path}; HttpOnly; SameSite=Strict");
        let secret = Hash::sha256(&secret);
        inside.sessions.push(Session { path: path.clone(), secret, used_us: now, notice: None });
        Some(Entered { path, cookie })
    }

    /// Whether a request's cookie opens a path. Being used keeps a session alive.
    pub(super) fn admits(&self, path: &str, request: &Request) -> bool {
        let now = self.elapsed_us();
        let mut inside = self.inside();
        inside.sessions.retain(|session| now - session.used_us <= IDLE_US);
        let Some(session) = inside.sessions.iter_mut().find(|session| session.path == path) else { return false };
        let proven = request.cookie(COOKIE).any(|value| Hash::sha256(value) == session.secret);
        if proven {
            session.used_us = now;
        }
        proven
    }

    /// Leaves a word for the next page of a session.
    pub(super) fn tell(&self, path: &str, notice: Notice) {
        if let Some(session) = self.inside().sessions.iter_mut().find(|session| session.path == path) {
            session.notice = Some(notice);
        }
    }

    /// Takes the word that was left.
    pub(super) fn told(&self, path: &str) -> Option<Notice> {
        self.inside().sessions.iter_mut().find(|session| session.path == path)?.notice.take()
    }

    fn secret(&self) -> String {
        let mut bytes = [0; 32];
        self.rng.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn elapsed_us(&self) -> i64 {
        self.clock.boot().elapsed_us
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // Nothing in here is left half done by a panic.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a request may be one of this page's at all: it names this machine as its host, which a name that was pointed
/// here (DNS rebinding) does not, and it does not begin on another site.
pub(super) fn comes_from_here(request: &Request) -> bool {
    let name = match request.host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => request.host.as_str(),
    };
    // Any port: people forward one of theirs to this one. Any loopback address: the page may listen on each, and an
    // address cannot be pointed elsewhere as a name can.
    let local = match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse().is_ok_and(|address: Ipv6Addr| address.is_loopback()),
        None => name == "localhost" || name.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback()),
    };
    let own_origin = format!("http://{}", request.host);
    local && request.origin.as_ref().is_none_or(|origin| *origin == own_origin)
}

/// Whether a form was sent by one of this page's own pages. A browser says so; whoever says nothing is not one.
pub(super) fn was_sent_here(request: &Request) -> bool {
    let site = request.fetch_site.as_deref();
    site.is_none_or(|site| site == "same-origin") && (request.origin.is_some() || site.is_some())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use tenure_core::{Boot, BootId, Timestamp};

    use super::{super::request::Method, *};
    use crate::system::SystemRng;

    #[derive(Default)]
    struct Elapsed(AtomicI64);
    impl Clock for Elapsed {
        fn now(&self) -> Timestamp {
            Timestamp::EPOCH
        }
        fn boot(&self) -> Boot {
            Boot { id: BootId(uuid::Uuid::nil()), elapsed_us: self.0.load(Ordering::SeqCst) }
        }
    }

    fn request(host: &str, origin: Option<&str>, cookies: &str) -> Request {
        Request {
            method: Method::Post,
            path: "/".into(),
            query: String::new(),
            host: host.into(),
            origin: origin.map(str::to_owned),
            fetch_site: None,
            prefetch: false,
            cookies: cookies.into(),
            body: Vec::new(),
        }
    }

    #[test]
    fn an_address_opens_once_and_in_time_and_a_session_ends_when_it_is_left_alone() {
        let clock = Arc::new(Elapsed::default());
        let door = Door::new(clock.clone(), Arc::new(SystemRng));
        let token = door.invite();
        let entered = door.enter(&token).expect("fresh");
        assert!(door.enter(&token).is_none(), "used");
        assert!(door.enter("").is_none() && door.enter("guessed").is_none());
        let cookie = entered.cookie.split(';').next().unwrap();
        let ours = request("localhost", None, cookie);
        assert!(door.admits(&entered.path, &ours));
        assert!(!door.admits(&entered.path, &request("localhost", None, "tenure_page=x")));
        assert!(!door.admits("elsewhere", &ours), "a cookie opens its own path only");
        let late = door.invite();
        clock.0.fetch_add(INVITATION_US + 1, Ordering::SeqCst);
        assert!(door.enter(&late).is_none(), "too old");
        assert!(door.admits(&entered.path, &ours));
        clock.0.fetch_add(IDLE_US + 1, Ordering::SeqCst);
        assert!(!door.admits(&entered.path, &ours));
    }

    #[test]
    fn sessions_and_addresses_are_few() {
        let door = Door::new(Arc::new(Elapsed::default()), Arc::new(SystemRng));
        let tokens: Vec<_> = (0..=MAX_INVITATIONS).map(|_| door.invite()).collect();
        assert!(door.enter(&tokens[0]).is_none() && door.enter(&tokens[1]).is_some());
        for _ in 0..2 * MAX_SESSIONS {
            door.enter(&door.invite()).unwrap();
        }
        assert_eq!(door.inside().sessions.len(), MAX_SESSIONS);
    }

    #[test]
    fn only_this_machine_and_this_page_are_believed() {
        for (host, origin, here) in [
            ("127.0.0.1:7340", None, true),
            ("localhost:9", Some("http://localhost:9"), true),
            ("[::1]:9", None, true),
            ("localhost", None, true),
            ("127.0.0.2:7340", None, true),
            ("127.0.0.2:7340", Some("http://127.0.0.2:7340"), true),
            ("127.0.0.2:7340", Some("http://127.0.0.1:7340"), false),
            ("[::2]:9", None, false),
            ("[127.0.0.1]:9", None, false),
            ("128.0.0.1:9", None, false),
            ("0.0.0.0:9", None, false),
            ("127.1:9", None, false),
            ("evil.example:7340", None, false),
            ("127.0.0.1.evil.example", None, false),
            ("localhost.evil.example:7340", None, false),
            ("evil.example:127.0.0.1", None, false),
            ("localhost:9", Some("http://localhost:10"), false),
            ("localhost:9", Some("https://localhost:9"), false),
            ("localhost:9", Some("http://evil.example"), false),
            ("localhost:9", Some("null"), false),
        ] {
            assert_eq!(comes_from_here(&request(host, origin, "")), here, "{host} {origin:?}");
        }
        let mut silent = request("localhost", None, "");
        assert!(!was_sent_here(&silent));
        silent.fetch_site = Some("same-origin".into());
        assert!(was_sent_here(&silent));
        silent.fetch_site = Some("same-site".into());
        silent.origin = Some("http://localhost".into());
        assert!(!was_sent_here(&silent));
    }
}

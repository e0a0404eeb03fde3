//! The whole application on a fresh database.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use http_body_util::BodyExt;
use serde_json::Value;
use tempfile::TempDir;
use tenure_core::{Clock, OrgId, Rng};
use tenure_license::{KeyId, Root, SigningKey};
use tenure_server::Edge;
use tenure_service::{
    Catalog, Init, Restore, Rotated, Rotation, SealingKey, Service, commit_init, commit_rotation, open_service,
    prepare_init, prepare_rotation, read_offline_key, restore_deployment, take_up_keys,
};
use tenure_store::Store;
use tower::ServiceExt;

use crate::{MockClock, SeededRng};

/// A deployment of its own, in a directory of its own, gone when dropped.
pub struct TestApp {
    /// The use cases.
    pub service: Service,
    /// The clock of the deployment; the test moves it.
    pub clock: Arc<MockClock>,
    /// Seeded chance.
    pub rng: Arc<SeededRng>,
    /// The vendor.
    pub vendor: OrgId,
    /// E-mail address of the first administrator.
    pub admin_email: String,
    /// Password of the first administrator.
    pub admin_password: String,
    /// The offline root keys.
    pub root_keys: Vec<SigningKey>,
    /// The key that seals its private keys.
    pub sealing: Arc<SealingKey>,
    /// What stands around the doors: the figures of its requests.
    pub edge: Edge,
    router: Router,
    dir: Option<TempDir>,
    recorded: Mutex<Vec<Recorded>>,
}

/// What a product sent, to be sent again.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Where to, as `/product/v1/check-in`.
    pub path: String,
    /// The body.
    pub body: Value,
}

/// An HTTP answer, read whole.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: axum::http::HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    /// The answer, if its status is the wanted one.
    ///
    /// # Panics
    /// When it is another; the body is shown.
    #[must_use]
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }
    /// The last part of the problem's type.
    pub fn problem(&self) -> String {
        self.json()["type"].as_str().unwrap_or_default().trim_start_matches("/problems/").to_owned()
    }
}

impl TestApp {
    /// A fresh deployment on SQLite with the sample catalog; its clock stands at `at`.
    pub async fn new(at: &str) -> Self {
        Self::with_catalog(at, Catalog::sample()).await
    }

    /// A fresh deployment on SQLite; its clock stands at `at`.
    ///
    /// # Panics
    /// When the deployment cannot be made.
    pub async fn with_catalog(at: &str, catalog: Catalog) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let url = format!("sqlite:{}", dir.path().join("tenure.db").display());
        Self::on(&url, dir, at, catalog).await
    }

    /// A fresh deployment on an empty database.
    ///
    /// # Panics
    /// When the deployment cannot be made.
    pub async fn on(url: &str, dir: TempDir, at: &str, catalog: Catalog) -> Self {
        let store = Store::open(url, Arc::new(SeededRng::new(8))).await.expect("the database opens");
        store.migrate().await.expect("the schema is made");
        Self { dir: Some(dir), ..Self::on_store(store, at, catalog).await }
    }

    /// A fresh deployment in a migrated, empty store.
    ///
    /// # Panics
    /// When the deployment cannot be made.
    pub async fn on_store(store: Store, at: &str, catalog: Catalog) -> Self {
        let clock = Arc::new(MockClock::at(at));
        let rng = Arc::new(SeededRng::new(7));
        let as_rng = || Arc::clone(&rng) as Arc<dyn Rng>;
        let sealing = Arc::new(SealingKey::generate(&*rng));
        let init = Init {
            vendor: "Example Software".to_owned(),
            email: "admin@vendor.example".to_owned(),
            servers: vec!["http://127.0.0.1:8480".to_owned()],
            catalog,
            test_clock: true,
        };
        let plan = prepare_init(&store, &*clock, &*rng, &sealing, init).await.expect("a plan");
        let offline = plan.offline_keys().iter().filter(|key| key.file_name.starts_with("root-"));
        let root_keys = offline.map(|key| read_offline_key(&key.text).expect("a key")).collect();
        let made = commit_init(&store, &*clock, as_rng(), plan).await.expect("a deployment");
        let as_clock = Arc::clone(&clock) as Arc<dyn Clock>;
        let service = open_service(store, as_clock, as_rng(), &sealing).await.expect("the deployment opens");
        let edge = Edge::default();
        let router = tenure_server::app_with(service.clone(), edge.clone());
        Self {
            service,
            clock,
            rng,
            edge,
            vendor: made.vendor,
            admin_email: made.email,
            admin_password: made.password.to_string(),
            root_keys,
            sealing,
            router,
            dir: None,
            recorded: Mutex::default(),
        }
    }

    /// The same deployment over another database, as a restored server is: clock, chance and sealing key go on.
    ///
    /// # Panics
    /// When the deployment cannot be opened.
    pub async fn over(&self, store: Store) -> Self {
        self.beside(store, Arc::clone(&self.clock), Arc::clone(&self.rng)).await
    }

    /// The same deployment over another database, with clock and chance of its own.
    async fn beside(&self, store: Store, clock: Arc<MockClock>, rng: Arc<SeededRng>) -> Self {
        let (as_clock, as_rng) = (Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&rng) as Arc<dyn Rng>);
        let service = open_service(store, as_clock, as_rng, &self.sealing).await.expect("the deployment opens");
        let edge = Edge::default();
        let router = tenure_server::app_with(service.clone(), edge.clone());
        Self {
            service,
            edge,
            clock,
            rng,
            vendor: self.vendor,
            admin_email: self.admin_email.clone(),
            admin_password: self.admin_password.clone(),
            root_keys: self.root_keys.iter().map(|key| SigningKey::from_seed(&key.seed())).collect(),
            sealing: Arc::clone(&self.sealing),
            router,
            dir: None,
            recorded: Mutex::default(),
        }
    }

    /// A backup of its database as it is now, in its directory.
    ///
    /// # Panics
    /// When it is not on a SQLite file of its own.
    pub async fn copy_to(&self, name: &str) -> PathBuf {
        let dir = self.dir.as_ref().expect("a database in a directory of its own").path();
        let to = dir.join(name);
        tenure_store::copy::copy_sqlite(&dir.join("tenure.db"), &to).await.expect("a copy");
        to
    }

    /// The trust root that products embed.
    pub fn root(&self) -> Arc<Root> {
        self.service.root()
    }

    /// Rotates keys as `tenure keys rotate` does, with two of the root keys; the service takes it up.
    ///
    /// # Panics
    /// When the rotation is refused.
    pub async fn rotate(&self, wanted: &Rotation) -> Rotated {
        let store = self.service.store();
        let signers: Vec<SigningKey> =
            self.root_keys.iter().take(2).map(|key| SigningKey::from_seed(&key.seed())).collect();
        let plan = prepare_rotation(store, &*self.clock, &*self.rng, &self.sealing, &signers, wanted).await;
        let rotated = commit_rotation(store, plan.expect("a plan")).await.expect("it is written");
        assert!(take_up_keys(&self.service).await.expect("the keys open"));
        rotated
    }

    /// The key that seals the online keys.
    pub fn sealing(&self) -> &SealingKey {
        &self.sealing
    }

    /// The service as another process opens it, on the same database.
    ///
    /// # Panics
    /// When the deployment does not open.
    pub async fn reopened(&self) -> Service {
        let (clock, rng) = (Arc::clone(&self.clock) as Arc<dyn Clock>, Arc::clone(&self.rng) as Arc<dyn Rng>);
        let store = self.service.store().clone();
        open_service(store, clock, rng, &self.sealing).await.expect("the deployment opens")
    }

    /// A copy of the database as it is now, taken between two writes.
    ///
    /// # Panics
    /// When it cannot be copied, or the database is not a file.
    pub fn backup(&self) -> TempDir {
        let from = self.dir.as_ref().expect("a database in a directory of its own");
        let to = tempfile::tempdir().expect("a temporary directory");
        for entry in std::fs::read_dir(from.path()).expect("the directory").map(|entry| entry.expect("an entry")) {
            // The shared memory file belongs to the processes that have it open.
            if !entry.path().to_string_lossy().ends_with("-shm") {
                std::fs::copy(entry.path(), to.path().join(entry.file_name())).expect("a copy");
            }
        }
        to
    }

    /// The deployment as it comes back from a backup: an older state in the next epoch, under the same clock.
    ///
    /// # Panics
    /// When it does not open.
    pub async fn restored(&self, backup: TempDir) -> Self {
        self.restored_as(backup, Restore::default()).await
    }

    /// The same, with what is known from outside the database.
    ///
    /// # Panics
    /// When it does not open.
    pub async fn restored_as(&self, backup: TempDir, known: Restore) -> Self {
        let store = open_in(&backup, &self.rng).await;
        store.migrate().await.expect("the schema is there");
        restore_deployment(&store, &*self.clock, known).await.expect("a new epoch");
        Self { dir: Some(backup), ..self.over(store).await }
    }

    /// The deployment as it goes on from an older state that was put in its place unseen: the epoch stays, as after a
    /// failover that lost the newest commits.
    ///
    /// # Panics
    /// When it does not open.
    pub async fn put_back(&self, backup: TempDir) -> Self {
        let store = open_in(&backup, &self.rng).await;
        Self { dir: Some(backup), ..self.over(store).await }
    }

    /// The deployment once more, as its database is now: what is done to it leaves this one as it is. Clock and chance are
    /// shared.
    ///
    /// # Panics
    /// When the database is not a file, or cannot be copied.
    pub async fn fork(&self) -> Self {
        self.put_back(self.backup()).await
    }

    /// The deployment once more, as its database is now, with a clock of its own that stands at the same instant and
    /// chance of its own: nothing that happens to one reaches the other, and one seed gives one run.
    ///
    /// # Panics
    /// When the database is not a file, or cannot be copied.
    pub async fn apart(&self, seed: u64) -> Self {
        let dir = self.backup();
        let rng = Arc::new(SeededRng::new(seed));
        let store = open_in(&dir, &rng).await;
        let clock = Arc::new(MockClock::at(&self.service.now().to_string()));
        Self { dir: Some(dir), ..self.beside(store, clock, rng).await }
    }

    /// The keys of a role that are not revoked, oldest first.
    pub fn keys_of(&self, role: tenure_license::KeyRole) -> Vec<KeyId> {
        let root = self.root();
        let keys = root.payload().keys.iter().filter(|key| key.role == role && key.revoked.is_none());
        keys.map(|key| key.key.id()).collect()
    }

    /// Sends a request through the whole application.
    ///
    /// # Panics
    /// When the request cannot be built or the body cannot be read.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        answer_of(self.router.clone().oneshot(request).await.expect("the router never fails")).await
    }

    /// The figures of this deployment, as Prometheus gets them.
    ///
    /// # Panics
    /// When the answer cannot be read.
    pub async fn metrics(&self) -> Answer {
        let operator = tenure_server::operator(self.service.clone(), Arc::clone(&self.edge.metrics));
        let request = Request::get("/metrics").body(Body::empty()).expect("a request");
        answer_of(operator.oneshot(request).await.expect("the router never fails")).await
    }

    /// A JSON request; `token` as bearer, `extra` as further headers.
    ///
    /// # Panics
    /// When the request cannot be built.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
        extra: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in extra {
            request = request.header(*name, *value);
        }
        if let Some(json) = body.as_ref().filter(|_| path.starts_with("/product/")) {
            self.recorded
                .lock()
                .expect("no test panics while it records")
                .push(Recorded { path: path.to_owned(), body: json.clone() });
        }
        let body = match body {
            Some(json) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).expect("a request")).await
    }

    /// Everything products sent so far, replays included, in order.
    ///
    /// # Panics
    /// When a recording test panicked.
    pub fn recorded(&self) -> Vec<Recorded> {
        self.recorded.lock().expect("no test panics while it records").clone()
    }

    /// A session of whoever has this address and password.
    ///
    /// # Panics
    /// When they may not sign in.
    pub async fn sign_in(&self, email: &str, password: &str) -> String {
        let body = serde_json::json!({"email": email, "password": password});
        let session = self.post("", "/api/v1/sign-in", body).await.expect(200).json();
        session["token"].as_str().expect("a token").to_owned()
    }

    /// A session of the vendor's first administrator.
    pub async fn admin_session(&self) -> String {
        self.sign_in(&self.admin_email, &self.admin_password).await
    }

    /// `GET` with a token.
    pub async fn get(&self, token: &str, path: &str) -> Answer {
        self.call(Method::GET, path, Some(token), None, &[]).await
    }

    /// `POST` of JSON with a token.
    pub async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(token), Some(body), &[]).await
    }

    /// Serves the application on a free loopback port until the runtime ends; for clients that are not ours.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn serve(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let router = self.router.clone();
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    /// Does all that has fallen due by the deployment's clock.
    ///
    /// # Panics
    /// When a job fails.
    pub async fn run_jobs(&self) -> usize {
        tenure_jobs::run_due(&self.service).await.expect("the jobs run")
    }
}

/// The database in a directory of its own.
async fn open_in(dir: &TempDir, rng: &Arc<SeededRng>) -> Store {
    let url = format!("sqlite:{}", dir.path().join("tenure.db").display());
    Store::open(&url, Arc::clone(rng) as Arc<dyn Rng>).await.expect("the database opens")
}

async fn answer_of(response: axum::response::Response) -> Answer {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("the body is whole").to_bytes().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

/// A request without a body, as if its connection came from an address.
///
/// # Panics
/// When the address is none, or the request cannot be built.
pub fn from(address: &str, request: axum::http::request::Builder) -> Request<Body> {
    let peer = SocketAddr::new(address.parse().expect("an address"), 40_000);
    request.extension(axum::extract::ConnectInfo(peer)).body(Body::empty()).expect("a request")
}

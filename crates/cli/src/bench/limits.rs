//! What the machine does of each part alone: the limits that a figure is held against.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use axum::{Router, body::Bytes, routing::post};
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use tenure_license::{JournalDay, SigningKey, sign, verify_with_key};
use tenure_server::SystemRng;
use tenure_store::{Queue, Store, StoreError};
use tokio::net::{TcpListener, TcpStream};

use super::instant;

const LENGTH: Duration = Duration::from_secs(2);

/// Durable operations per second through the group-committing writer, one small row each, from `clients` tasks.
pub(super) async fn durable_writes_per_s(url: &str, clients: usize) -> Result<f64> {
    let store = Store::open(url, Arc::new(SystemRng)).await?;
    store.migrate().await?;
    let begun = instant();
    let mut tasks = Vec::new();
    for client in 0..clients {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let mut done = 0_u64;
            while begun.elapsed() < LENGTH {
                let key = format!("limit-{client}");
                let value = done.to_string();
                store
                    .write(Queue::Products, async move |tx| {
                        tenure_store::meta::put(tx, &key, &value).await?;
                        Ok::<_, StoreError>(())
                    })
                    .await?;
                done += 1;
            }
            Ok::<u64, StoreError>(done)
        }));
    }
    let mut all = 0;
    for task in tasks {
        all += task.await??;
    }
    let rate = all as f64 / begun.elapsed().as_secs_f64();
    store.close().await;
    Ok(rate)
}

/// Pairs of one strict verification and one signature per second, on all cores.
pub(super) fn signatures_per_s() -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads: Vec<_> = (0..cores)
        .map(|_| {
            std::thread::spawn(|| {
                let key = SigningKey::from_seed(&[7; 32]);
                let document = JournalDay {
                    v: 1,
                    ins: tenure_core::InstallationId::from_uuid(uuid::Uuid::from_u128(1)),
                    day: tenure_core::Day::from_number(20_000),
                    prev: None,
                    counts: Vec::new(),
                    crit: vec![],
                };
                let begun = instant();
                let mut pairs = 0_u64;
                while begun.elapsed() < LENGTH {
                    let envelope = sign(&document, &[&key]).into_envelope();
                    if verify_with_key::<JournalDay>(&envelope, &key.public()).is_ok() {
                        pairs += 1;
                    }
                }
                pairs as f64 / begun.elapsed().as_secs_f64()
            })
        })
        .collect();
    threads.into_iter().filter_map(|thread| thread.join().ok()).sum()
}

/// Bytes of a check-in.
pub(super) const CHECK_IN_BYTES: usize = 1500;

/// Bare HTTP answers per second over `connections`, with bodies of so many bytes; client and server on this machine.
pub(super) async fn bare_answers_per_s(connections: usize, bytes: usize) -> Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let answer = Bytes::from(vec![b'x'; bytes]);
    let router = Router::new().route("/", post(move |_: Bytes| async move { answer }));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let begun = instant();
    let mut tasks = Vec::new();
    for _ in 0..connections {
        tasks.push(tokio::spawn(async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            let driver = tokio::spawn(connection);
            let body = hyper::body::Bytes::from(vec![b'x'; CHECK_IN_BYTES]);
            let mut done = 0_u64;
            while begun.elapsed() < LENGTH {
                sender.ready().await?;
                let request = Request::post("/").header("host", "limit").body(Full::new(body.clone()))?;
                let response = sender.send_request(request).await?;
                response.into_body().collect().await?;
                done += 1;
            }
            drop(sender);
            let _ = driver.await;
            anyhow::Ok(done)
        }));
    }
    let mut all = 0;
    for task in tasks {
        all += task.await??;
    }
    let rate = all as f64 / begun.elapsed().as_secs_f64();
    server.abort();
    Ok(rate)
}

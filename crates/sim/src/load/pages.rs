//! People: pages of the portal, asked for with a session's cookie over a few connections. An open loop as for products: a
//! page's latency counts from the instant at which it was due.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{instant, wait_until};

/// Latencies are kept up to a minute.
const MAX_US: u64 = 60_000_000;

/// Which page, how often.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The server.
    pub server: SocketAddr,
    /// How long.
    pub length: Duration,
    /// Pages per second over all connections; none: each connection asks again as soon as it is answered.
    pub rate_per_s: Option<f64>,
    /// Connections.
    pub connections: usize,
    /// Path and query.
    pub path: String,
    /// The session's token.
    pub session: String,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// Pages received, each whole.
    pub pages: u64,
    /// Bytes of the largest.
    pub bytes: usize,
    /// How long it took.
    pub elapsed: Duration,
    /// Latency in microseconds.
    pub latency_us: Histogram<u64>,
}

impl Outcome {
    /// Pages per second.
    pub fn rate_per_s(&self) -> f64 {
        self.pages as f64 / self.elapsed.as_secs_f64()
    }

    /// A percentile of the latency, milliseconds.
    pub fn percentile_ms(&self, percentile: f64) -> f64 {
        self.latency_us.value_at_percentile(percentile) as f64 / 1000.0
    }
}

/// Asks for the page, again and again.
///
/// # Errors
/// When the server cannot be reached, or answers anything but a whole page.
pub async fn run(plan: Plan) -> Result<Outcome> {
    let begun = instant();
    let connections = plan.connections.max(1);
    let mut tasks = Vec::new();
    for n in 0..connections {
        tasks.push(tokio::spawn(ask(plan.clone(), begun, n)));
    }
    let mut outcome =
        Outcome { pages: 0, bytes: 0, elapsed: Duration::ZERO, latency_us: Histogram::new_with_max(MAX_US, 3)? };
    for task in tasks {
        let (histogram, bytes) = task.await??;
        outcome.pages += histogram.len();
        outcome.bytes = outcome.bytes.max(bytes);
        outcome.latency_us.add(&histogram)?;
    }
    outcome.elapsed = begun.elapsed();
    Ok(outcome)
}

async fn ask(plan: Plan, begun: Instant, n: usize) -> Result<(Histogram<u64>, usize)> {
    let share_per_s = plan.rate_per_s.map(|rate| rate / plan.connections.max(1) as f64);
    // Connections of an open loop begin spread over one interval, not in step.
    let spread = |share: f64| Duration::from_secs_f64(n as f64 / share / plan.connections.max(1) as f64);
    let offset = share_per_s.map_or(Duration::ZERO, spread);
    let stream = TcpStream::connect(plan.server).await.context("the server cannot be reached")?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let mut histogram = Histogram::new_with_max(MAX_US, 3)?;
    let (mut asked, mut largest) = (0_u64, 0);
    loop {
        let due =
            share_per_s.map_or_else(instant, |share| begun + offset + Duration::from_secs_f64(asked as f64 / share));
        if due >= begun + plan.length {
            break;
        }
        wait_until(due).await;
        asked += 1;
        largest = largest.max(one(&mut sender, &plan).await?);
        histogram.record((due.elapsed().as_micros() as u64).min(MAX_US))?;
    }
    drop(sender);
    let _ = driver.await;
    Ok((histogram, largest))
}

/// One page; its bytes.
async fn one(sender: &mut http1::SendRequest<Empty<Bytes>>, plan: &Plan) -> Result<usize> {
    let request = Request::get(&plan.path)
        .header("host", plan.server.to_string())
        .header("cookie", format!("tenure={}", plan.session))
        .body(Empty::new())?;
    sender.ready().await?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    ensure!(status == StatusCode::OK, "{}: {status}: {}", plan.path, String::from_utf8_lossy(&body));
    ensure!(body.trim_ascii_end().ends_with(b"</html>"), "{} is not a whole page", plan.path);
    Ok(body.len())
}

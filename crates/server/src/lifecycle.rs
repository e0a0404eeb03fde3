//! Serving until told to stop: soft first, hard when told twice or when it takes too long.

use std::{future::Future, time::Duration};

use axum::Router;
use tenure_service::Service;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::timeout,
};

/// How long open requests may take to finish once shutdown began.
const SOFT_BOUND: Duration = Duration::from_secs(20);
/// How often the server looks whether time has brought work. A test clock may jump at any moment.
const JOBS_PACE: Duration = Duration::from_millis(500);
/// How often the clocks are compared (T2).
const CLOCK_PACE: Duration = Duration::from_secs(1);
/// Looks at the clocks for one at the database.
const DATABASE_EVERY: u32 = 5;

/// The server could not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener or the signal handlers failed.
    #[error("cannot serve")]
    Io(#[from] std::io::Error),
}

/// Serves `app` and runs the jobs that fall due, until SIGTERM, SIGINT or `stop` ends.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    service: Service,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let (stopping, stopped) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let jobs = tokio::spawn(run_jobs(service.clone(), stopped.clone()));
    let watch = tokio::spawn(watch(service, stopped.clone()));
    let mut soft = stopped.clone();
    let server = tokio::spawn(
        axum::serve(listener, app)
            .with_graceful_shutdown(async move {
                // An error means the sender is gone, which is a stop as well.
                let _ = soft.wait_for(|stop| *stop).await;
            })
            .into_future(),
    );
    tokio::select! {
        () = stop => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("shutting down: no new requests, open ones finish");
    let _ = stopping.send(true);
    tokio::select! {
        finished = timeout(SOFT_BOUND, server) => if let Ok(result) = finished {
            result.map_err(std::io::Error::other)??;
        } else {
            tracing::warn!("open requests did not finish in time");
        },
        _ = terminate.recv() => tracing::warn!("told twice: stopping at once"),
        _ = interrupt.recv() => tracing::warn!("told twice: stopping at once"),
    }
    // A job's chunk is one transaction: it is either committed or never happened.
    jobs.abort();
    watch.abort();
    Ok(())
}

async fn run_jobs(service: Service, mut stopped: watch::Receiver<bool>) {
    loop {
        match tenure_jobs::run_due(&service).await {
            Ok(0) => {}
            Ok(done) => tracing::info!(jobs.done = done, "time's work done"),
            // The cause of a halt is logged once, where it is found.
            Err(_) if service.must_go_on().is_err() => {}
            Err(error) => tracing::error!(error = ?error, "a job failed; it is tried again"),
        }
        if timeout(JOBS_PACE, stopped.wait_for(|stop| *stop)).await.is_ok() {
            return;
        }
    }
}

/// Looks at the clocks each second and at the database every few.
async fn watch(service: Service, mut stopped: watch::Receiver<bool>) {
    let mut looks = 0_u32;
    loop {
        if let Err(error) = tenure_service::watch_clock(&service).await {
            tracing::warn!(error = ?error, "the newest time cannot be kept");
        }
        if looks.is_multiple_of(DATABASE_EVERY)
            && let Err(error) = tenure_service::watch_database(&service).await
        {
            tracing::warn!(error = ?error, "the database does not answer");
        }
        if let Err(error) = tenure_service::keep_outside(&service).await {
            tracing::warn!(error = ?error, "the files beside the keys are not up to date");
        }
        looks = looks.wrapping_add(1);
        if timeout(CLOCK_PACE, stopped.wait_for(|stop| *stop)).await.is_ok() {
            return;
        }
    }
}

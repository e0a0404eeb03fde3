//! Serving until told to stop: soft first, hard when told twice or when it takes too long.

use std::{future::Future, time::Duration};

use sd_notify::NotifyState;
use tenure_service::Service;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinSet,
    time::timeout,
};

use crate::door::{Bounds, Door};

/// How long open requests may take to finish once shutdown began.
const SOFT_BOUND: Duration = Duration::from_secs(20);
/// How often the server looks whether time has brought work. A test clock may jump at any moment.
const JOBS_PACE: Duration = Duration::from_millis(500);
/// How often the clocks are compared (T2).
const CLOCK_PACE: Duration = Duration::from_secs(1);
/// Looks at the clocks after which callers are forgotten that have not asked for long.
const FORGET_EVERY: u32 = 30;
/// How often the database is asked whether it answers, takes writes, and is the same as before (C7, E9).
const DATABASE_PACE: Duration = Duration::from_millis(1500);

/// The server could not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener or the signal handlers failed.
    #[error("cannot serve")]
    Io(#[from] std::io::Error),
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// What was open was finished.
    Softly,
    /// Told twice, or out of time: something open was cut off. Whoever asked will ask again.
    Hard,
    /// Another database answers than the one it began with (C7): whoever started it starts it again, in a new epoch.
    FailedOver,
}

/// Serves the doors and runs the jobs that fall due, until SIGTERM, SIGINT or `stop` ends, or the database has failed over.
/// The first such word ends softly: what is open is finished within a bound. The second ends at once.
pub async fn serve(
    doors: Vec<Door>,
    service: Service,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<Ended, ServeError> {
    let (stopping, stopped) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let jobs = tokio::spawn(run_jobs(service.clone(), stopped.clone()));
    let clocks = tokio::spawn(watch(service.clone(), stopped.clone()));
    let mut database = tokio::spawn(watch_database(service, stopped.clone()));
    let mut server = JoinSet::new();
    for door in doors {
        server.spawn(door.serve(Bounds::default(), stopped.clone()));
    }
    tell_systemd(NotifyState::Ready);
    let failed_over = tokio::select! {
        () = stop => false,
        _ = terminate.recv() => false,
        _ = interrupt.recv() => false,
        _ = &mut database => true,
    };
    tracing::info!(bound.seconds = SOFT_BOUND.as_secs(), "shutting down: no new requests, open ones finish");
    tell_systemd(NotifyState::Stopping);
    let _ = stopping.send(true);
    let ended = tokio::select! {
        finished = timeout(SOFT_BOUND, finish(server)) => if let Ok(result) = finished {
            result?;
            if failed_over { Ended::FailedOver } else { Ended::Softly }
        } else {
            tracing::warn!("open requests did not finish in time");
            Ended::Hard
        },
        _ = terminate.recv() => told_twice(),
        _ = interrupt.recv() => told_twice(),
    };
    // A job's chunk is one transaction: it is either committed or never happened.
    jobs.abort();
    clocks.abort();
    database.abort();
    Ok(ended)
}

fn told_twice() -> Ended {
    tracing::warn!("told twice: stopping at once");
    Ended::Hard
}

async fn finish(mut doors: JoinSet<()>) -> Result<(), ServeError> {
    while let Some(ended) = doors.join_next().await {
        ended.map_err(std::io::Error::other)?;
    }
    Ok(())
}

/// Tells the service manager, where one started this process.
fn tell_systemd(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(error = &error as &dyn std::error::Error, "the service manager cannot be told");
    }
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

/// Looks at the clocks each second, and forgets now and then who asked.
async fn watch(service: Service, mut stopped: watch::Receiver<bool>) {
    let mut looks = 0_u32;
    loop {
        looks = looks.wrapping_add(1);
        if looks.is_multiple_of(FORGET_EVERY)
            && let Some(limits) = service.limits()
        {
            limits.forget_idle();
        }
        if let Err(error) = tenure_service::watch_clock(&service).await {
            tracing::warn!(error = ?error, "the newest time cannot be kept");
        }
        if let Err(error) = tenure_service::keep_outside(&service).await {
            tracing::warn!(error = ?error, "the files beside the keys are not up to date");
        }
        if timeout(CLOCK_PACE, stopped.wait_for(|stop| *stop)).await.is_ok() {
            return;
        }
    }
}

/// Looks at the database, apart from all that waits for it, until it is another.
async fn watch_database(service: Service, mut stopped: watch::Receiver<bool>) {
    loop {
        // What changes is logged where it is found.
        let _ = tenure_service::watch_database(&service).await;
        if service.has_failed_over() {
            return;
        }
        if timeout(DATABASE_PACE, stopped.wait_for(|stop| *stop)).await.is_ok() {
            return;
        }
    }
}

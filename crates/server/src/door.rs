//! A way in: it takes connections, so many at once, and bounds how long each may keep it waiting.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Extension, Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::timeout,
};

/// A way in: where it listens, and what answers there.
pub struct Door {
    /// Where.
    pub listener: TcpListener,
    /// What.
    pub app: Router,
}

/// What one door gives to those who are slow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// How long a request's head may take to arrive, and so how long a connection may say nothing. A proxy that keeps its
    /// connections must end them before.
    pub(crate) head: Duration,
    /// How many connections are open at once; the next ones wait to be taken.
    pub(crate) connections: usize,
    /// How long the door rests after the system refused it a connection.
    pub(crate) rest: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { head: Duration::from_secs(75), connections: 8192, rest: Duration::from_millis(500) }
    }
}

impl Door {
    /// Answers until `stopped` says so, and then until what is open is answered.
    pub(crate) async fn serve(self, bounds: Bounds, mut stopped: watch::Receiver<bool>) {
        let Self { listener, app } = self;
        let room = Arc::new(Semaphore::new(bounds.connections));
        let mut open = JoinSet::new();
        loop {
            let taken = tokio::select! {
                taken = take(&listener, &room) => taken,
                () = told(&mut stopped) => break,
                // What ended is let go of.
                Some(_) = open.join_next() => continue,
            };
            match taken {
                Ok((stream, peer, place)) => {
                    let (app, stopped) = (app.clone(), stopped.clone());
                    open.spawn(async move {
                        connection(stream, peer, app, bounds, stopped).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    // Out of files, mostly: those that end make room.
                    tracing::warn!(error = &error as &dyn std::error::Error, "a connection cannot be taken");
                    if timeout(bounds.rest, told(&mut stopped)).await.is_ok() {
                        break;
                    }
                }
            }
        }
        drop(listener);
        while open.join_next().await.is_some() {}
    }
}

/// Waits for the word to stop. An error means that its sender is gone, which is a stop as well.
async fn told(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// The next connection, once there is room for it.
async fn take(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    bounds: Bounds,
    mut stopped: watch::Receiver<bool>,
) {
    let app = tower::ServiceBuilder::new()
        .map_request(|request: Request<Incoming>| request.map(Body::new))
        .layer(Extension(ConnectInfo(peer)))
        .service(app);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(bounds.head);
    let served = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    tokio::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = told(&mut stopped) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        // Somebody went away, or was too slow: it is theirs.
        tracing::debug!(error = &error as &dyn std::error::Error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::post;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Longer than anything here takes on a busy machine.
    const LONG: Duration = Duration::from_mins(1);

    struct Open {
        address: SocketAddr,
        stop: watch::Sender<bool>,
        served: tokio::task::JoinHandle<()>,
    }

    async fn open(bounds: Bounds) -> Open {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route(
            "/",
            post(|ConnectInfo(peer): ConnectInfo<SocketAddr>, body: String| async move { format!("{peer} {body}") }),
        );
        let (stop, stopped) = watch::channel(false);
        let served = tokio::spawn(Door { listener, app }.serve(bounds, stopped));
        Open { address, stop, served }
    }

    async fn said(stream: &mut TcpStream) -> String {
        let mut text = String::new();
        timeout(LONG, stream.read_to_string(&mut text)).await.expect("it is closed in time").unwrap();
        text
    }

    const HEAD: &[u8] = b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 2\r\n\r\n";

    #[tokio::test]
    async fn who_sends_no_head_is_let_go_and_makes_room() {
        let bounds = Bounds { head: Duration::from_millis(300), connections: 2, ..Bounds::default() };
        let door = open(bounds).await;
        let mut silent = TcpStream::connect(door.address).await.unwrap();
        let mut half = TcpStream::connect(door.address).await.unwrap();
        half.write_all(b"POST / HTTP/1.1\r\nhost:").await.unwrap();
        // The door is full: this one is answered once one of the others was let go.
        let mut third = TcpStream::connect(door.address).await.unwrap();
        third.write_all(HEAD).await.unwrap();
        third.write_all(b"hi").await.unwrap();
        let peer = third.local_addr().unwrap();
        let answer = said(&mut third).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(&format!("{peer} hi")), "{answer}");
        assert_eq!((said(&mut silent).await, said(&mut half).await), (String::new(), String::new()));
    }

    #[tokio::test]
    async fn a_stop_answers_what_is_open_and_lets_the_idle_go() {
        let door = open(Bounds::default()).await;
        let mut idle = TcpStream::connect(door.address).await.unwrap();
        let mut asked = TcpStream::connect(door.address).await.unwrap();
        asked.write_all(HEAD).await.unwrap();
        // Once a third is answered, the two before it were taken.
        let mut third = TcpStream::connect(door.address).await.unwrap();
        third.write_all(HEAD).await.unwrap();
        third.write_all(b"hi").await.unwrap();
        assert!(said(&mut third).await.starts_with("HTTP/1.1 200 "));
        door.stop.send(true).unwrap();
        assert_eq!(said(&mut idle).await, "");
        asked.write_all(b"yo").await.unwrap();
        assert!(said(&mut asked).await.ends_with(" yo"));
        timeout(LONG, door.served).await.expect("it ends").unwrap();
        assert!(TcpStream::connect(door.address).await.is_err(), "nobody listens any more");
    }
}

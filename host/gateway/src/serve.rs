//! Accepting connections, and ending in order.
//!
//! Written on hyper's connection directly: a peer that never finishes its headers must not hold a connection for ever,
//! and the buffers of a waiting request must stay small.

use std::{convert::Infallible, pin::pin, time::Duration};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;
use tower_http::timeout::TimeoutBody;

/// Longest pause within a request's body.
const BODY_PAUSE: Duration = Duration::from_secs(30);
/// Largest read buffer of a connection while it reads headers.
const BUFFER: usize = 16 << 10;

/// Serves `router` on `listener` until `stop` resolves, then lets every connection finish what it began, for at most
/// `drain`. Returns whether all of them did.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    header_timeout: Duration,
    drain: Duration,
    stop: impl Future<Output = ()>,
) -> bool {
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => connect(stream, &router, header_timeout, &graceful),
                Err(error) => {
                    // Out of file descriptors, most likely: accepting again at once would spin.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            () = &mut stop => break,
        }
    }
    drop(listener);
    tokio::time::timeout(drain, graceful.shutdown()).await.is_ok()
}

fn connect(stream: TcpStream, router: &Router, header_timeout: Duration, graceful: &GracefulShutdown) {
    // A failure only costs latency.
    let _ = stream.set_nodelay(true);
    let router = router.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move {
            Ok::<_, Infallible>(
                router
                    .oneshot(request.map(|body| Body::new(TimeoutBody::new(BODY_PAUSE, body))))
                    .await
                    .unwrap_or_else(|never| match never {}),
            )
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    let watched = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = watched.await {
            tracing::debug!(%error, "connection ended early");
        }
    });
}

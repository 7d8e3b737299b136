//! A collector that takes everything and looks at nothing, in a process of its own: what it costs is
//! not what is measured.

use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;

/// The process, killed when this is dropped.
pub(crate) struct Sink {
    process: Child,
    pub(crate) endpoint: String,
}

impl Sink {
    pub(crate) fn start() -> std::io::Result<Self> {
        let mut process =
            Command::new(std::env::current_exe()?).arg("sink").stdout(Stdio::piped()).spawn()?;
        let mut endpoint = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut endpoint)?;
        }
        Ok(Self { process, endpoint: endpoint.trim().to_owned() })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves OTLP over HTTP and gRPC until it is killed.
pub(crate) fn serve() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    listener.set_nonblocking(true)?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        loop {
            let (connection, _) = listener.accept().await?;
            tokio::spawn(async move {
                let connection = TokioIo::new(connection);
                let served = Builder::new(TokioExecutor::new())
                    .serve_connection(connection, service_fn(take))
                    .await;
                drop(served);
            });
        }
    })
}

async fn take(
    request: Request<Incoming>,
) -> Result<Response<http_body_util::Either<Full<Bytes>, Trailed>>, Infallible> {
    let kind = request.headers().get(CONTENT_TYPE).cloned();
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
    let grpc = kind.as_ref().is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
    let body = if grpc {
        // A message of no bytes: everything was taken.
        let trailers = HeaderMap::from_iter([(
            http::HeaderName::from_static("grpc-status"),
            HeaderValue::from_static("0"),
        )]);
        let body = Full::new(Bytes::from_static(&[0; 5]));
        http_body_util::Either::Right(body.with_trailers(std::future::ready(Some(Ok(trailers)))))
    } else {
        http_body_util::Either::Left(Full::default())
    };
    let mut response = Response::new(body);
    if let Some(kind) = kind {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    Ok(response)
}

type Trailed = http_body_util::combinators::WithTrailers<
    Full<Bytes>,
    std::future::Ready<Option<Result<HeaderMap, Infallible>>>,
>;

//! OTLP over gRPC: one unary call, frame by frame.

use std::future::poll_fn;
use std::io::{self, Write};
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::behaviour::{Behaviour, Protocol};
use super::body::{Format, Malformed, decompress};
use super::http::{GARBAGE, LARGE_ANSWER, PAGE, reset};
use super::record::{Exchange, Record};
use super::refusal::Refusal;

/// Answers calls until the client or a behaviour closes the connection.
pub(super) async fn serve(socket: TcpStream, record: Arc<Record>) -> io::Result<()> {
    let socket = socket.into_std()?;
    // What the calls do to the connection itself goes past HTTP/2, through a second descriptor.
    let mut raw = socket.try_clone()?;
    let mut server = h2::server::Builder::new();
    server.initial_window_size(WINDOW).initial_connection_window_size(WINDOW);
    let connection = server.handshake::<_, Bytes>(TcpStream::from_std(socket)?).await;
    let mut connection = connection.map_err(io::Error::other)?;
    let mut calls = JoinSet::new();
    loop {
        tokio::select! {
            accepted = connection.accept() => match accepted {
                Some(Ok((request, respond))) => {
                    calls.spawn(call(request, respond, record.clone()));
                }
                Some(Err(error)) if error.is_io() || error.is_remote() => return Ok(()),
                Some(Err(error)) => {
                    record.find(format!("no HTTP/2: {error}"));
                    return Ok(());
                }
                None => return Ok(()),
            },
            // A call that failed was given up by the client.
            Some(Ok(called)) = calls.join_next() => match called {
                Ok((Then::Reset, _stream)) => return reset(&raw),
                Ok((Then::Garbage, _stream)) => {
                    raw.write_all(GARBAGE)?;
                    let mut socket = TcpStream::from_std(raw)?;
                    while socket.read(&mut [0; 1024]).await? > 0 {}
                    return Ok(());
                }
                Ok((Then::GoOn, _)) | Err(_) => {}
            },
        }
    }
}

const WINDOW: u32 = 1 << 22;

/// What becomes of the connection after a call.
enum Then {
    GoOn,
    Reset,
    Garbage,
}

/// A stream that is dropped is cancelled, and the client would hear of that before anything that is
/// done to the connection: so it is handed back.
type Called = Result<(Then, SendResponse<Bytes>), h2::Error>;

async fn call(
    request: http::Request<RecvStream>,
    respond: SendResponse<Bytes>,
    record: Arc<Record>,
) -> Called {
    let (head, mut body) = request.into_parts();
    let mut exchange = record.begin(Protocol::Grpc, head.uri.path(), head.headers.clone());
    if exchange.behaviour == Behaviour::ResetOnHeaders {
        exchange.answer();
        return Ok((Then::Reset, respond));
    }
    let mut message = BytesMut::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        message.extend_from_slice(&data);
    }
    exchange.receive(
        check(&head).and_then(|()| Format::Protobuf.decode(&unframed(&head.headers, &message)?)),
    );
    answer(exchange, respond).await
}

fn check(head: &Parts) -> Result<(), Malformed> {
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    let (path, content_type) = (head.uri.path(), text("content-type").unwrap_or_default());
    if path != "/opentelemetry.proto.collector.trace.v1.TraceService/Export" {
        return Err(Malformed::new(404, format!("the path is {path}")));
    }
    if head.method != Method::POST {
        return Err(Malformed::new(405, format!("the method is {}", head.method)));
    }
    if !["application/grpc", "application/grpc+proto"].contains(&content_type) {
        return Err(Malformed::new(415, format!("the content type is `{content_type}`")));
    }
    if text("te") != Some("trailers") {
        return Err(Malformed::new(400, "no `te: trailers`"));
    }
    Ok(())
}

/// The one message of a unary call.
fn unframed(headers: &HeaderMap, body: &[u8]) -> Result<Vec<u8>, Malformed> {
    let (&[compressed, a, b, c, d], message) =
        body.split_first_chunk().ok_or_else(|| Malformed::new(400, "no message"))?;
    if u32::from_be_bytes([a, b, c, d]) as usize != message.len() {
        return Err(Malformed::new(400, "a message of another length than it says"));
    }
    let encoding = headers.get("grpc-encoding").and_then(|encoding| encoding.to_str().ok());
    match (compressed, encoding) {
        (0, _) => decompress(None, message),
        (1, Some(encoding)) if encoding != "identity" => decompress(Some(encoding), message),
        _ => Err(Malformed::new(400, format!("compressed: {compressed}, with {encoding:?}"))),
    }
}

// Long: one arm for each fault.
async fn answer(mut exchange: Exchange, mut respond: SendResponse<Bytes>) -> Called {
    let behaviour = exchange.behaviour.clone();
    if let Behaviour::Slow(delay) = behaviour {
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            given_up = poll_fn(|context| respond.poll_reset(context)) => {
                return Err(given_up?.into());
            }
        }
    }
    exchange.answer();
    match behaviour {
        Behaviour::ResetOnHeaders | Behaviour::ResetAfterBody => return Ok((Then::Reset, respond)),
        Behaviour::Garbage => return Ok((Then::Garbage, respond)),
        Behaviour::Hang => std::future::pending().await,
        Behaviour::HalfAnswer => {
            let mut stream = respond.send_response(head(), false)?;
            stream.send_data(framed(&[0; 64]).slice(..32), false)?;
            stream.send_reset(Reason::CANCEL);
        }
        Behaviour::Status { code, retry_after } => {
            let refusal = Refusal { code, retry_after };
            let mut response = head();
            response.headers_mut().extend(trailers(refusal.grpc_code(), &refusal.message()));
            let details = HeaderValue::try_from(refusal.details()).expect("base64");
            response.headers_mut().insert("grpc-status-details-bin", details);
            respond.send_response(response, true)?;
        }
        Behaviour::Page { code } => {
            let response = Response::builder().status(code).header("content-type", "text/html");
            let response = response.body(()).expect("a valid head");
            let mut stream = respond.send_response(response, false)?;
            stream.send_data(Bytes::from_static(PAGE.as_bytes()), true)?;
        }
        Behaviour::EncodingRefused => {
            const UNIMPLEMENTED: i32 = 12;

            let mut response = head();
            // What servers in Go say.
            let message = "grpc: Decompressor is not installed for grpc-encoding";
            response.headers_mut().extend(trailers(UNIMPLEMENTED, message));
            respond.send_response(response, true)?;
        }
        Behaviour::LargeAnswer => {
            let mut stream = respond.send_response(head(), false)?;
            stream.send_data(framed(&vec![0; LARGE_ANSWER]), false)?;
            stream.send_trailers(trailers(0, ""))?;
        }
        Behaviour::TakeUncompressed => unreachable!("it has been decided"),
        Behaviour::GarbageDetails => {
            let mut stream = respond.send_response(head(), false)?;
            let mut trailers = trailers(Refusal { code: 500, retry_after: None }.grpc_code(), "");
            trailers.insert("grpc-status-details-bin", HeaderValue::from_static("no base64"));
            stream.send_trailers(trailers)?;
        }
        Behaviour::Take
        | Behaviour::Slow(_)
        | Behaviour::Partial { .. }
        | Behaviour::GarbageMessage => {
            let mut stream = respond.send_response(head(), false)?;
            stream.send_data(framed(&Format::Protobuf.success(&behaviour)), false)?;
            stream.send_trailers(trailers(0, ""))?;
        }
    }
    Ok((Then::GoOn, respond))
}

fn head() -> Response<()> {
    let response = Response::builder().header("content-type", "application/grpc");
    response.body(()).expect("a valid head")
}

fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(5 + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).expect("a short message"));
    frame.put_slice(message);
    frame.freeze()
}

fn trailers(code: i32, message: &str) -> HeaderMap {
    // A message is percent-encoded.
    let message = message.replace(' ', "%20");
    let message = HeaderValue::try_from(message).expect("printable");
    HeaderMap::from_iter([
        (http::HeaderName::from_static("grpc-status"), HeaderValue::from(code)),
        (http::HeaderName::from_static("grpc-message"), message),
    ])
}

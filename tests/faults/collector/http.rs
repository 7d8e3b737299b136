//! OTLP over HTTP/1.1, with the socket in our hands.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use httparse::Status;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::behaviour::{Behaviour, Protocol};
use super::body::{Format, Malformed, decompress};
use super::record::{Exchange, Record};
use super::refusal::Refusal;

/// Answers requests until the client or a behaviour closes the connection.
pub(super) async fn serve(socket: TcpStream, record: Arc<Record>) -> io::Result<()> {
    let mut connection = Connection { socket, read: BytesMut::new() };
    loop {
        let head = match connection.head().await? {
            Some(Ok(head)) => head,
            Some(Err(error)) => {
                record.find(format!("no HTTP: {error}"));
                return Ok(());
            }
            None => return Ok(()),
        };
        let mut exchange = record.clone().begin(Protocol::Http, &head.target, head.headers.clone());
        if exchange.behaviour == Behaviour::ResetOnHeaders {
            exchange.answer();
            return reset(&connection.socket);
        }
        let body = connection.body(&head.headers).await?;
        let format = head.format();
        exchange.receive(body.and_then(|body| {
            head.check()?;
            let encoding = head.text("content-encoding");
            format.clone()?.decode(&decompress(encoding, &body)?)
        }));
        connection.answer(exchange, format.unwrap_or(Format::Protobuf)).await?;
    }
}

struct Head {
    method: String,
    target: String,
    headers: HeaderMap,
}

impl Head {
    fn check(&self) -> Result<(), Malformed> {
        if self.target != "/v1/traces" {
            return Err(Malformed::new(404, format!("the path is {}", self.target)));
        }
        if self.method != "POST" {
            return Err(Malformed::new(405, format!("the method is {}", self.method)));
        }
        if !self.headers.contains_key("host") {
            return Err(Malformed::new(400, "no host"));
        }
        Ok(())
    }

    fn format(&self) -> Result<Format, Malformed> {
        let content_type = self.text("content-type").unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        [Format::Protobuf, Format::Json]
            .into_iter()
            .find(|format| essence.eq_ignore_ascii_case(format.content_type()))
            .ok_or_else(|| Malformed::new(415, format!("the content type is `{content_type}`")))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

struct Connection {
    socket: TcpStream,
    read: BytesMut,
}

impl Connection {
    /// The next request's head, or none at the end of the connection.
    async fn head(&mut self) -> io::Result<Option<Result<Head, httparse::Error>>> {
        loop {
            match parse(&self.read) {
                Ok(Status::Complete((length, head))) => {
                    self.read.advance(length);
                    return Ok(Some(Ok(head)));
                }
                Ok(Status::Partial) => {}
                Err(error) => return Ok(Some(Err(error))),
            }
            if self.socket.read_buf(&mut self.read).await? == 0 {
                return Ok(None);
            }
        }
    }

    async fn body(&mut self, headers: &HeaderMap) -> io::Result<Result<Vec<u8>, Malformed>> {
        let length = headers.get("content-length").and_then(|length| length.to_str().ok());
        let chunked = headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked");
        match length.and_then(|length| length.parse().ok()) {
            Some(length) if !chunked => self.bytes(length).await.map(Ok),
            None if chunked => self.chunks().await,
            _ => Ok(Err(Malformed::new(411, "neither `content-length` nor chunked"))),
        }
    }

    async fn chunks(&mut self) -> io::Result<Result<Vec<u8>, Malformed>> {
        let mut body = Vec::new();
        loop {
            match httparse::parse_chunk_size(&self.read) {
                Ok(Status::Complete((head, length))) => {
                    self.read.advance(head);
                    let length = usize::try_from(length).map_err(io::Error::other)?;
                    let chunk = self.bytes(length + 2).await?;
                    body.extend_from_slice(&chunk[..length]);
                    if length == 0 {
                        return Ok(Ok(body));
                    }
                }
                Ok(Status::Partial) => self.more().await?,
                Err(_) => return Ok(Err(Malformed::new(400, "a chunk without its size"))),
            }
        }
    }

    async fn bytes(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.read.len() < length {
            self.more().await?;
        }
        Ok(self.read.split_to(length).into())
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.socket.read_buf(&mut self.read).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Answers, or fails to. An error ends the connection.
    // Long: one arm for each fault.
    async fn answer(&mut self, mut exchange: Exchange, format: Format) -> io::Result<()> {
        let behaviour = exchange.behaviour.clone();
        if let Behaviour::Slow(delay) = behaviour {
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = self.gone() => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        }
        exchange.answer();
        match behaviour {
            Behaviour::ResetOnHeaders | Behaviour::ResetAfterBody => reset(&self.socket)?,
            Behaviour::Hang => {}
            Behaviour::Garbage => self.socket.write_all(GARBAGE).await?,
            Behaviour::HalfAnswer => {
                let head = response(200, format, None, &[0; 64]);
                self.socket.write_all(&head[..head.len() - 32]).await?;
                self.socket.shutdown().await?;
            }
            Behaviour::Status { code, retry_after } => {
                let body = Refusal { code, retry_after }.body(format);
                let response = response(code, format, retry_after, &body);
                return self.socket.write_all(&response).await;
            }
            Behaviour::Page { code } => {
                let response = page(code);
                return self.socket.write_all(&response).await;
            }
            Behaviour::EncodingRefused => {
                let body = Refusal { code: 415, retry_after: None }.body(format);
                let response = response(415, format, None, &body);
                return self.socket.write_all(&response).await;
            }
            Behaviour::LargeAnswer => {
                let response = response(200, format, None, &vec![0; LARGE_ANSWER]);
                return self.socket.write_all(&response).await;
            }
            Behaviour::TakeUncompressed => unreachable!("it has been decided"),
            Behaviour::GarbageDetails => {
                let response = response(500, format, None, &[0xff; 8]);
                return self.socket.write_all(&response).await;
            }
            Behaviour::Take
            | Behaviour::Slow(_)
            | Behaviour::Partial { .. }
            | Behaviour::GarbageMessage => {
                let response = response(200, format, None, &format.success(&behaviour));
                return self.socket.write_all(&response).await;
            }
        }
        // A reset comes at once; the rest is for the client to end.
        if !matches!(behaviour, Behaviour::ResetAfterBody) {
            while self.socket.read_buf(&mut self.read).await? > 0 {}
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    /// Waits until the client has closed the connection.
    async fn gone(&self) {
        while let Ok(1) = self.socket.peek(&mut [0]).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Longer than the protocol's specification has it.
pub(super) const LARGE_ANSWER: usize = 5 << 20;

/// What a proxy says.
pub(super) const PAGE: &str = "<html><body>the backend is not there</body></html>";

fn page(code: u16) -> Vec<u8> {
    let length = PAGE.len();
    format!(
        "HTTP/1.1 {code} Whatever\r\ncontent-type: text/html\r\ncontent-length: {length}\r\n\r\n{PAGE}"
    )
    .into_bytes()
}

pub(super) const GARBAGE: &[u8] = b"\x16\x03\x01\x02\x00 neither HTTP/1 nor HTTP/2\r\n\r\n";

fn parse(read: &[u8]) -> Result<Status<(usize, Head)>, httparse::Error> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let Status::Complete(length) = request.parse(read)? else {
        return Ok(Status::Partial);
    };
    let headers = request.headers.iter().map(|header| {
        let name = HeaderName::from_bytes(header.name.as_bytes());
        let value = HeaderValue::from_bytes(header.value);
        Ok((
            name.or(Err(httparse::Error::HeaderName))?,
            value.or(Err(httparse::Error::HeaderValue))?,
        ))
    });
    let head = Head {
        method: request.method.unwrap_or_default().to_owned(),
        target: request.path.unwrap_or_default().to_owned(),
        headers: headers.collect::<Result<_, httparse::Error>>()?,
    };
    Ok(Status::Complete((length, head)))
}

fn response(code: u16, format: Format, retry_after: Option<u64>, body: &[u8]) -> Vec<u8> {
    let reason = StatusCode::from_u16(code).ok().and_then(|code| code.canonical_reason());
    let retry_after = retry_after.map(|seconds| format!("retry-after: {seconds}\r\n"));
    let head = format!(
        "HTTP/1.1 {code} {}\r\n{}content-type: {}\r\ncontent-length: {}\r\n\r\n",
        reason.unwrap_or_default(),
        retry_after.unwrap_or_default(),
        format.content_type(),
        body.len(),
    );
    [head.as_bytes(), body].concat()
}

/// The connection ends with a reset when it is dropped.
pub(super) fn reset<'socket>(socket: impl Into<SockRef<'socket>>) -> io::Result<()> {
    socket.into().set_linger(Some(Duration::ZERO))
}

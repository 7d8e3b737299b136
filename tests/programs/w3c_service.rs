//! A service for the W3C working group's suite of Trace Context, which `tests/w3c-trace-context.sh` runs. For
//! each element of the JSON list that is posted to it, it posts the element's arguments to the element's URL,
//! with the headers that the library sends.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use spandrel::{propagate, span, traced_app};

#[traced_app("w3c-service")]
fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}/test", listener.local_addr()?);
    for connection in listener.incoming() {
        let connection = connection?;
        // While the service answers one request, the suite sends it others.
        thread::spawn(move || answer(connection));
    }
    Ok(())
}

fn answer(mut connection: TcpStream) -> io::Result<()> {
    let (headers, body) = read(&connection)?;
    let status = match serde_json::from_slice::<Vec<Value>>(&body) {
        Ok(actions) => serve(&headers, &actions).map_or("502 Bad Gateway", |()| "200 OK"),
        Err(_) => "400 Bad Request",
    };
    write!(connection, "HTTP/1.1 {status}\r\n")?;
    connection.write_all(b"content-type: application/json\r\ncontent-length: 2\r\n")?;
    connection.write_all(b"connection: close\r\n\r\n{}")
}

#[propagate(headers)]
#[span("serve", kind(server))]
fn serve(headers: &HeaderMap, actions: &[Value]) -> io::Result<()> {
    actions.iter().try_for_each(|action| {
        let url = action["url"].as_str().ok_or(io::ErrorKind::InvalidInput)?;
        call(url, &action["arguments"], &mut HeaderMap::new())
    })
}

#[propagate(inject(headers))]
#[span("call", kind(client))]
fn call(url: &str, arguments: &Value, headers: &mut HeaderMap) -> io::Result<()> {
    let authority = url.strip_prefix("http://").ok_or(io::ErrorKind::InvalidInput)?;
    let (authority, path) = authority.split_once('/').unwrap_or((authority, ""));
    let mut connection = TcpStream::connect(authority)?;
    let body = arguments.to_string();
    write!(connection, "POST /{path} HTTP/1.1\r\nhost: {authority}\r\n")?;
    write!(connection, "content-type: application/json\r\ncontent-length: {}\r\n", body.len())?;
    for (name, value) in headers.iter() {
        write!(connection, "{name}: ")?;
        connection.write_all(value.as_bytes())?;
        connection.write_all(b"\r\n")?;
    }
    write!(connection, "connection: close\r\n\r\n{body}")?;
    io::copy(&mut connection, &mut io::sink()).map(|_| ())
}

/// The headers of a request and its body.
fn read(connection: &TcpStream) -> io::Result<(HeaderMap, Vec<u8>)> {
    let mut reader = BufReader::new(connection);
    reader.skip_until(b'\n')?;
    let mut headers = HeaderMap::new();
    loop {
        let mut line = Vec::new();
        reader.read_until(b'\n', &mut line)?;
        let line = line.trim_ascii_end();
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { break };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            headers.append(name, value);
        }
    }
    let length =
        headers.get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
    let mut body = vec![0; length.unwrap_or_default()];
    reader.read_exact(&mut body)?;
    Ok((headers, body))
}

//! Detects which protocol a server uses after an unexpected answer, so that the message can name the variable to
//! set.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DetectedProtocol {
    Http1,
    /// What gRPC is spoken over.
    Http2,
    Tls,
}

/// How long each question may take.
const PROBE_TIMEOUT: Duration = Duration::from_millis(500);

/// What HTTP/2 starts with, and empty settings. HTTP/1 takes it for a request that it refuses.
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// The first message of TLS 1.2, with one cipher that servers offer: they answer it, if only by an alert.
const TLS: &[u8] = &[
    22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3, // a handshake, the client's hello, version 1.2
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
    27, 28, 29, 30, 31, 32, // the random bytes
    0, 0, 2, 0xc0, 0x2f, 1, 0, // no session, ECDHE-RSA-AES128-GCM-SHA256, no compression
];

/// Asks at `host:port`; `None` where that does not become clear.
pub(super) async fn probe(authority: &str) -> Option<DetectedProtocol> {
    // Servers of TLS may close the connection without a word when they are asked for HTTP/2.
    match ask(authority, HTTP2).await {
        Some(spoken) => Some(spoken),
        None => ask(authority, TLS).await,
    }
}

async fn ask(authority: &str, question: &[u8]) -> Option<DetectedProtocol> {
    let asked = async {
        let mut connection = TcpStream::connect(authority).await?;
        connection.write_all(question).await?;
        let mut answer = [0; 5];
        connection.read_exact(&mut answer).await?;
        io::Result::Ok(answer)
    };
    recognise(timeout(PROBE_TIMEOUT, asked).await.ok()?.ok()?)
}

fn recognise(answer: [u8; 5]) -> Option<DetectedProtocol> {
    match answer {
        [b'H', b'T', b'T', b'P', b'/'] => Some(DetectedProtocol::Http1),
        // A record of a handshake, or an alert.
        [21 | 22, 3, ..] => Some(DetectedProtocol::Tls),
        // A frame of settings, or one that says why the connection is closed.
        [0, 0, _, 4 | 7, _] => Some(DetectedProtocol::Http2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_recognised() {
        for (answer, spoken) in [
            (*b"HTTP/", Some(DetectedProtocol::Http1)),
            ([22, 3, 3, 0, 1], Some(DetectedProtocol::Tls)),
            ([21, 3, 1, 0, 2], Some(DetectedProtocol::Tls)),
            ([0, 0, 18, 4, 0], Some(DetectedProtocol::Http2)),
            ([0, 0, 8, 7, 0], Some(DetectedProtocol::Http2)),
            (*b"SSH-2", None),
            ([0; 5], None),
        ] {
            assert_eq!(recognise(answer), spoken, "{answer:?}");
        }
    }

    #[test]
    fn the_hello_has_the_lengths_that_it_says() {
        assert_eq!(TLS.len(), 5 + usize::from(TLS[4]));
        assert_eq!(usize::from(TLS[4]), 4 + usize::from(TLS[8]));
    }
}

//! The address of a server.

use crate::attribute::{Attributes, ToAttributes};

/// The address of a server that a client talks to, as a group of attributes: `server.address` and `server.port`.
///
/// ```
/// use spandrel::{ServerAddress, span, testing};
///
/// #[span("load", ..ServerAddress::of(url))]
/// fn load(url: &str) {}
///
/// let recording = testing::record(|| load("redis://user:password@cache:6379/0"));
/// assert_eq!(recording.to_string(), "load server.address=\"cache\" server.port=6379\n");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerAddress<'a> {
    host: &'a str,
    port: Option<u16>,
}

impl<'a> ServerAddress<'a> {
    /// Of `host:port`, of a URL, or the first of several of these with commas between them, as Kafka's brokers are
    /// written. Users and passwords are left out, and so is what cannot be read.
    pub fn of(text: &'a str) -> Self {
        const NOTHING: ServerAddress<'static> = ServerAddress { host: "", port: None };

        let text = text.trim();
        let without_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
        let end = without_scheme.find(['/', '?', '#']).unwrap_or(without_scheme.len());
        let (authority, rest) = without_scheme.split_at(end);
        if rest.contains('@') {
            // Perhaps a password with such a character.
            return NOTHING;
        }
        let servers = authority.rsplit_once('@').map_or(authority, |(_, servers)| servers);
        let server = servers.split(',').next().unwrap_or_default().trim();
        let found = if let Some(rest) = server.strip_prefix('[') {
            let (host, rest) = rest.split_once(']').unwrap_or(("", ""));
            Self { host, port: rest.strip_prefix(':').and_then(|port| port.parse().ok()) }
        } else {
            match server.split_once(':') {
                Some((host, port)) if !port.contains(':') => Self { host, port: port.parse().ok() },
                // An IPv6 address without a port, or a host.
                _ => Self { host: server, port: None },
            }
        };
        let is_host = |host: &str| {
            host.chars().all(|letter| letter.is_alphanumeric() || ".-_:%".contains(letter))
        };
        if is_host(found.host) { found } else { NOTHING }
    }
}

impl ToAttributes for ServerAddress<'_> {
    fn to_attributes(&self, attributes: &mut Attributes) {
        attributes.set("server.address", &Some(self.host).filter(|host| !host.is_empty()));
        attributes.set("server.port", &self.port);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_many_forms() {
        for (text, host, port) in [
            ("broker:9092", "broker", Some(9092)),
            ("broker", "broker", None),
            ("a:1, b:2", "a", Some(1)),
            ("postgres://user:p@ss@db:5432/shop?x=1", "db", Some(5432)),
            ("redis://cache/0", "cache", None),
            ("[::1]:6379", "::1", Some(6379)),
            ("http://[fe80::1]/", "fe80::1", None),
            ("::1", "::1", None),
            ("host:port", "host", None),
            ("", "", None),
            ("://", "", None),
            ("[", "", None),
            ("amqp://user:a,b@mq:5672/", "mq", Some(5672)),
            ("redis://default:1234,5678@cache", "cache", None),
            ("postgres://user:pa/ss@db", "", None),
            ("http://host/path@x", "", None),
            ("mongodb://a:1,b:2/shop", "a", Some(1)),
            ("what is this", "", None),
        ] {
            assert_eq!(ServerAddress::of(text), ServerAddress { host, port }, "{text}");
        }
    }
}

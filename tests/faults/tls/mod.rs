//! Collectors behind TLS, over HTTP and gRPC: whom programs trust, how they show who they are, and
//! what they say where that fails.

mod certificates;
mod front;
mod replaced;

use std::io::Write;
use std::net::TcpListener;
use std::process::Output;
use std::thread;

use tempfile::NamedTempFile;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ALL_VERSIONS, SupportedProtocolVersion};

use crate::collector::Collector;
use crate::process::{PROGRAM, PROTOCOLS, command, stderr};
use certificates::{Authority, Issued, KeyFormat, KeyType, file};
use front::Front;

const SPANS: [&str; 3] = ["main", "work<main", "detail<work"];

#[test]
fn an_authority_of_one_s_own_is_trusted() {
    let authority = Authority::new("ours");
    let server = authority.server("localhost");
    let others = Authority::new("another").pem();
    let roots = file(&(others + &authority.pem()));
    for name in ["OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE"] {
        for protocol in PROTOCOLS {
            let collector = Collector::start();
            let front = Front::start(&collector, &server, None, ALL_VERSIONS);
            let output = run(&front.endpoint, protocol, &[(name, path(&roots))]);
            assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
            assert_eq!(collector.summary(), SPANS, "{name}, {protocol}");
        }
    }
}

#[test]
fn the_system_s_roots_are_trusted() {
    let authority = Authority::new("the system's");
    let server = authority.server("localhost");
    let roots = file(&authority.pem());
    for protocol in PROTOCOLS {
        let collector = Collector::start();
        let front = Front::start(&collector, &server, None, ALL_VERSIONS);
        let output = run(&front.endpoint, protocol, &[("SSL_CERT_FILE", path(&roots))]);
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
        assert_eq!(collector.summary(), SPANS, "{protocol}");
    }
}

/// As in a container with nothing but the program.
#[test]
fn a_system_without_roots_is_no_hindrance_to_plain_http() {
    const NO_ROOTS: [(&str, &str); 2] = [("SSL_CERT_FILE", "/none"), ("SSL_CERT_DIR", "/none")];
    for protocol in PROTOCOLS {
        let collector = Collector::start();
        let output = run(&collector.endpoint, protocol, &NO_ROOTS);
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
        assert_eq!(collector.summary(), SPANS, "{protocol}");

        let output = run("https://localhost:1", protocol, &NO_ROOTS);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(0));
        let why = "the system trusts no authority; OTEL_EXPORTER_OTLP_CERTIFICATE can name one";
        assert!(said.ends_with(&format!(": {why}; tracing is off\n")), "{protocol}: {said}");
    }
}

#[test]
fn a_client_shows_who_it_is_with_any_kind_of_key() {
    let authority = Authority::new("ours");
    let server = authority.server("localhost");
    let roots = file(&authority.pem());
    for key_type in [KeyType::Ec, KeyType::Rsa] {
        let client = authority.client(key_type);
        let certificate = file(&client.certificate.pem());
        for format in [KeyFormat::Pkcs8, KeyFormat::Traditional] {
            let key = file(&client.key_pem(key_type, format));
            for (protocol, kind) in PROTOCOLS.into_iter().zip(["", "TRACES_"]) {
                let collector = Collector::start();
                let front = Front::start(&collector, &server, Some(&authority), ALL_VERSIONS);
                let name = |setting| format!("OTEL_EXPORTER_OTLP_{kind}{setting}");
                let variables = [
                    (&*name("CERTIFICATE"), path(&roots)),
                    (&*name("CLIENT_CERTIFICATE"), path(&certificate)),
                    (&*name("CLIENT_KEY"), path(&key)),
                ];
                let said = stderr(&run(&front.endpoint, protocol, &variables));
                assert_eq!(said, "", "{key_type:?}, {format:?}, {protocol}");
                assert_eq!(collector.summary(), SPANS, "{key_type:?}, {format:?}, {protocol}");
            }
        }
    }
}

#[test]
fn an_unknown_authority_is_told_of() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let server = theirs.server("localhost");
    lost(
        &server,
        &ours,
        "the certificate is from an authority that is not trusted; \
         OTEL_EXPORTER_OTLP_CERTIFICATE can name it",
    );
}

#[test]
fn a_certificate_that_is_an_authority_s_is_told_of() {
    let authority = Authority::new("ours");
    let server = authority.authority("localhost");
    lost(&server, &authority, "the server uses the certificate of an authority (`CA:TRUE`)");
}

#[test]
fn an_expired_certificate_is_told_of() {
    let authority = Authority::new("ours");
    lost(
        &authority.expired("localhost"),
        &authority,
        "the certificate has expired, on 2020-01-01T00:00:00Z",
    );
}

#[test]
fn a_certificate_for_another_host_is_told_of() {
    let authority = Authority::new("ours");
    lost(
        &authority.server("other.test"),
        &authority,
        "the certificate is not for localhost, but for other.test",
    );
}

#[test]
fn a_client_that_shows_nothing_is_told_of() {
    let authority = Authority::new("ours");
    let server = authority.server("localhost");
    let roots = file(&authority.pem());
    for (version, protocol) in versions_and_protocols() {
        let collector = Collector::start();
        let front = Front::start(&collector, &server, Some(&authority), &[version]);
        let variables = [("OTEL_EXPORTER_OTLP_CERTIFICATE", path(&roots))];
        let output = run(&front.endpoint, protocol, &variables);
        check_lost(&front, &output, "a client certificate is wanted");
    }
}

#[test]
fn a_client_that_is_not_trusted_is_told_of() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let server = theirs.server("localhost");
    let roots = file(&theirs.pem());
    let client = ours.client(KeyType::Ec);
    let certificate = file(&client.certificate.pem());
    let key = file(&client.key_pem(KeyType::Ec, KeyFormat::Pkcs8));
    for (version, protocol) in versions_and_protocols() {
        let collector = Collector::start();
        let front = Front::start(&collector, &server, Some(&theirs), &[version]);
        let variables = [
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", path(&roots)),
            ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", path(&certificate)),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", path(&key)),
        ];
        let output = run(&front.endpoint, protocol, &variables);
        check_lost(&front, &output, "not accepted");
    }
}

#[test]
fn a_collector_that_speaks_no_tls_is_told_of() {
    for protocol in PROTOCOLS {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
            }
        });
        let output = run(&format!("https://localhost:{port}"), protocol, &[]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(0));
        assert!(said.contains("no TLS is spoken there; is it `http://`?"), "{protocol}: {said}");
    }
}

#[test]
fn files_that_are_of_no_use_are_told_of() {
    let authority = Authority::new("ours");
    let [client, other] = [authority.client(KeyType::Ec), authority.client(KeyType::Ec)];
    let [certificate, another] = [&client, &other].map(|client| file(&client.certificate.pem()));
    let key = file(&client.key_pem(KeyType::Ec, KeyFormat::Pkcs8));
    let [encrypted, broken] = ["ENCRYPTED PRIVATE KEY", "PRIVATE KEY"]
        .map(|label| file(&format!("-----BEGIN {label}-----\nMAo=\n-----END {label}-----\n")));
    for (variables, complaint) in [
        (
            &[("CLIENT_CERTIFICATE", path(&another)), ("CLIENT_KEY", path(&key))][..],
            "CLIENT_KEY is another certificate's, expected the key of \
             OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE; using no client certificate"
                .to_owned(),
        ),
        (
            &[("CLIENT_CERTIFICATE", path(&certificate)), ("CLIENT_KEY", path(&encrypted))],
            unread("CLIENT_KEY", &encrypted, "a file with a key in the PEM format, not encrypted"),
        ),
        (
            &[("CLIENT_CERTIFICATE", path(&certificate)), ("CLIENT_KEY", path(&broken))],
            unread("CLIENT_KEY", &broken, "a file with a key in the PEM format, not encrypted"),
        ),
        (
            &[("CLIENT_CERTIFICATE", path(&key)), ("CLIENT_KEY", path(&key))],
            unread("CLIENT_CERTIFICATE", &key, "a file of certificates in the PEM format"),
        ),
        (
            &[("CLIENT_KEY", path(&key))],
            "CLIENT_KEY is given alone, expected OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE beside \
             it; using no client certificate"
                .to_owned(),
        ),
    ] {
        let collector = Collector::start();
        let variables: Vec<(String, &str)> = variables
            .iter()
            .map(|(name, path)| (format!("OTEL_EXPORTER_OTLP_{name}"), *path))
            .collect();
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, path)| (name.as_str(), *path)).collect();
        let output = run(&collector.endpoint, "http/protobuf", &variables);
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(stderr(&output), format!("spandrel: OTEL_EXPORTER_OTLP_{complaint}\n"));
        assert_eq!(collector.summary(), SPANS);
    }
}

fn unread(variable: &str, file: &NamedTempFile, expected: &str) -> String {
    let path = path(file);
    format!(
        "{variable} is `{path}`, which holds something else, expected {expected}; using no client \
         certificate"
    )
}

/// Spans that go to this server, which is not trusted by a client of this authority, are lost, for
/// this reason.
fn lost(server: &Issued, authority: &Authority, why: &str) {
    let roots = file(&authority.pem());
    for protocol in PROTOCOLS {
        let collector = Collector::start();
        let front = Front::start(&collector, server, None, ALL_VERSIONS);
        let variables = [("OTEL_EXPORTER_OTLP_CERTIFICATE", path(&roots))];
        let output = run(&front.endpoint, protocol, &variables);
        check_lost(&front, &output, why);
        assert_eq!(collector.summary(), Vec::<String>::new());
    }
}

fn check_lost(front: &Front, output: &Output, why: &str) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let start =
        format!("spandrel: 3 of 3 spans lost on the way from program to {}", front.endpoint);
    assert!(said.starts_with(&start) && said.contains(why), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

fn versions_and_protocols()
-> impl Iterator<Item = (&'static SupportedProtocolVersion, &'static str)> {
    [&TLS12, &TLS13].into_iter().flat_map(|version| PROTOCOLS.map(|protocol| (version, protocol)))
}

fn run(endpoint: &str, protocol: &str, variables: &[(&str, &str)]) -> Output {
    let to = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)];
    command(PROGRAM, "return", &[&to, variables].concat()).output().expect("it runs")
}

fn path(file: &NamedTempFile) -> &str {
    file.path().to_str().expect("text")
}

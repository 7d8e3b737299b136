//! Certificates that are replaced while the program runs.

use std::fs;
use std::thread;
use std::time::Duration;

use tempfile::NamedTempFile;
use tokio_rustls::rustls::ALL_VERSIONS;

use super::certificates::{Authority, KeyFormat, KeyType, file};
use super::front::Front;
use super::path;
use crate::collector::Collector;
use crate::process::PROTOCOLS;
use crate::renewed::Renews;

/// The files of a program: whom it trusts, its certificate, and its key.
struct Files([NamedTempFile; 3]);

impl Files {
    fn new(authority: &Authority) -> Self {
        Self(contents(authority).map(|text| file(&text)))
    }

    fn variables<'a>(&'a self, front: &'a Front, protocol: &'a str) -> Vec<(&'a str, &'a str)> {
        let names = ["CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"].map(|name| match name {
            "CERTIFICATE" => "OTEL_EXPORTER_OTLP_CERTIFICATE",
            "CLIENT_CERTIFICATE" => "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
            _ => "OTEL_EXPORTER_OTLP_CLIENT_KEY",
        });
        let mut variables: Vec<_> = names.into_iter().zip(self.0.iter().map(path)).collect();
        variables.push(("OTEL_EXPORTER_OTLP_ENDPOINT", &front.endpoint));
        variables.push(("OTEL_EXPORTER_OTLP_PROTOCOL", protocol));
        variables
    }

    /// Replaces the files, one after the other.
    fn replace(&self, authority: &Authority, pause: Duration) {
        for (file, text) in self.0.iter().zip(contents(authority)) {
            fs::write(file.path(), text).expect("it can be written");
            thread::sleep(pause);
        }
    }
}

fn contents(authority: &Authority) -> [String; 3] {
    let client = authority.client(KeyType::Ec);
    let key = client.key_pem(KeyType::Ec, KeyFormat::Pkcs8);
    [authority.pem(), client.certificate.pem(), key]
}

/// A collector that shows a certificate of this authority and wants one, and the files of a program that has one.
fn secured_by(authority: &Authority) -> (Collector, Front, Files) {
    let collector = Collector::start();
    let server = authority.server("localhost");
    let front = Front::start(&collector, &server, Some(authority), ALL_VERSIONS);
    (collector, front, Files::new(authority))
}

#[test]
fn certificates_and_keys_are_read_again_when_their_files_change() {
    for protocol in PROTOCOLS {
        let (before, after) = (Authority::new("before"), Authority::new("after"));
        let (collector, front, files) = secured_by(&before);
        let mut program = Renews::start("", &files.variables(&front, protocol));
        program.span();
        front.replace(&after.server("localhost"), Some(&after));
        // Longer than the program takes the files as they were.
        files.replace(&after, Duration::from_millis(600));
        program.span();
        assert_eq!(program.end(), "", "{protocol}: nothing was wrong twice");
        assert_eq!(collector.spans().len(), 2, "{protocol}");
    }
}

#[test]
fn certificates_that_come_late_are_used_from_then_on() {
    for protocol in PROTOCOLS {
        let authority = Authority::new("ours");
        let (collector, front, files) = secured_by(&authority);
        fs::write(files.0[1].path(), "").expect("it can be written");
        let mut program = Renews::start("", &files.variables(&front, protocol));
        files.replace(&authority, Duration::from_millis(200));
        program.span();
        let said = program.end();
        assert_eq!(said.matches("CLIENT_CERTIFICATE is").count(), 1, "{protocol}: {said}");
        assert_eq!(collector.spans().len(), 1, "{protocol}");
    }
}

#[test]
fn files_that_are_of_no_use_any_more_change_nothing_and_are_reported_once() {
    for protocol in PROTOCOLS {
        let authority = Authority::new("ours");
        let (collector, front, files) = secured_by(&authority);
        let mut program = Renews::start("", &files.variables(&front, protocol));
        program.span();
        let other = authority.client(KeyType::Ec).key_pem(KeyType::Ec, KeyFormat::Pkcs8);
        fs::write(files.0[2].path(), other).expect("it can be written");
        for _ in 0..3 {
            thread::sleep(Duration::from_millis(600));
            program.span();
        }
        let expected = "spandrel: OTEL_EXPORTER_OTLP_CLIENT_KEY is another certificate's, expected the key of \
                        OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE; using the certificates from before\n";
        assert_eq!(program.end(), expected, "{protocol}");
        assert_eq!(collector.spans().len(), 4, "{protocol}");
    }
}

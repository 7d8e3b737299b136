//! Certificates, made as they are needed.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, date_time_ymd,
};
use tempfile::NamedTempFile;

/// One that signs.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
pub(super) struct Issued {
    pub(super) certificate: rcgen::Certificate,
    pub(super) key: KeyPair,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum KeyType {
    Ec,
    Rsa,
}

/// How a key is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum KeyFormat {
    Pkcs8,
    /// PKCS#1 of RSA, SEC1 of elliptic curves.
    Traditional,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyType::Ec.generate();
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// For a server of this name.
    pub(super) fn server(&self, name: &str) -> Issued {
        self.issue(KeyType::Ec, server(name))
    }

    /// For a server of this name that is an authority as well.
    pub(super) fn authority(&self, name: &str) -> Issued {
        let mut params = server(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        self.issue(KeyType::Ec, params)
    }

    /// For a server of this name, until the first day of 2020.
    pub(super) fn expired(&self, name: &str) -> Issued {
        let mut params = server(name);
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
        self.issue(KeyType::Ec, params)
    }

    pub(super) fn client(&self, key: KeyType) -> Issued {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "client");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(key, params)
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(super) fn der(&self) -> &[u8] {
        self.0.der()
    }

    fn issue(&self, key: KeyType, params: CertificateParams) -> Issued {
        let key = key.generate();
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        Issued { certificate, key }
    }
}

fn server(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

impl KeyType {
    fn generate(self) -> KeyPair {
        let algorithm = match self {
            Self::Ec => &PKCS_ECDSA_P256_SHA256,
            Self::Rsa => &PKCS_RSA_SHA256,
        };
        KeyPair::generate_for(algorithm).expect("a key")
    }

    /// What OpenSSL writes around and before a key.
    fn traditional(self) -> (&'static str, &'static str) {
        const P256: &str =
            "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
        match self {
            Self::Ec => ("EC PRIVATE KEY", P256),
            Self::Rsa => ("RSA PRIVATE KEY", ""),
        }
    }
}

impl Issued {
    pub(super) fn key_pem(&self, key: KeyType, format: KeyFormat) -> String {
        match format {
            KeyFormat::Pkcs8 => self.key.serialize_pem(),
            KeyFormat::Traditional => {
                let inner = STANDARD.encode(traditional(self.key.serialized_der()));
                let (label, before) = key.traditional();
                format!("{before}-----BEGIN {label}-----\n{inner}\n-----END {label}-----\n")
            }
        }
    }
}

/// What PKCS#8 wraps, after a version and an algorithm.
fn traditional(pkcs8: &[u8]) -> &[u8] {
    let (fields, _) = element(pkcs8);
    let (_version, fields) = element(fields);
    let (_algorithm, fields) = element(fields);
    element(fields).0
}

/// The contents of the first element of DER, and what is behind it.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    let (head, length) = match der[1] {
        short @ ..0x80 => (2, usize::from(short)),
        long => {
            let head = 2 + usize::from(long & 0x7f);
            (head, der[2..head].iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
        }
    };
    der[head..].split_at(length)
}

/// A file that lasts as long as the value.
pub(super) fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a file");
    file.write_all(text.as_bytes()).expect("there is room");
    file
}

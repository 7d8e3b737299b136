//! `OTEL_EXPORTER_OTLP_CERTIFICATE`, `…_CLIENT_CERTIFICATE` and `…_CLIENT_KEY`.

use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::clean::line;
use crate::environment::Environment;

/// Certificates and keys that are what they should be, as PEM.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Tls {
    /// Whom to trust, in place of the system's roots.
    pub(crate) roots: Option<Vec<u8>>,
    /// What to answer a collector that wants to know its clients.
    pub(crate) identity: Option<Identity>,
}

#[derive(Clone, PartialEq)]
pub(crate) struct Identity {
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

impl Tls {
    /// By the variables of these names.
    pub(super) fn resolve(environment: &Environment<'_>, name: impl Fn(&str) -> String) -> Self {
        let files = Files(environment);
        Self {
            roots: files.roots(&name("CERTIFICATE")),
            identity: files.identity(&name("CLIENT_CERTIFICATE"), &name("CLIENT_KEY")),
        }
    }
}

/// The files that variables name.
struct Files<'a>(&'a Environment<'a>);

impl Files<'_> {
    fn roots(&self, name: &str) -> Option<Vec<u8>> {
        let (pem, ()) = self.read(name, CERTIFICATES, "the system's roots", |pem| {
            let mut roots = RootCertStore::empty();
            certificates(pem)?.into_iter().try_for_each(|root| roots.add(root)).ok()
        })?;
        Some(pem)
    }

    fn identity(&self, certificate_name: &str, key_name: &str) -> Option<Identity> {
        const OTHERWISE: &str = "no client certificate";
        let given = |name| self.0.text(name).is_some();
        for (name, other) in [(certificate_name, key_name), (key_name, certificate_name)] {
            if given(name) && !given(other) {
                let expected = format!("{other} beside it");
                self.0.complain(name, "given alone", &expected, OTHERWISE);
                return None;
            }
        }
        let (certificate, chain) =
            self.read(certificate_name, CERTIFICATES, OTHERWISE, certificates)?;
        let (key, parsed) = self.read(key_name, KEY, OTHERWISE, key)?;
        let provider = aws_lc_rs::default_provider();
        if CertifiedKey::from_der(chain, parsed, &provider).is_err() {
            let expected = format!("the key of {certificate_name}");
            self.0.complain(key_name, "another certificate's", &expected, OTHERWISE);
            return None;
        }
        Some(Identity { certificate, key })
    }

    /// A file, and what is in it.
    fn read<T>(
        &self,
        name: &str,
        expected: &str,
        otherwise: &str,
        parse: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Option<(Vec<u8>, T)> {
        let path = self.0.text(name)?;
        let wrong = match std::fs::read(&path) {
            Ok(bytes) => match parse(&bytes) {
                Some(parsed) => return Some((bytes, parsed)),
                None => "holds something else".to_owned(),
            },
            Err(error) => format!("cannot be read ({error})"),
        };
        self.0.complain(name, &format!("`{}`, which {wrong}", line(&path)), expected, otherwise);
        None
    }
}

const CERTIFICATES: &str = "a file of certificates in the PEM format";
const KEY: &str = "a file with a key in the PEM format, not encrypted";

fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, pem::Error>>();
    certificates.ok().filter(|certificates| !certificates.is_empty())
}

fn key(pem: &[u8]) -> Option<PrivateKeyDer<'static>> {
    let key = PrivateKeyDer::from_pem_slice(pem).ok()?;
    aws_lc_rs::default_provider().key_provider.load_private_key(key.clone_key()).ok()?;
    Some(key)
}

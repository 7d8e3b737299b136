//! `OTEL_EXPORTER_OTLP_CERTIFICATE`, `…_CLIENT_CERTIFICATE` and `…_CLIENT_KEY`.

use std::fmt::{self, Display, Formatter};

use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::clean::line;
use crate::environment::Environment;

/// Certificates and keys that are what they should be, as PEM.
#[derive(Clone, Default)]
pub(crate) struct Tls {
    /// Whom to trust, in place of the system's roots.
    pub(crate) roots: Option<Vec<u8>>,
    /// What to answer a collector that wants to know its clients.
    pub(crate) identity: Option<Identity>,
    roots_file: Option<NamedFile>,
    identity_files: Option<(NamedFile, NamedFile)>,
    /// The first mistake in them, which was reported with the other settings.
    pub(crate) mistake: Option<String>,
}

#[derive(Clone, PartialEq)]
pub(crate) struct Identity {
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

/// Wherever they come from.
impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        self.roots == other.roots && self.identity == other.identity
    }
}

/// A file, and the variable that names it.
#[derive(Clone)]
struct NamedFile {
    variable: String,
    path: String,
}

/// What is wrong with a file: the variable that names it, what it is, and what it should be.
struct Mistake {
    variable: String,
    value: String,
    expected: String,
}

impl Display for Mistake {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { variable, value, expected } = self;
        write!(f, "{variable} is {value}, expected {expected}")
    }
}

impl Tls {
    /// By the variables of these names.
    pub(super) fn resolve(environment: &Environment<'_>, name: impl Fn(&str) -> String) -> Self {
        let named = |setting| {
            let variable = name(setting);
            Some(NamedFile { path: environment.text(&variable)?, variable })
        };
        let mut first = None;
        let mut complain = |mistake: Mistake, otherwise| {
            let Mistake { variable, value, expected } = &mistake;
            environment.complain(variable, value, expected, otherwise);
            first.get_or_insert(mistake.to_string());
        };
        let mut tls = Self { roots_file: named("CERTIFICATE"), ..Self::default() };
        match tls.read_roots() {
            Ok(roots) => tls.roots = roots,
            Err(mistake) => complain(mistake, "the system's roots"),
        }
        let otherwise = "no client certificate";
        match (named("CLIENT_CERTIFICATE"), named("CLIENT_KEY")) {
            (Some(certificate), Some(key)) => {
                tls.identity_files = Some((certificate, key));
                match tls.read_identity() {
                    Ok(identity) => tls.identity = identity,
                    Err(mistake) => complain(mistake, otherwise),
                }
            }
            (None, None) => {}
            (Some(file), None) => complain(file.alone(&name("CLIENT_KEY")), otherwise),
            (None, Some(file)) => complain(file.alone(&name("CLIENT_CERTIFICATE")), otherwise),
        }
        tls.mistake = first;
        tls
    }

    /// The same with what its files hold now, if that is something else; or which of them holds what.
    pub(crate) fn reread(&self) -> Result<Option<Self>, String> {
        let roots = self.read_roots().map_err(|mistake| mistake.to_string())?;
        let identity = self.read_identity().map_err(|mistake| mistake.to_string())?;
        let is_changed = roots != self.roots || identity != self.identity;
        Ok(is_changed.then(|| Self { roots, identity, mistake: None, ..self.clone() }))
    }

    fn read_roots(&self) -> Result<Option<Vec<u8>>, Mistake> {
        let Some(file) = &self.roots_file else { return Ok(None) };
        let (pem, ()) = file.read(CERTIFICATES, |pem| {
            let mut roots = RootCertStore::empty();
            certificates(pem)?.into_iter().try_for_each(|root| roots.add(root)).ok()
        })?;
        Ok(Some(pem))
    }

    fn read_identity(&self) -> Result<Option<Identity>, Mistake> {
        let Some((certificate_file, key_file)) = &self.identity_files else { return Ok(None) };
        let (certificate, chain) = certificate_file.read(CERTIFICATES, certificates)?;
        let (key, parsed) = key_file.read(KEY, key)?;
        if CertifiedKey::from_der(chain, parsed, &aws_lc_rs::default_provider()).is_err() {
            let expected = format!("the key of {}", certificate_file.variable);
            return Err(key_file.mistake("another certificate's".to_owned(), expected));
        }
        Ok(Some(Identity { certificate, key }))
    }
}

impl NamedFile {
    fn mistake(&self, value: String, expected: String) -> Mistake {
        Mistake { variable: self.variable.clone(), value, expected }
    }

    fn alone(&self, other: &str) -> Mistake {
        self.mistake("given alone".to_owned(), format!("{other} beside it"))
    }

    /// The file, and what is in it.
    fn read<T>(
        &self,
        expected: &str,
        parse: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<(Vec<u8>, T), Mistake> {
        let wrong = match std::fs::read(&self.path) {
            Ok(bytes) => match parse(&bytes) {
                Some(parsed) => return Ok((bytes, parsed)),
                None => "holds something else".to_owned(),
            },
            Err(error) => format!("cannot be read ({error})"),
        };
        let value = format!("`{}`, which {wrong}", line(&self.path));
        Err(self.mistake(value, expected.to_owned()))
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

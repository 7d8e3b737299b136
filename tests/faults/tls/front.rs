//! What stands before a collector and speaks TLS for it.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{self, Runtime};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

use super::certificates::{Authority, Issued};
use crate::collector::Collector;

/// The tasks that forward what connections send.
type Connections = JoinSet<io::Result<(u64, u64)>>;

pub(super) struct Front {
    /// `https://localhost:` and the port.
    pub(super) endpoint: String,
    versions: Vec<&'static SupportedProtocolVersion>,
    acceptor: Arc<Mutex<TlsAcceptor>>,
    connections: Arc<Mutex<Connections>>,
    _runtime: Runtime,
}

impl Front {
    /// Forwards what comes by these versions of TLS; clients must have a certificate of this
    /// authority, if there is one.
    pub(super) fn start(
        collector: &Collector,
        server: &Issued,
        clients: Option<&Authority>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config(server, clients, versions)));
        let acceptor = Arc::new(Mutex::new(acceptor));
        let connections = Arc::<Mutex<Connections>>::default();
        let (_, address) = collector.endpoint.split_once("://").expect("a URL");
        let address: SocketAddr = address.parse().expect("an address");
        let mut runtime = runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).thread_name("front").enable_all().build();
        let runtime = runtime.expect("a thread");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (current, open) = (acceptor.clone(), connections.clone());
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let acceptor = current.lock().expect("no panic").clone();
                // A connection that breaks, or is not trusted, is its client's affair.
                open.lock().expect("no panic").spawn(async move {
                    let mut client = acceptor.accept(client).await?;
                    let mut collector = TcpStream::connect(address).await?;
                    copy_bidirectional(&mut client, &mut collector).await
                });
            }
        });
        let (endpoint, versions) = (format!("https://localhost:{port}"), versions.to_vec());
        Self { endpoint, versions, acceptor, connections, _runtime: runtime }
    }

    /// From now on there is another certificate, clients need one of another authority, and all connections are closed.
    pub(super) fn replace(&self, server: &Issued, clients: Option<&Authority>) {
        let acceptor = TlsAcceptor::from(Arc::new(config(server, clients, &self.versions)));
        *self.acceptor.lock().expect("no panic") = acceptor;
        self.connections.lock().expect("no panic").abort_all();
    }
}

fn config(
    server: &Issued,
    clients: Option<&Authority>,
    versions: &[&'static SupportedProtocolVersion],
) -> ServerConfig {
    let config = ServerConfig::builder_with_protocol_versions(versions);
    let config = match clients {
        None => config.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().to_vec().into()).expect("a certificate");
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build();
            config.with_client_cert_verifier(verifier.expect("there is a root"))
        }
    };
    let key = PrivatePkcs8KeyDer::from(server.key.serialized_der().to_vec());
    let chain = vec![server.certificate.der().clone()];
    let mut config = config.with_single_cert(chain, key.into()).expect("they belong together");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

//! A collector on the loopback interface, as strict as the specification and as unreliable as it is
//! told to be: OTLP over HTTP/1.1 (protobuf, JSON) and gRPC, on one port.
//!
//! It acknowledges what it takes; what a client can blame on the network is not recorded. What a
//! client did wrong is a finding, and a finding that nobody asks for fails the test.

mod behaviour;
mod body;
mod check;
mod grpc;
mod http;
mod not_finite;
mod record;
mod refusal;
mod summary;
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{self, Runtime};
use tokio::task::{JoinHandle, JoinSet};

pub(crate) use behaviour::{Behaviour, Protocol};
pub(crate) use record::{Arrived, Request};
pub(crate) use summary::{doubles, hex, text};

use record::Record;

/// A collector, listening or not, until it is dropped.
pub(crate) struct Collector {
    /// `http://127.0.0.1:` and the port, of either protocol.
    pub(crate) endpoint: String,
    address: SocketAddr,
    record: Arc<Record>,
    port: Mutex<Port>,
    runtime: Runtime,
}

/// The port is ours even while nobody listens: no one else's socket gets it meanwhile.
enum Port {
    Closed(Socket),
    Open(JoinHandle<()>),
}

impl Collector {
    /// A collector that takes everything.
    pub(crate) fn start() -> Self {
        let collector = Self::closed(Record::keeping());
        collector.open();
        collector
    }

    /// A collector that answers every request so: `400 Bad Request`.
    pub(crate) fn answering(status: &str) -> Self {
        let code = status.split(' ').next().and_then(|code| code.parse().ok());
        let collector = Self::start();
        match code.expect("a status code") {
            200 => {}
            code => collector.behave(Behaviour::Status { code, retry_after: None }),
        }
        collector
    }

    /// A collector that counts spans and forgets them, a million if need be.
    pub(crate) fn counting() -> Self {
        let collector = Self::refusing();
        collector.open();
        collector
    }

    /// One that counts, and refuses connections until it is opened.
    pub(crate) fn refusing() -> Self {
        Self::closed(Record::counting())
    }

    fn closed(record: Record) -> Self {
        let socket = bound(&SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        let address = socket.local_addr().expect("an address").as_socket().expect("of TCP");
        let mut runtime = runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).thread_name("collector").enable_all().build();
        Self {
            endpoint: format!("http://{address}"),
            address,
            record: Arc::new(record),
            port: Mutex::new(Port::Closed(socket)),
            runtime: runtime.expect("a thread"),
        }
    }

    /// Listens, if it does not yet.
    pub(crate) fn open(&self) {
        let mut port = self.port();
        if let Port::Closed(socket) = &*port {
            socket.listen(1024).expect("the port is ours");
            let listener = socket.try_clone().expect("a descriptor").into();
            let _entered = self.runtime.enter();
            let listener = TcpListener::from_std(listener).expect("a listener");
            *port = Port::Open(self.runtime.spawn(listen(listener, self.record.clone())));
        }
    }

    /// Breaks every connection off and refuses new ones.
    pub(crate) fn close(&self) {
        let mut port = self.port();
        if let Port::Open(listening) = &mut *port {
            listening.abort();
            let _ = self.runtime.block_on(listening);
            *port = Port::Closed(self.bound_again());
        }
    }

    /// From now on every request is answered so.
    pub(crate) fn behave(&self, behaviour: Behaviour) {
        self.script(move |_, _| behaviour.clone());
    }

    /// From now on requests are answered by their number, from 1, and the time since the first.
    pub(crate) fn script(&self, script: impl Fn(usize, Duration) -> Behaviour + Send + 'static) {
        self.record.follow(Box::new(script));
    }

    /// Every request whose headers arrived.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.record.requests()
    }

    /// How many spans were acknowledged.
    pub(crate) fn arrived(&self) -> Arrived {
        self.record.arrived()
    }

    /// What clients did wrong since this was last asked.
    pub(crate) fn findings(&self) -> Vec<String> {
        self.record.take_findings()
    }

    /// A program that is being started just now holds a copy of the listener until it has become
    /// another program.
    fn bound_again(&self) -> Socket {
        let closing = Instant::now();
        loop {
            match bound(&self.address) {
                Err(error) if closing.elapsed() > Duration::from_secs(5) => panic!("{error}"),
                Err(_) => thread::sleep(Duration::from_millis(1)),
                Ok(socket) => return socket,
            }
        }
    }

    fn port(&self) -> MutexGuard<'_, Port> {
        self.port.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let findings = self.findings();
        if !thread::panicking() {
            assert_eq!(findings, Vec::<String>::new(), "the collector was sent something wrong");
        }
    }
}

/// A socket that has the port and does not listen: whoever connects is refused.
fn bound(address: &SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(*address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&(*address).into())?;
    Ok(socket)
}

/// Serves connections until it is aborted, and they with it.
async fn listen(listener: TcpListener, record: Arc<Record>) {
    let mut connections = JoinSet::new();
    while let Ok((connection, _)) = listener.accept().await {
        // Of a connection that breaks there is nothing to say: programs are killed here.
        connections.spawn(serve(connection, record.clone()));
        while connections.try_join_next().is_some() {}
    }
}

/// An HTTP/2 client says so first: `PRI * HTTP/2.0`.
async fn serve(connection: TcpStream, record: Arc<Record>) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut start = [0; 2];
    while connection.peek(&mut start).await? == 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    match &start {
        b"PR" => grpc::serve(connection, record).await,
        _ => http::serve(connection, record).await,
    }
}

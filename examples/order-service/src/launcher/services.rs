//! The services, each as many times as it is wanted.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

use super::embedded::{Embedded, set};
use super::process::Process;
use crate::failure::Failure;

pub(crate) struct Services {
    /// Where orders are taken.
    pub(crate) url: String,
    processes: Vec<Process>,
    /// Nobody else gets the port that the processes share.
    _port: TcpSocket,
}

impl Services {
    /// Starts those that are not running elsewhere.
    pub(crate) async fn start(embedded: &Embedded, workers: usize) -> Result<Self, Failure> {
        let mut others = Vec::new();
        let payments = if let Some(url) = set("PAYMENTS_URL") {
            url
        } else {
            let payments = Process::start("payments", embedded.variables()).await?;
            let url = payments.url.clone();
            others.push(payments);
            url
        };
        for service in ["warehouse", "mailer"] {
            others.push(Process::start(service, embedded.variables()).await?);
        }

        let port = TcpSocket::new_v4()?;
        port.set_reuseport(true)?;
        port.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = port.local_addr()?;
        let mut processes = Vec::new();
        for _ in 0..workers {
            let own = [("ORDERS_ADDRESS", address.to_string()), ("PAYMENTS_URL", payments.clone())];
            processes.push(Process::start("orders", embedded.variables().chain(own)).await?);
        }
        processes.append(&mut others);
        Ok(Self { url: format!("http://{address}"), processes, _port: port })
    }

    /// First those who ask, so that they are answered.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        for process in self.processes {
            process.stop().await?;
        }
        Ok(())
    }
}

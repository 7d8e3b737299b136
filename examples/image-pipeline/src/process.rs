//! The services as processes of their own: this program, started again.

use std::ffi::OsStr;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::error::Error;

/// A service that runs.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
}

impl Process {
    /// Starts a service, which says where it is when it is ready. Its spans go to this collector, or
    /// to where the variables say.
    pub(crate) async fn start(
        service: &'static str,
        argument: impl AsRef<OsStr>,
        collector: Option<&str>,
    ) -> Result<Self, Error> {
        let mut command = Command::new(std::env::current_exe()?);
        if let Some(endpoint) = collector {
            command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
            command.env("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf");
        }
        // Ctrl-C is for the command, which stops its services.
        command
            .arg(service)
            .arg(argument)
            .process_group(0)
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let mut url = String::new();
        if let Some(said) = child.stdout.take() {
            BufReader::new(said).read_line(&mut url).await?;
        }
        if url.is_empty() {
            return Err(Error::Ended { service, status: child.wait().await? });
        }
        Ok(Self { child, url: url.trim_end().to_owned() })
    }

    /// Tells it to stop, and waits until it has: then its spans are where they belong.
    pub(crate) async fn stop(mut self) -> Result<(), Error> {
        if let Some(id) = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)) {
            kill_process(id, Signal::TERM).map_err(std::io::Error::from)?;
        }
        self.child.wait().await?;
        Ok(())
    }
}

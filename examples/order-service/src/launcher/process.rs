//! The services as processes of their own: this program, started again.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::failure::Failure;

pub(crate) struct Process {
    child: Child,
    /// Where it listens, if it says so.
    pub(crate) url: String,
}

impl Process {
    /// Starts a service, and waits until it is ready.
    pub(crate) async fn start(
        service: &'static str,
        variables: impl Iterator<Item = (&'static str, String)>,
    ) -> Result<Self, Failure> {
        // Ctrl-C is for the shop, which stops its services.
        let mut child = Command::new(std::env::current_exe()?)
            .arg(service)
            .envs(variables)
            .process_group(0)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut said = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut said).await?;
        }
        let url = said.strip_prefix("ready").ok_or(Failure::NeverReady(service))?;
        Ok(Self { child, url: url.trim().to_owned() })
    }

    /// Tells it to stop, and waits until it has: then its spans are where they belong.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        if let Some(id) = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)) {
            kill_process(id, Signal::TERM).map_err(std::io::Error::from)?;
        }
        self.child.wait().await?;
        Ok(())
    }
}

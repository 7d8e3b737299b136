//! OTLP as lines of JSON, after the specification of the [file
//! exporter](https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/): each line is a request.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;

use opentelemetry_sdk::Resource;

use super::json;
use super::request::RequestFrame;
use crate::config::Lines;
use crate::exporter::{Answer, Exporter};
use crate::lock::Unpoisoned;
use crate::recorder::Batch;
use crate::report;

/// Writes lines to standard output, or adds them to a file.
pub(crate) struct LineExporter {
    frame: RequestFrame,
    destination: Lines,
    /// Whether a line was written in part: the next one begins a line of its own.
    is_torn: Mutex<bool>,
}

impl Lines {
    /// What messages call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdout => "standard output".to_owned(),
            Self::File(path) => format!("the file {}", path.display()),
        }
    }
}

impl LineExporter {
    /// For the spans of this resource; or why the file cannot be written to.
    pub(crate) fn open(destination: Lines, resource: &Resource) -> Result<Self, String> {
        if let Lines::File(path) = &destination {
            open(path).map_err(|error| error.to_string())?;
        }
        let frame = RequestFrame::new(resource);
        Ok(Self { frame, destination, is_torn: Mutex::default() })
    }

    /// Writes a line; or says why not, and whether a part of it may be written.
    fn write(&self, line: &[u8]) -> Result<(), (io::Error, bool)> {
        let path = match &self.destination {
            Lines::Stdout => {
                return report::write_all_to_stdout(line).map_err(|error| (error, true));
            }
            Lines::File(path) => path,
        };
        // Opened for each batch: the file may have been renamed or removed since the last one.
        let mut file = open(path).map_err(|error| (error, false))?;
        let length = |file: &File| file.metadata().map(|metadata| metadata.len()).ok();
        let before = length(&file);
        file.write_all(line).map_err(|error| (error, length(&file) != before))
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

impl Exporter for LineExporter {
    const AT_ONCE: usize = 1;

    type Request = Vec<u8>;

    fn encode(&self, batch: &Batch) -> Result<Vec<u8>, String> {
        let mut line = json::encode(&self.frame.request(batch))?;
        line.push(b'\n');
        Ok(line)
    }

    async fn send(&self, line: &Vec<u8>) -> Answer {
        let mut is_torn = self.is_torn.lock().unpoisoned();
        let begun = if *is_torn { self.write(b"\n") } else { Ok(()) };
        match begun.and_then(|()| self.write(line)) {
            Ok(()) => {
                *is_torn = false;
                Answer::TAKEN
            }
            Err((error, in_part)) => {
                *is_torn |= in_part;
                Answer::Unavailable { why: error.to_string(), retry_after: None }
            }
        }
    }
}

//! How many pictures a second the server draws, and how long a client waits for one.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::json;
use text_to_image::Backend;
use tokio::task::JoinSet;

use super::{BenchError, median};

const TIME: Duration = Duration::from_secs(5);

#[tokio::main]
pub(super) async fn run(backend: &Backend) -> Result<(), BenchError> {
    println!("| batch at most | clients | pictures a second | median wait, ms |");
    println!("| --- | --- | --- | --- |");
    for batch in [1, 4, 16] {
        let server = Server::start(backend, batch)?;
        let clients = 2 * batch;
        let begin = Instant::now();
        let mut asking = JoinSet::new();
        for number in 0..clients {
            asking.spawn(ask(format!("{}/v1/images", server.address), number, begin));
        }
        let mut waits = Vec::new();
        while let Some(asked) = asking.join_next().await {
            waits.append(&mut asked.map_err(std::io::Error::other)??);
        }
        let rate = waits.len() as f64 / begin.elapsed().as_secs_f64();
        println!("| {batch} | {clients} | {rate:.1} | {:.1} |", 1000.0 * median(waits));
        drop(server);
    }
    Ok(())
}

/// `serve`, until it is dropped.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(backend: &Backend, batch: usize) -> Result<Self, BenchError> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["serve", "--listen", "127.0.0.1:0", "--backend", backend.name()])
            .args(["--batch", &batch.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut address)?;
        }
        match address.trim() {
            "" => Err(BenchError::Failed("the server did not start; why is said above".to_owned())),
            address => Ok(Self { process, address: address.to_owned() }),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One picture after the other; how long each took.
async fn ask(url: String, seed: usize, begin: Instant) -> Result<Vec<f64>, reqwest::Error> {
    let client = Client::builder().no_proxy().build()?;
    let mut waits = Vec::new();
    while begin.elapsed() < TIME {
        let sent = Instant::now();
        let input = json!({ "prompt": "red heart", "seed": seed });
        let answer = client.post(&url).json(&input).send().await?.error_for_status()?;
        answer.bytes().await?;
        waits.push(sent.elapsed().as_secs_f64());
    }
    Ok(waits)
}

//! A queue that speaks Redis's protocol, as much of it as [`Picking`](crate::picking::Picking) needs:
//! one stream, one group, and no memory of what was handed out.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::picking::STREAM;

/// The URL of a queue that is there as long as this process.
pub(crate) async fn start() -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("redis://{}", listener.local_addr()?);
    let queue = Arc::new(Queue::default());
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(serve(client, queue.clone()));
        }
    });
    Ok(url)
}

async fn serve(client: TcpStream, queue: Arc<Queue>) -> io::Result<()> {
    let (reader, mut writer) = client.into_split();
    let mut reader = BufReader::new(reader);
    loop {
        let command = read(&mut reader).await?;
        let answer = match command.first().map(Vec::as_slice) {
            Some(b"XADD") => queue.add(&command[3..]),
            Some(b"XREADGROUP") => queue.take().await,
            Some(b"XACK") => b":1\r\n".to_vec(),
            Some(_) => b"+OK\r\n".to_vec(),
            None => return Ok(()),
        };
        writer.write_all(&answer).await?;
    }
}

/// A command and its arguments; nothing at the end.
async fn read(reader: &mut BufReader<OwnedReadHalf>) -> io::Result<Vec<Vec<u8>>> {
    let mut command = Vec::new();
    for _ in 0..number(reader).await? {
        let mut argument = vec![0; number(reader).await? + 2];
        reader.read_exact(&mut argument).await?;
        argument.truncate(argument.len() - 2);
        command.push(argument);
    }
    Ok(command)
}

/// The line that says how many follow: arguments, or bytes of one.
async fn number(reader: &mut BufReader<OwnedReadHalf>) -> io::Result<usize> {
    let mut line = String::new();
    reader.read_line(&mut line).await?;
    let number = line.trim_end().trim_start_matches(['*', '$']);
    if number.is_empty() { Ok(0) } else { number.parse().map_err(io::Error::other) }
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    more: Notify,
}

#[derive(Default)]
struct State {
    added: usize,
    /// Entries as they go out: an id, and fields.
    waiting: VecDeque<Vec<u8>>,
}

impl Queue {
    fn add(&self, fields: &[Vec<u8>]) -> Vec<u8> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.added += 1;
        let id = text(format!("{}-0", state.added).as_bytes());
        let fields: Vec<_> = fields.iter().map(|field| text(field)).collect();
        state.waiting.push_back(list(&[id.clone(), list(&fields)]));
        self.more.notify_one();
        id
    }

    async fn take(&self) -> Vec<u8> {
        loop {
            let waiting = {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                Vec::from(std::mem::take(&mut state.waiting))
            };
            if !waiting.is_empty() {
                return list(&[list(&[text(STREAM.as_bytes()), list(&waiting)])]);
            }
            self.more.notified().await;
        }
    }
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    [format!("*{}\r\n", items.len()).into_bytes(), items.concat()].concat()
}

fn text(bytes: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

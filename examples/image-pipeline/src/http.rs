//! Both ends of a call: one service asks, the other one answers.

use std::io;

use axum::Router;
use axum::routing::MethodRouter;
use reqwest::Client;
use tokio::net::TcpListener;

use crate::error::Error;
use crate::messages::{Failure, Input, Output};

/// The services are on this machine, whatever proxy there is to the rest of the world.
pub(crate) fn client() -> Result<Client, Error> {
    Client::builder().no_proxy().build().map_err(|why| Error::System(io::Error::other(why)))
}

/// Asks a service for a picture.
pub(crate) async fn ask(client: &Client, url: &str, input: &Input) -> Result<Output, Error> {
    let failed = |source| Error::NoAnswer { url: url.to_owned(), source };
    let answer = client.post(url).json(input).send().await.map_err(failed)?;
    let status = answer.status();
    spandrel::current().set("http.response.status_code", status.as_u16());
    if status.is_success() {
        return answer.json().await.map_err(failed);
    }
    let failure: Failure = answer.json().await.map_err(failed)?;
    Err(Error::Refused(Failure { status, ..failure }))
}

/// Says on standard output where the service is, and answers until it is told to stop.
pub(crate) async fn serve(pictures: MethodRouter) -> Result<(), Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/pictures", listener.local_addr()?);
    axum::serve(listener, Router::new().route("/pictures", pictures))
        .with_graceful_shutdown(spandrel::shutdown_signal())
        .await?;
    Ok(())
}

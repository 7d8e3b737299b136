use spandrel::propagate;

// A carrier with a feature that is off.
#[propagate(headers)]
fn behind_a_feature(headers: &http::HeaderMap) {}

#[propagate(inject(request.headers_mut()))]
fn send(request: &mut http::Request<Vec<u8>>) {}

// Carriers of other crates, which no feature makes carriers.
mod actix {
    pub struct HeaderMap;
}

mod reqwest {
    pub struct Request;

    impl Request {
        pub fn headers_mut(&mut self) -> &mut actix::HeaderMap {
            unimplemented!()
        }
    }

    use super::actix;
}

#[propagate(headers)]
fn of_another_crate(headers: &actix::HeaderMap) {}

#[propagate(inject(request.headers_mut()))]
fn of_a_client(mut request: reqwest::Request) {}

// A message in the place of its headers, text, a number, what cannot be written to, a list of them.
struct Message;

#[propagate(message)]
fn whole_message(message: &Message) {}

#[propagate(traceparent)]
fn text(traceparent: &str) {}

#[propagate(number)]
fn number(number: u32) {}

#[propagate(inject(headers))]
fn read_only(headers: &Vec<(String, String)>) {}

#[propagate(messages)]
fn list(messages: Option<&[Message]>) {}

fn main() {}

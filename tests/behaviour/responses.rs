//! The statuses of responses, on spans of servers and clients.

#![allow(clippy::result_large_err, reason = "handlers return responses as errors")]

use std::convert::Infallible;
use std::fmt;

use crate::recorder::{record, record_async};
use http::{HeaderMap, Response, StatusCode};
use spandrel::{ResponseStatus, ToResponseStatus, span};

fn respond(code: u16) -> Response<&'static str> {
    Response::builder().status(code).body("body").expect("a response")
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).expect("a status code")
}

/// A function for each form in which handlers answer, by the kind of its span.
macro_rules! forms {
    ($module:ident, $kind:ident) => {
        mod $module {
            use super::*;

            #[span("answer", kind($kind))]
            pub(super) fn code(code: u16) -> StatusCode {
                status(code)
            }

            #[span("answer", kind($kind))]
            pub(super) fn response(code: u16) -> Response<&'static str> {
                respond(code)
            }

            #[span("answer", kind($kind))]
            pub(super) fn pair(code: u16) -> (StatusCode, &'static str) {
                (status(code), "body")
            }

            #[span("answer", kind($kind))]
            pub(super) fn triple(code: u16) -> (Response<()>, HeaderMap, Vec<u8>) {
                (respond(code).map(|_| ()), HeaderMap::new(), vec![1])
            }

            #[span("answer", kind($kind))]
            pub(super) fn ok(code: u16) -> Result<StatusCode, Infallible> {
                Ok(status(code))
            }

            #[span("answer", kind($kind))]
            pub(super) fn error(code: u16) -> Result<u8, StatusCode> {
                Err(status(code))
            }

            #[span("answer", kind($kind))]
            pub(super) fn response_error(code: u16) -> Result<u8, Response<&'static str>> {
                Err(respond(code))
            }

            #[span("answer", kind($kind))]
            pub(super) fn either(code: u16) -> Result<(StatusCode, u8), (StatusCode, Vec<u8>)> {
                let status = status(code);
                if code % 2 == 0 { Ok((status, 1)) } else { Err((status, vec![1])) }
            }

            pub(super) fn all(code: u16) -> Vec<String> {
                vec![
                    record(|| self::code(code)).to_string(),
                    record(|| response(code)).to_string(),
                    record(|| pair(code)).to_string(),
                    record(|| triple(code)).to_string(),
                    record(|| ok(code)).to_string(),
                    record(|| error(code)).to_string(),
                    record(|| response_error(code)).to_string(),
                    record(|| either(code)).to_string(),
                ]
            }
        }
    };
}

forms!(server, server);
forms!(client, client);
forms!(internal, internal);

#[test]
fn the_status_of_a_server_s_response_is_an_error_from_500_on() {
    for (code, fails) in
        [(200, false), (302, false), (404, false), (499, false), (500, true), (503, true)]
    {
        let failed = if fails { format!(" error.type=\"{code}\" ✗") } else { String::new() };
        let expected = format!("answer [server] http.response.status_code={code}{failed}\n");
        for tree in server::all(code) {
            assert_eq!(tree, expected);
        }
    }
}

#[test]
fn the_status_of_a_client_s_response_is_an_error_from_400_on() {
    for (code, fails) in [(204, false), (304, false), (400, true), (404, true), (500, true)] {
        let failed = if fails { format!(" error.type=\"{code}\" ✗") } else { String::new() };
        let expected = format!("answer [client] http.response.status_code={code}{failed}\n");
        for tree in client::all(code) {
            assert_eq!(tree, expected);
        }
    }
}

#[span("answer", kind(server))]
fn opaque(code: u16) -> impl fmt::Debug {
    status(code)
}

#[test]
fn other_spans_do_not_look_at_the_status() {
    for tree in internal::all(500) {
        assert!(!tree.contains("status_code"), "{tree}");
    }
    let tree = record(|| internal::error(404)).to_string();
    assert!(tree.contains("StatusCode\" ✗ 404 Not Found"), "{tree}");
    // The span sees no more of the type than the caller.
    assert_eq!(record(|| opaque(500)).to_string(), "answer [server]\n");
}

#[span("answer", kind(server))]
async fn asynchronous(code: u16) -> Result<Response<&'static str>, StatusCode> {
    match code {
        0..500 => Err(status(code)),
        _ => Ok(respond(code)),
    }
}

#[tokio::test]
async fn asynchronous_handlers_answer_alike() {
    let tree = record_async(asynchronous(404)).await.to_string();
    assert_eq!(tree, "answer [server] http.response.status_code=404\n");
    let tree = record_async(asynchronous(502)).await.to_string();
    assert_eq!(tree, "answer [server] http.response.status_code=502 error.type=\"502\" ✗\n");
}

#[span("answer", kind(server))]
fn with_text(code: u16, text: &str) -> Result<(), (StatusCode, String)> {
    Err((status(code), text.to_owned()))
}

#[test]
fn the_text_beside_a_status_is_the_message() {
    let tree = record(|| with_text(500, "the database is away")).to_string();
    let failed =
        "answer [server] http.response.status_code=500 error.type=\"500\" ✗ the database is away\n";
    assert!(tree.starts_with(failed), "{tree}");
    assert!(tree.contains("exception.message=\"the database is away\""), "{tree}");
    let tree = record(|| with_text(404, "no such order")).to_string();
    assert_eq!(tree, "answer [server] http.response.status_code=404\n");
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("no such order")]
    NoSuchOrder,
    #[error("the database is away")]
    Database(#[from] std::num::ParseIntError),
    #[error("out of luck")]
    Unknown,
}

impl ToResponseStatus for Failure {
    fn to_response_status(&self) -> Option<ResponseStatus> {
        match self {
            Self::NoSuchOrder => Some(ResponseStatus::Http(404)),
            Self::Database(_) => Some(ResponseStatus::Http(500)),
            Self::Unknown => None,
        }
    }
}

#[span("load")]
fn load(text: &str) -> Result<u8, Failure> {
    Ok(text.parse()?)
}

#[span("answer", kind(server), ok(|value| value = value), err(|_| refused = true))]
fn own_error(text: &str) -> Result<u8, Failure> {
    match text {
        "missing" => Err(Failure::NoSuchOrder),
        "unlucky" => Err(Failure::Unknown),
        text => load(text),
    }
}

#[test]
fn an_error_of_a_program_s_own_decides_the_status() {
    let tree = record(|| own_error("7")).to_string();
    assert_eq!(tree, "answer [server] value=7\n└─ load\n");
    let tree = record(|| own_error("missing")).to_string();
    assert_eq!(tree, "answer [server] http.response.status_code=404\n");
    let tree = record(|| own_error("pears")).to_string();
    let failed = "answer [server] http.response.status_code=500 refused=true error.type=\"500\" ✗ the database is away\n";
    assert!(tree.starts_with(failed), "{tree}");
    assert_eq!(tree.matches("• exception").count(), 1, "the span below has it: {tree}");
    assert!(tree.contains("exception.type=\"behaviour"), "{tree}");
    let tree = record(|| own_error("unlucky")).to_string();
    assert!(tree.contains("::Failure\" ✗ out of luck"), "{tree}");
    assert!(!tree.contains("status_code"), "{tree}");
}

#[span("answer", kind(server), error_if(|code| *code != StatusCode::NOT_FOUND))]
fn decided(code: u16) -> Result<Response<&'static str>, StatusCode> {
    if code < 500 { Err(status(code)) } else { Ok(respond(code)) }
}

#[test]
fn error_if_decides_about_errors_and_the_status_about_values() {
    let tree = record(|| decided(404)).to_string();
    assert_eq!(tree, "answer [server] http.response.status_code=404\n");
    let tree = record(|| decided(403)).to_string();
    assert_eq!(tree, "answer [server] http.response.status_code=403 error.type=\"403\" ✗\n");
    let tree = record(|| decided(500)).to_string();
    assert_eq!(tree, "answer [server] http.response.status_code=500 error.type=\"500\" ✗\n");
}

#[span("answer", kind(server))]
fn of_own_type(code: u16) -> StatusCode {
    spandrel::current().set("error.type", "overloaded");
    status(code)
}

#[test]
fn an_error_type_of_the_program_s_stays() {
    let tree = record(|| of_own_type(503)).to_string();
    assert!(tree.contains("error.type=\"overloaded\""), "{tree}");
}

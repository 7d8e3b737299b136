//! librdkafka's own functions for headers. The safe ones of `rdkafka` 0.39 panic at a header whose name is
//! no UTF-8, which any producer may send, and cannot remove a header.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};
use std::ptr;

use rdkafka::bindings::{
    rd_kafka_header_get_all, rd_kafka_header_remove, rd_kafka_headers_t, rd_kafka_resp_err_t,
};
use rdkafka::message::{BorrowedHeaders, OwnedHeaders};

/// The names and the values of all headers, in order.
pub(super) fn headers(headers: &BorrowedHeaders) -> impl Iterator<Item = (&CStr, Option<&[u8]>)> {
    (0..).map_while(|index| header(headers, index))
}

fn header(headers: &BorrowedHeaders, index: usize) -> Option<(&CStr, Option<&[u8]>)> {
    let (mut name, mut value, mut length) = (ptr::null(), ptr::null::<c_void>(), 0);
    // SAFETY: `headers` is alive, and a `BorrowedHeaders` is librdkafka's list by another name. An index
    // that is too large is an error.
    let code = unsafe {
        rd_kafka_header_get_all(
            native(headers),
            index,
            &raw mut name,
            &raw mut value,
            &raw mut length,
        )
    };
    if code != rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        return None;
    }
    // SAFETY: librdkafka ends each name with a zero, and keeps name and value as they are until the header
    // is removed, for which `remove` needs the only reference to the headers.
    Some(unsafe {
        let value = (!value.is_null()).then(|| std::slice::from_raw_parts(value.cast(), length));
        (CStr::from_ptr(name), value)
    })
}

/// Removes every header of this name, in this case.
pub(super) fn remove(headers: &mut OwnedHeaders, name: &CStr) {
    let headers = native(headers.as_borrowed()).cast_mut();
    // SAFETY: the headers are alive, and this is the only reference to them. The result is ignored: it only
    // says whether there was a header of this name.
    unsafe { rd_kafka_header_remove(headers, name.as_ptr()) };
}

fn native(headers: &BorrowedHeaders) -> *const rd_kafka_headers_t {
    ptr::from_ref(headers).cast()
}

#[cfg(test)]
pub(super) mod tests {
    use rdkafka::bindings::rd_kafka_header_add;
    use rdkafka::message::{Header, Headers};

    use super::*;

    /// With a header of this name, which may be no text.
    pub(crate) fn with_name(headers: OwnedHeaders, name: &CStr) -> OwnedHeaders {
        let list = native(headers.as_borrowed()).cast_mut();
        // SAFETY: `headers` is alive and not shared, and name and value are copied.
        unsafe { rd_kafka_header_add(list, name.as_ptr(), -1, c"value".as_ptr().cast(), 5) };
        headers
    }

    #[test]
    fn headers_are_listed_and_removed_whatever_their_names() {
        let list = OwnedHeaders::new()
            .insert(Header { key: "a", value: Some("1") })
            .insert(Header { key: "b", value: Some("") })
            .insert(Header::<&str> { key: "c", value: None })
            .insert(Header { key: "a", value: Some("2") });
        let mut list = with_name(list, c"\xff");
        let all: Vec<_> = headers(list.as_borrowed()).collect();
        let expected = [
            (c"a", Some(&b"1"[..])),
            (c"b", Some(b"")),
            (c"c", None),
            (c"a", Some(b"2")),
            (c"\xff", Some(b"value")),
        ];
        assert_eq!(all, expected);
        remove(&mut list, c"a");
        remove(&mut list, c"\xff");
        remove(&mut list, c"not there");
        let left: Vec<_> = headers(list.as_borrowed()).map(|(name, _)| name).collect();
        assert_eq!(left, [c"b", c"c"]);
        assert_eq!(list.count(), 2);
        assert_eq!(headers(OwnedHeaders::new().as_borrowed()).count(), 0);
    }
}

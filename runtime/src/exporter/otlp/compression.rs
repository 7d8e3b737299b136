//! Compressed requests and answers. Speed comes before size: what is sent is small either way.

use std::io::{self, Read};
#[cfg(feature = "zstd")]
use std::sync::Mutex;

use prost::bytes::Bytes;

use crate::config::Encoding;
#[cfg(feature = "zstd")]
use crate::lock::Unpoisoned;

impl Encoding {
    /// The encoding of this name.
    #[cfg(feature = "grpc")]
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        match name {
            #[cfg(feature = "gzip")]
            b"gzip" => Some(Self::Gzip),
            #[cfg(feature = "zstd")]
            b"zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// Its name in HTTP's `content-encoding` and in gRPC's `grpc-encoding`.
    pub(super) fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "gzip")]
            Self::Gzip => "gzip",
            #[cfg(feature = "zstd")]
            Self::Zstd => "zstd",
        }
    }

    /// What was compressed; an error if it is longer than this.
    #[cfg_attr(
        not(any(feature = "gzip", feature = "zstd")),
        expect(unreachable_code, unused_variables, reason = "there is no encoding")
    )]
    pub(super) fn decompress(self, bytes: &[u8], limit: usize) -> io::Result<Bytes> {
        let decoder: Box<dyn Read + '_> = match self {
            #[cfg(feature = "gzip")]
            Self::Gzip => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
            #[cfg(feature = "zstd")]
            Self::Zstd => Box::new(zstd::Decoder::new(bytes)?),
        };
        let mut decompressed = Vec::new();
        decoder.take(limit as u64 + 1).read_to_end(&mut decompressed)?;
        if decompressed.len() > limit {
            return Err(io::Error::other(format!("more than {limit} bytes")));
        }
        Ok(decompressed.into())
    }
}

/// What compresses one request after the other.
pub(super) struct Compressor {
    pub(super) encoding: Option<Encoding>,
    /// To set one up takes longer than a request.
    #[cfg(feature = "zstd")]
    zstd: Mutex<Option<zstd::bulk::Compressor<'static>>>,
}

impl Compressor {
    pub(super) fn new(encoding: Option<Encoding>) -> Self {
        Self {
            encoding,
            #[cfg(feature = "zstd")]
            zstd: Mutex::default(),
        }
    }

    /// The bytes as they are sent.
    #[cfg_attr(
        not(any(feature = "gzip", feature = "zstd")),
        expect(
            unreachable_code,
            unused_variables,
            clippy::unnecessary_wraps,
            reason = "there is no encoding"
        )
    )]
    pub(super) fn compress(&self, bytes: Vec<u8>) -> io::Result<Bytes> {
        let Some(encoding) = self.encoding else { return Ok(bytes.into()) };
        let compressed: Vec<u8> = match encoding {
            #[cfg(feature = "gzip")]
            Encoding::Gzip => gzip(&bytes)?,
            #[cfg(feature = "zstd")]
            Encoding::Zstd => {
                let mut compressor = self.zstd.lock().unpoisoned();
                let compressor = match &mut *compressor {
                    Some(compressor) => compressor,
                    none => none.insert(zstd::bulk::Compressor::new(1)?),
                };
                compressor.compress(&bytes)?
            }
        };
        Ok(compressed.into())
    }
}

#[cfg(feature = "gzip")]
fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    use std::io::Write;

    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[cfg(all(test, feature = "gzip", feature = "zstd"))]
mod tests {
    use super::*;

    #[test]
    fn what_was_compressed_comes_back_within_the_limit() {
        let bytes = b"spans and spans and spans".repeat(100);
        for encoding in [Encoding::Gzip, Encoding::Zstd] {
            let compressor = Compressor::new(Some(encoding));
            let compressed = compressor.compress(bytes.clone()).expect("it works");
            assert!(compressed.len() < bytes.len() / 10, "{encoding:?}");
            let back = encoding.decompress(&compressed, bytes.len()).expect("it is whole");
            assert_eq!(back, bytes, "{encoding:?}");
            assert!(encoding.decompress(&compressed, bytes.len() - 1).is_err(), "{encoding:?}");
            assert!(encoding.decompress(b"neither", 100).is_err(), "{encoding:?}");
        }
    }
}

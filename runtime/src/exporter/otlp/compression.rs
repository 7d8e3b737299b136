//! Compressed requests. Speed comes before size: what is sent is small either way.

#[cfg(all(feature = "otlp", feature = "zstd"))]
use std::sync::{Mutex, PoisonError};

use crate::config::Compression;

impl Compression {
    /// Its name in HTTP's `content-encoding`.
    #[cfg(feature = "otlp")]
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            #[cfg(feature = "gzip")]
            Self::Gzip => Some("gzip"),
            #[cfg(feature = "zstd")]
            Self::Zstd => Some("zstd"),
        }
    }
}

/// What compresses one request after the other.
#[cfg(feature = "otlp")]
pub(super) enum Compressor {
    None,
    #[cfg(feature = "gzip")]
    Gzip,
    /// To set one up takes longer than a request.
    #[cfg(feature = "zstd")]
    Zstd(Mutex<zstd::bulk::Compressor<'static>>),
}

#[cfg(feature = "otlp")]
impl Compressor {
    #[cfg_attr(not(feature = "zstd"), expect(clippy::unnecessary_wraps, reason = "zstd may fail"))]
    pub(super) fn new(compression: Compression) -> Result<Self, String> {
        Ok(match compression {
            Compression::None => Self::None,
            #[cfg(feature = "gzip")]
            Compression::Gzip => Self::Gzip,
            #[cfg(feature = "zstd")]
            Compression::Zstd => {
                let compressor = zstd::bulk::Compressor::new(1);
                Self::Zstd(Mutex::new(compressor.map_err(|error| error.to_string())?))
            }
        })
    }

    pub(super) fn compress(&self, bytes: Vec<u8>) -> Vec<u8> {
        match self {
            Self::None => bytes,
            #[cfg(feature = "gzip")]
            Self::Gzip => gzip(&bytes),
            #[cfg(feature = "zstd")]
            Self::Zstd(compressor) => {
                let mut compressor = compressor.lock().unwrap_or_else(PoisonError::into_inner);
                compressor.compress(&bytes).unwrap_or_default()
            }
        }
    }
}

#[cfg(all(feature = "otlp", feature = "gzip"))]
fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;

    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    // A `Vec` takes everything.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

//! Compressed requests. Speed comes before size: what is sent is small either way.

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

    #[cfg(feature = "otlp")]
    pub(super) fn compress(self, bytes: Vec<u8>) -> Vec<u8> {
        match self {
            Self::None => bytes,
            #[cfg(feature = "gzip")]
            Self::Gzip => gzip(&bytes),
            #[cfg(feature = "zstd")]
            Self::Zstd => zstd::bulk::compress(&bytes, 1).unwrap_or_default(),
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

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use png::EncodingError;

use crate::Error;

/// The width and height of every picture.
pub const SIDE: usize = 64;

/// A picture of [`SIDE`] by [`SIDE`] pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Rows of red, green and blue.
    rgb: Vec<u8>,
}

impl Picture {
    pub(crate) fn new(rgb: Vec<u8>) -> Self {
        Self { rgb }
    }

    /// The pixels, row by row: red, green and blue, a byte each.
    #[must_use]
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The mean squared difference of two pictures, a channel being 0 to 1.
    #[must_use]
    pub fn distance(&self, other: &Self) -> f32 {
        let pairs = self.rgb.iter().zip(&other.rgb);
        let sum: u32 = pairs.map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2)).sum();
        sum as f32 / (255.0 * 255.0 * self.rgb.len() as f32)
    }

    /// A PNG in which each pixel is a square of `scale` by `scale`.
    #[must_use]
    pub fn to_png(&self, scale: usize) -> Vec<u8> {
        let mut png = Vec::new();
        let written = self.write(&mut png, scale);
        debug_assert!(written.is_ok(), "there is room in memory");
        png
    }

    /// Writes such a PNG into a file.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when it cannot be written.
    pub fn save(&self, path: impl AsRef<Path>, scale: usize) -> Result<(), Error> {
        let path = path.as_ref();
        create(path, |file| self.write(file, scale))
    }

    fn write(&self, to: impl Write, scale: usize) -> Result<(), EncodingError> {
        let scale = scale.max(1);
        encode(to, [SIDE * scale; 2], &self.enlarged(scale))
    }

    /// Writes pictures side by side as one PNG.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when it cannot be written.
    pub fn save_sheet(pictures: &[Self], columns: usize, path: &Path) -> Result<(), Error> {
        let columns = columns.max(1);
        let mut sheet = Vec::new();
        for shelf in pictures.chunks(columns) {
            for y in 0..SIDE {
                for column in 0..columns {
                    let row = shelf.get(column).map(|picture| picture.row(y));
                    sheet.extend_from_slice(row.unwrap_or(&[255; 3 * SIDE]));
                }
            }
        }
        let size = [columns * SIDE, pictures.len().div_ceil(columns) * SIDE];
        create(path, |file| encode(file, size, &sheet))
    }

    fn row(&self, y: usize) -> &[u8] {
        &self.rgb[3 * SIDE * y..3 * SIDE * (y + 1)]
    }

    fn enlarged(&self, scale: usize) -> Vec<u8> {
        let rows = self.rgb.chunks_exact(3 * SIDE).map(|row| {
            let pixels = row.chunks_exact(3).map(|pixel| pixel.repeat(scale));
            pixels.collect::<Vec<_>>().concat().repeat(scale)
        });
        rows.collect::<Vec<_>>().concat()
    }

    /// The channels as numbers from -1 to 1, `[3, SIDE, SIDE]`.
    pub(crate) fn to_tensor(&self, device: &Device) -> Tensor<3> {
        let values: Vec<f32> = self.rgb.iter().map(|&c| f32::from(c) / 127.5 - 1.0).collect();
        let rows = Tensor::<3>::from_data(TensorData::new(values, [SIDE, SIDE, 3]), device);
        rows.permute([2, 0, 1])
    }

    /// The inverse of [`to_tensor`](Self::to_tensor) for `[batch, 3, SIDE, SIDE]`,
    /// out-of-range values clamped.
    pub(crate) fn from_tensor(tensor: Tensor<4>) -> Result<Vec<Self>, Error> {
        let rows = tensor.permute([0, 2, 3, 1]).add_scalar(1.0).mul_scalar(127.5);
        let values = rows.try_into_vec_as::<f32>();
        let values = values.map_err(|error| Error::Device(error.to_string()))?;
        // A cast of a float to an integer saturates.
        let bytes: Vec<u8> = values.into_iter().map(|value| value.round() as u8).collect();
        Ok(bytes.chunks_exact(3 * SIDE * SIDE).map(|rgb| Self::new(rgb.to_vec())).collect())
    }
}

fn create(
    path: &Path,
    write: impl FnOnce(BufWriter<File>) -> Result<(), EncodingError>,
) -> Result<(), Error> {
    let file = File::create(path).map_err(|error| Error::file(path, error))?;
    write(BufWriter::new(file)).map_err(|error| Error::file(path, error))
}

fn encode(to: impl Write, [width, height]: [usize; 2], rgb: &[u8]) -> Result<(), EncodingError> {
    let mut png = png::Encoder::new(to, width as u32, height as u32);
    png.set_color(png::ColorType::Rgb);
    png.set_depth(png::BitDepth::Eight);
    let mut png = png.write_header()?;
    png.write_image_data(rgb)?;
    png.finish()
}

use std::{fs::File, io::BufWriter, path::Path};

use burn::tensor::{Device, Tensor, TensorData};

use crate::Error;

/// The width and height of every picture.
pub const SIDE: usize = 32;

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
        let sum: f32 = pairs.map(|(a, b)| (f32::from(a.abs_diff(*b)) / 255.0).powi(2)).sum();
        sum / self.rgb.len() as f32
    }

    /// Writes a PNG in which each pixel is a square of `scale` by `scale`.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when it cannot be written.
    pub fn save(&self, path: impl AsRef<Path>, scale: usize) -> Result<(), Error> {
        let scale = scale.max(1);
        write(path.as_ref(), [SIDE * scale; 2], &self.enlarged(scale))
    }

    /// Writes pictures side by side as one PNG.
    pub(crate) fn save_sheet(pictures: &[Self], columns: usize, path: &Path) -> Result<(), Error> {
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
        write(path, size, &sheet)
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

    /// The inverse of [`to_tensor`](Self::to_tensor), out-of-range values clamped.
    pub(crate) fn from_tensor(tensor: Tensor<3>) -> Result<Self, Error> {
        let rows = tensor.permute([1, 2, 0]).add_scalar(1.0).mul_scalar(127.5);
        let values = rows.try_into_vec_as::<f32>();
        let values = values.map_err(|error| Error::Device(error.to_string()))?;
        // A cast of a float to an integer saturates.
        Ok(Self::new(values.into_iter().map(|value| value.round() as u8).collect()))
    }
}

fn write(path: &Path, [width, height]: [usize; 2], rgb: &[u8]) -> Result<(), Error> {
    let file = File::create(path).map_err(|error| Error::file(path, error))?;
    let mut png = png::Encoder::new(BufWriter::new(file), width as u32, height as u32);
    png.set_color(png::ColorType::Rgb);
    png.set_depth(png::BitDepth::Eight);
    let encoded = png.write_header().and_then(|mut png| {
        png.write_image_data(rgb)?;
        png.finish()
    });
    encoded.map_err(|error| Error::file(path, error))
}

//! The training set: 1 360 pictures of 64×64 with their names, see
//! `data/README.md`.

use std::io::Cursor;

use crate::{Error, Picture, SIDE};

const TABLE: &str = include_str!("../data/emoji.tsv");
const SHEET: &[u8] = include_bytes!("../data/emoji.png");

/// What a picture is on when nothing is said.
pub const WHITE: [u8; 3] = [255; 3];

/// The colours of the other backgrounds, and of pictures that are all in one.
pub const COLOURS: [(&str, [u8; 3]); 8] = [
    ("red", [214, 48, 49]),
    ("orange", [243, 146, 46]),
    ("yellow", [252, 222, 90]),
    ("green", [72, 168, 92]),
    ("blue", [58, 116, 216]),
    ("purple", [132, 84, 190]),
    ("pink", [248, 176, 204]),
    ("black", [24, 24, 28]),
];
/// How many of [`COLOURS`] pictures are painted in: all but black, which nothing
/// is to be seen in.
pub const PAINTS: usize = COLOURS.len() - 1;

/// Where the network has seen a picture on all [`COLOURS`] but this one, it has
/// not learnt by heart what a background is.
#[must_use]
pub fn unseen_background(picture: usize) -> usize {
    picture % COLOURS.len()
}

/// The same for the colours that pictures are painted in; `None` is a picture
/// whose name has a colour, which is never painted.
#[must_use]
pub fn unseen_paint(picture: usize, name: &str) -> Option<usize> {
    let coloured =
        name.split(|c: char| !c.is_alphanumeric()).any(|word| OWN_COLOURS.contains(&word));
    (!coloured).then_some(picture % PAINTS)
}

const OWN_COLOURS: [&str; 10] =
    ["red", "orange", "yellow", "green", "blue", "purple", "pink", "black", "white", "brown"];

/// What is said about a picture.
#[derive(Debug, Clone, Copy)]
pub struct Caption {
    /// Its name, "red heart".
    pub name: &'static str,
    /// Other words that fit it, separated by spaces.
    pub keywords: &'static str,
}

/// The lightness at which a painted picture is in the full colour.
const FULL_COLOUR: f32 = 0.7;

/// A picture without a background.
#[derive(Debug, Clone)]
pub struct Cutout {
    /// Rows of red, green, blue and opacity.
    rgba: Vec<u8>,
}

/// The captions, in the order of the pictures.
#[must_use]
pub fn captions() -> Vec<Caption> {
    TABLE.lines().skip(1).filter_map(caption).collect()
}

fn caption(line: &'static str) -> Option<Caption> {
    let mut columns = line.split('\t').skip(2);
    Some(Caption { name: columns.next()?, keywords: columns.next()? })
}

/// The pictures, in the order of the captions.
///
/// # Errors
///
/// [`Error::Data`] when the sheet is no RGBA picture of whole cells.
pub fn cutouts() -> Result<Vec<Cutout>, Error> {
    let damaged = |error: png::DecodingError| Error::Data(error.to_string());
    let mut reader = png::Decoder::new(Cursor::new(SHEET)).read_info().map_err(damaged)?;
    let mut sheet = vec![0; reader.output_buffer_size().unwrap_or(0)];
    let info = reader.next_frame(&mut sheet).map_err(damaged)?;
    if (info.color_type, info.bit_depth) != (png::ColorType::Rgba, png::BitDepth::Eight) {
        return Err(Error::Data("the sheet is not 8-bit RGBA".to_owned()));
    }
    let cells = (0..captions().len()).map(|index| cell(&sheet, info.width as usize, index));
    cells.collect::<Option<_>>().ok_or_else(|| Error::Data("the sheet is too small".to_owned()))
}

fn cell(sheet: &[u8], width: usize, index: usize) -> Option<Cutout> {
    let columns = width / SIDE;
    let left = index % columns.max(1) * SIDE;
    let top = index.checked_div(columns)? * SIDE;
    let rows = (top..top + SIDE).map(|y| {
        let start = 4 * (y * width + left);
        sheet.get(start..start + 4 * SIDE)
    });
    let rows: Vec<&[u8]> = rows.collect::<Option<_>>()?;
    Some(Cutout { rgba: rows.concat() })
}

impl Cutout {
    /// The picture in one colour: what is light turns to white, what is dark to black.
    #[must_use]
    pub fn painted(&self, colour: [u8; 3]) -> Self {
        let pixels = self.rgba.chunks_exact(4).flat_map(|pixel| {
            let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(f32::from);
            let light = (0.299 * red + 0.587 * green + 0.114 * blue) / 255.0;
            let channel = |full: u8| {
                let full = f32::from(full);
                let painted = if light < FULL_COLOUR {
                    full * light / FULL_COLOUR
                } else {
                    full + (255.0 - full) * (light - FULL_COLOUR) / (1.0 - FULL_COLOUR)
                };
                painted.round() as u8
            };
            let [red, green, blue] = colour.map(channel);
            [red, green, blue, pixel[3]]
        });
        Self { rgba: pixels.collect() }
    }

    /// The picture on a background.
    #[must_use]
    pub fn on(&self, background: [u8; 3]) -> Picture {
        let pixels = self.rgba.chunks_exact(4).flat_map(|pixel| {
            let opacity = u16::from(pixel[3]);
            let blend = |(&front, back): (&u8, u8)| {
                let sum = u16::from(front) * opacity + u16::from(back) * (255 - opacity);
                (sum / 255) as u8
            };
            pixel[..3].iter().zip(background).map(blend).collect::<Vec<_>>()
        });
        Picture::new(pixels.collect())
    }
}

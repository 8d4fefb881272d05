//! Draws a sketch as a PNG, with a label that nobody mistakes.

use std::io::Write as _;

use font8x8::{BASIC_FONTS, UnicodeFonts as _};

use super::{
    Sketch,
    scene::{Rgb, Row, Scene},
};

/// Bytes of a PNG chunk, and so of what is buffered while drawing.
const CHUNK: usize = 64 * 1024;
const BAND: Rgb = [18, 18, 26];
const LETTERS: Rgb = [244, 244, 248];
const MARK: &str = "SIMULATED";
/// Side of a letter of the font.
const LETTER: u32 = 8;
/// Letters that a line should hold.
const COLUMNS: u32 = 42;
/// Height of a line, in units of the label's scale.
const LINE: u32 = 11;

/// Draws `sketch`. Takes milliseconds to a second: not for an async thread.
///
/// # Errors
///
/// When a side is 0 or the picture is too large to encode.
pub fn draw(sketch: &Sketch) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::with_capacity(CHUNK);
    let mut encoder = png::Encoder::new(&mut bytes, sketch.width, sketch.height);
    encoder.set_color(if sketch.transparent { png::ColorType::Rgba } else { png::ColorType::Rgb });
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fastest);
    // Rows are mostly of one colour, so against the pixel to the left almost every byte is 0.
    encoder.set_filter(png::Filter::Sub);
    encoder.add_text_chunk("Source".to_owned(), "simulated by Muxel".to_owned())?;
    let mut writer = encoder.write_header()?;
    let mut stream = writer.stream_writer_with_size(CHUNK)?;

    let scene = Scene::new(sketch.width, sketch.height, sketch.seed, sketch.transparent);
    let label = Label::new(sketch);
    let mut row = Row::new(sketch.width, sketch.transparent);
    for y in 0..sketch.height {
        match y.checked_sub(label.top) {
            Some(below) => label.paint(below, &mut row),
            None => scene.paint(y, &mut row),
        }
        stream.write_all(&row.bytes)?;
    }
    stream.finish()?;
    writer.finish()?;
    Ok(bytes)
}

/// The band at the bottom: what this is, who would have drawn it, and what was asked.
struct Label {
    /// First row of the band.
    top: u32,
    scale: u32,
    lines: [Vec<[u8; 8]>; 3],
}

impl Label {
    fn new(sketch: &Sketch) -> Self {
        // As large as fits in a quarter of the height and lets the mark be read; one pixel a dot when nothing fits.
        let by_height = sketch.height / 4 / (3 * LINE + 3);
        let by_width = sketch.width / (LETTER * COLUMNS);
        let scale = by_height.min(by_width).clamp(1, 16);
        let columns = ((sketch.width / scale).saturating_sub(LETTER) / LETTER) as usize;
        let lines = [MARK, &sketch.title, &sketch.caption].map(|text| glyphs(text, columns));
        let rows = (3 * LINE + 3) * scale;
        Self { top: sketch.height.saturating_sub(rows.min(sketch.height / 2)), scale, lines }
    }

    /// The band's row `below` its top.
    fn paint(&self, below: u32, row: &mut Row) {
        row.fill(BAND);
        let unit = (below / self.scale).saturating_sub(2);
        let (line, within) = (unit / LINE, unit % LINE);
        let Some(letters) = self.lines.get(line as usize) else { return };
        if within >= LETTER || below < 2 * self.scale {
            return;
        }
        let dot = self.scale as usize;
        for (place, letter) in letters.iter().enumerate() {
            let left = (place * 8 + 4) * dot;
            for bit in (0..8).filter(|bit| letter[within as usize] >> bit & 1 == 1) {
                row.paint(left + bit * dot..left + (bit + 1) * dot, LETTERS);
            }
        }
    }
}

/// The first `columns` letters of `text` on one line; what the font lacks is a question mark.
fn glyphs(text: &str, columns: usize) -> Vec<[u8; 8]> {
    let drawable = |letter: char| {
        let letter = if letter.is_whitespace() { ' ' } else { letter };
        let is_known = letter.is_ascii() && !letter.is_ascii_control();
        BASIC_FONTS.get(if is_known { letter } else { '?' }).unwrap_or_default()
    };
    text.chars().take(columns).map(drawable).collect()
}

//! A landscape from a seed: sky, sun, clouds, hills and trees, painted row by row.
//!
//! Rows, not a canvas: a picture of 36 megapixels takes no more memory than its longest row and its compressed bytes.

use crate::random::SplitMix;

pub(super) type Rgb = [u8; 3];

/// Everything that is to be seen, back to front.
pub(super) struct Scene {
    sky: Option<(Rgb, Rgb)>,
    height: f64,
    discs: Vec<Disc>,
    hills: Vec<Hill>,
    trees: Vec<Disc>,
}

struct Disc {
    x: f64,
    y: f64,
    radius: f64,
    colour: Rgb,
    /// 0 to 1.
    cover: f64,
}

struct Hill {
    /// Of its ridge, by column.
    heights: Vec<f32>,
    highest: f32,
    lowest: f32,
    colour: Rgb,
}

/// One row of pixels, RGB or RGBA.
pub(super) struct Row {
    pub(super) bytes: Vec<u8>,
    channels: usize,
}

impl Scene {
    pub(super) fn new(width: u32, height: u32, seed: u64, transparent: bool) -> Self {
        let mut random = SplitMix::new(seed);
        let (width, height) = (f64::from(width), f64::from(height));
        let hue = random.unit();
        let dusk = random.unit();
        let sky = [hsl(hue, 0.55, 0.30 + 0.35 * dusk), hsl(hue + 0.08 + 0.1 * dusk, 0.75, 0.82)];
        let hills = hills(&mut random, width, height, hue);
        let trees = trees(&mut random, height, &hills, hue);
        let discs = discs(&mut random, width, height, hue);
        Self { sky: (!transparent).then_some((sky[0], sky[1])), height, discs, hills, trees }
    }

    pub(super) fn paint(&self, y: u32, row: &mut Row) {
        let y = f64::from(y);
        let nearest_full = self.hills.iter().rposition(|hill| y >= f64::from(hill.lowest));
        if nearest_full.is_none() {
            match self.sky {
                Some((top, low)) => row.fill(mix(top, low, y / self.height)),
                None => row.bytes.fill(0),
            }
            self.discs.iter().for_each(|disc| disc.paint(y, row));
        }
        for hill in &self.hills[nearest_full.unwrap_or(0)..] {
            hill.paint(y as f32, row);
        }
        self.trees.iter().for_each(|tree| tree.paint(y, row));
    }
}

/// The sun with its glow, then clouds of three discs each.
fn discs(random: &mut SplitMix, width: f64, height: f64, hue: f64) -> Vec<Disc> {
    let (x, y) = (width * random.between(0.15, 0.85), height * random.between(0.15, 0.42));
    let radius = width.min(height) * random.between(0.06, 0.12);
    let warm = hsl(hue + 0.5, 0.9, 0.85);
    let glow = |factor: f64, cover: f64| Disc { x, y, radius: radius * factor, colour: warm, cover };
    let mut discs = vec![glow(2.4, 0.10), glow(1.6, 0.18), glow(1.0, 1.0)];
    for _ in 0..3 {
        let (x, y) = (width * random.unit(), height * random.between(0.08, 0.4));
        let size = width.min(height) * random.between(0.02, 0.05);
        for (shift, factor) in [(-1.3, 0.8), (0.0, 1.2), (1.4, 0.9)] {
            let (x, radius) = (x + shift * size, size * factor);
            discs.push(Disc { x, y: y - radius, radius, colour: [255; 3], cover: 0.45 });
        }
    }
    discs
}

fn hills(random: &mut SplitMix, width: f64, height: f64, hue: f64) -> Vec<Hill> {
    let layers = 4;
    let hill = |layer: u32| {
        let near = f64::from(layer) / f64::from(layers - 1);
        let base = height * (0.52 + 0.22 * near + random.between(-0.03, 0.03));
        let waves: Vec<(f64, f64, f64)> = (1..=3)
            .map(|wave| {
                let length = random.between(1.5, 3.0) * f64::from(wave) * std::f64::consts::TAU / width;
                (height * 0.055 / f64::from(wave), length, random.between(0.0, 6.3))
            })
            .collect();
        let ridge = |x: f64| base + waves.iter().map(|(high, length, at)| high * (x * length + at).sin()).sum::<f64>();
        let heights: Vec<f32> = (0..width as u32).map(|x| ridge(f64::from(x)) as f32).collect();
        Hill {
            highest: heights.iter().copied().fold(f32::MAX, f32::min),
            lowest: heights.iter().copied().fold(0.0, f32::max),
            heights,
            colour: hsl(hue + 0.35 + 0.08 * near, 0.25 + 0.25 * near, 0.62 - 0.38 * near),
        }
    };
    (0..layers).map(hill).collect()
}

/// Round trees on the nearest ridge.
fn trees(random: &mut SplitMix, height: f64, hills: &[Hill], hue: f64) -> Vec<Disc> {
    let Some(ridge) = hills.last().map(|hill| &hill.heights) else { return Vec::new() };
    let tree = |_| {
        let column = ((ridge.len() as f64) * random.unit()) as usize;
        let radius = height * random.between(0.012, 0.03);
        let ground = f64::from(ridge.get(column).copied().unwrap_or_default());
        let colour = hsl(hue + 0.4 + random.between(-0.03, 0.03), 0.45, random.between(0.14, 0.22));
        Disc { x: column as f64, y: ground - 0.6 * radius, radius, colour, cover: 1.0 }
    };
    (0..12).map(tree).collect()
}

impl Disc {
    fn paint(&self, y: f64, row: &mut Row) {
        let from_centre = y + 0.5 - self.y;
        let square = self.radius * self.radius - from_centre * from_centre;
        if square <= 0.0 {
            return;
        }
        let (left, right) = (self.x - square.sqrt(), self.x + square.sqrt());
        let columns = left.max(0.0) as usize..(right.max(0.0).ceil() as usize).min(row.width());
        for x in columns {
            let inside = (right.min(x as f64 + 1.0) - left.max(x as f64)).clamp(0.0, 1.0);
            row.blend(x, self.colour, (256.0 * inside * self.cover) as u32);
        }
    }
}

impl Hill {
    fn paint(&self, y: f32, row: &mut Row) {
        if y >= self.lowest {
            row.fill(self.colour);
        } else if y + 1.0 > self.highest {
            let mut x = 0;
            while x < self.heights.len() {
                // Whole runs at once: most columns of a row lie clear of the ridge.
                let run = self.heights[x..].iter().take_while(|ridge| y >= **ridge).count();
                row.paint(x..x + run, self.colour);
                x += run;
                x += self.heights[x..].iter().take_while(|ridge| y + 1.0 <= **ridge).count();
                if let Some(ridge) = self.heights.get(x) {
                    row.blend(x, self.colour, (256.0 * (y + 1.0 - ridge)).clamp(0.0, 256.0) as u32);
                    x += 1;
                }
            }
        }
    }
}

impl Row {
    pub(super) fn new(width: u32, transparent: bool) -> Self {
        let channels = if transparent { 4 } else { 3 };
        Self { bytes: vec![0; width as usize * channels], channels }
    }

    pub(super) fn width(&self) -> usize {
        self.bytes.len() / self.channels
    }

    pub(super) fn fill(&mut self, colour: Rgb) {
        self.paint(0..self.width(), colour);
    }

    /// Paints over `columns`, as far as there are such.
    pub(super) fn paint(&mut self, columns: std::ops::Range<usize>, colour: Rgb) {
        let end = columns.end.min(self.width());
        let start = columns.start.min(end);
        let [red, green, blue] = colour;
        let bytes = &mut self.bytes[start * self.channels..end * self.channels];
        if bytes.is_empty() {
            return;
        }
        // One pixel, then ever longer copies of what is painted already.
        bytes[..self.channels].copy_from_slice(&[red, green, blue, 255][..self.channels]);
        let mut painted = self.channels;
        while painted < bytes.len() {
            let more = painted.min(bytes.len() - painted);
            bytes.copy_within(..more, painted);
            painted += more;
        }
    }

    /// Mixes `colour` in; `cover` is 0 to 256.
    fn blend(&mut self, x: usize, colour: Rgb, cover: u32) {
        if cover == 0 {
            return;
        }
        let cover = cover.min(256);
        let pixel = &mut self.bytes[x * self.channels..(x + 1) * self.channels];
        let was_empty = pixel.get(3) == Some(&0);
        for (old, new) in pixel.iter_mut().zip(colour) {
            let mixed = (u32::from(*old) * (256 - cover) + u32::from(new) * cover) / 256;
            *old = if was_empty { new } else { mixed as u8 };
        }
        if let Some(alpha) = pixel.get_mut(3) {
            *alpha = (u32::from(*alpha) + (255 - u32::from(*alpha)) * cover / 256) as u8;
        }
    }
}

fn mix(from: Rgb, to: Rgb, share: f64) -> Rgb {
    let share = (256.0 * share.clamp(0.0, 1.0)) as u32;
    std::array::from_fn(|at| ((u32::from(from[at]) * (256 - share) + u32::from(to[at]) * share) / 256) as u8)
}

/// Hue in turns, saturation and lightness 0 to 1.
fn hsl(hue: f64, saturation: f64, lightness: f64) -> Rgb {
    let strength = saturation * lightness.min(1.0 - lightness);
    [0.0, 8.0, 4.0].map(|shift: f64| {
        let turn = (shift + hue * 12.0).rem_euclid(12.0);
        let value = lightness - strength * (turn - 3.0).min(9.0 - turn).clamp(-1.0, 1.0);
        (255.0 * value) as u8
    })
}

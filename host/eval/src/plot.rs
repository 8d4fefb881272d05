//! What the pictures of evaluations have in common: frames, axes, names that do not lie on each other.

pub(crate) mod axis;
pub(crate) mod style;
pub(crate) mod svg;

use axis::{Axis, Unit};
use svg::{Anchor, Svg};

/// A rectangle of the picture in which data is drawn.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Frame {
    pub(crate) fn x(&self, axis: &Axis, value: f64) -> f64 {
        self.left + axis.place(value) * self.width
    }

    pub(crate) fn y(&self, axis: &Axis, value: f64) -> f64 {
        self.top + (1.0 - axis.place(value)) * self.height
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.top + self.height
    }
}

/// Lines and numbers at the ticks of both axes.
pub(crate) fn grid(svg: &mut Svg, frame: Frame, across: &Axis, across_unit: Unit, up: &Axis, up_unit: Unit) {
    for tick in up.ticks() {
        let y = frame.y(up, tick);
        svg.line((frame.left, y), (frame.left + frame.width, y), "grid");
        svg.text((frame.left - 8.0, y + 4.0), "tick", Anchor::End, up_unit.show(tick, up.step));
    }
    for tick in across.ticks() {
        let x = frame.x(across, tick);
        svg.line((x, frame.bottom()), (x, frame.bottom() + 4.0), "base");
        svg.text((x, frame.bottom() + 18.0), "tick", Anchor::Middle, across_unit.show(tick, across.step));
    }
    svg.line((frame.left, frame.bottom()), (frame.left + frame.width, frame.bottom()), "base");
}

/// What becomes of a name for which there is no room beside its dot.
#[derive(Clone, Copy)]
pub(crate) enum Crowd {
    /// It is written further down, or over another at last.
    Written,
    /// It is only seen by pointing at its dot.
    LeftOut,
}

/// Names beside their dots, to the side that is free, else moved down until they are.
pub(crate) fn label(svg: &mut Svg, frame: Frame, mut labels: Vec<((f64, f64), &str)>, crowd: Crowd) {
    const LINE: f64 = 15.0;
    labels.sort_by(|((_, a), left), ((_, b), right)| a.total_cmp(b).then_with(|| left.cmp(right)));
    let dots: Vec<(f64, f64)> = labels.iter().map(|(at, _)| *at).collect();
    // Left, right and baseline of each name that is written.
    let mut taken: Vec<(f64, f64, f64)> = Vec::new();
    for ((x, y), name) in labels {
        let width = 6.6 * name.chars().count() as f64;
        let spans = [(x + 11.0, x + 11.0 + width, Anchor::Start), (x - 11.0 - width, x - 11.0, Anchor::End)];
        let is_free = |(left, right): (f64, f64), line: f64| {
            let apart = |(l, r, other): &(f64, f64, f64)| right < *l || left > *r || (line - other).abs() >= LINE;
            let clear = |(dx, dy): &(f64, f64)| dx + 8.0 < left || dx - 8.0 > right || (dy + 4.0 - line).abs() > 12.0;
            let inside = left >= frame.left && right <= frame.left + frame.width + 30.0;
            inside && taken.iter().all(apart) && dots.iter().all(clear)
        };
        let most = match crowd {
            Crowd::Written => 8,
            Crowd::LeftOut => 2,
        };
        let lines = (0..most).map(|down| y + 4.0 + f64::from(down) * LINE);
        let places = lines.flat_map(|line| spans.map(|(left, right, anchor)| (left, right, line, anchor)));
        let found = places.into_iter().find(|(left, right, line, _)| is_free((*left, *right), *line));
        let Some((left, right, line, anchor)) = found.or_else(|| match crowd {
            Crowd::Written => Some((spans[0].0, spans[0].1, y + 4.0, Anchor::Start)),
            Crowd::LeftOut => None,
        }) else {
            continue;
        };
        taken.push((left, right, line));
        svg.text((if matches!(anchor, Anchor::End) { right } else { left }, line), "mark", anchor, name);
    }
}

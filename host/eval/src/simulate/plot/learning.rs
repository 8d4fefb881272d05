//! What requests came to, by their number: how strategies learn, and how they follow when the truth changes.

use super::{
    super::report::{Block, Report, TruthReport},
    drawn,
};
use crate::plot::{
    Frame,
    axis::{Axis, Unit},
    grid,
    svg::{Anchor, Svg},
};

/// What it adds to the picture's height.
pub(super) const HEIGHT: f64 = 280.0;
const FRAME: Frame = Frame { left: 70.0, top: 690.0, width: 1090.0, height: 200.0 };
const ORACLE: &str = "#9aa1ae";

/// Whether there was anything to draw.
pub(super) fn draw(svg: &mut Svg, report: &Report) -> bool {
    let drawn = drawn(report);
    let curves: Vec<(&TruthReport, &str, bool)> = drawn
        .iter()
        .filter_map(|(strategy, colour)| Some((strategy.truth.as_ref()?, *colour, strategy.is_pinned())))
        .collect();
    let Some((first, ..)) = curves.first() else { return false };
    let requests = first.curve.last().map_or(0, |block| block.after + block.requests);
    let across = Axis::requests(requests);
    let oracle = |block: &Block| Some(block.value? + block.regret?);
    let of_all = || curves.iter().flat_map(|(truth, ..)| truth.curve.iter().filter_map(|block| block.value));
    let up = Axis::around(of_all().chain(first.curve.iter().filter_map(oracle)));
    svg.text(
        (FRAME.left, FRAME.top - 14.0),
        "head",
        Anchor::Start,
        "value of a request, by its number (grey: an oracle's)",
    );
    grid(svg, FRAME, &across, Unit::Plain, &up, Unit::Plain);
    for shift in report.workload.shifts.iter().filter(|shift| **shift < requests) {
        let x = FRAME.x(&across, *shift as f64);
        svg.line((x, FRAME.top), (x, FRAME.bottom()), "base");
        svg.text((x + 4.0, FRAME.top + 13.0), "tick", Anchor::Start, "the truth changes");
    }
    let points = |truth: &TruthReport, of: &dyn Fn(&Block) -> Option<f64>| {
        let middle = |block: &Block| block.after as f64 + block.requests as f64 / 2.0;
        let point = |block: &Block| of(block).map(|value| (FRAME.x(&across, middle(block)), FRAME.y(&up, value)));
        truth.curve.iter().map(point).collect::<Vec<_>>()
    };
    svg.curve(&points(first, &oracle), ORACLE, true);
    // Those that were named first lie on top.
    for (truth, colour, dashed) in curves.iter().rev() {
        svg.curve(&points(truth, &|block| block.value), colour, *dashed);
    }
    true
}

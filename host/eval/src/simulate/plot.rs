//! The results as a picture: answers and latency over time with outages shaded, cost against quality, and what requests
//! came to while strategies learned, where that is known.

use std::time::Duration;

use super::{
    contestant::PINNED,
    report::{Report, StrategyReport},
    tally::{End, Mark},
};
use crate::plot::{
    Crowd, Frame,
    axis::{Axis, Unit},
    grid, label,
    style::{COLOURS, CURVES, FAINT, STYLE},
    svg::{Anchor, Svg},
};

mod learning;

const WIDTH: f64 = 1200.0;
const HEIGHT: f64 = 660.0;
/// Stretches of time in a curve.
const STRETCHES: usize = 80;
const ANSWERS: Frame = Frame { left: 70.0, top: 150.0, width: 660.0, height: 180.0 };
const LATENCY: Frame = Frame { left: 70.0, top: 410.0, width: 660.0, height: 180.0 };
const SCATTER: Frame = Frame { left: 830.0, top: 150.0, width: 330.0, height: 440.0 };

/// An SVG file.
#[must_use]
pub fn plot(report: &Report) -> String {
    let mut svg = Svg::default();
    let about = &report.workload;
    svg.text((40.0, 44.0), "title", Anchor::Start, &about.title);
    let requests = report.strategies.first().map_or(0, |strategy| strategy.requests);
    let subtitle = format!(
        "{requests} requests each, {} providers, {} candidates, seed {}",
        about.providers, about.candidates, about.seed
    );
    svg.text((40.0, 66.0), "sub", Anchor::Start, subtitle);
    legend(&mut svg, report);
    let end = end_of(report);
    over_time(&mut svg, report, end, ANSWERS, "answered", Unit::Percent, answered);
    over_time(&mut svg, report, end, LATENCY, "latency, 95th percentile", Unit::Seconds, slow);
    scatter(&mut svg, report);
    let height = if learning::draw(&mut svg, report) { HEIGHT + learning::HEIGHT } else { HEIGHT };
    svg.finish(WIDTH, height, STYLE)
}

/// Those with a curve, each with its colour: all when they are few, else the strategies and the pinned baseline.
fn drawn(report: &Report) -> Vec<(&StrategyReport, &'static str)> {
    let are_few = report.strategies.len() <= CURVES;
    let baseline = report.workload.baseline.as_ref().map(|baseline| format!("{PINNED}{baseline}"));
    let has_curve =
        |strategy: &&StrategyReport| are_few || !strategy.is_pinned() || baseline.as_ref() == Some(&strategy.name);
    report.strategies.iter().filter(has_curve).zip(COLOURS).collect()
}

/// The colour of `strategy` among `drawn`, if it has one.
fn colour_of(drawn: &[(&StrategyReport, &'static str)], strategy: &StrategyReport) -> Option<&'static str> {
    drawn.iter().find(|(other, _)| other.name == strategy.name).map(|(_, colour)| *colour)
}

fn legend(svg: &mut Svg, report: &Report) {
    let drawn = drawn(report);
    let others = report.strategies.len() - drawn.len();
    let more = (others > 0).then(|| (format!("{others} more, on the right only"), FAINT));
    let entries = drawn.iter().map(|(strategy, colour)| (strategy.name.clone(), *colour)).chain(more);
    let (mut x, mut y) = (40.0, 92.0);
    for (name, colour) in entries {
        let width = 40.0 + 7.0 * name.chars().count() as f64;
        if x + width > WIDTH {
            (x, y) = (40.0, y + 20.0);
        }
        svg.dot((x + 5.0, y - 4.5), 5.5, colour, &name);
        svg.text((x + 16.0, y), "name", Anchor::Start, &name);
        x += width;
    }
}

/// When the last request arrived, or the run ended.
fn end_of(report: &Report) -> f64 {
    let marks = report.strategies.iter().flat_map(|strategy| &strategy.marks);
    let last = marks.map(|mark| f64::from(mark.at_ms) / 1e3).fold(1.0, f64::max);
    report.workload.duration_s.map_or(last, |duration| duration.max(1.0))
}

/// One curve a strategy: what `of` makes of the requests that arrived in each stretch of time.
fn over_time(
    svg: &mut Svg,
    report: &Report,
    end: f64,
    frame: Frame,
    heading: &str,
    unit: Unit,
    of: fn(Vec<Mark>) -> Option<f64>,
) {
    let time = Axis::time(end);
    let curves: Vec<(Vec<Option<f64>>, &str, bool)> = drawn(report)
        .into_iter()
        .map(|(strategy, colour)| (stretches(&strategy.marks, end, of), colour, strategy.is_pinned()))
        .collect();
    let values = || curves.iter().flat_map(|(values, ..)| values.iter().flatten().copied());
    let axis = match unit {
        Unit::Percent => Axis::share(values().fold(1.0, f64::min)),
        _ => Axis::from_zero(values().fold(0.0, f64::max)),
    };
    svg.text((frame.left, frame.top - 14.0), "head", Anchor::Start, heading);
    outages(svg, report, frame, &time);
    grid(svg, frame, &time, Unit::Time, &axis, unit);
    let middle = |index: usize| (index as f64 + 0.5) * end / STRETCHES as f64;
    // Those that were named first lie on top.
    for (values, colour, dashed) in curves.iter().rev() {
        let place = |(index, value): (usize, &Option<f64>)| {
            value.map(|value| (frame.x(&time, middle(index)), frame.y(&axis, value)))
        };
        let points: Vec<Option<(f64, f64)>> = values.iter().enumerate().map(place).collect();
        svg.curve(&points, colour, *dashed);
    }
}

fn stretches(marks: &[Mark], end: f64, of: fn(Vec<Mark>) -> Option<f64>) -> Vec<Option<f64>> {
    let mut arrived: Vec<Vec<Mark>> = vec![Vec::new(); STRETCHES];
    for mark in marks {
        let stretch = (f64::from(mark.at_ms) / 1e3 / end * STRETCHES as f64) as usize;
        arrived[stretch.min(STRETCHES - 1)].push(*mark);
    }
    arrived.into_iter().map(of).collect()
}

fn answered(marks: Vec<Mark>) -> Option<f64> {
    let answered = marks.iter().filter(|mark| mark.end != End::Unanswered).count();
    (!marks.is_empty()).then(|| answered as f64 / marks.len() as f64)
}

/// Seconds that 95 % of deliveries take at most.
fn slow(mut marks: Vec<Mark>) -> Option<f64> {
    marks.retain(|mark| mark.end == End::Delivered);
    marks.sort_unstable_by_key(|mark| mark.latency_ms);
    let place = (marks.len() * 95).div_ceil(100).saturating_sub(1);
    marks.get(place).map(|mark| Duration::from_millis(u64::from(mark.latency_ms)).as_secs_f64())
}

fn outages(svg: &mut Svg, report: &Report, frame: Frame, time: &Axis) {
    let Some(first) = report.strategies.first() else { return };
    let mut named_to = f64::NEG_INFINITY;
    for outage in &first.outages {
        let (from, until) = (frame.x(time, outage.from_s), frame.x(time, outage.until_s));
        svg.rect((from, frame.top), ((until - from).max(1.0), frame.height), "down");
        // Names that would lie on each other are left out.
        if from > named_to {
            svg.text((from + 4.0, frame.top + 13.0), "downname", Anchor::Start, &outage.provider);
            named_to = from + 12.0 + 7.0 * outage.provider.chars().count() as f64;
        }
    }
}

/// Cost of a request against quality, the true one where it is known: up and to the left is better.
fn scatter(svg: &mut Svg, report: &Report) {
    let frame = SCATTER;
    let drawn = drawn(report);
    let known: Vec<(&StrategyReport, f64, f64)> = report
        .strategies
        .iter()
        .filter_map(|strategy| {
            let cost = strategy.cost_per_request_usd_micros? as f64 / 1e6;
            let quality = strategy.truth.as_ref().map_or(strategy.expected_quality, |truth| truth.quality);
            Some((strategy, cost, quality?))
        })
        .collect();
    let cost = Axis::from_zero(known.iter().map(|(_, cost, _)| *cost).fold(0.0, f64::max));
    let is_true = report.strategies.iter().any(|strategy| strategy.truth.is_some());
    let heading = if is_true { "true quality, by cost" } else { "expected quality, by cost" };
    let quality = Axis::around(known.iter().map(|(.., quality)| *quality));
    svg.text((frame.left, frame.top - 14.0), "head", Anchor::Start, heading);
    let below = (frame.left + frame.width, frame.bottom() + 36.0);
    svg.text(below, "tick", Anchor::End, "USD a delivered request");
    grid(svg, frame, &cost, Unit::Usd, &quality, Unit::Plain);
    let place = |cost_of: f64, quality_of: f64| (frame.x(&cost, cost_of), frame.y(&quality, quality_of));
    let mut labels: Vec<((f64, f64), &str)> = Vec::new();
    let (named, faint): (Vec<_>, Vec<_>) =
        known.iter().partition(|(strategy, ..)| colour_of(&drawn, strategy).is_some());
    for (strategy, cost, quality) in faint {
        svg.dot(place(cost, quality), 4.5, FAINT, &strategy.name);
    }
    for (strategy, cost, quality) in named.into_iter().rev() {
        let at = place(cost, quality);
        svg.dot(at, 7.0, colour_of(&drawn, strategy).unwrap_or(FAINT), &strategy.name);
        labels.push((at, &strategy.name));
    }
    label(svg, frame, labels, Crowd::Written);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(at_ms: u32, latency_ms: u32, end: End) -> Mark {
        Mark { n: 0, at_ms, latency_ms, end, worth: None }
    }

    #[test]
    fn a_stretch_without_requests_is_a_gap() {
        let marks = [mark(0, 10, End::Delivered), mark(1, 10, End::Unanswered), mark(99_999, 10, End::Refused)];
        let shares = stretches(&marks, 100.0, answered);
        assert_eq!((shares[0], shares[1], shares[STRETCHES - 1]), (Some(0.5), None, Some(1.0)));
    }

    #[test]
    fn the_slow_twentieth_is_that_of_deliveries() {
        let mut marks: Vec<Mark> = (1..=100).map(|ms| mark(0, ms * 1_000, End::Delivered)).collect();
        marks.push(mark(0, 999_000, End::Unanswered));
        assert_eq!(slow(marks), Some(95.0));
        assert_eq!(slow(Vec::new()), None);
    }
}

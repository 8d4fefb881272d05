//! The results as a picture: what each strategy's pictures cost and got, from all weight on quality to all on cost, beside
//! every single model, mixes that look at no prompt, and the oracle. Up and to the left is better.

use super::report::{AtSaving, Outcome, Report, Single, Strategy};
use crate::plot::{
    Crowd, Frame,
    axis::{Axis, Unit},
    grid, label,
    style::{COLOURS, STYLE},
    svg::{Anchor, Svg},
};

const WIDTH: f64 = 1240.0;
const HEIGHT: f64 = 730.0;
const FRAME: Frame = Frame { left: 84.0, top: 150.0, width: 800.0, height: 500.0 };
/// Where the legend begins.
const LEGEND: f64 = 930.0;
const LINE: f64 = 17.0;
/// Strategies of which the legend tells all; of more it tells the first line only.
const TOLD: usize = 4;
/// Longest name, in characters.
const LONGEST: usize = 34;
const GREY: &str = "#8a919e";
const BLACK: &str = "#1f2430";

/// An SVG file.
#[must_use]
pub fn plot(report: &Report) -> String {
    let mut svg = Svg::default();
    let about = &report.ratings;
    svg.text((40.0, 44.0), "title", Anchor::Start, format!("Quality kept and cost, {}", short(&about.file, 70)));
    let raters = if about.raters == 1 { "rater" } else { "raters" };
    let expectations = match about.folds {
        Some(folds) => {
            let deals = about.deals.filter(|deals| *deals > 1);
            let deals = deals.map_or(String::new(), |deals| format!(", {deals} deals"));
            format!("expectations cross-validated in {folds} folds{deals}")
        }
        None => format!("expectations from {}", short(&about.quality, 40)),
    };
    let first = format!(
        "{} of {} prompts scored, {} models, {} {raters}; {expectations}, seed {}",
        about.prompts_scored, about.prompts, about.models, about.raters, about.seed
    );
    svg.text((40.0, 68.0), "sub", Anchor::Start, first);
    let second = "means over all scored prompts; whiskers: 95 %, paired bootstrap over prompts";
    svg.text((40.0, 86.0), "sub", Anchor::Start, second);
    let picture = Picture::of(report);
    picture.axes(&mut svg);
    picture.others(&mut svg);
    picture.strategies(&mut svg);
    picture.names(&mut svg);
    picture.legend(&mut svg);
    svg.finish(WIDTH, HEIGHT, STYLE)
}

struct Picture<'a> {
    report: &'a Report,
    cost: Axis,
    quality: Axis,
    /// With its colour; strategies beyond the colours are grey.
    strategies: Vec<(&'a Strategy, &'static str)>,
    /// Single models within the axes.
    inside: Vec<&'a Single>,
}

impl<'a> Picture<'a> {
    fn of(report: &'a Report) -> Self {
        let colours = COLOURS.into_iter().chain(std::iter::repeat(GREY));
        let strategies: Vec<_> = report.strategies.iter().zip(colours).collect();
        let ratio = |single: &Single| single.quality / report.best_single.quality;
        let mut shown = vec![(report.best_single.cost_usd_micros, 1.0)];
        shown.push((report.cheapest_single.cost_usd_micros, ratio(&report.cheapest_single)));
        shown.extend(oracle(report));
        for strategy in &report.strategies {
            shown.push((strategy.own.cost_usd_micros, strategy.own.quality_ratio));
            shown.extend(strategy.frontier.iter().map(|point| (point.cost_usd_micros, point.quality_ratio)));
            let read = strategy.at_savings.iter().filter_map(|read| read.outcome.as_ref());
            let ends = read.chain([&strategy.own]).filter_map(|outcome| Some((outcome, outcome.interval?)));
            shown.extend(ends.flat_map(|(of, interval)| interval.map(|end| (of.cost_usd_micros, end))));
        }
        // The others are shown where they fit: one that is far off would squeeze what is to be seen.
        let cost = Axis::from_zero(shown.iter().map(|(cost, _)| cost / 1e6).fold(0.0, f64::max));
        let quality = Axis::around(shown.iter().map(|(_, quality)| *quality));
        let fits = |single: &&Single| cost.holds(single.cost_usd_micros / 1e6) && quality.holds(ratio(single));
        let inside = report.singles.iter().filter(fits).collect();
        Self { report, cost, quality, strategies, inside }
    }

    fn place(&self, cost_usd_micros: f64, quality_ratio: f64) -> (f64, f64) {
        (FRAME.x(&self.cost, cost_usd_micros / 1e6), FRAME.y(&self.quality, quality_ratio))
    }

    fn axes(&self, svg: &mut Svg) {
        grid(svg, FRAME, &self.cost, Unit::Usd, &self.quality, Unit::Percent);
        svg.text((FRAME.left, FRAME.top - 28.0), "head", Anchor::Start, "quality, of the best single model");
        let right = FRAME.left + FRAME.width;
        svg.text((right, FRAME.bottom() + 42.0), "head", Anchor::End, "USD a picture");
        let best = self.report.best_single.cost_usd_micros;
        if best <= 0.0 {
            return;
        }
        svg.text((right, FRAME.top - 28.0), "head", Anchor::End, "saved, against the best single model");
        for tenths in (0..10).step_by(2) {
            let share = f64::from(tenths) / 10.0;
            let x = FRAME.x(&self.cost, best * (1.0 - share) / 1e6);
            svg.line((x, FRAME.top - 4.0), (x, FRAME.bottom()), "grid");
            svg.text((x, FRAME.top - 9.0), "tick", Anchor::Middle, format!("{} %", tenths * 10));
        }
    }

    /// All that strategies are held against.
    fn others(&self, svg: &mut Svg) {
        let Report { best_single: best, cheapest_single: cheapest, .. } = self.report;
        let ends = [best, cheapest].map(|single| Some(self.single(single)));
        svg.curve(&ends, GREY, true);
        let corners: Vec<_> = self.report.mixed_singles.iter().map(|single| Some(self.single(single))).collect();
        svg.curve(&corners, BLACK, true);
        for single in &self.inside {
            let is_best = single.model == best.model;
            let (radius, colour) = if is_best { (7.0, BLACK) } else { (5.0, GREY) };
            svg.dot(self.single(single), radius, colour, &single.model);
        }
        if let Some((cost, quality)) = oracle(self.report) {
            svg.diamond(self.place(cost, quality), 8.0, BLACK, "oracle");
        }
    }

    fn names(&self, svg: &mut Svg) {
        let singles = self.inside.iter().map(|single| (self.single(single), short(&single.model, LONGEST)));
        let oracle = oracle(self.report).map(|(cost, quality)| (self.place(cost, quality), "oracle".to_owned()));
        let names: Vec<_> = singles.chain(oracle).collect();
        label(svg, FRAME, names.iter().map(|(at, name)| (*at, name.as_str())).collect(), Crowd::LeftOut);
    }

    fn single(&self, single: &Single) -> (f64, f64) {
        self.place(single.cost_usd_micros, single.quality / self.report.best_single.quality)
    }

    fn strategies(&self, svg: &mut Svg) {
        // Those that were named first lie on top.
        for (strategy, colour) in self.strategies.iter().rev() {
            let points =
                strategy.frontier.iter().map(|point| Some(self.place(point.cost_usd_micros, point.quality_ratio)));
            svg.curve(&points.collect::<Vec<_>>(), colour, false);
            for AtSaving { target, outcome, .. } in &strategy.at_savings {
                if let Some(outcome) = outcome {
                    let title = format!("{} at {:.0} % saved", strategy.name, target * 100.0);
                    self.outcome(svg, outcome, 4.0, colour, &title);
                }
            }
            self.outcome(svg, &strategy.own, 7.0, colour, &strategy.name);
        }
    }

    fn outcome(&self, svg: &mut Svg, outcome: &Outcome, radius: f64, colour: &str, title: &str) {
        if let Some([low, high]) = outcome.interval {
            let ends = [low, high].map(|end| self.place(outcome.cost_usd_micros, end));
            svg.curve(&ends.map(Some), colour, false);
            for (x, y) in ends {
                svg.curve(&[Some((x - 4.0, y)), Some((x + 4.0, y))], colour, false);
            }
        }
        svg.dot(self.place(outcome.cost_usd_micros, outcome.quality_ratio), radius, colour, title);
    }

    /// The first strategy before this one that comes to the same everywhere, and so lies on it.
    fn same_before(&self, strategy: &Strategy) -> Option<&'a str> {
        let ends = |of: &Strategy| {
            let points = of.frontier.iter().map(|point| (point.cost_usd_micros, point.quality_ratio));
            points.chain([(of.own.cost_usd_micros, of.own.quality_ratio)]).collect::<Vec<_>>()
        };
        let own = ends(strategy);
        let before = self.report.strategies.iter().take_while(|other| other.name != strategy.name);
        before.into_iter().find(|other| ends(other) == own).map(|other| other.name.as_str())
    }

    fn legend(&self, svg: &mut Svg) {
        let mut y = FRAME.top + 6.0;
        let (x, text) = (LEGEND + 7.0, LEGEND + 22.0);
        let is_short = self.strategies.len() > TOLD;
        for (strategy, colour) in &self.strategies {
            svg.dot((x, y - 4.5), 7.0, colour, &strategy.name);
            svg.text((text, y), "head", Anchor::Start, short(&strategy.name, LONGEST));
            y += LINE;
            let same = self.same_before(strategy);
            let first =
                same.map_or_else(|| format!("as it is: {}", told(&strategy.own)), |same| format!("all as {same}"));
            svg.text((text, y), "mark", Anchor::Start, first);
            y += LINE;
            for read in strategy.at_savings.iter().filter(|_| !is_short && same.is_none()) {
                if let Some(outcome) = &read.outcome {
                    let line = format!("at {:.0} % saved: {}", read.target * 100.0, kept(outcome));
                    svg.text((text, y), "mark", Anchor::Start, line);
                    y += LINE;
                }
            }
            y += 9.0;
        }
        y += 6.0;
        let mut entry = |svg: &mut Svg, draw: &dyn Fn(&mut Svg, f64), words: &str| {
            draw(svg, y - 4.5);
            svg.text((text, y), "mark", Anchor::Start, words);
            y += LINE + 2.0;
        };
        entry(svg, &|svg, y| svg.dot((x, y), 7.0, BLACK, "best"), "best single model");
        let outside = self.report.singles.len() - self.inside.len();
        let more = if outside > 0 { format!(" ({outside} beyond the axes)") } else { String::new() };
        entry(svg, &|svg, y| svg.dot((x, y), 5.0, GREY, "single"), &format!("other single models{more}"));
        for (colour, words) in [(GREY, "random mix of best and cheapest"), (BLACK, "best mix of any two models")] {
            let dashes = |svg: &mut Svg, y: f64| svg.curve(&[Some((x - 8.0, y)), Some((x + 8.0, y))], colour, true);
            entry(svg, &dashes, words);
        }
        if oracle(self.report).is_some() {
            entry(svg, &|svg, y| svg.diamond((x, y), 8.0, BLACK, "oracle"), "oracle: knows the best for each prompt,");
            entry(svg, &|_, _| {}, "chosen without the rater who scores");
        }
    }
}

/// Cost and quality ratio of the honest oracle, if it is known.
fn oracle(report: &Report) -> Option<(f64, f64)> {
    Some((report.oracle.cost_usd_micros?, report.oracle.quality? / report.best_single.quality))
}

/// `98.9 % (98.2 to 99.5), 31 % saved`.
fn told(outcome: &Outcome) -> String {
    let saved = match outcome.savings {
        Some(saved) if saved < 0.0 => format!(", {:.0} % dearer", -saved * 100.0),
        Some(saved) => format!(", {:.0} % saved", saved * 100.0),
        None => String::new(),
    };
    format!("{}{saved}", kept(outcome))
}

fn kept(outcome: &Outcome) -> String {
    let interval = outcome.interval;
    let interval =
        interval.map_or(String::new(), |[low, high]| format!(" ({:.1} to {:.1})", low * 100.0, high * 100.0));
    format!("{:.1} %{interval}", outcome.quality_ratio * 100.0)
}

/// Without its middle: what tells long names apart often stands at their end.
fn short(name: &str, most: usize) -> String {
    let count = name.chars().count();
    if count <= most {
        return name.to_owned();
    }
    let kept = most - 3;
    let start: String = name.chars().take(kept / 2).collect();
    let end: String = name.chars().skip(count - (kept - kept / 2)).collect();
    format!("{start}...{end}")
}

//! Axes with ticks at round numbers.

/// What numbers on an axis are.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    /// Shares, shown in percent.
    Percent,
    Seconds,
    /// Seconds since the start.
    Time,
    Usd,
    Plain,
}

impl Unit {
    /// A tick's text, with as many decimals as `step` needs.
    pub(crate) fn show(self, value: f64, step: f64) -> String {
        let decimals =
            |step: f64| (0..6).find(|digits| (step * 10_f64.powi(*digits)).fract().abs() < 1e-6).unwrap_or(6);
        match self {
            Self::Percent => format!("{:.*} %", decimals(step * 100.0) as usize, value * 100.0),
            Self::Seconds => format!("{:.*} s", decimals(step) as usize, value),
            Self::Usd | Self::Plain => format!("{:.*}", decimals(step) as usize, value),
            Self::Time if step >= 3_600.0 => format!("{:.0} h", value / 3_600.0),
            Self::Time if step >= 60.0 => format!("{:.0} min", value / 60.0),
            Self::Time => format!("{value:.0} s"),
        }
    }
}

/// A range with a step between ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    from: f64,
    to: f64,
    pub(crate) step: f64,
}

/// Steps of time that people count in, in seconds.
const TIMES: [f64; 14] =
    [1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 43_200.0, 86_400.0];

impl Axis {
    /// 0 to the `end` of a run, in seconds.
    pub(crate) fn time(end: f64) -> Self {
        let step = TIMES.into_iter().find(|step| end / step <= 9.0).unwrap_or((end / 8.0 / 86_400.0).ceil() * 86_400.0);
        Self { from: 0.0, to: end, step }
    }

    /// 0 to a number of requests.
    pub(crate) fn requests(count: u64) -> Self {
        let to = (count as f64).max(1.0);
        Self { from: 0.0, to, step: round_step(to / 10.0).max(1.0) }
    }

    /// From a round share under `lowest` to all.
    pub(crate) fn share(lowest: f64) -> Self {
        let floors = [(0.99, 0.002), (0.95, 0.01), (0.9, 0.02), (0.8, 0.05), (0.5, 0.1), (0.0, 0.2)];
        let (from, step) = floors.into_iter().find(|(from, _)| lowest >= *from).unwrap_or((0.0, 0.2));
        Self { from, to: 1.0, step }
    }

    /// 0 to a round number over `highest`.
    pub(crate) fn from_zero(highest: f64) -> Self {
        let highest = if highest > 0.0 { highest } else { 1.0 };
        let step = round_step(highest / 4.0);
        Self { from: 0.0, to: (highest * 1.02 / step).ceil() * step, step }
    }

    /// Around all of `values`, with room at both ends.
    pub(crate) fn around(values: impl Iterator<Item = f64> + Clone) -> Self {
        let lowest = values.clone().fold(f64::INFINITY, f64::min);
        let highest = values.fold(f64::NEG_INFINITY, f64::max);
        if !(lowest.is_finite() && highest.is_finite()) {
            return Self { from: 0.0, to: 1.0, step: 0.2 };
        }
        let step = round_step(((highest - lowest) / 4.0).max(0.01));
        let from = ((lowest - step * 0.4) / step).floor() * step;
        Self { from, to: ((highest + step * 0.4) / step).ceil() * step, step }
    }

    /// Where `value` lies, 0 to 1.
    pub(crate) fn place(&self, value: f64) -> f64 {
        ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }

    /// Whether `value` lies within it.
    pub(crate) fn holds(&self, value: f64) -> bool {
        (self.from..=self.to).contains(&value)
    }

    pub(crate) fn ticks(&self) -> impl Iterator<Item = f64> {
        let Self { from, step, to } = *self;
        let count = ((to - from) / step + 1e-6).floor() as u32;
        (0..=count).map(move |tick| from + step * f64::from(tick))
    }
}

/// The least of 1, 2, 2.5 and 5 times a power of ten that is at least `least`.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * power);
    steps.into_iter().find(|step| *step >= least * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers() {
        let ticks = |axis: Axis| axis.ticks().collect::<Vec<_>>();
        assert_eq!(ticks(Axis::from_zero(7.3)), [0.0, 2.0, 4.0, 6.0, 8.0]);
        assert_eq!(ticks(Axis::time(2_400.0)), [0.0, 300.0, 600.0, 900.0, 1_200.0, 1_500.0, 1_800.0, 2_100.0, 2_400.0]);
        assert_eq!(Axis::share(0.97).ticks().count(), 6);
        assert_eq!(Unit::Percent.show(0.998, 0.002), "99.8 %");
        assert_eq!(Unit::Time.show(7_200.0, 3_600.0), "2 h");
    }

    #[test]
    fn nothing_to_show_is_an_axis_too() {
        assert_eq!(Axis::around(std::iter::empty()).ticks().count(), 6);
        assert!(Axis::from_zero(0.0).to > 0.0);
        assert_eq!(Axis::around([0.5, 0.5].into_iter()).place(0.5), 0.5);
    }
}

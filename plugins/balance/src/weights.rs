//! How much each part counts, and how the request shifts that.

use muxel_sdk::{Classification, Priority, Value};

/// Name, summary and default of each setting, in the order of [`Weights`].
pub const SETTINGS: [(&str, &str, f64); 4] = [
    ("quality-weight", "how much the expected quality counts", 0.45),
    ("cost-weight", "how much a low price counts", 0.3),
    ("latency-weight", "how much a short wait counts", 0.15),
    ("reliability-weight", "how much recent success counts", 0.1),
];

/// Shares of the four parts. They sum to 1 once a request is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    pub quality: f32,
    pub cost: f32,
    pub latency: f32,
    pub reliability: f32,
}

impl Weights {
    /// From the settings; what is missing, negative or not finite counts as its default, and four zeros as all defaults.
    #[must_use]
    pub fn from_settings(settings: &[Value]) -> Self {
        let mut weights = [0.0; 4];
        for (index, (_, _, default)) in SETTINGS.into_iter().enumerate() {
            let given = settings.get(index).map_or(default, |value| value.number_or(default));
            weights[index] = if (0.0..=1e6).contains(&given) { given } else { default } as f32;
        }
        if weights.iter().sum::<f32>() <= 0.0 {
            weights = SETTINGS.map(|(_, _, default)| default as f32);
        }
        let [quality, cost, latency, reliability] = weights;
        Self { quality, cost, latency, reliability }
    }

    /// Shifted by what the request asks for, then brought back to a sum of 1.
    ///
    /// A priority multiplies one weight and leaves the others as they are to each other. So the first choice of a higher
    /// priority is never slower, and that of a low one never dearer: whoever won with less weight on that respect and is
    /// better at it wins still. (Where the operator's weights of two candidates differ, it is their weighted parts that
    /// this holds for.)
    #[must_use]
    pub fn for_request(mut self, priority: Priority, classification: &Classification) -> Self {
        match priority {
            Priority::Low => self.cost *= 2.5,
            Priority::Normal => {}
            Priority::High => self.latency *= 2.5,
            Priority::Urgent => self.latency *= 8.0,
        }

        // A plain subject is in every model's reach. Exact text and many things are not.
        let share = |value: f32| if (0.0..=1.0).contains(&value) { value } else { 0.5 };
        let complex = 0.7 + 0.6 * share(classification.complexity);
        let technical = if classification.label == "technical" { 0.5 * share(classification.confidence) } else { 0.0 };
        self.quality *= complex + technical;

        let sum = self.quality + self.cost + self.latency + self.reliability;
        if sum <= 0.0 {
            return self;
        }
        Self {
            quality: self.quality / sum,
            cost: self.cost / sum,
            latency: self.latency / sum,
            reliability: self.reliability / sum,
        }
    }
}

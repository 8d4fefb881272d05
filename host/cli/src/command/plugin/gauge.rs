//! Figures beside their limits, each with a bar: how near a plugin is to what ends its calls.

use std::fmt::Write as _;

/// Cells of a bar; each is drawn in eighths.
const CELLS: u64 = 10;
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// One figure and its limit, in whole units.
pub(super) struct Gauge {
    pub(super) name: &'static str,
    pub(super) used: u64,
    pub(super) limit: u64,
    pub(super) unit: &'static str,
}

/// Lines under each other, figures aligned: `fuel  65,788 of 1,000,000        ▋░░░░░░░░░   7 %`.
pub(super) fn lines(indent: &str, gauges: &[Gauge]) -> String {
    let used: Vec<String> = gauges.iter().map(|gauge| thousands(gauge.used)).collect();
    let limits: Vec<String> = gauges.iter().map(|gauge| format!("{} {}", thousands(gauge.limit), gauge.unit)).collect();
    let widest = |texts: &[String]| texts.iter().map(String::len).max().unwrap_or(0);
    let (used_width, limit_width) = (widest(&used), widest(&limits));
    let name_width = gauges.iter().map(|gauge| gauge.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for ((gauge, used), limit) in gauges.iter().zip(&used).zip(&limits) {
        let percent = gauge.used.saturating_mul(100).div_ceil(gauge.limit.max(1));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{indent}{name:<name_width$}  {used:>used_width$} of {limit:<limit_width$}  {bar}  {percent:>3} %",
            name = gauge.name,
            bar = bar(gauge.used, gauge.limit),
        );
    }
    text.truncate(text.trim_end().len());
    text
}

/// Full at the limit. What is used at all shows.
fn bar(used: u64, limit: u64) -> String {
    let eighths = used.saturating_mul(CELLS * 8).div_ceil(limit.max(1)).min(CELLS * 8);
    let full = usize::try_from(eighths / 8).unwrap_or(0);
    let part = EIGHTHS[usize::try_from(eighths % 8).unwrap_or(0)];
    let bar = format!("{}{part}", "█".repeat(full));
    let rest = (CELLS as usize).saturating_sub(full + usize::from(!part.is_empty()));
    format!("{bar}{}", "░".repeat(rest))
}

/// 1,234,567.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_fill_up_to_the_limit_and_not_beyond() {
        assert_eq!(bar(0, 100), "░░░░░░░░░░");
        assert_eq!(bar(1, 1_000_000), "▏░░░░░░░░░");
        assert_eq!(bar(65_788, 1_000_000), "▊░░░░░░░░░");
        assert_eq!(bar(50, 100), "█████░░░░░");
        assert_eq!(bar(100, 100), "██████████");
        assert_eq!(bar(u64::MAX, 1), "██████████");
        assert_eq!(bar(5, 0), "██████████");
    }

    #[test]
    fn figures_stand_under_each_other() {
        let gauges = [
            Gauge { name: "fuel", used: 65_788, limit: 1_000_000, unit: "" },
            Gauge { name: "memory", used: 64, limit: 2_048, unit: "KiB" },
        ];
        let text = lines("  ", &gauges);
        assert_eq!(
            text,
            "  fuel    65,788 of 1,000,000   ▊░░░░░░░░░    7 %\n  memory      64 of 2,048 KiB   ▍░░░░░░░░░    4 %"
        );
    }

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), text);
        }
    }
}

//! How long a provider asks us to wait.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, header::RETRY_AFTER};

/// No provider is waited for longer than this, whatever it asks.
const MAX: Duration = Duration::from_secs(24 * 3600);

/// From `retry-after-ms`, or `Retry-After` in seconds or as a date.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(millis) = text("retry-after-ms").and_then(number) {
        return Some(Duration::from_secs_f64(millis / 1_000.0).min(MAX));
    }
    let after = text(RETRY_AFTER.as_str())?;
    if let Some(seconds) = number(after) {
        return Some(Duration::from_secs_f64(seconds).min(MAX));
    }
    let date = httpdate::parse_http_date(after).ok()?;
    Some(date.duration_since(now).unwrap_or_default().min(MAX))
}

/// A number that makes a duration: not negative, finite, not absurd.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| (0.0..=1e12).contains(number))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn asked(name: &'static str, value: &str) -> Option<Duration> {
        let value = HeaderValue::from_str(value).ok()?;
        // 1994-11-06 08:49:27 UTC, ten seconds before the date below.
        let now = UNIX_EPOCH + Duration::from_secs(784_111_767);
        retry_after(&HeaderMap::from_iter([(name.parse().expect("a header"), value)]), now)
    }

    #[test]
    fn seconds_milliseconds_and_dates_are_understood() {
        assert_eq!(asked("retry-after", "7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("retry-after", "0.5"), Some(Duration::from_millis(500)));
        assert_eq!(asked("retry-after-ms", "1500"), Some(Duration::from_millis(1500)));
        assert_eq!(asked("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(10)));
        assert_eq!(asked("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
    }

    #[test]
    fn nonsense_is_no_wish() {
        for value in ["", "soon", "-1", "NaN", "inf"] {
            assert_eq!(asked("retry-after", value), None, "{value}");
        }
        assert_eq!(asked("retry-after", "999999999"), Some(MAX));
    }

    proptest! {
        #[test]
        fn never_panics(value in "\\PC{0,40}") {
            asked("retry-after", &value);
            asked("retry-after-ms", &value);
        }
    }
}

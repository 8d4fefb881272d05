//! What a provider wrote, made safe to keep and to show: short, on one line, without control characters.

/// Most characters kept of one text from a provider.
pub(crate) const MAX_CHARS: usize = 300;

/// At most `max` characters of `text`, with control and direction characters escaped.
pub(crate) fn bounded(text: &str, max: usize) -> String {
    let mut kept = String::with_capacity(text.len().min(max));
    for (count, character) in text.trim().chars().enumerate() {
        if count == max {
            kept.push_str("...");
            break;
        }
        if is_hidden(character) {
            kept.extend(character.escape_default());
        } else {
            kept.push(character);
        }
    }
    kept
}

/// Characters that move the cursor or turn the writing direction: a log line must not be forged with them.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(bounded("a\x1b[31mred\r\nb\u{202e}", 40), "a\\u{1b}[31mred\\r\\nb\\u{202e}");
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        assert_eq!(bounded("ääääää", 3), "äää...");
    }

    proptest! {
        #[test]
        fn never_longer_than_asked(text in any::<String>(), max in 0..50usize) {
            let kept = bounded(&text, max);
            prop_assert!(kept.chars().all(|character| !is_hidden(character)));
            prop_assert!(kept.chars().count() <= max * 10 + 3);
        }
    }
}

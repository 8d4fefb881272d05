//! What a new plugin may be called. Names stand in URLs, headers, settings and file names, and a new plugin's is its
//! crate's as well, so it is held to cargo's rules, too.

use super::mistake::Mistake;

const MOST: usize = 64;
/// What `model` and records mean something else by.
const RESERVED: [&str; 2] = ["auto", "native"];
/// Crates that a plugin is built with.
const TAKEN: [&str; 7] = ["alloc", "core", "muxel-sdk", "proc-macro", "std", "test", "wit-bindgen"];
/// Words of Rust, which no crate can be called.
const KEYWORDS: &str = "abstract as async await become box break const continue crate do dyn else enum extern false final \
                        fn for gen if impl in let loop macro match mod move mut override priv pub ref return self static \
                        struct super trait true try type typeof unsafe unsized use virtual where while yield";

/// # Errors
///
/// What is wrong with the name, and one that would do where there is an obvious one.
pub(super) fn check(name: &str) -> Result<(), Mistake> {
    let wrong = |why: String, hint: String| Err(Mistake::new("name", why, hint));
    let shown: String = name.chars().take(MOST + 1).collect();
    if name.len() > MOST {
        return wrong(
            format!("the name has {} bytes, at most {MOST} are allowed", name.len()),
            "choose a shorter one".into(),
        );
    }
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if !name.starts_with(|first: char| first.is_ascii_lowercase()) || !name.split('-').all(word) {
        let rule = "a name is lower-case words joined by `-`, and starts with a letter";
        let near = near(name);
        let hint = if near.is_empty() { rule.to_owned() } else { format!("{rule}: `{near}`") };
        return wrong(format!("`{shown}` is no name for a plugin"), hint);
    }
    if RESERVED.contains(&name) {
        let why = format!("`{shown}` means something else to Muxel: no plugin can be called that");
        return wrong(why, format!("choose another name, such as `my-{name}`"));
    }
    if TAKEN.contains(&name) || KEYWORDS.split_whitespace().any(|keyword| keyword == name) {
        let why = format!("`{shown}` means something else to Rust: no crate can be called that");
        return wrong(why, format!("choose another name, such as `my-{name}`"));
    }
    Ok(())
}

/// A name that would do, made of the letters of one that does not; empty when there is none.
fn near(name: &str) -> String {
    let mut near = String::new();
    let mut lower_before = false;
    for letter in name.chars().take(MOST) {
        let begins_a_word = letter.is_ascii_uppercase() && lower_before;
        lower_before = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        if begins_a_word || !letter.is_ascii_alphanumeric() {
            near.push('-');
        }
        if letter.is_ascii_alphanumeric() {
            near.push(letter.to_ascii_lowercase());
        }
    }
    let from_a_letter = near.trim_start_matches(|first: char| !first.is_ascii_lowercase());
    let words: Vec<&str> = from_a_letter.split('-').filter(|word| !word.is_empty()).collect();
    let near = words.join("-");
    if near.len() <= MOST { near } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_words() {
        for good in ["mine", "my-first-strategy", "v2", "a", &"x".repeat(64)] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "Mine",
            "my_plugin",
            "my--plugin",
            "-mine",
            "mine-",
            "2nd",
            "mïne",
            "my plugin",
            "../mine",
            &"x".repeat(65),
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        for taken in ["auto", "native", "fn", "test", "muxel-sdk"] {
            let hint = check(taken).expect_err(taken).hint.expect("a hint");
            assert!(hint.contains(&format!("my-{taken}")), "{hint}");
        }
    }

    #[test]
    fn a_near_name_is_offered() {
        for (bad, near) in [
            ("Mine", "mine"),
            ("MyPlugin", "my-plugin"),
            ("my_plugin", "my-plugin"),
            ("2nd try", "nd-try"),
            ("HTTP", "http"),
        ] {
            assert_eq!(super::near(bad), near, "{bad}");
            assert!(check(near).is_ok());
        }
        assert_eq!(super::near("数字"), "");
    }
}

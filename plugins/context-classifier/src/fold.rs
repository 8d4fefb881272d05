//! What a character of a prompt is, whatever its case, script or disguise.

/// A character as the scan reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folded {
    /// Part of a word, lower case and without its accent.
    Letter(u32),
    /// Of a script that sets no spaces between words, or whose words carry their particles with them.
    Unspaced(u32),
    Digit(u8),
    Space,
    /// Opens or closes a quotation.
    Quote(Quote),
    /// Ends a sentence.
    Stop,
    /// Ends one, too, and says whether what follows is between braces.
    Brace(bool),
    Comma,
    /// Also a semicolon or a dash: what follows is another matter.
    Colon,
    /// Makes one word of two: `three-quarters`.
    Hyphen,
    /// Not seen by a reader: it joins what stands around it.
    Nothing,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quote {
    Opens,
    Closes,
    /// A mark that does both.
    Either,
    /// Either, or an apostrophe.
    Apostrophe,
}

/// `À` to `ſ` without their accents. Of two letters the first is kept.
const LATIN: &[u8; 192] = b"aaaaaaaceeeeiiiidnooooo*ouuuuytsaaaaaaaceeeeiiiidnooooo*ouuuuyty\
    aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll\
    lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

/// By blocks of characters: each is looked at only among its like, which costs a third of one long list.
pub(crate) fn fold(character: char) -> Folded {
    let code = u32::from(character);
    match code {
        0x61..=0x7a => Folded::Letter(code),
        0x20 => Folded::Space,
        0..=0x7f => ascii(code),
        0x80..=0x36f => latin(code),
        0x370..=0x3ff => greek(code),
        0x400..=0x4ff => cyrillic(code),
        0x500..=0xfff => southern(code),
        0x1000..=0x1fff => vietnamese(code),
        0x2000..=0x33ff => punctuation(code),
        0x3400..=0xd7ff => Folded::Unspaced(code),
        _ => rest(code),
    }
}

pub(crate) fn is_letter(folded: Option<&Folded>) -> bool {
    matches!(folded, Some(Folded::Letter(_) | Folded::Digit(_) | Folded::Unspaced(_)))
}

pub(crate) fn is_digit(folded: Option<&Folded>) -> bool {
    matches!(folded, Some(Folded::Digit(_)))
}

fn letter(letter: u8) -> Folded {
    Folded::Letter(u32::from(letter))
}

fn digit(code: u32, zero: u32) -> Folded {
    Folded::Digit((code - zero) as u8)
}

fn ascii(code: u32) -> Folded {
    match code {
        0x41..=0x5a => Folded::Letter(code + 0x20),
        0x30..=0x39 => digit(code, 0x30),
        0x09 | 0x0b | 0x0c => Folded::Space,
        0x0a | 0x0d | 0x21 | 0x2e | 0x3f => Folded::Stop,
        0x7b | 0x7d => Folded::Brace(code == 0x7b),
        0x2c => Folded::Comma,
        0x3a | 0x3b => Folded::Colon,
        0x2d => Folded::Hyphen,
        0x22 => Folded::Quote(Quote::Either),
        0x27 | 0x60 => Folded::Quote(Quote::Apostrophe),
        0..=0x1f | 0x7f => Folded::Nothing,
        _ => Folded::Other,
    }
}

fn latin(code: u32) -> Folded {
    match code {
        0xd7 | 0xf7 => Folded::Other,
        0xc0..=0x17f => letter(LATIN[(code - 0xc0) as usize]),
        0x80..=0x9f | 0xad => Folded::Nothing,
        0xa0 => Folded::Space,
        0xab => Folded::Quote(Quote::Opens),
        0xbb => Folded::Quote(Quote::Closes),
        0xb4 | 0x2bc => Folded::Quote(Quote::Apostrophe),
        0xa1..=0xbf => Folded::Other,
        0x1a0 | 0x1a1 => letter(b'o'),
        0x1af | 0x1b0 => letter(b'u'),
        0x218 | 0x219 => letter(b's'),
        0x21a | 0x21b => letter(b't'),
        // Accents that stand alone.
        0x300..=0x36f => Folded::Nothing,
        _ => Folded::Letter(code),
    }
}

/// A letter that looks like a Latin one is that one: `рhоtо` with three Cyrillic letters is still a photo. The cues of
/// both languages are folded alike, so nothing is lost.
fn cyrillic(code: u32) -> Folded {
    let code = match code {
        0x400..=0x40f => code + 0x50,
        0x410..=0x42f => code + 0x20,
        _ => code,
    };
    let twin = match code {
        0x430 => b'a',
        0x435 | 0x451 => b'e',
        0x43e => b'o',
        0x440 => b'p',
        0x441 => b'c',
        0x443 => b'y',
        0x445 => b'x',
        0x455 => b's',
        0x456 | 0x457 => b'i',
        0x458 => b'j',
        _ => return Folded::Letter(code),
    };
    letter(twin)
}

fn greek(code: u32) -> Folded {
    let code = if let 0x391..=0x3a9 = code { code + 0x20 } else { code };
    match code {
        0x386 | 0x3ac | 0x3b1 => letter(b'a'),
        0x38c | 0x3bf | 0x3cc => letter(b'o'),
        0x388 | 0x3ad => Folded::Letter(0x3b5),
        0x389 | 0x3ae => Folded::Letter(0x3b7),
        0x38a | 0x3af | 0x3ca => Folded::Letter(0x3b9),
        0x3c2 => Folded::Letter(0x3c3),
        0x38e | 0x3cd | 0x3cb => Folded::Letter(0x3c5),
        0x38f | 0x3ce => Folded::Letter(0x3c9),
        _ => Folded::Letter(code),
    }
}

/// From Armenian to Tibetan.
fn southern(code: u32) -> Folded {
    match code {
        0x622 | 0x623 | 0x625 => Folded::Letter(0x627),
        0x629 => Folded::Letter(0x647),
        0x649 => Folded::Letter(0x64a),
        0x61f | 0x6d4 | 0x964 => Folded::Stop,
        0x60c => Folded::Comma,
        0x640 | 0x64b..=0x65f | 0x670 => Folded::Nothing,
        0x660..=0x669 => digit(code, 0x660),
        0x6f0..=0x6f9 => digit(code, 0x6f0),
        0x966..=0x96f => digit(code, 0x966),
        0xe00..=0xe7f => Folded::Unspaced(code),
        _ => Folded::Letter(code),
    }
}

fn vietnamese(code: u32) -> Folded {
    match code {
        0x1ea0..=0x1eb7 => letter(b'a'),
        0x1eb8..=0x1ec7 => letter(b'e'),
        0x1ec8..=0x1ecb => letter(b'i'),
        0x1ecc..=0x1ee3 => letter(b'o'),
        0x1ee4..=0x1ef1 => letter(b'u'),
        0x1ef2..=0x1ef9 => letter(b'y'),
        0x1100..=0x11ff => Folded::Unspaced(code),
        _ => Folded::Letter(code),
    }
}

fn punctuation(code: u32) -> Folded {
    match code {
        0x3041..=0x30ff => Folded::Unspaced(code),
        0x2000..=0x200a | 0x202f | 0x205f | 0x3000 => Folded::Space,
        0x2018 | 0x2019 => Folded::Quote(Quote::Apostrophe),
        // `„Hallo“` closes with what `“Hello”` opens with.
        0x201c => Folded::Quote(Quote::Either),
        0x201d | 0x203a | 0x300b | 0x300d | 0x300f => Folded::Quote(Quote::Closes),
        0x2039 | 0x201e | 0x201f | 0x300a | 0x300c | 0x300e => Folded::Quote(Quote::Opens),
        0x2028 | 0x2029 | 0x3002 => Folded::Stop,
        0x3001 => Folded::Comma,
        0x2013..=0x2015 => Folded::Colon,
        0x2010 | 0x2011 => Folded::Hyphen,
        // Marks that set the direction, and joiners.
        0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f => Folded::Nothing,
        0x24b6..=0x24e9 => Folded::Letter((code - 0x24b6) % 26 + 0x61),
        0x2012..=0x2bff => Folded::Other,
        _ => Folded::Letter(code),
    }
}

/// Wide and half letters, and what lies beyond 16 bits.
fn rest(code: u32) -> Folded {
    match code {
        0xff21..=0xff3a => Folded::Letter(code - 0xff21 + 0x61),
        0xff41..=0xff5a => Folded::Letter(code - 0xff41 + 0x61),
        0xff10..=0xff19 => digit(code, 0xff10),
        0xff02 => Folded::Quote(Quote::Either),
        0xff07 => Folded::Quote(Quote::Apostrophe),
        0xfe42 | 0xff63 => Folded::Quote(Quote::Closes),
        0xfe41 | 0xff62 => Folded::Quote(Quote::Opens),
        0xff01 | 0xff0e | 0xff1f => Folded::Stop,
        0xff0c => Folded::Comma,
        0xff1a | 0xff1b => Folded::Colon,
        0xff0d => Folded::Hyphen,
        // Variants and tags.
        0xfe00..=0xfe0f | 0xfeff | 0xe0000..=0xe007f => Folded::Nothing,
        // Bold, italic, script and other letters for mathematics.
        0x1d400..=0x1d6a3 => Folded::Letter((code - 0x1d400) % 26 + 0x61),
        0xf900..=0xfaff | 0xff66..=0xff9f | 0x20000..=0x3ffff => Folded::Unspaced(code),
        0xfe30..=0xfe6f | 0xff00..=0xffef | 0x1f000..=0x1faff => Folded::Other,
        _ => Folded::Letter(code),
    }
}

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
    Comma,
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

pub(crate) fn fold(character: char) -> Folded {
    let code = u32::from(character);
    match code {
        0x30..=0x39 => Folded::Digit((code - 0x30) as u8),
        0x61..=0x7a => Folded::Letter(code),
        0x41..=0x5a => Folded::Letter(code + 0x20),
        0x09 | 0x0b | 0x0c | 0x20 | 0xa0 | 0x2000..=0x200a | 0x202f | 0x205f | 0x3000 => Folded::Space,
        0x22 | 0xff02 => Folded::Quote(Quote::Either),
        0x27 | 0x2018 | 0x2019 | 0x60 | 0xb4 | 0x2bc | 0xff07 => Folded::Quote(Quote::Apostrophe),
        0x201d | 0xbb | 0x203a | 0x300d | 0x300f | 0x300b | 0xfe42 | 0xff63 => Folded::Quote(Quote::Closes),
        // `„Hallo“` closes with what `“Hello”` opens with.
        0x201c => Folded::Quote(Quote::Either),
        0xab | 0x2039 | 0x201e | 0x201f | 0x300c | 0x300e | 0x300a | 0xfe41 | 0xff62 => Folded::Quote(Quote::Opens),
        0x0a | 0x0d | 0x2028 | 0x2029 => Folded::Stop,
        0x21 | 0x2e | 0x3f | 0x3002 | 0xff01 | 0xff0e | 0xff1f | 0x964 | 0x61f | 0x6d4 => Folded::Stop,
        0x2c | 0x3001 | 0xff0c | 0x60c | 0x3b | 0xff1b => Folded::Comma,
        0..=0x1f | 0x7f..=0x9f | 0xad => Folded::Nothing,
        // Accents that stand alone, marks that set the direction, joiners, variants, tags.
        0x300..=0x36f | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfe00..=0xfe0f | 0xfeff => {
            Folded::Nothing
        }
        0x64b..=0x65f | 0x670 | 0x640 | 0xe0000..=0xe007f => Folded::Nothing,
        0xd7 | 0xf7 => Folded::Other,
        0xc0..=0x17f => Folded::Letter(u32::from(LATIN[(code - 0xc0) as usize])),
        0x391..=0x3a9 => greek(code + 0x20),
        0x3ac..=0x3ce => greek(code),
        0x400..=0x40f => cyrillic(code + 0x50),
        0x410..=0x42f => cyrillic(code + 0x20),
        0x430..=0x45f => cyrillic(code),
        0x660..=0x669 => Folded::Digit((code - 0x660) as u8),
        0x6f0..=0x6f9 => Folded::Digit((code - 0x6f0) as u8),
        0x966..=0x96f => Folded::Digit((code - 0x966) as u8),
        0x622 | 0x623 | 0x625 => Folded::Letter(0x627),
        0x629 => Folded::Letter(0x647),
        0x649 => Folded::Letter(0x64a),
        0xff10..=0xff19 => Folded::Digit((code - 0xff10) as u8),
        0xff21..=0xff3a => Folded::Letter(code - 0xff21 + 0x61),
        0xff41..=0xff5a => Folded::Letter(code - 0xff41 + 0x61),
        0x24b6..=0x24e9 => Folded::Letter((code - 0x24b6) % 26 + 0x61),
        // Bold, italic, script and other letters for mathematics.
        0x1d400..=0x1d6a3 => Folded::Letter((code - 0x1d400) % 26 + 0x61),
        0xe00..=0xe7f | 0x1100..=0x11ff | 0x3041..=0x30ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff => Folded::Unspaced(code),
        0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xff66..=0xff9f | 0x20000..=0x3ffff => Folded::Unspaced(code),
        0x80..=0xbf | 0x2010..=0x2bff | 0xfe30..=0xfe6f | 0xff00..=0xffef | 0x1f000..=0x1faff => Folded::Other,
        0x80.. => Folded::Letter(code),
        _ => Folded::Other,
    }
}

/// A letter that looks like a Latin one is that one: `рhоtо` with three Cyrillic letters is still a photo. The cues of
/// both languages are folded alike, so nothing is lost.
fn cyrillic(code: u32) -> Folded {
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
    Folded::Letter(u32::from(twin))
}

fn greek(code: u32) -> Folded {
    Folded::Letter(match code {
        0x3ac | 0x3b1 => u32::from(b'a'),
        0x3bf | 0x3cc => u32::from(b'o'),
        0x3ad => 0x3b5,
        0x3ae => 0x3b7,
        0x3af | 0x3ca => 0x3b9,
        0x3c2 => 0x3c3,
        0x3cd | 0x3cb => 0x3c5,
        0x3ce => 0x3c9,
        _ => code,
    })
}

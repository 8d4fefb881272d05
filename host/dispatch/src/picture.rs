//! Is this a picture?
//!
//! An answer counts as delivered only when it holds a whole picture: known magic bytes, a sane header and the format's
//! end. Pixels are not decoded: that would cost more than everything else, and a picture that begins and ends right was
//! not cut. Base64 text is decoded at its head and tail only.

use base64::{Engine as _, engine::general_purpose::STANDARD};

mod header;

/// Picture formats that callers can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    Png,
    Jpeg,
    Webp,
    Gif,
    Svg,
}

impl Format {
    /// The word of OpenAI's `output_format`, and a file's extension.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Webp => "webp",
            Self::Gif => "gif",
            Self::Svg => "svg",
        }
    }

    /// For `Content-Type`.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
            Self::Svg => "image/svg+xml",
        }
    }
}

/// What can be said of a picture without decoding it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub format: Format,
    /// Width and height, where the header holds them near its start.
    pub size: Option<(u32, u32)>,
    /// Bytes of the picture itself.
    pub len: u64,
}

/// Why something is not a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPicture {
    #[error("it is empty")]
    Empty,
    #[error("it is not base64")]
    NotBase64,
    #[error("it is {0}, not a picture")]
    Unknown(&'static str),
    #[error("it begins like {}, but its header is broken", .0.word())]
    Header(Format),
    #[error("it begins like {}, but its end is missing", .0.word())]
    Cut(Format),
}

/// Bytes looked at from the start; a multiple of three, so that base64 is cut between groups.
const HEAD: usize = 3 * 512;
/// Bytes looked at from the end.
const TAIL: usize = 3 * 64;

/// Looks at a picture's bytes.
///
/// # Errors
///
/// Why they are no whole picture.
pub fn check(bytes: &[u8]) -> Result<Seen, NotAPicture> {
    let head = &bytes[..bytes.len().min(HEAD)];
    let tail = &bytes[bytes.len().saturating_sub(TAIL)..];
    header::inspect(head, tail, bytes.len() as u64)
}

/// Looks at a picture in base64, decoding only its head and tail.
///
/// # Errors
///
/// Why it is no whole picture.
pub fn check_base64(text: &[u8]) -> Result<Seen, NotAPicture> {
    const HEAD_CHARS: usize = HEAD / 3 * 4;
    const TAIL_CHARS: usize = TAIL / 3 * 4;
    if text.is_empty() {
        return Err(NotAPicture::Empty);
    }
    if !text.len().is_multiple_of(4) {
        return Err(NotAPicture::NotBase64);
    }
    if text.len() <= HEAD_CHARS + TAIL_CHARS {
        return check(&STANDARD.decode(text).map_err(|_| NotAPicture::NotBase64)?);
    }
    let padding = text.iter().rev().take(2).filter(|byte| **byte == b'=').count();
    let len = text.len() as u64 / 4 * 3 - padding as u64;
    let mut head = [0; HEAD];
    let mut tail = [0; TAIL];
    let head_len = STANDARD.decode_slice(&text[..HEAD_CHARS], &mut head);
    let tail_len = STANDARD.decode_slice(&text[text.len() - TAIL_CHARS..], &mut tail);
    match (head_len, tail_len) {
        // Padding in the middle of the text would make the head shorter.
        (Ok(HEAD), Ok(tail_len)) => header::inspect(&head, &tail[..tail_len], len),
        _ => Err(NotAPicture::NotBase64),
    }
}

#[cfg(test)]
mod tests;

//! Magic bytes, headers and ends of the formats.

use super::{Format, NotAPicture, Seen};

/// The whole last chunk of every PNG.
const PNG_END: [u8; 12] = [0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82];

/// What `head` and `tail` of `len` bytes say. They overlap when there is not more.
pub(super) fn inspect(head: &[u8], tail: &[u8], len: u64) -> Result<Seen, NotAPicture> {
    let format = format(head)?;
    let size = match format {
        Format::Png => png_size(head),
        Format::Gif => gif_size(head),
        Format::Webp => webp_size(head),
        Format::Jpeg => return jpeg(head, tail, len),
        Format::Svg => return svg(tail, len),
    };
    let Some((width, height)) = size.filter(|(width, height)| *width > 0 && *height > 0) else {
        return Err(NotAPicture::Header(format));
    };
    let is_whole = match format {
        Format::Png => ends_with(tail, &PNG_END) && len > 45,
        Format::Gif => ends_with(tail, b";"),
        _ => le32(head, 4).is_some_and(|said| len >= u64::from(said) + 8),
    };
    if is_whole { Ok(Seen { format, size: Some((width, height)), len }) } else { Err(NotAPicture::Cut(format)) }
}

fn format(head: &[u8]) -> Result<Format, NotAPicture> {
    if head.is_empty() {
        return Err(NotAPicture::Empty);
    }
    if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok(Format::Png);
    }
    if head.starts_with(&[0xff, 0xd8, 0xff]) {
        return Ok(Format::Jpeg);
    }
    if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") {
        return Ok(Format::Gif);
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return Ok(Format::Webp);
    }
    let text = text_start(head);
    let begins = |words: &[u8]| text.get(..words.len()).is_some_and(|start| start.eq_ignore_ascii_case(words));
    if begins(b"<svg") {
        return Ok(Format::Svg);
    }
    Err(NotAPicture::Unknown(if begins(b"<!doctype html") || begins(b"<html") {
        "HTML"
    } else if begins(b"{") || begins(b"[") {
        "JSON"
    } else if !text.is_empty()
        && text.iter().take(64).all(|byte| (b' '..=b'~').contains(byte) || byte.is_ascii_whitespace())
    {
        "text"
    } else {
        "unknown data"
    }))
}

/// Where a text's first element begins: behind a byte order mark, an XML declaration, comments and an SVG doctype.
fn text_start(head: &[u8]) -> &[u8] {
    let mut rest = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let skips: [(&[u8], &[u8]); 3] = [(b"<?xml", b"?>"), (b"<!--", b"-->"), (b"<!DOCTYPE svg", b">")];
    while let Some((_, end)) = skips.iter().find(|(start, _)| rest.starts_with(start)) {
        let Some(at) = rest.windows(end.len()).position(|window| window == *end) else { return rest };
        rest = rest[at + end.len()..].trim_ascii_start();
    }
    rest
}

/// Whether the last bytes are `end`, but for padding that some servers add.
fn ends_with(tail: &[u8], end: &[u8]) -> bool {
    let is_padding = |byte: &u8| matches!(byte, 0 | b'\n' | b'\r');
    let kept = tail.len() - tail.iter().rev().take_while(|byte| is_padding(byte)).count();
    tail[..kept].ends_with(end)
}

fn png_size(head: &[u8]) -> Option<(u32, u32)> {
    let header = head.get(8..24)?;
    let is_header = header[..8] == *b"\0\0\0\x0dIHDR";
    let side = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    is_header.then(|| (side(8), side(12)))
}

fn gif_size(head: &[u8]) -> Option<(u32, u32)> {
    Some((u32::from(le16(head, 6)?), u32::from(le16(head, 8)?)))
}

/// Of the three kinds of WebP: lossy, lossless, extended.
fn webp_size(head: &[u8]) -> Option<(u32, u32)> {
    match head.get(12..16)? {
        b"VP8 " if head.get(23..26)? == [0x9d, 0x01, 0x2a] => {
            Some((u32::from(le16(head, 26)? & 0x3fff), u32::from(le16(head, 28)? & 0x3fff)))
        }
        b"VP8L" if *head.get(20)? == 0x2f => {
            let bits = le32(head, 21)?;
            Some(((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1))
        }
        b"VP8X" => {
            let side = |at: usize| Some(u32::from(le16(head, at)?) + (u32::from(*head.get(at + 2)?) << 16) + 1);
            Some((side(24)?, side(27)?))
        }
        _ => None,
    }
}

/// The size stands behind other segments; it is given when they are short.
fn jpeg(head: &[u8], tail: &[u8], len: u64) -> Result<Seen, NotAPicture> {
    let is_marker = |byte: u8| byte >= 0xc0 && byte != 0xff;
    if !head.get(3).is_some_and(|byte| is_marker(*byte)) {
        return Err(NotAPicture::Header(Format::Jpeg));
    }
    if len < 20 || !ends_with(tail, &[0xff, 0xd9]) {
        return Err(NotAPicture::Cut(Format::Jpeg));
    }
    Ok(Seen { format: Format::Jpeg, size: jpeg_size(head), len })
}

fn jpeg_size(head: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let &[0xff, marker] = head.get(at..at + 2)? else { return None };
        let is_frame = (0xc0..=0xcf).contains(&marker) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
        if is_frame {
            return Some((u32::from(be16(head, at + 7)?), u32::from(be16(head, at + 5)?)));
        }
        at += 2 + usize::from(be16(head, at + 2)?);
    }
}

fn svg(tail: &[u8], len: u64) -> Result<Seen, NotAPicture> {
    if tail.trim_ascii_end().ends_with(b"</svg>") {
        Ok(Seen { format: Format::Svg, size: None, len })
    } else {
        Err(NotAPicture::Cut(Format::Svg))
    }
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

use proptest::prelude::*;

use super::*;
use crate::random::SplitMix;

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    let mut noise = SplitMix::new(1);
    let pixels: Vec<u8> = (0..width * height).map(|_| noise.bits() as u8).collect();
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(&pixels).expect("pixels");
    writer.finish().expect("an end");
    bytes
}

/// The smallest that begin and end right; the insides do not matter here.
fn jpeg() -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0, 0, 16];
    bytes.extend(b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    bytes.extend([0xff, 0xc0, 0, 11, 8, 0, 48, 0, 64, 1, 1, 0x11, 0]);
    bytes.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 1, 2, 3, 0xff, 0xd9]);
    bytes
}

fn webp() -> Vec<u8> {
    let mut bytes = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f".to_vec();
    bytes.extend([63, 0xc0, 0x0b, 0]);
    bytes.extend([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    bytes
}

fn gif() -> Vec<u8> {
    b"GIF89a\x40\0\x30\0\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0;".to_vec()
}

fn svg() -> Vec<u8> {
    b"<?xml version=\"1.0\"?>\n<!-- drawn -->\n<svg xmlns=\"http://www.w3.org/2000/svg\"><rect/></svg>\n".to_vec()
}

fn whole() -> Vec<(Vec<u8>, Format)> {
    vec![
        (png(64, 48), Format::Png),
        (jpeg(), Format::Jpeg),
        (webp(), Format::Webp),
        (gif(), Format::Gif),
        (svg(), Format::Svg),
    ]
}

#[test]
fn whole_pictures_are_seen_with_their_size() {
    for (bytes, format) in whole() {
        let seen = check(&bytes).unwrap_or_else(|error| panic!("{format:?}: {error}"));
        assert_eq!(seen.format, format);
        assert_eq!(seen.size, (format != Format::Svg).then_some((64, 48)), "{format:?}");
        assert_eq!(check_base64(STANDARD.encode(&bytes).as_bytes()), Ok(seen), "{format:?}");
    }
}

#[test]
fn what_is_no_picture_is_named() {
    for (bytes, problem) in [
        (&b""[..], NotAPicture::Empty),
        (b"<!DOCTYPE html><html><svg></svg></html>", NotAPicture::Unknown("HTML")),
        (b"{\"error\": \"busy\"}", NotAPicture::Unknown("JSON")),
        (b"I cannot draw this", NotAPicture::Unknown("text")),
        (b"\0\x01\x02\x03", NotAPicture::Unknown("unknown data")),
        (b"\x89PNG\r\n\x1a\nhello", NotAPicture::Header(Format::Png)),
        (b"GIF89a\0\0\0\0;", NotAPicture::Header(Format::Gif)),
    ] {
        assert_eq!(check(bytes), Err(problem), "{}", bytes.escape_ascii());
    }
    for text in ["AAA", "AA=A", "####", "iVBOR w0", "=AAA"] {
        assert_eq!(check_base64(text.as_bytes()), Err(NotAPicture::NotBase64), "{text}");
    }
}

#[test]
fn a_long_base64_text_is_checked_at_both_ends() {
    let bytes = png(200, 100);
    assert!(bytes.len() > HEAD + TAIL);
    let text = STANDARD.encode(&bytes).into_bytes();
    assert_eq!(check_base64(&text).map(|seen| (seen.size, seen.len)), Ok((Some((200, 100)), bytes.len() as u64)));
    assert_eq!(check_base64(&text[..text.len() - 4]), Err(NotAPicture::Cut(Format::Png)));
    for at in [10, text.len() - 10] {
        let mut broken = text.clone();
        broken[at] = b'*';
        assert_eq!(check_base64(&broken), Err(NotAPicture::NotBase64));
    }
}

#[test]
fn padding_behind_the_end_is_forgiven() {
    let mut bytes = jpeg();
    bytes.extend([0, 0, b'\n']);
    assert!(check(&bytes).is_ok());
}

proptest! {
    #[test]
    fn a_cut_picture_is_no_picture(which in 0..5usize, keep in 0.0..1.0f64) {
        let (bytes, format) = whole().swap_remove(which);
        // A final line break of an SVG may go.
        let whole = bytes.trim_ascii_end().len();
        let cut = &bytes[..(whole as f64 * keep) as usize];
        prop_assert!(check(cut).is_err(), "{format:?} cut to {}", cut.len());
        prop_assert!(check_base64(STANDARD.encode(cut).as_bytes()).is_err());
    }

    #[test]
    fn looking_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..4_000), magic in 0..6usize) {
        let starts: [&[u8]; 6] = [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\x04\0\0\0WEBPVP8 ", b"<!--"];
        let bytes = [starts[magic], &bytes].concat();
        let _ = check(&bytes);
        let _ = check_base64(&bytes);
        let text = STANDARD.encode(&bytes);
        prop_assert_eq!(check_base64(text.as_bytes()), check(&bytes));
    }
}

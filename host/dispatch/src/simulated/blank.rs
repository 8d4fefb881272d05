//! A picture of one white pixel: for whoever only counts what comes back.

use bytes::Bytes;

use crate::{job::Picture, picture::Format};

/// A PNG, in base64.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg==";

pub(crate) fn blank() -> Picture {
    Picture { b64: Bytes::from_static(PIXEL.as_bytes()), format: Format::Png, size: Some((1, 1)), revised_prompt: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::check_base64;

    #[test]
    fn it_is_a_whole_picture() {
        let seen = check_base64(&blank().b64).expect("a picture");
        assert_eq!((seen.format, seen.size), (Format::Png, Some((1, 1))));
    }
}

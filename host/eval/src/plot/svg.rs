//! Just enough SVG: elements as text, escaped.

use std::fmt::{self, Write as _};

/// A drawing under way.
#[derive(Default)]
pub(crate) struct Svg(String);

/// Where a text is held.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

impl Svg {
    pub(crate) fn text(&mut self, (x, y): (f64, f64), class: &str, anchor: Anchor, text: impl fmt::Display) {
        let anchor = anchor.word();
        let escaped = escaped(&text.to_string());
        self.put(format_args!(
            r#"<text x="{x:.1}" y="{y:.1}" class="{class}" text-anchor="{anchor}">{escaped}</text>"#
        ));
    }

    pub(crate) fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), class: &str) {
        self.put(format_args!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" class="{class}"/>"#
        ));
    }

    pub(crate) fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) {
        self.put(format_args!(r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" class="{class}"/>"#));
    }

    /// A line through `points`, interrupted where there is none.
    pub(crate) fn curve(&mut self, points: &[Option<(f64, f64)>], colour: &str, dashed: bool) {
        let mut path = String::new();
        let mut pen_is_down = false;
        for point in points {
            let Some((x, y)) = point else {
                pen_is_down = false;
                continue;
            };
            let _ = write!(path, "{}{x:.1} {y:.1}", if pen_is_down { "L" } else { "M" });
            pen_is_down = true;
        }
        let dash = if dashed { r#" stroke-dasharray="5 4""# } else { "" };
        self.put(format_args!(r#"<path d="{path}" class="curve" stroke="{colour}"{dash}/>"#));
    }

    /// A dot that says who it is when pointed at.
    pub(crate) fn dot(&mut self, (x, y): (f64, f64), radius: f64, colour: &str, title: &str) {
        let title = escaped(title);
        self.put(format_args!(
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="{radius}" fill="{colour}" class="dot"><title>{title}</title></circle>"#
        ));
    }

    /// A square on its corner, likewise.
    pub(crate) fn diamond(&mut self, (x, y): (f64, f64), radius: f64, colour: &str, title: &str) {
        let title = escaped(title);
        let (left, right, top, bottom) = (x - radius, x + radius, y - radius, y + radius);
        self.put(format_args!(
            r#"<path d="M{left:.1} {y:.1}L{x:.1} {top:.1}L{right:.1} {y:.1}L{x:.1} {bottom:.1}Z" fill="{colour}" class="dot"><title>{title}</title></path>"#
        ));
    }

    /// The whole file, on a white card.
    pub(crate) fn finish(self, width: f64, height: f64, style: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\">\n<style>{style}</style>\n<rect width=\"{width}\" height=\"{height}\" \
             class=\"card\"/>\n{}</svg>\n",
            self.0
        )
    }

    fn put(&mut self, element: fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{element}");
    }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            control if control.is_control() => safe.push(' '),
            plain => safe.push(plain),
        }
    }
    safe
}

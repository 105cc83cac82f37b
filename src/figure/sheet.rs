//! The sheet that figures are drawn on: a plotters backend that writes SVG.
//!
//! In: plotters elements, those of this module included. Out: an SVG document, the same bytes for
//! the same figure. A backend coordinate is a hundredth of a pixel, so that plotters' whole
//! numbers place marks finer than a screen can show. Left out: plotters' own text; labels are
//! outlined by [`super::font`].

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plotters::coord::CoordTranslate;
use plotters::drawing::DrawingArea;
use plotters::element::{Drawable, PointCollection};
use plotters::style::RGBColor;
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, DrawingBackend, DrawingErrorKind,
};

use super::elements::{Anchor, Label};
use super::font::{self, OUTLINE_UNITS};
use super::style::Dash;

/// Backend units to the pixel.
pub(super) const UNITS: f64 = 100.0;

/// What drawing on a sheet returns: it never fails.
pub(super) type Outcome = Result<(), DrawingErrorKind<Infallible>>;

/// Converts pixels to backend units.
pub(super) fn units(pixels: f64) -> i32 {
    (pixels * UNITS).round() as i32
}

/// Converts a point in pixels to backend units.
pub(super) fn at(x: f64, y: f64) -> BackendCoord {
    (units(x), units(y))
}

/// Draws an element; a sheet takes everything.
pub(super) fn put<'s, C, E>(area: &DrawingArea<&'s mut Sheet, C>, element: &E)
where
    C: CoordTranslate,
    for<'a> &'a E: PointCollection<'a, C::From>,
    E: Drawable<&'s mut Sheet>,
{
    area.draw(element).expect("a sheet takes every element, one at a time");
}

/// A sheet, empty at first.
pub(super) struct Sheet {
    size: BackendCoord,
    body: String,
    glyphs: BTreeMap<String, String>,
}

impl Sheet {
    /// A sheet of a size in pixels.
    pub(super) fn new(width: f64, height: f64) -> Self {
        Sheet { size: at(width, height), body: String::new(), glyphs: BTreeMap::new() }
    }

    /// The SVG document, shown `zoom` times as large as it was laid out.
    pub(super) fn into_svg(self, zoom: f64, title: &str, description: &str) -> String {
        let (w, h) = self.size;
        let shown = |units: i32| (f64::from(units) / UNITS * zoom).round();
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" \
             viewBox=\"0 0 {w} {h}\" role=\"img\">\n<title>{}</title>\n<desc>{}</desc>\n",
            shown(w),
            shown(h),
            escape(title),
            escape(description),
        );
        if !self.glyphs.is_empty() {
            svg.push_str("<defs>\n");
            for (name, outline) in &self.glyphs {
                line(&mut svg, format_args!("<path id=\"{name}\" d=\"{outline}\"/>"));
            }
            svg.push_str("</defs>\n");
        }
        svg.push_str(&self.body);
        svg.push_str("</svg>\n");
        svg
    }

    /// Draws path data as a stroke of a width in units.
    pub(super) fn stroke(&mut self, data: &str, color: &str, width: i32, dash: Dash) {
        let dashes = match dash.pattern() {
            [] => String::new(),
            lengths => {
                let lengths: Vec<String> =
                    lengths.iter().map(|&length| units(length).to_string()).collect();
                format!(" stroke-dasharray=\"{}\"", lengths.join(" "))
            }
        };
        line(
            &mut self.body,
            format_args!(
                "<path d=\"{data}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\" \
                 stroke-linejoin=\"round\"{dashes}/>"
            ),
        );
    }

    /// Draws path data as a filled shape.
    pub(super) fn fill(&mut self, data: &str, color: &str) {
        line(&mut self.body, format_args!("<path d=\"{data}\" fill=\"{color}\"/>"));
    }

    /// Draws a PNG image over a rectangle; `rendering` is an attribute or empty.
    pub(super) fn image(
        &mut self,
        (left, top): BackendCoord,
        (width, height): BackendCoord,
        rendering: &str,
        png: &[u8],
    ) {
        line(
            &mut self.body,
            format_args!(
                "<image x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" \
                 preserveAspectRatio=\"none\"{rendering} href=\"data:image/png;base64,{}\"/>",
                STANDARD.encode(png),
            ),
        );
    }

    /// Draws a line of text as outlines.
    pub(super) fn text(&mut self, label: &Label, (x, y): BackendCoord) {
        let set = font::set(&label.text, label.weight);
        let shift = match label.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -set.width / 2.0,
            Anchor::End => -set.width,
        };
        let scale = label.size * UNITS / OUTLINE_UNITS;
        let rotation = match label.angle {
            0 => String::new(),
            angle => format!(" rotate({angle})"),
        };
        let mut uses = String::new();
        for glyph in set.glyphs {
            let outline = glyph.outline();
            if outline.is_empty() {
                continue;
            }
            let x = ((shift + glyph.x) * OUTLINE_UNITS).round();
            let y = (glyph.y * OUTLINE_UNITS).round();
            let name = glyph.name();
            write!(uses, "<use href=\"#{name}\" x=\"{x}\"").expect("writing to a string succeeds");
            if y != 0.0 {
                write!(uses, " y=\"{y}\"").expect("writing to a string succeeds");
            }
            uses.push_str("/>");
            self.glyphs.insert(name, outline);
        }
        line(
            &mut self.body,
            format_args!(
                "<g fill=\"{}\" transform=\"translate({x} {y}){rotation} scale({scale:.3} -{scale:.3})\">{uses}</g>",
                hex(label.color),
            ),
        );
    }
}

impl DrawingBackend for &mut Sheet {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (self.size.0.unsigned_abs(), self.size.1.unsigned_abs())
    }

    fn ensure_prepared(&mut self) -> Outcome {
        Ok(())
    }

    fn present(&mut self) -> Outcome {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Outcome {
        self.fill(&format!("M{x} {y}h1v1h-1z"), &backend_hex(color));
        Ok(())
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Outcome {
        self.draw_path([from, to], style)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Outcome {
        let data = path_data(&path.into_iter().collect::<Vec<_>>());
        self.stroke(&data, &backend_hex(style.color()), style.stroke_width() as i32, Dash::Solid);
        Ok(())
    }

    /// Rectangles are filled edge to edge: neighbours show no seam.
    fn draw_rect<S: BackendStyle>(
        &mut self,
        (x0, y0): BackendCoord,
        (x1, y1): BackendCoord,
        style: &S,
        fill: bool,
    ) -> Outcome {
        let (left, top) = (x0.min(x1), y0.min(y1));
        let (w, h) = ((x1 - x0).abs(), (y1 - y0).abs());
        let color = backend_hex(style.color());
        if fill {
            line(
                &mut self.body,
                format_args!(
                    "<path d=\"M{left} {top}h{w}v{h}h-{w}z\" fill=\"{color}\" shape-rendering=\"crispEdges\"/>"
                ),
            );
        } else {
            let data = format!("M{left} {top}h{w}v{h}h-{w}z");
            self.stroke(&data, &color, style.stroke_width() as i32, Dash::Solid);
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        (x, y): BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Outcome {
        let color = backend_hex(style.color());
        let paint = if fill {
            format!("fill=\"{color}\"")
        } else {
            format!("fill=\"none\" stroke=\"{color}\" stroke-width=\"{}\"", style.stroke_width())
        };
        line(
            &mut self.body,
            format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" {paint}/>"),
        );
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        vert: I,
        style: &S,
    ) -> Outcome {
        let data = path_data(&vert.into_iter().collect::<Vec<_>>());
        self.fill(&format!("{data}z"), &backend_hex(style.color()));
        Ok(())
    }
}

/// Path data of a line through points.
pub(super) fn path_data(points: &[BackendCoord]) -> String {
    let mut data = String::new();
    let mut previous = (0, 0);
    for (i, &(x, y)) in points.iter().enumerate() {
        let (dx, dy) = (x - previous.0, y - previous.1);
        match i {
            0 => data.push('M'),
            1 => data.push('l'),
            _ if dx >= 0 => data.push(' '),
            _ => {}
        }
        write!(data, "{dx}").expect("writing to a string succeeds");
        if dy >= 0 {
            data.push(' ');
        }
        write!(data, "{dy}").expect("writing to a string succeeds");
        previous = (x, y);
    }
    data
}

fn line(out: &mut String, text: std::fmt::Arguments) {
    writeln!(out, "{text}").expect("writing to a string succeeds");
}

/// A colour as SVG writes it.
pub(super) fn hex(color: RGBColor) -> String {
    format!("#{:02x}{:02x}{:02x}", color.0, color.1, color.2)
}

fn backend_hex(color: BackendColor) -> String {
    hex(RGBColor(color.rgb.0, color.rgb.1, color.rgb.2))
}

fn escape(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || c.is_whitespace())
        .map(|c| match c {
            '&' => "&amp;".into(),
            '<' => "&lt;".into(),
            '>' => "&gt;".into(),
            c => c.to_string(),
        })
        .collect()
}

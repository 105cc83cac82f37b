//! Sets text in the house typeface: text in, positioned glyphs and their outlines out.
//!
//! Figures carry their text as outlines, so that they look the same in every browser and in the
//! PDF, whatever fonts are installed. Characters that Noto Sans lacks come from the first of
//! Typst's fonts that has them. Left out: right-to-left text and line breaking.

use std::fmt::Write;
use std::sync::LazyLock;

use rustybuzz::ttf_parser::{GlyphId, OutlineBuilder};
use rustybuzz::{Face, UnicodeBuffer};

/// Weight of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// A glyph of a set line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Glyph {
    face: usize,
    id: GlyphId,
    /// Distance from the start of the line, in ems.
    pub(super) x: f64,
    /// Height above the base line, in ems.
    pub(super) y: f64,
}

/// A line of text, set.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) glyphs: Vec<Glyph>,
    /// In ems.
    pub(super) width: f64,
}

/// Units of a glyph's outline to the em, whatever the font says.
pub(super) const OUTLINE_UNITS: f64 = 1000.0;

static FACES: LazyLock<Vec<Face<'static>>> = LazyLock::new(|| {
    [notosans::REGULAR_TTF, notosans::BOLD_TTF]
        .into_iter()
        .chain(typst_assets::fonts())
        .map(|bytes| {
            Face::from_slice(bytes, 0).expect("the fonts that crates ship are well formed")
        })
        .collect()
});

/// Sets a line of text.
pub(super) fn set(text: &str, weight: Weight) -> Line {
    let preferred = match weight {
        Weight::Regular => 0,
        Weight::Bold => 1,
    };
    let mut runs: Vec<(usize, String)> = Vec::new();
    for c in text.chars() {
        let face = face_with(c, preferred);
        match runs.last_mut() {
            Some((last, run)) if *last == face => run.push(c),
            _ => runs.push((face, c.to_string())),
        }
    }
    let mut line = Line { glyphs: Vec::new(), width: 0.0 };
    for (face, run) in runs {
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(&run);
        let shaped = rustybuzz::shape(&FACES[face], &[], buffer);
        let em = f64::from(FACES[face].units_per_em());
        for (info, position) in shaped.glyph_infos().iter().zip(shaped.glyph_positions()) {
            line.glyphs.push(Glyph {
                face,
                id: GlyphId(info.glyph_id as u16),
                x: line.width + f64::from(position.x_offset) / em,
                y: f64::from(position.y_offset) / em,
            });
            line.width += f64::from(position.x_advance) / em;
        }
    }
    line
}

/// Width of a line of text in pixels.
pub(super) fn width(text: &str, size: f64, weight: Weight) -> f64 {
    set(text, weight).width * size
}

fn face_with(c: char, preferred: usize) -> usize {
    let has = |face: usize| FACES[face].glyph_index(c).is_some();
    if has(preferred) {
        return preferred;
    }
    (0..FACES.len()).find(|&face| has(face)).unwrap_or(preferred)
}

impl Glyph {
    /// Name that is the same wherever the glyph is used.
    pub(super) fn name(self) -> String {
        format!("g{}-{}", self.face, self.id.0)
    }

    /// Outline as SVG path data, y upwards, [`OUTLINE_UNITS`] to the em; empty for a space.
    pub(super) fn outline(self) -> String {
        let face = &FACES[self.face];
        let mut outline =
            Outline { data: String::new(), scale: OUTLINE_UNITS / f64::from(face.units_per_em()) };
        face.outline_glyph(self.id, &mut outline);
        outline.data
    }
}

struct Outline {
    data: String,
    scale: f64,
}

impl Outline {
    fn segment(&mut self, command: char, numbers: &[f32]) {
        self.data.push(command);
        for (i, &number) in numbers.iter().enumerate() {
            let rounded = (f64::from(number) * self.scale).round() as i64;
            if i > 0 && rounded >= 0 {
                self.data.push(' ');
            }
            write!(self.data, "{rounded}").expect("writing to a string succeeds");
        }
    }
}

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.segment('M', &[x, y]);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        self.segment('L', &[x, y]);
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.segment('Q', &[x1, y1, x, y]);
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.segment('C', &[x1, y1, x2, y2, x, y]);
    }
    fn close(&mut self) {
        self.data.push('Z');
    }
}

//! The house style: colours, markers, dashes and sizes, for a light and a dark ground.
//!
//! Series colours follow Okabe and Ito's palette, which people with any common form of colour
//! blindness can tell apart, shifted in lightness until each stands out from the ground. Shape
//! and dash repeat what colour says.

use plotters::style::RGBColor;
use plotters::style::colors::colormaps::{ColorMap, DerivedColorMap, ViridisRGB};

use super::Theme;

pub(super) const TICK_SIZE: f64 = 13.0;
pub(super) const LABEL_SIZE: f64 = 14.0;
pub(super) const TITLE_SIZE: f64 = 15.0;
/// Distance of base lines as a multiple of the size.
pub(super) const LEADING: f64 = 1.3;

/// Colours for one ground.
pub(super) struct Look {
    pub(super) ink: RGBColor,
    pub(super) quiet: RGBColor,
    pub(super) grid: RGBColor,
    pub(super) missing: RGBColor,
    pub(super) series: [RGBColor; 7],
}

const LIGHT: Look = Look {
    ink: RGBColor(0x1f, 0x23, 0x28),
    quiet: RGBColor(0x59, 0x60, 0x69),
    grid: RGBColor(0xe3, 0xe6, 0xea),
    missing: RGBColor(0xd0, 0xd4, 0xd9),
    series: [
        RGBColor(0x00, 0x72, 0xb2),
        RGBColor(0xd5, 0x5e, 0x00),
        RGBColor(0x00, 0x8a, 0x66),
        RGBColor(0xb8, 0x5c, 0x93),
        RGBColor(0xa8, 0x78, 0x00),
        RGBColor(0x2f, 0x93, 0xcf),
        RGBColor(0x55, 0x5b, 0x63),
    ],
};

const DARK: Look = Look {
    ink: RGBColor(0xe6, 0xe8, 0xeb),
    quiet: RGBColor(0xa3, 0xaa, 0xb4),
    grid: RGBColor(0x31, 0x36, 0x3e),
    missing: RGBColor(0x45, 0x4b, 0x54),
    series: [
        RGBColor(0x56, 0xb4, 0xe9),
        RGBColor(0xf2, 0x7f, 0x3a),
        RGBColor(0x2f, 0xc9, 0x9a),
        RGBColor(0xe0, 0x92, 0xbf),
        RGBColor(0xf0, 0xd4, 0x42),
        RGBColor(0x8f, 0xa4, 0xf5),
        RGBColor(0xc3, 0xc9, 0xd1),
    ],
};

/// The colours for a theme.
pub(super) fn look(theme: Theme) -> &'static Look {
    match theme {
        Theme::Light => &LIGHT,
        Theme::Dark => &DARK,
    }
}

impl Look {
    /// Colour of the n-th series.
    pub(super) fn color(&self, n: usize) -> RGBColor {
        self.series[n % self.series.len()]
    }
}

/// Pattern of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dash {
    Solid,
    Long,
    Dotted,
    Chain,
    Short,
    ChainTwo,
    Sparse,
}

impl Dash {
    /// Pattern of the n-th series.
    pub(super) fn of(n: usize) -> Self {
        use Dash::{Chain, ChainTwo, Dotted, Long, Short, Solid, Sparse};
        [Solid, Long, Dotted, Chain, Short, ChainTwo, Sparse][n % 7]
    }

    /// Lengths of strokes and gaps in pixels; empty for a solid line.
    pub(super) fn pattern(self) -> &'static [f64] {
        match self {
            Dash::Solid => &[],
            Dash::Long => &[8.0, 3.5],
            Dash::Dotted => &[2.0, 2.5],
            Dash::Chain => &[8.0, 3.0, 2.0, 3.0],
            Dash::Short => &[4.5, 3.0],
            Dash::ChainTwo => &[10.0, 2.5, 2.0, 2.5, 2.0, 2.5],
            Dash::Sparse => &[14.0, 6.0],
        }
    }
}

/// Shape of a marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    Disc,
    Square,
    Triangle,
    Diamond,
    Point,
    Plus,
    Cross,
}

impl Marker {
    /// Shape of the n-th series.
    pub(super) fn of(n: usize) -> Self {
        use Marker::{Cross, Diamond, Disc, Plus, Point, Square, Triangle};
        [Disc, Square, Triangle, Diamond, Point, Plus, Cross][n % 7]
    }

    /// Path data in hundredths of a pixel, relative to the middle; areas look equal.
    pub(super) fn path(self) -> &'static str {
        match self {
            Marker::Disc => "m-360 0a360 360 0 1 0 720 0a360 360 0 1 0-720 0z",
            Marker::Square => "m-320-320h640v640h-640z",
            Marker::Triangle => "m0-470l430 740h-860z",
            Marker::Diamond => "m0-460l460 460-460 460-460-460z",
            Marker::Point => "m0 470l430-740h-860z",
            Marker::Plus => "m-120-420h240v300h300v240h-300v300h-240v-300h-300v-240h300z",
            Marker::Cross => {
                "m0-170l212-212 170 170-212 212 212 212-170 170-212-212-212 212-170-170 212-212-212-212 170-170z"
            }
        }
    }
}

/// Colours of a heat map.
pub(super) enum Ramp {
    /// From the smallest to the largest value.
    Sequential,
    /// Around zero, for values of both signs.
    Diverging,
}

impl Ramp {
    /// Colour at a fraction of the way from the lower to the upper end.
    pub(super) fn color(&self, fraction: f64) -> RGBColor {
        match self {
            Ramp::Sequential => ViridisRGB.get_color(fraction as f32),
            Ramp::Diverging => DerivedColorMap::new(&[
                RGBColor(0x05, 0x3f, 0x78),
                RGBColor(0x3b, 0x87, 0xbd),
                RGBColor(0xa9, 0xcd, 0xe3),
                RGBColor(0xf4, 0xf4, 0xf2),
                RGBColor(0xf6, 0xc0, 0x9d),
                RGBColor(0xd3, 0x6a, 0x45),
                RGBColor(0x86, 0x1c, 0x23),
            ])
            .get_color(fraction),
        }
    }
}

/// Black or white, whichever reads better on a ground.
pub(super) fn readable_on(ground: RGBColor) -> RGBColor {
    if luminance(ground) > 0.2 { RGBColor(0x11, 0x14, 0x18) } else { RGBColor(0xff, 0xff, 0xff) }
}

/// Relative luminance after WCAG 2.2.
fn luminance(color: RGBColor) -> f64 {
    let linear = |channel: u8| {
        let c = f64::from(channel) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(color.0) + 0.7152 * linear(color.1) + 0.0722 * linear(color.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contrast(a: RGBColor, b: RGBColor) -> f64 {
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    #[test]
    fn marks_and_text_stand_out_from_their_ground() {
        for (look, ground) in
            [(&LIGHT, RGBColor(255, 255, 255)), (&DARK, RGBColor(0x16, 0x18, 0x1d))]
        {
            for color in look.series {
                assert!(contrast(color, ground) >= 3.0, "{color:?} on {ground:?}");
            }
            for color in [look.ink, look.quiet] {
                assert!(contrast(color, ground) >= 4.5, "{color:?} on {ground:?}");
            }
        }
    }

    #[test]
    fn numbers_in_cells_can_be_read_on_every_colour() {
        for ramp in [Ramp::Sequential, Ramp::Diverging] {
            for i in 0..=100 {
                let ground = ramp.color(f64::from(i) / 100.0);
                assert!(contrast(readable_on(ground), ground) >= 4.0, "{ground:?}");
            }
        }
    }
}

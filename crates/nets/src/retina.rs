//! Images that resemble scans of retinas, for trying out without the real data.
//!
//! In: a seed and the sizes of the splits. Out: an [`OctMnist`] in the published format.
//! Left out: any claim to medical truth. A scan shows bright layers under a dark vitreous,
//! somewhere in the picture, tilted and bent, with speckle. The classes differ by what they are
//! named for: a membrane that lifts and blurs the lowest layer (CNV), dark cysts that thicken
//! the retina (DME), small bumps of the lowest layer (drusen), and nothing but a pit (normal).
//! Lesions vary in size down to the hardly visible, so that no classifier can be perfect.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Normal, StandardNormal};

use crate::octmnist::{OctMnist, SIDE, Split};

/// Changes whenever the images do.
pub const VERSION: u32 = 1;

/// Shares of the classes in the published training split of 97,477 images.
const SHARES: [f64; 4] = [33_484.0, 10_213.0, 7_754.0, 46_026.0];

/// Numbers of images in the three splits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// To train with.
    pub train: usize,
    /// To choose with.
    pub val: usize,
    /// To judge with; classes are equally frequent, as in the published test split.
    pub test: usize,
}

impl Sizes {
    /// Those of the published data.
    pub const FULL: Self = Self { train: 97_477, val: 10_832, test: 1_000 };
}

/// Returns a data set that depends on the seed and the sizes alone.
pub fn generate(seed: u64, sizes: Sizes) -> OctMnist {
    let mut rng = StdRng::seed_from_u64(seed);
    let by_share = |rng: &mut StdRng| {
        let mut at = rng.gen_range(0.0..SHARES.iter().sum());
        let class = SHARES.iter().position(|share| {
            at -= share;
            at < 0.0
        });
        class.unwrap_or(SHARES.len() - 1)
    };
    let mut split = |count: usize, equal: bool| {
        let mut split = Split::default();
        for at in 0..count {
            let class = if equal { at % SHARES.len() } else { by_share(&mut rng) };
            split.push(&image(class, &mut rng), class as u8);
        }
        split
    };
    OctMnist {
        train: split(sizes.train, false),
        val: split(sizes.val, false),
        test: split(sizes.test, true),
    }
}

/// A bump over the columns: centre, half width, height.
#[derive(Clone, Copy)]
struct Bump {
    centre: f64,
    width: f64,
    height: f64,
}

impl Bump {
    fn at(self, x: f64) -> f64 {
        let distance = (x - self.centre) / self.width;
        self.height * (-distance * distance).exp()
    }
}

fn image(class: usize, rng: &mut StdRng) -> [u8; SIDE * SIDE] {
    let side = SIDE as f64;
    let strength = rng.gen_range(0.25..1.0_f64);
    let top = rng.gen_range(6.0..11.0);
    let thickness = rng.gen_range(7.0..9.5);
    let (tilt, bend) = (rng.gen_range(-0.12..0.12), rng.gen_range(-0.012..0.012));
    let pit = Bump {
        centre: rng.gen_range(0.3..0.7) * side,
        width: rng.gen_range(3.0..5.0),
        height: rng.gen_range(0.0..3.0),
    };
    let place = |rng: &mut StdRng| rng.gen_range(0.2..0.8) * side;
    // Raises the lowest layer; thickens the retina.
    let mut raised: Vec<Bump> = Vec::new();
    let mut swollen = Bump { centre: 0.0, width: 1.0, height: 0.0 };
    let mut cysts: Vec<(f64, f64, f64)> = Vec::new();
    match class {
        0 => raised.push(Bump {
            centre: place(rng),
            width: rng.gen_range(3.5..6.5),
            height: 1.2 + 4.0 * strength,
        }),
        1 => {
            let centre = place(rng);
            swollen = Bump { centre, width: rng.gen_range(5.0..8.0), height: 4.0 * strength };
            for _ in 0..rng.gen_range(1..=4) {
                let x = centre + rng.gen_range(-4.0..4.0);
                cysts.push((x, rng.gen_range(0.2..0.6), 0.8 + 1.6 * strength));
            }
        }
        2 => {
            for _ in 0..rng.gen_range(2..=4) {
                let width = rng.gen_range(0.9..1.8);
                raised.push(Bump { centre: place(rng), width, height: 0.8 + 2.2 * strength });
            }
        }
        _ => {}
    }
    let (gain, floor) = (rng.gen_range(0.7..1.0), rng.gen_range(0.04..0.12));
    let speckle = Normal::new(0.0, rng.gen_range(0.12..0.25)).expect("a deviation is positive");
    let mut pixels = [0; SIDE * SIDE];
    for x in 0..SIDE {
        let column = x as f64;
        let from_middle = column - side / 2.0;
        let surface = top + tilt * from_middle + bend * from_middle * from_middle;
        let lifted: f64 = raised.iter().map(|bump| bump.at(column)).sum();
        let swelling = swollen.at(column);
        let upper = surface + pit.at(column) - swelling;
        let straight = surface + thickness;
        let lower = straight - lifted;
        for y in 0..SIDE {
            let row = y as f64;
            let depth = (row - upper) / (lower - upper).max(1.0);
            let mut light = floor;
            if row >= upper && row < lower {
                // Nerve fibres above, plexiform layers between.
                light += 0.35 + 0.30 * (-depth * 6.0).exp() + 0.12 * (depth * 12.0).sin();
            }
            light += 0.75 * peak(row - lower - 0.8, 1.0);
            if row > lower {
                light += 0.35 * (-(row - lower) / 6.0).exp();
                // What has grown or gathered under the lifted layer.
                if row < straight {
                    light += if class == 0 { 0.18 } else { -0.05 };
                }
            }
            for &(centre, place, radius) in &cysts {
                let middle = upper + place * (lower - upper);
                let (dx, dy) = ((column - centre) / radius, (row - middle) / (0.8 * radius));
                light -= 0.40 * (-(dx * dx + dy * dy)).exp();
            }
            let noise: f64 = speckle.sample(rng);
            let grain: f64 = rng.sample(StandardNormal);
            let seen = (light.max(0.0) * gain * (1.0 + noise) + 0.03 * grain).clamp(0.0, 1.0);
            pixels[y * SIDE + x] = (seen * 255.0).round() as u8;
        }
    }
    pixels
}

fn peak(distance: f64, width: f64) -> f64 {
    let distance = distance / width;
    (-distance * distance).exp()
}

//! How fast the full-size networks of the speech chapter learn: 4 clips of 2,754 frames and 99
//! tokens a step.
//!
//! Run by `benches/recogniser.py`, which compares with PyTorch in the same run, or alone by
//! `cargo bench -p veracity-nets --bench recogniser -- [recurrent | attention]`. The clips are
//! noise; the numbers learned are not looked at. `RAYON_NUM_THREADS` limits the threads.

use std::time::Instant;

use dfdx::prelude::{Cache, Cpu};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use veracity_nets::recogniser::{Clip, DecoderKind, Recipe, Recogniser, Sizes, train};
use veracity_nets::training::Checkpoint;

const CLIPS: usize = 4;
const STEPS: usize = 5;

fn main() {
    let kinds = match std::env::args().nth(1).as_deref() {
        Some("recurrent") => vec![DecoderKind::Recurrent],
        Some("attention") => vec![DecoderKind::Attention],
        _ => vec![DecoderKind::Recurrent, DecoderKind::Attention],
    };
    for kind in kinds {
        println!("{kind:?}: {:.3} s a step", seconds(kind));
    }
}

/// The median time of a step, the first one left out.
fn seconds(kind: DecoderKind) -> f64 {
    let sizes = Sizes::PUBLISHED;
    let mut random = StdRng::seed_from_u64(1);
    let clips: Vec<Clip> = (0..CLIPS)
        .map(|_| Clip {
            features: (0..sizes.frames * sizes.mels).map(|_| random.gen_range(-1.0..1.0)).collect(),
            tokens: (0..=sizes.tokens).map(|_| random.gen_range(0..sizes.vocabulary)).collect(),
        })
        .collect();
    let device = Cpu::default();
    device.enable_cache();
    let mut network = Recogniser::<f32, Cpu>::new(sizes, kind, 1, &device).expect("they fit");
    let recipe = Recipe { epochs: STEPS + 1, batch: CLIPS, ..Recipe::PUBLISHED };
    let mut times = Vec::new();
    let mut last = Instant::now();
    let none = Checkpoint::new(None);
    let progress = |_: &_| times.push(std::mem::replace(&mut last, Instant::now()).elapsed());
    train(&mut network, &clips, &recipe, &none, |_, _| Ok(()), progress).expect("clips fit");
    times.remove(0);
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

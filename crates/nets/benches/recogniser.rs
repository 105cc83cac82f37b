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
        let (clock, processors) = seconds(kind);
        println!("{kind:?}: {clock:.3} s a step, {processors:.3} s of all processors");
    }
}

/// The median time of a step and the mean time that processors computed, the first one left out.
fn seconds(kind: DecoderKind) -> (f64, f64) {
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
    let mut computed = Vec::new();
    let progress = |_: &_| {
        times.push(std::mem::replace(&mut last, Instant::now()).elapsed());
        computed.push(processor_seconds());
    };
    train(&mut network, &clips, &recipe, &none, |_, _| Ok(()), progress).expect("clips fit");
    times.remove(0);
    times.sort();
    let computed = (computed[STEPS] - computed[0]) / STEPS as f64;
    (times[times.len() / 2].as_secs_f64(), computed)
}

/// Seconds that all threads of this process have computed: unlike the clock's they do not depend
/// on what else the machine does. Nothing where the system does not tell.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name before may have spaces; ticks are hundredths of seconds.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    ticks(12).zip(ticks(13)).map_or(f64::NAN, |(user, system)| (user + system) / 100.0)
}

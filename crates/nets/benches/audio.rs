//! How fast spectrograms are made and transcripts compared, on one thread.
//!
//! Run by `benches/audio.py`, which compares with librosa and rapidfuzz in the same run. In: the name of
//! what to measure and, on standard input, what it is measured on. Out: microseconds a piece.
//!
//! - `mel`: samples as little-endian floats, of one clip
//! - `distance`: lists of tokens of 97 bytes each, compared one after another

use std::hint::black_box;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use veracity_nets::similarity::restricted_distance;
use veracity_nets::speech::mel::FrontEnd;

fn main() -> io::Result<()> {
    let what = std::env::args().skip(1).find(|argument| argument != "--bench");
    let mut bytes = Vec::new();
    match what.as_deref() {
        Some("mel") => {
            io::stdin().read_to_end(&mut bytes)?;
            let chunks = bytes.chunks_exact(4);
            let samples: Vec<f32> =
                chunks.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            let mut front = FrontEnd::default();
            println!("{}", per_piece(1, || drop(black_box(front.spectrogram(&samples)))));
        }
        Some("distance") => {
            io::stdin().read_to_end(&mut bytes)?;
            let lists: Vec<&[u8]> = bytes.chunks_exact(97).collect();
            let compare = || {
                for pair in lists.windows(2) {
                    black_box(restricted_distance(pair[0], pair[1]));
                }
            };
            println!("{}", per_piece(lists.len() - 1, compare));
        }
        _ => println!("run by benches/audio.py"),
    }
    Ok(())
}

/// Microseconds a piece: the median of repetitions during a second.
fn per_piece(pieces: usize, mut work: impl FnMut()) -> f64 {
    let (started, mut times) = (Instant::now(), Vec::new());
    while started.elapsed() < Duration::from_secs(1) || times.len() < 5 {
        let start = Instant::now();
        work();
        times.push(start.elapsed().as_secs_f64() * 1e6 / pieces as f64);
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

//! Sentences of a small grammar, spoken by a small synthesiser.
//!
//! In: a seed and a number. Out: utterances of about a second, whose samples went through the same
//! front end as recorded clips. A stand-in for recordings, labelled as such wherever it is used:
//! every letter sounds one way, so what is written can be heard. Voices differ from sentence to sentence in
//! pitch, pace and length of the vocal tract, and so does the noise behind them.
//!
//! A sound has a source, pulses of the vocal folds or noise, and a filter, three resonances in a row for
//! what is voiced and one for noise (Klatt, 1980, "Software for a cascade/parallel formant
//! synthesizer", J. Acoust. Soc. Am. 67; formants of vowels after Peterson and Barney, 1952).

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use std::f32::consts::TAU;

use super::audio::RATE;
use super::features::{Sound, Utterance};
use super::mel::FrontEnd;

/// Changes whenever utterances do.
pub const VERSION: u32 = 2;

const ADJECTIVES: [&str; 18] = [
    "red", "old", "big", "new", "shy", "dry", "low", "hot", "calm", "wild", "wet", "fat", "kind",
    "pale", "quick", "young", "brave", "sad",
];
const NOUNS: [&str; 29] = [
    "cat", "dog", "fox", "owl", "bee", "man", "king", "jug", "wolf", "bird", "ship", "tree",
    "lamp", "zebra", "hen", "pig", "rat", "bear", "frog", "moth", "judge", "cook", "girl", "boy",
    "crow", "boat", "clock", "queen", "horse",
];
const VERBS: [&str; 18] = [
    "saw", "met", "hit", "took", "kept", "found", "liked", "drew", "sold", "moved", "fed", "lost",
    "heard", "chased", "helped", "left", "missed", "sent",
];
const ADVERBS: [&str; 8] = ["here", "twice", "now", "again", "quickly", "today", "soon", "often"];

/// Samples for which the filter stays the same: 5 ms.
const STEP: usize = RATE as usize / 200;

/// How a letter sounds.
#[derive(Clone, Copy)]
struct Phone {
    /// Seconds.
    length: f32,
    /// Loudness of the vocal folds and of the noise.
    voice: f32,
    noise: f32,
    /// Share of the length, from the beginning, during which the mouth is closed.
    closed: f32,
    /// Hz.
    formants: [f32; 3],
    /// Centre of the noise, Hz, and its width.
    hiss: (f32, f32),
}

/// Returns `count` utterances; those of a smaller count are the first ones of a larger.
///
/// Lengths are between 7 and some 30 characters.
pub fn utterances(seed: u64, count: usize) -> Vec<Utterance> {
    let mut front = FrontEnd::default();
    let utterance = |at: usize| {
        let seed = seed.wrapping_mul(0x9e37_79b9).wrapping_add(at as u64);
        let text = sentence(seed);
        let heard = front.spectrogram(&speak(&text, seed)).expect("a sentence is long enough");
        Utterance { name: format!("sentence {}", at + 1), text, sound: Sound::Heard(heard) }
    };
    (0..count).map(utterance).collect()
}

/// Makes a sentence: who did something, perhaps described, to whom or when.
pub fn sentence(seed: u64) -> String {
    let rng = &mut StdRng::seed_from_u64(seed);
    let mut words = vec![one_of(&NOUNS, rng), one_of(&VERBS, rng)];
    match rng.gen_range(0..4) {
        0 => words.push(one_of(&ADVERBS, rng)),
        1 => words.insert(0, one_of(&ADJECTIVES, rng)),
        2 => words.push(one_of(&NOUNS, rng)),
        _ => {
            words.insert(0, one_of(&ADJECTIVES, rng));
            words.push(one_of(&NOUNS, rng));
        }
    }
    words.join(" ")
}

fn one_of(words: &[&'static str], rng: &mut StdRng) -> &'static str {
    words.choose(rng).expect("there are words")
}

/// Speaks a text: samples from -1 to 1 at 22,050 per second.
pub fn speak(text: &str, seed: u64) -> Vec<f32> {
    let mut voice = Voice::new(StdRng::seed_from_u64(seed));
    voice.pause(0.03);
    text.chars().for_each(|letter| voice.say(phone(letter)));
    voice.pause(0.03);
    voice.samples
}

fn phone(letter: char) -> Phone {
    let vowel = |formants| Phone {
        length: 0.075,
        voice: 1.0,
        noise: 0.0,
        closed: 0.0,
        formants,
        hiss: (1_500.0, 500.0),
    };
    let sonorant = |formants| Phone { length: 0.06, voice: 0.5, ..vowel(formants) };
    let hiss = |voice, noise, centre, width| Phone {
        length: 0.065,
        voice,
        noise,
        hiss: (centre, width),
        ..vowel([350.0, 1_500.0, 2_600.0])
    };
    let stop = |voice, centre, formants| Phone {
        closed: 0.6,
        formants,
        ..hiss(voice, 0.6, centre, 900.0)
    };
    match letter {
        'a' => vowel([730.0, 1_090.0, 2_440.0]),
        'e' => vowel([530.0, 1_840.0, 2_480.0]),
        'i' => vowel([270.0, 2_290.0, 3_010.0]),
        'o' => vowel([570.0, 840.0, 2_410.0]),
        'u' => vowel([300.0, 870.0, 2_240.0]),
        'y' => vowel([440.0, 1_350.0, 1_900.0]),
        'l' => sonorant([360.0, 1_300.0, 2_900.0]),
        'r' => sonorant([490.0, 1_180.0, 1_600.0]),
        'w' => sonorant([290.0, 610.0, 2_150.0]),
        'm' => sonorant([250.0, 1_000.0, 2_100.0]),
        'n' => sonorant([250.0, 1_700.0, 2_600.0]),
        's' => hiss(0.0, 0.7, 6_500.0, 1_500.0),
        'z' => hiss(0.4, 0.5, 6_500.0, 1_500.0),
        'f' => hiss(0.0, 0.35, 8_500.0, 5_000.0),
        'v' => hiss(0.5, 0.25, 8_500.0, 5_000.0),
        'h' => hiss(0.0, 0.5, 1_600.0, 1_200.0),
        'j' => hiss(0.4, 0.5, 3_200.0, 800.0),
        'x' => hiss(0.0, 0.7, 4_500.0, 700.0),
        'p' => stop(0.0, 900.0, [300.0, 800.0, 2_100.0]),
        'b' => stop(0.35, 900.0, [300.0, 800.0, 2_100.0]),
        't' => stop(0.0, 4_600.0, [300.0, 1_800.0, 2_600.0]),
        'd' => stop(0.35, 4_600.0, [300.0, 1_800.0, 2_600.0]),
        'k' => stop(0.0, 2_200.0, [300.0, 2_000.0, 2_300.0]),
        'g' => stop(0.35, 2_200.0, [300.0, 2_000.0, 2_300.0]),
        'c' => Phone { closed: 0.35, ..hiss(0.0, 0.7, 3_000.0, 700.0) },
        'q' => stop(0.0, 1_400.0, [300.0, 1_200.0, 2_300.0]),
        _ => Phone { length: 0.05, voice: 0.0, closed: 1.0, ..vowel([500.0, 1_500.0, 2_500.0]) },
    }
}

/// A voice in the middle of a sentence.
struct Voice {
    rng: StdRng,
    samples: Vec<f32>,
    pitch: f32,
    /// Factor of all lengths.
    pace: f32,
    /// Factor of all formants: a shorter tract has higher ones.
    tract: f32,
    /// Loudness of the noise behind the voice.
    behind: f32,
    /// Share of a period that has passed.
    phase: f32,
    pulse: f32,
    formants: [f32; 3],
    loudness: (f32, f32),
    cascade: [Resonator; 3],
    hiss: Resonator,
}

impl Voice {
    fn new(mut rng: StdRng) -> Self {
        let pitch = rng.gen_range(150.0..230.0);
        let pace = rng.gen_range(0.85..1.05);
        let tract = rng.gen_range(0.93..1.07);
        let behind = 0.001 * rng.gen_range(0.0..3.0_f32).exp();
        Self {
            rng,
            samples: Vec::new(),
            pitch,
            pace,
            tract,
            behind,
            phase: 0.0,
            pulse: 0.0,
            formants: [500.0, 1_500.0, 2_500.0],
            loudness: (0.0, 0.0),
            cascade: Default::default(),
            hiss: Resonator::default(),
        }
    }

    fn pause(&mut self, seconds: f32) {
        self.say(Phone { length: seconds, ..phone(' ') });
    }

    fn say(&mut self, phone: Phone) {
        let jitter = self.rng.gen_range(0.9..1.1);
        let steps = (phone.length * self.pace * jitter * RATE as f32 / STEP as f32).round().max(1.0)
            as usize;
        let aims =
            phone.formants.map(|formant| formant * self.tract * self.rng.gen_range(0.97..1.03));
        for step in 0..steps {
            let open = step as f32 >= phone.closed * steps as f32;
            // A closed mouth lets a little of the voice through.
            let (voice, noise) =
                if open { (phone.voice, phone.noise) } else { (0.2 * phone.voice, 0.0) };
            self.step(aims, voice, noise, phone.hiss);
        }
    }

    /// 5 ms during which the mouth goes a part of the way to where it should be.
    fn step(&mut self, aims: [f32; 3], voice: f32, noise: f32, hiss: (f32, f32)) {
        for (formant, aim) in self.formants.iter_mut().zip(aims) {
            *formant += 0.4 * (aim - *formant);
        }
        for ((resonator, &formant), width) in
            self.cascade.iter_mut().zip(&self.formants).zip([80.0, 110.0, 160.0])
        {
            resonator.tune(formant, width);
        }
        self.hiss.tune_band(hiss.0, hiss.1);
        let from = self.loudness;
        self.loudness = (from.0 + 0.6 * (voice - from.0), from.1 + 0.6 * (noise - from.1));
        self.pitch *= self.rng.gen_range(0.99..1.0095);
        for _ in 0..STEP {
            let sample = self.sample();
            self.samples.push(sample.clamp(-1.0, 1.0));
        }
    }

    fn sample(&mut self) -> f32 {
        let white = self.rng.gen_range(-1.0..1.0_f32);
        self.phase += self.pitch / RATE as f32;
        let opened = if self.phase >= 1.0 { 1.0 } else { 0.0 };
        self.phase -= opened;
        self.pulse = 0.9 * self.pulse + opened;
        let source = self.loudness.0 * self.pulse;
        let voiced = self.cascade.iter_mut().fold(source, |x, resonator| resonator.next(x));
        let hissed = self.hiss.next(self.loudness.1 * white);
        0.2 * voiced + 0.3 * hissed + self.behind * white
    }
}

/// A filter with one resonance.
#[derive(Clone, Copy, Default)]
struct Resonator {
    gain: f32,
    last: f32,
    before: f32,
    by_last: f32,
    by_before: f32,
}

impl Resonator {
    /// Sets centre and width in Hz, with gain 1 at low frequencies.
    fn tune(&mut self, centre: f32, width: f32) {
        let decay = (-0.5 * TAU * width / RATE as f32).exp();
        self.by_before = -decay * decay;
        self.by_last = 2.0 * decay * (TAU * centre / RATE as f32).cos();
        self.gain = 1.0 - self.by_last - self.by_before;
    }

    /// Sets centre and width in Hz, with gain 1 at the centre.
    fn tune_band(&mut self, centre: f32, width: f32) {
        self.tune(centre, width);
        let decay = (-self.by_before).sqrt();
        let twice = (2.0 * TAU * centre / RATE as f32).cos();
        self.gain = (1.0 - decay) * (1.0 - 2.0 * decay * twice + decay * decay).sqrt();
    }

    fn next(&mut self, x: f32) -> f32 {
        let y = self.gain * x + self.by_last * self.last + self.by_before * self.before;
        (self.before, self.last) = (self.last, y);
        y
    }
}

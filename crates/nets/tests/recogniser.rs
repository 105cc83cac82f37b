//! Networks that write down speech: against PyTorch, by formula, under changed futures, token by
//! token, and after interruptions.
//!
//! `data/recogniser.json` comes from `benches/recogniser.py --reference`, with the version of
//! PyTorch in it.

use std::collections::BTreeMap;

use dfdx::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Deserialize;
use veracity_nets::parameters::Parameters;
use veracity_nets::recogniser::{
    Batch, Clip, ClipError, DecoderKind, Epoch, Greedy, Progress, Recipe, Recogniser, Sizes,
    TrainingError, WrongSizes, mean_loss, train,
};
use veracity_nets::sequence::{Composed, Fused, SequenceOps, Sequences};
use veracity_nets::training::{AdamW, Checkpoint};

const KINDS: [DecoderKind; 2] = [DecoderKind::Recurrent, DecoderKind::Attention];

const SMALL: Sizes = Sizes {
    mels: 5,
    frames: 12,
    tokens: 7,
    vocabulary: 9,
    width: 8,
    heads: 2,
    hidden: 10,
    blocks: 2,
};

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

/// What PyTorch computed, in the layout of our matrices.
#[derive(Deserialize)]
struct Case {
    kind: DecoderKind,
    sizes: Sizes,
    features: Vec<f64>,
    tokens: Vec<usize>,
    before: BTreeMap<String, Vec<f64>>,
    logits: Vec<f64>,
    loss: f64,
    gradients: BTreeMap<String, Vec<f64>>,
    after: BTreeMap<String, Vec<f64>>,
}

impl Case {
    fn all() -> Vec<Self> {
        let data = include_str!("data/recogniser.json");
        serde_json::from_str::<Reference>(data).expect("the file is whole").cases
    }

    /// Inputs and labels.
    fn tokens(&self) -> (Vec<usize>, Vec<usize>) {
        let rows = self.tokens.chunks_exact(self.sizes.tokens + 1);
        let inputs = rows.clone().flat_map(|row| &row[..self.sizes.tokens]).copied().collect();
        (inputs, rows.flat_map(|row| &row[1..]).copied().collect())
    }

    fn features(&self) -> (usize, usize, usize) {
        (2, self.sizes.frames, self.sizes.mels)
    }
}

fn assert_close(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        let error = (found - expected).abs() / expected.abs().max(1.0);
        assert!(error < tolerance, "{what}: {found}, not {expected}");
    }
}

fn wide(numbers: Vec<f32>) -> Vec<f64> {
    numbers.into_iter().map(f64::from).collect()
}

#[test]
fn logits_gradients_and_a_step_agree_with_pytorch() {
    for case in Case::all() {
        let device = Cpu::default();
        let mut network = Recogniser::<f32, Cpu>::new(case.sizes, case.kind, 1, &device).unwrap();
        assert_eq!(network.named("").len(), case.before.len());
        for (name, matrix) in network.named_mut("") {
            let numbers: Vec<f32> = case.before[&name].iter().map(|&x| x as f32).collect();
            matrix.copy_from(&numbers);
        }
        let (inputs, labels) = case.tokens();
        let features = case.features.iter().map(|&x| x as f32).collect();
        let features: Sequences<f32, Cpu> = device.tensor_from_vec(features, case.features());
        let logits = network.logits(features.leaky_traced(), &inputs);
        assert_close("logits", &wide(logits.as_vec()), &case.logits, 2e-5);
        let loss = Fused::cross_entropy(logits, &labels, 0.1);
        assert_close("loss", &[f64::from(loss.as_vec()[0])], &[case.loss], 1e-6);
        let mut gradients = loss.backward();
        for (name, matrix) in network.named("") {
            let gradient = wide(gradients.get(matrix).as_vec());
            assert_close(&name, &gradient, &case.gradients[&name], 2e-5);
        }
        AdamW::new(0.1).update(&mut network, &mut gradients, 0.01).unwrap();
        for (name, matrix) in network.named("") {
            // Where a gradient is all but zero, its rounding decides on the direction: the keys
            // of an attention have no bias, but that of the queries comes close to one.
            let pairs = wide(matrix.as_vec()).into_iter().zip(&case.after[&name]);
            let pairs = pairs.zip(&case.gradients[&name]).filter(|(_, g)| g.abs() > 1e-5);
            for ((found, expected), _) in pairs {
                assert!((found - expected).abs() < 2e-4, "{name}: {found}, not {expected}");
            }
        }
    }
}

/// The same network in double precision, of dfdx's own operations.
#[test]
fn the_composed_network_agrees_with_pytorch() {
    for case in Case::all() {
        let device = Cpu::default();
        let mut network = Recogniser::<f64, Cpu>::new(case.sizes, case.kind, 1, &device).unwrap();
        for (name, matrix) in network.named_mut("") {
            matrix.copy_from(&case.before[&name]);
        }
        let (inputs, labels) = case.tokens();
        let features: Sequences<f64, Cpu> =
            device.tensor_from_vec(case.features.clone(), case.features());
        let logits = network.logits(features.leaky_traced(), &inputs);
        assert_close("logits", &logits.as_vec(), &case.logits, 2e-5);
        let gradients = Composed::cross_entropy(logits, &labels, 0.1).backward();
        for (name, matrix) in network.named("") {
            assert_close(&name, &gradients.get(matrix).as_vec(), &case.gradients[&name], 2e-5);
        }
    }
}

#[test]
fn the_published_networks_have_the_published_numbers_of_parameters() {
    let sizes = Sizes::PUBLISHED;
    assert_eq!(sizes.encoder_parameters(), 812_800);
    for (kind, published) in KINDS.into_iter().zip([1_471_235, 1_329_835]) {
        assert_eq!(sizes.parameters(kind), published);
        let network = Recogniser::<f32, Cpu>::new(sizes, kind, 1, &Cpu::default()).unwrap();
        assert_eq!(network.parameter_count(), published);
        assert_eq!(network.encoder.parameter_count(), 812_800);
    }
    for kind in KINDS {
        assert_eq!(network(kind).parameter_count(), SMALL.parameters(kind));
    }
}

fn network(kind: DecoderKind) -> Recogniser<f32, Cpu> {
    Recogniser::new(SMALL, kind, 1, &Cpu::default()).unwrap()
}

fn noise(clips: usize, seed: u64) -> Sequences<f32, Cpu> {
    Cpu::seed_from_u64(seed).sample_normal_like(&(clips, SMALL.frames, SMALL.mels))
}

#[test]
fn no_token_sees_the_future() {
    let tokens = [0, 3, 5, 7, 1, 2, 2];
    for kind in KINDS {
        let logits = |tokens: &[usize]| network(kind).logits(noise(1, 2), tokens).as_vec();
        let before = logits(&tokens);
        for changed in 1..tokens.len() {
            let mut other = tokens;
            other[changed] = 8;
            let after = logits(&other);
            let (same, rest) = after.split_at(changed * SMALL.vocabulary);
            assert_eq!(same, &before[..same.len()], "{kind:?}");
            assert_ne!(rest, &before[same.len()..], "{kind:?}");
        }
    }
}

#[test]
fn transcripts_are_those_of_plain_recomputation() {
    for (kind, seed) in KINDS.into_iter().flat_map(|kind| (0..4).map(move |seed| (kind, seed))) {
        let network = Recogniser::<f32, Cpu>::new(SMALL, kind, seed, &Cpu::default()).unwrap();
        let greedy = Greedy { start: 0, end: 1, steps: SMALL.tokens };
        let found = network.transcribe(noise(3, seed), greedy);
        let mut tokens = vec![vec![0]; 3];
        for step in 0..SMALL.tokens {
            let logits = network.logits(noise(3, seed), &tokens.concat()).as_vec();
            let width = SMALL.vocabulary;
            for (clip, tokens) in tokens.iter_mut().enumerate() {
                let row = &logits[(clip * (step + 1) + step) * width..][..width];
                let best = (0..width).rev().max_by(|&a, &b| row[a].total_cmp(&row[b]));
                tokens.push(best.unwrap());
            }
        }
        for (found, tokens) in found.iter().zip(&tokens) {
            let end = tokens.iter().position(|&token| token == 1).unwrap_or(tokens.len());
            assert_eq!(*found, tokens[1..end], "{kind:?}");
        }
    }
}

#[test]
fn cross_attention_shares_out_every_look() {
    for kind in KINDS {
        let weights = network(kind).cross_attention(noise(2, 1), &[0, 4, 5, 0, 6, 7]);
        let frames = SMALL.frames / 2;
        assert_eq!(weights.len(), 2 * SMALL.heads * 3 * frames);
        for row in weights.chunks_exact(frames) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
}

/// Clips whose tokens can be read off their features.
fn clips(count: usize) -> Vec<Clip> {
    let mut random = StdRng::seed_from_u64(5);
    let clip = |random: &mut StdRng| {
        let (mut features, mut tokens) = (Vec::new(), vec![0]);
        for _ in 0..4 {
            let token = random.gen_range(0..5);
            tokens.push(4 + token);
            for _ in 0..3 {
                features.extend((0..5).map(|at| if at == token { 2.0 } else { 0.0 }));
            }
        }
        tokens.extend([1, 2]);
        Clip { features, tokens }
    };
    (0..count).map(|_| clip(&mut random)).collect()
}

const RECIPE: Recipe = Recipe { epochs: 4, batch: 8, rate: 0.01, falling: 3, ..Recipe::PUBLISHED };

fn learn(
    kind: DecoderKind,
    recipe: &Recipe,
    checkpoint: &Checkpoint,
    stop: Option<usize>,
) -> Result<(Vec<f32>, Vec<Epoch<f32>>), TrainingError> {
    let (mut network, clips) = (network(kind), clips(20));
    let measure = |network: &Recogniser<f32, Cpu>, epoch| {
        if stop == Some(epoch) {
            return Err(TrainingError::NothingToLearn);
        }
        mean_loss(network, &clips[..5], recipe).map(|loss| loss as f32)
    };
    let epochs = train(&mut network, &clips, recipe, checkpoint, measure, |_| ())?;
    let parameters = network.named("").into_iter().flat_map(|(_, matrix)| matrix.as_vec());
    Ok((parameters.collect(), epochs))
}

#[test]
fn an_interrupted_training_ends_with_the_same_numbers() {
    for kind in KINDS {
        let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
        let file = file.join(format!("recogniser-{kind:?}.safetensors"));
        let _ = std::fs::remove_file(&file);
        let (none, kept) = (Checkpoint::new(None), Checkpoint::new(Some(file)));
        let whole = learn(kind, &RECIPE, &none, None).unwrap();
        assert_eq!(learn(kind, &RECIPE, &none, None).unwrap(), whole);
        assert!(learn(kind, &RECIPE, &kept, Some(2)).is_err());
        assert_eq!(learn(kind, &RECIPE, &kept, None).unwrap(), whole);
        // What another recipe left is not used.
        let other = Recipe { rate: 0.005, ..RECIPE };
        let expected = learn(kind, &other, &none, None).unwrap();
        assert_eq!(learn(kind, &other, &kept, None).unwrap(), expected);
    }
}

#[test]
fn both_networks_learn_what_can_be_learned() {
    let recipe = Recipe { epochs: 60, batch: 5, rate: 0.02, falling: 58, smoothing: 0.0, ..RECIPE };
    for kind in KINDS {
        let (_, epochs) = learn(kind, &recipe, &Checkpoint::new(None), None).unwrap();
        assert!(epochs[0].measured > 1.5, "{kind:?}: {}", epochs[0].measured);
        assert!(epochs[59].measured < 0.2, "{kind:?}: {}", epochs[59].measured);
    }
}

#[test]
fn progress_counts_clips_and_says_how_long_the_rest_takes() {
    let (mut network, clips) = (network(DecoderKind::Recurrent), clips(20));
    let mut all: Vec<Progress> = Vec::new();
    let none = Checkpoint::new(None);
    train(&mut network, &clips, &RECIPE, &none, |_, _| Ok(()), |at| all.push(*at)).unwrap();
    assert_eq!(all.len(), 4 * 3);
    let last = all[11];
    assert_eq!((all[4].epoch, all[4].clips, last.epochs, last.clips), (1, 16, 4, 20));
    assert_eq!(last.seconds_left, 0.0);
    assert!(all[4].seconds_left > 0.0 && last.clips_per_second > 0.0);
    assert_eq!(all[2].loss, None);
    assert!(last.loss.is_some_and(f64::is_finite));
}

#[test]
fn the_rate_rises_and_falls_as_published() {
    let rate = |epoch| (Recipe::PUBLISHED.rate_of(epoch) * 1e8).round() / 1e8;
    let rates: Vec<f64> = (0..15).map(rate).collect();
    assert_eq!(rates[..4], [1e-5, 5.05e-4, 1e-3, 9.175e-4]);
    assert_eq!(rates[14], 1e-5);
}

#[test]
fn wrong_clips_and_sizes_are_named() {
    let good = clips(1).remove(0);
    let error = |clips: &[Clip]| Batch::new(clips, &SMALL).unwrap_err().to_string();
    assert_eq!(error(&[]), "a batch without clips");
    let mut wrong = good.clone();
    wrong.features[12] = f32::NAN;
    let expected = "clip 1 of the batch has a feature in frame 2 that is not finite";
    assert_eq!(error(&[good.clone(), wrong]), expected);
    let mut wrong = good.clone();
    wrong.features.pop();
    let expected = "clip 1 of the batch has 59 features, not 60 as clip 0";
    assert_eq!(error(&[good.clone(), wrong.clone()]), expected);
    let expected = "clip 0 of the batch has 59 features, not 5 in each of up to 12 frames";
    assert_eq!(error(&[wrong]), expected);
    let mut wrong = good.clone();
    wrong.tokens[2] = 9;
    assert_eq!(error(&[wrong]), "clip 0 of the batch has token 9 of a vocabulary of 9");
    let mut wrong = good.clone();
    wrong.tokens.truncate(1);
    assert_eq!(error(&[wrong]), "clip 0 of the batch has 1 tokens, not 2 to 8");

    let mut network = network(DecoderKind::Attention);
    let none = Checkpoint::new(None);
    let mut nothing = |clips: &[Clip], recipe: &Recipe| {
        train(&mut network, clips, recipe, &none, |_, _| Ok(()), |_| ()).unwrap_err()
    };
    assert!(matches!(nothing(&[], &RECIPE), TrainingError::NothingToLearn));
    let mut wrong = good.clone();
    wrong.features[0] = f32::INFINITY;
    let error = nothing(&[wrong], &RECIPE);
    assert!(matches!(error, TrainingError::Clips(ClipError::NotFinite { clip: 0, frame: 0 })));
    let diverging = Recipe { rate: f64::INFINITY, ..RECIPE };
    let error = nothing(&clips(20), &diverging);
    assert!(matches!(error, TrainingError::Diverged { epoch: 0, clips: 8 }), "{error}");

    let made = |sizes| Recogniser::<f32, Cpu>::new(sizes, KINDS[0], 1, &Cpu::default()).err();
    assert_eq!(made(Sizes { width: 0, ..SMALL }), Some(WrongSizes::Zero));
    let wrong = made(Sizes { heads: 3, ..SMALL }).expect("3 heads cannot share 8 components");
    assert_eq!(wrong, WrongSizes::Width { width: 8, heads: 3 });
}

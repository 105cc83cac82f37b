//! Operations on sequences and both speech networks, on the device and in double precision on the
//! CPU.
//!
//! In: a device. Out: comparisons. The reference is [`Composed`] on the CPU, gradients are compared
//! with its central differences, and what a decoder writes token by token with what it says of
//! all tokens at once.

use dfdx::dtypes::Dtype;
use dfdx::prelude::{Cpu, HasShape, NoneTape, OwnedTape, ReshapeTo};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::operations::{Inputs, Operation};
use super::{Bounds, Comparison, Comparisons, Numbers, Random, Traced, back, number, of, two};
use crate::parameters::Parameters;
use crate::recogniser::{DecoderKind, Recogniser, Sizes};
use crate::sequence::{Composed, SequenceDevice, SequenceOps, Sequences};

/// Compares all operations on sequences in one precision, as `O` has them.
pub fn compare_sequences<E: Dtype, D: SequenceDevice<E>, O: SequenceOps<E, D>>(
    device: &D,
) -> Vec<Comparison> {
    let mut all = Comparisons { bounds: Bounds::of::<E>(), rows: Vec::new() };
    let mut random = Random(StdRng::seed_from_u64(8));
    for operation in Operation::ALL {
        let (sequences, matrices) = operation.shapes();
        let mut numbers: Vec<Numbers> =
            sequences.iter().map(|shape| random.normal(shape)).collect();
        numbers.extend(matrices.iter().map(|shape| random.normal(shape)));
        let inputs = on(device, &numbers);
        let (result, gradients) = back(operation.apply::<E, D, O, OwnedTape<E, D>>(&inputs));
        let gradients = inputs
            .sequences
            .iter()
            .map(|x| of(&gradients, x))
            .chain(inputs.matrices.iter().map(|x| of(&gradients, x)))
            .collect();
        all.add(&operation.name(), &numbers, Traced { result, gradients }, |numbers| {
            let inputs = on(&Cpu::default(), numbers);
            operation.apply::<f64, Cpu, Composed, NoneTape>(&inputs).as_vec()
        });
    }
    all.rows
}

/// The inputs of an operation on a device.
fn on<E: Dtype, D: SequenceDevice<E>>(device: &D, numbers: &[Numbers]) -> Inputs<E, D> {
    let (sequences, matrices): (Vec<&Numbers>, Vec<&Numbers>) =
        numbers.iter().partition(|numbers| numbers.shape.len() == 3);
    Inputs {
        sequences: sequences.into_iter().map(|numbers| three(device, numbers)).collect(),
        matrices: matrices.into_iter().map(|numbers| two(device, numbers)).collect(),
    }
}

/// The smallest sizes with which every part of a network has something to do.
const SMALL: Sizes = Sizes {
    mels: 2,
    frames: 5,
    tokens: 4,
    vocabulary: 5,
    width: 4,
    heads: 2,
    hidden: 3,
    blocks: 1,
};
const TOKENS: [usize; 8] = [1, 0, 4, 2, 3, 3, 0, 1];
const LABELS: [usize; 8] = [0, 4, 2, 1, 3, 0, 1, 2];

/// Compares whole networks with both decoders in one precision: what they say of all tokens, what
/// they say token by token, the loss and the gradients to all parameters.
pub fn compare_networks<E: Dtype, D: SequenceDevice<E>>(device: &D) -> Vec<Comparison> {
    // Errors of some twenty operations add up.
    let bounds = Bounds::of::<E>();
    let bounds =
        Bounds { result: 10.0 * bounds.result, gradient: 10.0 * bounds.gradient, ..bounds };
    let mut all = Comparisons { bounds, rows: Vec::new() };
    let mut random = Random(StdRng::seed_from_u64(9));
    for (kind, name) in
        [(DecoderKind::Recurrent, "recurrent"), (DecoderKind::Attention, "attention")]
    {
        let start = Recogniser::<f32, Cpu>::new(SMALL, kind, 3, &Cpu::default())
            .expect("the sizes fit together");
        let mut numbers = vec![random.normal(&[2, SMALL.frames, SMALL.mels])];
        numbers.extend(start.named("").into_iter().map(|(_, matrix)| Numbers {
            shape: vec![matrix.shape().0, matrix.shape().1],
            data: matrix.as_vec().into_iter().map(f64::from).collect(),
        }));
        let network = filled::<E, D>(kind, device, &numbers[1..]);
        let reference = |numbers: &[Numbers]| {
            let cpu = Cpu::default();
            (filled::<f64, Cpu>(kind, &cpu, &numbers[1..]), three::<f64, Cpu>(&cpu, &numbers[0]))
        };

        let clips = three(device, &numbers[0]);
        let logits = network.logits::<OwnedTape<E, D>>(clips.retaped(), &TOKENS);
        let loss = D::Ops::cross_entropy(logits, &LABELS, 0.1);
        let (result, gradients) = back(loss.reshape_like(&(1, 1, 1)));
        let gradients =
            network.named("").into_iter().map(|(_, matrix)| of(&gradients, matrix)).collect();
        // No gradient goes to the clips.
        all.add_from(
            1,
            &format!("step of the {name} network"),
            &numbers,
            Traced { result, gradients },
            |numbers| {
                let (network, clips) = reference(numbers);
                Composed::cross_entropy(network.logits(clips, &TOKENS), &LABELS, 0.1).as_vec()
            },
        );

        let (network_of_reference, clips_of_reference) = reference(&numbers);
        let expected = network_of_reference.logits(clips_of_reference, &TOKENS).as_vec();
        let mut memory = network.decoder.start();
        let frames = network.decoder.frames(network.encoder.forward(clips));
        let length = TOKENS.len() / 2;
        let mut found = vec![0.0; expected.len()];
        for step in 0..length {
            let tokens = [TOKENS[step], TOKENS[length + step]];
            let logits = network.decoder.step(&frames, &tokens, &mut memory).as_vec();
            for (clip, logits) in logits.chunks_exact(SMALL.vocabulary).enumerate() {
                let to = &mut found[(clip * length + step) * SMALL.vocabulary..];
                to.iter_mut().zip(super::doubles(logits)).for_each(|(to, x)| *to = x);
            }
        }
        all.add_result(&format!("{name} decoder, token by token"), &found, &expected);
    }
    all.rows
}

/// A network with these parameters.
fn filled<E: Dtype, D: SequenceDevice<E>>(
    kind: DecoderKind,
    device: &D,
    parameters: &[Numbers],
) -> Recogniser<E, D> {
    let mut network = Recogniser::new(SMALL, kind, 3, device).expect("the sizes fit together");
    for ((_, matrix), numbers) in network.named_mut("").into_iter().zip(parameters) {
        *matrix = two(device, numbers);
    }
    network
}

fn three<E: Dtype, D: SequenceDevice<E>>(device: &D, x: &Numbers) -> Sequences<E, D> {
    let data = x.data.iter().map(|&x| number(x)).collect();
    let shape = (x.shape[0], x.shape[1], x.shape[2]);
    device.tensor_from_vec(data, shape)
}

//! Operations on sequences and both speech networks, on the device and in double precision on the
//! CPU.
//!
//! In: a device. Out: comparisons. The reference is [`Composed`] on the CPU, gradients are compared
//! with its central differences, and what a decoder writes token by token with what it says of
//! all tokens at once.

use dfdx::dtypes::Dtype;
use dfdx::prelude::{Cpu, HasShape, NoneTape, OwnedTape, ReshapeTo, Tape};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::{Bounds, Comparison, Comparisons, Numbers, Random, Traced, back, number, of, two};
use crate::attention::Matrix;
use crate::image::{Sliding, Source};
use crate::parameters::Parameters;
use crate::recogniser::{DecoderKind, Recogniser, Sizes};
use crate::sequence::{
    Composed, Gates, LstmState, SequenceDevice, SequenceOps, Sequences, Visible,
};

/// What is compared.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Affine,
    Linear,
    Convolution(Sliding),
    Gelu,
    LayerNorm,
    Attention(usize),
    CausalAttention,
    PaddedAttention,
    Lstm,
    Add,
    AddRows,
    Embedding,
    CrossEntropy,
}

const ALL: [Operation; 14] = [
    Operation::Affine,
    Operation::Linear,
    Operation::Convolution(Sliding { size: 3, stride: 1, padding: 1 }),
    Operation::Convolution(Sliding { size: 3, stride: 2, padding: 1 }),
    Operation::Gelu,
    Operation::LayerNorm,
    Operation::Attention(2),
    Operation::CausalAttention,
    Operation::PaddedAttention,
    Operation::Lstm,
    Operation::Add,
    Operation::AddRows,
    Operation::Embedding,
    Operation::CrossEntropy,
];

impl Operation {
    fn name(self) -> String {
        match self {
            Self::Affine => "affine map of sequences".into(),
            Self::Linear => "linear map of sequences".into(),
            Self::Convolution(by) => format!("convolution of sequences, stride {}", by.stride),
            Self::Gelu => "GELU".into(),
            Self::LayerNorm => "normalisation".into(),
            Self::Attention(heads) => format!("attention with {heads} heads"),
            Self::CausalAttention => "attention, causal".into(),
            Self::PaddedAttention => "attention, causal and padded".into(),
            Self::Lstm => "long short-term memory".into(),
            Self::Add => "sum of sequences".into(),
            Self::AddRows => "sum with rows".into(),
            Self::Embedding => "embedding".into(),
            Self::CrossEntropy => "cross-entropy, smoothed".into(),
        }
    }

    /// Shapes of the sequences and of the matrices.
    fn shapes(self) -> (Vec<[usize; 3]>, Vec<[usize; 2]>) {
        match self {
            Self::Affine => (vec![[2, 5, 6]], vec![[6, 4], [1, 4]]),
            Self::Linear => (vec![[2, 5, 6]], vec![[6, 4]]),
            Self::Convolution(by) => (vec![[2, 7, 3]], vec![[by.size * 3, 4], [1, 4]]),
            Self::Gelu => (vec![[2, 5, 6]], vec![]),
            Self::LayerNorm => (vec![[2, 5, 6]], vec![[1, 6], [1, 6]]),
            Self::Attention(_) => (vec![[2, 4, 6], [2, 5, 6], [2, 5, 6]], vec![]),
            Self::CausalAttention | Self::PaddedAttention => (vec![[2, 5, 6]; 3], vec![]),
            Self::Lstm => (vec![[2, 4, 3]], vec![[3, 20], [5, 20], [1, 20], [1, 20]]),
            Self::Add => (vec![[2, 5, 6]; 2], vec![]),
            Self::AddRows => (vec![[2, 3, 6]], vec![[7, 6]]),
            Self::Embedding => (vec![], vec![[7, 6]]),
            Self::CrossEntropy => (vec![[2, 3, 5]], vec![]),
        }
    }

    fn apply<E: Dtype, D: SequenceDevice<E>, O: SequenceOps<E, D>, T: Tape<E, D>>(
        self,
        inputs: &Inputs<E, D>,
    ) -> Sequences<E, D, T> {
        let x = |at: usize| -> Sequences<E, D, T> { inputs.sequences[at].retaped() };
        let matrix = |at: usize| &inputs.matrices[at];
        match self {
            Self::Affine => O::affine(x(0), matrix(0), Some(matrix(1))),
            Self::Linear => O::affine(x(0), matrix(0), None),
            Self::Convolution(by) => O::convolve(x(0), matrix(0), matrix(1), by, Source::Features),
            Self::Gelu => O::gelu(x(0)),
            Self::LayerNorm => O::layer_norm(x(0), matrix(0), matrix(1)),
            Self::Attention(heads) => O::attend(x(0), x(1), x(2), heads, &Visible::all()),
            Self::CausalAttention => O::attend(x(0), x(1), x(2), 2, &Visible::causal()),
            Self::PaddedAttention => {
                O::attend(x(0), x(1), x(2), 2, &Visible::causal().within(&[2, 5]))
            }
            Self::Lstm => {
                let gates = Gates {
                    input: matrix(0).clone(),
                    state: matrix(1).clone(),
                    input_bias: matrix(2).clone(),
                    state_bias: matrix(3).clone(),
                };
                O::lstm(x(0), &gates, &LstmState::start(x(0).device(), 2, 5)).0
            }
            Self::Add => O::add(x(0), &inputs.sequences[1]),
            Self::AddRows => O::add_rows(x(0), matrix(0), 2),
            Self::Embedding => O::embed(matrix(0), &[3, 0, 3, 6, 1, 3], 3),
            Self::CrossEntropy => {
                O::cross_entropy(x(0), &[4, 0, 2, 2, 1, 3], 0.1).reshape_like(&(1, 1, 1))
            }
        }
    }
}

/// The inputs of an operation on a device.
struct Inputs<E: Dtype, D: SequenceDevice<E>> {
    sequences: Vec<Sequences<E, D>>,
    matrices: Vec<Matrix<E, D>>,
}

impl<E: Dtype, D: SequenceDevice<E>> Inputs<E, D> {
    fn new(device: &D, inputs: &[Numbers]) -> Self {
        let (mut sequences, mut matrices) = (Vec::new(), Vec::new());
        for input in inputs {
            match input.shape.len() {
                3 => sequences.push(three(device, input)),
                _ => matrices.push(two(device, input)),
            }
        }
        Self { sequences, matrices }
    }
}

/// Compares all operations on sequences in one precision, as `O` has them.
pub fn compare_sequences<E: Dtype, D: SequenceDevice<E>, O: SequenceOps<E, D>>(
    device: &D,
) -> Vec<Comparison> {
    let mut all = Comparisons { bounds: Bounds::of::<E>(), rows: Vec::new() };
    let mut random = Random(StdRng::seed_from_u64(8));
    for operation in ALL {
        let (sequences, matrices) = operation.shapes();
        let mut numbers: Vec<Numbers> =
            sequences.iter().map(|shape| random.normal(shape)).collect();
        numbers.extend(matrices.iter().map(|shape| random.normal(shape)));
        let inputs = Inputs::new(device, &numbers);
        let (result, gradients) = back(operation.apply::<E, D, O, OwnedTape<E, D>>(&inputs));
        let gradients = inputs
            .sequences
            .iter()
            .map(|x| of(&gradients, x))
            .chain(inputs.matrices.iter().map(|x| of(&gradients, x)))
            .collect();
        all.add(&operation.name(), &numbers, Traced { result, gradients }, |numbers| {
            let inputs = Inputs::new(&Cpu::default(), numbers);
            operation.apply::<f64, Cpu, Composed, NoneTape>(&inputs).as_vec()
        });
    }
    all.rows
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

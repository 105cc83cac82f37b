//! Operations on sequences: the composed ones against plain loops and finite differences, the
//! fused ones against the composed ones.

use dfdx::prelude::*;
use veracity_nets::attention::Matrix;
use veracity_nets::image::Sliding;
use veracity_nets::selftest::{Inputs, Operation};
use veracity_nets::sequence::{
    Composed, Fused, Gates, LstmState, SequenceDevice, SequenceOps, Sequences, Visible, sinusoids,
};

const HALF: Sliding = Sliding { size: 3, stride: 2, padding: 1 };

/// Shapes of the inputs, those of matrices as of a single sequence.
fn shapes(operation: Operation) -> Vec<(usize, usize, usize)> {
    let (sequences, matrices) = operation.shapes();
    let sequences = sequences.into_iter().map(|[count, length, width]| (count, length, width));
    sequences.chain(matrices.into_iter().map(|[rows, columns]| (1, rows, columns))).collect()
}

/// The result for these inputs, all of which are traced.
fn apply<E: Dtype, O: SequenceOps<E, Cpu>>(
    operation: Operation,
    inputs: &[Sequences<E, Cpu>],
) -> Sequences<E, Cpu, OwnedTape<E, Cpu>>
where
    Cpu: SequenceDevice<E>,
{
    // A matrix with the identity of its input, which its gradient belongs to.
    let matrix = |input: &Sequences<E, Cpu>| -> Matrix<E, Cpu> {
        let (_, rows, columns) = *input.shape();
        input.clone().reshape_like(&(rows, columns))
    };
    let (sequences, matrices) = inputs.split_at(operation.shapes().0.len());
    let matrices = matrices.iter().map(matrix).collect();
    operation.apply::<E, Cpu, O, _>(&Inputs { sequences: sequences.to_vec(), matrices })
}

/// Weights every number differently, so that no two errors cancel.
fn objective<E: Dtype>(
    results: Sequences<E, Cpu, OwnedTape<E, Cpu>>,
) -> Tensor<(), E, Cpu, OwnedTape<E, Cpu>>
where
    Cpu: Device<E>,
{
    let weights = random(99, *results.shape()).as_vec();
    let weights = weights.iter().map(|&weight| E::from_f64(weight).unwrap()).collect();
    let weights = results.device().tensor_from_vec(weights, *results.shape());
    (results * weights).sum()
}

fn random(seed: u64, shape: (usize, usize, usize)) -> Sequences<f64, Cpu> {
    let exact: Sequences<f32, Cpu> = Cpu::seed_from_u64(seed).sample_normal_like(&shape);
    let numbers = exact.as_vec().into_iter().map(f64::from).collect();
    Cpu::default().tensor_from_vec(numbers, shape)
}

fn inputs(shapes: &[(usize, usize, usize)]) -> Vec<Sequences<f64, Cpu>> {
    shapes.iter().enumerate().map(|(seed, &shape)| random(seed as u64, shape)).collect()
}

fn in_single(inputs: &[Sequences<f64, Cpu>]) -> Vec<Sequences<f32, Cpu>> {
    let single = |input: &Sequences<f64, Cpu>| {
        let numbers = input.as_vec().into_iter().map(|number| number as f32).collect();
        Cpu::default().tensor_from_vec(numbers, *input.shape())
    };
    inputs.iter().map(single).collect()
}

fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let relative = |(a, b): (&f64, &f64)| (a - b).abs() / b.abs().max(1.0);
    a.iter().zip(b).map(relative).fold(0.0, f64::max)
}

/// Central differences of the weighted sum of results, for every number of an input.
fn differences(
    inputs: &[Sequences<f64, Cpu>],
    which: usize,
    value: impl Fn(&[Sequences<f64, Cpu>]) -> f64,
) -> Vec<f64> {
    let step = 1e-5;
    let shape = *inputs[which].shape();
    let shifted = |at: usize, by: f64| {
        let mut changed = inputs.to_vec();
        let mut numbers = inputs[which].as_vec();
        numbers[at] += by;
        changed[which] = Cpu::default().tensor_from_vec(numbers, shape);
        value(&changed)
    };
    let count = shape.num_elements();
    (0..count).map(|at| (shifted(at, step) - shifted(at, -step)) / (2.0 * step)).collect()
}

#[test]
fn gradients_of_the_composed_operations_agree_with_finite_differences() {
    for operation in Operation::ALL {
        let inputs = inputs(&shapes(operation));
        let value = |inputs: &[Sequences<f64, Cpu>]| {
            objective(apply::<f64, Composed>(operation, inputs)).as_vec()[0]
        };
        let gradients = objective(apply::<f64, Composed>(operation, &inputs)).backward();
        for (which, input) in inputs.iter().enumerate() {
            let expected = differences(&inputs, which, value);
            let error = largest_difference(&gradients.get(input).as_vec(), &expected);
            assert!(error < 1e-7, "{operation:?}, input {which}: {error}");
        }
    }
}

/// The derivative that dfdx has for this activation is wrong, and the check sees it.
#[test]
fn a_wrong_derivative_is_noticed() {
    let inputs = inputs(&[(2, 5, 6)]);
    let wrong = |inputs: &[Sequences<f64, Cpu>]| objective(inputs[0].leaky_trace().accurate_gelu());
    let expected = differences(&inputs, 0, |inputs| wrong(inputs).as_vec()[0]);
    let gradient = wrong(&inputs).backward().get(&inputs[0]).as_vec();
    assert!(largest_difference(&gradient, &expected) > 1e-2);
}

fn assert_both_agree(operation: Operation, shapes: &[(usize, usize, usize)]) {
    let double = inputs(shapes);
    let single = in_single(&double);
    let composed = apply::<f64, Composed>(operation, &double);
    let fused = apply::<f32, Fused>(operation, &single);
    let wide = |numbers: Vec<f32>| numbers.into_iter().map(f64::from).collect::<Vec<_>>();
    let error = largest_difference(&wide(fused.as_vec()), &composed.as_vec());
    assert!(error < 1e-5, "{operation:?}: {error}");
    let (fused, composed) = (objective(fused).backward(), objective(composed).backward());
    for (which, (single, double)) in single.iter().zip(&double).enumerate() {
        let gradient = wide(fused.get(single).as_vec());
        let error = largest_difference(&gradient, &composed.get(double).as_vec());
        assert!(error < 5e-5, "{operation:?}, input {which}: {error}");
    }
}

#[test]
fn fused_operations_agree_with_composed_ones() {
    for operation in Operation::ALL {
        assert_both_agree(operation, &shapes(operation));
    }
}

/// Sizes beyond the blocks of the kernels, and no multiples of them.
#[test]
fn fused_operations_agree_over_several_blocks() {
    assert_both_agree(Operation::Affine, &[(2, 270, 33), (1, 33, 49), (1, 1, 49)]);
    assert_both_agree(Operation::Linear, &[(1, 9, 300), (1, 300, 20)]);
    assert_both_agree(Operation::Convolution(HALF), &[(2, 301, 6), (1, 18, 35), (1, 1, 35)]);
    assert_both_agree(Operation::Gelu, &[(2, 270, 3)]);
    assert_both_agree(Operation::LayerNorm, &[(2, 270, 40), (1, 1, 40), (1, 1, 40)]);
    assert_both_agree(Operation::Attention(2), &[(2, 101, 34), (2, 270, 34), (2, 270, 34)]);
    assert_both_agree(Operation::CausalAttention, &[(1, 101, 34); 3]);
}

/// Attention by its definition, for one sequence and one head.
fn attention_by_loops(q: &[Vec<f64>], k: &[Vec<f64>], v: &[Vec<f64>], causal: bool) -> Vec<f64> {
    let scale = (q[0].len() as f64).sqrt();
    let mut out = Vec::new();
    for (at, q) in q.iter().enumerate() {
        let seen = if causal { at + 1 } else { k.len() };
        let dot = |k: &Vec<f64>| q.iter().zip(k).map(|(q, k)| q * k).sum::<f64>() / scale;
        let weights: Vec<f64> = k[..seen].iter().map(|k| dot(k).exp()).collect();
        let sum: f64 = weights.iter().sum();
        for component in 0..v[0].len() {
            let mixed = weights.iter().zip(v).map(|(w, v)| w / sum * v[component]);
            out.push(mixed.sum());
        }
    }
    out
}

fn rows(x: &Sequences<f64, Cpu>, sequence: usize, from: usize, to: usize) -> Vec<Vec<f64>> {
    let (_, length, width) = *x.shape();
    let numbers = x.as_vec();
    let row = |at: usize| numbers[(sequence * length + at) * width..][from..to].to_vec();
    (0..length).map(row).collect()
}

#[test]
fn attention_agrees_with_its_definition() {
    let inputs = inputs(&[(2, 5, 6); 3]);
    for (operation, causal) in
        [(Operation::Attention(2), false), (Operation::CausalAttention, true)]
    {
        let result = apply::<f64, Composed>(operation, &inputs);
        let result = result.retaped::<NoneTape>();
        for (sequence, head) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let part = |x| rows(x, sequence, 3 * head, 3 * head + 3);
            let [q, k, v] = [part(&inputs[0]), part(&inputs[1]), part(&inputs[2])];
            let expected = attention_by_loops(&q, &k, &v, causal);
            assert!(largest_difference(&part(&result).concat(), &expected) < 1e-12);
            let other = attention_by_loops(&q, &k, &v, !causal);
            assert!(largest_difference(&part(&result).concat(), &other) > 1e-2);
        }
    }
}

#[test]
fn a_long_short_term_memory_agrees_with_its_equations() {
    let inputs = inputs(&shapes(Operation::Lstm));
    let result = apply::<f64, Composed>(Operation::Lstm, &inputs).as_vec();
    let weights: Vec<Vec<f64>> = inputs[1..].iter().map(Tensor::as_vec).collect();
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    for sequence in 0..2 {
        let (mut state, mut memory) = (vec![0.0; 5], vec![0.0; 5]);
        for (step, x) in rows(&inputs[0], sequence, 0, 3).iter().enumerate() {
            let gate = |gate: usize, cell: usize| {
                let column = 5 * gate + cell;
                let input: f64 = (0..3).map(|at| x[at] * weights[0][at * 20 + column]).sum();
                let known: f64 = (0..5).map(|at| state[at] * weights[1][at * 20 + column]).sum();
                input + known + weights[2][column] + weights[3][column]
            };
            let after: Vec<(f64, f64)> = (0..5)
                .map(|cell| {
                    let kept = sigmoid(gate(1, cell)) * memory[cell];
                    let memory = kept + sigmoid(gate(0, cell)) * gate(2, cell).tanh();
                    (sigmoid(gate(3, cell)) * memory.tanh(), memory)
                })
                .collect();
            (state, memory) = after.into_iter().unzip();
            let found = &result[(sequence * 4 + step) * 5..][..5];
            assert!(largest_difference(found, &state) < 1e-12);
        }
    }
}

#[test]
fn a_memory_goes_on_from_its_state() {
    let shapes = shapes(Operation::Lstm);
    let inputs = in_single(&inputs(&shapes));
    let matrix = |at: usize| {
        let (_, rows, columns) = shapes[at];
        inputs[at].clone().reshape_like(&(rows, columns))
    };
    let gates =
        Gates { input: matrix(1), state: matrix(2), input_bias: matrix(3), state_bias: matrix(4) };
    let run = |x: Sequences<f32, Cpu>, state: &LstmState<f32, Cpu>| Fused::lstm(x, &gates, state);
    let mut state = LstmState::start(&Cpu::default(), 2, 5);
    let (whole, end) = run(inputs[0].clone(), &state);
    for step in 0..4 {
        let piece = inputs[0].clone().slice((.., step..step + 1, ..));
        let (shown, after) = run(piece.reshape_like(&(2, 1, 3)), &state);
        state = after;
        for sequence in 0..2 {
            let expected = &whole.as_vec()[(sequence * 4 + step) * 5..][..5];
            assert_eq!(&shown.as_vec()[sequence * 5..][..5], expected);
        }
    }
    assert_eq!(state.memory.as_vec(), end.memory.as_vec());
}

#[test]
fn padding_has_no_influence() {
    let inputs = in_single(&inputs(&[(2, 5, 6); 3]));
    let attend = |k: &Sequences<f32, Cpu>, v: &Sequences<f32, Cpu>| {
        let visible = Visible::all().within(&[2, 5]);
        Fused::attend(inputs[0].clone(), k.clone(), v.clone(), 2, &visible).as_vec()
    };
    let expected = attend(&inputs[1], &inputs[2]);
    let with = |x: &Sequences<f32, Cpu>, row: usize| {
        let mut numbers = x.as_vec();
        numbers[row * 6..][..6].fill(1e3);
        Cpu::default().tensor_from_vec(numbers, (2, 5, 6))
    };
    assert_eq!(attend(&with(&inputs[1], 2), &with(&inputs[2], 4)), expected);
    assert_ne!(attend(&with(&inputs[1], 1), &inputs[2]), expected);
}

#[test]
fn positions_are_sines_and_cosines_up_to_the_longest() {
    let positions: Matrix<f64, Cpu> = sinusoids(&Cpu::default(), 3, 6, 3_000.0);
    let slow = 2_f64 / 3_000.0;
    let middle = 2.0 / 3_000_f64.sqrt();
    let expected = [2_f64.sin(), middle.sin(), slow.sin(), 2_f64.cos(), middle.cos(), slow.cos()];
    assert!(largest_difference(&positions.as_vec()[12..], &expected) < 1e-12);
}

#[test]
#[should_panic(expected = "4 heads share 6 components")]
fn heads_that_do_not_share_the_width_are_refused() {
    let x: Sequences<f32, Cpu> = Cpu::default().zeros_like(&(1, 2, 6));
    Fused::attend(x.clone(), x.clone(), x, 4, &Visible::all());
}

#[test]
#[should_panic(expected = "sizes of the weights")]
fn weights_of_another_width_are_refused() {
    let x: Sequences<f32, Cpu> = Cpu::default().zeros_like(&(1, 2, 6));
    Fused::affine(x, &Cpu::default().zeros_like(&(5, 3)), None);
}

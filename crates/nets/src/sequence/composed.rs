//! The operations as compositions of dfdx's own, on any device.
//!
//! In: sequences. Out: sequences. Left out: speed.

use std::f64::consts::PI;

use dfdx::dtypes::Dtype;
use dfdx::prelude::{
    Axes4, Axis, BroadcastTo, Device, GatherTo, HasShape, PermuteTo, PutTape, Rank0, ReshapeTo,
    SplitTape, SumTo, Tape, Tensor, TryConcatAlong, TryMatMul, TryStack,
};

use super::{
    EPSILON, Extent, Gates, LstmState, SequenceOps, Sequences, Visible, assert_sizes, number,
};
use crate::attention::Matrix;
use crate::image::{Sliding, Source};

/// Operations composed of dfdx's own.
#[derive(Clone, Copy, Debug)]
pub struct Composed;

/// Stands for −∞: its exponential is 0, and no difference with it is undefined.
const NEVER: f64 = -1e30;

type Heads<E, D, T> = Tensor<(usize, usize, usize, usize), E, D, T>;

impl<E: Dtype, D: Device<E>> SequenceOps<E, D> for Composed {
    fn affine<T: Tape<E, D>>(
        x: Sequences<E, D, T>,
        weight: &Matrix<E, D>,
        bias: Option<&Matrix<E, D>>,
    ) -> Sequences<E, D, T> {
        let (batch, length, inputs) = *x.shape();
        let outputs = weight.shape().1;
        assert_sizes("weights", weight, (inputs, outputs));
        let rows = batch * length;
        let products = x.reshape_like(&(rows, inputs)).matmul(weight.clone());
        let results = match bias {
            Some(bias) => {
                assert_sizes("bias", bias, (1, outputs));
                products + over_rows::<_, _, T>(bias, rows)
            }
            None => products,
        };
        results.reshape_like(&(batch, length, outputs))
    }

    fn convolve<T: Tape<E, D>>(
        x: Sequences<E, D, T>,
        kernels: &Matrix<E, D>,
        bias: &Matrix<E, D>,
        sliding: Sliding,
        _: Source,
    ) -> Sequences<E, D, T> {
        let (batch, length, width) = *x.shape();
        let positions = sliding.positions(length);
        let padded = if sliding.padding == 0 {
            x
        } else {
            let zeros: Sequences<E, D> = x.device().zeros_like(&(batch, sliding.padding, width));
            let (x, tape) = x.split_tape();
            let left = (zeros.clone().put_tape(tape), x).concat_along(Axis::<1>);
            (left, zeros).concat_along(Axis::<1>)
        };
        let room = length + 2 * sliding.padding;
        let places = (0..batch).flat_map(|sequence| {
            (0..positions).flat_map(move |position| {
                (0..sliding.size)
                    .map(move |place| sequence * room + position * sliding.stride + place)
            })
        });
        let rows = padded.reshape_like(&(batch * room, width));
        let patches = select_rows(rows, places.collect());
        let patches = patches.reshape_like(&(batch, positions, sliding.size * width));
        Self::affine(patches, kernels, Some(bias))
    }

    /// dfdx's `accurate_gelu` has the right values, but its derivative has x·e^(−x²/2)/√π in
    /// place of x·e^(−x²/2)/√(2π). The last term here is zero and makes good the difference.
    fn gelu<T: Tape<E, D>>(x: Sequences<E, D, T>) -> Sequences<E, D, T> {
        let excess = 1.0 / PI.sqrt() - 1.0 / (2.0 * PI).sqrt();
        let bell = (x.retaped::<T>().square() * number::<E>(-0.5)).exp() * number::<E>(excess);
        // Another tensor with the same numbers, to which no gradient goes.
        let constant = bell.retaped::<dfdx::prelude::NoneTape>() * E::ONE;
        x.accurate_gelu() + (bell - constant)
    }

    fn layer_norm<T: Tape<E, D>>(
        x: Sequences<E, D, T>,
        scale: &Matrix<E, D>,
        shift: &Matrix<E, D>,
    ) -> Sequences<E, D, T> {
        let shape = *x.shape();
        let (rows, width) = (shape.0 * shape.1, shape.2);
        assert_sizes("scales", scale, (1, width));
        assert_sizes("shifts", shift, (1, width));
        let normal = x.reshape_like(&(rows, width)).normalize::<Axis<1>>(EPSILON);
        let scaled = normal * over_rows::<_, _, T>(scale, rows);
        (scaled + over_rows::<_, _, T>(shift, rows)).reshape_like(&shape)
    }

    fn attend<T: Tape<E, D>>(
        queries: Sequences<E, D, T>,
        keys: Sequences<E, D, T>,
        values: Sequences<E, D, T>,
        heads: usize,
        visible: &Visible,
    ) -> Sequences<E, D, T> {
        let extent = Extent::new(&queries, &keys, *values.shape(), heads, visible);
        let weights = weights(queries, keys, heads, visible);
        let values = split_heads(values, heads);
        let mixed = weights.matmul(values).permute::<_, Axes4<0, 2, 1, 3>>();
        mixed.reshape_like(&(extent.batch, extent.queries, extent.width))
    }

    fn lstm<T: Tape<E, D>>(
        x: Sequences<E, D, T>,
        gates: &Gates<E, D>,
        start: &LstmState<E, D>,
    ) -> (Sequences<E, D, T>, LstmState<E, D>) {
        let (batch, length, _) = *x.shape();
        let size = gates.state.shape().0;
        assert_sizes("weights of the state", &gates.state, (size, 4 * size));
        assert_sizes("state", &start.state, (batch, size));
        assert_sizes("memory", &start.memory, (batch, size));
        let inputs = Self::affine(x, &gates.input, Some(&gates.input_bias));
        let (inputs, tape) = inputs.split_tape();
        let mut state = start.state.retaped::<T>();
        let mut memory = start.memory.retaped::<T>();
        let mut shown = Vec::with_capacity(length);
        for step in 0..length {
            let input = inputs.retaped::<T>().slice((.., step..step + 1, ..));
            let input = input.reshape_like(&(batch, 4 * size));
            let sums = state.matmul(gates.state.clone()) + input;
            let sums = sums + over_rows::<_, _, T>(&gates.state_bias, batch);
            let (sums, tape) = sums.split_tape();
            let gate = |at: usize| {
                let gate = sums.retaped::<T>().slice((.., at * size..(at + 1) * size));
                gate.reshape_like(&(batch, size))
            };
            let forgotten = gate(1).sigmoid() * memory;
            let candidate = gate(0).sigmoid() * gate(2).tanh();
            memory = forgotten + candidate;
            let (known, known_tape) = memory.split_tape();
            let tape = dfdx::prelude::Merge::merge(tape, known_tape);
            state = gate(3).sigmoid() * known.clone().put_tape(tape).tanh();
            memory = known.retaped::<T>();
            let (out, tape) = state.split_tape();
            shown.push(out.clone().put_tape(tape));
            state = out.retaped::<T>();
        }
        let end = LstmState { state: state.retaped(), memory: memory.retaped() };
        let last = shown.pop().expect("a sequence has a step");
        let (last, last_tape) = last.split_tape();
        shown.push(last.put_tape(dfdx::prelude::Merge::merge(tape, last_tape)));
        let shown: Tensor<(usize, usize, usize), E, D, T> = shown.stack();
        (shown.permute::<_, dfdx::prelude::Axes3<1, 0, 2>>(), end)
    }

    fn add<T: Tape<E, D>>(x: Sequences<E, D, T>, y: &Sequences<E, D>) -> Sequences<E, D, T> {
        x + y.clone()
    }

    fn add_rows<T: Tape<E, D>>(
        x: Sequences<E, D, T>,
        rows: &Matrix<E, D>,
        first: usize,
    ) -> Sequences<E, D, T> {
        let shape = *x.shape();
        let rows = select_rows(rows.retaped::<T>(), (first..first + shape.1).collect());
        x + rows.broadcast_like::<_, Axis<0>>(&shape)
    }

    fn embed<T: Tape<E, D>>(
        table: &Matrix<E, D>,
        tokens: &[usize],
        length: usize,
    ) -> Sequences<E, D, T> {
        let (batch, width) = (tokens.len() / length, table.shape().1);
        assert_eq!(tokens.len(), batch * length, "tokens of whole sequences");
        let rows = select_rows(table.retaped::<T>(), tokens.to_vec());
        rows.reshape_like(&(batch, length, width))
    }

    fn cross_entropy<T: Tape<E, D>>(
        logits: Sequences<E, D, T>,
        labels: &[usize],
        smoothing: f64,
    ) -> Tensor<Rank0, E, D, T> {
        let (batch, length, classes) = *logits.shape();
        assert_eq!(labels.len(), batch * length, "one label for each vector of logits");
        let share = -1.0 / labels.len() as f64;
        let mut truth =
            vec![number::<E>(share * smoothing / classes as f64); labels.len() * classes];
        for (row, &label) in labels.iter().enumerate() {
            truth[row * classes + label] += number::<E>(share * (1.0 - smoothing));
        }
        let truth = logits.device().tensor_from_vec(truth, (batch, length, classes));
        (logits.log_softmax::<Axis<2>>() * truth).sum()
    }
}

/// The weights of an attention.
pub(super) fn weights<E: Dtype, D: Device<E>, T: Tape<E, D>>(
    queries: Sequences<E, D, T>,
    keys: Sequences<E, D, T>,
    heads: usize,
    visible: &Visible,
) -> Heads<E, D, T> {
    let extent = Extent::new(&queries, &keys, *keys.shape(), heads, visible);
    let scale = number::<E>((extent.head() as f64).powf(-0.25));
    let device = queries.device().clone();
    let queries = split_heads(queries * scale, heads);
    let keys = split_heads(keys * scale, heads).permute::<_, Axes4<0, 1, 3, 2>>();
    let products = queries.matmul(keys);
    if *visible == Visible::all() {
        return products.softmax::<Axis<3>>();
    }
    let mut hidden = Vec::with_capacity(extent.batch * extent.heads * extent.queries * extent.keys);
    for sequence in 0..extent.batch {
        for query in (0..extent.heads).flat_map(|_| 0..extent.queries) {
            let count = visible.count(sequence, query, extent.keys);
            let row = (0..extent.keys).map(|key| if key < count { 0.0 } else { NEVER });
            hidden.extend(row.map(number::<E>));
        }
    }
    let shape = (extent.batch, extent.heads, extent.queries, extent.keys);
    let hidden = device.tensor_from_vec(hidden, shape);
    (products + hidden).softmax::<Axis<3>>()
}

fn split_heads<E: Dtype, D: Device<E>, T: Tape<E, D>>(
    x: Sequences<E, D, T>,
    heads: usize,
) -> Heads<E, D, T> {
    let (batch, length, width) = *x.shape();
    x.reshape_like(&(batch, length, heads, width / heads)).permute::<_, Axes4<0, 2, 1, 3>>()
}

/// A row, repeated.
fn over_rows<E: Dtype, D: Device<E>, T: Tape<E, D>>(
    row: &Matrix<E, D>,
    rows: usize,
) -> Matrix<E, D, T> {
    let width = row.shape().1;
    row.retaped::<T>().reshape_like(&(width,)).broadcast_like::<_, Axis<0>>(&(rows, width))
}

/// Selects rows by their indices, repeats allowed.
fn select_rows<E: Dtype, D: Device<E>, T: Tape<E, D>>(
    rows: Matrix<E, D, T>,
    indices: Vec<usize>,
) -> Matrix<E, D, T> {
    let count = indices.len();
    let most = rows.shape().0;
    assert!(indices.iter().all(|&index| index < most), "indices below {most}");
    let indices: Tensor<(usize,), usize, D> = rows.device().tensor_from_vec(indices, (count,));
    rows.gather(indices)
}

//! The operations in single precision on the CPU, each as one step of the tape.
//!
//! In: sequences. Out: sequences. Left out: double precision.
//!
//! Heads of an attention are columns of the same rows, and the vectors that a kernel of a
//! convolution sees lie together: nothing is permuted.

mod attention;
mod recurrent;

use dfdx::prelude::{
    Cpu, CpuError, Gradients, HasShape, PutTape, Rank0, ReshapeTo, SplitTape, Tape, Tensor,
};
use dfdx::shapes::Shape;

use super::{Gates, LstmState, SequenceOps, Sequences, Visible, assert_sizes};
use crate::attention::Matrix;
use crate::image::{Sliding, Source, tensor};
use crate::kernels::{Before, Buffer, add};
use crate::products::{Panels, View, in_parallel, product};
use crate::tape::{copy, gradient_of, put_back, take};
use crate::vectors;

/// Operations by kernels of this crate.
#[derive(Clone, Copy, Debug)]
pub struct Fused;

/// Rows that a thread takes at a time; sums over rows are made of those of such blocks.
const BLOCK: usize = 512;

impl SequenceOps<f32, Cpu> for Fused {
    fn affine<T: Tape<f32, Cpu>>(
        x: Sequences<f32, Cpu, T>,
        weight: &Matrix<f32, Cpu>,
        bias: Option<&Matrix<f32, Cpu>>,
    ) -> Sequences<f32, Cpu, T> {
        let (x, mut tape) = x.contiguous().split_tape();
        let (batch, length, inputs) = *x.shape();
        let (rows, outputs) = (batch * length, weight.shape().1);
        assert_sizes("weights", weight, (inputs, outputs));
        let (numbers, weights) = (copy(&x), copy(weight));
        let mut results = Buffer::any(rows * outputs);
        let before = start(&mut results, bias, outputs);
        let panels = Panels::new(inputs, outputs, View::rows(&weights, outputs));
        product(rows, View::rows(&numbers, inputs), &panels, &mut results, outputs, before);
        let result = tensor(x.device(), &results, (batch, length, outputs));

        if T::OWNS_TAPE {
            let (weight, bias, out) = (weight.clone(), bias.cloned(), result.clone());
            tape.add_backward_op(move |gradients| {
                let gradient = take(gradients, &out)?;
                let given = View::rows(&gradient, outputs);
                let panels = Panels::new(rows, outputs, given);
                let turned = View::rows(&numbers, inputs).turned();
                let to = gradient_of(gradients, &weight)?;
                product(inputs, turned, &panels, to, outputs, Before::Kept);
                add_bias(gradients, bias.as_ref(), &gradient)?;
                let turned = View::rows(&weights, outputs).turned();
                let panels = Panels::new(outputs, inputs, turned);
                let to = gradient_of(gradients, &x)?;
                product(rows, given, &panels, to, inputs, Before::Kept);
                put_back(gradients, &out, gradient)
            });
        }
        result.put_tape(tape)
    }

    fn convolve<T: Tape<f32, Cpu>>(
        x: Sequences<f32, Cpu, T>,
        kernels: &Matrix<f32, Cpu>,
        bias: &Matrix<f32, Cpu>,
        sliding: Sliding,
        source: Source,
    ) -> Sequences<f32, Cpu, T> {
        let (x, mut tape) = x.contiguous().split_tape();
        let (batch, length, width) = *x.shape();
        let positions = sliding.positions(length);
        let (seen, outputs) = (sliding.size * width, kernels.shape().1);
        assert_sizes("kernels", kernels, (seen, outputs));
        let room = (length + 2 * sliding.padding) * width;
        let lead = sliding.padding * width;
        let numbers = copy(&x);
        let mut padded = Buffer::zeros(batch * room);
        for (to, from) in padded.chunks_exact_mut(room).zip(numbers.chunks_exact(length * width)) {
            to[lead..][..from.len()].copy_from_slice(from);
        }
        drop(numbers);
        let weights = copy(kernels);
        let mut results = Buffer::any(batch * positions * outputs);
        let before = start(&mut results, Some(bias), outputs);
        let panels = Panels::new(seen, outputs, View::rows(&weights, outputs));
        let step = sliding.stride * width;
        let sequences = results.chunks_exact_mut(positions * outputs);
        for (to, from) in sequences.zip(padded.chunks_exact(room)) {
            product(positions, View::rows(from, step), &panels, to, outputs, before);
        }
        let result = tensor(x.device(), &results, (batch, positions, outputs));

        if T::OWNS_TAPE {
            let (kernels, bias, out) = (kernels.clone(), bias.clone(), result.clone());
            tape.add_backward_op(move |gradients| {
                let gradient = take(gradients, &out)?;
                let to = gradient_of(gradients, &kernels)?;
                let sequences = gradient.chunks_exact(positions * outputs);
                for (given, from) in sequences.zip(padded.chunks_exact(room)) {
                    let panels = Panels::new(positions, outputs, View::rows(given, outputs));
                    let turned = View::rows(from, step).turned();
                    product(seen, turned, &panels, to, outputs, Before::Kept);
                }
                add_bias(gradients, Some(&bias), &gradient)?;
                if source == Source::Features {
                    let turned = View::rows(&weights, outputs).turned();
                    let panels = Panels::new(outputs, seen, turned);
                    let to = gradient_of(gradients, &x)?;
                    let mut patches = Buffer::any(positions * seen);
                    let mut spread = Buffer::any(room);
                    let sequences = gradient.chunks_exact(positions * outputs);
                    for (given, to) in sequences.zip(to.chunks_exact_mut(length * width)) {
                        let given = View::rows(given, outputs);
                        product(positions, given, &panels, &mut patches, seen, Before::Dropped);
                        spread.fill(0.0);
                        for (at, patch) in patches.chunks_exact(seen).enumerate() {
                            add(&mut spread[at * step..][..seen], patch);
                        }
                        add(to, &spread[lead..][..length * width]);
                    }
                }
                put_back(gradients, &out, gradient)
            });
        }
        result.put_tape(tape)
    }

    fn gelu<T: Tape<f32, Cpu>>(x: Sequences<f32, Cpu, T>) -> Sequences<f32, Cpu, T> {
        let (x, mut tape) = x.contiguous().split_tape();
        let block = BLOCK * x.shape().2;
        let numbers = copy(&x);
        let mut results = Buffer::any(numbers.len());
        let jobs = results.chunks_mut(block).zip(numbers.chunks(block)).collect();
        in_parallel(jobs, |(to, x)| vectors::gelu(x, to));
        let result = tensor(x.device(), &results, *x.shape());
        if T::OWNS_TAPE {
            let out = result.clone();
            tape.add_backward_op(move |gradients| {
                let gradient = take(gradients, &out)?;
                let to = gradient_of(gradients, &x)?.chunks_mut(block);
                let jobs = to.zip(numbers.chunks(block)).zip(gradient.chunks(block)).collect();
                in_parallel(jobs, |((to, x), gradient)| vectors::gelu_back(x, gradient, to));
                put_back(gradients, &out, gradient)
            });
        }
        result.put_tape(tape)
    }

    fn layer_norm<T: Tape<f32, Cpu>>(
        x: Sequences<f32, Cpu, T>,
        scale: &Matrix<f32, Cpu>,
        shift: &Matrix<f32, Cpu>,
    ) -> Sequences<f32, Cpu, T> {
        let (x, mut tape) = x.contiguous().split_tape();
        let width = x.shape().2;
        assert_sizes("scales", scale, (1, width));
        assert_sizes("shifts", shift, (1, width));
        let block = BLOCK * width;
        let (numbers, scales, shifts) = (copy(&x), copy(scale), copy(shift));
        let mut results = Buffer::any(numbers.len());
        let jobs = results.chunks_mut(block).zip(numbers.chunks(block)).collect();
        in_parallel(jobs, |(to, x): (&mut [f32], &[f32])| {
            for (to, x) in to.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
                vectors::layer_norm(x, &scales, &shifts, to);
            }
        });
        let result = tensor(x.device(), &results, *x.shape());
        if T::OWNS_TAPE {
            let (scale, shift, out) = (scale.clone(), shift.clone(), result.clone());
            tape.add_backward_op(move |gradients| {
                let gradient = take(gradients, &out)?;
                let mut sums = Buffer::zeros(2 * width * numbers.len().div_ceil(block));
                let to = gradient_of(gradients, &x)?.chunks_mut(block);
                let jobs = to.zip(numbers.chunks(block)).zip(gradient.chunks(block));
                let jobs = jobs.zip(sums.chunks_exact_mut(2 * width)).collect();
                in_parallel(jobs, |(((to, x), gradient), sums): (_, &mut [f32])| {
                    let (to, x, gradient): (&mut [f32], &[f32], &[f32]) = (to, x, gradient);
                    let (to_scale, to_shift) = sums.split_at_mut(width);
                    let rows = x.chunks_exact(width).zip(gradient.chunks_exact(width));
                    for ((x, given), to) in rows.zip(to.chunks_exact_mut(width)) {
                        vectors::layer_norm_back(x, &scales, given, to, to_scale, to_shift);
                    }
                });
                for sums in sums.chunks_exact(2 * width) {
                    add(gradient_of(gradients, &scale)?, &sums[..width]);
                    add(gradient_of(gradients, &shift)?, &sums[width..]);
                }
                put_back(gradients, &out, gradient)
            });
        }
        result.put_tape(tape)
    }

    fn attend<T: Tape<f32, Cpu>>(
        queries: Sequences<f32, Cpu, T>,
        keys: Sequences<f32, Cpu, T>,
        values: Sequences<f32, Cpu, T>,
        heads: usize,
        visible: &Visible,
    ) -> Sequences<f32, Cpu, T> {
        attention::attend(queries, keys, values, heads, visible)
    }

    fn lstm<T: Tape<f32, Cpu>>(
        x: Sequences<f32, Cpu, T>,
        gates: &Gates<f32, Cpu>,
        start: &LstmState<f32, Cpu>,
    ) -> (Sequences<f32, Cpu, T>, LstmState<f32, Cpu>) {
        recurrent::lstm(x, gates, start)
    }

    fn add<T: Tape<f32, Cpu>>(
        x: Sequences<f32, Cpu, T>,
        y: &Sequences<f32, Cpu>,
    ) -> Sequences<f32, Cpu, T> {
        assert_eq!(x.shape(), y.shape(), "sequences to add");
        let (x, mut tape) = x.contiguous().split_tape();
        let mut results = copy(&x);
        add(&mut results, &copy(y));
        let result = tensor(x.device(), &results, *x.shape());
        if T::OWNS_TAPE {
            let (y, out) = (y.clone(), result.clone());
            tape.add_backward_op(move |gradients| {
                let gradient = take(gradients, &out)?;
                add(gradient_of(gradients, &x)?, &gradient);
                add(gradient_of(gradients, &y)?, &gradient);
                put_back(gradients, &out, gradient)
            });
        }
        result.put_tape(tape)
    }

    fn add_rows<T: Tape<f32, Cpu>>(
        x: Sequences<f32, Cpu, T>,
        rows: &Matrix<f32, Cpu>,
        first: usize,
    ) -> Sequences<f32, Cpu, T> {
        let (x, mut tape) = x.contiguous().split_tape();
        let (_, length, width) = *x.shape();
        let (most, row) = *rows.shape();
        assert!(row == width && first + length <= most, "rows for {length} vectors from {first}");
        let mut results = copy(&x);
        let added = copy(rows);
        let used = first * width..(first + length) * width;
        for sequence in results.chunks_exact_mut(length * width) {
            add(sequence, &added[used.clone()]);
        }
        let result = tensor(x.device(), &results, *x.shape());
        if T::OWNS_TAPE {
            let (rows, out) = (rows.clone(), result.clone());
            tape.add_backward_op(move |gradients| {
                let gradient = take(gradients, &out)?;
                add(gradient_of(gradients, &x)?, &gradient);
                let to = gradient_of(gradients, &rows)?;
                for sequence in gradient.chunks_exact(length * width) {
                    add(&mut to[used.clone()], sequence);
                }
                put_back(gradients, &out, gradient)
            });
        }
        result.put_tape(tape)
    }

    fn cross_entropy<T: Tape<f32, Cpu>>(
        logits: Sequences<f32, Cpu, T>,
        labels: &[usize],
        smoothing: f64,
    ) -> Tensor<Rank0, f32, Cpu, T> {
        let (logits, mut tape) = logits.contiguous().split_tape();
        let classes = logits.shape().2;
        let mut shares = copy(&logits);
        assert_eq!(labels.len() * classes, shares.len(), "one label for each vector of logits");
        let (mut sum, even) = (0.0, smoothing / classes as f64);
        for (row, &label) in shares.chunks_exact_mut(classes).zip(labels) {
            let mean = row.iter().map(|&x| f64::from(x)).sum::<f64>() * even;
            let truth = f64::from(row[label]) * (1.0 - smoothing);
            sum += f64::from(vectors::softmax(row, 1.0)) - truth - mean;
            row.iter_mut().for_each(|share| *share -= even as f32);
            row[label] -= (1.0 - smoothing) as f32;
        }
        let count = labels.len() as f64;
        let mut result: Tensor<Rank0, f32, Cpu> = tensor(logits.device(), &[0.0], ());
        result.copy_from(&[(sum / count) as f32]);
        if T::OWNS_TAPE {
            let out = result.clone();
            tape.add_backward_op(move |gradients| {
                let factor = gradient_of(gradients, &out)?[0] / count as f32;
                let to = gradient_of(gradients, &logits)?;
                to.iter_mut().zip(shares.iter()).for_each(|(to, share)| *to += factor * share);
                Ok(())
            });
        }
        result.put_tape(tape)
    }
}

/// Rows of biases, to which products are to be added; or nothing.
fn start(results: &mut [f32], bias: Option<&Matrix<f32, Cpu>>, outputs: usize) -> Before {
    let Some(bias) = bias else { return Before::Dropped };
    assert_sizes("bias", bias, (1, outputs));
    let bias = copy(bias);
    results.chunks_exact_mut(outputs).for_each(|row| row.copy_from_slice(&bias));
    Before::Kept
}

/// Adds up rows of a gradient.
fn add_bias(
    gradients: &mut Gradients<f32, Cpu>,
    bias: Option<&Matrix<f32, Cpu>>,
    gradient: &[f32],
) -> Result<(), CpuError> {
    let Some(bias) = bias else { return Ok(()) };
    let width = bias.shape().num_elements();
    let to = gradient_of(gradients, bias)?;
    gradient.chunks_exact(width).for_each(|row| add(to, row));
    Ok(())
}

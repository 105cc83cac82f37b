//! What networks do with rows of numbers in single precision, compiled for several generations
//! of processors.
//!
//! In: slices. Out: slices. Left out: threads and shapes.
//!
//! The exponential is accurate to two units in the last place (a polynomial after reduction by
//! powers of two, as in Cephes), the error function to 1.5·10⁻⁷ (Abramowitz and Stegun, 1964,
//! formula 7.1.26).

use multiversion::multiversion;

use crate::kernels::{LANES, sum};

/// e to the power of x, for x between −87 and 88; beyond them, what it is there.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Adding it leaves a whole number in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let rounded = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let power = rounded - ROUND;
    let rest = power.mul_add(2.121_944_4e-4, power.mul_add(-0.693_359_4, x));
    let mut sum = 1.987_569_2e-4_f32;
    for coefficient in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5, 1.0, 1.0] {
        sum = sum.mul_add(rest, coefficient);
    }
    sum * f32::from_bits(rounded.to_bits().wrapping_add(127) << 23)
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    2.0 / (1.0 + exp(-2.0 * x)) - 1.0
}

/// The distribution function of the standard normal distribution, and e to the power of −x²/2.
#[inline(always)]
fn normal(x: f32) -> (f32, f32) {
    let t = 1.0 / (std::f32::consts::FRAC_1_SQRT_2 * 0.327_591_1).mul_add(x.abs(), 1.0);
    let density = exp(-0.5 * x * x);
    let mut sum = 1.061_405_4_f32;
    for coefficient in [-1.453_152_1, 1.421_413_8, -0.284_496_72, 0.254_829_6] {
        sum = sum.mul_add(t, coefficient);
    }
    let tail = 0.5 * sum * t * density;
    (if x < 0.0 { tail } else { 1.0 - tail }, density)
}

/// x·Φ(x) of every number.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma",))]
pub(crate) fn gelu(x: &[f32], to: &mut [f32]) {
    for (to, &x) in to.iter_mut().zip(x) {
        *to = x * normal(x).0;
    }
}

/// Adds the gradient that belongs to x.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma",))]
pub(crate) fn gelu_back(x: &[f32], gradient: &[f32], to: &mut [f32]) {
    const ROOT: f32 = 0.398_942_3;
    for ((to, &x), &gradient) in to.iter_mut().zip(x).zip(gradient) {
        let (below, density) = normal(x);
        *to += gradient * (ROOT * x).mul_add(density, below);
    }
}

/// Replaces a row by the softmax of `scale` times the row; gives the logarithm of the sum of the
/// exponentials.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma",))]
pub(crate) fn softmax(row: &mut [f32], scale: f32) -> f32 {
    let mut most = [f32::NEG_INFINITY; LANES];
    let mut chunks = row.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (most, &x) in most.iter_mut().zip(chunk) {
            *most = if x > *most { x } else { *most };
        }
    }
    let rest = chunks.remainder().iter().chain(&most).copied();
    let most = scale * rest.fold(f32::NEG_INFINITY, f32::max);
    for x in row.iter_mut() {
        *x = exp(x.mul_add(scale, -most));
    }
    let total = sum(row);
    let factor = 1.0 / total;
    row.iter_mut().for_each(|x| *x *= factor);
    most + total.ln()
}

/// Replaces a part of a row by the softmax of `scale` times the row, and a gradient of the softmax
/// by `scale` times that of the row.
///
/// Known of the row are the logarithm of the sum of its exponentials, and the mean of the
/// gradient, weighted by the softmax.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma",))]
pub(crate) fn softmax_back(
    row: &mut [f32],
    gradient: &mut [f32],
    scale: f32,
    logarithm: f32,
    mean: f32,
) {
    for (x, gradient) in row.iter_mut().zip(gradient) {
        let share = exp(x.mul_add(scale, -logarithm));
        *x = share;
        *gradient = scale * share * (*gradient - mean);
    }
}

/// The sum of the products of two rows.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma",))]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let (mut left, mut right) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    for (a, b) in (&mut left).zip(&mut right) {
        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum = a.mul_add(b, *sum);
        }
    }
    for ((sum, &a), &b) in sums.iter_mut().zip(left.remainder()).zip(right.remainder()) {
        *sum = a.mul_add(b, *sum);
    }
    sum(&sums)
}

/// Added to variances, as in PyTorch.
pub(crate) const EPSILON: f32 = 1e-5;

/// Mean and inverse standard deviation of a row.
#[inline(always)]
fn moments(x: &[f32]) -> (f32, f32) {
    let count = x.len() as f32;
    let mean = sum(x) / count;
    let mut sums = [0.0; LANES];
    let mut chunks = x.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (sum, &x) in sums.iter_mut().zip(chunk) {
            *sum = (x - mean).mul_add(x - mean, *sum);
        }
    }
    for (sum, &x) in sums.iter_mut().zip(chunks.remainder()) {
        *sum = (x - mean).mul_add(x - mean, *sum);
    }
    (mean, 1.0 / (sum(&sums) / count + EPSILON).sqrt())
}

/// Normalises a row, scales and shifts it.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma",))]
pub(crate) fn layer_norm(x: &[f32], scale: &[f32], shift: &[f32], to: &mut [f32]) {
    let (mean, inverse) = moments(x);
    for (((to, &x), &scale), &shift) in to.iter_mut().zip(x).zip(scale).zip(shift) {
        *to = ((x - mean) * inverse).mul_add(scale, shift);
    }
}

/// Adds the gradients that belong to a row, to the scales and to the shifts.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma",))]
pub(crate) fn layer_norm_back(
    x: &[f32],
    scale: &[f32],
    gradient: &[f32],
    to: &mut [f32],
    to_scale: &mut [f32],
    to_shift: &mut [f32],
) {
    let (mean, inverse) = moments(x);
    let (mut sums, mut products) = ([0.0; LANES], [0.0; LANES]);
    let rows = x.chunks(LANES).zip(scale.chunks(LANES)).zip(gradient.chunks(LANES));
    for ((x, scale), gradient) in rows {
        let row = x.iter().zip(scale).zip(gradient).zip(sums.iter_mut().zip(&mut products));
        for (((&x, &scale), &gradient), (sum, product)) in row {
            *sum += gradient * scale;
            *product = (gradient * scale).mul_add((x - mean) * inverse, *product);
        }
    }
    let count = x.len() as f32;
    let (first, second) = (sum(&sums) / count, sum(&products) / count);
    let row = x.iter().zip(scale).zip(gradient);
    let to = to.iter_mut().zip(to_scale).zip(to_shift);
    for (((&x, &scale), &gradient), ((to, to_scale), to_shift)) in row.zip(to) {
        let normal = (x - mean) * inverse;
        *to += inverse * (gradient * scale - first - normal * second);
        *to_scale += gradient * normal;
        *to_shift += gradient;
    }
}

/// Replaces the sums of the four gates (input, forget, candidate, output) of a cell by their
/// values, and gives the new memory and the new state.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma",))]
pub(crate) fn lstm_cell(gates: &mut [f32], before: &[f32], memory: &mut [f32], state: &mut [f32]) {
    let size = memory.len();
    let (input, rest) = gates.split_at_mut(size);
    let (forget, rest) = rest.split_at_mut(size);
    let (candidate, output) = rest.split_at_mut(size);
    let gates = input.iter_mut().zip(forget).zip(candidate).zip(output);
    let cells = before.iter().zip(memory).zip(state);
    for ((((input, forget), candidate), output), ((&before, memory), state)) in gates.zip(cells) {
        *input = sigmoid(*input);
        *forget = sigmoid(*forget);
        *candidate = tanh(*candidate);
        *output = sigmoid(*output);
        *memory = *forget * before + *input * *candidate;
        *state = *output * tanh(*memory);
    }
}

/// Replaces the values of the gates by the gradients of their sums.
///
/// `memory` is that after the step; the gradient of the memory is replaced by that of the memory
/// before the step.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma",))]
pub(crate) fn lstm_cell_back(
    gates: &mut [f32],
    before: &[f32],
    memory: &[f32],
    of_state: &[f32],
    of_memory: &mut [f32],
) {
    let size = memory.len();
    let (input, rest) = gates.split_at_mut(size);
    let (forget, rest) = rest.split_at_mut(size);
    let (candidate, output) = rest.split_at_mut(size);
    let gates = input.iter_mut().zip(forget).zip(candidate).zip(output);
    let cells = before.iter().zip(memory).zip(of_state).zip(of_memory);
    for ((((input, forget), candidate), output), cell) in gates.zip(cells) {
        let (((&before, &memory), &of_state), of_memory) = cell;
        let shown = tanh(memory);
        let of_output = of_state * shown;
        *of_memory += of_state * *output * (1.0 - shown * shown);
        let of_input = *of_memory * *candidate;
        let of_candidate = *of_memory * *input;
        let of_forget = *of_memory * before;
        *of_memory *= *forget;
        *input = of_input * *input * (1.0 - *input);
        *forget = of_forget * *forget * (1.0 - *forget);
        *candidate = of_candidate * (1.0 - *candidate * *candidate);
        *output = of_output * *output * (1.0 - *output);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_and_error_function_are_as_accurate_as_they_say() {
        for step in -4_000..4_000 {
            let x = step as f32 / 47.0;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 2.5e-7, "{x}");
        }
        assert_eq!(exp(0.0), 1.0);
        for (x, exact) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_542_9),
            (-1.0, 0.158_655_253_931_457_07),
            (-2.5, 0.006_209_665_325_776_138),
            (0.3, 0.617_911_422_188_952_6),
        ] {
            assert!((f64::from(normal(x).0) - exact).abs() < 2e-7, "{x}");
        }
    }
}

//! Whether all operations compute on this machine's device what they should.
//!
//! In: a device. Out: a table of comparisons, of results with an independent computation on the
//! CPU in double precision, and of gradients with central differences of that computation. Images
//! and sequences are compared with the composed operations on the CPU, attention with plain loops.
//! Left out: speed.

mod operations;
mod speech;

use std::fmt;
use std::process::ExitCode;

use dfdx::dtypes::Dtype;
use dfdx::prelude::{
    AutoDevice, Axes2, Backward, Cpu, Device, Gradients, HasShape, OwnedTape, PermuteTo, SumTo,
    Tensor, Trace, TryMatMul,
};
use dfdx::shapes::Shape;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::attention::{self, Matrix};
use crate::image::{Composed, ImageDevice, ImageOps, Images, Sliding, Source};
use crate::reference::{self, Rows};
use crate::sequence::SequenceDevice;
use crate::throughput;

pub use operations::{Inputs, Operation};
pub use speech::{compare_networks, compare_sequences};

/// Step of a central difference.
const STEP: f64 = 1e-5;

/// One comparison.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The operation with its sizes.
    pub operation: String,
    /// What of it is compared.
    pub what: What,
    /// How many numbers were compared.
    pub numbers: usize,
    /// Largest difference, relative to numbers above 1.
    pub error: f64,
    /// Largest difference that is allowed.
    pub bound: f64,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Results.
    Result(Precision),
    /// Gradients, to all inputs.
    Gradient(Precision),
}

/// How numbers are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    Single,
    /// 64 bits.
    Double,
}

impl Comparison {
    /// Whether the numbers agree; no numbers, and such as are none, agree with nothing.
    pub fn agrees(&self) -> bool {
        self.numbers > 0 && self.error <= self.bound
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, precision) = match self {
            Self::Result(precision) => ("result", precision),
            Self::Gradient(precision) => ("gradient", precision),
        };
        let bits = match precision {
            Precision::Single => 32,
            Precision::Double => 64,
        };
        write!(f, "{word}, {bits} bit")
    }
}

/// Argument with which [`main`] tells how fast the networks learn instead.
const THROUGHPUT: &str = "--throughput";

/// Compares all operations on the device of this build; prints a table.
pub fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == THROUGHPUT) {
        return throughput::main();
    }
    let device = AutoDevice::seed_from_u64(1);
    let name = std::any::type_name::<AutoDevice>().rsplit("::").next().unwrap_or_default();
    let mut all = of_device::<f64, AutoDevice>(&device);
    all.extend(of_device::<f32, AutoDevice>(&device));
    println!(
        "{:<40} {:<16} {:>7} {:>10} {:>8}",
        format!("operation on {name}"),
        "compared",
        "numbers",
        "error",
        "bound"
    );
    for row in &all {
        println!(
            "{:<40} {:<16} {:>7} {:>10.2e} {:>8.0e}  {}",
            row.operation,
            row.what.to_string(),
            row.numbers,
            row.error,
            row.bound,
            if row.agrees() { "agrees" } else { "DISAGREES" }
        );
    }
    let wrong = all.iter().filter(|row| !row.agrees()).count();
    println!("{} comparisons, {wrong} disagree", all.len());
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Compares everything in one precision, as the device has it.
fn of_device<E: Dtype, D: ImageDevice<E> + SequenceDevice<E>>(device: &D) -> Vec<Comparison> {
    let mut all = compare::<E, D, <D as ImageDevice<E>>::Ops>(device);
    all.extend(compare_sequences::<E, D, <D as SequenceDevice<E>>::Ops>(device));
    all.extend(compare_networks::<E, D>(device));
    all
}

/// Compares operations on images and attention in one precision, those on images as `O` has them.
pub fn compare<E: Dtype, D: ImageDevice<E>, O: ImageOps<E, D>>(device: &D) -> Vec<Comparison> {
    let mut all = Comparisons { bounds: Bounds::of::<E>(), rows: Vec::new() };
    let mut random = Random(StdRng::seed_from_u64(7));
    for (size, stride, padding) in [(1, 1, 0), (3, 1, 1), (3, 2, 0), (4, 3, 2)] {
        let by = Sliding { size, stride, padding };
        let pool = Sliding { size: 2, stride: 2, padding: 0 };
        let inputs =
            [random.normal(&[2, 2, 6, 5]), random.normal(&[3, 2, size, size]), random.normal(&[3])];
        let convolved = |[x, kernels, bias]: [&Numbers; 3], pool: Option<Sliding>| {
            let (x, kernels, bias) = (four(device, x), four(device, kernels), one(device, bias));
            let traced = x.leaky_trace();
            let (result, gradients) = back(match pool {
                None => O::conv2d(traced, &kernels, &bias, by, Source::Features),
                pool => O::conv_relu_pool(traced, &kernels, &bias, by, pool, Source::Features),
            });
            let gradients =
                vec![of(&gradients, &x), of(&gradients, &kernels), of(&gradients, &bias)];
            Traced { result, gradients }
        };
        let plain = |inputs: &[Numbers], pool: Option<Sliding>| {
            let cpu = Cpu::default();
            let (x, kernels, bias) =
                (four(&cpu, &inputs[0]), four(&cpu, &inputs[1]), one(&cpu, &inputs[2]));
            match pool {
                None => Composed::conv2d(x, &kernels, &bias, by, Source::Features),
                pool => Composed::conv_relu_pool(x, &kernels, &bias, by, pool, Source::Features),
            }
            .as_vec()
        };
        for (name, pool) in [("conv2d", None), ("conv_relu_pool", Some(pool))] {
            let name = format!("{name} {size}×{size}, stride {stride}, padding {padding}");
            let traced = convolved([&inputs[0], &inputs[1], &inputs[2]], pool);
            all.add(&name, &inputs, traced, |inputs| plain(inputs, pool));
        }
    }
    let by = Sliding { size: 3, stride: 2, padding: 0 };
    let inputs = [random.distinct(&[2, 2, 6, 5])];
    let x = four(device, &inputs[0]);
    let (result, gradients) = back(O::max_pool2d(x.leaky_trace(), by));
    let traced = Traced { result, gradients: vec![of(&gradients, &x)] };
    all.add("max_pool2d 3×3, stride 2", &inputs, traced, |inputs| {
        Composed::max_pool2d(four(&Cpu::default(), &inputs[0]), by).as_vec()
    });
    let (result, gradients) = back(O::flatten(x.leaky_trace()));
    let traced = Traced { result, gradients: vec![of(&gradients, &x)] };
    all.add("flatten", &inputs, traced, |inputs| inputs[0].data.clone());
    for batch in [3, 33] {
        let inputs = [random.normal(&[batch, 8]), random.normal(&[8, 6]), random.normal(&[6])];
        let (x, weight, bias) =
            (two(device, &inputs[0]), two(device, &inputs[1]), one(device, &inputs[2]));
        let (result, gradients) = back(O::affine(x.leaky_trace(), &weight, &bias));
        let gradients = vec![of(&gradients, &x), of(&gradients, &weight), of(&gradients, &bias)];
        all.add(
            &format!("affine, batch {batch}"),
            &inputs,
            Traced { result, gradients },
            |inputs| {
                let mut product = reference::product(&rows(&inputs[0]), &rows(&inputs[1]));
                product.iter_mut().for_each(|row| {
                    row.iter_mut().zip(&inputs[2].data).for_each(|(x, bias)| *x += bias);
                });
                product.concat()
            },
        );
    }
    attend::<E, D>(device, &mut random, &mut all);
    all.rows
}

/// Attention and its feature maps, against plain loops.
fn attend<E: Dtype, D: ImageDevice<E>>(device: &D, random: &mut Random, all: &mut Comparisons) {
    let inputs = [random.normal(&[5, 3]), random.normal(&[6, 3]), random.normal(&[6, 2])];
    let traced = |inputs: &[Numbers], run: Attention<E, D>| {
        let [q, k, v] = [0, 1, 2].map(|at| two(device, &inputs[at]));
        let (result, gradients) = back(run(q.leaky_trace(), k.leaky_trace(), v.leaky_trace()));
        let gradients = [&q, &k, &v].map(|x| of(&gradients, x)).to_vec();
        Traced { result, gradients }
    };
    let softmax = traced(&inputs, attention::softmax_attention);
    all.add("softmax attention", &inputs, softmax, |inputs| {
        let [q, k, v] = [0, 1, 2].map(|at| rows(&inputs[at]));
        reference::softmax_attention(&q, &k, &v).concat()
    });
    let positive = [random.positive(&[5, 4]), random.positive(&[6, 4]), random.normal(&[6, 2])];
    let linear = traced(&positive, attention::linear_attention);
    all.add("linear attention", &positive, linear, |inputs| {
        let [q, k, v] = [0, 1, 2].map(|at| rows(&inputs[at]));
        reference::linear_attention(&q, &k, &v).concat()
    });
    // Their scalar products are series, whatever the order of the features.
    let pair = [random.normal(&[4, 3]), random.normal(&[5, 3])];
    for order in [2_u8, 4] {
        let map = |x: Matrix<E, D, OwnedTape<E, D>>| match order {
            2 => attention::second_order_features(x),
            order => attention::taylor_features(x, order.into()),
        };
        let (q, k) = (two(device, &pair[0]), two(device, &pair[1]));
        let features = map(k.leaky_trace()).permute::<_, Axes2<1, 0>>();
        let (result, gradients) = back(map(q.leaky_trace()).matmul(features));
        let traced = Traced { result, gradients: vec![of(&gradients, &q), of(&gradients, &k)] };
        let name = if order == 2 { "second-order features" } else { "Taylor features of order 4" };
        all.add(name, &pair, traced, |inputs| {
            let products =
                reference::product(&rows(&inputs[0]), &reference::transpose(&rows(&inputs[1])));
            let series = |t: f64| {
                let terms = (1..=order).scan(1.0, |term, k| {
                    *term *= t / f64::from(k);
                    Some(*term)
                });
                1.0 + terms.sum::<f64>()
            };
            products.concat().into_iter().map(series).collect()
        });
    }
}

type Attention<E, D> = fn(
    Matrix<E, D, OwnedTape<E, D>>,
    Matrix<E, D, OwnedTape<E, D>>,
    Matrix<E, D, OwnedTape<E, D>>,
) -> Matrix<E, D, OwnedTape<E, D>>;

/// An input: sizes and numbers, row by row.
#[derive(Clone)]
struct Numbers {
    shape: Vec<usize>,
    data: Vec<f64>,
}

/// What an operation gave on the device.
struct Traced {
    result: Vec<f64>,
    /// To each input, in order.
    gradients: Vec<Vec<f64>>,
}

#[derive(Clone, Copy)]
struct Bounds {
    precision: Precision,
    result: f64,
    gradient: f64,
}

impl Bounds {
    fn of<E>() -> Self {
        match size_of::<E>() {
            4 => Self { precision: Precision::Single, result: 1e-5, gradient: 1e-4 },
            _ => Self { precision: Precision::Double, result: 1e-12, gradient: 1e-7 },
        }
    }
}

struct Comparisons {
    bounds: Bounds,
    rows: Vec<Comparison>,
}

impl Comparisons {
    fn add(
        &mut self,
        operation: &str,
        inputs: &[Numbers],
        traced: Traced,
        reference: impl Fn(&[Numbers]) -> Vec<f64>,
    ) {
        self.add_from(0, operation, inputs, traced, reference);
    }

    /// The same, with gradients to the inputs from the `first` on.
    fn add_from(
        &mut self,
        first: usize,
        operation: &str,
        inputs: &[Numbers],
        traced: Traced,
        reference: impl Fn(&[Numbers]) -> Vec<f64>,
    ) {
        let Bounds { precision, gradient, .. } = self.bounds;
        self.add_result(operation, &traced.result, &reference(inputs));
        let differences: Vec<Vec<f64>> =
            (first..inputs.len()).map(|input| slopes(inputs, input, &reference)).collect();
        let found = traced.gradients.concat();
        self.rows.push(Comparison {
            operation: operation.to_owned(),
            what: What::Gradient(precision),
            numbers: found.len(),
            error: largest_difference(&found, &differences.concat()),
            bound: gradient,
        });
    }

    fn add_result(&mut self, operation: &str, found: &[f64], expected: &[f64]) {
        self.rows.push(Comparison {
            operation: operation.to_owned(),
            what: What::Result(self.bounds.precision),
            numbers: found.len(),
            error: largest_difference(found, expected),
            bound: self.bounds.result,
        });
    }
}

/// Central differences of the weighted sum of all results, to each number of one input.
fn slopes(
    inputs: &[Numbers],
    input: usize,
    reference: &impl Fn(&[Numbers]) -> Vec<f64>,
) -> Vec<f64> {
    let value = |index: usize, by: f64| {
        let mut inputs = inputs.to_vec();
        inputs[input].data[index] += by;
        let results = reference(&inputs);
        results.iter().enumerate().map(|(at, x)| x * weight(at)).sum::<f64>()
    };
    (0..inputs[input].data.len())
        .map(|index| (value(index, STEP) - value(index, -STEP)) / (2.0 * STEP))
        .collect()
}

/// Weighs every number differently, so that no two errors cancel.
fn weight(at: usize) -> f64 {
    (1.7 * at as f64 + 0.3).sin()
}

/// Largest difference, relative to numbers above 1; infinite if one is no number or is missing.
fn largest_difference(found: &[f64], expected: &[f64]) -> f64 {
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
    differences.map(|it| if it.is_nan() { f64::INFINITY } else { it }).fold(0.0, f64::max)
}

/// The results, and the gradients of their weighted sum.
fn back<S: Shape, E: Dtype, D: Device<E>>(
    result: Tensor<S, E, D, OwnedTape<E, D>>,
) -> (Vec<f64>, Gradients<E, D>) {
    let numbers = doubles(&result.as_vec());
    let weights: Vec<E> = (0..numbers.len()).map(|at| number(weight(at))).collect();
    let weights = result.device().tensor_from_vec(weights, *result.shape());
    (numbers, (result * weights).sum().backward())
}

fn of<S: Shape, E: Dtype, D: Device<E>>(
    gradients: &Gradients<E, D>,
    to: &Tensor<S, E, D>,
) -> Vec<f64> {
    doubles(&gradients.get(to).as_vec())
}

fn doubles<E: Dtype>(numbers: &[E]) -> Vec<f64> {
    numbers.iter().map(|x| x.to_f64().unwrap_or(f64::NAN)).collect()
}

fn number<E: Dtype>(x: f64) -> E {
    E::from_f64(x).expect("floating-point types hold every double, rounded")
}

fn four<E: Dtype, D: ImageDevice<E>>(device: &D, x: &Numbers) -> Images<E, D> {
    let data = x.data.iter().map(|&x| number(x)).collect();
    device.tensor_from_vec(data, (x.shape[0], x.shape[1], x.shape[2], x.shape[3]))
}

fn two<E: Dtype, D: Device<E>>(device: &D, x: &Numbers) -> Matrix<E, D> {
    let data = x.data.iter().map(|&x| number(x)).collect();
    device.tensor_from_vec(data, (x.shape[0], x.shape[1]))
}

fn one<E: Dtype, D: ImageDevice<E>>(device: &D, x: &Numbers) -> Tensor<(usize,), E, D> {
    let data = x.data.iter().map(|&x| number(x)).collect();
    device.tensor_from_vec(data, (x.shape[0],))
}

fn rows(x: &Numbers) -> Rows<f64> {
    x.data.chunks(x.shape[1]).map(<[f64]>::to_vec).collect()
}

/// Numbers that single precision holds exactly, so that both precisions start from the same.
struct Random(StdRng);

impl Random {
    fn normal(&mut self, shape: &[usize]) -> Numbers {
        let data = (0..shape.iter().product::<usize>())
            .map(|_| f64::from(self.0.sample::<f32, _>(rand_distr::StandardNormal)))
            .collect();
        Numbers { shape: shape.to_vec(), data }
    }

    fn positive(&mut self, shape: &[usize]) -> Numbers {
        let mut numbers = self.normal(shape);
        numbers.data.iter_mut().for_each(|x| *x = x.abs() + 0.125);
        numbers
    }

    /// No two alike, so that a small step changes no winner.
    fn distinct(&mut self, shape: &[usize]) -> Numbers {
        let count = shape.iter().product::<usize>();
        let mut data: Vec<f64> = (0..count).map(|at| at as f64 / 64.0).collect();
        rand::seq::SliceRandom::shuffle(data.as_mut_slice(), &mut self.0);
        Numbers { shape: shape.to_vec(), data }
    }
}

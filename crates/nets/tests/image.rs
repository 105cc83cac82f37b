//! Operations on images: both implementations against plain loops, against finite differences
//! and against each other.

use dfdx::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use veracity_nets::attention::Matrix;
use veracity_nets::image::{Composed, Fused, ImageOps, Images, Sliding, Source};

type Vector = Tensor<(usize,), f64, Cpu>;

/// A convolution to test: images, kernels, bias and how the window moves.
struct Case {
    images: Images<f64, Cpu>,
    kernels: Images<f64, Cpu>,
    bias: Vector,
    sliding: Sliding,
}

impl Case {
    fn random(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let size = rng.gen_range(1..=4);
        let padding = rng.gen_range(0..=2);
        let side = |rng: &mut StdRng| rng.gen_range(size..=size + 6);
        let sliding = Sliding { size, stride: rng.gen_range(1..=3), padding };
        let (batch, inputs) = (rng.gen_range(1..=3), rng.gen_range(1..=3));
        let outputs = rng.gen_range(1..=10);
        let shape = (batch, inputs, side(&mut rng), side(&mut rng));
        let device = Cpu::seed_from_u64(seed);
        Self {
            images: device.sample_normal_like(&shape),
            kernels: device.sample_normal_like(&(outputs, inputs, size, size)),
            bias: device.sample_normal_like(&(outputs,)),
            sliding,
        }
    }

    /// The result pixel by pixel, from the definition.
    fn by_loops(&self) -> Vec<f64> {
        let (batch, inputs, height, width) = *self.images.shape();
        let (outputs, _, size, _) = *self.kernels.shape();
        let Sliding { stride, padding, .. } = self.sliding;
        let (images, kernels) = (self.images.as_vec(), self.kernels.as_vec());
        let bias = self.bias.as_vec();
        let (rows, columns) = (self.sliding.positions(height), self.sliding.positions(width));
        let mut results = Vec::new();
        for (b, o) in pairs(batch, outputs) {
            for (row, column) in pairs(rows, columns) {
                let mut sum = bias[o];
                for (c, place) in pairs(inputs, size * size) {
                    let y = (row * stride + place / size).wrapping_sub(padding);
                    let x = (column * stride + place % size).wrapping_sub(padding);
                    if y < height && x < width {
                        sum += images[((b * inputs + c) * height + y) * width + x]
                            * kernels[(o * inputs + c) * size * size + place];
                    }
                }
                results.push(sum);
            }
        }
        results
    }
}

fn pairs(rows: usize, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)))
}

/// Weights every number differently, so that no two errors cancel.
fn objective<S: Shape, T: Tape<f64, Cpu>>(
    results: Tensor<S, f64, Cpu, T>,
) -> Tensor<(), f64, Cpu, T> {
    let weights = Cpu::seed_from_u64(99).sample_normal_like(results.shape());
    (results * weights).square().sum()
}

fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let relative = |(a, b): (&f64, &f64)| (a - b).abs() / b.abs().max(1.0);
    a.iter().zip(b).map(relative).fold(0.0, f64::max)
}

/// Largest relative difference of a gradient from central differences.
fn gradient_error<S: Shape>(
    at: &Tensor<S, f64, Cpu>,
    gradient: &Tensor<S, f64, Cpu>,
    value: impl Fn(&Tensor<S, f64, Cpu>) -> f64,
) -> f64 {
    let step = 1e-5;
    let data = at.as_vec();
    let shifted = |index: usize, by: f64| {
        let mut data = data.clone();
        data[index] += by;
        value(&at.device().tensor_from_vec(data, *at.shape()))
    };
    let differences: Vec<f64> = (0..data.len())
        .map(|index| (shifted(index, step) - shifted(index, -step)) / (2.0 * step))
        .collect();
    largest_difference(&gradient.as_vec(), &differences)
}

/// Largest error of the gradients of a convolution: to images, kernels and bias.
fn conv_gradient_error<O: ImageOps<f64, Cpu>>(case: &Case) -> f64 {
    let Case { images, kernels, bias, sliding } = case;
    let traced = images.leaky_trace();
    let gradients =
        objective(O::conv2d(traced, kernels, bias, *sliding, Source::Features)).backward();
    let value = |images: &Images<f64, Cpu>, kernels: &Images<f64, Cpu>, bias: &Vector| {
        let results = Composed::conv2d(images.clone(), kernels, bias, *sliding, Source::Features);
        objective(results).as_vec()[0]
    };
    [
        gradient_error(images, &gradients.get(images), |images| value(images, kernels, bias)),
        gradient_error(kernels, &gradients.get(kernels), |kernels| value(images, kernels, bias)),
        gradient_error(bias, &gradients.get(bias), |bias| value(images, kernels, bias)),
    ]
    .into_iter()
    .fold(0.0, f64::max)
}

fn pool_gradient_error<O: ImageOps<f64, Cpu>>(images: &Images<f64, Cpu>, sliding: Sliding) -> f64 {
    let gradients = objective(O::max_pool2d(images.leaky_trace(), sliding)).backward();
    gradient_error(images, &gradients.get(images), |images| {
        objective(Composed::max_pool2d(images.clone(), sliding)).as_vec()[0]
    })
}

fn affine_gradient_error<O: ImageOps<f64, Cpu>>(seed: u64) -> f64 {
    let mut rng = StdRng::seed_from_u64(seed);
    let device = Cpu::seed_from_u64(seed);
    // Small and large batches go different ways.
    let (batch, inputs) = match seed % 5 {
        0 => (rng.gen_range(32..=40), 16),
        _ => (rng.gen_range(1..=10), rng.gen_range(1..=20)),
    };
    let outputs = if seed.is_multiple_of(3) { 16 } else { rng.gen_range(1..=20) };
    let x: Matrix<f64, Cpu> = device.sample_normal_like(&(batch, inputs));
    let weight: Matrix<f64, Cpu> = device.sample_normal_like(&(inputs, outputs));
    let bias: Vector = device.sample_normal_like(&(outputs,));
    let gradients = objective(O::affine(x.leaky_trace(), &weight, &bias)).backward();
    let value = |x: &Matrix<f64, Cpu>, weight: &Matrix<f64, Cpu>, bias: &Vector| {
        objective(Composed::affine(x.clone(), weight, bias)).as_vec()[0]
    };
    [
        gradient_error(&x, &gradients.get(&x), |x| value(x, &weight, &bias)),
        gradient_error(&weight, &gradients.get(&weight), |weight| value(&x, weight, &bias)),
        gradient_error(&bias, &gradients.get(&bias), |bias| value(&x, &weight, bias)),
    ]
    .into_iter()
    .fold(0.0, f64::max)
}

/// Right results, but gradients that are one per cent too large.
struct Planted;

fn exaggerated<S: Shape, T: Tape<f64, Cpu>>(
    right: Tensor<S, f64, Cpu, T>,
) -> Tensor<S, f64, Cpu, T> {
    let (value, tape) = right.split_tape();
    let more = value.clone().put_tape(tape) * 1.01;
    more - (value * 0.01)
}

impl ImageOps<f64, Cpu> for Planted {
    fn conv2d<T: Tape<f64, Cpu>>(
        images: Images<f64, Cpu, T>,
        kernels: &Images<f64, Cpu>,
        bias: &Vector,
        sliding: Sliding,
        source: Source,
    ) -> Images<f64, Cpu, T> {
        exaggerated(Fused::conv2d(images, kernels, bias, sliding, source))
    }

    fn max_pool2d<T: Tape<f64, Cpu>>(
        images: Images<f64, Cpu, T>,
        by: Sliding,
    ) -> Images<f64, Cpu, T> {
        exaggerated(Fused::max_pool2d(images, by))
    }

    fn affine<T: Tape<f64, Cpu>>(
        x: Matrix<f64, Cpu, T>,
        weight: &Matrix<f64, Cpu>,
        bias: &Vector,
    ) -> Matrix<f64, Cpu, T> {
        exaggerated(Fused::affine(x, weight, bias))
    }
}

/// Images of distinct pixels, so that a small step changes no winner.
fn distinct(seed: u64) -> (Images<f64, Cpu>, Sliding) {
    let mut rng = StdRng::seed_from_u64(seed);
    let size = rng.gen_range(1..=3);
    let sliding = Sliding { size, stride: rng.gen_range(1..=3), padding: 0 };
    let shape = (2, 2, rng.gen_range(size..=8), rng.gen_range(size..=8));
    let mut pixels: Vec<f64> = (0..shape.num_elements()).map(|at| at as f64 * 0.01).collect();
    rand::seq::SliceRandom::shuffle(pixels.as_mut_slice(), &mut rng);
    (Cpu::default().tensor_from_vec(pixels, shape), sliding)
}

#[test]
fn convolutions_agree_with_their_definition() {
    for seed in 0..200 {
        let case = Case::random(seed);
        let Case { images, kernels, bias, sliding } = &case;
        let expected = case.by_loops();
        let run = |results: Images<f64, Cpu>| largest_difference(&results.as_vec(), &expected);
        let (data, images) = (Source::Data, || images.clone());
        assert!(run(Fused::conv2d(images(), kernels, bias, *sliding, data)) < 1e-12, "{seed}");
        assert!(run(Composed::conv2d(images(), kernels, bias, *sliding, data)) < 1e-12, "{seed}");
    }
}

#[test]
fn gradients_of_convolutions_match_finite_differences() {
    for seed in 0..30 {
        let case = Case::random(seed);
        assert!(conv_gradient_error::<Fused>(&case) < 1e-6, "{seed}");
        assert!(conv_gradient_error::<Composed>(&case) < 1e-6, "{seed}");
    }
}

#[test]
fn gradients_of_pooling_and_of_affine_maps_match_finite_differences() {
    for seed in 0..30 {
        let (images, sliding) = distinct(seed);
        assert!(pool_gradient_error::<Fused>(&images, sliding) < 1e-6, "{seed}");
        assert!(pool_gradient_error::<Composed>(&images, sliding) < 1e-6, "{seed}");
        assert!(affine_gradient_error::<Fused>(seed) < 1e-6, "{seed}");
        assert!(affine_gradient_error::<Composed>(seed) < 1e-6, "{seed}");
    }
}

#[test]
fn gradients_that_are_one_per_cent_wrong_are_found() {
    for seed in 0..5 {
        let (images, sliding) = distinct(seed);
        assert!(conv_gradient_error::<Planted>(&Case::random(seed)) > 1e-3);
        assert!(pool_gradient_error::<Planted>(&images, sliding) > 1e-3);
        assert!(affine_gradient_error::<Planted>(seed) > 1e-3);
    }
}

#[test]
fn the_block_of_three_operations_equals_them_one_by_one() {
    for seed in 0..100 {
        let Case { images, kernels, bias, sliding } = Case::random(seed);
        let (_, _, height, width) = *images.shape();
        let room = sliding.positions(height).min(sliding.positions(width));
        let by = |size: usize, stride| Sliding { size: size.min(room), stride, padding: 0 };
        let pool = [None, Some(by(2, 2)), Some(by(3, 1)), Some(by(2, 3))][seed as usize % 4];
        let run = |block: bool| {
            let images = images.leaky_trace();
            let source = Source::Features;
            let results = match block {
                true => Fused::conv_relu_pool(images, &kernels, &bias, sliding, pool, source),
                false => Composed::conv_relu_pool(images, &kernels, &bias, sliding, pool, source),
            };
            (results.as_vec(), objective(results).backward())
        };
        let (block, steps) = (run(true), run(false));
        assert!(largest_difference(&block.0, &steps.0) < 1e-12, "{seed}");
        for (block, steps) in [
            (block.1.get(&images).as_vec(), steps.1.get(&images).as_vec()),
            (block.1.get(&kernels).as_vec(), steps.1.get(&kernels).as_vec()),
            (block.1.get(&bias).as_vec(), steps.1.get(&bias).as_vec()),
        ] {
            assert!(largest_difference(&block, &steps) < 1e-11, "{seed}");
        }
    }
}

#[test]
fn without_a_gradient_for_data_the_others_stay() {
    let Case { images, kernels, bias, sliding } = Case::random(3);
    let gradients = |source| {
        let results = Fused::conv2d(images.leaky_trace(), &kernels, &bias, sliding, source);
        let gradients = objective(results).backward();
        (gradients.get(&kernels).as_vec(), gradients.get(&bias).as_vec())
    };
    assert_eq!(gradients(Source::Data), gradients(Source::Features));
}

#[test]
fn the_first_of_equal_pixels_gets_the_gradient() {
    for seed in 0..100 {
        let mut rng = StdRng::seed_from_u64(seed);
        let (sliding, shape) = {
            let (images, sliding) = distinct(seed);
            (sliding, *images.shape())
        };
        let pixels = (0..shape.num_elements()).map(|_| f64::from(rng.gen_range(0..3))).collect();
        let images: Images<f64, Cpu> = Cpu::default().tensor_from_vec(pixels, shape);
        let fused = Fused::max_pool2d(images.leaky_trace(), sliding);
        let composed = Composed::max_pool2d(images.leaky_trace(), sliding);
        assert_eq!(fused.as_vec(), composed.as_vec());
        let fused = fused.sum().backward().get(&images).as_vec();
        assert_eq!(fused, composed.sum().backward().get(&images).as_vec());
        // Every window gives its gradient of 1 to one pixel.
        let windows: usize =
            shape.0 * shape.1 * sliding.positions(shape.2) * sliding.positions(shape.3);
        assert_eq!(fused.iter().sum::<f64>(), windows as f64);
    }
    let equal: Images<f64, Cpu> = Cpu::default().ones_like(&(1, 1, 2, 2));
    let by_two = Sliding { size: 2, stride: 2, padding: 0 };
    let gradient = Fused::max_pool2d(equal.leaky_trace(), by_two).sum().backward().get(&equal);
    assert_eq!(gradient.as_vec(), [1.0, 0.0, 0.0, 0.0]);
}

#[test]
fn images_that_do_not_lie_in_order_are_understood() {
    let images: Images<f64, Cpu> = Cpu::seed_from_u64(1).sample_normal_like(&(2, 3, 5, 6));
    let kernels = Cpu::seed_from_u64(2).sample_normal_like(&(4, 3, 3, 3));
    let bias = Cpu::seed_from_u64(3).sample_normal_like(&(4,));
    let sliding = Sliding { size: 3, stride: 1, padding: 1 };
    let both = |ordered: bool| {
        let turned = images.leaky_trace().permute::<_, Axes4<0, 1, 3, 2>>();
        let turned = if ordered { turned.contiguous() } else { turned };
        let results = Fused::conv2d(turned, &kernels, &bias, sliding, Source::Features);
        let values = results.as_vec();
        (values, objective(results).backward().get(&images).as_vec())
    };
    assert_eq!(both(false), both(true));
}

#[test]
fn flattening_keeps_the_order_and_the_gradient() {
    let images: Images<f64, Cpu> = Cpu::seed_from_u64(1).sample_normal_like(&(2, 3, 2, 2));
    let flat = <Fused as ImageOps<f64, Cpu>>::flatten(images.leaky_trace());
    assert_eq!(*flat.shape(), (2, 12));
    assert_eq!(flat.as_vec(), images.as_vec());
    let gradient = flat.square().sum().backward().get(&images).as_vec();
    assert_eq!(gradient, images.as_vec().iter().map(|x| 2.0 * x).collect::<Vec<_>>());
}

#[test]
#[should_panic(expected = "a window of 5 on 2 pixels")]
fn a_window_larger_than_the_image_is_refused() {
    Sliding { size: 5, stride: 1, padding: 1 }.positions(2);
}

//! The self-test passes on the CPU and finds a gradient that is one per cent too large.

use dfdx::prelude::*;
use veracity_nets::attention::Matrix;
use veracity_nets::image::{Composed, Fused, ImageOps, Images, Sliding, Source};
use veracity_nets::selftest::{What, compare, compare_networks, compare_sequences};
use veracity_nets::sequence::{self, Gates, LstmState, SequenceOps, Sequences, Visible};

#[test]
fn all_operations_agree_on_the_cpu() {
    let cpu = Cpu::default();
    let mut all = compare::<f64, _, Fused>(&cpu);
    all.extend(compare::<f64, _, Composed>(&cpu));
    all.extend(compare::<f32, _, Fused>(&cpu));
    for row in &all {
        assert!(row.agrees(), "{row:?}");
    }
    assert_eq!(all.len(), 3 * 2 * 16);
}

#[test]
fn all_operations_of_speech_agree_on_the_cpu() {
    let cpu = Cpu::default();
    let mut all = compare_sequences::<f32, _, sequence::Fused>(&cpu);
    all.extend(compare_sequences::<f32, _, sequence::Composed>(&cpu));
    all.extend(compare_sequences::<f64, _, sequence::Composed>(&cpu));
    assert_eq!(all.len(), 3 * 2 * 16);
    all.extend(compare_networks::<f32, _>(&cpu));
    all.extend(compare_networks::<f64, _>(&cpu));
    for row in &all {
        assert!(row.agrees(), "{row:?}");
    }
    assert_eq!(all.len(), 3 * 2 * 16 + 2 * 2 * 3);
}

/// Right results, but gradients of affine maps that are one per cent too large.
struct Planted;

impl ImageOps<f64, Cpu> for Planted {
    fn conv2d<T: Tape<f64, Cpu>>(
        images: Images<f64, Cpu, T>,
        kernels: &Images<f64, Cpu>,
        bias: &Tensor<(usize,), f64, Cpu>,
        sliding: Sliding,
        source: Source,
    ) -> Images<f64, Cpu, T> {
        Fused::conv2d(images, kernels, bias, sliding, source)
    }

    fn max_pool2d<T: Tape<f64, Cpu>>(
        images: Images<f64, Cpu, T>,
        by: Sliding,
    ) -> Images<f64, Cpu, T> {
        Fused::max_pool2d(images, by)
    }

    fn affine<T: Tape<f64, Cpu>>(
        x: Matrix<f64, Cpu, T>,
        weight: &Matrix<f64, Cpu>,
        bias: &Tensor<(usize,), f64, Cpu>,
    ) -> Matrix<f64, Cpu, T> {
        let (value, tape) = Fused::affine(x, weight, bias).split_tape();
        value.clone().put_tape(tape) * 1.01 - value * 0.01
    }
}

#[test]
fn a_wrong_gradient_is_found_where_it_is() {
    let wrong: Vec<_> = compare::<f64, _, Planted>(&Cpu::default())
        .into_iter()
        .filter(|row| !row.agrees())
        .collect();
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    for row in wrong {
        assert!(row.operation.starts_with("affine"), "{row:?}");
        assert!(matches!(row.what, What::Gradient(_)), "{row:?}");
    }
}

/// Right results, but gradients through normalisations that are one per cent too large.
struct PlantedInSpeech;

type Double<T> = Sequences<f64, Cpu, T>;

impl SequenceOps<f64, Cpu> for PlantedInSpeech {
    fn affine<T: Tape<f64, Cpu>>(
        x: Double<T>,
        weight: &Matrix<f64, Cpu>,
        bias: Option<&Matrix<f64, Cpu>>,
    ) -> Double<T> {
        sequence::Composed::affine(x, weight, bias)
    }

    fn convolve<T: Tape<f64, Cpu>>(
        x: Double<T>,
        kernels: &Matrix<f64, Cpu>,
        bias: &Matrix<f64, Cpu>,
        sliding: Sliding,
        source: Source,
    ) -> Double<T> {
        sequence::Composed::convolve(x, kernels, bias, sliding, source)
    }

    fn gelu<T: Tape<f64, Cpu>>(x: Double<T>) -> Double<T> {
        sequence::Composed::gelu(x)
    }

    fn layer_norm<T: Tape<f64, Cpu>>(
        x: Double<T>,
        scale: &Matrix<f64, Cpu>,
        shift: &Matrix<f64, Cpu>,
    ) -> Double<T> {
        let (value, tape) = sequence::Composed::layer_norm(x, scale, shift).split_tape();
        value.clone().put_tape(tape) * 1.01 - value * 0.01
    }

    fn attend<T: Tape<f64, Cpu>>(
        queries: Double<T>,
        keys: Double<T>,
        values: Double<T>,
        heads: usize,
        visible: &Visible,
    ) -> Double<T> {
        sequence::Composed::attend(queries, keys, values, heads, visible)
    }

    fn lstm<T: Tape<f64, Cpu>>(
        x: Double<T>,
        gates: &Gates<f64, Cpu>,
        start: &LstmState<f64, Cpu>,
    ) -> (Double<T>, LstmState<f64, Cpu>) {
        sequence::Composed::lstm(x, gates, start)
    }

    fn add<T: Tape<f64, Cpu>>(x: Double<T>, y: &Double<NoneTape>) -> Double<T> {
        sequence::Composed::add(x, y)
    }

    fn add_rows<T: Tape<f64, Cpu>>(
        x: Double<T>,
        rows: &Matrix<f64, Cpu>,
        first: usize,
    ) -> Double<T> {
        sequence::Composed::add_rows(x, rows, first)
    }
}

#[test]
fn a_wrong_gradient_of_speech_is_found_where_it_is() {
    let wrong: Vec<_> = compare_sequences::<f64, _, PlantedInSpeech>(&Cpu::default())
        .into_iter()
        .filter(|row| !row.agrees())
        .collect();
    let [row] = wrong.as_slice() else { panic!("{wrong:?}") };
    assert_eq!(row.operation, "normalisation");
    assert!(matches!(row.what, What::Gradient(_)), "{row:?}");
}

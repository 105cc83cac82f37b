//! The self-test passes on the CPU and finds a gradient that is one per cent too large.

use dfdx::prelude::*;
use veracity_nets::attention::Matrix;
use veracity_nets::image::{Composed, Fused, ImageOps, Images, Sliding, Source};
use veracity_nets::selftest::{What, compare};

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

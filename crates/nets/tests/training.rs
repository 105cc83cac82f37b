//! Training can be interrupted and repeated; scores and intervals are right.

use dfdx::optim::Sgd;
use dfdx::prelude::*;
use veracity_nets::attention::Matrix;
use veracity_nets::layers::{Affine, Conv2d};
use veracity_nets::training::{
    Checkpoint, Confusion, EpochRandom, RunningMean, bootstrap_mean, paired_bootstrap,
};

type Model = (Affine<4, 16, f32, Cpu>, Affine<16, 3, f32, Cpu>);

/// Trains on rows whose answer is the place of their largest component.
fn train(epochs: usize, checkpoint: &Checkpoint) -> Vec<f32> {
    let mut model = Model::build(&Cpu::seed_from_u64(1));
    let mut done: usize = checkpoint.load(&mut model).unwrap_or(0);
    let x: Matrix<f32, Cpu> = Cpu::seed_from_u64(2).sample_normal_like(&(12, 4));
    let truth: Matrix<f32, Cpu> = Cpu::seed_from_u64(3).sample_normal_like(&(12, 3));
    let mut sgd = Sgd::new(&model, SgdConfig { lr: 0.1, ..Default::default() });
    while done < epochs {
        let mask = EpochRandom::new(7, done).dropout(12 * 16, 0.5);
        let mask = Cpu::default().tensor_from_vec(mask, (12, 16));
        let hidden = model.0.forward(x.trace(model.alloc_grads())).relu() * mask;
        let gradients = (model.1.forward(hidden) - truth.clone()).square().mean().backward();
        sgd.update(&mut model, &gradients).unwrap();
        done += 1;
        checkpoint.save(&model, &done).unwrap();
    }
    [model.0.weight.as_vec(), model.0.bias.as_vec(), model.1.weight.as_vec()].concat()
}

#[test]
fn an_interrupted_training_ends_with_the_same_weights() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("resumed.safetensors");
    let _ = std::fs::remove_file(&file);
    let kept = Checkpoint::new(Some(file.clone()));
    let whole = train(6, &Checkpoint::new(None));
    assert_eq!(whole, train(6, &Checkpoint::new(None)));
    train(2, &kept);
    assert_eq!(train(6, &kept), whole);

    // What is damaged or belongs to another model counts as absent.
    let good = std::fs::read(&file).unwrap();
    std::fs::write(&file, &good[..good.len() / 2]).unwrap();
    assert_eq!(train(6, &kept), whole);
    let mut other = Affine::<4, 5, f32, Cpu>::build(&Cpu::default());
    assert_eq!(kept.load::<_, _, usize>(&mut other), None);
}

#[test]
fn layers_start_within_their_bounds_and_count_their_parameters() {
    let layer = Conv2d::<8, 16, 3, 1, 0, f32, Cpu>::build(&Cpu::seed_from_u64(4));
    assert_eq!(layer.num_trainable_params(), 16 * (8 * 9 + 1));
    let bound = 1.0 / 72_f32.sqrt();
    let kernels = layer.kernels.as_vec();
    assert!(kernels.iter().all(|weight| weight.abs() <= bound));
    assert!(kernels.iter().any(|weight| weight.abs() > 0.9 * bound));
}

#[test]
fn dropout_drops_the_rate_and_scales_the_rest() {
    let factors = EpochRandom::new(1, 2).dropout(100_000, 0.7);
    let dropped = factors.iter().filter(|factor| **factor == 0.0).count();
    assert!((69_000..71_000).contains(&dropped), "{dropped}");
    assert!(factors.iter().all(|&factor| factor == 0.0 || (factor - 1.0 / 0.3).abs() < 1e-5));
    assert_ne!(factors, EpochRandom::new(1, 3).dropout(100_000, 0.7));
}

#[test]
fn an_order_holds_every_image_once() {
    let mut order = EpochRandom::new(5, 0).order(1_000);
    assert_ne!(order, (0..1_000).collect::<Vec<_>>());
    order.sort_unstable();
    assert_eq!(order, (0..1_000).collect::<Vec<_>>());
}

#[test]
fn a_running_mean_goes_on_from_its_state() {
    let mut mean = RunningMean::default();
    [1.0, 2.0, 6.0].into_iter().for_each(|number| mean.add(number));
    assert_eq!(mean.mean(), 3.0);
    let mut resumed = RunningMean::from_state(mean.state());
    resumed.add(7.0);
    assert_eq!(resumed.mean(), 4.0);
}

#[test]
fn confusions_give_accuracy_and_recall() {
    let confusion = Confusion::<3>::new(&[0, 0, 1, 1], &[0, 1, 1, 1]);
    assert_eq!(confusion.0, [[1, 1, 0], [0, 2, 0], [0, 0, 0]]);
    assert_eq!(confusion.accuracy(), 0.75);
    assert_eq!(confusion.recall(), [Some(0.5), Some(1.0), None]);
}

#[test]
fn intervals_hold_the_mean_and_have_about_the_width_of_theory() {
    let numbers: Vec<f64> = (0..400).map(|at| f64::from(at % 20)).collect();
    let interval = bootstrap_mean(&numbers, 1);
    assert_eq!(interval.mean, 9.5);
    // Standard error √(33.25/400) = 0.288, twice 1.96 of it.
    assert!((interval.high - interval.low - 1.13).abs() < 0.1, "{interval:?}");
    let constant = paired_bootstrap(&[vec![0.5; 3], vec![0.5; 3]], 1);
    assert_eq!((constant.low, constant.mean, constant.high), (0.5, 0.5, 0.5));
}

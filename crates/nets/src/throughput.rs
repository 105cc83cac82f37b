//! How fast this crate's networks learn on the device of this build, and where a step's time goes.
//!
//! In: nothing. Out: a table, a row for each network and batch: how many images or clips it learns from in
//! a second, and how a step divides into *transfers* between the host and the device, *issue*, in which
//! the host prepares operations and launches kernels, and *wait*, in which the device still computes what
//! was issued. On a GPU kernels run while others are issued: where `wait` is next to nothing, the host
//! and not the arithmetic decides. On the CPU all of the arithmetic is in `issue`. Rates come of steps that
//! run freely, parts of further steps with a synchronisation after each part. The inputs are noise and
//! the networks those of the report's chapters; what they learn is not looked at.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use dfdx::optim::Sgd;
use dfdx::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::image::{Sliding, Source, tensor};
use crate::layers::{Affine, Conv2d};
use crate::recogniser::{Batch, Clip, Clips, DecoderKind, Recogniser, Sizes};
use crate::sequence::{SequenceDevice, SequenceOps};
use crate::training::{AdamW, EpochRandom};

type Ops = <AutoDevice as SequenceDevice<f32>>::Ops;

/// Height and width of the images.
const SIDE: usize = 28;

/// Classes of the images.
const CLASSES: usize = 4;

/// Components after the first affine map, of which some are dropped.
const DROPPED: usize = 320;

/// Clips of a step of the speech networks.
const CLIPS: usize = 4;

/// Steps that are not counted, in which memory is allocated and kernels are loaded.
const WARMING: usize = 3;

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Throughput {
    /// The network with its batch.
    pub network: String,
    /// What it learns from.
    pub unit: &'static str,
    /// How many of them a second.
    pub rate: f64,
    /// One step that runs freely.
    pub step: Duration,
    /// Time of a step by parts.
    pub parts: Parts,
}

/// The parts of a step.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parts {
    /// From the host to the device.
    pub transfers: Duration,
    /// Until the host has issued everything.
    pub issue: Duration,
    /// Until the device is done after that.
    pub wait: Duration,
}

/// How large the networks are and how long each is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Images of a step, a row for each.
    pub batches: &'static [usize],
    /// Sizes of the speech networks.
    pub speech: Sizes,
    /// Time after which no further step is begun.
    pub patience: Duration,
    /// Fewest and most steps that are counted.
    pub steps: (usize, usize),
}

impl Extent {
    /// The networks of the published experiments.
    pub const FULL: Self = Self {
        batches: &[8, 256],
        speech: Sizes::PUBLISHED,
        patience: Duration::from_secs(3),
        steps: (3, 300),
    };
}

/// Measures all networks; prints a table.
pub fn main() -> ExitCode {
    let device = AutoDevice::seed_from_u64(1);
    let name = std::any::type_name::<AutoDevice>().rsplit("::").next().unwrap_or_default();
    println!(
        "{:<32} {:>10} {:<8} {:>10} {:>10} {:>10} {:>10}",
        format!("learning on {name}"),
        "rate",
        "per s",
        "step ms",
        "transfers",
        "issue",
        "wait"
    );
    for row in measure(&device, Extent::FULL) {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        println!(
            "{:<32} {:>10.1} {:<8} {:>10.3} {:>10.3} {:>10.3} {:>10.3}",
            row.network,
            row.rate,
            row.unit,
            ms(row.step),
            ms(row.parts.transfers),
            ms(row.parts.issue),
            ms(row.parts.wait)
        );
    }
    ExitCode::SUCCESS
}

/// Measures all networks.
pub fn measure(device: &AutoDevice, extent: Extent) -> Vec<Throughput> {
    device.enable_cache();
    let mut rows = Vec::new();
    for &batch in extent.batches {
        let mut pooled = Images::new(Pooled::build(device), batch, device);
        let name = format!("pooled CNN, batch {batch}");
        rows.push(timed(&extent, device, name, "images", batch, &mut pooled));
        let mut strided = Images::new(Strided::build(device), batch, device);
        let name = format!("strided CNN, batch {batch}");
        rows.push(timed(&extent, device, name, "images", batch, &mut strided));
    }
    for kind in [DecoderKind::Recurrent, DecoderKind::Attention] {
        let name = format!("{} speech, {CLIPS} clips", format!("{kind:?}").to_lowercase());
        let learner = &mut Speech::new(extent.speech, kind, device);
        rows.push(timed(&extent, device, name, "clips", CLIPS, learner));
    }
    rows
}

/// Something that learns, step by step, from the same numbers.
trait Learner {
    /// Brings the inputs of a step to the device.
    fn transfer(&mut self);

    /// Learns from them, without waiting for the device.
    fn learn(&mut self);
}

fn timed(
    extent: &Extent,
    device: &AutoDevice,
    network: String,
    unit: &'static str,
    units: usize,
    learner: &mut dyn Learner,
) -> Throughput {
    for _ in 0..WARMING {
        learner.transfer();
        learner.learn();
    }
    device.synchronize();
    let (fewest, most) = extent.steps;
    let may_go_on = |steps: usize, since: Instant| {
        steps < fewest || (steps < most && since.elapsed() < extent.patience)
    };
    let (mut steps, started) = (0, Instant::now());
    while may_go_on(steps, started) {
        learner.transfer();
        learner.learn();
        steps += 1;
    }
    device.synchronize();
    let step = started.elapsed() / steps as u32;
    let (mut parts, mut counted, started) = (Parts::default(), 0, Instant::now());
    while may_go_on(counted, started) {
        let mut last = Instant::now();
        let mut lap = || {
            let now = Instant::now();
            now - std::mem::replace(&mut last, now)
        };
        learner.transfer();
        device.synchronize();
        parts.transfers += lap();
        learner.learn();
        parts.issue += lap();
        device.synchronize();
        parts.wait += lap();
        counted += 1;
    }
    let counted = counted as u32;
    let parts = Parts {
        transfers: parts.transfers / counted,
        issue: parts.issue / counted,
        wait: parts.wait / counted,
    };
    let rate = units as f64 / step.as_secs_f64();
    Throughput { network, unit, rate, step, parts }
}

type Tail = (
    Affine<576, DROPPED, f32, AutoDevice>,
    Affine<DROPPED, 120, f32, AutoDevice>,
    Affine<120, CLASSES, f32, AutoDevice>,
);

type Pooled =
    (Conv2d<1, 8, 3, 1, 1, f32, AutoDevice>, Conv2d<8, 16, 3, 1, 0, f32, AutoDevice>, Tail);

type Strided =
    (Conv2d<1, 8, 3, 2, 1, f32, AutoDevice>, Conv2d<8, 16, 3, 2, 0, f32, AutoDevice>, Tail);

const BY_TWO: Sliding = Sliding { size: 2, stride: 2, padding: 0 };

type Grads = Gradients<f32, AutoDevice>;
type Traced<S> = Tensor<S, f32, AutoDevice, OwnedTape<f32, AutoDevice>>;

/// The convolutions of a network, which end in 576 numbers.
trait Front: TensorCollection<f32, AutoDevice> + Sized {
    fn features(&self, images: Traced<(usize, usize, usize, usize)>) -> Traced<(usize, usize)>;

    fn tail(&self) -> &Tail;
}

impl Front for Pooled {
    fn features(&self, images: Traced<(usize, usize, usize, usize)>) -> Traced<(usize, usize)> {
        let x = self.0.relu_pool(images, Some(BY_TWO), Source::Data);
        flat(self.1.relu_pool(x, Some(BY_TWO), Source::Features))
    }

    fn tail(&self) -> &Tail {
        &self.2
    }
}

impl Front for Strided {
    fn features(&self, images: Traced<(usize, usize, usize, usize)>) -> Traced<(usize, usize)> {
        let x = self.0.relu_pool(images, None, Source::Data);
        flat(self.1.relu_pool(x, None, Source::Features))
    }

    fn tail(&self) -> &Tail {
        &self.2
    }
}

fn flat(x: Traced<(usize, usize, usize, usize)>) -> Traced<(usize, usize)> {
    use crate::image::{ImageDevice, ImageOps};
    <<AutoDevice as ImageDevice<f32>>::Ops as ImageOps<f32, AutoDevice>>::flatten(x)
}

/// A convolutional network that learns by plain gradient descent.
struct Images<F: Front> {
    network: F,
    sgd: Sgd<F, f32, AutoDevice>,
    gradients: Option<Grads>,
    random: EpochRandom,
    device: AutoDevice,
    batch: usize,
    pixels: Vec<f32>,
    truth: Vec<f32>,
    inputs: Option<Inputs>,
}

/// What lies on the device for a step: images, the mask of the dropout, and the truth.
type Inputs = (
    Tensor<(usize, usize, usize, usize), f32, AutoDevice>,
    Tensor<(usize, usize), f32, AutoDevice>,
    Tensor<(usize, usize), f32, AutoDevice>,
);

impl<F: Front> Images<F> {
    fn new(network: F, batch: usize, device: &AutoDevice) -> Self {
        let mut random = StdRng::seed_from_u64(1);
        let pixels = (0..batch * SIDE * SIDE).map(|_| random.gen_range(0.0..1.0)).collect();
        let mut truth = vec![0.0; batch * CLASSES];
        for row in 0..batch {
            truth[row * CLASSES + random.gen_range(0..CLASSES)] = -1.0 / batch as f32;
        }
        let sgd = Sgd::new(&network, SgdConfig { lr: 0.01, ..Default::default() });
        let gradients = Some(network.alloc_grads());
        let random = EpochRandom::new(1, 0);
        let device = device.clone();
        Self { network, sgd, gradients, random, device, batch, pixels, truth, inputs: None }
    }
}

impl<F: Front> Learner for Images<F> {
    fn transfer(&mut self) {
        let (device, batch) = (&self.device, self.batch);
        let mask = self.random.dropout(batch * DROPPED, 0.7);
        self.inputs = Some((
            tensor(device, &self.pixels, (batch, 1, SIDE, SIDE)),
            tensor(device, &mask, (batch, DROPPED)),
            tensor(device, &self.truth, (batch, CLASSES)),
        ));
    }

    fn learn(&mut self) {
        let (images, mask, truth) = self.inputs.take().expect("they were brought here");
        let gradients = self.gradients.take().expect("gradients of the last step");
        let x = self.network.features(images.traced(gradients));
        let (first, second, third) = self.network.tail();
        let x = first.forward(x).relu() * mask;
        let logits = third.forward(second.forward(x).relu());
        let loss = (logits.log_softmax::<Axis<1>>() * truth).sum::<Rank0, _>();
        let mut gradients = loss.backward();
        self.sgd.update(&mut self.network, &gradients).expect("every parameter has a gradient");
        self.network.zero_grads(&mut gradients);
        self.gradients = Some(gradients);
    }
}

/// A speech network that learns by Adam.
struct Speech {
    network: Recogniser<f32, AutoDevice>,
    adam: AdamW<AutoDevice>,
    batch: Batch,
    device: AutoDevice,
    features: Option<Tensor<(usize, usize, usize), f32, AutoDevice>>,
}

impl Speech {
    fn new(sizes: Sizes, kind: DecoderKind, device: &AutoDevice) -> Self {
        let mut random = StdRng::seed_from_u64(1);
        let clips: Vec<Clip> = (0..CLIPS)
            .map(|_| Clip {
                features: (0..sizes.frames * sizes.mels)
                    .map(|_| random.gen_range(-1.0..1.0))
                    .collect(),
                tokens: (0..=sizes.tokens).map(|_| random.gen_range(0..sizes.vocabulary)).collect(),
            })
            .collect();
        let all: Vec<usize> = (0..CLIPS).collect();
        let batch = clips.batch(&all, &sizes).expect("the clips are made to fit");
        let network = Recogniser::new(sizes, kind, 1, device).expect("the sizes fit together");
        Self { network, adam: AdamW::new(0.01), batch, device: device.clone(), features: None }
    }
}

impl Learner for Speech {
    fn transfer(&mut self) {
        let sizes = self.network.sizes;
        let shape = (self.batch.clips(), self.batch.frames(), sizes.mels);
        self.features = Some(tensor(&self.device, self.batch.features(), shape));
    }

    fn learn(&mut self) {
        let features = self.features.take().expect("they were brought here");
        let logits = self.network.logits(features.leaky_traced(), self.batch.inputs());
        let loss = Ops::cross_entropy(logits, self.batch.labels(), 0.1);
        let mut gradients = loss.backward();
        let updated = self.adam.update(&mut self.network, &mut gradients, 1e-3);
        updated.expect("the device has room for the moments");
    }
}

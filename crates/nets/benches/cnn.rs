//! How fast the convolutional networks of chapter 2 train, on one thread.
//!
//! Run by `benches/cnn.py`, which compares with PyTorch in the same run, or alone by
//! `cargo bench -p veracity-nets --bench cnn -- [speed BATCH | epoch]`. The layers are those of
//! the chapter; the numbers learned are not looked at.

use std::hint::black_box;
use std::time::Instant;

use dfdx::optim::Sgd;
use dfdx::prelude::*;
use veracity_nets::image::{Fused, ImageOps, Images, Sliding, Source, tensor};
use veracity_nets::layers::{Affine, Conv2d};
use veracity_nets::octmnist::{SIDE, Split};
use veracity_nets::retina::{self, Sizes};
use veracity_nets::training::EpochRandom;

type Layers = (
    Conv2d<1, 8, 3, 1, 1, f32, Cpu>,
    Conv2d<8, 16, 3, 1, 0, f32, Cpu>,
    Affine<576, 320, f32, Cpu>,
    Affine<320, 120, f32, Cpu>,
    Affine<120, 4, f32, Cpu>,
);

const BY_TWO: Sliding = Sliding { size: 2, stride: 2, padding: 0 };

struct Trainer {
    layers: Layers,
    gradients: Option<Gradients<f32, Cpu>>,
    sgd: Sgd<Layers, f32, Cpu>,
    random: EpochRandom,
    device: Cpu,
}

impl Trainer {
    fn new() -> Self {
        let device = Cpu::seed_from_u64(1);
        device.enable_cache();
        let layers = Layers::build(&device);
        let gradients = Some(layers.alloc_grads());
        let config = SgdConfig { lr: 0.01, ..Default::default() };
        let sgd = Sgd::new(&layers, config);
        Self { layers, gradients, sgd, random: EpochRandom::new(1, 0), device }
    }

    /// One step; gives the loss. The clock is asked between its parts.
    fn step(&mut self, split: &Split, batch: &[usize], clock: &mut Clock) -> f32 {
        let count = batch.len();
        clock.start();
        let images: Images<f32, Cpu> =
            tensor(&self.device, &split.numbers(batch), (count, 1, SIDE, SIDE));
        let mask = tensor(&self.device, &self.random.dropout(count * 320, 0.7), (count, 320));
        let mut truth = vec![0.0; count * 4];
        for (row, &image) in batch.iter().enumerate() {
            truth[row * 4 + usize::from(split.labels[image])] = -1.0 / count as f32;
        }
        let truth = tensor(&self.device, &truth, (count, 4));
        clock.lap("data");
        let (conv1, conv2, fc1, fc2, fc3) = &self.layers;
        let gradients = self.gradients.take().expect("gradients of the last step");
        let x: Images<f32, Cpu, _> = images.traced(gradients);
        let x = conv1.relu_pool(x, Some(BY_TWO), Source::Data);
        clock.lap("convolution 1");
        let x = conv2.relu_pool(x, Some(BY_TWO), Source::Features);
        let x = <Fused as ImageOps<f32, Cpu>>::flatten(x);
        clock.lap("convolution 2");
        let x = fc1.forward(x).relu() * mask;
        clock.lap("affine 1, dropout");
        let logits = fc3.forward(fc2.forward(x).relu());
        clock.lap("affine 2, 3");
        let loss = (logits.log_softmax::<Axis<1>>() * truth).sum::<Rank0, _>();
        let value = loss.array();
        clock.lap("loss");
        let mut gradients = loss.backward();
        clock.lap("backward");
        self.sgd.update(&mut self.layers, &gradients).expect("every parameter has a gradient");
        clock.lap("update");
        self.layers.zero_grads(&mut gradients);
        self.gradients = Some(gradients);
        clock.lap("zero");
        value
    }
}

/// Sums up the time of each part.
#[derive(Default)]
struct Clock {
    last: Option<Instant>,
    parts: Vec<(&'static str, f64)>,
}

impl Clock {
    fn start(&mut self) {
        self.last = Some(Instant::now());
    }

    fn lap(&mut self, part: &'static str) {
        let now = Instant::now();
        let elapsed = self.last.map_or(0.0, |last| (now - last).as_secs_f64());
        match self.parts.iter_mut().find(|(name, _)| *name == part) {
            Some((_, sum)) => *sum += elapsed,
            None => self.parts.push((part, elapsed)),
        }
        self.last = Some(now);
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["speed", batch] => speed(batch.parse().expect("a number of images")),
        ["epoch"] => epoch(),
        _ => [8, 64].into_iter().for_each(speed),
    }
}

fn speed(batch: usize) {
    let data = retina::generate(1, Sizes { train: 2048, val: 0, test: 0 }).train;
    let order: Vec<usize> = (0..data.len()).collect();
    let batches: Vec<&[usize]> = order.chunks_exact(batch).collect();
    let mut trainer = Trainer::new();
    let mut rates = Vec::new();
    let mut clock = Clock::default();
    let mut computed = 0.0;
    for round in 0..12 {
        if round == 2 {
            clock = Clock::default();
            computed = processor_seconds();
        }
        let start = Instant::now();
        for batch in &batches {
            black_box(trainer.step(&data, batch, &mut clock));
        }
        rates.push((batches.len() * batch) as f64 / start.elapsed().as_secs_f64());
    }
    let computed = processor_seconds() - computed;
    let mut rates = rates.split_off(2);
    rates.sort_by(f64::total_cmp);
    let steps = (10 * batches.len()) as f64;
    let counted = allocation_counter::measure(|| {
        black_box(trainer.step(&data, batches[0], &mut Clock::default()));
    });
    println!(
        "batch {batch}: {:.0} images/s, {:.0} per second of the processor ({:.0} to {:.0}), {} \
         allocations of {} bytes per step",
        rates[rates.len() / 2],
        10.0 * (batches.len() * batch) as f64 / computed,
        rates[0],
        rates[rates.len() - 1],
        counted.count_total,
        counted.bytes_total
    );
    for (part, seconds) in clock.parts {
        println!("  {part:<20} {:>8.1} µs", seconds / steps * 1e6);
    }
}

/// Seconds that all threads of this process have computed: unlike the clock's they do not depend
/// on what else the machine does. Nothing where the system does not tell.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name before may have spaces; ticks are hundredths of seconds.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    ticks(12).zip(ticks(13)).map_or(f64::NAN, |(user, system)| (user + system) / 100.0)
}

/// One epoch as large as that of the published data.
fn epoch() {
    let start = Instant::now();
    let data = retina::generate(1, Sizes::FULL);
    println!("generated in {:.1} s", start.elapsed().as_secs_f64());
    let mut trainer = Trainer::new();
    let order = EpochRandom::new(1, 1).order(data.train.len());
    let start = Instant::now();
    let mut loss = 0.0;
    for batch in order.chunks(8) {
        loss += f64::from(trainer.step(&data.train, batch, &mut Clock::default()));
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "one epoch of {} images in {seconds:.1} s, 15 in {:.0} s, mean loss {:.3}",
        data.train.len(),
        15.0 * seconds,
        loss / order.chunks(8).len() as f64
    );
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        status.lines().filter(|line| line.starts_with("VmHWM")).for_each(|line| println!("{line}"));
    }
}

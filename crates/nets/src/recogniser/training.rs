//! Learning from clips.
//!
//! In: a network, clips, and how to learn. Out: the network, changed, and what happened in each
//! epoch. Left out: what is measured after an epoch besides the loss, which the caller adds.

use std::fmt;
use std::io;
use std::time::Instant;

use dfdx::prelude::{Tensor, Trace};
use dfdx::tensor_ops::Backward;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Batch, ClipError, Clips, Recogniser};
use crate::attention::Matrix;
use crate::image::tensor;
use crate::parameters::Parameters;
use crate::sequence::{SequenceDevice, SequenceOps, Sequences};
use crate::training::{AdamW, Checkpoint, EpochRandom, Losses, RunningMean};

/// How to learn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// How often all clips are seen.
    pub epochs: usize,
    /// Clips of a step.
    pub batch: usize,
    /// Clips that are evaluated at once.
    pub evaluated_together: usize,
    /// Highest learning rate.
    pub rate: f64,
    /// Share of the highest rate at the start and at the end.
    pub lowest: f64,
    /// Epochs in which the rate grows.
    pub rising: usize,
    /// Epochs in which it falls again.
    pub falling: usize,
    /// Decoupled weight decay.
    pub decay: f64,
    /// Share of the truth that belongs to all tokens equally.
    pub smoothing: f64,
    /// Decides the order of the clips.
    pub seed: u64,
}

impl Recipe {
    /// The published experiment.
    pub const PUBLISHED: Self = Self {
        epochs: 15,
        batch: 64,
        evaluated_together: 16,
        rate: 1e-3,
        lowest: 0.01,
        rising: 2,
        falling: 12,
        decay: 0.01,
        smoothing: 0.1,
        seed: 0,
    };

    /// Returns the learning rate of an epoch: linear from `lowest` up, then linear down.
    pub fn rate_of(&self, epoch: usize) -> f64 {
        let span = 1.0 - self.lowest;
        let share = if epoch < self.rising {
            self.lowest + span * epoch as f64 / self.rising as f64
        } else {
            let gone = (epoch - self.rising) as f64 / self.falling.max(1) as f64;
            1.0 - span * gone.min(1.0)
        };
        self.rate * share
    }
}

/// What happened in an epoch, and what the caller measured after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch<S> {
    /// The learning rate.
    #[serde(with = "exact")]
    pub rate: f64,
    /// Mean loss over the steps, while learning.
    #[serde(with = "exact")]
    pub training_loss: f64,
    /// What the caller measured.
    pub measured: S,
}

/// How far the training is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// The epoch, from 0.
    pub epoch: usize,
    /// How many there are.
    pub epochs: usize,
    /// Clips of this epoch that have been learned from.
    pub clips: usize,
    /// How many there are in each epoch.
    pub clips_of_epoch: usize,
    /// Mean loss of the epoch before; none in the first.
    pub loss: Option<f64>,
    /// Speed since this call started; evaluations count as well.
    pub clips_per_second: f64,
    /// How long the rest takes at this speed.
    pub seconds_left: f64,
}

/// Why learning stopped.
#[derive(Debug)]
pub enum TrainingError {
    /// There is nothing to learn from, or steps have no clips.
    NothingToLearn,
    /// Clips are wrong or cannot be loaded.
    Clips(ClipError),
    /// The loss is infinite or no number.
    Diverged {
        /// The epoch, from 0.
        epoch: usize,
        /// Clips of the epoch before the step.
        clips: usize,
    },
    /// The checkpoint cannot be written.
    Checkpoint(io::Error),
    /// The device failed.
    Device(String),
}

impl fmt::Display for TrainingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingToLearn => write!(f, "no clips to learn from, or steps without clips"),
            Self::Clips(error) => write!(f, "{error}"),
            Self::Diverged { epoch, clips } => {
                write!(f, "the loss is not finite after {clips} clips of epoch {epoch}")
            }
            Self::Checkpoint(error) => write!(f, "the checkpoint cannot be written: {error}"),
            Self::Device(error) => write!(f, "the device failed: {error}"),
        }
    }
}

impl std::error::Error for TrainingError {}

impl From<ClipError> for TrainingError {
    fn from(error: ClipError) -> Self {
        Self::Clips(error)
    }
}

/// Numbers by their bits: JSON may be read with an error in the last place.
mod exact {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(number: &f64, to: S) -> Result<S::Ok, S::Error> {
        number.to_bits().serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        u64::deserialize(from).map(f64::from_bits)
    }
}

#[derive(Serialize, Deserialize)]
struct State<S> {
    /// As it is written in JSON.
    recipe: String,
    clips: usize,
    steps: i32,
    epochs: Vec<Epoch<S>>,
}

/// Teaches a network, epoch by epoch, with the true tokens so far as inputs.
///
/// A checkpoint is written after each epoch; if there is one of the same recipe, the training
/// goes on after its last epoch and ends with the same numbers as one without interruption.
/// `measure` is called after each epoch, `progress` after each step. Losses are read when an epoch has
/// ended, so that no step waits for the device; one that is not finite is noticed then.
///
/// # Errors
/// If clips cannot be used, the loss is not finite, or the checkpoint cannot be written.
pub fn train<D, C, S>(
    recogniser: &mut Recogniser<f32, D>,
    clips: &C,
    recipe: &Recipe,
    checkpoint: &Checkpoint,
    mut measure: impl FnMut(&Recogniser<f32, D>, usize) -> Result<S, TrainingError>,
    mut progress: impl FnMut(&Progress),
) -> Result<Vec<Epoch<S>>, TrainingError>
where
    D: SequenceDevice<f32>,
    C: Clips + ?Sized,
    S: Serialize + DeserializeOwned,
{
    if clips.count() == 0 || recipe.batch == 0 {
        return Err(TrainingError::NothingToLearn);
    }
    let mut adam = AdamW::new(recipe.decay);
    let mut epochs = resume(recogniser, &mut adam, clips.count(), recipe, checkpoint)?;
    let (started, first) = (Instant::now(), epochs.len());
    for epoch in first..recipe.epochs {
        let rate = recipe.rate_of(epoch);
        let order = EpochRandom::new(recipe.seed, epoch).order(clips.count());
        let before = epochs.last().map(|epoch| epoch.training_loss);
        let (mut losses, mut done) = (Losses::default(), 0);
        for chosen in order.chunks(recipe.batch) {
            let batch = clips.batch(chosen, &recogniser.sizes)?;
            let loss = step(recogniser, &mut adam, &batch, rate, recipe.smoothing)?;
            losses.keep(&loss);
            done += chosen.len();
            let gone = started.elapsed().as_secs_f64().max(1e-9);
            let seen = (epoch - first) * clips.count() + done;
            let left = (recipe.epochs - first) * clips.count() - seen;
            let clips_per_second = seen as f64 / gone;
            progress(&Progress {
                epoch,
                epochs: recipe.epochs,
                clips: done,
                clips_of_epoch: clips.count(),
                loss: before,
                clips_per_second,
                seconds_left: left as f64 / clips_per_second,
            });
        }
        let mut loss = RunningMean::default();
        for (step, value) in losses.read().into_iter().enumerate() {
            if !value.is_finite() {
                return Err(TrainingError::Diverged { epoch, clips: step * recipe.batch });
            }
            loss.add(f64::from(value));
        }
        let measured = measure(recogniser, epoch)?;
        epochs.push(Epoch { rate, training_loss: loss.mean(), measured });
        let steps = adam.steps();
        let state = State { recipe: written(recipe), clips: clips.count(), steps, epochs };
        let mut kept = adam.moments(recogniser).map_err(device)?;
        let parameters = recogniser.named("").into_iter();
        kept.extend(parameters.map(|(name, matrix)| (name, matrix.clone())));
        checkpoint.save_matrices(&kept, &state).map_err(TrainingError::Checkpoint)?;
        epochs = state.epochs;
    }
    Ok(epochs)
}

/// Learns from a batch; gives the loss before it.
fn step<D: SequenceDevice<f32>>(
    recogniser: &mut Recogniser<f32, D>,
    adam: &mut AdamW<D>,
    batch: &Batch,
    rate: f64,
    smoothing: f64,
) -> Result<Tensor<(), f32, D>, TrainingError> {
    let features = features(recogniser, batch).leaky_traced();
    let logits = recogniser.logits(features, batch.inputs());
    let loss = D::Ops::cross_entropy(logits, batch.labels(), smoothing);
    let value = loss.retaped();
    let mut gradients = loss.try_backward().map_err(device)?;
    adam.update(recogniser, &mut gradients, rate).map_err(device)?;
    Ok(value)
}

/// Returns the mean loss over clips, without learning from them.
///
/// # Errors
/// If clips cannot be used, or there are none.
pub fn mean_loss<D: SequenceDevice<f32>, C: Clips + ?Sized>(
    recogniser: &Recogniser<f32, D>,
    clips: &C,
    recipe: &Recipe,
) -> Result<f64, TrainingError> {
    if clips.count() == 0 || recipe.evaluated_together == 0 {
        return Err(TrainingError::NothingToLearn);
    }
    let all: Vec<usize> = (0..clips.count()).collect();
    let mut sum = 0.0;
    for chosen in all.chunks(recipe.evaluated_together) {
        let batch = clips.batch(chosen, &recogniser.sizes)?;
        let logits = recogniser.logits(features(recogniser, &batch), batch.inputs());
        let loss = D::Ops::cross_entropy(logits, batch.labels(), recipe.smoothing);
        sum += f64::from(loss.as_vec()[0]) * chosen.len() as f64;
    }
    Ok(sum / clips.count() as f64)
}

/// The features of a batch on the network's device.
fn features<D: SequenceDevice<f32>>(
    recogniser: &Recogniser<f32, D>,
    batch: &Batch,
) -> Sequences<f32, D> {
    let shape = (batch.clips(), batch.frames(), recogniser.sizes.mels);
    tensor(recogniser.encoder.positions.device(), batch.features(), shape)
}

fn resume<D: SequenceDevice<f32>, S: Serialize + DeserializeOwned>(
    recogniser: &mut Recogniser<f32, D>,
    adam: &mut AdamW<D>,
    clips: usize,
    recipe: &Recipe,
    checkpoint: &Checkpoint,
) -> Result<Vec<Epoch<S>>, TrainingError> {
    let mut moments = adam.moments(recogniser).map_err(device)?;
    let before: Vec<Matrix<f32, D>> =
        recogniser.named("").into_iter().map(|(_, matrix)| matrix.clone()).collect();
    let mut all: Vec<(String, &mut Matrix<f32, D>)> =
        moments.iter_mut().map(|(name, moment)| (name.clone(), moment)).collect();
    all.extend(recogniser.named_mut(""));
    let Some(state) = checkpoint.load_matrices::<D, State<S>>(&mut all) else {
        return Ok(Vec::new());
    };
    if state.recipe != written(recipe) || state.clips != clips {
        let parameters = recogniser.named_mut("").into_iter().zip(before);
        parameters.for_each(|((_, matrix), before)| *matrix = before);
        return Ok(Vec::new());
    }
    adam.restore(recogniser, &moments, state.steps).map_err(device)?;
    Ok(state.epochs)
}

fn written(recipe: &Recipe) -> String {
    serde_json::to_string(recipe).expect("numbers can be written")
}

fn device(error: impl fmt::Debug) -> TrainingError {
    TrainingError::Device(format!("{error:?}"))
}

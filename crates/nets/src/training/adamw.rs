//! Adam with decoupled weight decay (Loshchilov and Hutter, 2019).
//!
//! In: parameters and gradients. Out: changed parameters. Left out: the rate, which a schedule
//! chooses for each step. dfdx's own optimiser has the same kernel, but keeps its moments to
//! itself, and without them no training goes on where it stopped.

use dfdx::optim::WeightDecay;
use dfdx::prelude::{AdamConfig, Device, Gradients, Trace};
use dfdx::tensor_ops::{Backward, SumTo};

use crate::attention::Matrix;
use crate::parameters::Parameters;

/// Matrices with names, the first and the second moment of each parameter one after the other.
pub type Moments<D> = Vec<(String, Matrix<f32, D>)>;

/// Adam with decoupled weight decay: p ← p − rate·(m̂/(√v̂ + ε) + decay·p).
#[derive(Debug)]
pub struct AdamW<D: Device<f32>> {
    decay: f64,
    steps: i32,
    first: Gradients<f32, D>,
    second: Gradients<f32, D>,
}

impl<D: Device<f32>> AdamW<D> {
    /// Starts without moments. The rest is as in PyTorch: β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸.
    pub fn new(decay: f64) -> Self {
        Self { decay, steps: 0, first: Gradients::leaky(), second: Gradients::leaky() }
    }

    /// Changes all parameters, those without a gradient too.
    pub fn update(
        &mut self,
        model: &mut impl Parameters<f32, D>,
        gradients: &mut Gradients<f32, D>,
        rate: f64,
    ) -> Result<(), D::Err> {
        self.steps += 1;
        let config = AdamConfig {
            lr: rate,
            weight_decay: Some(WeightDecay::Decoupled(self.decay)),
            ..AdamConfig::default()
        };
        for (_, matrix) in model.named_mut("") {
            let first = self.first.get_or_alloc_mut(matrix)?;
            let second = self.second.get_or_alloc_mut(matrix)?;
            let gradient = gradients.get_or_alloc_mut(matrix)?;
            config.try_update(self.steps, matrix, first, second, gradient)?;
        }
        Ok(())
    }

    /// Returns how many updates there have been.
    pub fn steps(&self) -> i32 {
        self.steps
    }

    /// Returns both moments of all parameters, with names.
    pub fn moments(&mut self, model: &impl Parameters<f32, D>) -> Result<Moments<D>, D::Err> {
        let mut moments = Vec::new();
        for (name, matrix) in model.named("") {
            for (moment, which) in [(&mut self.first, "first"), (&mut self.second, "second")] {
                moment.get_or_alloc_mut(matrix)?;
                moments.push((format!("{which}.{name}"), moment.get(matrix)));
            }
        }
        Ok(moments)
    }

    /// Goes on from such moments after so many updates.
    pub fn restore(
        &mut self,
        model: &impl Parameters<f32, D>,
        moments: &[(String, Matrix<f32, D>)],
        steps: i32,
    ) -> Result<(), D::Err> {
        *self = Self { steps, ..Self::new(self.decay) };
        let pairs = model.named("").into_iter().zip(moments.chunks_exact(2));
        for ((_, matrix), pair) in pairs {
            // dfdx has no other way to make a gradient of a tensor: that of the sum of p·m is m.
            for (moment, (_, numbers)) in [&mut self.first, &mut self.second].into_iter().zip(pair)
            {
                let before = std::mem::replace(moment, Gradients::leaky());
                let sum = (matrix.trace(before) * numbers.clone()).sum();
                *moment = sum.try_backward()?;
            }
        }
        Ok(())
    }
}

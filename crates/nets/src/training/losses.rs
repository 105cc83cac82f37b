//! Losses that wait on the device.
//!
//! In: the loss of each step. Out: all of them as numbers, by one transfer. Reading a loss makes the host
//! wait for everything that the device was given, so a training that reads none until an epoch has ended
//! never waits within a step.

use dfdx::prelude::{Device, NoneTape, Tape, Tensor, TryStack};

/// The losses of steps, on the device.
#[derive(Clone, Debug)]
pub struct Losses<D: Device<f32>>(Vec<Tensor<(), f32, D>>);

impl<D: Device<f32>> Default for Losses<D> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<D: Device<f32>> Losses<D> {
    /// Keeps the loss of a step.
    pub fn keep<T: Tape<f32, D>>(&mut self, loss: &Tensor<(), f32, D, T>) {
        self.0.push(loss.retaped::<NoneTape>());
    }

    /// Returns all losses, in the order of their steps.
    pub fn read(self) -> Vec<f32> {
        match self.0.is_empty() {
            true => Vec::new(),
            false => self.0.stack().as_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use dfdx::prelude::{Backward, Cpu, SumTo, TensorFrom, Trace};

    use super::*;

    #[test]
    fn losses_come_in_order_and_backward_changes_none() {
        let device = Cpu::default();
        let mut losses = Losses::default();
        for number in [1.5_f32, -0.25, f32::NAN] {
            let loss = device.tensor([number, 2.0]).leaky_trace().sum::<(), _>();
            losses.keep(&loss);
            loss.backward();
        }
        let read = losses.read();
        assert_eq!(read[..2], [3.5, 1.75]);
        assert!(read.len() == 3 && read[2].is_nan());
        assert!(Losses::<Cpu>::default().read().is_empty());
    }
}

//! How much memory computations hold.
//!
//! In: a computation on the CPU. Out: bytes of tensors, gradients and buffers of this crate's
//! kernels. Left out: what is no number of these, and what other threads use.
//!
//! What a computation gives back waits to be used again for as many numbers, so that in the end
//! all that it held at a time lies in two pools, whose contents are counted.

use dfdx::prelude::{Cache, Cpu};

use crate::kernels::spare_bytes;

/// Returns how many bytes a computation held, counted on a thread and a device of its own.
///
/// # Panics
/// With the panic of the computation.
pub fn held<T>(compute: impl FnOnce(&Cpu) -> T + Send) -> usize {
    let count = || {
        let device = Cpu::default();
        device.enable_cache();
        drop(compute(&device));
        pooled(&format!("{device:?}")) + spare_bytes::<f32>() + spare_bytes::<f64>()
    };
    std::thread::scope(|scope| match scope.spawn(count).join() {
        Ok(bytes) => bytes,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// The bytes in dfdx's pool, of which nothing but its debug form tells what it has: allocations
/// by their size.
fn pooled(device: &str) -> usize {
    let sizes = device.split("num_bytes: ").skip(1).map(|entry| {
        let digits = entry.find(|c: char| !c.is_ascii_digit()).unwrap_or(entry.len());
        let bytes: usize = entry[..digits].parse().expect("a number of bytes");
        bytes * entry.matches("BytesPtr(").count()
    });
    sizes.sum()
}

#[cfg(test)]
mod tests {
    use dfdx::prelude::{Tensor, ZerosTensor};

    use super::*;
    use crate::kernels::Buffer;

    #[test]
    fn what_is_held_at_a_time_counts_once() {
        let zeros = |device: &Cpu, count: usize| -> Tensor<(usize,), f32, Cpu> {
            device.zeros_like(&(count,))
        };
        assert_eq!(held(|_| ()), 0);
        assert_eq!(held(|device| [zeros(device, 10), zeros(device, 10), zeros(device, 7)]), 108);
        assert_eq!(held(|device| (0..5).for_each(|_| drop(zeros(device, 10)))), 40);
        assert_eq!(held(|_| (Buffer::<f64>::any(3), Buffer::<f32>::any(2))), 32);
    }

    #[test]
    #[should_panic(expected = "of the computation")]
    fn a_panic_is_passed_on() {
        held(|_| panic!("of the computation"));
    }
}

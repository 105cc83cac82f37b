//! What operations on the CPU need of dfdx's tape: numbers of tensors and gradients.
//!
//! In: tensors and gradients. Out: buffers and references. Left out: the operations.

use dfdx::prelude::{Cpu, CpuError, Gradients, HasShape, ReshapeTo, Tensor};
use dfdx::shapes::Shape;

use crate::kernels::{Buffer, Real};

/// The numbers of a tensor, in order.
pub(crate) fn copy<S: Shape, E: Real>(tensor: &Tensor<S, E, Cpu>) -> Buffer<E> {
    let tensor = tensor.clone().contiguous();
    let mut numbers = Buffer::any(tensor.shape().num_elements());
    tensor.copy_into(&mut numbers);
    numbers
}

/// A copy of these numbers.
pub(crate) fn buffer<E: Real>(numbers: &[E]) -> Buffer<E> {
    let mut buffer = Buffer::any(numbers.len());
    buffer.copy_from_slice(numbers);
    buffer
}

/// The gradient of a tensor, zero at first.
pub(crate) fn gradient_of<'a, S: Shape, E: Real>(
    gradients: &'a mut Gradients<E, Cpu>,
    tensor: &Tensor<S, E, Cpu>,
) -> Result<&'a mut Vec<E>, CpuError> {
    Ok(E::numbers(gradients.get_or_alloc_mut(tensor)?))
}

/// Takes the gradient of a result, so that other gradients can be changed meanwhile.
pub(crate) fn take<S: Shape, E: Real>(
    gradients: &mut Gradients<E, Cpu>,
    result: &Tensor<S, E, Cpu>,
) -> Result<Vec<E>, CpuError> {
    Ok(std::mem::take(gradient_of(gradients, result)?))
}

/// Gives it back.
pub(crate) fn put_back<S: Shape, E: Real>(
    gradients: &mut Gradients<E, Cpu>,
    result: &Tensor<S, E, Cpu>,
    gradient: Vec<E>,
) -> Result<(), CpuError> {
    *gradient_of(gradients, result)? = gradient;
    Ok(())
}

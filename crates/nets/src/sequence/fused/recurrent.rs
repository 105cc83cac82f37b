//! A long short-term memory over whole sequences.
//!
//! In: sequences. Out: what the memory shows after each step, and its last state. Left out:
//! gradients of the state from which it starts. The inputs of all steps are multiplied at once.

use dfdx::prelude::{Cpu, HasShape, PutTape, ReshapeTo, SplitTape, Tape};

use super::super::{Gates, LstmState, Sequences, assert_sizes};
use super::add_bias;
use crate::image::tensor;
use crate::kernels::{Before, Buffer, add};
use crate::products::{Panels, View, product};
use crate::tape::{copy, gradient_of, put_back, take};
use crate::vectors::{lstm_cell, lstm_cell_back};

pub(super) fn lstm<T: Tape<f32, Cpu>>(
    x: Sequences<f32, Cpu, T>,
    gates: &Gates<f32, Cpu>,
    start: &LstmState<f32, Cpu>,
) -> (Sequences<f32, Cpu, T>, LstmState<f32, Cpu>) {
    let (x, mut tape) = x.contiguous().split_tape();
    let (batch, length, inputs) = *x.shape();
    let size = gates.state.shape().0;
    let (width, rows) = (4 * size, batch * length);
    assert_sizes("weights of the inputs", &gates.input, (inputs, width));
    assert_sizes("weights of the state", &gates.state, (size, width));
    assert_sizes("biases of the inputs", &gates.input_bias, (1, width));
    assert_sizes("biases of the state", &gates.state_bias, (1, width));
    assert_sizes("state", &start.state, (batch, size));
    assert_sizes("memory", &start.memory, (batch, size));

    let (numbers, weights) = (copy(&x), copy(&gates.input));
    let state_weights = copy(&gates.state);
    let mut bias = copy(&gates.input_bias);
    add(&mut bias, &copy(&gates.state_bias));
    let mut values = Buffer::any(rows * width);
    values.chunks_exact_mut(width).for_each(|row| row.copy_from_slice(&bias));
    let panels = Panels::new(inputs, width, View::rows(&weights, width));
    product(rows, View::rows(&numbers, inputs), &panels, &mut values, width, Before::Kept);

    // Step 0 of each sequence is the start.
    let pitch = (length + 1) * size;
    let mut states = Buffer::any(batch * pitch);
    let mut memories = Buffer::any(batch * pitch);
    for (sequences, first) in [(&mut states, &start.state), (&mut memories, &start.memory)] {
        let first = copy(first);
        let rows = sequences.chunks_exact_mut(pitch).zip(first.chunks_exact(size));
        rows.for_each(|(to, from)| to[..size].copy_from_slice(from));
    }
    let panels = Panels::new(size, width, View::rows(&state_weights, width));
    for step in 0..length {
        let before = View::rows(&states[step * size..], pitch);
        let sums = &mut values[step * width..];
        product(batch, before, &panels, sums, length * width, Before::Kept);
        for sequence in 0..batch {
            let at = sequence * pitch + step * size;
            let gates = &mut values[(sequence * length + step) * width..][..width];
            let (before, memory) = memories[at..].split_at_mut(size);
            let state = &mut states[at + size..][..size];
            lstm_cell(gates, before, &mut memory[..size], state);
        }
    }
    let mut shown = Buffer::any(rows * size);
    let mut last = (Buffer::any(batch * size), Buffer::any(batch * size));
    for sequence in 0..batch {
        let all = &states[sequence * pitch..][..pitch];
        shown[sequence * length * size..][..length * size].copy_from_slice(&all[size..]);
        let end = sequence * pitch + length * size;
        last.0[sequence * size..][..size].copy_from_slice(&states[end..][..size]);
        last.1[sequence * size..][..size].copy_from_slice(&memories[end..][..size]);
    }
    let end = LstmState {
        state: tensor(x.device(), &last.0, (batch, size)),
        memory: tensor(x.device(), &last.1, (batch, size)),
    };
    let result = tensor(x.device(), &shown, (batch, length, size));

    if T::OWNS_TAPE {
        let (gates, out) = (gates.clone(), result.clone());
        tape.add_backward_op(move |gradients| {
            let gradient = take(gradients, &out)?;
            let turned = View::rows(&state_weights, width).turned();
            let panels = Panels::new(width, size, turned);
            let mut of_state = Buffer::zeros(batch * size);
            let mut of_memory = Buffer::zeros(batch * size);
            for step in (0..length).rev() {
                for sequence in 0..batch {
                    let row = sequence * length + step;
                    let at = sequence * pitch + step * size;
                    let of_state = &mut of_state[sequence * size..][..size];
                    add(of_state, &gradient[row * size..][..size]);
                    lstm_cell_back(
                        &mut values[row * width..][..width],
                        &memories[at..][..size],
                        &memories[at + size..][..size],
                        of_state,
                        &mut of_memory[sequence * size..][..size],
                    );
                }
                let sums = View::rows(&values[step * width..], length * width);
                product(batch, sums, &panels, &mut of_state, size, Before::Dropped);
            }
            let sums = View::rows(&values, width);
            let panels = Panels::new(rows, width, sums);
            let to = gradient_of(gradients, &gates.input)?;
            let turned = View::rows(&numbers, inputs).turned();
            product(inputs, turned, &panels, to, width, Before::Kept);
            let to = gradient_of(gradients, &gates.state)?;
            for sequence in 0..batch {
                let from = &values[sequence * length * width..];
                let panels = Panels::new(length, width, View::rows(from, width));
                let before = View::rows(&states[sequence * pitch..], size).turned();
                product(size, before, &panels, to, width, Before::Kept);
            }
            add_bias(gradients, Some(&gates.input_bias), &values)?;
            add_bias(gradients, Some(&gates.state_bias), &values)?;
            let panels = Panels::new(width, inputs, View::rows(&weights, width).turned());
            let to = gradient_of(gradients, &x)?;
            product(rows, sums, &panels, to, inputs, Before::Kept);
            put_back(gradients, &out, gradient)
        });
    }
    (result.put_tape(tape), end)
}

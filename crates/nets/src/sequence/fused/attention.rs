//! Attention in blocks of queries, whose weights never leave the cache.
//!
//! In: queries, keys, values. Out: mixed values. Left out: the weights themselves. Backward they
//! are computed once more from the logarithms of their sums (Dao et al., 2022).

use dfdx::prelude::{Cpu, HasShape, PutTape, ReshapeTo, SplitTape, Tape};

use super::super::{Extent, Sequences, Visible};
use crate::image::tensor;
use crate::kernels::{Before, Buffer};
use crate::products::{Panels, View, in_parallel, multiply_panels};
use crate::tape::{copy, put_back, take};
use crate::vectors;

/// Queries whose weights are computed together.
const QUERIES: usize = 96;

pub(super) fn attend<T: Tape<f32, Cpu>>(
    queries: Sequences<f32, Cpu, T>,
    keys: Sequences<f32, Cpu, T>,
    values: Sequences<f32, Cpu, T>,
    heads: usize,
    visible: &Visible,
) -> Sequences<f32, Cpu, T> {
    let extent = Extent::new(&queries, &keys, *values.shape(), heads, visible);
    let (queries, tape) = queries.contiguous().split_tape();
    let (keys, keys_tape) = keys.contiguous().split_tape();
    let (values, values_tape) = values.contiguous().split_tape();
    let mut tape = tape.merge(keys_tape).merge(values_tape);
    let kernel = Attention { extent, visible: visible.clone() };
    let (q, k, v) = (copy(&queries), copy(&keys), copy(&values));
    let mut results = Buffer::any(q.len());
    let mut logarithms = Buffer::any(extent.batch * heads * extent.queries);
    let (of_queries, of_keys) = kernel.chunks();
    let jobs = results.chunks_exact_mut(of_queries);
    let jobs = jobs.zip(logarithms.chunks_exact_mut(heads * extent.queries)).enumerate();
    in_parallel(jobs.collect(), |(sequence, (out, logarithms))| {
        let q = &q[sequence * of_queries..][..of_queries];
        let (k, v) = (&k[sequence * of_keys..][..of_keys], &v[sequence * of_keys..][..of_keys]);
        kernel.forward(sequence, [q, k, v], out, logarithms);
    });
    let result = tensor(queries.device(), &results, *queries.shape());

    if T::OWNS_TAPE {
        let out = result.clone();
        tape.add_backward_op(move |gradients| {
            let gradient = take(gradients, &out)?;
            let mut to_q = take(gradients, &queries)?;
            let mut to_k = take(gradients, &keys)?;
            let mut to_v = take(gradients, &values)?;
            let to = to_q.chunks_exact_mut(of_queries).zip(to_k.chunks_exact_mut(of_keys));
            let to = to.zip(to_v.chunks_exact_mut(of_keys)).enumerate().collect();
            in_parallel(to, |(sequence, ((to_q, to_k), to_v))| {
                let q = &q[sequence * of_queries..][..of_queries];
                let k = &k[sequence * of_keys..][..of_keys];
                let v = &v[sequence * of_keys..][..of_keys];
                let given = &gradient[sequence * of_queries..][..of_queries];
                let known = heads * extent.queries;
                let logarithms = &logarithms[sequence * known..][..known];
                kernel.backward(sequence, [q, k, v], logarithms, given, [to_q, to_k, to_v]);
            });
            put_back(gradients, &queries, to_q)?;
            put_back(gradients, &keys, to_k)?;
            put_back(gradients, &values, to_v)?;
            put_back(gradients, &out, gradient)
        });
    }
    result.put_tape(tape)
}

struct Attention {
    extent: Extent,
    visible: Visible,
}

impl Attention {
    /// Numbers of the queries and of the keys of a sequence.
    fn chunks(&self) -> (usize, usize) {
        let Extent { queries, keys, width, .. } = self.extent;
        (queries * width, keys * width)
    }

    /// What products of queries with keys are multiplied by.
    fn scale(&self) -> f32 {
        (self.extent.head() as f32).sqrt().recip()
    }

    fn forward(
        &self,
        sequence: usize,
        [q, k, v]: [&[f32]; 3],
        out: &mut [f32],
        logarithms: &mut [f32],
    ) {
        let Extent { queries, keys, width, heads, .. } = self.extent;
        let size = self.extent.head();
        let mut weights = Buffer::any(QUERIES.min(queries) * keys);
        for head in 0..heads {
            let part = head * size;
            let turned = Panels::new(size, keys, View::rows(&k[part..], width).turned());
            let values = Panels::new(keys, size, View::rows(&v[part..], width));
            for first in (0..queries).step_by(QUERIES) {
                let count = QUERIES.min(queries - first);
                let block = View::rows(&q[first * width + part..], width);
                let dropped = Before::Dropped;
                multiply_panels(count, block, &turned, &mut weights, keys, dropped);
                for (row, weights) in weights.chunks_exact_mut(keys).take(count).enumerate() {
                    let seen = self.visible.count(sequence, first + row, keys);
                    let logarithm = vectors::softmax(&mut weights[..seen], self.scale());
                    logarithms[head * queries + first + row] = logarithm;
                    weights[seen..].fill(0.0);
                }
                let to = &mut out[first * width + part..];
                multiply_panels(count, View::rows(&weights, keys), &values, to, width, dropped);
            }
        }
    }

    fn backward(
        &self,
        sequence: usize,
        [q, k, v]: [&[f32]; 3],
        logarithms: &[f32],
        given: &[f32],
        [to_q, to_k, to_v]: [&mut [f32]; 3],
    ) {
        let Extent { queries, keys, width, heads, .. } = self.extent;
        let size = self.extent.head();
        let mut weights = Buffer::any(QUERIES.min(queries) * keys);
        let mut changes = Buffer::any(weights.len());
        let (dropped, kept) = (Before::Dropped, Before::Kept);
        for head in 0..heads {
            let part = head * size;
            let keys_by_row = View::rows(&k[part..], width);
            let turned = Panels::new(size, keys, keys_by_row.turned());
            let keys_panels = Panels::new(keys, size, keys_by_row);
            let values = Panels::new(size, keys, View::rows(&v[part..], width).turned());
            for first in (0..queries).step_by(QUERIES) {
                let count = QUERIES.min(queries - first);
                let start = first * width + part;
                let (block, given) =
                    (View::rows(&q[start..], width), View::rows(&given[start..], width));
                multiply_panels(count, block, &turned, &mut weights, keys, dropped);
                multiply_panels(count, given, &values, &mut changes, keys, dropped);
                let rows = weights.chunks_exact_mut(keys).zip(changes.chunks_exact_mut(keys));
                for (row, (weights, changes)) in rows.take(count).enumerate() {
                    let seen = self.visible.count(sequence, first + row, keys);
                    let logarithm = logarithms[head * queries + first + row];
                    vectors::softmax_again(&mut weights[..seen], self.scale(), logarithm);
                    vectors::softmax_back(&weights[..seen], &mut changes[..seen], self.scale());
                    weights[seen..].fill(0.0);
                    changes[seen..].fill(0.0);
                }
                let by_key = View::rows(&weights, keys).turned();
                let panels = Panels::new(count, size, given);
                multiply_panels(keys, by_key, &panels, &mut to_v[part..], width, kept);
                let by_query = View::rows(&changes, keys);
                multiply_panels(count, by_query, &keys_panels, &mut to_q[start..], width, kept);
                let panels = Panels::new(count, size, block);
                multiply_panels(keys, by_query.turned(), &panels, &mut to_k[part..], width, kept);
            }
        }
    }
}

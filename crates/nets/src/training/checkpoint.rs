//! The state of an unfinished training: one file, replaced as a whole.
//!
//! In: a model and anything that serde can write as JSON. Out: a safetensors file whose metadata
//! hold the JSON. Left out: which file; a file that cannot be used counts as absent.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use dfdx::prelude::{
    CopySlice, Device, HasShape, RecursiveWalker, Tensor, TensorCollection, TensorOptions,
    TensorVisitor, ViewTensorMut, ViewTensorName, ViewTensorRef,
};
use dfdx::shapes::Shape;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype as Kind, TensorView};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::attention::Matrix;

/// Name of the JSON among the metadata.
const STATE: &str = "state";

/// A file that keeps a model in single precision and a state; without a file nothing is kept.
#[derive(Clone, Debug)]
pub struct Checkpoint(Option<PathBuf>);

impl Checkpoint {
    /// Uses this file.
    pub fn new(file: Option<PathBuf>) -> Self {
        Self(file)
    }

    /// Replaces what is kept.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save<M, D, S>(&self, model: &M, state: &S) -> io::Result<()>
    where
        M: TensorCollection<f32, D>,
        D: Device<f32>,
        S: Serialize,
    {
        if self.0.is_none() {
            return Ok(());
        }
        self.replace(&Self::bytes(model, state)?)
    }

    /// A model and a state as a safetensors file.
    ///
    /// # Errors
    /// If the state cannot be written as JSON.
    pub fn bytes<M, D, S>(model: &M, state: &S) -> io::Result<Vec<u8>>
    where
        M: TensorCollection<f32, D>,
        D: Device<f32>,
        S: Serialize,
    {
        let mut written = Written::default();
        M::iter_tensors(&mut RecursiveWalker { m: (model, String::new()), f: &mut written })
            .map_err(|error| io::Error::other(format!("{error:?}")))?;
        serialized(&written.tensors, state)
    }

    /// Replaces what is kept by matrices and a state.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_matrices<D, S>(
        &self,
        matrices: &[(String, Matrix<f32, D>)],
        state: &S,
    ) -> io::Result<()>
    where
        D: Device<f32>,
        S: Serialize,
    {
        if self.0.is_none() {
            return Ok(());
        }
        let tensors = matrices.iter().map(|(name, matrix)| {
            let (rows, columns) = *matrix.shape();
            (name.clone(), vec![rows, columns], bytes(&matrix.as_vec()))
        });
        self.replace(&serialized(&tensors.collect::<Vec<_>>(), state)?)
    }

    /// Loads what is kept into matrices and returns the state, if there is one that fits.
    pub fn load_matrices<D, S>(&self, matrices: &mut [(String, &mut Matrix<f32, D>)]) -> Option<S>
    where
        D: Device<f32>,
        S: DeserializeOwned,
    {
        let bytes = fs::read(self.0.as_ref()?).ok()?;
        let state = state_in(&bytes)?;
        let tensors = SafeTensors::deserialize(&bytes).ok()?;
        let numbers = matrices.iter().map(|(name, matrix)| {
            let kept = tensors.tensor(name).ok()?;
            let (rows, columns) = *matrix.shape();
            let fits = kept.dtype() == Kind::F32 && kept.shape() == [rows, columns];
            fits.then(|| numbers(kept.data()))
        });
        let numbers: Vec<Vec<f32>> = numbers.collect::<Option<_>>()?;
        for ((_, matrix), numbers) in matrices.iter_mut().zip(numbers) {
            matrix.copy_from(&numbers);
        }
        Some(state)
    }

    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let Some(file) = &self.0 else { return Ok(()) };
        let beside = file.with_extension(format!("{}.part", std::process::id()));
        fs::write(&beside, bytes)?;
        fs::rename(&beside, file)
    }

    /// Loads what is kept into the model and returns the state, if there is one that fits.
    pub fn load<M, D, S>(&self, model: &mut M) -> Option<S>
    where
        M: TensorCollection<f32, D>,
        D: Device<f32>,
        S: DeserializeOwned,
    {
        let bytes = fs::read(self.0.as_ref()?).ok()?;
        let state = state_in(&bytes)?;
        let tensors = SafeTensors::deserialize(&bytes).ok()?;
        let mut fits = Fits { tensors: &tensors, all: true };
        M::iter_tensors(&mut RecursiveWalker { m: (&*model, String::new()), f: &mut fits }).ok()?;
        if !fits.all {
            return None;
        }
        let mut read = Read { tensors: &tensors };
        M::iter_tensors(&mut RecursiveWalker { m: (model, String::new()), f: &mut read }).ok()?;
        Some(state)
    }
}

fn state_in<S: DeserializeOwned>(file: &[u8]) -> Option<S> {
    let (_, header) = SafeTensors::read_metadata(file).ok()?;
    serde_json::from_str(header.metadata().as_ref()?.get(STATE)?).ok()
}

fn bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

/// Named tensors and a state as a safetensors file.
fn serialized<S: Serialize>(
    tensors: &[(String, Vec<usize>, Vec<u8>)],
    state: &S,
) -> io::Result<Vec<u8>> {
    let views = tensors.iter().map(|(name, shape, data)| {
        let view = TensorView::new(Kind::F32, shape.clone(), data);
        (name.as_str(), view.expect("a tensor has as many numbers as its shape says"))
    });
    let state = HashMap::from([(STATE.to_owned(), serde_json::to_string(state)?)]);
    safetensors::serialize(views, Some(state)).map_err(io::Error::other)
}

#[derive(Default)]
struct Written {
    tensors: Vec<(String, Vec<usize>, Vec<u8>)>,
}

impl<D: Device<f32>> TensorVisitor<f32, D> for Written {
    type Viewer = (ViewTensorRef, ViewTensorName);
    type Err = D::Err;
    type E2 = f32;
    type D2 = D;

    fn visit<S: Shape>(
        &mut self,
        _: TensorOptions<S, f32, D>,
        (tensor, name): (&Tensor<S, f32, D>, String),
    ) -> Result<Option<Tensor<S, f32, D>>, D::Err> {
        let data = bytes(&tensor.as_vec());
        self.tensors.push((name, tensor.shape().concrete().into(), data));
        Ok(None)
    }
}

struct Fits<'a> {
    tensors: &'a SafeTensors<'a>,
    all: bool,
}

impl<D: Device<f32>> TensorVisitor<f32, D> for Fits<'_> {
    type Viewer = (ViewTensorRef, ViewTensorName);
    type Err = D::Err;
    type E2 = f32;
    type D2 = D;

    fn visit<S: Shape>(
        &mut self,
        _: TensorOptions<S, f32, D>,
        (tensor, name): (&Tensor<S, f32, D>, String),
    ) -> Result<Option<Tensor<S, f32, D>>, D::Err> {
        let shape: Vec<usize> = tensor.shape().concrete().into();
        let kept = self.tensors.tensor(&name);
        self.all &= kept.is_ok_and(|kept| kept.dtype() == Kind::F32 && kept.shape() == shape);
        Ok(None)
    }
}

struct Read<'a> {
    tensors: &'a SafeTensors<'a>,
}

impl<D: Device<f32> + CopySlice<f32>> TensorVisitor<f32, D> for Read<'_> {
    type Viewer = (ViewTensorMut, ViewTensorName);
    type Err = D::Err;
    type E2 = f32;
    type D2 = D;

    fn visit<S: Shape>(
        &mut self,
        _: TensorOptions<S, f32, D>,
        (tensor, name): (&mut Tensor<S, f32, D>, String),
    ) -> Result<Option<Tensor<S, f32, D>>, D::Err> {
        if let Ok(kept) = self.tensors.tensor(&name) {
            tensor.copy_from(&numbers(kept.data()));
        }
        Ok(None)
    }
}

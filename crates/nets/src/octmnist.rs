//! OCTMNIST: scans of retinas, 28 × 28 gray pixels, in four classes.
//!
//! In: an archive of NumPy arrays as published, or a part of it in the same format. Out: images
//! and labels of three splits. Left out: fetching.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use npyz::{DType, NpyHeader, Order, TypeChar};
use zip::ZipArchive;

/// Pixels along a side.
pub const SIDE: usize = 28;

/// Names of the classes, by label.
pub const CLASSES: [&str; 4] = ["CNV", "DME", "drusen", "normal"];

/// Images of each class, from the beginning, that make up the homework's test set of 529.
pub const TESTED: [usize; 4] = [182, 55, 42, 250];

/// Images with their labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Gray values, image by image, row by row.
    pub pixels: Vec<u8>,
    /// Indices into [`CLASSES`].
    pub labels: Vec<u8>,
}

/// The three splits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OctMnist {
    /// To train with.
    pub train: Split,
    /// To choose with.
    pub val: Split,
    /// To judge with.
    pub test: Split,
}

impl Split {
    /// Returns the number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Returns whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Keeps the first images, at most so many.
    pub fn truncate(&mut self, images: usize) {
        self.pixels.truncate(images * SIDE * SIDE);
        self.labels.truncate(images);
    }

    /// Returns the pixels of an image.
    pub fn image(&self, at: usize) -> &[u8] {
        &self.pixels[at * SIDE * SIDE..][..SIDE * SIDE]
    }

    /// Adds an image.
    pub fn push(&mut self, pixels: &[u8], label: u8) {
        assert_eq!(pixels.len(), SIDE * SIDE, "pixels of an image");
        self.pixels.extend_from_slice(pixels);
        self.labels.push(label);
    }

    /// Returns the pixels of some images as numbers from 0 to 255/256.
    pub fn numbers(&self, images: &[usize]) -> Vec<f32> {
        let mut numbers = Vec::with_capacity(images.len() * SIDE * SIDE);
        for &image in images {
            numbers.extend(self.image(image).iter().map(|&pixel| f32::from(pixel) / 256.0));
        }
        numbers
    }

    /// Returns the first images of each class, at most so many as the homework tested.
    pub fn tested(&self) -> Self {
        let mut left = TESTED;
        let mut tested = Self::default();
        for (at, &label) in self.labels.iter().enumerate() {
            if let Some(left) = left.get_mut(usize::from(label)).filter(|left| **left > 0) {
                *left -= 1;
                tested.push(self.image(at), label);
            }
        }
        tested
    }

    /// Returns the images moved by whole pixels, to the right and down; edges are repeated.
    pub fn shifted(&self, right: i32, down: i32) -> Self {
        let source = |to: usize, by: i32| (to as i32 - by).clamp(0, SIDE as i32 - 1) as usize;
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for image in self.pixels.chunks_exact(SIDE * SIDE) {
            for y in 0..SIDE {
                let row = &image[source(y, down) * SIDE..][..SIDE];
                pixels.extend((0..SIDE).map(|x| row[source(x, right)]));
            }
        }
        Self { pixels, labels: self.labels.clone() }
    }

    /// Returns the number of images of each class.
    pub fn counts(&self) -> [usize; 4] {
        let mut counts = [0; 4];
        for &label in &self.labels {
            counts[usize::from(label)] += 1;
        }
        counts
    }
}

/// Why an archive cannot be used.
#[derive(Debug)]
pub struct ArchiveError {
    file: PathBuf,
    array: Option<String>,
    problem: String,
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(array) = &self.array {
            write!(f, ", array {array}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for ArchiveError {}

impl OctMnist {
    /// Reads the only archive in a folder, or the one with the published name.
    ///
    /// # Errors
    /// If there is none, or as [`OctMnist::read`].
    pub fn in_folder(folder: &Path) -> Result<Self, ArchiveError> {
        let wrong = |problem: String| ArchiveError { file: folder.into(), array: None, problem };
        let published = folder.join("octmnist.npz");
        if published.exists() {
            return Self::read(&published);
        }
        let files = std::fs::read_dir(folder).map_err(|error| wrong(error.to_string()))?;
        let mut archives: Vec<PathBuf> = files
            .filter_map(|file| Some(file.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "npz"))
            .collect();
        archives.sort();
        match archives.as_slice() {
            [archive] => Self::read(archive),
            [] => Err(wrong("there is no .npz archive in this folder".into())),
            _ => Err(wrong("there are several .npz archives and none is octmnist.npz".into())),
        }
    }

    /// Reads an archive with the arrays `train_images`, `train_labels` and so on.
    ///
    /// # Errors
    /// Names the file and the array if the archive is damaged, an array is missing, empty, of
    /// another shape, type or order than published, or a label is no class.
    pub fn read(file: &Path) -> Result<Self, ArchiveError> {
        let wrong = |problem| ArchiveError { file: file.into(), array: None, problem };
        let opened = File::open(file).map_err(|error| wrong(error.to_string()))?;
        let mut archive = ZipArchive::new(BufReader::new(opened))
            .map_err(|error| wrong(format!("this is no whole .npz archive: {error}")))?;
        let mut split = |name: &str| -> Result<Split, ArchiveError> {
            let mut array = |kind: &str, shape: &[usize]| {
                let array = format!("{name}_{kind}");
                bytes(&mut archive, &array, shape).map_err(|problem| ArchiveError {
                    file: file.into(),
                    array: Some(array),
                    problem,
                })
            };
            let (images, pixels) = array("images", &[SIDE, SIDE])?;
            let (count, labels) = array("labels", &[1])?;
            let wrong = |kind: &str, problem| ArchiveError {
                file: file.into(),
                array: Some(format!("{name}_{kind}")),
                problem,
            };
            if count != images {
                return Err(wrong("labels", format!("{count} labels for {images} images")));
            }
            if count == 0 {
                return Err(wrong("images", "there is no image".into()));
            }
            let is_no_class = |label: &u8| usize::from(*label) >= CLASSES.len();
            if let Some(at) = labels.iter().position(is_no_class) {
                let problem = format!(
                    "label {at} is {}, but there are only the classes 0 to {}",
                    labels[at],
                    CLASSES.len() - 1
                );
                return Err(wrong("labels", problem));
            }
            Ok(Split { pixels, labels })
        };
        Ok(Self { train: split("train")?, val: split("val")?, test: split("test")? })
    }
}

/// Reads an array of bytes of which the first dimension is free: its length and its numbers.
fn bytes(
    archive: &mut ZipArchive<BufReader<File>>,
    array: &str,
    shape: &[usize],
) -> Result<(usize, Vec<u8>), String> {
    let mut entry = match archive.by_name(&format!("{array}.npy")) {
        Ok(entry) => entry,
        Err(zip::result::ZipError::FileNotFound) => return Err("there is no such array".into()),
        Err(error) => return Err(error.to_string()),
    };
    // npyz multiplies the dimensions without a check, which panics where overflow is checked.
    let header = std::panic::catch_unwind(AssertUnwindSafe(|| NpyHeader::from_reader(&mut entry)))
        .map_err(|_| "the array is shorter than its shape says")?
        .map_err(|error| format!("this is no NumPy array: {error}"))?;
    let is_bytes = match header.dtype() {
        DType::Plain(kind) => kind.type_char() == TypeChar::Uint && kind.num_bytes() == Some(1),
        _ => false,
    };
    if !is_bytes {
        return Err(format!("the numbers are of type {}, not bytes (|u1)", header.dtype().descr()));
    }
    if header.order() != Order::C {
        return Err("the numbers lie in Fortran order, not in C order".into());
    }
    let found = header.shape();
    let (&count, rest) = found.split_first().ok_or("the array has no dimension")?;
    let expected: Vec<u64> = shape.iter().map(|&length| length as u64).collect();
    if rest != expected {
        return Err(format!("the shape is {found:?}, not [any, {}]", join(&expected)));
    }
    let length = expected.iter().try_fold(count, |product, &length| product.checked_mul(length));
    let length = length.filter(|&length| length <= entry.size());
    let length = length.ok_or("the array is shorter than its shape says")? as usize;
    let mut numbers = vec![0; length];
    entry.read_exact(&mut numbers).map_err(|error| damage(&error))?;
    let rest = io::copy(&mut entry, &mut io::sink()).map_err(|error| damage(&error))?;
    if rest > 0 {
        return Err(format!("{rest} bytes follow the numbers"));
    }
    Ok((count as usize, numbers))
}

fn damage(error: &io::Error) -> String {
    format!("the numbers cannot be read whole: {error}")
}

fn join(lengths: &[u64]) -> String {
    lengths.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

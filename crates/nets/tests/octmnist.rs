//! Archives as published are read; damaged or foreign ones are refused by file and array.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use veracity_nets::octmnist::{CLASSES, OctMnist, SIDE, Split, TESTED};
use veracity_nets::retina::{self, Sizes};
use zip::write::SimpleFileOptions;

/// An array of bytes in NumPy's format 1.0.
fn npy(kind: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}");
    let header = format!("{header:<117}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn images(count: usize) -> Vec<u8> {
    let data: Vec<u8> = (0..count * SIDE * SIDE).map(|at| (at % 251) as u8).collect();
    npy("|u1", "False", &format!("({count}, 28, 28)"), &data)
}

fn labels(labels: &[u8]) -> Vec<u8> {
    npy("|u1", "False", &format!("({}, 1)", labels.len()), labels)
}

/// A whole archive, with some of its arrays replaced or, if `None`, left out.
fn archive(changes: &[(&str, Option<Vec<u8>>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for split in ["train", "val", "test"] {
        for (kind, array) in [("images", images(3)), ("labels", labels(&[0, 3, 1]))] {
            let name = format!("{split}_{kind}");
            let change = changes.iter().find(|(changed, _)| *changed == name);
            let Some(array) = change.map_or(Some(array), |(_, array)| array.clone()) else {
                continue;
            };
            writer.start_file(format!("{name}.npy"), SimpleFileOptions::default()).unwrap();
            writer.write_all(&array).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

fn scratch(name: &str) -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn an_archive_as_published_is_read() {
    let folder = scratch("whole");
    let file = folder.join("part.npz");
    fs::write(&file, archive(&[])).unwrap();
    let data = OctMnist::read(&file).unwrap();
    assert_eq!((data.train.len(), data.val.len(), data.test.len()), (3, 3, 3));
    assert_eq!(data.test.labels, [0, 3, 1]);
    assert_eq!(data.train.image(1)[0], (SIDE * SIDE % 251) as u8);
    assert_eq!(OctMnist::in_folder(&folder).unwrap(), data);
    assert_eq!(data.train.numbers(&[0])[1], 1.0 / 256.0);
}

#[test]
fn what_is_wrong_is_named() {
    let folder = scratch("wrong");
    let whole = archive(&[]);
    let with = |array: &'static str, bytes: Vec<u8>| archive(&[(array, Some(bytes))]);
    let pixels = vec![0; 3 * SIDE * SIDE];
    let floats = vec![0xff; 3 * SIDE * SIDE * 4];
    let turned = npy("|u1", "True", "(3, 28, 28)", &pixels);
    let mut damaged = whole.clone();
    damaged[200..400].fill(0x5a);
    let cases = [
        ("empty.npz", vec![], "no whole .npz archive"),
        ("cut.npz", whole[..whole.len() / 2].to_vec(), "no whole .npz archive"),
        ("damaged.npz", damaged, "array train_images"),
        ("missing.npz", archive(&[("val_labels", None)]), "array val_labels: there is no such"),
        (
            "order.npz",
            with("train_images", turned),
            "array train_images: the numbers lie in Fortran",
        ),
        (
            "floats.npz",
            with("test_images", npy("<f4", "False", "(3, 28, 28)", &floats)),
            "array test_images: the numbers are of type '<f4'",
        ),
        (
            "shape.npz",
            with("val_images", npy("|u1", "False", "(3, 784)", &pixels)),
            "array val_images: the shape is [3, 784], not [any, 28, 28]",
        ),
        ("label.npz", with("train_labels", labels(&[0, 4, 1])), "train_labels: label 1 is 4"),
        ("count.npz", with("test_labels", labels(&[0, 1])), "test_labels: 2 labels for 3 images"),
        (
            "none.npz",
            archive(&[("val_images", Some(images(0))), ("val_labels", Some(labels(&[])))]),
            "array val_images: there is no image",
        ),
        (
            "short.npz",
            with("val_images", npy("|u1", "False", "(3, 28, 28)", &pixels[..99])),
            "array val_images: the array is shorter",
        ),
        (
            "huge.npz",
            with("val_images", npy("|u1", "False", "(18446744073709551615, 28, 28)", &pixels)),
            "array val_images: the array is shorter",
        ),
        (
            "long.npz",
            with("val_labels", npy("|u1", "False", "(3, 1)", &[0, 1, 2, 3])),
            "array val_labels: 1 bytes follow",
        ),
        ("garbage.npz", with("val_labels", b"no array".to_vec()), "array val_labels: this is no"),
    ];
    for (name, bytes, expected) in cases {
        let file = folder.join(name);
        fs::write(&file, bytes).unwrap();
        let message = OctMnist::read(&file).unwrap_err().to_string();
        assert!(message.contains(expected) && message.contains(name), "{name}: {message}");
    }
    let message = OctMnist::read(&folder.join("absent.npz")).unwrap_err().to_string();
    assert!(message.contains("absent.npz"), "{message}");
    let message = OctMnist::in_folder(&folder).unwrap_err().to_string();
    assert!(message.contains("several"), "{message}");
}

#[test]
fn the_tested_images_are_the_first_of_each_class() {
    let mut split = Split::default();
    for at in 0..1_000_usize {
        split.push(&[(at / 4) as u8; SIDE * SIDE], (at % 4) as u8);
    }
    let tested = split.tested();
    assert_eq!(tested.len(), 529);
    assert_eq!(tested.counts(), TESTED);
    let last_of_class_1 = (0..529).rev().find(|&at| tested.labels[at] == 1).unwrap();
    assert_eq!(tested.image(last_of_class_1)[0], 54);
}

#[test]
fn shifts_move_pixels_and_repeat_the_edge() {
    let mut split = Split::default();
    let pixels: Vec<u8> = (0..SIDE * SIDE).map(|at| (at % SIDE * 8 + at / SIDE) as u8).collect();
    split.push(&pixels, 2);
    let at = |split: &Split, x: usize, y: usize| split.image(0)[y * SIDE + x];
    let moved = split.shifted(3, -2);
    assert_eq!(at(&moved, 10, 10), at(&split, 7, 12));
    assert_eq!(at(&moved, 0, 27), at(&split, 0, 27));
    assert_eq!(split.shifted(0, 0), split);
}

#[test]
fn made_images_depend_on_the_seed_alone_and_their_classes_can_be_told_apart() {
    let sizes = Sizes { train: 1_500, val: 1, test: 400 };
    let data = retina::generate(1, sizes);
    assert_eq!(data, retina::generate(1, sizes));
    assert_ne!(data, retina::generate(2, sizes));
    assert_eq!(data.test.counts(), [100; 4]);
    // The nearest mean image is a poor judge: better than chance, far from perfect.
    let mut means = [[0.0; SIDE * SIDE]; 4];
    let counts = data.train.counts();
    for at in 0..data.train.len() {
        let class = usize::from(data.train.labels[at]);
        for (mean, &pixel) in means[class].iter_mut().zip(data.train.image(at)) {
            *mean += f64::from(pixel) / counts[class] as f64;
        }
    }
    let distance = |image: &[u8], mean: &[f64]| -> f64 {
        image.iter().zip(mean).map(|(&a, b)| (f64::from(a) - b).powi(2)).sum()
    };
    let right = (0..data.test.len())
        .filter(|&at| {
            let to = |class: usize| distance(data.test.image(at), &means[class]);
            let nearest = (0..CLASSES.len()).min_by(|&a, &b| to(a).total_cmp(&to(b))).unwrap();
            nearest == usize::from(data.test.labels[at])
        })
        .count();
    assert!((120..320).contains(&right), "{right} of 400");
}

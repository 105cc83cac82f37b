//! Figures of every kind and the odd cases, to test with and to look at.
//!
//! To look at them, name a folder in `VERACITY_GALLERY` and run the tests of this module's parent.

use veracity_protocol::{Axis, Figure, Float, Plot, Scale, Series, SeriesKind};

fn f(points: impl IntoIterator<Item = (f64, f64)>) -> Vec<(Float, Float)> {
    points.into_iter().map(|(x, y)| (Float(x), Float(y))).collect()
}

pub(super) fn line(name: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Series {
    Series { name: name.into(), kind: SeriesKind::Line { points: f(points) } }
}

pub(super) fn scatter(name: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Series {
    Series { name: name.into(), kind: SeriesKind::Scatter { points: f(points) } }
}

pub(super) fn errors(name: &str, points: &[(f64, f64, f64, f64)]) -> Series {
    let points = points.iter().map(|p| (Float(p.0), Float(p.1), Float(p.2), Float(p.3))).collect();
    Series { name: name.into(), kind: SeriesKind::ErrorBars { points } }
}

pub(super) fn bars(name: &str, heights: &[(&str, f64)]) -> Series {
    let bars = heights.iter().map(|&(c, h)| (c.to_owned(), Float(h))).collect();
    Series { name: name.into(), kind: SeriesKind::Bars { bars } }
}

pub(super) fn heat(
    columns: usize,
    rows: usize,
    label: &str,
    value: impl Fn(usize, usize) -> f64,
) -> Series {
    let values = (0..rows).map(|r| (0..columns).map(|c| Float(value(r, c))).collect()).collect();
    let kind = SeriesKind::HeatMap {
        columns: (0..columns).map(|c| c.to_string()).collect(),
        rows: (0..rows).map(|r| r.to_string()).collect(),
        values,
        label: label.into(),
    };
    Series { name: String::new(), kind }
}

pub(super) fn plot(x: &str, y: &str, series: Vec<Series>) -> Plot {
    let axis = |label: &str| Axis { label: label.into(), scale: Scale::Linear, range: None };
    Plot { title: None, x: axis(x), y: axis(y), series }
}

pub(super) fn figure(plots: Vec<Plot>) -> Figure {
    Figure { plots, caption: None, label: None, alt: None }
}

pub(super) fn noise(i: usize) -> f64 {
    let x = (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(77);
    let x = (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((x ^ (x >> 32)) % 10_000) as f64 / 10_000.0 - 0.5
}

pub(super) fn gallery() -> Vec<(&'static str, Figure)> {
    let curve =
        |a: f64, n: usize| (1..=n).map(move |e| (e as f64, 0.95 - a * (-(e as f64) / 6.0).exp()));
    let mut log = plot(
        "Step size h",
        "Absolute error |f′(x) − Df(x)|",
        vec![
            line(
                "forward difference",
                (-14..=0).map(|e| (10f64.powi(e), 10f64.powi(e).max(1e-16 / 10f64.powi(e)))),
            ),
            line(
                "central difference",
                (-14..=0).map(|e| (10f64.powi(e), 10f64.powi(2 * e).max(1e-16 / 10f64.powi(e)))),
            ),
        ],
    );
    log.x.scale = Scale::Log;
    log.y.scale = Scale::Log;
    let mut small_log = plot(
        "Batch size",
        "Time per image in ms",
        vec![line("", [(8.0, 3.0), (16.0, 2.1), (32.0, 1.4), (64.0, 1.1)])],
    );
    small_log.x.scale = Scale::Log;
    let mut left = plot(
        "Epoch",
        "Loss",
        vec![line("train", curve(-0.8, 20)), line("validation", curve(-0.6, 20))],
    );
    left.title = Some("Convolutional network".into());
    let mut right = plot(
        "Epoch",
        "Accuracy",
        vec![line("train", curve(0.8, 20)), line("validation", curve(0.6, 20))],
    );
    right.title = Some("Attention decoder with a title so long that it must wrap".into());
    let mut confusion =
        plot(
            "Predicted class",
            "True class",
            vec![heat(4, 4, "Images", |r, c| {
                if r == c { 212.0 + r as f64 } else { (r * 7 + c * 3) as f64 }
            })],
        );
    if let SeriesKind::HeatMap { columns, rows, .. } = &mut confusion.series[0].kind {
        let names = ["choroidal neovascularisation", "diabetic macular oedema", "drusen", "normal"];
        *columns = names.map(String::from).to_vec();
        *rows = columns.clone();
    }
    let mut ranged = plot(
        "t",
        "x(t)",
        vec![line("clipped", (0..200).map(|i| (i as f64 / 10.0, 3.0 * (i as f64 / 10.0).sin())))],
    );
    ranged.y.range = Some((Float(-2.0), Float(2.0)));
    ranged.x.range = Some((Float(2.0), Float(12.0)));
    let six = [
        "identity",
        "random Fourier features",
        "polynomial kernel of degree three",
        "RBF",
        "Laplace",
        "linear",
    ];
    vec![
        (
            "line",
            figure(vec![plot(
                "Epoch",
                "Validation accuracy",
                vec![
                    line("LSTM", curve(0.8, 25)),
                    line("attention", curve(0.5, 25)),
                    line("CNN", curve(0.65, 25)),
                ],
            )]),
        ),
        (
            "dashes",
            figure(vec![plot(
                "Time in s",
                "Amplitude",
                (0..6)
                    .map(|k| {
                        line(
                            six[k],
                            (0..400).map(move |i| {
                                (
                                    i as f64 / 100.0,
                                    (i as f64 / 40.0 + k as f64).sin() * (1.0 + k as f64 / 5.0),
                                )
                            }),
                        )
                    })
                    .collect(),
            )]),
        ),
        ("log", figure(vec![log])),
        ("small-log", figure(vec![small_log])),
        (
            "scatter",
            figure(vec![plot(
                "Height in cm",
                "Weight in kg",
                (0..4)
                    .map(|k| {
                        scatter(
                            ["A", "B", "C", "D"][k],
                            (0..60).map(move |i| {
                                (
                                    160.0 + 30.0 * noise(i * 7 + k),
                                    60.0 + 8.0 * k as f64 + 20.0 * noise(i * 11 + k),
                                )
                            }),
                        )
                    })
                    .collect(),
            )]),
        ),
        (
            "errors",
            figure(vec![plot(
                "Context length",
                "Test accuracy",
                vec![
                    errors(
                        "mean and 95 % interval",
                        &[
                            (1.0, 0.6, 0.65, 0.71),
                            (2.0, 0.68, 0.7, 0.72),
                            (3.0, 0.7, 0.74, 0.77),
                            (4.0, 0.73, 0.76, 0.80),
                        ],
                    ),
                    errors(
                        "baseline",
                        &[
                            (1.1, 0.5, 0.55, 0.6),
                            (2.1, 0.53, 0.56, 0.59),
                            (3.1, f64::NAN, 0.56, 0.6),
                            (4.1, 0.55, 0.57, 0.6),
                        ],
                    ),
                ],
            )]),
        ),
        (
            "bars",
            figure(vec![plot(
                "",
                "Test accuracy",
                vec![
                    bars("quick", &[("CNN", 0.71), ("LSTM", 0.62), ("attention", 0.66)]),
                    bars("full", &[("CNN", 0.81), ("LSTM", 0.75), ("attention", 0.79)]),
                    bars("published", &[("CNN", 0.83), ("LSTM", 0.74)]),
                ],
            )]),
        ),
        (
            "negative-bars",
            figure(vec![plot(
                "Month",
                "Change in %",
                vec![bars(
                    "",
                    &[("January", 3.0), ("February", -1.5), ("March", -4.0), ("April", 2.2)],
                )],
            )]),
        ),
        (
            "long-bars",
            figure(vec![plot(
                "Kernel",
                "Multiply-adds",
                vec![bars(
                    "",
                    &[
                        ("identity", 12e6),
                        ("random Fourier features with many words", 31e6),
                        ("polynomial of degree three", 22e6),
                        ("supercalifragilistic", 8e6),
                        ("Laplace", 17e6),
                        ("linear", 4e6),
                        ("radial basis functions", 27e6),
                        ("arc cosine", 13e6),
                    ],
                )],
            )]),
        ),
        (
            "heat",
            figure(vec![plot(
                "Key position",
                "Query position",
                vec![heat(12, 12, "Attention weight", |r, c| {
                    (-((r as f64 - c as f64) / 2.5).powi(2)).exp()
                })],
            )]),
        ),
        ("confusion", figure(vec![confusion])),
        (
            "diverging",
            figure(vec![plot(
                "Column",
                "Row",
                vec![heat(40, 30, "Correlation", |r, c| {
                    if (r, c) == (3, 4) {
                        f64::NAN
                    } else {
                        ((r as f64) / 5.0).sin() * (c as f64 / 7.0).cos()
                    }
                })],
            )]),
        ),
        (
            "spectrogram",
            figure(vec![plot(
                "Frame",
                "Frequency in Hz",
                vec![heat(400, 128, "Power in dB", |r, c| {
                    -20.0 - 0.4 * r as f64
                        + 25.0 * (r as f64 / 6.0 - c as f64 / 40.0).cos().powi(4)
                        + 6.0 * noise(r * 400 + c)
                })],
            )]),
        ),
        ("panels", figure(vec![left.clone(), right.clone()])),
        (
            "three-panels",
            figure(vec![
                left.clone(),
                right,
                plot("", "Seconds", vec![bars("", &[("batch", 0.4), ("live", 4.4)])]),
            ]),
        ),
        (
            "panel-heat",
            figure(vec![
                plot("Key", "Query", vec![heat(6, 6, "Weight", |r, c| (r + c) as f64 / 10.0)]),
                left,
            ]),
        ),
        (
            "many-points",
            figure(vec![plot(
                "Sample",
                "Signal",
                vec![line(
                    "",
                    (0..10_000).map(|i| (i as f64, (i as f64 / 900.0).sin() + noise(i))),
                )],
            )]),
        ),
        ("single-point", figure(vec![plot("x", "y", vec![line("one", [(3.0, 5.0)])])])),
        (
            "constant",
            figure(vec![plot("x", "y", vec![line("", [(0.0, 2.0), (1.0, 2.0), (2.0, 2.0)])])]),
        ),
        (
            "gaps",
            figure(vec![plot(
                "x",
                "y",
                vec![
                    line(
                        "with gaps",
                        [
                            (0.0, 1.0),
                            (1.0, 2.0),
                            (2.0, f64::NAN),
                            (3.0, 1.5),
                            (4.0, f64::INFINITY),
                            (5.0, 2.5),
                            (6.0, 2.0),
                        ],
                    ),
                    line("empty", []),
                ],
            )]),
        ),
        ("ranged", figure(vec![ranged])),
    ]
}

//! A chapter to a notebook.
//!
//! In: a chapter and the results of its cells. Out: the notebook's JSON. Prose goes over as it is
//! written; code goes over without its fence. A cell keeps what it put out as HTML, SVG and text.

use std::ops::Range;
use std::path::PathBuf;

use base64::Engine;
use serde_json::{Value, json};
use veracity_protocol::Artifact;

use super::{Kind, MARK};
use crate::config::ReportConfig;
use crate::console;
use crate::diag::Diagnostic;
use crate::exec::{CellResult, CellStatus, ExecutedChapter};
use crate::figure::{self, Theme};
use crate::kernel::cuda::CPU;
use crate::parse::Chapter;
use crate::render::html;
use crate::span::Span;

/// Where a notebook finds what its code depends on; evcxr looks for paths from the notebook's folder.
#[derive(Clone, Debug)]
pub struct Place {
    /// The report's folder.
    pub root: PathBuf,
    /// The crate through which cells publish.
    pub lab: PathBuf,
}

/// The notebook of a chapter; `results` may lack what was not run.
///
/// # Errors
/// If the notebook does not come out as one, which is a fault of ours.
pub fn export(
    config: &ReportConfig,
    chapter: &Chapter,
    results: &ExecutedChapter,
    place: &Place,
) -> Result<String, Diagnostic> {
    let mut blocks: Vec<(Kind, usize, &Span)> = Vec::new();
    blocks.extend(chapter.cells.iter().enumerate().map(|(at, cell)| (Kind::Cell, at, &cell.span)));
    blocks.extend(
        chapter.modules.iter().enumerate().map(|(at, module)| (Kind::Module, at, &module.span)),
    );
    blocks.sort_by_key(|(_, _, span)| span.range.start);

    let text = chapter.source.text();
    let mut writer = Writer { cells: Vec::new() };
    let mut done = front_matter(text);
    if done > 0 {
        writer.prose("raw", &text[..done]);
    }
    writer.code(Kind::Dependencies, &dependencies(config, place), None, Vec::new());
    let mut count = 0;
    for (kind, at, span) in blocks {
        writer.prose("markdown", &text[done..span.range.start]);
        done = span.range.end;
        let result = results.cells.get(at).filter(|_| kind == Kind::Cell);
        let ran = result.filter(|result| !matches!(result.status, CellStatus::NotRun(..)));
        count += usize::from(ran.is_some());
        let outputs = ran.map(outputs).unwrap_or_default();
        writer.code(kind, &without_fence(span), ran.map(|_| count), outputs);
    }
    writer.prose("markdown", &text[done..]);
    writer.finish()
}

struct Writer {
    cells: Vec<Value>,
}

impl Writer {
    fn prose(&mut self, kind: &str, text: &str) {
        let text = text.trim_matches('\n');
        if !text.trim().is_empty() {
            let id = format!("prose-{}", self.cells.len() + 1);
            self.cells.push(json!({
                "cell_type": kind, "id": id, "metadata": {}, "source": lines(text),
            }));
        }
    }

    fn code(&mut self, kind: Kind, text: &str, count: Option<usize>, outputs: Vec<Value>) {
        let id = format!("{}-{}", kind.word(), self.cells.len() + 1);
        self.cells.push(json!({
            "cell_type": "code", "id": id, "metadata": { MARK: { "kind": kind.word() } },
            "execution_count": count, "source": lines(text), "outputs": outputs,
        }));
    }

    fn finish(self) -> Result<String, Diagnostic> {
        let notebook = json!({
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {
                "kernelspec": { "name": "rust", "display_name": "Rust", "language": "rust" },
                "language_info": {
                    "name": "rust", "file_extension": ".rs", "mimetype": "text/rust",
                    "pygments_lexer": "rust", "version": "",
                },
            },
            "cells": self.cells,
        });
        let checked = nbformat::parse_notebook(&notebook.to_string());
        checked.and_then(|notebook| nbformat::serialize_notebook(&notebook)).map_err(|error| {
            Diagnostic::global("notebook", format!("the notebook does not come out right: {error}"))
                .hint("`veracity check` tells what is wrong with the chapter")
        })
    }
}

/// Offset behind the YAML at the top.
fn front_matter(text: &str) -> usize {
    let mut lines = text.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else { return 0 };
    let mut end = first.len();
    for line in lines {
        end += line.len();
        if ["---", "..."].contains(&line.trim_end()) {
            return end;
        }
    }
    0
}

/// What the code depends on, as evcxr is told of it.
fn dependencies(config: &ReportConfig, place: &Place) -> String {
    let mut text = String::from(
        "// `lab` publishes through Veracity, and calls of it end here with a message that says so.\n",
    );
    if !config.dependencies.contains_key("veracity-lab") {
        let lab = toml::Value::String(place.lab.display().to_string());
        text.push_str(&format!(":dep veracity-lab = {{ path = {lab} }}\n"));
    }
    // A notebook runs on the processor, and Cargo knows none of the keys that are for us.
    for (name, spec) in &config.on(CPU).dependencies {
        if let Ok(mut spec) = toml::Value::try_from(spec) {
            if let Some(path) = spec.get_mut("path")
                && let Some(below) = path.as_str()
            {
                *path = toml::Value::String(place.root.join(below).display().to_string());
            }
            text.push_str(&format!(":dep {name} = {spec}\n"));
        }
    }
    text + "use veracity_lab::{self as lab, prelude::*};"
}

/// The lines of a block between its fences, as far to the left as those.
fn without_fence(span: &Span) -> String {
    let indent = span.position().column - 1;
    let lines: Vec<&str> = span.text().trim_end_matches('\n').lines().collect();
    let within: Range<usize> = 1..lines.len().max(2) - 1;
    let cut = |line: &&str| line.chars().skip(indent).collect::<String>();
    let lines = lines.get(within).unwrap_or_default().iter();
    match indent {
        0 => lines.copied().collect::<Vec<_>>().join("\n"),
        _ => lines.map(cut).collect::<Vec<_>>().join("\n"),
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn outputs(result: &CellResult) -> Vec<Value> {
    let mut outputs = Vec::new();
    for (name, text) in [("stdout", &result.record.stdout), ("stderr", &result.record.stderr)] {
        if !text.is_empty() {
            outputs.push(json!({ "output_type": "stream", "name": name, "text": text }));
        }
    }
    outputs.extend(result.record.output.artifacts.iter().map(
        |artifact| json!({ "output_type": "display_data", "metadata": {}, "data": data(artifact) }),
    ));
    let values: Vec<String> = result.record.output.values.iter().map(console::published).collect();
    if !values.is_empty() {
        let data = json!({ "text/plain": values.join("\n") });
        outputs.push(json!({ "output_type": "display_data", "metadata": {}, "data": data }));
    }
    if let CellStatus::Failed(problem) = &result.status {
        outputs.push(json!({
            "output_type": "error", "ename": problem.code, "evalue": problem.message,
            "traceback": [problem.message],
        }));
    }
    outputs
}

/// An artifact in every form that a notebook may show.
fn data(artifact: &Artifact) -> Value {
    let mut data = json!({ "text/plain": console::artifact(artifact) });
    match artifact {
        Artifact::Table(table) => data["text/html"] = html::table(table).into(),
        Artifact::Figure(figure) => {
            if let Ok(svg) = figure::draw(figure, Theme::Light) {
                // Not every reader of notebooks shows SVG.
                let encoded = base64::engine::general_purpose::STANDARD.encode(&svg);
                data["text/html"] =
                    format!("<img src=\"data:image/svg+xml;base64,{encoded}\" alt=\"\"/>").into();
                data["image/svg+xml"] = svg.into();
            }
        }
        Artifact::Check(_) | Artifact::Text { .. } | Artifact::File { .. } => {}
    }
    data
}

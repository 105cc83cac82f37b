//! `report.yaml`, front matter, cell options and `data/manifest.yaml`: YAML to typed settings.
//!
//! In: YAML text with its place. Out: settings and diagnostics that point into the YAML.
//! The only user of serde_yaml. Left out: reading files, which is [`crate::world`]'s, and the
//! Markdown in captions, which is [`crate::parse`]'s.

mod cluster;
mod fields;
mod manifest;
mod yaml;

pub(crate) use cluster::ARGUMENT_HINT;
pub use manifest::{Algorithm, Archive, Checksum, Entry, Manifest, RemoteFile, Unpack, manifest};

use std::collections::BTreeMap;
use std::time::Duration;

use crate::diag::Diagnostic;
use crate::kernel::cuda::CUDA;
use crate::parse::{CellDefaults, Code, Echo, FrontMatter, Needs};
use crate::span::{Source, Span};
use crate::words::{LANGUAGES, Words};
pub use fields::duration;
use fields::{Fields, Reader};
use yaml::{Node, Value};

const REPORT_KEYS: [&str; 12] = [
    "title",
    "authors",
    "language",
    "chapters",
    "bibliography",
    "dependencies",
    "profiles",
    "seed",
    "timeout",
    "echo",
    "macros",
    "cluster",
];

const CELL_KEYS: [&str; 8] =
    ["label", "caption", "alt", "echo", "timeout", "needs", "data", "measured"];

/// Settings of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportConfig {
    /// Title.
    pub title: String,
    /// Authors, in order.
    pub authors: Vec<Author>,
    /// Language of the prose, BCP 47; `en` by default.
    pub language: String,
    /// Chapter files in order, relative to the report's root, each where it is named.
    pub chapters: Vec<(String, Span)>,
    /// BibTeX file, relative to the report's root.
    pub bibliography: Option<(String, Span)>,
    /// Crates that cells may use, in Cargo's syntax: name to version or table. A `path` is
    /// relative to the report's root.
    pub dependencies: BTreeMap<String, serde_json::Value>,
    /// Profiles by name; `quick` and `full` exist always.
    pub profiles: BTreeMap<String, Profile>,
    /// Seed of every random number; 42 by default.
    pub seed: u64,
    /// Longest time that a cell may run; 10 minutes by default.
    pub timeout: Duration,
    /// How code is shown unless a cell says otherwise; folded by default.
    pub echo: Echo,
    /// TeX macros for all chapters, by name with backslash.
    pub macros: BTreeMap<String, String>,
    /// What the jobs of sweeps ask of a cluster.
    pub cluster: ClusterNeeds,
}

/// What a job of a sweep asks of a cluster with Slurm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterNeeds {
    /// As arguments of `sbatch`, in the order in which they are given to it.
    pub arguments: Vec<String>,
    /// Most jobs of a sweep that may run at a time.
    pub at_once: Option<usize>,
}

/// Key of a dependency with the features that it has only on a GPU.
const CUDA_FEATURES: &str = "cuda-features";

/// Key of a dependency with the path of its function that tests it where it runs.
const SELF_TEST: &str = "self-test";

impl ReportConfig {
    /// The settings with each crate's features for a device: those of `cuda-features` too if it is
    /// a GPU, and without the keys that Cargo does not know.
    #[must_use]
    pub fn on(&self, device: &str) -> Self {
        let mut config = self.clone();
        for spec in config.dependencies.values_mut().filter_map(|spec| spec.as_object_mut()) {
            spec.remove(SELF_TEST);
            let Some(more) = spec.remove(CUDA_FEATURES) else { continue };
            if device == CUDA {
                let features =
                    spec.entry("features").or_insert_with(|| Vec::<String>::new().into());
                if let (Some(features), Some(more)) = (features.as_array_mut(), more.as_array()) {
                    features.extend(more.iter().cloned());
                }
            }
        }
        config
    }

    /// Functions, by their paths, that test what cells use on the device on which they run.
    pub fn self_tests(&self) -> Vec<String> {
        let tests = self.dependencies.iter().filter_map(|(name, spec)| {
            let path = spec.get(SELF_TEST)?.as_str()?;
            let is_path = path.chars().all(|c| c.is_ascii_alphanumeric() || "_:".contains(c));
            is_path.then(|| format!("::{}::{path}", name.replace('-', "_")))
        });
        tests.collect()
    }

    /// Whether a crate of the report has features for a GPU.
    pub fn knows_cuda(&self) -> bool {
        self.dependencies.values().any(|spec| spec.get(CUDA_FEATURES).is_some())
    }
}

/// An author of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Author {
    /// Name.
    pub name: String,
    /// Institution.
    pub affiliation: Option<String>,
}

/// Settings of a profile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// Longest time that a cell may run under this profile.
    pub timeout: Option<Duration>,
}

/// Options of a cell as YAML has them; [`crate::parse`] makes the caption Markdown.
#[derive(Debug, Default)]
pub(crate) struct CellYaml {
    pub label: Option<(String, Span)>,
    pub caption: Option<Caption>,
    pub alt: Option<String>,
    pub echo: Option<Echo>,
    pub timeout: Option<Duration>,
    pub needs: Needs,
    pub data: Vec<String>,
    pub measured: bool,
}

/// Markdown in YAML.
#[derive(Debug)]
pub(crate) struct Caption {
    pub text: String,
    pub span: Span,
    /// Offset in the YAML text, if the Markdown stands there verbatim.
    pub verbatim: Option<usize>,
}

/// Reads `report.yaml`. There are no settings if it has errors that leave nothing to build.
pub fn report(source: &Source) -> (Option<ReportConfig>, Vec<Diagnostic>) {
    let text = source.text();
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let code = Code::verbatim(text, start..text.len());
    let mut reader = Reader::new(source, &code);
    let config = reader.root().and_then(|root| reader.report(&root));
    let mut diagnostics = reader.diagnostics;
    diagnostics.sort_by_key(|found| found.span.as_ref().map_or(0, |span| span.range.start));
    (config, diagnostics)
}

/// Reads the front matter of a chapter.
pub(crate) fn front_matter(source: &Source, code: &Code) -> (FrontMatter, Vec<Diagnostic>) {
    let mut reader = Reader::new(source, code);
    let front = reader.root().map(|root| reader.front_matter(&root)).unwrap_or_default();
    (front, reader.diagnostics)
}

/// Reads the options of a cell.
pub(crate) fn cell_options(source: &Source, code: &Code) -> (CellYaml, Vec<Diagnostic>) {
    let mut reader = Reader::new(source, code);
    let options = reader.root().map(|root| reader.cell(&root)).unwrap_or_default();
    (options, reader.diagnostics)
}

/// Reads the options of a module block.
pub(crate) fn module_options(source: &Source, code: &Code) -> (Option<Echo>, Vec<Diagnostic>) {
    let mut reader = Reader::new(source, code);
    let echo = reader.root().and_then(|root| {
        let fields = reader.fields(&root, "a module block", &["echo"]);
        fields.get("echo").and_then(|field| reader.echo(field.value))
    });
    (echo, reader.diagnostics)
}

impl Reader<'_> {
    fn report(&mut self, root: &Node) -> Option<ReportConfig> {
        let entries = self.entries(root, "the report")?;
        let fields = self.known(entries, "the report", &REPORT_KEYS);
        let title = self.title(&fields);
        let chapters = self.chapters(&fields);
        let authors = self.authors(&fields);
        let language = self.language(&fields).unwrap_or_else(|| "en".to_owned());
        let bibliography =
            fields.get("bibliography").and_then(|field| self.located(field.value, "bibliography"));
        let dependencies = self.dependencies(&fields);
        let profiles = self.profiles(&fields);
        let seed = fields.get("seed").and_then(|field| self.unsigned(field.value, "seed"));
        let timeout = fields.get("timeout").and_then(|field| self.duration(field.value, "timeout"));
        let echo = fields.get("echo").and_then(|field| self.echo(field.value));
        let macros = fields.get("macros").map(|field| self.macros(field.value));
        let cluster = fields.get("cluster").map(|field| self.cluster(field.value));
        Some(ReportConfig {
            title: title?,
            authors,
            language,
            chapters: chapters?,
            bibliography,
            dependencies,
            profiles,
            seed: seed.unwrap_or(42),
            timeout: timeout.unwrap_or(Duration::from_secs(600)),
            echo: echo.unwrap_or(Echo::Fold),
            macros: macros.unwrap_or_default(),
            cluster: cluster.unwrap_or_default(),
        })
    }

    fn title(&mut self, fields: &Fields<'_>) -> Option<String> {
        let Some(field) = fields.get("title") else {
            self.missing("title", "add a line such as `title: My report`");
            return None;
        };
        self.text(field.value, "title")
    }

    fn chapters(&mut self, fields: &Fields<'_>) -> Option<Vec<(String, Span)>> {
        let Some(field) = fields.get("chapters") else {
            self.missing("chapters", "list the Markdown files in order");
            return None;
        };
        let Value::List(items) = &field.value.value else {
            self.wrong_type(field.value, "chapters", "a list of files");
            return None;
        };
        let mut chapters: Vec<(String, Span)> = Vec::new();
        for item in items {
            let Some((path, span)) = self.located(item, "a chapter") else { continue };
            let path = path.trim_start_matches("./").to_owned();
            if let Some((_, first)) = chapters.iter().find(|(other, _)| *other == path) {
                let found = Diagnostic::error(
                    "duplicate-chapter",
                    format!("the chapter `{path}` is listed twice"),
                    span,
                );
                let found = found.related(first.clone(), "first listed here");
                self.diagnostics.push(found.hint("list each chapter once"));
            } else {
                chapters.push((path, span));
            }
        }
        if items.is_empty() {
            self.missing("chapters", "list the Markdown files in order");
        }
        (!chapters.is_empty()).then_some(chapters)
    }

    fn missing(&mut self, key: &str, hint: &str) {
        let found = Diagnostic::error(
            "missing-key",
            format!("the report has no {key}"),
            self.yaml.part(0..0),
        );
        self.diagnostics.push(found.hint(hint));
    }

    fn authors(&mut self, fields: &Fields<'_>) -> Vec<Author> {
        let Some(field) = fields.get("authors") else { return Vec::new() };
        let Value::List(items) = &field.value.value else {
            let found = self.wrong_type(field.value, "authors", "a list");
            found.hint = Some("begin each author with `- `".to_owned());
            return Vec::new();
        };
        items.iter().filter_map(|item| self.author(item)).collect()
    }

    fn author(&mut self, node: &Node) -> Option<Author> {
        if !matches!(node.value, Value::Map(_)) {
            let name = self.text(node, "an author")?;
            return Some(Author { name, affiliation: None });
        }
        let fields = self.fields(node, "an author", &["name", "affiliation"]);
        let Some(name) = fields.get("name") else {
            let span = self.yaml.span(node);
            let found = Diagnostic::error("missing-key", "an author has no name", span);
            self.diagnostics.push(found.hint("add `name: …`"));
            return None;
        };
        let name = self.text(name.value, "name")?;
        let affiliation =
            fields.get("affiliation").and_then(|field| self.text(field.value, "affiliation"));
        Some(Author { name, affiliation })
    }

    fn language(&mut self, fields: &Fields<'_>) -> Option<String> {
        let field = fields.get("language")?;
        let (language, span) = self.located(field.value, "language")?;
        let mut parts = language.split('-');
        let primary = parts.next().unwrap_or_default();
        let is_tag = (2..=3).contains(&primary.len())
            && primary.bytes().all(|byte| byte.is_ascii_lowercase())
            && parts.all(|part| {
                (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
            });
        if is_tag {
            if Words::known(&language).is_none() {
                let message =
                    format!("the words that a report is given are English in `{language}`");
                let found = Diagnostic::warning("language-words", message, span);
                let list = LANGUAGES.join("`, `");
                self.diagnostics.push(
                    found
                        .note("captions, references, headings of generated parts, verdicts, the ledger")
                        .hint(format!("they are known in `{list}`")),
                );
            }
            return Some(language);
        }
        let found =
            Diagnostic::error("invalid-value", format!("`{language}` is not a language tag"), span);
        self.diagnostics.push(found.hint("write it as `en` or `en-GB`"));
        None
    }

    fn dependencies(&mut self, fields: &Fields<'_>) -> BTreeMap<String, serde_json::Value> {
        let mut dependencies = BTreeMap::new();
        let Some(field) = fields.get("dependencies") else { return dependencies };
        for field in self.entries(field.value, "dependencies").unwrap_or_default() {
            match &field.value.value {
                Value::Text(_) | Value::Map(_) => {
                    if let Some(value) = self.json(field.value) {
                        dependencies.insert(field.name.to_owned(), value);
                    }
                }
                Value::Number(_) => {
                    let found = self.wrong_type(field.value, field.name, "a version");
                    found.hint = Some("put the version in quotes".to_owned());
                }
                _ => {
                    self.wrong_type(
                        field.value,
                        field.name,
                        "a version or a table as in Cargo.toml",
                    );
                }
            }
        }
        dependencies
    }

    fn json(&mut self, node: &Node) -> Option<serde_json::Value> {
        Some(match &node.value {
            Value::Null => {
                self.wrong_type(node, "a dependency's setting", "a value");
                return None;
            }
            Value::Bool(value) => (*value).into(),
            Value::Number(number) => number.clone().into(),
            Value::Text(text) => text.clone().into(),
            Value::List(items) => {
                items.iter().filter_map(|item| self.json(item)).collect::<Vec<_>>().into()
            }
            Value::Map(_) => {
                let mut map = serde_json::Map::new();
                for field in self.entries(node, "a dependency").unwrap_or_default() {
                    if field.name == "version" && matches!(field.value.value, Value::Number(_)) {
                        let found = self.wrong_type(field.value, "version", "text");
                        found.hint = Some("put the version in quotes".to_owned());
                    } else if let Some(value) = self.json(field.value) {
                        map.insert(field.name.to_owned(), value);
                    }
                }
                map.into()
            }
        })
    }

    fn profiles(&mut self, fields: &Fields<'_>) -> BTreeMap<String, Profile> {
        let mut profiles: BTreeMap<String, Profile> =
            ["quick", "full"].map(|name| (name.to_owned(), Profile::default())).into();
        let Some(field) = fields.get("profiles") else { return profiles };
        for field in self.entries(field.value, "profiles").unwrap_or_default() {
            let settings = self.fields(field.value, "a profile", &["timeout"]);
            let timeout =
                settings.get("timeout").and_then(|field| self.duration(field.value, "timeout"));
            profiles.insert(field.name.to_owned(), Profile { timeout });
        }
        profiles
    }

    fn front_matter(&mut self, root: &Node) -> FrontMatter {
        let fields = self.fields(root, "the front matter", &["title", "macros", "cells"]);
        let title = fields.get("title").and_then(|field| self.text(field.value, "title"));
        let macros = fields.get("macros").map(|field| self.macros(field.value));
        let cells = fields.get("cells").map(|field| {
            let fields = self.fields(field.value, "`cells`", &["echo", "timeout"]);
            CellDefaults {
                echo: fields.get("echo").and_then(|field| self.echo(field.value)),
                timeout: fields
                    .get("timeout")
                    .and_then(|field| self.duration(field.value, "timeout")),
            }
        });
        FrontMatter { title, macros: macros.unwrap_or_default(), cells: cells.unwrap_or_default() }
    }

    fn cell(&mut self, root: &Node) -> CellYaml {
        let fields = self.fields(root, "a cell", &CELL_KEYS);
        let caption = fields.get("caption").and_then(|field| {
            let (text, span) = self.located(field.value, "caption")?;
            let verbatim = field.value.verbatim.as_ref().map(|range| range.start);
            Some(Caption { text, span, verbatim })
        });
        CellYaml {
            label: fields.get("label").and_then(|field| self.located(field.value, "label")),
            caption,
            alt: fields.get("alt").and_then(|field| self.text(field.value, "alt")),
            echo: fields.get("echo").and_then(|field| self.echo(field.value)),
            timeout: fields.get("timeout").and_then(|field| self.duration(field.value, "timeout")),
            needs: fields.get("needs").map(|field| self.needs(field.value)).unwrap_or_default(),
            data: fields.get("data").map(|field| self.data(field.value)).unwrap_or_default(),
            measured: fields
                .get("measured")
                .and_then(|field| self.boolean(field.value, "measured"))
                .unwrap_or(false),
        }
    }

    /// One name or a list of names, each once.
    fn data(&mut self, node: &Node) -> Vec<String> {
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut names: Vec<String> = Vec::new();
        for item in items {
            let Some(name) = self.file_name(item, "a data set") else { continue };
            if names.contains(&name) {
                let message = format!("the data set `{name}` is listed twice");
                let span = self.yaml.span(item);
                let found = Diagnostic::error("duplicate-value", message, span);
                self.diagnostics.push(found.hint("list it once"));
            } else {
                names.push(name);
            }
        }
        names
    }

    fn needs(&mut self, node: &Node) -> Needs {
        let fields = self.fields(node, "`needs`", &["dataset", "profile", "device"]);
        let mut text = |name| fields.get(name).and_then(|field| self.text(field.value, name));
        let (profile, device) = (text("profile"), text("device"));
        let dataset =
            fields.get("dataset").and_then(|field| self.file_name(field.value, "a data set"));
        let device = device.filter(|device| {
            let is_known = ["cpu", "cuda"].contains(&device.as_str());
            if !is_known && let Some(field) = fields.get("device") {
                let span = self.yaml.span(field.value);
                let found = Diagnostic::error(
                    "invalid-value",
                    format!("there is no device `{device}`"),
                    span,
                );
                self.diagnostics.push(found.hint("a device is `cpu` or `cuda`"));
            }
            is_known
        });
        Needs { dataset, profile, device }
    }
}

//! Reports in memory whose cells did what a test says they did.

use std::collections::BTreeMap;
use std::time::Duration;

use veracity::cache::{CellRecord, SharedRecord};
use veracity::config::ReportConfig;
use veracity::diag::Diagnostic;
use veracity::document::Document;
use veracity::exec::{CellResult, CellStatus, Executed, ExecutedChapter};
use veracity::parse::{self, Echo};
use veracity::resolve::document;
use veracity::span::Source;
use veracity::world::MemoryWorld;
use veracity_protocol::{
    Artifact, CellOutput, Check, CheckStatus, Evidence, Float, Published, Value,
};

/// A report in the making.
#[derive(Default)]
pub struct Report {
    pub chapters: Vec<(String, String)>,
    pub cells: BTreeMap<String, CellResult>,
    /// What cells gave on other devices, by device.
    pub elsewhere: BTreeMap<String, BTreeMap<String, CellResult>>,
    pub bibliography: Option<String>,
    /// English, if there is none.
    pub language: Option<&'static str>,
    pub world: MemoryWorld,
}

impl Report {
    /// A report of one chapter `1.md`.
    pub fn of(text: &str) -> Self {
        Self::default().chapter("1.md", text)
    }

    pub fn chapter(mut self, path: &str, text: &str) -> Self {
        self.chapters.push((path.into(), text.into()));
        self
    }

    /// Says what the cell `chapter/id` published.
    pub fn cell(mut self, id: &str, output: CellOutput) -> Self {
        self.cells
            .insert(id.into(), CellResult { record: recorded(output), ..result(CellStatus::Done) });
        self
    }

    /// Says what the cell `chapter/id` published on another device.
    #[cfg(unix)]
    pub fn elsewhere(mut self, device: &str, id: &str, output: CellOutput) -> Self {
        let there = self.elsewhere.entry(device.into()).or_default();
        let result = CellResult {
            record: recorded(output),
            device: device.into(),
            ..result(CellStatus::Done)
        };
        there.insert(id.into(), result);
        self
    }

    /// Says how the cell `chapter/id` ended.
    pub fn status(mut self, id: &str, status: CellStatus) -> Self {
        self.cells.insert(id.into(), result(status));
        self
    }

    pub fn bibliography(mut self, text: &str) -> Self {
        self.bibliography = Some(text.into());
        self
    }

    pub fn build(&self) -> (Document, Vec<Diagnostic>) {
        let chapters: Vec<parse::Chapter> = self
            .chapters
            .iter()
            .map(|(path, text)| parse::chapter(Source::new(path, text)).0)
            .collect();
        let executed = |results: &BTreeMap<String, CellResult>| Executed {
            chapters: chapters
                .iter()
                .map(|chapter| ExecutedChapter {
                    cells: chapter
                        .cells
                        .iter()
                        .map(|cell| {
                            let id = format!("{}/{}", chapter.slug, cell.id);
                            results.get(&id).cloned().unwrap_or(result(CellStatus::Done))
                        })
                        .collect(),
                })
                .collect(),
            elsewhere: BTreeMap::new(),
        };
        let elsewhere = self.elsewhere.iter();
        let elsewhere = elsewhere.map(|(device, there)| (device.clone(), executed(there)));
        let executed = Executed { elsewhere: elsewhere.collect(), ..executed(&self.cells) };
        let bibliography = self.bibliography.as_ref().map(|text| Source::new("works.bib", text));
        let bibliography = bibliography.as_ref();
        let config = config(self.language.unwrap_or("en"));
        document(&config, &chapters, &executed, bibliography, Vec::new(), &self.world)
    }
}

fn config(language: &str) -> ReportConfig {
    ReportConfig {
        title: "A report".into(),
        authors: Vec::new(),
        language: language.into(),
        chapters: Vec::new(),
        bibliography: None,
        dependencies: BTreeMap::new(),
        profiles: BTreeMap::new(),
        seed: 42,
        timeout: Duration::from_secs(600),
        echo: Echo::Fold,
        macros: BTreeMap::new(),
        cluster: Default::default(),
    }
}

fn result(status: CellStatus) -> CellResult {
    CellResult {
        key: "0123".into(),
        device: "cpu".into(),
        profile: "quick".into(),
        seed: 42,
        status,
        record: recorded(CellOutput::default()),
    }
}

fn recorded(output: CellOutput) -> SharedRecord {
    CellRecord { output, duration_ms: 7, ..CellRecord::empty() }.into()
}

/// An output of values alone.
pub fn values(values: impl IntoIterator<Item = (&'static str, Value)>) -> CellOutput {
    let published = |(name, value): (&str, Value)| Published {
        name: name.into(),
        value,
        unit: None,
        data: None,
        seed: None,
    };
    CellOutput { artifacts: Vec::new(), values: values.into_iter().map(published).collect() }
}

/// An output of artifacts alone.
pub fn artifacts(artifacts: impl IntoIterator<Item = Artifact>) -> CellOutput {
    CellOutput { artifacts: artifacts.into_iter().collect(), values: Vec::new() }
}

pub fn integer(value: i64) -> Value {
    Value::Integer { value: value.to_string() }
}

pub fn float(value: f64) -> Value {
    Value::Float { value: Float(value) }
}

/// A check of 13 cases that evaluated the given equations.
pub fn check(name: &str, status: CheckStatus, equations: &[&str]) -> Check {
    Check {
        name: name.into(),
        statement: "both sides agree".into(),
        status,
        evidence: Evidence::Tested,
        cases: 13,
        counterexample: (status == CheckStatus::Failed).then(|| "D = 2: 6 and 7".into()),
        equations: equations.iter().map(|label| (*label).into()).collect(),
    }
}

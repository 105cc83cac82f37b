//! Decides what runs, in which order, and under which cache key. Pure.
//!
//! In: parsed chapters and the [`Foundation`] on which all of them stand. Out: a [`Plan`].
//! Left out: whether a result is stored already, which is [`crate::exec`]'s.
//!
//! A cell's key is a hash of everything that may change its result: the foundation (lab,
//! dependencies, lock file, toolchain, device, profile, seed), the chapter's modules, the cells
//! on which it builds, its own code, the formulas that it names and the digest of its data.
//! Prose, captions and other presentation are not in it, nor are words of comments.

mod equations;
mod key;
mod names;
mod needs;
pub mod slice;
pub mod tangle;
mod tested;

pub use equations::may_evaluate;
pub use key::CellKey;
pub(crate) use names::defined;
pub use names::{Items, Touch, may_publish, touch};
pub use tested::Test;
pub(crate) use tested::in_modules as tests_of;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use veracity_protocol as protocol;

use crate::claims::Reason;
use crate::config::ReportConfig;
use crate::data::DataSet;
use crate::diag::Diagnostic;
use crate::memo::{Input, Memo};
use crate::parse::{Cell, Chapter, Code};
use crate::span::{Source, Span};
use key::KeyHasher;

/// What every cell of a report stands on, besides its own chapter.
#[derive(Clone, Debug, Default)]
pub struct Foundation {
    /// Digest of lab, dependencies, lock file and toolchain.
    pub digest: String,
    /// The compiler's description of itself, for readers; part of the digest.
    pub toolchain: String,
    /// Device on which cells run.
    pub device: String,
    /// Profile under which cells run.
    pub profile: String,
    /// Seed of every random number.
    pub seed: u64,
    /// Data sets at hand, by name.
    pub datasets: BTreeMap<String, DataSet>,
}

/// What is to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// One per chapter, in order.
    pub chapters: Vec<ChapterPlan>,
}

/// What is to run for one chapter.
#[derive(Clone, Debug)]
pub struct ChapterPlan {
    /// The chapter's slug.
    pub slug: String,
    /// The chapter's file.
    pub source: Source,
    /// Items for the chapter's library, in order.
    pub modules: Vec<Code>,
    /// One per cell, in order.
    pub cells: Vec<CellPlan>,
    /// The formulas that cells and modules name.
    pub equations: BTreeMap<String, protocol::Equation>,
    /// Device, profile and seed for the run.
    pub foundation: Foundation,
    /// What stored results are good for.
    pub reuse: Reuse,
    /// The tests among the modules, if there are any.
    pub tests: Option<Tests>,
}

/// The tests in a chapter's modules.
#[derive(Clone, Debug)]
pub struct Tests {
    /// Key under which it is kept that they passed.
    pub key: CellKey,
    /// Longest time that all of them may run.
    pub timeout: Duration,
    /// The first of them.
    pub span: Span,
    /// All of them, as they are written.
    pub written: Vec<Test>,
}

impl Tests {
    /// Where a test stands; the first of all if its name is put together by a macro.
    pub fn place(&self, name: &str) -> &Span {
        let test = self.written.iter().find(|test| test.name == name);
        test.map_or(&self.span, |test| &test.span)
    }
}

/// What the stored results of a chapter are good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reuse {
    /// They stand in for running the cells.
    #[default]
    Stored,
    /// Nothing else is used, because another chapter was asked for.
    OnlyStored,
    /// Nothing else is used yet, because the cells are running.
    Meanwhile,
    /// They are not looked at: everything runs from scratch.
    Nothing,
}

/// What is to run for one cell.
#[derive(Clone, Debug)]
pub struct CellPlan {
    /// Identifier, unique in the chapter.
    pub id: String,
    /// Cache key.
    pub key: CellKey,
    /// Indices of the cells before it on which it builds, directly or not, in order.
    pub needs: Vec<usize>,
    /// Whether its result depends on the clock, so that it differs from run to run.
    pub measured: bool,
    /// The code, cut where its trailing expression begins.
    pub body: tangle::Body,
    /// Data sets that it declares, at hand or not.
    pub data: Vec<String>,
    /// Longest time that it may run.
    pub timeout: Duration,
    /// The whole fenced block.
    pub span: Span,
    /// Why it cannot run, if it cannot.
    pub barred: Option<Bar>,
}

/// Why a cell is not part of the run.
#[derive(Clone, Debug)]
pub enum Bar {
    /// Something that it needs is not at hand.
    Needs(Reason, String),
    /// Its code cannot even be cut into tokens.
    Syntax(Diagnostic),
}

impl Plan {
    /// Lets only the cells of the chapter at `index` run; the others keep stored results.
    pub fn keep_only(&mut self, index: usize) {
        for (_, chapter) in self.chapters.iter_mut().enumerate().filter(|(at, _)| *at != index) {
            chapter.reuse = Reuse::OnlyStored;
        }
    }

    /// Lets no cell run, and takes what is stored.
    pub fn look_only(&mut self) {
        for chapter in &mut self.chapters {
            chapter.reuse = Reuse::OnlyStored;
        }
    }

    /// Lets no cell run: those without a stored result are shown as running.
    pub fn meanwhile(&mut self) {
        for chapter in &mut self.chapters {
            if chapter.reuse != Reuse::OnlyStored {
                chapter.reuse = Reuse::Meanwhile;
            }
        }
    }

    /// Runs from scratch what may run at all.
    pub fn forget(&mut self) {
        for chapter in &mut self.chapters {
            if chapter.reuse == Reuse::Stored {
                chapter.reuse = Reuse::Nothing;
            }
        }
    }
}

impl ChapterPlan {
    /// Leaves out all cells but the given ones, for a reason in words.
    pub fn keep_only(&mut self, cells: &BTreeSet<usize>, words: &str) {
        for (index, cell) in self.cells.iter_mut().enumerate() {
            if !cells.contains(&index) && cell.barred.is_none() {
                cell.barred = Some(Bar::Needs(Reason::NotRun, words.to_owned()));
            }
        }
    }
}

/// Plans all chapters.
pub fn plan(
    config: &ReportConfig,
    chapters: &[Chapter],
    foundation: &Foundation,
) -> (Plan, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let ground = Input::of_debug(&(config, foundation));
    let chapters = chapters
        .iter()
        .map(|chapter| {
            let (plan, found) = planned(config, chapter, foundation, ground);
            diagnostics.extend(found);
            plan
        })
        .collect();
    (Plan { chapters }, diagnostics)
}

/// Plans a chapter; the plan of one that is as before, on the same ground, is remembered.
fn planned(
    config: &ReportConfig,
    chapter: &Chapter,
    foundation: &Foundation,
    ground: Input,
) -> (ChapterPlan, Vec<Diagnostic>) {
    static KNOWN: Memo<(ChapterPlan, Vec<Diagnostic>)> = Memo::new(1 << 20);
    let Chapter { source, slug, .. } = chapter;
    let parts = [ground.as_bytes(), slug.as_bytes(), source.path().as_bytes()];
    let input = Input::of(parts.into_iter().chain([source.text().as_bytes()]));
    KNOWN.get(input, || {
        let mut diagnostics = Vec::new();
        let plan = plan_chapter(config, chapter, foundation, &mut diagnostics);
        ((plan, diagnostics), source.text().len())
    })
}

fn plan_chapter(
    config: &ReportConfig,
    chapter: &Chapter,
    foundation: &Foundation,
    diagnostics: &mut Vec<Diagnostic>,
) -> ChapterPlan {
    let equations = equations::named(config, chapter, diagnostics);
    let modules: Vec<Code> = chapter.modules.iter().map(|module| module.code.clone()).collect();

    let mut base = KeyHasher::new("chapter");
    base.field(&foundation.digest);
    base.field(&foundation.device);
    base.field(&foundation.profile);
    base.field(&foundation.seed.to_string());
    for module in &modules {
        base.code(&module.text);
        base.equations(&module.text, &equations);
    }
    let base = base.finish();
    let written = tested::in_modules(chapter);
    let tests = written.first().map(|first| first.span.clone()).map(|span| {
        // Counted up when what it takes to pass has changed.
        let mut key = KeyHasher::new("tests 3");
        key.field(&base.to_string());
        let timeout = chapter_timeout(config, chapter, &foundation.profile);
        Tests { key: key.finish(), timeout, span, written }
    });

    let mut missing = names::Missing::default();
    let mut bodies = Vec::with_capacity(chapter.cells.len());
    for cell in &chapter.cells {
        diagnostics.extend(unknown_profile(config, cell));
        diagnostics.extend(tested::in_code(chapter, &[&cell.code]).iter().map(test_in_cell));
        bodies.push(match tangle::Body::cut(cell) {
            Ok(body) => {
                let blocked = missing.blocks(&body);
                let bar = unmet(cell, foundation).or(blocked);
                if let Some((reason, words)) = &bar {
                    missing.add(&body, *reason, words);
                }
                (body, bar.map(|(reason, words)| Bar::Needs(reason, words)))
            }
            Err(diagnostic) => (tangle::Body::empty(), Some(Bar::Syntax(diagnostic))),
        });
    }
    let runs = |bar: &Option<Bar>| bar.is_none();
    let all_needs = needs::of_cells(
        &modules.iter().map(|module| module.text.as_str()).collect::<Vec<_>>(),
        &bodies.iter().map(|(body, bar)| runs(bar).then(|| body.code())).collect::<Vec<_>>(),
    );
    let mut cells: Vec<CellPlan> = Vec::with_capacity(chapter.cells.len());
    for ((cell, (body, barred)), needs) in chapter.cells.iter().zip(bodies).zip(all_needs) {
        let mut key = KeyHasher::new("cell");
        key.field(&base.to_string());
        for &needed in &needs {
            key.field(&cells[needed].key.to_string());
        }
        key.code(&cell.code.text);
        key.equations(&cell.code.text, &equations);
        for name in cell.options.datasets() {
            key.field(name);
            key.data(foundation.datasets.get(name));
        }
        cells.push(CellPlan {
            id: cell.id.clone(),
            key: key.finish(),
            needs,
            measured: cell.options.measured,
            body,
            data: cell.options.datasets().map(str::to_owned).collect(),
            timeout: timeout(config, chapter, cell, &foundation.profile),
            span: cell.span.clone(),
            barred,
        });
    }
    ChapterPlan {
        slug: chapter.slug.clone(),
        source: chapter.source.clone(),
        modules,
        cells,
        equations,
        foundation: foundation.clone(),
        reuse: Reuse::Stored,
        tests,
    }
}

fn timeout(config: &ReportConfig, chapter: &Chapter, cell: &Cell, profile: &str) -> Duration {
    cell.options.timeout.unwrap_or_else(|| chapter_timeout(config, chapter, profile))
}

fn chapter_timeout(config: &ReportConfig, chapter: &Chapter, profile: &str) -> Duration {
    let front = chapter.front.cells.timeout;
    front
        .or_else(|| config.profiles.get(profile).and_then(|profile| profile.timeout))
        .unwrap_or(config.timeout)
}

/// A cell that waits for a profile which nobody can ask for would be open for ever.
fn unknown_profile(config: &ReportConfig, cell: &Cell) -> Option<Diagnostic> {
    let wanted = cell.options.needs.profile.as_ref()?;
    (!config.profiles.contains_key(wanted)).then(|| {
        Diagnostic::error(
            "unknown-profile",
            format!("this report has no profile `{wanted}`"),
            cell.span.clone(),
        )
        .hint("`profiles` in report.yaml makes further ones")
        .did_you_mean(wanted, config.profiles.keys().map(String::as_str))
    })
}

/// A test in a cell is in no test program: the compiler leaves it out.
fn test_in_cell(test: &Test) -> Diagnostic {
    let words = format!("the test `{}` stands in a cell and is never run", test.name);
    Diagnostic::warning("idle-test", words, test.span.clone())
        .hint("move it into a `rust,module` block, whose tests are run")
}

fn unmet(cell: &Cell, foundation: &Foundation) -> Option<(Reason, String)> {
    let needs = &cell.options.needs;
    if let Some(profile) = &needs.profile
        && *profile != foundation.profile
    {
        return Some((
            Reason::NeedsProfile,
            format!("needs the profile `{profile}`; run with `--profile {profile}`"),
        ));
    }
    if let Some(device) = &needs.device
        && *device != foundation.device
    {
        return Some((Reason::NeedsDevice, format!("needs the device `{device}`")));
    }
    if let Some(dataset) = &needs.dataset
        && !foundation.datasets.contains_key(dataset)
    {
        return Some((Reason::NeedsData, format!("needs the data set `{dataset}`")));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config, parse};

    #[test]
    fn a_profile_that_nobody_can_ask_for_is_an_error() {
        let settings = Source::new("report.yaml", "title: T\nchapters: [a.md]\n");
        let config = config::report(&settings).0.expect("the settings are right");
        let text = "# A\n\n```rust,cell\n//| needs: {profile: ful}\n1;\n```\n";
        let (chapter, _) = parse::chapter(Source::new("a.md", text));
        let found = unknown_profile(&config, &chapter.cells[0]).expect("there is no such profile");
        assert_eq!(found.hint.as_deref(), Some("did you mean `full`?"));
    }

    #[test]
    fn tests_of_modules_are_found_and_have_a_key_of_their_own() {
        let settings = Source::new("report.yaml", "title: T\nchapters: [a.md]\n");
        let config = config::report(&settings).0.expect("the settings are right");
        let tests = |module: &str, cell: &str| {
            let text = format!(
                "# A\n\n```rust,module\npub fn f() {{}}\n{module}\n```\n\n```rust,cell\n{cell}\n```\n"
            );
            let (chapter, _) = parse::chapter(Source::new("a.md", text));
            plan(&config, &[chapter], &Foundation::default()).0.chapters.remove(0).tests
        };
        assert!(tests("", "1").is_none());
        let test = "#[test] fn g() { panic!() }";
        let found = tests(test, "1").expect("there is a test");
        assert_eq!(found.span.to_string(), "a.md:5:1");
        let key = |module, cell| tests(module, cell).map(|tests| tests.key);
        assert_eq!(key(test, "2"), Some(found.key));
        assert_ne!(key("#[test] fn g() {}", "1"), Some(found.key));
    }

    #[test]
    fn a_test_that_nobody_would_run_is_told_of() {
        let settings = Source::new("report.yaml", "title: T\nchapters: [a.md]\n");
        let config = config::report(&settings).0.expect("the settings are right");
        let text =
            "# A\n\n```rust,cell\n#[test]\nfn f() { panic!() }\n\"#[test] fn g() {}\"\n```\n";
        let (chapter, _) = parse::chapter(Source::new("a.md", text));
        let (_, found) = plan(&config, &[chapter], &Foundation::default());
        let told: Vec<_> = found.iter().map(|it| (it.code, it.message.as_str())).collect();
        assert_eq!(told, [("idle-test", "the test `f` stands in a cell and is never run")]);
    }
}

//! A build, every stage in order. Read this first.
//!
//! [`evaluate`] reads a report, runs its code and judges its claims; [`build`] renders what
//! came out of it as well. Each stage takes a value and returns a new one. A mistake in
//! a chapter is data and never stops a stage; only what leaves nothing to build does.
//! [`crate::session`] calls the same stages one by one and keeps what an edit does not change.

mod devices;
mod ground;
mod read;
mod request;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use rayon::prelude::*;

use crate::cache::{self, Store};
use crate::claims::Standing;
use crate::config::ReportConfig;
use crate::data::{self, DataSet, Digests};
use crate::diag::{Diagnostic, Severity};
use crate::document::Document;
use crate::evidence::Evidence;
use crate::exec::{self, CellResult, ExecEvent, Executed};
use crate::kernel::workspace;
use crate::kernel::{Kernel, process};
use crate::ledger;
use crate::math::MathmlRenderer;
use crate::parse::Chapter;
use crate::plan::{self, Foundation, Plan};
use crate::publish::Output;
use crate::record::{self, frozen};
use crate::render::Highlighter;
use crate::render::html::{self, Templates};
use crate::render::pdf;
use crate::resolve;
use crate::world::{DiskWorld, Recorded, World};

pub(crate) use self::devices::FOLDER as DEVICES_FOLDER;
#[cfg(unix)]
pub use self::ground::prepare_warm;
pub use self::ground::{Ground, Prepare, ground, prepare};
pub(crate) use self::read::read_manifest;
pub use self::read::{Written, read};
pub use self::request::{BuildRequest, Formats, KernelChoice, Venue};

/// What the author wrote and what of it is to run.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What the author wrote.
    pub written: Written,
    /// What its cells stand on.
    pub foundation: Foundation,
    /// What is to run.
    pub plan: Plan,
    /// Problems so far.
    pub diagnostics: Vec<Diagnostic>,
}

/// What a report says and what came of its code.
#[derive(Debug)]
pub struct Evaluated {
    /// Settings of the report.
    pub config: ReportConfig,
    /// Chapters as parsed.
    pub chapters: Arc<[Chapter]>,
    /// What was to run.
    pub plan: Plan,
    /// What came of it.
    pub executed: Executed,
    /// Everything that is shown, claims with their verdicts included.
    pub document: Document,
    /// Problems, in order of the stages that found them.
    pub diagnostics: Vec<Diagnostic>,
    /// Digest of everything above.
    pub digest: String,
}

/// Something for a person to see while a build runs.
#[derive(Clone, Debug)]
pub enum BuildEvent<'a> {
    /// Another build holds the output folder.
    Waiting,
    /// The workspace for compiled chapters is being prepared.
    Preparing,
    /// Cells are being replayed or run.
    Exec(ExecEvent<'a>),
    /// Pages are being made.
    Rendering,
}

/// Receives events from any thread.
pub type Sink<'a> = &'a (dyn Fn(BuildEvent<'_>) + Sync);

/// A finished build.
#[derive(Debug)]
pub struct Build {
    /// What it is made of.
    pub evaluated: Evaluated,
    /// Whether anything had to be rendered.
    pub rendered: bool,
}

impl Evaluated {
    /// What stands behind all claims.
    pub fn evidence(&self) -> Evidence {
        Evidence::of(self, &self.document.claims)
    }

    /// The worst that was found: a claim or a place in a chapter that is not as it should be.
    pub fn standing(&self) -> Standing {
        let claims = self.document.claims.iter().map(crate::claims::Judged::standing).max();
        let error = self.diagnostics.iter().any(|found| found.severity == Severity::Error);
        if error { Standing::Bad } else { claims.unwrap_or(Standing::Good) }
    }
}

/// Builds a report: evaluates it, renders it, and replaces the one before.
///
/// # Errors
/// If there is nothing to build, or nothing could be written; the report before is then whole.
pub fn build(request: &BuildRequest, sink: Sink<'_>) -> Result<Build, Vec<Diagnostic>> {
    let output = Output::open(&request.out, || sink(BuildEvent::Waiting)).map_err(one)?;
    let world = Recorded::new(DiskWorld::new(&request.root));
    let evaluated = evaluate(request, &world, sink)?;
    finish(request, &output, &world, evaluated, sink)
}

/// Builds a report from its record, without kernel and toolchain.
///
/// # Errors
/// As for [`build`], and if there is no record, or it is of another version or damaged.
pub fn build_frozen(request: &BuildRequest, sink: Sink<'_>) -> Result<Build, Vec<Diagnostic>> {
    let output = Output::open(&request.out, || sink(BuildEvent::Waiting)).map_err(one)?;
    let world = Recorded::new(DiskWorld::new(&request.root));
    let evaluated = evaluate_frozen(request, &world)?;
    finish(request, &output, &world, evaluated, sink)
}

/// Renders what was evaluated and replaces the report before.
fn finish(
    request: &BuildRequest,
    output: &Output,
    world: &Recorded<DiskWorld>,
    mut evaluated: Evaluated,
    sink: Sink<'_>,
) -> Result<Build, Vec<Diagnostic>> {
    stop_if_interrupted()?;
    let templates = Templates::load(world)?;
    let inputs = inputs(request.formats, world, &evaluated);
    let json = ledger::json(&evaluated.document, &record::cells(&evaluated));
    let rendered = !output.is_current(&inputs);
    if rendered {
        sink(BuildEvent::Rendering);
        let document = &evaluated.document;
        let kept = request.out.join("cache").join("highlighted");
        let highlighter = Highlighter::new(cache::kept(&kept).unwrap_or_default());
        let (html, (pdf, problems)) = thread::scope(|scope| {
            let pdf = scope.spawn(|| match request.formats.pdf {
                true => pdf::file(document, &highlighter, &mut pdf::Press::default()),
                false => (None, Vec::new()),
            });
            let html = request
                .formats
                .html
                .then(|| {
                    let evidence = evaluated.evidence();
                    let math = &mut MathmlRenderer::new();
                    html::files(document, &evidence, &templates, &highlighter, math)
                })
                .transpose();
            (html, pdf.join().expect("rendering reports its problems"))
        });
        let html = html?;
        if request.formats.pdf && pdf.is_none() {
            return Err(problems);
        }
        // A PDF with problems is made again next time, so that its problems are told again.
        let inputs = if problems.is_empty() { inputs.as_str() } else { "" };
        evaluated.diagnostics.extend(problems);
        stop_if_interrupted()?;
        output.publish(html.as_deref(), pdf.as_ref(), inputs).map_err(one)?;
        if let Some(found) = highlighter.news() {
            // What cannot be kept is found again.
            let _ = cache::keep(&kept, &found);
        }
    }
    output.write_claims(&json).map_err(one)?;
    Ok(Build { evaluated, rendered })
}

/// Evaluates a report and writes only its ledger for machines.
///
/// # Errors
/// As for [`build`].
pub fn check(request: &BuildRequest, sink: Sink<'_>) -> Result<Evaluated, Vec<Diagnostic>> {
    check_in(request, &DiskWorld::new(&request.root), sink)
}

/// The same with the files of the report from `world`.
///
/// # Errors
/// As for [`build`].
pub fn check_in(
    request: &BuildRequest,
    world: &dyn World,
    sink: Sink<'_>,
) -> Result<Evaluated, Vec<Diagnostic>> {
    let output = Output::open(&request.out, || sink(BuildEvent::Waiting)).map_err(one)?;
    let evaluated = evaluate(request, world, sink)?;
    stop_if_interrupted()?;
    output
        .write_claims(&ledger::json(&evaluated.document, &record::cells(&evaluated)))
        .map_err(one)?;
    Ok(evaluated)
}

/// Reads a report, runs its code, and judges its claims.
///
/// # Errors
/// If there is nothing to build: no settings, a chapter that cannot be read, no toolchain.
pub fn evaluate(
    request: &BuildRequest,
    world: &dyn World,
    sink: Sink<'_>,
) -> Result<Evaluated, Vec<Diagnostic>> {
    let written = read(world)?;
    let ground = ground(request, &written, &prepare, sink)?;
    let planned = plan(request, written, &ground)?;
    let (executed, mut found) = run(request, &planned, &*ground.kernel, sink);
    let tested = test(request, &planned, &*ground.kernel, sink);
    found.extend(tested.into_iter().filter(|it| !found.contains(it)).collect::<Vec<_>>());
    Ok(judge(planned, (executed, found), world))
}

/// Reads a report, takes what its cells put out from its record, and judges its claims.
///
/// # Errors
/// If there is nothing to build, or no record that can be used.
pub fn evaluate_frozen(
    request: &BuildRequest,
    world: &dyn World,
) -> Result<Evaluated, Vec<Diagnostic>> {
    let lock = record::read(world).map_err(one)?;
    let outputs = record::outputs(&lock, world).map_err(one)?;
    let written = read(world)?;
    let sources = workspace::sources(&request.root, &written.config).map_err(one)?;
    let digests = Digests::open(&request.out.join("cache").join("data.json"));
    let (at_hand, unusable) =
        data::at_hand(&request.data, &written.manifest, &written.chapters, digests);
    let foundation = frozen::foundation(&lock, &sources, written.config.seed, &at_hand);
    let (plan, found) = plan::plan(&written.config, &written.chapters, &foundation);
    let results = frozen::replay(&plan, &lock, &outputs);
    let diagnostics = written.diagnostics.iter().cloned().chain(unusable).chain(found).collect();
    let evaluated = judge(Planned { written, foundation, plan, diagnostics }, results, world);
    frozen::marked(evaluated, lock, sources).map_err(one)
}

/// Decides what is to run.
///
/// # Errors
/// If the request names a chapter or a profile that the report does not have.
pub fn plan(
    request: &BuildRequest,
    written: Written,
    ground: &Ground,
) -> Result<Planned, Vec<Diagnostic>> {
    let only = only_chapter(request, &written.chapters)?;
    let digests = request.out.join("cache").join("data.json");
    // Sizes and times tell only of changes that somebody made on purpose.
    let digests = match request.from_scratch {
        true => Digests::anew(&digests),
        false => Digests::open(&digests),
    };
    let (datasets, unusable) =
        data::at_hand(&request.data, &written.manifest, &written.chapters, digests);
    let foundation = foundation(request, &written, ground, datasets)?;
    let (mut plan, found) = plan::plan(&written.config, &written.chapters, &foundation);
    if let Some(index) = only {
        plan.keep_only(index);
    }
    if request.from_scratch {
        plan.forget();
    }
    let found = unusable.into_iter().chain(found);
    let diagnostics = written.diagnostics.iter().cloned().chain(found).collect();
    Ok(Planned { written, foundation, plan, diagnostics })
}

/// Replays and runs the cells.
pub fn run(
    request: &BuildRequest,
    planned: &Planned,
    kernel: &dyn Kernel,
    sink: Sink<'_>,
) -> (Executed, Vec<Diagnostic>) {
    let store = store(request);
    let (executed, mut found) =
        exec::execute(&planned.plan, kernel, &store, request.jobs, &|event| {
            sink(BuildEvent::Exec(event));
        });
    let (elsewhere, unknown) = devices::elsewhere(request, planned, &store);
    found.extend(unknown);
    (Executed { elsewhere, ..executed }, found)
}

/// Runs the tests in the modules of chapters, unless they are known to pass.
pub fn test(
    request: &BuildRequest,
    planned: &Planned,
    kernel: &dyn Kernel,
    sink: Sink<'_>,
) -> Vec<Diagnostic> {
    exec::test(&planned.plan, kernel, &store(request), &|event| sink(BuildEvent::Exec(event)))
}

fn store(request: &BuildRequest) -> Store {
    Store::new(request.out.join("cache").join("cells"))
}

/// Resolves the report and judges its claims.
pub fn judge(
    planned: Planned,
    (executed, found): (Executed, Vec<Diagnostic>),
    world: &dyn World,
) -> Evaluated {
    let Planned { written, foundation, plan, mut diagnostics } = planned;
    let Written { config, chapters, bibliography, .. } = written;
    diagnostics.extend(found);
    let environment = environment(&foundation);
    let bibliography = bibliography.as_ref();
    let ((mut document, found), outputs) = rayon::join(
        || resolve::document(&config, &chapters, &executed, bibliography, environment, world),
        || digest_of_outputs(&executed),
    );
    diagnostics.extend(found);
    note_failed_tests(&mut document, &chapters, &diagnostics);
    let digest = digest(&outputs, &document);
    Evaluated { config, chapters, plan, executed, document, diagnostics, digest }
}

fn one(diagnostic: Diagnostic) -> Vec<Diagnostic> {
    vec![diagnostic]
}

fn stop_if_interrupted() -> Result<(), Vec<Diagnostic>> {
    match process::interrupted() {
        true => Err(one(Diagnostic::global("interrupted", "the build was interrupted")
            .note("the report that was there before is still there"))),
        false => Ok(()),
    }
}

/// Index of the only chapter whose cells may run, if there is such a wish.
fn only_chapter(
    request: &BuildRequest,
    chapters: &[Chapter],
) -> Result<Option<usize>, Vec<Diagnostic>> {
    match request.chapter {
        Some(number) if !(1..=chapters.len()).contains(&number) => Err(one(Diagnostic::global(
            "unknown-chapter",
            format!("there is no chapter {number}; the last is {}", chapters.len()),
        )
        .hint("chapters are numbered from 1, in the order of report.yaml"))),
        wish => Ok(wish.map(|number| number - 1)),
    }
}

/// What every cell stands on.
fn foundation(
    request: &BuildRequest,
    written: &Written,
    ground: &Ground,
    datasets: BTreeMap<String, DataSet>,
) -> Result<Foundation, Vec<Diagnostic>> {
    let config = &written.config;
    if !config.profiles.contains_key(&request.profile) {
        let known: Vec<&str> = config.profiles.keys().map(String::as_str).collect();
        return Err(one(Diagnostic::global(
            "unknown-profile",
            format!("this report has no profile `{}`", request.profile),
        )
        .note(format!("its profiles: {}", known.join(", ")))
        .hint("`profiles` in report.yaml makes further ones")
        .did_you_mean(&request.profile, known)));
    }
    Ok(Foundation {
        digest: ground.digest.clone(),
        toolchain: ground.toolchain.clone(),
        device: request.device.clone(),
        profile: request.profile.clone(),
        seed: config.seed,
        datasets,
    })
}

/// What stood behind the results, for readers.
fn environment(foundation: &Foundation) -> Vec<(String, String)> {
    let mut environment = vec![
        ("Veracity".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("Profile".to_owned(), foundation.profile.clone()),
        ("Device".to_owned(), foundation.device.clone()),
        ("Seed".to_owned(), foundation.seed.to_string()),
    ];
    if let Some(compiler) = foundation.toolchain.lines().next() {
        environment.push(("Compiler".to_owned(), compiler.to_owned()));
    }
    environment
}

/// Puts tests that failed among the problems of their chapters, for readers.
fn note_failed_tests(document: &mut Document, chapters: &[Chapter], diagnostics: &[Diagnostic]) {
    let failed = diagnostics.iter().filter(|found| exec::FAILED_TESTS.contains(&found.code));
    for (problem, place) in failed.filter_map(|found| Some((found, found.span.as_ref()?))) {
        let at = chapters.iter().position(|chapter| chapter.source == place.source);
        if let Some(chapter) = at.and_then(|at| document.chapters.get_mut(at)) {
            let line = problem.message.lines().next().unwrap_or_default();
            chapter.problems.push(format!("A test failed: {line}"));
        }
    }
}

/// Digest of what cells put out, durations left out.
fn digest_of_outputs(executed: &Executed) -> blake3::Hash {
    let everywhere = std::iter::once(executed).chain(executed.elsewhere.values());
    let cells = everywhere.flat_map(|it| &it.chapters).flat_map(|chapter| &chapter.cells);
    let cells: Vec<&CellResult> = cells.collect();
    // Most of them know it from the build before.
    cells.par_iter().for_each(|cell| _ = cell.record.digest());
    let mut digest = blake3::Hasher::new();
    for cell in cells {
        digest.update(format!("{:?}", (&cell.key, &cell.status)).as_bytes());
        digest.update(cell.record.digest().as_bytes());
    }
    digest.finalize()
}

/// Digest of what came of the code.
fn digest(outputs: &blake3::Hash, document: &Document) -> String {
    let mut digest = blake3::Hasher::new();
    digest.update(outputs.as_bytes());
    let problems: Vec<_> = document.chapters.iter().map(|chapter| &chapter.problems).collect();
    digest.update(format!("{:?} {problems:?}", document.environment).as_bytes());
    digest.finalize().to_hex().to_string()
}

/// Digest of everything on which the rendered files depend.
pub fn inputs(formats: Formats, world: &Recorded<DiskWorld>, evaluated: &Evaluated) -> String {
    let tool =
        std::env::current_exe().and_then(|path| crate::world::witness(&path)).unwrap_or_default();
    let all = format!("{formats:?} {} {} {tool}", world.digest(), evaluated.digest);
    blake3::hash(all.as_bytes()).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::world::MemoryWorld;

    #[test]
    fn a_test_that_failed_is_told_to_readers() {
        let world = MemoryWorld::default()
            .with("report.yaml", "title: T\nchapters: [a.md, b.md]\n")
            .with("a.md", "# A\n")
            .with("b.md", "# B\n");
        let evaluated =
            evaluate(&BuildRequest::of(Path::new("")), &world, &|_| ()).expect("it can be built");
        let mut document = evaluated.document;
        let place = evaluated.chapters[1].source.span(0..1);
        let found = Diagnostic::error("test-failed", "the test `t` failed: no\nmore", place);
        note_failed_tests(&mut document, &evaluated.chapters, &[found]);
        assert_eq!(document.chapters[1].problems, ["A test failed: the test `t` failed: no"]);
        assert!(document.chapters[0].problems.is_empty());
    }

    #[test]
    fn a_chapter_that_is_not_there_is_not_an_empty_success() {
        let world = MemoryWorld::default()
            .with("report.yaml", "title: T\nchapters: [a.md]\n")
            .with("a.md", "# A\n");
        let mut request = BuildRequest { chapter: Some(1), ..BuildRequest::of(Path::new("")) };
        assert!(evaluate(&request, &world, &|_| ()).is_ok());
        request.chapter = Some(2);
        let problems = evaluate(&request, &world, &|_| ()).expect_err("there is one chapter");
        assert_eq!(problems[0].code, "unknown-chapter");
    }
}

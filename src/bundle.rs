//! Bundles: the chapters' programs for machines where there is no Rust.
//!
//! In: a report, a device and a folder. Out: that folder with programs, a runner, the manifest with
//! checksums. Left out: running it, which is `crates/runner`'s, and taking its results over,
//! which is `import`'s.

mod import;
mod runner;

pub use import::{Imported, import, was_imported};

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::Message as CargoMessage;
use veracity_protocol::{
    self as protocol, BUNDLE_FILE, BUNDLE_HEADER, BUNDLE_VERSION, Bundle, BundledChapter,
    BundledData, CudaNeeds, HEADERS_FOLDER,
};

use crate::config::ClusterNeeds;
use crate::data::{self, DataSet};
use crate::diag::{Diagnostic, Severity};
use crate::kernel::Event;
use crate::kernel::batch::BatchKernel;
use crate::kernel::cuda::{Arch, Toolkit};
use crate::kernel::workspace::{self, Workspace, write_if_changed};
use crate::pipeline::{self, BuildRequest, Ground, Planned, Written};
use crate::plan::ChapterPlan;
use crate::world::DiskWorld;

/// Name of the runner in a bundle.
pub const RUNNER: &str = "run";

/// Folder of the data sets in a bundle that brings them along; the runner looks there.
const DATA_FOLDER: &str = "data";

/// For which machine a bundle is made.
#[derive(Clone, Debug)]
pub enum Target {
    /// Any of this kind of processor.
    Cpu,
    /// One with a GPU, by this toolkit.
    Cuda(Toolkit, Arch),
}

/// A finished bundle.
#[derive(Debug)]
pub struct Made {
    /// Bytes of all its files.
    pub bytes: u64,
    /// Chapters whose programs it holds.
    pub chapters: Vec<String>,
    /// Data sets that must be at hand where it runs, with their folders.
    pub data: BTreeMap<String, PathBuf>,
    /// Whether the bundle brings them along.
    pub with_data: bool,
    /// Problems in the report that do not keep it from running.
    pub diagnostics: Vec<Diagnostic>,
}

/// What of the data comes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brings {
    /// Checksums only.
    Checksums,
    /// The data sets that its cells declare.
    Data,
}

/// Makes a bundle in a folder, which must not exist or be empty, or hold a bundle.
///
/// # Errors
/// If a chapter does not compile, or a file cannot be written.
pub fn make(
    request: &BuildRequest,
    target: &Target,
    brings: Brings,
    folder: &Path,
    tell: &(dyn Fn(String) + Sync),
) -> Result<Made, Vec<Diagnostic>> {
    let failed = |error| unwritten(folder, &error);
    make_room(folder)?;
    let written = pipeline::read(&DiskWorld::new(&request.root))?;
    let workspace = workspace(request, &written, &written.slugs_with_cells(), target)?;
    let ground = Ground {
        digest: workspace.digest.clone(),
        toolchain: workspace.toolchain.clone(),
        kernel: Box::new(crate::kernel::scripted::ScriptedKernel::default()),
    };
    let planned = pipeline::plan(request, written, &ground)?;
    let kernel = BatchKernel::new(
        workspace.clone(),
        request.root.clone(),
        request.out.clone(),
        request.data.clone(),
        request.jobs,
    );
    let mut chapters = Vec::new();
    for (index, chapter) in planned.plan.chapters.iter().enumerate() {
        let is_wanted = request.chapter.is_none_or(|number| number == index + 1);
        let cells = runnable(chapter);
        if !is_wanted || cells.is_empty() {
            continue;
        }
        let program = kernel.program(chapter, &cells, &|event| match event {
            Event::Building(words) => tell(words),
            _ => tell(format!("compiling {}", chapter.slug)),
        })?;
        let name = format!("programs/{}", chapter.slug);
        place(&program, &folder.join(&name)).map_err(failed)?;
        let mut plan = plan(chapter, &cells);
        let ClusterNeeds { arguments, at_once } = planned.written.config.cluster.clone();
        plan.cluster = Some(protocol::Cluster { arguments, at_once });
        chapters.push(BundledChapter { program: name, plan });
    }
    let mut names: Vec<String> = chapters.iter().map(|it| it.program.clone()).collect();
    let cuda = target.needs(folder, &names).map_err(failed)?;
    let packages = chapters.iter().map(|it| workspace::program_package(&it.plan.chapter));
    names.extend(target.headers(folder, &workspace, packages).map_err(failed)?);
    let files = finish(request, folder, names, tell)?;
    let datasets = datasets(request, &planned, &chapters).map_err(failed)?;
    let mut data_bytes = 0;
    if brings == Brings::Data {
        for (name, data) in &datasets {
            tell(format!("copying the data set {name}"));
            let from = request.data.join(&data.folder);
            let to = folder.join(DATA_FOLDER).join(&data.folder);
            for file in data.files.keys() {
                data_bytes += copy(&from.join(file), &to.join(file)).map_err(failed)?;
            }
        }
    }
    let mut diagnostics = planned.diagnostics;
    diagnostics.extend(absent(&planned.plan.chapters, &datasets));
    let bundle = Bundle {
        version: BUNDLE_VERSION,
        report: planned.written.config.title.clone(),
        foundation: ground.digest,
        compiler: ground.toolchain.lines().next().unwrap_or_default().to_owned(),
        cuda,
        with_data: brings == Brings::Data,
        datasets,
        self_test: None,
        chapters,
        files,
    };
    let bytes = seal(folder, &bundle).map_err(failed)?;
    Ok(Made {
        bytes: bytes + data_bytes,
        with_data: bundle.with_data,
        chapters: bundle.chapters.iter().map(|chapter| chapter.plan.chapter.clone()).collect(),
        data: bundle.datasets.into_iter().map(|(name, data)| (name, data.folder)).collect(),
        diagnostics,
    })
}

/// Makes a bundle that tests, on the device on which it runs, what cells use.
///
/// # Errors
/// As for [`make`], or if no crate of the report brings such a test.
pub fn make_self_test(
    request: &BuildRequest,
    target: &Target,
    folder: &Path,
    tell: &(dyn Fn(String) + Sync),
) -> Result<Made, Vec<Diagnostic>> {
    const SLUG: &str = "self-test";
    let failed = |error| unwritten(folder, &error);
    make_room(folder)?;
    let written = pipeline::read(&DiskWorld::new(&request.root))?;
    let tests = written.config.self_tests();
    if tests.is_empty() {
        return Err(vec![
            Diagnostic::global("bundle", "no crate of this report brings a self-test").hint(
                "say which function: `self-test: path::of::main` at a dependency in report.yaml",
            ),
        ]);
    }
    let workspace = workspace(request, &written, &[SLUG], target)?;
    let calls: Vec<String> = tests.iter().map(|test| format!("{test}()")).collect();
    let main = format!(
        "use std::process::ExitCode;\nfn main() -> ExitCode {{\n    let all = [{}];\n    \
         all.into_iter().find(|one| *one != ExitCode::SUCCESS).unwrap_or(ExitCode::SUCCESS)\n}}\n",
        calls.join(", ")
    );
    let sources = workspace.folder.join(Workspace::chapter(SLUG));
    write_if_changed(&sources.join("program/src/main.rs"), main.as_bytes()).map_err(failed)?;
    tell("compiling the self-test".to_owned());
    let package = workspace::program_package(SLUG);
    let mut command = workspace.cargo();
    command.args(["build", "--quiet", "--package", &package]);
    let output = command.output().map_err(failed)?;
    if !output.status.success() {
        let problem = Diagnostic::global("compile-error", "the self-test cannot be built");
        let problem = problem.note(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        return Err(vec![problem.hint("`veracity doctor` looks at the toolchain")]);
    }
    let name = format!("programs/{SLUG}");
    place(&workspace.target.join("debug").join(&package), &folder.join(&name)).map_err(failed)?;
    let mut names = vec![name.clone()];
    let cuda = target.needs(folder, &names).map_err(failed)?;
    names.extend(target.headers(folder, &workspace, [package]).map_err(failed)?);
    let files = finish(request, folder, names, tell)?;
    let bundle = Bundle {
        version: BUNDLE_VERSION,
        report: format!("Self-test of {}", tests.join(", ").replace("::", " ").trim()),
        foundation: workspace.digest,
        compiler: workspace.toolchain.lines().next().unwrap_or_default().to_owned(),
        cuda,
        datasets: BTreeMap::new(),
        with_data: false,
        self_test: Some(name),
        chapters: Vec::new(),
        files,
    };
    let bytes = seal(folder, &bundle).map_err(failed)?;
    let chapters = vec![SLUG.to_owned()];
    let data = BTreeMap::new();
    Ok(Made { bytes, chapters, data, with_data: false, diagnostics: Vec::new() })
}

impl Target {
    /// What programs in a bundle need of a machine.
    fn needs(&self, folder: &Path, programs: &[String]) -> io::Result<Option<CudaNeeds>> {
        let Self::Cuda(toolkit, arch) = self else { return Ok(None) };
        let mut libraries = BTreeSet::new();
        for program in programs {
            libraries.extend(toolkit.needed_by(&fs::read(folder.join(program))?));
        }
        Ok(Some(CudaNeeds {
            arch: arch.to_string(),
            toolkit: toolkit.version.clone(),
            driver: toolkit.oldest_driver(),
            libraries: libraries.into_iter().collect(),
        }))
    }

    /// Brings along the headers of kernels that these programs compile where they run; gives their names.
    fn headers(
        &self,
        folder: &Path,
        workspace: &Workspace,
        programs: impl IntoIterator<Item = String>,
    ) -> io::Result<Vec<String>> {
        let Self::Cuda(toolkit, _) = self else { return Ok(Vec::new()) };
        let mut scripts = BTreeSet::new();
        for program in programs {
            scripts.extend(left_by_scripts(workspace, &program)?);
        }
        let mut names = Vec::new();
        for (name, path) in toolkit.headers(&scripts)? {
            let name = format!("{HEADERS_FOLDER}/{}", name.display());
            copy(&path, &folder.join(&name))?;
            names.push(name);
        }
        Ok(names)
    }
}

/// Folders of what build scripts left for a program that is built already. Other builds may have left theirs
/// beside them, so that Cargo alone knows.
fn left_by_scripts(workspace: &Workspace, package: &str) -> io::Result<Vec<PathBuf>> {
    let mut command = workspace.cargo();
    command.args(["build", "--quiet", "--message-format=json", "--package", package]);
    let output = command.output()?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(io::Error::other(words));
    }
    out_folders(&output.stdout)
}

/// The folders of build scripts in what Cargo says.
fn out_folders(said: &[u8]) -> io::Result<Vec<PathBuf>> {
    let folder = |message| match message {
        Ok(CargoMessage::BuildScriptExecuted(script)) => Some(Ok(PathBuf::from(script.out_dir))),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    };
    CargoMessage::parse_stream(said).filter_map(folder).collect()
}

/// The workspace in which programs for the target are compiled.
fn workspace(
    request: &BuildRequest,
    written: &Written,
    slugs: &[&str],
    target: &Target,
) -> Result<Workspace, Vec<Diagnostic>> {
    let one = |problem| vec![problem];
    let config = written.config.on(&request.device);
    let workspace =
        Workspace::prepare(&request.root, &request.out, &config, slugs, request.network)
            .map_err(one)?;
    Ok(match target {
        Target::Cpu => workspace,
        Target::Cuda(toolkit, arch) => {
            workspace.with_layout(toolkit.lay_out(&request.out.join("cuda"), *arch).map_err(one)?)
        }
    })
}

/// Adds the runner; gives the digests of all files.
fn finish(
    request: &BuildRequest,
    folder: &Path,
    mut names: Vec<String>,
    tell: &(dyn Fn(String) + Sync),
) -> Result<BTreeMap<String, String>, Vec<Diagnostic>> {
    tell("compiling the runner".to_owned());
    let failed = |words: String| {
        vec![Diagnostic::global("bundle", words).hint("look at the words of the compiler or the system above; `veracity doctor` looks at the toolchain")]
    };
    let runner = runner::build(&request.out, request.network)
        .map_err(|words| failed(format!("the runner cannot be built: {words}")))?;
    place(&runner, &folder.join(RUNNER)).map_err(|error| failed(error.to_string()))?;
    names.push(RUNNER.to_owned());
    let digest = |name: String| {
        let content = fs::read(folder.join(&name)).map_err(|error| failed(error.to_string()))?;
        Ok((name, blake3::hash(&content).to_hex().to_string()))
    };
    names.into_iter().map(digest).collect()
}

/// Writes the manifest; gives the bytes of the whole bundle.
fn seal(folder: &Path, bundle: &Bundle) -> io::Result<u64> {
    let json = serde_json::to_string_pretty(bundle)?;
    let identity = blake3::hash(json.as_bytes()).to_hex();
    fs::write(folder.join(BUNDLE_FILE), format!("{BUNDLE_HEADER} {identity}\n{json}"))?;
    let names = bundle.files.keys().map(String::as_str).chain([BUNDLE_FILE]);
    names.map(|name| Ok(fs::metadata(folder.join(name))?.len())).sum()
}

/// Indices of the cells that could run where the bundle goes.
fn runnable(chapter: &ChapterPlan) -> Vec<usize> {
    let cells = chapter.cells.iter().enumerate();
    cells.filter(|(_, cell)| cell.barred.is_none()).map(|(index, _)| index).collect()
}

/// The plan of a chapter's program, without what only the machine knows on which it runs.
fn plan(chapter: &ChapterPlan, cells: &[usize]) -> protocol::RunPlan {
    let mut plan = crate::kernel::bundled_plan(chapter, cells);
    for source in plan.datasets.values_mut() {
        source.folder = PathBuf::new();
    }
    plan
}

/// The data sets that the chapters read, with digests of their files.
fn datasets(
    request: &BuildRequest,
    planned: &Planned,
    chapters: &[BundledChapter],
) -> io::Result<BTreeMap<String, BundledData>> {
    let mut bundled = BTreeMap::new();
    for name in chapters.iter().flat_map(|chapter| chapter.plan.datasets.keys()) {
        let Some(DataSet { folder, kind, digest }) = planned.foundation.datasets.get(name) else {
            continue;
        };
        let mut files = BTreeMap::new();
        for path in data::usable_files(folder)? {
            let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
            let mut hasher = blake3::Hasher::new();
            io::copy(&mut fs::File::open(&path)?, &mut hasher)?;
            files.insert(name, hasher.finalize().to_hex().to_string());
        }
        let folder = folder.strip_prefix(&request.data).unwrap_or(folder).to_owned();
        let data = BundledData { folder, kind: *kind, digest: digest.clone(), files };
        bundled.insert(name.clone(), data);
    }
    Ok(bundled)
}

/// Tells of data sets that cells declare and that are not at hand, and so not those of the bundle.
fn absent(chapters: &[ChapterPlan], bundled: &BTreeMap<String, BundledData>) -> Option<Diagnostic> {
    let declared = chapters.iter().flat_map(|chapter| &chapter.cells).flat_map(|cell| &cell.data);
    let absent: BTreeSet<&str> =
        declared.map(String::as_str).filter(|name| !bundled.contains_key(*name)).collect();
    let names: Vec<String> = absent.into_iter().map(|name| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| {
        let words = format!("the bundle is made without data that are not at hand: {}", names.join(", "));
        let warning = Diagnostic::global("bundle-data", words).hint(
            "cells do without them where it runs, even if they are there; `veracity data fetch` downloads them",
        );
        Diagnostic { severity: Severity::Warning, ..warning }
    })
}

/// Copies a file of a data set; gives its size.
fn copy(from: &Path, to: &Path) -> io::Result<u64> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to)
}

fn unwritten(folder: &Path, error: &io::Error) -> Vec<Diagnostic> {
    let words = format!("cannot write the bundle in {}: {error}", folder.display());
    vec![
        Diagnostic::global("bundle", words)
            .hint("look whether there is room and whether it may be written"),
    ]
}

/// Removes an older bundle; anything else in the way is a mistake of the person.
fn make_room(folder: &Path) -> Result<(), Vec<Diagnostic>> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    // Data that somebody put there for a bundle without are not ours to remove.
    let brought_data = fs::read_to_string(folder.join(BUNDLE_FILE)).is_ok_and(|text| {
        let json = text.split_once('\n').map_or("", |(_, json)| json);
        serde_json::from_str(json).is_ok_and(|bundle: Bundle| bundle.with_data)
    });
    let mut ours = vec![BUNDLE_FILE, RUNNER, "programs", HEADERS_FOLDER];
    ours.extend(brought_data.then_some(DATA_FOLDER));
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !ours.contains(&name.as_str()) {
            return Err(vec![
                Diagnostic::global(
                    "bundle",
                    format!("{} holds `{name}`, which is no part of a bundle", folder.display()),
                )
                .hint("name another folder with `--out DIR`"),
            ]);
        }
        found.push(entry.path());
    }
    for path in found {
        let removed = match path.is_dir() {
            true => fs::remove_dir_all(&path),
            false => fs::remove_file(&path),
        };
        removed.map_err(|error| {
            vec![
                Diagnostic::global("bundle", format!("{}: {error}", path.display()))
                    .hint("look whether there is room and whether it may be written"),
            ]
        })?;
    }
    Ok(())
}

/// Copies an executable, without the symbols that only a debugger reads.
fn place(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to)?;
    // Without the tool the bundle is larger and as good.
    let _ = Command::new("strip").arg(to).output();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_build_scripts_of_a_build_left_what_is_for_it() {
        let said = br#"{"reason":"build-script-executed","package_id":"path+file:///d#dfdx@0.13.0","linked_libs":[],"linked_paths":[],"cfgs":[],"env":[],"out_dir":"/t/build/dfdx-1/out"}
{"reason":"build-finished","success":true}
"#;
        let found = out_folders(said).expect("Cargo's words");
        assert_eq!(found, [Path::new("/t/build/dfdx-1/out")]);
    }
}

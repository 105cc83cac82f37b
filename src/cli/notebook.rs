//! `veracity export --ipynb` and `veracity import-notebook`.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::{Session, relative, reports};
use crate::diag::Diagnostic;
use crate::notebook::{self, Place};
use crate::pipeline::{self, BuildEvent, BuildRequest};
use crate::publish::Output;
use crate::world::DiskWorld;

/// Writes each chapter as a notebook, with what its cells put out.
pub(super) fn export(
    session: &Session,
    request: &BuildRequest,
    folder: &Path,
) -> Result<u8, Vec<Diagnostic>> {
    let show = |event: BuildEvent<'_>| session.progress.show(event);
    let _output =
        Output::open(&request.out, || show(BuildEvent::Waiting)).map_err(|it| vec![it])?;
    let evaluated = pipeline::evaluate(request, &DiskWorld::new(&request.root), &show)?;
    session.progress.finish();
    session.problems(&evaluated.diagnostics);
    // Where it cannot be made, writing into it says so.
    let _ = fs::create_dir_all(folder);
    let lab = request.out.join("work").join("lab");
    let place = Place { root: seen_from(folder, &request.root), lab: seen_from(folder, &lab) };
    for (index, chapter) in evaluated.chapters.iter().enumerate() {
        if request.chapter.is_some_and(|number| number != index + 1) {
            continue;
        }
        let results = &evaluated.executed.chapters[index];
        let text =
            notebook::export(&evaluated.config, chapter, results, &place).map_err(|it| vec![it])?;
        let path = folder.join(format!("{}.ipynb", chapter.slug));
        reports::file(&path, &text)?;
        session.say(&format!("wrote {}\n", relative(&path).display()));
    }
    Ok(super::status(evaluated.standing(), false))
}

/// A path as it is seen from a folder.
fn seen_from(folder: &Path, path: &Path) -> PathBuf {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (folder, path) = (whole(folder), whole(path));
    let same = folder.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(same).map(|_| Component::ParentDir);
    up.chain(path.components().skip(same)).collect()
}

/// Makes a chapter out of a notebook, and says what report.yaml needs for it.
pub(super) fn import(
    session: &Session,
    root: &Path,
    file: &Path,
    out: Option<PathBuf>,
) -> Result<u8, Vec<Diagnostic>> {
    let one = |problem| vec![problem];
    let name = file.display().to_string();
    let json = fs::read_to_string(file).map_err(|error| {
        one(Diagnostic::global("notebook", format!("cannot read {name}: {error}"))
            .hint("name a file that ends in `.ipynb`"))
    })?;
    let imported = notebook::import(&name, &json).map_err(one)?;
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let path = out.unwrap_or_else(|| root.join("chapters").join(format!("{stem}.md")));
    if path.exists() {
        return Err(one(Diagnostic::global(
            "notebook",
            format!("{} is there already", relative(&path).display()),
        )
        .hint("name another file with `--out`")));
    }
    reports::file(&path, &imported.text)?;
    session.problems(&imported.problems);
    let path = std::path::absolute(&path).unwrap_or(path);
    let below = path.strip_prefix(root).unwrap_or(&path).display().to_string();
    let mut words = format!(
        "wrote {}\nadd to report.yaml:\n  chapters:\n    - {below}\n",
        relative(&path).display()
    );
    if !imported.dependencies.is_empty() {
        words.push_str("  dependencies:\n");
        for (name, spec) in &imported.dependencies {
            words.push_str(&format!("    {name}: {}\n", yaml(spec)));
        }
    }
    session.print(&words);
    Ok(0)
}

/// A value in TOML as one in YAML; JSON is both nearly and the latter wholly.
fn yaml(spec: &str) -> String {
    let value =
        format!("it = {spec}").parse::<toml::Table>().ok().and_then(|mut it| it.remove("it"));
    value.and_then(|value| serde_json::to_string(&value).ok()).unwrap_or_else(|| spec.to_owned())
}

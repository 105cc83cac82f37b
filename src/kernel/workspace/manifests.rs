//! The manifests of the workspace in which chapters are compiled.
//!
//! In: the report's dependencies and the names of its chapters. Out: TOML. Each chapter gives two
//! packages: its library, always optimised, and its program, which is compiled fast because it
//! changes often.

use std::collections::BTreeMap;
use std::path::Path;

use toml::{Table, Value};

use super::{FIRST_VERSION, LAB_PACKAGE, library_package, program_package};
use crate::config::ReportConfig;

const OWN_MANIFEST: &str = include_str!("../../../Cargo.toml");

/// All manifests, by path below the workspace.
pub(super) fn manifests(
    root: &Path,
    config: &ReportConfig,
    slugs: &[&str],
) -> BTreeMap<String, String> {
    let own: Table = OWN_MANIFEST.parse().expect("our own manifest is TOML");
    let mut workspace = inherited(&own);
    let mut members = Vec::new();
    if !brings_lab(config) {
        members.extend([Value::from("lab"), Value::from("protocol")]);
    }
    for slug in slugs {
        members.push(format!("chapters/{slug}/library").into());
        members.push(format!("chapters/{slug}/program").into());
    }
    workspace.insert("members".into(), members.into());

    let mut manifest = Table::new();
    manifest.insert("workspace".into(), workspace.into());
    manifest
        .insert("profile".into(), profile(slugs.iter().map(|slug| program_package(slug))).into());

    let mut files = BTreeMap::from([("Cargo.toml".to_owned(), manifest.to_string())]);
    let dependencies = dependencies(root, config);
    for slug in slugs {
        let mut library = package(&library_package(slug));
        library.insert("dependencies".into(), dependencies.clone().into());
        let mut program = package(&program_package(slug));
        let mut all = dependencies.clone();
        let mut path = Table::new();
        path.insert("path".into(), "../library".into());
        all.insert(library_package(slug), path.into());
        program.insert("dependencies".into(), all.into());
        files.insert(format!("chapters/{slug}/library/Cargo.toml"), library.to_string());
        files.insert(format!("chapters/{slug}/program/Cargo.toml"), program.to_string());
    }
    files
}

/// Everything is compiled well and checks that no number silently wraps. Macros and build scripts
/// are not: Cargo's own profile of those holds as long as no package is asked for by `*`. Nor are these
/// packages of cells, which change often and are thin: what is heavy belongs into module blocks. A panic
/// knows its line without debug information.
pub(in crate::kernel) fn profile(thin: impl IntoIterator<Item = String>) -> Table {
    let fast = Table::from_iter([
        ("opt-level".to_owned(), Value::from(0)),
        ("debug-assertions".to_owned(), true.into()),
    ]);
    let packages: Table =
        thin.into_iter().map(|package| (package, Value::from(fast.clone()))).collect();
    let dev = Table::from_iter([
        ("opt-level".to_owned(), Value::from(3)),
        ("debug".to_owned(), false.into()),
        ("debug-assertions".to_owned(), false.into()),
        ("overflow-checks".to_owned(), true.into()),
        ("package".to_owned(), packages.into()),
    ]);
    Table::from_iter([("dev".to_owned(), Value::from(dev))])
}

pub(in crate::kernel) fn package(name: &str) -> Table {
    let mut package = Table::new();
    package.insert("name".into(), name.into());
    package.insert("version".into(), FIRST_VERSION.into());
    package.insert("edition".into(), "2024".into());
    package.insert("publish".into(), false.into());
    let mut manifest = Table::new();
    manifest.insert("package".into(), package.into());
    manifest
}

/// What cells may use: lab, and the report's dependencies with absolute paths.
pub(super) fn dependencies(root: &Path, config: &ReportConfig) -> Table {
    let mut table = Table::new();
    let mut lab = Table::new();
    lab.insert("path".into(), "../../../lab".into());
    table.insert(LAB_PACKAGE.into(), lab.into());
    for (name, spec) in &config.dependencies {
        let Ok(mut spec) = Value::try_from(spec) else { continue };
        if let Some(path) = spec.get_mut("path")
            && let Some(relative) = path.as_str()
        {
            *path = root.join(relative).display().to_string().into();
        }
        table.insert(name.clone(), spec);
    }
    table
}

/// Whether the report names a lab of its own, as a report that extends lab does.
pub(super) fn brings_lab(config: &ReportConfig) -> bool {
    config.dependencies.contains_key(LAB_PACKAGE)
}

pub(super) fn manifest_around(members: &[&str], excluded: &[&str]) -> (String, Vec<u8>) {
    let own: Table = OWN_MANIFEST.parse().expect("our own manifest is TOML");
    let mut workspace: Table = inherited(&own);
    let list = |names: &[&str]| Value::Array(names.iter().map(|&name| name.into()).collect());
    workspace.insert("members".into(), list(members));
    workspace.insert("exclude".into(), list(excluded));
    // The profile of chapters, so that what is compiled for them is not compiled again.
    let manifest = Table::from_iter([
        ("workspace".to_owned(), Value::from(workspace)),
        ("profile".to_owned(), profile([]).into()),
    ]);
    ("Cargo.toml".to_owned(), manifest.to_string().into_bytes())
}

/// What lab and protocol inherit.
fn inherited(own: &Table) -> Table {
    ["resolver", "package", "dependencies", "lints"]
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), own["workspace"].get(key)?.clone())))
        .collect()
}

//! Runs a folder of Markdown files in which each heading is a case.
//!
//! A case has two fenced blocks of four backticks: the input and what is expected. `UPDATE_CORPUS=1`
//! writes what was found in place of what was expected. An input tagged `escaped` has Rust's
//! escapes for characters that an editor would not keep.

use std::fmt::Write as _;
use std::path::Path;

/// Input of a case.
pub struct Case<'a> {
    /// First word after the fence.
    pub language: &'a str,
    /// Content of the block.
    pub input: String,
}

const FENCE: &str = "````";

/// Runs every case below `tests/<folder>`; fails with all differences.
pub fn run(folder: &str, observe: impl Fn(&Case<'_>) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder of cases can be read")
        .map(|entry| entry.expect("the folder of cases can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files.sort();
    let updates = std::env::var_os("UPDATE_CORPUS").is_some();
    let (mut cases, mut differences) = (0, String::new());
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a file of cases can be read");
        let name = file.file_name().expect("a file has a name").to_string_lossy();
        let updated = check_file(&text, &name, &observe, &mut cases, &mut differences);
        if updates && updated != text {
            std::fs::write(&file, updated).expect("a file of cases can be written");
        }
    }
    assert!(cases > 0, "no cases in {}", folder.display());
    assert!(updates || differences.is_empty(), "{differences}");
}

/// Checks the cases of one file; gives the file as it would be if all were as found.
fn check_file(
    text: &str,
    name: &str,
    observe: &impl Fn(&Case<'_>) -> String,
    cases: &mut usize,
    differences: &mut String,
) -> String {
    let mut updated = String::new();
    let mut title = "";
    let mut found: Option<String> = None;
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        updated.push_str(line);
        if line.starts_with('#') {
            assert!(found.is_none(), "{name}, {title}: nothing is expected");
            title = line.trim_start_matches('#').trim();
        }
        let Some(info) = line.strip_prefix(FENCE) else { continue };
        let block: String = lines.by_ref().take_while(|line| line.trim_end() != FENCE).collect();
        let mut tags = info.split_whitespace();
        let language = tags.next().unwrap_or_default();
        match found.take() {
            None => {
                updated.push_str(&block);
                let input = if tags.next() == Some("escaped") { unescape(&block) } else { block };
                found = Some(observe(&Case { language, input }));
            }
            Some(found) => {
                *cases += 1;
                if found != block {
                    let _ = writeln!(
                        differences,
                        "{name}, {title}:\n--- expected\n{block}+++ found\n{found}"
                    );
                }
                updated.push_str(&found);
            }
        }
        updated.push_str(FENCE);
        updated.push('\n');
    }
    assert!(found.is_none(), "{name}, {title}: nothing is expected");
    updated
}

fn unescape(text: &str) -> String {
    text.replace("\\r", "\r").replace("\\t", "\t").replace("\\0", "\0").replace("\\BOM", "\u{feff}")
}

//! What `clean` removes, and what it leaves alone.

use std::fs;
use std::process::Command;

use veracity::publish::Output;

use crate::disk::Folder;

#[test]
fn only_a_folder_that_a_build_has_made_is_cleaned() {
    let report =
        Folder::new("r", &[("report.yaml", "title: T\nchapters: [a.md]\n"), ("a.md", "# A\n")]);
    let out = report.root.join("elsewhere");
    let mine = ["target/a", "run/b", "cache/c", "report/d", "notes"];
    for name in mine {
        report.write(&format!("elsewhere/{name}"), "mine");
    }
    let clean = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_veracity"));
        command.args(["clean", "--root"]).arg(&report.root).arg("--out").arg(&out);
        let output = command.output().expect("the executable starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (status, words) = clean();
    assert_eq!(status, Some(2), "{words}");
    assert!(words.contains("nothing in it is removed"), "{words}");
    assert!(mine.iter().all(|name| out.join(name).exists()));
    assert!(!out.join(".lock").exists(), "looking leaves no mark");

    // What was there before the first build stays so after any number of them.
    for _ in 0..2 {
        drop(Output::open(&out, || ()).expect("it can be written"));
        assert_eq!(clean().0, Some(0));
        assert!(mine.iter().all(|name| out.join(name).exists()));
    }
    fs::remove_dir_all(&out).expect("it can be removed");
    let (status, words) = clean();
    assert!(status == Some(2) && words.contains("is not there"), "{words}");
    fs::write(&out, "").expect("it can be written");
    let (status, words) = clean();
    assert!(status == Some(2) && words.contains("is a file"), "{words}");
    fs::remove_file(&out).expect("it can be removed");
    drop(Output::open(&out, || ()).expect("it can be written"));
    for name in mine {
        report.write(&format!("elsewhere/{name}"), "of a build");
    }
    assert_eq!(clean().0, Some(0));
    assert!(mine.iter().all(|name| out.join(name).exists() == (*name == "notes")));
}

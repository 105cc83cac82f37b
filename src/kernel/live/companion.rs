//! The executable `veracity-live`: where it is, and how it is built once if it is nowhere.
//!
//! In: the sources that travel inside this executable. Out: a path. It is kept per user, by a
//! digest of sources and compiler, since it takes minutes to compile: it brings rust-analyzer.

use std::fs;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use cargo_metadata::Message;

use crate::diag::Diagnostic;
use crate::kernel::process::Group;
use crate::kernel::workspace::{self, Network, write_if_changed};

/// Sources of the executable, by path.
const SOURCES: [(&str, &str); 4] = [
    ("crates/live/Cargo.toml", include_str!("../../../crates/live/Cargo.toml")),
    ("crates/live/Cargo.lock", include_str!("../../../crates/live/Cargo.lock")),
    ("crates/live/src/main.rs", include_str!("../../../crates/live/src/main.rs")),
    ("crates/live/src/context.rs", include_str!("../../../crates/live/src/context.rs")),
];

/// Environment variable that names the executable.
const PATH_VARIABLE: &str = "VERACITY_LIVE";

/// How often it is looked whether another build has ended.
const POLL: Duration = Duration::from_millis(100);

/// What is known of the executable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Companion {
    /// It is there.
    Here(PathBuf),
    /// It is not there, and would be built in this folder.
    Missing(PathBuf),
}

/// Looks for the executable: where the environment says, beside this one, among the user's.
///
/// # Errors
/// If the environment names a file that is not there, or there is no folder for the user.
pub fn find(toolchain: &str) -> Result<Companion, Diagnostic> {
    if let Some(named) = std::env::var_os(PATH_VARIABLE) {
        let named = PathBuf::from(named);
        return match named.is_file() {
            true => Ok(Companion::Here(named)),
            false => Err(Diagnostic::global(
                "live-kernel",
                format!("{PATH_VARIABLE} names {}, which is not there", named.display()),
            )
            .hint("let it name an executable `veracity-live`, or leave the variable away")),
        };
    }
    let name = format!("veracity-live{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join(&name)));
    if let Some(beside) = beside.filter(|beside| beside.is_file()) {
        return Ok(Companion::Here(beside));
    }
    let folder = cache_folder()
        .ok_or_else(|| {
            Diagnostic::global("live-kernel", "there is no folder for what this user keeps")
                .hint(format!("set HOME, or name the executable by {PATH_VARIABLE}"))
        })?
        .join(format!("live-{}", &digest(toolchain)[..16]));
    let kept = folder.join(&name);
    Ok(if kept.is_file() { Companion::Here(kept) } else { Companion::Missing(folder) })
}

/// The executable, built if it is not there; tells of the steps in words.
///
/// # Errors
/// As for [`find`], or if it cannot be built.
pub fn obtain(
    toolchain: &str,
    network: Network,
    interrupted: &dyn Fn() -> bool,
    tell: &(dyn Fn(String) + Sync),
) -> Result<PathBuf, Diagnostic> {
    match find(toolchain)? {
        Companion::Here(path) => Ok(path),
        Companion::Missing(folder) => build(&folder, network, interrupted, tell).map_err(|words| {
            if interrupted() {
                return Diagnostic::global("interrupted", "the build was interrupted");
            }
            Diagnostic::global("live-kernel", format!("veracity-live cannot be built: {words}"))
                .hint("`--kernel batch` does without it")
        }),
    }
}

/// Folder for what is kept per user.
pub fn cache_folder() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let base = variable("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || Some(PathBuf::from(variable("HOME").or_else(|| variable("USERPROFILE"))?));
    base.or_else(|| Some(home()?.join(".cache"))).map(|base| base.join("veracity"))
}

fn digest(toolchain: &str) -> String {
    let mut digest = blake3::Hasher::new();
    for (path, text) in sources() {
        digest.update(blake3::hash(path.as_bytes()).as_bytes());
        digest.update(blake3::hash(&text).as_bytes());
    }
    digest.update(toolchain.as_bytes());
    digest.finalize().to_hex().to_string()
}

fn sources() -> Vec<(String, Vec<u8>)> {
    let own = SOURCES.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    own.chain(workspace::protocol_sources()).collect()
}

/// Builds the executable in a folder beside, and moves it to where it is looked for.
fn build(
    folder: &Path,
    network: Network,
    interrupted: &dyn Fn() -> bool,
    tell: &(dyn Fn(String) + Sync),
) -> Result<PathBuf, String> {
    let words = |error: io::Error| error.to_string();
    fs::create_dir_all(folder).map_err(words)?;
    // Two builds at a time would disturb each other; the second finds what the first made.
    let lock = fs::File::create(folder.join("lock")).map_err(words)?;
    wait_for(&lock, interrupted, tell)?;
    let name = format!("veracity-live{}", std::env::consts::EXE_SUFFIX);
    let kept = folder.join(&name);
    if kept.is_file() {
        return Ok(kept);
    }
    let work = folder.join("build");
    for (path, text) in sources() {
        write_if_changed(&work.join(path), &text).map_err(words)?;
    }
    let target = work.join("target");
    let total = SOURCES[1].1.matches("[[package]]").count();
    let built =
        compile(&work.join("crates/live"), &target, network, interrupted, &mut |done, name| {
            tell(format!("compiled {name} for the live kernel, once ({done} of about {total})"));
        })?;
    fs::rename(built, &kept).map_err(words)?;
    // What is left are gigabytes that nobody needs again.
    let _ = fs::remove_dir_all(&work);
    Ok(kept)
}

/// Waits until nobody else builds, or nobody waits any more.
fn wait_for(
    lock: &fs::File,
    interrupted: &dyn Fn() -> bool,
    tell: &(dyn Fn(String) + Sync),
) -> Result<(), String> {
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(fs::TryLockError::Error(error)) => return Err(error.to_string()),
            Err(fs::TryLockError::WouldBlock) if interrupted() => {
                return Err("it was interrupted".to_owned());
            }
            Err(fs::TryLockError::WouldBlock) => {
                tell("waiting for another build of the live kernel".to_owned());
                thread::sleep(POLL);
            }
        }
    }
}

fn compile(
    folder: &Path,
    target: &Path,
    network: Network,
    interrupted: &dyn Fn() -> bool,
    tell: &mut dyn FnMut(usize, &str),
) -> Result<PathBuf, String> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(folder)
        .args(["build", "--locked", "--message-format=json"])
        .env("CARGO_TARGET_DIR", target)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if network == Network::Forbidden {
        command.env("CARGO_NET_OFFLINE", "true");
    }
    let mut cargo = Group::spawn(&mut command).map_err(|error| error.to_string())?;
    let stderr = cargo.child.stderr.take();
    let said = thread::spawn(move || {
        let mut said = String::new();
        if let Some(mut stderr) = stderr {
            // What Cargo says is only for people; a part of it is better than none.
            let _ = stderr.read_to_string(&mut said);
        }
        said
    });
    let stdout = cargo.child.stdout.take().expect("standard output is piped");
    let mut executable = None;
    let mut done = 0;
    for message in Message::parse_stream(BufReader::new(stdout)).map_while(Result::ok) {
        // Looked at once for each crate: what has been compiled stays for the next time.
        if interrupted() {
            return Err("it was interrupted".to_owned());
        }
        if let Message::CompilerArtifact(artifact) = message {
            // A build script is compiled and counts for its crate once that is there.
            if !artifact.target.is_custom_build() {
                done += 1;
                if !artifact.fresh {
                    tell(done, &artifact.target.name);
                }
            }
            executable = artifact.executable.map(PathBuf::from).or(executable);
        }
    }
    let status = cargo.child.wait().map_err(|error| error.to_string())?;
    let said = said.join().unwrap_or_default();
    match executable {
        Some(executable) if status.success() => Ok(executable),
        _ if interrupted() => Err("it was interrupted".to_owned()),
        _ => Err(said
            .lines()
            .rev()
            .take(20)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .fold(String::new(), |all, line| all + "\n" + line)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_that_travel_along_are_whole_and_locked() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (path, text) in sources() {
            write_if_changed(&folder.path().join(path), &text).expect("it can be written");
        }
        let output = Command::new("cargo")
            .args(["metadata", "--locked", "--format-version", "1"])
            .current_dir(folder.path().join("crates/live"))
            .output()
            .expect("there is cargo");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let metadata = String::from_utf8_lossy(&output.stdout);
        assert!(metadata.contains("\"veracity-protocol\""));
    }
}

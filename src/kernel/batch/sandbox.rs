//! What the compilers and programs of chapters may do when they are confined.
//!
//! In: the kernel's folders. Out: commands under a [`Policy`], and a watch over what a program
//! writes. Left out: how a policy is enforced, which is [`crate::kernel::confine`]'s.

#[cfg(unix)]
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::BatchKernel;
use crate::kernel::confine::{self, Policy, Processes};
use crate::plan::ChapterPlan;

/// Where systems keep dynamic libraries.
const LIBRARIES: [&str; 4] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"];
/// What the dynamic linker and the standard library ask.
const ASKED: [&str; 4] = ["/etc/ld.so.cache", "/etc/localtime", "/dev/urandom", "/dev/zero"];
/// What a compiler and its linker need besides.
const SYSTEM: [&str; 5] = ["/usr", "/bin", "/lib", "/lib64", "/etc/alternatives"];

const GIBIBYTE: u64 = 1 << 30;
/// Most memory of a program.
const MEMORY: u64 = 8 * GIBIBYTE;
/// Most memory of a compiler, which maps much that it does not use.
const COMPILER_MEMORY: u64 = 32 * GIBIBYTE;
const LONGEST_FILE: u64 = GIBIBYTE;
/// Most bytes that a program may write in all.
const WRITTEN: u64 = 2 * GIBIBYTE;
/// Most files that a program may have written.
const FILES: usize = 20_000;
/// How often it is looked what a program has written.
const LOOK: Duration = Duration::from_millis(200);
/// Longest processor time of one process of a compiler.
const COMPILING: u64 = 3600;

impl BatchKernel {
    /// A compiler that reads the report, the toolchain and crates, and writes what it builds. Build
    /// scripts and procedural macros are held with it.
    pub(super) fn confined_compiler(&self, mut command: Command) -> io::Result<Command> {
        let home = |variable: &str, name: &str| {
            let own = || Some(PathBuf::from(std::env::var_os("HOME")?).join(name));
            std::env::var_os(variable).map(PathBuf::from).or_else(own).unwrap_or_default()
        };
        let cargo = home("CARGO_HOME", ".cargo");
        let target = &self.workspace.target;
        let temporary = target.join("tmp");
        fs::create_dir_all(&temporary)?;
        command.env("TMPDIR", &temporary).env("CARGO_NET_OFFLINE", "true");
        let mut execute: Vec<PathBuf> = SYSTEM.map(PathBuf::from).into();
        execute.extend([cargo.join("bin"), home("RUSTUP_HOME", ".rustup")]);
        let mut read: Vec<PathBuf> = ASKED.map(PathBuf::from).into();
        read.extend(["registry", "git", "config.toml"].map(|name| cargo.join(name)));
        read.push(self.root.clone());
        read.extend(self.workspace.crates.iter().cloned());
        confine::wrap(
            &command,
            &Policy {
                read,
                execute,
                write: vec![target.clone(), self.workspace.folder.clone(), "/dev/null".into()],
                processes: Processes::Some,
                memory: COMPILER_MEMORY,
                file: LONGEST_FILE,
                seconds: COMPILING,
            },
        )
    }

    /// A program that reads the report and declared data, and writes its outbox and memoised results.
    pub(super) fn confined_program(
        &self,
        mut command: Command,
        chapter: &ChapterPlan,
        written: &[PathBuf],
    ) -> io::Result<Command> {
        let temporary = written[0].join("tmp");
        fs::create_dir_all(&temporary)?;
        command.env("TMPDIR", &temporary).env("HOME", &temporary);
        let declared = chapter.cells.iter().flat_map(|cell| &cell.data);
        let data = declared.filter_map(|name| chapter.foundation.datasets.get(name));
        let mut read: Vec<PathBuf> = ASKED.map(PathBuf::from).into();
        read.extend(data.map(|data| data.folder.clone()));
        read.push(self.root.clone());
        let mut execute: Vec<PathBuf> = LIBRARIES.map(PathBuf::from).into();
        execute.push(command.get_program().into());
        let mut write = written.to_vec();
        write.push("/dev/null".into());
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        let time: u64 = chapter.cells.iter().map(|cell| cell.timeout.as_secs() + 1).sum();
        confine::wrap(
            &command,
            &Policy {
                read,
                execute,
                write,
                processes: Processes::None,
                memory: MEMORY,
                file: LONGEST_FILE,
                seconds: time * cores + 60,
            },
        )
    }
}

/// Looks now and then how much a program has written.
pub(super) struct Watch {
    folders: Vec<PathBuf>,
    before: u64,
    looked: Instant,
}

impl Watch {
    /// Watches folders, of which what is in them already does not count.
    pub(super) fn over(folders: Vec<PathBuf>) -> Self {
        let before = folders.iter().map(|folder| size(folder).0).sum();
        // As the system tells of what was in them.
        let folders = folders.into_iter().map(|it| it.canonicalize().unwrap_or(it)).collect();
        Self { folders, before, looked: Instant::now() }
    }

    /// Whether the program with this number has written too much.
    pub(super) fn is_full(&mut self, process: u32) -> bool {
        if self.looked.elapsed() < LOOK {
            return false;
        }
        self.looked = Instant::now();
        let sizes: Vec<(u64, usize)> = self.folders.iter().map(|folder| size(folder)).collect();
        let named = sizes.iter().map(|(bytes, _)| bytes).sum::<u64>();
        let bytes = named.saturating_add(unlinked(process, &self.folders));
        bytes.saturating_sub(self.before) > WRITTEN || sizes.iter().any(|(_, files)| *files > FILES)
    }
}

#[cfg(not(unix))]
fn unlinked(_process: u32, _folders: &[PathBuf]) -> u64 {
    0
}

/// Bytes of the files that a program has open, or mapped out of these folders, and no folder has any
/// more.
#[cfg(unix)]
fn unlinked(process: u32, folders: &[PathBuf]) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let tasks = match fs::read_dir(format!("/proc/{process}/task")) {
        Ok(tasks) => tasks,
        // What cannot be looked at may be any amount.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return u64::MAX,
        Err(_) => return 0,
    };
    // A confined program is one process, all of whose threads have the same files and memory; the
    // first of them may have ended before the others.
    let looked = tasks.flatten().find_map(|task| {
        let maps = fs::read(task.path().join("maps")).ok().filter(|maps| !maps.is_empty())?;
        Some((task.path(), String::from_utf8_lossy(&maps).into_owned()))
    });
    let Some((task, maps)) = looked else { return 0 };
    let open = match fs::read_dir(task.join("fd")) {
        Ok(open) => open,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return u64::MAX,
        Err(_) => return 0,
    };
    let files = open.flatten().filter_map(|entry| fs::metadata(entry.path()).ok());
    let gone = files.filter(|file| file.is_file() && file.nlink() == 0);
    let mut sizes: BTreeMap<u64, u64> = gone.map(|file| (file.ino(), taken(&file))).collect();
    for (inode, range) in mapped(&maps, folders) {
        sizes.entry(inode).or_insert_with(|| {
            // Few may look at it; to others it may be as long as any.
            let file = fs::metadata(format!("/proc/{process}/map_files/{range}"));
            file.map_or(LONGEST_FILE, |file| taken(&file))
        });
    }
    sizes.into_values().fold(0, u64::saturating_add)
}

/// The files out of some folders that are in memory and were removed: their inodes, each with a range of
/// addresses.
#[cfg(unix)]
fn mapped<'a>(maps: &'a str, folders: &[PathBuf]) -> BTreeMap<u64, &'a str> {
    let removed = maps.lines().filter_map(|line| line.strip_suffix(" (deleted)"));
    let file = |line: &'a str| {
        let mut words = line.splitn(6, ' ');
        let range = words.next()?;
        let inode = words.nth(3)?.parse().ok()?;
        let path = Path::new(words.next()?.trim_start());
        folders.iter().any(|folder| path.starts_with(folder)).then_some((inode, range))
    };
    removed.filter_map(file).collect()
}

/// Bytes and number of the files in a folder; of very many only the first are counted.
fn size(folder: &Path) -> (u64, usize) {
    let (mut bytes, mut files) = (0, 0);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            files += 1;
            if files > FILES {
                return (bytes, files);
            }
            if metadata.is_dir() { folders.push(entry.path()) } else { bytes += taken(&metadata) }
        }
    }
    (bytes, files)
}

/// Bytes that a file takes: room may be set aside beyond its end.
fn taken(file: &fs::Metadata) -> u64 {
    #[cfg(unix)]
    let blocks = std::os::unix::fs::MetadataExt::blocks(file).saturating_mul(512);
    #[cfg(not(unix))]
    let blocks = 0;
    file.len().max(blocks)
}

#[cfg(all(test, target_os = "linux"))]
mod cases {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_no_folder_has_any_more_is_counted_while_it_is_open() {
        let mut file = tempfile::tempfile().expect("a file without a name");
        file.write_all(&[7; 1 << 16]).expect("it can be written");
        // Other tests may have such files as well.
        assert!(unlinked(std::process::id(), &[]) >= 1 << 16);
    }

    #[test]
    fn what_is_mapped_out_of_a_folder_and_removed_is_found_once() {
        let maps = "7f10-7f20 rw-s 00000000 fe:01 77        /w/out/a b (deleted)\n\
                    7f20-7f30 rw-s 00001000 fe:01 77        /w/out/a b (deleted)\n\
                    7f30-7f40 rw-s 00000000 fe:01 78        /w/out/kept\n\
                    7f40-7f50 rw-s 00000000 00:01 79        /dev/zero (deleted)\n\
                    7f50-7f60 rw-p 00000000 00:00 0         [heap]\n";
        let found = mapped(maps, &["/w/out".into()]);
        assert_eq!(found, BTreeMap::from([(77, "7f20-7f30")]));
    }
}

//! A CUDA toolkit: where it is, and how it is shown to build scripts.
//!
//! In: a folder, or the usual places. Out: a [`Layout`], a folder of links in which compiler,
//! headers and libraries lie where cudarc and dfdx look for them. What only a machine with a GPU
//! has and its builds ask for, `nvidia-smi` and `libcuda`, is stood in for there and nowhere
//! else: neither ever reaches a program that runs.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Absence, Sought, folders};
use crate::diag::Diagnostic;
use crate::kernel::workspace::write_if_changed;

/// Variables that name a toolkit's folder.
const VARIABLES: [&str; 3] = ["CUDA_ROOT", "CUDA_PATH", "CUDA_TOOLKIT_ROOT_DIR"];

/// Folders in which toolkits are installed.
const USUAL: [&str; 4] = ["/usr/local/cuda", "/opt/cuda", "/usr/lib/cuda", "/usr"];

/// Libraries that programs link: name and, in each toolkit, some version behind it.
pub const LIBRARIES: [&str; 4] = ["cublas", "cublasLt", "curand", "nvrtc"];

/// The header that every kernel includes.
const HALF: &str = "cuda_fp16.h";

/// What a GPU can compute, such as `sm_90`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arch(u32);

/// A toolkit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolkit {
    /// Folder with `bin` and `include`.
    pub root: PathBuf,
    /// Folder of the libraries.
    pub libraries: PathBuf,
    /// Version, such as `13.0`.
    pub version: String,
}

/// A toolkit as build scripts want it.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Variables for Cargo.
    pub building: Vec<(OsString, OsString)>,
    /// Variables for programs on this machine.
    pub running: Vec<(OsString, OsString)>,
}

impl Arch {
    /// Reads `sm_90`.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix("sm_")?
            .parse()
            .ok()
            .filter(|number| (30..1000).contains(number))
            .map(Self)
    }

    /// Reads a compute capability, such as `9.0`.
    pub fn of_capability(text: &str) -> Option<Self> {
        let (major, minor) = text.trim().split_once('.')?;
        let (major, minor): (u32, u32) = (major.parse().ok()?, minor.parse().ok()?);
        Some(Self(major * 10 + minor))
    }

    fn capability(self) -> String {
        format!("{}.{}", self.0 / 10, self.0 % 10)
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sm_{}", self.0)
    }
}

impl Toolkit {
    /// Looks for a toolkit: in the folder that is named, or else in the usual places.
    ///
    /// A folder with packages from PyPI counts, such as a virtual environment.
    ///
    /// # Errors
    /// What is missing, and where it was looked for.
    pub fn find(named: Option<&Path>) -> Sought<Self> {
        let roots = match named {
            Some(named) => of_packages(named),
            None => usual(),
        };
        let mut places = Vec::new();
        for root in &roots {
            match Self::at(root) {
                Ok(toolkit) => return Ok(toolkit),
                Err(lacks) => places.push(format!("{} (no {lacks})", root.display())),
            }
        }
        Err(Absence { what: "no CUDA toolkit".to_owned(), places })
    }

    fn at(root: &Path) -> Result<Self, String> {
        for file in ["bin/nvcc", "include/cuda.h"] {
            if !root.join(file).is_file() {
                return Err(file.to_owned());
            }
        }
        let candidates = ["lib64", "lib", "targets/x86_64-linux/lib", "lib/x86_64-linux-gnu"];
        let libraries = candidates
            .iter()
            .map(|folder| root.join(folder))
            .find(|folder| LIBRARIES.iter().all(|name| library(folder, name).is_some()))
            .ok_or_else(|| {
                let names = LIBRARIES.map(|name| format!("lib{name}.so"));
                format!("{} together in one of {}", names.join(", "), candidates.join(", "))
            })?;
        let header = fs::read_to_string(root.join("include/cuda.h")).unwrap_or_default();
        let number = header
            .lines()
            .find_map(|line| line.strip_prefix("#define CUDA_VERSION "))
            .and_then(|number| number.trim().parse::<u32>().ok())
            .ok_or("CUDA_VERSION in include/cuda.h")?;
        let version = format!("{}.{}", number / 1000, number % 1000 / 10);
        Ok(Self { root: root.to_owned(), libraries, version })
    }

    /// Version of the driver that programs of this toolkit need at least, its first part.
    ///
    /// From NVIDIA's table of minor version compatibility.
    pub fn oldest_driver(&self) -> u32 {
        match self.version.split('.').next() {
            Some("11") => 450,
            Some("12") => 525,
            _ => 580,
        }
    }

    /// The libraries that a program needs beside the driver, by the names that it and they ask for.
    pub fn needed_by(&self, program: &[u8]) -> BTreeSet<String> {
        let named = |name: &str| library(&self.libraries, name).map(|path| soname(&path));
        let asks = |name: &&str| {
            named(name)
                .is_some_and(|it| program.windows(it.len()).any(|part| part == it.as_bytes()))
        };
        let mut needed = BTreeSet::new();
        for name in LIBRARIES.iter().filter(|name| asks(name)) {
            needed.extend(named(name));
            match *name {
                "cublas" => needed.extend(named("cublasLt")),
                // It loads this one by its whole version.
                "nvrtc" => needed.extend([format!("libnvrtc-builtins.so.{}", self.version)]),
                _ => {}
            }
        }
        needed
    }

    /// The headers of kernels that are compiled where they run, by name: those that build scripts left
    /// in their folders, and what they include of the toolkit's.
    ///
    /// dfdx has NVRTC compile some of its kernels when they are first needed, and names folders of the machine
    /// on which it was built. NVRTC looks into the folder in which a program runs as well.
    ///
    /// # Errors
    /// If a folder or a header cannot be read, or two scripts left different headers of one name.
    pub fn headers(&self, scripts: &BTreeSet<PathBuf>) -> io::Result<BTreeMap<PathBuf, PathBuf>> {
        let mut found: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
        for script in scripts {
            for file in fs::read_dir(script)? {
                let file = file?;
                let (name, path) = (PathBuf::from(file.file_name()), file.path());
                if path.extension().is_none_or(|it| it != "cuh") {
                    continue;
                }
                if let Some(other) = found.get(&name)
                    && fs::read(other)? != fs::read(&path)?
                {
                    let (other, path) = (other.display(), path.display());
                    return Err(io::Error::other(format!("{other} and {path} differ")));
                }
                found.insert(name, path);
            }
        }
        let include = self.root.join("include");
        found.insert(PathBuf::from(HALF), include.join(HALF));
        let mut open: Vec<(PathBuf, PathBuf)> = found.clone().into_iter().collect();
        while let Some((name, path)) = open.pop() {
            let text = fs::read(&path)?;
            let beside = name.parent().unwrap_or(Path::new(""));
            for included in included(&String::from_utf8_lossy(&text)) {
                let names = [beside.join(included), PathBuf::from(included)];
                let news = names.into_iter().find(|name| include.join(name).is_file());
                if let Some(name) = news.filter(|name| !found.contains_key(name)) {
                    found.insert(name.clone(), include.join(&name));
                    open.push((name.clone(), include.join(name)));
                }
            }
        }
        Ok(found)
    }

    /// Lays the toolkit out in a folder, for GPUs of this kind.
    ///
    /// # Errors
    /// If the folder cannot be written, or there is no C compiler for the stand-in of the driver.
    pub fn lay_out(&self, folder: &Path, arch: Arch) -> Result<Layout, Diagnostic> {
        let failed = |error: io::Error| {
            let words = format!("cannot lay out the CUDA toolkit in {}: {error}", folder.display());
            Diagnostic::global("toolkit", words)
                .hint("look whether there is room and whether it may be written")
        };
        self.links(folder).map_err(failed)?;
        let smi = format!("#!/bin/sh\necho compute_cap\necho {}\n", arch.capability());
        let tool = folder.join("bin/nvidia-smi");
        write_if_changed(&tool, smi.as_bytes()).map_err(failed)?;
        make_executable(&tool).map_err(failed)?;
        self.driver_stand_in(folder)?;
        let mut path = OsString::from(folder.join("bin"));
        for more in
            [self.root.join("bin").into_os_string(), std::env::var_os("PATH").unwrap_or_default()]
        {
            path.push(":");
            path.push(more);
        }
        let root = folder.as_os_str().to_owned();
        let mut building: Vec<(OsString, OsString)> =
            VARIABLES.iter().map(|name| ((*name).into(), root.clone())).collect();
        building.push(("PATH".into(), path));
        building.push(("CUDA_COMPUTE_CAP".into(), arch.0.to_string().into()));
        let mut libraries = OsString::from(&self.libraries);
        if let Some(more) = std::env::var_os("LD_LIBRARY_PATH") {
            libraries.push(":");
            libraries.push(more);
        }
        Ok(Layout { building, running: vec![("LD_LIBRARY_PATH".into(), libraries)] })
    }

    /// Links to headers, and to each library under the name by which it is linked.
    fn links(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder.join("lib"))?;
        link(&self.root.join("include"), &folder.join("include"))?;
        for name in LIBRARIES {
            if let Some(path) = library(&self.libraries, name) {
                link(&path, &folder.join(format!("lib/lib{name}.so")))?;
            }
        }
        Ok(())
    }

    /// A library with the names of all functions of the driver, each of which fails. Programs are
    /// linked against it and load the real one, by its name, when they start.
    fn driver_stand_in(&self, folder: &Path) -> Result<(), Diagnostic> {
        let failed = |words: String| {
            Diagnostic::global("toolkit", format!("cannot make a stand-in for libcuda: {words}"))
                .hint("it takes a C compiler: `cc` on the PATH, such as from `apt install gcc`")
        };
        let header = fs::read_to_string(self.root.join("include/cuda.h"))
            .map_err(|error| failed(error.to_string()))?;
        let mut code = String::new();
        for name in driver_functions(&header) {
            // CUDA_ERROR_NO_DEVICE
            code.push_str(&format!("int {name}(void) {{ return 100; }}\n"));
        }
        let source = folder.join("libcuda.c");
        let made = folder.join("lib/libcuda.so");
        if made.is_file() && fs::read_to_string(&source).is_ok_and(|text| text == code) {
            return Ok(());
        }
        write_if_changed(&source, code.as_bytes()).map_err(|error| failed(error.to_string()))?;
        let output = Command::new("cc")
            .args(["-shared", "-w", "-Wl,-soname,libcuda.so.1", "-o"])
            .arg(&made)
            .arg(&source)
            .output()
            .map_err(|error| failed(error.to_string()))?;
        match output.status.success() {
            true => Ok(()),
            false => Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
        }
    }
}

/// Folders that may be a toolkit's root in a folder with packages from PyPI, itself first.
fn of_packages(named: &Path) -> Vec<PathBuf> {
    let mut roots = vec![named.to_owned()];
    let mut sites = vec![named.to_owned()];
    let versions = fs::read_dir(named.join("lib")).into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("python"))
        .map(|entry| entry.path().join("site-packages"))
        .collect();
    versions.sort();
    sites.extend(versions);
    for site in sites {
        let parts = fs::read_dir(site.join("nvidia")).into_iter().flatten().flatten();
        let mut parts: Vec<PathBuf> = parts
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("cu"))
            .map(|entry| entry.path())
            .filter(|path| path.join("bin/nvcc").is_file())
            .collect();
        parts.sort();
        roots.extend(parts.into_iter().rev());
    }
    roots
}

fn usual() -> Vec<PathBuf> {
    let named = VARIABLES.iter().filter_map(std::env::var_os).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = folders(&path).into_iter().filter(|folder| folder.join("nvcc").is_file());
    let above = on_path.filter_map(|folder| folder.parent().map(Path::to_owned));
    let all = named.chain(above).chain(USUAL.iter().map(PathBuf::from));
    let mut roots: Vec<PathBuf> = Vec::new();
    for root in all {
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    roots
}

/// The file of a library, with or without a version behind its name.
fn library(folder: &Path, name: &str) -> Option<PathBuf> {
    let plain = format!("lib{name}.so");
    let entries = fs::read_dir(folder).ok()?.flatten();
    let mut files: Vec<PathBuf> = entries
        .filter(|entry| {
            let file = entry.file_name();
            let file = file.to_string_lossy();
            file.strip_prefix(&plain).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files.into_iter().next()
}

/// The name by which a program asks for a library: with the first part of its version.
fn soname(path: &Path) -> String {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match name.split_once(".so.") {
        Some((stem, version)) => {
            format!("{stem}.so.{}", version.split('.').next().unwrap_or(version))
        }
        None => name,
    }
}

/// What a header includes from beside itself, and from no folder above.
fn included(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().filter_map(|line| {
        let rest = line.trim_start().strip_prefix('#')?.trim_start().strip_prefix("include")?;
        rest.trim_start().strip_prefix('"')?.split('"').next()
    });
    lines.filter(|name| !name.contains(".."))
}

/// The names of the functions that a header of the driver declares, versions included.
fn driver_functions(header: &str) -> BTreeSet<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = header.split(|c: char| !is_part(c));
    words
        .filter(|word| {
            word.strip_prefix("cu")
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
        })
        .collect()
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) -> io::Result<()> {
    if fs::read_link(at).is_ok_and(|present| present == to) {
        return Ok(());
    }
    if fs::symlink_metadata(at).is_ok() {
        fs::remove_file(at)?;
    }
    std::os::unix::fs::symlink(to, at)
}

#[cfg(not(unix))]
fn link(_to: &Path, _at: &Path) -> io::Result<()> {
    Err(io::Error::other("CUDA programs are built on Linux only"))
}

#[cfg(unix)]
fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, path: &str, text: &str) {
        write_if_changed(&folder.join(path), text.as_bytes()).expect("it can be written");
    }

    fn toolkit(root: &Path, libraries: &str) {
        file(root, "bin/nvcc", "");
        let header = "#define CUDA_VERSION 13000\n#define cuMemAlloc cuMemAlloc_v2\n\
                      CUresult CUDAAPI cuInit(unsigned int Flags);\n";
        file(root, "include/cuda.h", header);
        for name in ["libcublas.so.13", "libcublasLt.so.13.0.2", "libcurand.so.10", "libnvrtc.so"] {
            file(root, &format!("{libraries}/{name}"), "");
        }
    }

    #[test]
    fn an_architecture_is_what_nvcc_calls_it() {
        assert_eq!(Arch::parse("sm_90").map(|arch| arch.to_string()).as_deref(), Some("sm_90"));
        assert_eq!(Arch::of_capability("9.0"), Arch::parse("sm_90"));
        assert_eq!(Arch::of_capability("12.1").map(Arch::capability).as_deref(), Some("12.1"));
        for bad in ["90", "sm_", "sm_1", "sm_9000", "sm_90a", "compute_90"] {
            assert_eq!(Arch::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_toolkit_is_found_as_installed_and_as_packages() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
        toolkit(&root.join("cuda"), "lib64");
        let installed = Toolkit::find(Some(&root.join("cuda"))).expect("it is whole");
        assert_eq!((installed.version.as_str(), installed.oldest_driver()), ("13.0", 580));
        let needed = installed.needed_by(b"..libcublas.so.13\0libm.so.6\0");
        assert_eq!(Vec::from_iter(needed), ["libcublas.so.13", "libcublasLt.so.13"]);
        assert!(installed.needed_by(b"libc.so.6").is_empty());
        toolkit(&root.join("venv/lib/python3.11/site-packages/nvidia/cu13"), "lib");
        assert!(Toolkit::find(Some(&root.join("venv"))).is_ok());
        assert!(Toolkit::find(Some(&root.join("venv/lib/python3.11/site-packages"))).is_ok());
    }

    #[test]
    fn what_is_missing_is_named_with_its_place() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        toolkit(folder.path(), "lib");
        fs::remove_file(folder.path().join("lib/libcurand.so.10")).expect("it is there");
        let absence = Toolkit::find(Some(folder.path())).expect_err("a library is missing");
        assert!(absence.words().contains("libcurand.so"), "{}", absence.words());
        fs::remove_file(folder.path().join("bin/nvcc")).expect("it is there");
        let absence = Toolkit::find(Some(folder.path())).expect_err("the compiler is missing");
        assert!(absence.words().contains("(no bin/nvcc)"), "{}", absence.words());
    }

    #[test]
    fn kernels_that_are_compiled_later_get_their_headers() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
        toolkit(&root.join("cuda"), "lib64");
        for (name, text) in [
            ("cuda/include/cuda_fp16.h", "#include <utility>\n # include \"crt/a.h\"\n"),
            ("cuda/include/crt/a.h", "#include \"b.h\"\n#include \"c.h\"\n#include \"../d.h\"\n"),
            ("cuda/include/crt/b.h", "#include \"none.h\"\n"),
            ("cuda/include/c.h", "#include \"crt/a.h\"\n"),
            ("cuda/include/d.h", ""),
            ("build/dfdx-1/out/utils.cuh", "#include \"cuda_fp16.h\"\n"),
            ("build/dfdx-1/out/kernel.ptx", ""),
            ("build/dfdx-2/out/utils.cuh", "// of another build\n"),
        ] {
            file(root, name, text);
        }
        let found = Toolkit::find(Some(&root.join("cuda"))).expect("it is whole");
        let out = |name: &str| root.join("build").join(name).join("out");
        let headers = found.headers(&[out("dfdx-1")].into()).expect("they can be read");
        let names: Vec<String> = headers.keys().map(|name| name.display().to_string()).collect();
        assert_eq!(names, ["c.h", "crt/a.h", "crt/b.h", "cuda_fp16.h", "utils.cuh"]);
        assert_eq!(headers[Path::new("c.h")], root.join("cuda/include/c.h"));
        assert_eq!(headers[Path::new("utils.cuh")], out("dfdx-1").join("utils.cuh"));
        let both = [out("dfdx-1"), out("dfdx-2")].into();
        let differ = found.headers(&both).expect_err("which of them is meant is not known");
        assert!(differ.to_string().ends_with("dfdx-2/out/utils.cuh differ"), "{differ}");
        fs::copy(out("dfdx-1").join("utils.cuh"), out("dfdx-2").join("utils.cuh")).expect("a copy");
        assert!(found.headers(&both).is_ok());
    }

    #[test]
    fn the_stand_in_has_every_name_of_the_driver() {
        let header = "#define cuMemAlloc cuMemAlloc_v2\nCUresult cuInit(x); // cudaFree cuda";
        let names: Vec<&str> = driver_functions(header).into_iter().collect();
        assert_eq!(names, ["cuInit", "cuMemAlloc", "cuMemAlloc_v2"]);
    }
}

//! Whether cells can be compiled for, and run on, an NVIDIA GPU.
//!
//! In: the environment of this machine. Out: a [`Survey`] of what CUDA needs, with where each part
//! was looked for, and a [`Toolkit`] laid out as dfdx's and cudarc's build scripts want it.
//! Left out: choosing a device, which is the command line's.

mod toolkit;

pub use toolkit::{Arch, Layout, Toolkit};

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a report calls the CPU.
pub const CPU: &str = "cpu";

/// What a report calls an NVIDIA GPU.
pub const CUDA: &str = "cuda";

/// Folders in which a driver leaves its library, besides those of `LD_LIBRARY_PATH`.
const DRIVER_FOLDERS: [&str; 6] = [
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/cuda/compat",
    "/usr/lib/wsl/lib",
];

/// What CUDA needs, found or not.
#[derive(Clone, Debug)]
pub struct Survey {
    /// A GPU that its driver's tool answers for.
    pub gpu: Sought<Gpu>,
    /// The driver's library, which a program loads when it starts.
    pub driver: Sought<PathBuf>,
    /// Compiler, headers and libraries.
    pub toolkit: Sought<Toolkit>,
}

/// A thing, or why it was not found and where it was looked for.
pub type Sought<T> = Result<T, Absence>;

/// A thing that is not here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// What is not here, in words.
    pub what: String,
    /// Where it was looked for.
    pub places: Vec<String>,
}

/// A GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// Its name, as its maker has it.
    pub name: String,
    /// Version of the driver.
    pub driver: String,
    /// What it can compute.
    pub arch: Arch,
}

impl Survey {
    /// Looks for everything; starts a process only where there is a driver's tool.
    pub fn take() -> Self {
        let (gpu, toolkit) = (gpu(), Toolkit::find(None));
        let old = gpu.as_ref().ok().zip(toolkit.as_ref().ok());
        let old = old.and_then(|(gpu, toolkit)| too_old(gpu, toolkit));
        Self { driver: old.map_or_else(driver, Err), gpu, toolkit }
    }

    /// Everything that CUDA needs, if it is all here.
    pub fn complete(&self) -> Option<(&Gpu, &Toolkit)> {
        let gpu = self.gpu.as_ref().ok()?;
        self.driver.as_ref().ok()?;
        Some((gpu, self.toolkit.as_ref().ok()?))
    }

    /// What is not here, a line for each.
    pub fn missing(&self) -> Vec<String> {
        let gpu = self.gpu.as_ref().err();
        let driver = self.driver.as_ref().err();
        let toolkit = self.toolkit.as_ref().err();
        [gpu, driver, toolkit].into_iter().flatten().map(Absence::words).collect()
    }
}

impl Absence {
    /// What is missing and where it was looked for, in one line.
    pub fn words(&self) -> String {
        match self.places.is_empty() {
            true => self.what.clone(),
            false => format!("{}; looked in {}", self.what, self.places.join(", ")),
        }
    }
}

/// How much of the first GPU's memory is in use, in words.
pub fn memory() -> Option<String> {
    let query = ["--query-gpu=memory.used,memory.total", "--format=csv,noheader"];
    let output = Command::new("nvidia-smi").args(query).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let (used, total) = said.lines().next()?.split_once(',')?;
    output.status.success().then(|| format!("{} of {} are in use now", used.trim(), total.trim()))
}

fn gpu() -> Sought<Gpu> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let Some(tool) = first(&folders(&path), "nvidia-smi") else {
        let what = "no GPU: the driver's tool `nvidia-smi` is not on the PATH".to_owned();
        return Err(Absence { what, places: words(&folders(&path)) });
    };
    let absent = |what: String| Absence { what, places: vec![tool.display().to_string()] };
    let query = ["--query-gpu=name,driver_version,compute_cap", "--format=csv,noheader"];
    let output = Command::new(&tool)
        .args(query)
        .output()
        .map_err(|error| absent(format!("no GPU: `nvidia-smi` cannot be started: {error}")))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let why = said.lines().next().unwrap_or_default().trim().to_owned();
        return Err(absent(format!("no GPU: `nvidia-smi` fails: {why}")));
    }
    let fields: Vec<&str> =
        said.lines().next().unwrap_or_default().split(',').map(str::trim).collect();
    match fields[..] {
        [name, driver, capability] if !name.is_empty() => {
            let arch = Arch::of_capability(capability).ok_or_else(|| {
                absent(format!("no GPU: `{capability}` is no compute capability"))
            })?;
            Ok(Gpu { name: name.to_owned(), driver: driver.to_owned(), arch })
        }
        _ => Err(absent("no GPU: `nvidia-smi` names none".to_owned())),
    }
}

/// Whether a driver cannot run what a toolkit makes.
fn too_old(gpu: &Gpu, toolkit: &Toolkit) -> Option<Absence> {
    let needed = toolkit.oldest_driver();
    let major = gpu.driver.split('.').next().and_then(|major| major.parse::<u32>().ok());
    let what = || {
        let (driver, version) = (&gpu.driver, &toolkit.version);
        format!("the driver {driver} is too old: CUDA {version} needs {needed} or newer")
    };
    (major.is_none_or(|major| major < needed)).then(|| Absence { what: what(), places: Vec::new() })
}

fn driver() -> Sought<PathBuf> {
    let named = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let mut places = folders(&named);
    places.extend(DRIVER_FOLDERS.iter().map(PathBuf::from));
    first(&places, "libcuda.so.1").ok_or_else(|| Absence {
        what: "no driver: there is no `libcuda.so.1`".to_owned(),
        places: words(&places),
    })
}

fn folders(list: &OsStr) -> Vec<PathBuf> {
    std::env::split_paths(list).filter(|folder| !folder.as_os_str().is_empty()).collect()
}

fn first(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file())
}

fn words<P: AsRef<Path>>(paths: &[P]) -> Vec<String> {
    paths.iter().map(|path| path.as_ref().display().to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_driver_is_told_with_the_one_that_is_needed() {
        let toolkit = |version: &str| Toolkit {
            root: PathBuf::new(),
            libraries: PathBuf::new(),
            version: version.to_owned(),
        };
        let told = |driver: &str, version: &str| {
            let arch = Arch::of_capability("9.0").expect("it is one");
            let gpu = Gpu { name: "a GPU".to_owned(), driver: driver.to_owned(), arch };
            too_old(&gpu, &toolkit(version)).map(|absence| absence.words())
        };
        let old = "the driver 570.86.10 is too old: CUDA 13.0 needs 580 or newer";
        assert_eq!(told("570.86.10", "13.0").as_deref(), Some(old));
        assert_eq!(told("580.65.06", "13.0"), None);
        assert_eq!(told("570.86.10", "12.8"), None);
        assert!(told("unknown", "12.8").is_some());
    }
}

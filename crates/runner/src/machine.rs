//! The machine: whether programs for a GPU can run on it.
//!
//! Starts `nvidia-smi`, the only program that is not the bundle's own, and only for a GPU.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use veracity_protocol::CudaNeeds;

/// Folders in which CUDA's libraries and the driver's are installed.
const USUAL: [&str; 8] = [
    "/usr/local/cuda/lib64",
    "/usr/local/cuda/targets/x86_64-linux/lib",
    "/opt/cuda/lib64",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/lib/wsl/lib",
];

/// What programs meet here.
#[derive(Debug)]
pub(crate) struct Machine {
    /// The machine in words.
    pub words: String,
    /// What programs get as `LD_LIBRARY_PATH`.
    pub libraries: Option<OsString>,
    /// Most processes into which a cell may divide its work, unless a person says otherwise.
    pub jobs: usize,
}

/// Looks for what is needed; says all that is missing, with where it was looked for.
pub(crate) fn look(needs: Option<&CudaNeeds>, named: Option<&Path>) -> Result<Machine, String> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let Some(needs) = needs else {
        let words = format!("{}, {processors} processors", processor());
        return Ok(Machine { words, libraries: None, jobs: processors });
    };
    let mut missing = Vec::new();
    let gpu = ask("name,driver_version,compute_cap");
    let words = match &gpu {
        Ok(fields) => {
            missing.extend(too_old(needs, fields));
            format!("{}, driver {}", fields[0], fields[1])
        }
        Err(why) => {
            missing.push(why.clone());
            String::new()
        }
    };
    let (folders, lacking) = libraries(needs, named);
    missing.extend(lacking);
    if !missing.is_empty() {
        return Err(format!(
            "this machine cannot run programs for CUDA {}:\n  {}",
            needs.toolkit,
            missing.join("\n  ")
        ));
    }
    // Processes that share a GPU slow each other down.
    Ok(Machine { words, libraries: std::env::join_paths(folders).ok(), jobs: 1 })
}

/// The sizes of the GPU's memory, for a program that found too little.
pub(crate) fn memory() -> Option<String> {
    let fields = ask("memory.used,memory.total").ok()?;
    Some(format!("{} of {} are in use now", fields.first()?, fields.get(1)?))
}

/// Asks the driver's tool about the first GPU.
fn ask(query: &str) -> Result<Vec<String>, String> {
    let output = Command::new("nvidia-smi")
        .args([&format!("--query-gpu={query}"), "--format=csv,noheader"])
        .output()
        .map_err(|error| {
            let path = std::env::var_os("PATH").unwrap_or_default();
            format!("no GPU: `nvidia-smi` on the PATH {}: {error}", path.display())
        })?;
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().next().unwrap_or_default();
    let fields: Vec<String> = line.split(',').map(|field| field.trim().to_owned()).collect();
    match output.status.success() && fields.len() == query.split(',').count() {
        true => Ok(fields),
        false => Err(format!("no GPU: `nvidia-smi` says \"{}\"", line.trim())),
    }
}

fn too_old(needs: &CudaNeeds, fields: &[String]) -> Vec<String> {
    let mut old = Vec::new();
    let driver = fields[1].split('.').next().and_then(|major| major.parse::<u32>().ok());
    if driver.is_none_or(|driver| driver < needs.driver) {
        old.push(format!(
            "the driver {} is too old: CUDA {} needs {} or newer",
            fields[1], needs.toolkit, needs.driver
        ));
    }
    let number = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let (has, wants) = (number(&fields[2]).parse::<u32>(), number(&needs.arch).parse::<u32>());
    if !matches!((has, wants), (Ok(has), Ok(wants)) if has >= wants) {
        old.push(format!(
            "the {} computes {}, and the programs were made for {} or newer",
            fields[0], fields[2], needs.arch
        ));
    }
    old
}

/// Folders with the libraries, and which of them are nowhere.
fn libraries(needs: &CudaNeeds, named: Option<&Path>) -> (Vec<PathBuf>, Vec<String>) {
    let variable = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = Vec::new();
    places
        .extend(named.into_iter().flat_map(|named| ["", "lib64", "lib"].map(|it| named.join(it))));
    places.extend(std::env::split_paths(&variable).filter(|path| !path.as_os_str().is_empty()));
    places.extend(USUAL.iter().map(PathBuf::from));
    let mut folders: Vec<PathBuf> = Vec::new();
    let mut lacking = Vec::new();
    let wanted = needs.libraries.iter().map(String::as_str).chain(["libcuda.so.1"]);
    for library in wanted {
        match places.iter().find(|place| place.join(library).is_file()) {
            Some(place) if folders.contains(place) => {}
            Some(place) => folders.push(place.clone()),
            None => lacking.push(format!("no {library}")),
        }
    }
    if let Some(last) = lacking.last_mut() {
        let places: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
        last.push_str(&format!("; looked in {} (`--cuda DIR` adds one)", places.join(", ")));
    }
    (folders, lacking)
}

fn processor() -> String {
    let known = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    known
        .lines()
        .find_map(|line| {
            Some(line.strip_prefix("model name")?.trim_start_matches([' ', '\t', ':']))
        })
        .unwrap_or(std::env::consts::ARCH)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_driver_and_a_small_gpu_are_told_with_what_is_needed() {
        let needs = CudaNeeds {
            arch: "sm_90".into(),
            toolkit: "13.0".into(),
            driver: 580,
            libraries: Vec::new(),
        };
        let fields = |driver: &str, capability: &str| {
            too_old(&needs, &["H100", driver, capability].map(str::to_owned))
        };
        assert_eq!(fields("580.65.06", "9.0"), Vec::<String>::new());
        assert_eq!(fields("600.1", "10.0"), Vec::<String>::new());
        let old = fields("535.104.05", "8.0").join("\n");
        assert!(old.contains("the driver 535.104.05 is too old: CUDA 13.0 needs 580"), "{old}");
        assert!(old.contains("computes 8.0, and the programs were made for sm_90"), "{old}");
    }
}

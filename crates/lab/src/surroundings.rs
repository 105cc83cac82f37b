//! What a cell may know of the build: device, profile, seed and the folder of data.
//!
//! Left out: whether the build is a check or a report, so that nothing can depend on it.

use std::path::PathBuf;

use crate::context;

/// Name of the device that the cells should use, `cpu` or `cuda`.
#[track_caller]
pub fn device() -> String {
    context::with(|context| context.plan.device.clone())
}

/// Name of the profile, `quick` or `full`.
#[track_caller]
pub fn profile() -> String {
    context::with(|context| context.plan.profile.clone())
}

/// Seed of the report, from which all random numbers are derived.
#[track_caller]
pub fn seed() -> u64 {
    context::with(|context| context.plan.seed)
}

/// Seed for one purpose: seeds of different names are independent of each other.
#[track_caller]
pub fn rng_seed(name: &str) -> u64 {
    derive(seed(), name)
}

/// Folder of the report's data sets.
#[track_caller]
pub fn data_dir() -> PathBuf {
    context::with(|context| context.plan.data.clone())
}

fn derive(seed: u64, name: &str) -> u64 {
    let mut hasher = blake3::Hasher::new_derive_key("veracity lab rng seed v1");
    hasher.update(&seed.to_le_bytes()).update(name.as_bytes());
    let mut bytes = [0; 8];
    hasher.finalize_xof().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::testing::Chapter;

    #[test]
    fn derived_seeds_depend_on_the_seed_and_the_name_alone() {
        let _chapter = Chapter::new();
        assert_eq!(rng_seed("init"), derive(1, "init"));
        assert_ne!(rng_seed("init"), rng_seed("data"));
        assert_ne!(derive(1, "init"), derive(2, "init"));
        assert_eq!((device(), profile(), seed()), ("cpu".into(), "quick".into(), 1));
    }
}

//! `--device`: which device the cells run on, and why.

use std::path::Path;

use clap::ValueEnum;

use crate::bundle;
use crate::config;
use crate::diag::Diagnostic;
use crate::kernel::cuda::{CPU, CUDA, Survey};
use crate::span::Source;

/// The device that a person asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Device {
    /// The GPU if everything that it takes is here, else the CPU
    Auto,
    /// The processor
    Cpu,
    /// An NVIDIA GPU
    Cuda,
}

/// The device that is taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// Its name.
    pub device: &'static str,
    /// Why, if that was left to the tool.
    pub because: Option<String>,
}

/// Chooses a device for the report in `root`.
///
/// # Errors
/// If a GPU is asked for, something is missing, and no results from elsewhere were imported to `out`.
pub(super) fn choose(wish: Device, root: &Path, out: &Path) -> Result<Choice, Vec<Diagnostic>> {
    if wish == Device::Cpu {
        return Ok(Choice { device: CPU, because: None });
    }
    let knows_cuda = knows_cuda(root);
    let cpu = |because: String| Ok(Choice { device: CPU, because: Some(because) });
    if wish == Device::Auto && !knows_cuda {
        return Ok(Choice { device: CPU, because: None });
    }
    let survey = Survey::take();
    match (wish, survey.complete()) {
        (_, Some((gpu, toolkit))) if knows_cuda => {
            let words =
                format!("{} with driver {} and toolkit {}", gpu.name, gpu.driver, toolkit.version);
            Ok(Choice { device: CUDA, because: Some(words) })
        }
        (Device::Auto, _) => {
            let (gpu, driver) = (survey.gpu.as_ref().err(), survey.driver.as_ref().err());
            let first = gpu.or(driver).or(survey.toolkit.as_ref().err());
            let why = first.map_or_else(String::new, |missing| missing.what.clone());
            cpu(format!("{why}; `veracity doctor` tells more"))
        }
        (_, None) if bundle::was_imported(out, CUDA) => Ok(Choice {
            device: CUDA,
            because: Some("results from another machine; nothing runs on one here".to_owned()),
        }),
        (_, Some(_)) => Err(vec![
            Diagnostic::global("no-cuda", "no crate of this report has features for CUDA")
                .hint("say which: `cuda-features: [cuda]` at a dependency in report.yaml"),
        ]),
        (_, None) => Err(vec![missing(&survey)]),
    }
}

fn missing(survey: &Survey) -> Diagnostic {
    let problem = Diagnostic::global("no-cuda", "not all that CUDA takes is on this machine");
    survey.missing().into_iter().fold(problem, Diagnostic::note).hint(
        "`--device cpu` does without; `veracity bundle --device cuda` makes programs for a machine \
         with a GPU, and `veracity doctor` tells what that takes",
    )
}

fn knows_cuda(root: &Path) -> bool {
    let Ok(text) = std::fs::read_to_string(root.join("report.yaml")) else { return false };
    config::report(&Source::new("report.yaml", text)).0.is_some_and(|config| config.knows_cuda())
}

//! What may be asked of `sbatch` besides what a sweep itself asks of it.
//!
//! In: an argument. Out: why it cannot be given, if it cannot. Left out: what Slurm knows, which it says
//! itself.

/// Options by which a sweep keeps hold of its jobs, or with which `sbatch` would give none away.
const OWN: [&str; 14] = [
    "array",
    "clusters",
    "error",
    "help",
    "job-name",
    "open-mode",
    "output",
    "parsable",
    "requeue",
    "test-only",
    "usage",
    "version",
    "wait",
    "wrap",
];

/// The same as single letters.
const OWN_LETTERS: &str = "aeJMohVW";

/// Why an argument cannot be given to `sbatch`, in words that follow it; nothing if it can.
///
/// ```
/// use veracity_protocol::wrong_sbatch_argument;
///
/// assert_eq!(wrong_sbatch_argument("--account=us"), None);
/// assert!(wrong_sbatch_argument("us").is_some());
/// assert!(wrong_sbatch_argument("--array=0-9").is_some());
/// ```
pub fn wrong_sbatch_argument(argument: &str) -> Option<&'static str> {
    if argument.chars().any(char::is_control) {
        return Some("has a line break or another control character");
    }
    let is_own = match argument.strip_prefix("--") {
        Some(long) => {
            let name = long.split('=').next().unwrap_or_default();
            // `sbatch` knows an option by any beginning of its name.
            !name.is_empty() && OWN.iter().any(|own| own.starts_with(name))
        }
        None => {
            argument.strip_prefix('-').is_some_and(|it| it.starts_with(|c| OWN_LETTERS.contains(c)))
        }
    };
    if is_own {
        return Some("is what a sweep itself says of its jobs");
    }
    match argument.trim_start_matches('-') {
        option if option.is_empty() || !argument.starts_with('-') => {
            Some("is no option, and `sbatch` would take it for the script")
        }
        option if option.starts_with(|c: char| !c.is_ascii_alphanumeric()) => {
            Some("has no name of an option behind its dashes")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_one_option_that_is_not_the_sweeps() {
        for good in [
            "--account=us",
            "-A",
            "-pgpu",
            "--gres=gpu:1",
            "--exclusive",
            "--cluster-constraint=x",
            "--array-inx=3",
            "--comment=two words",
            "--nodes=1",
        ] {
            assert_eq!(wrong_sbatch_argument(good), None, "{good}");
        }
        for (bad, why) in [
            ("", "no option"),
            ("us", "no option"),
            (" --account=us", "no option"),
            ("-", "no option"),
            ("--", "no option"),
            ("-- --account", "no name"),
            ("--=x", "no name"),
            ("--account=us\n--array=1", "line break"),
            ("--array=1-3", "a sweep itself"),
            ("--arr=1-3", "a sweep itself"),
            ("-a1-3", "a sweep itself"),
            ("-J", "a sweep itself"),
            ("--output=x", "a sweep itself"),
            ("--wrap=true", "a sweep itself"),
            ("--wait", "a sweep itself"),
            ("--requeue", "a sweep itself"),
        ] {
            let found = wrong_sbatch_argument(bad);
            assert!(found.is_some_and(|words| words.contains(why)), "{bad:?}: {found:?}");
        }
    }
}

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

/// Options that stand alone; any other takes what follows it for its value.
const FLAGS: [&str; 16] = [
    "contiguous",
    "exclusive",
    "get-user-env",
    "hold",
    "ignore-pbs",
    "nice",
    "no-kill",
    "no-requeue",
    "overcommit",
    "oversubscribe",
    "propagate",
    "quiet",
    "reboot",
    "spread-job",
    "use-min-nodes",
    "verbose",
];

/// The same as single letters.
const FLAG_LETTERS: &str = "HkOQsv";

/// Letters of options that take a value.
const VALUE_LETTERS: &str = "ABbCcDdFGiLmNnpqStwx";

/// Why an argument cannot be given to `sbatch`, in words that follow it; nothing if it can.
///
/// ```
/// use veracity_protocol::wrong_sbatch_argument;
///
/// assert_eq!(wrong_sbatch_argument("--account=us"), None);
/// assert!(wrong_sbatch_argument("us").is_some());
/// assert!(wrong_sbatch_argument("--array=0-9").is_some());
/// assert!(wrong_sbatch_argument("--account").is_some());
/// ```
pub fn wrong_sbatch_argument(argument: &str) -> Option<&'static str> {
    const NO_OPTION: &str = "is no option, and `sbatch` would take it for the script";
    const NO_NAME: &str = "has no name of an option behind its dashes";
    const NO_VALUE: &str =
        "is not known to do without a value, which would stand in the same argument";
    const OWN_WORDS: &str = "is what a sweep itself says of its jobs";
    let is_name = |c: char| c.is_ascii_alphanumeric();
    if argument.chars().any(char::is_control) {
        return Some("has a line break or another control character");
    }
    if let Some(long) = argument.strip_prefix("--") {
        let name = long.split('=').next().unwrap_or_default();
        let has_value = name.len() < long.len();
        return if long.is_empty() {
            Some(NO_OPTION)
        } else if !name.starts_with(is_name) {
            Some(NO_NAME)
        // `sbatch` knows an option by any beginning of its name.
        } else if OWN.iter().any(|own| own.starts_with(name)) {
            Some(OWN_WORDS)
        } else {
            (!has_value && !FLAGS.contains(&name)).then_some(NO_VALUE)
        };
    }
    let mut letters = argument.strip_prefix('-').unwrap_or_default().chars();
    let Some(letter) = letters.next() else { return Some(NO_OPTION) };
    let is_alone = letters.as_str().is_empty();
    match letter {
        _ if !is_name(letter) => Some(NO_NAME),
        _ if OWN_LETTERS.contains(letter) => Some(OWN_WORDS),
        _ if VALUE_LETTERS.contains(letter) => is_alone.then_some(NO_VALUE),
        _ if !FLAG_LETTERS.contains(letter) => Some("is no option that is known here"),
        _ => (!is_alone).then_some("is more than one option"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_one_option_that_is_not_the_sweeps() {
        for good in [
            "--account=us",
            "-Aus",
            "-pgpu",
            "-H",
            "--no-kill",
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
            ("-sW", "more than one"),
            ("-HW", "more than one"),
            ("-Ha0-9", "more than one"),
            ("-so/x", "more than one"),
            ("-A", "without a value"),
            ("--account", "without a value"),
            ("-Z1", "known here"),
        ] {
            let found = wrong_sbatch_argument(bad);
            assert!(found.is_some_and(|words| words.contains(why)), "{bad:?}: {found:?}");
        }
    }
}

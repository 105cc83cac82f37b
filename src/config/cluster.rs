//! `cluster` of report.yaml: what a job of a sweep asks of Slurm.
//!
//! In: the mapping. Out: arguments of `sbatch`, checked as far as that needs no cluster.

use std::time::Duration;

use veracity_protocol::wrong_sbatch_argument;

use super::ClusterNeeds;
use super::fields::Reader;
use super::yaml::{Node, Value};
use crate::diag::Diagnostic;

/// How an argument for `sbatch` is to be written.
pub(crate) const ARGUMENT_HINT: &str =
    "an argument is one option of `sbatch` with its value, such as `--account=us`";

const KEYS: [&str; 7] = ["partition", "time", "memory", "cpus", "gpus", "at-once", "arguments"];

impl Reader<'_> {
    /// What the jobs of sweeps ask of a cluster.
    pub(super) fn cluster(&mut self, node: &Node) -> ClusterNeeds {
        let fields = self.fields(node, "`cluster`", &KEYS);
        let mut arguments = Vec::new();
        if let Some(field) = fields.get("partition")
            && let Some(name) = self.text(field.value, "partition")
        {
            match is_name(&name) {
                true => arguments.push(format!("--partition={name}")),
                false => self.wrong(
                    field.value,
                    format!("{name:?} is no name of a partition"),
                    "`sinfo` lists those of a cluster",
                ),
            }
        }
        if let Some(time) = fields.get("time").and_then(|it| self.duration(it.value, it.name)) {
            arguments.push(format!("--time={}", clock(time)));
        }
        if let Some(field) = fields.get("memory")
            && let Some(size) = self.text(field.value, "memory")
        {
            match is_size(&size) {
                true => arguments.push(format!("--mem={size}")),
                false => self.wrong(
                    field.value,
                    format!("`{size}` is no size of memory"),
                    "write it as 500M or 16G",
                ),
            }
        }
        if let Some(count) = fields.get("cpus").and_then(|it| self.positive(it.value, it.name)) {
            arguments.push(format!("--cpus-per-task={count}"));
        }
        if let Some(count) = fields.get("gpus").and_then(|it| self.unsigned(it.value, it.name)) {
            arguments.push(format!("--gres=gpu:{count}"));
        }
        let at_once = fields.get("at-once").and_then(|it| self.positive(it.value, it.name));
        if let Some(field) = fields.get("arguments") {
            match &field.value.value {
                Value::List(items) => {
                    for item in items {
                        let Some(argument) = self.text(item, "an argument") else { continue };
                        match wrong_sbatch_argument(&argument) {
                            None => arguments.push(argument),
                            Some(why) => {
                                self.wrong(item, format!("{argument:?} {why}"), ARGUMENT_HINT);
                            }
                        }
                    }
                }
                _ => {
                    self.wrong_type(field.value, "arguments", "a list of arguments of sbatch");
                }
            }
        }
        let at_once = at_once.and_then(|most| usize::try_from(most).ok());
        ClusterNeeds { arguments, at_once }
    }

    fn wrong(&mut self, value: &Node, words: String, hint: &str) {
        let found = Diagnostic::error("invalid-value", words, self.yaml.span(value));
        self.diagnostics.push(found.hint(hint));
    }
}

/// A name, or several with commas between.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '=')
}

/// Hours, minutes and seconds as Slurm reads them; it rounds up to minutes.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs_f64().ceil() as u64;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn is_size(text: &str) -> bool {
    let digits = text.strip_suffix(['K', 'M', 'G', 'T']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use crate::config;
    use crate::span::Source;

    fn read(cluster: &str) -> (Option<config::ReportConfig>, Vec<&'static str>) {
        let text = format!("title: T\nchapters: [a.md]\ncluster: {cluster}\n");
        let (config, found) = config::report(&Source::new("report.yaml", text));
        (config, found.into_iter().map(|found| found.code).collect())
    }

    #[test]
    fn what_a_job_needs_is_said_as_sbatch_wants_it() {
        let all = "{partition: gpu, time: 1h30m, memory: 16G, cpus: 4, gpus: 1, at-once: 8, \
                   arguments: [--account=us]}";
        let (config, problems) = read(all);
        assert_eq!(problems, Vec::<&str>::new());
        let cluster = config.expect("there are settings").cluster;
        let said =
            "--partition=gpu --time=1:30:00 --mem=16G --cpus-per-task=4 --gres=gpu:1 --account=us";
        assert_eq!(cluster.arguments.join(" "), said);
        assert_eq!(cluster.at_once, Some(8));
    }

    #[test]
    fn what_no_cluster_could_understand_is_told() {
        for (cluster, code) in [
            ("{queue: gpu}", "unknown-key"),
            ("{time: soon}", "invalid-duration"),
            ("{memory: lots}", "invalid-value"),
            ("{gpus: -1}", "wrong-type"),
            ("{arguments: --account=us}", "wrong-type"),
            ("{partition: ''}", "invalid-value"),
            ("{partition: 'gpu --array=1'}", "invalid-value"),
            ("{arguments: ['us']}", "invalid-value"),
            ("{arguments: [' --account=us']}", "invalid-value"),
            ("{arguments: [\"--account=us\\n\"]}", "invalid-value"),
            ("{arguments: [--array=0-9]}", "invalid-value"),
        ] {
            assert_eq!(read(cluster).1, [code], "{cluster}");
        }
    }
}

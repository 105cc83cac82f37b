//! An in-toto statement about a build: Statement v1 with the predicate Test Result v0.1.
//!
//! In: an evaluated report and the files of which it was made. Out: JSON. Its subjects are those
//! files, so that a statement is about these sources and no others. Its configuration has what the
//! results rest on: the environment, each data set, and each claim with the digest of its code.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::claims::Standing;
use crate::data::kind_word;
use crate::diag::Diagnostic;
use crate::pipeline::Evaluated;
use crate::record::Lock;

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const PREDICATE: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// Digests of what a report is made of, by name: `sha256` or, for a crate, `blake3`.
pub type Sources = BTreeMap<String, (&'static str, String)>;

/// SHA-256, hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes the statement of a build, with a newline at the end.
pub fn text(evaluated: &Evaluated, lock: &Lock, sources: &Sources) -> String {
    let subject: Vec<Value> = sources
        .iter()
        .map(|(name, (kind, digest))| json!({ "name": name, "digest": { *kind: digest } }))
        .collect();
    let names = |standing| -> Vec<&str> {
        let claims = evaluated.document.claims.iter();
        claims.filter(|claim| claim.standing() == standing).map(|claim| claim.id.as_str()).collect()
    };
    let result = match evaluated.standing() {
        Standing::Good => "PASSED",
        Standing::Open => "WARNED",
        Standing::Bad => "FAILED",
    };
    let statement = json!({
        "_type": STATEMENT,
        "subject": subject,
        "predicateType": PREDICATE,
        "predicate": {
            "result": result,
            "configuration": configuration(evaluated, lock),
            "passedTests": names(Standing::Good),
            "warnedTests": names(Standing::Open),
            "failedTests": names(Standing::Bad),
        },
    });
    serde_json::to_string_pretty(&statement).expect("strings are JSON") + "\n"
}

fn configuration(evaluated: &Evaluated, lock: &Lock) -> Vec<Value> {
    let environment: BTreeMap<&str, &str> =
        lock.environment.iter().map(|(name, words)| (name.as_str(), words.as_str())).collect();
    let mut parts = vec![json!({
        "name": "environment",
        "digest": { "sha256": sha256(format!("{environment:?}").as_bytes()) },
        "annotations": { "words": environment, "foundation": lock.foundation.code },
    })];
    parts.extend(lock.data.iter().map(|(name, data)| {
        json!({
            "name": format!("data/{name}"),
            "digest": { "blake3": data.digest },
            "annotations": { "kind": data.kind },
        })
    }));
    parts.extend(evaluated.document.claims.iter().map(|claim| {
        let from = claim.provenance.as_ref();
        let data = from.and_then(|from| from.data.as_ref()).map(|data| {
            json!({
                "name": data.name,
                "kind": kind_word(data.kind),
                "digest": { "blake3": data.digest },
            })
        });
        // A claim on nothing has no code; what it says stands for it then.
        let digest = match from {
            Some(from) => json!({ "blake3": from.key }),
            None => json!({ "sha256": sha256(claim.text.as_bytes()) }),
        };
        json!({
            "name": format!("claim/{}", claim.id),
            "digest": digest,
            "annotations": {
                "text": claim.text,
                "relation": claim.relation,
                "verdict": claim.verdict.word(),
                "value": claim.value,
                "unit": claim.unit,
                "cell": from.map(|from| format!("{}/{}", from.chapter, from.cell)),
                "data": data,
                "device": from.map(|from| &from.device),
                "profile": from.map(|from| &from.profile),
                "seed": from.and_then(|from| from.seed),
            },
        })
    }));
    parts
}

/// What is read of a statement.
#[derive(Clone, Debug, Deserialize)]
pub struct Read {
    #[serde(rename = "_type")]
    kind: String,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    subject: Vec<Subject>,
    predicate: Predicate,
}

#[derive(Clone, Debug, Deserialize)]
struct Subject {
    name: String,
    digest: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Predicate {
    result: String,
}

/// Reads a statement about a report.
///
/// # Errors
/// If it is none.
pub fn parse(text: &str) -> Result<Read, Diagnostic> {
    let none = |words: String| {
        Diagnostic::global("attestation-refused", "this is no statement about a report")
            .note(words)
            .hint("`veracity attest` makes one, and `--key FILE` signs it")
    };
    let read: Read = serde_json::from_str(text).map_err(|error| none(error.to_string()))?;
    match (read.kind.as_str(), read.predicate_type.as_str()) {
        (STATEMENT, PREDICATE) => Ok(read),
        (kind, predicate) => Err(none(format!("its types: {kind} and {predicate}"))),
    }
}

impl Read {
    /// What the build found: `PASSED`, `WARNED` or `FAILED`.
    pub fn result(&self) -> &str {
        &self.predicate.result
    }

    /// Names of the files that it is about; crates are not among them.
    pub fn files(&self) -> impl Iterator<Item = String> {
        self.subject.iter().map(|it| it.name.clone()).filter(|name| !name.ends_with('/'))
    }

    /// Compares what the statement is about with what is there.
    ///
    /// # Errors
    /// If they differ, with the names of what is missing, changed or new.
    pub fn is_about(&self, sources: &Sources) -> Result<(), Diagnostic> {
        let mut differences = Vec::new();
        for subject in &self.subject {
            let same =
                |(kind, digest): &(&'static str, String)| subject.digest.get(*kind) == Some(digest);
            match sources.get(&subject.name) {
                Some(source) if same(source) => {}
                Some(_) => differences.push(format!("`{}` has changed", subject.name)),
                None => differences.push(format!("`{}` is not there", subject.name)),
            }
        }
        let known: BTreeSet<&str> = self.subject.iter().map(|it| it.name.as_str()).collect();
        let new = sources.keys().filter(|name| !known.contains(name.as_str()));
        differences.extend(new.map(|name| format!("`{name}` is new")));
        if differences.is_empty() {
            return Ok(());
        }
        let refused = Diagnostic::global(
            "attestation-refused",
            "the statement is about other sources than those that are here",
        );
        Err(differences.into_iter().take(20).fold(refused, Diagnostic::note).hint(
            "look at the commit for which it was made, or make it anew with `veracity attest`",
        ))
    }
}

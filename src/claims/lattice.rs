//! Claims that rest on claims: a conclusion falls with its premises.
//!
//! In: judged claims, and the names after `because:` in each. Out: conclusions made *stale*
//! whose premises are not as expected. Left out: whether the inference is sound.

use std::collections::BTreeSet;

use super::{Expected, Judged, Reason, Standing, Verdict};
use crate::diag::Diagnostic;

/// Ties each claim to the premises that `written` gives, by the index of the claim, and
/// withdraws what does not stand without them.
pub(super) fn settle(claims: &mut [Judged], written: &[Vec<String>]) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut premises: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); claims.len()];
    for (index, names) in written.iter().enumerate() {
        for name in names {
            let found = named(claims, index, name);
            if found.is_empty() {
                let message = format!("no claim is called `{name}`");
                let place = claims[index].span.clone();
                let problem = Diagnostic::error("unknown-premise", message.clone(), place).hint(
                    "name a claim of this chapter as it is, and one of another as `chapter/name`",
                );
                let elsewhere = claims.iter().find(|claim| claim.name == *name);
                diagnostics.push(match elsewhere {
                    Some(claim) => problem.hint(format!("did you mean `{}`?", claim.id)),
                    None => {
                        let names = claims.iter().flat_map(|it| [it.name.as_str(), &it.id]);
                        problem.did_you_mean(name, names)
                    }
                });
                claims[index].verdict = Verdict::Error(message);
            }
            premises[index].extend(found);
        }
    }
    // A claim is settled once its premises are; what is left over goes round in a circle.
    let mut open: Vec<usize> = (0..claims.len()).filter(|at| !premises[*at].is_empty()).collect();
    loop {
        let (ready, rest): (Vec<usize>, Vec<usize>) = open
            .iter()
            .partition(|at| premises[**at].iter().all(|premise| !open.contains(premise)));
        for &index in &ready {
            conclude(claims, index, &premises[index]);
        }
        open = rest;
        if ready.is_empty() {
            break;
        }
    }
    // Of those, some only rest on a circle.
    for &index in &open {
        let is_cycle = reaches(index, index, &premises);
        let message = if is_cycle {
            "this claim rests on itself".to_owned()
        } else {
            "this claim rests on claims that rest on themselves".to_owned()
        };
        let others = (open.iter().copied())
            .filter(|&other| reaches(index, other, &premises) && reaches(other, index, &premises));
        // Told at the first claim of a circle.
        if is_cycle && others.clone().all(|other| index <= other) {
            let problem =
                Diagnostic::error("circular-claim", message.clone(), claims[index].span.clone())
                    .hint("leave one `because:` of the circle away");
            let related = |problem: Diagnostic, other: usize| {
                let words = format!("by way of `{}`", claims[other].id);
                problem.related(claims[other].span.clone(), words)
            };
            diagnostics.push(others.filter(|&other| other != index).fold(problem, related));
        }
        claims[index].verdict = Verdict::Error(message);
    }
    for (index, premises) in premises.iter().enumerate() {
        claims[index].because = premises.iter().map(|at| claims[*at].id.clone()).collect();
    }
    diagnostics
}

/// The claims of a name: all of them, unless one is singled out by its number.
fn named(claims: &[Judged], from: usize, name: &str) -> Vec<usize> {
    let wanted = match name.contains('/') {
        true => name.to_owned(),
        false => format!("{}/{name}", claims[from].chapter),
    };
    let is_wanted = |id: &str| {
        let (base, number) = id.split_once('#').unwrap_or((id, ""));
        id == wanted || (!number.is_empty() && base == wanted)
    };
    (0..claims.len()).filter(|&at| is_wanted(&claims[at].id)).collect()
}

fn conclude(claims: &mut [Judged], index: usize, premises: &BTreeSet<usize>) {
    let holds = matches!(
        (&claims[index].verdict, claims[index].expected),
        (Verdict::Verified, Expected::Verified) | (Verdict::Refuted(_), Expected::Refuted)
    );
    let fallen = premises.iter().map(|at| &claims[*at]).find(|it| it.standing() != Standing::Good);
    if let (true, Some(premise)) = (holds, fallen) {
        let words = format!("its premise `{}` is {}", premise.id, premise.verdict.word());
        claims[index].verdict = Verdict::Unverified(Reason::Stale, words);
    }
}

/// Whether a path leads from the premises of one claim to another.
fn reaches(from: usize, to: usize, premises: &[BTreeSet<usize>]) -> bool {
    let mut seen = BTreeSet::new();
    let mut next: Vec<usize> = premises[from].iter().copied().collect();
    while let Some(at) = next.pop() {
        if at == to {
            return true;
        }
        if seen.insert(at) {
            next.extend(&premises[at]);
        }
    }
    false
}

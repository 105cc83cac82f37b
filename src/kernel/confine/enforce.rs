//! Gives up rights by Landlock, seccomp and resource limits.

use std::collections::BTreeMap;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

use super::{Policy, Processes, refusal};
use crate::diag::Diagnostic;

/// The first version that holds signals back.
const NEEDED: ABI = ABI::V6;
/// Most processes of the person, if the kernel counts them: it does not count root's.
const PROCESSES: u64 = 4096;
const FILES: u64 = 4096;

const NOT_PERMITTED: u32 = 1;
const NO_SUCH_CALL: u32 = 38;
/// Flag of `clone` for a thread.
const THREAD: u64 = 0x0001_0000;
/// Flag of the numbers of the x32 interface, a second door to the same calls.
const X32: i64 = 0x4000_0000;

#[cfg(target_arch = "x86_64")]
mod number {
    pub const ARCH: &str = "x86_64";
    pub const CLONE: i64 = 56;
    pub const CLONE3: i64 = 435;
    pub const PRLIMIT: i64 = 302;
    /// pidfd_open and socketpair, with which processes are started.
    pub const PIDFD: [i64; 2] = [434, 53];
    /// fork, vfork
    pub const FORKS: [i64; 2] = [57, 58];
    /// Sockets; other processes' memory and files; namespaces and mounts; shared memory; modules, clocks
    /// and names of the system; keys; groups and sessions, which an end by signal must reach.
    pub const DENIED: [i64; 52] = [
        41, 53, 425, 426, 427, // socket, socketpair, io_uring
        101, 310, 311, 312, 434, 438, // ptrace, process_vm, kcmp, pidfd
        165, 166, 155, 161, 272, 308, 428, 429, 430, 431, 432, 442, // mounts, namespaces
        29, 64, 68, 240, 319, 447, // shm, sem, msg, mq, memfd
        175, 313, 176, 246, 320, 169, 167, 168, 163,
        179, // modules, kexec, reboot, swap, acct, quota
        164, 227, 159, 305, 170, 171, // clocks, names
        248, 249, 250, // keys
        109, 112, // setpgid, setsid
        160, 304, // setrlimit, open_by_handle_at
    ];
    /// bpf, perf_event_open, userfaultfd
    pub const RISKY: [i64; 3] = [321, 298, 323];
}

#[cfg(target_arch = "aarch64")]
mod number {
    pub const ARCH: &str = "aarch64";
    pub const CLONE: i64 = 220;
    pub const CLONE3: i64 = 435;
    pub const PRLIMIT: i64 = 261;
    /// pidfd_open and socketpair, with which processes are started.
    pub const PIDFD: [i64; 2] = [434, 199];
    /// This interface has neither fork nor vfork.
    pub const FORKS: [i64; 0] = [];
    /// In the same order as for the other architecture.
    pub const DENIED: [i64; 52] = [
        198, 199, 425, 426, 427, // socket, socketpair, io_uring
        117, 270, 271, 272, 434, 438, // ptrace, process_vm, kcmp, pidfd
        40, 39, 41, 51, 97, 268, 428, 429, 430, 431, 432, 442, // mounts, namespaces
        194, 190, 186, 180, 279, 447, // shm, sem, msg, mq, memfd
        105, 273, 106, 104, 294, 142, 224, 225, 89,
        60, // modules, kexec, reboot, swap, acct, quota
        170, 112, 171, 266, 161, 162, // clocks, names
        217, 218, 219, // keys
        154, 157, // setpgid, setsid
        164, 265, // setrlimit, open_by_handle_at
    ];
    /// bpf, perf_event_open, userfaultfd
    pub const RISKY: [i64; 3] = [280, 241, 282];
}

/// Whether this kernel can enforce a policy; changes nothing.
///
/// # Errors
/// If it cannot, with what is missing.
pub fn supported() -> Result<(), Diagnostic> {
    ruleset().map(drop)?;
    filter(BTreeMap::new(), NOT_PERMITTED).map(drop)
}

/// Gives up what the policy does not grant, for this thread and all that it becomes and starts.
///
/// # Errors
/// If any part cannot be enforced; then nothing may be run.
pub fn restrict(policy: &Policy) -> Result<(), Diagnostic> {
    limit(Resource::As, policy.memory)?;
    limit(Resource::Fsize, policy.file)?;
    limit(Resource::Cpu, policy.seconds)?;
    limit(Resource::Core, 0)?;
    limit(Resource::Nofile, FILES)?;
    limit(Resource::Nproc, PROCESSES)?;

    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let devices = AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::MakeSock;
    let write = AccessFs::from_all(NEEDED) & !devices & !BitFlags::from(AccessFs::Execute);
    let write = match policy.processes {
        Processes::None => write,
        // What is built must run: build scripts do.
        Processes::Some => write | AccessFs::Execute,
    };
    let error = |error: landlock::RulesetError| refusal(&error.to_string());
    let status = ruleset()?
        .add_rules(path_beneath_rules(&policy.read, read))
        .and_then(|it| it.add_rules(path_beneath_rules(&policy.execute, read | AccessFs::Execute)))
        .and_then(|it| it.add_rules(path_beneath_rules(&policy.write, write)))
        .and_then(RulesetCreated::restrict_self)
        .map_err(error)?;
    if status.ruleset != RulesetStatus::FullyEnforced || !status.no_new_privs {
        return Err(refusal("the kernel enforces only a part of it"));
    }
    for program in filters(policy.processes)? {
        seccompiler::apply_filter(&program).map_err(|error| refusal(&error.to_string()))?;
    }
    Ok(())
}

fn ruleset() -> Result<RulesetCreated, Diagnostic> {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(NEEDED))
        .and_then(|it| it.handle_access(AccessNet::from_all(NEEDED)))
        .and_then(|it| it.scope(Scope::from_all(NEEDED)))
        .and_then(Ruleset::create)
        .map_err(|error| refusal(&error.to_string()))
}

fn limit(resource: Resource, most: u64) -> Result<(), Diagnostic> {
    let limit = Rlimit { current: Some(most), maximum: Some(most) };
    setrlimit(resource, limit).map_err(|error| refusal(&error.to_string()))
}

/// What is answered with an error: most calls that are not permitted, and `clone3`, whose flags
/// cannot be seen, as if it were not there, so that threads are made by `clone`.
fn filters(processes: Processes) -> Result<Vec<BpfProgram>, Diagnostic> {
    let mut denied: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in number::DENIED.into_iter().chain(number::RISKY) {
        denied.insert(call, Vec::new());
    }
    // Reading a limit is free, setting one is not: root could raise its own.
    denied.insert(number::PRLIMIT, vec![rule(2, SeccompCmpOp::Ne, 0)?]);
    let mut absent = BTreeMap::new();
    if processes == Processes::Some {
        // A program looks how it can start others before it starts one.
        number::PIDFD.iter().for_each(|call| drop(denied.remove(call)));
    }
    if processes == Processes::None {
        denied.extend(number::FORKS.map(|call| (call, Vec::new())));
        denied.insert(number::CLONE, vec![rule(0, SeccompCmpOp::MaskedEq(THREAD), 0)?]);
        absent.insert(number::CLONE3, Vec::new());
    }
    if number::ARCH == "x86_64" {
        let again: Vec<_> = denied.iter().map(|(call, it)| (call | X32, it.clone())).collect();
        denied.extend(again);
        absent.insert(number::CLONE3 | X32, Vec::new());
        // Calls that only the second door has.
        denied.extend((512..=547).map(|call| (call | X32, Vec::new())));
    }
    let mut programs = vec![filter(denied, NOT_PERMITTED)?];
    if !absent.is_empty() {
        programs.push(filter(absent, NO_SUCH_CALL)?);
    }
    Ok(programs)
}

fn rule(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, Diagnostic> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, operator, value)
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .map_err(|error| refusal(&error.to_string()))
}

fn filter(rules: BTreeMap<i64, Vec<SeccompRule>>, errno: u32) -> Result<BpfProgram, Diagnostic> {
    let error = |error: seccompiler::BackendError| refusal(&error.to_string());
    let arch = TargetArch::try_from(number::ARCH).map_err(error)?;
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno), arch)
        .and_then(TryInto::try_into)
        .map_err(error)
}

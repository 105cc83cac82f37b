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

const NOT_PERMITTED: u32 = libc::EPERM as u32;
const NO_SUCH_CALL: u32 = libc::ENOSYS as u32;
/// Flags of `clone` for a thread, and for one that has the files of the others.
const THREAD: u64 = libc::CLONE_THREAD as u64;
const SAME_FILES: u64 = libc::CLONE_FILES as u64;
/// Flag of the numbers of the x32 interface, a second door to the same calls.
const X32: i64 = 0x4000_0000;

/// Calls that are answered with an error, whatever their arguments.
const DENIED: [i64; 55] = [
    // Sockets.
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Memory and files of other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    // Namespaces and mounts.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    // Memory that is shared by name.
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_semget,
    libc::SYS_msgget,
    libc::SYS_mq_open,
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    // Modules, and what all processes of the system share.
    libc::SYS_init_module,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    // Keys.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // Groups and sessions, which an end by signal must reach.
    libc::SYS_setpgid,
    libc::SYS_setsid,
    // Files without their path, and what has much of the kernel behind it.
    libc::SYS_open_by_handle_at,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
];
/// With these, processes are started.
const STARTING: [i64; 2] = [libc::SYS_pidfd_open, libc::SYS_socketpair];

/// What one architecture has and the other has not, or not under every libc.
#[cfg(target_arch = "x86_64")]
mod own {
    pub const FORKS: &[i64] = &[libc::SYS_fork, libc::SYS_vfork];
    pub const DENIED: [i64; 2] = [libc::SYS_setrlimit, libc::SYS_kexec_file_load];
}

#[cfg(target_arch = "aarch64")]
mod own {
    /// This architecture forks by `clone` alone.
    pub const FORKS: &[i64] = &[];
    /// `__NR_setrlimit` and `__NR_kexec_file_load` of the kernel's asm-generic/unistd.h.
    pub const DENIED: [i64; 2] = [164, 294];
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
    for call in DENIED.into_iter().chain(own::DENIED) {
        denied.insert(call, Vec::new());
    }
    // Reading a limit is free, setting one is not: root could raise its own.
    denied.insert(libc::SYS_prlimit64, vec![rule(2, SeccompCmpOp::Ne, 0)?]);
    let mut absent = BTreeMap::new();
    if processes == Processes::Some {
        // A program looks how it can start others before it starts one.
        STARTING.iter().for_each(|call| drop(denied.remove(call)));
    }
    if processes == Processes::None {
        denied.extend(own::FORKS.iter().map(|&call| (call, Vec::new())));
        // A thread with files of its own, or a process that cannot be looked at, could hide how much
        // it writes.
        let dumpable = u64::try_from(libc::PR_SET_DUMPABLE).expect("it is a small number");
        denied.insert(libc::SYS_prctl, vec![rule(0, SeccompCmpOp::Eq, dumpable)?]);
        let without = |flag| rule(0, SeccompCmpOp::MaskedEq(flag), 0);
        denied.insert(libc::SYS_clone, vec![without(THREAD)?, without(SAME_FILES)?]);
        absent.insert(libc::SYS_clone3, Vec::new());
    }
    if cfg!(target_arch = "x86_64") {
        let again: Vec<_> = denied.iter().map(|(call, it)| (call | X32, it.clone())).collect();
        denied.extend(again);
        absent.insert(libc::SYS_clone3 | X32, Vec::new());
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
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(error)?;
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno), arch)
        .and_then(TryInto::try_into)
        .map_err(error)
}

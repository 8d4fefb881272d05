//! Compiling strangers' components: in a child process of the same binary.
//!
//! Compilation cannot be cancelled, and what it costs is the component's choice. So it happens in a child that limits its
//! own memory and time, gives way to everybody else, and dies with its parent. This is a guard against cost, not a
//! boundary of privilege.
//!
//! The child reads the component from its standard input and writes one [`Verdict`] byte, the fingerprint of its engine,
//! and then the code or what is wrong. Its engine is on demand: a pool reserves more address space than the child may
//! have. Both engines make the same code, and the fingerprint holds them to it.

use std::{
    io::{self, Read as _, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use domain::digest::Digest;
use wasmtime::{Engine, component::Component};

use crate::{
    cache::Cache,
    compiled,
    engine::{Machine, Reservation, on_demand},
    fault::bounded,
};

/// The word that makes this program compile and nothing else.
pub const CHILD_COMMAND: &str = "compile-component";

/// Tells the child that linear memories reserve no address space.
const NO_RESERVATION: &str = "no-reservation";

/// Address space of a child, in bytes.
const CHILD_MEMORY: u64 = 2 << 30;
/// Processor time of a child, in seconds, for each MiB that it is given or begins: twenty times what real plugins take.
const SECONDS_A_MIB: u64 = 10;
const MOST_SECONDS: u64 = 120;
/// How much longer than its processor time a child may take: it stands back for everybody else.
const PATIENCE: u32 = 3;
/// How often a wait for a child looks whether it is still worth it.
const SLICE: Duration = Duration::from_millis(100);
/// Most code that is taken from a child, in bytes.
const MOST_CODE: u64 = 512 << 20;
/// How far a child stands back for others.
const NICE: i32 = 10;

/// Who compiles components that do not come with this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compiler {
    /// A child process of the program at this path, which must be this program: see [`run_child`].
    Child(PathBuf),
    /// This process, without a limit on what it costs. For tests of what is no attack.
    Here,
}

impl Compiler {
    /// This program, even when its file was replaced by an upgrade.
    #[must_use]
    pub fn this_program() -> Self {
        let running = Path::new("/proc/self/exe");
        if running.exists() {
            return Self::Child(running.to_owned());
        }
        std::env::current_exe().map_or(Self::Here, Self::Child)
    }
}

/// Why a component has no code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompileError {
    /// The component's own fault.
    #[error("{0}")]
    Invalid(String),
    /// It has more of something than a sandbox has room for.
    #[error("{0}")]
    DoesNotFit(String),
    /// It cost more than a component may.
    #[error("compiling it took more than {seconds} s or {} MiB", CHILD_MEMORY >> 20)]
    TooCostly { seconds: u64 },
    /// This machine's trouble: it may pass.
    #[error("it could not be compiled here: {0}")]
    Machine(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Code = b'c' as isize,
    Invalid = b'i' as isize,
    Machine = b'm' as isize,
}

/// Makes code of `bytes` for `engine`.
pub(crate) fn compile(
    compiler: &Compiler,
    cache: Option<&Cache>,
    machine: &Machine,
    bytes: &[u8],
    stop: &AtomicBool,
) -> Result<Component, CompileError> {
    let engine = &machine.engine;
    // The code is right for this engine, so what keeps it out is the pool: more tables, instances or memory than it has.
    let take_in = |code: &[u8]| {
        compiled::load(engine, code).map_err(|error| CompileError::DoesNotFit(bounded(&format!("{error:#}"))))
    };
    let Compiler::Child(program) = compiler else {
        let code = engine.precompile_component(bytes).map_err(|error| invalid(&error))?;
        return take_in(&code);
    };
    let (digest, fingerprint) = (Digest::of(bytes), fingerprint(engine));
    if let Some(code) = cache.and_then(|cache| cache.get(digest, fingerprint))
        && let Ok(component) = compiled::load(engine, &code)
    {
        return Ok(component);
    }
    let code = ask_child(program, machine, bytes, stop)?;
    let component = take_in(&code)?;
    if let Some(cache) = cache {
        cache.put(digest, fingerprint, &code);
    }
    Ok(component)
}

/// What says that code of one engine is code for another.
pub(crate) fn fingerprint(engine: &Engine) -> Digest {
    struct Feed(Vec<u8>);
    impl std::hash::Hasher for Feed {
        fn write(&mut self, bytes: &[u8]) {
            self.0.extend_from_slice(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut feed = Feed(Vec::new());
    std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut feed);
    Digest::of(&feed.0)
}

fn invalid(error: &wasmtime::Error) -> CompileError {
    CompileError::Invalid(bounded(&format!("{error:#}")))
}

fn ask_child(program: &Path, machine: &Machine, bytes: &[u8], stop: &AtomicBool) -> Result<Vec<u8>, CompileError> {
    let trouble = |what: &str, error: &io::Error| CompileError::Machine(format!("{what}: {error}"));
    let seconds = seconds(bytes);
    let too_costly = || CompileError::TooCostly { seconds };
    let mut child = Command::new(program)
        .args([CHILD_COMMAND, &seconds.to_string()])
        .args((machine.reservation == Reservation::Nothing).then_some(NO_RESERVATION))
        // Nothing of ours is any of its business: keys lie in the environment.
        .env_clear()
        // Stacks and arenas of many threads would use up the address space.
        .env("RAYON_NUM_THREADS", "2")
        .env("MALLOC_ARENA_MAX", "2")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| trouble("the compiler's process does not start", &error))?;
    let answer = converse(&mut child, bytes, Duration::from_secs(seconds) * PATIENCE, stop);
    // Whatever it was: nothing of it stays behind. It is gone already when all went well.
    let _ = child.kill();
    let status = child.wait().map_err(|error| trouble("the compiler's process is lost", &error))?;
    let answer = answer.map_err(|error| {
        if error.kind() == io::ErrorKind::TimedOut { too_costly() } else { trouble("no answer", &error) }
    })?;
    verdict(answer, status, &machine.engine, too_costly)
}

/// Processor time for a component of this size.
fn seconds(bytes: &[u8]) -> u64 {
    let mib = (bytes.len() as u64).div_ceil(1 << 20).max(1);
    mib.saturating_mul(SECONDS_A_MIB).min(MOST_SECONDS)
}

/// Writes the component and reads the answer, at the same time: neither pipe holds all of it.
fn converse(child: &mut Child, bytes: &[u8], patience: Duration, stop: &AtomicBool) -> io::Result<Vec<u8>> {
    let lost = || io::Error::other("a pipe is missing");
    let mut to = child.stdin.take().ok_or_else(lost)?;
    let from = child.stdout.take().ok_or_else(lost)?;
    thread::scope(|scope| {
        let (done, answered) = mpsc::channel();
        scope.spawn(move || {
            let mut answer = Vec::new();
            let read = from.take(MOST_CODE).read_to_end(&mut answer).map(|_| answer);
            // Nobody listens when the wait was over first.
            let _ = done.send(read);
        });
        scope.spawn(move || {
            // A child that died early does not read: its answer tells.
            let _ = to.write_all(bytes);
        });
        let until = Instant::now() + patience;
        let answer = loop {
            match answered.recv_timeout(SLICE) {
                Err(mpsc::RecvTimeoutError::Timeout) if Instant::now() < until && !stop.load(Ordering::Relaxed) => {}
                answer => break answer,
            }
        };
        if answer.is_err() {
            // Closes its ends of the pipes, so that both threads come to an end.
            let _ = child.kill();
        }
        answer.unwrap_or_else(|_| {
            let ending = stop.load(Ordering::Relaxed);
            Err(if ending { io::Error::other("this program is ending") } else { io::ErrorKind::TimedOut.into() })
        })
    })
}

fn verdict(
    mut answer: Vec<u8>,
    status: ExitStatus,
    engine: &Engine,
    too_costly: impl Fn() -> CompileError,
) -> Result<Vec<u8>, CompileError> {
    let Some(first) = answer.first().copied() else {
        // It could not even say what was wrong: its limits ended it, or somebody else did.
        if was_killed(status) {
            return Err(CompileError::Machine("the compiler's process was killed".to_owned()));
        }
        return Err(too_costly());
    };
    if first != Verdict::Code as u8 {
        let text = bounded(&String::from_utf8_lossy(answer.get(1..).unwrap_or_default()));
        let is_invalid = first == Verdict::Invalid as u8;
        return Err(if is_invalid { CompileError::Invalid(text) } else { CompileError::Machine(text) });
    }
    if !status.success() {
        return Err(too_costly());
    }
    if answer.get(1..33) != Some(&fingerprint(engine).as_bytes()[..]) {
        return Err(CompileError::Machine("the compiler is another version of this program".to_owned()));
    }
    answer.drain(..33);
    Ok(answer)
}

/// By a signal that its own limits do not send: most likely this machine is out of memory.
fn was_killed(status: ExitStatus) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        const KILL: i32 = 9;
        status.signal() == Some(KILL)
    }
    #[cfg(not(unix))]
    {
        let _ = status;
        false
    }
}

/// The child's whole life: call it before anything else when the program's first argument is [`CHILD_COMMAND`].
///
/// # Errors
///
/// When its pipes are broken. What is wrong with the component is part of the answer.
pub fn run_child() -> io::Result<()> {
    let seconds = std::env::args().nth(2).and_then(|seconds| seconds.parse().ok()).unwrap_or(MOST_SECONDS);
    limit(seconds.min(MOST_SECONDS))?;
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    let mut out = io::stdout().lock();
    let reservation = match std::env::args().nth(3) {
        Some(word) if word == NO_RESERVATION => Reservation::Nothing,
        _ => Reservation::Whole,
    };
    let engine = match on_demand(reservation) {
        Ok(engine) => engine,
        Err(error) => return answer(&mut out, Verdict::Machine, &[error.to_string().as_bytes()]),
    };
    match catch_unwind(AssertUnwindSafe(|| engine.precompile_component(&bytes))) {
        Ok(Ok(code)) => answer(&mut out, Verdict::Code, &[fingerprint(&engine).as_bytes(), &code]),
        Ok(Err(error)) => answer(&mut out, Verdict::Invalid, &[format!("{error:#}").as_bytes()]),
        Err(_) => answer(&mut out, Verdict::Invalid, &[b"the compiler does not get along with it"]),
    }
}

fn answer(out: &mut impl Write, verdict: Verdict, parts: &[&[u8]]) -> io::Result<()> {
    out.write_all(&[verdict as u8])?;
    parts.iter().try_for_each(|part| out.write_all(part))?;
    out.flush()
}

#[cfg(target_os = "linux")]
fn limit(seconds: u64) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, Signal, getrlimit, nice, set_parent_process_death_signal, setrlimit};
    // Where less is allowed already, it stays at that.
    let at_most = |resource, most: u64, grace: u64| {
        let least = |most: u64| getrlimit(resource).maximum.map_or(most, |allowed| allowed.min(most));
        setrlimit(resource, Rlimit { current: Some(least(most)), maximum: Some(least(most + grace)) })
    };
    at_most(Resource::As, CHILD_MEMORY, 0)?;
    // A second later it would be killed: the signal before that tells the two apart.
    at_most(Resource::Cpu, seconds, 1)?;
    at_most(Resource::Core, 0, 0)?;
    // A gateway that was killed must not leave a compiler running.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // Standing back is a courtesy: where it is not allowed, the limits still hold.
    let _ = nice(NICE);
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn limit(_: u64) -> io::Result<()> {
    Ok(())
}

//! WASI that grants nothing, for components of ordinary toolchains: they import it whether they use it or not.
//!
//! Linked is what is harmless and can be answered from the call's own inputs. The environment is empty, standard input is
//! at its end, the clock says when the host began to decide, random numbers follow from the request's seed, both only
//! where the plugin may read them. Standard output and error go to the plugin's log, a little of them; leaving the
//! program ends the call, and so does waiting for anything. There are no sockets, files or HTTP: a component that imports
//! those is refused before it is compiled.
//!
//! The types are wasmtime-wasi's, the implementation is not: its synchronous one waits on a runtime, and panics where
//! that runtime's own threads call it.

use wasmtime::component::{HasSelf, Linker, Resource};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, DynPollable, StreamError, StreamResult,
    bindings::{
        cli::{
            environment, exit, stderr, stdin, stdout, terminal_input, terminal_output, terminal_stderr, terminal_stdin,
            terminal_stdout,
        },
        clocks::{monotonic_clock, wall_clock},
        random::{insecure, insecure_seed, random},
        sync::io::{error, poll, streams},
    },
};

use crate::call::Guard;

/// Packages and interfaces that a component may import, in any 0.2 version.
pub(crate) const ALLOWED: [&str; 17] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/stderr",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/terminal-stderr",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:io/error",
    "wasi:io/streams",
    "wasi:random/random",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
];
/// Only its resource type is of use: whoever waits is ended.
pub(crate) const POLL: &str = "wasi:io/poll";

/// Most that one call may log, in bytes. What is beyond is swallowed.
pub(crate) const LOG: usize = 4 << 10;
/// Most random bytes at once.
const RANDOM: u64 = 64 << 10;

const STDOUT: u32 = 1;
const STDERR: u32 = 2;

/// What one call sees of the world, and what it said.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// Milliseconds since 1970-01-01 UTC.
    now_ms: u64,
    random: u64,
    seed: u64,
    log: Vec<u8>,
}

/// The guest called `exit`.
#[derive(Debug, thiserror::Error)]
#[error("left the program")]
pub(crate) struct Exited;

/// The guest wanted to wait.
#[derive(Debug, thiserror::Error)]
#[error("waited, and a plugin has nothing to wait for")]
pub(crate) struct Waited;

impl World {
    /// As much of the moment as the plugin may read: 0 is what it may not.
    pub(crate) fn new(now_ms: u64, seed: u64) -> Self {
        Self { now_ms, random: seed, seed, log: Vec::new() }
    }

    pub(crate) fn into_log(self) -> Vec<u8> {
        self.log
    }

    fn say(&mut self, bytes: &[u8]) {
        let room = LOG.saturating_sub(self.log.len());
        self.log.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// SplitMix64: the same seed gives the same numbers everywhere.
    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        if length > RANDOM {
            return Err(wasmtime::Error::msg("more random bytes than a plugin gets"));
        }
        let length = length as usize;
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(length);
        Ok(bytes)
    }
}

/// Links what is allowed, and nothing else.
pub(crate) fn link(linker: &mut Linker<Guard>) -> wasmtime::Result<()> {
    let world: fn(&mut Guard) -> &mut World = |guard| &mut guard.world;
    environment::add_to_linker::<_, HasSelf<World>>(linker, world)?;
    exit::add_to_linker::<_, HasSelf<World>>(linker, world)?;
    stdin::add_to_linker::<_, HasSelf<World>>(linker, world)?;
    stdout::add_to_linker::<_, HasSelf<World>>(linker, world)?;
    stderr::add_to_linker::<_, HasSelf<World>>(linker, world)?;
    terminal_input::add_to_linker::<_, HasSelf<World>>(linker, world)?;
    terminal_output::add_to_linker::<_, HasSelf<World>>(linker, world)?;
    terminal_stdin::add_to_linker::<_, HasSelf<World>>(linker, world)?;
    terminal_stdout::add_to_linker::<_, HasSelf<World>>(linker, world)?;
    terminal_stderr::add_to_linker::<_, HasSelf<World>>(linker, world)?;
    monotonic_clock::add_to_linker::<_, HasSelf<World>>(linker, world)?;
    wall_clock::add_to_linker::<_, HasSelf<World>>(linker, world)?;
    random::add_to_linker::<_, HasSelf<World>>(linker, world)?;
    insecure::add_to_linker::<_, HasSelf<World>>(linker, world)?;
    insecure_seed::add_to_linker::<_, HasSelf<World>>(linker, world)?;
    error::add_to_linker::<_, HasSelf<World>>(linker, world)?;
    poll::add_to_linker::<_, HasSelf<World>>(linker, world)?;
    streams::add_to_linker::<_, HasSelf<World>>(linker, world)
}

impl environment::Host for World {
    fn get_environment(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        Ok(Vec::new())
    }

    fn get_arguments(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn initial_cwd(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(None)
    }
}

impl exit::Host for World {
    fn exit(&mut self, _: Result<(), ()>) -> wasmtime::Result<()> {
        Err(Exited.into())
    }

    fn exit_with_code(&mut self, _: u8) -> wasmtime::Result<()> {
        Err(Exited.into())
    }
}

impl stdin::Host for World {
    fn get_stdin(&mut self) -> wasmtime::Result<Resource<DynInputStream>> {
        Ok(Resource::new_own(0))
    }
}

impl stdout::Host for World {
    fn get_stdout(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        Ok(Resource::new_own(STDOUT))
    }
}

impl stderr::Host for World {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        Ok(Resource::new_own(STDERR))
    }
}

impl terminal_input::Host for World {}

impl terminal_input::HostTerminalInput for World {
    fn drop(&mut self, _: Resource<terminal_input::TerminalInput>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl terminal_output::Host for World {}

impl terminal_output::HostTerminalOutput for World {
    fn drop(&mut self, _: Resource<terminal_output::TerminalOutput>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl terminal_stdin::Host for World {
    fn get_terminal_stdin(&mut self) -> wasmtime::Result<Option<Resource<terminal_input::TerminalInput>>> {
        Ok(None)
    }
}

impl terminal_stdout::Host for World {
    fn get_terminal_stdout(&mut self) -> wasmtime::Result<Option<Resource<terminal_output::TerminalOutput>>> {
        Ok(None)
    }
}

impl terminal_stderr::Host for World {
    fn get_terminal_stderr(&mut self) -> wasmtime::Result<Option<Resource<terminal_output::TerminalOutput>>> {
        Ok(None)
    }
}

impl wall_clock::Host for World {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        let nanoseconds = (self.now_ms % 1_000) as u32 * 1_000_000;
        Ok(wall_clock::Datetime { seconds: self.now_ms / 1_000, nanoseconds })
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        Ok(wall_clock::Datetime { seconds: 0, nanoseconds: 1_000_000 })
    }
}

/// It stands still: how long a plugin takes is none of its inputs.
impl monotonic_clock::Host for World {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(0)
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1_000_000)
    }

    fn subscribe_instant(&mut self, _: u64) -> wasmtime::Result<Resource<DynPollable>> {
        Err(Waited.into())
    }

    fn subscribe_duration(&mut self, _: u64) -> wasmtime::Result<Resource<DynPollable>> {
        Err(Waited.into())
    }
}

impl random::Host for World {
    fn get_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.bytes(length)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.next())
    }
}

impl insecure::Host for World {
    fn get_insecure_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.bytes(length)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.next())
    }
}

impl insecure_seed::Host for World {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok((self.seed, !self.seed))
    }
}

impl error::Host for World {}

impl error::HostError for World {
    fn to_debug_string(&mut self, _: Resource<wasmtime_wasi::p2::IoError>) -> wasmtime::Result<String> {
        Ok(String::new())
    }

    fn drop(&mut self, _: Resource<wasmtime_wasi::p2::IoError>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl poll::Host for World {
    fn poll(&mut self, _: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        Err(Waited.into())
    }
}

impl poll::HostPollable for World {
    fn ready(&mut self, _: Resource<DynPollable>) -> wasmtime::Result<bool> {
        Err(Waited.into())
    }

    fn block(&mut self, _: Resource<DynPollable>) -> wasmtime::Result<()> {
        Err(Waited.into())
    }

    fn drop(&mut self, _: Resource<DynPollable>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl streams::Host for World {
    fn convert_stream_error(&mut self, error: StreamError) -> wasmtime::Result<streams::StreamError> {
        match error {
            StreamError::Closed => Ok(streams::StreamError::Closed),
            StreamError::LastOperationFailed(error) | StreamError::Trap(error) => Err(error),
        }
    }
}

/// Standard input: at its end.
impl streams::HostInputStream for World {
    fn read(&mut self, _: Resource<DynInputStream>, _: u64) -> StreamResult<Vec<u8>> {
        Err(StreamError::Closed)
    }

    fn blocking_read(&mut self, _: Resource<DynInputStream>, _: u64) -> StreamResult<Vec<u8>> {
        Err(StreamError::Closed)
    }

    fn skip(&mut self, _: Resource<DynInputStream>, _: u64) -> StreamResult<u64> {
        Err(StreamError::Closed)
    }

    fn blocking_skip(&mut self, _: Resource<DynInputStream>, _: u64) -> StreamResult<u64> {
        Err(StreamError::Closed)
    }

    fn subscribe(&mut self, _: Resource<DynInputStream>) -> wasmtime::Result<Resource<DynPollable>> {
        Err(Waited.into())
    }

    fn drop(&mut self, _: Resource<DynInputStream>) -> wasmtime::Result<()> {
        Ok(())
    }
}

/// Standard output and error: the plugin's log, which always has room and keeps a little.
impl streams::HostOutputStream for World {
    fn check_write(&mut self, _: Resource<DynOutputStream>) -> StreamResult<u64> {
        Ok(LOG as u64)
    }

    fn write(&mut self, _: Resource<DynOutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        self.say(&bytes);
        Ok(())
    }

    fn blocking_write_and_flush(&mut self, _: Resource<DynOutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        self.say(&bytes);
        Ok(())
    }

    fn flush(&mut self, _: Resource<DynOutputStream>) -> StreamResult<()> {
        Ok(())
    }

    fn blocking_flush(&mut self, _: Resource<DynOutputStream>) -> StreamResult<()> {
        Ok(())
    }

    fn subscribe(&mut self, _: Resource<DynOutputStream>) -> wasmtime::Result<Resource<DynPollable>> {
        Err(Waited.into())
    }

    fn write_zeroes(&mut self, _: Resource<DynOutputStream>, _: u64) -> StreamResult<()> {
        Ok(())
    }

    fn blocking_write_zeroes_and_flush(&mut self, _: Resource<DynOutputStream>, _: u64) -> StreamResult<()> {
        Ok(())
    }

    fn splice(&mut self, _: Resource<DynOutputStream>, _: Resource<DynInputStream>, _: u64) -> StreamResult<u64> {
        Err(StreamError::Closed)
    }

    fn blocking_splice(
        &mut self,
        _: Resource<DynOutputStream>,
        _: Resource<DynInputStream>,
        _: u64,
    ) -> StreamResult<u64> {
        Err(StreamError::Closed)
    }

    fn drop(&mut self, _: Resource<DynOutputStream>) -> wasmtime::Result<()> {
        Ok(())
    }
}

//! The two engines, their settings, and the clocks that end calls which outstay their deadline.
//!
//! Small plugins without imports run in the fast tier, inline on a request's thread. Whatever needs WASI, or is large, or
//! is slow, runs in the slow tier: an engine with a pool of its own, so that it takes no sandbox from the others. The two
//! differ in their pools only, so code compiled for one is code for the other; objects of the two are never mixed.

use std::{
    path::Path,
    sync::{Arc, OnceLock, atomic::AtomicBool, mpsc},
    thread,
    time::Duration,
};

use serde::Serialize;
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy, component::Linker,
};

use crate::{cache::Cache, call::Guard, compile::Compiler, prices, wasi};

/// What an epoch is: the grain of a call's deadline.
pub(crate) const EPOCH: Duration = Duration::from_millis(1);

/// Of operator costs and limits: with the same policy, runtime and inputs a call takes the same fuel.
pub const POLICY: u16 = 1;

/// Kept resident between calls, so that the first touches of a page fault nothing: a bundled plugin's whole memory.
pub(crate) const RESIDENT: usize = 192 << 10;
/// The same for tables.
pub(crate) const TABLES_RESIDENT: usize = 16 << 10;
/// Stack of a call, in bytes.
const STACK: usize = 256 << 10;

/// Most core instances, memories and tables of one component. Encoded plugins have two or three, one and one; a component
/// with WASI's adapter has a few more instances.
const INSTANCES: u32 = 32;
pub(crate) const MEMORIES: u32 = 1;
pub(crate) const TABLES: u32 = 4;

/// Where a plugin's calls run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// Inline, in tens of microseconds.
    Fast,
    /// Behind a gate, in milliseconds.
    Slow,
}

impl Tier {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Slow => "slow",
        }
    }

    /// Largest linear memory that any limit may allow, in bytes.
    pub(crate) fn most_memory(self) -> usize {
        match self {
            Self::Fast => 16 << 20,
            Self::Slow => 256 << 20,
        }
    }

    /// Slots to try in turn. Calls run inline, so live instances are about as many as threads; each slot reserves 4 GiB
    /// of address space, which a limit on it may refuse.
    fn slots(self) -> &'static [u32] {
        match self {
            Self::Fast => &[128, 32, 8],
            Self::Slow => &[32, 8],
        }
    }
}

/// Runs plugins. Cheap to clone; the last clone ends the clocks.
#[derive(Clone)]
pub struct Sandbox {
    fast: Arc<Machine>,
    /// Made when the first plugin needs it.
    slow: Arc<OnceLock<Machine>>,
    pub(crate) compiler: Compiler,
    pub(crate) cache: Option<Arc<Cache>>,
    /// Set when nothing is worth waiting for any more.
    pub(crate) stop: Arc<AtomicBool>,
}

/// One tier's engine.
pub(crate) struct Machine {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<Guard>,
    _clock: Clock,
    allocator: &'static str,
    pub(crate) reservation: Reservation,
}

/// An engine could not be made.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("cannot prepare the WebAssembly engine")]
    Engine(#[source] wasmtime::Error),
    #[error("cannot start the sandbox clock")]
    Clock(#[source] std::io::Error),
}

impl Sandbox {
    /// Plugins that are not bundled are compiled by `compiler`.
    ///
    /// # Errors
    ///
    /// When this machine cannot run the engine even without a pool.
    pub fn new(compiler: Compiler) -> Result<Self, EngineError> {
        let fast = Arc::new(Machine::new(Tier::Fast)?);
        Ok(Self { fast, slow: Arc::new(OnceLock::new()), compiler, cache: None, stop: Arc::default() })
    }

    /// Keeps compiled code in `folder`. Where that cannot be used, everything is compiled, and the log says so.
    #[must_use]
    pub fn with_cache(mut self, folder: &Path) -> Self {
        match Cache::open(folder) {
            Ok(cache) => self.cache = Some(Arc::new(cache)),
            Err(error) => tracing::warn!(folder = %folder.display(), %error, "no place for compiled code"),
        }
        self
    }

    /// `pooling`, or `on-demand` where the address space is limited: slower, as safe.
    #[must_use]
    pub fn allocator(&self) -> &'static str {
        self.fast.allocator
    }

    pub(crate) fn machine(&self, tier: Tier) -> Result<&Machine, EngineError> {
        match tier {
            Tier::Fast => Ok(&self.fast),
            Tier::Slow => match self.slow.get() {
                Some(machine) => Ok(machine),
                None => {
                    let machine = Machine::new(Tier::Slow)?;
                    Ok(self.slow.get_or_init(|| machine))
                }
            },
        }
    }
}

impl Machine {
    fn new(tier: Tier) -> Result<Self, EngineError> {
        let (engine, allocator) = pooled(tier)?;
        let mut linker = Linker::new(&engine);
        if tier == Tier::Slow {
            wasi::link(&mut linker).map_err(EngineError::Engine)?;
        }
        let clock = Clock::start(engine.clone()).map_err(EngineError::Clock)?;
        let reservation = if allocator == "pooling" { Reservation::Whole } else { Reservation::Nothing };
        Ok(Self { engine, linker, _clock: clock, allocator, reservation })
    }
}

/// How much address space a linear memory gets before it needs any. It changes the code, so the compiler must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reservation {
    /// 4 GiB: no access needs a check.
    Whole,
    /// None: for machines that limit the address space.
    Nothing,
}

/// An engine with the largest pool that this machine's address space allows.
fn pooled(tier: Tier) -> Result<(Engine, &'static str), EngineError> {
    for slots in tier.slots() {
        if let Ok(engine) = Engine::new(&config(Some((tier, *slots)), Reservation::Whole)) {
            return Ok((engine, "pooling"));
        }
    }
    tracing::warn!(tier = tier.word(), "no address space for a pool of sandboxes: plugins run slower");
    Ok((on_demand(Reservation::Nothing)?, "on-demand"))
}

/// An engine without a pool: for compiling, where the address space is limited on purpose.
pub(crate) fn on_demand(reservation: Reservation) -> Result<Engine, EngineError> {
    Engine::new(&config(None, reservation)).map_err(EngineError::Engine)
}

fn config(pool: Option<(Tier, u32)>, reservation: Reservation) -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .consume_fuel(true)
        .operator_cost(prices::table())
        .epoch_interruption(true)
        .concurrency_support(false)
        .max_wasm_stack(STACK)
        // The same inputs give the same answer on every machine.
        .cranelift_nan_canonicalization(true)
        .native_unwind_info(false)
        // What no plugin needs is off: most of a runtime's defects live there.
        .wasm_threads(false)
        .shared_memory(false)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_exceptions(false)
        .wasm_relaxed_simd(false)
        .wasm_stack_switching(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false)
        .wasm_tail_call(false);
    if reservation == Reservation::Nothing {
        config
            .memory_reservation(0)
            .memory_reservation_for_growth(1 << 20)
            .memory_guard_size(0)
            .guard_before_linear_memory(false);
    }
    match pool {
        None => config.allocation_strategy(InstanceAllocationStrategy::OnDemand),
        Some((tier, slots)) => {
            let mut pool = PoolingAllocationConfig::new();
            pool.total_component_instances(slots)
                .total_core_instances(slots * 8)
                .total_memories(slots)
                .total_tables(slots * 4)
                // One component must not take the pool from the others.
                .max_core_instances_per_component(INSTANCES)
                .max_memories_per_component(MEMORIES)
                .max_tables_per_component(TABLES)
                .max_memory_size(tier.most_memory())
                .linear_memory_keep_resident(RESIDENT)
                .table_keep_resident(TABLES_RESIDENT)
                .max_unused_warm_slots(slots);
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        }
    };
    config
}

/// A thread that counts epochs until it is dropped.
struct Clock {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Clock {
    fn start(engine: Engine) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = thread::Builder::new().name("muxel-epoch".to_owned()).spawn(move || {
            while stopped.recv_timeout(EPOCH) == Err(mpsc::RecvTimeoutError::Timeout) {
                engine.increment_epoch();
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It only sleeps and counts: joining takes an epoch at most.
            let _ = thread.join();
        }
    }
}

//! The one engine, its settings, and the clock that ends calls which outstay their deadline.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy, component::Linker,
};

use crate::{call::Guard, prices};

/// What an epoch is: the grain of a call's deadline.
pub(crate) const EPOCH: Duration = Duration::from_millis(1);

/// Largest linear memory any limit may allow, in bytes.
const POOL_MEMORY: usize = 16 << 20;
/// Kept resident between calls, so that the first touches of a page fault nothing: a bundled plugin's whole memory.
const POOL_RESIDENT: usize = 192 << 10;
/// Slots to try in turn. Calls run inline, so live instances are about as many as threads; each slot reserves 4 GiB of
/// address space, which a limit on it may refuse.
const POOL_SLOTS: [u32; 3] = [128, 32, 8];

/// Most core instances, memories and tables of one component. Encoded plugins have two or three, one and one.
const INSTANCES: u32 = 8;
pub(crate) const MEMORIES: u32 = 1;
pub(crate) const TABLES: u32 = 4;

/// Runs plugins. Cheap to clone; the last clone ends the clock.
#[derive(Clone)]
pub struct Sandbox {
    pub(crate) engine: Engine,
    pub(crate) linker: Arc<Linker<Guard>>,
    _clock: Arc<Clock>,
    allocator: &'static str,
}

/// The engine could not be made.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("cannot prepare the WebAssembly engine")]
    Engine(#[source] wasmtime::Error),
    #[error("cannot start the sandbox clock")]
    Clock(#[source] std::io::Error),
}

impl Sandbox {
    /// # Errors
    ///
    /// When this machine cannot run the engine even without a pool.
    pub fn new() -> Result<Self, EngineError> {
        let (engine, allocator) = engine()?;
        let clock = Clock::start(engine.clone()).map_err(EngineError::Clock)?;
        let linker = Arc::new(Linker::new(&engine));
        Ok(Self { engine, linker, _clock: Arc::new(clock), allocator })
    }

    /// `pooling`, or `on-demand` where the address space is limited: slower, as safe.
    #[must_use]
    pub fn allocator(&self) -> &'static str {
        self.allocator
    }
}

fn engine() -> Result<(Engine, &'static str), EngineError> {
    for slots in POOL_SLOTS {
        if let Ok(engine) = Engine::new(&config(Some(slots))) {
            return Ok((engine, "pooling"));
        }
    }
    tracing::warn!("no address space for a pool of sandboxes: plugins run slower");
    Engine::new(&config(None)).map(|engine| (engine, "on-demand")).map_err(EngineError::Engine)
}

fn config(slots: Option<u32>) -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .consume_fuel(true)
        .operator_cost(prices::table())
        .epoch_interruption(true)
        .concurrency_support(false)
        .max_wasm_stack(256 << 10)
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
    match slots {
        None => config.allocation_strategy(InstanceAllocationStrategy::OnDemand),
        Some(slots) => {
            let mut pool = PoolingAllocationConfig::new();
            pool.total_component_instances(slots)
                .total_core_instances(slots * 4)
                .total_memories(slots)
                .total_tables(slots * 4)
                // One component must not take the pool from the others.
                .max_core_instances_per_component(INSTANCES)
                .max_memories_per_component(MEMORIES)
                .max_tables_per_component(TABLES)
                .max_memory_size(POOL_MEMORY)
                .linear_memory_keep_resident(POOL_RESIDENT)
                .table_keep_resident(16 << 10)
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

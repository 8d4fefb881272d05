//! The gate before plugins of the slow tier.
//!
//! Deciding runs inline on a worker thread. A slow plugin would hold that thread for milliseconds and keep other requests
//! from it, so whoever asks one first takes a place here and then lets the runtime bring another thread in. There are few
//! places: threads are bounded, and slow plugins cannot take the processor from the fast ones. Who gets no place in time
//! decides without the slow plugins, and the record says that they were busy.

use std::time::Duration;

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::Semaphore,
};

/// Longest wait for a place.
const PATIENCE: Duration = Duration::from_millis(250);
/// Fewest places.
const FEWEST: usize = 2;

pub(crate) struct Gate {
    places: Semaphore,
}

impl Gate {
    /// A place for each processor.
    pub(crate) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(FEWEST, usize::from);
        Self { places: Semaphore::new(processors.max(FEWEST)) }
    }

    /// Runs `decide`, telling it whether it may ask slow plugins. `is_slow` says whether it wants to.
    pub(crate) async fn pass<T>(&self, is_slow: bool, decide: impl FnOnce(bool) -> T) -> T {
        if !is_slow {
            return decide(true);
        }
        let Ok(Ok(_place)) = tokio::time::timeout(PATIENCE, self.places.acquire()).await else { return decide(false) };
        match Handle::current().runtime_flavor() {
            RuntimeFlavor::CurrentThread => decide(true),
            _ => tokio::task::block_in_place(|| decide(true)),
        }
    }
}

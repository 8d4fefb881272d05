//! Whether the caller still waits.
//!
//! A request runs in its own task; the connection only waits for it. When the caller leaves, the attempt under way is
//! finished and settled, and no further one goes out.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// The task's side: asks whether anyone still waits.
#[derive(Clone, Debug)]
pub struct CallerPresence(Arc<AtomicBool>);

/// The connection's side: dropping it says that the caller has left.
#[derive(Debug)]
pub struct CallerGuard(Arc<AtomicBool>);

impl CallerPresence {
    #[must_use]
    pub fn new() -> (Self, CallerGuard) {
        let left = Arc::new(AtomicBool::new(false));
        (Self(Arc::clone(&left)), CallerGuard(left))
    }

    /// A caller who never leaves.
    #[must_use]
    pub fn steady() -> Self {
        Self(Arc::default())
    }

    #[must_use]
    pub fn left(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for CallerGuard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_guard_means_left() {
        let (caller, guard) = CallerPresence::new();
        assert!(!caller.left());
        drop(guard);
        assert!(caller.left());
        assert!(!CallerPresence::steady().left());
    }
}

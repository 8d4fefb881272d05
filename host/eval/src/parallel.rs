//! A batch shared by the machine's processors.

/// What `one` makes of each, in order. Nothing may depend on who was done when.
pub(crate) fn map<T: Sync, R: Send>(batch: &[T], one: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let one = &one;
    std::thread::scope(|scope| {
        let working: Vec<_> = batch
            .chunks(batch.len().div_ceil(threads).max(1))
            .map(|chunk| {
                scope.spawn(move || {
                    sandbox::prepare_thread();
                    chunk.iter().map(one).collect::<Vec<_>>()
                })
            })
            .collect();
        let joined = working.into_iter().map(|thread| thread.join());
        joined.flat_map(|joined| joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

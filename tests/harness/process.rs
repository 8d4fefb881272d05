//! What a process holds: its threads and its resident memory, as its kernel counts them.

/// One look at `/proc/PID/status`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Footprint {
    pub(crate) threads: u64,
    pub(crate) resident: u64,
}

impl Footprint {
    pub(crate) fn of(pid: u32) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
        let field = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel says so");
            line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
        };
        Self { threads: field("Threads:"), resident: field("VmRSS:") << 10 }
    }

    /// Panics when `self` holds noticeably more than `before`. A worker thread may start late, and an allocator keeps what
    /// it has once had; a guest's memory or a thread for each call would be far more than this.
    pub(crate) fn is_as(self, before: Self) {
        assert!(self.threads <= before.threads + 2, "threads: {before:?}, then {self:?}");
        assert!(self.resident <= before.resident + (12 << 20), "resident: {before:?}, then {self:?}");
    }
}

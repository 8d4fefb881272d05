//! An allocator for guests that live for one call.
//!
//! A sandbox is thrown away after each call, so little is gained by giving memory back: blocks are cut off one after
//! another, and only the newest one can be freed or change its size in place. Beside the standard allocator this saves
//! 8 KiB of code and, because the rest of the initial memory is used before more is asked for, about half the time of a
//! small call.
//!
//! A plugin that allocates and frees far more than it keeps may run into its memory limit. It builds the SDK with
//! `default-features = false` and has the standard allocator again.

use std::alloc::Layout;

/// Bytes in a page of WebAssembly memory.
const PAGE: usize = 64 * 1024;

/// Memory that nobody has yet: from `next` to `end`.
struct Heap {
    next: usize,
    end: usize,
}

impl Heap {
    /// The address of a new block. `grow` adds so many pages to memory and says where they begin.
    fn take(&mut self, layout: Layout, grow: impl FnOnce(usize) -> Option<usize>) -> Option<usize> {
        if self.cut(layout).is_none() {
            let pages = layout.size().checked_add(layout.align())?.div_ceil(PAGE);
            let begin = grow(pages)?;
            if begin != self.end {
                // Somebody else has grown memory in between, and what is before is theirs.
                self.next = begin;
            }
            self.end = begin.checked_add(pages.checked_mul(PAGE)?)?;
        }
        let start = self.cut(layout)?;
        self.next = start + layout.size();
        Some(start)
    }

    /// Where a block would begin, if there is room for it.
    fn cut(&self, layout: Layout) -> Option<usize> {
        let start = self.next.checked_next_multiple_of(layout.align())?;
        start.checked_add(layout.size()).filter(|end| *end <= self.end).map(|_| start)
    }

    /// Gives the block the size `new` where it is, if that can be done.
    fn resize(&mut self, start: usize, layout: Layout, new: usize) -> bool {
        if start + layout.size() != self.next {
            return new <= layout.size();
        }
        match start.checked_add(new) {
            Some(end) if end <= self.end => {
                self.next = end;
                true
            }
            _ => false,
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
#[allow(unsafe_code, reason = "an allocator hands out raw memory")]
mod global {
    use std::{
        alloc::{GlobalAlloc, Layout},
        arch::wasm32::{memory_grow, memory_size},
        cell::UnsafeCell,
        ptr,
    };

    use super::{Heap, PAGE};

    struct Global(UnsafeCell<Heap>);

    // SAFETY: a guest has one thread.
    unsafe impl Sync for Global {}

    #[global_allocator]
    static GLOBAL: Global = Global(UnsafeCell::new(Heap { next: 0, end: 0 }));

    unsafe extern "C" {
        /// Where the linker's own data ends.
        static __heap_base: u8;
    }

    impl Global {
        #[allow(clippy::mut_from_ref, reason = "one thread, and no caller keeps it")]
        fn heap(&self) -> &mut Heap {
            // SAFETY: a guest has one thread, and nothing here calls back into the allocator.
            let heap = unsafe { &mut *self.0.get() };
            if heap.end == 0 {
                heap.next = (&raw const __heap_base).addr();
                heap.end = memory_size(0) * PAGE;
            }
            heap
        }
    }

    fn grow(pages: usize) -> Option<usize> {
        match memory_grow(0, pages) {
            usize::MAX => None,
            before => Some(before * PAGE),
        }
    }

    // SAFETY: blocks lie between `__heap_base` and the end of memory, are aligned, and never overlap: see `Heap`.
    unsafe impl GlobalAlloc for Global {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            self.heap().take(layout, grow).map_or(ptr::null_mut(), ptr::with_exposed_provenance_mut)
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            self.heap().resize(block.addr(), layout, 0);
        }

        unsafe fn realloc(&self, block: *mut u8, layout: Layout, new: usize) -> *mut u8 {
            if self.heap().resize(block.addr(), layout, new) {
                return block;
            }
            // SAFETY: the caller vouches for `new` with this alignment, and the new block is another one, and larger.
            unsafe {
                let moved = self.alloc(Layout::from_size_align_unchecked(new, layout.align()));
                if !moved.is_null() {
                    ptr::copy_nonoverlapping(block, moved, layout.size());
                }
                moved
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).expect("a layout")
    }

    fn never(_: usize) -> Option<usize> {
        None
    }

    #[test]
    fn blocks_are_aligned_and_do_not_overlap() {
        let mut heap = Heap { next: 1_001, end: PAGE };
        assert_eq!(heap.take(layout(3, 1), never), Some(1_001));
        assert_eq!(heap.take(layout(8, 8), never), Some(1_008));
        assert_eq!(heap.take(layout(1, 16), never), Some(1_024));
    }

    #[test]
    fn memory_grows_only_when_the_rest_is_too_small() {
        let mut heap = Heap { next: PAGE - 8, end: PAGE };
        assert_eq!(heap.take(layout(8, 8), never), Some(PAGE - 8));
        assert_eq!(heap.take(layout(1, 1), never), None);
        assert_eq!(heap.take(layout(2 * PAGE, 1), |pages| (pages == 3).then_some(PAGE)), Some(PAGE));
        assert_eq!(heap.end, 4 * PAGE);
    }

    #[test]
    fn pages_that_somebody_else_added_are_left_alone() {
        let mut heap = Heap { next: PAGE - 8, end: PAGE };
        assert_eq!(heap.take(layout(16, 16), |_| Some(5 * PAGE)), Some(5 * PAGE));
    }

    #[test]
    fn only_the_newest_block_is_freed_or_grows_in_place() {
        let mut heap = Heap { next: 0, end: PAGE };
        let older = heap.take(layout(8, 8), never).expect("room");
        let newest = heap.take(layout(8, 8), never).expect("room");
        assert!(!heap.resize(older, layout(8, 8), 16));
        assert!(heap.resize(older, layout(8, 8), 0), "it may shrink, its memory is lost");
        assert!(heap.resize(newest, layout(8, 8), 64));
        assert!(!heap.resize(newest, layout(64, 8), PAGE));
        assert!(heap.resize(newest, layout(64, 8), 0));
        assert_eq!(heap.next, newest);
    }

    #[test]
    fn absurd_sizes_are_refused() {
        let mut heap = Heap { next: 8, end: PAGE };
        let most = isize::MAX as usize;
        assert_eq!(heap.take(layout(most, 1), never), None);
        assert!(!heap.resize(8, layout(0, 1), usize::MAX));
    }
}

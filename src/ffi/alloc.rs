//! The allocator of the library. The host's builds bring a malloc (jemalloc with a quantum of
//! 8 bytes) that serves the whole process and aligns sizes such as 24, 40 and 52 to 8 bytes only,
//! while Rust's own allocator trusts malloc for 16: aligned SSE loads would then crash the host.
//! Whatever needs 16 bytes or more is asked for with posix_memalign instead.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::c_void;
use std::ptr::null_mut;

#[global_allocator]
static ALLOCATOR: Aligned = Aligned;

/// Alignment that every malloc gives, the host's included.
const TRUSTED: usize = 8;

struct Aligned;

// SAFETY: each block comes from malloc, calloc, realloc or posix_memalign, all of which free
// takes back, and has the size and alignment of its layout.
unsafe impl GlobalAlloc for Aligned {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= TRUSTED {
            return unsafe { System.alloc(layout) };
        }
        let mut block: *mut c_void = null_mut();
        // The alignment is a power of two above a pointer's size, as posix_memalign wants it.
        match unsafe { libc::posix_memalign(&raw mut block, layout.align(), layout.size()) } {
            0 => block.cast(),
            _ => null_mut(),
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if layout.align() <= TRUSTED {
            return unsafe { System.dealloc(block, layout) };
        }
        unsafe { libc::free(block.cast()) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= TRUSTED {
            return unsafe { System.alloc_zeroed(layout) };
        }
        let block = unsafe { self.alloc(layout) };
        if !block.is_null() {
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.align() <= TRUSTED {
            return unsafe { System.realloc(block, layout, size) };
        }
        // realloc keeps no more than malloc's alignment, so the bytes move.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        let to = unsafe { self.alloc(wanted) };
        if !to.is_null() {
            unsafe {
                to.copy_from_nonoverlapping(block, layout.size().min(size));
                self.dealloc(block, layout);
            }
        }
        to
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};

    /// Sizes that the host's malloc aligns to 8 bytes only. Run once more under such a malloc
    /// by tests/abi.rs.
    const SIZES: [usize; 8] = [1, 16, 24, 40, 52, 56, 200, 5_000];

    #[test]
    fn blocks_have_the_alignment_of_their_layout() {
        for align in [1, 2, 4, 8, 16, 32, 64, 4096] {
            for size in SIZES {
                let layout = Layout::from_size_align(size, align).unwrap();
                // Several at once, so that an aligned one does not come by chance.
                let blocks: Vec<*mut u8> = (0..64).map(|_| unsafe { alloc(layout) }).collect();
                for block in blocks {
                    assert!(!block.is_null() && block.addr() % align == 0);
                    unsafe { dealloc(block, layout) };
                }
            }
        }
    }

    #[test]
    fn zeroed_blocks_are_zero_and_grown_blocks_keep_their_bytes() {
        for align in [8, 16, 64] {
            let layout = Layout::from_size_align(40, align).unwrap();
            unsafe {
                let block = alloc_zeroed(layout);
                assert!((0..40).all(|at| *block.add(at) == 0));
                for at in 0..40u8 {
                    *block.add(at.into()) = at;
                }
                let grown = realloc(block, layout, 56);
                assert_eq!(grown.addr() % align, 0);
                assert!((0..40u8).all(|at| *grown.add(at.into()) == at));
                dealloc(grown, Layout::from_size_align(56, align).unwrap());
            }
        }
    }

    #[test]
    fn small_hash_tables_of_the_size_that_crashed_work() {
        let tables: Vec<std::collections::HashMap<u64, ()>> =
            (0..200).map(|n| [(n, ()), (n + 1, ())].into()).collect();
        assert!(tables.iter().all(|table| table.len() == 2));
    }
}

//! Large arrays, fresh or used before.

use std::sync::{Mutex, PoisonError};

/// Where a kernel writes an output.
pub enum Array<'a> {
    /// The caller lets go of it when it is done.
    Own(Vec<f32>),
    /// The caller's.
    Lent(&'a mut [f32]),
}

impl Array<'_> {
    /// None at all, for an output that nobody wants.
    pub const NONE: Array<'static> = Array::Own(Vec::new());

    /// The numbers.
    pub fn numbers(&mut self) -> &mut [f32] {
        match self {
            Array::Own(numbers) => numbers,
            Array::Lent(numbers) => numbers,
        }
    }
}

/// An array of `length` numbers for a kernel to write: zeros, or what an earlier one held.
///
/// The system hands out fresh memory in pages of 4 KiB, and the first touch of each costs about as much as
/// correcting its voxels. Linux is therefore asked for pages of 2 MiB; where it declines, nothing changes.
pub fn array(length: usize) -> Vec<f32> {
    if let Some(mut used) = take_kept(length) {
        used.truncate(length);
        return used;
    }
    #[allow(unused_mut)]
    let mut zeros = vec![0.0; length];
    #[cfg(target_os = "linux")]
    ask_for_large_pages(&mut zeros);
    zeros
}

/// Has `count` values from `first` on fetched, which a kernel will read soon and the processor cannot foresee; what lies
/// beyond the end does no harm.
#[inline(always)]
pub fn prefetch<T>(values: &[T], first: usize, count: usize) {
    #[cfg(target_arch = "x86_64")]
    for value in (first..first + count).step_by((64 / size_of::<T>()).max(1)) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the instruction reads nothing into the program and faults nowhere.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(values.as_ptr().wrapping_add(value).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (values, first, count);
}

/// Gives an array back that nobody reads any more. A few are kept for [`array`], so that a server that corrects
/// image after image touches no fresh memory. (Offered to the system meanwhile, by `MADV_FREE`, they came back as fresh
/// pages half of the time.)
pub fn recycle(used: Vec<f32>) {
    let bytes = size_of_val(&used[..]);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let sum: usize = kept.iter().map(|array| size_of_val(&array[..])).sum();
    if bytes >= LEAST_BYTES && kept.len() < MOST_ARRAYS && sum + bytes <= MOST_BYTES {
        kept.push(used);
    }
}

/// An array of a kernel's own, which goes the way of [`recycle`] when it is done.
pub struct Kept(Vec<f32>);

impl Kept {
    /// `length` numbers, as [`array`] hands them out.
    pub fn new(length: usize) -> Kept {
        Kept(array(length))
    }
}

impl std::ops::Deref for Kept {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl std::ops::DerefMut for Kept {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        recycle(std::mem::take(&mut self.0));
    }
}

static KEPT: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());
const MOST_ARRAYS: usize = 4;
const MOST_BYTES: usize = 128 << 20;
/// The allocator reuses what is smaller by itself.
const LEAST_BYTES: usize = 1 << 20;

/// A kept array of at least `length` numbers, but not so much more that most of it would lie idle.
fn take_kept(length: usize) -> Option<Vec<f32>> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let fits = |array: &Vec<f32>| (length..=length + length / 4).contains(&array.len());
    if let Some(at) = kept.iter().position(|array| length > 0 && fits(array)) {
        return Some(kept.swap_remove(at));
    }
    // WebAssembly's memory only ever grows: what lies idle would be missed.
    if cfg!(target_arch = "wasm32") {
        kept.clear();
    }
    None
}

#[cfg(target_os = "linux")]
fn ask_for_large_pages(memory: &mut [f32]) {
    const HUGE: usize = 2 << 20;
    let start = memory.as_ptr() as usize;
    let end = start + size_of_val(memory);
    // Only whole huge pages within the array: what lies around it is not ours to advise on.
    let (first, last) = (start.next_multiple_of(HUGE), end / HUGE * HUGE);
    if first < last {
        // SAFETY: the range lies within an allocation that is ours.
        unsafe {
            libc::madvise(first as *mut libc::c_void, last - first, libc::MADV_HUGEPAGE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Held by tests that fill what all share.
    static ALONE: Mutex<()> = Mutex::new(());

    #[test]
    fn fresh_ones_are_of_any_length() {
        for length in [0, 1, 1000, 3 << 20] {
            let array = array(length);
            assert_eq!(array.len(), length);
            assert!(array.iter().all(|number| number.to_bits() == 0));
        }
    }

    #[test]
    fn one_that_is_given_back_serves_again_if_it_is_little_too_large() {
        let _alone = ALONE.lock().unwrap();
        KEPT.lock().unwrap().clear();
        // Lengths that no other test uses, as all share what is kept.
        let length = 5 << 20;
        recycle(vec![7.0; length]);
        let larger = array(length + 1);
        assert_eq!(larger.len(), length + 1);
        let again = array(length - 3);
        assert_eq!((again.len(), again.capacity()), (length - 3, length));
        assert!(again.iter().all(|number| [0.0, 7.0].contains(number)));
        assert_eq!(array(length).len(), length);
    }

    #[test]
    fn no_more_is_kept_than_the_limit() {
        let _alone = ALONE.lock().unwrap();
        for _ in 0..2 * MOST_ARRAYS {
            recycle(vec![1.0; 30 << 20]);
        }
        let kept = KEPT.lock().unwrap();
        assert!(kept.len() <= MOST_ARRAYS);
        assert!(kept.iter().map(|array| size_of_val(&array[..])).sum::<usize>() <= MOST_BYTES);
    }
}

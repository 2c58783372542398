//! Large fresh arrays.

/// `length` zeros.
///
/// The system hands out fresh memory in pages of 4 KiB, and the first touch of each costs about as much as
/// correcting its voxels. Linux is therefore asked for pages of 2 MiB; where it declines, nothing changes.
pub fn zeros(length: usize) -> Vec<f32> {
    #[allow(unused_mut)]
    let mut zeros = vec![0.0; length];
    #[cfg(target_os = "linux")]
    advise_huge_pages(&mut zeros);
    zeros
}

#[cfg(target_os = "linux")]
fn advise_huge_pages(memory: &mut [f32]) {
    const HUGE: usize = 2 << 20;
    let start = memory.as_ptr() as usize;
    let end = start + size_of_val(memory);
    // Only whole huge pages within the array: what lies around it is not ours to advise on.
    let (first, last) = (start.next_multiple_of(HUGE), end / HUGE * HUGE);
    if first < last {
        // SAFETY: the range lies within an allocation that is ours, and the advice changes no content.
        unsafe {
            libc::madvise(first as *mut libc::c_void, last - first, libc::MADV_HUGEPAGE);
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn they_are_zeros_of_any_length() {
        for length in [0, 1, 1000, 3 << 20] {
            let zeros = super::zeros(length);
            assert_eq!(zeros.len(), length);
            assert!(zeros.iter().all(|zero| zero.to_bits() == 0));
        }
    }
}

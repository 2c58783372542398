//! Blocks of chosen voxels against asking for each voxel.

use crate::runs::{LENGTHS, any_image, bytes_of, config, mask, selections, values};
use proptest::prelude::*;
use voxnorm_kernels::select::Select;

fn expect_alike(voxels: &[f32], select: Select, range: std::ops::Range<usize>) {
    let (mut got, mut total) = (Vec::new(), 0);
    let mut blocks = select.blocks(voxels, range.clone());
    while let Some((values, flags, count)) = blocks.next() {
        let pairs = values.iter().zip(flags);
        got.extend(pairs.filter(|(_, flag)| **flag != 0).map(|(value, _)| value.to_bits()));
        assert!(flags.iter().all(|flag| [0, 1].contains(flag)));
        total += count;
    }
    let expected: Vec<u32> =
        range.filter(|&i| select.among(voxels).includes(i)).map(|i| voxels[i].to_bits()).collect();
    assert_eq!(total, expected.len());
    assert_eq!(got, expected);
}

#[test]
fn every_length_and_range() {
    for length in LENGTHS {
        let (voxels, mask) = (values(length), mask(length));
        for select in selections(&mask, &bytes_of(&mask)) {
            for (skip, keep) in [(0, 1), (1, 1), (length / 3, 2), (length, 1)] {
                let first = skip.min(length);
                expect_alike(&voxels, select, first..length.div_ceil(keep).max(first));
            }
        }
    }
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn any_voxels((voxels, mask) in any_image()) {
        for select in selections(&mask, &bytes_of(&mask)) {
            expect_alike(&voxels, select, 0..voxels.len());
        }
    }
}

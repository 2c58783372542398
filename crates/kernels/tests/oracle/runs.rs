//! What the tests share: every way to run, lengths at which loops end badly, and values that break arithmetic.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use voxnorm_kernels::level::Level;
use voxnorm_kernels::parallel::{CHUNKS, Pool};
use voxnorm_kernels::run::Run;
use voxnorm_kernels::select::{BLOCK, Select, Values};

/// The one result of `work` in every way to run. `bits` says all of it: two NaN are the same, 0 and -0 are not.
pub fn everywhere<R>(work: impl Fn(&Run) -> R, bits: impl Fn(&R) -> Vec<u64>) -> R {
    let mut first = None;
    for name in Level::supported() {
        for threads in [1, 2, 3, 8] {
            let level = Level::named(name).unwrap();
            let run = Run { level, pool: Pool::new(threads).unwrap(), cancelled: &|| false };
            let result = work(&run);
            let expected = first.get_or_insert_with(|| bits(&result));
            assert_eq!(&bits(&result), expected, "{name}, {threads} threads");
        }
    }
    let run = Run { level: Level::best(), pool: Pool::new(1).unwrap(), cancelled: &|| false };
    work(&run)
}

/// Nothing, fewer than a lane group, its borders, a block's, a chunk's, and several chunks of blocks and a rest.
pub const LENGTHS: [usize; 20] = [
    0,
    1,
    2,
    3,
    15,
    16,
    17,
    31,
    33,
    CHUNKS - 1,
    CHUNKS,
    CHUNKS + 1,
    BLOCK - 1,
    BLOCK,
    BLOCK + 1,
    CHUNKS * 17 - 1,
    CHUNKS * 17 + 1,
    CHUNKS * BLOCK - 1,
    CHUNKS * BLOCK + 1,
    CHUNKS * (BLOCK + 17) + 5,
];

/// Values that look random, whole numbers and fractions, of both signs.
pub fn values(length: usize) -> Vec<f32> {
    (0..length).map(|i| (i as f32 * 12.9898).sin() * 43.0 + (i * 7919 % 101) as f32).collect()
}

/// A mask of runs that begin and end anywhere: across lanes, blocks and chunks, with gaps longer than a block.
pub fn mask(length: usize) -> Vec<f32> {
    (0..length).map(|i| f32::from(u8::from(i / 37 % 3 != 1 && i / 2500 % 4 != 2)) * 2.0).collect()
}

/// The same mask as bytes.
pub fn bytes_of(mask: &[f32]) -> Vec<u8> {
    mask.iter().map(|value| *value as u8).collect()
}

/// All choices of voxels there are.
pub fn selections<'a>(mask: &'a [f32], bytes: &'a [u8]) -> [Select<'a>; 6] {
    let (floats, bytes) = (Values::Floats(mask), Values::Bytes(bytes));
    let [in_floats, in_bytes] =
        [floats, bytes].map(|mask| [Select::Other(mask, 0.0), Select::Label(mask, 2.0)]);
    [Select::All, in_floats[0], in_floats[1], in_bytes[0], in_bytes[1], Select::Above(20.0)]
}

/// The chosen values, in order.
pub fn chosen(voxels: &[f32], select: Select) -> Vec<f64> {
    let choice = select.among(voxels);
    let chosen = voxels.iter().enumerate().filter(|(index, _)| choice.includes(*index));
    chosen.map(|(_, value)| f64::from(*value)).collect()
}

/// Any voxels, with a mask: NaN, infinities, both zeros, subnormal and huge numbers among them.
pub fn any_image() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
    let special = proptest::sample::select(vec![
        0.0,
        -0.0,
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::MAX,
        f32::MIN,
        f32::MIN_POSITIVE,
        f32::from_bits(1),
        -f32::from_bits(1),
    ]);
    let value = prop_oneof![4 => -100.0_f32..100.0, 1 => any::<f32>(), 1 => special];
    vec((value, proptest::sample::select(vec![0.0_f32, 1.0, 2.0])), 0..200)
        .prop_map(|pairs| pairs.into_iter().unzip())
}

/// The same cases on every machine, in well below a second.
pub fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 200,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

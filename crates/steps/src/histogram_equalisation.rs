//! Histogram equalisation. Semantics, options and sources: `ts/steps/histogram-equalisation.ts`.

use crate::Error;
use crate::exact_histogram_matching::shares;
use crate::pointwise::{Pointwise, Sample};
use voxnorm_kernels::histogram::{Bins, histogram};
use voxnorm_kernels::lookup::Lookup;
use voxnorm_kernels::pointwise::{Curve, Map};

pub struct HistogramEqualisation;

record! {
    pub struct Options {
        bins: BinsOption,
        lowest: Lowest,
        scale: f64,
        round: bool,
    }
}

choice! {
    enum BinsOption {
        Values,
        Count(usize),
    }

    /// What becomes of the lowest level.
    enum Lowest {
        Share,
        Zero,
    }
}

fitted! {
    pub struct Found {
        levels: Vec<[f64; 2]>,
    }
}

impl Pointwise for HistogramEqualisation {
    const ID: &'static str = "histogram-equalisation";
    type Options = Options;
    type Found = Found;

    fn find(&self, options: &Options, sample: &Sample) -> Result<Found, Error> {
        let shares = match options.bins {
            BinsOption::Values => shares(&sample.distinct()?),
            BinsOption::Count(count) => cumulated(count, sample)?,
        };
        let least = match options.lowest {
            Lowest::Share => 0.0,
            Lowest::Zero => shares[0].1,
        };
        let levels = shares.into_iter().map(|(level, share)| {
            let value = (share - least) / (1.0 - least) * options.scale;
            [level, if options.round { value.round_ties_even() } else { value }]
        });
        Ok(Found { levels: levels.collect() })
    }

    fn map(&self, _: &Options, found: &Found) -> Map {
        Map { curve: Curve::Lines(Lookup::through(&found.levels, [0.0, 0.0])), ..Map::IDENTITY }
    }
}

/// The centres of equal bins over the range, each with the share of voxels up to its bin's end.
fn cumulated(count: usize, sample: &Sample) -> Result<Vec<(f64, f64)>, Error> {
    let [low, high] = sample.range()?;
    let bins = Bins::new(low, high, count).ok_or_else(|| sample.constant(low))?;
    let counts = histogram(sample.voxels, sample.select(), bins, sample.run)?.bins;
    let total = counts.iter().sum::<u64>() as f64;
    let mut sum = 0;
    let share = |(bin, count): (usize, &u64)| {
        sum += count;
        (bins.centre(bin), sum as f64 / total)
    };
    Ok(counts.iter().enumerate().map(share).collect())
}

//! Histogram sharpening: the blur that a bias field adds to a histogram, undone by a Wiener filter.
//!
//! Sled et al. 1998, doi:10.1109/42.668698, in the discrete form of ITK's N4.

use crate::at_levels;
use crate::fourier::{Complex, Fourier};
use crate::level::Level;

/// The deconvolution of one histogram size.
pub struct Sharpening {
    bins: usize,
    full_width_at_half_maximum: f64,
    wiener_noise: f64,
    fourier: Fourier,
    padded: usize,
}

/// A histogram's range, bin i standing for the value `low + i · slope`.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// The value of the first bin.
    pub low: f64,
    /// The distance of two bins.
    pub slope: f64,
}

/// Where a row of equidistant values lies among the bins of a histogram.
pub struct Places {
    /// Value i lies between bins `bins[i]` and `bins[i] + 1` …
    bins: Vec<i32>,
    /// … by so much of their distance above the lower, 0 to 1.
    shares: Vec<f64>,
    scale: Scale,
}

impl Places {
    /// The values first, first + step, … of `count`; what lies beyond `scale.low` or `high` counts as there.
    pub fn new(level: Level, scale: Scale, first: f64, step: f64, high: f64, count: usize) -> Places {
        let mut places = Places { bins: vec![0; count], shares: vec![0.0; count], scale };
        let [first, high] = [first, high].map(|value| (value - scale.low) / scale.slope);
        locate(level, first, step / scale.slope, high, &mut places.bins, &mut places.shares);
        places
    }

    /// Adds `counts[i]` values to the two bins beside each, by nearness: a triangular window.
    ///
    /// The last of `bins` + 1 bins is 0 unless a value lies above `bins` - 1.
    pub fn histogram(&self, counts: &[u32], bins: usize) -> Vec<f64> {
        // Neighbouring values add to the same bins; in four parts they don't wait for each other.
        let mut parts = vec![[0.0; 4]; bins + 1];
        for (i, ((bin, share), count)) in self.bins.iter().zip(&self.shares).zip(counts).enumerate() {
            let (bin, count) = (*bin as usize, f64::from(*count));
            parts[bin][i % 4] += count - count * share;
            parts[bin + 1][i % 4] += count * share;
        }
        parts.iter().map(|part| (part[0] + part[1]) + (part[2] + part[3])).collect()
    }

    /// Each value less what a table of the bins has for it, interpolated linearly.
    pub fn residuals(&self, table: &[f64], to: &mut [f32]) {
        // The last bin is its own neighbour.
        let mut table = table.to_vec();
        table.extend(table.last().copied());
        let Scale { low, slope } = self.scale;
        for ((bin, share), to) in self.bins.iter().zip(&self.shares).zip(to) {
            let (lower, upper) = (table[*bin as usize], table[*bin as usize + 1]);
            let value = low + (f64::from(*bin) + share) * slope;
            *to = (value - (lower + (upper - lower) * share)) as f32;
        }
    }
}

at_levels! {
    fn locate(first: f64, step: f64, high: f64, bins: &mut [i32], shares: &mut [f64]) {
        for (i, (bin, share)) in (0_i32..).zip(bins.iter_mut().zip(shares)) {
            let position = first + f64::from(i) * step;
            let position = if position > 0.0 { position } else { 0.0 };
            let position = if position < high { position } else { high };
            // SAFETY: 0 ≤ position ≤ high, the number of bins.
            *bin = unsafe { position.to_int_unchecked::<i32>() };
            *share = position - f64::from(*bin);
        }
    }
}

impl Sharpening {
    /// `bins` ≥ 2; the width of the Gaussian in the values' unit; the noise term of the Wiener filter.
    pub fn new(bins: usize, full_width_at_half_maximum: f64, wiener_noise: f64) -> Sharpening {
        let padded = 2 * bins.next_power_of_two();
        Sharpening { bins, full_width_at_half_maximum, wiener_noise, fourier: Fourier::new(padded), padded }
    }

    /// The number of bins.
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// E(u), the expected true value of each bin's value: (F ∗ x U) / (F ∗ U), with U = max(V̂ G, 0)
    /// the sharpened histogram, F the Gaussian and G = F̂ / (F̂² + noise). 0 where the denominator is 0.
    ///
    /// Two real sequences share each complex transform, as its real and imaginary part.
    #[inline(never)]
    pub fn expected(&self, level: Level, histogram: &[f64], scale: Scale) -> Vec<f64> {
        let n = self.padded;
        let offset = (n - self.bins) / 2;
        let mut x = Complex { re: vec![0.0; n], im: self.gaussian(scale.slope) };
        x.re[offset..offset + self.bins].copy_from_slice(&histogram[..self.bins]);
        let mut spare = Complex::zeros(n);
        self.fourier.forward(level, &mut x, &mut spare);

        // Split the shared transform; the Gaussian is real and even, so its transform is real.
        let mut sharp = Complex::zeros(n);
        let mut blur = vec![0.0; n];
        for k in 0..n {
            let mirror = (n - k) % n;
            blur[k] = (x.im[k] + x.im[mirror]) * 0.5;
            let gain = 0.5 * blur[k] / (blur[k] * blur[k] + self.wiener_noise);
            sharp.re[k] = (x.re[k] + x.re[mirror]) * gain;
            sharp.im[k] = (x.im[k] - x.im[mirror]) * gain;
        }
        // The inverse leaves a factor n, which the quotient below cancels.
        self.fourier.inverse(level, &mut sharp, &mut spare);

        for i in 0..n {
            let u = sharp.re[i].max(0.0);
            sharp.im[i] = u;
            sharp.re[i] = (scale.low + (i as f64 - offset as f64) * scale.slope) * u;
        }
        self.fourier.forward(level, &mut sharp, &mut spare);
        for k in 0..n {
            sharp.re[k] *= blur[k];
            sharp.im[k] *= blur[k];
        }
        self.fourier.inverse(level, &mut sharp, &mut spare);
        let bins = sharp.re.iter().zip(&sharp.im).skip(offset).take(self.bins);
        bins.map(|(above, below)| if *below == 0.0 { 0.0 } else { above / below }).collect()
    }

    /// 2 √(ln 2 / π) / w · exp(-4 ln 2 n² / w²), w the width in bins, wrapped around.
    fn gaussian(&self, slope: f64) -> Vec<f64> {
        let width = self.full_width_at_half_maximum / slope;
        let height = 2.0 * (std::f64::consts::LN_2 / std::f64::consts::PI).sqrt() / width;
        let rate = 4.0 * std::f64::consts::LN_2 / (width * width);
        let mut gaussian = vec![0.0; self.padded];
        for i in 0..=self.padded / 2 {
            let n = i as f64;
            let value = height * libm::exp(-n * n * rate);
            if value == 0.0 {
                // So are all that follow.
                break;
            }
            gaussian[i] = value;
            gaussian[(self.padded - i) % self.padded] = value;
        }
        gaussian
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_definition_with_plain_sums() {
        let (bins, slope, low) = (20, 0.05, 1.0);
        let histogram: Vec<f64> = (0..bins).map(|i| ((i * 7) % 13) as f64).collect();
        let sharpening = Sharpening::new(bins, 0.15, 0.01);
        let got = sharpening.expected(Level::best(), &histogram, Scale { low, slope });

        let n = 64;
        let offset = (n - bins) / 2;
        let f: Vec<f64> = (0..n)
            .map(|i| {
                let (d, w) = (i.min(n - i) as f64, 0.15 / slope);
                2.0 * (2.0_f64.ln() / std::f64::consts::PI).sqrt() / w
                    * (-4.0 * 2.0_f64.ln() * d * d / (w * w)).exp()
            })
            .collect();
        let cosine = |k: usize| (2.0 * std::f64::consts::PI * k as f64 / n as f64).cos();
        let f_hat: Vec<f64> = (0..n).map(|k| (0..n).map(|i| f[i] * cosine(k * i % n)).sum()).collect();
        // The gain's own sequence, then circular convolutions in the plain domain.
        let gain: Vec<f64> = (0..n)
            .map(|i| {
                (0..n).map(|k| f_hat[k] / (f_hat[k] * f_hat[k] + 0.01) * cosine(k * i % n)).sum::<f64>()
                    / n as f64
            })
            .collect();
        let convolve = |a: &[f64], b: &[f64]| -> Vec<f64> {
            (0..n).map(|i| (0..n).map(|j| a[j] * b[(i + n - j) % n]).sum()).collect()
        };
        let mut v = vec![0.0; n];
        v[offset..offset + bins].copy_from_slice(&histogram);
        let u: Vec<f64> = convolve(&v, &gain).into_iter().map(|x: f64| x.max(0.0)).collect();
        let xu: Vec<f64> =
            u.iter().enumerate().map(|(i, u)| (low + (i as f64 - offset as f64) * slope) * u).collect();
        let (top, bottom) = (convolve(&xu, &f), convolve(&u, &f));
        for i in 0..bins {
            let expected = top[i + offset] / bottom[i + offset];
            assert!((got[i] - expected).abs() < 1e-9, "{i}: {} {expected}", got[i]);
        }
    }

    #[test]
    fn a_triangular_window_keeps_count_and_centre() {
        let scale = Scale { low: 2.0, slope: 0.5 };
        let places = Places::new(Level::best(), scale, 3.3, 0.4, 6.0, 2);
        let histogram = places.histogram(&[4, 1], 9);
        let total: f64 = histogram.iter().sum();
        let centre: f64 =
            histogram.iter().enumerate().map(|(i, n)| (2.0 + 0.5 * i as f64) * n).sum::<f64>() / total;
        assert!((total - 5.0).abs() < 1e-12 && (centre - (4.0 * 3.3 + 3.7) / 5.0).abs() < 1e-12);
    }

    #[test]
    fn values_beyond_the_ends_count_as_there() {
        let scale = Scale { low: 2.0, slope: 0.5 };
        let places = Places::new(Level::best(), scale, 1.0, 1.0, 6.0, 7);
        let histogram = places.histogram(&[1; 7], 9);
        assert_eq!(histogram, [2.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 2.0, 0.0]);
    }

    #[test]
    fn a_residual_is_what_interpolation_leaves() {
        let scale = Scale { low: 2.0, slope: 0.5 };
        let places = Places::new(Level::best(), scale, 2.25, 0.75, 3.0, 3);
        let mut residuals = [0.0; 3];
        places.residuals(&[1.0, 3.0, 2.5], &mut residuals);
        assert_eq!(residuals, [2.25 - 2.0, 0.5, 0.5]);
    }
}

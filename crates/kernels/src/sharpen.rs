//! Histogram sharpening: the blur that a bias field adds to a histogram, undone by a Wiener filter.
//!
//! Sled et al. 1998, doi:10.1109/42.668698, in the discrete form of ITK's N4.

use crate::fourier::{Complex, Fourier};

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
    low: f64,
    slope: f64,
    rate: f64,
}

impl Scale {
    /// The value of the first bin, and the distance of two bins.
    pub fn new(low: f64, slope: f64) -> Scale {
        Scale { low, slope, rate: 1.0 / slope }
    }

    /// Where a value lies among the bins.
    fn position(self, value: f64) -> f64 {
        (value - self.low) * self.rate
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
    pub fn expected(&self, histogram: &[f64], scale: Scale) -> Vec<f64> {
        let n = self.padded;
        let offset = (n - self.bins) / 2;
        let gaussian = self.gaussian(scale.slope);
        let mut x = vec![Complex::default(); n];
        for (i, value) in histogram.iter().enumerate() {
            x[i + offset].re = *value;
        }
        for (i, value) in gaussian.iter().enumerate() {
            x[i].im = *value;
        }
        self.fourier.forward(&mut x);

        // Split the shared transform; the Gaussian is real and even, so its transform is real.
        let mut sharp = vec![Complex::default(); n];
        let mut blur = vec![0.0; n];
        for k in 0..n {
            let (a, b) = (x[k], x[(n - k) % n]);
            blur[k] = (a.im + b.im) * 0.5;
            let gain = blur[k] / (blur[k] * blur[k] + self.wiener_noise);
            sharp[k] = Complex { re: (a.re + b.re) * 0.5 * gain, im: (a.im - b.im) * 0.5 * gain };
        }
        self.fourier.inverse(&mut sharp);

        for (i, value) in sharp.iter_mut().enumerate() {
            let u = value.re.max(0.0);
            let at = scale.low + (i as f64 - offset as f64) * scale.slope;
            *value = Complex { re: at * u, im: u };
        }
        self.fourier.forward(&mut sharp);
        for (value, blur) in sharp.iter_mut().zip(&blur) {
            *value = Complex { re: value.re * blur, im: value.im * blur };
        }
        self.fourier.inverse(&mut sharp);
        sharp[offset..offset + self.bins]
            .iter()
            .map(|v| if v.im == 0.0 { 0.0 } else { v.re / v.im })
            .collect()
    }

    /// 2 √(ln 2 / π) / w · exp(-4 ln 2 n² / w²), w the width in bins, wrapped around.
    fn gaussian(&self, slope: f64) -> Vec<f64> {
        let width = self.full_width_at_half_maximum / slope;
        let height = 2.0 * (std::f64::consts::LN_2 / std::f64::consts::PI).sqrt() / width;
        let rate = 4.0 * std::f64::consts::LN_2 / (width * width);
        (0..self.padded)
            .map(|i| {
                let n = i.min(self.padded - i) as f64;
                height * libm::exp(-n * n * rate)
            })
            .collect()
    }
}

/// Linear interpolation in a table of bin values, which goes on beyond its ends with the values there.
pub fn interpolate(table: &[f64], scale: Scale, value: f64) -> f64 {
    let (position, last) = (scale.position(value).max(0.0), table.len() - 1);
    if position < last as f64 {
        let bin = position as usize;
        table[bin] + (table[bin + 1] - table[bin]) * (position - bin as f64)
    } else {
        table[last]
    }
}

/// Adds `count` values at `value` to a histogram through a triangular window: shares to the two
/// bins beside it, by nearness.
pub fn add_triangular(histogram: &mut [f64], scale: Scale, value: f64, count: f64) {
    let position = scale.position(value).max(0.0);
    let bin = (position as usize).min(histogram.len() - 1);
    let share = position - bin as f64;
    if bin + 1 < histogram.len() {
        histogram[bin] += count * (1.0 - share);
        histogram[bin + 1] += count * share;
    } else {
        histogram[bin] += count;
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
        let got = sharpening.expected(&histogram, Scale::new(low, slope));

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
    fn the_triangular_window_keeps_count_and_centre() {
        let scale = Scale::new(2.0, 0.5);
        let mut histogram = vec![0.0; 9];
        add_triangular(&mut histogram, scale, 3.3, 4.0);
        let total: f64 = histogram.iter().sum();
        let centre: f64 =
            histogram.iter().enumerate().map(|(i, n)| (2.0 + 0.5 * i as f64) * n).sum::<f64>() / total;
        assert!((total - 4.0).abs() < 1e-12 && (centre - 3.3).abs() < 1e-12);
        add_triangular(&mut histogram, scale, 6.0, 1.0);
        assert_eq!(histogram[8], 1.0);
    }

    #[test]
    fn interpolation_is_clamped_at_the_ends() {
        let scale = Scale::new(0.0, 1.0);
        assert_eq!(interpolate(&[1.0, 3.0], scale, 0.5), 2.0);
        assert_eq!(interpolate(&[1.0, 3.0], scale, 1.0), 3.0);
        assert_eq!(interpolate(&[1.0, 3.0], scale, 7.0), 3.0);
    }
}

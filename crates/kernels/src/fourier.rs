//! The discrete Fourier transform of short sequences, the same bits on every target.
//!
//! Libraries choose their algorithm by the processor's features, and fuse multiplications with
//! additions; this is the textbook radix-2 transform with twiddle factors from the `libm` crate.

/// A complex number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Complex {
    /// Real part.
    pub re: f64,
    /// Imaginary part.
    pub im: f64,
}

/// A transform of a fixed power-of-two length.
pub struct Fourier {
    /// e^(-2πi k / n) for k < n/2.
    twiddles: Vec<Complex>,
    /// Where each element goes when the bits of its index are reversed.
    reversed: Vec<u32>,
}

impl Fourier {
    /// A transform of `length` elements, a power of two, at least 2.
    pub fn new(length: usize) -> Fourier {
        debug_assert!(length.is_power_of_two() && length >= 2);
        let angle = |k: usize| -2.0 * std::f64::consts::PI * k as f64 / length as f64;
        let twiddles =
            (0..length / 2).map(|k| Complex { re: libm::cos(angle(k)), im: libm::sin(angle(k)) }).collect();
        let shift = u32::BITS - length.trailing_zeros();
        let reversed = (0..length as u32).map(|i| i.reverse_bits() >> shift).collect();
        Fourier { twiddles, reversed }
    }

    /// X_k = Σ x_n e^(-2πi k n / N), in place.
    pub fn forward(&self, x: &mut [Complex]) {
        let n = self.reversed.len();
        for i in 0..n {
            let j = self.reversed[i] as usize;
            if i < j {
                x.swap(i, j);
            }
        }
        let mut half = 1;
        while half < n {
            let stride = n / (2 * half);
            for block in x[..n].chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                for k in 0..half {
                    let w = self.twiddles[k * stride];
                    let t = Complex {
                        re: high[k].re * w.re - high[k].im * w.im,
                        im: high[k].re * w.im + high[k].im * w.re,
                    };
                    high[k] = Complex { re: low[k].re - t.re, im: low[k].im - t.im };
                    low[k] = Complex { re: low[k].re + t.re, im: low[k].im + t.im };
                }
            }
            half *= 2;
        }
    }

    /// x_n = 1/N Σ X_k e^(2πi k n / N), in place.
    pub fn inverse(&self, x: &mut [Complex]) {
        // The inverse is the forward transform of the conjugate, conjugated.
        for value in x.iter_mut() {
            value.im = -value.im;
        }
        self.forward(x);
        let scale = 1.0 / self.reversed.len() as f64;
        for value in x.iter_mut() {
            *value = Complex { re: value.re * scale, im: -value.im * scale };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(n: usize) -> Vec<Complex> {
        (0..n).map(|i| Complex { re: ((i * 7) % 11) as f64 - 3.0, im: ((i * 5) % 13) as f64 }).collect()
    }

    #[test]
    fn equals_the_definition() {
        for n in [2, 4, 16, 512] {
            let x = sequence(n);
            let mut fast = x.clone();
            Fourier::new(n).forward(&mut fast);
            for k in 0..n {
                let mut slow = Complex::default();
                for (i, v) in x.iter().enumerate() {
                    let angle = -2.0 * std::f64::consts::PI * ((k * i) % n) as f64 / n as f64;
                    slow.re += v.re * angle.cos() - v.im * angle.sin();
                    slow.im += v.re * angle.sin() + v.im * angle.cos();
                }
                assert!((slow.re - fast[k].re).abs() < 1e-9 && (slow.im - fast[k].im).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn the_inverse_gives_the_sequence_back() {
        let x = sequence(256);
        let (fourier, mut y) = (Fourier::new(256), x.clone());
        fourier.forward(&mut y);
        fourier.inverse(&mut y);
        for (a, b) in x.iter().zip(&y) {
            assert!((a.re - b.re).abs() < 1e-12 && (a.im - b.im).abs() < 1e-12);
        }
    }
}

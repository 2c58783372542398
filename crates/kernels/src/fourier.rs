//! The discrete Fourier transform of short sequences, the same bits on every target.
//!
//! Libraries choose their algorithm by the processor's features, and fuse multiplications with
//! additions; this is Stockham's radix-2 transform, with twiddle factors made of square roots.

use crate::at_levels;
use crate::level::Level;

/// A sequence of complex numbers.
#[derive(Clone, Debug, Default)]
pub struct Complex {
    /// Real parts.
    pub re: Vec<f64>,
    /// Imaginary parts.
    pub im: Vec<f64>,
}

impl Complex {
    /// `length` zeros.
    pub fn zeros(length: usize) -> Complex {
        Complex { re: vec![0.0; length], im: vec![0.0; length] }
    }
}

/// A transform of a fixed power-of-two length.
pub struct Fourier {
    /// e^(-2πi k / n) for k < n/2.
    twiddles: Complex,
    /// For the first two stages as one: e^(-2πi f k / n) for k < n/4, a factor f = 1, 2, 3 each.
    first: [Complex; 3],
}

impl Fourier {
    /// A transform of `length` elements, a power of two, at least 4.
    pub fn new(length: usize) -> Fourier {
        debug_assert!(length.is_power_of_two() && length >= 4);
        let half = length / 2;
        let (mut re, mut im) = (vec![1.0; half], vec![0.0; half]);
        // e^(-2πi / 4), and from one turn to half of it, the cosine and the sine by their half-angle formulas.
        let (mut c, mut s) = (0.0_f64, -1.0_f64);
        let mut roots = vec![(c, s)];
        while roots.len() < half.trailing_zeros() as usize {
            c = ((1.0 + c) * 0.5).sqrt();
            s /= 2.0 * c;
            roots.push((c, s));
        }
        // Bit by bit of k, from the lowest, which stands for the smallest angle.
        for (bit, (c, s)) in roots.into_iter().rev().enumerate() {
            for k in 0..1 << bit {
                let to = k + (1 << bit);
                (re[to], im[to]) = (re[k] * c - im[k] * s, re[k] * s + im[k] * c);
            }
        }
        let first = [1, 2, 3].map(|factor| {
            let at = |part: &[f64], i: usize| if i < half { part[i] } else { -part[i - half] };
            let every = (0..length / 4).map(|k| factor * k);
            Complex {
                re: every.clone().map(|i| at(&re, i)).collect(),
                im: every.map(|i| at(&im, i)).collect(),
            }
        });
        Fourier { twiddles: Complex { re, im }, first }
    }

    /// X_k = Σ x_n e^(-2πi k n / N), in place; `spare` is as long.
    pub fn forward(&self, level: Level, x: &mut Complex, spare: &mut Complex) {
        transform(level, self, x, spare);
    }

    /// N x_n = Σ X_k e^(2πi k n / N), in place; `spare` is as long.
    ///
    /// The inverse is the forward transform with real and imaginary parts swapped before and after.
    pub fn inverse(&self, level: Level, x: &mut Complex, spare: &mut Complex) {
        std::mem::swap(&mut x.re, &mut x.im);
        transform(level, self, x, spare);
        std::mem::swap(&mut x.re, &mut x.im);
    }
}

at_levels! {
    /// Each stage halves the transforms' length and doubles how many lie side by side; it writes to the other
    /// array, in an order that needs no reversal of bits.
    fn transform(fourier: &Fourier, x: &mut Complex, spare: &mut Complex) {
        first_stages(&fourier.first, x, spare);
        std::mem::swap(x, spare);
        let twiddles = &fourier.twiddles;
        let half = twiddles.re.len();
        let mut side = 4;
        while side <= half {
            let (re, im) = (x.re.split_at(half), x.im.split_at(half));
            for j in 0..half / side {
                let (wr, wi) = (twiddles.re[j * side], twiddles.im[j * side]);
                let [ar, ai, br, bi] = [re.0, im.0, re.1, im.1].map(|part| &part[j * side..][..side]);
                let (sum_re, product_re) = spare.re[2 * j * side..][..2 * side].split_at_mut(side);
                let (sum_im, product_im) = spare.im[2 * j * side..][..2 * side].split_at_mut(side);
                for k in 0..side {
                    let (dr, di) = (ar[k] - br[k], ai[k] - bi[k]);
                    sum_re[k] = ar[k] + br[k];
                    sum_im[k] = ai[k] + bi[k];
                    product_re[k] = dr * wr - di * wi;
                    product_im[k] = dr * wi + di * wr;
                }
            }
            std::mem::swap(x, spare);
            side *= 2;
        }
    }
}

/// Where nothing or two lie side by side yet, there is nothing to vectorise over but the transforms.
#[inline(always)]
fn first_stages(twiddles: &[Complex; 3], x: &Complex, to: &mut Complex) {
    let quarter = x.re.len() / 4;
    let [[ar, br, cr, dr], [ai, bi, ci, di]] =
        [&x.re, &x.im].map(|x| [0, 1, 2, 3].map(|part| &x[part * quarter..][..quarter]));
    let [[ur, vr, wr], [ui, vi, wi]] =
        [twiddles.each_ref().map(|t| &t.re[..quarter]), twiddles.each_ref().map(|t| &t.im[..quarter])];
    let (to_re, to_im) = (to.re.as_chunks_mut().0, to.im.as_chunks_mut().0);
    for (k, (to_re, to_im)) in to_re.iter_mut().zip(to_im).enumerate().take(quarter) {
        let (sr, si, tr, ti) = (ar[k] + cr[k], ai[k] + ci[k], ar[k] - cr[k], ai[k] - ci[k]);
        let (pr, pi, qr, qi) = (br[k] + dr[k], bi[k] + di[k], br[k] - dr[k], bi[k] - di[k]);
        // q times -i.
        let (er, ei, fr, fi) = (tr + qi, ti - qr, tr - qi, ti + qr);
        let (gr, gi) = (sr - pr, si - pi);
        *to_re = [sr + pr, er * ur[k] - ei * ui[k], gr * vr[k] - gi * vi[k], fr * wr[k] - fi * wi[k]];
        *to_im = [si + pi, er * ui[k] + ei * ur[k], gr * vi[k] + gi * vr[k], fr * wi[k] + fi * wr[k]];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(n: usize) -> Complex {
        Complex {
            re: (0..n).map(|i| ((i * 7) % 11) as f64 - 3.0).collect(),
            im: (0..n).map(|i| ((i * 5) % 13) as f64).collect(),
        }
    }

    #[test]
    fn equals_the_definition() {
        for n in [4, 8, 16, 512] {
            let x = sequence(n);
            let mut fast = x.clone();
            Fourier::new(n).forward(Level::best(), &mut fast, &mut Complex::zeros(n));
            for k in 0..n {
                let (mut re, mut im) = (0.0, 0.0);
                for i in 0..n {
                    let angle = -2.0 * std::f64::consts::PI * ((k * i) % n) as f64 / n as f64;
                    re += x.re[i] * angle.cos() - x.im[i] * angle.sin();
                    im += x.re[i] * angle.sin() + x.im[i] * angle.cos();
                }
                assert!((re - fast.re[k]).abs() < 1e-9 && (im - fast.im[k]).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn twiddles_are_points_on_the_circle() {
        for n in [4, 8, 512, 4096] {
            let fourier = Fourier::new(n);
            let turns = [
                (1, &fourier.twiddles),
                (1, &fourier.first[0]),
                (2, &fourier.first[1]),
                (3, &fourier.first[2]),
            ];
            for (factor, twiddles) in turns {
                for (k, (re, im)) in twiddles.re.iter().zip(&twiddles.im).enumerate() {
                    let angle = -2.0 * std::f64::consts::PI * (factor * k) as f64 / n as f64;
                    assert!(
                        (re - libm::cos(angle)).abs() < 2e-15 && (im - libm::sin(angle)).abs() < 2e-15,
                        "{n} {k}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_inverse_gives_the_sequence_back() {
        let n = 256;
        let x = sequence(n);
        let (fourier, mut y, mut spare) = (Fourier::new(n), x.clone(), Complex::zeros(n));
        fourier.forward(Level::best(), &mut y, &mut spare);
        fourier.inverse(Level::best(), &mut y, &mut spare);
        for i in 0..n {
            let [re, im] = [y.re[i], y.im[i]].map(|value| value / n as f64);
            assert!((x.re[i] - re).abs() < 1e-12 && (x.im[i] - im).abs() < 1e-12);
        }
    }

    #[test]
    fn every_level_gives_the_same_bits() {
        let transformed = |name: &str| {
            let (mut x, mut spare) = (sequence(512), Complex::zeros(512));
            Fourier::new(512).forward(Level::named(name).unwrap(), &mut x, &mut spare);
            x.re.iter().chain(&x.im).map(|value| value.to_bits()).collect::<Vec<_>>()
        };
        for name in Level::supported() {
            assert_eq!(transformed(name), transformed("fallback"));
        }
    }
}

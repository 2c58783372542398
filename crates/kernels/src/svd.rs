//! The inverse of a 3×3 matrix by its singular values, to the last bit as ITK has it.
//!
//! ITK inverts index-to-world matrices through `vnl_svd`, which is LINPACK's `dsvdc` (Dongarra et al. 1979; shift
//! corrected in 1984). Where a position is a tie, the rounding errors of this inverse decide it. So the operations stand
//! in that order here, for 3×3 only.

/// A column each, as LINPACK keeps them.
type Columns = [[f64; 3]; 3];

/// The inverse of `m`, given and returned as rows. `None` where a singular value is 0 or negligible beside another.
pub fn inverse(m: [[f64; 3]; 3]) -> Option<[[f64; 3]; 3]> {
    let (u, s, v) = decompose([0, 1, 2].map(|c| [0, 1, 2].map(|r| m[r][c])))?;
    if s.contains(&0.0) {
        return None;
    }
    let scaled = [0, 1, 2].map(|k| v[k].map(|each| each * (1.0 / s[k].abs())));
    Some([0, 1, 2].map(|r| [0, 1, 2].map(|c| (0..3).fold(0.0, |sum, k| sum + scaled[k][r] * u[k][c]))))
}

/// Left vectors, singular values and right vectors.
fn decompose(mut x: Columns) -> Option<(Columns, [f64; 3], Columns)> {
    let (mut s, mut e) = ([0.0; 3], [0.0; 3]);
    let (mut u, mut v): (Columns, Columns) = ([[0.0; 3]; 3], [[0.0; 3]; 3]);
    // To bidiagonal form, keeping the reflections in u and v.
    for l in 0..2 {
        let mut own = x[l];
        s[l] = reflection(&mut own[l..]);
        x[l] = own;
        for j in l + 1..3 {
            if s[l] != 0.0 {
                reflect(&own, &mut x[j], l);
            }
            e[j] = x[j][l];
        }
        u[l][l..].copy_from_slice(&own[l..]);
        if l == 0 {
            e[0] = reflection(&mut e[1..]);
            if e[0] != 0.0 {
                let mut work = [0.0; 3];
                for j in 1..3 {
                    add(e[j], &x[j], &mut work, 1);
                }
                for j in 1..3 {
                    add(-e[j] / e[1], &work, &mut x[j], 1);
                }
            }
            v[0][1..].copy_from_slice(&e[1..]);
        }
    }
    (s[2], e[1], e[2]) = (x[2][2], x[2][1], 0.0);

    // The reflections multiplied out.
    u[2] = [0.0, 0.0, 1.0];
    for l in [1, 0] {
        let own = u[l];
        u[l] = [0.0; 3];
        if s[l] != 0.0 {
            for j in l + 1..3 {
                reflect(&own, &mut u[j], l);
            }
            for i in l..3 {
                u[l][i] = -own[i];
            }
        }
        u[l][l] += 1.0;
    }
    let own = v[0];
    (v[2], v[1], v[0]) = ([0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]);
    if e[0] != 0.0 {
        for j in 1..3 {
            reflect(&own, &mut v[j], 1);
        }
    }

    // Implicit QR steps, deflating from below.
    let (mut m, mut steps) = (3, 0);
    while m > 0 {
        let last = m - 1;
        let split = (1..=last).rev().find(|&l| is_negligible(e[l - 1], s[l - 1].abs() + s[l].abs()));
        let first = split.unwrap_or(0);
        if first > 0 {
            e[first - 1] = 0.0;
        }
        for l in first..=last {
            let after = if l < last { e[l].abs() } else { 0.0 };
            let before = if l > first { e[l - 1].abs() } else { 0.0 };
            if first < last && is_negligible(s[l], after + before) {
                return None;
            }
        }
        if first < last {
            steps += 1;
            if steps > 30 {
                return None;
            }
            step(&mut s, &mut e, &mut u, &mut v, first, last);
            continue;
        }
        if s[last] < 0.0 {
            s[last] = -s[last];
            v[last] = v[last].map(|each| -each);
        }
        for l in last..2 {
            if s[l] >= s[l + 1] {
                break;
            }
            s.swap(l, l + 1);
            u.swap(l, l + 1);
            v.swap(l, l + 1);
        }
        (m, steps) = (m - 1, 0);
    }
    Some((u, s, v))
}

/// One implicit QR step between `first` and `last`.
fn step(s: &mut [f64; 3], e: &mut [f64; 3], u: &mut Columns, v: &mut Columns, first: usize, last: usize) {
    let largest = [s[last], s[last - 1], e[last - 1], s[first], e[first]];
    let scale = largest.iter().fold(0.0_f64, |most, each| most.max(each.abs()));
    let [sm, smm1, emm1, sl, el] = largest.map(|each| each / scale);
    let b = ((smm1 + sm) * (smm1 - sm) + emm1 * emm1) / 2.0;
    let c = (sm * emm1) * (sm * emm1);
    let mut shift = 0.0;
    if b != 0.0 || c != 0.0 {
        let root = (b * b + c).sqrt();
        shift = c / (b + if b < 0.0 { -root } else { root });
    }
    let (mut f, mut g) = ((sl + sm) * (sl - sm) + shift, sl * el);
    for k in first..last {
        let (r, cos, sin) = rotation(f, g);
        if k > first {
            e[k - 1] = r;
        }
        (f, e[k]) = (cos * s[k] + sin * e[k], cos * e[k] - sin * s[k]);
        (g, s[k + 1]) = (sin * s[k + 1], cos * s[k + 1]);
        rotate(v, k, cos, sin);
        let (r, cos, sin) = rotation(f, g);
        s[k] = r;
        (f, s[k + 1]) = (cos * e[k] + sin * s[k + 1], -sin * e[k] + cos * s[k + 1]);
        (g, e[k + 1]) = (sin * e[k + 1], cos * e[k + 1]);
        rotate(u, k, cos, sin);
    }
    e[last - 1] = f;
}

/// Turns `column` into the vector of the reflection that leaves only its first element, which is returned.
fn reflection(column: &mut [f64]) -> f64 {
    let length = norm(column);
    if length == 0.0 {
        return -length;
    }
    let signed = if column[0] != 0.0 { length.copysign(column[0]) } else { length };
    let factor = 1.0 / signed;
    column.iter_mut().for_each(|each| *each *= factor);
    column[0] += 1.0;
    -signed
}

/// Reflects `column` by the vector `by`, from element `from` on.
fn reflect(by: &[f64; 3], column: &mut [f64; 3], from: usize) {
    let product = (from..3).fold(0.0, |sum, i| sum + by[i] * column[i]);
    add(-product / by[from], by, column, from);
}

fn add(factor: f64, what: &[f64; 3], to: &mut [f64; 3], from: usize) {
    for i in from..3 {
        to[i] += factor * what[i];
    }
}

/// Such that (cos, sin; -sin, cos) takes (a, b) to (r, 0).
fn rotation(a: f64, b: f64) -> (f64, f64, f64) {
    let scale = a.abs() + b.abs();
    if scale == 0.0 {
        return (0.0, 1.0, 0.0);
    }
    let (p, q) = (a / scale, b / scale);
    let r = (scale * (p * p + q * q).sqrt()) * 1.0_f64.copysign(if a.abs() > b.abs() { a } else { b });
    (r, a / r, b / r)
}

fn rotate(columns: &mut Columns, k: usize, cos: f64, sin: f64) {
    for i in 0..3 {
        let (a, b) = (columns[k][i], columns[k + 1][i]);
        (columns[k][i], columns[k + 1][i]) = (cos * a + sin * b, cos * b - sin * a);
    }
}

/// The Euclidean norm, scaled by the largest element so far, as BLAS had it until 2021.
fn norm(column: &[f64]) -> f64 {
    let (mut scale, mut sum) = (0.0_f64, 1.0_f64);
    for each in column.iter().filter(|each| **each != 0.0) {
        let size = each.abs();
        if scale < size {
            sum = 1.0 + sum * ((scale / size) * (scale / size));
            scale = size;
        } else {
            sum += (size / scale) * (size / scale);
        }
    }
    scale * sum.sqrt()
}

fn is_negligible(value: f64, beside: f64) -> bool {
    beside + value.abs() == beside
}

#[cfg(test)]
mod tests {
    use super::*;

    fn largest_miss(m: [[f64; 3]; 3]) -> f64 {
        let i = inverse(m).unwrap();
        let of =
            |r: usize, c: usize| (0..3).map(|k| m[r][k] * i[k][c]).sum::<f64>() - f64::from(u8::from(r == c));
        (0..9).fold(0.0_f64, |most, at| most.max(of(at / 3, at % 3).abs()))
    }

    #[test]
    fn the_inverse_inverts() {
        assert!(largest_miss([[2.0, 0.1, 0.0], [-0.3, 1.5, 0.2], [0.0, 0.4, -3.0]]) < 1e-15);
        assert!(largest_miss([[0.0, -2.0, 0.0], [0.0, 0.0, 3.0], [0.5, 0.0, 0.0]]) < 1e-15);
        assert!(largest_miss([[0.6, -0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.0]]) < 1e-15);
        assert!(largest_miss([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]) == 0.0);
    }

    #[test]
    fn a_singular_matrix_has_none() {
        assert_eq!(inverse([[0.0; 3]; 3]), None);
        assert_eq!(inverse([[2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]), None);
        assert_eq!(inverse([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]), None);
    }
}

//! Weights, expansion and refinement against the recursion of Cox and de Boor and the sum of all 64 products.

use crate::runs::everywhere;
use voxnorm_kernels::at_levels;
use voxnorm_kernels::bspline::{Axes, Axis, Expansion, Lattice, Placement, Row};

/// The cubic B-spline on [0, 4].
fn bump(t: f64, degree: u32) -> f64 {
    if degree == 0 {
        return f64::from(u8::from((0.0..1.0).contains(&t)));
    }
    let p = f64::from(degree);
    (t * bump(t, degree - 1) + (p + 1.0 - t) * bump(t - 1.0, degree - 1)) / p
}

/// Where samples lie among the spans, the ends taken for what lies beyond them.
fn positions(samples: usize, spans: usize, placement: Placement) -> Vec<f64> {
    let Placement { start, step, extent } = placement;
    let scale = if extent > 0.0 { spans as f64 / extent } else { 0.0 };
    let position = |i: usize| (start + i as f64 * step) * scale;
    (0..samples).map(|i| position(i).max(0.0).min(spans as f64 - 1e-3 * scale)).collect()
}

/// The field at one place: every control point times its weight.
fn at(lattice: &Lattice, place: [f64; 3]) -> f64 {
    let [px, py, _] = lattice.points;
    let weight = |point: usize, axis: usize| bump(place[axis] - point as f64 + 3.0, 3);
    let each = lattice.values.iter().enumerate();
    each.map(|(i, v)| v * weight(i % px, 0) * weight(i / px % py, 1) * weight(i / px / py, 2)).sum()
}

fn lattice(points: [usize; 3]) -> Lattice {
    let values = (0..points.iter().product::<usize>()).map(|i| (i as f64 * 2.399).sin()).collect();
    Lattice { points, values }
}

at_levels! {
    fn expand(lattice: &Lattice, axes: &Axes) -> Vec<f32> {
        let [x, y, z] = &axes.0;
        let expansion = Expansion::new(lattice, x, z);
        let mut plane = vec![0.0; expansion.plane_size()];
        let mut line = vec![0.0; expansion.stride()];
        let mut field = Vec::new();
        for k in 0..z.samples() {
            expansion.plane(k, &mut plane);
            for j in 0..y.samples() {
                let row = Row::new(&plane, expansion.stride(), y, j);
                row.expand(0, &mut line);
                field.extend_from_slice(&line[..x.samples()]);
            }
        }
        field
    }
}

fn expect_alike(lattice: &Lattice, shape: [usize; 3], placement: [Placement; 3]) {
    let spans = lattice.points.map(|points| points - 3);
    let axes = Axes::placed(shape, spans, &placement);
    let bits = |field: &Vec<f32>| field.iter().map(|v| v.to_bits().into()).collect();
    let field = everywhere(|run| expand(run.level, lattice, &axes), bits);
    assert_eq!(field.len(), shape.iter().product());
    let places = [0, 1, 2].map(|a| positions(shape[a], spans[a], placement[a]));
    for (i, got) in field.into_iter().enumerate() {
        let index = [i % shape[0], i / shape[0] % shape[1], i / shape[0] / shape[1]];
        let expected = at(lattice, [0, 1, 2].map(|a| places[a][index[a]]));
        // Control points lie within ±1; three sums of four products round in single precision.
        assert!((f64::from(got) - expected).abs() < 1e-6, "{shape:?} {index:?}: {got} {expected}");
    }
}

#[test]
fn expansion_at_every_length_of_a_row() {
    for nx in [1, 2, 3, 15, 16, 17, 31, 32, 33, 65] {
        for points in [[4, 4, 4], [5, 4, 6], [9, 7, 4]] {
            let shape = [nx, 3, 2];
            expect_alike(&lattice(points), shape, shape.map(Placement::stretched));
        }
    }
}

#[test]
fn expansion_of_thin_and_single_axes() {
    for shape in [[1, 1, 1], [1, 1, 9], [1, 8, 1], [17, 1, 1], [2, 2, 2], [40, 33, 1]] {
        expect_alike(&lattice([4, 5, 4]), shape, shape.map(Placement::stretched));
    }
}

#[test]
fn samples_beyond_an_end_take_the_value_there() {
    let placement = Placement { start: -4.5, step: 2.5, extent: 20.0 };
    expect_alike(&lattice([5, 4, 6]), [18, 13, 14], [placement; 3]);
}

#[test]
fn equal_control_points_make_a_constant_field() {
    let lattice = Lattice { points: [4, 6, 5], values: vec![0.25; 120] };
    let shape = [33, 6, 5];
    let axes = Axes::new(shape, [1, 3, 2]);
    let bits = |field: &Vec<f32>| field.iter().map(|v| v.to_bits().into()).collect();
    for value in everywhere(|run| expand(run.level, &lattice, &axes), bits) {
        assert!((value - 0.25).abs() <= f32::EPSILON / 4.0, "{value}");
    }
}

#[test]
fn weights_are_the_recursions() {
    for (samples, spans) in [(1, 1), (1, 5), (2, 1), (3, 7), (17, 4), (176, 8), (5, 64)] {
        let axis = Axis::new(samples, spans);
        let places = positions(samples, spans, Placement::stretched(samples));
        for (i, place) in places.into_iter().enumerate() {
            assert!(axis.first[i] + 4 <= axis.points);
            for (k, weight) in axis.weights[i].into_iter().enumerate() {
                let expected = bump(place - (axis.first[i] + k) as f64 + 3.0, 3);
                assert!((weight - expected).abs() < 1e-12, "{samples} {spans} {i}: {weight} {expected}");
            }
        }
    }
}

#[test]
fn refinement_of_any_number_of_spans_leaves_the_field() {
    for points in [[4, 4, 4], [5, 4, 7], [11, 6, 5]] {
        let coarse = lattice(points);
        let (fine, spans) = (coarse.refined(), points.map(|points| points - 3));
        assert_eq!(fine.points, spans.map(|spans| 2 * spans + 3));
        for i in 0..27 {
            let share = [i % 3, i / 3 % 3, i / 9].map(|n| [0.0, 0.37, 0.998][n]);
            let place = [0, 1, 2].map(|a| share[a] * spans[a] as f64);
            let difference = at(&coarse, place) - at(&fine, place.map(|p| 2.0 * p));
            assert!(difference.abs() < 1e-13, "{difference}");
        }
    }
}

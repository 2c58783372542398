"""Records what nibabel calls the axes of many affines: `python nibabel-axis-codes.py > nibabel-axis-codes.json`."""

import json
import random
from itertools import permutations, product

import nibabel
import numpy as np

numbers = random.Random(20240)


def rotation():
    """Uniform over all rotations, by a random quaternion."""
    a, b, c, d = np.array([numbers.gauss(0, 1) for _ in range(4)])
    n = a * a + b * b + c * c + d * d
    a, b, c, d = np.array([a, b, c, d]) / np.sqrt(n)
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a - b * b + c * c - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a - b * b - c * c + d * d],
        ]
    )


matrices = []
for order in permutations(range(3)):
    for signs in product([1, -1], repeat=3):
        matrices.append(np.eye(3)[:, order] * np.array(signs) * [0.5, 1, 3])
for _ in range(200):
    spacing = [numbers.choice([0.4, 1, 1.2, 5]) for _ in range(3)]
    mirror = [numbers.choice([1, -1]), 1, 1]
    matrices.append(rotation() * np.array(spacing) * np.array(mirror))
for _ in range(40):
    # A tilted gantry, and a head a little turned. (Where axes are far from the world's and sheared as well, nibabel
    # first makes them perpendicular, and voxnorm does not: there the names are a matter of taste and differ.)
    shear = np.eye(3) + np.triu([[numbers.uniform(-0.4, 0.4) for _ in range(3)] for _ in range(3)], 1)
    angle = np.radians(numbers.uniform(-15, 15))
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    order = numbers.sample(range(3), 3)
    matrices.append((turn @ shear)[:, order] * np.array([numbers.choice([1, -1]) for _ in range(3)]))

cases = []
for matrix in matrices:
    affine = np.eye(4)
    affine[:3, :3] = np.round(matrix, 6)
    affine[:3, 3] = [-90, 126, -72.5]
    cases.append({"affine": affine[:3].tolist(), "codes": "".join(nibabel.aff2axcodes(affine))})

print(json.dumps({"source": f"nibabel {nibabel.__version__}, aff2axcodes", "cases": cases}, separators=(",", ":")))

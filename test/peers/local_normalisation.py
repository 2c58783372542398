"""Records local normalisation by scipy's uniform filter, in double precision.

The box is cut off at the image's borders: sums of the image padded by zeros, over those of ones.
"""
import numpy as np
from scipy.ndimage import uniform_filter

from common import IMAGE, load, write_case


def record(name, title, image, size, **options):
    """`size` is the box in voxels."""
    voxels = load(image).astype(np.float64)
    origin, spread = voxels.mean(), voxels.std()

    def mean(of):
        return uniform_filter(of, size, mode="constant", cval=0.0)

    count = mean(np.ones_like(voxels))
    local = mean(voxels - origin) / count
    output = voxels - origin - local
    if options.get("statistics") != "mean":
        variance = mean((voxels - origin) ** 2) / count - local**2
        output /= np.maximum(np.sqrt(np.maximum(variance, 0)), options.get("floor", 0.1) * spread)
    write_case("local-normalisation", name, title, ["scipy", "numpy"], output, options, {"image": image})


record("scipy", "A box of 11 voxels of 2 mm", IMAGE, 11)
record("scipy-mean", "The mean of 5, 1 and 31 voxels", IMAGE, (5, 1, 31), statistics="mean", window=[10, 1, 60])
record("scipy-floor", "A low floor", IMAGE, 3, floor=0.001, window=7)

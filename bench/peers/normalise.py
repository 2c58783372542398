"""Packages that normalise, as peers in memory: `normalise.py <package> <method>`.

Each is given what it takes by itself: a tensor, an array, an image of its own; making that is not timed.
"""

import sys
from importlib.metadata import version

import numpy as np
from serve import serve

package, method = sys.argv[1:]


def start(job):
    threads, inputs = job["threads"], job["inputs"]
    run, voxels = STARTS[package](threads, inputs)
    return version(package.lower() if package == "SimpleITK" else package), lambda options: run(), voxels


def load(path):
    """Voxels with x fastest, as single precision."""
    import nibabel

    return np.asfortranarray(nibabel.load(path).get_fdata(dtype=np.float32))


def flat(array):
    return np.asarray(array).ravel(order="F")


def intensity_normalization(threads, inputs):
    import intensity_normalization as package

    image, mask = load(inputs["image"]), load(inputs["mask"])
    normalise = {
        "zscore": package.zscore,
        "white-stripe": package.whitestripe,
        "kde-mode": package.kde,
        "fcm": package.fcm,
    }[method]
    return lambda: normalise(image, mask), flat


def torchio(threads, inputs):
    import torch
    import torchio as package

    torch.set_num_threads(threads)
    image = package.ScalarImage(tensor=torch.from_numpy(np.ascontiguousarray(load(inputs["image"])))[None])
    transform = {
        "zscore": lambda: package.ZNormalization(),
        "percentile-range": lambda: package.RescaleIntensity((0, 1), percentiles=(0.5, 99.5)),
    }[method]()
    return lambda: transform(image), lambda result: flat(result.numpy()[0])


def monai(threads, inputs):
    import torch
    from monai import transforms

    torch.set_num_threads(threads)
    image = torch.from_numpy(np.ascontiguousarray(load(inputs["image"])))[None]
    transform = {
        "zscore": lambda: transforms.NormalizeIntensity(),
        "percentile-range": lambda: transforms.ScaleIntensityRangePercentiles(0.5, 99.5, 0, 1, clip=True),
    }[method]()
    return lambda: transform(image), lambda result: flat(result.numpy()[0])


def simpleitk(threads, inputs):
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    image = sitk.ReadImage(inputs["image"], sitk.sitkFloat32)
    if method == "zscore":
        return lambda: sitk.Normalize(image), sitk.GetArrayViewFromImage
    reference = sitk.ReadImage(inputs["reference"], sitk.sitkFloat32)
    match = lambda: sitk.HistogramMatching(image, reference, 256, 15, True)
    return match, sitk.GetArrayViewFromImage


STARTS = {
    "intensity-normalization": intensity_normalization,
    "torchio": torchio,
    "monai": monai,
    "SimpleITK": simpleitk,
}

if __name__ == "__main__":
    serve(start)

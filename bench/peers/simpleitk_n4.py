"""SimpleITK's N4 as a peer, in memory. `correct` is what its documentation does for a full-size result."""

import SimpleITK as sitk
from serve import serve


def start(job):
    threads = job["threads"]
    # For the filters without a setting of their own: shrinking, exp, the division.
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    image = sitk.ReadImage(job["inputs"]["image"], sitk.sitkFloat32)
    mask = sitk.ReadImage(job["inputs"]["mask"], sitk.sitkUInt8)
    # Grids that differ in a last digit would be shrunk from different first voxels, since a tie falls by rounding.
    mask.CopyInformation(image)
    return (
        sitk.Version.VersionString(),
        lambda options: correct(image, mask, options, threads),
        lambda result: sitk.GetArrayViewFromImage(result[1]),
    )


def correct(image, mask, options, threads):
    """The corrected image and the log field, both full size: shrink, correct, evaluate the field, divide."""
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetNumberOfThreads(threads)
    n4.SetMaskLabel(options["maskLabel"])
    n4.SetMaximumNumberOfIterations(options["iterations"])
    n4.SetConvergenceThreshold(options["convergenceThreshold"])
    n4.SetNumberOfControlPoints(options["controlPoints"])
    n4.SetNumberOfHistogramBins(options["histogramBins"])
    n4.SetBiasFieldFullWidthAtHalfMaximum(options["fullWidthAtHalfMaximum"])
    n4.SetWienerFilterNoise(options["wienerNoise"])
    n4.Execute(sitk.Shrink(image, options["shrinkFactor"]), sitk.Shrink(mask, options["shrinkFactor"]))
    field = n4.GetLogBiasFieldAsImage(image)
    return image / sitk.Exp(field), field


if __name__ == "__main__":
    serve(start)

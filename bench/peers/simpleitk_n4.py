"""SimpleITK's N4 as a peer: one process, one number of threads, one run at a time.

stdin, a line each:
    a case as JSON: {"inputs": {"image": path, "mask": path}, "options": {...}, "threads": n, "field": path}
    run      performs one timed run
    field    writes the log field of the last run to the case's path, as float32, x fastest

stdout, a line of JSON for each: {"version"}, {"ms", "cpuMs", "threads"}, {"field"}.

The caller decides when a run happens, so that it can interleave ours with these. What is timed is what
SimpleITK's documentation does for a full-size result: shrink, correct, evaluate the field, divide.
"""

import json
import sys
import time

import SimpleITK as sitk


def main():
    case = json.loads(sys.stdin.readline())
    options, threads = case["options"], case["threads"]
    # For the filters without a setting of their own: shrinking, exp, the division.
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    image = sitk.ReadImage(case["inputs"]["image"], sitk.sitkFloat32)
    mask = sitk.ReadImage(case["inputs"]["mask"], sitk.sitkUInt8)
    # Grids that differ in a last digit would be shrunk from different first voxels, since a tie falls by rounding.
    mask.CopyInformation(image)
    answer({"version": sitk.Version.VersionString()})
    corrected = field = None
    for line in sys.stdin:
        if line.strip() == "run":
            # Freeing what an earlier run made is not part of this one.
            corrected = field = None
            wall, cpu = time.perf_counter(), time.process_time()
            corrected, field = correct(image, mask, options, threads)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            answer({"ms": wall * 1e3, "cpuMs": cpu * 1e3, "threads": threads})
        elif line.strip() == "field":
            sitk.GetArrayViewFromImage(field).astype("<f4").tofile(case["field"])
            answer({"field": case["field"]})


def correct(image, mask, options, threads):
    """The corrected image and the log field, both full size."""
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


def answer(facts):
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()

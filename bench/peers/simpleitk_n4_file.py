"""SimpleITK's N4 from file to file, as a user's script: IMAGE MASK OUTPUT OPTIONS-AS-JSON THREADS."""

import json
import sys

import SimpleITK as sitk
from simpleitk_n4 import correct

image_path, mask_path, output_path, options, threads = sys.argv[1:]
sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(int(threads))
image = sitk.ReadImage(image_path, sitk.sitkFloat32)
mask = sitk.ReadImage(mask_path, sitk.sitkUInt8)
mask.CopyInformation(image)
corrected, _ = correct(image, mask, json.loads(options), int(threads))
# A division by a real image gives doubles, which nobody needs: half the voxels' bytes make a better time.
sitk.WriteImage(sitk.Cast(corrected, sitk.sitkFloat32), output_path)

"""A z-score from file to file, as a user's script: PACKAGE IMAGE MASK OUTPUT OPTIONS-AS-JSON THREADS."""

import sys

package, image_path, mask_path, output_path, _, threads = sys.argv[1:]


def intensity_normalization():
    from intensity_normalization.cli import main

    sys.argv[1:] = ["zscore", image_path, "--mask", mask_path, "--output", output_path, "--quiet"]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise


def numpy():
    import nibabel
    import numpy as np

    image = nibabel.load(image_path)
    voxels = image.get_fdata(dtype=np.float32)
    inside = voxels[np.asarray(nibabel.load(mask_path).dataobj) > 0]
    result = (voxels - inside.mean(dtype=np.float64)) / inside.std(dtype=np.float64)
    nibabel.save(nibabel.Nifti1Image(result.astype(np.float32), image.affine), output_path)


def torchio():
    import torch
    import torchio as tio

    torch.set_num_threads(int(threads))
    subject = tio.Subject(image=tio.ScalarImage(image_path), mask=tio.LabelMap(mask_path))
    tio.ZNormalization(masking_method="mask")(subject)["image"].save(output_path)


def monai():
    import torch
    from monai.transforms import LoadImage, MaskIntensity, NormalizeIntensity, SaveImage

    torch.set_num_threads(int(threads))
    load = LoadImage(ensure_channel_first=True)
    masked = MaskIntensity(mask_data=load(mask_path))(load(image_path))
    result = NormalizeIntensity(nonzero=True)(masked)
    SaveImage(output_ext=".nii.gz", print_log=False)(result, filename=output_path.removesuffix(".nii.gz"))


{
    "intensity-normalization": intensity_normalization,
    "numpy and nibabel": numpy,
    "torchio": torchio,
    "monai": monai,
}[package]()

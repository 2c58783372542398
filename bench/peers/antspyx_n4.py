"""ANTs' N4 as a peer, in memory, through antspyx."""

import importlib.metadata
import os

import numpy as np
from serve import serve


def start(job):
    # ITK reads it when it is loaded, so the import comes after.
    os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = str(job["threads"])
    import ants

    image = ants.image_read(job["inputs"]["image"], pixeltype="float")
    mask = ants.image_read(job["inputs"]["mask"])

    def correct(options):
        """The field. The corrected image is made with it either way; antspyx gives back one of the two."""
        return ants.n4_bias_field_correction(
            image,
            mask=mask,
            shrink_factor=one_of(options["shrinkFactor"]),
            convergence={"iters": options["iterations"], "tol": options["convergenceThreshold"]},
            spline_param=options["splineDistance"] or [points - 3 for points in options["controlPoints"]],
            return_bias_field=True,
        )

    def log_field(result):
        return np.log(result.numpy()).ravel(order="F")

    return importlib.metadata.version("antspyx"), correct, log_field


def one_of(factors):
    if len(set(factors)) != 1:
        raise ValueError(f"antspyx shrinks all axes alike, got {factors}")
    return factors[0]


if __name__ == "__main__":
    serve(start)

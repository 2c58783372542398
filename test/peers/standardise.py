"""Records standardisation by given statistics by Keras and torchvision."""
import os

# For arrays it computes by numpy, whatever the backend.
os.environ["KERAS_BACKEND"] = "torch"

import numpy as np
import torch
from keras.applications.imagenet_utils import preprocess_input
from torchvision.transforms.v2.functional import normalize

from PIL import Image

from common import IMAGE, MASK, ROOT, load, load_png, planes, write_case

image, mask = load(IMAGE), load(MASK)

output = preprocess_input(image.copy(), data_format="channels_last", mode="tf")
write_case("standardise", "tf-head", "The example head by Keras' mode tf", ["keras"], output, {"profile": "tf"})

channel = torch.from_numpy(np.ascontiguousarray(image)).reshape(1, image.shape[0], -1)
output = normalize(channel, mean=[151.5], std=[61.25]).numpy().reshape(image.shape)
options = {"mean": [151.5], "standardDeviation": [61.25], "region": "mask", "changed": "region", "outsideValue": -9}
title = "The example head's mask by torchvision's normalize, -9 outside"
inputs = {"image": IMAGE, "mask": MASK}
write_case("standardise", "given-mask", title, ["torchvision"], np.where(mask > 0, output, -9), options, inputs)

# A smooth picture with noise, each colour another, so large that colours and mask cross the borders of chunks.
COLOUR, COLOUR_MASK, GREY = "test/cases/colour.png", "test/cases/colour-mask.png", "shared:cxr/nih_00000001_000.png"
rng = np.random.default_rng(5)
y, x = np.mgrid[0:71, 0:97]
colours = np.stack([2 * x, 190 - 2 * y, x + y + 20], axis=-1) + rng.integers(0, 40, (71, 97, 3))
Image.fromarray(colours.astype(np.uint8)).save(ROOT / COLOUR, optimize=True)
inside = ((x - 48) ** 2 + (y - 35) ** 2 < 900) & ((x + y) % 11 != 3)
Image.fromarray(inside.astype(np.uint8)).save(ROOT / COLOUR_MASK, optimize=True)
colour = load_png(COLOUR).astype(np.float32)


def record_colour(name, title, packages, output, inputs=None, **options):
    write_case("standardise", name, title, packages, planes(output), options, inputs or {"image": COLOUR}, stride=(7, 5, 1))


for mode in ["caffe", "tf", "torch"]:
    output = preprocess_input(colour.copy(), data_format="channels_last", mode=mode)
    record_colour(f"{mode}-colour", f"A colour picture by Keras' mode {mode}", ["keras"], output, profile=mode)
tensor = torch.from_numpy(colour.transpose(2, 0, 1) / 255)
output = normalize(tensor, mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]).numpy().transpose(1, 2, 0)
output = np.where(inside[..., None], output, 0)
title = "A colour picture's mask by torchvision's normalize with ImageNet's statistics, 0 outside"
options = {"profile": "torch", "region": "mask", "changed": "region", "outsideValue": 0}
record_colour("torch-mask", title, ["torchvision"], output, {"image": COLOUR, "mask": COLOUR_MASK}, **options)
output = colour - np.array([120, 115, 100], np.float32)
record_colour("means", "A colour picture less the means of its channels", ["numpy"], output, mean=[120, 115, 100])
output = preprocess_input(load_png(GREY).astype(np.float32), data_format="channels_last", mode="tf")
inputs, options = {"image": GREY}, {"profile": "tf"}
write_case("standardise", "tf-radiograph", "A radiograph by Keras' mode tf", ["keras"], planes(output), options, inputs, stride=(19, 17, 1))

"""Records standardisation by given statistics by Keras and torchvision."""
import os

# For arrays it computes by numpy, whatever the backend.
os.environ["KERAS_BACKEND"] = "torch"

import numpy as np
import torch
from keras.applications.imagenet_utils import preprocess_input
from torchvision.transforms.v2.functional import normalize

from common import IMAGE, MASK, load, write_case

image, mask = load(IMAGE), load(MASK)

output = preprocess_input(image.copy(), data_format="channels_last", mode="tf")
write_case("standardise", "tf-head", "The example head by Keras' mode tf", ["keras"], output, {"profile": "tf"})

channel = torch.from_numpy(np.ascontiguousarray(image)).reshape(1, image.shape[0], -1)
output = normalize(channel, mean=[151.5], std=[61.25]).numpy().reshape(image.shape)
options = {"mean": [151.5], "standardDeviation": [61.25], "region": "mask", "changed": "region", "outsideValue": -9}
title = "The example head's mask by torchvision's normalize, -9 outside"
inputs = {"image": IMAGE, "mask": MASK}
write_case("standardise", "given-mask", title, ["torchvision"], np.where(mask > 0, output, -9), options, inputs)

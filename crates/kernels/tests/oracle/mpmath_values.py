"""Writes mpmath_values.csv: exp, exp - 1 and ln of single-precision numbers, by mpmath 1.4.1 with 60 digits.

Arguments are the least accurate of all, found by going through every single-precision number once, then the ends of
the domains and a sample between them. A line is the function, the bits of the argument, and the value.

    python mpmath_values.py > mpmath_values.csv
"""
import struct
import mpmath

mpmath.mp.dps = 60
WORST = {
    "exp": "c26fa5ce 428cce63 c0bb7836 c1db0829 40a6719a c0bb65c4 c0bb32c8",
    "expm1": "3eb147e6 3eb08c07 3e406bd2 3e4dcdaa 3e39a7dd 3e9f09f1 3e3eaedf 3e420a63 3e3ec5a7 3e3f57d0",
    "ln": "1f116ab8 3c413d3a 41178feb 4c5d65a5 4d604ebe 65d890d3 66a8c860 6f31a8ec 0dc8bba4 111c87f8",
}
ENDS = {
    # -103.97208 is the last whose exponential is not 0; -87.33654 the last that is normal; 88.72283 the last finite.
    "exp": [-103.97208, -103.5, -100, -88, -87.33655, -87.33654, -1e-7, -1e-45, 1e-45, 1e-7, 88.722, 88.72283],
    "expm1": [-0.34657359, 0.34657359, 1e-45, -1e-45, 1.1754944e-38, 1e-20, -1e-20, 1e-7, -1e-3],
    "ln": [1e-45, 1e-40, 1.17549421e-38, 1.1754944e-38, 0.70710677, 0.70710683, 0.99999994, 1.0000001, 2, 3.4028235e38],
}
SAMPLE = {
    "exp": [i * 0.731 - 87 for i in range(240)],
    "expm1": [i * 0.00289 - 0.3465 for i in range(240)],
    "ln": [1.4462 ** (i - 120) for i in range(240)],
}
FUNCTIONS = {"exp": mpmath.exp, "expm1": mpmath.expm1, "ln": mpmath.log}


def bits(value):
    return struct.unpack("<I", struct.pack("<f", value))[0]


for name, function in FUNCTIONS.items():
    worst = [int(word, 16) for word in WORST[name].split()]
    for argument in worst + [bits(value) for value in ENDS[name] + SAMPLE[name]]:
        exact = mpmath.mpf(struct.unpack("<f", struct.pack("<I", argument))[0])
        print(f"{name},{argument:08x},{mpmath.nstr(function(exact), 20)}")

"""Writes mpmath_values.csv: exp, exp - 1 and ln of single-precision numbers, by mpmath 1.4.1 with 60 digits.

Arguments are the least accurate of all, found by going through every single-precision number once, then the ends of
the domains and a sample between them. A line is the function, the bits of the argument, and the value.

    python mpmath_values.py > mpmath_values.csv
"""
import struct
import mpmath

mpmath.mp.dps = 60
WORST = {
    "exp": "42171be2 c2a2d5fd c0a648e9 428cbfa0 c0bad762 426d0ed5 c1db00b5 c0bb40e8 41d5d0b1 40a66e46",
    "expm1": "3eb13867 3eb13450 be929aa5 3eb16af2 3eb162da 3eb06f89 3eb166a0 be928af0 3eb11062 be932fba",
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

"""Elementary functions for kernels: a loop over one of them runs on as many numbers at once as the processor takes.

The library's are calls, one for each number. These are polynomials without a branch, good to single precision
where the kernels use them (coefficients: Moshier's Cephes library, 1992).
"""

from __future__ import annotations

import math

import numpy as np

from dsp.compile import kernel

_PER_LN_2, _LN_2 = np.float32(1 / math.log(2)), np.float32(math.log(2))
_PER_QUARTER, _QUARTER = np.float32(2 / math.pi), np.float32(math.pi / 2)
_HALF, _ONE = np.float32(0.5), np.float32(1.0)
# What an exponent of 2 may be, and how it lies in a number's bits.
_LEAST, _MOST = np.float32(-126.0), np.float32(127.0)
_BIAS, _MANTISSA_BITS = np.int32(127), np.int32(23)
_E0, _E1, _E2 = np.float32(1.9875691500e-4), np.float32(1.3981999507e-3), np.float32(8.3334519073e-3)
_E3, _E4, _E5 = np.float32(4.1665795894e-2), np.float32(1.6666665459e-1), np.float32(5.0000001201e-1)
_L0, _L1, _L2 = np.float32(7.0376836292e-2), np.float32(-1.1514610310e-1), np.float32(1.1676998740e-1)
_L3, _L4, _L5 = np.float32(-1.2420140846e-1), np.float32(1.4249322787e-1), np.float32(-1.6668057665e-1)
_L6, _L7, _L8 = np.float32(2.0000714765e-1), np.float32(-2.4999993993e-1), np.float32(3.3333331174e-1)
_ROOT_HALF, _MANTISSA, _IN_HALF = np.float32(math.sqrt(0.5)), np.int32(0x007FFFFF), np.int32(0x3F000000)
_S0, _S1, _S2 = np.float32(-1.9515295891e-4), np.float32(8.3321608736e-3), np.float32(-1.6666654611e-1)
_C0, _C1, _C2 = np.float32(2.443315711809948e-5), np.float32(-1.388731625493765e-3), np.float32(4.166664568298827e-2)


@kernel
def exp(value: np.float32) -> np.float32:
    """Return the exponential function, to 1e-6 of itself; what is out of range stays at its ends."""
    power = min(max(np.floor(value * _PER_LN_2 + _HALF), _LEAST), _MOST)
    rest = min(max(value - power * _LN_2, -_ONE), _ONE)
    series = ((((_E0 * rest + _E1) * rest + _E2) * rest + _E3) * rest + _E4) * rest + _E5
    scale = np.int32((np.int32(power) + _BIAS) << _MANTISSA_BITS).view(np.float32)
    result: np.float32 = (series * rest * rest + rest + _ONE) * scale
    return result


@kernel
def log(value: np.float32) -> np.float32:
    """Return the natural logarithm of a normal number above 0, to two units in the last place."""
    bits = np.float32(value).view(np.int32)
    share = np.int32((bits & _MANTISSA) | _IN_HALF).view(np.float32)
    is_low = share < _ROOT_HALF
    power = np.float32((bits >> _MANTISSA_BITS) - _BIAS + (0 if is_low else 1))
    rest = (share + share if is_low else share) - _ONE
    square = rest * rest
    series = ((((_L0 * rest + _L1) * rest + _L2) * rest + _L3) * rest + _L4) * rest + _L5
    series = ((series * rest + _L6) * rest + _L7) * rest + _L8
    result: np.float32 = series * rest * square - _HALF * square + rest + power * _LN_2
    return result


@kernel
def cos_sin(angle: np.float32) -> tuple[np.float32, np.float32]:
    """Return cosine and sine, to 1e-6 and half a unit in the last place of the angle."""
    quarters = np.floor(angle * _PER_QUARTER + _HALF)
    rest = angle - quarters * _QUARTER
    square = rest * rest
    sine = ((_S0 * square + _S1) * square + _S2) * square * rest + rest
    cosine = ((_C0 * square + _C1) * square + _C2) * square * square - _HALF * square + _ONE
    quarter = np.int32(quarters)
    is_odd, turned, negative = quarter & 1, (quarter + 1) & 2, quarter & 2
    own, other = (sine, cosine) if is_odd else (cosine, sine)
    return (-own if turned else own), (-other if negative else other)

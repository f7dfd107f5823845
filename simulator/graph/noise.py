"""Chance as a pure function of a key: the same (seed, object, date) always gives the same number.

A counter-based generator (the SplitMix64 finaliser over a key and a counter) instead of a stateful one, so
that any range of dates can be asked in any order and arrays are drawn at once.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]

_GAMMA = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1
_POISSON_LIMIT = 25.0


def _finalise(x: Keys) -> Keys:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def key(*parts: int) -> int:
    """One 64-bit key out of several integers."""
    state = 0
    for part in parts:
        state = (state ^ (part & _MASK)) + _GAMMA & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state


def unit(*parts: int) -> float:
    """A number in [0, 1) from integers."""
    return key(*parts) / 2.0**64


def keys(base: int, numbers: Ints) -> Keys:
    """A key for each number of an array."""
    return _finalise(numbers.astype(np.uint64) * np.uint64(_GAMMA) + np.uint64(base))


def crossed(rows: Keys, columns: Keys, stream: int) -> Keys:
    """A key for each pair, shape (rows × columns); ``stream`` separates independent draws."""
    salted = rows + np.uint64(key(stream))
    return _finalise(salted[:, None] ^ columns[None, :])


def uniform(of: Keys) -> Floats:
    """Uniform on [0, 1)."""
    return (of >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(of: Keys) -> Floats:
    """Standard normal to the accuracy of a sum of four uniforms (Irwin–Hall), so within ±3.5."""
    total = np.zeros(of.shape)
    for shift in (0, 16, 32, 48):
        total += ((of >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.float64)
    centred: Floats = (total / 65536.0 - 2.0 + 2.0 / 65536.0) * 3.0**0.5
    return centred


def poisson(of: Keys, mean: Floats) -> Ints:
    """Counts with the given mean: inversion below 25, the normal approximation above."""
    large = np.maximum(mean, _POISSON_LIMIT)
    counts = np.rint(large + np.sqrt(large) * normal(of)).astype(np.int64)
    small = mean < _POISSON_LIMIT
    if not small.any():
        return counts
    chance, rate = uniform(of)[small], mean[small]
    term = np.exp(-rate)
    reached = term.copy()
    drawn = np.zeros(chance.shape, dtype=np.int64)
    for count in range(1, 80):
        open_ = chance > reached
        if not open_.any():
            break
        drawn += open_
        term *= rate / count
        reached += term
    counts[small] = drawn
    return counts

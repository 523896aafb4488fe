"""Philox and the draws made of it."""

import numpy as np
import pytest

import pgfast as pg
from pgfast import reference
from pgfast.random import philox

# Random123's kat_vectors for philox4x32, 10 rounds: counter, key, result.
KNOWN_ANSWERS = [
    (
        [0, 0, 0, 0],
        [0, 0],
        [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8],
    ),
    (
        [0xFFFFFFFF] * 4,
        [0xFFFFFFFF] * 2,
        [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD],
    ),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize("twin", [philox, reference.philox])
@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_gives_the_published_answers(twin, counter, key, answer):
    np.testing.assert_array_equal(twin(counter, key), np.array(answer, np.uint32))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_uniform_equals_its_twin_to_the_bit(dtype):
    for seed, stream in [(0, 0), (1, 0), (2**40 + 7, 3), (2**64 - 1, 2**32 - 1)]:
        drawn = pg.uniform((5, 7), seed=seed, stream=stream, dtype=dtype)
        twin = reference.uniform((5, 7), seed=seed, stream=stream, dtype=dtype)
        np.testing.assert_array_equal(drawn, twin)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_normal_equals_its_twin(dtype):
    tolerance = 1e-5 if dtype == np.float32 else 1e-13
    for count in (1, 2, 7):
        drawn = pg.normal(count, seed=9, dtype=dtype)
        np.testing.assert_allclose(
            drawn, reference.normal(count, seed=9, dtype=dtype), tolerance, tolerance
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_draws_have_the_moments_of_their_distribution(dtype):
    """Each statistic lies within 4 standard errors: a false alarm once in 16,000."""
    n = 200_000
    u = pg.uniform(n, seed=3, dtype=dtype).astype(np.float64)
    assert u.min() >= 0
    assert u.max() < 1
    assert abs(u.mean() - 1 / 2) < 4 * np.sqrt(1 / 12 / n)
    assert abs(u.var() - 1 / 12) < 4 * np.sqrt(1 / 180 / n)
    x = pg.normal(n, seed=3, dtype=dtype).astype(np.float64)
    assert abs(x.mean()) < 4 / np.sqrt(n)
    assert abs((x**2).mean() - 1) < 4 * np.sqrt(2 / n)
    assert abs((x**3).mean()) < 4 * np.sqrt(15 / n)
    assert abs((x**4).mean() - 3) < 4 * np.sqrt(96 / n)


def test_neighbouring_seeds_and_streams_share_nothing():
    """2,000 words of 24 bits: 4 chance pairs among 10 sets of 200 would already be rare."""
    keys = [(seed, stream) for seed in range(5) for stream in range(2)]
    sets = [set(pg.uniform(200, seed=seed, stream=stream).tolist()) for seed, stream in keys]
    shared = sum(len(a & b) for i, a in enumerate(sets) for b in sets[:i])
    assert shared < 4


def test_a_longer_array_begins_with_the_shorter_one():
    np.testing.assert_array_equal(pg.uniform(100, seed=5)[:33], pg.uniform(33, seed=5))
    np.testing.assert_array_equal(pg.normal(100, seed=5)[:33], pg.normal(33, seed=5))


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"uniform: seed is -1, expected 0 <= seed < 2\*\*64"):
        pg.uniform(3, seed=-1)
    with pytest.raises(ValueError, match=r"uniform: stream is 4294967296, expected 0 <= stream"):
        pg.uniform(3, seed=0, stream=2**32)
    with pytest.raises(TypeError, match="normal: seed is a float, expected an int"):
        pg.normal(3, seed=0.5)
    with pytest.raises(TypeError, match="normal: dtype is int64, expected float32 or float64"):
        pg.normal(3, seed=0, dtype=np.int64)
    with pytest.raises(ValueError, match=r"uniform: shape is \(-1,\), expected numbers >= 0"):
        pg.uniform(-1, seed=0)
    with pytest.raises(ValueError, match="philox: key is "):
        philox([0, 0, 0, 0], [0, 2**32])

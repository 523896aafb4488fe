"""Features φ(s) of an observation: what a linear policy or value function sees in its place.

A map is an immutable object: `phi(observations)` takes (..., D) float32 or float64 to (..., J) in
the same dtype. Two of the same kind and settings give the same bits. `config` and `restore` write
one down and make it again.

The box [low, high] of an observation is yours to choose: an environment's own may be infinite.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from pgfast import _core
from pgfast._typing import FloatArray, as_count, as_number, as_seed, as_sizes, unknown

if TYPE_CHECKING:
    from typing_extensions import Self

MOST_FEATURES = 2**20
"""A map with more features than that is refused: a tile of 32 samples would take 128 MiB."""


class Features(ABC):
    """What all maps share."""

    _kernel: _core.Features
    _kinds: ClassVar[dict[str, type[Features]]] = {}

    def __init_subclass__(cls) -> None:
        Features._kinds[cls.__name__] = cls

    @property
    def observation_size(self) -> int:
        """D, the size of an observation."""
        return self._kernel.input_size

    @property
    def num_features(self) -> int:
        """J, the number of features."""
        return self._kernel.output_size

    def __call__(self, observations: FloatArray) -> FloatArray:
        """Features of observations.

        Parameters:
            observations: (..., D) float32 or float64.

        Returns:
            (..., J) in the dtype of `observations`. NaN goes in, NaN comes out.

        Raises:
            ValueError: a shape or stride that does not fit.
            TypeError: a dtype that does not fit.
        """
        return self._kernel.apply(observations)

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Give the arguments that make the same map, as plain values."""

    def config(self) -> dict[str, Any]:
        """Give what `restore` takes, as plain values: the kind and the settings."""
        return {"kind": type(self).__name__, **self.settings()}

    @classmethod
    def restore(cls, config: dict[str, Any]) -> Self:
        """Make the map that `config` describes.

        Raises:
            ValueError: a kind that is unknown or not of this class, or settings that make no map.
            TypeError: settings that make no map.
        """
        settings = dict(config)
        name = settings.pop("kind", None)
        kind = Features._kinds.get(str(name))
        if kind is None or not issubclass(kind, cls):
            raise unknown("features", "kind", name, Features._kinds)
        return kind(**settings)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as what `restore` takes."""
        return Features.restore, (self.config(),)

    def __eq__(self, other: object) -> bool:
        """Whether both are the same map."""
        return isinstance(other, Features) and self.config() == other.config()

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.settings().items())
        return f"{type(self).__name__}({arguments})"


class OneHotFeatures(Features):
    """One feature per state.

    φⱼ(s) = 1 where s = j, else 0.

    The observation is the index of a state as one number. What is no index in [0, J) has features
    0.

    Parameters:
        states: J, their number.

    Raises:
        ValueError: `states` below 1 or above 2²⁰.
        TypeError: `states` is no int.

    >>> OneHotFeatures(3)(np.array([[1.0], [0.0]]))
    array([[0., 1., 0.],
           [1., 0., 0.]])
    """

    def __init__(self, states: int) -> None:
        name = "OneHotFeatures"
        self.states = as_count(name, "states", states)
        _check_number(name, self.states)
        self._kernel = _core.OneHot(self.states)

    def settings(self) -> dict[str, Any]:
        """Give the arguments that make the same map."""
        return {"states": self.states}


class PolynomialFeatures(Features):
    """All monomials up to a total degree.

    φ_c(s) = Π_d s_d^c_d for the c with Σ_d c_d ≤ n; (D + n)! / (D! n!) of them.

    In the order of their degree, and within a degree of their variables: 1, s₀, s₁, s₀², s₀s₁, s₁².
    The observation is not scaled. Degree 1 is the observation behind a constant.

    Source: Sutton & Barto 2018, eq. 9.17, where each power alone is bounded, c_d ≤ n; with many
    dimensions that is far more features.

    Parameters:
        observation_size: D.
        degree: n ≥ 1.

    Raises:
        ValueError: a number below 1, or more than 2²⁰ features.
        TypeError: a number that is no int.

    >>> PolynomialFeatures(2, 2)(np.array([[3.0, 5.0]]))
    array([[ 1.,  3.,  5.,  9., 15., 25.]])
    """

    def __init__(self, observation_size: int, degree: int) -> None:
        name = "PolynomialFeatures"
        size = as_count(name, "observation_size", observation_size)
        self.degree = as_count(name, "degree", degree)
        _check_binomial(name, size, self.degree)
        self._kernel = _core.Polynomial(size, self.degree)

    def settings(self) -> dict[str, Any]:
        """Give the arguments that make the same map."""
        return {"observation_size": self.observation_size, "degree": self.degree}


class FourierFeatures(Features):
    """The Fourier basis.

    φ_c(s) = cos(π cᵀu), u_d = (s_d − low_d) / (high_d − low_d), for every c in {0, ..., n}ᴰ.

    There are (n + 1)ᴰ of them, in the order of numpy.ndindex: the last dimension's coefficient runs
    fastest. The first feature is constant. Outside the box the cosines go on.

    Source: Konidaris, Osentoski & Thomas 2011, "Value function approximation in reinforcement
    learning using the Fourier basis"; Sutton & Barto 2018, eq. 9.18.

    Parameters:
        low: (D,) where u_d is 0.
        high: (D,) where u_d is 1.
        order: n ≥ 1.

    Raises:
        ValueError: bounds that are not finite or not in order, an order below 1, or more than 2²⁰
            features.
        TypeError: an order that is no int.

    >>> FourierFeatures([-1, 0], [1, 4], order=1)(np.array([[0.0, 4.0]])).round(6) + 0
    array([[ 1., -1.,  0.,  0.]])
    """

    def __init__(self, low: npt.ArrayLike, high: npt.ArrayLike, *, order: int) -> None:
        name = "FourierFeatures"
        self.low, self.high = _as_bounds(name, low, high)
        self.order = as_count(name, "order", order)
        _check_power(name, self.order + 1, len(self.low))
        self._kernel = _core.Fourier(self.low, self.high, self.order)

    def settings(self) -> dict[str, Any]:
        """Give the arguments that make the same map."""
        return {"low": self.low.tolist(), "high": self.high.tolist(), "order": self.order}


class RBFFeatures(Features):
    """Radial basis functions at random centres.

    φⱼ(s) = exp(−|u − cⱼ|² / (2 w²)), u_d = (s_d − low_d) / (high_d − low_d).

    The centres cⱼ are drawn uniformly from [0, 1)ᴰ, from the features' own stream of the seed: the
    first J of them do not depend on their number. They and the width are in units of the box.

    Source: Sutton & Barto 2018, section 9.5.5.

    Parameters:
        low: (D,) where u_d is 0.
        high: (D,) where u_d is 1.
        features: J, the number of centres.
        width: w ≥ 10⁻¹⁸, the standard deviation of a bump.
        seed: of the centres.

    Raises:
        ValueError: bounds that are not finite or not in order, a number of features below 1 or
            above 2²⁰, a width below 10⁻¹⁸, a negative seed.
        TypeError: a number of the wrong type.

    >>> phi = RBFFeatures([-1, -1], [1, 1], features=3, width=0.5)
    >>> phi(2 * phi.centres[:1] - 1).round(6)[0, 0]
    np.float64(1.0)
    """

    centres: FloatArray
    """(J, D), in units of the box."""

    def __init__(
        self,
        low: npt.ArrayLike,
        high: npt.ArrayLike,
        *,
        features: int,
        width: float,
        seed: int = 0,
    ) -> None:
        name = "RBFFeatures"
        self.low, self.high = _as_bounds(name, low, high)
        size = as_count(name, "features", features)
        _check_number(name, size)
        self.width = as_number(name, "width", width, "a number > 0")
        self.seed = as_seed(name, seed)
        self.centres = _core.uniform_float64(
            (size, len(self.low)), self.seed, 0, _core.Purpose.features
        )
        self.centres.flags.writeable = False
        self._kernel = _core.RadialBasis(self.low, self.high, self.centres, self.width)

    def settings(self) -> dict[str, Any]:
        """Give the arguments that make the same map."""
        return {
            "low": self.low.tolist(),
            "high": self.high.tolist(),
            "features": self.num_features,
            "width": self.width,
            "seed": self.seed,
        }


class TileFeatures(Features):
    """Tile coding: several displaced grids of tiles.

    Grid k of K has a feature for each of its tiles, which is 1 where s lies in that tile, else 0.
    The tile of s in dimension d is ⌊m_d u_d + (k (2d + 1) mod K) / K⌋ with
    u_d = (s_d − low_d) / (high_d − low_d); outside the box u counts as the nearest point of it.

    K ones among K Π_d (m_d + 1) features: a displaced grid needs one more tile to cover the box.
    Features are in the order of (grid, tile in dimension 0, tile in dimension 1, ...). The grids
    are displaced by the odd numbers (1, 3, 5, ...), for which K ≥ 4D, a power of two, is
    recommended.

    Source: Sutton & Barto 2018, section 9.5.4; Miller & Glanz 1996 for the displacement.

    Parameters:
        low: (D,) where u_d is 0.
        high: (D,) where u_d is 1.
        tiles: m, how many tiles fit between the bounds; a number, or one for each dimension.
        tilings: K, the number of grids.

    Raises:
        ValueError: bounds that are not finite or not in order, a number below 1, or more than 2²⁰
            features.
        TypeError: a number that is no int.

    >>> TileFeatures([0], [1], tiles=2, tilings=2)(np.array([[0.3], [0.9]]))
    array([[1., 0., 0., 0., 1., 0.],
           [0., 1., 0., 0., 0., 1.]])
    """

    def __init__(
        self,
        low: npt.ArrayLike,
        high: npt.ArrayLike,
        *,
        tiles: int | Sequence[int],
        tilings: int,
    ) -> None:
        name = "TileFeatures"
        self.low, self.high = _as_bounds(name, low, high)
        if isinstance(tiles, Sequence):
            self.tiles = as_sizes(name, "tiles", tiles)
        else:
            self.tiles = (as_count(name, "tiles", tiles),) * len(self.low)
        self.tilings = as_count(name, "tilings", tilings)
        _check_number(name, self.tilings * math.prod(m + 1 for m in self.tiles))
        self._kernel = _core.TileCoding(self.low, self.high, self.tiles, self.tilings)

    def settings(self) -> dict[str, Any]:
        """Give the arguments that make the same map."""
        return {
            "low": self.low.tolist(),
            "high": self.high.tolist(),
            "tiles": list(self.tiles),
            "tilings": self.tilings,
        }


def state_action_features(features: FloatArray, actions: int) -> FloatArray:
    """State-action features in blocks: one copy of the state's features for each action.

    x(s, a)_(bJ + j) = 1[a = b] φⱼ(s).

    With them `StateActionSoftmaxPolicy` is the linear softmax with a weight for each pair of action
    and feature, θ = (action 0's weights, action 1's weights, ...).

    Parameters:
        features: φ (..., J).
        actions: A, their number.

    Returns:
        x (..., A, A J) in the dtype of `features`.

    Raises:
        ValueError: `features` is a single number, or `actions` below 1.
        TypeError: `actions` is no int.

    >>> state_action_features(np.array([2.0, 3.0]), 2)
    array([[2., 3., 0., 0.],
           [0., 0., 2., 3.]])
    """
    name = "state_action_features"
    phi, A = np.asarray(features), as_count(name, "actions", actions)
    if phi.ndim == 0:
        raise ValueError(f"{name}: features has shape (), expected (..., J)")
    x = np.zeros((*phi.shape[:-1], A, A, phi.shape[-1]), phi.dtype)
    x[..., np.arange(A), np.arange(A), :] = phi[..., None, :]
    return x.reshape(*phi.shape[:-1], A, A * phi.shape[-1])


def _as_bounds(
    name: str, low: npt.ArrayLike, high: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Both bounds as arrays of our own that nobody changes; the core checks them further."""
    pair = []
    for argument, value in (("low", low), ("high", high)):
        try:
            bound = np.array(value, np.float64)
        except (TypeError, ValueError):
            raise TypeError(f"{name}: {argument} is {value!r}, expected numbers (D,)") from None
        if bound.ndim != 1 or bound.size == 0:
            raise ValueError(f"{name}: {argument} has shape {bound.shape}, expected (D,)")
        bound.flags.writeable = False
        pair.append(bound)
    return pair[0], pair[1]


def _check_number(name: str, features: int) -> None:
    if features > MOST_FEATURES:
        raise ValueError(f"{name}: makes {features} features, expected at most {MOST_FEATURES}")


def _check_power(name: str, base: int, exponent: int) -> None:
    """base**exponent features, without making a number of a million digits."""
    if exponent * math.log2(base) > 64:
        raise ValueError(
            f"{name}: makes {base}**{exponent} features, expected at most {MOST_FEATURES}"
        )
    _check_number(name, base**exponent)


def _check_binomial(name: str, size: int, degree: int) -> None:
    """(size + degree)! / (size! degree!) features; it is above both, and at least 2^min."""
    if max(size, degree) >= MOST_FEATURES or min(size, degree) > 64:
        raise ValueError(
            f"{name}: {size} variables and degree {degree} make more than {MOST_FEATURES} features"
        )
    _check_number(name, math.comb(size + degree, degree))

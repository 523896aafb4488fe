"""Policies: a network's output z are the parameters of a distribution over actions.

θ is one flat vector `theta`; change it in place or assign to it. Observations have any leading
dimensions, (B, ...) or (T, N, ...), at least one; actions and weights have the leading ones.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from pgfast import _core
from pgfast._typing import FloatArray, IntArray
from pgfast.conjugate_gradient import CGResult

if TYPE_CHECKING:
    from typing_extensions import Self


class Policy(ABC):
    """What all policies share."""

    _kernel: _core.SoftmaxMlp | _core.SoftmaxStateAction
    _theta: FloatArray
    seed: int
    draws: int
    """How many times the policy has been sampled: the index of its next draw."""

    @property
    def theta(self) -> FloatArray:
        """The parameters θ (P,)."""
        return self._theta

    @theta.setter
    def theta(self, value: FloatArray) -> None:
        if value is self._theta:  # policy.theta += step
            return
        array = np.asarray(value)
        if array.shape != self._theta.shape:
            raise ValueError(f"theta: has shape {array.shape}, expected {self._theta.shape}")
        if array.dtype != self._theta.dtype:
            raise TypeError(f"theta: has dtype {array.dtype}, expected {self._theta.dtype}")
        self._theta[...] = array

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64: of θ and of every array that goes with it."""
        return self._theta.dtype

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """Give the arguments that make a policy of the same kind, as plain values."""

    @classmethod
    @abstractmethod
    def _num_parameters(cls, config: dict[str, Any]) -> int:
        """P of the policy that `config` describes, without making it."""

    @classmethod
    def restore(cls, config: dict[str, Any], theta: FloatArray, draws: int) -> Self:
        """Make a policy from its config, with that θ and count of draws.

        Raises:
            ValueError: a θ of another shape, or settings that make no policy.
            TypeError: a θ of another dtype, or settings that make no policy.
        """
        size = cls._num_parameters(config)  # before anything of that size is allocated
        if theta.shape != (size,):
            raise ValueError(f"theta has shape {theta.shape}, expected ({size},)")
        policy = cls(**config)
        policy.theta = theta
        policy.draws = draws
        return policy

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as what `restore` takes."""
        return type(self).restore, (self.config(), self.theta, self.draws)

    def copy(self) -> Self:
        """Make a policy of its own with the same θ, seed and count of draws."""
        return self.restore(self.config(), self.theta, self.draws)

    def logits(self, observations: FloatArray) -> FloatArray:
        """Network output z, the log-probabilities up to a constant.

        π(a|s) = exp(zₐ) / Σ_b exp(z_b).

        Parameters:
            observations: (..., D) in the dtype of θ.

        Returns:
            (..., A).
        """
        return self._kernel.logits(self.theta, observations)

    def sample(self, observations: FloatArray) -> IntArray:
        """Sample actions a ~ π(·|s).

        Row b of the k-th call takes draw k of stream b of the policy's seed: the same seed gives
        the same actions, on any number of threads, and a row's action does not depend on the
        others.

        Parameters:
            observations: (..., D) in the dtype of θ.

        Returns:
            (...) int64.
        """
        actions = self._kernel.sample(self.theta, observations, self.seed, 0, self.draws)
        self.draws += 1
        return actions

    def mode(self, observations: FloatArray) -> IntArray:
        """Give the most probable actions, the first of equals.

        argmaxₐ π(a|s): the greedy policy.

        Parameters:
            observations: (..., D) in the dtype of θ.

        Returns:
            (...) int64.
        """
        return self._kernel.mode(self.theta, observations)

    def log_prob(self, observations: FloatArray, actions: IntArray) -> FloatArray:
        """Log-probability of actions, log π(a|s).

        Parameters:
            observations: (..., D) in the dtype of θ.
            actions: (...) int64 in [0, A).

        Returns:
            (...).
        """
        return self._kernel.log_prob(self.theta, observations, actions)

    def entropy(self, observations: FloatArray) -> FloatArray:
        """Entropy in nats, H = −Σₐ π(a|s) log π(a|s).

        Parameters:
            observations: (..., D) in the dtype of θ.

        Returns:
            (...).
        """
        return self._kernel.entropy(self.theta, observations)

    def kl(self, observations: FloatArray, other: Policy) -> FloatArray:
        """Kullback–Leibler divergence in nats, KL(π ‖ π′) = Σₐ π(a|s) log(π(a|s) / π′(a|s)).

        Parameters:
            observations: (..., D) in the dtype of θ.
            other: π′, a policy of the same kind and dtype.

        Returns:
            (...), one number for each observation.
        """
        if type(other) is not type(self):
            raise TypeError(
                f"kl: other is a {type(other).__name__}, expected a {type(self).__name__}"
            )
        return self._kernel.kl(self.theta, other._kernel, other.theta, observations)

    def score(
        self, observations: FloatArray, actions: IntArray, weights: FloatArray | None = None
    ) -> FloatArray:
        """Weighted sum of scores, Σ_b w_b ∇θ log π(a_b|s_b).

        Samples of weight zero add nothing; where 32 in a row have it, as behind the end of
        episodes, they cost nothing either.

        Parameters:
            observations: (..., D) in the dtype of θ.
            actions: (...) int64 in [0, A).
            weights: w (...) in the dtype of θ; None means 1.

        Returns:
            (P,).
        """
        return self._kernel.score(self.theta, observations, actions, weights)

    def scores(self, observations: FloatArray, actions: IntArray) -> FloatArray:
        """Score of each sample, ∇θ log π(a_b|s_b).

        Parameters:
            observations: (..., D) in the dtype of θ.
            actions: (...) int64 in [0, A).

        Returns:
            (..., P).
        """
        return self._kernel.scores(self.theta, observations, actions)

    def fisher_vector_product(
        self, observations: FloatArray, v: FloatArray, damping: float = 0.0
    ) -> FloatArray:
        """Product with the Fisher matrix, averaged over the observations.

        F v + damping · v with F = mean_b J_bᵀ M_b J_b = mean_b Σₐ π(a|s_b) ∇log π ∇log πᵀ, where
        J = ∂z/∂θ and M = diag(π) − ππᵀ; F itself is never made. F is the Hessian of the mean
        KL(π_θ ‖ π_θ′) in θ′ at θ.

        Source: Kakade 2001; Schulman et al. 2015, appendix C.

        Parameters:
            observations: (..., D) in the dtype of θ.
            v: (P,) in the dtype of θ.
            damping: ≥ 0.

        Returns:
            (P,).
        """
        return self._kernel.fisher_vector_product(self.theta, observations, v, damping)

    def natural_gradient(
        self,
        observations: FloatArray,
        gradient: FloatArray,
        *,
        damping: float = 1e-3,
        tolerance: float = 1e-6,
        max_iterations: int | None = None,
    ) -> CGResult:
        """Solve (F + damping I) x = gradient by conjugate gradients.

        Parameters:
            observations: (..., D) over which F is averaged, in the dtype of θ.
            gradient: (P,) in the dtype of θ.
            damping: ≥ 0; a softmax Fisher matrix is singular without it.
            tolerance: relative, ≥ 0.
            max_iterations: at least 1; None means P.

        Returns:
            CGResult(x, iterations, residual, status).
        """
        return CGResult(
            *self._kernel.natural_gradient(
                self.theta, observations, gradient, damping, tolerance, max_iterations
            )
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the policy to a new safetensors file.

        Raises:
            FileExistsError: the file exists; nothing is written over.
        """
        from pgfast.checkpoint import save_policy

        save_policy(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a policy that `save` wrote. Nothing of the file is executed.

        Raises:
            ValueError: the file is not a policy of this kind, is cut short, or holds a θ of another
                shape.
        """
        from pgfast.checkpoint import load_policy

        policy = load_policy(path)
        if not isinstance(policy, cls):
            raise ValueError(f"load: {path} holds a {type(policy).__name__}, not a {cls.__name__}")
        return policy

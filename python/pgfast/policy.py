"""Policies: a network's output z are the parameters of a distribution over actions.

θ is one flat vector `theta`; change it in place or assign to it. Observations have any leading
dimensions, (B, ...) or (T, N, ...), at least one; actions, weights and masks have the leading ones.

`masks` tells which actions are allowed, True, in each sample: (..., number of logits) bool, for
discrete actions. One that is forbidden has probability 0. None allows all.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from pgfast import _core
from pgfast._typing import BoolArray, FloatArray
from pgfast.conjugate_gradient import CGResult
from pgfast.parameters import Parameters

if TYPE_CHECKING:
    from typing_extensions import Self


class Policy(Parameters, ABC):
    """What all policies share."""

    _kernel: _core.SoftmaxMlp | _core.MultiSoftmaxMlp | _core.GaussianMlp | _core.SoftmaxStateAction
    seed: int
    draws: int
    """How many times the policy has been sampled: the index of its next draw."""

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """Give the arguments that make a policy of the same kind, as plain values."""

    @classmethod
    @abstractmethod
    def _num_parameters(cls, config: dict[str, Any]) -> int:
        """P of the policy that `config` describes, without making it."""

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Give what has been learned, by name: θ, and what the policy keeps beside it."""
        return {"theta": self._theta}

    def _restore_arrays(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        if set(arrays) != {"theta"}:
            raise ValueError(f"restore: arrays holds {sorted(arrays)}, expected theta")
        self.theta = arrays["theta"]

    @classmethod
    def restore(
        cls, config: dict[str, Any], arrays: dict[str, npt.NDArray[Any]], draws: int
    ) -> Self:
        """Make a policy from its config, with those arrays and count of draws.

        Raises:
            ValueError: a θ of another shape, or settings that make no policy.
            TypeError: a θ of another dtype, or settings that make no policy.
        """
        size = cls._num_parameters(config)  # before anything of that size is allocated
        if arrays["theta"].shape != (size,):
            raise ValueError(f"theta has shape {arrays['theta'].shape}, expected ({size},)")
        policy = cls(**config)
        policy._restore_arrays(arrays)
        policy.draws = draws
        return policy

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as what `restore` takes."""
        return type(self).restore, (self.config(), self.arrays(), self.draws)

    def copy(self) -> Self:
        """Make a policy of its own with the same θ, seed and count of draws."""
        return self.restore(self.config(), self.arrays(), self.draws)

    def parameters(self, observations: FloatArray) -> FloatArray:
        """Network output z: the parameters of the distribution, before any mask.

        Parameters:
            observations: (..., D) in the dtype of θ.

        Returns:
            (..., Z): logits; or mean, then log σ where it is not fixed.
        """
        return self._kernel.parameters(self.theta, observations)

    def sample(
        self, observations: FloatArray, *, masks: BoolArray | None = None
    ) -> npt.NDArray[Any]:
        """Sample actions a ~ π(·|s).

        Row b of the k-th call takes draw k of stream b of the policy's seed: the same seed gives
        the same actions, on any number of threads, and a row's action does not depend on the
        others.

        Parameters:
            observations: (..., D) in the dtype of θ.

        Returns:
            Actions: (...) int64, or as the policy's class says.
        """
        actions = self._kernel.sample(self.theta, observations, masks, self.seed, 0, self.draws)
        self.draws += 1
        return actions

    def mode(self, observations: FloatArray, *, masks: BoolArray | None = None) -> npt.NDArray[Any]:
        """Give the most probable actions, argmaxₐ π(a|s): the greedy policy.

        Of equals the first; of a Gaussian the mean.

        Parameters:
            observations: (..., D) in the dtype of θ.

        Returns:
            Actions: (...) int64, or as the policy's class says.
        """
        return self._kernel.mode(self.theta, observations, masks)

    def log_prob(
        self,
        observations: FloatArray,
        actions: npt.NDArray[Any],
        *,
        masks: BoolArray | None = None,
    ) -> FloatArray:
        """Log-probability of actions, log π(a|s); of continuous ones, its density.

        Parameters:
            observations: (..., D) in the dtype of θ.
            actions: (...) int64 in [0, A), or as the policy's class says.

        Returns:
            (...).
        """
        return self._kernel.log_prob(self.theta, observations, actions, masks)

    def entropy(self, observations: FloatArray, *, masks: BoolArray | None = None) -> FloatArray:
        """Entropy in nats, H = −E[log π(a|s)].

        Parameters:
            observations: (..., D) in the dtype of θ.

        Returns:
            (...).
        """
        return self._kernel.entropy(self.theta, observations, masks)

    def kl(
        self, observations: FloatArray, other: Policy, *, masks: BoolArray | None = None
    ) -> FloatArray:
        """Kullback–Leibler divergence in nats, KL(π ‖ π′) = E_π[log(π(a|s) / π′(a|s))].

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
        return self._kernel.kl(self.theta, other._kernel, other.theta, observations, masks)

    def score(
        self,
        observations: FloatArray,
        actions: npt.NDArray[Any],
        weights: FloatArray | None = None,
        *,
        masks: BoolArray | None = None,
    ) -> FloatArray:
        """Weighted sum of scores, Σ_b w_b ∇θ log π(a_b|s_b).

        Samples of weight zero add nothing; where 32 in a row have it, as behind the end of
        episodes, they cost nothing either.

        Parameters:
            observations: (..., D) in the dtype of θ.
            actions: (...) int64 in [0, A), or as the policy's class says.
            weights: w (...) in the dtype of θ; None means 1.

        Returns:
            (P,).
        """
        return self._kernel.score(self.theta, observations, actions, weights, masks)

    def scores(
        self,
        observations: FloatArray,
        actions: npt.NDArray[Any],
        *,
        masks: BoolArray | None = None,
    ) -> FloatArray:
        """Score of each sample, ∇θ log π(a_b|s_b).

        Parameters:
            observations: (..., D) in the dtype of θ.
            actions: (...) int64 in [0, A), or as the policy's class says.

        Returns:
            (..., P).
        """
        return self._kernel.scores(self.theta, observations, actions, masks)

    def fisher_vector_product(
        self,
        observations: FloatArray,
        v: FloatArray,
        damping: float = 0.0,
        *,
        masks: BoolArray | None = None,
    ) -> FloatArray:
        """Product with the Fisher matrix, averaged over the observations.

        F v + damping · v with F = mean_b J_bᵀ M_b J_b = mean_b E_π[∇log π ∇log πᵀ], where
        J = ∂z/∂θ and M is the metric of the distribution's parameters z: diag(π) − ππᵀ of logits,
        diag(1/σ², 2) of mean and log σ. F itself is never made. F is the Hessian of the mean
        KL(π_θ ‖ π_θ′) in θ′ at θ.

        Source: Kakade 2001; Schulman et al. 2015, appendix C.

        Parameters:
            observations: (..., D) in the dtype of θ.
            v: (P,) in the dtype of θ.
            damping: ≥ 0.

        Returns:
            (P,).
        """
        return self._kernel.fisher_vector_product(self.theta, observations, v, damping, masks)

    def natural_gradient(
        self,
        observations: FloatArray,
        gradient: FloatArray,
        *,
        damping: float = 1e-3,
        tolerance: float = 1e-6,
        max_iterations: int | None = None,
        masks: BoolArray | None = None,
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
                self.theta, observations, gradient, damping, tolerance, max_iterations, masks
            )
        )

    def after_update(
        self, observations: FloatArray, valid: BoolArray | None = None
    ) -> dict[str, float]:
        """Do what belongs behind an update that learned from these observations.

        Parameters:
            observations: (..., D) of the batch.
            valid: (...) those that count; None all.

        Returns:
            Numbers for the history, by name.
        """
        return {}

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

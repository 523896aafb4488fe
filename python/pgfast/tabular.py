"""Finite Markov decision processes, solved exactly: what every estimate is an estimate of.

Everything here is in float64 and by direct solves; nothing is sampled.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pgfast import _core
from pgfast._typing import FloatArray, as_number
from pgfast.policy import Policy
from pgfast.softmax_policy import StateActionSoftmaxPolicy


class Optimum(NamedTuple):
    """The best policy of an MDP, and what it is worth."""

    policy: FloatArray
    """(S, A): 1 for the action taken in a state, else 0."""
    values: FloatArray
    """V* (S,)."""


class NaturalGradient(NamedTuple):
    """F⁺ ∇J, and whether F could be inverted."""

    x: FloatArray
    """In the shape of the gradient."""
    rank: int
    """Of F. Below the number of parameters F is singular, and x is the solution of least norm."""


class TabularMDP:
    """A finite Markov decision process.

    After action a in state s the next state is s′ with probability P(s, a, s′), and the reward has
    the mean R(s, a). An episode starts in s with probability p0(s) and is over in an end: a state
    that every action leaves where it is, with reward 0. Its return is Σₜ γᵗ rₜ.

    A `policy` is an array π (S, A) of probabilities, or a softmax policy of this package. The
    array stands for the softmax with a logit θ(s, a) for each pair: gradients and Fisher matrices
    are with respect to these logits, and are functions of π alone. A policy object is asked for its
    logits on `observations`, one for each state, and everything is with respect to its own θ, taken
    as float64.

    Parameters:
        P: (S, A, S); each P[s, a] sums to 1.
        R: (S, A), or (S, A, S) where the reward depends on the next state too; then R(s, a) is its
            mean Σ_s′ P(s, a, s′) R(s, a, s′).
        p0: (S,), sums to 1.
        gamma: γ in [0, 1]. With γ = 1 every policy asked for must reach an end from every state.
        observations: (S, ...), what a policy object sees in each state. None: a policy that takes
            one number sees the number of the state, one that takes S of them sees a one-hot row,
            and one of state-action features sees a one-hot row for each pair, so that its θ is
            θ(s, a) in the order of (S, A).

    Raises:
        ValueError: a shape that does not fit, a probability below 0, a row that does not sum to 1,
            numbers that are not finite, γ outside [0, 1]; in a method, a policy that does not fit,
            or one that with γ = 1 never ends an episode.
        TypeError: no array; in a method, a policy of another dtype than float64.

    >>> P = np.zeros((2, 2, 2)); P[0, 0, 0] = P[0, 1, 1] = P[1, :, 1] = 1  # stay or leave
    >>> mdp = TabularMDP(P, np.array([[1.0, 3.0], [0, 0]]), np.array([1.0, 0]), gamma=0.5)
    >>> mdp.value(np.array([[0.5, 0.5], [0.5, 0.5]]))
    array([2.66666667, 0.        ])
    >>> mdp.optimal().policy[0], mdp.optimal().values[0]
    (array([0., 1.]), np.float64(3.0))
    """

    def __init__(
        self,
        P: npt.ArrayLike,
        R: npt.ArrayLike,
        p0: npt.ArrayLike,
        gamma: float,
        *,
        observations: npt.ArrayLike | None = None,
    ) -> None:
        name, expected = "TabularMDP", "a number in [0, 1]"
        self.gamma = as_number(name, "gamma", gamma, expected)
        if not 0 <= self.gamma <= 1:
            raise ValueError(f"{name}: gamma is {self.gamma}, expected {expected}")
        self.P, rewards, self.p0 = (
            _as_array(name, argument, value) for argument, value in (("P", P), ("R", R), ("p0", p0))
        )
        if rewards.ndim == 3:
            if rewards.shape != self.P.shape:
                raise ValueError(f"{name}: R has shape {rewards.shape}, expected {self.P.shape}")
            if not np.isfinite(rewards).all():
                raise ValueError(f"{name}: R is not finite, expected finite numbers")
            rewards = np.einsum("ijk,ijk->ij", self.P, rewards)
        self.R = rewards
        self._core = _core.TabularMDP(self.P, self.R, self.p0, self.gamma)
        for array in (self.P, self.R, self.p0):
            array.flags.writeable = False
        self.observations = None if observations is None else np.array(observations)
        if self.observations is not None and self.observations.shape[:1] != (self.num_states,):
            raise ValueError(
                f"{name}: observations has shape {self.observations.shape}, "
                f"expected ({self.num_states}, ...)"
            )

    @classmethod
    def from_env(
        cls, env: Any, gamma: float, *, observations: npt.ArrayLike | None = None
    ) -> TabularMDP:
        """Read a tabular environment, as Gymnasium writes one.

        `P[s][a]` lists outcomes (probability, next state, reward, terminated), and
        `initial_state_distrib` is p0. A state that a terminated step leads to becomes an end,
        whatever the table says of it. A limit of steps is no part of the MDP.

        Parameters:
            env: an environment with `P` and `initial_state_distrib`, such as Gymnasium's
                FrozenLake, CliffWalking and Taxi, an id of one for gymnasium.make, or a native
                environment that is a table.
            gamma: γ in [0, 1].
            observations: as for TabularMDP.

        Raises:
            ValueError: the environment has no table, or a state both ends episodes and goes on.

        >>> mdp = TabularMDP.from_env("FrozenLake-v1", gamma=0.99)
        >>> mdp.num_states, mdp.num_actions, float(mdp.optimal().values[0].round(4))
        (16, 4, 0.542)
        """
        if isinstance(env, str):
            import gymnasium

            env = gymnasium.make(env)
        from pgfast.envs.native import Model
        from pgfast.envs.tabular import table_of

        inner = getattr(env, "unwrapped", env)
        table: Any
        start: Any
        native = getattr(inner, "model", None)
        if isinstance(native, Model) and "probability" in native.arguments:
            table, start = table_of(native)
        else:
            table = getattr(inner, "P", None)
            start = getattr(inner, "initial_state_distrib", None)
        if table is None or start is None:
            raise ValueError(
                f"from_env: {type(inner).__name__} has no P and initial_state_distrib, expected a "
                "tabular environment"
            )
        return cls(
            *_arrays_of(table, np.array(start, np.float64)), gamma, observations=observations
        )

    @property
    def num_states(self) -> int:
        """S."""
        return len(self.p0)

    @property
    def num_actions(self) -> int:
        """A."""
        return int(self.R.shape[1])

    @property
    def ends(self) -> npt.NDArray[np.bool_]:
        """(S,): the states where an episode is over."""
        return self._core.is_end()

    def probabilities(self, policy: FloatArray | Policy) -> FloatArray:
        """Give π(a|s) of every pair.

        Returns:
            (S, A).
        """
        if not isinstance(policy, Policy):
            return policy
        exact, observations = self._exact(policy)
        logits = exact.parameters(observations)
        if logits.shape != self.R.shape:
            raise ValueError(
                f"TabularMDP: policy gives logits of shape {logits.shape}, expected {self.R.shape}"
            )
        p: FloatArray = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        return p

    def value(self, policy: FloatArray | Policy) -> FloatArray:
        """Value of every state.

        V(s) = Σₐ π(a|s) Q(s, a); the solution of (I − γ P_π) V = R_π.

        Returns:
            (S,); 0 in ends.
        """
        return self._core.evaluate(self.probabilities(policy))[0]

    def q(self, policy: FloatArray | Policy) -> FloatArray:
        """Value of every pair.

        Q(s, a) = R(s, a) + γ Σ_s′ P(s, a, s′) V(s′).

        Returns:
            (S, A).
        """
        return self._core.evaluate(self.probabilities(policy))[1]

    def advantage(self, policy: FloatArray | Policy) -> FloatArray:
        """How much better an action is than the policy's mean, A(s, a) = Q(s, a) − V(s).

        Returns:
            (S, A); its mean under π is zero in every state.
        """
        values, q, _, _ = self._core.evaluate(self.probabilities(policy))
        return q - values[:, None]

    def visitation(self, policy: FloatArray | Policy) -> FloatArray:
        """Discounted number of steps that are taken in each state.

        d(s) = Σₜ γᵗ Pr(sₜ = s); the solution of (I − γ P_π)ᵀ d = p0. It is no distribution: its sum
        is the discounted length of an episode, 1 / (1 − γ) where there is no end.

        Returns:
            (S,); 0 in ends, where no step is taken.
        """
        return self._core.evaluate(self.probabilities(policy))[2]

    def objective(self, policy: FloatArray | Policy) -> float:
        """Expected return, J = Σ_s p0(s) V(s) = Σ_s d(s) Σₐ π(a|s) R(s, a)."""
        return self._core.evaluate(self.probabilities(policy))[3]

    def gradient(self, policy: FloatArray | Policy) -> FloatArray:
        """Gradient of the expected return, by the policy gradient theorem.

        ∇J = Σ_s d(s) Σₐ ∇π(a|s) Q(s, a) = Σ_s d(s) Σₐ π(a|s) ∇log π(a|s) A(s, a). For the logits of
        an array π that is ∂J/∂θ(s, a) = d(s) π(a|s) A(s, a).

        Source: Sutton, McAllester, Singh & Mansour 2000, theorem 1.

        Returns:
            (S, A) for an array, (P,) for a policy object.
        """
        if not isinstance(policy, Policy):
            return self._core.gradient(policy)
        p = self.probabilities(policy)
        values, q, d, _ = self._core.evaluate(p)
        exact, observations = self._exact(policy)
        weights = d[:, None] * p * (q - values[:, None])
        return exact.score(
            np.repeat(observations, self.num_actions, axis=0),
            np.tile(np.arange(self.num_actions), self.num_states),
            weights.ravel(),
        )

    def fisher(self, policy: FloatArray | Policy) -> FloatArray:
        """Fisher matrix under the visitation.

        F = Σ_s d(s) Σₐ π(a|s) ∇log π(a|s) ∇log π(a|s)ᵀ. Divided by Σ_s d(s) it is a mean over
        states, as `policy.fisher_vector_product` is, and the Hessian of the mean KL(π ‖ π′). For
        the logits of an array π it has the blocks d(s) (diag(π) − ππᵀ).

        Source: Kakade 2001.

        Returns:
            (S A, S A) for an array, (P, P) for a policy object; symmetric, and singular for every
            softmax whose logits may be shifted together.
        """
        p = self.probabilities(policy)
        d = self._core.evaluate(p)[2]
        if isinstance(policy, Policy):
            return _core.weighted_gram(self._scores(policy), (d[:, None] * p).ravel())
        S, A = p.shape
        blocks = np.zeros((S, A, S, A))
        metric = p[:, :, None] * (np.eye(A) - p[:, None, :])
        blocks[np.arange(S), :, np.arange(S), :] = d[:, None, None] * metric
        return blocks.reshape(S * A, S * A)

    def natural_gradient(self, policy: FloatArray | Policy) -> NaturalGradient:
        """Natural gradient of the expected return, F⁺ ∇J.

        F⁺ is the pseudo-inverse: F is singular wherever logits may be shifted together or a state
        is never visited, but ∇J lies in its range, so F x = ∇J has exact solutions without damping,
        of which x is the one of least norm. x are also the weights w of the critic wᵀ∇log π that is
        nearest to Q, minimising Σ_s d(s) Σₐ π(a|s) (Q(s, a) − wᵀ∇log π(a|s))². For the logits of an
        array π > 0 it is the advantage less its plain mean over actions, wherever d(s) > 0.

        Source: Kakade 2001, theorem 1.

        Returns:
            NaturalGradient(x, rank): x (S, A) for an array, (P,) for a policy object; the rank of
            F, where eigenvalues below P ε times the largest count as 0.
        """
        if not isinstance(policy, Policy):
            return NaturalGradient(*self._core.natural_gradient(policy))
        solved = _core.semidefinite_solve(self.fisher(policy), self.gradient(policy))
        return NaturalGradient(*solved)

    def optimal(self) -> Optimum:
        """Find the best policy by policy iteration.

        V*(s) = maxₐ Q*(s, a). Where actions are equally good any of them is taken.

        Source: Howard 1960; Puterman 1994, section 6.4.

        Returns:
            Optimum(policy, values): (S, A) and (S,).

        Raises:
            ValueError: γ = 1, and from some state no policy, or no best one, reaches an end.
        """
        actions, values = self._core.optimal()
        return Optimum(np.eye(self.num_actions)[actions], values)

    def _exact(self, policy: Policy) -> tuple[Policy, FloatArray]:
        """The policy in float64, and what it sees in each state."""
        if policy.dtype != np.float64:
            config = {**policy.config(), "dtype": "float64"}
            arrays = {**policy.arrays(), "theta": policy.theta.astype(np.float64)}
            policy = type(policy).restore(config, arrays, policy.draws)
        if self.observations is not None:
            return policy, np.ascontiguousarray(self.observations, np.float64)
        S, A = self.R.shape
        if isinstance(policy, StateActionSoftmaxPolicy):
            return policy, np.eye(S * A).reshape(S, A, S * A)
        if getattr(policy, "observation_size", S) == 1:
            return policy, np.arange(S, dtype=np.float64)[:, None]
        return policy, np.eye(S)

    def _scores(self, policy: Policy) -> FloatArray:
        """∇log π(a|s) of every pair, (S A, P)."""
        exact, observations = self._exact(policy)
        S, A = self.R.shape
        return exact.scores(np.repeat(observations, A, axis=0), np.tile(np.arange(A), S))


def _as_array(name: str, argument: str, value: npt.ArrayLike) -> FloatArray:
    """A copy in float64 that nobody else changes."""
    try:
        return np.array(value, np.float64, order="C")
    except (TypeError, ValueError):
        kind = type(value).__name__
        raise TypeError(f"{name}: {argument} is a {kind}, expected an array of numbers") from None


def _arrays_of(table: Any, p0: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """P, R and p0 of lists of outcomes; what a terminated step leads to becomes an end."""
    S, A = len(table), len(table[0])
    P, R = np.zeros((S, A, S)), np.zeros((S, A))
    goes_on = np.zeros((S, S), np.bool_)
    ends = np.zeros(S, np.bool_)
    for s in range(S):
        for a in range(A):
            for probability, following, reward, terminated in table[s][a]:
                if probability > 0:
                    P[s, a, following] += probability
                    R[s, a] += probability * reward
                    goes_on[s, following] |= not terminated
                    ends[following] |= terminated
    visited = _reached(p0 > 0, P.any(axis=1) & ~ends[:, None])
    both = ends & ((p0 > 0) | goes_on[visited & ~ends].any(axis=0))
    if both.any():
        raise ValueError(
            f"from_env: state {both.argmax()} both ends episodes and goes on, expected one of them"
        )
    P[ends], R[ends] = 0, 0
    P[ends, :, ends] = 1
    return P, R, p0


def _reached(begin: npt.NDArray[np.bool_], leads: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The states that can be reached, where leads[s, s′] says that s′ may follow s."""
    reached = begin.copy()
    while True:
        more = reached | leads[reached].any(axis=0)
        if (more == reached).all():
            return reached
        reached = more

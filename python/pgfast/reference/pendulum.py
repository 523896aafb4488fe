"""Twin of Pendulum-v1's step, over states (N, 2)."""

from __future__ import annotations

import numpy as np

from pgfast._typing import FloatArray


def pendulum_step(
    state: FloatArray, actions: FloatArray, g: float = 10.0
) -> tuple[FloatArray, FloatArray]:
    """Next state (N, 2) and reward (N,); an episode has no terminal state.

    With torque u = clip(action, -2, 2) and the angle θ taken from [-π, π], the reward is
    -(θ² + 0.1 θ̇² + 0.001 u²), of the state before the step. Then θ̇ ← θ̇ + (1.5 g sin θ + 3 u) dt,
    clipped to [-8, 8], and θ ← θ + θ̇ dt.
    """
    theta, theta_dot = state.T
    dt = 0.05
    torque = np.clip(actions[:, 0], -2.0, 2.0)
    angle = (theta + np.pi) % (2 * np.pi) - np.pi
    rewards = -(angle**2 + 0.1 * theta_dot**2 + 0.001 * torque**2)
    theta_dot = np.clip(theta_dot + (1.5 * g * np.sin(theta) + 3.0 * torque) * dt, -8.0, 8.0)
    return np.stack([theta + theta_dot * dt, theta_dot], axis=1), rewards

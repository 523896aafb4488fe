"""Twin of MovingParticleContinuous-v0's and MovingParticle-v0's step, over states (N, 6)."""

from __future__ import annotations

import numpy as np

from pgfast._typing import BoolArray, FloatArray

DIRECTIONS = np.array([[0, 0], [-1, 0], [1, 0], [0, -1], [0, 1]], np.float64)
"""What an action of MovingParticle-v0 accelerates: not at all, left, right, down, up."""


def moving_particle_step(
    state: FloatArray, accelerations: FloatArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Next state (N, 6), reward (N,) and whether it is terminal (N,).

    With a = clip(acceleration, ±1): v ← clip(v + 0.1 (a - v / 2), ±1), p ← clip(p + 0.1 v, ±1), and
    a wall stops the velocity toward it. The reward is -|p - target|, the state terminal where that
    distance is below 0.1.
    """
    position, velocity, target = state[:, :2], state[:, 2:4], state[:, 4:]
    accelerations = np.clip(accelerations, -1.0, 1.0)
    velocity = np.clip(velocity + 0.1 * (accelerations - velocity / 2), -1.0, 1.0)
    position = position + 0.1 * velocity
    velocity = np.where(np.abs(position) > 1, 0.0, velocity)
    position = np.clip(position, -1.0, 1.0)
    distance = np.sqrt(((position - target) ** 2).sum(axis=1))
    return np.concatenate([position, velocity, target], axis=1), -distance, distance < 0.1

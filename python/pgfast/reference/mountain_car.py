"""Twins of MountainCar-v0's and MountainCarContinuous-v0's steps, over states (N, 2)."""

from __future__ import annotations

import numpy as np

from pgfast._typing import BoolArray, FloatArray, IntArray


def mountain_car_step(
    state: FloatArray, actions: IntArray, goal_velocity: float = 0.0
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Next state (N, 2), reward (N,) and whether it is terminal (N,).

    v ← clip(v + 0.001 (action - 1) - 0.0025 cos 3x, ±0.07), x ← clip(x + v, -1.2, 0.6); at the left
    wall v ← max(v, 0). Terminal where x ≥ 0.5 and v ≥ goal_velocity; the reward is -1 a step.
    """
    following, terminated = _roll(state, 0.001 * (actions - 1.0), 0.5, goal_velocity)
    return following, -np.ones(len(state)), terminated


def mountain_car_continuous_step(
    state: FloatArray, actions: FloatArray, goal_velocity: float = 0.0
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Next state (N, 2), reward (N,) and whether it is terminal (N,).

    As `mountain_car_step` with the push 0.0015 clip(action, ±1) and the goal at 0.45. The reward is
    -0.1 action² of the unclipped action, and 100 at the goal.
    """
    push = 0.0015 * np.clip(actions[:, 0], -1.0, 1.0)
    following, terminated = _roll(state, push, 0.45, goal_velocity)
    return following, 100.0 * terminated - 0.1 * actions[:, 0] ** 2, terminated


def _roll(
    state: FloatArray, push: FloatArray, goal: float, goal_velocity: float
) -> tuple[FloatArray, BoolArray]:
    position, velocity = state.T
    velocity = np.clip(velocity + push - 0.0025 * np.cos(3 * position), -0.07, 0.07)
    position = np.clip(position + velocity, -1.2, 0.6)
    velocity = np.where((position == -1.2) & (velocity < 0), 0.0, velocity)
    terminated = (position >= goal) & (velocity >= goal_velocity)
    return np.stack([position, velocity], axis=1), terminated

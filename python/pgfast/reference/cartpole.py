"""Twin of CartPole-v1's step, over states (N, 4)."""

from __future__ import annotations

import numpy as np

from pgfast._typing import BoolArray, FloatArray, IntArray


def cartpole_step(state: FloatArray, actions: IntArray) -> tuple[FloatArray, BoolArray]:
    """Next state (N, 4) and whether it is terminal (N,).

    The cart-pole equations of Barto, Sutton & Anderson 1983 with Gymnasium's constants, one Euler
    step.
    """
    x, x_dot, theta, theta_dot = state.T
    gravity, total_mass, pole_mass, half_length, dt = 9.8, 1.1, 0.1, 0.5, 0.02
    pole_mass_length = pole_mass * half_length
    force = np.where(actions == 1, 10.0, -10.0).astype(state.dtype)
    cosine, sine = np.cos(theta), np.sin(theta)
    temp = (force + pole_mass_length * theta_dot**2 * sine) / total_mass
    theta_acc = (gravity * sine - cosine * temp) / (
        half_length * (4.0 / 3.0 - pole_mass * cosine**2 / total_mass)
    )
    x_acc = temp - pole_mass_length * theta_acc * cosine / total_mass
    following = np.stack(
        [x + dt * x_dot, x_dot + dt * x_acc, theta + dt * theta_dot, theta_dot + dt * theta_acc],
        axis=1,
    )
    terminated = (np.abs(following[:, 0]) > 2.4) | (np.abs(following[:, 2]) > 12 * 2 * np.pi / 360)
    return following, terminated

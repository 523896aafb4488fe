"""Twin of Acrobot-v1's step, over states (N, 4)."""

from __future__ import annotations

import numpy as np

from pgfast._typing import BoolArray, FloatArray, IntArray


def acrobot_step(state: FloatArray, actions: IntArray) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Next state (N, 4), reward (N,) and whether it is terminal (N,).

    One Runge-Kutta step of 0.2 s of the equations in Sutton & Barto's book with the torque
    action - 1; angles are wrapped to [-π, π], velocities clipped to ±4π and ±9π. Terminal where
    -cos θ₁ - cos(θ₁ + θ₂) > 1; the reward is -1 a step, 0 for the last.
    """
    torque, dt = actions - 1.0, 0.2
    k1 = _derivatives(state, torque)
    k2 = _derivatives(state + dt / 2 * k1, torque)
    k3 = _derivatives(state + dt / 2 * k2, torque)
    k4 = _derivatives(state + dt * k3, torque)
    following = state + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    angles = following[:, :2]
    following[:, :2] = angles - 2 * np.pi * np.ceil((angles - np.pi) / (2 * np.pi))
    bounds = np.array([4 * np.pi, 9 * np.pi])
    following[:, 2:] = np.clip(following[:, 2:], -bounds, bounds)
    terminated = -np.cos(following[:, 0]) - np.cos(following[:, 0] + following[:, 1]) > 1.0
    return following, np.where(terminated, 0.0, -1.0), terminated


def _derivatives(state: FloatArray, torque: FloatArray) -> FloatArray:
    m1 = m2 = l1 = i1 = i2 = 1.0
    lc1 = lc2 = 0.5
    g = 9.8
    theta1, theta2, dtheta1, dtheta2 = state.T
    d1 = m1 * lc1**2 + m2 * (l1**2 + lc2**2 + 2 * l1 * lc2 * np.cos(theta2)) + i1 + i2
    d2 = m2 * (lc2**2 + l1 * lc2 * np.cos(theta2)) + i2
    phi2 = m2 * lc2 * g * np.cos(theta1 + theta2 - np.pi / 2)
    phi1 = (
        -m2 * l1 * lc2 * dtheta2**2 * np.sin(theta2)
        - 2 * m2 * l1 * lc2 * dtheta2 * dtheta1 * np.sin(theta2)
        + (m1 * lc1 + m2 * l1) * g * np.cos(theta1 - np.pi / 2)
        + phi2
    )
    ddtheta2 = (torque + d2 / d1 * phi1 - m2 * l1 * lc2 * dtheta1**2 * np.sin(theta2) - phi2) / (
        m2 * lc2**2 + i2 - d2**2 / d1
    )
    ddtheta1 = -(d2 * ddtheta2 + phi1) / d1
    return np.stack([dtheta1, dtheta2, ddtheta1, ddtheta2], axis=1)

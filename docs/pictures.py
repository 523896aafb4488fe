"""Draws docs/environments.png: the native classic-control environments after some random steps.

Needs pygame: pip install "gymnasium[classic-control]".
"""

from pathlib import Path

import numpy as np
import pygame

import pgfast as pg

IDS = ("CartPole-v1", "Pendulum-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Acrobot-v1")
HEIGHT = 200


def frame(id: str) -> np.ndarray:
    """A picture of the environment, (H, W, 3), scaled to the common height."""
    env = pg.make(id, num_envs=1, seed=3, render_mode="rgb_array")
    env.reset()
    env.action_space.seed(0)
    for _ in range(12):
        env.step(env.action_space.sample())
    picture = env.render()[0]
    env.close()
    surface = pygame.surfarray.make_surface(picture.swapaxes(0, 1))
    width = round(picture.shape[1] * HEIGHT / picture.shape[0])
    return pygame.surfarray.array3d(pygame.transform.smoothscale(surface, (width, HEIGHT)))


def main() -> None:
    """Put the pictures side by side."""
    frames = [frame(id) for id in IDS]
    gap = np.full((6, HEIGHT, 3), 255, np.uint8)
    row = np.concatenate([part for f in frames for part in (f, gap)][:-1])
    pygame.image.save(
        pygame.surfarray.make_surface(row), Path(__file__).parent / "environments.png"
    )


if __name__ == "__main__":
    main()

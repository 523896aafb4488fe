"""REINFORCE with a time baseline on CartPole-v1, line by line."""

import pgfast as pg

env = pg.make("CartPole-v1", num_envs=64, seed=0)
policy = pg.SoftmaxPolicy(4, 2, seed=0)
for update in range(50):
    batch = pg.collect(env, policy, episodes=64)
    g = pg.reward_to_go(batch.rewards, batch.terminated, batch.truncated, gamma=0.99)
    advantages = g - pg.time_baseline(g, batch.valid)
    policy.theta += 0.01 / 64 * policy.score(batch.observations, batch.actions, advantages)
    if update % 10 == 9:
        print(f"update {update + 1}: mean return {batch.rewards.sum() / 64:.1f}")

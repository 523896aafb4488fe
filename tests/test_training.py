"""Training runs: the loop, what it promises about θ, how it ends, and that it learns."""

from __future__ import annotations

import dataclasses
import re
from concurrent.futures import ThreadPoolExecutor

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import pgfast as pg
from pgfast.training import EpisodeReturns, NonFiniteError

ALGORITHMS = ["policy-gradient", "reinforce", "trpo"]
COLUMNS = ["update", "steps", "episodes", "mean_return", "seconds"]


@pytest.fixture(autouse=True)
def _threads():
    """Put the number of threads back after each test."""
    before = pg.get_num_threads()
    yield
    pg.set_num_threads(before)


class Corridor(gym.Env):
    """Five steps of random observations; the reward is 1 for action 1, else 0.

    At step `event_at` of an environment's life, `event` takes the reward's or observation's place.
    """

    seeds: list[int] = []  # noqa: RUF012  every seed given to any Corridor

    def __init__(self, event: str = "none", event_at: int = 23, length: int = 5):
        self.observation_space = gym.spaces.Box(-1, 1, (3,), np.float32)
        self.action_space = gym.spaces.Discrete(2)
        self.event, self.event_at, self.length, self.life = event, event_at, length, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None:
            Corridor.seeds.append(seed)
        self.t = 0
        return self._observation(), {}

    def step(self, action):
        self.t += 1
        self.life += 1
        observation, reward = self._observation(), float(action == 1)
        if self.life == self.event_at:
            if self.event == "interrupt":
                raise KeyboardInterrupt
            if self.event == "observation":
                observation[:] = np.nan
            elif self.event != "none":
                reward = float(self.event)
        return observation, reward, self.t == self.length, False, {}

    def _observation(self):
        return self.np_random.uniform(-1, 1, 3).astype(np.float32)


@pytest.fixture
def corridor():
    """Register Corridor-v0 (no threshold) and SolvedCorridor-v0 (threshold 4.5)."""
    settings = {"entry_point": Corridor, "disable_env_checker": True}
    gym.register("Corridor-v0", **settings)
    for event in ("nan", "inf", "observation", "interrupt"):
        gym.register(f"Corridor-{event}-v0", kwargs={"event": event}, **settings)
    gym.register("SolvedCorridor-v0", reward_threshold=4.5, **settings)
    Corridor.seeds.clear()
    yield
    for name in [name for name in gym.registry if "Corridor" in name]:
        del gym.registry[name]


SMALL = {"num_envs": 1, "steps": 10**6}


def small(kind=pg.Reinforce, **settings):
    """Settings of an update of two episodes."""
    return kind(episodes=2, **settings)


# --- the same numbers -----------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_theta_is_the_same_on_any_number_of_threads(algorithm):
    """Same seed: θ, draws and history are equal with == for 1, 2, 3 and 4 threads."""
    updates = 0
    for seed in range(3):
        runs = []
        for threads in (1, 2, 3, 4, 1):
            pg.set_num_threads(threads)
            runs.append(pg.train("CartPole-v1", algorithm, seed=seed, steps=100_000))
        first = runs[0]
        updates += len(first.history.rows)
        for run in runs[1:]:
            assert (run.policy.theta == first.policy.theta).all()
            assert run.policy.draws == first.policy.draws
            assert run.solved_at == first.solved_at
            for name in set(first.history) - {"seconds"}:
                assert (run.history[name] == first.history[name]).all(), name
    assert updates > 10  # else there was little to compare


SMALL_RUNS = {
    "a2c": pg.A2C(steps=40, critic=pg.Critic(hidden=(16,))),
    "ppo": pg.PPO(steps=40, epochs=2, batch_size=700, critic=pg.Critic(hidden=(16,))),
    "trpo": pg.TRPO(episodes=40),
    "npg": pg.NPG(episodes=None, steps=40, critic=pg.Critic(degree=2)),
    "grpo": pg.GRPO(groups=5, group_size=8, epochs=2, batch_size=700),
    "compatible": pg.CompatibleActorCritic(episodes=40),
    "incremental": pg.CompatibleActorCritic(
        episodes=40, update="incremental", learning_rate=1e-4, critic_rate=1e-4
    ),
}


@pytest.mark.parametrize("env", ["CartPole-v1", "Pendulum-v1"])
@pytest.mark.parametrize("algorithm", SMALL_RUNS.values(), ids=SMALL_RUNS.keys())
def test_theta_of_every_algorithm_is_the_same_on_any_number_of_threads(env, algorithm, threads):
    """Batches of several blocks, hidden layers, normalized observations: θ is equal with ==."""
    policy = {"hidden": (64, 64), "normalize_observations": True}
    size = {"num_envs": 40, "steps": 10_000}
    if algorithm is SMALL_RUNS["incremental"]:  # collects by several threads, and updates by one
        size = {"num_envs": 130, "steps": 30_000}
        algorithm = dataclasses.replace(algorithm, episodes=130)
    first, *others = threads(lambda: pg.train(env, algorithm, seed=3, policy=policy, **size))
    assert len(first.history.rows) > 1
    assert (first.policy.theta != 0).any()
    for run in others:
        for name, array in run.policy.arrays().items():
            np.testing.assert_array_equal(array, first.policy.arrays()[name])
        for name in set(first.history) - {"seconds"}:
            np.testing.assert_array_equal(run.history[name], first.history[name])


def test_theta_of_a_deep_policy_is_the_same_on_any_number_of_threads(threads):
    """The same for hidden layers in float64, where sums have more than one block."""

    def run():
        policy = pg.SoftmaxPolicy(4, 2, hidden=(32, 32), dtype=np.float64, seed=1)
        pg.train("CartPole-v1", "npg", seed=1, policy=policy, steps=20_000)
        return policy.theta

    first, *others = threads(run)
    assert all((theta == first).all() for theta in others)


def test_two_trainings_at_once_do_not_disturb_each_other():
    """Side by side in two Python threads: the same θ as one after the other."""

    def theta(seed):
        return pg.train("CartPole-v1", "reinforce", seed=seed, steps=100_000).policy.theta

    alone = [theta(seed) for seed in range(4)]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(theta, range(4)))
    for one, other in zip(alone, together, strict=True):
        assert (one == other).all()


@pytest.mark.parametrize("env", ["CartPole-v1", "Corridor-v0"])
def test_different_seeds_give_different_thetas(corridor, env):
    """No two of seeds 0, 1, 2, 2³² and 2⁶⁴ − 1 share a θ, not after the first update either."""
    thetas = [
        pg.train(env, pg.Reinforce(episodes=8, optimizer="sgd"), seed=seed, steps=1).policy.theta
        for seed in (0, 1, 2, 2**32, 2**64 - 1)
    ]
    for i, one in enumerate(thetas):
        for other in thetas[i + 1 :]:
            assert (one != other).any()


def test_a_gymnasium_environment_is_trained_the_same_way_twice(corridor):
    """Same seed, same θ, also through Gymnasium's own environments."""
    runs = [pg.train("Corridor-v0", small(), seed=3, num_envs=2, steps=100) for _ in range(2)]
    assert (runs[0].policy.theta == runs[1].policy.theta).all()
    assert (runs[0].policy.theta != 0).any()


def test_training_is_the_loop_and_nothing_else():
    """θ after training, evaluations and all, equals that of collect and update by hand."""
    algorithm = pg.Reinforce(episodes=16, learning_rate=0.05)
    run = pg.train("CartPole-v1", algorithm, seed=5, num_envs=8, steps=20_000)
    env = pg.make("CartPole-v1", 8, seed=5, autoreset_mode="SameStep")
    policy = pg.policy_for(env, seed=5)
    learner = algorithm.learner(policy)
    for row in run.history.rows:
        batch = pg.collect(env, policy, episodes=16)
        stats = learner.update(batch)
        assert row["mean_return"] == batch.rewards.sum() / 16
        assert row["gradient_norm"] == stats["gradient_norm"]
    assert len(run.history.rows) > 5
    assert (policy.theta == run.policy.theta).all()
    assert policy.draws == run.policy.draws


@pytest.mark.parametrize("env", ["CartPole-v1", "SolvedCorridor-v0"])
def test_looking_at_the_policy_does_not_change_training(corridor, env):
    """A trainer whose policy is evaluated between all updates reaches the same θ."""
    algorithm = pg.Reinforce(episodes=8)
    plain = pg.Trainer(env, algorithm, seed=2, num_envs=4, steps=10**6)
    watched = pg.Trainer(env, algorithm, seed=2, num_envs=4, steps=10**6)
    for seed in range(5):
        plain.update()
        watched.update()
        pg.evaluate(watched.policy, env, episodes=7, seed=seed)
    assert (plain.policy.theta == watched.policy.theta).all()


def test_evaluation_starts_elsewhere_than_training(corridor):
    """The environments that judge are seeded with other numbers than those that train."""
    trainer = pg.Trainer("SolvedCorridor-v0", small(), seed=4, num_envs=6)
    seeds = list(Corridor.seeds)
    assert len(seeds) >= 6
    assert len(set(seeds)) == len(seeds), "a seed is used twice"
    del trainer


def test_a_normalizer_learns_in_training_and_is_frozen_in_evaluation(tmp_path):
    """It has seen every step of the batches; evaluating, saving and loading leave it as it is."""
    algorithm = pg.PPO(steps=30, epochs=1)
    policy = {"hidden": (8,), "normalize_observations": True}
    trainer = pg.Trainer("Pendulum-v1", algorithm, num_envs=5, steps=1000, policy=policy)
    for _ in range(3):
        trainer.update()
    run = trainer.run
    moments = run.policy.normalizer.moments
    assert moments.count == 3 * 30 * 5
    before = {name: array.copy() for name, array in run.policy.arrays().items()}
    returns = pg.evaluate(run.policy, "Pendulum-v1", episodes=5)
    for name, array in run.policy.arrays().items():
        np.testing.assert_array_equal(array, before[name])
    run.save(tmp_path / "run")
    loaded = pg.load(tmp_path / "run").policy
    for name, array in loaded.arrays().items():
        np.testing.assert_array_equal(array, before[name])
    np.testing.assert_array_equal(pg.evaluate(loaded, "Pendulum-v1", episodes=5), returns)


def test_the_value_function_sees_what_the_policy_sees():
    """Its observations are in the units of the policy's normalizer as that was in the batch."""
    algorithm = pg.A2C(steps=30, critic=pg.Critic(hidden=(8,)))
    policy = {"hidden": (8,), "normalize_observations": True}
    trainer = pg.Trainer("Pendulum-v1", algorithm, num_envs=5, steps=1000, policy=policy)
    for _ in range(3):
        trainer.update()
    value, normalizer = trainer.learner.value, trainer.policy.normalizer
    value.refresh()
    s = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    plain = pg.ValueFunction(3, hidden=(8,))
    plain.theta = value.theta
    np.testing.assert_allclose(value.predict(s), plain.predict(normalizer(s)), rtol=1e-4, atol=1e-5)


# --- priors ---------------------------------------------------------------------------------------


def test_rewards_are_seen_in_units_of_their_return(tmp_path):
    """The learner sees what the normalizer makes of them; its statistics go with the policy."""
    algorithm = pg.PPO(steps=32, epochs=1, normalize_rewards=True)
    scaled = pg.Trainer("Pendulum-v1", algorithm, steps=10**6, num_envs=4)
    plain = pg.PPO(steps=32, epochs=1).learner(scaled.policy.copy())
    batch = pg.collect(scaled.env, scaled.policy, steps=32)
    normalizer = pg.RewardNormalizer(gamma=algorithm.gamma)
    normalizer.update(batch.rewards, batch.terminated, batch.truncated)
    plain.update(dataclasses.replace(batch, rewards=normalizer(batch.rewards)))
    scaled.learner.update(batch)
    np.testing.assert_array_equal(scaled.policy.theta, plain.policy.theta)

    scaled.policy.save(tmp_path / "policy")
    loaded = pg.GaussianPolicy.load(tmp_path / "policy")
    assert loaded.reward_normalizer.scale == normalizer.scale != 1
    assert loaded.reward_normalizer.gamma == algorithm.gamma
    again = algorithm.learner(loaded)
    assert again.rewards is loaded.reward_normalizer


def test_a_look_in_a_given_environment_ends_its_episodes():
    """No return is longer than an episode can be, though the look resets what is under way."""
    env = pg.make("CartPole-v1", 8, seed=0, autoreset_mode="SameStep")
    solved = pg.train("CartPole-v1", "ppo", seed=0).policy
    algorithm = pg.PPO(steps=120, epochs=1, normalize_rewards=True)
    trainer = pg.Trainer(env, algorithm, policy=solved, steps=10**6)
    trainer.threshold, trainer.total_steps = 501, 1  # out of steps: it looks after every update
    for _ in range(12):
        assert not trainer.update()["mean_return"] > 500
    assert trainer.greedy_return is not None


@pytest.mark.parametrize("algorithm", [pg.A2C(steps=1), pg.PPO(steps=1)])
def test_a_batch_of_nothing_but_resets_teaches_nothing(algorithm):
    """Gymnasium's default mode spends a step on each reset."""
    trainer = pg.Trainer(gym.make_vec("CartPole-v1", num_envs=1), algorithm, steps=200)
    while not trainer.done:
        trainer.update()
    assert trainer.steps >= 200
    assert trainer.episodes > 2


def test_a_loop_of_ones_own_is_told_why_it_ended():
    trainer = pg.Trainer("CartPole-v1", "reinforce", steps=1)
    trainer.update()
    assert trainer.done
    assert trainer.run.stopped == "steps"


def test_a_second_training_begins_with_a_reset():
    """Whatever others did to the environment in between."""
    env = gym.make_vec("CartPole-v1", num_envs=4, vectorization_mode="sync")
    pg.Trainer(env, pg.A2C(steps=7), steps=10**6).update()
    env.reset(seed=3)
    trainer = pg.Trainer(env, pg.A2C(steps=7), steps=10**6)
    batch = trainer.algorithm.collect(trainer.env, trainer.policy)
    assert (batch.elapsed == 0).all()
    assert (np.abs(batch.observations[0]) <= 0.05).all()


def test_a_prior_acts_with_the_seed_of_the_run():
    prior = pg.SoftmaxPolicy(4, 2, seed=9)
    trainer = pg.Trainer("CartPole-v1", pg.A2C(prior_kl=0.1), seed=5, prior=prior)
    assert (trainer.policy.seed, prior.seed) == (5, 9)


def test_a_function_that_gives_one_environment_twice_is_refused():
    env = gym.make("CartPole-v1")
    with pytest.raises(TypeError, match="the same environment twice"):
        pg.evaluate(pg.SoftmaxPolicy(4, 2), lambda: env, episodes=4)


def test_settings_of_a_run_are_plain_values():
    run = pg.train("CartPole-v1", pg.PPO(batch_size=None, steps=8), steps=1, num_envs=2)
    assert run.settings["batch_size"] is None
    assert run.settings["critic"]["hidden"] == [64, 64]


def test_settings_of_the_policy_come_before_the_presets():
    trainer = pg.Trainer("Pendulum-v1", "ppo", policy={"discretize": 11, "hidden": (8,)})
    assert trainer.policy.actions == (11,)
    assert trainer.policy.hidden == (8,)
    assert pg.Trainer("Pendulum-v1", "ppo", policy={"seed": 7}).policy.seed == 7
    with pytest.raises(TypeError, match="colour"):
        pg.Trainer("Pendulum-v1", "ppo", policy={"colour": 1})


def test_an_infinite_threshold_trains_to_the_end():
    """FrozenLake's presets: no hundred episodes tell its best policy from a lucky one."""
    trainer = pg.Trainer("FrozenLake-v1", "ppo", steps=20_000)
    assert trainer.threshold is None
    assert trainer.train().stopped == "steps"
    assert trainer.greedy_return is None


def test_training_begins_at_the_prior():
    """Without a policy, the prior's θ is the start; the prior itself is not changed."""
    prior = pg.train("CartPole-v1", "npg", seed=1, steps=20_000).policy
    theta, draws = prior.theta.copy(), prior.draws
    trainer = pg.Trainer("CartPole-v1", pg.PPO(steps=32, prior_kl=0.1), prior=prior, num_envs=8)
    assert trainer.policy is not prior
    np.testing.assert_array_equal(trainer.policy.theta, theta)
    row = trainer.update()
    assert row["kl_prior"] >= 0
    assert (trainer.policy.theta != theta).any()
    np.testing.assert_array_equal(prior.theta, theta)
    assert prior.draws == draws


def test_a_penalty_holds_a_training_near_its_prior():
    """The stronger the penalty, the less the policy diverges from where it began."""
    prior = pg.SoftmaxPolicy(4, 2, hidden=(8,), seed=3)
    s = np.random.default_rng(0).normal(size=(500, 4)).astype(np.float32)
    far = []
    for prior_kl in (0.0, 10.0):
        algorithm = pg.PPO(steps=64, learning_rate=0.01, prior_kl=prior_kl)
        run = pg.train("CartPole-v1", algorithm, prior=prior, num_envs=8, steps=5_000)
        far.append(run.policy.kl(s, prior).mean())
    assert far[1] < 0.1 * far[0]


@pytest.mark.parametrize("algorithm", ["policy-gradient", "reinforce", "npg", "trpo", "compatible"])
def test_a_prior_is_refused_where_nothing_would_hold_the_policy_near_it(algorithm):
    with pytest.raises(ValueError, match="prior is a SoftmaxPolicy, expected None"):
        pg.train("CartPole-v1", algorithm, prior=pg.SoftmaxPolicy(4, 2), steps=1)


def test_settings_of_a_policy_do_not_go_with_a_prior():
    """Which already is the policy to start from."""
    with pytest.raises(TypeError, match="train: policy is settings of a new one, but prior"):
        pg.train("CartPole-v1", "ppo", prior=pg.SoftmaxPolicy(4, 2), policy={"hidden": (8,)})


# --- what a run holds -----------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_history_has_a_row_for_each_update(algorithm):
    """CartPole pays 1 a step, so that steps, episodes and mean returns must agree."""
    run = pg.train("CartPole-v1", algorithm, seed=1, steps=30_000)
    history, episodes = run.history, run.settings["episodes"]
    updates = len(history["update"])
    assert list(history)[:5] == COLUMNS
    assert "gradient_norm" in history
    assert (history["update"] == np.arange(1, updates + 1)).all()
    assert (history["episodes"] == episodes * history["update"]).all()
    steps = np.diff(history["steps"], prepend=0)
    np.testing.assert_allclose(steps, episodes * history["mean_return"], rtol=1e-12)
    assert (np.diff(history["seconds"], prepend=0) > 0).all()
    assert run.seconds == history["seconds"][-1]
    assert all(column.shape == (updates,) for column in history.values())
    with pytest.raises(KeyError, match=r"mean_retrun.*mean_return"):
        history["mean_retrun"]


def test_mean_return_counts_episodes_that_began_in_earlier_batches():
    """Whole returns, in the batch in which the episode ends; the last mean where none ends."""
    no = np.zeros((2, 2), bool)

    def batch(rewards, ends):
        return pg.Rollout(
            observations=np.zeros((2, 2, 1)),
            actions=np.zeros((2, 2), np.int64),
            log_probs=np.zeros((2, 2)),
            rewards=np.array(rewards, float),
            terminated=np.array(ends, bool),
            truncated=no,
            valid=None,
            last_observations=np.zeros((2, 1)),
            final_observations=np.zeros((0, 1)),
        )

    returns = EpisodeReturns()
    assert np.isnan(returns.mean_of(batch([[1, 10], [2, 20]], no)))
    assert returns.mean_of(batch([[4, 40], [8, 80]], [[0, 1], [0, 0]])) == 10 + 20 + 40
    assert returns.mean_of(batch([[0, 1], [0, 2]], no)) == 70
    ends = [[1, 0], [1, 1]]
    expected = [1 + 2 + 4 + 8 + 16, 32, 80 + 1 + 2 + 3 + 4]
    assert returns.mean_of(batch([[16, 3], [32, 4]], ends)) == np.mean(expected)


def test_mean_return_of_steps_is_that_of_the_environments_own_count():
    """CartPole pays 1 a step: from batch to batch the returns are the episodes' lengths."""
    trainer = pg.Trainer("CartPole-v1", pg.A2C(steps=7), num_envs=6, steps=10**6)
    lengths = np.zeros(6)
    for _ in range(60):
        env_state = trainer.env.get_state()
        row = trainer.update()
        elapsed = trainer.env.get_state()["elapsed"]
        assert elapsed.shape == lengths.shape
        ended = row["episodes"] - (trainer.history["episodes"][-2] if row["update"] > 1 else 0)
        if ended == 1:
            before = env_state["elapsed"] * ~env_state["finished"]
            (i,) = np.flatnonzero(elapsed < before + 7)
            assert row["mean_return"] == before[i] + 7 - elapsed[i]
            lengths[i] += 1
    assert lengths.sum() > 5


def test_training_ends_with_the_update_that_uses_up_the_steps():
    """No update begins once `steps` are reached, and none is cut short."""
    run = pg.train("CartPole-v1", "reinforce", seed=1, steps=5_000)
    steps = run.history["steps"]
    assert len(steps) > 1
    assert steps[-2] < 5_000 <= steps[-1]
    assert run.stopped == "steps"
    assert run.solved_at is None
    assert len(pg.train("CartPole-v1", "npg", steps=1).history.rows) == 1


def test_training_ends_when_the_environment_is_solved(corridor):
    """solved_at is the step count of the last update; the greedy policy reaches the threshold."""
    run = pg.train("SolvedCorridor-v0", small(), seed=0, num_envs=2, steps=10**5)
    assert run.stopped == "solved"
    assert run.solved_at == run.history["steps"][-1]
    assert type(run.solved_at) is int
    assert run.solved_at < 10**5
    assert pg.evaluate(run.policy, "SolvedCorridor-v0", seed=99).mean() >= 4.5


def test_an_environment_without_threshold_is_never_solved(corridor):
    """It trains until the steps are used up."""
    run = pg.train("Corridor-v0", small(), num_envs=2, steps=300)
    assert (run.stopped, run.solved_at) == ("steps", None)
    assert run.history["steps"][-1] == 300


def test_a_run_tells_how_it_came_about():
    """env_id, algorithm, settings and seed are those of the call."""
    run = pg.train("CartPole-v1", pg.NPG(episodes=4, kl_radius=0.01), seed=12, steps=1)
    assert (run.env_id, run.algorithm, run.seed) == ("CartPole-v1", "npg", 12)
    assert run.settings["kl_radius"] == 0.01
    assert run.settings["episodes"] == 4
    assert run.seconds > 0
    assert isinstance(run.policy, pg.SoftmaxPolicy)


def test_the_default_algorithm_is_the_first_preset():
    """Without an algorithm the environment's preset is taken: the same θ as by its name."""
    run = pg.train("CartPole-v1", seed=1, steps=3_000)
    named = pg.train("CartPole-v1", run.algorithm, seed=1, steps=3_000)
    assert (run.policy.theta == named.policy.theta).all()


def test_a_policy_goes_on():
    """policy= trains that very object from where it stands, in its dtype."""
    first = pg.train("CartPole-v1", "reinforce", seed=1, steps=3_000)
    theta, draws = first.policy.theta.copy(), first.policy.draws
    second = pg.train("CartPole-v1", "reinforce", seed=1, steps=3_000, policy=first.policy)
    assert second.policy is first.policy
    assert second.policy.draws > draws
    assert (second.policy.theta != theta).any()
    assert second.history["mean_return"][0] > first.history["mean_return"][0]
    deep = pg.SoftmaxPolicy(4, 2, hidden=(8,), dtype=np.float64)
    run = pg.train("CartPole-v1", "reinforce", steps=1, policy=deep)
    assert run.policy is deep
    assert deep.theta.dtype == np.float64


def test_progress_changes_nothing_but_the_terminal(capsys):
    """progress=True prints; without it nothing is printed; θ is the same."""
    quiet = pg.train("CartPole-v1", "reinforce", seed=1, steps=20_000)
    assert capsys.readouterr() == ("", "")
    shown = pg.train("CartPole-v1", "reinforce", seed=1, steps=20_000, progress=True)
    out = capsys.readouterr().out
    assert "CartPole-v1" in out
    assert "steps/s" in out
    assert (quiet.policy.theta == shown.policy.theta).all()


# --- environments that pgfast did not make --------------------------------------------------------


def test_any_gymnasium_id_is_trained_on():
    """MountainCar-v0 runs; each of its first episodes is truncated after 200 steps of −1."""
    algorithm = pg.NPG(episodes=4)
    run = pg.train("MountainCar-v0", algorithm, seed=0, num_envs=4, steps=1600)
    assert run.env_id == "MountainCar-v0"
    assert run.history["steps"].tolist() == [800.0, 1600.0]
    assert run.history["mean_return"].tolist() == [-200.0, -200.0]
    assert run.history["episodes"].tolist() == [4.0, 8.0]
    assert run.policy.actions == 3
    assert run.policy.observation_size == 2


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize(
    "algorithm",
    [
        pg.A2C(steps=16),
        pg.PPO(steps=16, epochs=2),
        pg.NPG(episodes=None, steps=16, critic=pg.Critic()),
        pg.CompatibleActorCritic(episodes=None, steps=16, critic=pg.Critic(), update="incremental"),
    ],
    ids=lambda a: type(a).__name__,
)
def test_steps_of_any_vector_env_are_trained_on(corridor, mode, algorithm):
    """Every environment makes 5 steps an episode; NEXT_STEP's resets are no steps."""
    env = gym.make_vec("Corridor-v0", 3, vector_kwargs={"autoreset_mode": mode})
    env.reset(seed=8)
    run = pg.train(env, algorithm, seed=1, steps=144)
    steps = 16 * 3 if mode is not AutoresetMode.NEXT_STEP else (16 - 2) * 3
    assert run.history["steps"][0] == steps
    assert run.history["episodes"][0] == (9 if mode is not AutoresetMode.NEXT_STEP else 6)
    assert np.isfinite(run.policy.theta).all()
    env.close()


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_any_vector_env_is_trained_on(corridor, mode):
    """A Gymnasium VectorEnv in any autoreset mode, seeded by its reset, gives the same θ."""
    thetas = []
    for _ in range(2):
        env = gym.make_vec("Corridor-v0", 3, vector_kwargs={"autoreset_mode": mode})
        env.reset(seed=8)
        run = pg.train(env, pg.Reinforce(episodes=6), seed=1, steps=90)
        assert run.env_id == "Corridor-v0"
        assert run.history["steps"].tolist() == [30.0, 60.0, 90.0]
        assert run.history["episodes"].tolist() == [6.0, 12.0, 18.0]
        thetas.append(run.policy.theta)
        env.close()
    assert (thetas[0] == thetas[1]).all()
    assert (thetas[0] != 0).any()


def test_a_native_vector_env_is_trained_on():
    """An object of pgfast.make is used as it is: its dtype, number and seeds."""
    env = pg.make("CartPole-v1", 5, seed=3, dtype=np.float64, max_episode_steps=20)
    run = pg.train(env, pg.Reinforce(episodes=10), steps=1_000)
    assert run.policy.dtype == np.float64
    assert (run.history["mean_return"] <= 20).all()
    assert (run.history["episodes"] == 10 * run.history["update"]).all()


def test_num_envs_of_an_environment_object_is_refused():
    """An object has its number of environments; another one is not silently passed over."""
    env = pg.make("CartPole-v1", 5, seed=3)
    with pytest.raises((TypeError, ValueError), match="train: num_envs"):
        pg.train(env, "reinforce", num_envs=6, steps=1)


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", [pg.train, lambda env: pg.evaluate(pg.SoftmaxPolicy(4, 2), env)])
def test_an_unknown_environment_is_told_with_the_nearest_names(call):
    """The message has what was given and each near name once."""
    with pytest.raises(ValueError, match=r"env is 'CartPol-v1', expected .*'CartPole-v1'") as error:
        call("CartPol-v1")
    names = re.findall(r"'([^']+)'", str(error.value))
    assert len(names) == len(set(names)), str(error.value)


def test_an_unknown_algorithm_is_told_with_the_nearest_names():
    """The message has what was given and the near names, or all of them."""
    with pytest.raises(ValueError, match=r"^train: algorithm is 'reinforced', .*'reinforce'"):
        pg.train("CartPole-v1", "reinforced")
    with pytest.raises(ValueError, match=r"'qqq', .*'npg', 'policy-gradient', 'ppo', 'reinforce'"):
        pg.train("CartPole-v1", "qqq")


@pytest.mark.parametrize("algorithm", [3, pg.Reinforce, ["npg"], pg.NPG().learner])
def test_an_algorithm_that_is_none_is_refused(algorithm):
    """Neither name nor settings: an error, not silently the preset."""
    with pytest.raises((TypeError, ValueError), match="train: algorithm is "):
        pg.train("CartPole-v1", algorithm, steps=1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": -1}, "train: seed is -1, expected 0 <= seed"),
        ({"seed": 2**64}, "train: seed is 18446744073709551616, expected"),
        ({"seed": 0.5}, "train: seed is a float, expected an int"),
        ({"steps": 0}, "train: steps is 0, expected at least 1"),
        ({"steps": 1.5}, "train: steps is a float, expected an int"),
        ({"num_envs": 0}, "train: num_envs is 0, expected at least 1"),
        ({"num_envs": "4"}, "train: num_envs is a str, expected an int"),
        ({"policy": "best"}, "policy is a str, expected a"),
        ({"policy": pg.StateActionSoftmaxPolicy(2, 3)}, "StateActionSoftmaxPolicy, expected a"),
        ({"policy": pg.SoftmaxPolicy(3, 2)}, "the policy has 3 observations"),
    ],
)
def test_bad_arguments_are_named(settings, message):
    """The message names the argument, what was expected and what came."""
    with pytest.raises((TypeError, ValueError), match=message):
        pg.train("CartPole-v1", **{"steps": 1, **settings})


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ("Blackjack-v1", r"observations Tuple.*, expected a Box .* flattened .* flatten=True"),
        (7, "env is a int, expected"),
        (None, "env is a NoneType, expected"),
    ],
)
def test_an_environment_that_no_policy_fits_is_told(env, message):
    """Observations that are no vectors, and things that are no environment."""
    with pytest.raises(TypeError, match=message):
        pg.train(env, steps=1)


@pytest.mark.parametrize("kind", [pg.PolicyGradient, pg.Reinforce, pg.NPG])
@pytest.mark.parametrize("event", ["nan", "inf", "observation"])
def test_a_number_that_is_not_finite_stops_training_and_loses_nothing(corridor, event, kind):
    """NonFiniteError names term, update and step; θ is that from before the update."""
    policy = pg.SoftmaxPolicy(3, 2)
    trainer = pg.Trainer(f"Corridor-{event}-v0", small(kind), policy=policy, **SMALL)
    trainer.update()
    trainer.update()
    before = policy.theta.copy()
    what = "observations" if event == "observation" else "rewards"
    message = rf"train: {what} is (nan|inf) in update 3, after 30 environment steps"
    with pytest.raises(NonFiniteError, match=message):
        trainer.update()
    assert (policy.theta == before).all()
    assert np.isfinite(before).all()
    assert (before != 0).any()
    assert trainer.run.stopped == "non-finite"
    assert len(trainer.run.history.rows) == 2
    clean = pg.train("Corridor-v0", small(kind), num_envs=1, steps=20)
    assert (clean.policy.theta == before).all()

    policy = pg.SoftmaxPolicy(3, 2)
    with pytest.raises(NonFiniteError, match=message):
        pg.train(f"Corridor-{event}-v0", small(kind), policy=policy, **SMALL)
    assert (policy.theta == before).all()


@pytest.mark.parametrize("event", ["nan", "inf", "observation"])
@pytest.mark.parametrize(
    "algorithm",
    [
        pg.A2C(steps=10),
        pg.PPO(steps=10),
        pg.PPO(steps=10, normalize_rewards=True),
        pg.TRPO(episodes=2),
        pg.CompatibleActorCritic(episodes=2),
        pg.CompatibleActorCritic(episodes=2, update="incremental"),
    ],
    ids=lambda a: f"{type(a).__name__}",
)
@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
def test_every_algorithm_stops_at_a_number_that_is_not_finite(corridor, event, algorithm):
    """θ is that from before the update, whatever else has been spoiled."""
    policy = pg.SoftmaxPolicy(3, 2)
    trainer = pg.Trainer(f"Corridor-{event}-v0", algorithm, policy=policy, **SMALL)
    trainer.update()
    trainer.update()
    before = policy.theta.copy()
    with pytest.raises(NonFiniteError, match=r"is (nan|inf|-inf) in update 3, after 30 envir"):
        trainer.update()
    assert (policy.theta == before).all()
    assert np.isfinite(before).all()
    assert trainer.run.stopped == "non-finite"


def test_what_a_normalizer_would_cut_off_stops_training_too():
    """An infinite observation is clipped to a finite one before the network sees it."""

    class Infinite(Corridor):
        def step(self, action):
            observation, *rest = super().step(action)
            if self.life == self.event_at:
                observation[1] = np.inf
            return observation, *rest

    settings = {"policy": {"normalize_observations": True}, **SMALL}
    trainer = pg.Trainer(Infinite, pg.PPO(steps=10), **settings)
    trainer.update()
    trainer.update()
    before = trainer.policy.theta.copy()
    with pytest.raises(NonFiniteError, match="train: observations is inf in update 3"):
        trainer.update()
    assert (trainer.policy.theta == before).all()
    assert trainer.run.stopped == "non-finite"


def test_looks_take_no_more_steps_than_the_training():
    """Where the sampling policy reaches the threshold in every other batch, by luck."""
    steps = 0

    class Noise(gym.Env):
        observation_space = gym.spaces.Box(-1, 1, (2,), np.float32)
        action_space = gym.spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.t = 0
            return np.zeros(2, np.float32), {}

        def step(self, action):
            nonlocal steps
            steps += 1
            self.t += 1
            reward = float(self.np_random.normal())
            return np.zeros(2, np.float32), reward, False, self.t >= 5, {}

    gym.register("Noise-v0", entry_point=Noise, disable_env_checker=True, reward_threshold=0.0)
    try:
        run = pg.train("Noise-v0", pg.Reinforce(episodes=20), num_envs=2, steps=10_000)
        trained = int(run.history["steps"][-1])
        assert 10_000 <= trained < 10_200
        assert trained < steps <= 2 * trained + 2 * 1000  # and the last, which is made anyway
    finally:
        del gym.registry["Noise-v0"]


def test_a_policy_that_has_run_away_stops_training():
    """θ is finite but so large that actions are not: the error says so, and θ stays."""
    policy = pg.GaussianPolicy(3, 1)
    policy.theta[:] = 3e38
    policy.theta[-1] = 0
    before = policy.theta.copy()
    trainer = pg.Trainer("Pendulum-v1", pg.A2C(steps=10), policy=policy, num_envs=2)
    with pytest.raises(NonFiniteError, match=r"train: actions is (nan|inf) in update 1"):
        trainer.update()
    assert (policy.theta == before).all()


def test_an_interrupt_keeps_what_was_reached(corridor):
    """KeyboardInterrupt passes through `Trainer.train`; `run` has the finished updates."""
    trainer = pg.Trainer("Corridor-interrupt-v0", small(), **SMALL)
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    run = trainer.run
    assert run.stopped == "interrupted"
    assert run.history["steps"].tolist() == [10.0, 20.0]
    clean = pg.train("Corridor-v0", small(), num_envs=1, steps=20)
    assert (run.policy.theta == clean.policy.theta).all()


# --- evaluate -------------------------------------------------------------------------------------


@pytest.mark.parametrize("episodes", [1, 7, 100, 250])
def test_evaluate_gives_one_return_per_episode(episodes):
    """(episodes,) float64; CartPole's returns are whole numbers of steps."""
    returns = pg.evaluate(pg.SoftmaxPolicy(4, 2), "CartPole-v1", episodes=episodes)
    assert returns.shape == (episodes,)
    assert returns.dtype == np.float64
    assert (returns == returns.round()).all()
    assert (returns >= 1).all()
    assert (returns <= 500).all()


def test_evaluate_repeats_and_leaves_the_policy():
    """Same seed, same returns; another seed, others; θ and draws stay as they are."""
    policy = pg.train("CartPole-v1", "reinforce", seed=1, steps=5_000).policy
    theta, draws = policy.theta.copy(), policy.draws
    returns = pg.evaluate(policy, "CartPole-v1", seed=4)
    assert (pg.evaluate(policy, "CartPole-v1", seed=4) == returns).all()
    assert (pg.evaluate(policy, "CartPole-v1", episodes=10, seed=4) == returns[:10]).all()
    assert (pg.evaluate(policy, "CartPole-v1", seed=5) != returns).any()
    assert (policy.theta == theta).all()
    assert policy.draws == draws


def test_evaluate_samples_where_it_is_asked_to():
    """greedy=False draws from the policy: the uniform one beats the one that always goes left."""
    policy = pg.SoftmaxPolicy(4, 2)
    sampled = pg.evaluate(policy, "CartPole-v1", greedy=False)
    assert policy.draws > 0
    assert sampled.mean() > pg.evaluate(policy, "CartPole-v1").mean() + 5
    assert (pg.evaluate(policy, "CartPole-v1", greedy=False) != sampled).any()


def test_evaluate_takes_an_environment(corridor):
    """A VectorEnv object is stepped for as many episodes as asked for, more than it has lanes."""
    policy = pg.SoftmaxPolicy(3, 2)
    policy.theta[-1] = 5  # always action 1
    env = gym.make_vec("Corridor-v0", 3)
    assert pg.evaluate(policy, env, episodes=7).tolist() == [5.0] * 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"episodes": 0}, "evaluate: episodes is 0, expected at least 1"),
        ({"episodes": 2.5}, "evaluate: episodes is a float, expected an int"),
        ({"seed": -1}, "evaluate: seed is -1, expected"),
        ({"policy": pg.SoftmaxPolicy(3, 2)}, "the policy has 3 observations, expected 4"),
        ({"policy": pg.StateActionSoftmaxPolicy(2, 3)}, "StateActionSoftmaxPolicy, expected"),
        ({"policy": None}, "policy is a NoneType, expected"),
        ({"env": None}, "env is a NoneType, expected"),
    ],
)
def test_evaluate_names_bad_arguments(arguments, message):
    """The message names the argument, what was expected and what came."""
    given = {"policy": pg.SoftmaxPolicy(4, 2), "env": "CartPole-v1", **arguments}
    with pytest.raises((TypeError, ValueError), match=message):
        pg.evaluate(**given)


# --- learning -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def judge():
    """A function policy ↦ mean return of 100 greedy episodes in Gymnasium's own CartPole-v1."""
    envs = [gym.make("CartPole-v1") for _ in range(100)]

    def mean_return(policy):
        observations = np.stack([env.reset(seed=10_000 + i)[0] for i, env in enumerate(envs)])
        running, total = list(range(100)), 0.0
        while running:
            actions = policy.mode(observations[running]).tolist()
            still = []
            for i, action in zip(running, actions, strict=True):
                observations[i], reward, terminated, truncated, _ = envs[i].step(action)
                total += reward
                if not (terminated or truncated):
                    still.append(i)
            running = still
        return total / len(envs)

    yield mean_return
    for env in envs:
        env.close()


def test_the_judge_tells_good_from_bad(judge):
    """A policy that always goes left falls at once; one that follows the pole stays up."""
    policy = pg.SoftmaxPolicy(4, 2)
    assert judge(policy) < 12
    policy.theta[:8:2], policy.theta[1:8:2] = [-0.1, -0.5, -3, -1], [0.1, 0.5, 3, 1]
    assert judge(policy) == 500


@pytest.mark.slow
@pytest.mark.parametrize(
    ("algorithm", "least", "seeds"),
    [("npg", 475, 9), ("reinforce", 475, 9), ("policy-gradient", 195, 8)],
)
def test_cartpole_is_learnt(judge, algorithm, least, seeds):
    """Of seeds 0..9, this many reach the return, greedily, in Gymnasium's own environment."""
    returns = [judge(pg.train("CartPole-v1", algorithm, seed=seed).policy) for seed in range(10)]
    told = ", ".join(f"{mean:.0f}" for mean in returns)
    assert sum(mean >= least for mean in returns) >= seeds, f"mean returns of seeds 0..9: {told}"

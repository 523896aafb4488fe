"""Training runs: the loop, what it promises about θ, how it ends, and that it learns."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import gymnasium as gym
import numpy as np
import pytest
from corridors import ALGORITHMS, COLUMNS, Corridor, small
from gymnasium.vector import AutoresetMode

import pgfast as pg
from pgfast.training import EpisodeReturns

# --- the same numbers ----------------------------------------------------------------------------


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


# --- what a run holds ----------------------------------------------------------------------------


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


# --- environments that pgfast did not make -------------------------------------------------------


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


# --- learning ------------------------------------------------------------------------------------


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

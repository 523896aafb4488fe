"""LQR, bandits, rock-paper-scissors and the moving particle: what they are, by their definition."""

import itertools

import numpy as np
import pytest

import pgfast as pg
from pgfast import reference

DTYPES = [np.float32, np.float64]
SYSTEM = {
    "A": np.array([[1.0, 0.2, 0.0], [0.0, 0.9, 0.3], [-0.1, 0.0, 1.05]]),
    "B": np.array([[0.0, 0.1], [0.5, 0.0], [0.0, 1.0]]),
    "Q": np.array([[2.0, 0.3, 0.0], [0.3, 1.0, 0.1], [0.0, 0.1, 0.5]]),
    "R": np.array([[0.5, 0.1], [0.1, 0.3]]),
}
COVARIANCE = np.array([[0.5, 0.2, 0.0], [0.2, 0.4, -0.1], [0.0, -0.1, 0.3]])


def tolerance(dtype):
    return 1e-12 if dtype is np.float64 else 2e-5


# --- LQR --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_lqr_steps_equal_the_twin(dtype):
    rng = np.random.default_rng(0)
    env = pg.make("LQR-v0", 100, dtype=dtype, noise=0.0, **SYSTEM)
    states = rng.normal(size=(100, 3)).astype(dtype)
    actions = rng.normal(size=(100, 2)).astype(dtype)
    env.reset(options={"state": states})
    observations, rewards, terminated, truncated, _ = env.step(actions)
    following, expected = reference.lqr_step(states, actions, **SYSTEM)
    np.testing.assert_allclose(observations, following, rtol=0, atol=tolerance(dtype))
    np.testing.assert_allclose(rewards, expected, rtol=tolerance(dtype), atol=tolerance(dtype))
    assert not (terminated | truncated).any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("what", ["start", "noise"])
def test_start_and_noise_are_normal_with_their_mean_and_covariance(dtype, what):
    """40,000 samples; means and covariances within 6 standard errors: 9 moments, false alarm
    below 2e-8."""
    n = 40_000
    env = pg.make(
        "LQR-v0",
        n,
        seed=0,
        dtype=dtype,
        noise=COVARIANCE,
        start_mean=np.array([1.0, -2.0, 0.5]),
        start_covariance=COVARIANCE,
        **SYSTEM,
    )
    x, _ = env.reset()
    mean = np.array([1.0, -2.0, 0.5])
    if what == "noise":
        following, *_ = env.step(np.zeros((n, 2), dtype))
        x, mean = following - x @ SYSTEM["A"].T, np.zeros(3)
    x = x.astype(np.float64) - mean
    for i, j in itertools.combinations_with_replacement(range(3), 2):
        variance = COVARIANCE[i, i] * COVARIANCE[j, j] + COVARIANCE[i, j] ** 2
        assert abs((x[:, i] * x[:, j]).mean() - COVARIANCE[i, j]) < 6 * np.sqrt(variance / n)
    assert (np.abs(x.mean(axis=0)) < 6 * np.sqrt(np.diag(COVARIANCE) / n)).all()
    fourth = ((x[:, 0] ** 2 / COVARIANCE[0, 0]) ** 2).mean()
    assert abs(fourth - 3) < 6 * np.sqrt(96 / n)  # a normal's kurtosis


def test_the_riccati_optimum_is_what_its_policy_earns_and_no_other_earns_more():
    """The mean of 20,000 episodes within 5 standard errors (false alarm 6e-7); the gradient of the
    cost by each gain vanishes."""
    start = {"start_mean": np.array([1.0, -1.0, 0.0]), "start_covariance": 0.25}
    best = pg.lqr_optimum(**SYSTEM, **start, noise=0.01 * COVARIANCE, horizon=30)

    def returns(gains):
        env = pg.make(
            "LQR-v0",
            20_000,
            seed=0,
            dtype=np.float64,
            max_episode_steps=30,
            noise=0.01 * COVARIANCE,
            **start,
            **SYSTEM,
        )
        x, _ = env.reset()
        total = np.zeros(20_000)
        for gain in gains:
            x, rewards, _, truncated, _ = env.step(-x @ gain.T)
            total += rewards
        assert truncated.all()
        return total

    optimal = returns(best.gains)
    error = optimal.std() / np.sqrt(len(optimal))
    assert abs(optimal.mean() - best.mean_return) < 5 * error
    rng = np.random.default_rng(0)
    for _ in range(3):
        assert returns(best.gains + 0.05 * rng.normal(size=(30, 2, 3))).mean() < optimal.mean()


def test_the_endless_optimum_solves_the_riccati_equation_and_is_the_limit_of_long_horizons():
    for gamma in (1.0, 0.9):
        best = pg.lqr_optimum(**SYSTEM, gamma=gamma)
        A, B, Q, R = (SYSTEM[k] for k in "ABQR")
        P = best.costs
        inner = np.linalg.inv(R + gamma * B.T @ P @ B)
        right = Q + gamma * A.T @ P @ A - gamma**2 * A.T @ P @ B @ inner @ B.T @ P @ A
        np.testing.assert_allclose(P, right, rtol=1e-9, atol=1e-9)
        long = pg.lqr_optimum(**SYSTEM, gamma=gamma, horizon=400)
        np.testing.assert_allclose(long.gains[0], best.gains, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(long.mean_return, best.mean_return, rtol=1e-8)
    assert np.abs(np.linalg.eigvals(A - B @ pg.lqr_optimum(**SYSTEM).gains)).max() < 1


def test_noise_costs_its_trace_with_discount():
    """Scalar x' = w, u = 0: every step costs the variance, so J = σ² (1 + γ / (1 - γ))."""
    best = pg.lqr_optimum(
        [[0.0]], [[1.0]], [[1.0]], [[1.0]], noise=2.0, start_covariance=2.0, gamma=0.9
    )
    np.testing.assert_allclose(best.mean_return, -20.0)


LQR_FAULTS = {
    "A of another shape": ({"A": np.eye(2)}, ValueError, "A has shape (2, 2), expected (3, 3)"),
    "B a vector": ({"B": np.ones(3)}, ValueError, "B has shape (3,), expected (n, m)"),
    "A not finite": ({"A": np.full((3, 3), np.nan)}, ValueError, "A holds a number"),
    "Q indefinite": ({"Q": np.diag([1.0, 1.0, -0.1])}, ValueError, "Q has the eigenvalue -0.1"),
    "R singular": ({"R": np.diag([1.0, 0.0])}, ValueError, "R has the eigenvalue 0"),
    "Q not symmetric": ({"Q": np.triu(np.ones((3, 3)))}, ValueError, "Q is not symmetric"),
    "unstable and out of reach": (
        {"A": np.diag([0.5, 0.5, 1.1]), "B": np.array([[1.0], [1.0], [0.0]]), "R": np.eye(1)},
        ValueError,
        "A has the mode 1.1",
    ),
    "a covariance indefinite": ({"noise": -1.0}, ValueError, "noise has the eigenvalue -1"),
    "text": ({"Q": "I"}, TypeError, "Q has dtype"),
}


@pytest.mark.parametrize(("spoiled", "error", "message"), LQR_FAULTS.values(), ids=LQR_FAULTS)
def test_a_bad_lqr_is_an_error_that_names_its_fault(spoiled, error, message):
    with pytest.raises(error) as caught:
        pg.make("LQR-v0", **{**SYSTEM, **spoiled})
    assert str(caught.value).startswith(f"make('LQR-v0'): {message}")
    with pytest.raises(error) as caught:
        pg.lqr_optimum(**{**SYSTEM, **spoiled})
    assert str(caught.value).startswith(f"lqr_optimum: {message}")


def test_an_unstable_mode_out_of_reach_is_fine_where_it_fades():
    pg.make("LQR-v0", **{**SYSTEM, "A": np.diag([0.5, 0.9, 1.1])})


def test_a_system_that_overflows_within_an_episode_is_an_error():
    """From x₀ = 1000, x = 1000 · 2ᵗ and x² < 2¹²⁸ = float32's largest number up to t = 54."""
    system = {"A": [[2.0]], "B": [[1.0]], "Q": [[1.0]], "R": [[1.0]], "noise": 0.0}
    for dtype, most in ((np.float32, 54), (np.float64, 502)):
        env = pg.make("LQR-v0", 20, seed=0, dtype=dtype, max_episode_steps=most, **system)
        env.reset()
        for _ in range(most):
            assert np.isfinite(env.step(np.zeros((20, 1), dtype))[1]).all()
        with pytest.raises(ValueError, match=f"A has the spectral radius 2: .* below {most + 1}"):
            pg.make("LQR-v0", dtype=dtype, max_episode_steps=most + 1, **system)


def test_costs_without_end_are_an_error():
    with pytest.raises(ValueError, match="lqr_optimum: noise without discount"):
        pg.lqr_optimum(**SYSTEM, noise=0.1)
    with pytest.raises(ValueError, match=r"lqr_optimum: gamma is 1\.5"):
        pg.lqr_optimum(**SYSTEM, gamma=1.5)


# --- bandits ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_arms_pay_normal_rewards_around_their_means(dtype):
    """Means and deviations of 30,000 pulls within 5 standard errors: false alarm below 4e-6."""
    n, means = 30_000, (0.5, -1.0, 3.0)
    env = pg.make(
        "Bandit-v0", n, seed=0, dtype=dtype, autoreset_mode="SameStep", means=means, std=2
    )
    assert env.single_action_space.n == 3
    env.reset()
    for arm, mean in enumerate(means):
        observations, rewards, terminated, truncated, _ = env.step(np.full(n, arm))
        assert terminated.all()
        assert not truncated.any()
        assert (observations == 1).all()
        assert abs(rewards.mean() - mean) < 5 * 2 / np.sqrt(n)
        assert abs(rewards.std() - 2) < 5 * 2 / np.sqrt(2 * n)
    assert abs(np.corrcoef(rewards[1:], rewards[:-1])[0, 1]) < 5 / np.sqrt(n)


@pytest.mark.parametrize("dtype", DTYPES)
def test_contexts_are_uniform_and_arms_pay_by_their_weights(dtype):
    n = 30_000
    weights = np.array([[1.0, 0.0, 2.0], [0.0, -1.0, 0.5]])
    env = pg.make("ContextualBandit-v0", n, seed=0, dtype=dtype, weights=weights, std=0.0)
    x, _ = env.reset()
    assert np.abs(x).max() <= 1
    assert (np.abs(x.mean(axis=0)) < 5 / np.sqrt(3 * n)).all()
    assert (np.abs((x**2).mean(axis=0) - 1 / 3) < 5 * np.sqrt(4 / 45 / n)).all()
    arms = np.arange(n) % 2
    final, rewards, terminated, _, _ = env.step(arms)
    assert terminated.all()
    assert np.array_equal(final, x)
    expected = (weights[arms] * x).sum(axis=1)
    np.testing.assert_allclose(rewards, expected, rtol=0, atol=tolerance(dtype))


@pytest.mark.parametrize(
    ("id", "arguments", "error", "message"),
    [
        ("Bandit-v0", {"means": ()}, ValueError, "means has shape (0,)"),
        ("Bandit-v0", {"means": [[1.0]]}, ValueError, "means has shape (1, 1)"),
        ("Bandit-v0", {"means": [np.inf]}, ValueError, "means holds a number"),
        ("Bandit-v0", {"std": -1}, ValueError, "std is -1"),
        ("ContextualBandit-v0", {"weights": [1.0]}, ValueError, "weights has shape (1,)"),
        ("RockPaperScissors-v0", {"memory": -1}, ValueError, "memory is -1"),
        ("RockPaperScissors-v0", {"memory": 1.5}, TypeError, "memory is a float"),
    ],
)
def test_a_bad_argument_is_an_error_that_names_it(id, arguments, error, message):
    with pytest.raises(error) as caught:
        pg.make(id, **arguments)
    assert str(caught.value).startswith(f"make({id!r}): {message}")


# --- rock, paper, scissors --------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("memory", [0, 1, 3])
def test_rounds_are_those_of_the_twin(dtype, memory):
    """Every round of 8 environments, with the uniform numbers of their own streams."""
    env = pg.make("RockPaperScissors-v0", 8, seed=5, dtype=dtype, memory=memory)
    observations, _ = env.reset()
    assert observations.shape == (8, max(1, 6 * memory))
    rng = np.random.default_rng(0)
    counts = np.zeros((8, 3), np.int64)
    rounds = [[] for _ in range(8)]
    for t in range(100):
        moves = rng.integers(0, 3, 8)
        state = env.get_state()
        observations, rewards, terminated, truncated, _ = env.step(moves)
        for i in range(8):
            words = reference.philox(
                [int(state["counter"][i]), 0, i, 1], [int(state["seed"][i]) & 0xFFFFFFFF, 0]
            )
            uniform = uniform_of(words, dtype)
            opponent, reward = reference.rock_paper_scissors_round(counts[i], moves[i], uniform)
            assert rewards[i] == reward
            counts[i, moves[i]] += 1
            rounds[i].insert(0, np.concatenate([np.eye(3)[moves[i]], np.eye(3)[opponent]]))
            seen = np.concatenate([*rounds[i][:memory], np.zeros(6 * memory)])[: 6 * memory]
            assert np.array_equal(observations[i], seen if memory else [1.0])
        assert not terminated.any()
        assert truncated.all() == (t == 99)


def uniform_of(words, dtype):
    """The first uniform number of a Philox block."""
    if dtype is np.float32:
        return (int(words[0]) >> 8) * 2.0**-24
    return (((int(words[0]) << 32) | int(words[1])) >> 11) * 2.0**-53


def test_a_constant_move_loses_and_uniform_play_is_even():
    """Each of the three deterministic policies loses at least 0.8 a round. Uniform play is worth 0
    against any opponent: the mean of 2,000 episodes within 5 standard errors, false alarm 6e-7."""
    n = 2000
    env = pg.make("RockPaperScissors-v0", n, seed=0, autoreset_mode="SameStep")
    for move in range(3):
        env.reset()
        total = sum(env.step(np.full(n, move))[1] for _ in range(100)) / 100
        assert total.mean() <= -0.8
        assert total.max() <= -0.8
    rng = np.random.default_rng(0)
    env.reset()
    total = sum(env.step(rng.integers(0, 3, n))[1] for _ in range(100)) / 100
    assert abs(total.mean()) < 5 * total.std() / np.sqrt(n)
    assert abs(total.std() - np.sqrt(2 / 3 / 100)) < 0.01


def test_ties_of_the_prediction_are_broken_evenly():
    """The first round's opponent is uniform: 30,000 rounds, each of 3 rewards within 5 standard
    errors, false alarm 2e-6."""
    n = 30_000
    env = pg.make("RockPaperScissors-v0", n, seed=0)
    env.reset()
    rewards = env.step(np.zeros(n, np.int64))[1]
    for reward in (-1, 0, 1):
        assert abs((rewards == reward).mean() - 1 / 3) < 5 * np.sqrt(2 / 9 / n)


# --- the moving particle ----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("id", ["MovingParticle-v0", "MovingParticleContinuous-v0"])
def test_particles_move_as_the_twin(id, dtype):
    n = 10_000
    rng = np.random.default_rng(0)
    states = rng.uniform(-1, 1, (n, 6)).astype(dtype)
    states[: n // 2, 4:] = np.clip(
        states[: n // 2, :2] + rng.uniform(-0.2, 0.2, (n // 2, 2)), -1, 1
    )
    env = pg.make(id, n, dtype=dtype, autoreset_mode="Disabled")
    env.reset(options={"state": states})
    if id == "MovingParticle-v0":
        actions = rng.integers(0, 5, n)
        accelerations = reference.moving_particle.DIRECTIONS[actions]
    else:
        actions = accelerations = rng.uniform(-1.5, 1.5, (n, 2)).astype(dtype)
    observations, rewards, terminated, truncated, _ = env.step(actions)
    exact = states.astype(np.float64)
    following, expected, ended = reference.moving_particle_step(exact, accelerations)
    clear = np.abs(np.abs(exact[:, :2] + 0.1 * following[:, 2:4]) - 1).min(axis=1) > 1e-6
    clear |= dtype is np.float64
    atol = 1e-12 if dtype is np.float64 else 1e-6
    np.testing.assert_allclose(observations[clear], following[clear], rtol=0, atol=atol)
    np.testing.assert_allclose(rewards, expected, rtol=0, atol=atol)
    clear = np.abs(expected + 0.1) > atol
    assert np.array_equal(terminated[clear], ended[clear])
    assert 0.05 < terminated.mean() < 0.9
    assert not truncated.any()


@pytest.mark.parametrize("id", ["MovingParticle-v0", "MovingParticleContinuous-v0"])
def test_a_simple_controller_reaches_the_target_in_every_episode(id):
    env = pg.make(id, 500, seed=0, dtype=np.float64, autoreset_mode="Disabled")
    x, _ = env.reset()
    assert np.abs(x).max() <= 1
    assert (x[:, 2:4] == 0).all()
    running, total = np.ones(500, np.bool_), np.zeros(500)
    for _ in range(100):
        push = np.clip(4 * (x[:, 4:] - x[:, :2]) - 2 * x[:, 2:4], -1, 1)
        if id == "MovingParticle-v0":
            axis = np.abs(push).argmax(axis=1)
            positive = push[np.arange(500), axis] > 0
            push = 1 + 2 * axis + positive
        x, rewards, terminated, truncated, _ = env.step(push)
        total += rewards * running
        running &= ~(terminated | truncated)
        if not running.any():
            break
        done = terminated | truncated
        if done.any():
            x, _ = env.reset(options={"reset_mask": done})
    assert not running.any()
    assert total.mean() > env.spec.reward_threshold

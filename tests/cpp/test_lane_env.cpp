#include "environments.hpp"
#include "pgfast/envs/cartpole.hpp"
#include "pgfast/lane_env.hpp"

namespace pgfast {
namespace {

using check::actions_at;
using check::Array;
using check::Batch;
using check::Counter;

// One environment of Counter by hand, with Gymnasium's rules of autoreset.
template <class S>
struct Model {
  std::uint64_t seed;
  Index stream;
  Index limit;
  std::uint64_t resets = 0;
  S length = 0, count = 0;
  Index elapsed = 0;
  bool finished = true;

  S reward = 0, final_length = 0, final_count = 0;
  bool terminated = false, truncated = false;

  void reset() {
    const std::uint64_t draw = draws_per_block<S> * resets++;
    length = Counter<S>::length_of(
        uniform<S>(seed, Purpose::environment, static_cast<std::uint32_t>(stream), draw));
    count = 0;
    elapsed = 0;
    finished = false;
  }

  void step(DiscreteAction action, Autoreset mode) {
    reward = 0;
    terminated = truncated = false;
    if (finished) {
      if (mode != Autoreset::disabled) reset();
      return;
    }
    count += 1;
    ++elapsed;
    reward = 10 * count + static_cast<S>(action);
    terminated = count >= length;
    truncated = limit > 0 && elapsed >= limit;
    if (!terminated && !truncated) return;
    final_length = length;
    final_count = count;
    if (mode == Autoreset::same_step) {
      reset();
    } else {
      finished = true;
    }
  }
};

template <class S>
void follow_the_model(Index N, Index limit, Autoreset mode) {
  CONTEXT(N << " environments, limit " << limit << ", mode " << static_cast<int>(mode));
  Batch<Counter<S>> batch(N, limit);
  std::vector<Model<S>> models;
  for (Index i = 0; i < N; ++i) models.push_back({7, i, limit});
  batch.reset(7);
  for (auto& model : models) model.reset();
  int both = 0, ends = 0;
  for (Index t = 0; t < 60; ++t) {
    CONTEXT("t " << t);
    const auto actions = actions_at(t, N);
    batch.step(actions, mode);
    for (Index i = 0; i < N; ++i) {
      Model<S>& model = models[static_cast<std::size_t>(i)];
      model.step(actions[i], mode);
      CHECK_EQ(batch.rewards[i], model.reward);
      CHECK_EQ(batch.terminated[i], model.terminated);
      CHECK_EQ(batch.truncated[i], model.truncated);
      CHECK_EQ(batch.observations[2 * i], model.length);
      CHECK_EQ(batch.observations[2 * i + 1], model.count);
      CHECK_EQ(batch.env.finished(i), model.finished);
      if (batch.done(i) && mode == Autoreset::same_step) {
        CHECK_EQ(batch.final_observations[2 * i], model.final_length);
        CHECK_EQ(batch.final_observations[2 * i + 1], model.final_count);
      }
      both += batch.terminated[i] && batch.truncated[i];
      ends += batch.done(i);
    }
    if (mode == Autoreset::disabled && t % 4 == 3) {
      for (Index i = 0; i < N; i += 2) {  // some wait longer than others
        Model<S>& model = models[static_cast<std::size_t>(i)];
        if (!model.finished) continue;
        batch.env.reset(i);
        model.reset();
      }
    }
  }
  CHECK(ends > 0);
  CHECK(N < 30 || limit == 0 || both > 0);
}

TEST(autoreset, "Steps, ends and resets follow Gymnasium's rules in all three modes.") {
  check::for_each_scalar([]<class S>() {
    for (const Autoreset mode : {Autoreset::next_step, Autoreset::same_step, Autoreset::disabled}) {
      for (const Index limit : {0, 1, 4}) {
        for (const Index N : {1, 31, 32, 33, 70}) follow_the_model<S>(N, limit, mode);
      }
    }
  });
}

TEST(no_final_observations, "A step may be asked for no final observations.") {
  Batch<Counter<float>> with(33, 4), without(33, 4);
  with.reset(1);
  without.reset(1);
  for (Index t = 0; t < 20; ++t) {
    const auto actions = actions_at(t, 33);
    with.step(actions);
    without.env.step(actions.data(), Autoreset::same_step,
                     {without.observations.data(), without.rewards.data(),
                      without.terminated.data(), without.truncated.data(), nullptr});
    CHECK_SAME(with.observations, without.observations);
    CHECK_SAME(with.terminated, without.terminated);
  }
}

TEST(first_reset,
     "An environment waits for its first reset, and gets it from a step's autoreset.") {
  Batch<Counter<float>> batch(33, 0);
  for (Index i = 0; i < 33; ++i) CHECK(batch.env.finished(i));
  batch.step(actions_at(0, 33), Autoreset::disabled);
  CHECK((batch.rewards == 0).all());
  for (Index i = 0; i < 33; ++i) CHECK(batch.env.finished(i));
  batch.step(actions_at(0, 33), Autoreset::same_step);
  CHECK((batch.rewards == 0).all());
  for (Index i = 0; i < 33; ++i) {
    CHECK(!batch.env.finished(i));
    CHECK_EQ(batch.observations[2 * i + 1], 0.0f);
    CHECK(batch.observations[2 * i] >= 1);
  }
}

TEST(seeding, "A seed starts the environment's numbers again, and no other's.") {
  Batch<CartPole<float>> batch(40, 0);
  batch.reset(5);
  const Array<float> first = batch.observations;
  for (Index i = 0; i < 40; ++i) batch.env.reset(i);  // goes on in the stream
  batch.env.observe(batch.observations.data());
  const Array<float> second = batch.observations;
  CHECK((first != second).all());
  batch.env.seed(17, 5);
  for (Index i = 0; i < 40; ++i) batch.env.reset(i);
  batch.env.observe(batch.observations.data());
  for (Index i = 0; i < 40; ++i) {
    CHECK_EQ((batch.observations.segment(4 * i, 4) == first.segment(4 * i, 4)).all(), i == 17);
  }
}

TEST(given_starts, "An episode can start in a given state, with its clock at zero.") {
  Batch<Counter<double>> batch(34, 4);
  batch.reset(1);
  batch.step(actions_at(0, 34), Autoreset::disabled);
  const double start[2] = {100, 7};
  for (const Index i : {0, 33}) batch.env.set_episode_start(i, start);
  for (Index t = 1; t <= 4; ++t) {
    batch.step(actions_at(t, 34), Autoreset::disabled);
    for (const Index i : {0, 33}) {
      CHECK_EQ(batch.observations[2 * i], 100.0);
      CHECK_EQ(batch.observations[2 * i + 1], 7.0 + static_cast<double>(t));
      CHECK(!batch.terminated[i]);
      CHECK_EQ(batch.truncated[i], t == 4);
    }
  }
}

TEST(ended_episodes, "end_episode leaves the state as it is and waits for a reset.") {
  Batch<Counter<float>> batch(33, 0);
  batch.reset(3);
  const Array<float> before = batch.observations;
  batch.env.end_episode(5);
  batch.env.end_episode(5);  // twice is once
  CHECK(batch.env.finished(5));
  batch.step(actions_at(0, 33), Autoreset::disabled);
  CHECK_SAME(batch.observations.segment(10, 2), before.segment(10, 2));
  CHECK_EQ(batch.rewards[5], 0.0f);
  batch.step(actions_at(1, 33), Autoreset::next_step);
  CHECK(!batch.env.finished(5));
  CHECK_EQ(batch.observations[11], 0.0f);
}

// What environments [0, n) see in `steps` steps of a batch of N.
template <class S>
Array<S> cartpole_history(Index N, Index n, Index steps) {
  Batch<CartPole<S>> batch(N, 30);
  batch.reset(11);
  Array<S> history(steps * n * 7);
  for (Index t = 0; t < steps; ++t) {
    batch.step(actions_at(t, N));
    for (Index i = 0; i < n; ++i) {
      S* row = history.data() + (t * n + i) * 7;
      std::copy_n(batch.observations.data() + 4 * i, 4, row);
      row[4] = batch.rewards[i];
      row[5] = batch.terminated[i];
      row[6] = batch.truncated[i];
    }
  }
  return history;
}

TEST(batch_size, "Environment i sees the same bits in batches of 1, 7, 32, 33 and 100.") {
  check::for_each_scalar([]<class S>() {
    for (const Index N : {1, 7, 32, 33}) {
      CONTEXT("N " << N);
      CHECK_SAME(cartpole_history<S>(N, N, 300), cartpole_history<S>(100, N, 300));
    }
  });
}

TEST(neighbours, "What happens in one environment leaves its neighbours' bits as they are.") {
  check::for_each_scalar([]<class S>() {
    const Index N = 33, chosen = 13;
    Batch<CartPole<S>> calm(N, 30), wild(N, 30);
    calm.reset(2);
    wild.reset(2);
    for (Index i = 0; i < N; ++i) {
      if (i == chosen) continue;
      const S start[4] = {i % 3 ? S{0} : std::numeric_limits<S>::quiet_NaN(), S(1e30), S(1e6),
                          S{-1e5}};
      wild.env.set_episode_start(i, start);
    }
    for (Index t = 0; t < 100; ++t) {
      const auto actions = actions_at(t, N);
      Array<DiscreteAction> others = 1 - actions;
      others[chosen] = actions[chosen];
      calm.step(actions);
      wild.step(others);
      CHECK_SAME(calm.observations.segment(4 * chosen, 4),
                 wild.observations.segment(4 * chosen, 4));
      CHECK_EQ(calm.terminated[chosen], wild.terminated[chosen]);
      CHECK_EQ(calm.truncated[chosen], wild.truncated[chosen]);
    }
  });
}

// CartPole that looks at all of its lanes after each step.
struct Watched : CartPole<float> {
  bool* all_finite;
  void step(State& state, const DiscreteAction* actions, Lane& rewards,
            std::uint8_t* terminated) const {
    CartPole<float>::step(state, actions, rewards, terminated);
    *all_finite &= state.isFinite().all() && (state.abs() < 100.0f).all();
  }
};

TEST(unused_lanes, "Lanes without an environment stay small and finite for ever.") {
  bool all_finite = true;
  Watched env;
  env.all_finite = &all_finite;
  for (const Index N : {1, 31, 33}) {
    Batch<Watched> batch(N, 500, env);
    batch.reset(4);
    for (Index t = 0; t < 20000; ++t) batch.step(actions_at(t % 100, N));
  }
  CHECK(all_finite);
}

template <class Env>
void copies_go_on(Autoreset mode) {
  const Index N = 45;
  Batch<Env> batch(N, 30), other(N, 30);
  batch.reset(8);
  other.reset(1234);
  for (Index t = 0; t < 37; ++t) {
    batch.step(actions_at(t, N), mode);
    other.step(actions_at(t + 5, N), mode);
  }
  const auto copy = batch.env.get_state();
  std::vector<Array<typename Env::Scalar>> seen;
  for (Index t = 37; t < 150; ++t) {
    batch.step(actions_at(t, N), mode);
    seen.push_back(batch.observations);
    seen.push_back(batch.rewards);
  }
  for (Batch<Env>* again : {&batch, &other}) {
    again->env.set_state(copy);
    std::size_t at = 0;
    for (Index t = 37; t < 150; ++t) {
      again->step(actions_at(t, N), mode);
      CHECK_SAME(again->observations, seen[at++]);
      CHECK_SAME(again->rewards, seen[at++]);
    }
  }
}

TEST(state_copy, "A batch goes on from a copy of its state bit for bit, through ends and resets.") {
  check::for_each_scalar([]<class S>() {
    for (const Autoreset mode : {Autoreset::next_step, Autoreset::same_step, Autoreset::disabled}) {
      copies_go_on<CartPole<S>>(mode);
      copies_go_on<Counter<S>>(mode);
    }
  });
}

TEST(state_copy_parts, "A copy holds state, clock, whether finished, seed and random counter.") {
  Batch<Counter<float>> batch(34, 4);
  batch.reset(21);
  for (Index t = 0; t < 2; ++t) batch.step(actions_at(t, 34), Autoreset::disabled);
  batch.env.seed(33, 22);
  const auto copy = batch.env.get_state();
  CHECK_EQ(copy.state.size(), 2 * 34);
  for (Index i = 0; i < 34; ++i) {
    const float length = copy.state[2 * i], count = std::min(length, 2.0f);
    CHECK_SAME(Array<float>(copy.state.data() + 2 * i, 2), batch.observations.segment(2 * i, 2));
    CHECK_EQ(static_cast<float>(copy.elapsed[i]), count);
    CHECK_EQ(copy.finished[i], length <= 2);
    CHECK_EQ(copy.seed[i], i == 33 ? 22u : 21u);
    CHECK_EQ(copy.counter[i], i == 33 ? 0u : 1u);
  }
}

// Draws in every step, and notes its last action, which a reset leaves alone.
template <class S>
struct Remembering {
  using Scalar = S;
  using Action = DiscreteAction;
  using State = Eigen::Array<S, env_lanes, 2>;
  using Observation = State;
  static constexpr bool random_steps = true;

  void reset(State& state, Index lane, auto& draws) const {
    S number[1];
    draws.uniforms(number);
    state(lane, 0) = number[0];
  }
  void step(State& state, const DiscreteAction* actions, Lanes<S, env_lanes>& rewards,
            std::uint8_t* terminated, LaneDraws<S>& draws) const {
    typename LaneDraws<S>::Uniforms numbers;
    draws.uniforms(numbers);
    state.col(0) = numbers[0];
    rewards.setOnes();
    for (Index l = 0; l < env_lanes; ++l) {
      state(l, 1) = static_cast<S>(actions[l]);
      terminated[l] = actions[l] == 1;
    }
  }
  bool valid(const S* state) const { return state[0] >= S{0}; }  // a draw
  const Observation& observe(const State& state) const { return state; }
};

TEST(ignored, "A lane that waits ignores its action, also where a reset leaves state alone.") {
  check::for_each_scalar([]<class S>() {
    for (const Autoreset mode : {Autoreset::next_step, Autoreset::disabled}) {
      const Index N = 37;
      Batch<Remembering<S>> batch(N, 0);
      batch.reset(3);
      Array<DiscreteAction> actions(N);
      for (Index i = 0; i < N; ++i) actions[i] = 1;
      batch.step(actions, mode);
      const auto before = batch.observations;
      for (Index i = 0; i < N; ++i) actions[i] = 2;
      batch.step(actions, mode);
      for (Index i = 0; i < N; ++i) {
        CHECK_EQ(batch.observations[2 * i + 1], S{1});
        const bool stays = batch.observations[2 * i] == before[2 * i];
        CHECK_EQ(stays, mode == Autoreset::disabled);
      }
    }
  });
}

TEST(valid, "What is no state is told; an environment that says nothing has none such.") {
  const LaneEnv<Remembering<float>> remembering({}, 1, 0);
  const float good[2] = {0.5f, 0}, bad[2] = {-0.5f, 0};
  CHECK(remembering.valid(good));
  CHECK(!remembering.valid(bad));
  const LaneEnv<CartPole<float>> cartpole({}, 1, 0);
  const float any[4] = {1e9f, -1e9f, 0, 0};
  CHECK(cartpole.valid(any));
}

}  // namespace
}  // namespace pgfast

#include "environments.hpp"
#include "pgfast/envs/cartpole.hpp"
#include "pgfast/vector_env.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

using check::actions_at;
using check::Array;
using check::Batch;
using check::Counter;

TEST(blocks, "A batch is cut into blocks of 32 environments, the last one of what is left.") {
  for (const Index N : {1, 31, 32, 33, 64, 100}) {
    Batch<Counter<float>> batch(N, 9);
    Index next = 0;
    for (Index b = 0; b < batch.env.blocks(); ++b) {
      CHECK_EQ(batch.env.first(b), next);
      CHECK(batch.env.lanes(b) >= 1 && batch.env.lanes(b) <= env_lanes);
      next += batch.env.lanes(b);
    }
    CHECK_EQ(next, N);
    CHECK_EQ(batch.env.num_envs(), N);
    CHECK_EQ(batch.env.observation_size(), 2);
    CHECK_EQ(batch.env.state_size(), 2);
    CHECK_EQ(batch.env.max_episode_steps(), 9);
  }
}

TEST(step_is_its_blocks, "A step of the batch is the steps of its blocks, each in its own rows.") {
  const Index N = 75;
  Batch<CartPole<float>> whole(N, 20), parts(N, 20);
  whole.reset(1);
  parts.reset(1);
  for (Index t = 0; t < 60; ++t) {
    const auto actions = actions_at(t, N);
    whole.step(actions);
    for (Index b = parts.env.blocks() - 1; b >= 0; --b) {
      const Index i = parts.env.first(b);
      parts.env.step_block(
          b, actions.data() + i, Autoreset::same_step,
          {parts.observations.data() + 4 * i, parts.rewards.data() + i, parts.terminated.data() + i,
           parts.truncated.data() + i, parts.final_observations.data() + 4 * i});
    }
    CHECK_SAME(parts.observations, whole.observations);
    CHECK_SAME(parts.rewards, whole.rewards);
    CHECK_SAME(parts.terminated, whole.terminated);
    CHECK_SAME(parts.truncated, whole.truncated);
    for (Index i = 0; i < N; ++i) {
      if (!whole.done(i)) continue;
      CHECK_SAME(parts.final_observations.segment(4 * i, 4),
                 whole.final_observations.segment(4 * i, 4));
    }
  }
}

TEST(observe, "observe gives what the last step gave.") {
  Batch<CartPole<float>> batch(75, 20);
  batch.reset(1);
  Array<float> observations(4 * 75);
  for (Index t = 0; t < 40; ++t) {
    batch.step(actions_at(t, 75));
    batch.env.observe(observations.data());
    CHECK_SAME(observations, batch.observations);
  }
}

TEST(any_address, "Wherever a step's arrays lie in memory, the bits are the same.") {
  const Index N = 33;
  Batch<CartPole<float>> here(N, 20), there(N, 20);
  here.reset(1);
  there.reset(1);
  for (Index t = 0; t < 40; ++t) {
    const auto actions = actions_at(t, N);
    check::Shifted<DiscreteAction> actions_at_3(actions, 3);
    check::Shifted<float> observations(Array<float>::zeros(4 * N), 1 + t % 15),
        rewards(Array<float>::zeros(N), 3);
    check::Shifted<bool> terminated(Array<bool>::zeros(N), 1), truncated(Array<bool>::zeros(N), 5);
    here.step(actions);
    there.env.step(
        actions_at_3.data(), Autoreset::same_step,
        {observations.data(), rewards.data(), terminated.data(), truncated.data(), nullptr});
    CHECK_SAME(observations.values(), here.observations);
    CHECK_SAME(rewards.values(), here.rewards);
    CHECK_SAME(terminated.values(), here.terminated);
    CHECK_SAME(truncated.values(), here.truncated);
  }
}

TEST(threads, "Steps have the same bits on 1 to 4 threads.") {
  const Index N = 4 * 320 * env_lanes + 5;
  Array<DiscreteAction> actions(N);
  check::same_on_any_threads([&] {
    Batch<CartPole<float>> batch(N, 12);
    batch.reset(1);
    for (Index t = 0; t < 15; ++t) {
      for (Index i = 0; i < N; ++i) actions[i] = (i * 7 + t * t) % 3 == 0;
      batch.step(actions);
    }
    return std::tuple{batch.observations, batch.rewards, batch.terminated, batch.truncated};
  });
}

}  // namespace
}  // namespace pgfast

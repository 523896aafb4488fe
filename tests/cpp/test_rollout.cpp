#include "environments.hpp"
#include "pgfast/distributions/softmax.hpp"
#include "pgfast/envs/cartpole.hpp"
#include "pgfast/networks/mlp.hpp"
#include "pgfast/policy_actor.hpp"
#include "pgfast/whole_episodes.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

using check::Array;
using check::Batch;
using SoftmaxMlp = Policy<Mlp, Softmax>;
using S = float;  // a rollout moves numbers and computes none

constexpr std::uint64_t policy_seed = 17, env_seed = 5;

struct Rollout {
  Index T, N, longest = 0;
  Array<S> observations, log_probs, rewards, last_observations, finals;
  Array<DiscreteAction> actions;
  Array<bool> terminated, truncated, valid;

  Rollout(Index steps, Index columns, Index envs)
      : T(steps),
        N(columns),
        observations(Array<S>::zeros(T * N * 4)),
        log_probs(Array<S>::zeros(T * N)),
        rewards(Array<S>::zeros(T * N)),
        last_observations(Array<S>::zeros(envs * 4)),
        actions(Array<DiscreteAction>::zeros(T * N)),
        terminated(Array<bool>::zeros(T * N)),
        truncated(Array<bool>::zeros(T * N)),
        valid(Array<bool>::zeros(T * N)) {}

  RolloutArrays<S, DiscreteAction> arrays() {
    return {observations.data(), actions.data(),   log_probs.data(), rewards.data(),
            terminated.data(),   truncated.data(), valid.data(),     last_observations.data()};
  }
  void take_finals(const std::vector<S>& rows) {
    finals = Array<S>(rows.data(), static_cast<Index>(rows.size()));
  }
  bool done(Index i) const { return terminated[i] || truncated[i]; }
  auto everything() const {
    return std::tuple{observations, log_probs, rewards, last_observations, finals, actions,
                      terminated,   truncated, valid};
  }
};

struct Player {
  SoftmaxMlp policy{Mlp({4, 9, 2}, Activation::tanh), Softmax{2}};
  Array<S> theta = check::normals<S>(policy.network.num_parameters(), 1);

  Rollout steps(Batch<CartPole<S>>& batch, Index T, std::uint64_t first_index = 0) const {
    Rollout out(T, batch.N, batch.N);
    auto arrays = out.arrays();
    arrays.valid = nullptr;
    const SamplingActor<S, SoftmaxMlp> actor(policy, theta.data(), policy_seed);
    out.take_finals(collect_steps(batch.env, actor, Unchanged{}, T, first_index, arrays));
    return out;
  }

  Rollout episodes(Batch<CartPole<S>>& batch, Index count, Index T, std::uint64_t first_index = 0,
                   const S* starts = nullptr) const {
    Rollout out(T, count, batch.N);
    auto arrays = out.arrays();
    arrays.last_observations = nullptr;
    const SamplingActor<S, SoftmaxMlp> actor(policy, theta.data(), policy_seed);
    out.take_finals(collect_episodes(batch.env, actor, Unchanged{}, count, T, starts, first_index,
                                     arrays, out.longest));
    return out;
  }

  // The action and its log-probability for one observation.
  std::pair<DiscreteAction, S> act(const S* observation, Index stream, std::uint64_t index) const {
    DiscreteAction action;
    S log_probability;
    const States<S> state{observation, 1};
    sample(policy, theta.data(), state, policy_seed, static_cast<std::uint32_t>(stream), index,
           &action);
    log_prob(policy, theta.data(), state, &action, &log_probability);
    return {action, log_probability};
  }
};

TEST(steps_by_hand,
     "Collected steps are those of stepping the batch and asking the policy each time.") {
  const Player player;
  for (const Index N : {1, 32, 70}) {
    CONTEXT("N " << N);
    const Index T = 40;
    Batch<CartPole<S>> batch(N, 15), by_hand(N, 15);
    batch.reset(env_seed);
    by_hand.reset(env_seed);
    const auto rollout = player.steps(batch, T, 1000);
    Array<DiscreteAction> actions(N);
    std::vector<S> finals;
    Index both = 0;
    for (Index t = 0; t < T; ++t) {
      CONTEXT("t " << t);
      CHECK_SAME(rollout.observations.segment(t * N * 4, N * 4), by_hand.observations);
      for (Index i = 0; i < N; ++i) {
        const auto [action, log_prob] = player.act(by_hand.observations.data() + 4 * i, i,
                                                   1000 + static_cast<std::uint64_t>(t));
        actions[i] = action;
        CHECK_EQ(rollout.actions[t * N + i], action);
        CHECK_EQ(rollout.log_probs[t * N + i], log_prob);
      }
      by_hand.step(actions);
      CHECK_SAME(rollout.rewards.segment(t * N, N), by_hand.rewards);
      CHECK_SAME(rollout.terminated.segment(t * N, N), by_hand.terminated);
      CHECK_SAME(rollout.truncated.segment(t * N, N), by_hand.truncated);
      for (Index i = 0; i < N; ++i) {  // in the order of argwhere(truncated)
        if (!by_hand.truncated[i]) continue;
        const S* final_observation = by_hand.final_observations.data() + 4 * i;
        finals.insert(finals.end(), final_observation, final_observation + 4);
        both += by_hand.terminated[i];
      }
    }
    CHECK_SAME(rollout.last_observations, by_hand.observations);
    CHECK_SAME(rollout.finals, (Array<S>(finals.data(), static_cast<Index>(finals.size()))));
    CHECK(!finals.empty());
    CHECK(N < 70 || both > 0);
  }
}

TEST(cut_in_two, "A rollout in two parts is the rollout.") {
  const Player player;
  Batch<CartPole<S>> whole(40, 15), parts(40, 15);
  whole.reset(env_seed);
  parts.reset(env_seed);
  const auto both = player.steps(whole, 30, 7);
  const auto first = player.steps(parts, 13, 7), second = player.steps(parts, 17, 20);
  const Index cut = 13 * 40, rest = 17 * 40;
  CHECK_SAME(both.observations.head(cut * 4), first.observations);
  CHECK_SAME(both.observations.tail(rest * 4), second.observations);
  CHECK_SAME(first.last_observations, second.observations.head(40 * 4));
  CHECK_SAME(both.actions.tail(rest), second.actions);
  CHECK_SAME(both.rewards.tail(rest), second.rewards);
  CHECK_SAME(both.terminated.tail(rest), second.terminated);
  CHECK_SAME(both.truncated.tail(rest), second.truncated);
  CHECK_SAME(both.last_observations, second.last_observations);
  CHECK_EQ(both.finals.size(), first.finals.size() + second.finals.size());
}

TEST(waiting_environments, "Environments that wait for a reset get it before the first step.") {
  const Player player;
  Batch<CartPole<S>> waiting(40, 15), ready(40, 15);
  for (Index i = 0; i < 40; ++i) waiting.env.seed(i, env_seed);
  ready.reset(env_seed);
  const auto expected = player.steps(ready, 20), seen = player.steps(waiting, 20);
  CHECK_SAME(seen.observations, expected.observations);
  CHECK_SAME(seen.actions, expected.actions);
  CHECK_SAME(seen.last_observations, expected.last_observations);
}

TEST(steps_threads, "Collected steps have the same bits on 1 to 4 threads.") {
  const Player player;
  check::same_on_any_threads([&] {
    Batch<CartPole<S>> batch(300, 15);
    batch.reset(env_seed);
    return player.steps(batch, 64).everything();
  });
}

TEST(episodes_by_hand, "Column k is episode k div N of environment k mod N, followed to its end.") {
  const Player player;
  const Index limit = 15;
  for (const Index N : {1, 7, 33, 70}) {
    for (const Index episodes : {1, 33, 100}) {
      CONTEXT("N " << N << ", " << episodes << " episodes");
      Batch<CartPole<S>> batch(N, limit), by_hand(N, limit);
      batch.reset(env_seed);  // episodes start anew: these first ones are given up
      by_hand.reset(env_seed);
      const auto rollout = player.episodes(batch, episodes, limit, 300);
      std::vector<std::pair<std::pair<Index, Index>, Array<S>>> finals;
      Index longest = 0;
      for (Index k = 0; k < episodes; ++k) {
        CONTEXT("column " << k);
        const Index i = k % N;  // environments are independent: one episode after the other
        by_hand.env.reset(i);
        by_hand.env.observe(by_hand.observations.data());
        Index t = 0;
        for (bool over = false; !over; ++t) {
          CHECK(t < limit);
          const Index at = t * episodes + k;
          const Array<S> observation = by_hand.observations.segment(4 * i, 4);
          const auto [action, log_prob] =
              player.act(observation.data(), k, 300 + static_cast<std::uint64_t>(t));
          CHECK(rollout.valid[at]);
          CHECK_SAME(rollout.observations.segment(4 * at, 4), observation);
          CHECK_EQ(rollout.actions[at], action);
          CHECK_EQ(rollout.log_probs[at], log_prob);
          for (Index other = 0; other < N; ++other) {
            if (other != i) by_hand.env.end_episode(other);
          }
          by_hand.step(Array<DiscreteAction>::constant(N, action), Autoreset::disabled);
          CHECK_EQ(rollout.rewards[at], by_hand.rewards[i]);
          CHECK_EQ(rollout.terminated[at], by_hand.terminated[i]);
          CHECK_EQ(rollout.truncated[at], by_hand.truncated[i]);
          over = by_hand.done(i);
          if (by_hand.truncated[i]) {
            finals.push_back({{t, k}, by_hand.observations.segment(4 * i, 4)});
          }
        }
        longest = std::max(longest, t);
        for (; t < limit; ++t) {  // behind the end
          const Index at = t * episodes + k;
          CHECK(!rollout.valid[at] && !rollout.terminated[at] && !rollout.truncated[at]);
          CHECK_EQ(rollout.actions[at], 0);
          CHECK_SAME(rollout.rewards.segment(at, 1), Array<S>::zeros(1));
          CHECK_SAME(rollout.log_probs.segment(at, 1), Array<S>::zeros(1));
          CHECK_SAME(rollout.observations.segment(4 * at, 4), Array<S>::zeros(4));
        }
      }
      CHECK_EQ(rollout.longest, longest);
      for (Index i = 0; i < N; ++i) CHECK(batch.env.finished(i));

      std::sort(finals.begin(), finals.end(),
                [](const auto& a, const auto& b) { return a.first < b.first; });
      CHECK_EQ(rollout.finals.size(), 4 * static_cast<Index>(finals.size()));
      for (std::size_t f = 0; f < finals.size(); ++f) {
        CHECK_SAME(rollout.finals.segment(4 * static_cast<Index>(f), 4), finals[f].second);
      }
    }
  }
}

TEST(written_once, "Of arrays full of rubbish the rows of the longest episode are written, all.") {
  const Player player;
  for (const Index N : {7, 33, 70}) {
    for (const Index episodes : {1, 33, 200}) {
      CONTEXT("N " << N << ", " << episodes << " episodes");
      Batch<CartPole<S>> batch(N, 40), again(N, 40);
      batch.reset(env_seed);
      again.reset(env_seed);
      const auto expected = player.episodes(batch, episodes, 40);
      Rollout out(40, episodes, N);
      out.observations.fill(S{7});
      out.actions.fill(7);
      for (auto* array : {&out.log_probs, &out.rewards}) array->fill(S{7});
      for (auto* array : {&out.terminated, &out.truncated, &out.valid}) array->fill(true);
      const SamplingActor<S, SoftmaxMlp> actor(player.policy, player.theta.data(), policy_seed);
      collect_episodes(again.env, actor, Unchanged{}, episodes, 40, static_cast<const S*>(nullptr),
                       0, out.arrays(), out.longest);
      const Index written = out.longest * episodes;
      CHECK_EQ(out.longest, expected.longest);
      CHECK_SAME(out.observations.head(written * 4), expected.observations.head(written * 4));
      CHECK_SAME(out.actions.head(written), expected.actions.head(written));
      CHECK_SAME(out.log_probs.head(written), expected.log_probs.head(written));
      CHECK_SAME(out.rewards.head(written), expected.rewards.head(written));
      CHECK_SAME(out.terminated.head(written), expected.terminated.head(written));
      CHECK_SAME(out.truncated.head(written), expected.truncated.head(written));
      CHECK_SAME(out.valid.head(written), expected.valid.head(written));
    }
  }
}

TEST(returns, "Returns and lengths are those of the episodes that are collected.") {
  const Player player;
  for (const Index N : {7, 70}) {
    for (const Index episodes : {1, 33, 200}) {
      CONTEXT("N " << N << ", " << episodes << " episodes");
      Batch<CartPole<S>> batch(N, 40), again(N, 40);
      batch.reset(env_seed);
      again.reset(env_seed);
      const auto rollout = player.episodes(batch, episodes, 40);
      const SamplingActor<S, SoftmaxMlp> actor(player.policy, player.theta.data(), policy_seed);
      Array<double> sums(episodes);
      Array<std::int64_t> lengths(episodes);
      CHECK(episode_returns(again.env, actor, Unchanged{}, episodes, 40, 0, sums.data(),
                            lengths.data()));
      for (Index k = 0; k < episodes; ++k) {
        double sum = 0;
        std::int64_t length = 0;
        for (Index t = 0; t < rollout.longest; ++t) {
          sum += static_cast<double>(rollout.rewards[t * episodes + k]);
          length += rollout.valid[t * episodes + k];
        }
        CHECK_EQ(sums[k], sum);
        CHECK_EQ(lengths[k], length);
      }
      for (Index i = 0; i < N; ++i) CHECK(again.env.finished(i));
      CHECK(!episode_returns(again.env, actor, Unchanged{}, episodes, 8, 0, sums.data(),
                             lengths.data()));
    }
  }
}

TEST(elapsed, "A rollout tells how old its first row's episodes are.") {
  const Player player;
  Batch<CartPole<S>> batch(40, 15);
  batch.reset(env_seed);
  const auto first = player.steps(batch, 9);
  Rollout out(1, 40, 40);
  Array<std::int64_t> elapsed(40);
  auto arrays = out.arrays();
  arrays.elapsed = elapsed.data();
  const SamplingActor<S, SoftmaxMlp> actor(player.policy, player.theta.data(), policy_seed);
  collect_steps(batch.env, actor, Unchanged{}, 1, 9, arrays);
  for (Index i = 0; i < 40; ++i) {
    std::int64_t age = 0;
    for (Index t = 0; t < 9; ++t) age = first.done(t * 40 + i) ? 0 : age + 1;
    CHECK_EQ(elapsed[i], age);
  }
}

TEST(episodes_threads, "Collected episodes have the same bits on 1 to 4 threads.") {
  const Player player;
  check::same_on_any_threads([&] {
    Batch<CartPole<S>> batch(200, 40);
    batch.reset(env_seed);
    return player.episodes(batch, 500, 40).everything();
  });
}

TEST(too_short, "Episodes that don't end within T steps are told by longest = T + 1.") {
  const Player player;
  for (const Index limit : {0, 40}) {
    Batch<CartPole<S>> batch(70, limit);
    batch.reset(env_seed);
    CHECK_EQ(player.episodes(batch, 100, 5).longest, 6);
    const auto enough = player.episodes(batch, 10, 1000);  // the batch is as usable as before
    CHECK(enough.longest <= (limit ? limit : 1000));
    for (Index k = 0; k < 10; ++k) {
      Index ends = 0;
      for (Index t = 0; t < enough.longest; ++t) ends += enough.done(t * 10 + k);
      CHECK_EQ(ends, 1);
    }
  }
}

TEST(greedy, "A greedy actor draws nothing: its actions are the mode at every step.") {
  const Player player;
  Batch<CartPole<S>> batch(33, 15);
  batch.reset(env_seed);
  Rollout out(20, 33, 33);
  const GreedyActor<S, SoftmaxMlp> actor(player.policy, player.theta.data());
  collect_steps(batch.env, actor, Unchanged{}, 20, 0, out.arrays());
  Array<DiscreteAction> modes(20 * 33);
  mode(player.policy, player.theta.data(), States<S>{out.observations.data(), 20 * 33},
       modes.data());
  CHECK_SAME(out.actions, modes);
}

TEST(given_starts, "Episodes that are given a start begin in it, each with its own randomness.") {
  const Player player;
  const Index episodes = 70, limit = 40;
  Batch<CartPole<S>> batch(33, limit);
  batch.reset(env_seed);
  Array<S> starts(episodes * 4);  // groups of ten begin in the same state
  for (Index k = 0; k < episodes; ++k) {
    starts.set(4 * k, check::normals<S>(4, static_cast<std::uint64_t>(k / 10), 0.02));
  }
  const auto rollout = player.episodes(batch, episodes, limit, 3, starts.data());
  CHECK_SAME(rollout.observations.head(4 * episodes), starts);
  Index different = 0;
  for (Index i = episodes; i < 10 * episodes; ++i) {
    const Index next = i % 10 == 9 ? i - 9 : i + 1;  // of the same group
    different += rollout.actions[i] != rollout.actions[next];
  }
  CHECK(different > 0);
  for (Index k = 0; k < episodes; ++k) {
    Index ends = 0;
    for (Index t = 0; t < rollout.longest; ++t) ends += rollout.done(t * episodes + k);
    CHECK_EQ(ends, 1);
  }
}

TEST(clipped_actions, "An environment gets what its box allows of real actions; a NaN stays NaN.") {
  check::for_each_scalar([]<class T>() {
    const Array<T> low{T{-1}, T(0.5)}, high{T{1}, T{2}};
    const T nan = std::numeric_limits<T>::quiet_NaN();
    const Array<T> actions{T{-3}, T{1}, T(0.25), T{0}, nan, T{5}};
    Array<T> buffer(6);
    const T* sent = Clipped<T>{low.data(), high.data(), 2}(actions.data(), 3, buffer.data());
    CHECK_SAME((Array<T>(sent, 6)), (Array<T>{T{-1}, T{1}, T(0.25), T(0.5), nan, T{2}}));
    CHECK_SAME(actions, (Array<T>{T{-3}, T{1}, T(0.25), T{0}, nan, T{5}}));
  });
}

TEST(binned_actions, "Bins of a box lie at equal distances, the first and last on its bounds.") {
  check::for_each_scalar([]<class T>() {
    const Array<T> low{T{-1}, T{2}}, high{T{1}, T{4}};
    const Array<Index> bins{5, 2};
    const Array<DiscreteAction> actions{0, 0, 2, 1, 4, 0, 3, 1};
    Array<T> buffer(8);
    const Binned<T> to_env{low.data(), high.data(), bins.data(), 2};
    const T* sent = to_env(actions.data(), 4, buffer.data());
    CHECK_SAME((Array<T>(sent, 8)), (Array<T>{T{-1}, T{2}, T{0}, T{4}, T{1}, T{2}, T(0.5), T{4}}));
  });
}

}  // namespace
}  // namespace pgfast

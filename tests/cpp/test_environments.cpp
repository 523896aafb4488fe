// Every environment of envs/, over batches whose last block is not full.
#include "environments.hpp"
#include "pgfast/envs/acrobot.hpp"
#include "pgfast/envs/bandit.hpp"
#include "pgfast/envs/cartpole.hpp"
#include "pgfast/envs/lqr.hpp"
#include "pgfast/envs/mountain_car_continuous.hpp"
#include "pgfast/envs/moving_particle_continuous.hpp"
#include "pgfast/envs/pendulum.hpp"
#include "pgfast/envs/rock_paper_scissors.hpp"
#include "pgfast/envs/tabular.hpp"

namespace pgfast {
namespace {

using check::Array;

// A chain of three states: action 0 stays with probability 1/4, action 1 goes on.
template <class S>
Tabular<S> chain() {
  auto table = std::make_shared<OutcomeTable<S>>();
  table->states = 3;
  table->actions = 2;
  for (std::int32_t s = 0; s < 3; ++s) {
    const std::int32_t next = std::min(s + 1, 2);
    const std::uint8_t ends = next == 2;
    table->first.push_back(static_cast<Index>(table->outcomes.size()));
    table->outcomes.push_back({S(0.25), S(0.25), S(-1), s, 0});
    table->outcomes.push_back({S(2), S(0.75), S(1), next, ends});
    table->first.push_back(static_cast<Index>(table->outcomes.size()));
    table->outcomes.push_back({S(2), S(1), S(0.5), next, ends});
  }
  table->first.push_back(static_cast<Index>(table->outcomes.size()));
  table->start = {S(0.5), S(2), S(2)};
  return {table};
}

template <class S>
LQR<S> regulator() {
  return {3,
          2,
          {S(1), S(0.1), 0, 0, S(1), S(0.1), 0, 0, S(0.9)},
          {0, 0, S(0.1), 0, 0, S(0.1)},
          {S(1), 0, 0, 0, S(1), 0, 0, 0, S(1)},
          {S(1), 0, 0, S(1)},
          {S(0.1), 0, 0, 0, S(0.1), 0, 0, S(0.05), S(0.1)},
          {S(1), S(2), S(3)},
          {S(1), 0, 0, 0, S(1), 0, 0, 0, S(1)}};
}

// f(environment, number of its discrete actions) for each.
template <class S, class F>
void for_each_environment(F&& f) {
  f(CartPole<S>{}, 2);
  f(Pendulum<S>{}, 0);
  f(MountainCar<S>{}, 3);
  f(MountainCarContinuous<S>{}, 0);
  f(Acrobot<S>{}, 3);
  f(MovingParticle<S>{}, 5);
  f(MovingParticleContinuous<S>{}, 0);
  f(regulator<S>(), 0);
  f(chain<S>(), 2);
  f(Bandit<S>{2, 3, {S(1), S(2), S(3), S(4), S(5), S(6)}, S(0.5), S(-1), S(1)}, 2);
  f(RockPaperScissors<S>{0}, 3);
  f(RockPaperScissors<S>{2}, 3);
}

// All that N environments with a time limit of 7 give in 30 steps with random actions.
template <class Env>
Array<typename Env::Scalar> run(const Env& env, Index discrete_actions, Index N, Autoreset mode) {
  using S = typename Env::Scalar;
  LaneEnv<Env> batch(env, N, 7);
  const Index D = batch.observation_size(), A = batch.action_size(), T = 30, row = D + 3;
  for (Index i = 0; i < N; ++i) {
    batch.seed(i, 11);
    batch.reset(i);
  }
  Array<S> all(T * N * row), observations(N * D), rewards(N), finals(N * D);
  Array<bool> terminated(N), truncated(N);
  Array<typename Env::Action> actions(N * A);
  for (Index t = 0; t < T; ++t) {
    for (Index i = 0; i < N * A; ++i) {
      const S u = uniform<S>(5, Purpose::general, static_cast<std::uint32_t>(i),
                             static_cast<std::uint64_t>(t));
      if constexpr (std::is_same_v<typename Env::Action, DiscreteAction>) {
        actions[i] = static_cast<DiscreteAction>(u * static_cast<S>(discrete_actions));
      } else {
        actions[i] = S{3} * u - S{1.5};
      }
    }
    batch.step(
        actions.data(), mode,
        {observations.data(), rewards.data(), terminated.data(), truncated.data(), finals.data()});
    for (Index i = 0; i < N; ++i) {
      S* out = all.data() + (t * N + i) * row;
      std::copy_n(observations.data() + i * D, D, out);
      out[D] = rewards[i];
      out[D + 1] = static_cast<S>(terminated[i]);
      out[D + 2] = static_cast<S>(truncated[i]);
    }
  }
  return all;
}

TEST(finite, "Episodes of every environment are finite numbers and end.") {
  check::for_each_scalar([]<class S>() {
    for_each_environment<S>([](const auto& env, Index discrete_actions) {
      for (const Autoreset mode :
           {Autoreset::next_step, Autoreset::same_step, Autoreset::disabled}) {
        const auto all = run(env, discrete_actions, 45, mode);
        for (Index i = 0; i < all.size(); ++i) CHECK(std::isfinite(all[i]));
      }
    });
  });
}

TEST(neighbours, "Environment i has the same bits in batches of 3 and of 45.") {
  check::for_each_scalar([]<class S>() {
    for_each_environment<S>([](const auto& env, Index discrete_actions) {
      for (const Autoreset mode : {Autoreset::next_step, Autoreset::same_step}) {
        const auto few = run(env, discrete_actions, 3, mode);
        const auto many = run(env, discrete_actions, 45, mode);
        const Index row = few.size() / (30 * 3);
        for (Index t = 0; t < 30; ++t) {
          for (Index i = 0; i < 3 * row; ++i) {
            CHECK_EQ(few[t * 3 * row + i], many[t * 45 * row + i]);
          }
        }
      }
    });
  });
}

}  // namespace
}  // namespace pgfast

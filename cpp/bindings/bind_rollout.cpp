#include "native_env.hpp"
#include "pgfast/whole_episodes.hpp"
#include "policies.hpp"

namespace pgfast::bindings {
namespace {

// How a policy's actions become an environment's: checked before anything runs.
void check_size(const Arguments& arguments, Index policy_actions, Index size) {
  if (policy_actions != size) {
    arguments.fail("the policy's actions have " + std::to_string(policy_actions) +
                   " numbers, expected " + std::to_string(size));
  }
}
template <class S>
Clipped<S> to_env(const Arguments& arguments, const BoxActions<S>& space,
                  const Gaussian& distribution) {
  check_size(arguments, distribution.action_size(), space.low.size());
  return {space.low.data(), space.high.data(), space.low.size()};
}
template <class S>
Binned<S> to_env(const Arguments& arguments, const BoxActions<S>& space,
                 const MultiSoftmax& distribution) {
  check_size(arguments, distribution.action_size(), space.low.size());
  for (const Index bins : distribution.sizes) arguments.at_least("number of bins", bins, 2);
  return Binned<S>(space.low.data(), space.high.data(), distribution.sizes.data(),
                   space.low.size());
}
template <class S>
Unchanged to_env(const Arguments& arguments, const DiscreteActions& space,
                 const Softmax& distribution) {
  if (distribution.actions != space.count) {
    arguments.fail("the policy has " + std::to_string(distribution.actions) +
                   " actions, expected " + std::to_string(space.count));
  }
  return {};
}

// A policy as it acts in an environment: both checked against each other.
template <class E, class P>
class Play {
 public:
  using S = typename E::Scalar;
  using Action = typename P::template Action<S>;

  Play(E& env, const P& policy, py::handle theta)
      : env_(env),
        policy_(policy),
        theta_(arguments_.input<S>("policy.theta", theta, {policy.network.num_parameters()})),
        to_env_(pgfast::bindings::to_env<S>(arguments_, env.action_space(), policy.distribution)) {
    if (policy.network.input_size() != env.observation_size()) {
      arguments_.fail("the policy takes " + std::to_string(policy.network.input_size()) +
                      " observations, expected " + std::to_string(env.observation_size()));
    }
  }

  py::tuple steps(Index steps, std::uint64_t seed, std::uint64_t first_index) {
    const Index T = arguments_.at_least("steps", steps, 1);
    const Index N = env_.num_envs(), D = env_.observation_size();
    auto observations = output<S>({T, N, D}), last_observations = output<S>({N, D});
    auto actions = output<Action>(action_shape(T, N));
    auto log_probs = output<S>({T, N}), rewards = output<S>({T, N});
    auto terminated = output<bool>({T, N}), truncated = output<bool>({T, N});
    auto elapsed = output<std::int64_t>({N});
    const RolloutArrays<S, Action> out{observations.mutable_data(),
                                       actions.mutable_data(),
                                       log_probs.mutable_data(),
                                       rewards.mutable_data(),
                                       terminated.mutable_data(),
                                       truncated.mutable_data(),
                                       nullptr,
                                       last_observations.mutable_data(),
                                       elapsed.mutable_data()};
    std::vector<S> finals;
    env_.locked([&](auto& env) {
      const SamplingActor<S, P> actor(policy_, theta_.data, seed);
      finals = collect_steps(env, actor, to_env_, T, first_index, out);
    });
    return py::make_tuple(observations, actions, log_probs, rewards, terminated, truncated,
                          py::none(), last_observations, rows(finals), elapsed);
  }

  // `greedy`: the policy's most probable actions instead of samples. The arrays come trimmed to the
  // longest episode. How long that is shows only at its end: they begin with 1024 rows (CartPole
  // needs 500), and where that was too short, the run is made again from the start with twice as
  // many.
  py::tuple episodes(Index episodes, bool greedy, py::object states, std::uint64_t seed,
                     std::uint64_t first_index) {
    const Index N = arguments_.at_least("episodes", episodes, 1);
    Input<S> starts;
    if (!states.is_none()) {
      starts = arguments_.finite_input<S>("states", states, {N, env_.state_size()});
      env_.check_states(arguments_, "states", starts);
    }
    for (Index T = std::min<Index>(max_steps(), 1024);; T = std::min(2 * T, max_steps())) {
      WholeEpisodes arrays(T, N, env_.observation_size(), action_shape(T, N));
      env_.locked([&](auto& env) {
        const auto start = env.get_state();
        arrays.finals = collect_episodes(env, *actor(greedy, seed), to_env_, N, T, starts.data,
                                         first_index, arrays.views, arrays.longest);
        if (arrays.longest > T) env.set_state(start);
      });
      if (arrays.longest <= T) return arrays.trimmed(rows(arrays.finals));
      if (T == max_steps()) fail_endless();
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    }
  }

  // (returns (episodes,) float64, lengths (episodes,) int64).
  py::tuple returns(Index episodes, bool greedy, std::uint64_t seed, std::uint64_t first_index) {
    const Index N = arguments_.at_least("episodes", episodes, 1);
    auto sums = output<double>({N});
    auto lengths = output<std::int64_t>({N});
    double* sum = sums.mutable_data();
    std::int64_t* length = lengths.mutable_data();
    const bool ended = env_.locked([&](auto& env) {
      const auto start = env.get_state();
      const bool all = episode_returns(env, *actor(greedy, seed), to_env_, N, max_steps(),
                                       first_index, sum, length);
      if (!all) env.set_state(start);
      return all;
    });
    if (!ended) fail_endless();
    return py::make_tuple(sums, lengths);
  }

 private:
  // Of an episode. Where the environment sets no limit, a policy that goes round in a circle (a
  // greedy one against a wall) would never come back.
  Index max_steps() const {
    const Index limit = env_.max_episode_steps();
    return limit > 0 ? limit : Index{1} << 20;
  }
  [[noreturn]] void fail_endless() const {
    throw std::runtime_error("collect: an episode has not ended after " +
                             std::to_string(max_steps()) +
                             " steps, expected episodes that end: the environment has no limit of "
                             "its own, max_episode_steps gives it one");
  }

  std::unique_ptr<Actor<S, Action>> actor(bool greedy, std::uint64_t seed) const {
    if (greedy) return std::make_unique<GreedyActor<S, P>>(policy_, theta_.data);
    return std::make_unique<SamplingActor<S, P>>(policy_, theta_.data, seed);
  }

  // Arrays of T rows for whole episodes.
  struct WholeEpisodes {
    py::array_t<S> observations, log_probs, rewards;
    py::array_t<Action> actions;
    py::array_t<bool> terminated, truncated, valid;
    RolloutArrays<S, Action> views;
    std::vector<S> finals;
    Index longest = 0;

    WholeEpisodes(Index T, Index N, Index D, const Shape& action_shape)
        : observations(output<S>({T, N, D})),
          log_probs(output<S>({T, N})),
          rewards(output<S>({T, N})),
          actions(output<Action>(action_shape)),
          terminated(output<bool>({T, N})),
          truncated(output<bool>({T, N})),
          valid(output<bool>({T, N})),
          views{observations.mutable_data(), actions.mutable_data(),
                log_probs.mutable_data(),    rewards.mutable_data(),
                terminated.mutable_data(),   truncated.mutable_data(),
                valid.mutable_data(),        nullptr} {}

    py::tuple trimmed(const py::array& final_observations) const {
      const auto trim = [&](const py::array& a) { return py::array(a[py::slice(0, longest, 1)]); };
      return py::make_tuple(trim(observations), trim(actions), trim(log_probs), trim(rewards),
                            trim(terminated), trim(truncated), trim(valid), py::none(),
                            final_observations);
    }
  };

  Shape action_shape(Index T, Index N) const {
    return Shape{T, N} + bindings::action_shape(policy_.distribution);
  }

  py::array rows(const std::vector<S>& data) const {
    const Index D = env_.observation_size();
    return py::array_t<S>(Shape{static_cast<Index>(data.size()) / D, D}, data.data());
  }

  Arguments arguments_{"collect"};
  E& env_;
  const P& policy_;
  Input<S> theta_;
  decltype(pgfast::bindings::to_env<S>(arguments_, env_.action_space(),
                                       policy_.distribution)) to_env_;
};

// One overload for each kind of environment with each kind of policy that fits it.
template <class E, class P>
void bind_pair(py::module_& m) {
  m.def(
      "collect_steps",
      [](E& env, const P& policy, py::object theta, Index steps, std::uint64_t seed,
         std::uint64_t first_index) {
        return Play<E, P>(env, policy, theta).steps(steps, seed, first_index);
      },
      py::arg("env"), py::arg("policy"), py::arg("theta"), py::arg("steps"), py::arg("seed"),
      py::arg("first_index"));
  m.def(
      "collect_episodes",
      [](E& env, const P& policy, py::object theta, Index episodes, bool greedy, py::object states,
         std::uint64_t seed, std::uint64_t first_index) {
        return Play<E, P>(env, policy, theta).episodes(episodes, greedy, states, seed, first_index);
      },
      py::arg("env"), py::arg("policy"), py::arg("theta"), py::arg("episodes"), py::arg("greedy"),
      py::arg("states"), py::arg("seed"), py::arg("first_index"));
  m.def(
      "episode_returns",
      [](E& env, const P& policy, py::object theta, Index episodes, bool greedy, std::uint64_t seed,
         std::uint64_t first_index) {
        return Play<E, P>(env, policy, theta).returns(episodes, greedy, seed, first_index);
      },
      py::arg("env"), py::arg("policy"), py::arg("theta"), py::arg("episodes"), py::arg("greedy"),
      py::arg("seed"), py::arg("first_index"));
}

}  // namespace

void bind_rollout(py::module_& m) {
  bind_pair<NativeEnv<float, DiscreteAction>, SoftmaxMlp>(m);
  bind_pair<NativeEnv<double, DiscreteAction>, SoftmaxMlp>(m);
  bind_pair<NativeEnv<float, float>, GaussianMlp>(m);
  bind_pair<NativeEnv<double, double>, GaussianMlp>(m);
  bind_pair<NativeEnv<float, float>, MultiSoftmaxMlp>(m);
  bind_pair<NativeEnv<double, double>, MultiSoftmaxMlp>(m);
}

}  // namespace pgfast::bindings

#pragma once

#include <mutex>

#include "numpy.hpp"
#include "pgfast/rollout.hpp"
#include "policies.hpp"

namespace pgfast::bindings {

// A batch of native environments with discrete actions. It has state, and its methods let other
// Python threads run: each holds the lock while it works.
template <class S>
class DiscreteEnv {
 public:
  DiscreteEnv(std::unique_ptr<VectorEnv<S, DiscreteAction>> env, Index actions)
      : env_(std::move(env)), num_actions_(actions) {}

  using Seeds = std::vector<std::optional<std::uint64_t>>;

  void seed(const Seeds& seeds) {
    locked([&] {
      for (Index i = 0; i < env_->num_envs(); ++i) {
        if (const auto seed = seeds.at(static_cast<std::size_t>(i))) env_->seed(i, *seed);
      }
    });
  }

  // Resets the environments of the mask (None: all), seeded where a seed is given, each into a row
  // of `states` where that is given. All arguments are checked before anything changes.
  py::array reset(const Seeds& seeds, py::object mask, py::object states) {
    const Arguments arguments("reset");
    const Index N = env_->num_envs(), K = env_->state_size();
    const auto chosen = arguments.optional<bool>("options['reset_mask']", mask, {N});
    const auto start = arguments.optional<S>("options['state']", states, {N, K});
    auto observations = output<S>({N, env_->observation_size()});
    S* rows = observations.mutable_data();
    locked([&] {
      for (Index i = 0; i < N; ++i) {
        if (chosen.data && !chosen.data[i]) continue;
        if (const auto seed = seeds.at(static_cast<std::size_t>(i))) env_->seed(i, *seed);
        if (start.data) {
          env_->set_episode_start(i, start.data + i * K);
        } else {
          env_->reset(i);
        }
      }
      env_->observe(rows);
    });
    return observations;
  }

  // (observations, rewards, terminated, truncated, final observations or None). The last is given
  // under same_step where an episode ended; its other rows mean nothing.
  py::tuple step(py::object actions, Autoreset mode) {
    const Arguments arguments("step");
    const Index N = env_->num_envs(), D = env_->observation_size();
    const auto a = arguments.actions("actions", actions, {N}, num_actions_);
    auto observations = output<S>({N, D});
    auto rewards = output<double>({N});
    auto terminated = output<bool>({N}), truncated = output<bool>({N});
    auto final_observations = output<S>({mode == Autoreset::same_step ? N : 0, D});
    const StepOutput<S> out{
        observations.mutable_data(), nullptr, terminated.mutable_data(), truncated.mutable_data(),
        mode == Autoreset::same_step ? final_observations.mutable_data() : nullptr};
    double* rewards_out = rewards.mutable_data();
    bool any_done = false;
    locked([&] {
      rewards_.resize(N);
      StepOutput<S> into = out;
      into.rewards = rewards_.data();
      env_->step(a.data, mode, into);
      for (Index i = 0; i < N; ++i) rewards_out[i] = static_cast<double>(rewards_[i]);
      any_done = count_set(out.terminated, 0, N) + count_set(out.truncated, 0, N) > 0;
    });
    py::object finals = py::none();
    if (any_done && mode == Autoreset::same_step) finals = final_observations;
    return py::make_tuple(observations, rewards, terminated, truncated, finals);
  }

  py::array observe() {
    auto observations = output<S>({env_->num_envs(), env_->observation_size()});
    S* rows = observations.mutable_data();
    locked([&] { env_->observe(rows); });
    return observations;
  }

  py::array finished() {
    auto flags = output<bool>({env_->num_envs()});
    bool* data = flags.mutable_data();
    locked([&] {
      for (Index i = 0; i < env_->num_envs(); ++i) data[i] = env_->finished(i);
    });
    return flags;
  }

  py::dict get_state() {
    const Index N = env_->num_envs(), K = env_->state_size();
    const EnvCopy<S> copy = locked([&] { return env_->get_state(); });
    py::dict parts;
    parts["state"] = py::array_t<S>(Shape{N, K}, copy.state.data());
    parts["elapsed"] = py::array_t<std::int32_t>(N, copy.elapsed.data());
    parts["finished"] = py::array_t<bool>(N, copy.finished.data());
    parts["seed"] = py::array_t<std::uint64_t>(N, copy.seed.data());
    parts["counter"] = py::array_t<std::uint64_t>(N, copy.counter.data());
    return parts;
  }

  void set_state(const py::dict& parts) {
    const Arguments arguments("set_state");
    const Index N = env_->num_envs(), K = env_->state_size();
    EnvCopy<S> copy(N, K);
    const auto read = [&]<class T>(const char* name, const std::vector<Dim>& shape,
                                   Buffer<T>& into) {
      if (!parts.contains(name)) {
        arguments.fail(std::string("the key '") + name +
                       "' is missing, expected what get_state gives");
      }
      const auto in = arguments.input<T>(name, parts[name], shape);
      std::copy_n(in.data, in.size(), into.data());
    };
    read("state", {N, K}, copy.state);
    read("elapsed", {N}, copy.elapsed);
    read("finished", {N}, copy.finished);
    read("seed", {N}, copy.seed);
    read("counter", {N}, copy.counter);
    const Index limit = env_->max_episode_steps();
    for (Index i = 0; i < N; ++i) {
      if (copy.elapsed[i] < 0 || (limit > 0 && copy.elapsed[i] > limit)) {
        arguments.fail("elapsed holds " + std::to_string(copy.elapsed[i]) +
                       ", expected 0 <= steps <= " + std::to_string(limit));
      }
    }
    locked([&] { env_->set_state(copy); });
  }

  py::tuple collect_steps(const SoftmaxMlp& policy, py::object theta, Index steps,
                          std::uint64_t seed, std::uint64_t first_index) {
    const Arguments arguments("collect");
    const auto parameters = read_policy(arguments, policy, theta);
    const Index T = arguments.at_least("steps", steps, 1);
    const Index N = env_->num_envs(), D = env_->observation_size();
    auto observations = output<S>({T, N, D}), last_observations = output<S>({N, D});
    auto actions = output<DiscreteAction>({T, N});
    auto log_probs = output<S>({T, N}), rewards = output<S>({T, N});
    auto terminated = output<bool>({T, N}), truncated = output<bool>({T, N});
    const RolloutArrays<S, DiscreteAction> out{observations.mutable_data(),
                                               actions.mutable_data(),
                                               log_probs.mutable_data(),
                                               rewards.mutable_data(),
                                               terminated.mutable_data(),
                                               truncated.mutable_data(),
                                               nullptr,
                                               last_observations.mutable_data()};
    std::vector<S> finals;
    locked([&] {
      const SamplingActor<S, SoftmaxMlp> actor(policy, parameters.data, seed);
      finals = pgfast::collect_steps<S, DiscreteAction>(*env_, actor, T, first_index, out);
    });
    return py::make_tuple(observations, actions, log_probs, rewards, terminated, truncated,
                          py::none(), last_observations, rows(finals));
  }

  // `greedy`: the policy's most probable actions instead of samples. The arrays come trimmed to the
  // longest episode. How long that is shows only at its end: they begin with 1024 rows (CartPole
  // needs 500), and where that was too short, the run is made again from the start with twice as
  // many.
  py::tuple collect_episodes(const SoftmaxMlp& policy, py::object theta, Index episodes,
                             bool greedy, std::uint64_t seed, std::uint64_t first_index) {
    const Arguments arguments("collect");
    const auto parameters = read_policy(arguments, policy, theta);
    const Index N = arguments.at_least("episodes", episodes, 1);
    const Index limit = env_->max_episode_steps();
    for (Index T = limit > 0 ? std::min<Index>(limit, 1024) : 1024;; T *= 2) {
      WholeEpisodes arrays(T, N, env_->observation_size());
      locked([&] {
        const EnvCopy<S> start = env_->get_state();
        std::unique_ptr<Actor<S, DiscreteAction>> actor;
        if (greedy) {
          actor = std::make_unique<GreedyActor<S, SoftmaxMlp>>(policy, parameters.data);
        } else {
          actor = std::make_unique<SamplingActor<S, SoftmaxMlp>>(policy, parameters.data, seed);
        }
        arrays.finals = pgfast::collect_episodes<S, DiscreteAction>(
            *env_, *actor, N, T, first_index, arrays.views, arrays.longest);
        if (arrays.longest > T) env_->set_state(start);
      });
      if (arrays.longest <= T) return arrays.trimmed(rows(arrays.finals));
    }
  }

 private:
  // f() with the environment to itself, other Python threads running meanwhile. The lock is let go
  // before the GIL is asked for again, so that no thread holds the one while it waits for the
  // other.
  template <class F>
  auto locked(F&& f) {
    const py::gil_scoped_release release;
    const std::lock_guard lock(mutex_);
    return f();
  }

  // Arrays of T rows for whole episodes, zero: the system gives their pages when they are written.
  struct WholeEpisodes {
    py::array_t<S> observations, log_probs, rewards;
    py::array_t<DiscreteAction> actions;
    py::array_t<bool> terminated, truncated, valid;
    RolloutArrays<S, DiscreteAction> views;
    std::vector<S> finals;
    Index longest = 0;

    WholeEpisodes(Index T, Index N, Index D)
        : observations(zeros<S>({T, N, D})),
          log_probs(zeros<S>({T, N})),
          rewards(zeros<S>({T, N})),
          actions(zeros<DiscreteAction>({T, N})),
          terminated(zeros<bool>({T, N})),
          truncated(zeros<bool>({T, N})),
          valid(zeros<bool>({T, N})),
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

  Input<S> read_policy(const Arguments& arguments, const SoftmaxMlp& policy,
                       py::handle theta) const {
    if (policy.network.input_size() != env_->observation_size() ||
        policy.distribution.actions != num_actions_) {
      arguments.fail("the policy takes " + std::to_string(policy.network.input_size()) +
                     " observations and has " + std::to_string(policy.distribution.actions) +
                     " actions, expected " + std::to_string(env_->observation_size()) + " and " +
                     std::to_string(num_actions_));
    }
    return arguments.input<S>("policy.theta", theta, {policy.network.num_parameters()});
  }

  py::array rows(const std::vector<S>& data) const {
    const Index D = env_->observation_size();
    return py::array_t<S>(Shape{static_cast<Index>(data.size()) / D, D}, data.data());
  }

  std::unique_ptr<VectorEnv<S, DiscreteAction>> env_;
  Index num_actions_;
  Buffer<S> rewards_;
  std::mutex mutex_;
};

}  // namespace pgfast::bindings

#pragma once

#include <memory>
#include <mutex>

#include "numpy.hpp"
#include "pgfast/vector_env.hpp"

namespace pgfast::bindings {

// The actions that an environment takes: `count` discrete ones, or a box.
struct DiscreteActions {
  Index count;
};
template <class S>
struct BoxActions {
  Buffer<S> low, high;  // (A)
};
template <class S, class Action>
using ActionSpace =
    std::conditional_t<std::is_same_v<Action, DiscreteAction>, DiscreteActions, BoxActions<S>>;

// A batch of native environments. It has state, and its methods let other Python threads run: each
// holds the lock while it works.
template <class S, class Action_>
class NativeEnv {
 public:
  using Scalar = S;
  using Action = Action_;

  NativeEnv(std::unique_ptr<VectorEnv<S, Action>> env, ActionSpace<S, Action> actions)
      : env_(std::move(env)), actions_(std::move(actions)) {}

  const ActionSpace<S, Action>& action_space() const { return actions_; }
  Index num_envs() const { return env_->num_envs(); }
  Index observation_size() const { return env_->observation_size(); }
  Index state_size() const { return env_->state_size(); }
  Index max_episode_steps() const { return env_->max_episode_steps(); }

  // f(environment) with the environment to itself, other Python threads running meanwhile. The lock
  // is let go before the GIL is asked for again, so that no thread holds the one while it waits for
  // the other.
  template <class F>
  auto locked(F&& f) {
    const py::gil_scoped_release release;
    const std::lock_guard lock(mutex_);
    return f(*env_);
  }

  using Seeds = std::vector<std::optional<std::uint64_t>>;

  void seed(const Seeds& seeds) {
    check_seeds(Arguments("seed"), seeds);
    locked([&](auto& env) {
      for (Index i = 0; i < env.num_envs(); ++i) {
        if (const auto seed = seeds[static_cast<std::size_t>(i)]) env.seed(i, *seed);
      }
    });
  }

  // Resets the environments of the mask (None: all), seeded where a seed is given, each into a row
  // of `states` where that is given. All arguments are checked before anything changes.
  py::array reset(const Seeds& seeds, py::object mask, py::object states) {
    const Arguments arguments("reset");
    const Index N = env_->num_envs(), K = env_->state_size();
    check_seeds(arguments, seeds);
    const auto chosen = arguments.optional<bool>("options['reset_mask']", mask, {N});
    const auto start = arguments.optional<S>("options['state']", states, {N, K});
    check_states(arguments, "options['state']", start);
    auto observations = output<S>({N, env_->observation_size()});
    S* rows = observations.mutable_data();
    locked([&](auto& env) {
      const auto is_reset = [&](Index i) { return !chosen.data || chosen.data[i]; };
      for (Index i = 0; i < N; ++i) {  // all before the first reset, which draws for its neighbours
        const auto seed = seeds[static_cast<std::size_t>(i)];
        if (seed && is_reset(i)) env.seed(i, *seed);
      }
      for (Index i = 0; i < N; ++i) {
        if (!is_reset(i)) continue;
        if (start.data) {
          env.set_episode_start(i, start.data + i * K);
        } else {
          env.reset(i);
        }
      }
      env.observe(rows);
    });
    return observations;
  }

  // (observations, rewards, terminated, truncated, final observations or None). The last is given
  // under same_step where an episode ended; its other rows mean nothing.
  py::tuple step(py::object actions, Autoreset mode) {
    const Arguments arguments("step");
    const Index N = env_->num_envs(), D = env_->observation_size();
    const auto a = read_actions(arguments, actions);
    auto observations = output<S>({N, D});
    auto rewards = output<double>({N});
    auto terminated = output<bool>({N}), truncated = output<bool>({N});
    std::optional<py::array_t<S>> final_observations;
    if (mode == Autoreset::same_step) final_observations = output<S>({N, D});
    const StepOutput<S, double> out{
        observations.mutable_data(), rewards.mutable_data(), terminated.mutable_data(),
        truncated.mutable_data(),
        final_observations ? final_observations->mutable_data() : nullptr};
    const bool any_final = locked([&](auto& env) {
      env.step(a.data, mode, out);
      return out.final_observations &&
             count_set(out.terminated, 0, N) + count_set(out.truncated, 0, N) > 0;
    });
    py::object finals = py::none();
    if (any_final) finals = *final_observations;
    return py::make_tuple(observations, rewards, terminated, truncated, finals);
  }

  py::array observe() {
    auto observations = output<S>({env_->num_envs(), env_->observation_size()});
    S* rows = observations.mutable_data();
    locked([&](auto& env) { env.observe(rows); });
    return observations;
  }

  py::array finished() {
    auto flags = output<bool>({env_->num_envs()});
    bool* data = flags.mutable_data();
    locked([&](auto& env) {
      for (Index i = 0; i < env.num_envs(); ++i) data[i] = env.finished(i);
    });
    return flags;
  }

  // The states alone, (N, S).
  py::array states() {
    const Index N = env_->num_envs(), K = env_->state_size();
    auto rows = output<S>({N, K});
    S* data = rows.mutable_data();
    locked([&](auto& env) {
      for (Index i = 0; i < N; ++i) env.read_state(i, data + i * K);
    });
    return rows;
  }

  py::dict get_state() {
    const Index N = env_->num_envs(), K = env_->state_size();
    const EnvCopy<S> copy = locked([&](auto& env) { return env.get_state(); });
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
      return in;
    };
    check_states(arguments, "state", read("state", {N, K}, copy.state));
    read("elapsed", {N}, copy.elapsed);
    read("finished", {N}, copy.finished);
    read("seed", {N}, copy.seed);
    read("counter", {N}, copy.counter);
    const std::int32_t limit = env_->max_elapsed();
    for (Index i = 0; i < N; ++i) {
      if (copy.elapsed[i] < 0 || copy.elapsed[i] > limit) {
        arguments.fail("elapsed holds " + std::to_string(copy.elapsed[i]) +
                       ", expected 0 <= steps <= " + std::to_string(limit));
      }
    }
    locked([&](auto& env) { env.set_state(copy); });
  }

  // Rows of states, or None.
  void check_states(const Arguments& arguments, const char* name, const Input<S>& states) const {
    const Index K = env_->state_size();
    for (Index i = 0; states.data && i < states.shape[0]; ++i) {
      if (!env_->valid(states.data + i * K)) {
        arguments.fail(std::string(name) + " has a row " + std::to_string(i) +
                       " that is no state of the environment");
      }
    }
  }

 private:
  void check_seeds(const Arguments& arguments, const Seeds& seeds) const {
    if (static_cast<Index>(seeds.size()) != env_->num_envs()) {
      arguments.fail("seeds has " + std::to_string(seeds.size()) + " numbers, expected " +
                     std::to_string(env_->num_envs()));
    }
  }

  Input<Action> read_actions(const Arguments& arguments, py::handle actions) const {
    const Index N = env_->num_envs();
    if constexpr (std::is_same_v<Action, DiscreteAction>) {
      return arguments.actions("actions", actions, {N}, actions_.count);
    } else {
      return arguments.finite_input<Action>("actions", actions, {N, env_->action_size()});
    }
  }

  std::unique_ptr<VectorEnv<S, Action>> env_;
  ActionSpace<S, Action> actions_;
  std::mutex mutex_;
};

}  // namespace pgfast::bindings

// What the constructors of native environments have in common.
#pragma once

#include <memory>

#include "native_env.hpp"
#include "pgfast/lane_env.hpp"

namespace pgfast::bindings {

// A batch of environments with discrete actions 0, ..., count - 1.
template <class Env>
auto with_actions(Env env, Index num_envs, Index max_episode_steps, Index count) {
  using S = typename Env::Scalar;
  return std::make_unique<NativeEnv<S, DiscreteAction>>(
      std::make_unique<LaneEnv<Env>>(std::move(env), num_envs, max_episode_steps),
      DiscreteActions{count});
}

// A batch of environments with actions in [-high, high] in every dimension.
template <class Env>
auto within(Env env, Index num_envs, Index max_episode_steps, typename Env::Scalar high) {
  using S = typename Env::Scalar;
  auto lanes = std::make_unique<LaneEnv<Env>>(std::move(env), num_envs, max_episode_steps);
  const Index size = lanes->action_size();
  return std::make_unique<NativeEnv<S, S>>(
      std::move(lanes),
      BoxActions<S>{Buffer<S>::Constant(size, -high), Buffer<S>::Constant(size, high)});
}

// Binds make(num_envs, max_episode_steps, parameters...) as <name>_<dtype>.
template <class S, class Make, class... Parameters>
void bind_constructor(py::module_& m, const std::string& name, Make make,
                      const Parameters&... parameters) {
  m.def((name + "_" + dtype_name<S>()).c_str(), make, py::arg("num_envs"),
        py::arg("max_episode_steps"), parameters...);
}

// Numbers of an environment, given as float64, in its own scalar.
template <class S>
std::vector<S> numbers(const Input<double>& in) {
  std::vector<S> out(static_cast<std::size_t>(in.size()));
  std::transform(in.data, in.data + in.size(), out.begin(),
                 [](double x) { return static_cast<S>(x); });
  return out;
}

}  // namespace pgfast::bindings

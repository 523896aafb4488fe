// The policies that Python sees: which network goes with which distribution.
#pragma once

#include "numpy.hpp"
#include "pgfast/policy_actor.hpp"

namespace pgfast::bindings {

using SoftmaxMlp = Policy<Mlp, Softmax>;
using SoftmaxStateAction = Policy<StateActionLinear, Softmax>;

// The trailing dimensions of one observation.
inline std::vector<Dim> observation_shape(const Mlp& network) { return {network.input_size()}; }
inline std::vector<Dim> observation_shape(const StateActionLinear& network) {
  return {network.output_size(), network.num_parameters()};
}

// The trailing dimensions of one action.
inline Shape action_shape(const Softmax&) { return {}; }

}  // namespace pgfast::bindings

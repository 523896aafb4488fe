// The policies that Python sees: which network goes with which distribution.
#pragma once

#include "numpy.hpp"
#include "pgfast/distributions/gaussian.hpp"
#include "pgfast/distributions/multi_softmax.hpp"
#include "pgfast/distributions/softmax.hpp"
#include "pgfast/networks/state_action_linear.hpp"
#include "pgfast/networks/with_tail.hpp"
#include "pgfast/policy_actor.hpp"

namespace pgfast::bindings {

using SoftmaxMlp = Policy<Preprocessed, Softmax>;
using MultiSoftmaxMlp = Policy<Preprocessed, MultiSoftmax>;
using GaussianMlp = Policy<WithTail, Gaussian>;
using SoftmaxStateAction = Policy<StateActionLinear, Softmax>;

// The trailing dimensions of one observation.
template <class Network>
std::vector<Dim> observation_shape(const Network& network) {
  return {network.input_size()};
}
inline std::vector<Dim> observation_shape(const StateActionLinear& network) {
  return {network.output_size(), network.num_parameters()};
}

// The trailing dimensions of one action.
inline Shape action_shape(const Softmax&) { return {}; }
inline Shape action_shape(const MultiSoftmax& d) { return {d.action_size()}; }
inline Shape action_shape(const Gaussian& d) { return {d.action_size()}; }

// Whether two distributions are over the same actions, so that one diverges from the other.
inline bool same_actions(const Softmax& a, const Softmax& b) { return a.actions == b.actions; }
inline bool same_actions(const MultiSoftmax& a, const MultiSoftmax& b) {
  return a.sizes == b.sizes;
}
inline bool same_actions(const Gaussian& a, const Gaussian& b) { return a.actions == b.actions; }

// Whether parameters z mean the same to both as well.
template <class D>
bool same_parameters(const D& a, const D& b) {
  return same_actions(a, b);
}
inline bool same_parameters(const Gaussian& a, const Gaussian& b) {
  return same_actions(a, b) && a.own_log_std == b.own_log_std && a.log_std == b.log_std &&
         a.log_std_floor == b.log_std_floor;
}

// Actions alongside a batch, checked.
template <class S>
Input<DiscreteAction> read_actions(const Arguments& arguments, py::handle actions,
                                   const Shape& leading, const Softmax& d) {
  return arguments.actions("actions", actions, leading, d.actions);
}
template <class S>
Input<DiscreteAction> read_actions(const Arguments& arguments, py::handle actions,
                                   const Shape& leading, const MultiSoftmax& d) {
  return arguments.multi_actions("actions", actions, leading, d.sizes);
}
template <class S>
Input<S> read_actions(const Arguments& arguments, py::handle actions, const Shape& leading,
                      const Gaussian& d) {
  const Shape shape = leading + action_shape(d);
  return arguments.finite_input<S>("actions", actions,
                                   std::vector<Dim>(shape.begin(), shape.end()));
}

// The masks of allowed actions alongside a batch; each leaves at least one action.
inline Input<bool> read_masks(const Arguments& arguments, py::handle masks, const Shape& leading,
                              const Softmax& d) {
  return arguments.mask("masks", masks, leading + Shape{d.actions}, {d.actions});
}
inline Input<bool> read_masks(const Arguments& arguments, py::handle masks, const Shape& leading,
                              const MultiSoftmax& d) {
  return arguments.mask("masks", masks, leading + Shape{d.parameter_size()}, d.sizes);
}
inline Input<bool> read_masks(const Arguments& arguments, py::handle masks, const Shape&,
                              const Gaussian&) {
  if (!masks.is_none()) arguments.fail("masks go with discrete actions, expected None");
  return {};
}

}  // namespace pgfast::bindings

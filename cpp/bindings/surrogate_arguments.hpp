// The samples that a policy climbs on, as Python gives them.
#pragma once

#include "pgfast/surrogate.hpp"
#include "policies.hpp"

namespace pgfast::bindings {

template <class S, class P>
struct SampleArguments {
  using Action = typename P::template Action<S>;
  Batch<S> observations;
  Input<Action> actions;
  Input<bool> masks;
  Input<S> log_probs, advantages;

  SampleArguments(const Arguments& arguments, const P& policy, py::handle observations_,
                  py::handle actions_, py::handle masks_, py::handle log_probs_,
                  py::handle advantages_)
      : observations(
            arguments.batch<S>("observations", observations_, observation_shape(policy.network))),
        actions(read_actions<S>(arguments, actions_, observations.leading, policy.distribution)),
        masks(read_masks(arguments, masks_, observations.leading, policy.distribution)) {
    const Shape& leading = observations.leading;
    const std::vector<Dim> shape(leading.begin(), leading.end());
    log_probs = arguments.optional<S>("log_probs", log_probs_, shape);
    advantages = arguments.input<S>("advantages", advantages_, shape);
  }

  Samples<S, Action> samples() const {
    return {{observations.data, observations.samples, masks.data},
            actions.data,
            log_probs.data,
            advantages.data};
  }
};

}  // namespace pgfast::bindings

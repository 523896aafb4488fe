// What every estimator over a rollout reads.
#pragma once

#include "numpy.hpp"

namespace pgfast::bindings {

// The three arrays that every estimator reads, checked against the shape of `rewards`.
template <class S>
struct Episodes {
  Input<S> rewards;
  Input<bool> terminated, truncated;
  Index T, N;

  Episodes(const Arguments& arguments, py::handle rewards_, py::handle terminated_,
           py::handle truncated_)
      : rewards(arguments.input<S>("rewards", rewards_, {"T", "N"})),
        T(rewards.shape[0]),
        N(rewards.shape[1]) {
    terminated = arguments.input<bool>("terminated", terminated_, {T, N});
    truncated = arguments.input<bool>("truncated", truncated_, {T, N});
  }

  // Final values, one per truncated step. Without them a truncated step could only bootstrap from
  // nothing, which is an error as soon as there is a value function (`critic`).
  Input<S> final_values(const Arguments& arguments, py::handle value, const char* critic) const {
    const Index truncated_steps = count_set(truncated.data, 0, T * N);
    if (value.is_none()) {
      if (!critic || truncated_steps == 0) return {};
      Index truncated_only = 0;
      for_each_set(truncated.data, 0, T * N,
                   [&](Index i) { truncated_only += terminated.data[i] ? 0 : 1; });
      if (truncated_only > 0) {
        arguments.fail("final_values is None, expected shape (" + std::to_string(truncated_steps) +
                       ",): V of the final observation of each truncated step, because " + critic +
                       " is given and " + std::to_string(truncated_only) +
                       " steps are truncated and not terminated");
      }
      return {};
    }
    return arguments.input<S>("final_values", value, {truncated_steps});
  }
};

}  // namespace pgfast::bindings

#include "numpy.hpp"
#include "pgfast/returns.hpp"

namespace pgfast::bindings {
namespace {

// The four arrays that every estimator reads, checked against the shape of `rewards`.
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
    Index truncated_only = 0;
    for_each_set(truncated.data, 0, T * N,
                 [&](Index i) { truncated_only += terminated.data[i] ? 0 : 1; });
    if (value.is_none()) {
      if (critic && truncated_only > 0) {
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

py::array py_reward_to_go(py::object rewards, py::object terminated, py::object truncated,
                          py::object gamma, py::object last_values, py::object final_values) {
  const Arguments arguments("reward_to_go");
  const double discount = arguments.unit_interval("gamma", gamma);
  return arguments.dispatch("rewards", rewards, [&]<class S>() -> py::array {
    const Episodes<S> in(arguments, rewards, terminated, truncated);
    const auto last = arguments.optional<S>("last_values", last_values, {in.N});
    const auto finals =
        in.final_values(arguments, final_values, last.data ? "last_values" : nullptr);
    auto out = output<S>({in.T, in.N});
    const auto view = matrix_of(out);
    const py::gil_scoped_release release;
    reward_to_go<S>(in.rewards.matrix(), in.terminated.matrix(), in.truncated.matrix(),
                    static_cast<S>(discount), last.data, finals.data, view);
    return out;
  });
}

py::array py_episode_return(py::object rewards, py::object terminated, py::object truncated,
                            py::object gamma, py::object valid) {
  const Arguments arguments("episode_return");
  const double discount = arguments.unit_interval("gamma", gamma);
  return arguments.dispatch("rewards", rewards, [&]<class S>() -> py::array {
    const Episodes<S> in(arguments, rewards, terminated, truncated);
    const auto happened = arguments.optional<bool>("valid", valid, {in.T, in.N});
    auto out = output<S>({in.T, in.N});
    const auto view = matrix_of(out);
    const py::gil_scoped_release release;
    episode_return<S>(in.rewards.matrix(), in.terminated.matrix(), in.truncated.matrix(),
                      happened.data, static_cast<S>(discount), view);
    return out;
  });
}

py::array py_gae(py::object rewards, py::object values, py::object terminated, py::object truncated,
                 py::object gamma, py::object lam, py::object final_values) {
  const Arguments arguments("gae");
  const double discount = arguments.unit_interval("gamma", gamma);
  const double decay = arguments.unit_interval("lam", lam);
  return arguments.dispatch("rewards", rewards, [&]<class S>() -> py::array {
    const Episodes<S> in(arguments, rewards, terminated, truncated);
    const auto v = arguments.input<S>("values", values, {in.T + 1, in.N});
    const auto finals = in.final_values(arguments, final_values, "values");
    auto out = output<S>({in.T, in.N});
    const auto view = matrix_of(out);
    const py::gil_scoped_release release;
    gae<S>(in.rewards.matrix(), v.matrix(), in.terminated.matrix(), in.truncated.matrix(),
           static_cast<S>(discount), static_cast<S>(decay), finals.data, view);
    return out;
  });
}

}  // namespace

void bind_returns(py::module_& m) {
  m.def("reward_to_go", &py_reward_to_go, py::arg("rewards"), py::arg("terminated"),
        py::arg("truncated"), py::arg("gamma"), py::arg("last_values"), py::arg("final_values"));
  m.def("episode_return", &py_episode_return, py::arg("rewards"), py::arg("terminated"),
        py::arg("truncated"), py::arg("gamma"), py::arg("valid"));
  m.def("gae", &py_gae, py::arg("rewards"), py::arg("values"), py::arg("terminated"),
        py::arg("truncated"), py::arg("gamma"), py::arg("lam"), py::arg("final_values"));
}

}  // namespace pgfast::bindings

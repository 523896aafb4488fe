#include "episodes.hpp"
#include "pgfast/finished_returns.hpp"
#include "pgfast/n_step_return.hpp"
#include "pgfast/returns.hpp"

namespace pgfast::bindings {
namespace {

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

// (sum of the returns of the episodes that ended, their number); `running` is changed in place.
py::tuple py_finished_returns(py::object rewards, py::object terminated, py::object truncated,
                              py::object running) {
  const Arguments arguments("finished_returns");
  return arguments.dispatch("rewards", rewards, [&]<class S>() -> py::tuple {
    const Episodes<S> in(arguments, rewards, terminated, truncated);
    const auto sums = arguments.in_place<double>("running", running, {in.N});
    const FinishedReturns finished = finished_returns<S>(
        in.rewards.matrix(), in.terminated.matrix(), in.truncated.matrix(), sums.data);
    return py::make_tuple(finished.sum, finished.count);
  });
}

py::array py_n_step_return(py::object rewards, py::object values, py::object terminated,
                           py::object truncated, py::object gamma, Index n,
                           py::object final_values) {
  const Arguments arguments("n_step_return");
  const double discount = arguments.unit_interval("gamma", gamma);
  arguments.at_least("n", n, 1);
  return arguments.dispatch("rewards", rewards, [&]<class S>() -> py::array {
    const Episodes<S> in(arguments, rewards, terminated, truncated);
    const auto v = arguments.input<S>("values", values, {in.T + 1, in.N});
    const auto finals = in.final_values(arguments, final_values, "values");
    auto out = output<S>({in.T, in.N});
    const auto view = matrix_of(out);
    const py::gil_scoped_release release;
    n_step_return<S>(in.rewards.matrix(), v.matrix(), in.terminated.matrix(), in.truncated.matrix(),
                     static_cast<S>(discount), n, finals.data, view);
    return out;
  });
}

// GAE and the lambda-return take the same arguments: the kernel is the template argument.
template <class Kernel32, class Kernel64>
void bind_traces(py::module_& m, const char* name, Kernel32 kernel32, Kernel64 kernel64) {
  m.def(
      name,
      [name, kernel32, kernel64](py::object rewards, py::object values, py::object terminated,
                                 py::object truncated, py::object gamma, py::object lam,
                                 py::object final_values) {
        const Arguments arguments(name);
        const double discount = arguments.unit_interval("gamma", gamma);
        const double decay = arguments.unit_interval("lam", lam);
        return arguments.dispatch("rewards", rewards, [&]<class S>() -> py::array {
          const Episodes<S> in(arguments, rewards, terminated, truncated);
          const auto v = arguments.input<S>("values", values, {in.T + 1, in.N});
          const auto finals = in.final_values(arguments, final_values, "values");
          auto out = output<S>({in.T, in.N});
          const auto view = matrix_of(out);
          const auto run = [&](auto kernel) {
            kernel(in.rewards.matrix(), v.matrix(), in.terminated.matrix(), in.truncated.matrix(),
                   static_cast<S>(discount), static_cast<S>(decay), finals.data, view);
          };
          const py::gil_scoped_release release;
          if constexpr (std::is_same_v<S, float>) run(kernel32);
          if constexpr (std::is_same_v<S, double>) run(kernel64);
          return out;
        });
      },
      py::arg("rewards"), py::arg("values"), py::arg("terminated"), py::arg("truncated"),
      py::arg("gamma"), py::arg("lam"), py::arg("final_values"));
}

}  // namespace

void bind_returns(py::module_& m) {
  m.def("reward_to_go", &py_reward_to_go, py::arg("rewards"), py::arg("terminated"),
        py::arg("truncated"), py::arg("gamma"), py::arg("last_values"), py::arg("final_values"));
  m.def("episode_return", &py_episode_return, py::arg("rewards"), py::arg("terminated"),
        py::arg("truncated"), py::arg("gamma"), py::arg("valid"));
  m.def("finished_returns", &py_finished_returns, py::arg("rewards"), py::arg("terminated"),
        py::arg("truncated"), py::arg("running"));
  m.def("n_step_return", &py_n_step_return, py::arg("rewards"), py::arg("values"),
        py::arg("terminated"), py::arg("truncated"), py::arg("gamma"), py::arg("n"),
        py::arg("final_values"));
  bind_traces(m, "gae", &gae<float>, &gae<double>);
  bind_traces(m, "lambda_return", &lambda_return<float>, &lambda_return<double>);
}

}  // namespace pgfast::bindings

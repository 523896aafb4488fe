#include "mlp_arguments.hpp"
#include "pgfast/value_function.hpp"

namespace pgfast::bindings {
namespace {

// What every method reads: theta (P) and observations (..., D).
template <class S>
struct Read {
  Batch<S> observations;

  Read(const Arguments& arguments, const ValueNetwork& network, py::handle observations_)
      : observations(arguments.batch<S>("observations", observations_, {network.input_size()})) {}
};

// Observations with a target each, and the samples that count.
template <class S>
struct Regression : Read<S> {
  Input<S> targets;
  std::vector<Index> chosen;  // by `valid`
  bool all;

  Regression(const Arguments& arguments, const ValueNetwork& network, py::handle observations_,
             py::handle targets_, py::handle valid)
      : Read<S>(arguments, network, observations_),
        targets(arguments.alongside<S>("targets", targets_, this->observations.leading)),
        all(valid.is_none()) {
    if (all) return;
    const auto flags = arguments.alongside<bool>("valid", valid, this->observations.leading);
    chosen = samples_of(flags.data, this->observations.samples);
    if (chosen.empty()) arguments.fail("valid is False everywhere, expected at least one True");
  }
  Index size() const {
    return all ? this->observations.samples : static_cast<Index>(chosen.size());
  }
  const Index* samples() const { return all ? nullptr : chosen.data(); }
};

py::array predict_values(const ValueNetwork& network, py::object theta, py::object observations) {
  const Arguments arguments("predict");
  return arguments.dispatch("theta", theta, [&]<class S>() -> py::array {
    const auto t = arguments.input<S>("theta", theta, {network.num_parameters()});
    const Read<S> in(arguments, network, observations);
    auto out = output<S>(in.observations.leading);
    S* data = out.mutable_data();
    const py::gil_scoped_release release;
    predict<S>(network, t.data, in.observations.data, nullptr, in.observations.samples, data);
    return out;
  });
}

// V of observations (T, N, D) and of the last ones (N, D) or, where those are None, 0: (T + 1, N).
py::array rollout_values(const ValueNetwork& network, py::object theta, py::object observations,
                         py::object last_observations) {
  const Arguments arguments("values");
  return arguments.dispatch("theta", theta, [&]<class S>() -> py::array {
    const auto t = arguments.input<S>("theta", theta, {network.num_parameters()});
    const Index D = network.input_size();
    const auto seen = arguments.input<S>("observations", observations, {"T", "N", D});
    const Index T = seen.shape[0], N = seen.shape[1];
    const auto last = arguments.optional<S>("last_observations", last_observations, {N, D});
    auto out = output<S>({T + 1, N});
    S* data = out.mutable_data();
    const py::gil_scoped_release release;
    predict<S>(network, t.data, seen.data, nullptr, T * N, data);
    if (last.data) {
      predict<S>(network, t.data, last.data, nullptr, N, data + T * N);
    } else {
      std::fill_n(data + T * N, N, S{0});
    }
    return out;
  });
}

py::array gradient(const ValueNetwork& network, py::object theta, py::object observations,
                   py::object targets, py::object valid) {
  const Arguments arguments("gradient");
  return arguments.dispatch("theta", theta, [&]<class S>() -> py::array {
    const auto t = arguments.input<S>("theta", theta, {network.num_parameters()});
    const Regression<S> in(arguments, network, observations, targets, valid);
    auto out = output<S>({network.num_parameters()});
    S* data = out.mutable_data();
    const py::gil_scoped_release release;
    squared_error_gradient<S>(network, t.data, in.observations.data, in.targets.data, in.samples(),
                              in.size(), data);
    return out;
  });
}

// Runs f(theta, regression), which changes theta and gives the damping, without the GIL. Where the
// outcome is not finite, or f throws, theta is as before. Gives (loss, explained variance,
// damping).
template <class F>
py::tuple fit(const Arguments& arguments, const ValueNetwork& network, py::handle theta,
              py::handle observations, py::handle targets, py::handle valid, F&& f) {
  return arguments.dispatch("theta", theta, [&]<class S>() -> py::tuple {
    const auto t = arguments.in_place<S>("theta", theta, {network.num_parameters()});
    const Regression<S> in(arguments, network, observations, targets, valid);
    ValueError error;
    double damping = 0;
    {
      const py::gil_scoped_release release;
      Buffer<S> fitted = Eigen::Map<const Buffer<S>>(t.data, t.size);
      damping = f(fitted.data(), in);
      error = value_error<S>(network, fitted.data(), in.observations.data, in.targets.data,
                             in.samples(), in.size());
      if (std::isfinite(error.loss)) std::copy_n(fitted.data(), t.size, t.data);
    }
    return py::make_tuple(error.loss, error.explained_variance, damping);
  });
}

py::tuple fit_by_ridge(const ValueNetwork& network, py::object theta, py::object observations,
                       py::object targets, py::object valid, py::object ridge) {
  const Arguments arguments("fit");
  const double penalty = arguments.not_negative("ridge", ridge);
  if (!is_linear(network)) arguments.fail("ridge is for a network without hidden layers");
  return fit(arguments, network, theta, observations, targets, valid,
             [&]<class S>(S* t, const Regression<S>& in) {
               return fit_ridge<S>(network, t, in.observations.data, in.targets.data, in.samples(),
                                   in.size(), penalty)
                   .damping;
             });
}

py::tuple fit_by_minibatches(const ValueNetwork& network, py::object theta, py::object observations,
                             py::object targets, py::object valid, Index epochs, Index batch_size,
                             py::object learning_rate, std::uint64_t seed, std::uint32_t stream) {
  const Arguments arguments("fit");
  const MinibatchFit settings{arguments.at_least("epochs", epochs, 1),
                              arguments.at_least("batch_size", batch_size, 1),
                              arguments.finite("learning_rate", learning_rate), seed, stream};
  return fit(arguments, network, theta, observations, targets, valid,
             [&]<class S>(S* t, const Regression<S>& in) {
               fit_minibatches<S>(network, t, in.observations.data, in.targets.data,
                                  in.all ? samples_of(nullptr, in.size()) : in.chosen, settings);
               return 0.0;
             });
}

}  // namespace

void bind_value_function(py::module_& m) {
  py::class_<ValueNetwork>(m, "ValueNetwork")
      .def(py::init([](const std::vector<Index>& sizes, const std::string& activation,
                       const py::object& features, const py::object& normalization) {
             ValueNetwork network = preprocessed(sizes, activation, features, normalization);
             if (network.output_size() != 1) {
               Arguments("network").fail("a value function has one output");
             }
             return network;
           }),
           py::arg("sizes"), py::arg("activation"), py::arg("features"), py::arg("normalization"))
      .def("predict", &predict_values, py::arg("theta"), py::arg("observations"))
      .def("values", &rollout_values, py::arg("theta"), py::arg("observations"),
           py::arg("last_observations"))
      .def("gradient", &gradient, py::arg("theta"), py::arg("observations"), py::arg("targets"),
           py::arg("valid"))
      .def("fit_ridge", &fit_by_ridge, py::arg("theta"), py::arg("observations"),
           py::arg("targets"), py::arg("valid"), py::arg("ridge"))
      .def("fit_minibatches", &fit_by_minibatches, py::arg("theta"), py::arg("observations"),
           py::arg("targets"), py::arg("valid"), py::arg("epochs"), py::arg("batch_size"),
           py::arg("learning_rate"), py::arg("seed"), py::arg("stream"));
}

}  // namespace pgfast::bindings

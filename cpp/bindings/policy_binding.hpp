// The methods that every policy has in Python. A policy there is its shape, network and
// distribution, as an immutable object; theta comes with every call.
#pragma once

#include "pgfast/fisher.hpp"
#include "policies.hpp"

namespace pgfast::bindings {

template <class P>
class PolicyBinding {
 public:
  static void bind(py::class_<P>& c) {
    const py::arg theta("theta"), observations("observations"), actions("actions"), masks("masks");
    c.def_property_readonly("num_parameters",
                            [](const P& p) { return p.network.num_parameters(); });
    c.def("parameters", &parameters, theta, observations);
    c.def("sample", &sample, theta, observations, masks, py::arg("seed"), py::arg("first_stream"),
          py::arg("index"));
    c.def("mode", &mode, theta, observations, masks);
    c.def("log_prob", &log_prob, theta, observations, actions, masks);
    c.def("entropy", &entropy, theta, observations, masks);
    c.def("kl", &kl, theta, py::arg("other"), py::arg("other_theta"), observations, masks);
    c.def("score", &score, theta, observations, actions, py::arg("weights"), masks);
    c.def("scores", &scores, theta, observations, actions, masks);
    c.def("fisher_vector_product", &fisher_vector_product, theta, observations, py::arg("v"),
          py::arg("damping"), masks);
    c.def("natural_gradient", &natural_gradient, theta, observations, py::arg("gradient"),
          py::arg("damping"), py::arg("tolerance"), py::arg("max_iterations"), masks);
  }

 private:
  template <class S>
  using Action = typename P::template Action<S>;

  // f.operator()<S>(theta, states, leading shape) after the checks that all methods share.
  template <class F>
  static auto read(const Arguments& arguments, const P& policy, py::handle theta,
                   py::handle observations, py::handle masks, F&& f) {
    return arguments.dispatch("theta", theta, [&]<class S>() {
      const auto t = arguments.input<S>("theta", theta, {policy.network.num_parameters()});
      const auto o =
          arguments.batch<S>("observations", observations, observation_shape(policy.network));
      const auto m = read_masks(arguments, masks, o.leading, policy.distribution);
      return f.template operator()<S>(t.data, States<S>{o.data, o.samples, m.data}, o.leading);
    });
  }

  static py::array parameters(const P& policy, py::object theta, py::object observations) {
    const auto Z = policy.network.output_size();
    const py::none no_masks;
    return read(Arguments("parameters"), policy, theta, observations, no_masks,
                [&]<class S>(const S* t, States<S> states, const Shape& leading) -> py::array {
                  auto out = output<S>(leading + Shape{Z});
                  S* data = out.mutable_data();
                  const py::gil_scoped_release release;
                  network_outputs(policy.network, t, states.observations, states.count, data);
                  return out;
                });
  }

  static py::array sample(const P& policy, py::object theta, py::object observations,
                          py::object masks, std::uint64_t seed, std::uint32_t first_stream,
                          std::uint64_t index) {
    return read(Arguments("sample"), policy, theta, observations, masks,
                [&]<class S>(const S* t, States<S> states, const Shape& leading) -> py::array {
                  auto out = output<Action<S>>(leading + action_shape(policy.distribution));
                  auto* data = out.mutable_data();
                  const py::gil_scoped_release release;
                  pgfast::sample(policy, t, states, seed, first_stream, index, data);
                  return out;
                });
  }

  static py::array mode(const P& policy, py::object theta, py::object observations,
                        py::object masks) {
    return read(Arguments("mode"), policy, theta, observations, masks,
                [&]<class S>(const S* t, States<S> states, const Shape& leading) -> py::array {
                  auto out = output<Action<S>>(leading + action_shape(policy.distribution));
                  auto* data = out.mutable_data();
                  const py::gil_scoped_release release;
                  pgfast::mode(policy, t, states, data);
                  return out;
                });
  }

  static py::array log_prob(const P& policy, py::object theta, py::object observations,
                            py::object actions, py::object masks) {
    const Arguments arguments("log_prob");
    return read(arguments, policy, theta, observations, masks,
                [&]<class S>(const S* t, States<S> states, const Shape& leading) -> py::array {
                  const auto a = read_actions<S>(arguments, actions, leading, policy.distribution);
                  auto out = output<S>(leading);
                  S* data = out.mutable_data();
                  const py::gil_scoped_release release;
                  pgfast::log_prob(policy, t, states, a.data, data);
                  return out;
                });
  }

  static py::array entropy(const P& policy, py::object theta, py::object observations,
                           py::object masks) {
    return read(Arguments("entropy"), policy, theta, observations, masks,
                [&]<class S>(const S* t, States<S> states, const Shape& leading) -> py::array {
                  auto out = output<S>(leading);
                  S* data = out.mutable_data();
                  const py::gil_scoped_release release;
                  pgfast::entropy(policy, t, states, data);
                  return out;
                });
  }

  static py::array kl(const P& policy, py::object theta, const P& other, py::object other_theta,
                      py::object observations, py::object masks) {
    const Arguments arguments("kl");
    if (other.network.input_size() != policy.network.input_size() ||
        !same_actions(other.distribution, policy.distribution)) {
      arguments.fail("other is a policy of other observations or actions");
    }
    return read(arguments, policy, theta, observations, masks,
                [&]<class S>(const S* t, States<S> states, const Shape& leading) -> py::array {
                  const auto their_theta = arguments.input<S>("other.theta", other_theta,
                                                              {other.network.num_parameters()});
                  auto out = output<S>(leading);
                  S* data = out.mutable_data();
                  const py::gil_scoped_release release;
                  pgfast::kl(policy, t, other, their_theta.data, states, data);
                  return out;
                });
  }

  static py::array score(const P& policy, py::object theta, py::object observations,
                         py::object actions, py::object weights, py::object masks) {
    const Arguments arguments("score");
    return read(arguments, policy, theta, observations, masks,
                [&]<class S>(const S* t, States<S> states, const Shape& leading) -> py::array {
                  const auto a = read_actions<S>(arguments, actions, leading, policy.distribution);
                  const auto w = arguments.optional<S>(
                      "weights", weights, std::vector<Dim>(leading.begin(), leading.end()));
                  auto out = output<S>({policy.network.num_parameters()});
                  S* data = out.mutable_data();
                  const py::gil_scoped_release release;
                  pgfast::score(policy, t, states, a.data, w.data, data);
                  return out;
                });
  }

  static py::array scores(const P& policy, py::object theta, py::object observations,
                          py::object actions, py::object masks) {
    const Arguments arguments("scores");
    return read(arguments, policy, theta, observations, masks,
                [&]<class S>(const S* t, States<S> states, const Shape& leading) -> py::array {
                  const auto a = read_actions<S>(arguments, actions, leading, policy.distribution);
                  auto out = output<S>(leading + Shape{policy.network.num_parameters()});
                  S* data = out.mutable_data();
                  const py::gil_scoped_release release;
                  pgfast::scores(policy, t, states, a.data, data);
                  return out;
                });
  }

  static py::array fisher_vector_product(const P& policy, py::object theta, py::object observations,
                                         py::object v, py::object damping, py::object masks) {
    const Arguments arguments("fisher_vector_product");
    const double diagonal = arguments.not_negative("damping", damping);
    return read(arguments, policy, theta, observations, masks,
                [&]<class S>(const S* t, States<S> states, const Shape&) -> py::array {
                  const Index size = policy.network.num_parameters();
                  const auto direction = arguments.input<S>("v", v, {size});
                  auto out = output<S>({size});
                  S* data = out.mutable_data();
                  const py::gil_scoped_release release;
                  pgfast::fisher_vector_product(policy, t, states, direction.data,
                                                static_cast<S>(diagonal), data);
                  return out;
                });
  }

  static py::tuple natural_gradient(const P& policy, py::object theta, py::object observations,
                                    py::object gradient, py::object damping, py::object tolerance,
                                    py::object max_iterations, py::object masks) {
    const Arguments arguments("natural_gradient");
    const double diagonal = arguments.not_negative("damping", damping);
    const double relative = arguments.not_negative("tolerance", tolerance);
    return read(arguments, policy, theta, observations, masks,
                [&]<class S>(const S* t, States<S> states, const Shape&) -> py::tuple {
                  const Index size = policy.network.num_parameters();
                  const auto g = arguments.input<S>("gradient", gradient, {size});
                  const Index limit = arguments.limit("max_iterations", max_iterations, size);
                  auto x = output<S>({size});
                  S* data = x.mutable_data();
                  CGOutcome outcome;
                  {
                    const py::gil_scoped_release release;
                    outcome = pgfast::natural_gradient(policy, t, states, g.data, diagonal,
                                                       relative, limit, data);
                  }
                  return py::make_tuple(x, outcome.iterations, outcome.residual,
                                        status_name(outcome.status));
                });
  }
};

}  // namespace pgfast::bindings

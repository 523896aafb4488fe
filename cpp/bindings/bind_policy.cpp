#include "numpy.hpp"
#include "policies.hpp"

namespace pgfast::bindings {
namespace {

// A policy's shape (network and distribution) as an immutable Python object; theta comes with every
// call. One template gives every policy the same methods.
template <class P>
class PolicyBinding {
 public:
  static void bind(py::class_<P>& c) {
    c.def_property_readonly("num_parameters",
                            [](const P& p) { return p.network.num_parameters(); });
    c.def("logits", &logits, py::arg("theta"), py::arg("observations"));
    c.def("sample", &sample, py::arg("theta"), py::arg("observations"), py::arg("seed"),
          py::arg("first_stream"), py::arg("index"));
    c.def("mode", &mode, py::arg("theta"), py::arg("observations"));
    c.def("log_prob", &log_prob, py::arg("theta"), py::arg("observations"), py::arg("actions"));
    c.def("entropy", &entropy, py::arg("theta"), py::arg("observations"));
    c.def("kl", &kl, py::arg("theta"), py::arg("other"), py::arg("other_theta"),
          py::arg("observations"));
    c.def("score", &score, py::arg("theta"), py::arg("observations"), py::arg("actions"),
          py::arg("weights"));
    c.def("scores", &scores, py::arg("theta"), py::arg("observations"), py::arg("actions"));
    c.def("fisher_vector_product", &fisher_vector_product, py::arg("theta"),
          py::arg("observations"), py::arg("v"), py::arg("damping"));
    c.def("natural_gradient", &natural_gradient, py::arg("theta"), py::arg("observations"),
          py::arg("gradient"), py::arg("damping"), py::arg("tolerance"), py::arg("max_iterations"));
  }

 private:
  // What every method reads: theta (P) and observations (..., *one observation's shape).
  template <class S>
  struct Read {
    Input<S> theta;
    Batch<S> observations;
  };

  template <class S>
  static Read<S> read(const Arguments& arguments, const P& policy, py::handle theta,
                      py::handle observations) {
    return {arguments.input<S>("theta", theta, {policy.network.num_parameters()}),
            arguments.batch<S>("observations", observations, observation_shape(policy.network))};
  }

  static py::array logits(const P& policy, py::object theta, py::object observations) {
    const Arguments arguments("logits");
    return arguments.dispatch("theta", theta, [&]<class S>() -> py::array {
      const auto in = read<S>(arguments, policy, theta, observations);
      auto out = output<S>(in.observations.leading + Shape{policy.network.output_size()});
      S* data = out.mutable_data();
      const py::gil_scoped_release release;
      pgfast::parameters_of(policy, in.theta.data, in.observations.data, in.observations.samples,
                            data);
      return out;
    });
  }

  static py::array sample(const P& policy, py::object theta, py::object observations,
                          std::uint64_t seed, std::uint32_t first_stream, std::uint64_t index) {
    const Arguments arguments("sample");
    return arguments.dispatch("theta", theta, [&]<class S>() -> py::array {
      const auto in = read<S>(arguments, policy, theta, observations);
      auto out = output<typename P::template Action<S>>(in.observations.leading);
      auto* data = out.mutable_data();
      const py::gil_scoped_release release;
      pgfast::sample(policy, in.theta.data, in.observations.data, in.observations.samples, seed,
                     first_stream, index, data);
      return out;
    });
  }

  static py::array mode(const P& policy, py::object theta, py::object observations) {
    const Arguments arguments("mode");
    return arguments.dispatch("theta", theta, [&]<class S>() -> py::array {
      const auto in = read<S>(arguments, policy, theta, observations);
      auto out = output<typename P::template Action<S>>(in.observations.leading);
      auto* data = out.mutable_data();
      const py::gil_scoped_release release;
      pgfast::mode(policy, in.theta.data, in.observations.data, in.observations.samples, data);
      return out;
    });
  }

  static py::array log_prob(const P& policy, py::object theta, py::object observations,
                            py::object actions) {
    const Arguments arguments("log_prob");
    return arguments.dispatch("theta", theta, [&]<class S>() -> py::array {
      const auto in = read<S>(arguments, policy, theta, observations);
      const auto a = arguments.actions("actions", actions, in.observations.leading,
                                       policy.distribution.actions);
      auto out = output<S>(in.observations.leading);
      S* data = out.mutable_data();
      const py::gil_scoped_release release;
      pgfast::log_prob(policy, in.theta.data, in.observations.data, a.data, in.observations.samples,
                       data);
      return out;
    });
  }

  static py::array entropy(const P& policy, py::object theta, py::object observations) {
    const Arguments arguments("entropy");
    return arguments.dispatch("theta", theta, [&]<class S>() -> py::array {
      const auto in = read<S>(arguments, policy, theta, observations);
      auto out = output<S>(in.observations.leading);
      S* data = out.mutable_data();
      const py::gil_scoped_release release;
      pgfast::entropy(policy, in.theta.data, in.observations.data, in.observations.samples, data);
      return out;
    });
  }

  static py::array kl(const P& policy, py::object theta, const P& other, py::object other_theta,
                      py::object observations) {
    const Arguments arguments("kl");
    if (other.network.input_size() != policy.network.input_size() ||
        other.network.output_size() != policy.network.output_size()) {
      arguments.fail("other is a policy of other observations or actions");
    }
    return arguments.dispatch("theta", theta, [&]<class S>() -> py::array {
      const auto in = read<S>(arguments, policy, theta, observations);
      const auto their_theta =
          arguments.input<S>("other.theta", other_theta, {other.network.num_parameters()});
      auto out = output<S>(in.observations.leading);
      S* data = out.mutable_data();
      const py::gil_scoped_release release;
      pgfast::kl(policy, in.theta.data, other, their_theta.data, in.observations.data,
                 in.observations.samples, data);
      return out;
    });
  }

  static py::array score(const P& policy, py::object theta, py::object observations,
                         py::object actions, py::object weights) {
    const Arguments arguments("score");
    return arguments.dispatch("theta", theta, [&]<class S>() -> py::array {
      const auto in = read<S>(arguments, policy, theta, observations);
      const auto a = arguments.actions("actions", actions, in.observations.leading,
                                       policy.distribution.actions);
      Input<S> w;
      if (!weights.is_none()) {
        w = arguments.alongside<S>("weights", weights, in.observations.leading);
      }
      auto out = output<S>({policy.network.num_parameters()});
      S* data = out.mutable_data();
      const py::gil_scoped_release release;
      pgfast::score(policy, in.theta.data, in.observations.data, a.data, w.data,
                    in.observations.samples, data);
      return out;
    });
  }

  static py::array scores(const P& policy, py::object theta, py::object observations,
                          py::object actions) {
    const Arguments arguments("scores");
    return arguments.dispatch("theta", theta, [&]<class S>() -> py::array {
      const auto in = read<S>(arguments, policy, theta, observations);
      const auto a = arguments.actions("actions", actions, in.observations.leading,
                                       policy.distribution.actions);
      auto out = output<S>(in.observations.leading + Shape{policy.network.num_parameters()});
      S* data = out.mutable_data();
      const py::gil_scoped_release release;
      pgfast::scores(policy, in.theta.data, in.observations.data, a.data, in.observations.samples,
                     data);
      return out;
    });
  }

  static py::array fisher_vector_product(const P& policy, py::object theta, py::object observations,
                                         py::object v, py::object damping) {
    const Arguments arguments("fisher_vector_product");
    const double diagonal = arguments.not_negative("damping", damping);
    return arguments.dispatch("theta", theta, [&]<class S>() -> py::array {
      const auto in = read<S>(arguments, policy, theta, observations);
      const auto direction = arguments.input<S>("v", v, {policy.network.num_parameters()});
      auto out = output<S>({policy.network.num_parameters()});
      S* data = out.mutable_data();
      const py::gil_scoped_release release;
      pgfast::fisher_vector_product(policy, in.theta.data, in.observations.data,
                                    in.observations.samples, direction.data,
                                    static_cast<S>(diagonal), data);
      return out;
    });
  }

  static py::tuple natural_gradient(const P& policy, py::object theta, py::object observations,
                                    py::object gradient, py::object damping, py::object tolerance,
                                    py::object max_iterations) {
    const Arguments arguments("natural_gradient");
    const double diagonal = arguments.not_negative("damping", damping);
    const double relative = arguments.not_negative("tolerance", tolerance);
    return arguments.dispatch("theta", theta, [&]<class S>() -> py::tuple {
      const Index size = policy.network.num_parameters();
      const auto in = read<S>(arguments, policy, theta, observations);
      const auto g = arguments.input<S>("gradient", gradient, {size});
      const Index limit = arguments.limit("max_iterations", max_iterations, size);
      auto x = output<S>({size});
      S* data = x.mutable_data();
      CGOutcome outcome;
      {
        const py::gil_scoped_release release;
        outcome = pgfast::natural_gradient(policy, in.theta.data, in.observations.data,
                                           in.observations.samples, g.data, diagonal, relative,
                                           limit, data);
      }
      return py::make_tuple(x, outcome.iterations, outcome.residual, status_name(outcome.status));
    });
  }
};

Activation activation_named(const std::string& name) {
  if (name == "tanh") return Activation::tanh;
  if (name == "relu") return Activation::relu;
  Arguments("policy").fail("activation is '" + name + "', expected 'tanh' or 'relu'");
}

}  // namespace

void bind_policy(py::module_& m) {
  py::class_<SoftmaxMlp> softmax_mlp(m, "SoftmaxMlp");
  softmax_mlp.def(
      py::init([](const std::vector<Index>& sizes, const std::string& activation) {
        for (const Index size : sizes) Arguments("policy").at_least("size", size, 1);
        Arguments("policy").at_least("number of sizes", static_cast<Index>(sizes.size()), 2);
        return SoftmaxMlp{Mlp(sizes, activation_named(activation)), Softmax{sizes.back()}};
      }),
      py::arg("sizes"), py::arg("activation"));
  PolicyBinding<SoftmaxMlp>::bind(softmax_mlp);

  py::class_<SoftmaxStateAction> softmax_state_action(m, "SoftmaxStateAction");
  softmax_state_action.def(py::init([](Index actions, Index features) {
                             Arguments("policy").at_least("actions", actions, 1);
                             Arguments("policy").at_least("features", features, 1);
                             return SoftmaxStateAction{StateActionLinear(actions, features),
                                                       Softmax{actions}};
                           }),
                           py::arg("actions"), py::arg("features"));
  PolicyBinding<SoftmaxStateAction>::bind(softmax_state_action);
}

}  // namespace pgfast::bindings

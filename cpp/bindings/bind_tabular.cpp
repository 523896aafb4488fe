#include <cmath>

#include "numpy.hpp"
#include "pgfast/gram.hpp"
#include "pgfast/tabular.hpp"

namespace pgfast::bindings {
namespace {

std::string text_of(double x) { return py::repr(py::float_(x)).cast<std::string>(); }

std::string at(const std::vector<Index>& indices) {
  std::string text;
  for (const Index i : indices) text += "[" + std::to_string(i) + "]";
  return text;
}

// Each row of (..., n) holds probabilities: none negative, their sum 1.
void check_rows(const Arguments& arguments, const char* name, const Input<double>& p) {
  const Index n = p.shape.back();
  for (Index row = 0; row < p.size() / n; ++row) {
    double sum = 0;
    std::vector<Index> place;
    for (auto rest = row, d = static_cast<Index>(p.shape.size()) - 2; d >= 0; --d) {
      place.insert(place.begin(), rest % p.shape[static_cast<std::size_t>(d)]);
      rest /= p.shape[static_cast<std::size_t>(d)];
    }
    for (Index i = 0; i < n; ++i) {
      const double probability = p.data[row * n + i];
      sum += probability;
      if (probability >= 0) continue;
      place.push_back(i);
      arguments.fail(name + at(place) + " is " + text_of(probability) +
                     ", expected a probability >= 0");
    }
    if (std::abs(sum - 1) > 1e-8) {
      arguments.fail(name + at(place) + " sums to " + text_of(sum) + ", expected 1");
    }
  }
}

TabularMDP make(py::object P, py::object r, py::object p0, double gamma) {
  const Arguments arguments("TabularMDP");
  const auto transitions = arguments.finite_input<double>("P", P, {"S", "A", "S"});
  const Index S = transitions.shape[0], A = transitions.shape[1];
  arguments.input<double>("P", P, {S, A, S});
  const auto rewards = arguments.finite_input<double>("R", r, {S, A});
  const auto start = arguments.finite_input<double>("p0", p0, {S});
  check_rows(arguments, "P", transitions);
  check_rows(arguments, "p0", start);
  return {transitions.data, rewards.data, start.data, S, A, gamma};
}

Matrix policy_of(const Arguments& arguments, const TabularMDP& mdp, py::handle policy) {
  const auto in = arguments.finite_input<double>("policy", policy, {mdp.states(), mdp.actions()});
  check_rows(arguments, "policy", in);
  return Eigen::Map<const Matrix>(in.data, mdp.states(), mdp.actions());
}

Evaluation evaluation(const Arguments& arguments, const TabularMDP& mdp, const Matrix& policy) {
  Evaluation out;
  {
    const py::gil_scoped_release release;
    out = mdp.evaluate(policy);
  }
  if (out.stuck >= 0) {
    arguments.fail("gamma is 1 and policy never ends an episode from state " +
                   std::to_string(out.stuck) + ", expected gamma < 1 or a policy that ends");
  }
  return out;
}

py::array_t<double> array_of(const Vector& v) { return py::array_t<double>(v.size(), v.data()); }
py::array_t<double> array_of(const Matrix& m) {
  auto out = output<double>({m.rows(), m.cols()});
  std::copy_n(m.data(), m.size(), out.mutable_data());
  return out;
}

py::tuple evaluate(const TabularMDP& mdp, py::object policy) {
  const Arguments arguments("TabularMDP");
  const Evaluation out = evaluation(arguments, mdp, policy_of(arguments, mdp, policy));
  return py::make_tuple(array_of(out.values), array_of(out.q), array_of(out.visitation),
                        out.objective);
}

py::array gradient(const TabularMDP& mdp, py::object policy) {
  const Arguments arguments("TabularMDP");
  const Matrix pi = policy_of(arguments, mdp, policy);
  return array_of(mdp.gradient(pi, evaluation(arguments, mdp, pi)));
}

py::tuple natural_gradient(const TabularMDP& mdp, py::object policy) {
  const Arguments arguments("TabularMDP");
  const Matrix pi = policy_of(arguments, mdp, policy);
  Index rank;
  const auto x = array_of(mdp.natural_gradient(pi, evaluation(arguments, mdp, pi), rank));
  return py::make_tuple(x, rank);
}

py::tuple optimal(const TabularMDP& mdp) {
  std::vector<Index> actions;
  Evaluation best;
  {
    const py::gil_scoped_release release;
    best = mdp.optimal(actions);
  }
  if (best.stuck >= 0) {
    Arguments("TabularMDP")
        .fail("gamma is 1 and no best policy ends an episode from state " +
              std::to_string(best.stuck) + ", expected gamma < 1 or a way to an end");
  }
  auto chosen = output<DiscreteAction>({mdp.states()});
  std::copy(actions.begin(), actions.end(), chosen.mutable_data());
  return py::make_tuple(chosen, array_of(best.values));
}

py::array gram(py::object rows, py::object weights) {
  const Arguments arguments("weighted_gram");
  const auto x = arguments.input<double>("rows", rows, {"B", "P"});
  const auto w = arguments.input<double>("weights", weights, {x.shape[0]});
  auto out = output<double>({x.shape[1], x.shape[1]});
  double* data = out.mutable_data();
  const py::gil_scoped_release release;
  weighted_gram(x.data, w.data, x.shape[0], x.shape[1], data);
  return out;
}

py::tuple solve(py::object matrix, py::object b) {
  const Arguments arguments("semidefinite_solve");
  const auto right = arguments.finite_input<double>("b", b, {"P"});
  const Index size = right.shape[0];
  const auto F = arguments.finite_input<double>("matrix", matrix, {size, size});
  auto x = output<double>({size});
  double* data = x.mutable_data();
  Index rank;
  {
    const py::gil_scoped_release release;
    rank = semidefinite_solve(F.data, right.data, size, data);
  }
  return py::make_tuple(x, rank);
}

}  // namespace

void bind_tabular(py::module_& m) {
  py::class_<TabularMDP>(m, "TabularMDP")
      .def(py::init(&make), py::arg("P"), py::arg("R"), py::arg("p0"), py::arg("gamma"))
      .def("is_end",
           [](const TabularMDP& mdp) {
             auto out = output<bool>({mdp.states()});
             for (Index s = 0; s < mdp.states(); ++s) out.mutable_data()[s] = mdp.is_end(s);
             return out;
           })
      .def("evaluate", &evaluate, py::arg("policy"))
      .def("gradient", &gradient, py::arg("policy"))
      .def("natural_gradient", &natural_gradient, py::arg("policy"))
      .def("optimal", &optimal);
  m.def("weighted_gram", &gram, py::arg("rows"), py::arg("weights"));
  m.def("semidefinite_solve", &solve, py::arg("matrix"), py::arg("b"));
}

}  // namespace pgfast::bindings

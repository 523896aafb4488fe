#include "numpy.hpp"
#include "pgfast/distributions/batch.hpp"
#include "pgfast/distributions/softmax.hpp"

namespace pgfast::bindings {
namespace {

// f.operator()<S>(logits, parameters, distribution) after the checks that all five functions share.
template <class F>
py::array with_logits(const Arguments& arguments, py::handle logits, py::handle mask, F&& f) {
  return arguments.dispatch("logits", logits, [&]<class S>() -> py::array {
    const auto z = arguments.batch<S>("logits", logits, {"A"});
    const Index A = z.shape.back();
    const auto allowed = arguments.mask("mask", mask, z.shape, {A});
    return f.template operator()<S>(z, batch::Parameters<S>{z.data, A, allowed.data}, Softmax{A});
  });
}

py::array softmax_log_prob(py::object logits, py::object actions, py::object mask) {
  const Arguments arguments("softmax_log_prob");
  return with_logits(
      arguments, logits, mask, [&]<class S>(const Batch<S>& z, const auto& p, Softmax softmax) {
        const auto a = arguments.actions("actions", actions, z.leading, softmax.actions);
        auto out = output<S>(z.leading);
        S* data = out.mutable_data();
        const py::gil_scoped_release release;
        batch::log_prob(softmax, p, a.data, z.samples, data);
        return out;
      });
}

py::array softmax_score(py::object logits, py::object actions, py::object mask) {
  const Arguments arguments("softmax_score");
  return with_logits(
      arguments, logits, mask, [&]<class S>(const Batch<S>& z, const auto& p, Softmax softmax) {
        const auto a = arguments.actions("actions", actions, z.leading, softmax.actions);
        auto out = output<S>(z.shape);
        S* data = out.mutable_data();
        const py::gil_scoped_release release;
        batch::score(softmax, p, a.data, z.samples, data);
        return out;
      });
}

py::array softmax_entropy(py::object logits, py::object mask) {
  const Arguments arguments("softmax_entropy");
  return with_logits(arguments, logits, mask,
                     [&]<class S>(const Batch<S>& z, const auto& p, Softmax softmax) {
                       auto out = output<S>(z.leading);
                       S* data = out.mutable_data();
                       const py::gil_scoped_release release;
                       batch::entropy(softmax, p, z.samples, data);
                       return out;
                     });
}

py::array softmax_kl(py::object logits, py::object other_logits, py::object mask) {
  const Arguments arguments("softmax_kl");
  return with_logits(
      arguments, logits, mask, [&]<class S>(const Batch<S>& z, const auto& p, Softmax softmax) {
        const auto other = arguments.alongside<S>("other_logits", other_logits, z.shape);
        auto out = output<S>(z.leading);
        S* data = out.mutable_data();
        const py::gil_scoped_release release;
        batch::kl(softmax, p, {other.data, p.size, p.mask}, z.samples, data);
        return out;
      });
}

py::array softmax_sample(py::object logits, py::object mask, std::uint64_t seed,
                         std::uint64_t index) {
  const Arguments arguments("softmax_sample");
  return with_logits(arguments, logits, mask,
                     [&]<class S>(const Batch<S>& z, const auto& p, Softmax softmax) {
                       auto out = output<DiscreteAction>(z.leading);
                       DiscreteAction* data = out.mutable_data();
                       const py::gil_scoped_release release;
                       batch::sample(softmax, p, z.samples, seed, index, data);
                       return out;
                     });
}

}  // namespace

void bind_softmax(py::module_& m) {
  m.def("softmax_log_prob", &softmax_log_prob, py::arg("logits"), py::arg("actions"),
        py::arg("mask"));
  m.def("softmax_score", &softmax_score, py::arg("logits"), py::arg("actions"), py::arg("mask"));
  m.def("softmax_entropy", &softmax_entropy, py::arg("logits"), py::arg("mask"));
  m.def("softmax_kl", &softmax_kl, py::arg("logits"), py::arg("other_logits"), py::arg("mask"));
  m.def("softmax_sample", &softmax_sample, py::arg("logits"), py::arg("mask"), py::arg("seed"),
        py::arg("index"));
}

}  // namespace pgfast::bindings

#include "numpy.hpp"
#include "pgfast/distributions/batch.hpp"
#include "pgfast/distributions/softmax.hpp"

namespace pgfast::bindings {
namespace {

// f.operator()<S>(logits, distribution) after the checks that all five functions share.
template <class F>
py::array with_logits(const Arguments& arguments, py::handle logits, F&& f) {
  return arguments.dispatch("logits", logits, [&]<class S>() -> py::array {
    const auto z = arguments.batch<S>("logits", logits, {"A"});
    return f.template operator()<S>(z, Softmax{z.shape.back()});
  });
}

py::array softmax_log_prob(py::object logits, py::object actions) {
  const Arguments arguments("softmax_log_prob");
  return with_logits(arguments, logits, [&]<class S>(const Batch<S>& z, Softmax softmax) {
    const auto a = arguments.actions("actions", actions, z.leading, softmax.actions);
    auto out = output<S>(z.leading);
    S* data = out.mutable_data();
    const py::gil_scoped_release release;
    batch::log_prob(softmax, batch::Parameters<S>{z.data, softmax.actions}, a.data, z.samples,
                    data);
    return out;
  });
}

py::array softmax_score(py::object logits, py::object actions) {
  const Arguments arguments("softmax_score");
  return with_logits(arguments, logits, [&]<class S>(const Batch<S>& z, Softmax softmax) {
    const auto a = arguments.actions("actions", actions, z.leading, softmax.actions);
    auto out = output<S>(z.shape);
    S* data = out.mutable_data();
    const py::gil_scoped_release release;
    batch::score(softmax, batch::Parameters<S>{z.data, softmax.actions}, a.data, z.samples, data);
    return out;
  });
}

py::array softmax_entropy(py::object logits) {
  const Arguments arguments("softmax_entropy");
  return with_logits(arguments, logits, [&]<class S>(const Batch<S>& z, Softmax softmax) {
    auto out = output<S>(z.leading);
    S* data = out.mutable_data();
    const py::gil_scoped_release release;
    batch::entropy(softmax, batch::Parameters<S>{z.data, softmax.actions}, z.samples, data);
    return out;
  });
}

py::array softmax_kl(py::object logits, py::object other_logits) {
  const Arguments arguments("softmax_kl");
  return with_logits(arguments, logits, [&]<class S>(const Batch<S>& z, Softmax softmax) {
    const auto other = arguments.alongside<S>("other_logits", other_logits, z.shape);
    auto out = output<S>(z.leading);
    S* data = out.mutable_data();
    const py::gil_scoped_release release;
    batch::kl(softmax, batch::Parameters<S>{z.data, softmax.actions}, {other.data, softmax.actions},
              z.samples, data);
    return out;
  });
}

py::array softmax_sample(py::object logits, std::uint64_t seed, std::uint64_t index) {
  const Arguments arguments("softmax_sample");
  return with_logits(arguments, logits, [&]<class S>(const Batch<S>& z, Softmax softmax) {
    auto out = output<DiscreteAction>(z.leading);
    DiscreteAction* data = out.mutable_data();
    const py::gil_scoped_release release;
    batch::sample(softmax, batch::Parameters<S>{z.data, softmax.actions}, z.samples, seed, index,
                  data);
    return out;
  });
}

}  // namespace

void bind_softmax(py::module_& m) {
  m.def("softmax_log_prob", &softmax_log_prob, py::arg("logits"), py::arg("actions"));
  m.def("softmax_score", &softmax_score, py::arg("logits"), py::arg("actions"));
  m.def("softmax_entropy", &softmax_entropy, py::arg("logits"));
  m.def("softmax_kl", &softmax_kl, py::arg("logits"), py::arg("other_logits"));
  m.def("softmax_sample", &softmax_sample, py::arg("logits"), py::arg("seed"), py::arg("index"));
}

}  // namespace pgfast::bindings

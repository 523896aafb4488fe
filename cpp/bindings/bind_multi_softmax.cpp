#include "numpy.hpp"
#include "pgfast/distributions/batch.hpp"
#include "pgfast/distributions/multi_softmax.hpp"

namespace pgfast::bindings {
namespace {

using Sizes = std::vector<Index>;

// f.operator()<S>(logits, parameters, distribution) after the checks that all five functions share.
template <class F>
py::array with_logits(const Arguments& arguments, py::handle logits, const Sizes& sizes,
                      py::handle mask, F&& f) {
  arguments.at_least("len(sizes)", static_cast<Index>(sizes.size()), 1);
  Index Z = 0;
  for (const Index size : sizes) {
    arguments.at_least("sizes", size, 1);
    Z = size > std::numeric_limits<Index>::max() - Z ? std::numeric_limits<Index>::max() : Z + size;
  }
  return arguments.dispatch("logits", logits, [&]<class S>() -> py::array {
    const auto z = arguments.batch<S>("logits", logits, {Z});
    const auto allowed = arguments.mask("mask", mask, z.shape, sizes);
    return f.template operator()<S>(z, batch::Parameters<S>{z.data, Z, allowed.data},
                                    MultiSoftmax{sizes});
  });
}

py::array multi_softmax_log_prob(py::object logits, py::object actions, const Sizes& sizes,
                                 py::object mask) {
  const Arguments arguments("multi_softmax_log_prob");
  return with_logits(arguments, logits, sizes, mask,
                     [&]<class S>(const Batch<S>& z, const auto& p, const MultiSoftmax& softmaxes) {
                       const auto a = arguments.multi_actions("actions", actions, z.leading, sizes);
                       auto out = output<S>(z.leading);
                       S* data = out.mutable_data();
                       const py::gil_scoped_release release;
                       batch::log_prob(softmaxes, p, a.data, z.samples, data);
                       return out;
                     });
}

py::array multi_softmax_score(py::object logits, py::object actions, const Sizes& sizes,
                              py::object mask) {
  const Arguments arguments("multi_softmax_score");
  return with_logits(arguments, logits, sizes, mask,
                     [&]<class S>(const Batch<S>& z, const auto& p, const MultiSoftmax& softmaxes) {
                       const auto a = arguments.multi_actions("actions", actions, z.leading, sizes);
                       auto out = output<S>(z.shape);
                       S* data = out.mutable_data();
                       const py::gil_scoped_release release;
                       batch::score(softmaxes, p, a.data, z.samples, data);
                       return out;
                     });
}

py::array multi_softmax_entropy(py::object logits, const Sizes& sizes, py::object mask) {
  const Arguments arguments("multi_softmax_entropy");
  return with_logits(arguments, logits, sizes, mask,
                     [&]<class S>(const Batch<S>& z, const auto& p, const MultiSoftmax& softmaxes) {
                       auto out = output<S>(z.leading);
                       S* data = out.mutable_data();
                       const py::gil_scoped_release release;
                       batch::entropy(softmaxes, p, z.samples, data);
                       return out;
                     });
}

py::array multi_softmax_kl(py::object logits, py::object other_logits, const Sizes& sizes,
                           py::object mask) {
  const Arguments arguments("multi_softmax_kl");
  return with_logits(arguments, logits, sizes, mask,
                     [&]<class S>(const Batch<S>& z, const auto& p, const MultiSoftmax& softmaxes) {
                       const auto other =
                           arguments.alongside<S>("other_logits", other_logits, z.shape);
                       auto out = output<S>(z.leading);
                       S* data = out.mutable_data();
                       const py::gil_scoped_release release;
                       batch::kl(softmaxes, p, {other.data, p.size, p.mask}, z.samples, data);
                       return out;
                     });
}

py::array multi_softmax_sample(py::object logits, const Sizes& sizes, py::object mask,
                               std::uint64_t seed, std::uint64_t index) {
  const Arguments arguments("multi_softmax_sample");
  return with_logits(arguments, logits, sizes, mask,
                     [&]<class S>(const Batch<S>& z, const auto& p, const MultiSoftmax& softmaxes) {
                       auto out =
                           output<DiscreteAction>(z.leading + Shape{softmaxes.action_size()});
                       DiscreteAction* data = out.mutable_data();
                       const py::gil_scoped_release release;
                       batch::sample(softmaxes, p, z.samples, seed, index, data);
                       return out;
                     });
}

}  // namespace

void bind_multi_softmax(py::module_& m) {
  m.def("multi_softmax_log_prob", &multi_softmax_log_prob, py::arg("logits"), py::arg("actions"),
        py::arg("sizes"), py::arg("mask"));
  m.def("multi_softmax_score", &multi_softmax_score, py::arg("logits"), py::arg("actions"),
        py::arg("sizes"), py::arg("mask"));
  m.def("multi_softmax_entropy", &multi_softmax_entropy, py::arg("logits"), py::arg("sizes"),
        py::arg("mask"));
  m.def("multi_softmax_kl", &multi_softmax_kl, py::arg("logits"), py::arg("other_logits"),
        py::arg("sizes"), py::arg("mask"));
  m.def("multi_softmax_sample", &multi_softmax_sample, py::arg("logits"), py::arg("sizes"),
        py::arg("mask"), py::arg("seed"), py::arg("index"));
}

}  // namespace pgfast::bindings

#include "numpy.hpp"
#include "pgfast/moments.hpp"

namespace pgfast::bindings {
namespace {

Input<bool> optional_alongside(const Arguments& arguments, py::handle valid, const Shape& shape) {
  return valid.is_none() ? Input<bool>{} : arguments.alongside<bool>("valid", valid, shape);
}

double py_explained_variance(py::object values, py::object targets, py::object valid) {
  const Arguments arguments("explained_variance");
  return arguments.dispatch("targets", targets, [&]<class S>() -> double {
    const auto y = arguments.batch<S>("targets", targets, {});
    const auto v = arguments.alongside<S>("values", values, y.shape);
    const auto happened = optional_alongside(arguments, valid, y.leading);
    const py::gil_scoped_release release;
    return explained_variance<S>(v.data, y.data, happened.data, y.samples);
  });
}

py::array py_normalize_advantages(py::object advantages, py::object valid) {
  const Arguments arguments("normalize_advantages");
  return arguments.dispatch("advantages", advantages, [&]<class S>() -> py::array {
    const auto a = arguments.batch<S>("advantages", advantages, {});
    const auto happened = optional_alongside(arguments, valid, a.leading);
    auto out = output<S>(a.shape);
    S* data = out.mutable_data();
    const py::gil_scoped_release release;
    normalize<S>(a.data, happened.data, a.samples, data);
    return out;
  });
}

}  // namespace

void bind_moments(py::module_& m) {
  m.def("explained_variance", &py_explained_variance, py::arg("values"), py::arg("targets"),
        py::arg("valid"));
  m.def("normalize_advantages", &py_normalize_advantages, py::arg("advantages"), py::arg("valid"));
}

}  // namespace pgfast::bindings

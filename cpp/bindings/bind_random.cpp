#include "numpy.hpp"
#include "pgfast/random.hpp"

namespace pgfast::bindings {
namespace {

py::array_t<std::uint32_t> philox_block(const std::array<std::uint32_t, 4>& counter,
                                        const std::array<std::uint32_t, 2>& key) {
  const PhiloxBlock block = philox(counter, key[0], key[1]);
  return py::array_t<std::uint32_t>(4, block.data());
}

template <class S>
py::array uniform_draws(const Shape& shape, std::uint64_t seed, std::uint32_t stream,
                        Purpose purpose) {
  auto out = output<S>(shape);
  S* data = out.mutable_data();
  const Index count = out.size();
  const py::gil_scoped_release release;
  fill_uniform<S>(seed, purpose, stream, data, count);
  return out;
}

template <class S>
py::array normal_draws(const Shape& shape, std::uint64_t seed, std::uint32_t stream,
                       Purpose purpose) {
  auto out = output<S>(shape);
  S* data = out.mutable_data();
  const Index count = out.size();
  const py::gil_scoped_release release;
  fill_normal<S>(seed, purpose, stream, data, count);
  return out;
}

}  // namespace

void bind_random(py::module_& m) {
  py::enum_<Purpose>(m, "Purpose")
      .value("general", Purpose::general)
      .value("parameters", Purpose::parameters);
  m.def("philox", &philox_block, py::arg("counter"), py::arg("key"));
  m.def("uniform_float32", &uniform_draws<float>, py::arg("shape"), py::arg("seed"),
        py::arg("stream"), py::arg("purpose"));
  m.def("uniform_float64", &uniform_draws<double>, py::arg("shape"), py::arg("seed"),
        py::arg("stream"), py::arg("purpose"));
  m.def("normal_float32", &normal_draws<float>, py::arg("shape"), py::arg("seed"),
        py::arg("stream"), py::arg("purpose"));
  m.def("normal_float64", &normal_draws<double>, py::arg("shape"), py::arg("seed"),
        py::arg("stream"), py::arg("purpose"));
}

}  // namespace pgfast::bindings

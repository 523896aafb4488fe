#include "numpy.hpp"
#include "pgfast/random.hpp"

namespace pgfast::bindings {
namespace {

py::array_t<std::uint32_t> philox_block(const std::array<std::uint32_t, 4>& counter,
                                        const std::array<std::uint32_t, 2>& key) {
  const PhiloxBlock block = philox(counter, key[0], key[1]);
  return py::array_t<std::uint32_t>(4, block.data());
}

// A function of Python that fills an array of the given shape with one of the two kernels.
template <class S>
auto draws(void (*fill)(std::uint64_t, Purpose, std::uint32_t, S*, Index)) {
  return [fill](const Shape& shape, std::uint64_t seed, std::uint32_t stream, Purpose purpose) {
    auto out = output<S>(shape);
    S* data = out.mutable_data();
    const Index count = out.size();
    const py::gil_scoped_release release;
    fill(seed, purpose, stream, data, count);
    return out;
  };
}

template <class F>
void def_draws(py::module_& m, const char* name, F&& f) {
  m.def(name, f, py::arg("shape"), py::arg("seed"), py::arg("stream"), py::arg("purpose"));
}

}  // namespace

void bind_random(py::module_& m) {
  py::enum_<Purpose>(m, "Purpose")
      .value("general", Purpose::general)
      .value("parameters", Purpose::parameters)
      .value("features", Purpose::features);
  m.def("philox", &philox_block, py::arg("counter"), py::arg("key"));
  def_draws(m, "uniform_float32", draws<float>(&fill_uniform<float>));
  def_draws(m, "uniform_float64", draws<double>(&fill_uniform<double>));
  def_draws(m, "normal_float32", draws<float>(&fill_normal<float>));
  def_draws(m, "normal_float64", draws<double>(&fill_normal<double>));
}

}  // namespace pgfast::bindings

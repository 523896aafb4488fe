#include <memory>

#include "numpy.hpp"
#include "pgfast/features.hpp"
#include "pgfast/features/fourier.hpp"
#include "pgfast/features/one_hot.hpp"
#include "pgfast/features/polynomial.hpp"
#include "pgfast/features/radial_basis.hpp"
#include "pgfast/features/tile_coding.hpp"

namespace pgfast::bindings {
namespace {

// Immutable Python objects. What uses features (a policy, say) takes a shared pointer to them.
template <class Map, class Make, class... Names>
void bind_map(py::module_& m, const char* name, Make make, Names... names) {
  py::class_<FeatureMap<Map>, Features, std::shared_ptr<FeatureMap<Map>>>(m, name).def(
      py::init(make), names...);
}

template <class Map>
auto shared(Map map) {
  return std::make_shared<FeatureMap<Map>>(std::move(map));
}

Bounds bounds(const Arguments& arguments, py::handle low, py::handle high) {
  const auto from = arguments.finite_input<double>("low", low, {"D"});
  const auto to = arguments.finite_input<double>("high", high, {from.shape[0]});
  for (Index d = 0; d < from.size(); ++d) {
    if (!(from.data[d] < to.data[d])) {
      arguments.fail("low[" + std::to_string(d) + "] is " + std::to_string(from.data[d]) +
                     ", expected less than high[" + std::to_string(d) +
                     "] = " + std::to_string(to.data[d]));
    }
    const auto inverse = static_cast<float>(1 / (to.data[d] - from.data[d]));
    if (!std::isnormal(inverse)) {
      arguments.fail("high[" + std::to_string(d) + "] - low[" + std::to_string(d) + "] is " +
                     py::repr(py::float_(to.data[d] - from.data[d])).cast<std::string>() +
                     ", expected a size that float32 can divide by");
    }
  }
  return {std::vector<double>(from.data, from.data + from.size()),
          std::vector<double>(to.data, to.data + to.size())};
}

py::array apply(const Features& features, py::object observations) {
  const Arguments arguments("features");
  return arguments.dispatch("observations", observations, [&]<class S>() -> py::array {
    const auto in = arguments.batch<S>("observations", observations, {features.input_size()});
    auto out = output<S>(in.leading + Shape{features.output_size()});
    S* data = out.mutable_data();
    const py::gil_scoped_release release;
    apply_features(features, in.data, in.samples, data);
    return out;
  });
}

}  // namespace

void bind_features(py::module_& m) {
  py::class_<Features, std::shared_ptr<Features>>(m, "Features")
      .def_property_readonly("input_size", &Features::input_size)
      .def_property_readonly("output_size", &Features::output_size)
      .def("apply", &apply, py::arg("observations"));

  bind_map<OneHot>(
      m, "OneHot",
      [](Index states) {
        return shared(OneHot(Arguments("OneHotFeatures").at_least("states", states, 1)));
      },
      py::arg("states"));
  bind_map<Polynomial>(
      m, "Polynomial",
      [](Index observation_size, Index degree) {
        const Arguments arguments("PolynomialFeatures");
        arguments.at_least("observation_size", observation_size, 1);
        return shared(Polynomial(observation_size, arguments.at_least("degree", degree, 1)));
      },
      py::arg("observation_size"), py::arg("degree"));
  bind_map<Fourier>(
      m, "Fourier",
      [](py::object low, py::object high, Index order) {
        const Arguments arguments("FourierFeatures");
        return shared(Fourier(bounds(arguments, low, high), arguments.at_least("order", order, 1)));
      },
      py::arg("low"), py::arg("high"), py::arg("order"));
  bind_map<RadialBasis>(
      m, "RadialBasis",
      [](py::object low, py::object high, py::object centres, double width) {
        const Arguments arguments("RBFFeatures");
        const Bounds box = bounds(arguments, low, high);
        const auto c = arguments.finite_input<double>("centres", centres, {"J", box.size()});
        if (!(width >= 1e-18 && std::isfinite(width))) {  // float32 holds 1 / width^2
          arguments.fail("width is " + py::repr(py::float_(width)).cast<std::string>() +
                         ", expected a finite number >= 1e-18");
        }
        return shared(RadialBasis(box, c.data, c.shape[0], width));
      },
      py::arg("low"), py::arg("high"), py::arg("centres"), py::arg("width"));
  bind_map<TileCoding>(
      m, "TileCoding",
      [](py::object low, py::object high, const std::vector<Index>& tiles, Index tilings) {
        const Arguments arguments("TileFeatures");
        const Bounds box = bounds(arguments, low, high);
        for (const Index m_d : tiles) arguments.at_least("tiles", m_d, 1);
        if (static_cast<Index>(tiles.size()) != box.size()) {
          arguments.fail("tiles has " + std::to_string(tiles.size()) + " numbers, expected " +
                         std::to_string(box.size()));
        }
        return shared(TileCoding(box, tiles, arguments.at_least("tilings", tilings, 1)));
      },
      py::arg("low"), py::arg("high"), py::arg("tiles"), py::arg("tilings"));
}

}  // namespace pgfast::bindings

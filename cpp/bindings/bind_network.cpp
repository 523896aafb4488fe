#include "mlp_arguments.hpp"
#include "pgfast/networks/outputs.hpp"

namespace pgfast::bindings {
namespace {

py::array forward(const Preprocessed& network, py::object theta, py::object observations) {
  const Arguments arguments("forward");
  return arguments.dispatch("theta", theta, [&]<class S>() -> py::array {
    const Index D = network.input_size(), Z = network.output_size();
    const auto t = arguments.input<S>("theta", theta, {network.num_parameters()});
    const auto o = arguments.batch<S>("observations", observations, {D});
    auto out = output<S>(o.leading + Shape{Z});
    S* data = out.mutable_data();
    const py::gil_scoped_release release;
    network_outputs(network, t.data, o.data, o.samples, data);
    return out;
  });
}

}  // namespace

void bind_network(py::module_& m) {
  py::class_<Preprocessed>(m, "Network")
      .def(py::init(&preprocessed), py::arg("sizes"), py::arg("activation"), py::arg("features"),
           py::arg("normalization"))
      .def_property_readonly("num_parameters", &Preprocessed::num_parameters)
      .def("forward", &forward, py::arg("theta"), py::arg("observations"));
}

}  // namespace pgfast::bindings

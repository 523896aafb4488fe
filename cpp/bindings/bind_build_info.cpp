#include "numpy.hpp"
#include "pgfast/parallel.hpp"

namespace pgfast::bindings {

void bind_build_info(py::module_& m) {
  m.def("build_info", [] {
    py::dict info;
    info["version"] = PGFAST_VERSION;
    info["compiler"] = PGFAST_COMPILER;
    info["flags"] = PGFAST_FLAGS;
    info["arch"] = PGFAST_ARCH;
    info["eigen"] = std::to_string(EIGEN_WORLD_VERSION) + "." +
                    std::to_string(EIGEN_MAJOR_VERSION) + "." + std::to_string(EIGEN_MINOR_VERSION);
    info["simd"] = Eigen::SimdInstructionSetsInUse();
    info["simd_width"] = static_cast<int>(Eigen::internal::packet_traits<float>::size);
    info["threads"] = ThreadTeam::instance().num_threads();
    return info;
  });
}

}  // namespace pgfast::bindings

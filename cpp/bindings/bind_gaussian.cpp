#include "numpy.hpp"
#include "pgfast/distributions/batch.hpp"
#include "pgfast/distributions/gaussian.hpp"

namespace pgfast::bindings {
namespace {

// log_std (A,) for all samples or (..., A) for each.
template <class S>
Input<S> log_std_alongside(const Arguments& arguments, const char* name, py::handle value,
                           const Shape& shape) {
  const bool shared = arguments.array(name, value).ndim() == 1;
  const auto first = shared ? shape.end() - 1 : shape.begin();
  return arguments.finite_input<S>(name, value, std::vector<Dim>(first, shape.end()));
}

// f.operator()<S>(mean, log_std, parameters, distribution) after the checks that all five functions
// share.
template <class F>
auto with_parameters(const Arguments& arguments, py::handle mean, py::handle log_std, F&& f) {
  return arguments.dispatch("mean", mean, [&]<class S>() {
    const auto mu = arguments.batch<S>("mean", mean, {"A"});
    const Index A = mu.shape.back();
    const auto log_sigma = log_std_alongside<S>(arguments, "log_std", log_std, mu.shape);
    const Index stride = log_sigma.shape.size() > 1 ? A : 0;
    return f.template operator()<S>(
        mu, batch::GaussianParameters<S>{mu.data, log_sigma.data, A, stride}, Gaussian{A, true});
  });
}

py::array gaussian_log_prob(py::object mean, py::object log_std, py::object actions) {
  const Arguments arguments("gaussian_log_prob");
  return with_parameters(
      arguments, mean, log_std,
      [&]<class S>(const Batch<S>& mu, const auto& p, const Gaussian& gaussian) -> py::array {
        const auto a = arguments.finite_input<S>(
            "actions", actions, std::vector<Dim>(mu.shape.begin(), mu.shape.end()));
        auto out = output<S>(mu.leading);
        S* data = out.mutable_data();
        const py::gil_scoped_release release;
        batch::log_prob(gaussian, p, a.data, mu.samples, data);
        return out;
      });
}

py::tuple gaussian_score(py::object mean, py::object log_std, py::object actions) {
  const Arguments arguments("gaussian_score");
  return with_parameters(
      arguments, mean, log_std,
      [&]<class S>(const Batch<S>& mu, const auto& p, const Gaussian& gaussian) -> py::tuple {
        const auto actions_in = arguments.finite_input<S>(
            "actions", actions, std::vector<Dim>(mu.shape.begin(), mu.shape.end()));
        const S* a = actions_in.data;
        auto d_mean = output<S>(mu.shape), d_log_std = output<S>(mu.shape);
        S *mean_out = d_mean.mutable_data(), *log_std_out = d_log_std.mutable_data();
        {
          const py::gil_scoped_release release;
          batch::map_tiles(gaussian, p, mu.samples, [&](auto& tile, Index first, Index) {
            const Index i = first * p.A;
            tile.score(a + i, nullptr, mean_out + i, log_std_out + i, p.A);
          });
        }
        return py::make_tuple(d_mean, d_log_std);
      });
}

py::array gaussian_entropy(py::object mean, py::object log_std) {
  const Arguments arguments("gaussian_entropy");
  return with_parameters(
      arguments, mean, log_std,
      [&]<class S>(const Batch<S>& mu, const auto& p, const Gaussian& gaussian) -> py::array {
        auto out = output<S>(mu.leading);
        S* data = out.mutable_data();
        const py::gil_scoped_release release;
        batch::entropy(gaussian, p, mu.samples, data);
        return out;
      });
}

py::array gaussian_kl(py::object mean, py::object log_std, py::object other_mean,
                      py::object other_log_std) {
  const Arguments arguments("gaussian_kl");
  return with_parameters(
      arguments, mean, log_std,
      [&]<class S>(const Batch<S>& mu, const auto& p, const Gaussian& gaussian) -> py::array {
        const auto other_mu = arguments.alongside<S>("other_mean", other_mean, mu.shape);
        const auto other_log_sigma =
            log_std_alongside<S>(arguments, "other_log_std", other_log_std, mu.shape);
        const Index stride = other_log_sigma.shape.size() > 1 ? p.A : 0;
        auto out = output<S>(mu.leading);
        S* data = out.mutable_data();
        const py::gil_scoped_release release;
        batch::kl(gaussian, p, {other_mu.data, other_log_sigma.data, p.A, stride}, mu.samples,
                  data);
        return out;
      });
}

py::array gaussian_sample(py::object mean, py::object log_std, std::uint64_t seed,
                          std::uint64_t index) {
  const Arguments arguments("gaussian_sample");
  return with_parameters(
      arguments, mean, log_std,
      [&]<class S>(const Batch<S>& mu, const auto& p, const Gaussian& gaussian) -> py::array {
        auto out = output<S>(mu.shape);
        S* data = out.mutable_data();
        const py::gil_scoped_release release;
        batch::sample(gaussian, p, mu.samples, seed, index, data);
        return out;
      });
}

}  // namespace

void bind_gaussian(py::module_& m) {
  m.def("gaussian_log_prob", &gaussian_log_prob, py::arg("mean"), py::arg("log_std"),
        py::arg("actions"));
  m.def("gaussian_score", &gaussian_score, py::arg("mean"), py::arg("log_std"), py::arg("actions"));
  m.def("gaussian_entropy", &gaussian_entropy, py::arg("mean"), py::arg("log_std"));
  m.def("gaussian_kl", &gaussian_kl, py::arg("mean"), py::arg("log_std"), py::arg("other_mean"),
        py::arg("other_log_std"));
  m.def("gaussian_sample", &gaussian_sample, py::arg("mean"), py::arg("log_std"), py::arg("seed"),
        py::arg("index"));
}

}  // namespace pgfast::bindings

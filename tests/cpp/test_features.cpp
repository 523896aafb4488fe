#include <limits>
#include <memory>
#include <vector>

#include "check.hpp"
#include "pgfast/features.hpp"
#include "pgfast/features/fourier.hpp"
#include "pgfast/features/one_hot.hpp"
#include "pgfast/features/polynomial.hpp"
#include "pgfast/features/radial_basis.hpp"
#include "pgfast/features/tile_coding.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

using check::Array;

const std::vector<double> low{-1, 0, 2}, high{1, 4, 2.5};

// One of each map.
std::vector<std::unique_ptr<Features>> maps() {
  const auto centres = check::normals<double>(37 * 3, 1);
  const Bounds box(low, high);
  std::vector<std::unique_ptr<Features>> all;
  all.push_back(std::make_unique<FeatureMap<OneHot>>(OneHot(5)));
  all.push_back(std::make_unique<FeatureMap<Polynomial>>(Polynomial(3, 4)));
  all.push_back(std::make_unique<FeatureMap<Fourier>>(Fourier(box, 3)));
  all.push_back(
      std::make_unique<FeatureMap<RadialBasis>>(RadialBasis(box, centres.data(), 37, 0.3)));
  all.push_back(std::make_unique<FeatureMap<TileCoding>>(TileCoding(box, {4, 3, 2}, 7)));
  return all;
}

template <class S>
Array<S> apply(const Features& features, const Array<S>& x) {
  const Index batch = x.size() / features.input_size();
  Array<S> phi(batch * features.output_size());
  apply_features(features, x.data(), batch, phi.data());
  return phi;
}

TEST(formula, "Each map is its formula at one observation.") {
  check::for_each_scalar([]<class S>() {
    const Array<S> x{S(0.5), S(3), S(2.25)};  // its place in the box: 0.75, 0.75, 0.5
    const double tolerance = std::is_same_v<S, float> ? 1e-5 : 1e-13;
    const auto all = maps();
    CHECK_SAME(apply<S>(*all[0], Array<S>{S(3)}), (Array<S>{0, 0, 0, 1, 0}));
    const auto powers = apply<S>(FeatureMap(Polynomial(3, 2)), x);
    const Array<S> expected{1,      S(0.5),   3, S(2.25), S(0.25),
                            S(1.5), S(1.125), 9, S(6.75), S(5.0625)};
    CHECK_SAME(powers, expected);
    const auto cosines = apply<S>(*all[2], x);
    const auto bumps = apply<S>(*all[3], x);
    const auto tiles = apply<S>(*all[4], x);
    const double u[3] = {0.75, 0.75, 0.5};
    for (Index i = 0; i < 64; ++i) {
      const double c[3] = {double(i / 16), double(i / 4 % 4), double(i % 4)};
      CHECK_NEAR(cosines[i], std::cos(M_PI * (c[0] * u[0] + c[1] * u[1] + c[2] * u[2])), tolerance);
    }
    const auto centres = check::normals<double>(37 * 3, 1);
    for (Index j = 0; j < 37; ++j) {
      double square = 0;
      for (Index d = 0; d < 3; ++d) square += std::pow(u[d] - centres[3 * j + d], 2);
      CHECK_NEAR(bumps[j], std::exp(-square / (2 * 0.09)), tolerance);
    }
    for (Index k = 0; k < 7; ++k) {
      const auto part = [&](int m, double place, Index odd) {
        return static_cast<Index>(m * place + double(k * odd % 7) / 7);
      };
      const Index tile = (part(4, u[0], 1) * 4 + part(3, u[1], 3)) * 3 + part(2, u[2], 5);
      for (Index i = 0; i < 60; ++i) CHECK_EQ(tiles[60 * k + i], S(i == tile));
    }
  });
}

TEST(alone, "A row's features are the same bits alone and at any place of a tile.") {
  check::for_each_scalar([]<class S>() {
    for (const auto& features : maps()) {
      const Index D = features->input_size(), J = features->output_size();
      const auto x = check::normals<S>(67 * D, 3, 3);
      const auto together = apply<S>(*features, x);
      for (Index b = 0; b < 67; ++b) {
        CHECK_SAME(apply<S>(*features, x.segment(b * D, D)), together.segment(b * J, J));
      }
    }
  });
}

TEST(harmless, "No number, finite or not, leads out of the tile's memory.") {
  check::for_each_scalar([]<class S>() {
    using Limits = std::numeric_limits<S>;
    for (const S bad : {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), Limits::max(),
                        Limits::lowest(), Limits::denorm_min(), S(4.999), S(5), S(-1), S(1e10)}) {
      CONTEXT("x = " << bad);
      for (const auto& features : maps()) {
        const auto x = Array<S>::constant(40 * features->input_size(), bad);
        apply<S>(*features, x);
      }
      const auto one_hot = apply<S>(*maps()[0], Array<S>{bad});
      const bool zeros = std::isnan(bad) ? one_hot.is_nan().all() : (one_hot == S{0}).all();
      CHECK(zeros);
    }
  });
}

TEST(bounds, "The bounds themselves lie in a tile of every grid.") {
  check::for_each_scalar([]<class S>() {
    for (const Index tilings : {1, 3, 7, 49}) {
      const FeatureMap tiles(TileCoding(Bounds({0.1}, {0.7}), {13}, tilings));
      for (const S x : {S(0.1), S(0.7)}) {
        CHECK_EQ(apply<S>(tiles, Array<S>{x}).sum(), S(tilings));
      }
    }
  });
}

TEST(threads, "Features have the same bits on 1 to 4 threads.") {
  check::for_each_scalar([]<class S>() {
    for (const auto& features : maps()) {
      const auto x = check::normals<S>(14001 * features->input_size(), 4);
      check::same_on_any_threads([&] { return std::tuple{apply<S>(*features, x)}; });
    }
  });
}

}  // namespace
}  // namespace pgfast

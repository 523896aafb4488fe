#include "pgfast/gram.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

using check::Array;

Array<double> gram(const Array<double>& x, const Array<double>& w) {
  const Index batch = w.size(), size = x.size() / std::max<Index>(1, batch);
  Array<double> out(size * size);
  weighted_gram(x.data(), w.data(), batch, size, out.data());
  return out;
}

TEST(sums, "Each number is the weighted sum of products, and the matrix is symmetric.") {
  for (const Index size : {1, 2, 7, 8, 9, 16, 23, 67}) {
    for (const Index batch : {1, 3, 63, 64, 65, 1100}) {
      CONTEXT("size " << size << ", batch " << batch);
      const auto x = check::normals<double>(batch * size, 1);
      auto w = check::normals<double>(batch, 2);
      for (double& each : w) each *= each;
      const auto F = gram(x, w);
      for (Index i = 0; i < size; ++i) {
        for (Index j = 0; j <= i; ++j) {
          long double sum = 0, magnitude = 0;
          for (Index b = 0; b < batch; ++b) {
            const long double term = static_cast<long double>(w[b]) * x[b * size + i];
            sum += term * x[b * size + j];
            magnitude += std::abs(term * x[b * size + j]);
          }
          const double rounding =
              static_cast<double>((batch + 2) * magnitude) * std::numeric_limits<double>::epsilon();
          if (!(std::abs(static_cast<double>(F[i * size + j] - sum)) <= rounding)) {
            CHECK_NEAR(F[i * size + j], static_cast<double>(sum), rounding);
          }
          CHECK_EQ(F[j * size + i], F[i * size + j]);
        }
      }
    }
  }
}

TEST(nothing, "Of no rows the sum is zero.") {
  auto out = Array<double>::constant(9, 7);
  weighted_gram(nullptr, nullptr, 0, 3, out.data());
  CHECK((out == 0.0).all());
}

TEST(nan_in, "A NaN comes out in its row and column, and nowhere else.") {
  const Index batch = 100, size = 11, bad = 4;
  auto x = check::normals<double>(batch * size, 3);
  x[50 * size + bad] = std::numeric_limits<double>::quiet_NaN();
  const auto F = gram(x, Array<double>::ones(batch));
  for (Index i = 0; i < size * size; ++i) {
    CHECK_EQ(std::isnan(F[i]), i / size == bad || i % size == bad);
  }
}

TEST(threads, "The sums are the same on any number of threads.") {
  const auto x = check::normals<double>(5000 * 35, 4);
  const auto w = Array<double>::constant(5000, 0.3);
  check::same_on_any_threads([&] { return std::tuple{gram(x, w)}; });
}

}  // namespace
}  // namespace pgfast

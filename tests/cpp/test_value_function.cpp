#include <set>

#include "pgfast/value_function.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

using check::Array;

// Samples of a smooth function; a few flags are unset.
template <class S>
struct Data {
  Index n, D;
  Array<S> x, y;
  std::vector<Index> samples;

  Data(Index size, Index inputs) : n(size), D(inputs), x(check::normals<S>(n * D, 1)), y(n) {
    for (Index i = 0; i < n; ++i) y[i] = 5 + 2 * std::sin(x[i * D]) - x[i * D + D - 1];
    samples = samples_of(check::flags(n, 0.9, 2).data(), n);
  }
  Index count() const { return static_cast<Index>(samples.size()); }
};

template <class S>
double loss(const ValueNetwork& network, const Array<S>& theta, const Data<S>& data) {
  return value_error(network, theta.data(), data.x.data(), data.y.data(), data.samples.data(),
                     data.count())
      .loss;
}

TEST(samples, "The samples that count are those whose flag is set, in order; without flags all.") {
  const bool flags[] = {false, true, true, false, true};
  CHECK((samples_of(flags, 5) == std::vector<Index>{1, 2, 4}));
  CHECK((samples_of(nullptr, 3) == std::vector<Index>{0, 1, 2}));
}

TEST(gradient, "The gradient of the squared error is its finite difference.") {
  for (const std::vector<Index>& sizes : {std::vector<Index>{3, 1}, {3, 8, 1}, {3, 16, 5, 1}}) {
    const ValueNetwork network(Mlp(sizes, Activation::tanh));
    const Data<double> data(700, 3);
    const Index P = network.num_parameters();
    const auto theta = check::normals<double>(P, 4, 0.5);
    Array<double> gradient(P);
    squared_error_gradient(network, theta.data(), data.x.data(), data.y.data(), data.samples.data(),
                           data.count(), gradient.data());
    for (Index p = 0; p < P; ++p) {
      Array<double> up = theta, down = theta;
      up[p] += 1e-5;
      down[p] -= 1e-5;
      const double difference = (loss(network, up, data) - loss(network, down, data)) / 2e-5;
      CHECK_NEAR(gradient[p], difference, 1e-7);
    }
  }
}

TEST(ridge, "A linear network's exact fit is stationary, from any theta.") {
  check::for_each_scalar([]<class S>() {
    const ValueNetwork network(Mlp({4, 1}, Activation::tanh));
    const Data<S> data(2000, 4);
    auto theta = check::normals<S>(5, 4), gradient = Array<S>(5);
    fit_ridge(network, theta.data(), data.x.data(), data.y.data(), data.samples.data(),
              data.count(), 0.0);
    squared_error_gradient(network, theta.data(), data.x.data(), data.y.data(), data.samples.data(),
                           data.count(), gradient.data());
    CHECK(gradient.abs().max() < (std::is_same_v<S, float> ? S(1e-5) : S(1e-13)));
  });
}

TEST(minibatches, "Minibatches leave less than a tenth of the targets' variance unexplained.") {
  check::for_each_scalar([]<class S>() {
    const ValueNetwork network(Mlp({2, 16, 1}, Activation::tanh));
    const Data<S> data(1000, 2);
    auto theta = check::normals<S>(network.num_parameters(), 4, 0.5);
    fit_minibatches(network, theta.data(), data.x.data(), data.y.data(), data.samples,
                    {20, 50, 0.01, 7, 0});
    const auto error = value_error(network, theta.data(), data.x.data(), data.y.data(),
                                   data.samples.data(), data.count());
    CHECK(error.explained_variance > 0.9);
  });
}

TEST(unread, "What does not count is not read.") {
  check::for_each_scalar([]<class S>() {
    for (const std::vector<Index>& sizes : {std::vector<Index>{2, 1}, {2, 8, 1}}) {
      const ValueNetwork network(Mlp(sizes, Activation::relu));
      const Data<S> clean(600, 2);
      Data<S> dirty = clean;
      Array<bool> counts = Array<bool>::constant(clean.n, false);
      for (const Index i : clean.samples) counts[i] = true;
      for (Index i = 0; i < clean.n; ++i) {
        if (counts[i]) continue;
        dirty.y[i] = dirty.x[2 * i] = std::numeric_limits<S>::quiet_NaN();
      }
      const auto fitted = [&](const Data<S>& data) {
        auto theta = check::normals<S>(network.num_parameters(), 4, 0.5);
        if (is_linear(network)) {
          fit_ridge(network, theta.data(), data.x.data(), data.y.data(), data.samples.data(),
                    data.count(), 1e-5);
        } else {
          fit_minibatches(network, theta.data(), data.x.data(), data.y.data(), data.samples,
                          {2, 50, 0.01, 7, 0});
        }
        return theta;
      };
      CHECK_SAME(fitted(dirty), fitted(clean));
    }
  });
}

TEST(error, "A perfect prediction explains all, constant targets leave nothing to explain.") {
  const ValueNetwork network(Mlp({1, 1}, Activation::tanh));
  const Array<double> theta{2, 1}, x{0, 1, 2, 3}, y{1, 3, 5, 7}, flat{3, 3, 3, 3};
  const Index all[] = {0, 1, 2, 3};
  const auto perfect = value_error(network, theta.data(), x.data(), y.data(), all, 4);
  CHECK_EQ(perfect.loss, 0.0);
  CHECK_EQ(perfect.explained_variance, 1.0);
  CHECK_EQ(perfect.target_variance, 5.0);
  const auto constant = value_error(network, theta.data(), x.data(), flat.data(), all, 4);
  CHECK_EQ(constant.explained_variance, 0.0);
  CHECK_EQ(constant.mean_residual, -1.0);
  CHECK_EQ(constant.loss, 6.0);
}

TEST(order,
     "A shuffle is an order of the same items, another one for each seed, stream and epoch.") {
  std::set<std::vector<Index>> orders;
  for (const std::uint64_t seed : {1, 2}) {
    for (const std::uint32_t stream : {0u, 1u}) {
      for (const std::uint64_t first : {0, 100}) {
        std::vector<Index> items = samples_of(nullptr, 100);
        shuffle(items.data(), 100, seed, stream, first);
        orders.insert(items);
        std::sort(items.begin(), items.end());
        CHECK((items == samples_of(nullptr, 100)));
      }
    }
  }
  CHECK_EQ(orders.size(), 8u);
}

// 6 orders of 3 items, 60000 shuffles: chi-square with 5 degrees of freedom is above 30 with a
// probability of 1.5e-5; the seed is fixed.
TEST(fair, "Every order of the items is as frequent as any other.") {
  std::vector<double> counts(27, 0);
  for (std::uint64_t k = 0; k < 60000; ++k) {
    Index items[] = {0, 1, 2};
    shuffle(items, 3, 5, 0, 3 * k);
    counts[static_cast<std::size_t>(9 * items[0] + 3 * items[1] + items[2])] += 1;
  }
  double chi_square = 0;
  for (const Index order : {5, 7, 11, 15, 19, 21}) {
    const double count = counts[static_cast<std::size_t>(order)];
    chi_square += (count - 10000) * (count - 10000) / 10000;
  }
  CHECK(chi_square < 30);
}

TEST(threads, "Predictions, gradients and fits have the same bits on 1 to 4 threads.") {
  check::for_each_scalar([]<class S>() {
    const Data<S> data(6000, 5);
    const ValueNetwork linear(Mlp({5, 1}, Activation::tanh));
    const ValueNetwork deep(Mlp({5, 64, 1}, Activation::tanh));
    const auto theta = check::normals<S>(deep.num_parameters(), 4);
    check::same_on_any_threads([&] {
      auto fitted = check::normals<S>(6, 4);
      fit_ridge(linear, fitted.data(), data.x.data(), data.y.data(), data.samples.data(),
                data.count(), 1e-5);
      return std::tuple{fitted};
    });
    check::same_on_any_threads([&] {
      auto fitted = theta;
      fit_minibatches(deep, fitted.data(), data.x.data(), data.y.data(), data.samples,
                      {1, 2500, 0.01, 7, 0});
      return std::tuple{fitted};
    });
    check::same_on_any_threads([&] {
      Array<S> v(data.n);
      predict<S>(deep, theta.data(), data.x.data(), nullptr, data.n, v.data());
      return std::tuple{v};
    });
    check::same_on_any_threads([&] {
      Array<S> gradient(deep.num_parameters());
      squared_error_gradient(deep, theta.data(), data.x.data(), data.y.data(), data.samples.data(),
                             data.count(), gradient.data());
      return std::tuple{gradient};
    });
  });
}

}  // namespace
}  // namespace pgfast

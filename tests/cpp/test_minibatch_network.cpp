#include <numeric>
#include <stdexcept>

#include "pgfast/minibatch_network.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

using check::Array;

constexpr Index samples = 1000,
                size = 5001;  // parameters: three parts of a step, the last is short

// The gradient of sample i is x_i (1, 2, ..., size) / size. Throws where it meets sample `bad`.
struct Tile {
  const Array<double>& x;
  Index bad;
  int changes = 0;

  void theta_changed() { ++changes; }
  double add(const Index* order, Index rows, double scale, double* gradient) {
    double sum = 0;
    for (Index r = 0; r < rows; ++r) {
      if (order[r] == bad) throw std::runtime_error("bad sample");
      sum += x[order[r]];
      for (Index j = 0; j < size; ++j) {
        gradient[j] += scale * x[order[r]] * static_cast<double>(j + 1) / size;
      }
    }
    return sum;
  }
};

// Parameters with Adam's state, and what two minibatches made of them: the first and the second
// half of the samples.
struct Trained {
  Array<double> theta = check::normals<double>(size, 1), m = Array<double>::zeros(size),
                v = Array<double>::zeros(size);
  AdamParameters<double> adam{theta.data(), m.data(), v.data(), size, 0, 0.01};
  Array<double> sums = Array<double>::zeros(2);

  explicit Trained(Index bad = -1) {
    const auto x = check::normals<double>(samples, 2);
    std::vector<Index> order(samples);
    std::iota(order.begin(), order.end(), Index{0});
    try {
      const auto make = [&] { return std::make_unique<Tile>(x, bad); };
      detail::MinibatchNetwork network(adam, -1.0, 1e4, make);
      for (const Index half : {0, 1}) {
        network.begin(order.data() + half * samples / 2, samples / 2, 1.0 / samples);
        parallel_for(network.blocks());
        sums[half] = network.sums();
        network.begin_step();
      }
    } catch (const std::runtime_error&) {
      sums[1] = -1;
    }
  }
  Trained(const Trained&) = delete;

  // Steps along the sums of the gradients in blocks of 128 samples, each as a whole.
  void expect(Index steps) {
    const auto x = check::normals<double>(samples, 2);
    Array<double> expected_theta = check::normals<double>(size, 1),
                  expected_m = Array<double>::zeros(size), expected_v = Array<double>::zeros(size);
    Tile tile{x, -1};
    for (Index half = 0; half < steps; ++half) {
      Array<double> gradient = Array<double>::zeros(size);
      for (Index first = half * 500; first < (half + 1) * 500; first += 128) {
        Array<double> part = Array<double>::zeros(size);
        for (Index i = first; i < std::min(first + 128, (half + 1) * 500); ++i) {
          tile.add(&i, 1, 1.0 / samples, part.data());
        }
        for (Index j = 0; j < size; ++j) gradient[j] += part[j];
      }
      adam_step(expected_theta.data(), gradient.data(), expected_m.data(), expected_v.data(), size,
                half + 1, -0.01, 0.9, 0.999, 1e-8);
    }
    CHECK_SAME(theta, expected_theta);
    CHECK_SAME(m, expected_m);
    CHECK_SAME(v, expected_v);
    CHECK_EQ(adam.count, steps);
  }
};

TEST(whole_steps, "Steps made in parts, by any thread, are those made at once.") {
  for (const int threads : {1, 2, 4}) {
    CONTEXT(threads << " threads");
    const check::NumThreads use(threads);
    Trained trained;
    trained.expect(2);
    const auto x = check::normals<double>(samples, 2);
    for (const Index half : {0, 1}) {
      double sum = 0;
      for (Index i = half * 500; i < (half + 1) * 500; ++i) sum += x[i];
      CHECK_NEAR(trained.sums[half], sum, 1e-12);
    }
  }
}

TEST(throws, "Where a tile throws, the step before is whole and no other is made.") {
  for (const int threads : {1, 4}) {
    for (const Index bad : {500, 700, 999}) {
      CONTEXT(threads << " threads, sample " << bad);
      const check::NumThreads use(threads);
      Trained trained(bad);
      CHECK_EQ(trained.sums[1], -1.0);
      trained.expect(1);
    }
  }
}

TEST(threads, "Parameters and sums are the same on any number of threads.") {
  check::same_on_any_threads([] {
    const Trained trained;
    return std::tuple{trained.theta, trained.m, trained.v, trained.sums};
  });
}

}  // namespace
}  // namespace pgfast

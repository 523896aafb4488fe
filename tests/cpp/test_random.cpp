#include <algorithm>

#include "check.hpp"
#include "pgfast/random.hpp"

namespace pgfast {
namespace {

using check::Array;

constexpr Purpose purposes[] = {Purpose::general, Purpose::environment, Purpose::action,
                                Purpose::parameters};

TEST(counter_layout, "Seed, purpose, stream and index each fill words of key and counter.") {
  CHECK(philox(0x0123456789abcdefull, Purpose::action, 0x13198a2eu, 0x85a308d3243f6a88ull) ==
        philox({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 2u}, 0x89abcdefu, 0x01234567u));
}

TEST(streams_share_nothing, "Neighbouring seeds, purposes, streams and indices share no block.") {
  std::vector<PhiloxBlock> blocks;
  for (std::uint64_t seed : {0ull, 1ull, 2ull, 1ull << 32}) {
    for (const Purpose purpose : purposes) {
      for (std::uint32_t stream : {0u, 1u, 2u, 0xffffffffu}) {
        for (std::uint64_t index = 0; index < 16; ++index) {
          blocks.push_back(philox(seed, purpose, stream, index));
        }
        blocks.push_back(philox(seed, purpose, stream, 1ull << 32));
      }
    }
  }
  std::sort(blocks.begin(), blocks.end());
  CHECK(std::adjacent_find(blocks.begin(), blocks.end()) == blocks.end());
}

TEST(range, "A uniform draw is 0 for words of zeros, the number just below 1 for words of ones.") {
  const std::uint32_t zeros[2] = {0, 0}, ones[2] = {0xffffffffu, 0xffffffffu};
  CHECK_EQ(uniform_from_words<float>(zeros), 0.0f);
  CHECK_EQ(uniform_from_words<double>(zeros), 0.0);
  CHECK_EQ(uniform_from_words<float>(ones), std::nextafter(1.0f, 0.0f));
  CHECK_EQ(uniform_from_words<double>(ones), std::nextafter(1.0, 0.0));
}

TEST(words_of_a_draw, "A block holds four float draws or two double ones, in the order of words.") {
  const PhiloxBlock block = philox(5, Purpose::general, 6, 7);
  for (std::uint64_t j = 0; j < 4; ++j) {
    CHECK_EQ(uniform<float>(5, Purpose::general, 6, 4 * 7 + j),
             static_cast<float>(block[j] >> 8) / 16777216.0f);
  }
  for (std::uint64_t j = 0; j < 2; ++j) {
    const std::uint64_t bits = (std::uint64_t{block[2 * j]} << 32 | block[2 * j + 1]) >> 11;
    CHECK_EQ(uniform<double>(5, Purpose::general, 6, 2 * 7 + j),
             static_cast<double>(bits) / 9007199254740992.0);
  }
}

TEST(fill, "An array of uniforms holds a stream's draws in order.") {
  check::for_each_scalar([]<class S>() {
    for (const Index count : {0, 1, 2, 5, 33, 64, 65, 128, 129, 300}) {
      Array<S> draws(count);
      fill_uniform<S>(3, Purpose::general, 4, draws.data(), count);
      for (Index i = 0; i < count; ++i) {
        CHECK_EQ(draws[i], uniform<S>(3, Purpose::general, 4, static_cast<std::uint64_t>(i)));
      }
    }
  });
}

TEST(normal_pairs, "Normals 2m and 2m + 1 are Box and Muller's of uniforms 2m and 2m + 1.") {
  check::for_each_scalar([]<class S>() {
    const auto draw = [](Index i) {
      return static_cast<double>(
          uniform<S>(3, Purpose::parameters, 4, static_cast<std::uint64_t>(i)));
    };
    for (const Index count : {1, 2, 7, 64}) {
      Array<S> normals(count);
      fill_normal<S>(3, Purpose::parameters, 4, normals.data(), count);
      for (Index i = 0; i < count; ++i) {
        const double u = draw(i - i % 2), v = draw(i - i % 2 + 1);
        const double radius = std::sqrt(-2 * std::log1p(-u)), angle = 2 * std::acos(-1.0) * v;
        // A rounded angle, up to 2 pi, moves the number by radius times that rounding.
        CHECK_NEAR(normals[i], radius * (i % 2 ? std::sin(angle) : std::cos(angle)),
                   16 * (1 + radius) * static_cast<double>(std::numeric_limits<S>::epsilon()));
      }
    }
  });
}

TEST(normal_extremes, "The smallest and largest uniforms give finite normals.") {
  check::for_each_scalar([]<class S>() {
    const S top = std::nextafter(S{1}, S{0});
    for (const S u : {S{0}, S(0.5), top}) {
      for (const S v : {S{0}, S(0.5), top}) {
        for (const S x : normal_pair(u, v)) CHECK(std::isfinite(x));
      }
    }
  });
}

// Each of these moments is within six standard errors: by chance one fails once in 10^8 seeds.
TEST(moments, "Mean and variance of uniforms and normals are 1/2, 1/12, 0 and 1.") {
  check::for_each_scalar([]<class S>() {
    const Index n = 1 << 16;
    const double root_n = 256;
    Array<S> draws(n);
    const auto mean_of = [&](auto f) {
      double sum = 0;
      for (const S x : draws) sum += f(static_cast<double>(x));
      return sum / static_cast<double>(n);
    };
    fill_uniform<S>(1, Purpose::general, 0, draws.data(), n);
    CHECK_NEAR(mean_of([](double x) { return x; }), 0.5, 6 * std::sqrt(1.0 / 12) / root_n);
    CHECK_NEAR(mean_of([](double x) { return (x - 0.5) * (x - 0.5); }), 1.0 / 12,
               6 * std::sqrt(1.0 / 180) / root_n);
    fill_normal<S>(1, Purpose::general, 0, draws.data(), n);
    CHECK_NEAR(mean_of([](double x) { return x; }), 0, 6 / root_n);
    CHECK_NEAR(mean_of([](double x) { return x * x; }), 1, 6 * std::sqrt(2.0) / root_n);
  });
}

}  // namespace
}  // namespace pgfast

#include <bit>
#include <limits>

#include "check.hpp"
#include "pgfast/exponential.hpp"

namespace pgfast {
namespace {

template <class S>
S of(S x) {
  return exp_nonpositive<32>(Lanes<S, 32>(Lanes<S, 32>::Constant(x)))[31];
}

TEST(accuracy, "Within 1.75 units of 2^-24 of the value, relative to it, down to -87.") {
  double worst = 0;
  const auto last = std::bit_cast<std::uint32_t>(-87.0f);
  for (std::uint32_t bits = 0x80000000u; bits + 32 < last; bits += 32 * 113) {
    Lanes<float, 32> x;
    for (std::uint32_t l = 0; l < 32; ++l) x[l] = std::bit_cast<float>(bits + l);
    const Lanes<float, 32> e = exp_nonpositive<32>(x);
    for (int l = 0; l < 32; ++l) {
      const double exact = std::exp(static_cast<double>(x[l]));
      worst = std::max(worst, std::abs(e[l] - exact) / exact);
    }
  }
  CHECK(worst < 1.75 * 0x1p-24);
}

TEST(ends, "1 at both zeros; normal numbers down to -87 (-708), 0 below.") {
  check::for_each_scalar([]<class S>() {
    CHECK_EQ(of(S{0}), S{1});
    CHECK_EQ(of(-S{0}), S{1});
    const S lowest = std::is_same_v<S, float> ? S(-87) : S(-708);
    CHECK(of(lowest) >= std::numeric_limits<S>::min());
    for (const S x : {std::nextafter(lowest, S(-1e9)), S(-1e5), -std::numeric_limits<S>::max(),
                      -std::numeric_limits<S>::infinity()}) {
      CHECK_EQ(of(x), S{0});
    }
  });
}

TEST(not_a_number, "NaN stays, whatever its sign and payload.") {
  for (const std::uint64_t bits :
       {0x7ff8000000000000u, 0xfff8000000000000u, 0x7ff8000000000001u, 0x7fffffffffffffffu}) {
    CHECK(std::isnan(of(std::bit_cast<double>(bits))));
  }
  for (const std::uint32_t bits : {0x7fc00000u, 0xffc00000u, 0x7fc00001u, 0x7fffffffu}) {
    CHECK(std::isnan(of(std::bit_cast<float>(bits))));
  }
}

}  // namespace
}  // namespace pgfast

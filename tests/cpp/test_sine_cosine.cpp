#include "check.hpp"
#include "pgfast/sine_cosine.hpp"

namespace pgfast {
namespace {

// The distance of `value` from `exact` in units of the last place of the nearest float.
double units(float value, double exact) {
  int exponent;
  std::frexp(static_cast<float>(exact), &exponent);
  return std::abs(value - exact) / std::ldexp(1.0, std::max(exponent - 24, -149));
}

Lanes<float, 32> from_bits(std::uint32_t first) {
  Lanes<float, 32> x;
  for (int l = 0; l < 32; ++l) x[l] = std::bit_cast<float>(first + static_cast<std::uint32_t>(l));
  return x;
}

TEST(accuracy, "Both are within 2 units in the last place over all finite numbers.") {
  double worst = 0;
  for (std::uint32_t bits = 0; bits < 0x7f800000u - 32; bits += 32 * 113) {
    const Lanes<float, 32> x = from_bits(bits);
    const auto [sine, cosine] = sine_cosine<32>(x);
    for (int l = 0; l < 32; ++l) {
      const double exact = x[l];
      worst = std::max({worst, units(sine[l], std::sin(exact)), units(cosine[l], std::cos(exact))});
    }
  }
  CHECK(worst < 2);
}

TEST(near_multiples, "They hold next to multiples of pi / 2, where one of the two is nearly 0.") {
  double worst = 0;
  for (int k = 1; k < 2100; ++k) {
    const auto near = static_cast<float>(k * 1.57079632679489661923);
    const Lanes<float, 32> x = from_bits(std::bit_cast<std::uint32_t>(near) - 16);
    const auto [sine, cosine] = sine_cosine<32>(x);
    for (int l = 0; l < 32; ++l) {
      const double exact = x[l];
      worst = std::max({worst, units(sine[l], std::sin(exact)), units(cosine[l], std::cos(exact))});
    }
  }
  CHECK(worst < 2);
}

template <class S>
void check_signs() {
  Lanes<S, 32> x = Lanes<S, 32>::LinSpaced(S{-7}, S{4000});
  x[0] = S{-0.0};
  x[1] = std::numeric_limits<S>::quiet_NaN();
  x[2] = std::numeric_limits<S>::infinity();
  x[3] = S(1e30);
  const auto [sine, cosine] = sine_cosine<32>(x);
  const auto [odd, even] = sine_cosine<32>(Lanes<S, 32>(-x));
  for (int l : {1, 2}) CHECK(std::isnan(sine[l]) && std::isnan(cosine[l]));
  for (int l = 0; l < 32; ++l) {
    if (l == 1 || l == 2) continue;
    CHECK_EQ(odd[l], -sine[l]);
    CHECK_EQ(even[l], cosine[l]);
    CHECK_EQ(std::signbit(odd[l]), !std::signbit(sine[l]));
  }
}
TEST(signs, "The sine is odd, zero's sign included, the cosine even; NaN and infinity give NaN.") {
  check_signs<float>();
  check_signs<double>();
}

TEST(lanes, "A lane's result does not depend on the others.") {
  Lanes<float, 32> x = Lanes<float, 32>::LinSpaced(-5.0f, 5000.0f);
  const auto whole = sine_cosine<32>(x);
  for (int l = 0; l < 32; ++l) {
    const auto alone = sine_cosine<32>(Lanes<float, 32>(Lanes<float, 32>::Constant(x[l])));
    for (int i : {0, 17, 31}) {
      CHECK_EQ(alone.sine[i], whole.sine[l]);
      CHECK_EQ(alone.cosine[i], whole.cosine[l]);
    }
  }
}

}  // namespace
}  // namespace pgfast
